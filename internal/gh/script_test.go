package gh_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palantir/go-githubapp/githubapp"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/gh"
)

var privateKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

// script is a GitHub that answers as it is told, for what a well-behaved one
// cannot be made to do.
type script struct {
	mu     sync.Mutex
	log    []string // "GET /repos/acme/pilots"
	header []http.Header
	bodies []string
	tokens int
	answer func(method, path, body string) reply
	token  *reply // instead of a token
}

type reply struct {
	status int
	body   string
	header map[string]string
	err    error
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	if strings.HasSuffix(r.URL.Path, "/access_tokens") {
		s.tokens++
		if s.token != nil {
			return s.token.response(r)
		}
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		return reply{status: 201, body: fmt.Sprintf(`{"token": "ghs_madeup%08d", "expires_at": %q}`, s.tokens, until)}.response(r)
	}
	s.log = append(s.log, r.Method+" "+r.URL.Path)
	s.header = append(s.header, r.Header.Clone())
	s.bodies = append(s.bodies, body)
	return s.answer(r.Method, r.URL.Path, body).response(r)
}

func (a reply) response(r *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for k, v := range a.header {
		h.Set(k, v)
	}
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), Header: h,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

func (s *script) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

func (s *script) client(t *testing.T, change ...func(*gh.Config)) *gh.Client {
	t.Helper()
	c := gh.Config{Transport: s, Login: "pilotgate[bot]"}
	c.GitHub = githubapp.Config{V3APIURL: "https://github.test/api/v3", V4APIURL: "https://github.test/api/graphql"}
	c.GitHub.App.IntegrationID = 77
	c.GitHub.App.PrivateKey = privateKey()
	for _, f := range change {
		f(&c)
	}
	client, err := gh.New(c)
	require.NoError(t, err)
	client.Hint(10, "acme", "pilots")
	return client
}

const repositoryJSON = `{"id": 10, "node_id": "R_10", "name": "pilots", "owner": {"login": "acme", "type": "Organization"}, "default_branch": "main"}`

var (
	ctx        = context.Background()
	errLine    = errors.New("connection reset by peer")
	repository = facts.Repository{ID: 10, NodeID: "R_10", Owner: "acme", Name: "pilots", DefaultBranch: "main"}
	pull       = facts.Subject{Installation: 5, Repository: 10, Kind: facts.KindPullRequest, ID: "7"}
	noGuard    = func(context.Context) error { return nil }
)

func ok(body string) func(string, string, string) reply {
	return func(string, string, string) reply { return reply{status: 200, body: body} }
}
