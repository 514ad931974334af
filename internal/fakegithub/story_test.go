package fakegithub_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

func TestMergeMethods(t *testing.T) {
	for method, want := range map[string]struct {
		parents int
		signed  bool
	}{MergeCommit: {2, true}, Squash: {1, true}, Rebase: {1, false}} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, Options{Tick: time.Second})
			pr := w.plan()
			w.repo.MustCommit("main", "cyd", CommitSpec{Files: map[string]File{"other.md": Text("x")}})
			require.NoError(t, pr.Merge("cyd", method, false))
			tip := w.repo.Log("main")[0]
			assert.Equal(t, pr.View().MergeCommit, tip.OID)
			assert.Len(t, tip.Parents, want.parents)
			assert.Equal(t, want.signed, tip.SignedByGitHub)
			assert.Contains(t, w.repo.Files("main"), "docs/plan.md")
			assert.Contains(t, w.repo.Files("main"), "other.md")
			assert.Error(t, pr.Merge("cyd", method, false), "merged twice")
		})
	}
}

func TestMergeIsRefused(t *testing.T) {
	t.Run("the head moved", func(t *testing.T) {
		w := newWorld(t, Options{})
		pr := w.plan()
		old := pr.View().Head
		w.repo.MustCommit("plan", "ada", CommitSpec{Files: map[string]File{"docs/plan.md": Text("new\n")}})
		w.must(409, "PUT", fmt.Sprintf("%s/pulls/%d/merge", repoPath, pr.Number()), map[string]any{"sha": old})
	})
	t.Run("conflict", func(t *testing.T) {
		w := newWorld(t, Options{})
		pr := w.plan()
		w.repo.MustCommit("main", "cyd", CommitSpec{Files: map[string]File{"docs/plan.md": Text("mine\n")}})
		w.must(405, "PUT", fmt.Sprintf("%s/pulls/%d/merge", repoPath, pr.Number()), map[string]any{})
		assert.Error(t, pr.UpdateBranch("ada"))
	})
	t.Run("required check and review", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.repo.Protect("main", &Protection{RequiredChecks: []string{"gate"}, RequiredReviews: 1})
		pr := w.plan()
		path := fmt.Sprintf("%s/pulls/%d/merge", repoPath, pr.Number())
		assert.Contains(t, w.must(405, "PUT", path, map[string]any{}).at("message"), `"gate" is expected`)
		w.must(201, "POST", repoPath+"/check-runs", map[string]any{"name": "gate", "head_sha": pr.View().Head, "conclusion": "success"})
		assert.Contains(t, w.must(405, "PUT", path, map[string]any{}).at("message"), "approving review")
		_, err := pr.TryReview("ada", Approved, "")
		require.Error(t, err, "nobody approves their own pull request")
		pr.Review("ben", Approved, "")
		w.must(200, "PUT", path, map[string]any{})
	})
	t.Run("an admin bypasses, nobody else", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.repo.Protect("main", &Protection{RequiredChecks: []string{"gate"}})
		pr := w.plan()
		require.Error(t, pr.Merge("ben", MergeCommit, true))
		require.NoError(t, pr.Merge("cyd", MergeCommit, true))
	})
}

func TestForcePushRebindsReviewsOfAnIdenticalPatch(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	old := pr.View().Head
	pr.Review("ben", Approved, "")
	moved := w.repo.MustCommit("main", "cyd", CommitSpec{Files: map[string]File{"other.md": Text("x")}})
	rebased := w.repo.MustCommit("plan", "ada", CommitSpec{Parent: moved, Files: map[string]File{"docs/plan.md": Text("# Plan\n\nseed: 7\n")}, Force: true})
	assert.NotEqual(t, old, rebased)
	assert.Equal(t, rebased, pr.View().Reviews[0].Commit, "GitHub re-binds the review to the new head")
	changed := w.repo.MustCommit("plan", "ada", CommitSpec{Parent: moved, Files: map[string]File{"docs/plan.md": Text("# Plan\n\nseed: 8\n")}, Force: true})
	assert.NotEqual(t, changed, pr.View().Reviews[0].Commit, "another patch leaves it where it was")
	p := w.whole(pr)
	assert.Equal(t, old, p.at("data", "repository", "pullRequest", "timelineItems", "nodes", 0, "beforeCommit", "oid"))
}

func TestUpdateBranchAndSuggestionAreGitHubsCommits(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	w.repo.MustCommit("main", "cyd", CommitSpec{Files: map[string]File{"other.md": Text("x")}})
	require.NoError(t, pr.UpdateBranch("ada"))
	pr.Suggestion("ada", []string{"ben"}, map[string]File{"docs/plan.md": Text("# Plan\n\nseed: 9\n")})
	log := w.repo.Log("plan")
	assert.True(t, log[0].SignedByGitHub)
	assert.Equal(t, "ada", log[0].Author)
	assert.Contains(t, log[0].Message, "Co-authored-by: ben <ben@acme.test>")
	assert.True(t, log[1].SignedByGitHub)
	assert.Len(t, log[1].Parents, 2)
	nodes := w.whole(pr)
	last := nodes.len("data", "repository", "pullRequest", "commits", "nodes") - 1
	assert.Equal(t, "web-flow", nodes.at("data", "repository", "pullRequest", "commits", "nodes", last, "commit", "signature", "signer", "login"))
	assert.Equal(t, "ben", nodes.at("data", "repository", "pullRequest", "commits", "nodes", last, "commit", "authors", "nodes", 1, "user", "login"))
}

func TestDirectPushesAndRefs(t *testing.T) {
	w := newWorld(t, Options{})
	main := w.repo.Head("main")
	side := w.repo.MustCommit("side", "ada", CommitSpec{Files: map[string]File{"s.md": Text("s")}})
	w.repo.MustCommit("main", "cyd", CommitSpec{Files: map[string]File{"m.md": Text("m")}})

	w.must(422, "POST", repoPath+"/git/refs", map[string]any{"ref": "refs/heads/side", "sha": main})
	w.must(422, "POST", repoPath+"/git/refs", map[string]any{"ref": "heads/x", "sha": main})
	w.must(422, "POST", repoPath+"/git/refs", map[string]any{"ref": "refs/heads/side/deeper", "sha": main})
	fast := w.must(422, "PATCH", repoPath+"/git/refs/heads/main", map[string]any{"sha": side, "force": false})
	assert.Equal(t, "Update is not a fast forward", fast.at("message"))
	w.must(201, "POST", repoPath+"/git/refs", map[string]any{"ref": "refs/claims/p1/a", "sha": main})
	w.must(422, "POST", repoPath+"/git/refs", map[string]any{"ref": "refs/claims/p1/a", "sha": main})

	sha := w.must(200, "GET", repoPath+"/contents/docs/a.md", nil).at("sha")
	put := func(sha any) int {
		return w.do("PUT", repoPath+"/contents/docs/a.md", map[string]any{"message": "m", "content": "eA==", "sha": sha}).status
	}
	assert.Equal(t, 200, put(sha))
	assert.Equal(t, 409, put(sha), "a stale file sha")

	rs := w.repo.AddRuleset(Ruleset{Name: "r", Branches: []string{"main"}, PullRequest: true})
	assert.Equal(t, 409, put(w.must(200, "GET", repoPath+"/contents/docs/a.md", nil).at("sha")), "the ruleset asks for a pull request")
	w.repo.RemoveRuleset(rs)
	w.repo.AddRuleset(Ruleset{Name: "r", Branches: []string{"main"}, PullRequest: true, BypassApps: []int64{w.app.ID()}})
	assert.Equal(t, 200, put(w.must(200, "GET", repoPath+"/contents/docs/a.md", nil).at("sha")), "the App may bypass")
	w.repo.Protect("main", &Protection{RequiredChecks: []string{"gate"}})
	assert.Equal(t, 409, put(w.must(200, "GET", repoPath+"/contents/docs/a.md", nil).at("sha")), "classic required checks cannot be bypassed")
}

func TestGitReadsWhatIsExported(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here")
	}
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	w.repo.MustCommit("plan", "ben", CommitSpec{Files: map[string]File{
		"link": {Mode: ModeSymlink, Data: []byte("docs/a.md")}, "a-b/c": Text("1"), "a/c": Text("2"), "a.b": Text("3"), "кириллица.md": Text("4"),
		"vendored": {Mode: ModeSubmodule, Data: []byte("0123456789012345678901234567890123456789")},
	}, CoAuthors: []string{"cyd"}})
	require.NoError(t, pr.Merge("cyd", MergeCommit, false))
	w.repo.Tag("cyd", "v1.0.0", w.repo.Head("main"), "first")
	w.must(200, "PUT", repoPath+"/contents/docs/a.md", map[string]any{"message": "m", "content": "eA==", "sha": w.must(200, "GET", repoPath+"/contents/docs/a.md", nil).at("sha")})

	dir := t.TempDir() + "/bare.git"
	require.NoError(t, w.repo.Export(dir))
	out, err := exec.Command(git, "--git-dir", dir, "fsck", "--strict", "--full").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(git, "clone", "-q", dir, t.TempDir()+"/clone").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(git, "--git-dir", dir, "rev-parse", "main^{tree}", "v1.0.0^{commit}").CombinedOutput()
	require.NoError(t, err, string(out))
	log := w.repo.Log("main")
	assert.Equal(t, log[0].Tree+"\n"+log[1].OID+"\n", string(out), "git computes the same ids")
}

func TestForks(t *testing.T) {
	w := newWorld(t, Options{})
	fork := w.repo.Fork("outsider")
	fork.MustCommit("idea", "outsider", CommitSpec{Files: map[string]File{"docs/x.md": Text("x")}})
	pr := w.repo.OpenPR(PRSpec{Author: "outsider", Title: "From outside", Head: "idea", From: fork})
	p := w.whole(pr)
	assert.Equal(t, true, p.at("data", "repository", "pullRequest", "isCrossRepository"))
	assert.Equal(t, "NONE", w.must(200, "GET", fmt.Sprintf("%s/pulls/%d", repoPath, pr.Number()), nil).at("author_association"))
	assert.Equal(t, 404, w.do("GET", "/api/v3/repos/outsider/pilots", nil).status, "the App is not installed there")
	assert.Equal(t, 200, w.do("GET", repoPath+"/git/trees/"+pr.View().Head, nil).status, "but the fork's objects are in the network")
	fork.Delete("outsider")
	assert.Nil(t, w.whole(pr).at("data", "repository", "pullRequest", "headRepository"))
}

func TestRenamedRepositoryRedirects(t *testing.T) {
	w := newWorld(t, Options{})
	w.repo.Rename("cyd", "trials")
	r := w.do("GET", repoPath+"/branches/main?x=1", nil)
	assert.Equal(t, 301, r.status)
	assert.Equal(t, fmt.Sprintf("http://github.test/api/v3/repositories/%d/branches/main?x=1", w.repo.ID()), r.header.Get("Location"))
	assert.Equal(t, 200, w.do("GET", "/api/v3/repos/acme/trials", nil).status)
	w.repo.Transfer("cyd", "outsider")
	assert.Equal(t, 404, w.do("GET", "/api/v3/repos/acme/trials", nil).status, "the installation lost it")
}

func TestMergeQueue(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	g := w.repo.QueueGroup("cyd", pr)
	assert.Equal(t, g.Head, w.repo.Head(g.Ref))
	assert.Contains(t, w.repo.Files(g.Head), "docs/plan.md")
	assert.Contains(t, w.events(), "merge_group.checks_requested")
	w.repo.MergeGroup("cyd", g, pr)
	assert.True(t, pr.View().Merged)
	assert.Equal(t, g.Head, w.repo.Head("main"))
}

func TestLaunchWaitsForTheApp(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	w.repo.Guard("finetune", w.app)
	dispatched := w.must(200, "POST", repoPath+"/actions/workflows/train.yml/dispatches", map[string]any{"ref": "main", "inputs": map[string]any{"pilot": "p1"}, "return_run_details": true})
	run := int64(dispatched.at("workflow_run_id").(float64))
	assert.Equal(t, "Train p1", w.repo.Runs()[0].Title)
	w.repo.Wait(run, "finetune")
	assert.Contains(t, w.events(), "deployment_protection_rule.requested")
	decide := func(state string) int {
		return w.do("POST", fmt.Sprintf("%s/actions/runs/%d/deployment_protection_rule", repoPath, run), map[string]any{"environment_name": "finetune", "state": state, "comment": "because"}).status
	}
	assert.Equal(t, 1, w.must(200, "GET", repoPath+"/actions/runs?status=waiting", nil).len("workflow_runs"))
	assert.Equal(t, 204, decide("approved"))
	assert.Equal(t, "in_progress", w.repo.Runs()[0].Status)
	assert.Equal(t, 422, decide("approved"), "decided once")
	w.repo.CompleteRun(run, "success", map[string]map[string][]byte{"results": {"a.json": []byte("{}")}})
	a := w.must(200, "GET", fmt.Sprintf("%s/actions/runs/%d/artifacts", repoPath, run), nil)
	assert.Contains(t, a.at("artifacts", 0, "digest"), "sha256:")
	w.repo.SetArtifactDigest(run, false)
	assert.Nil(t, w.must(200, "GET", fmt.Sprintf("%s/actions/runs/%d/artifacts", repoPath, run), nil).at("artifacts", 0, "digest"))
	w.repo.ExpireArtifacts(run)
	w.must(410, "GET", fmt.Sprintf("%s/actions/artifacts/%d/zip", repoPath, int64(a.at("artifacts", 0, "id").(float64))), nil)
}

func TestDeploymentsReplaceEachOther(t *testing.T) {
	w := newWorld(t, Options{})
	for range 2 {
		d := w.must(201, "POST", repoPath+"/deployments", map[string]any{"ref": "main", "environment": "model", "required_contexts": []string{}})
		w.must(201, "POST", fmt.Sprintf("%s/deployments/%d/statuses", repoPath, int64(d.at("id").(float64))), map[string]any{"state": "success"})
	}
	ds := w.repo.Deployments()
	assert.Equal(t, []string{"success", "inactive"}, ds[0].States)
	assert.Equal(t, []string{"success"}, ds[1].States)
}

func TestHistoryTellsWhatHappened(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	id := pr.Review("ben", Approved, "")
	pr.DismissReview("cyd", id, "no")
	require.NoError(t, pr.Merge("cyd", Squash, false))
	var kinds []string
	var commits []Event
	for _, e := range w.gh.History() {
		if e.Kind == "commit" {
			commits = append(commits, e)
		}
		if e.Kind == "review" || e.Kind == "review_dismissed" || e.Kind == "merge" || e.Kind == "pull_opened" {
			kinds = append(kinds, e.Kind)
		}
	}
	assert.Equal(t, []string{"pull_opened", "review", "review_dismissed", "merge"}, kinds)
	require.Len(t, commits, 3, "the first, the plan's and the merge, each once")
	assert.Equal(t, "ada", commits[1].Data["author"])
	assert.Contains(t, commits[1].Data["files"], "docs/plan.md")
	assert.Equal(t, true, commits[2].Data["signed_by_github"])
}

func TestTeams(t *testing.T) {
	w := newWorld(t, Options{})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "ops", Members: []string{"ada"}})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "night", Parent: "ops", Members: []string{"ben"}})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "quiet", Secret: true})
	w.gh.SetTeamMember("acme", "ops", "cyd", "pending")
	q := `{ organization(login: "acme") { team(slug: "ops") { members(first: 10, membership: ALL) { nodes { login } } } } }`
	r := w.graphql(q, nil)
	assert.Equal(t, 2, r.len("data", "organization", "team", "members", "nodes"), "child teams are in, invitations are not: %s", r.raw)
	assert.Equal(t, "pending", w.must(200, "GET", "/orgs/acme/teams/ops/memberships/cyd", nil).at("state"))
	assert.Panics(t, func() { w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "deep", Parent: "quiet"}) }, "secret teams do not nest")
	w.gh.RenameTeam("acme", "ops", "operations")
	assert.Equal(t, 404, w.do("GET", "/orgs/acme/teams/ops", nil).status)
}
