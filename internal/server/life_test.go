//go:build !race

// Days of a pilot, each moment of which the race detector would make a minute:
// `make unraced` runs them without.

package server_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// parts are what people do for a pilot, from the proposal over the merge and the
// sign-off to the launch; between them they wait for an answer.
var parts = []func(w *demo.World, pr **fakegithub.PR) error{
	func(w *demo.World, pr **fakegithub.PR) error {
		*pr = open(w)
		(*pr).Comment(sample.MLLead, "I shall have a look.")
		(*pr).Label(sample.Initiator, "pilot")
		w.Repo.MustCommit("pilot/ru-digest", sample.Initiator, fakegithub.CommitSpec{
			Message: "Add a note", Author: sample.Initiator, Files: map[string]fakegithub.File{"notes.md": fakegithub.Text("# Notes\n")},
		})
		return nil
	},
	func(_ *demo.World, pr **fakegithub.PR) error {
		(*pr).Review(sample.MLLead, fakegithub.Approved, "Seen.")
		(*pr).Review("max", fakegithub.Approved, "Nice!")
		(*pr).Review(sample.Operations, fakegithub.Approved, "Fine.")
		title := "Pilot " + sample.Pilot + ", approved"
		(*pr).Edit(sample.Initiator, &title, nil, nil)
		return nil
	},
	func(_ *demo.World, pr **fakegithub.PR) error {
		return (*pr).Merge(sample.Initiator, fakegithub.Squash, false)
	},
	func(w *demo.World, _ **fakegithub.PR) error {
		p := policy.Default()
		run := w.Repo.StartRun(fakegithub.RunSpec{Workflow: p.Workflows.Training, Actor: sample.Initiator, Inputs: map[string]string{"pilot": sample.Pilot}})
		w.Repo.Wait(run, p.Environment)
		return nil
	},
}

// Whatever deliveries are doubled or come in another order, and however old they
// are: GitHub looks the same in the end, byte for byte. Where some are lost, the
// server acts at the next sweep, and nothing but the moments at which it acted
// (and the ids and signatures that follow from them) is different.
func TestALifeEndsTheSameWhateverArrives(t *testing.T) {
	var want, wantTimeless string
	tell := func(name string, lost bool, choose func(int) []int) {
		inBubble(t, name, func(t *testing.T, w *demo.World) {
			began := time.Now()
			var pr *fakegithub.PR
			for i, part := range parts {
				time.Sleep(time.Until(began.Add(time.Duration(i+1) * 2 * time.Hour))) // people are as quick each time
				w.GitHub.Hold()
				require.NoError(t, part(w, &pr))
				require.NotEmpty(t, w.GitHub.Held())
				w.GitHub.Release(func(d []fakegithub.Delivery) []int { return choose(len(d)) })
				require.NoError(t, w.Settle(t.Context()))
				time.Sleep(time.Hour) // the sweep asks for what was lost, and looks at everything
				require.NoError(t, w.Settle(t.Context()))
			}
			require.NoError(t, w.Stop())
			time.Sleep(3 * 24 * time.Hour)
			require.NoError(t, w.Start(t.Context()))
			require.NoError(t, w.Settle(t.Context()))
			before := string(w.Repo.State())
			for _, d := range w.GitHub.Deliveries() { // as old as GitHub keeps them
				w.GitHub.Replay(d.ID)
			}
			require.NoError(t, w.Settle(t.Context()))
			assert.Equal(t, before, string(w.Repo.State()), "all of it again changes nothing")

			runs := w.Repo.Runs()
			assert.Equal(t, "approved", runs[len(runs)-1].Waiting[policy.Default().Environment], "launched")
			if want == "" {
				want, wantTimeless = before, timeless(t, w)
			}
			if !lost {
				assert.Equal(t, want, before)
			}
			assert.Equal(t, wantTimeless, timeless(t, w))
		})
	}
	inOrder := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	tell("as they came", false, func(n int) []int { return inOrder(n) })
	tell("the other way round", false, func(n int) []int { out := inOrder(n); slices.Reverse(out); return out })
	tell("each three times", false, func(n int) []int { return slices.Repeat(inOrder(n), 3) })
	tell("all lost", true, func(int) []int { return nil })
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 0))
		tell(fmt.Sprint("lost, doubled, shuffled ", seed), true, func(n int) []int {
			var out []int
			for i := range n {
				for range r.IntN(3) {
					out = append(out, i)
				}
			}
			r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			return out
		})
	}
}

var (
	ofCommits = regexp.MustCompile(`\b[0-9a-f]{40}\b|@[0-9a-f]{7}\b`)
	ofMoments = regexp.MustCompile(`evidence=\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	ofTrees   = regexp.MustCompile(`"tree": ?"[^"]*"`)
	payload   = regexp.MustCompile(`"payload": "([^"]*)"`)
	signature = regexp.MustCompile(`"sig": "[^"]*"`)
)

// timeless is what GitHub looks like with every file of the default branch, but
// without the moments at which the server acted.
func timeless(t *testing.T, w *demo.World) string {
	t.Helper()
	out := ofTrees.ReplaceAllString(string(w.Repo.State()), "")
	for _, path := range w.Repo.Files("main") {
		raw, _ := w.Repo.File("main", path)
		text := payload.ReplaceAllStringFunc(string(raw), func(s string) string {
			said, err := base64.StdEncoding.DecodeString(payload.FindStringSubmatch(s)[1])
			require.NoError(t, err)
			return string(said)
		})
		out += "\n" + path + "\n" + signature.ReplaceAllString(text, "")
	}
	lines := strings.Split(ofMoments.ReplaceAllString(ofCommits.ReplaceAllString(out, "<commit>"), "<moment>"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, ",")
	}
	slices.Sort(lines) // what is listed by commit has another order
	return strings.Join(lines, "\n")
}
