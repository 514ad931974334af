package fakegithub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody caps a request's body: GitHub takes blobs of up to 100 MB in base64.
const maxBody = 140 << 20

// fields is a JSON object in the making; encoding sorts its keys.
type fields = map[string]any

// failure is an answer that refuses.
type failure struct {
	status  int
	message string
	errors  []fields
	header  http.Header
}

func (f *failure) Error() string { return fmt.Sprintf("%d %s", f.status, f.message) }

// refusalOf is the refusal in an error; any other error is a fault of ours.
func refusalOf(err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	return &failure{status: http.StatusInternalServerError, message: err.Error()}
}

// invalid is GitHub's 422 with one field named.
func invalid(resource, field, code, message string) *failure {
	e := fields{"resource": resource, "field": field, "code": code}
	if message != "" {
		e["message"] = message
	}
	return &failure{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: []fields{e}}
}

func unprocessable(message string) *failure {
	return &failure{status: http.StatusUnprocessableEntity, message: message}
}

// call is one request under way.
type call struct {
	s      *Server
	r      *http.Request
	actor  actor
	route  *route
	params map[string]string
	repo   *repo
	header http.Header
	raw    []byte
}

// answer is what a handler gives back: JSON, or bytes with their type.
type answer struct {
	status int
	body   any
	bytes  []byte
	kind   string
}

func ok(body any) (answer, error)      { return answer{status: http.StatusOK, body: body}, nil }
func created(body any) (answer, error) { return answer{status: http.StatusCreated, body: body}, nil }
func empty() (answer, error)           { return answer{status: http.StatusNoContent}, nil }

// decode reads a JSON body; an empty body leaves into as it is.
func (c *call) decode(into any) *failure {
	if len(c.raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.raw, into); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return &failure{status: http.StatusBadRequest, message: "Problems parsing JSON"}
		}
		return unprocessable("Invalid request.\n\n" + err.Error())
	}
	return nil
}

// readBody takes a body of at most maxBody bytes.
func readBody(r *http.Request) ([]byte, *failure) {
	if r.Body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, &failure{status: http.StatusBadRequest, message: "Problems reading the body"}
	}
	if len(raw) > maxBody {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, message: "Payload too big"}
	}
	return raw, nil
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// number is a numeric path parameter; anything else is not found.
func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.params[name], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// page cuts a listing to the page asked for and links the others.
func page[T any](c *call, all []T) []T {
	limit := c.s.opt.Faults.PageLimit
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	per := 30
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		per = n
	}
	per = min(per, limit)
	at := 1
	if n, err := strconv.Atoi(c.query("page")); err == nil && n > 0 {
		at = n
	}
	last := max(1, (len(all)+per-1)/per)
	var links []string
	link := func(n int, rel string) {
		u := url.URL{Scheme: "http", Host: c.r.Host, Path: c.r.URL.Path}
		if c.r.TLS != nil || strings.HasPrefix(c.s.opt.BaseURL, "https://"+c.r.Host) {
			u.Scheme = "https"
		}
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		u.RawPath = c.r.URL.RawPath
		links = append(links, fmt.Sprintf("<%s>; rel=%q", u.String(), rel))
	}
	if at > 1 {
		link(min(at-1, last), "prev")
	}
	if at < last {
		link(at+1, "next")
		link(last, "last")
	}
	if at > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	from := min((at-1)*per, len(all))
	return all[from:min(from+per, len(all))]
}

// seen leaves out what was made so recently that listings do not show it yet.
func seen[T any](c *call, all []T, key func(T) string) []T {
	out := make([]T, 0, len(all))
	for _, x := range all {
		k := key(x)
		if n := c.s.lag[k]; n > 0 {
			if n == 1 {
				delete(c.s.lag, k)
			} else {
				c.s.lag[k] = n - 1
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

// late makes listings lag behind something that the caller has just made.
func (c *call) late(node string) {
	if n := c.s.opt.Faults.ListingDelay; n > 0 {
		c.s.lag[node] = n
	}
}

// list maps what a page shows.
func list[T any](all []T, show func(T) fields) []fields {
	out := make([]fields, 0, len(all))
	for _, x := range all {
		out = append(out, show(x))
	}
	return out
}
