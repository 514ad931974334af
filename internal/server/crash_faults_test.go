//go:build faults && linux

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// program is the server that dies at the points which gofail put into it; see
// .ci/faults.
func program(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../.bin/pilotgate-faults")
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "run .ci/faults, or make test-faults")
	return path
}

// points are the places of a delivery's way at which the server is killed, and
// whether GitHub had been told by then that it was taken.
var points = []struct {
	at    string
	taken bool
}{
	{"webhook/afterProof", false},
	{"webhook/beforeAdd", false},
	{"webhook/afterAdd", false}, // durable, and GitHub does not know
	{"queue/durable/afterPull", true},
	{"reconcile/afterLook", true},
	{"reconcile/beforeWrite", true},
	{"gh/afterWrite", true},
	{"queue/durable/beforeAck", true},
	{"queue/durable/afterAck", true},
}

// kill -9 at every step: nothing that was acknowledged is lost, and no comment,
// check run or review request is there twice.
func TestKilledAtEveryStep(t *testing.T) {
	binary := program(t)
	for _, c := range points {
		t.Run(c.at, func(t *testing.T) {
			g, story := pilotRig(t, 0, 4)
			pr := g.propose(story.Pilot(), 0)
			p := g.startProgram(binary, "serve", "--config", g.config, "GOFAIL_FAILPOINTS=github.com/pilotgate/pilotgate/internal/"+c.at+"=return")
			status, err := g.deliver(t.Context(), p, pr.Number())
			if c.taken {
				require.NoError(t, err)
				require.Equal(t, http.StatusAccepted, status)
			} else {
				require.Error(t, err, "it died before it answered")
			}
			select {
			case <-p.exited:
				require.Equal(t, syscall.SIGKILL, p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
			case <-time.After(time.Minute):
				require.Fail(t, "the point was not met")
			}

			p = g.startProgram(binary, "serve", "--config", g.config)
			if !c.taken { // GitHub lists it as failed, and the sweep has it sent again
				status, err := g.deliver(t.Context(), p, pr.Number())
				require.NoError(t, err)
				require.Equal(t, http.StatusAccepted, status)
			}
			g.until([]*fakegithub.PR{pr}, waitingFor("waits for"))
			require.Eventually(t, func() bool { return len(comments(g, pr)) > 0 }, time.Minute, 10*time.Millisecond)
			// A second look at the same writes nothing, so that all is there by then.
			status, err = g.deliver(t.Context(), p, pr.Number())
			require.NoError(t, err)
			require.Equal(t, http.StatusAccepted, status)
			require.NoError(t, p.end(t, syscall.SIGTERM))

			assert.Len(t, comments(g, pr), 1)
			names := map[string]int{}
			for _, r := range g.pilots.CheckRuns(pr.View().Head) {
				names[r.Name]++
			}
			require.Contains(t, names, judge.Approvals)
			for name, n := range names {
				assert.Equal(t, 1, n, name)
			}
		})
	}
}

func comments(g *rig, pr *fakegithub.PR) []string {
	var out []string
	for _, c := range pr.View().Comments {
		if c.Author == g.app.Login() {
			out = append(out, c.Body)
		}
	}
	return out
}

// Two replicas on one engine judge the same requests; one is killed, one is
// frozen and wakes. All is done, and each effect is there once.
func TestReplicasKilledAndFrozen(t *testing.T) {
	const pulls = 8
	g, story := pilotRig(t, 50*time.Millisecond, 4)
	g.useEngine(natsServer(t))
	var prs []*fakegithub.PR
	for n := range pulls {
		prs = append(prs, g.propose(story.Pilot(), n))
	}
	replicas := []*process{g.start(), g.start(), g.start()}
	for _, pr := range prs {
		status, err := g.deliver(t.Context(), replicas[0], pr.Number())
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, status)
	}
	require.Eventually(t, func() bool { return g.lookedAt() > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, replicas[0].cmd.Process.Kill())
	require.NoError(t, replicas[1].cmd.Process.Signal(syscall.SIGSTOP))
	g.until(prs, waitingFor("waits for"))
	require.NoError(t, replicas[1].cmd.Process.Signal(syscall.SIGCONT))
	for _, pr := range prs {
		status, err := g.deliver(t.Context(), replicas[2], pr.Number())
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, status)
	}
	for _, p := range replicas[1:] {
		require.NoError(t, p.end(t, syscall.SIGTERM))
	}
	for _, pr := range prs {
		assert.Len(t, comments(g, pr), 1, "%d", pr.Number())
		names := map[string]int{}
		for _, r := range g.pilots.CheckRuns(pr.View().Head) {
			names[fmt.Sprint(r.Name, r.ExternalID)]++
		}
		for name, n := range names {
			assert.Equal(t, 1, n, "%d: %s", pr.Number(), name)
		}
	}
	require.Equal(t, sample.Initiator, prs[0].View().Author)
}

// useEngine has the servers share an engine instead of embedding one each.
func (g *rig) useEngine(url string, replicas int) {
	g.t.Helper()
	raw, err := os.ReadFile(g.config)
	require.NoError(g.t, err)
	var c map[string]any
	require.NoError(g.t, json.Unmarshal(raw, &c))
	c["queue"] = map[string]any{"url": url, "replicas": replicas}
	raw, err = json.Marshal(c)
	require.NoError(g.t, err)
	require.NoError(g.t, os.WriteFile(g.config, raw, 0o600))
}

// natsServer is one real engine on loopback.
func natsServer(t testing.TB) (url string, replicas int) {
	t.Helper()
	srv, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
	require.NoError(t, err)
	srv.Start()
	require.True(t, srv.ReadyForConnections(30*time.Second))
	t.Cleanup(srv.Shutdown)
	return srv.ClientURL(), 1
}
