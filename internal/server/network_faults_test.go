//go:build faults && linux

package server_test

import (
	"errors"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// badFor is how long a network stays bad.
const badFor = 10 * time.Second

// Whatever the network to GitHub does, all is as it should be within a minute
// of its recovery, once, and nothing is given up.
func badNetworkToGitHub(t *testing.T) {
	for _, c := range []struct {
		name       string
		toxic      string
		attributes map[string]any
	}{
		{"connections are refused", "", nil},
		{"connections are reset", "reset_peer", map[string]any{"timeout": 0}},
		{"answers never come", "timeout", map[string]any{"timeout": 0}},
		{"answers are cut", "limit_data", map[string]any{"bytes": 700}},
		{"answers trickle", "bandwidth", map[string]any{"rate": 1}},
		{"answers are slow", "latency", map[string]any{"latency": 2000, "jitter": 1000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, story := pilotRig(t, 0, 4)
			way := g.behind(t)
			pilot := story.Pilot()
			p := g.start()
			g.calm()
			var prs []*fakegithub.PR
			for n := range 3 {
				prs = append(prs, g.propose(pilot, n))
			}
			if c.toxic == "" {
				way.cut()
			} else {
				way.suffers(c.toxic, c.attributes)
			}
			g.tell(p, prs)
			time.Sleep(badFor)
			way.heal()
			back := time.Now()
			g.until(prs, waitingFor("waits for"))
			assert.Less(t, time.Since(back), convergence)
			g.calm()
			require.NoError(t, p.end(t, syscall.SIGTERM))
			g.once(prs)
			g.noLetters()
		})
	}
}

// The network between the servers and their queue is cut for a while: what
// cannot be made durable is refused, and what was taken is done.
func badNetworkToTheQueue(t *testing.T) {
	g, story := pilotRig(t, 50*time.Millisecond, 4)
	queue := natsServer(t)
	way := networkTo(t, queue)
	g.useEngine("nats://"+way.addr, 1)
	pilot := story.Pilot()
	replicas := []*process{g.start(), g.start()}
	g.calm()
	var prs []*fakegithub.PR
	for n := range 8 {
		prs = append(prs, g.propose(pilot, n))
	}
	g.tell(replicas[0], prs[:4])
	way.cut()
	refused := 0
	for _, pr := range prs[4:6] { // a refusal takes 8 s: a leader may come back by then
		status, err := g.deliver(t.Context(), replicas[1], pr.Number())
		require.NoError(t, err)
		if status == http.StatusServiceUnavailable {
			refused++
		}
	}
	assert.Equal(t, 2, refused, "no false 202")
	way.heal()
	require.Eventually(t, func() bool {
		status, err := g.deliver(t.Context(), replicas[1], prs[4].Number())
		return err == nil && status == http.StatusAccepted
	}, convergence, 100*time.Millisecond)
	g.tell(replicas[1], prs[4:]) // GitHub lists what was refused, and the sweep has it sent again
	g.until(prs, waitingFor("waits for"))
	g.calm()
	for _, p := range replicas {
		require.NoError(t, p.end(t, syscall.SIGTERM))
	}
	g.once(prs)
}

// once asserts that each effect is there once.
func (g *rig) once(prs []*fakegithub.PR) {
	g.t.Helper()
	for _, pr := range prs {
		assert.Len(g.t, comments(g, pr), 1, "%d", pr.Number())
		names := map[string]int{}
		for _, r := range g.pilots.CheckRuns(pr.View().Head) {
			names[r.Name+" "+r.ExternalID]++
		}
		for name, n := range names {
			assert.Equal(g.t, 1, n, "%d: %s", pr.Number(), name)
		}
	}
}

// noLetters asserts that no key was given up; the servers have ended.
func (g *rig) noLetters() {
	g.t.Helper()
	code, out := g.run("list", "--config", g.config)
	require.Zero(g.t, code, out)
	assert.Equal(g.t, "nothing\n", out, "no dead letter")
}

// One of two replicas on a cluster of three is killed in its work, the other is
// frozen and wakes, a third one goes on; then the cluster loses a node.
func replicasOnACluster(t *testing.T) {
	g, story := pilotRig(t, 50*time.Millisecond, 4)
	nodes := g.useCluster()
	pilot := story.Pilot()
	var prs []*fakegithub.PR
	for n := range 8 {
		prs = append(prs, g.propose(pilot, n))
	}
	replicas := []*process{g.start(), g.start(), g.start()}
	g.tell(replicas[0], prs)
	require.Eventually(t, func() bool { return g.lookedAt() > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, replicas[0].cmd.Process.Kill())
	require.NoError(t, replicas[1].cmd.Process.Signal(syscall.SIGSTOP))
	g.until(prs, waitingFor("waits for"))
	require.NoError(t, replicas[1].cmd.Process.Signal(syscall.SIGCONT))

	require.NoError(t, nodes[0].cmd.Process.Kill())
	more := g.propose(pilot, 8)
	require.Eventually(t, func() bool {
		status, err := g.deliver(t.Context(), replicas[2], more.Number())
		return err == nil && status == http.StatusAccepted
	}, convergence, 100*time.Millisecond)
	prs = append(prs, more)
	g.until(prs, waitingFor("waits for"))
	g.calm()
	for _, p := range replicas[1:] {
		if err := p.end(t, syscall.SIGTERM); err != nil {
			require.NoError(t, errors.Join(err), p.said())
		}
	}
	g.once(prs)
}
