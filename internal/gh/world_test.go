package gh_test

import (
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palantir/go-githubapp/githubapp"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
)

// world is an organisation with one repository at a GitHub that behaves.
type world struct {
	t       *testing.T
	hub     *fakegithub.Server
	repo    *fakegithub.Repo
	app     *fakegithub.App
	install int64
	client  *gh.Client
	config  gh.Config

	mu   sync.Mutex
	sent []gh.Request
	now  time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T, change ...func(*gh.Config)) *world {
	t.Helper()
	block, _ := pem.Decode([]byte(privateKey()))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(t, err)
	w := &world{t: t, now: time.Now().Truncate(time.Second)} // the token's life is told by the real clock
	w.hub = fakegithub.New(fakegithub.Options{Now: w.clock, Tick: time.Second, Faults: fakegithub.NoFaults()})
	t.Cleanup(w.hub.Close)
	for _, u := range []string{"anna", "boris", "lead", "ops"} {
		w.hub.CreateUser(u, u+"@example.org")
	}
	w.hub.CreateOrg("acme", "boris")
	for _, u := range []string{"anna", "lead", "ops"} {
		w.hub.SetMember("acme", u, "member")
	}
	w.hub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: "ml", Members: []string{"boris"}})
	w.hub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: "ml-leads", Parent: "ml", Members: []string{"lead"}})
	w.repo = w.hub.CreateRepo(fakegithub.RepoSpec{Owner: "acme", Name: "pilots", AutoMerge: true, Files: map[string]fakegithub.File{
		"README.md":       fakegithub.Text("# Pilots\n"),
		"data/a.jsonl":    fakegithub.Text("{\"sample_id\": \"1\"}\n{\"sample_id\": \"2\"}\n"),
		"big.md":          fakegithub.Text(strings.Repeat("x", facts.MaxBlob+1)),
		"full.md":         fakegithub.Text(strings.Repeat("x", facts.MaxBlob)),
		"docs/link.md":    {Mode: "120000", Data: []byte("../README.md")},
		"docs/two/три.md": fakegithub.Text("3"),
	}})
	for u, p := range map[string]string{"anna": "push", "lead": "push", "ops": "push"} {
		w.repo.SetCollaborator(u, p)
	}
	w.app = w.hub.CreateApp(fakegithub.AppSpec{
		Slug: "pilotgate", Key: &key.PublicKey, Secret: "made up", NoHook: true,
		Permissions: map[string]string{
			"checks": "write", "contents": "write", "issues": "write", "pull_requests": "write", "metadata": "read",
			"members": "read", "administration": "read", "actions": "write", "workflows": "write", "deployments": "write",
		},
	})
	w.install = w.app.Install("acme", w.repo)
	config := gh.Config{
		GitHub:    githubapp.Config{V3APIURL: "https://github.test/api/v3/", V4APIURL: "https://github.test/api/graphql"},
		Transport: w.hub.Transport(), Now: w.clock, OnRequest: func(r gh.Request) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sent = append(w.sent, r)
		},
	}
	config.GitHub.App.IntegrationID = w.app.ID()
	config.GitHub.App.PrivateKey = privateKey()
	for _, f := range change {
		f(&config)
	}
	w.config = config
	w.client, err = gh.New(config)
	require.NoError(t, err)
	return w
}

func (w *world) subject(kind, id string) facts.Subject {
	return facts.Subject{Installation: w.install, Repository: w.repo.ID(), Kind: kind, ID: id}
}

func (w *world) pull(p *fakegithub.PR) facts.Subject {
	return w.subject(facts.KindPullRequest, strconv.Itoa(p.Number()))
}

// routes are what was sent since the last call, tokens and the App left out.
func (w *world) routes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.sent {
		if r.Route != "app" && !strings.HasSuffix(r.Route, "/access_tokens") {
			out = append(out, r.Route)
		}
	}
	w.sent = nil
	return out
}
