// Package scan runs dataset scans beside the looks that need them.
//
// A look waits a moment for a scan and then goes on with "pending"; when the
// scan is done, Options.Done says which subjects to look at again. Scans of the
// same bytes with the same options are one scan, however many wait for it, and
// its result is kept. A training dataset is scanned after its evaluation
// dataset, whose index it is compared with.
//
// A lost result costs another scan, never another answer: results are kept by
// repository and request digest, which holds the blob id, the scanner's version
// and every option. What an address names is opened first: the store's own id of
// these very bytes is then part of the key. Where the store keeps no versions the
// result serves the looks that waited for it, and the next one scans again.
//
// The package must not judge, must not open anything by itself, and must not
// let a byte of a dataset into an error: a panic's value stays here.
package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Options of a Pool. The zero value is for a command line: wait until done,
// keep in memory.
type Options struct {
	Workers int           // scans at a time; 0 is 2
	Wait    time.Duration // how long a look waits for a scan; 0 is until it is done
	Results int           // results kept in memory; 0 is 256
	Dir     string        // results kept across restarts; "" keeps none
	// NearDuplicates compares records by likeness, too; it costs memory.
	NearDuplicates bool
	// Done is told every subject that went on with "pending", once its scan has
	// ended, well or not. It is called from the scan's goroutine.
	Done func(facts.Subject)
	// OnBytes counts what was scanned; it must be quick.
	OnBytes func(int64)
}

// indexes is how many evaluation indexes are kept: hashes, some 100 bytes a record.
const indexes = 8

// Pool runs scans. Close ends and awaits them.
type Pool struct {
	options Options
	slots   chan struct{}
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight
	results *recent[*dataset.Facts]
	indexes *recent[*dataset.Index]
}

// flight is one scan under way. Its result is set before done is closed.
type flight struct {
	done    chan struct{}
	bytes   atomic.Int64
	total   atomic.Int64
	result  facts.Scan
	index   *dataset.Index
	err     error
	keep    string                 // under which key the result may be kept, "" for none
	indexed bool                   // started for its index
	waiting map[facts.Subject]bool // went on with "pending"; guarded by Pool.mu
}

// ErrClosed answers a Scan after Close.
var ErrClosed = errors.New("scan pool is closed")

// New starts nothing; goroutines belong to scans.
func New(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Results <= 0 {
		o.Results = 256
	}
	p := &Pool{
		options: o, slots: make(chan struct{}, o.Workers), flights: map[string]*flight{},
		results: newRecent[*dataset.Facts](o.Results), indexes: newRecent[*dataset.Index](indexes),
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Close cancels the scans under way and waits for their goroutines.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.running.Wait()
}

// Scan answers a request: done, pending, or what its place answered for good.
// The error of a scan goes to one caller; the next one starts it again.
func (p *Pool) Scan(ctx context.Context, waiting facts.Subject, req facts.ScanRequest, open bytestore.Opener) (facts.Scan, error) {
	key := flightKey(waiting.Repository, req)
	f, kept, err := p.fly(key, waiting, req, open, false)
	if err != nil || f == nil {
		return kept, err
	}
	var late <-chan time.Time
	if p.options.Wait > 0 {
		t := time.NewTimer(p.options.Wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return facts.Scan{}, ctx.Err()
	case <-late:
		p.mu.Lock()
		defer p.mu.Unlock()
		select {
		case <-f.done: // in this very moment: nobody would be told any more
		default:
			f.waiting[waiting] = true
			return facts.Scan{Pending: true, Done: f.bytes.Load(), Total: f.total.Load()}, nil
		}
		p.take(key, f, waiting)
		return f.result, f.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(key, f, waiting)
	return f.result, f.err
}

// Known tells whether Scan answers a request from what is kept.
func (p *Pool) Known(repository int64, req facts.ScanRequest) bool {
	if !lasting(req) {
		return false
	}
	_, ok := p.kept(flightKey(repository, req))
	return ok
}

// take hands a flight's result to a subject; the last one forgets the flight.
// The caller holds mu.
func (p *Pool) take(key string, f *flight, by facts.Subject) {
	delete(f.waiting, by)
	if f.err != nil || len(f.waiting) == 0 {
		p.collect(key, f)
	}
}

// collect forgets a flight that has ended; the caller holds mu.
func (p *Pool) collect(key string, f *flight) {
	if p.flights[key] == f {
		delete(p.flights, key)
	}
}

// flightKey keeps repositories apart: who may see one learns nothing of another
// by naming a blob id.
func flightKey(repository int64, req facts.ScanRequest) string {
	return strconv.FormatInt(repository, 10) + "-" + req.Key()
}

// lasting tells whether the request is named by its content.
func lasting(req facts.ScanRequest) bool {
	return named(req) && (req.Evaluation == nil || named(*req.Evaluation))
}

func named(req facts.ScanRequest) bool { return req.URI == "" && req.OID != "" }

// keepKey is under which the result of these very bytes is kept; "" if the store
// does not tell which bytes they are.
func keepKey(key string, req facts.ScanRequest, version, evaluation string) string {
	if !named(req) && version == "" || req.Evaluation != nil && !named(*req.Evaluation) && evaluation == "" {
		return ""
	}
	if lasting(req) {
		return key
	}
	sum := sha256.Sum256([]byte(strconv.Quote(version) + strconv.Quote(evaluation)))
	return key + "-" + hex.EncodeToString(sum[:])
}

// maxFlights is how many results may wait for subjects that never come back.
const maxFlights = 1000

// fly joins or starts a scan, unless its result is kept.
func (p *Pool) fly(key string, waiting facts.Subject, req facts.ScanRequest, open bytestore.Opener, index bool) (*flight, facts.Scan, error) {
	if !index && lasting(req) {
		if got, ok := p.kept(key); ok {
			return nil, facts.Scan{Facts: got}, nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, facts.Scan{}, ErrClosed
	}
	if f := p.flights[key]; f != nil && f.serves(waiting, index) {
		return f, facts.Scan{}, nil
	}
	f := &flight{done: make(chan struct{}), waiting: map[facts.Subject]bool{}, indexed: index}
	f.total.Store(req.Size)
	p.flights[key] = f
	p.running.Go(func() { p.run(key, f, waiting.Repository, req, open) })
	return f, facts.Scan{}, nil
}

// serves tells whether a flight's result is for this caller: one under way is
// for everybody, an ended one for whoever waited, and its error for the next.
// The caller holds the pool's mu.
func (f *flight) serves(waiting facts.Subject, index bool) bool {
	select {
	case <-f.done:
		return f.err != nil || f.waiting[waiting] && !index
	default:
		return true
	}
}

// run owns one flight.
func (p *Pool) run(key string, f *flight, repository int64, req facts.ScanRequest, open bytestore.Opener) {
	f.result, f.index, f.err = p.scan(key, f, repository, req, open)
	kept := f.err == nil && f.result.Facts != nil && f.keep != ""
	if kept {
		if req.URI == "" || !p.has(f.keep) {
			p.keep(f.keep, f.result.Facts)
		}
		if f.index != nil {
			p.mu.Lock()
			p.indexes.put(f.keep, f.index)
			p.mu.Unlock()
		}
	}
	p.mu.Lock()
	close(f.done)
	told := slices.Collect(maps.Keys(f.waiting))
	// An error stays until somebody has taken it, and so does what is not kept:
	// else each look would wait for a scan of its own, for ever.
	if kept && lasting(req) || f.err == nil && len(told) == 0 || len(p.flights) > maxFlights {
		p.collect(key, f)
	}
	p.mu.Unlock()
	if p.options.Done == nil || p.ctx.Err() != nil {
		return
	}
	for _, s := range told {
		p.options.Done(s)
	}
}

// PanicError is a panic of the scanner. Neither its text nor its stack shows a
// dataset's bytes, and the panic's value, which could, is dropped.
type PanicError struct {
	Path  string
	Stack []byte
}

func (e *PanicError) Error() string { return "could not evaluate " + e.Path + ": the scanner panicked" }

func (p *Pool) scan(key string, f *flight, repository int64, req facts.ScanRequest, open bytestore.Opener) (out facts.Scan, index *dataset.Index, err error) {
	defer func() {
		if recover() != nil {
			out, index, err = facts.Scan{}, nil, &PanicError{req.Path, debug.Stack()}
		}
	}()
	o := dataset.Options{
		Path: req.Path, Locale: req.Locale, Channels: req.Channels,
		NearDuplicates: p.options.NearDuplicates, KeepIndex: req.Evaluation == nil,
	}
	evaluation := ""
	if req.Evaluation != nil { // before a slot is taken, or two could wait for each other
		if o.Evaluation, evaluation, err = p.evaluation(repository, *req.Evaluation, open); err != nil {
			return facts.Scan{}, nil, fmt.Errorf("evaluation dataset: %w", err)
		}
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-p.ctx.Done():
		return facts.Scan{}, nil, p.ctx.Err()
	}
	if req.SchemaOID != "" {
		schema, refused, err := p.schema(req, open)
		if err != nil || refused != "" {
			return facts.Scan{Refused: refused}, nil, err
		}
		o.Schema = schema
	}
	body, size, err := open(p.ctx, req)
	if err != nil {
		out, err := answered(err)
		return out, nil, err
	}
	defer body.Close() // read to its end, or given up
	version := ""
	if v, ok := body.(bytestore.Versioned); ok {
		version = v.Version()
	}
	f.keep = keepKey(key, req, version, evaluation)
	if !lasting(req) && f.keep != "" { // only now it is known what the address stands for
		if kept, index, ok := p.again(f); ok {
			return facts.Scan{Facts: kept, Version: version}, index, nil
		}
	}
	if size > 0 {
		f.total.Store(size)
	}
	var before int64
	o.Progress = func(n int64) {
		f.bytes.Store(n)
		if p.options.OnBytes != nil {
			p.options.OnBytes(n - before)
			before = n
		}
	}
	got, err := dataset.Scan(stoppable{p.ctx, body}, o)
	var panicked *dataset.PanicError
	if errors.As(err, &panicked) {
		return facts.Scan{}, nil, &PanicError{req.Path, panicked.Stack}
	}
	if err != nil {
		out, err := answered(err) // what a place says for good, it may say while it is read
		if err != nil {
			err = fmt.Errorf("scan %s: %w", req.Path, err)
		}
		return out, nil, err
	}
	if size >= 0 && got.Bytes != size { // cut on the way
		return facts.Scan{}, nil, fmt.Errorf("scan %s: read %d bytes of %d", req.Path, got.Bytes, size)
	}
	index, got.Index = got.Index, nil
	return facts.Scan{Facts: &got, Version: version}, index, nil
}

// answered turns what a place says for good into facts.
func answered(err error) (facts.Scan, error) {
	var pointer *bytestore.Pointer
	switch {
	case errors.Is(err, bytestore.ErrAbsent):
		return facts.Scan{Absent: true}, nil
	case errors.Is(err, bytestore.ErrTooLarge):
		return facts.Scan{TooLarge: true}, nil
	case errors.As(err, &pointer):
		return facts.Scan{Pointer: pointer.OID}, nil
	}
	for answer, reason := range refusals {
		if errors.Is(err, answer) {
			return facts.Scan{Refused: reason}, nil
		}
	}
	return facts.Scan{}, err
}

var refusals = map[error]string{
	bytestore.ErrNoStore: facts.RefusedNoStore,
	bytestore.ErrRefused: facts.RefusedByStore,
	bytestore.ErrAddress: facts.RefusedAddress,
	bytestore.ErrDiffers: facts.RefusedDiffers,
	bytestore.ErrChanged: facts.RefusedChanged,
}

// again is what an earlier flight found in the same bytes; the index must be
// there for whoever started the flight for it.
func (p *Pool) again(f *flight) (*dataset.Facts, *dataset.Index, bool) {
	got, ok := p.kept(f.keep)
	p.mu.Lock()
	defer p.mu.Unlock()
	index, has := p.indexes.get(f.keep)
	return got, index, ok && (has || !f.indexed)
}

func (p *Pool) has(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.results.get(key)
	return ok
}

// evaluation scans the evaluation dataset, or takes its kept index, and tells
// the version of its bytes. nil: there is none to be had, which its own request
// tells.
func (p *Pool) evaluation(repository int64, req facts.ScanRequest, open bytestore.Opener) (*dataset.Index, string, error) {
	key := flightKey(repository, req)
	if named(req) {
		p.mu.Lock()
		kept, ok := p.indexes.get(key)
		p.mu.Unlock()
		if ok {
			return kept, "", nil
		}
	}
	for { // a flight that was not started for its index may end without one
		f, _, err := p.fly(key, facts.Subject{Repository: repository}, req, open, true)
		if err != nil {
			return nil, "", err
		}
		select {
		case <-f.done:
		case <-p.ctx.Done():
			return nil, "", p.ctx.Err()
		}
		p.mu.Lock()
		p.take(key, f, facts.Subject{})
		p.mu.Unlock()
		if f.err != nil || f.index != nil || f.indexed || f.result.Facts == nil {
			return f.index, f.result.Version, f.err
		}
	}
}

// schema reads a repository's own record schema; refused says that it is none.
func (p *Pool) schema(req facts.ScanRequest, open bytestore.Opener) (schema *dataset.Schema, refused string, err error) {
	const bad = facts.RefusedSchema
	body, _, err := open(p.ctx, facts.ScanRequest{OID: req.SchemaOID, Repository: req.Repository})
	if err != nil {
		out, err := answered(err)
		if err == nil && out != (facts.Scan{}) {
			return nil, bad, nil
		}
		return nil, "", err
	}
	defer body.Close() // read to its end, or given up
	raw, err := io.ReadAll(io.LimitReader(body, facts.MaxBlob+1))
	if err != nil {
		return nil, "", fmt.Errorf("read record schema: %w", err)
	}
	if len(raw) > facts.MaxBlob {
		return nil, bad, nil
	}
	if schema, err = dataset.ReadSchema(raw); err != nil {
		return nil, bad, nil // the author's mistake, told by the rule about schemas
	}
	return schema, "", nil
}

// stoppable ends a scan's reading when the pool closes.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}
