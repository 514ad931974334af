package fakegithub_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

// Whatever is sent, the stand-in answers with a status and, where there is a
// body, with JSON; it never panics and never answers 500.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"GET", repoPath, ""},
		{"POST", repoPath + "/check-runs", `{"name":"a","head_sha":"x","output":{"title":"t","summary":"s","annotations":[{}]},"actions":[{}]}`},
		{"PUT", repoPath + "/contents/a%2Fb", `{"message":"m","content":"!!","sha":"x"}`},
		{"POST", repoPath + "/git/trees", `{"tree":[{"path":"../x","mode":"100644","content":"y"},{"path":"a","mode":"040000","sha":"zz"},{"path":"m","mode":"160000","sha":"short"}]}`},
		{"POST", repoPath + "/git/refs", `{"ref":"refs/heads/..","sha":""}`},
		{"PATCH", repoPath + "/git/refs/heads/main", `{"sha":1}`},
		{"GET", repoPath + "/compare/a...b...c", ""},
		{"GET", repoPath + "/issues?page=-1&per_page=99999999999999999999", ""},
		{"POST", "/graphql", `{"query":"{ node(id: \"C_x_y\") { id } }"}`},
		{"POST", "/graphql", `{"query":"query($x: Int!) { repository(owner: \"acme\", name: \"pilots\") { pullRequest(number: $x) { ...f } } } fragment f on PullRequest { ...f }","variables":{"x":"y"}}`},
		{"POST", "/graphql", `{"query":"mutation { createCommitOnBranch(input: {branch: {}, expectedHeadOid: \"x\", message: {headline: \"\"}}) { clientMutationId } }"}`},
		{"POST", repoPath + "/pulls/1/requested_reviewers", `{"reviewers":["ghost",""],"team_reviewers":["none"]}`},
		{"DELETE", "//", "{"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	gh := New(Options{Faults: NoFaults(), RateLimit: 1 << 30})
	gh.CreateUser("ada")
	gh.CreateOrg("acme", "ada")
	repo := gh.CreateRepo(RepoSpec{Owner: "acme", Name: "pilots", Files: map[string]File{"a": Text("a")}})
	repo.MustCommit("side", "ada", CommitSpec{Files: map[string]File{"b": Text("b")}})
	repo.OpenPR(PRSpec{Author: "ada", Title: "t", Head: "side"})
	app := gh.CreateApp(AppSpec{Slug: "app", Permissions: permissions, NoHook: true})
	token := app.Token(app.Install("acme"))

	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequestWithContext(context.Background(), method, "http://github.test", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		u, err := r.URL.Parse(path)
		if err != nil || u.Host != "github.test" || strings.Contains(path, "/installation/token") {
			return
		}
		r.URL = u
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := gh.Transport().RoundTrip(r)
		require.NoError(t, err)
		require.Less(t, res.StatusCode, 500, "%s %s %s", method, path, body)
		if strings.Contains(res.Header.Get("Content-Type"), "json") && method != http.MethodHead {
			var v any
			require.NoError(t, json.NewDecoder(res.Body).Decode(&v), "%s %s", method, path)
		}
	})
}
