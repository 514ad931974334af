// Package demo tells the story of a pilot on a GitHub that lives in this
// process: the real server, the real checks, made-up people. Each step says
// what somebody does, waits until nothing is left to do, and looks at what
// GitHub then shows; a step that does not end as told ends the story.
//
// The package must not reach anything outside this process, and must not know
// more of the server than any GitHub does: it is spoken to by webhooks.
package demo

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/deploy"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/server"
	"github.com/pilotgate/pilotgate/internal/webhook"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// The people beside those of the sample.
const (
	owner = "acme"
	admin = "nina-admin"
	guest = "max"
)

// World is a GitHub with one repository and a Pilotgate beside it.
type World struct {
	GitHub *fakegithub.Server
	Repo   *fakegithub.Repo
	App    *fakegithub.App
	Key    *server.Key
	Story  sample.Story
	Now    func() time.Time
	// AlertToken is what the Alertmanager of the sample's scenario posts with.
	AlertToken string

	options Options
	install int64
	late    *atomic.Int64 // how far the clock was put forward, in nanoseconds
	hook    string
	appKey  *rsa.PrivateKey
	queue   *queue.Memory
	stop    context.CancelFunc
	ended   chan error
}

// Options choose the world.
type Options struct {
	Log zerolog.Logger
	// Base is a repository of one's own to play on: the sample adds what it
	// lacks, and the policy and roles of the story.
	Base map[string]fakegithub.File
	// Faults of GitHub; nil is fakegithub's mild ones.
	Faults *fakegithub.Faults
	// Now is everybody's clock; nil is the real one.
	Now func() time.Time
	// Settle is how long a push waits for what comes with it; 0 is not at all.
	Settle time.Duration
	// OnRequest sees each request of the server to GitHub.
	OnRequest func(gh.Request)
	// Policy edits the sample's policy text; nil leaves it.
	Policy func(string) string
	// Config changes the server's configuration; nil leaves it.
	Config func(*server.Config)
	// Story tells the sample; its signing key is set here.
	Story sample.Story
	// Unguarded leaves the training environment without our protection rule, as
	// on a plan of GitHub's that has none.
	Unguarded bool
	// Personal makes the repository the administrator's own, where there are no
	// teams, and not the organization's.
	Personal bool
	// Transport wraps the way to GitHub (tests validate there); nil is direct.
	Transport func(http.RoundTripper) http.RoundTripper
	// Wire makes the way to a server: where it listens, and who reaches it there
	// under a URL. nil is loopback; under testing/synctest it has to be a pipe.
	Wire func(context.Context) (net.Listener, *http.Client, error)
	// Key is the server's signing key; nil is a new one.
	Key *server.Key
	// Queue changes the queue's options, which are those of a story that has no
	// time to wait; nil leaves them.
	Queue func(*queue.Options)
}

func loopback(ctx context.Context) (net.Listener, *http.Client, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	return l, http.DefaultClient, err
}

// sharedKey is the App's key in all worlds of a process: making one takes longer
// than many a story.
var sharedKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// New builds the world and starts the server in it. Close ends it.
func New(ctx context.Context, o Options) (*World, error) {
	clock := o.Now
	if clock == nil {
		clock = time.Now
	}
	late := &atomic.Int64{}
	now := func() time.Time { return clock().Add(time.Duration(late.Load())) }
	key := o.Key
	if key == nil {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make a signing key: %w", err)
		}
		if key, err = server.NewKey("demo", private); err != nil {
			return nil, err
		}
	}
	appKey, err := sharedKey()
	if err != nil {
		return nil, fmt.Errorf("make the App's key: %w", err)
	}
	secret := make([]byte, 20)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("make a webhook secret: %w", err)
	}

	w := &World{late: late, Key: key, Story: o.Story, options: o, appKey: appKey, AlertToken: hex.EncodeToString(secret)}
	owner := owner
	if o.Personal {
		owner, w.Story.LoginsOnly = admin, true
	}
	w.Story.Owner = owner
	w.Story.SigningKey = sample.SigningKey{ID: key.Public.ID, Ed25519: key.Public.Public, From: now().AddDate(0, 0, -1).Format(time.DateOnly)}
	w.GitHub = fakegithub.New(fakegithub.Options{Now: now, TokenNow: time.Now, Tick: time.Second, Seed: 1, Faults: o.Faults, BaseURL: "https://github.example"})
	w.Now = now
	w.people()
	files := asFiles(w.Story.Repository())
	if o.Policy != nil {
		files[policy.Path] = fakegithub.Text(o.Policy(string(files[policy.Path].Data)))
	}
	for path, f := range o.Base {
		if path != policy.Path && path != policy.RolesPath {
			files[path] = f
		}
	}
	w.Repo = w.GitHub.CreateRepo(fakegithub.RepoSpec{Owner: owner, Name: "pilots", Private: true, AutoMerge: true, Files: files, Creator: admin})
	for _, login := range []string{sample.Initiator, guest, sample.MLLead, sample.Operations, sample.Operations2} {
		w.Repo.SetCollaborator(login, "write")
	}
	if !o.Personal {
		for _, team := range []string{"ml-leads", "ml-ops"} {
			w.GitHub.GrantTeam(owner, team, w.Repo, "write")
		}
	}
	app := deploy.App()
	w.App = w.GitHub.CreateApp(fakegithub.AppSpec{
		Slug: "pilotgate", Name: app.Name, Key: &appKey.PublicKey, Permissions: app.Permissions, Events: app.Events, Secret: hex.EncodeToString(secret),
	})
	w.install = w.App.Install(owner, w.Repo)
	if !o.Unguarded {
		w.Repo.Guard(policy.Default().Environment, w.App)
	}
	return w, w.Start(ctx)
}

func asFiles(in sample.Files) map[string]fakegithub.File {
	out := map[string]fakegithub.File{}
	for path, b := range in {
		out[path] = fakegithub.File{Data: b}
	}
	return out
}

func (w *World) people() {
	for _, login := range []string{admin, sample.Initiator, sample.MLLead, sample.Operations, sample.Operations2, guest} {
		w.GitHub.CreateUser(login, login+"@example.org")
	}
	w.GitHub.CreateOrg(owner, admin)
	for _, login := range []string{sample.Initiator, sample.MLLead, sample.Operations, sample.Operations2, guest} {
		w.GitHub.SetMember(owner, login, "member")
	}
	w.GitHub.CreateTeam(fakegithub.TeamSpec{Org: owner, Slug: "ml-leads", Members: []string{sample.MLLead}})
	w.GitHub.CreateTeam(fakegithub.TeamSpec{Org: owner, Slug: "ml-ops", Members: []string{sample.Operations, sample.Operations2}})
}

// Start starts the server, and after a Stop another one: it knows nothing but
// its configuration and what GitHub shows.
func (w *World) Start(ctx context.Context) error {
	o := w.options
	c := server.Defaults()
	c.GitHub.WebURL, c.GitHub.V3APIURL, c.GitHub.V4APIURL = "https://github.example", "https://github.example/api/v3/", "https://github.example/api/graphql"
	c.GitHub.App.IntegrationID, c.GitHub.App.WebhookSecret = w.App.ID(), w.App.Secret()
	c.GitHub.App.PrivateKey = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(w.appKey)}))
	folder, err := os.MkdirTemp("", "pilotgate-demo-")
	if err != nil {
		return fmt.Errorf("keep the alerts' token: %w", err)
	}
	defer os.RemoveAll(folder) // read once, when the server starts
	token := filepath.Join(folder, "token")
	if err := os.WriteFile(token, []byte(w.AlertToken), 0o600); err != nil {
		return fmt.Errorf("keep the alerts' token: %w", err)
	}
	c.Alerts = []server.Alert{{Repository: w.Repo.FullName(), Scenario: sample.Scenario, TokenFile: token}}
	if o.Config != nil {
		o.Config(&c)
	}
	waits := queue.Options{Workers: 4, FirstRetry: 20 * time.Millisecond, LastRetry: 200 * time.Millisecond}
	if o.Queue != nil {
		o.Queue(&waits)
	}
	w.queue = queue.NewMemory(waits)
	looks := &sweeping{Memory: w.queue, begun: make(chan struct{})}
	transport := w.GitHub.Transport()
	if o.Transport != nil {
		transport = o.Transport(transport)
	}
	s, err := server.New(ctx, c, server.Options{
		ScanWait: time.Minute, // a story has no half-read datasets, however slow the machine is
		Log:      o.Log, Transport: transport, Now: w.Now, Key: w.Key, Bot: w.App.BotID(), OnRequest: o.OnRequest, Queue: looks,
		Settle: cmp.Or(o.Settle, -1),
	})
	if err != nil {
		return err
	}
	wire := o.Wire
	if wire == nil {
		wire = loopback
	}
	listener, client, err := wire(ctx)
	if err != nil {
		return fmt.Errorf("listen for webhooks: %w", err)
	}
	w.hook = "http://" + listener.Addr().String() + webhook.Path
	w.GitHub.DeliverTo(fakegithub.PostTo(client, w.hook))
	ended := make(chan error, 1)
	w.ended = ended
	running, stop := context.WithCancel(ctx)
	w.stop = stop
	go func() { ended <- s.Serve(running, listener) }()
	return w.begin(ctx, looks)
}

// Pass lets time go by, everybody's.
func (w *World) Pass(d time.Duration) { w.late.Add(int64(d)) }

// Alerts is where the server takes alerts.
func (w *World) Alerts() string { return strings.TrimSuffix(w.hook, webhook.Path) + alert.Path }

// Hook is where the server takes deliveries.
func (w *World) Hook() string { return w.hook }

// Stop ends the server and waits for it; GitHub goes on, and its deliveries
// fail.
func (w *World) Stop() error {
	w.stop()
	err := <-w.ended
	w.ended <- err
	return err
}

// Close ends the world.
func (w *World) Close() error {
	w.stop()
	w.GitHub.Close()
	return <-w.ended
}

// Idle tells whether the server has nothing to do right now.
func (w *World) Idle() bool {
	stats := w.queue.Stats()
	return stats.Waiting+stats.Running == 0
}

// patience is how long a server may work on before a story calls it lost. It is
// met only by one that never comes to rest, however slow the machine is.
const patience = 5 * time.Minute

// sweeping tells of the first sweep: a server that has just started has nothing
// to do until it has begun to look around.
type sweeping struct {
	*queue.Memory
	once  sync.Once
	begun chan struct{}
}

func (q *sweeping) Add(ctx context.Context, k queue.Key, o queue.AddOptions) error {
	err := q.Memory.Add(ctx, k, o)
	if k.Kind == queue.KindInstallation {
		q.once.Do(func() { close(q.begun) })
	}
	return err
}

// begin waits for the first sweep and what it brings.
func (w *World) begin(ctx context.Context, q *sweeping) error {
	select {
	case <-q.begun:
	case <-ctx.Done():
		return ctx.Err()
	case err := <-w.ended:
		w.ended <- err
		return fmt.Errorf("the server ended: %w", err)
	}
	return w.Settle(ctx)
}

// Settle waits until all deliveries are made and nothing is left to look at.
func (w *World) Settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	const look = 5 * time.Millisecond
	for calm := 0; calm < 3; {
		w.GitHub.Flush()
		stats := w.queue.Stats()
		if letters, _ := w.queue.Dead(ctx); len(letters) > 0 {
			return fmt.Errorf("the server gave up %s: %s", letters[0].Key, letters[0].Reason)
		}
		if calm++; stats.Waiting+stats.Running+w.queue.Due(w.options.Settle) > 0 {
			calm = 0
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not come to rest: %w", ctx.Err())
		case err := <-w.ended:
			w.ended <- err
			return fmt.Errorf("the server ended: %w", err)
		case <-time.After(look):
		}
	}
	return nil
}

// Installation is the App's in the organisation of the story.
func (w *World) Installation() int64 { return w.install }

// Letters are the keys that the server gave up.
func (w *World) Letters(ctx context.Context) ([]queue.Letter, error) { return w.queue.Dead(ctx) }

// Comment is our comment on a pull request, and how many there are.
func (w *World) Comment(p *fakegithub.PR) (string, int) {
	body, n := "", 0
	for _, c := range p.View().Comments {
		if strings.EqualFold(c.Author, w.App.Login()) {
			body = c.Body
			n++
		}
	}
	return body, n
}
