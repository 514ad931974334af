package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// asServer makes this test binary the program: the same main, in a process of
// its own that can be killed.
const asServer = "PILOTGATE_TEST_SERVE"

func TestMain(m *testing.M) {
	if config := os.Getenv(asServer); config != "" {
		os.Args = []string{"pilotgate", "serve", "--config", config}
		cli.Main()
	}
	os.Exit(m.Run())
}

// rig is a GitHub on loopback that notes which pull requests are asked for.
type rig struct {
	t       testing.TB
	hub     *fakegithub.Server
	pilots  *fakegithub.Repo
	app     *fakegithub.App
	install int64
	repo    int64
	url     string
	config  string // file
	store   string
	program string // "" is the test itself

	mu     sync.Mutex
	looked map[int]int // how often, by number
	blind  atomic.Bool // GitHub answers no look
}

func newRig(t testing.TB, latency time.Duration, workers int) *rig {
	t.Helper()
	g := &rig{t: t, looked: map[int]int{}, store: filepath.Join(t.TempDir(), "q")}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g.hub = fakegithub.New(fakegithub.Options{Now: time.Now, Faults: &fakegithub.Faults{Latency: latency}})
	t.Cleanup(g.hub.Close)
	g.hub.CreateUser("anna", "anna@example.org")
	g.hub.CreateOrg("acme", "anna")
	repo := g.hub.CreateRepo(fakegithub.RepoSpec{Owner: "acme", Name: "pilots", Files: map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n")}})
	g.pilots, g.repo = repo, repo.ID()
	g.app = g.hub.CreateApp(fakegithub.AppSpec{
		Slug: "pilotgate", Key: &key.PublicKey, Secret: "made up", NoHook: true,
		Permissions: map[string]string{"checks": "write", "contents": "write", "issues": "write", "pull_requests": "write", "metadata": "read", "members": "read", "actions": "write", "deployments": "write"},
	})
	g.install = g.app.Install("acme", repo)
	web := httptest.NewServer(http.HandlerFunc(g.note))
	t.Cleanup(web.Close)
	g.url = web.URL

	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	raw, err := json.Marshal(map[string]any{ // JSON is YAML
		"server": map[string]any{"address": "127.0.0.1", "port": 0},
		"github": map[string]any{
			"web_url": g.url, "v3_api_url": g.url + "/api/v3/", "v4_api_url": g.url + "/api/graphql",
			"app": map[string]any{"integration_id": g.app.ID(), "webhook_secret": "made up", "private_key": pemKey},
		},
		"queue": map[string]any{"store": g.store}, "workers": workers,
	})
	require.NoError(t, err)
	g.config = filepath.Join(t.TempDir(), "server.yml")
	require.NoError(t, os.WriteFile(g.config, raw, 0o600))
	return g
}

// note passes a request on and remembers the pull request of a look.
func (g *rig) note(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var query struct {
		Query     string
		Variables struct {
			Number int `json:"number"`
		} `json:"variables"`
	}
	if json.Unmarshal(body, &query) == nil && query.Variables.Number > 0 && strings.Contains(query.Query, "query Pull") {
		g.mu.Lock()
		g.looked[query.Variables.Number]++
		g.mu.Unlock()
	}
	if g.blind.Load() && strings.HasSuffix(r.URL.Path, "/graphql") {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.hub.ServeHTTP(w, r)
}

func (g *rig) lookedAt() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.looked)
}

// looks counts the looks at all of them.
func (g *rig) looks() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, times := range g.looked {
		n += times
	}
	return n
}

// process is a running server.
type process struct {
	cmd    *exec.Cmd
	url    string
	exited chan error

	mu  sync.Mutex
	log []string // its last lines, which a test that failed shows
}

const keptLines = 40

func (p *process) says(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.log) == keptLines {
		p.log = p.log[1:]
	}
	p.log = append(p.log, line)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// start starts a server; the environment is added to this process's.
func (g *rig) start(environment ...string) *process {
	g.t.Helper()
	if g.program != "" {
		return g.startProgram(g.program, append(environment, "serve", "--config", g.config)...)
	}
	return g.startProgram(os.Args[0], append(environment, asServer+"="+g.config)...)
}

var inEnvironment = regexp.MustCompile(`^\w+=`)

// startProgram starts a server of some program. Arguments of the form NAME=
// are its environment.
func (g *rig) startProgram(program string, arguments ...string) *process {
	g.t.Helper()
	cmd := exec.Command(program)
	cmd.Env = os.Environ()
	for _, a := range arguments {
		if inEnvironment.MatchString(a) {
			cmd.Env = append(cmd.Env, a)
		} else {
			cmd.Args = append(cmd.Args, a)
		}
	}
	log, err := cmd.StderrPipe()
	require.NoError(g.t, err)
	require.NoError(g.t, cmd.Start())
	p := &process{cmd: cmd, exited: make(chan error, 1)}
	address := make(chan string, 1)
	go func() { // ends with the process
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			p.says(lines.Text())
			var said struct{ Message, Address string }
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Message == "listening" {
				address <- said.Address
			}
		}
		p.exited <- cmd.Wait()
	}()
	g.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if g.t.Failed() {
			g.t.Logf("the log of process %d:\n%s", cmd.Process.Pid, p.said())
		}
	})
	select {
	case a := <-address:
		p.url = "http://" + a
	case err := <-p.exited:
		require.NoError(g.t, err, "the server did not start")
	}
	return p
}

func (p *process) end(t testing.TB, s syscall.Signal) error {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(s))
	return <-p.exited
}

// deliver posts the opening of a pull request that does not exist: whoever looks
// at it finds nothing, and is done.
func (g *rig) deliver(ctx context.Context, p *process, number int) (int, error) {
	return g.deliverTo(ctx, p, g.repo, number)
}

func (g *rig) deliverTo(ctx context.Context, p *process, repository int64, number int) (int, error) {
	body := fmt.Appendf(nil, `{"action": "opened", "installation": {"id": %d}, "repository": {"id": %d}, "sender": {"id": 1}, "pull_request": {"number": %d}}`,
		g.install, repository, number)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/github/hook", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "pull_request")
	r.Header.Set("X-GitHub-Delivery", fmt.Sprint("made-up-", number))
	r.Header.Set("X-Hub-Signature-256", fakegithub.Sign("made up", body))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func TestAcceptedDeliveriesOutliveTheProcess(t *testing.T) {
	const deliveries = 100
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		clean  bool
	}{{"SIGTERM", syscall.SIGTERM, true}, {"kill -9", syscall.SIGKILL, false}} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 100*time.Millisecond, 4)
			p := g.start()
			res, err := http.Get(p.url + "/api/ready")
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusOK, res.StatusCode)

			var group sync.WaitGroup
			slots := make(chan struct{}, 16)
			for n := range deliveries {
				slots <- struct{}{}
				group.Go(func() {
					defer func() { <-slots }()
					status, err := g.deliver(t.Context(), p, n+1)
					assert.NoError(t, err)
					assert.Equal(t, http.StatusAccepted, status)
				})
			}
			group.Wait()
			ended := p.end(t, c.signal)
			if c.clean {
				require.NoError(t, ended)
			} else {
				var exit *exec.ExitError
				require.True(t, errors.As(ended, &exit))
			}
			before := g.lookedAt()
			require.Less(t, before, deliveries, "it ended with work to do")

			p = g.start()
			require.Eventually(t, func() bool { return g.lookedAt() == deliveries }, 60*time.Second, 20*time.Millisecond)
			t.Logf("%d of %d looked at before the end, %d after", before, deliveries, g.lookedAt()-before)
			require.NoError(t, p.end(t, syscall.SIGTERM))
		})
	}
}

// run is the queue command.
func (g *rig) run(args ...string) (code int, out string) {
	var stdout, stderr bytes.Buffer
	code = cli.Run(g.t.Context(), append([]string{"queue"}, args...), cli.Streams{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now})
	return code, stdout.String() + stderr.String()
}

func TestDeadLettersAreListedShownAndRequeued(t *testing.T) {
	g := newRig(t, 0, 4)
	k := queue.Key{Installation: g.install, Repository: g.repo, Kind: queue.KindPullRequest, ID: "7"}
	kill := func() {
		q, err := durable.Open(t.Context(), durable.Options{Store: g.store, Options: queue.Options{MaxFailures: 1, FirstRetry: time.Millisecond}})
		require.NoError(t, err)
		require.NoError(t, q.Add(t.Context(), k, queue.AddOptions{}))
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() {
			ran <- q.Run(ctx, func(context.Context, queue.Key) error { return errors.New("a made-up fault") })
		}()
		require.Eventually(t, func() bool { l, err := q.Dead(t.Context()); return err == nil && len(l) == 1 }, 30*time.Second, 10*time.Millisecond)
		stop()
		require.NoError(t, <-ran)
		require.NoError(t, q.Close())
	}
	story := func(t *testing.T) {
		code, out := g.run("list", "--config", g.config)
		require.Zero(t, code, out)
		assert.Contains(t, out, k.String())
		assert.Contains(t, out, "pr 7 of repository")
		code, out = g.run("show", "--config", g.config, k.String())
		require.Zero(t, code, out)
		assert.Contains(t, out, "a made-up fault")
		code, out = g.run("requeue", "--config", g.config, "--all")
		require.Zero(t, code, out)
		assert.Contains(t, out, "1 requeued")
		code, out = g.run("list", "--config", g.config)
		require.Zero(t, code, out)
		assert.Equal(t, "nothing\n", out)
		code, out = g.run("requeue", "--config", g.config, k.String())
		assert.Equal(t, 2, code)
		assert.Contains(t, out, "no dead letter")
		code, _ = g.run("show", "--config", g.config, "no key")
		assert.Equal(t, 2, code)
		code, _ = g.run("requeue", "--config", g.config)
		assert.Equal(t, 2, code)
	}

	kill()
	t.Run("while no server runs", story)
	code, out := g.run("list", "--config", g.config, "--waiting")
	require.Zero(t, code, out)
	assert.Contains(t, out, k.String())

	kill()
	p := g.start()
	t.Run("through the server that runs", story)
	require.Eventually(t, func() bool { return g.lookedAt() == 1 }, 30*time.Second, 10*time.Millisecond, "the requeued key ran")
	require.NoError(t, p.end(t, syscall.SIGTERM))
}

func TestWithoutAQueueTheCommandSaysSo(t *testing.T) {
	g := newRig(t, 0, 4)
	code, out := g.run("list", "--config", g.config)
	assert.Equal(t, 2, code)
	assert.Contains(t, out, "no queue here")
}
