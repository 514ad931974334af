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
// and every option. What is not named by its content (an object store's URI) is
// not kept.
//
// The package must not judge, must not open anything by itself, and must not
// let a byte of a dataset into an error: a panic's value stays here.
package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
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
	f, kept, err := p.fly(key, waiting.Repository, req, open, false)
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
		p.collect(key, f)
		return f.result, f.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect(key, f)
	return f.result, f.err
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
	return req.URI == "" && req.OID != "" && (req.Evaluation == nil || lasting(*req.Evaluation))
}

// fly joins or starts a scan, unless its result is kept.
func (p *Pool) fly(key string, repository int64, req facts.ScanRequest, open bytestore.Opener, index bool) (*flight, facts.Scan, error) {
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
	if f := p.flights[key]; f != nil {
		return f, facts.Scan{}, nil
	}
	f := &flight{done: make(chan struct{}), waiting: map[facts.Subject]bool{}}
	f.total.Store(req.Size)
	p.flights[key] = f
	p.running.Go(func() { p.run(key, f, repository, req, open) })
	return f, facts.Scan{}, nil
}

// run owns one flight.
func (p *Pool) run(key string, f *flight, repository int64, req facts.ScanRequest, open bytestore.Opener) {
	f.result, f.index, f.err = p.scan(f, repository, req, open)
	if f.err == nil && f.result.Facts != nil && lasting(req) {
		p.keep(key, f.result.Facts)
		if f.index != nil {
			p.mu.Lock()
			p.indexes.put(key, f.index)
			p.mu.Unlock()
		}
	}
	p.mu.Lock()
	close(f.done)
	told := f.waiting
	if f.err == nil { // an error stays until somebody has taken it
		p.collect(key, f)
	}
	p.mu.Unlock()
	if p.options.Done == nil || p.ctx.Err() != nil {
		return
	}
	for s := range told {
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

func (p *Pool) scan(f *flight, repository int64, req facts.ScanRequest, open bytestore.Opener) (out facts.Scan, index *dataset.Index, err error) {
	defer func() {
		if recover() != nil {
			out, index, err = facts.Scan{}, nil, &PanicError{req.Path, debug.Stack()}
		}
	}()
	o := dataset.Options{
		Path: req.Path, Locale: req.Locale, Channels: req.Channels,
		NearDuplicates: p.options.NearDuplicates, KeepIndex: req.Evaluation == nil,
	}
	if req.Evaluation != nil { // before a slot is taken, or two could wait for each other
		if o.Evaluation, err = p.evaluation(repository, *req.Evaluation, open); err != nil {
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
	defer body.Close() //nolint:errcheck // read to its end, or given up
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
	if err != nil {
		return facts.Scan{}, nil, fmt.Errorf("scan %s: %w", req.Path, err)
	}
	if size >= 0 && got.Bytes != size { // cut on the way
		return facts.Scan{}, nil, fmt.Errorf("scan %s: read %d bytes of %d", req.Path, got.Bytes, size)
	}
	index, got.Index = got.Index, nil
	return facts.Scan{Facts: &got}, index, nil
}

// answered turns what a place says for good into facts.
func answered(err error) (facts.Scan, error) {
	var pointer *bytestore.Pointer
	switch {
	case errors.Is(err, bytestore.ErrAbsent):
		return facts.Scan{Absent: true}, nil
	case errors.Is(err, bytestore.ErrTooLarge):
		return facts.Scan{TooLarge: true}, nil
	case errors.Is(err, bytestore.ErrNoStore):
		return facts.Scan{Refused: "no store"}, nil
	case errors.As(err, &pointer):
		return facts.Scan{Pointer: pointer.OID}, nil
	}
	return facts.Scan{}, err
}

// evaluation scans the evaluation dataset, or takes its kept index. nil: there
// is none to be had, which its own request tells.
func (p *Pool) evaluation(repository int64, req facts.ScanRequest, open bytestore.Opener) (*dataset.Index, error) {
	key := flightKey(repository, req)
	p.mu.Lock()
	kept, ok := p.indexes.get(key)
	p.mu.Unlock()
	if ok {
		return kept, nil
	}
	f, _, err := p.fly(key, repository, req, open, true)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
	case <-p.ctx.Done():
		return nil, p.ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect(key, f)
	return f.index, f.err
}

// schema reads a repository's own record schema; refused says that it is none.
func (p *Pool) schema(req facts.ScanRequest, open bytestore.Opener) (schema *dataset.Schema, refused string, err error) {
	const bad = "schema"
	body, _, err := open(p.ctx, facts.ScanRequest{OID: req.SchemaOID, Repository: req.Repository})
	if err != nil {
		out, err := answered(err)
		if err == nil && out != (facts.Scan{}) {
			return nil, bad, nil
		}
		return nil, "", err
	}
	defer body.Close() //nolint:errcheck // read to its end, or given up
	raw, err := io.ReadAll(io.LimitReader(body, facts.MaxBlob+1))
	if err != nil {
		return nil, "", fmt.Errorf("read record schema: %w", err)
	}
	if len(raw) > facts.MaxBlob {
		return nil, bad, nil
	}
	if schema, err = dataset.ReadSchema(raw); err != nil {
		return nil, bad, nil //nolint:nilerr // the author's mistake, told by the rule about schemas
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
