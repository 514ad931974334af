package durable_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// BenchmarkBurst is 10,000 deliveries over 500 pull requests of 50
// repositories, sent by 32 at a time, while 8 workers need 50 ms a look. It
// holds what must hold whatever the machine (nothing refused, nothing stale)
// and prints the figures.
//
//	go test ./internal/queue/durable -run '^$' -bench Burst -benchtime 1x
func BenchmarkBurst(b *testing.B) {
	for range b.N {
		burst(b)
	}
}

func burst(b *testing.B) {
	const deliveries, pulls, senders = 10_000, 500, 32
	q, err := durable.Open(b.Context(), durable.Options{Options: queue.Options{Workers: 8}, Store: b.TempDir(), Floor: 1})
	require.NoError(b, err)
	defer func() { require.NoError(b, q.Close()) }()

	// state is GitHub's: the number of the last event of each pull request.
	var state, seen [pulls]atomic.Int64
	var runs, peak atomic.Int64
	ctx, stop := context.WithCancel(b.Context())
	stopped := make(chan error, 1)
	go func() {
		stopped <- q.Run(ctx, func(_ context.Context, k queue.Key) error {
			runs.Add(1)
			n, err := strconv.Atoi(k.ID)
			if err != nil {
				return err
			}
			now := state[n].Load()
			time.Sleep(50 * time.Millisecond) // stands for GitHub's answer
			seen[n].Store(now)
			return nil
		})
	}()

	start := time.Now()
	took := make([][]time.Duration, senders)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := s; i < deliveries; i += senders {
				n := i % pulls
				state[n].Add(1)
				at := time.Now()
				err := q.Add(ctx, queue.Key{Installation: 1, Repository: int64(n%50) + 1, Kind: queue.KindPullRequest, ID: strconv.Itoa(n)},
					queue.AddOptions{Urgent: true})
				took[s] = append(took[s], time.Since(at))
				if err != nil {
					b.Error(err)
				}
				peak.Store(max(peak.Load(), resident()))
			}
		})
	}
	sending.Wait()
	accepted := time.Since(start)
	for converged := false; !converged; time.Sleep(10 * time.Millisecond) {
		converged = true
		for n := range pulls {
			converged = converged && seen[n].Load() == state[n].Load()
		}
		require.Less(b, time.Since(start), 5*time.Minute, "a key was lost or is stale")
	}
	done := time.Since(start)
	peak.Store(max(peak.Load(), resident()))
	stop()
	require.NoError(b, <-stopped)

	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(deliveries/accepted.Seconds(), "accepted/s")
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(runs.Load()), "runs")
	b.ReportMetric(done.Seconds(), "s-to-converged")
	b.ReportMetric(float64(peak.Load()>>20), "peak-MB")
}

// resident is the memory of the process as the system counts it, in bytes.
func resident() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil { // not Linux: what Go has from the system is near enough
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.Sys)
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// BenchmarkNoisy is one repository with 2,000 keys beside 50 with one each.
//
//	go test ./internal/queue/durable -run '^$' -bench Noisy -benchtime 1x
func BenchmarkNoisy(b *testing.B) {
	for range b.N {
		q, err := durable.Open(b.Context(), durable.Options{Options: queue.Options{Workers: 8}, Store: b.TempDir(), Floor: 1})
		require.NoError(b, err)
		var adding sync.WaitGroup
		for w := range 16 {
			adding.Go(func() {
				for i := w; i < 2000; i += 16 {
					if err := q.Add(b.Context(), queue.Key{Installation: 1, Repository: 1, Kind: queue.KindPullRequest, ID: fmt.Sprint(i + 1)}, queue.AddOptions{Urgent: true}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		adding.Wait()
		ctx, stop := context.WithCancel(b.Context())
		var mu sync.Mutex
		var waits []time.Duration
		added := map[int64]time.Time{}
		for i := range int64(50) {
			added[i+2] = time.Now()
			require.NoError(b, q.Add(b.Context(), queue.Key{Installation: 1, Repository: i + 2, Kind: queue.KindPullRequest, ID: "1"}, queue.AddOptions{Urgent: true}))
		}
		require.NoError(b, q.Run(ctx, func(_ context.Context, k queue.Key) error {
			time.Sleep(50 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if k.Repository != 1 {
				if waits = append(waits, time.Since(added[k.Repository])); len(waits) == 50 {
					stop()
				}
			}
			return nil
		}))
		stop()
		slices.Sort(waits)
		b.ReportMetric(waits[len(waits)/2].Seconds(), "quiet-p50-s")
		b.ReportMetric(waits[len(waits)-1].Seconds(), "quiet-max-s")
		require.NoError(b, q.Close())
	}
}
