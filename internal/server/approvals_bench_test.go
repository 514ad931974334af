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
	"github.com/pilotgate/pilotgate/internal/server"
)

// BenchmarkApprovals judges whole pilots in a server process at a GitHub that
// takes 50 ms an answer: new ones, then the first approval of all of them, then
// the second; and the second one alone, as a person waits for it.
//
//	make bench-intake
func BenchmarkApprovals(b *testing.B) {
	for range b.N {
		approvals{together: 200, alone: 20}.run(b).print()
		approvals{together: 20, alone: 5, paced: true}.run(b).print()
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
			path, raw = strings.ReplaceAll(path, sample.Pilot, pilot), append([]byte(strings.ReplaceAll(string(raw), sample.Pilot, pilot)), "\n<!-- "+pilot+" -->\n"...)
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

// nextSecond waits for GitHub's next second: times there are whole seconds, and
// an approval counts when it came after the digest it approves.
func (g *rig) nextSecond() { time.Sleep(1100 * time.Millisecond) }

func waitingFor(n string) func(fakegithub.CheckView, bool) bool {
	return func(r fakegithub.CheckView, found bool) bool { return found && strings.Contains(r.Title, n) }
}

func approved(r fakegithub.CheckView, _ bool) bool { return r.Conclusion == "success" }

// tell delivers an event of each pull request, several at a time.
func (g *rig) tell(p *process, pulls []*fakegithub.PR) {
	g.t.Helper()
	const senders = 16
	var group sync.WaitGroup
	slots := make(chan struct{}, senders)
	for _, pr := range pulls {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			status, err := g.deliver(g.t.Context(), p, pr.Number())
			require.NoError(g.t, err)
			require.Equal(g.t, 202, status)
		})
	}
	group.Wait()
}

// approvals is the life of so many pilots: all of them proposed, approved by the
// first and by the second at once, then some more whose second approval comes
// alone.
type approvals struct {
	together, alone int
	paced           bool // as at github.com
}

func (c approvals) run(t testing.TB) *figures {
	g, story := pilotRig(t, 50*time.Millisecond, server.Defaults().Workers)
	g.program = tool(t, "pilotgate")
	pilot := story.Pilot()
	var pulls []*fakegithub.PR
	for n := range c.together + c.alone {
		pulls = append(pulls, g.propose(pilot, n))
	}
	title := "GitHub's pacing off, as at an Enterprise Server"
	var p *process
	if c.paced {
		title = "one write a second, as github.com asks"
		p = g.startPaced()
	} else {
		p = g.start()
	}
	f := measure(t, fmt.Sprintf("%d pilots judged and approved, %s", c.together, title))
	start := time.Now() // the sweep at the start finds them
	g.until(pulls, waitingFor("waits for ML Lead and"))
	f.say("new ones", "%.3g PR/s", float64(len(pulls))/time.Since(start).Seconds())
	g.calm()
	rate := func(pulls []*fakegithub.PR, done func(fakegithub.CheckView, bool) bool) (float64, string) {
		before, start := len(g.hub.Requests()), time.Now()
		g.tell(p, pulls)
		g.until(pulls, done)
		a, second := float64(len(pulls))/time.Since(start).Seconds(), float64(len(g.hub.Requests())-before)/float64(len(pulls))
		g.nextSecond()
		return a, fmt.Sprintf("%.3g PR/s, %.1f requests each", a, second)
	}
	for _, pr := range pulls {
		pr.Review(sample.MLLead, fakegithub.Approved, "")
	}
	_, said := rate(pulls, waitingFor("waits for Operations Owner"))
	f.say("after the first approval", "%s", said)
	for _, pr := range pulls[:c.together] {
		pr.Review(sample.Operations, fakegithub.Approved, "")
	}
	each, said := rate(pulls[:c.together], approved)
	f.say("after the second approval", "%s", said)
	if !c.paced {
		f.atLeast("an approved pull request is evaluated", "PR/s", each, 60)
	}

	var took []time.Duration
	for _, pr := range pulls[c.together:] {
		g.calm()
		pr.Review(sample.Operations, fakegithub.Approved, "")
		start := time.Now()
		g.tell(p, []*fakegithub.PR{pr})
		g.until([]*fakegithub.PR{pr}, approved)
		took = append(took, time.Since(start))
	}
	peak := p.peak(t)
	require.NoError(t, p.end(t, syscall.SIGTERM))
	slices.Sort(took)
	f.below("a second approval alone is answered, median", "ms", float64(took[len(took)/2].Milliseconds()), 300)
	f.say("the slowest of them", "%d ms", took[len(took)-1].Milliseconds())
	f.below("peak memory", "MB", peak, 100)
	looks := float64(g.looks())
	f.say("processor time of the server", "%.1f ms a look, so %.0f PR/s on one processor", 1000*p.worked().Seconds()/looks, looks/p.worked().Seconds())
	return f
}

// startPaced starts a server that takes this GitHub for one in GitHub's cloud,
// which it reaches through a proxy.
func (g *rig) startPaced() *process {
	g.t.Helper()
	g.change(func(c map[string]any) {
		at := c["github"].(map[string]any)
		for key, path := range map[string]string{"web_url": "", "v3_api_url": "/api/v3/", "v4_api_url": "/api/graphql"} {
			at[key] = "http://acme.ghe.com" + path
		}
	})
	return g.start("HTTP_PROXY="+g.url, "http_proxy="+g.url)
}
