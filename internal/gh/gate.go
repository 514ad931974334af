package gh

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Request is one request that went over the wire, for counters.
type Request struct {
	Installation int64
	Method       string
	Route        string // as in GitHub's documentation, without ids; GraphQL: "graphql Name"
	Status       int    // 0: no answer
	Cached       bool   // 304: the kept answer was used
}

// Rate is what GitHub said last about an installation's budget.
type Rate struct {
	Installation int64
	Resource     string // core, graphql
	Limit        int
	Remaining    int
	Reset        time.Time
}

// call is one request as the gate sees it; it travels in the context, because
// go-github's methods take nothing else.
type call struct {
	client  *Client
	inst    *installation
	route   string
	write   bool // changes something at GitHub
	content bool // named by its content: the answer is cached by the caller, not by ETag
	stream  bool // of any length: a dataset
}

type callKey struct{}

func (c *call) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

type backgroundKey struct{}

// Background marks work that nobody waits for (the sweep): it stops when less
// than a tenth of the installation's budget is left.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// installation is what is known about one installation's limits.
type installation struct {
	id    int64
	slots chan struct{} // requests that wait for their answer's first byte

	mu        sync.Mutex
	api       *api // with its token; nil: to be made
	rates     map[string]Rate
	blocked   time.Time // Retry-After, or a secondary limit
	strikes   int       // secondary limits without Retry-After, one after the other
	failures  int       // network errors and 5xx, one after the other
	open      time.Time // the breaker lets nothing through before
	lastWrite time.Time
}

const (
	atOnce        = 8                // requests of one installation in flight; GitHub allows 100 in all
	atOnceUnpaced = 32               // where no pacing is asked for: Enterprise Server
	breakAfter    = 5                // failures in a row
	firstBreak    = 5 * time.Second  //
	longestBreak  = 30 * time.Second // everything is to converge within a minute of GitHub's return
	longestStrike = 15 * time.Minute //
)

// admit tells whether a request may go out now.
func (i *installation) admit(now time.Time, resource string, background bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now.Before(i.blocked) {
		return &wait{i.blocked, "GitHub asked to wait"}
	}
	if r, ok := i.rates[resource]; ok && now.Before(r.Reset) {
		if r.Remaining <= 0 {
			return &wait{r.Reset, "rate limit used up"}
		}
		if background && r.Remaining < r.Limit/10 {
			return &wait{r.Reset, "the rest of the rate limit is for people"}
		}
	}
	if i.failures >= breakAfter {
		if now.Before(i.open) {
			return &wait{i.open, "GitHub does not answer"}
		}
		i.open = now.Add(firstBreak) // this one tries; the others wait for it
	}
	return nil
}

// observe learns from an answer, or from its absence.
func (i *installation) observe(now time.Time, resp *http.Response, err error) (Rate, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil || resp.StatusCode >= 500 {
		if i.failures++; i.failures >= breakAfter {
			i.open = now.Add(min(longestBreak, firstBreak<<min(i.failures-breakAfter, 8)))
		}
		if err != nil {
			return Rate{}, false
		}
	} else {
		i.failures = 0
	}
	if resp.StatusCode < 300 {
		i.strikes = 0
	}
	if s := resp.StatusCode; s == http.StatusForbidden || s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable {
		if d := seconds(resp.Header.Get("Retry-After")); d > 0 && now.Add(d).After(i.blocked) {
			i.blocked = now.Add(d)
		}
	}
	r := Rate{Installation: i.id, Resource: resp.Header.Get("X-Ratelimit-Resource")}
	limit, err1 := strconv.Atoi(resp.Header.Get("X-Ratelimit-Limit"))
	left, err2 := strconv.Atoi(resp.Header.Get("X-Ratelimit-Remaining"))
	reset, err3 := strconv.ParseInt(resp.Header.Get("X-Ratelimit-Reset"), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return Rate{}, false
	}
	if r.Resource == "" {
		r.Resource = "core"
	}
	r.Limit, r.Remaining, r.Reset = limit, left, time.Unix(reset, 0)
	i.rates[r.Resource] = r
	return r, true
}

// block holds requests back for d, doubled with each limit in a row that came
// without a time of its own; it answers how long.
func (i *installation) block(now time.Time, d time.Duration) time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if d == secondaryWait {
		d = min(longestStrike, d<<min(i.strikes, 8))
		i.strikes++
	}
	if until := now.Add(d); until.After(i.blocked) {
		i.blocked = until
	}
	return i.blocked.Sub(now)
}

// pace waits until the next write may go out.
func (i *installation) pace(ctx context.Context, now func() time.Time, gap time.Duration) error {
	i.mu.Lock()
	at := now()
	if next := i.lastWrite.Add(gap); next.After(at) {
		at = next
	}
	i.lastWrite = at
	i.mu.Unlock()
	d := at.Sub(now())
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gate is the transport under the token's: every request passes it, those for
// tokens too. It never logs and never puts a header into an error.
type gate struct {
	next    http.RoundTripper
	client  *Client
	answers *cache[string, answer]
}

// answer is a kept REST answer.
type answer struct {
	header http.Header
	body   []byte
}

// maxBody caps an answer, in bytes; what is cut off makes it unreadable. GitHub
// cuts a tree at 7 MB; a query's texts are the largest.
const maxBody = maxGraphQL

// foreignHost is a request that would have carried our token elsewhere.
type foreignHost struct{ host string }

func (e *foreignHost) Error() string { return "GitHub sent us to another host, " + e.host }

// maxAnswer is the largest REST answer that is kept for its ETag.
const maxAnswer = 2 << 20 // a hundred workflow runs are over one MiB

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if !g.client.hosts[req.URL.Host] { // a redirect: our token is for the API alone
		return nil, &foreignHost{req.URL.Host}
	}
	ctx := req.Context()
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || c.inst == nil { // as the App itself
		resp, err := g.next.RoundTrip(req)
		g.count(Request{Method: req.Method, Route: "app"}, resp)
		return resp, err
	}
	inst, now := c.inst, g.client.now
	route, token := c.route, strings.HasSuffix(req.URL.Path, "/access_tokens")
	resource := "core"
	if token {
		route = "POST /app/installations/{installation_id}/access_tokens"
	} else if strings.HasPrefix(route, "graphql ") {
		resource = "graphql"
	}
	background, _ := ctx.Value(backgroundKey{}).(bool)

	select {
	case inst.slots <- struct{}{}:
		defer func() { <-inst.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.write && !token && g.client.pacing > 0 {
		if err := inst.pace(ctx, now, g.client.pacing); err != nil {
			return nil, &wait{now(), "stopped before the write was sent"}
		}
	}
	if err := inst.admit(now(), resource, background); err != nil {
		return nil, err
	}

	conditional := req.Method == http.MethodGet && !c.content && !token
	key := strconv.FormatInt(inst.id, 10) + " " + req.URL.String() + " " + req.Header.Get("Accept")
	var before answer
	if conditional {
		if before, ok = g.answers.get(key); ok {
			req = req.Clone(ctx)
			req.Header.Set("If-None-Match", before.header.Get("Etag"))
		}
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil && ctx.Err() != nil {
		g.count(Request{Installation: inst.id, Method: req.Method, Route: route}, nil)
		return nil, err // we hung up; that says nothing about GitHub
	}
	if r, ok := inst.observe(now(), resp, err); ok && g.client.onRate != nil {
		g.client.onRate(r)
	}
	g.count(Request{Installation: inst.id, Method: req.Method, Route: route}, resp)
	if err != nil {
		return nil, err
	}
	if !c.stream {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxBody), resp.Body}
	}
	if !conditional {
		return resp, nil
	}
	return g.keep(key, before, resp)
}

func (g *gate) count(r Request, resp *http.Response) {
	if resp != nil {
		r.Status, r.Cached = resp.StatusCode, resp.StatusCode == http.StatusNotModified
	}
	if g.client.onRequest != nil {
		g.client.onRequest(r)
	}
}

// keep replaces a 304 by the kept answer and keeps a new one.
func (g *gate) keep(key string, before answer, resp *http.Response) (*http.Response, error) {
	if resp.StatusCode == http.StatusNotModified && before.body != nil {
		_ = resp.Body.Close()
		out := *resp
		out.StatusCode, out.Status = http.StatusOK, "200 OK"
		out.Header = before.header.Clone()
		for k, v := range resp.Header { // the limits of now, not of then
			if strings.HasPrefix(k, "X-Ratelimit-") {
				out.Header[k] = v
			}
		}
		out.Body = keptBody(before.body)
		out.ContentLength = int64(len(before.body))
		return &out, nil
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Etag") == "" || resp.ContentLength > maxAnswer {
		return resp, nil
	}
	var read bytes.Buffer
	if resp.ContentLength > 0 {
		read.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	_, err := read.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	body := read.Bytes()
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if len(body) > maxAnswer {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		return resp, nil
	}
	_ = resp.Body.Close()
	if json.Valid(body) { // a cut answer must not be kept under a good ETag
		g.answers.put(key, answer{resp.Header.Clone(), body}, int64(len(body)+len(key)+1024))
	}
	resp.Body = keptBody(body)
	return resp, nil
}

// wholeBody is a body that is in memory as a whole: to decode it takes no second copy.
type wholeBody struct {
	*bytes.Reader
	body []byte
}

func keptBody(body []byte) *wholeBody { return &wholeBody{bytes.NewReader(body), body} }

func (*wholeBody) Close() error { return nil }

// retryAfter is how long GitHub wants us to wait: Retry-After, else the reset
// of a used-up limit, else 0.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if d := seconds(resp.Header.Get("Retry-After")); d > 0 {
		return d
	}
	if resp.Header.Get("X-Ratelimit-Remaining") == "0" {
		if at, err := strconv.ParseInt(resp.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
			return max(0, time.Unix(at, 0).Sub(now))
		}
	}
	return 0
}

// seconds reads a Retry-After; more than a day is taken for a day.
func seconds(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 24*60*60)) * time.Second
}
