package fakegithub_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
)

// The client libraries that programs use find their way around, over a socket.
func TestClientLibraries(t *testing.T) {
	w := newWorld(t, Options{Now: time.Now})
	srv := httptest.NewServer(openapi.Middleware(t, w.gh))
	defer srv.Close()
	w.gh.SetBaseURL(srv.URL)
	raw := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())})
	tr, err := ghinstallation.New(srv.Client().Transport, w.app.ID(), w.inst, raw)
	require.NoError(t, err)
	tr.BaseURL = srv.URL + "/api/v3"
	httpClient := srv.Client()
	httpClient.Transport = tr
	c, err := github.NewClient(httpClient).WithEnterpriseURLs(srv.URL+"/api/v3", srv.URL)
	require.NoError(t, err)
	ctx := context.Background()

	pr := w.plan()
	got, _, err := c.PullRequests.Get(ctx, "acme", "pilots", pr.Number())
	require.NoError(t, err)
	assert.Equal(t, pr.View().Head, got.GetHead().GetSHA())
	assert.True(t, got.GetMergeable())
	byID, _, err := c.Repositories.GetByID(ctx, w.repo.ID())
	require.NoError(t, err)
	assert.Equal(t, "acme/pilots", byID.GetFullName())
	branch, _, err := c.Repositories.GetBranch(ctx, "acme", "pilots", "main", 1)
	require.NoError(t, err)
	assert.Equal(t, w.repo.Head("main"), branch.GetCommit().GetSHA())
	_, _, err = c.Git.CreateRef(ctx, "acme", "pilots", &github.Reference{Ref: github.String("refs/heads/a/b"), Object: &github.GitObject{SHA: github.String(w.repo.Head("main"))}})
	require.NoError(t, err)
	branch, _, err = c.Repositories.GetBranch(ctx, "acme", "pilots", "a/b", 1)
	require.NoError(t, err)
	assert.Equal(t, "a/b", branch.GetName())
	for i := range 35 {
		_, _, err := c.Issues.CreateComment(ctx, "acme", "pilots", pr.Number(), &github.IssueComment{Body: github.String(fmt.Sprint(i))})
		require.NoError(t, err)
	}
	n := 0
	opts := &github.IssueListCommentsOptions{}
	for {
		cs, res, err := c.Issues.ListComments(ctx, "acme", "pilots", pr.Number(), opts)
		require.NoError(t, err)
		n += len(cs)
		if res.NextPage == 0 {
			break
		}
		opts.Page = res.NextPage
	}
	assert.Equal(t, 35, n)
	run, _, err := c.Checks.CreateCheckRun(ctx, "acme", "pilots", github.CreateCheckRunOptions{Name: "gate", HeadSHA: pr.View().Head, Status: github.String("in_progress")})
	require.NoError(t, err)
	_, _, err = c.Checks.UpdateCheckRun(ctx, "acme", "pilots", run.GetID(), github.UpdateCheckRunOptions{Name: "gate", Conclusion: github.String("success")})
	require.NoError(t, err)
	list, _, err := c.Checks.ListCheckRunsForRef(ctx, "acme", "pilots", "plan", &github.ListCheckRunsOptions{Filter: github.String("all")})
	require.NoError(t, err)
	assert.Equal(t, "success", list.CheckRuns[0].GetConclusion())
	blob, _, err := c.Git.GetBlobRaw(ctx, "acme", "pilots", mustSHA(t, c, "docs/a.md"))
	require.NoError(t, err)
	assert.Equal(t, "one\ntwo\nthree\n", string(blob))
	w.repo.Rename("cyd", "trials")
	again, _, err := c.Repositories.Get(ctx, "acme", "pilots")
	require.NoError(t, err, "the redirect of the old name is followed")
	assert.Equal(t, "trials", again.GetName())

	// What webhooks carry is what the library reads.
	for _, d := range w.gh.Deliveries() {
		_, err := github.ParseWebHook(d.Event, d.Payload)
		assert.NoError(t, err, d.Event)
	}
}

func mustSHA(t *testing.T, c *github.Client, path string) string {
	t.Helper()
	f, _, _, err := c.Repositories.GetContents(context.Background(), "acme", "pilots", path, nil)
	require.NoError(t, err)
	return f.GetSHA()
}

// Many callers at once see one order, and every delivery leaves once.
func TestManyCallersAtOnce(t *testing.T) {
	w := newWorld(t, Options{})
	var mu sync.Mutex
	seen := map[string]int{}
	w.gh.DeliverTo(func(_ context.Context, d Delivery) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[d.GUID]++
		return 202, nil
	})
	pr := w.plan()
	var wg sync.WaitGroup
	claimed := make(chan int, 8)
	for i := range 8 {
		wg.Go(func() {
			pr.Comment("ben", fmt.Sprint(i))
			r, err := w.send(w.token, "POST", repoPath+"/git/refs", map[string]any{"ref": "refs/claims/one", "sha": w.repo.Head("main")})
			if assert.NoError(t, err) {
				claimed <- r.status
			}
		})
	}
	wg.Wait()
	close(claimed)
	won := 0
	for status := range claimed {
		if status == 201 {
			won++
		}
	}
	assert.Equal(t, 1, won, "a ref is created once")
	w.gh.Flush()
	assert.Len(t, pr.View().Comments, 8)
	assert.Len(t, seen, len(w.gh.Deliveries()))
	for guid, n := range seen {
		assert.Equal(t, 1, n, guid)
	}
}

// BenchmarkWholePull: the cost of the stand-in itself, so that it is not
// mistaken for the program's. Five hundred open pull requests.
func BenchmarkWholePull(b *testing.B) {
	w := newWorld(&testing.T{}, Options{RateLimit: 1 << 30})
	for i := range 500 {
		branch := fmt.Sprintf("b%d", i)
		w.repo.MustCommit(branch, "ada", CommitSpec{Files: map[string]File{branch + ".md": Text("x")}})
		w.repo.OpenPR(PRSpec{Author: "ada", Title: branch, Head: branch})
	}
	pr := w.repo.PR(250)
	w.t, w.http = &testing.T{}, w.gh.Transport()
	b.ResetTimer()
	for b.Loop() {
		w.whole(pr)
	}
}
