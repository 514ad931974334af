package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// The sweep does what an event would have done, had it come. Its two halves
// need each other: failed deliveries come again within minutes, and what GitHub
// never tried to deliver is found by looking at everything.
const (
	// redeliverEvery is how often failed deliveries are asked for again.
	redeliverEvery = 5 * time.Minute
	// settling is how young an attempt may be and still be under way: GitHub
	// gives up after 10 s and lists what it gave up a little later.
	settling = time.Minute
	// longestPatience is the longest wait between two attempts of one event
	// that we refuse each time; it doubles up to that.
	longestPatience = 6 * time.Hour
	// redeliveredAtOnce bounds one sweep. GitHub allows an App 5,000 requests
	// an hour of its own; the rest comes with the next sweep.
	redeliveredAtOnce = 300
	cursorName        = "deliveries"
)

// sweep runs both halves, each at the start and then now and then.
func (s *Server) sweep(ctx context.Context) error {
	again := &redeliveries{
		github: s.github, cursor: cursorOf(s.queue), window: s.github.DeliveriesKept(), now: s.options.Now, healed: s.counts.healed.Inc,
	}
	if again.now == nil {
		again.now = time.Now
	}
	group, ctx := errgroup.WithContext(ctx)
	each := func(d time.Duration, do func(context.Context)) {
		group.Go(func() error {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for {
				do(ctx)
				select {
				case <-ctx.Done():
					return nil
				case <-tick.C:
				}
			}
		})
	}
	each(redeliverEvery, func(ctx context.Context) {
		if n, err := again.sweep(ctx); err != nil && ctx.Err() == nil {
			s.options.Log.Warn().Err(err).Msg("ask for failed deliveries")
		} else if n > 0 {
			s.options.Log.Warn().Int("deliveries", n).Msg("failed deliveries asked for again")
		}
	})
	each(s.config.Sweep, s.sweepInstallations)
	return group.Wait()
}

// sweepInstallations adds a key for everything that each installation sees.
func (s *Server) sweepInstallations(ctx context.Context) {
	ids, err := s.github.Installations(ctx)
	if err != nil && ctx.Err() == nil {
		s.options.Log.Warn().Err(err).Msg("list installations")
	}
	for _, id := range ids {
		err := s.queue.Add(ctx, queue.Key{Installation: id, Kind: queue.KindInstallation}, queue.AddOptions{})
		if err != nil && ctx.Err() == nil {
			s.options.Log.Warn().Err(err).Int64("installation", id).Msg("sweep")
		}
	}
}

// deliveries is the part of GitHub that redeliveries need.
type deliveries interface {
	Deliveries(ctx context.Context, since time.Time) ([]gh.Delivery, error)
	Redeliver(ctx context.Context, id int64) error
}

// cursor keeps a small value over restarts and for all replicas, written by
// compare-and-set. Its errors are durable's.
type cursor interface {
	Get(ctx context.Context, name string) ([]byte, uint64, error)
	Put(ctx context.Context, name string, value []byte, revision uint64) (uint64, error)
}

// cursorOf is the queue's own, or one as mortal as the queue in memory.
func cursorOf(q queue.Queue) cursor {
	if q, ok := q.(*durable.Queue); ok {
		return q.Cursor()
	}
	return &mortalCursor{}
}

type mortalCursor struct {
	mu       sync.Mutex
	value    []byte
	revision uint64
}

func (c *mortalCursor) Get(context.Context, string) ([]byte, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revision == 0 {
		return nil, 0, durable.ErrNotFound
	}
	return c.value, c.revision, nil
}

func (c *mortalCursor) Put(_ context.Context, _ string, value []byte, revision uint64) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if revision != c.revision {
		return 0, durable.ErrChanged
	}
	c.value = value
	c.revision++
	return c.revision, nil
}

// redeliveries asks GitHub again for events that no attempt brought to us.
// GitHub does not do that by itself.
type redeliveries struct {
	github deliveries
	cursor cursor
	window time.Duration // for which GitHub keeps deliveries
	now    func() time.Time
	healed func()
}

// progress is what the cursor holds.
type progress struct {
	// From: every event with a first attempt before it has arrived, or is older
	// than GitHub remembers.
	From time.Time `json:"from"`
	// Swept is when a replica began its sweep; the others then leave it alone.
	Swept time.Time `json:"swept"`
}

// sweep is one pass; it answers how many events it asked for.
func (r *redeliveries) sweep(ctx context.Context) (int, error) {
	now := r.now()
	p, revision, err := r.load(ctx)
	if err != nil {
		return 0, err
	}
	if d := now.Sub(p.Swept); d >= 0 && d < redeliverEvery/2 {
		return 0, nil // another replica's turn
	}
	p.Swept = now
	if revision, err = r.save(ctx, p, revision); err != nil {
		if errors.Is(err, durable.ErrChanged) {
			return 0, nil // another replica was quicker
		}
		return 0, err
	}
	since := p.From
	if oldest := now.Add(-r.window); since.Before(oldest) {
		since = oldest
	}
	listed, cut := r.github.Deliveries(ctx, since)
	if cut != nil && !errors.Is(cut, gh.ErrManyDeliveries) {
		return 0, fmt.Errorf("list deliveries: %w", cut)
	}
	asked, from, err := r.ask(ctx, now, listed)
	if cut != nil {
		return asked, errors.Join(cut, err) // the cursor stays: what is missing is old
	}
	p.From = from
	if _, bad := r.save(ctx, p, revision); bad != nil && !errors.Is(bad, durable.ErrChanged) {
		err = errors.Join(err, bad)
	}
	return asked, err
}

// ask redelivers what is due, the oldest first, and answers from when the next
// sweep has to look.
func (r *redeliveries) ask(ctx context.Context, now time.Time, listed []gh.Delivery) (asked int, from time.Time, err error) {
	from = now.Add(-2 * settling)
	for _, e := range failed(listed) {
		if e.first.Before(from) {
			from = e.first
		}
		if !e.due(now) || asked == redeliveredAtOnce {
			continue
		}
		if bad := r.github.Redeliver(ctx, e.last.ID); bad != nil {
			err = errors.Join(err, fmt.Errorf("redeliver %d: %w", e.last.ID, bad))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		asked++
		r.healed()
	}
	return asked, from, err
}

// event is one GUID without a successful attempt.
type event struct {
	first    time.Time
	last     gh.Delivery
	attempts int
}

// due waits for an attempt that may be under way, and longer after each one
// that failed: we may be refusing it for good.
func (e event) due(now time.Time) bool {
	patience := settling
	if e.attempts > 1 {
		patience = min(longestPatience, redeliverEvery<<min(e.attempts-2, 16))
	}
	return !now.Before(e.last.At.Add(patience))
}

// failed groups attempts by GUID and keeps the events that none of them brought.
func failed(listed []gh.Delivery) []event {
	byGUID := map[string]*event{}
	arrived := map[string]bool{}
	for _, d := range listed {
		arrived[d.GUID] = arrived[d.GUID] || d.Succeeded()
		e := byGUID[d.GUID]
		if e == nil {
			e = &event{first: d.At, last: d}
			byGUID[d.GUID] = e
		}
		e.attempts++
		if d.At.Before(e.first) {
			e.first = d.At
		}
		if d.At.After(e.last.At) || d.At.Equal(e.last.At) && d.ID > e.last.ID {
			e.last = d
		}
	}
	var out []event
	for guid, e := range byGUID {
		if !arrived[guid] {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b event) int {
		if c := a.first.Compare(b.first); c != 0 {
			return c
		}
		return int(a.last.ID - b.last.ID)
	})
	return out
}

func (r *redeliveries) load(ctx context.Context) (progress, uint64, error) {
	var p progress
	raw, revision, err := r.cursor.Get(ctx, cursorName)
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return p, 0, nil
	case err != nil:
		return p, 0, fmt.Errorf("read the sweep's cursor: %w", err)
	}
	if json.Unmarshal(raw, &p) != nil {
		return progress{}, revision, nil //nolint:nilerr // not ours: begin with all that GitHub keeps
	}
	return p, revision, nil
}

func (r *redeliveries) save(ctx context.Context, p progress, revision uint64) (uint64, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	revision, err = r.cursor.Put(ctx, cursorName, raw, revision)
	if err != nil {
		return 0, fmt.Errorf("write the sweep's cursor: %w", err)
	}
	return revision, nil
}
