package fakegithub

import (
	"net/http"
	"strconv"
	"time"
)

// rate is one installation's hourly budget.
type rate struct {
	used, points int
	reset        time.Time
}

// take spends one request, or refuses when nothing is left.
func (r *rate) take(now time.Time, h http.Header, limit int, graph bool) *failure {
	if !now.Before(r.reset) {
		*r = rate{reset: now.Add(time.Hour)}
	}
	used := &r.used
	resource := "core"
	if graph {
		used, resource = &r.points, "graphql"
	}
	*used++
	h.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, limit-*used)))
	h.Set("X-Ratelimit-Used", strconv.Itoa(min(limit, *used)))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(r.reset.Unix(), 10))
	h.Set("X-Ratelimit-Resource", resource)
	if *used > limit {
		*used = limit
		return &failure{status: http.StatusForbidden, message: "API rate limit exceeded for installation.", header: h.Clone()}
	}
	return nil
}

// giveBack: an answer of 304 costs nothing.
func (r *rate) giveBack(h http.Header) {
	r.used--
	if n, err := strconv.Atoi(h.Get("X-Ratelimit-Remaining")); err == nil {
		h.Set("X-Ratelimit-Remaining", strconv.Itoa(n+1))
		h.Set("X-Ratelimit-Used", strconv.Itoa(r.used))
	}
}

// Failure is an answer that a test gives in GitHub's place.
type Failure struct {
	Status int
	Header http.Header
	Body   string
	Abort  bool // close the connection instead
}

func (f *Failure) result() result {
	h := f.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	status := f.Status
	if status == 0 {
		status = http.StatusBadGateway
	}
	return result{status, h, []byte(f.Body)}
}

// Inject asks choose before each request; where it answers, the request is not
// carried out. nil ends it. choose must not call the server.
func (s *Server) Inject(choose func(*http.Request) *Failure) {
	defer s.lock()()
	s.fault = choose
}

// SecondaryLimit refuses every write for so long, as GitHub does to those who
// write too fast.
func (s *Server) SecondaryLimit(d time.Duration) {
	defer s.lock()()
	s.secondary = s.now().Add(d)
}

func (s *Server) secondaryLimit() *failure {
	wait := int(s.secondary.Sub(s.now()).Seconds())
	return &failure{
		status:  http.StatusForbidden,
		message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		header:  http.Header{"Retry-After": {strconv.Itoa(max(1, wait))}},
	}
}
