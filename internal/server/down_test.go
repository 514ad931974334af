package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// clock is everybody's, and moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// files are a sample's as GitHub's.
func files(in sample.Files) map[string]fakegithub.File {
	out := map[string]fakegithub.File{}
	for path, b := range in {
		out[path] = fakegithub.File{Data: b}
	}
	return out
}

// open opens the sample's pilot as a pull request.
func open(w *demo.World) *fakegithub.PR {
	w.Repo.MustCommit("pilot/ru-digest", sample.Initiator, fakegithub.CommitSpec{
		Message: "Add the plan", Files: files(w.Story.Pilot()), Author: sample.Initiator,
	})
	return w.Repo.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot " + sample.Pilot, Head: "pilot/ru-digest"})
}

func TestDeliveriesOfADownServerComeAgain(t *testing.T) {
	c := &clock{now: time.Now().Truncate(time.Second)}
	w, err := demo.New(t.Context(), demo.Options{Log: zerolog.Nop(), Story: small, Now: c.Now, Faults: fakegithub.NoFaults()})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	require.NoError(t, w.Stop())

	before := len(w.GitHub.Deliveries())
	open(w)
	w.GitHub.Flush()
	missed := w.GitHub.Deliveries()[before:]
	require.NotEmpty(t, missed)
	for _, d := range missed {
		require.Zero(t, d.Status, "nobody listens")
	}

	c.pass(75 * time.Second) // a JWT, whose life the real clock tells, lives for 90 s
	require.NoError(t, w.Start(t.Context()))
	arrived := func() int {
		n := 0
		for _, m := range missed {
			for _, d := range w.GitHub.Deliveries() {
				if d.GUID == m.GUID && d.Redelivery && d.Status == 202 {
					n++
				}
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return arrived() >= len(missed) }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, w.Settle(t.Context()))
	assert.Equal(t, len(missed), arrived(), "each came again, once")
}
