package fakegithub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

type handler func(*call) (answer, error)

// route is one operation of GitHub's REST API, named as its OpenAPI
// description names it.
type route struct {
	method, template string
	operation        string
	// needs: permissions, any of which opens it ("pull_requests:write|issues:write");
	// "jwt" for the App itself, "" for anybody who is signed in.
	needs string
	do    handler
	parts []string
}

// wide are path parameters that may hold slashes.
var wide = map[string]bool{"{ref}": true, "{path}": true, "{basehead}": true, "{branch}": true}

func (rt *route) match(segments []string) (map[string]string, bool) {
	params := map[string]string{}
	if matchParts(rt.parts, segments, params) {
		return params, true
	}
	return nil, false
}

func matchParts(parts, segments []string, params map[string]string) bool {
	for i, p := range parts {
		if wide[p] {
			rest := parts[i+1:]
			for n := len(segments) - i - len(rest); n >= 1; n-- {
				if matchParts(rest, segments[i+n:], params) {
					params[strings.Trim(p, "{}")] = strings.Join(segments[i:i+n], "/")
					return true
				}
			}
			// The root of a repository has an empty {path}.
			if p == "{path}" && len(rest) == 0 && i == len(segments) {
				params["path"] = ""
				return true
			}
			return false
		}
		if i >= len(segments) {
			return false
		}
		switch {
		case strings.HasPrefix(p, "{"):
			if segments[i] == "" {
				return false
			}
			params[strings.Trim(p, "{}")] = segments[i]
		case p != segments[i]:
			return false
		}
	}
	return len(parts) == len(segments)
}

// lookup finds the operation of a request; literal segments win over parameters
// because the table lists them first.
func (s *Server) lookup(method, escaped string) (*route, map[string]string, bool) {
	escaped = strings.TrimPrefix(strings.TrimPrefix(escaped, "/api/v3"), "/")
	segments := strings.Split(strings.TrimSuffix(escaped, "/"), "/")
	for i := range segments {
		if u, err := url.PathUnescape(segments[i]); err == nil {
			segments[i] = u
		}
	}
	known := false
	for _, rt := range s.routes {
		if params, ok := rt.match(segments); ok {
			if rt.method == method || (method == http.MethodHead && rt.method == http.MethodGet) {
				return rt, params, true
			}
			known = true
		}
	}
	return nil, nil, known
}

// Request is one request as it was answered.
type Request struct {
	Method, Path, Operation string
	Status                  int
	Write                   bool
	At                      time.Time
}

// ServeHTTP answers REST and GraphQL.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l := s.latency(); l > 0 {
		t := time.NewTimer(l)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	res, drop := s.serve(r)
	if drop {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	for k, v := range res.header {
		w.Header()[k] = v
	}
	w.WriteHeader(res.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(res.body)
	}
}

func (s *Server) latency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.Faults.Latency
}

// result is a finished answer.
type result struct {
	status int
	header http.Header
	body   []byte
}

func (s *Server) serve(r *http.Request) (res result, drop bool) {
	raw, tooBig := readBody(r)
	defer s.lock()()
	c := &call{s: s, r: r, header: http.Header{}, raw: raw}
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	c.header.Set("Date", s.now().Format(http.TimeFormat))
	c.header.Set("X-GitHub-Request-Id", fmt.Sprintf("%04X:%X", s.ids["request"], s.next("request")))
	write := r.Method != http.MethodGet && r.Method != http.MethodHead

	var a answer
	var err error
	switch {
	case tooBig != nil:
		err = tooBig
	case s.fault != nil:
		if f := s.fault(r); f != nil {
			s.note(c, f.Status, write)
			return f.result(), f.Abort
		}
	}
	if err == nil {
		switch {
		case write && s.now().Before(s.secondary):
			err = s.secondaryLimit()
		case strings.TrimSuffix(r.URL.Path, "/") == "/graphql" || strings.TrimSuffix(r.URL.Path, "/") == "/api/graphql":
			a, write, err = s.graphQL(c)
		case strings.HasPrefix(r.URL.Path, storagePath):
			a, err = s.storage(c)
		default:
			a, err = s.rest(c)
		}
	}
	if err != nil {
		f := refusalOf(err)
		for k, v := range f.header {
			c.header[k] = v
		}
		body := fields{"message": f.message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(f.status)}
		if f.errors != nil {
			body["errors"] = f.errors
		}
		a = answer{status: f.status, body: body}
	}
	res = c.finish(a)
	s.note(c, res.status, write)
	if write && res.status < 300 {
		s.writes++
		if n := s.opt.Faults.DropAnswerEvery; n > 0 && c.droppable() && s.rand.IntN(n) == 0 {
			return result{}, true
		}
	}
	return res, false
}

// droppable spares the token endpoint: losing its answer tests nothing.
func (c *call) droppable() bool {
	return c.route == nil || c.route.operation != "apps/create-installation-access-token"
}

func (s *Server) note(c *call, status int, write bool) {
	q := Request{Method: c.r.Method, Path: c.r.URL.Path, Status: status, Write: write, At: s.now()}
	if c.route != nil {
		q.Operation = c.route.operation
	}
	s.requests = append(s.requests, q)
}

// rest finds the route, checks who asks, and answers.
func (s *Server) rest(c *call) (answer, error) {
	rt, params, known := s.lookup(c.r.Method, c.r.URL.EscapedPath())
	if rt == nil {
		if known {
			return answer{}, &failure{status: http.StatusMethodNotAllowed, message: "Method Not Allowed"}
		}
		return answer{}, &failure{status: http.StatusNotFound, message: "Not Found", header: http.Header{"X-Fakegithub": {"no such operation here"}}}
	}
	c.route, c.params = rt, params
	s.operations[rt.method+" "+rt.template]++
	act, f := s.authenticate(c.r)
	if f != nil {
		return answer{}, f
	}
	c.actor = act
	if act.installation != nil {
		if f := act.installation.rate.take(s.now(), c.header, s.opt.RateLimit, false); f != nil {
			return answer{}, f
		}
	}
	if (rt.needs == "jwt") != act.jwt && rt.operation != "apps/get-repo-installation" {
		if act.jwt {
			return answer{}, &failure{status: http.StatusForbidden, message: "Resource not accessible by integration"}
		}
		return answer{}, &failure{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded"}
	}
	if f := c.findRepo(); f != nil {
		return answer{}, f
	}
	if rt.needs != "jwt" && rt.needs != "" && !act.mayAny(rt.needs) {
		return answer{}, errNotIntegration
	}
	return rt.do(c)
}

// findRepo resolves {owner}/{repo} or {repository_id}; a former name redirects.
func (c *call) findRepo() *failure {
	name, has := c.params["repo"]
	if id, byID := c.params["repository_id"]; byID {
		n, _ := strconv.ParseInt(id, 10, 64)
		c.repo, has = c.s.repos[n], true
		if c.repo != nil && c.repo.gone {
			c.repo = nil
		}
	} else if has {
		c.repo = c.s.find(c.params["owner"], name)
	}
	if !has {
		return nil
	}
	if c.repo == nil || (!c.actor.jwt && !c.actor.sees(c.repo)) {
		return errNotFound
	}
	if name != "" && !strings.EqualFold(c.repo.full(), c.params["owner"]+"/"+name) {
		rest := strings.SplitN(strings.TrimPrefix(c.r.URL.EscapedPath(), "/api/v3"), "/", 5)
		to := fmt.Sprintf("%s/api/v3/repositories/%d", c.s.opt.BaseURL, c.repo.id)
		if len(rest) == 5 {
			to += "/" + rest[4]
		}
		if q := c.r.URL.RawQuery; q != "" {
			to += "?" + q
		}
		status := http.StatusMovedPermanently
		if c.r.Method != http.MethodGet {
			status = http.StatusTemporaryRedirect
		}
		return &failure{status: status, message: "Moved Permanently", header: http.Header{"Location": {to}}}
	}
	return nil
}

// finish encodes an answer; a GET carries an ETag and answers 304 to its own.
func (c *call) finish(a answer) result {
	body := a.bytes
	if a.kind != "" {
		c.header.Set("Content-Type", a.kind)
	}
	if a.body != nil {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(a.body); err != nil {
			a.status, body = http.StatusInternalServerError, []byte(`{"message":"`+err.Error()+`"}`)
		} else {
			body = buf.Bytes()
		}
	}
	if a.status == http.StatusNoContent {
		c.header.Del("Content-Type")
	}
	if c.r.Method == http.MethodGet && a.status == http.StatusOK {
		sum := sha256.Sum256(body)
		etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
		c.header.Set("Etag", etag)
		if match := c.r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, strings.TrimPrefix(etag, "W/")) {
			if c.actor.installation != nil {
				c.actor.installation.rate.giveBack(c.header)
			}
			c.header.Del("Content-Type")
			return result{http.StatusNotModified, c.header, nil}
		}
	}
	return result{a.status, c.header, body}
}

// Operations lists the REST operations asked for so far, "METHOD /template", in order.
func (s *Server) Operations() []string {
	defer s.lock()()
	var out []string
	for o := range s.operations {
		out = append(out, o)
	}
	for g := range s.graphs {
		out = append(out, "GRAPHQL "+g)
	}
	sort.Strings(out)
	return out
}

// Requests lists every request since the start or the last ForgetRequests.
func (s *Server) Requests() []Request {
	defer s.lock()()
	return append([]Request(nil), s.requests...)
}

// ForgetRequests starts the count anew.
func (s *Server) ForgetRequests() {
	defer s.lock()()
	s.requests = nil
}
