package fakegithub_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

func TestConditionalReadsAreFree(t *testing.T) {
	w := newWorld(t, Options{})
	first := w.must(200, "GET", repoPath, nil)
	left := first.header.Get("X-Ratelimit-Remaining")
	again := w.do("GET", repoPath, nil, "If-None-Match", first.header.Get("Etag"))
	assert.Equal(t, 304, again.status)
	assert.Empty(t, again.raw)
	assert.Equal(t, left, again.header.Get("X-Ratelimit-Remaining"))
	w.repo.OpenIssue("ada", "one", "")
	assert.Equal(t, 200, w.do("GET", repoPath, nil, "If-None-Match", first.header.Get("Etag")).status)
}

func TestRateLimits(t *testing.T) {
	w := newWorld(t, Options{RateLimit: 3})
	for range 3 {
		w.must(200, "GET", repoPath, nil)
	}
	r := w.do("GET", repoPath, nil)
	assert.Equal(t, 403, r.status)
	assert.Equal(t, "0", r.header.Get("X-Ratelimit-Remaining"))
	w.clock.pass(time.Hour - time.Second)
	w.token = w.app.Token(w.inst)
	assert.Equal(t, 403, w.do("GET", repoPath, nil).status)
	w.clock.pass(time.Second)
	assert.Equal(t, 200, w.do("GET", repoPath, nil).status)

	w.gh.SecondaryLimit(30 * time.Second)
	assert.Equal(t, "30", w.do("POST", repoPath+"/issues", map[string]any{"title": "x"}).header.Get("Retry-After"))
	w.clock.pass(30 * time.Second)
	w.must(201, "POST", repoPath+"/issues", map[string]any{"title": "x"})
}

func TestPages(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 45 {
		w.repo.OpenIssue("ada", fmt.Sprint(i), "")
	}
	r := w.must(200, "GET", repoPath+"/issues", nil)
	assert.Equal(t, 30, r.len())
	assert.Contains(t, r.header.Get("Link"), `rel="next"`)
	assert.Equal(t, 15, w.must(200, "GET", repoPath+"/issues?page=2", nil).len())
	assert.Equal(t, 45, w.must(200, "GET", repoPath+"/issues?per_page=1000", nil).len(), "capped at 100")
	w.gh.SetFaults(&Faults{PageLimit: 10})
	assert.Equal(t, 10, w.must(200, "GET", repoPath+"/issues?per_page=100", nil).len())
}

func TestListingsLagBehindWrites(t *testing.T) {
	w := newWorld(t, Options{Faults: &Faults{ListingDelay: 2}})
	w.must(201, "POST", repoPath+"/issues", map[string]any{"title": "x"})
	for _, want := range []int{0, 0, 1} {
		assert.Equal(t, want, w.must(200, "GET", repoPath+"/issues", nil).len())
	}
}

func TestALostAnswerIsNoLostWrite(t *testing.T) {
	w := newWorld(t, Options{Faults: &Faults{DropAnswerEvery: 1}})
	_, err := w.send(w.token, "POST", repoPath+"/issues", map[string]any{"title": "x"})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, w.repo.Issues(), 1)

	srv := httptest.NewServer(w.gh)
	defer srv.Close()
	q, err := http.NewRequest(http.MethodPost, srv.URL+repoPath+"/issues", strings.NewReader(`{"title":"y"}`))
	require.NoError(t, err)
	q.Header.Set("Authorization", "token "+w.token)
	res, err := srv.Client().Do(q)
	if err == nil {
		require.NoError(t, res.Body.Close())
	}
	require.Error(t, err, "over a wire too")
	assert.Len(t, w.repo.Issues(), 2)
}

func TestInjectedFailures(t *testing.T) {
	w := newWorld(t, Options{})
	w.gh.Inject(func(r *http.Request) *Failure {
		if r.Method == http.MethodPost {
			return &Failure{Status: 502, Body: "<html>"}
		}
		return nil
	})
	assert.Equal(t, 502, w.do("POST", repoPath+"/issues", map[string]any{"title": "x"}).status)
	assert.Empty(t, w.repo.Issues())
	assert.Equal(t, 200, w.do("GET", repoPath, nil).status)
	w.gh.Inject(nil)
	w.must(201, "POST", repoPath+"/issues", map[string]any{"title": "x"})
}

// Each limit of a check run, at it and one over.
func TestCheckRunLimits(t *testing.T) {
	w := newWorld(t, Options{})
	head := w.plan().View().Head
	note := map[string]any{"path": "docs/plan.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
	notes := func(n int) []any {
		out := []any{}
		for range n {
			out = append(out, note)
		}
		return out
	}
	act := func(label, text, id int) map[string]any {
		return map[string]any{"label": strings.Repeat("é", label), "description": strings.Repeat("é", text), "identifier": strings.Repeat("i", id)}
	}
	out := func(summary int, as []any) map[string]any {
		return map[string]any{"title": "t", "summary": strings.Repeat("é", summary), "annotations": as}
	}
	for name, c := range map[string]struct {
		field string
		value any
		want  int
	}{
		"50 annotations":           {"output", out(1, notes(50)), 201},
		"51 annotations":           {"output", out(1, notes(51)), 422},
		"summary at the limit":     {"output", out(65535, nil), 201},
		"summary over it":          {"output", out(65536, nil), 422},
		"3 buttons at every limit": {"actions", []any{act(20, 40, 20), act(1, 1, 1), act(1, 1, 1)}, 201},
		"4 buttons":                {"actions", []any{act(1, 1, 1), act(1, 1, 1), act(1, 1, 1), act(1, 1, 1)}, 422},
		"label of 21":              {"actions", []any{act(21, 1, 1)}, 422},
		"description of 41":        {"actions", []any{act(1, 41, 1)}, 422},
		"identifier of 21":         {"actions", []any{act(1, 1, 21)}, 422},
		"unknown conclusion":       {"conclusion", "good", 422},
	} {
		body := map[string]any{"name": name, "head_sha": head, c.field: c.value}
		if o, is := c.value.(map[string]any); is && o["annotations"].([]any) == nil {
			delete(o, "annotations")
		}
		assert.Equal(t, c.want, w.do("POST", repoPath+"/check-runs", body).status, name)
	}
}

func TestUpdatesAppendAnnotationsAndOnlyTheOwnerUpdates(t *testing.T) {
	w := newWorld(t, Options{})
	head := w.plan().View().Head
	output := map[string]any{"title": "t", "summary": "s", "annotations": []any{map[string]any{"path": "docs/plan.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}}}
	r := w.must(201, "POST", repoPath+"/check-runs", map[string]any{"name": "gate", "head_sha": head, "output": output})
	path := fmt.Sprintf("%s/check-runs/%d", repoPath, int64(r.at("id").(float64)))
	w.must(200, "PATCH", path, map[string]any{"output": output})
	assert.Len(t, w.repo.CheckRuns(head)[0].Annotations, 2)
	other := w.gh.CreateApp(AppSpec{Slug: "other", Permissions: map[string]string{"checks": "write"}, NoHook: true})
	w.token = other.Token(other.Install("acme"))
	assert.Equal(t, 403, w.do("PATCH", path, map[string]any{"status": "in_progress"}).status)
}

func TestBigPullRequestsAreCutSilently(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 250 {
		w.repo.MustCommit("big", "ada", CommitSpec{Message: fmt.Sprint(i), Files: map[string]File{"n": Text(fmt.Sprint(i))}})
	}
	files := map[string]File{} // last, or each commit would list them all
	for i := range 3001 {
		files[fmt.Sprintf("big/%04d", i)] = Text("x")
	}
	w.repo.MustCommit("big", "ada", CommitSpec{Files: files})
	pr := w.repo.OpenPR(PRSpec{Author: "ada", Title: "Big", Head: "big"})
	count := func(what string) int {
		n := 0
		for page := 1; ; page++ {
			got := w.must(200, "GET", fmt.Sprintf("%s/pulls/%d/%s?per_page=100&page=%d", repoPath, pr.Number(), what, page), nil).len()
			if n += got; got == 0 {
				return n
			}
		}
	}
	assert.Equal(t, 3000, count("files"))
	assert.Equal(t, 250, count("commits"))
	assert.Equal(t, 300, w.must(200, "GET", repoPath+"/compare/main...big", nil).len("files"))
	r := w.graphql(`{ repository(owner: "acme", name: "pilots") { pullRequest(number: 1) { changedFiles commits(first: 1) { totalCount } } } }`, nil)
	assert.EqualValues(t, 251, r.at("data", "repository", "pullRequest", "commits", "totalCount"), "GraphQL lists them all")
	w.repo.TruncateTrees(10)
	tree := w.must(200, "GET", repoPath+"/git/trees/big?recursive=1", nil)
	assert.Equal(t, true, tree.at("truncated"))
	assert.Equal(t, 10, tree.len("tree"))
}

func TestTheSameStoryEndsInTheSameState(t *testing.T) {
	tell := func(order int) []byte {
		w := newWorld(t, Options{})
		pr := w.plan()
		if order == 1 {
			w.clock.pass(time.Hour)
		}
		pr.Comment("ben", "x")
		return w.repo.State()
	}
	assert.Equal(t, string(tell(0)), string(tell(1)))
}
