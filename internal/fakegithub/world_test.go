package fakegithub_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
)

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// clock is a time that only tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is acme with a repository, an App on it, and a client that is held
// against GitHub's description.
type world struct {
	t     *testing.T
	gh    *Server
	clock *clock
	app   *App
	inst  int64
	repo  *Repo
	http  http.RoundTripper
	token string
}

var permissions = map[string]string{
	"checks": "write", "contents": "write", "pull_requests": "write", "issues": "write", "members": "read", "actions": "write",
	"deployments": "write", "administration": "read", "statuses": "read",
}

var events = []string{
	"pull_request", "pull_request_review", "check_run", "check_suite", "issue_comment", "issues", "push", "merge_group", "membership", "team",
	"deployment_protection_rule", "deployment_status", "workflow_run", "release", "create", "delete", "repository",
}

func newWorld(t *testing.T, opt Options) *world {
	t.Helper()
	c := &clock{t: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	if opt.Now == nil {
		opt.Now = c.now
	}
	if opt.Faults == nil {
		opt.Faults = NoFaults()
	}
	opt.BaseURL = "http://github.test"
	gh := New(opt)
	t.Cleanup(gh.Close)
	gh.CreateUser("ada", "ada@acme.test")
	gh.CreateUser("ben", "ben@acme.test")
	gh.CreateUser("cyd", "cyd@acme.test")
	gh.CreateUser("outsider")
	gh.CreateOrg("acme", "cyd")
	gh.SetMember("acme", "ada", "member")
	gh.SetMember("acme", "ben", "member")
	w := &world{t: t, gh: gh, clock: c}
	w.app = gh.CreateApp(AppSpec{Slug: "gatekeeper", Key: &key().PublicKey, Permissions: permissions, Events: events, Secret: "s3cret"})
	w.repo = gh.CreateRepo(RepoSpec{Owner: "acme", Name: "pilots", AutoMerge: true, Files: map[string]File{
		"README.md": Text("# Pilots\n"), "docs/a.md": Text("one\ntwo\nthree\n"), "run.sh": {Mode: ModeExec, Data: []byte("#!/bin/sh\n")},
		".github/workflows/train.yml": Text("name: Train\nrun-name: Train ${{ inputs.pilot }}\non:\n  workflow_dispatch:\n    inputs:\n      pilot: {required: true}\njobs: {}\n"),
	}})
	w.repo.SetCollaborator("ada", "write")
	w.repo.SetCollaborator("ben", "write")
	w.inst = w.app.Install("acme")
	w.http = openapi.Validate(t, gh.Transport())
	w.token = w.app.Token(w.inst)
	return w
}

func jwt(app int64, iat, exp time.Time) string {
	enc := base64.RawURLEncoding
	head := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	body := enc.EncodeToString(fmt.Appendf(nil, `{"iss":"%d","iat":%d,"exp":%d}`, app, iat.Unix(), exp.Unix()))
	sum := sha256.Sum256([]byte(head + "." + body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return head + "." + body + "." + enc.EncodeToString(sig)
}

func (w *world) jwt() string { return jwt(w.app.ID(), w.clock.now(), w.clock.now().Add(9*time.Minute)) }

// reply is an answer with its JSON decoded.
type reply struct {
	status int
	header http.Header
	raw    []byte
	json   any
}

// at walks a decoded answer: string keys and int indexes.
func (r reply) at(path ...any) any {
	v := r.json
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

func (r reply) len(path ...any) int {
	l, _ := r.at(path...).([]any)
	return len(l)
}

func (w *world) send(token, method, path string, body any, header ...string) (reply, error) {
	w.t.Helper()
	var rd io.Reader
	if body != nil {
		raw, is := body.([]byte)
		if !is {
			var err error
			raw, err = json.Marshal(body)
			require.NoError(w.t, err)
		}
		rd = bytes.NewReader(raw)
	}
	q, err := http.NewRequestWithContext(context.Background(), method, "http://github.test"+path, rd)
	require.NoError(w.t, err)
	q.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	res, err := w.http.RoundTrip(q)
	if err != nil {
		return reply{}, err
	}
	raw, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, res.Body.Close())
	out := reply{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &out.json)
	return out, nil
}

// do speaks as the installation.
func (w *world) do(method, path string, body any, header ...string) reply {
	w.t.Helper()
	r, err := w.send(w.token, method, path, body, header...)
	require.NoError(w.t, err)
	return r
}

// must is do with the status that has to come.
func (w *world) must(status int, method, path string, body any, header ...string) reply {
	w.t.Helper()
	r := w.do(method, path, body, header...)
	require.Equal(w.t, status, r.status, "%s %s: %s", method, path, r.raw)
	return r
}

const repoPath = "/api/v3/repos/acme/pilots"

func (w *world) graphql(query string, vars map[string]any) reply {
	w.t.Helper()
	return w.must(http.StatusOK, "POST", "/api/graphql", map[string]any{"query": query, "variables": vars})
}

// plan opens a pull request of ada's that adds a file.
func (w *world) plan() *PR {
	w.t.Helper()
	w.repo.MustCommit("plan", "ada", CommitSpec{Files: map[string]File{"docs/plan.md": Text("# Plan\n\nseed: 7\n")}})
	return w.repo.OpenPR(PRSpec{Author: "ada", Title: "A plan", Body: "Please look.", Head: "plan"})
}

func (w *world) events() []string {
	var out []string
	for _, d := range w.gh.Deliveries() {
		out = append(out, d.Event+"."+d.Action)
	}
	return out
}

func TestNobodyIsAnsweredWithoutCredentials(t *testing.T) {
	w := newWorld(t, Options{})
	for name, token := range map[string]string{"none": "", "unknown": "ghs_unknown", "broken JWT": "a.b.c"} {
		r, err := w.send(token, "GET", repoPath, nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnauthorized, r.status, name)
	}
}

func TestAppTokens(t *testing.T) {
	w := newWorld(t, Options{})
	now := w.clock.now()
	for name, c := range map[string]struct {
		jwt  string
		want int
	}{
		"good":             {jwt(w.app.ID(), now, now.Add(9*time.Minute)), 200},
		"expired":          {jwt(w.app.ID(), now.Add(-time.Hour), now), 401},
		"too long":         {jwt(w.app.ID(), now, now.Add(11*time.Minute)), 401},
		"from the future":  {jwt(w.app.ID(), now.Add(2*time.Minute), now.Add(9*time.Minute)), 401},
		"of no such App":   {jwt(1, now, now.Add(9*time.Minute)), 401},
		"signature edited": {jwt(w.app.ID(), now, now.Add(9*time.Minute))[:300] + "AAAA", 401},
	} {
		r, err := w.send(c.jwt, "GET", "/api/v3/app", nil)
		require.NoError(t, err)
		assert.Equal(t, c.want, r.status, name)
	}

	path := fmt.Sprintf("/api/v3/app/installations/%d/access_tokens", w.inst)
	r, err := w.send(w.jwt(), "POST", path, map[string]any{"permissions": map[string]string{"contents": "read"}, "repository_ids": []int64{w.repo.ID()}})
	require.NoError(t, err)
	require.Equal(t, 201, r.status, string(r.raw))
	narrow := r.at("token").(string)
	r, err = w.send(narrow, "GET", repoPath+"/git/ref/heads/main", nil)
	require.NoError(t, err)
	assert.Equal(t, 200, r.status)
	r, err = w.send(narrow, "POST", repoPath+"/issues", map[string]any{"title": "x"})
	require.NoError(t, err)
	assert.Equal(t, 403, r.status)
	assert.Equal(t, "Resource not accessible by integration", r.at("message"))

	r, err = w.send(w.jwt(), "POST", path, map[string]any{"permissions": map[string]string{"administration": "write"}})
	require.NoError(t, err)
	assert.Equal(t, 422, r.status, "more than was granted")

	w.clock.pass(time.Hour)
	r, err = w.send(narrow, "GET", repoPath, nil)
	require.NoError(t, err)
	assert.Equal(t, 401, r.status, "a token lives an hour")

	w.token = w.app.Token(w.inst)
	w.app.Suspend(w.inst, true)
	assert.Equal(t, 403, w.do("GET", repoPath, nil).status, "suspended")
	w.app.Suspend(w.inst, false)
	assert.Equal(t, 200, w.do("GET", repoPath, nil).status, "resumed")
	w.gh.RevokeTokens()
	assert.Equal(t, 401, w.do("GET", repoPath, nil).status, "revoked")
}
