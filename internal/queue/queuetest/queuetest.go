// Package queuetest is what every queue.Queue must do, as tests.
//
// A case drives each run by hand: it waits for a run to start and says how it
// ends. So nothing depends on speed, and "this ran once" is shown by what runs
// next, not by waiting that nothing happens.
package queuetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Queue is what is tested.
type Queue interface {
	queue.Queue
	queue.DeadLetters
}

// Make opens an empty queue; the suite closes it.
type Make func(t *testing.T, o queue.Options) Queue

// Run runs the suite in real time, for queues that talk to a server.
func Run(t *testing.T, open Make) { run(t, open, func(t *testing.T, f func(*testing.T)) { f(t) }) }

// RunInBubble runs the suite in the time of testing/synctest.
func RunInBubble(t *testing.T, open Make) { run(t, open, synctest.Test) }

// patience is how long a case waits for what must come. It decides nothing
// but how soon a broken queue is told so.
const patience = 30 * time.Second

func run(t *testing.T, open Make, in func(*testing.T, func(*testing.T))) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				o := queue.Options{Workers: c.workers, MaxFailures: 3, FirstRetry: 20 * time.Millisecond, LastRetry: 50 * time.Millisecond}
				q := open(t, o)
				t.Cleanup(func() { assert.NoError(t, q.Close()) })
				c.test(t, &driver{Queue: q, t: t, started: make(chan *Look)})
			})
		})
	}
}

// Look is one run of a key, which ends when the case says so.
type Look struct {
	queue.Key
	Ctx      context.Context
	Payloads []string
	At       time.Time
	end      chan func() error
}

// Ends lets the run return err.
func (r *Look) Ends(err error) { r.end <- func() error { return err } }

// Panics lets the run panic.
func (r *Look) Panics(v any) { r.end <- func() error { panic(v) } }

type driver struct {
	Queue
	t       *testing.T
	started chan *Look
	stopped chan error
	stop    context.CancelFunc
}

// start lets the queue run until the test's end.
func (d *driver) start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	d.stopped = make(chan error, 1)
	over := make(chan struct{})
	go func() {
		d.stopped <- d.Run(ctx, func(ctx context.Context, k queue.Key) error {
			r := &Look{Key: k, Ctx: ctx, At: time.Now(), end: make(chan func() error, 1)}
			for _, p := range queue.Payloads(ctx) {
				r.Payloads = append(r.Payloads, string(p))
			}
			select {
			case d.started <- r:
			case <-over:
				return nil
			}
			select {
			case f := <-r.end:
				return f()
			case <-over:
				return nil
			}
		})
		close(d.stopped)
	}()
	d.t.Cleanup(func() {
		cancel()
		close(over)
		select {
		case err := <-d.stopped: // nil too when a case has read it
			assert.NoError(d.t, err)
		case <-time.After(patience):
			d.t.Error("Run did not return")
		}
	})
}

func (d *driver) add(k queue.Key, o queue.AddOptions) {
	d.t.Helper()
	require.NoError(d.t, d.Add(d.t.Context(), k, o))
}

// next waits for the next run to start.
func (d *driver) next() *Look {
	d.t.Helper()
	select {
	case r := <-d.started:
		return r
	case <-time.After(patience):
		require.FailNow(d.t, "no run started")
		return nil
	}
}

// nextIs waits for the next run and holds that it is of this key.
func (d *driver) nextIs(k queue.Key) *Look {
	d.t.Helper()
	r := d.next()
	require.Equal(d.t, k, r.Key)
	return r
}

// eventually waits until the queue shows something.
func (d *driver) eventually(what string, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		require.True(d.t, time.Now().Before(end), what)
	}
}

func (d *driver) dead() []queue.Letter {
	d.t.Helper()
	letters, err := d.Dead(d.t.Context())
	require.NoError(d.t, err)
	return letters
}

func pr(repository int64, number string) queue.Key {
	return queue.Key{Installation: 7, Repository: repository, Kind: queue.KindPullRequest, ID: number}
}
