package server_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// Each world has a signing key of its own, which its policy names: what is
// derived from that, and addresses, differ between worlds.
var ofThisWorld = regexp.MustCompile(`[0-9a-f]{7,64}`)

// shown is what people see of a pull request in the end: checks, comment,
// reviews and who was asked.
func shown(t *testing.T, w *demo.World, pr *fakegithub.PR) string {
	t.Helper()
	var out strings.Builder
	runs := w.Repo.CheckRuns(pr.View().Head)
	slices.SortFunc(runs, func(a, b fakegithub.CheckView) int { return cmp.Compare(a.Name, b.Name) })
	for _, r := range runs {
		fmt.Fprintf(&out, "%s %s %s %s\n%s\n", r.Name, r.Status, r.Conclusion, r.Title, r.Summary)
	}
	body, n := w.Comment(pr)
	fmt.Fprintf(&out, "%d comment: %s\n", n, body)
	for _, r := range pr.View().Reviews {
		fmt.Fprintln(&out, r.Author, r.State)
	}
	return ofThisWorld.ReplaceAllString(out.String(), "#")
}

func TestOrderLossAndDoublesEndTheSame(t *testing.T) {
	random := func(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
	asTheyCame := func(d []fakegithub.Delivery) []int {
		out := make([]int, len(d))
		for i := range out {
			out[i] = i
		}
		return out
	}
	cases := []struct {
		name   string
		choose func([]fakegithub.Delivery) []int
		lost   bool
	}{
		{"as they came", asTheyCame, false},
		{"the other way round", func(d []fakegithub.Delivery) []int {
			out := asTheyCame(d)
			slices.Reverse(out)
			return out
		}, false},
		{"each three times", func(d []fakegithub.Delivery) []int {
			return slices.Concat(asTheyCame(d), asTheyCame(d), asTheyCame(d))
		}, false},
		{"all lost", func([]fakegithub.Delivery) []int { return nil }, true},
	}
	for seed := range uint64(4) {
		cases = append(cases, struct {
			name   string
			choose func([]fakegithub.Delivery) []int
			lost   bool
		}{fmt.Sprintf("shuffled, some lost, some doubled, %d", seed), func(d []fakegithub.Delivery) []int {
			r := random(seed)
			var out []int
			for i := range d {
				for range r.IntN(3) {
					out = append(out, i)
				}
			}
			r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			return out
		}, true})
	}
	want := ""
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, err := demo.New(t.Context(), demo.Options{Log: zerolog.Nop(), Faults: fakegithub.NoFaults()})
			require.NoError(t, err)
			defer func() { require.NoError(t, w.Close()) }()
			w.GitHub.Hold()
			pr := open(w)
			changed := w.Story.Pilot()
			changed[sample.Plan] = []byte(strings.Replace(string(changed[sample.Plan]), "2e-5", "3e-5", 1))
			w.Repo.MustCommit("pilot/ru-digest", sample.Initiator, fakegithub.CommitSpec{Message: "Raise", Files: files(changed), Author: sample.Initiator})
			pr.Review(sample.MLLead, fakegithub.Approved, "Seen.")
			pr.Comment(sample.Operations, "Looks fine to me.")
			title := "Pilot with a higher rate"
			pr.Edit(sample.Initiator, &title, nil, nil)
			require.GreaterOrEqual(t, len(w.GitHub.Held()), 4)
			w.GitHub.Release(c.choose)
			require.NoError(t, w.Settle(t.Context()))
			if c.lost { // the sweep at the start of the next process
				require.NoError(t, w.Stop())
				require.NoError(t, w.Start(t.Context()))
				require.Eventually(t, func() bool { _, n := w.Comment(pr); return n == 1 }, 30*time.Second, 10*time.Millisecond)
				require.NoError(t, w.Settle(t.Context()))
			}
			got := clockFree.ReplaceAllString(shown(t, w, pr), "TIME")
			require.Contains(t, got, "1 comment")
			if want == "" {
				want = got
			}
			assert.Equal(t, want, got)
		})
	}
}

// clockFree takes the times out: people act at the real clock here.
var clockFree = regexp.MustCompile(`\d{1,2} [A-Z][a-z]{2} \d{2}:\d{2} UTC`)
