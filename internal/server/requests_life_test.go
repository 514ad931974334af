//go:build !race

// What is counted here is the same with the race detector, and takes a minute.

package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func TestRequestsOfOnePullRequestsLife(t *testing.T) {
	for _, c := range []struct {
		mode string
		bar  bar
	}{{"direct", lifeDirect}, {"pull_request", lifePull}} {
		t.Run(c.mode, func(t *testing.T) {
			b := newBench(t, c.mode, fakegithub.NoFaults())
			b.c.signed = func() bool {
				log, _ := b.Repo.File("main", sample.Signoff)
				return strings.Contains(string(log), "pilot `"+sample.Pilot+"`")
			}
			var rows [][]string
			total := 0
			var after, own []string
			for _, s := range life {
				s.do(b)
				b.settle()
				sent := b.c.take()
				if s.name == last {
					require.Positive(t, b.c.life, "nothing was signed off")
					sent, after = sent[:b.c.life], sent[b.c.life:]
				}
				total += len(sent)
				rows = append(rows, append([]string{s.name}, sent...))
			}
			// The draft of the report is the last thing that is proposed.
			drafted := len(after) - slices.Index(reversed(after), "GraphQL Propose")
			after, own = after[:drafted], after[drafted:]
			tell(t, "requests of a life with sign-off "+c.mode, rows, total, c.bar)
			tell(t, "requests that follow a sign-off", [][]string{append([]string{"comment, draft of the report, what waits for the launch"}, after...)}, len(after), follows)
			tell(t, "requests of the report's pull request", [][]string{append([]string{"opened"}, own...)}, len(own), report)
			assert.LessOrEqual(t, len(after), follows.ceiling)
			assert.LessOrEqual(t, len(own), report.ceiling)
			body, n := b.Comment(b.pr)
			require.Equal(t, 1, n)
			require.Contains(t, body, "is signed off")
			assert.LessOrEqual(t, total, c.bar.ceiling)
		})
	}
}

func TestRequestsOfALookThatChangesNothing(t *testing.T) {
	b := newBench(t, "direct", fakegithub.NoFaults())
	b.pr = open(b.World)
	b.settle()
	b.c.take()
	b.pr.Comment(sample.MLLead, "/pilot explain PL001")
	b.settle()
	b.c.take() // the command is answered
	replayed := b.GitHub.Deliveries()
	i := slices.IndexFunc(replayed, func(d fakegithub.Delivery) bool { return d.Event == "pull_request" && d.Action == "opened" })
	require.GreaterOrEqual(t, i, 0)
	b.GitHub.Replay(replayed[i].ID)
	b.settle()
	sent := b.c.take()
	tell(t, "requests of looking again", [][]string{append([]string{"replayed"}, sent...)}, len(sent), again)
	assert.LessOrEqual(t, len(sent), again.ceiling)
}

func TestRequestsOfALookAtANewHead(t *testing.T) {
	b := newBench(t, "direct", fakegithub.NoFaults())
	b.pr = open(b.World)
	b.settle()
	b.c.take()
	life[1].do(b)
	b.settle()
	sent := b.c.take()
	reads := slices.DeleteFunc(slices.Clone(sent), func(r string) bool { return r == "GraphQL Changes" })
	tell(t, "reads at a new head", [][]string{append([]string{life[1].name}, sent...)}, len(reads), newHead)
	assert.LessOrEqual(t, len(reads), newHead.ceiling)
	assert.Len(t, sent, len(reads)+1, "everything that changes is one write")
}

func TestRequestsOfAConfirmingRun(t *testing.T) {
	opened := map[string]int{}
	for name, policy := range map[string][]string{"without": nil, "with": {""}} {
		b := newBench(t, "direct", fakegithub.NoFaults(), policy...)
		b.pr = open(b.World)
		b.settle()
		sent := b.c.take()
		opened[name] = len(sent)
		if name == "without" {
			continue
		}
		runs := b.Repo.Runs()
		require.Len(t, runs, 1)
		raw, err := sample.Measured(b.Story.Pilot()[sample.Dataset], sample.Baseline, 0)
		require.NoError(t, err)
		b.Repo.CompleteRun(runs[0].ID, "success", map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": raw}})
		b.settle()
		sent = b.c.take()
		tell(t, "requests of a confirming run that ended", [][]string{append([]string{"completed"}, sent...)}, len(sent), confirming)
		assert.LessOrEqual(t, len(sent), confirming.ceiling)
		check, ok := b.Repo.Check(b.pr.View().Head, "pilot/baseline")
		require.True(t, ok)
		require.Contains(t, check.Summary, "gives the same figures")
	}
	more := opened["with"] - opened["without"]
	tell(t, "requests that start a confirming run", nil, more, starting)
	assert.LessOrEqual(t, more, starting.ceiling)
}
