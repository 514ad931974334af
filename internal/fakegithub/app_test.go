package fakegithub_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

func TestInstallationsComeAndGo(t *testing.T) {
	w := newWorld(t, Options{})
	other := w.gh.CreateRepo(RepoSpec{Owner: "acme", Name: "other", Files: map[string]File{"a": Text("a")}})
	narrow := w.gh.CreateApp(AppSpec{Slug: "narrow", Permissions: permissions, Secret: "n"})
	id := narrow.Install("acme", w.repo)
	w.token = narrow.Token(id)
	sees := func() []bool {
		return []bool{w.do("GET", repoPath, nil).status == 200, w.do("GET", "/repos/acme/other", nil).status == 200}
	}
	assert.Equal(t, []bool{true, false}, sees())
	narrow.SetRepository(id, other, true)
	narrow.SetRepository(id, w.repo, false)
	assert.Equal(t, []bool{false, true}, sees())
	narrow.Uninstall(id)
	assert.Equal(t, 401, w.do("GET", "/repos/acme/other", nil).status)

	var told []string
	for _, d := range w.gh.Deliveries() {
		if d.Installation == id {
			told = append(told, d.Event+"."+d.Action)
		}
	}
	assert.Equal(t, []string{
		"installation.created", "installation_repositories.added", "installation_repositories.removed", "installation.deleted",
	}, told)
}

// Deleted people are ghosts with what they wrote still there.
func TestDeletedUserIsGhost(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	pr.Review("ben", Approved, "")
	w.gh.DeleteUser("ben")
	p := w.whole(pr)
	assert.Equal(t, "ghost", p.at("data", "repository", "pullRequest", "reviews", "nodes", 0, "author", "login"))
	assert.Equal(t, 404, w.do("GET", "/users/ben", nil).status)
}

// An outsider's address makes a commit that GitHub attributes to nobody.
func TestUnattributedCommit(t *testing.T) {
	w := newWorld(t, Options{})
	w.repo.MustCommit("plan", "ada", CommitSpec{Files: map[string]File{"docs/plan.md": Text("x")}, AuthorName: "Somebody", AuthorEmail: "nobody@nowhere.test"})
	pr := w.repo.OpenPR(PRSpec{Author: "ada", Title: "A plan", Head: "plan"})
	p := w.whole(pr)
	assert.Nil(t, p.at("data", "repository", "pullRequest", "commits", "nodes", 0, "commit", "author", "user"))
	activity := w.must(200, "GET", repoPath+"/activity?ref=plan", nil)
	assert.Equal(t, "ada", activity.at(0, "actor", "login"), "but the push is ada's")
}

func TestImport(t *testing.T) {
	w := newWorld(t, Options{})
	dir := fstest.MapFS{
		"docs/plan.md": {Data: []byte("plan")}, "tool.sh": {Data: []byte("x"), Mode: 0o755}, ".git/config": {Data: []byte("secret")},
	}
	_, err := w.repo.Import("cyd", dir, 2, 5)
	require.NoError(t, err, "at both caps")
	assert.Equal(t, []string{"docs/plan.md", "tool.sh"}, w.repo.Files("main"))
	_, err = w.repo.Import("cyd", dir, 1, 5)
	require.ErrorContains(t, err, "too many files")
	_, err = w.repo.Import("cyd", dir, 2, 4)
	require.ErrorContains(t, err, "too many bytes")
}

func TestRevertOpensAPullRequest(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	require.NoError(t, pr.Merge("cyd", MergeCommit, false))
	back := pr.Revert("ben")
	require.NoError(t, back.Merge("cyd", Squash, false))
	assert.NotContains(t, w.repo.Files("main"), "docs/plan.md")
}

// Under synctest the stand-in waits for nothing but the clock of the bubble.
func TestTimeIsTheBubbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Now: time.Now, Faults: &Faults{Latency: 50 * time.Millisecond}})
		got := 0
		w.gh.DeliverTo(func(context.Context, Delivery) (int, error) {
			time.Sleep(time.Second)
			got++
			return 202, nil
		})
		w.clock.t = time.Now()
		start := time.Now()
		w.must(200, "GET", repoPath, nil)
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
		w.gh.Flush()
		assert.Equal(t, len(w.gh.Deliveries()), got)
		w.gh.Close()
	})
}

func TestPayloadsOfEveryEventNameTheInstallation(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	pr.Review("ben", ChangesRequested, "no")
	pr.Comment("ben", "why?")
	pr.Label("ada", "x")
	w.repo.Release("cyd", "v1.0.0", false)
	w.repo.StartRun(RunSpec{Workflow: ".github/workflows/train.yml", Actor: "ada"})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "ml"})
	w.gh.SetTeamMember("acme", "ml", "ada", "member")
	kinds := map[string]bool{}
	for _, d := range w.gh.Deliveries() {
		kinds[d.Event] = true
		var p struct {
			Installation struct{ ID int64 }
			Sender       struct{ Login string }
			Organization struct{ Login string }
		}
		require.NoError(t, json.Unmarshal(d.Payload, &p))
		assert.Equal(t, w.inst, p.Installation.ID, d.Event)
		assert.NotEmpty(t, p.Sender.Login, d.Event)
		assert.Equal(t, "acme", p.Organization.Login, d.Event)
	}
	for _, e := range []string{"installation", "push", "create", "pull_request", "pull_request_review", "issue_comment", "check_suite", "release", "workflow_run", "team", "membership"} {
		assert.True(t, kinds[e], e)
	}
}
