package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Conflict says that GitHub had moved when we wanted to write: another parent,
// another branch tip, a comment that is gone. Look again. It arrives inside a
// transient error.
type Conflict struct{ Reason string }

func (e *Conflict) Error() string { return "conflict at GitHub: " + e.Reason }

// Unclear says that a write was sent and its answer was lost: it may have been
// done. Look again, never write again blindly. It arrives inside a transient error.
type Unclear struct{ Err error }

func (e *Unclear) Error() string { return "write with a lost answer: " + e.Err.Error() }
func (e *Unclear) Unwrap() error { return e.Err }

// Refused says that GitHub understood and will not do it (403, 422 or an error
// of one mutation): a missing permission, a protected branch, a reviewer without
// access. Doing it again changes nothing.
type Refused struct {
	What   string // the effect or route
	Why    string // GitHub's message, redacted
	Status int    // HTTP; 0: a field of a GraphQL answer
}

func (e *Refused) Error() string { return fmt.Sprintf("%s: GitHub refuses: %s", e.What, e.Why) }

// Moved says that the head moved while it was read. It arrives inside a
// transient error.
type Moved struct{ From, To string }

func (e *Moved) Error() string { return fmt.Sprintf("head moved from %.12s to %.12s", e.From, e.To) }

// wait is a request that was not sent: a limit or the breaker holds it back.
type wait struct {
	until time.Time
	why   string
}

func (e *wait) Error() string {
	return fmt.Sprintf("%s until %s", e.why, e.until.UTC().Format(time.RFC3339))
}

// absent is what GitHub answers for good where something is not there (or may
// not be seen, which GitHub does not tell apart).
type absent struct {
	what    string
	status  int
	message string // GitHub's
}

func (e *absent) Error() string { return fmt.Sprintf("%s: not there (%d)", e.what, e.status) }

// noAncestor: a comparison of two histories that have nothing in common, which
// GitHub answers with 404 as well.
func (e *absent) noAncestor() bool { return strings.Contains(e.message, "No common ancestor") }

// redacted is an error whose text holds no token, whoever wrote it.
type redacted struct {
	what string
	err  error
}

func (e *redacted) Error() string { return e.what + ": " + redact(e.err.Error()) }
func (e *redacted) Unwrap() error { return e.err }

// GitHub's token prefixes (https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats),
// JSON web tokens, and credentials in URLs.
var secrets = regexp.MustCompile(`gh[a-z]_[A-Za-z0-9_]{8,}|github_pat_[A-Za-z0-9_]{8,}|v1\.[0-9a-f]{40}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|(?i:(?:bearer|token) )[A-Za-z0-9._~+/=-]{8,}|://[^/@\s]+@|([?&](?:[Xx]-[Aa]mz-[A-Za-z]+|sig|token|access_token)=)[^&\s"]+`)

func redact(s string) string { return secrets.ReplaceAllString(s, "${1}[redacted]") }

// secondaryWait is GitHub's least wait after a secondary limit without
// Retry-After (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
const secondaryWait = time.Minute

// sort turns an error of a request into one of the classes of the package
// comment.
func (c *call) sort(err error) error {
	if err == nil {
		return nil
	}
	now := c.client.now()
	var (
		held    *wait
		limit   *github.RateLimitError
		abuse   *github.AbuseRateLimitError
		answer  *github.ErrorResponse
		token   *ghinstallation.HTTPError
		gone    *absent
		plain   = &redacted{c.route, err}
		unclear = func() error { // sent, and perhaps done
			if c.write {
				return queue.Transient(&Unclear{plain}, 0)
			}
			return queue.Transient(plain, 0)
		}
	)
	switch {
	case errors.As(err, &held):
		return queue.Transient(plain, held.until.Sub(now))
	case errors.As(err, &gone):
		return err
	case errors.As(err, &token):
		if token.Response == nil {
			return queue.Transient(plain, 0)
		}
		switch s := token.Response.StatusCode; {
		case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusForbidden && token.Response.Header.Get("Retry-After") == "" && token.Response.Header.Get("X-Ratelimit-Remaining") != "0":
			return queue.Gone(plain) // uninstalled or suspended
		default: // 401: a clock or a key that is off, which people mend
			return queue.Transient(plain, retryAfter(token.Response, now))
		}
	case errors.As(err, &limit):
		d := time.Minute
		if limit.Response != nil {
			d = retryAfter(limit.Response, now)
		}
		return queue.Transient(plain, max(d, limit.Rate.Reset.Sub(now)))
	case errors.As(err, &abuse):
		d := secondaryWait
		if abuse.RetryAfter != nil {
			d = *abuse.RetryAfter
		}
		return queue.Transient(plain, c.inst.block(now, d))
	case errors.As(err, &answer) && answer.Response != nil:
		return c.sortStatus(answer, plain, now, unclear)
	case errors.Is(err, context.Canceled) && !c.write:
		return err
	default: // network, time-out, truncated answer
		return unclear()
	}
}

func (c *call) sortStatus(answer *github.ErrorResponse, plain error, now time.Time, unclear func() error) error {
	resp, message := answer.Response, answer.Message
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized:
		c.client.dropToken(c.inst)
		return queue.Transient(plain, 0)
	case s == http.StatusTooManyRequests, s == http.StatusForbidden && limited(resp, message):
		d := retryAfter(resp, now)
		if d == 0 {
			d = secondaryWait
		}
		return queue.Transient(plain, c.inst.block(now, d))
	case s == http.StatusForbidden && strings.Contains(message, "suspended"):
		return queue.Gone(plain)
	case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusUnavailableForLegalReasons:
		return &absent{what: c.route, status: s, message: message}
	case s == http.StatusConflict:
		return queue.Transient(&Conflict{redact(c.route + ": " + message)}, 0)
	case s >= 500:
		return unclear()
	case s == http.StatusForbidden, s == http.StatusUnprocessableEntity, s == http.StatusMethodNotAllowed:
		return &Refused{What: c.route, Why: redact(detail(answer)), Status: s}
	}
	return plain
}

// detail is GitHub's message with its list of errors, which often alone says why.
func detail(e *github.ErrorResponse) string {
	parts := []string{e.Message}
	for _, one := range e.Errors {
		parts = append(parts, strings.TrimSpace(one.Field+" "+one.Code+" "+one.Message))
	}
	return strings.Join(parts, "; ")
}

func limited(resp *http.Response, message string) bool {
	m := strings.ToLower(message)
	return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-Ratelimit-Remaining") == "0" ||
		strings.Contains(m, "rate limit") || strings.Contains(m, "abuse")
}

// lost turns "not there" into "the subject is no more", for reads of the
// subject itself.
func lost(err error) error {
	var a *absent
	if errors.As(err, &a) {
		return queue.Gone(err)
	}
	return err
}

func isAbsent(err error) bool {
	var a *absent
	return errors.As(err, &a)
}

// isInvalid: GitHub calls an object id that it cannot read unprocessable. A
// missing permission is no such answer.
func isInvalid(err error) bool {
	var r *Refused
	return errors.As(err, &r) && r.Status == http.StatusUnprocessableEntity
}

func isRefused(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}
