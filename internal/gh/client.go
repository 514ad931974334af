package gh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"
	"github.com/palantir/go-githubapp/githubapp"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/lfs"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Scanner scans datasets in its own time; package scan has it.
type Scanner interface {
	Scan(ctx context.Context, waiting facts.Subject, req facts.ScanRequest, open bytestore.Opener) (facts.Scan, error)
	// Known tells whether Scan would answer without reading.
	Known(repository int64, req facts.ScanRequest) bool
}

// Config is what a Client is made of. The zero values in brackets stand for a
// field left empty.
type Config struct {
	GitHub githubapp.Config
	// Transport carries the requests [http.DefaultTransport].
	Transport http.RoundTripper
	// Now is the clock [time.Now].
	Now func() time.Time
	// Pacing is the least time between two writes of one installation. GitHub
	// asks for one second; Enterprise Server does not [0: none].
	Pacing time.Duration
	// Login is our App's login, "pilotgate[bot]" [asked once].
	Login string
	// Signing is the public half of the server's signing key, for snapshots [none].
	Signing *facts.SigningKey
	// Scanner answers dataset needs [they are an error].
	Scanner Scanner
	// Objects opens addresses in object stores, which the policy of the base
	// branch allowed, for one repository [there are none].
	Objects func(facts.Repository) bytestore.Opener
	// ObjectBytes bounds the cache of git objects [64 MiB].
	ObjectBytes int64
	OnRequest   func(Request) // counts; must be quick and safe for concurrent use
	OnRate      func(Rate)
}

// Client is our App at GitHub. It is safe for concurrent use.
type Client struct {
	creator   githubapp.ClientCreator
	graphql   string          // URL
	hosts     map[string]bool // of the API
	now       func() time.Time
	pacing    time.Duration
	signing   *facts.SigningKey
	scanner   Scanner
	stores    *stores
	plain     http.RoundTripper // to the API's own hosts, without a token
	outward   http.RoundTripper // to an address that GitHub's API named
	onRequest func(Request)
	onRate    func(Rate)

	mu            sync.Mutex
	app           facts.App
	installations map[int64]*installation

	names    *cache[int64, ownerName]
	trees    *cache[object, facts.Tree] // by tree, or by commit where its tree is not known
	roots    *cache[object, string]     // the tree of a commit
	blobs    *cache[object, facts.Blob]
	readings *cache[object, *facts.Readings] // what was made of blobs
	compared *cache[object, comparison]
	teams    *cache[teamKey, teamAnswer]
	pushers  *cache[pushed, facts.Pushers]
	pilots   *cache[facts.Subject, planAt]
	wanted   *cache[facts.Subject, []facts.Need] // what the last look asked for that may change
	opened   *cache[int64, []openedIssue]        // by repository

	artifacts *cache[object, facts.Artifact]
	runsFound *cache[object, int64]     // our run, by workflow and a word of its title
	guards    *cache[object, time.Time] // until when an environment counts as guarded
}

type ownerName struct{ owner, name string }

// object names something immutable of a repository: one or two object ids.
type object struct {
	repository int64
	id         string
}

// userAgent is how we introduce ourselves; GitHub refuses requests without it.
const userAgent = "pilotgate"

// Caps of the caches, beside Config.ObjectBytes.
const (
	maxNames       = 100_000
	maxCompared    = 50_000
	maxRoots       = 200_000
	maxTeams       = 5_000
	maxPushers     = 50_000
	maxWanted      = 50_000
	maxPilots      = 50_000
	maxAnswerCache = 32 << 20 // bytes
	maxContents    = 64 << 20 // bytes
)

// New checks the configuration; it sends nothing.
func New(config Config) (*Client, error) {
	g := config.GitHub
	if g.App.IntegrationID <= 0 || g.App.PrivateKey == "" {
		return nil, errors.New("github: app.integration_id and app.private_key are needed")
	}
	v3, v4 := g.V3APIURL, g.V4APIURL
	if v3 == "" {
		v3 = "https://api.github.com/"
	}
	if v4 == "" {
		v4 = "https://api.github.com/graphql"
	}
	c := &Client{
		graphql: strings.TrimSuffix(v4, "/"), hosts: map[string]bool{},
		now: config.Now, pacing: config.Pacing, signing: config.Signing, scanner: config.Scanner,
		onRequest: config.OnRequest, onRate: config.OnRate,
		app:           facts.App{ID: g.App.IntegrationID, Login: config.Login},
		installations: map[int64]*installation{},
		names:         newCache[int64, ownerName](4 * maxNames),
		opened:        newCache[int64, []openedIssue](4 * maxNames),
		roots:         newCache[object, string](4 * maxRoots),
		compared:      newCache[object, comparison](4 * maxCompared),
		teams:         newCache[teamKey, teamAnswer](4 * maxTeams),
		guards:        newCache[object, time.Time](maxNames),
		runsFound:     newCache[object, int64](4 * maxPilots),
		artifacts:     newCache[object, facts.Artifact](maxContents),
		pilots:        newCache[facts.Subject, planAt](4 * maxPilots),
		pushers:       newCache[pushed, facts.Pushers](8 * maxPushers),
		wanted:        newCache[facts.Subject, []facts.Need](4 * maxWanted),
	}
	for _, u := range []string{v3, v4} {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Host == "" {
			return nil, fmt.Errorf("github: %q is no API address", u)
		}
		c.hosts[parsed.Host] = true
	}
	if c.now == nil {
		c.now = time.Now
	}
	var err error
	if c.stores, err = newStores(config, v3); err != nil {
		return nil, err
	}
	bytes := config.ObjectBytes
	if bytes <= 0 {
		bytes = 64 << 20
	}
	c.trees, c.blobs = newCache[object, facts.Tree](bytes/2), newCache[object, facts.Blob](bytes/4)
	c.readings = newCache[object, *facts.Readings](bytes / 8)
	next := config.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	c.plain, c.outward = next, lfs.Outward(lfs.Allow{})
	c.creator = githubapp.NewClientCreator(v3, v4, g.App.IntegrationID, []byte(g.App.PrivateKey),
		githubapp.WithClientUserAgent(userAgent),
		githubapp.WithTransport(&gate{next: next, client: c, answers: newCache[string, answer](maxAnswerCache)}))
	if _, err := c.creator.NewAppClient(); err != nil {
		return nil, fmt.Errorf("github: app.private_key: %s", redact(err.Error()))
	}
	return c, nil
}

// api is one installation's client with its token.
type api struct{ rest *github.Client }

func (c *Client) installation(id int64) *installation {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.installations[id]
	if i == nil {
		slots := atOnce
		if c.pacing == 0 {
			slots = atOnceUnpaced
		}
		i = &installation{id: id, slots: make(chan struct{}, slots), rates: map[string]Rate{}}
		c.installations[id] = i
	}
	return i
}

func (c *Client) rest(i *installation) (*github.Client, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.api == nil {
		rest, err := c.creator.NewInstallationClient(i.id)
		if err != nil {
			return nil, fmt.Errorf("make a client of installation %d: %w", i.id, err)
		}
		i.api = &api{rest}
	}
	return i.api.rest, nil
}

// dropToken makes the next request ask for a new token.
func (c *Client) dropToken(i *installation) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.api = nil
}

// answerTime is how long one request may take; streams of datasets are not
// bound by it. GitHub itself gives up after 10 s.
const answerTime = 30 * time.Second

// send carries out one request of go-github's and sorts its error.
func (c *call) send(ctx context.Context, do func(context.Context, *github.Client) error) error {
	rest, err := c.client.rest(c.inst)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.context(ctx), answerTime)
	defer cancel()
	return c.sort(do(ctx, rest))
}

// get reads one REST resource that go-github has no method for, or whose
// method reads too much.
func (c *call) get(ctx context.Context, path string, out any) (*github.Response, error) {
	var resp *github.Response
	err := c.send(ctx, func(ctx context.Context, rest *github.Client) error {
		req, err := rest.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		if resp, err = rest.BareDo(ctx, req); err != nil {
			return err
		}
		defer resp.Body.Close() // read to its end, or given up
		if whole, ok := resp.Body.(*wholeBody); ok {
			return json.Unmarshal(whole.body, out)
		}
		return json.NewDecoder(resp.Body).Decode(out)
	})
	return resp, err
}

// raw opens a stream; the caller closes it.
func (c *call) raw(ctx context.Context, path, accept string) (io.ReadCloser, int64, error) {
	c.stream = true
	rest, err := c.client.rest(c.inst)
	if err != nil {
		return nil, 0, err
	}
	req, err := rest.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", accept)
	resp, err := rest.BareDo(c.context(ctx), req)
	if err != nil {
		return nil, 0, c.sort(err)
	}
	return resp.Body, resp.ContentLength, nil
}

func (c *Client) call(i *installation, route string) *call {
	return &call{client: c, inst: i, route: route}
}

// App is who we are; the first call asks GitHub unless Config.Login told.
func (c *Client) App(ctx context.Context) (facts.App, error) {
	c.mu.Lock()
	app := c.app
	c.mu.Unlock()
	if app.Login != "" {
		return app, nil
	}
	rest, err := c.creator.NewAppClient()
	if err != nil {
		return app, err
	}
	k := &call{client: c, route: "GET /app", inst: c.installation(0)}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	got, _, err := rest.Apps.Get(ctx, "")
	if err != nil {
		return app, k.sort(err)
	}
	if got.GetID() != app.ID || got.GetSlug() == "" {
		return app, fmt.Errorf("GET /app: GitHub knows this key as App %d, the configuration says %d", got.GetID(), app.ID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.app.Login = got.GetSlug() + "[bot]"
	return c.app, nil
}

// Hint remembers a repository's name, as a delivery told it. It is only a
// guess: every answer is held against the numeric id.
func (c *Client) Hint(id int64, owner, name string) {
	if id > 0 && owner != "" && name != "" {
		c.names.put(id, ownerName{owner, name}, 1)
	}
}
