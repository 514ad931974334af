package server_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// bar is how many requests something may cost, at most. Tokens are left out: one
// serves an hour.
type bar int

const (
	lifeDirect bar = 26 // a request's life, until its sign-off is pushed
	lifePull   bar = 32 // until a pull request of ours with it is merged
	follows    bar = 7  // then: the comment, the report's draft, what waits for the launch
	report     bar = 4  // the report's own pull request
	again      bar = 2  // looking again where nothing changed
	newHead    bar = 4  // reads at a new head, the dataset unchanged
	identical  bar = 3  // evaluations of 50 identical events
	starting   bar = 6  // what it costs to start a confirming run, when a request is opened
	confirming bar = 8  // and to read its result, show it, and look again
)

const identicalEvents = 50

// counter counts what goes over the wire.
type counter struct {
	mu     sync.Mutex
	sent   []gh.Request
	signed func() bool // the sign-off is on the default branch; nil: nobody asks
	life   int         // how many were sent when it came to be there; 0: it is not yet
}

func (c *counter) see(r gh.Request) {
	if strings.HasSuffix(r.Route, "/access_tokens") || r.Route == "app" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, r)
	if c.life == 0 && c.signed != nil && c.signed() {
		c.life = len(c.sent)
	}
}

// take answers what was sent since the last take, as "route" or "route (304)".
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, r := range c.sent {
		route := strings.TrimPrefix(r.Route, "graphql ")
		if route != r.Route {
			route = "GraphQL " + route
		}
		if r.Cached {
			route += " (304)"
		}
		out = append(out, route)
	}
	c.sent = nil
	return out
}

// bench is a world whose requests are counted, in a bubble of time: what is
// counted is the same on every machine, whatever else it does.
type bench struct {
	*demo.World
	t      *testing.T
	c      *counter
	pr     *fakegithub.PR
	client *http.Client // reaches the server
}

// latency of each answer of GitHub's.
const latency = 50 * time.Millisecond

func onBench(t *testing.T, name, mode string, do func(*bench), policy ...string) {
	t.Helper()
	b := &bench{c: &counter{}}
	if policy == nil { // what a confirming run costs is counted by itself
		policy = []string{"workflows: {benchmark: .github/workflows/none.yml}"}
	}
	inBubble(t, name, func(t *testing.T, w *demo.World) {
		b.World, b.t = w, t
		if mode == "pull_request" { // else GitHub would merge at once, and there is no auto-merge
			b.Repo.Protect("main", &fakegithub.Protection{RequiredChecks: []string{judge.Approvals}})
		}
		b.settle()
		b.c.take()
		do(b)
	}, func(o *demo.Options) {
		o.OnRequest, o.Settle = b.c.see, time.Second
		o.Faults, o.Story = &fakegithub.Faults{Latency: latency}, sample.Story{} // a dataset as large as the demo shows
		o.Policy = func(text string) string {
			return text + "\ncommit: {mode: " + mode + "}\n" + strings.Join(policy, "\n")
		}
		o.Wire = func(ctx context.Context) (net.Listener, *http.Client, error) {
			l, client, err := piped(ctx)
			b.client = client
			return l, client, err
		}
	})
}

func (b *bench) settle() {
	b.t.Helper()
	require.NoError(b.t, b.Settle(b.t.Context()))
}

// opened is the delivery that told of the request.
func (b *bench) opened() fakegithub.Delivery {
	b.t.Helper()
	all := b.GitHub.Deliveries()
	i := slices.IndexFunc(all, func(d fakegithub.Delivery) bool { return d.Event == "pull_request" && d.Action == "opened" })
	require.GreaterOrEqual(b.t, i, 0)
	return all[i]
}

// stage is one thing that happens to a pull request.
type stage struct {
	name string
	do   func(*bench)
}

// last ends with the sign-off shown on the request, and the report drafted.
const last = "merged and signed off"

var life = []stage{
	{"opened", func(b *bench) { b.pr = open(b.World) }},
	{"synchronize", func(b *bench) {
		changed := b.Story.Pilot()
		changed[sample.Plan] = []byte(strings.Replace(string(changed[sample.Plan]), "2e-5", "3e-5", 1))
		b.Repo.MustCommit("pilot/ru-digest", sample.Initiator, fakegithub.CommitSpec{Message: "Raise the rate", Files: files(changed), Author: sample.Initiator})
	}},
	{"first approval", func(b *bench) { b.pr.Review(sample.MLLead, fakegithub.Approved, "Seen.") }},
	{"second approval", func(b *bench) { b.pr.Review(sample.Operations, fakegithub.Approved, "Fine.") }},
	{"edited", func(b *bench) {
		title := "Pilot " + sample.Pilot + ", again"
		b.pr.Edit(sample.Initiator, &title, nil, nil)
	}},
	{"labelled", func(b *bench) { b.pr.Label(sample.Initiator, "pilot") }},
	{"chat comment", func(b *bench) { b.pr.Comment(sample.MLLead, "Good luck.") }},
	{"foreign check run", func(b *bench) { b.foreignCheck() }},
	{last, func(b *bench) {
		require.NoError(b.t, b.pr.Merge(sample.Initiator, fakegithub.Squash, false))
	}},
}

// foreignCheck is a check run of another App.
func (b *bench) foreignCheck() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b.t, err)
	ci := b.GitHub.CreateApp(fakegithub.AppSpec{
		Slug: "ci", Key: &key.PublicKey, NoHook: true, Permissions: map[string]string{"checks": "write", "metadata": "read"},
	})
	id := ci.Install("acme", b.Repo)
	body := fmt.Sprintf(`{"name": "tests", "head_sha": %q, "status": "completed", "conclusion": "success"}`, b.pr.View().Head)
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost,
		"https://github.example/api/v3/repos/acme/pilots/check-runs", strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Authorization", "Bearer "+ci.Token(id))
	r.Header.Set("User-Agent", "ci")
	res, err := b.GitHub.Transport().RoundTrip(r)
	require.NoError(b.t, err)
	require.Equal(b.t, http.StatusCreated, res.StatusCode)
	require.NoError(b.t, res.Body.Close())
}

// tell holds a figure against its bar, and prints both in verbose runs, which is
// what `make bench-api` is.
func tell(t *testing.T, title string, rows [][]string, figure int, b bar) {
	t.Helper()
	assert.LessOrEqual(t, figure, int(b), title)
	if !testing.Verbose() {
		return
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	met := "met"
	if figure > int(b) {
		met = "NOT met"
	}
	fmt.Fprintf(w, "\n%s: %d, wanted at most %d: %s\n", title, figure, b, met)
	for _, r := range rows {
		fmt.Fprintf(w, "  %s\t%d\t%s\n", r[0], len(r)-1, summary(r[1:]))
	}
	require.NoError(t, w.Flush())
}

// summary counts equal routes, in order of their first appearance.
func summary(routes []string) string {
	var order []string
	n := map[string]int{}
	for _, r := range routes {
		if n[r]++; n[r] == 1 {
			order = append(order, r)
		}
	}
	for i, r := range order {
		if n[r] > 1 {
			order[i] = fmt.Sprintf("%d× %s", n[r], r)
		}
	}
	return strings.Join(order, ", ")
}

func reversed(s []string) []string {
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}

func TestIdenticalEventsAreEvaluatedAFewTimes(t *testing.T) {
	onBench(t, "at once", "direct", func(b *bench) {
		b.pr = open(b.World)
		b.settle()
		opened := b.opened()
		b.c.take()
		deliver := fakegithub.PostTo(b.client, b.Hook())
		var group sync.WaitGroup
		for range identicalEvents {
			group.Go(func() {
				status, err := deliver(b.t.Context(), opened)
				assert.NoError(b.t, err)
				assert.Equal(b.t, 202, status)
			})
		}
		group.Wait()
		b.settle()
		looks := 0
		sent := b.c.take()
		for _, r := range sent {
			if strings.HasPrefix(r, "GraphQL pull") {
				looks++
			}
		}
		tell(b.t, fmt.Sprintf("evaluations of %d identical events", identicalEvents), [][]string{append([]string{"all"}, sent...)}, looks, identical)
		assert.NotZero(b.t, looks)
	})
}
