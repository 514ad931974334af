package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue/fair"
)

// maxMemoryKeys caps the keys of a Memory: about 50 MB.
const maxMemoryKeys = 100_000

// Memory is a Queue of one process; nothing of it outlives the process. It
// keeps every other promise of the interface.
type Memory struct {
	o    Options
	stop context.CancelFunc // ends Run at Close
	done context.Context    // done when closed
	wake chan struct{}      // tells Run's loop that a lane has got a key

	mu        sync.Mutex
	keys      map[Key]*entry
	urgent    fair.Turns[repository, Key]
	normal    fair.Turns[repository, Key]
	turn      int
	dead      map[Key]Letter
	running   int
	coalesced uint64
}

// repository is the group among which turns are taken.
type repository struct{ installation, repository int64 }

// entry is all that is known of a key. It is dropped when nothing holds it.
type entry struct {
	waiting bool // in a lane
	urgent  bool // in the urgent lane; an item of the normal one is then void
	since   time.Time

	running     bool
	again       bool // added while it ran
	againUrgent bool

	retry   *time.Timer // backoff after a failure
	later   *time.Timer // NotBefore
	laterAt time.Time

	failures   int // of ours, in a row
	transients int // in a row
	payloads   []payload
	taken      int // payloads ever
}

type payload struct {
	sum  [sha256.Size]byte
	data []byte
	n    int // of the Add; one that comes again during a run outlives the run
}

var _ interface {
	Queue
	DeadLetters
} = (*Memory)(nil)

// NewMemory makes an empty queue.
func NewMemory(o Options) *Memory {
	m := &Memory{
		o:    o.WithDefaults(),
		wake: make(chan struct{}, 1),
		keys: make(map[Key]*entry),
		dead: make(map[Key]Letter),
	}
	m.done, m.stop = context.WithCancel(context.Background())
	return m
}

// Add implements Queue.
func (m *Memory) Add(ctx context.Context, k Key, o AddOptions) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := k.Validate(); err != nil {
		return err
	}
	if len(o.Payload) > MaxPayload {
		return ErrTooLarge
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done.Err() != nil {
		return ErrClosed
	}
	e := m.keys[k]
	if e == nil {
		if len(m.keys) >= maxMemoryKeys {
			return ErrFull
		}
		e = &entry{}
		m.keys[k] = e
	}
	if err := e.take(o.Payload); err != nil {
		return err
	}
	if wait := time.Until(o.NotBefore); !o.NotBefore.IsZero() && wait > 0 {
		m.schedule(k, e, o.NotBefore, wait)
		return nil
	}
	m.ready(k, e, o.Urgent)
	return nil
}

func (e *entry) take(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	e.taken++
	p := payload{sum: sha256.Sum256(data), data: slices.Clone(data), n: e.taken}
	old := slices.IndexFunc(e.payloads, func(q payload) bool { return q.sum == p.sum })
	switch {
	case old >= 0:
		e.payloads = slices.Delete(e.payloads, old, old+1)
	case len(e.payloads) >= MaxPayloads:
		return ErrTooMany
	}
	e.payloads = append(e.payloads, p)
	return nil
}

// schedule keeps the earlier of two moments.
func (m *Memory) schedule(k Key, e *entry, at time.Time, wait time.Duration) {
	if e.later != nil {
		m.countCoalesced()
		if !at.Before(e.laterAt) {
			return
		}
		e.later.Stop()
	}
	e.laterAt = at
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if e.later != t { // stopped too late: an earlier moment took over
			return
		}
		e.later = nil
		m.ready(k, e, false)
	})
	e.later = t
}

// ready puts a key into a lane, or notes that it must run once more.
func (m *Memory) ready(k Key, e *entry, urgent bool) {
	switch {
	case m.done.Err() != nil:
		return
	case e.running:
		if e.again {
			m.countCoalesced()
		}
		e.again = true
		e.againUrgent = e.againUrgent || urgent
		return
	case e.waiting:
		m.countCoalesced()
		if !urgent || e.urgent {
			return
		}
	default:
		if e.retry != nil {
			m.countCoalesced()
			e.retry.Stop()
			e.retry = nil
		} else {
			e.since = time.Now()
		}
	}
	e.waiting, e.urgent = true, urgent
	lane := &m.normal
	if urgent {
		lane = &m.urgent
	}
	lane.Push(repository{k.Installation, k.Repository}, k)
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Memory) countCoalesced() {
	m.coalesced++
	m.o.Metrics.Coalesced()
}

// sharedTurns is how many urgent keys go before one that is not: people first,
// but a sweep must end too.
const sharedTurns = 8

// next takes the key whose turn it is and marks it running.
func (m *Memory) next() (Key, *entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.urgent.Len()+m.normal.Len() > 0 {
		m.turn++
		fromUrgent := m.urgent.Len() > 0 && (m.turn%sharedTurns != 0 || m.normal.Len() == 0)
		lane := &m.normal
		if fromUrgent {
			lane = &m.urgent
		}
		k, _ := lane.Pop()
		e := m.keys[k]
		if e == nil || !e.waiting || e.urgent != fromUrgent {
			continue // it became urgent, and has run or will from there
		}
		e.waiting, e.running = false, true
		m.running++
		return k, e, true
	}
	return Key{}, nil, false
}

// Run implements Queue.
func (m *Memory) Run(ctx context.Context, work func(context.Context, Key) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.done, cancel)()

	// Work outlives ctx by the drain, to end what it began.
	workCtx, interrupt := context.WithCancel(context.WithoutCancel(ctx))
	defer interrupt()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(m.o.Drain, interrupt)
		context.AfterFunc(workCtx, func() { t.Stop() })
	})()

	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, m.o.Workers)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		k, e, ok := m.next()
		for !ok {
			select {
			case <-m.wake:
			case <-ctx.Done():
				return nil
			}
			k, e, ok = m.next()
		}
		running.Go(func() {
			m.attempt(workCtx, work, k, e)
			<-slots
		})
	}
}

func (m *Memory) attempt(ctx context.Context, work func(context.Context, Key) error, k Key, e *entry) {
	m.mu.Lock()
	given := slices.Clone(e.payloads)
	m.mu.Unlock()
	data := make([][]byte, len(given))
	for i, p := range given {
		data[i] = slices.Clone(p.data)
	}

	start := time.Now()
	class, retryAfter, err := Attempt(WithPayloads(ctx, data), work, k)
	m.o.Metrics.Ran(k, class, time.Since(start))

	m.mu.Lock()
	defer m.mu.Unlock()
	e.running = false
	m.running--
	switch class {
	case ClassDone:
		e.failures, e.transients = 0, 0
		e.drop(given)
		delete(m.dead, k) // whatever it died of, it is well now
	case ClassGone:
		e.failures, e.transients = 0, 0
		e.drop(given)
		if e.later != nil {
			e.later.Stop()
			e.later = nil
		}
	case ClassTransient:
		e.transients++
		if retryAfter == 0 {
			retryAfter = m.o.Backoff(e.transients)
		}
		m.retry(k, e, retryAfter)
	case ClassInterrupted:
		e.again = true
	default:
		e.failures++
		if e.failures < m.o.MaxFailures {
			m.retry(k, e, m.o.Backoff(e.failures))
			break
		}
		m.dead[k] = Letter{Key: k, At: time.Now(), Failures: e.failures, Reason: Reason(err)}
		m.o.Metrics.Died(k)
		e.failures, e.transients = 0, 0
	}
	if e.again {
		urgent := e.againUrgent
		e.again, e.againUrgent = false, false
		m.ready(k, e, urgent)
	}
	m.forget(k, e)
}

func (e *entry) drop(given []payload) {
	e.payloads = slices.DeleteFunc(e.payloads, func(p payload) bool {
		return slices.ContainsFunc(given, func(g payload) bool { return g.n == p.n })
	})
}

func (m *Memory) retry(k Key, e *entry, wait time.Duration) {
	e.since = time.Now()
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if e.retry != t { // a fresh Add took over
			return
		}
		m.ready(k, e, false)
	})
	e.retry = t
}

// forget drops an entry that nothing holds.
func (m *Memory) forget(k Key, e *entry) {
	if !e.waiting && !e.running && e.retry == nil && e.later == nil && e.failures == 0 && len(e.payloads) == 0 {
		delete(m.keys, k)
	}
}

// Stats implements Queue.
func (m *Memory) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Stats{Running: m.running, Dead: len(m.dead), Coalesced: m.coalesced}
	for _, e := range m.keys {
		if e.waiting || e.retry != nil || e.again {
			s.Waiting++
		}
		if e.waiting || e.retry != nil {
			s.Oldest = max(s.Oldest, time.Since(e.since))
		}
		if e.later != nil {
			s.Delayed++
		}
	}
	return s
}

// Due counts the keys whose moment comes within d.
func (m *Memory) Due(d time.Duration) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, e := range m.keys {
		if e.later != nil && time.Until(e.laterAt) <= d {
			n++
		}
	}
	return n
}

// Close implements Queue. It ends a Run, but does not wait for it.
func (m *Memory) Close() error {
	m.stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.keys {
		if e.later != nil {
			e.later.Stop()
		}
		if e.retry != nil {
			e.retry.Stop()
		}
	}
	return nil
}

// Dead implements DeadLetters.
func (m *Memory) Dead(context.Context) ([]Letter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	letters := make([]Letter, 0, len(m.dead))
	for _, l := range m.dead {
		letters = append(letters, l)
	}
	slices.SortFunc(letters, func(a, b Letter) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key.String(), b.Key.String()))
	})
	return letters, nil
}

// Waiting implements DeadLetters.
func (m *Memory) Waiting(_ context.Context, limit int) ([]Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []Key
	for k, e := range m.keys {
		if e.waiting || e.retry != nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(m.keys[a].since.Compare(m.keys[b].since), cmp.Compare(a.String(), b.String()))
	})
	return keys[:min(limit, len(keys))], nil
}

// Requeue implements DeadLetters.
func (m *Memory) Requeue(ctx context.Context, k Key) error {
	m.mu.Lock()
	_, dead := m.dead[k]
	m.mu.Unlock()
	if !dead {
		return ErrNotDead
	}
	if err := m.Add(ctx, k, AddOptions{Urgent: true}); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.dead, k)
	return nil
}
