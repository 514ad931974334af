package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/server"
)

// pipes is a listener inside the process: a bubble's time stands still while
// somebody waits for a socket.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

type address string

func (address) Network() string  { return "pipe" }
func (a address) String() string { return string(a) }

func (p *pipes) Addr() net.Addr { return address("pilotgate.example") }

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func piped(context.Context) (net.Listener, *http.Client, error) {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	return p, &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}, nil
}

// small is a story whose datasets are read in a moment.
var small = sample.Story{Records: 60, Evaluation: 20}

// inBubble runs a world in a bubble of time, with a queue that waits as a
// server's does: a night passes at once, and no machine is slow.
func inBubble(t *testing.T, name string, do func(*testing.T, *demo.World), change ...func(*demo.Options)) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, ed25519.SeedSize)))
	require.NoError(t, err)
	key, err := server.NewKey("demo", private) // the same in each world, so that what it signs is the same
	require.NoError(t, err)
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC))) // a bubble begins in 2000
			o := demo.Options{
				Log: zerolog.Nop(), Faults: fakegithub.NoFaults(), Wire: piped, Key: key, Story: small,
				Queue: func(o *queue.Options) { o.FirstRetry, o.LastRetry = 0, 0 },
			}
			for _, c := range change {
				c(&o)
			}
			w, err := demo.New(t.Context(), o)
			require.NoError(t, err)
			defer func() { assert.NoError(t, w.Close()) }()
			do(t, w)
			letters, err := w.Letters(t.Context())
			require.NoError(t, err)
			assert.Empty(t, letters, "no dead letter")
		})
	})
}

// judged tells whether people see what a request waits for.
func judged(w *demo.World, pr *fakegithub.PR) bool {
	run, found := w.Repo.Check(pr.View().Head, judge.Approvals)
	_, comments := w.Comment(pr)
	return found && run.Status == "in_progress" && run.Title == "waits for ML Lead and Operations Owner" && comments == 1
}

// convergence is within what everything is to be as it should after GitHub's
// return.
const convergence = time.Minute

// converges waits for that.
func converges(t *testing.T, w *demo.World, pr *fakegithub.PR) {
	t.Helper()
	began := time.Now()
	for !judged(w, pr) {
		if !assert.Less(t, time.Since(began), convergence) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("converged after %s", time.Since(began))
	w.GitHub.Flush()
	names := map[string]int{}
	for _, r := range w.Repo.CheckRuns(pr.View().Head) {
		names[r.Name+" "+r.ExternalID]++
	}
	for name, n := range names {
		assert.Equal(t, 1, n, name)
	}
}
