package server_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// BenchmarkApprovals judges whole pilots in a server process at a GitHub that
// takes 50 ms an answer: new ones, then the first approval of all of them, then
// the second; and the second one alone, as a person waits for it.
//
//	make bench-intake
func BenchmarkApprovals(b *testing.B) {
	for range b.N {
		approvals(b, 200, 20)
	}
}

// pilotRig is a rig whose repository has the sample's documents and people.
func pilotRig(t testing.TB, latency time.Duration, workers int) (*rig, sample.Story) {
	t.Helper()
	g := newRig(t, latency, workers)
	story := sample.Story{Owner: "acme", Records: 60, Evaluation: 20}
	for _, login := range []string{sample.Initiator, sample.MLLead, sample.Operations} {
		g.hub.CreateUser(login, login+"@example.org")
		g.hub.SetMember("acme", login, "member")
		g.pilots.SetCollaborator(login, "write")
	}
	for team, member := range map[string]string{"ml-leads": sample.MLLead, "ml-ops": sample.Operations} {
		g.hub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: team, Members: []string{member}})
		g.hub.GrantTeam("acme", team, g.pilots, "write")
	}
	g.pilots.MustCommit("main", "anna", fakegithub.CommitSpec{Message: "Pilots", Author: "anna", Files: files(story.Repository())})
	return g, story
}

// propose opens a pull request with a pilot of its own.
func (g *rig) propose(story sample.Files, n int) *fakegithub.PR {
	pilot := fmt.Sprintf("%s-%d", sample.Pilot, n)
	own := sample.Files{}
	for path, raw := range story {
		if path == sample.Plan {
			path, raw = strings.ReplaceAll(path, sample.Pilot, pilot), []byte(strings.ReplaceAll(string(raw), sample.Pilot, pilot))
		}
		own[path] = raw
	}
	g.pilots.MustCommit("pilot/"+pilot, sample.Initiator, fakegithub.CommitSpec{Message: "Propose " + pilot, Author: sample.Initiator, Files: files(own)})
	return g.pilots.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot " + pilot, Head: "pilot/" + pilot})
}

// until waits until the required check of every pull request is as wanted.
func (g *rig) until(pulls []*fakegithub.PR, done func(fakegithub.CheckView, bool) bool) {
	g.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for _, p := range pulls {
		for {
			run, found := g.pilots.Check(p.View().Head, judge.Approvals)
			if done(run, found) {
				break
			}
			require.True(g.t, time.Now().Before(deadline), "pull request %d: %s %s %q %s", p.Number(), run.Status, run.Conclusion, run.Title, run.Summary)
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func waitingFor(n string) func(fakegithub.CheckView, bool) bool {
	return func(r fakegithub.CheckView, found bool) bool { return found && strings.Contains(r.Title, n) }
}

func approved(r fakegithub.CheckView, _ bool) bool { return r.Conclusion == "success" }

func approvals(b *testing.B, together, alone int) {
	const senders, workers = 16, 16
	g, story := pilotRig(b, 50*time.Millisecond, workers)
	pilot := story.Pilot()
	var pulls []*fakegithub.PR
	for n := range together + alone {
		pulls = append(pulls, g.propose(pilot, n))
	}
	p := g.start()
	tell := func(pulls []*fakegithub.PR) {
		var group sync.WaitGroup
		slots := make(chan struct{}, senders)
		for _, pr := range pulls {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				status, err := g.deliver(b.Context(), p, pr.Number())
				require.NoError(b, err)
				require.Equal(b, 202, status)
			})
		}
		group.Wait()
	}
	rate := func(name string, pulls []*fakegithub.PR, done func(fakegithub.CheckView, bool) bool) {
		before, start := len(g.hub.Requests()), time.Now()
		tell(pulls)
		g.until(pulls, done)
		b.ReportMetric(float64(len(pulls))/time.Since(start).Seconds(), name+"-PR/s")
		b.ReportMetric(float64(len(g.hub.Requests())-before)/float64(len(pulls)), name+"-calls/PR")
	}
	rate("new", pulls, waitingFor("waits for ML Lead and"))
	for _, pr := range pulls {
		pr.Review(sample.MLLead, fakegithub.Approved, "")
	}
	rate("first", pulls, waitingFor("waits for Operations Owner"))
	for _, pr := range pulls[:together] {
		pr.Review(sample.Operations, fakegithub.Approved, "")
	}
	rate("second", pulls[:together], approved)

	var took []time.Duration
	for _, pr := range pulls[together:] {
		pr.Review(sample.Operations, fakegithub.Approved, "")
		start := time.Now()
		tell([]*fakegithub.PR{pr})
		g.until([]*fakegithub.PR{pr}, approved)
		took = append(took, time.Since(start))
	}
	require.NoError(b, p.end(b, syscall.SIGTERM))
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "second-alone-p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "second-alone-max-ms")
	b.ReportMetric(peak(b, p), "peak-MiB")
	b.ReportMetric(0, "ns/op")
}
