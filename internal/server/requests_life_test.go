//go:build !race

// What is counted here is the same with the race detector, and takes six times as long.

package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

func TestRequestsOfOnePullRequestsLife(t *testing.T) {
	for _, c := range []struct {
		mode string
		bar  bar
	}{{"direct", lifeDirect}, {"pull_request", lifePull}} {
		onBench(t, c.mode, c.mode, func(b *bench) {
			t := b.t
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
			body, n := b.Comment(b.pr)
			require.Equal(t, 1, n)
			require.Contains(t, body, "is signed off")
		})
	}
}

func TestRequestsOfALookThatChangesNothing(t *testing.T) {
	onBench(t, "replayed", "direct", func(b *bench) {
		b.pr = open(b.World)
		b.settle()
		b.c.take()
		b.pr.Comment(sample.MLLead, "/pilot explain PL001")
		b.settle()
		b.c.take() // the command is answered
		b.GitHub.Replay(b.opened().ID)
		b.settle()
		sent := b.c.take()
		require.NotEmpty(b.t, sent)
		tell(b.t, "requests of looking again", [][]string{append([]string{"replayed"}, sent...)}, len(sent), again)
	})
}

func TestRequestsOfALookAtANewHead(t *testing.T) {
	onBench(t, "pushed", "direct", func(b *bench) {
		b.pr = open(b.World)
		b.settle()
		b.c.take()
		life[1].do(b)
		b.settle()
		sent := b.c.take()
		reads := slices.DeleteFunc(slices.Clone(sent), func(r string) bool { return r == "GraphQL Changes" })
		tell(b.t, "reads at a new head", [][]string{append([]string{life[1].name}, sent...)}, len(reads), newHead)
		assert.Len(b.t, sent, len(reads)+1, "everything that changes is one write")
	})
}

func TestRequestsOfAConfirmingRun(t *testing.T) {
	opened := map[string]int{}
	begin := func(name string, then func(*bench), policy ...string) {
		onBench(t, name, "direct", func(b *bench) {
			b.pr = open(b.World)
			b.settle()
			opened[name] = len(b.c.take())
			then(b)
		}, policy...)
	}
	begin("without", func(*bench) {})
	begin("with", func(b *bench) {
		runs := b.Repo.Runs()
		require.Len(b.t, runs, 1)
		raw, err := sample.Measured(b.Story.Pilot()[sample.Dataset], sample.Baseline, 0)
		require.NoError(b.t, err)
		b.Repo.CompleteRun(runs[0].ID, "success", map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": raw}})
		b.settle()
		sent := b.c.take()
		tell(b.t, "requests of a confirming run that ended", [][]string{append([]string{"completed"}, sent...)}, len(sent), confirming)
		check, ok := b.Repo.Check(b.pr.View().Head, "pilot/baseline")
		require.True(b.t, ok)
		require.Contains(b.t, check.Summary, "gives the same figures")
	}, "")
	tell(t, "requests that start a confirming run", nil, opened["with"]-opened["without"], starting)
}
