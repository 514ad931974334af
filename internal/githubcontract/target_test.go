package githubcontract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
)

// target is a GitHub, real or not, with one repository to try things in.
type target struct {
	t     *testing.T
	http  http.RoundTripper
	api   string // REST root
	graph string
	repo  string // owner/name
	token string
	tag   string // makes names unique, so that a real repository can be used again
}

type answer struct {
	status int
	header http.Header
	raw    []byte
	body   any
}

func (a answer) at(path ...any) any {
	v := a.body
	for _, p := range path {
		switch k := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

func (a answer) text(path ...any) string {
	s, _ := a.at(path...).(string)
	return s
}

func (a answer) number(path ...any) int64 {
	n, _ := a.at(path...).(float64)
	return int64(n)
}

func (a answer) list(path ...any) []any {
	l, _ := a.at(path...).([]any)
	return l
}

// each runs a statement against the stand-in, and against a real repository if there is one.
func each(t *testing.T, statement func(t *testing.T, g *target)) {
	t.Helper()
	t.Run("fakegithub", func(t *testing.T) {
		gh := fakegithub.New(fakegithub.Options{Faults: fakegithub.NoFaults()})
		t.Cleanup(gh.Close)
		gh.CreateUser("owner")
		gh.CreateOrg("acme", "owner")
		gh.CreateRepo(fakegithub.RepoSpec{Owner: "acme", Name: "contract", AutoMerge: true, Files: map[string]fakegithub.File{"README.md": fakegithub.Text("hello\n")}})
		app := gh.CreateApp(fakegithub.AppSpec{Slug: "contract", Permissions: map[string]string{
			"checks": "write", "contents": "write", "issues": "write", "pull_requests": "write",
		}})
		statement(t, &target{
			t: t, http: openapi.Validate(t, gh.Transport()), api: gh.BaseURL() + "/api/v3", graph: gh.BaseURL() + "/api/graphql", repo: "acme/contract",
			token: app.Token(app.Install("acme")), tag: "c1",
		})
	})
	repo, token := os.Getenv("PILOTGATE_CONTRACT_REPO"), os.Getenv("PILOTGATE_CONTRACT_TOKEN")
	if repo == "" || token == "" {
		return
	}
	t.Run("real", func(t *testing.T) {
		api := os.Getenv("PILOTGATE_CONTRACT_API")
		if api == "" {
			api = "https://api.github.com"
		}
		graph := strings.TrimSuffix(api, "/v3") + "/graphql"
		statement(t, &target{t: t, http: http.DefaultTransport, api: api, graph: graph, repo: repo, token: token, tag: fmt.Sprintf("c%d", time.Now().UnixNano())})
	})
}

func (g *target) send(method, url string, body any, header ...string) answer {
	g.t.Helper()
	var rd io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(g.t, err)
		rd = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, url, rd)
	require.NoError(g.t, err)
	r.Header.Set("Authorization", "Bearer "+g.token)
	r.Header.Set("Accept", "application/vnd.github+json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := g.http.RoundTrip(r)
	require.NoError(g.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	require.NoError(g.t, res.Body.Close())
	a := answer{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.body)
	return a
}

// rest speaks of the repository: rest("GET", "/pulls", nil).
func (g *target) rest(method, path string, body any, header ...string) answer {
	g.t.Helper()
	return g.send(method, g.api+"/repos/"+g.repo+path, body, header...)
}

// need is rest with a status that must come for the statement to make sense.
func (g *target) need(status int, method, path string, body any) answer {
	g.t.Helper()
	a := g.rest(method, path, body)
	require.Equal(g.t, status, a.status, "%s %s: %s", method, path, a.raw)
	return a
}

func (g *target) graphql(query string, vars map[string]any) answer {
	g.t.Helper()
	a := g.send("POST", g.graph, map[string]any{"query": query, "variables": vars})
	require.Equal(g.t, http.StatusOK, a.status, string(a.raw))
	return a
}

func (g *target) main() string {
	g.t.Helper()
	branch := g.need(200, "GET", "", nil).text("default_branch")
	return g.need(200, "GET", "/git/ref/heads/"+branch, nil).text("object", "sha")
}

// branch makes a branch with one commit on top of base and deletes it in the end.
func (g *target) branch(name, base, path, text string) (ref, head string) {
	g.t.Helper()
	ref = "heads/" + g.tag + "-" + name
	g.need(201, "POST", "/git/refs", map[string]any{"ref": "refs/" + ref, "sha": base})
	g.t.Cleanup(func() { g.rest("DELETE", "/git/refs/"+ref, nil) })
	return ref, g.commit(ref, base, path, text)
}

// commit puts one file on a branch by the git data API.
func (g *target) commit(ref, parent, path, text string) string {
	g.t.Helper()
	oid := g.dangling(parent, path, text)
	g.need(200, "PATCH", "/git/refs/"+ref, map[string]any{"sha": oid, "force": true})
	return oid
}

func (g *target) dangling(parent, path, text string) string {
	g.t.Helper()
	tree := g.need(201, "POST", "/git/trees", map[string]any{
		"base_tree": g.need(200, "GET", "/git/commits/"+parent, nil).text("tree", "sha"),
		"tree":      []any{map[string]any{"path": path, "mode": "100644", "type": "blob", "content": text}},
	}).text("sha")
	return g.need(201, "POST", "/git/commits", map[string]any{"message": "contract: " + path, "tree": tree, "parents": []string{parent}}).text("sha")
}

// pull opens a pull request from a fresh branch and closes it in the end.
func (g *target) pull(name string) (number int64, ref, head string) {
	g.t.Helper()
	ref, head = g.branch(name, g.main(), g.tag+"-"+name+".md", "one\n")
	branch := g.need(200, "GET", "", nil).text("default_branch")
	number = g.need(201, "POST", "/pulls", map[string]any{"title": "contract " + name, "head": strings.TrimPrefix(ref, "heads/"), "base": branch}).number("number")
	g.t.Cleanup(func() { g.rest("PATCH", fmt.Sprintf("/pulls/%d", number), map[string]any{"state": "closed"}) })
	return number, ref, head
}
