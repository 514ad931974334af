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
	s := newScan(&o)
	err := s.run(r)
	if err != nil {
		return Facts{}, err
	}
	return s.facts(), nil
}

// scan is one run: a goroutine cuts the stream into blocks, one hashes them in
// order, some inspect them in any order, and the caller's adds the results up
// in order. A block goes back to the cutter when it is hashed and added up.
type scan struct {
	o       *Options
	sum     hash.Hash
	workers []*inspector
	full    [4]atomic.Bool
	report  report
	bytes   int64

	panicked atomic.Pointer[PanicError] // the first one ends the scan
}

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

func newScan(o *Options) *scan {
	s := &scan{o: o, sum: sha256.New()}
	n := o.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	for range n {
		in := &inspector{o: o, full: &s.full}
		in.w.v = in
		in.w.bare = o.Without.Records
		s.workers = append(s.workers, in)
	}
	s.report.init(o, &s.full)
	return s
}

func (s *scan) run(r io.Reader) error {
	// Where those who read, hash and scan share processors, each is ahead in turn: with
	// fewer blocks they wait for each other. One alone is best off with what fits its cache.
	ring := len(s.workers) + 3
	if len(s.workers) > 1 {
		ring += 7
	}
	free := make(chan *block, ring)
	for range ring {
		free <- newBlock()
	}
	order := make(chan *block, ring)
	toHash := make(chan *block, ring)
	toScan := make(chan *block, ring)
	stop := make(chan struct{})

	var readErr error
	var all sync.WaitGroup
	all.Go(func() {
		defer close(order)
		defer close(toHash)
		defer close(toScan)
		c := cutter{r: r}
		var last *block // keeps the carried bytes until they are copied
		for {
			var b *block
			select {
			case b = <-free:
			case <-stop:
				return
			}
			s.guard(func() { readErr = c.next(b) })
			if readErr != nil || s.panicked.Load() != nil {
				return
			}
			if last != nil {
				toHash <- last
				toScan <- last
				order <- last
			}
			if last = b; b.ends {
				toHash <- b
				toScan <- b
				order <- b
				return
			}
		}
	})
	all.Go(func() {
		for b := range toHash {
			if !s.o.Without.Hash {
				s.sum.Write(b.buf[b.hashFrom:])
			}
			b.hashed <- struct{}{}
		}
	})
	for _, in := range s.workers {
		all.Go(func() {
			for b := range toScan {
				s.guard(func() { in.block(b) })
				b.scanned <- struct{}{}
			}
		})
	}
	for b := range order {
		<-b.scanned
		<-b.hashed
		if s.panicked.Load() == nil {
			s.guard(func() { s.add(b) })
		}
		free <- b
	}
	close(stop)
	all.Wait()
	if err := s.panicked.Load(); err != nil {
		return err
	}
	return readErr
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
