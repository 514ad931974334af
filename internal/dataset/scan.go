// Package dataset checks a Stage 05_02 export, one JSON record a line, in one
// streaming pass: hash, structure, schema, locale, personal data, repeats and
// the averages of the dry run.
//
// It tells facts and gives no verdict: limits, waivers and time are applied by
// the judge. It does no I/O beyond the reader that it is given, uses a fixed
// amount of memory at any size (the table of repeats apart), and no byte of a
// value ever leaves it: a finding holds places, lengths, names of the schema
// and counts.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Scan reads a dataset to its end. A wrong dataset is findings; an error means
// that the reader failed.
func Scan(r io.Reader, o Options) (Facts, error) {
	o = o.withDefaults()
	s := newScan(&o, r)
	if err := s.run(); err != nil {
		return Facts{}, err
	}
	return s.facts(), nil
}

// scan is one run. Each worker reads a block, inspects it and hands it in, so that
// its bytes stay in one processor's cache, and one of them hashes what was read
// meanwhile. Reading and hashing go in the order of the stream, inspecting in any;
// what was found is added up in order again.
type scan struct {
	o       *Options
	workers []*inspector

	reading sync.Mutex // for the next four
	cutter  cutter
	taken   int // blocks so far
	ended   bool
	readErr error

	toHash  chan *block
	hashing sync.Mutex // for sum
	sum     hash.Hash

	adding sync.Mutex // for the next four
	early  []*block   // handed in before one that precedes them, by number modulo their count
	added  int        // blocks so far
	report report
	bytes  int64

	full     [4]atomic.Bool
	panicked atomic.Pointer[PanicError] // the first one ends the scan
}

// ownBlocks has each of several workers, so that one which takes long does not stop
// the others at once.
const ownBlocks = 3

// PanicError is a panic of the scan or of its reader, in whichever goroutine. The
// panic's value, which could hold a dataset's bytes, is dropped; the stack holds
// addresses.
type PanicError struct{ Stack []byte }

func (*PanicError) Error() string { return "the scanner panicked" }

// guard runs a step; a panic is kept as the scan's error, and the goroutine goes
// on, so that those who wait for it do not wait for ever.
func (s *scan) guard(step func()) {
	defer func() {
		if recover() != nil {
			s.panicked.CompareAndSwap(nil, &PanicError{debug.Stack()})
		}
	}()
	step()
}

func newScan(o *Options, r io.Reader) *scan {
	s := &scan{o: o, sum: sha256.New(), cutter: cutter{r: r}}
	n := o.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	blocks := 1
	if n > 1 {
		blocks = ownBlocks
	}
	for range n {
		in := &inspector{o: o, full: &s.full}
		in.w.v = in
		in.w.bare = o.Without.Records
		s.workers = append(s.workers, in)
	}
	s.early, s.toHash = make([]*block, n*blocks), make(chan *block, n*blocks)
	s.report.init(o, &s.full)
	return s
}

func (s *scan) run() error {
	var all sync.WaitGroup
	for _, in := range s.workers {
		all.Go(func() {
			own := make(chan *block, len(s.early)/len(s.workers))
			for range cap(own) {
				own <- &block{home: own}
			}
			for b := range own {
				if !s.read(b) {
					return
				}
				s.hash()
				s.guard(func() { in.block(b) })
				s.hand(b)
			}
		})
	}
	all.Wait()
	if err := s.panicked.Load(); err != nil {
		return err
	}
	return s.readErr
}

// read takes the next block of the stream; false: there is none.
func (s *scan) read(b *block) bool {
	s.reading.Lock()
	defer s.reading.Unlock()
	if !s.ended {
		s.guard(func() { s.readErr = s.cutter.next(b) })
	}
	if s.ended || s.readErr != nil || s.panicked.Load() != nil {
		s.ended = true
		return false
	}
	b.number, s.ended = s.taken, b.ends
	s.taken++
	b.due.Store(2)
	s.toHash <- b
	return true
}

// hash hashes what was read, unless another worker does: that one goes on with
// what this one has read.
func (s *scan) hash() {
	for len(s.toHash) > 0 && s.hashing.TryLock() {
		for len(s.toHash) > 0 {
			b := <-s.toHash
			if !s.o.Without.Hash {
				s.sum.Write(b.buf[b.hashFrom:])
			}
			s.hand(b)
		}
		s.hashing.Unlock()
	}
}

// hand takes a block that was hashed or inspected. When both are done it is added
// up in its turn, and its worker has it again.
func (s *scan) hand(b *block) {
	if b.due.Add(-1) > 0 {
		return
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	s.early[b.number%len(s.early)] = b
	for {
		next := &s.early[s.added%len(s.early)]
		if b = *next; b == nil {
			return
		}
		*next = nil
		s.added++
		if s.panicked.Load() == nil {
			s.guard(func() { s.add(b) })
		}
		b.home <- b
	}
}

// add takes what the scan of a block gave.
func (s *scan) add(b *block) {
	s.report.add(b)
	s.bytes = b.done
	if s.o.Progress != nil {
		s.o.Progress(b.done)
	}
}

func (s *scan) facts() Facts {
	var total [len(MetricNames)]series
	for _, in := range s.workers {
		for i := range total {
			total[i].merge(&in.series[i])
		}
	}
	f := s.report.facts()
	f.Bytes = s.bytes
	f.ScannerVersion = ScannerVersion
	if !s.o.Without.Hash {
		f.SHA256 = hex.EncodeToString(s.sum.Sum(nil))
	}
	for i, name := range MetricNames {
		f.Metrics = append(f.Metrics, total[i].metric(name))
	}
	return f
}
