package gh_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// openPull opens a pull request with one commit that brings a plan.
func (w *world) openPull() *fakegithub.PR {
	w.t.Helper()
	w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "plan: a pilot", Files: map[string]fakegithub.File{"plans/a.md": fakegithub.Text("# A\n")}})
	return w.repo.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "A pilot", Head: "topic"})
}

func (w *world) look(p *fakegithub.PR) facts.PullRequest {
	w.t.Helper()
	got, err := w.client.LookPullRequest(ctx, w.pull(p))
	require.NoError(w.t, err)
	return got
}

func (w *world) apply(p *fakegithub.PR, effects ...effect.Effect) {
	w.t.Helper()
	require.NoError(w.t, w.client.Apply(ctx, w.pull(p), w.look(p).Repository, effects, noGuard))
}

const (
	query    = "graphql pull"
	headRead = "graphql head"
	factRead = "graphql Facts"
	treeRead = "GET /repos/{owner}/{repo}/git/trees/{tree_sha}"
)

// evaluate does what the loop does for a plan: look, tree, plan, head again.
func (w *world) evaluate(p *fakegithub.PR) facts.PullRequest {
	w.t.Helper()
	got := w.look(p)
	subject := w.pull(p)
	_, err := w.client.Fill(ctx, subject, &got.Common, []facts.Need{{Kind: facts.NeedTree, Commit: got.Head.OID}})
	require.NoError(w.t, err)
	plan := got.Git.Trees[got.Head.OID].Entries["plans/a.md"].OID
	seen, err := w.client.Fill(ctx, subject, &got.Common, []facts.Need{{Kind: facts.NeedBlob, OID: plan}})
	require.NoError(w.t, err)
	if seen.Head == "" { // nothing was read on the way
		tip, err := w.client.Head(ctx, subject)
		require.NoError(w.t, err)
		seen.Head = tip.Head
	}
	assert.Equal(w.t, got.Head.OID, seen.Head)
	return got
}

func TestReadBudgets(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.evaluate(p) // names and tokens are known from now on
	w.routes()

	w.evaluate(p)
	assert.Equal(t, []string{query, headRead}, w.routes(), "2 reads at an unchanged head")

	w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "more", Files: map[string]fakegithub.File{"plans/a.md": fakegithub.Text("# B\n")}})
	got := w.evaluate(p)
	assert.Equal(t, []string{query, treeRead, factRead}, w.routes(), "the plan and the head arrive together")
	assert.Len(t, got.Commits, 2)
}

func TestLookSeesWhatGitHubShows(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	p.RequestReview("anna", "lead", "acme/ml-leads")
	command := p.Comment("lead", "/pilot recheck")
	p.Review("ops", "APPROVED", "fine")
	got := w.look(p)
	assert.Equal(t, w.app.Login(), got.App.Login)
	assert.Equal(t, w.repo.ID(), got.Repository.ID)
	assert.True(t, got.Repository.OwnedByOrg)
	assert.Equal(t, w.repo.Head("main"), got.Repository.DefaultOID)
	assert.Equal(t, facts.Base{Ref: "main", OID: w.repo.Head("main")}, got.Base)
	assert.Equal(t, facts.Head{OID: w.repo.Head("topic"), Ref: "topic", Repo: w.repo.ID(), Name: "acme/pilots"}, got.Head)
	assert.Equal(t, "anna", got.Author.Login)
	assert.NotZero(t, got.Author.ID)
	require.Len(t, got.Commits, 1)
	assert.Equal(t, "plan: a pilot", got.Commits[0].Headline)
	assert.Equal(t, "anna", got.Commits[0].Author.Account.Login)
	assert.Equal(t, []string{w.repo.Head("main")}, got.Commits[0].Parents)
	require.Len(t, got.Reviews, 1)
	assert.Equal(t, [3]string{"ops", "APPROVED", got.Head.OID}, [3]string{got.Reviews[0].Author.Login, got.Reviews[0].State, got.Reviews[0].Commit})
	require.Len(t, got.Comments, 1)
	assert.Equal(t, command, got.Comments[0].ID)
	assert.False(t, got.Comments[0].Ours)
	assert.ElementsMatch(t, []facts.Asked{{Login: "lead"}, {Team: "acme/ml-leads"}}, got.Requested)
	assert.Empty(t, got.Cut)
	assert.Nil(t, got.Merge)

	w.repo.MustCommit("main", "boris", fakegithub.CommitSpec{Message: "base goes on", Files: map[string]fakegithub.File{"x": fakegithub.Text("x")}})
	assert.Equal(t, w.repo.Head("main"), w.look(p).Base.OID, "the tip as it is, not as it was pushed to")
	before := w.repo.Head("main")
	require.NoError(t, p.Merge("boris", "squash", true))
	merged := w.look(p)
	require.NotNil(t, merged.Merge)
	assert.False(t, merged.Open)
	assert.Equal(t, [2]string{w.repo.Head("main"), before}, [2]string{merged.Merge.Commit, merged.Merge.FirstParent})
	assert.Equal(t, "boris", merged.Merge.By.Login)
}

func TestRunsOfEveryHeadAreSeen(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	first := w.repo.Head("topic")
	w.apply(p, effect.Run{Name: "pilot/plan", Head: first, ExternalID: "one", Status: "completed", Conclusion: "success", Title: "t", Summary: "s", Text: "x"})
	base := w.repo.Head("main")
	w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "rewritten", Parent: base, Force: true, Files: map[string]fakegithub.File{"plans/a.md": fakegithub.Text("# C\n")}})
	second := w.repo.Head("topic")
	w.apply(p, effect.Run{Name: "pilot/plan", Head: second, ExternalID: "two", Status: "in_progress", Title: "t2", Summary: "s2"})
	got := w.look(p)
	require.Len(t, got.Runs, 2)
	assert.Equal(t, [3]string{first, "one", "success"}, [3]string{got.Runs[0].Head, got.Runs[0].ExternalID, got.Runs[0].Conclusion})
	assert.Equal(t, [4]string{second, "two", "in_progress", "s2"}, [4]string{got.Runs[1].Head, got.Runs[1].ExternalID, got.Runs[1].Status, got.Runs[1].Summary})
	require.NotEmpty(t, got.Timeline)
	assert.Equal(t, [3]string{"force_pushed", first, second}, [3]string{got.Timeline[0].Kind, got.Timeline[0].Before, got.Timeline[0].After})

	w.apply(p, effect.Run{ID: got.Runs[1].ID, NodeID: got.Runs[1].NodeID, Name: "pilot/plan", ExternalID: "two", Status: "completed", Conclusion: "failure", Title: "t3", Summary: "s3", CompletedAt: w.clock()})
	view, found := w.repo.Check(second, "pilot/plan")
	require.True(t, found)
	assert.Equal(t, [2]string{"completed", "failure"}, [2]string{view.Status, view.Conclusion})
	assert.Len(t, w.repo.CheckRuns(second), 1)
}

func TestAnnotationsArriveWhole(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	run := effect.Run{Name: "pilot/plan", Head: w.repo.Head("topic"), ExternalID: "e", Status: "completed", Conclusion: "failure", Title: "t", Summary: "s"}
	for i := range 120 {
		run.Annotations = append(run.Annotations, effect.Annotation{Path: "plans/a.md", Line: i + 1, Level: "failure", Title: "PL001", Message: fmt.Sprint(i)})
	}
	w.apply(p, run)
	got := w.look(p)
	require.Len(t, got.Runs, 1)
	assert.Equal(t, 120, got.Runs[0].Annotations)
}

func TestCommentsReactionsAndReviews(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.hub.GrantTeam("acme", "ml-leads", w.repo, "push")
	command := p.Comment("lead", "/pilot recheck")
	review := p.Review("lead", "APPROVED", "")
	before := w.look(p)
	require.Equal(t, [2]int64{command, review}, [2]int64{before.Comments[0].ID, before.Reviews[0].ID})
	w.apply(p,
		effect.Comment{Number: p.Number(), On: before.NodeID, Body: "hello"},
		effect.Acknowledge{CommentID: command, NodeID: before.Comments[0].NodeID, Content: "eyes"},
		effect.Dismiss{Number: p.Number(), ReviewID: review, NodeID: before.Reviews[0].NodeID, Message: "the plan changed"},
		effect.Ask{Number: p.Number(), Logins: []string{"ops"}, Teams: []string{"acme/ml-leads"}},
	)
	got := w.look(p)
	require.Len(t, got.Comments, 2)
	assert.True(t, got.Comments[0].Acknowledged)
	ours := got.Comments[1]
	assert.True(t, ours.Ours)
	assert.Equal(t, w.app.Login(), ours.Author.Login)
	assert.Equal(t, "DISMISSED", got.Reviews[0].State)
	assert.ElementsMatch(t, []facts.Asked{{Login: "ops"}, {Team: "acme/ml-leads"}}, got.Requested)

	w.apply(p, effect.Comment{ID: ours.ID, NodeID: ours.NodeID, Number: p.Number(), Body: "changed"})
	assert.Equal(t, "changed", w.look(p).Comments[1].Body)
	w.apply(p, effect.DeleteComment{ID: ours.ID, NodeID: ours.NodeID})
	w.apply(p, effect.DeleteComment{ID: ours.ID, NodeID: ours.NodeID})
	assert.Len(t, w.look(p).Comments, 1)
}

func TestCommitsBranchesAndPullRequests(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	tip := w.repo.Head("main")
	commit := effect.Commit{Branch: "main", Parent: tip, Message: "sign off a\n\nBody.", Files: []effect.File{{Path: "docs/log.md", Bytes: []byte("row\n")}, {Path: "big.md", Delete: true}}}
	w.apply(p, commit)
	raw, found := w.repo.File("main", "docs/log.md")
	assert.True(t, found)
	assert.Equal(t, "row\n", string(raw))
	_, found = w.repo.File("main", "big.md")
	assert.False(t, found)

	err := w.client.Apply(ctx, w.pull(p), w.look(p).Repository, []effect.Effect{commit}, noGuard)
	var conflict *gh.Conflict
	require.ErrorAs(t, err, &conflict, "the branch has moved")
	class, _ := queue.Classify(err)
	assert.Equal(t, queue.ClassTransient, class)

	at := w.repo.Head("main")
	onBranch := effect.Commit{Branch: "pilotgate/a/report", Create: true, Parent: at, Message: "report", Files: []effect.File{{Path: "docs/report.md", Bytes: []byte("r")}}}
	open := effect.Pull{Branch: "pilotgate/a/report", Base: "main", Title: "Report", Body: "b"}
	w.apply(p, onBranch, open)
	assert.Equal(t, at, w.repo.Log("pilotgate/a/report")[1].OID)
	opened := w.repo.PRs()[1]
	w.apply(p, effect.Pull{Number: opened.Number(), Branch: open.Branch, Base: "main", Title: "Report 2", Body: "b2"})
	assert.Equal(t, "Report 2", opened.View().Title)
	err = w.client.Apply(ctx, w.pull(p), w.look(p).Repository, []effect.Effect{open}, noGuard)
	assert.ErrorAs(t, err, &conflict)
}

func TestTwinsShareAHead(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.repo.MustCommit("release", "boris", fakegithub.CommitSpec{Message: "r", Parent: w.repo.Head("main")})
	twin := w.repo.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "the same into release", Head: "topic", Base: "release"})
	assert.Equal(t, []facts.Twin{{Number: twin.Number(), Base: "release"}}, w.look(p).Twins)
	assert.Equal(t, []facts.Twin{{Number: p.Number(), Base: "main"}}, w.look(twin).Twins)
	twin.Close("anna")
	assert.Empty(t, w.look(p).Twins)
}

func TestSubjectThatIsNoMore(t *testing.T) {
	for name, end := range map[string]func(*world, *fakegithub.PR) facts.Subject{
		"no such pull request": func(w *world, p *fakegithub.PR) facts.Subject { return w.subject(facts.KindPullRequest, "4711") },
		"deleted repository":   func(w *world, p *fakegithub.PR) facts.Subject { w.repo.Delete("boris"); return w.pull(p) },
		"another installation": func(w *world, p *fakegithub.PR) facts.Subject {
			s := w.pull(p)
			s.Installation += 1000
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.openPull()
			w.look(p)
			s := end(w, p)
			_, err := w.client.LookPullRequest(ctx, s)
			require.Error(t, err)
			class, _ := queue.Classify(err)
			assert.Equal(t, queue.ClassGone, class, err)
			_, err = w.client.Head(ctx, s)
			class, _ = queue.Classify(err)
			assert.Equal(t, queue.ClassGone, class, err)
		})
	}
}

func TestRenamedRepositoryIsFollowed(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.look(p)
	w.repo.Rename("boris", "renamed")
	assert.Equal(t, "acme/renamed", w.look(p).Repository.FullName())
	w.routes()
	w.look(p)
	assert.Equal(t, []string{query}, w.routes())
}

// located says where a pilot's plan stands.
func located(paths ...string) func(*facts.Common) ([]string, error) {
	return func(*facts.Common) ([]string, error) { return paths, nil }
}

func TestLookAtRepositoryAndPilot(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.repo.MustCommit("side", "anna", fakegithub.CommitSpec{Message: "s", Parent: w.repo.Head("topic"), Files: map[string]fakegithub.File{"s": fakegithub.Text("s")}})
	side := w.repo.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "into topic", Head: "side", Base: "topic"})
	w.apply(p,
		effect.Issue{Title: "Incident", Body: "text", Marker: "pilotgate:incident a"},
		effect.Commit{Branch: "pilotgate/a/report", Create: true, Parent: w.repo.Head("main"), Message: "r", Files: []effect.File{{Path: "r", Bytes: []byte("r")}}},
		effect.Pull{Branch: "pilotgate/a/report", Base: "main", Title: "Report", Body: "b"},
	)
	w.repo.OpenIssue("anna", "not ours", "<!-- pilotgate:incident a -->")
	w.routes()

	state, err := w.client.LookRepository(ctx, w.subject(facts.KindRepository, ""), ".github/PILOT_APPROVERS")
	require.NoError(t, err)
	assert.Equal(t, []string{"graphql repository", "GET /repos/{owner}/{repo}/issues"}, w.routes())
	assert.Len(t, state.OpenPulls, 2)
	assert.Contains(t, state.OpenPulls, p.Number())
	assert.NotContains(t, state.OpenPulls, side.Number())
	require.Len(t, state.Issues, 1)
	assert.Equal(t, [2]string{"pilotgate:incident a", "Incident"}, [2]string{state.Issues[0].Marker, state.Issues[0].Title})
	assert.False(t, state.Pushed.IsZero())

	require.NoError(t, p.Merge("boris", "merge", true))
	w.routes()
	pilot, err := w.client.LookPilot(ctx, w.subject(facts.KindPilot, "a"), located("plans/none.md", "plans/a.md"))
	require.NoError(t, err)
	assert.Equal(t, "plans/a.md", pilot.PlanPath)
	require.NotNil(t, pilot.Plan)
	assert.Equal(t, p.Number(), pilot.Plan.Number)
	require.Contains(t, pilot.Opened, "pilotgate/a/report")
	assert.Equal(t, [2]bool{true, false}, [2]bool{pilot.Opened["pilotgate/a/report"].Open, pilot.Opened["pilotgate/a/report"].Merged})
	w.routes()
	again, err := w.client.LookPilot(ctx, w.subject(facts.KindPilot, "a"), located("plans/a.md"))
	require.NoError(t, err)
	assert.Equal(t, []string{"graphql pilot"}, w.routes(), "where the plan stands, and who brought it, is remembered and proven")
	again.Now, again.Plan.Now = pilot.Now, pilot.Plan.Now
	assert.Equal(t, pilot, again)
	w.fill(&pilot.Common, facts.Need{Kind: facts.NeedIssues})
	assert.Len(t, pilot.Issues, 1)

	w.repo.MustCommit("main", "boris", fakegithub.CommitSpec{Message: "straight", Files: map[string]fakegithub.File{"plans/a.md": fakegithub.Text("# D\n")}})
	pilot, err = w.client.LookPilot(ctx, w.subject(facts.KindPilot, "a"), located("plans/a.md"))
	require.NoError(t, err)
	assert.Nil(t, pilot.Plan, "a direct push brought the plan as it is now")
}

// At an unfriendly GitHub every effect is there once in the end, if each error
// is answered by another look.
func TestLostAnswersDoubleNothing(t *testing.T) {
	w := newWorld(t)
	w.hub.SetFaults(&fakegithub.Faults{DropAnswerEvery: 3, ListingDelay: 1})
	p := w.openPull()
	for n := range 20 {
		name := fmt.Sprintf("pilot/check-%d", n)
		for tries := 0; ; tries++ {
			require.Less(t, tries, 30)
			got, err := w.client.LookPullRequest(ctx, w.pull(p))
			require.NoError(t, err)
			seen := false
			for _, r := range got.Runs {
				seen = seen || r.Name == name
			}
			if seen {
				break
			}
			_ = w.client.Apply(ctx, w.pull(p), got.Repository, []effect.Effect{
				effect.Run{Name: name, Head: got.Head.OID, ExternalID: name, Status: "completed", Conclusion: "success", Title: "t", Summary: "s"},
			}, func(context.Context) error { return nil })
		}
	}
	names := map[string]int{}
	for _, c := range w.repo.CheckRuns(w.repo.Head("topic")) {
		names[c.Name]++
	}
	assert.Len(t, names, 20)
	for name, n := range names {
		assert.Equal(t, 1, n, name)
	}
}

func TestNoTokenInAnyError(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.look(p)
	w.hub.RevokeTokens()
	_, err := w.client.LookPullRequest(ctx, w.pull(p))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "ghs_")
	assert.NotContains(t, strings.ToLower(err.Error()), "authorization")
	_, err = w.client.LookPullRequest(ctx, w.pull(p))
	assert.NoError(t, err, "a new token was asked for")
}

func TestMergeGroupAtTheStandIn(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	w.repo.MustCommit("other", "anna", fakegithub.CommitSpec{Message: "o", Parent: w.repo.Head("main"), Files: map[string]fakegithub.File{"o": fakegithub.Text("o")}})
	second := w.repo.OpenPR(fakegithub.PRSpec{Author: "anna", Title: "Other", Head: "other"})
	base := w.repo.Head("main")
	group := w.repo.QueueGroup("boris", p, second)
	g, err := w.client.LookMergeGroup(ctx, w.subject(facts.KindMergeGroup, group.Head+"/main"))
	require.NoError(t, err)
	assert.Equal(t, [2]string{group.Head, base}, [2]string{g.HeadOID, g.BaseOID})
	require.Len(t, g.Pulls, 2)
	assert.Equal(t, [2]int{p.Number(), second.Number()}, [2]int{g.Pulls[0].Number, g.Pulls[1].Number})
	assert.Empty(t, g.Unresolved)
}

// What our own commit brought is known: its tree has the id that GitHub names.
func TestOwnCommitIsNotReadAgain(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	c := w.common()
	base := w.repo.Head("main")
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: base})
	w.apply(p, effect.Commit{Branch: "main", Parent: base, Message: "m", Files: []effect.File{
		{Path: "docs/log.md", Bytes: []byte("row\n")}, {Path: "docs/two.md", Bytes: []byte("2")}, {Path: "docs/two/три.md", Delete: true}, {Path: "a/b/c/d", Bytes: nil},
	}})
	w.routes()
	_, err := w.client.LookDefault(ctx, w.subject(facts.KindRepository, "")) // tells which tree the new tip has
	require.NoError(t, err)
	w.routes()
	made := w.repo.Head("main")
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: made})
	log := c.Git.Trees[made].Entries["docs/log.md"]
	w.fill(c, facts.Need{Kind: facts.NeedBlob, OID: log.OID})
	assert.Empty(t, w.routes())
	assert.Equal(t, "row\n", string(c.Git.Blobs[log.OID].Bytes))

	known := c.Git.Trees[made]
	fresh, err := gh.New(w.config)
	require.NoError(t, err)
	again := w.common()
	_, err = fresh.Fill(ctx, w.subject(facts.KindRepository, ""), again, []facts.Need{{Kind: facts.NeedTree, Commit: made}})
	require.NoError(t, err)
	assert.Equal(t, again.Git.Trees[made], known, "as GitHub lists it")
}

// A commit with the files of a commit that was read is not read again.
func TestEqualTreesAreReadOnce(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	got := w.look(p)
	head := facts.Need{Kind: facts.NeedTree, Commit: got.Head.OID}
	_, err := w.client.Fill(ctx, w.pull(p), &got.Common, []facts.Need{head})
	require.NoError(t, err)
	require.NoError(t, p.Merge("boris", fakegithub.Squash, true))
	merged := w.look(p)
	require.NotEqual(t, got.Head.OID, merged.Merge.Commit)
	w.routes()
	_, err = w.client.Fill(ctx, w.pull(p), &merged.Common, []facts.Need{{Kind: facts.NeedTree, Commit: merged.Merge.Commit}, head})
	require.NoError(t, err)
	assert.Empty(t, w.routes())
	assert.Equal(t, got.Git.Trees[got.Head.OID], merged.Git.Trees[merged.Merge.Commit])
}

// Who pushed is asked once for a head, and again when the branch may have left
// it and come back, or while GitHub's log lags behind.
func TestPushersAreAskedOnceForAHead(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	head := w.repo.Head("topic")
	asks := func(n facts.Need) int {
		t.Helper()
		c := w.common()
		_, err := w.client.Fill(ctx, w.pull(p), c, []facts.Need{n})
		require.NoError(t, err)
		require.Contains(t, c.Pushers, n.Key())
		return len(w.routes())
	}
	n := facts.Need{Kind: facts.NeedPushers, Repo: "acme/pilots", Branch: "topic", Commit: head}
	assert.Equal(t, []int{1, 0, 0}, []int{asks(n), asks(n), asks(n)})
	n.Moves = 1
	assert.Equal(t, []int{1, 0}, []int{asks(n), asks(n)})
	n.Commit = nowhere
	assert.Equal(t, []int{1, 1}, []int{asks(n), asks(n)}, "the log does not know this head yet")
}

// The head is seen after the facts of the same look were read, in their query.
func TestLastFactsSeeTheHead(t *testing.T) {
	w := newWorld(t)
	p := w.openPull()
	got := w.look(p)
	before := time.Now()
	seen, err := w.client.Fill(ctx, w.pull(p), &got.Common, []facts.Need{{Kind: facts.NeedTeam, Team: "acme/ml"}, {Kind: facts.NeedTag, Tag: "v9.0.0"}})
	require.NoError(t, err)
	assert.Equal(t, got.Head.OID, seen.Head)
	assert.False(t, seen.At.Before(before))
	assert.True(t, got.Tags["v9.0.0"].Absent)
	assert.Len(t, got.Teams["acme/ml"].Members, 2)
	assert.NotEmpty(t, got.Teams["acme/ml"].NodeID)

	w.routes()
	again := w.look(p)
	assert.True(t, again.Tags["v9.0.0"].Absent, "the tag comes with the next look")
	w.repo.Tag("boris", "v9.0.0", w.repo.Head("main"), "")
	assert.Equal(t, w.repo.Head("main"), w.look(p).Tags["v9.0.0"].OID)

	w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "more", Files: map[string]fakegithub.File{"plans/a.md": fakegithub.Text("# B\n")}})
	moved, err := w.client.Fill(ctx, w.pull(p), &again.Common, []facts.Need{{Kind: facts.NeedTag, Tag: "v8.0.0"}})
	require.NoError(t, err)
	assert.NotEqual(t, got.Head.OID, moved.Head)
}
