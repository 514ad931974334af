package durable

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// lease is the right to work on a key. It ends when it is not renewed for the
// bucket's TTL, which the engine measures.
type lease struct {
	q        *Queue
	name     string
	revision atomic.Uint64
	renewed  atomic.Pointer[time.Time]
}

// errBusy says that another process has the key.
var errBusy = errors.New("another process has the key")

func (q *Queue) acquire(ctx context.Context, k queue.Key) (*lease, error) {
	l := &lease{q: q, name: k.String()}
	now := time.Now() // before the request: the lease is never older than we think
	revision, err := q.shaped().lease.put(ctx, l.name, []byte(q.owner), 0)
	if errors.Is(err, ErrChanged) {
		return nil, errBusy
	}
	if err != nil {
		return nil, fmt.Errorf("lease key: %w", err)
	}
	l.revision.Store(revision)
	l.renewed.Store(&now)
	return l, nil
}

// renew fails for good when somebody else has written, or nobody is sure.
func (l *lease) renew(ctx context.Context) error {
	now := time.Now()
	revision, err := l.q.shaped().lease.put(ctx, l.name, []byte(l.q.owner), l.revision.Load())
	if err != nil {
		return err
	}
	l.revision.Store(revision)
	l.renewed.Store(&now)
	return nil
}

// age is by the clock that goes on, whichever that is: one stands still while
// a machine sleeps, the other can be set.
func (l *lease) age() time.Duration {
	at := *l.renewed.Load()
	return max(time.Since(at), time.Now().Round(0).Sub(at.Round(0)))
}

// young is half of what the engine grants: room for the write that follows.
func (l *lease) young() bool { return l.age() < l.q.o.Lease/2 }

// check implements queue.CheckLease.
func (l *lease) check(ctx context.Context) error {
	if l.young() {
		return nil
	}
	_, revision, err := l.q.shaped().lease.get(ctx, l.name)
	switch {
	case err == nil && revision == l.revision.Load():
		return nil
	case err == nil, errors.Is(err, ErrNotFound):
		return queue.ErrLeaseLost
	default:
		return fmt.Errorf("check lease: %w", err)
	}
}

// keep renews until ctx is done, and calls lost once when it cannot.
func (l *lease) keep(ctx context.Context, lost func()) {
	tick := time.NewTicker(l.q.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		attempt, cancel := context.WithTimeout(ctx, l.q.o.Lease/3)
		err := l.renew(attempt)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrChanged) || l.age() > l.q.o.Lease {
			lost()
			return
		}
	}
}

func (l *lease) release(ctx context.Context) error {
	return l.q.shaped().lease.drop(ctx, l.revision.Load())
}
