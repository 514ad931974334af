//go:build faults && linux

package server_test

import (
	"net/http"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
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

// Nothing that was acknowledged is lost, and no comment, check run or review
// request is there twice.
func killedAtEveryStep(t *testing.T) {
	binary := program(t)
	for _, c := range points {
		t.Run(c.at, func(t *testing.T) {
			t.Parallel()
			g, story := pilotRig(t, 0, 4)
			pr := g.propose(story.Pilot(), 0)
			p := g.startProgram(binary, "serve", "--config", g.config, "GOFAIL_FAILPOINTS="+path.Base(c.at)+"=return")
			status, err := g.deliver(t.Context(), p, pr.Number())
			if c.taken && err == nil { // a sweep's look may have died first, and the answer with it
				require.Equal(t, http.StatusAccepted, status)
			}
			if !c.taken {
				require.Error(t, err, "it died before it answered")
			}
			acknowledged := err == nil
			select {
			case _ = <-p.exited:
				require.Equal(t, syscall.SIGKILL, p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
			case <-time.After(time.Minute):
				require.Fail(t, "the point was not met")
			}

			p = g.startProgram(binary, "serve", "--config", g.config)
			if !acknowledged { // GitHub lists it as failed, and the sweep has it sent again
				g.tell(p, []*fakegithub.PR{pr})
			}
			g.until([]*fakegithub.PR{pr}, waitingFor("waits for"))
			g.calm()
			g.tell(p, []*fakegithub.PR{pr}) // a second look at the same writes nothing
			g.calm()
			require.NoError(t, p.end(t, syscall.SIGTERM))
			g.once([]*fakegithub.PR{pr})
			g.noLetters()
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

// natsServer is one real engine on loopback.
func natsServer(t testing.TB) (address string) {
	t.Helper()
	srv, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
	require.NoError(t, err)
	srv.Start()
	require.True(t, srv.ReadyForConnections(30*time.Second))
	t.Cleanup(srv.Shutdown)
	return srv.Addr().String()
}
