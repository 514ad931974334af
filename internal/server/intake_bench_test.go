package server_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// BenchmarkIntake sends deliveries over HTTP to a server process of its own,
// whose queue is embedded, about pull requests that are there, at a GitHub that
// takes 50 ms an answer. What must hold holds whatever the machine: none is
// refused, and each request is looked at.
//
//	make bench-intake
func BenchmarkIntake(b *testing.B) {
	for _, c := range []struct{ deliveries, pulls int }{{1000, 50}, {10_000, 500}} {
		b.Run(fmt.Sprintf("deliveries=%d/pulls=%d", c.deliveries, c.pulls), func(b *testing.B) {
			for range b.N {
				intake(b, c.deliveries, c.pulls)
			}
		})
	}
}

// peak is the most memory that an ended process had, in MiB.
func peak(b *testing.B, p *process) float64 {
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(b, ok)
	return float64(usage.Maxrss) / 1024
}

func intake(b *testing.B, deliveries, pulls int) {
	const senders, workers = 32, 12
	g := newRig(b, 50*time.Millisecond, workers)
	for n := range pulls {
		branch := fmt.Sprintf("change-%d", n)
		g.pilots.MustCommit(branch, "anna", fakegithub.CommitSpec{
			Message: "Change", Author: "anna", Files: map[string]fakegithub.File{fmt.Sprintf("notes/%d.md", n): fakegithub.Text("# Note\n")},
		})
		g.pilots.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "Change", Head: branch})
	}
	p := g.start()

	took := make([]time.Duration, deliveries)
	var next, refused atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range senders {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(deliveries); i = next.Add(1) - 1 {
				at := time.Now()
				if status, err := g.deliver(b.Context(), p, int(i)%pulls+1); err != nil || status != 202 {
					refused.Add(1)
				}
				took[i] = time.Since(at)
			}
		})
	}
	group.Wait()
	accepted := time.Since(start)
	require.Zero(b, refused.Load())
	// Converged: each was looked at, and GitHub is asked nothing more.
	for calm, last := 0, -1; calm < 10; time.Sleep(100 * time.Millisecond) {
		now := len(g.hub.Requests())
		if calm++; now != last || g.lookedAt() < pulls {
			calm, last = 0, now
		}
		require.Less(b, time.Since(start), 10*time.Minute)
	}
	converged := time.Since(start) - time.Second
	calls, looks := len(g.hub.Requests()), g.looks()
	require.NoError(b, p.end(b, syscall.SIGTERM))
	slices.Sort(took)
	b.ReportMetric(float64(deliveries)/accepted.Seconds(), "accepted/s")
	b.ReportMetric(float64(took[deliveries/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[deliveries*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(looks), "runs")
	b.ReportMetric(float64(looks)/converged.Seconds(), "runs/s")
	b.ReportMetric(converged.Seconds(), "converged-s")
	b.ReportMetric(float64(pulls)/converged.Seconds(), "PR/s")
	b.ReportMetric(float64(calls)/float64(pulls), "calls/PR")
	b.ReportMetric(peak(b, p), "peak-MiB")
	b.ReportMetric(0, "ns/op")
}
