package fakegithub_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

// Every listing and every object of a busy repository has GitHub's shape: the
// world's client holds each exchange against the description.
func TestShapes(t *testing.T) {
	w := newWorld(t, Options{})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "ml", Members: []string{"ben"}})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "ml-leads", Parent: "ml", Members: []string{"cyd"}})
	w.gh.GrantTeam("acme", "ml", w.repo, "write")
	pr := w.plan()
	head := pr.View().Head
	w.repo.Protect("main", &Protection{RequiredChecks: []string{"gate"}, RequiredReviews: 1})
	rs := w.repo.AddRuleset(Ruleset{Name: "r", Branches: []string{"~DEFAULT_BRANCH"}, RequiredChecks: []string{"gate"}, PullRequest: true, BypassApps: []int64{w.app.ID()}})
	review := pr.Review("ben", Approved, "good")
	pr.Label("cyd", "pilot")
	comment := pr.Comment("ben", "hello")
	run := w.repo.StartRun(RunSpec{Workflow: ".github/workflows/train.yml", Actor: "ada", Inputs: map[string]string{"pilot": "p1"}})
	w.repo.Guard("finetune", w.app)
	w.repo.Wait(run, "finetune")
	w.repo.Release("cyd", "v1.0.0", false)
	w.repo.Tag("cyd", "v0.9.0", w.repo.Head("main"), "annotated")

	check := w.must(201, "POST", repoPath+"/check-runs", map[string]any{
		"name": "gate", "head_sha": head, "status": "completed", "conclusion": "failure", "external_id": "x1",
		"output": map[string]any{"title": "2 findings", "summary": "look", "annotations": []any{map[string]any{
			"path": "docs/plan.md", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no seed", "title": "seed",
		}}},
		"actions": []any{map[string]any{"label": "Mend", "description": "Mends it", "identifier": "mend"}},
	})
	runID := int64(check.at("id").(float64))
	issue := w.must(201, "POST", repoPath+"/issues", map[string]any{"title": "An incident", "body": "text", "labels": []string{"incident"}})
	number := int(issue.at("number").(float64))
	w.must(201, "POST", fmt.Sprintf("%s/issues/%d/comments", repoPath, number), map[string]any{"body": "note"})
	w.must(201, "POST", fmt.Sprintf("%s/issues/comments/%d/reactions", repoPath, comment), map[string]any{"content": "eyes"})
	w.must(200, "POST", fmt.Sprintf("%s/issues/comments/%d/reactions", repoPath, comment), map[string]any{"content": "eyes"})
	w.must(201, "POST", fmt.Sprintf("%s/pulls/%d/requested_reviewers", repoPath, pr.Number()), map[string]any{"reviewers": []string{"cyd"}, "team_reviewers": []string{"ml"}})
	w.must(204, "POST", fmt.Sprintf("%s/actions/workflows/train.yml/dispatches", repoPath), map[string]any{"ref": "main", "inputs": map[string]any{"pilot": "p2"}})
	w.must(204, "POST", fmt.Sprintf("%s/actions/runs/%d/deployment_protection_rule", repoPath, run), map[string]any{"environment_name": "finetune", "comment": "waiting for a sign-off"})
	dep := w.must(201, "POST", repoPath+"/deployments", map[string]any{"ref": "main", "environment": "model", "required_contexts": []string{}, "payload": map[string]any{"a": 1}})
	depID := int64(dep.at("id").(float64))
	w.must(201, "POST", fmt.Sprintf("%s/deployments/%d/statuses", repoPath, depID), map[string]any{"state": "success", "description": "done"})
	w.repo.CompleteRun(run, "success", map[string]map[string][]byte{"results": {"r.json": []byte("{}")}})
	w.repo.SetStatus("ben", head, "ci", "success")

	main := w.repo.Head("main")
	tree := w.must(200, "GET", repoPath+"/git/trees/"+main+"?recursive=1", nil)
	var blob any
	for i := range tree.len("tree") {
		if tree.at("tree", i, "path") == "docs/a.md" {
			blob = tree.at("tree", i, "sha")
		}
	}
	artifact := w.must(200, "GET", fmt.Sprintf("%s/actions/runs/%d/artifacts", repoPath, run), nil).at("artifacts", 0, "id").(float64)

	tagged := w.must(200, "GET", repoPath+"/git/ref/tags/v0.9.0", nil)
	require.Equal(t, "tag", tagged.at("object", "type"))
	tag := w.must(200, "GET", fmt.Sprint(repoPath, "/git/tags/", tagged.at("object", "sha")), nil)
	assert.Equal(t, "annotated", tag.at("message"))
	assert.Equal(t, main, tag.at("object", "sha"))
	for _, path := range []string{
		"", "/branches", "/branches/main", "/branches/main/protection", "/rules/branches/main", "/rulesets", fmt.Sprintf("/rulesets/%d", rs), "/activity",
		"/collaborators", "/collaborators/ada/permission", "/git/ref/heads/main", "/git/matching-refs/heads/", "/git/commits/" + main,
		fmt.Sprint("/git/blobs/", blob), "/git/trees/main", "/compare/main...plan", "/commits?path=docs", "/commits/" + main, "/commits/" + head + "/pulls",
		"/commits/" + head + "/check-runs?filter=all", "/commits/" + head + "/check-suites", "/commits/" + head + "/status",
		fmt.Sprintf("/check-runs/%d", runID), fmt.Sprintf("/check-runs/%d/annotations", runID),
		"/contents/", "/contents/docs", "/contents/docs/a.md", "/contents/docs/a.md?ref=plan",
		"/pulls?state=all", fmt.Sprintf("/pulls/%d", pr.Number()), fmt.Sprintf("/pulls/%d/files", pr.Number()), fmt.Sprintf("/pulls/%d/commits", pr.Number()),
		fmt.Sprintf("/pulls/%d/reviews", pr.Number()), fmt.Sprintf("/pulls/%d/reviews/%d", pr.Number(), review), fmt.Sprintf("/pulls/%d/comments", pr.Number()),
		fmt.Sprintf("/pulls/%d/requested_reviewers", pr.Number()),
		"/issues?state=all&labels=incident&creator=gatekeeper%5Bbot%5D", fmt.Sprintf("/issues/%d", number), fmt.Sprintf("/issues/%d", pr.Number()), "/issues/comments",
		fmt.Sprintf("/issues/comments/%d", comment), fmt.Sprintf("/issues/comments/%d/reactions", comment), fmt.Sprintf("/issues/%d/comments", number),
		fmt.Sprintf("/issues/%d/timeline", pr.Number()), fmt.Sprintf("/issues/%d/events", pr.Number()),
		"/actions/workflows", "/actions/workflows/train.yml", "/actions/workflows/train.yml/runs", "/actions/runs", fmt.Sprintf("/actions/runs/%d", run),
		fmt.Sprintf("/actions/runs/%d/attempts/1", run), fmt.Sprintf("/actions/runs/%d/pending_deployments", run), fmt.Sprintf("/actions/artifacts/%d", int64(artifact)),
		"/environments", "/environments/finetune", "/environments/finetune/deployment_protection_rules",
		"/deployments", fmt.Sprintf("/deployments/%d", depID), fmt.Sprintf("/deployments/%d/statuses", depID),
		"/releases", "/releases/latest", "/releases/tags/v1.0.0", "/tags",
	} {
		w.must(200, "GET", repoPath+path, nil)
	}
	for _, path := range []string{
		"/users/ada", "/orgs/acme/members", "/orgs/acme/memberships/ada", "/orgs/acme/teams", "/orgs/acme/teams/ml", "/orgs/acme/teams/ml/members",
		"/orgs/acme/teams/ml/memberships/ben", "/installation/repositories", "/apps/gatekeeper", "/rate_limit",
		fmt.Sprintf("/repositories/%d", w.repo.ID()),
	} {
		w.must(200, "GET", path, nil)
	}
	for _, path := range []string{
		"/app", "/app/installations", fmt.Sprintf("/app/installations/%d", w.inst), "/repos/acme/pilots/installation", "/app/hook/deliveries",
		fmt.Sprintf("/app/hook/deliveries/%d", w.gh.Deliveries()[0].ID),
	} {
		r, err := w.send(w.jwt(), "GET", path, nil)
		require.NoError(t, err)
		assert.Equal(t, 200, r.status, path)
	}
	assert.Equal(t, 2, w.must(200, "GET", "/orgs/acme/teams/ml/members", nil).len(), "members of child teams are included")

	redirect := w.must(302, "GET", fmt.Sprintf("%s/actions/artifacts/%d/zip", repoPath, int64(artifact)), nil)
	got, err := w.send("", "GET", redirect.header.Get("Location")[len("http://github.test"):], nil)
	require.NoError(t, err)
	assert.Equal(t, "application/zip", got.header.Get("Content-Type"))

	for _, c := range []struct {
		method, path string
		body         any
		want         int
	}{
		{"PATCH", fmt.Sprintf("/check-runs/%d", runID), map[string]any{"status": "completed", "conclusion": "success", "output": map[string]any{"title": "ok", "summary": "fine"}}, 200},
		{"POST", fmt.Sprintf("/check-runs/%d/rerequest", runID), nil, 201},
		{"PATCH", fmt.Sprintf("/issues/comments/%d", comment), map[string]any{"body": "edited"}, 200},
		{"DELETE", fmt.Sprintf("/issues/comments/%d", comment), nil, 204},
		{"PATCH", fmt.Sprintf("/issues/%d", number), map[string]any{"state": "closed", "state_reason": "completed"}, 200},
		{"POST", fmt.Sprintf("/issues/%d/labels", number), map[string]any{"labels": []string{"done"}}, 200},
		{"DELETE", fmt.Sprintf("/pulls/%d/requested_reviewers", pr.Number()), map[string]any{"reviewers": []string{"cyd"}}, 200},
		{"PUT", fmt.Sprintf("/pulls/%d/reviews/%d/dismissals", pr.Number(), review), map[string]any{"message": "stale"}, 200},
		{"POST", fmt.Sprintf("/pulls/%d/reviews", pr.Number()), map[string]any{"event": "COMMENT", "body": "try", "comments": []any{map[string]any{"path": "docs/plan.md", "line": 1, "body": "```suggestion\nx\n```"}}}, 200},
		{"PATCH", fmt.Sprintf("/pulls/%d", pr.Number()), map[string]any{"title": "A better plan"}, 200},
		{"POST", "/git/blobs", map[string]any{"content": "hi", "encoding": "utf-8"}, 201},
		{"POST", "/git/trees", map[string]any{"base_tree": main, "tree": []any{map[string]any{"path": "x/y.txt", "mode": "100644", "type": "blob", "content": "y"}}}, 201},
		{"POST", "/git/refs", map[string]any{"ref": "refs/claims/p1/launch-1", "sha": main}, 201},
		{"DELETE", "/git/refs/claims/p1/launch-1", nil, 204},
		{"PUT", "/contents/notes/n.md", map[string]any{"message": "n", "branch": "plan", "content": base64.StdEncoding.EncodeToString([]byte("n"))}, 201},
		{"PUT", fmt.Sprintf("/pulls/%d/update-branch", pr.Number()), map[string]any{}, 422},
		{"POST", fmt.Sprintf("/actions/runs/%d/cancel", run), nil, 409},
		{"DELETE", "/git/refs/heads/none", nil, 422},
	} {
		w.must(c.want, c.method, repoPath+c.path, c.body)
	}
	w.must(http.StatusNoContent, "DELETE", "/installation/token", nil)
}
