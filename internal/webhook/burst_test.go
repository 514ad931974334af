package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

// looks is a queue at work: when each pull request was looked at.
type looks map[string][]time.Time

// told delivers events of pull requests to each of some replicas in turn, which
// share a queue, until all is quiet.
func told(t *testing.T, replicas int, events func(tell func(pull int))) looks {
	t.Helper()
	q := queue.NewMemory(queue.Options{Workers: 1000})
	seen := make(chan looks)
	ctx, stop := context.WithCancel(t.Context())
	starts := make(chan queue.Key, 1000)
	go func() {
		got := looks{}
		for k := range starts {
			got[k.ID] = append(got[k.ID], time.Now())
		}
		seen <- got
	}()
	go func() {
		assert.NoError(t, q.Run(ctx, func(_ context.Context, k queue.Key) error {
			starts <- k
			time.Sleep(250 * time.Millisecond) // what a look takes
			return nil
		}))
		close(starts)
	}()
	var intakes []*webhook.Intake
	for range replicas {
		intakes = append(intakes, intake(t, q, secret))
	}
	next := 0
	events(func(pull int) {
		r := delivery(fmt.Appendf(nil, `{"action":"opened","installation":{"id":7},"repository":{"id":22},"pull_request":{"number":%d},"sender":{"id":5}}`, pull))
		w := httptest.NewRecorder()
		intakes[next%replicas].ServeHTTP(w, r)
		require.Equal(t, http.StatusAccepted, w.Code)
		next++
	})
	time.Sleep(time.Minute)
	stop()
	got := <-seen
	require.NoError(t, q.Close())
	return got
}

// In a burst a pull request is looked at when its first event comes, then in
// turns, and once after its last event, whichever replica heard of it.
func TestInABurstKeysTakeTurns(t *testing.T) {
	for _, replicas := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			const pulls, seconds, each = 500, 15, 700 * time.Millisecond
			first, last, events := map[int]time.Time{}, map[int]time.Time{}, 0
			got := told(t, replicas, func(tell func(int)) {
				for start := time.Now(); time.Since(start) < seconds*time.Second; {
					for pull := range pulls {
						tell(pull + 1)
						events++
						if _, ok := first[pull+1]; !ok {
							first[pull+1] = time.Now()
						}
						last[pull+1] = time.Now()
						time.Sleep(each / pulls)
					}
				}
			})
			looked := 0
			for pull := range first {
				at := got[fmt.Sprint(pull)]
				require.NotEmpty(t, at)
				assert.Zero(t, at[0].Sub(first[pull]), "the first event waits for nothing")
				wait := at[len(at)-1].Sub(last[pull])
				assert.GreaterOrEqual(t, wait, time.Duration(0), "what came last is looked at")
				assert.LessOrEqual(t, wait, 8*time.Second, "and soon")
				looked += len(at)
			}
			// What it takes to see the burst, in each replica; then 15 s of turns, and the last.
			assert.LessOrEqual(t, looked, pulls*(replicas+4), "of %d events", events)
		})
	}
}

// Where there is no burst, or a key comes only now and then, nobody waits.
func TestWhatComesAloneWaitsForNothing(t *testing.T) {
	for name, c := range map[string]struct{ others, gap time.Duration }{
		"a lively pull request, nothing else": {0, time.Second},
		"two approvals while others burst":    {5 * time.Millisecond, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				got := told(t, 1, func(tell func(int)) {
					start := time.Now()
					for other := 2; len(at) < 5; other++ {
						if due := start.Add(time.Duration(len(at)) * c.gap); !time.Now().Before(due) {
							at = append(at, time.Now())
							tell(1)
						}
						if c.others > 0 {
							tell(other)
							time.Sleep(c.others)
						} else {
							time.Sleep(c.gap)
						}
					}
				})
				assert.Equal(t, at, got["1"])
			})
		})
	}
}
