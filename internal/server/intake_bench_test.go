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
	"github.com/pilotgate/pilotgate/internal/server"
)

// BenchmarkIntake sends 10,000 deliveries over HTTP to server processes, about
// 500 pull requests that are there, at a GitHub that takes 50 ms an answer: the
// queue embedded, then a cluster of three nats-server processes with one to
// four replicas. What must hold holds whatever the machine: none is refused,
// and each request is looked at.
//
//	make bench-intake
func BenchmarkIntake(b *testing.B) {
	for _, replicas := range []int{0, 1, 2, 4} {
		name := fmt.Sprintf("cluster/replicas=%d", replicas)
		if replicas == 0 {
			name = "embedded"
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				burst{deliveries: 10_000, pulls: 500, replicas: replicas}.run(b).print()
			}
		})
	}
}

// burst is so many deliveries over so many pull requests; 0 replicas are one
// process with the queue embedded.
type burst struct{ deliveries, pulls, replicas int }

func (c burst) run(t testing.TB) *figures {
	const senders, slowest = 32, 15 * time.Second
	g := newRig(t, 50*time.Millisecond, server.Defaults().Workers)
	g.program = tool(t, "pilotgate") // the test itself is larger
	for n := range c.pulls {
		branch := fmt.Sprintf("change-%d", n)
		g.pilots.MustCommit(branch, "anna", fakegithub.CommitSpec{
			Message: "Change", Author: "anna", Files: map[string]fakegithub.File{fmt.Sprintf("notes/%d.md", n): fakegithub.Text("# Note\n")},
		})
		g.pilots.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "Change", Head: branch})
	}
	where := "queue embedded"
	if c.replicas > 0 {
		g.useCluster()
		where = fmt.Sprintf("cluster of three nats-server processes, %d replicas", c.replicas)
	}
	f := measure(t, fmt.Sprintf("%d deliveries over %d pull requests, %s", c.deliveries, c.pulls, where))
	var replicas []*process
	for range max(1, c.replicas) {
		replicas = append(replicas, g.start())
	}
	g.calm()
	before, swept := len(g.hub.Requests()), g.looks() // the sweep at the start is none of the burst's

	took := make([]time.Duration, c.deliveries)
	var next, refused atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range senders {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(c.deliveries); i = next.Add(1) - 1 {
				at := time.Now()
				if status, err := g.deliver(t.Context(), replicas[int(i)%len(replicas)], int(i)%c.pulls+1); err != nil || status != 202 {
					refused.Add(1)
				}
				took[i] = time.Since(at)
			}
		})
	}
	group.Wait()
	accepted := time.Since(start)
	require.Zero(t, refused.Load())
	require.Eventually(t, func() bool { return g.lookedAt() == c.pulls }, 10*time.Minute, 10*time.Millisecond)
	converged := g.calm().Sub(start)
	calls, looks := len(g.hub.Requests())-before, g.looks()-swept
	var memory, worked float64
	for _, p := range replicas {
		memory = max(memory, p.peak(t))
		require.NoError(t, p.end(t, syscall.SIGTERM))
		worked += p.worked().Seconds()
	}
	slices.Sort(took)
	f.atLeast("accepted", "", float64(c.deliveries)-float64(refused.Load()), float64(c.deliveries))
	f.say("accepted a second", "%.0f", float64(c.deliveries)/accepted.Seconds())
	f.say("p50 of an answer", "%d ms", took[c.deliveries/2].Milliseconds())
	f.below("p99 of an answer", "ms", float64(took[c.deliveries*99/100].Milliseconds()), 1000)
	if accepted < slowest {
		f.below("runs", "", float64(looks), 2500)
	} else {
		f.say("runs", "%d; to send took %.0f s, which is no burst: NOT TESTED against 2500", looks, accepted.Seconds())
	}
	f.say("runs a second", "%.0f", float64(looks)/converged.Seconds())
	f.say("converged after", "%.1f s", converged.Seconds())
	f.say("requests to GitHub a pull request", "%.1f", float64(calls)/float64(c.pulls))
	f.below("peak memory of a process", "MB", memory, 100)
	f.say("processor time of the servers", "%.1f s, %.2f ms a delivery with its part of a look", worked, 1000*worked/float64(c.deliveries))
	return f
}

// calm waits until GitHub is asked nothing for a second, and answers when that
// began.
func (g *rig) calm() time.Time {
	g.t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	since, last := time.Now(), -1
	for time.Since(since) < time.Second {
		if now := len(g.hub.Requests()); now != last {
			since, last = time.Now(), now
		}
		require.True(g.t, time.Now().Before(deadline), "GitHub is asked again and again")
		time.Sleep(20 * time.Millisecond)
	}
	return since
}
