package gh_test

import (
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/scan"
)

// common is a snapshot of the world's repository with nothing in it.
func (w *world) common() *facts.Common {
	w.t.Helper()
	r, err := w.client.Repository(ctx, w.install, w.repo.ID())
	require.NoError(w.t, err)
	w.routes()
	return &facts.Common{Repository: r}
}

func (w *world) fill(c *facts.Common, needs ...facts.Need) {
	w.t.Helper()
	_, err := w.client.Fill(ctx, w.subject(facts.KindRepository, ""), c, needs)
	require.NoError(w.t, err)
	for _, n := range needs {
		assert.True(w.t, c.Answered(n), n.String())
	}
}

const nowhere = "abababababababababababababababababababab"

func TestFillGitData(t *testing.T) {
	w := newWorld(t)
	base := w.repo.Head("main")
	topic := w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "a", Files: map[string]fakegithub.File{"a": fakegithub.Text("a")}})
	main := w.repo.MustCommit("main", "boris", fakegithub.CommitSpec{Message: "b", Files: map[string]fakegithub.File{"b": fakegithub.Text("b")}})
	w.repo.Tag("boris", "v1.0.0", base, "")
	c := w.common()
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: base}, facts.Need{Kind: facts.NeedTree, Commit: nowhere}, facts.Need{Kind: facts.NeedTree, Commit: "main"})
	assert.True(t, c.Git.Trees[nowhere].Absent)
	assert.True(t, c.Git.Trees["main"].Absent, "a name is no commit id")
	tree := c.Git.Trees[base]
	assert.False(t, tree.Truncated)
	require.Len(t, tree.Entries, 6)
	assert.Equal(t, facts.Entry{OID: tree.Entries["docs/link.md"].OID, Mode: "120000", Size: 12}, tree.Entries["docs/link.md"])

	big, full, link := tree.Entries["big.md"].OID, tree.Entries["full.md"].OID, tree.Entries["docs/link.md"].OID
	needs := []facts.Need{
		{Kind: facts.NeedBlob, OID: big},
		{Kind: facts.NeedBlob, OID: full},
		{Kind: facts.NeedBlob, OID: link},
		{Kind: facts.NeedBlob, OID: nowhere},
		{Kind: facts.NeedMergeBase, Base: main, Commit: topic},
		{Kind: facts.NeedReach, Base: main, Commit: topic},
		{Kind: facts.NeedReach, Base: main, Commit: base},
		{Kind: facts.NeedReach, Base: main, Commit: nowhere},
		{Kind: facts.NeedTag, Tag: "v1.0.0"},
		{Kind: facts.NeedTag, Tag: "v1"},
		{Kind: facts.NeedTag, Tag: "../heads/main"},
		{Kind: facts.NeedMade, Commit: base},
		{Kind: facts.NeedMade, Commit: nowhere},
		{Kind: facts.NeedMade, Commit: "main"},
	}
	w.fill(c, needs...)
	assert.True(t, c.Git.Blobs[big].TooLarge)
	assert.Len(t, c.Git.Blobs[full].Bytes, facts.MaxBlob)
	assert.Equal(t, "../README.md", string(c.Git.Blobs[link].Bytes))
	assert.True(t, c.Git.Blobs[nowhere].Absent)
	assert.Equal(t, base, c.Bases[main+".."+topic])
	assert.Equal(t, facts.Reach{}, c.Reach[main+".."+topic])
	assert.Equal(t, facts.Reach{Reachable: true}, c.Reach[main+".."+base])
	assert.True(t, c.Reach[main+".."+nowhere].Absent)
	assert.Equal(t, base, c.Tags["v1.0.0"].OID)
	assert.True(t, c.Tags["v1"].Absent)
	assert.True(t, c.Tags["../heads/main"].Absent)
	assert.False(t, c.Made[base].At.IsZero())
	assert.False(t, c.Made[base].Absent)
	assert.True(t, c.Made[nowhere].Absent)
	assert.True(t, c.Made["main"].Absent, "a name is no commit id")

	w.routes()
	again := w.common()
	w.fill(again, facts.Need{Kind: facts.NeedTree, Commit: base}, facts.Need{Kind: facts.NeedBlob, OID: full}, needs[4], needs[5], needs[6])
	assert.Empty(t, w.routes(), "what is named by its content is not read twice")
}

func TestAnsweredNeedIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	c := w.common()
	need := facts.Need{Kind: facts.NeedTag, Tag: "v9"}
	w.fill(c, need, need)
	w.fill(c, need)
	assert.Len(t, w.routes(), 1)
}

func TestFillTeams(t *testing.T) {
	w := newWorld(t)
	logins := func(name string) []string {
		c := w.common()
		w.fill(c, facts.Need{Kind: facts.NeedTeam, Team: name})
		var out []string
		for _, a := range c.Teams[name].Members {
			assert.NotZero(t, a.ID)
			assert.Equal(t, "User", a.Type)
			out = append(out, a.Login)
		}
		sort.Strings(out)
		return out
	}
	assert.Equal(t, []string{"boris", "lead"}, logins("acme/ml"), "a child team's people are the parent's")
	w.hub.SetTeamMember("acme", "ml-leads", "ops", "member")
	assert.Equal(t, []string{"boris", "lead"}, logins("acme/ml"), "within the minute")
	w.pass(time.Minute)
	assert.Equal(t, []string{"boris", "lead", "ops"}, logins("acme/ml"))
	w.hub.SetTeamMember("acme", "ml-leads", "ops", "")
	w.client.ForgetPeople(w.install)
	assert.Equal(t, []string{"boris", "lead"}, logins("acme/ml"), "an event drops it")

	c := w.common()
	w.fill(c, facts.Need{Kind: facts.NeedTeam, Team: "acme/none"}, facts.Need{Kind: facts.NeedTeam, Team: "none"}, facts.Need{Kind: facts.NeedTeam, Team: "other/ml"})
	assert.True(t, c.Teams["acme/none"].Absent && c.Teams["none"].Absent && c.Teams["other/ml"].Absent)
}

func TestFillPushers(t *testing.T) {
	w := newWorld(t)
	head := w.repo.MustCommit("topic", "anna", fakegithub.CommitSpec{Message: "a", Files: map[string]fakegithub.File{"a": fakegithub.Text("a")}})
	head = w.repo.MustCommit("topic", "lead", fakegithub.CommitSpec{Message: "by another, in her name", Author: "anna", Committer: "anna", Parent: head, Files: map[string]fakegithub.File{"a": fakegithub.Text("b")}})
	c := w.common()
	known := facts.Need{Kind: facts.NeedPushers, Repo: "acme/pilots", Branch: "topic", Commit: head}
	unknown := facts.Need{Kind: facts.NeedPushers, Repo: "other/fork", Branch: "topic", Commit: head}
	w.fill(c, known, unknown)
	var logins []string
	pushes := c.Pushers[known.Key()].Pushes
	for _, p := range pushes {
		logins = append(logins, p.By.Login)
	}
	assert.Equal(t, []string{"lead", "anna"}, logins, "newest first")
	assert.Equal(t, head, pushes[0].After)
	assert.Equal(t, pushes[1].After, pushes[0].Before)
	assert.True(t, c.Pushers[unknown.Key()].Unknown)
}

func TestFillBranch(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*world)
		want facts.Branch
	}{
		"free": {func(*world) {}, facts.Branch{}},
		"classic checks": {func(w *world) {
			w.repo.Protect("main", &fakegithub.Protection{RequiredChecks: []string{"pilot/approvals"}})
		}, facts.Branch{Guarded: true}},
		"classic reviews": {func(w *world) { w.repo.Protect("main", &fakegithub.Protection{RequiredReviews: 1}) }, facts.Branch{Guarded: true, ReviewRequired: true}},
		"a ruleset": {func(w *world) {
			w.repo.AddRuleset(fakegithub.Ruleset{Name: "r", Branches: []string{"~DEFAULT_BRANCH"}, PullRequest: true, RequiredReviews: 1})
		}, facts.Branch{Guarded: true, ReviewRequired: true}},
		"a ruleset that we may pass": {func(w *world) {
			w.repo.AddRuleset(fakegithub.Ruleset{Name: "r", Branches: []string{"main"}, PullRequest: true, RequiredReviews: 1, RequiredChecks: []string{"x"}, BypassApps: []int64{w.app.ID()}})
		}, facts.Branch{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.set(w)
			common := w.common()
			w.fill(common, facts.Need{Kind: facts.NeedBranch, Branch: "main"}, facts.Need{Kind: facts.NeedBranch, Branch: "none"})
			c.want.OID = w.repo.Head("main")
			assert.Equal(t, c.want, common.Branches["main"])
			assert.True(t, common.Branches["none"].Absent)
		})
	}
}

func TestFillScan(t *testing.T) {
	pool := scan.New(scan.Options{})
	defer pool.Close()
	w := newWorld(t, func(c *gh.Config) { c.Scanner = pool })
	c := w.common()
	head := w.repo.Head("main")
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: head})
	entry := c.Git.Trees[head].Entries["data/a.jsonl"]
	here := &facts.ScanRequest{Path: "data/a.jsonl", OID: entry.OID, Size: entry.Size, Locale: "ru"}
	lost := &facts.ScanRequest{Path: "data/b.jsonl", OID: nowhere, Locale: "ru"}
	elsewhere := &facts.ScanRequest{Path: "data/a.jsonl", OID: entry.OID, Repository: "other/data", Locale: "ru"}
	w.fill(c, facts.Need{Kind: facts.NeedScan, Scan: here}, facts.Need{Kind: facts.NeedScan, Scan: lost}, facts.Need{Kind: facts.NeedScan, Scan: elsewhere})
	assert.Equal(t, 2, c.Scans[here.Key()].Facts.Records)
	assert.True(t, c.Scans[lost.Key()].Absent)
	assert.True(t, c.Scans[elsewhere.Key()].Absent)
}

func TestFillErrorsAreNoAnswers(t *testing.T) {
	for name, failure := range map[string]*fakegithub.Failure{
		"bad gateway": {Status: 502},
		"cut off":     {Abort: true},
		"other bytes": {Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: "{\"tree\": ["},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.common()
			w.hub.Inject(func(r *http.Request) *fakegithub.Failure {
				if strings.HasSuffix(r.URL.Path, "/access_tokens") {
					return nil
				}
				return failure
			})
			for _, n := range []facts.Need{
				{Kind: facts.NeedTree, Commit: w.repo.Head("main")},
				{Kind: facts.NeedBlob, OID: nowhere},
				{Kind: facts.NeedTeam, Team: "acme/ml"},
				{Kind: facts.NeedReach, Commit: nowhere, Base: w.repo.Head("main")},
			} {
				_, err := w.client.Fill(ctx, w.subject(facts.KindRepository, ""), c, []facts.Need{n})
				require.Error(t, err, n.String())
				class, _ := queue.Classify(err)
				assert.Equal(t, queue.ClassTransient, class, err)
				assert.False(t, c.Answered(n), n.String())
			}
		})
	}
}

func TestTruncatedTreeSaysSo(t *testing.T) {
	w := newWorld(t)
	w.repo.TruncateTrees(2)
	c := w.common()
	head := w.repo.Head("main")
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: head})
	assert.True(t, c.Git.Trees[head].Truncated)
	w.repo.TruncateTrees(1000)
	c = w.common()
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: head})
	assert.False(t, c.Git.Trees[head].Truncated, "a cut listing is not kept")
}
