package durable

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/pilotgate/pilotgate/internal/queue"
)

const (
	canaryEach = 5 * time.Second
	// canaryFailures in a row are an engine that is down, not a slow disk.
	canaryFailures = 3
	spaceEach      = time.Second
)

// health knows whether an Add would be kept.
type health struct {
	mu       sync.Mutex
	err      error
	checked  time.Time
	failures int
	restarts time.Time

	spaceAt  atomic.Int64 // unix nanoseconds of the last look
	spaceLow atomic.Bool
}

// space refuses while the disk is nearly full, at the price of one system call
// a second.
func (h *health) space(q *Queue) error {
	if q.engine == nil {
		return nil
	}
	now := time.Now().UnixNano()
	if last := h.spaceAt.Load(); now-last > int64(spaceEach) && h.spaceAt.CompareAndSwap(last, now) {
		left, err := free(q.o.Store)
		h.spaceLow.Store(err != nil || left < q.o.Floor)
	}
	if h.spaceLow.Load() {
		return fmt.Errorf("%w: less than %d MiB free", queue.ErrFull, q.o.Floor>>20)
	}
	return nil
}

// Ready tells why the queue would not keep what is added now, or nil.
func (q *Queue) Ready(ctx context.Context) error {
	if q.done.Err() != nil {
		return queue.ErrClosed
	}
	if err := q.health.space(q); err != nil {
		return err
	}
	q.health.mu.Lock()
	err, fresh := q.health.err, time.Since(q.health.checked) < 2*canaryEach
	q.health.mu.Unlock()
	if fresh {
		return err
	}
	return q.canary(ctx)
}

// canary writes to each stream that is kept on disk, because a full disk stops
// each by itself, and asks the cluster for its leader.
func (q *Queue) canary(ctx context.Context) error {
	if err := q.health.space(q); err != nil {
		return err
	}
	if _, err := q.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("ask for the queue's leader: %w", err)
	}
	shape := q.shaped()
	for _, c := range []struct {
		stream jetstream.Stream
		prefix string
	}{
		{shape.work, "wq."},
		{shape.inbox, "in."},
		{shape.dlq, "dlq."},
		{shape.fails.stream, shape.fails.prefix},
		{shape.cursor.stream, shape.cursor.prefix},
	} {
		// A name for each process: replicas do not write over each other's.
		ack, err := q.js.Publish(ctx, c.prefix+canaryToken+q.owner, nil)
		if err == nil {
			err = remove(ctx, c.stream, ack.Sequence)
		}
		if err != nil {
			return fmt.Errorf("write to the queue's stream of %s: %w", c.prefix, err)
		}
	}
	return nil
}

// canaryToken stands where a key has its lane or installation; it is neither.
const canaryToken = "canary."

// watch keeps the canary singing, and restarts an embedded engine whose canary
// is dead although there is space.
func (q *Queue) watch() {
	tick := time.NewTicker(canaryEach)
	defer tick.Stop()
	for {
		ctx, cancel := q.background()
		err := q.canary(ctx)
		cancel()
		if q.done.Err() != nil {
			return
		}
		if q.health.note(err) && q.engine != nil && !errors.Is(err, queue.ErrFull) {
			q.o.Report(fmt.Errorf("queue engine is restarted: %w", err))
			// The client comes back by itself, and then makes the shape again.
			if err := q.engine.restart(); err != nil {
				q.o.Report(err)
			}
		}
		select {
		case <-tick.C:
		case <-q.done.Done():
			return
		}
	}
}

// note keeps the canary's answer and tells whether a restart is due.
func (h *health) note(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.checked = err, time.Now()
	if err == nil {
		h.failures = 0
		return false
	}
	h.failures++
	if h.failures < canaryFailures || time.Since(h.restarts) < restartEach {
		return false
	}
	h.restarts = time.Now()
	return true
}

// statsCache keeps Stats for a second: a scrape reads each figure by itself.
type statsCache struct {
	mu sync.Mutex
	at time.Time
	s  queue.Stats
}

// Stats implements queue.Queue. While the engine does not answer it repeats
// what it last said.
func (q *Queue) Stats() queue.Stats {
	c := &q.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > time.Second {
		ctx, cancel := q.background()
		defer cancel()
		if s, err := q.readStats(ctx); err == nil {
			c.s, c.at = s, time.Now()
		}
	}
	s := c.s
	s.Running = q.hand.runs()
	s.Coalesced = q.coalesced.Load()
	return s
}

func (q *Queue) readStats(ctx context.Context) (queue.Stats, error) {
	var s queue.Stats
	shape := q.shaped()
	work, err := shape.work.Info(ctx)
	if err != nil {
		return s, err
	}
	moments, err := shape.lanes[later].Info(ctx)
	if err != nil {
		return s, err
	}
	dlq, err := shape.dlq.Info(ctx)
	if err != nil {
		return s, err
	}
	s.Delayed = int(moments.NumPending) + moments.NumAckPending
	s.Waiting = max(0, int(work.State.Msgs)-s.Delayed-q.hand.runs())
	s.Dead = int(dlq.State.Msgs)
	q.dead.Store(int64(s.Dead))
	for _, l := range runnable {
		m, err := shape.work.GetMsg(ctx, 1, jetstream.WithGetMsgSubject("wq."+string(l)+".>"))
		if err == nil {
			s.Oldest = max(s.Oldest, time.Since(m.Time))
		}
	}
	return s, nil
}
