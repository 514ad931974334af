// Package openapi holds every exchange with the stand-in against GitHub's
// published description: what the program sends must be what GitHub takes, and
// what the stand-in answers must be what GitHub gives.
//
// It is for tests only and never part of the program. It must not judge what an
// answer means, only its shape.
package openapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/testdata/github"
)

// TB is the part of testing.TB that is needed.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// undescribed are operations that GitHub serves but does not describe.
var undescribed = map[string]bool{"GET /repositories/{repository_id}": true}

// load parses the description once.
var load = sync.OnceValues(func() (*openapi3.T, error) {
	z, err := gzip.NewReader(bytes.NewReader(github.OpenAPI))
	if err != nil {
		return nil, fmt.Errorf("unpack description: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack description: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("load description: %w", err)
	}
	return doc, nil
})

// Validate reports every exchange through next that GitHub's description does
// not allow. Requests that GitHub answers with 4xx may be as wrong as they like.
func Validate(tb TB, next http.RoundTripper) http.RoundTripper {
	return &validator{tb: tb, next: next}
}

// Middleware is Validate on the server's side.
func Middleware(tb TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		tb.Helper()
		check(tb, r, body, rec.status, rec.Header(), rec.body.Bytes())
	})
}

type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

type validator struct {
	tb   TB
	next http.RoundTripper
}

func (v *validator) RoundTrip(r *http.Request) (*http.Response, error) {
	v.tb.Helper()
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	res, err := v.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(got))
	check(v.tb, r, sent, res.StatusCode, res.Header, got)
	return res, nil
}

func check(tb TB, r *http.Request, sent []byte, status int, header http.Header, got []byte) {
	tb.Helper()
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3")
	switch {
	case strings.HasSuffix(path, "/graphql"):
		checkGraphQL(tb, sent)
		return
	case strings.HasPrefix(path, "/_storage/"), status >= 500, status == http.StatusNotModified:
		return
	}
	template, params, found := fakegithub.Match(r.Method, path)
	if !found {
		tb.Errorf("%s %s is no operation of GitHub's that the stand-in knows", r.Method, path)
		return
	}
	if undescribed[r.Method+" "+template] || status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect {
		return
	}
	if err := exchange(r, template, params, sent, status, header, got); err != nil {
		tb.Errorf("%s %s (%d) is not as GitHub describes it:\n%v", r.Method, path, status, err)
	}
}

// checkGraphQL holds a document against GitHub's schema.
func checkGraphQL(tb TB, sent []byte) {
	tb.Helper()
	var q struct{ Query string }
	if err := json.Unmarshal(sent, &q); err != nil {
		tb.Errorf("GraphQL request is not JSON: %v", err)
		return
	}
	if _, errs := fakegithub.Document(q.Query); len(errs) > 0 {
		tb.Errorf("GraphQL document is not of GitHub's schema: %v\n%s", errs, q.Query)
	}
}

func exchange(r *http.Request, template string, params map[string]string, sent []byte, status int, header http.Header, got []byte) error {
	doc, err := load()
	if err != nil {
		return err
	}
	item := doc.Paths.Value(template)
	if item == nil || item.GetOperation(r.Method) == nil {
		return fmt.Errorf("%s %s is not in the description; generate it again", r.Method, template)
	}
	if string(bytes.TrimSpace(sent)) == "null" {
		sent = nil // ghinstallation sends it for "no options", and GitHub takes it
	}
	if wide, has := params["path"]; has && wide == "" {
		params["path"] = "/" // the root of a repository
	}
	copied := r.Clone(context.Background())
	copied.Body = io.NopCloser(bytes.NewReader(sent))
	if copied.URL.Host == "" {
		copied.URL = &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true}
	options.WithCustomSchemaErrorFunc(func(e *openapi3.SchemaError) string { return e.Reason })
	in := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Options: options,
		Route: &routers.Route{Spec: doc, Path: template, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
	}
	if len(sent) > 0 && copied.Header.Get("Content-Type") == "" {
		copied.Header.Set("Content-Type", "application/json")
	}
	if status < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	}
	if status >= 400 {
		return refusal(got)
	}
	if strings.Contains(header.Get("Content-Type"), "raw") {
		return nil // the raw media types are not described
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: options}
	out.SetBodyBytes(got)
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// refusal: GitHub describes only some of the statuses that it gives, but all
// refusals have one shape.
func refusal(got []byte) error {
	var f struct {
		Message string `json:"message"`
		URL     string `json:"documentation_url"`
	}
	if err := json.Unmarshal(got, &f); err != nil || f.Message == "" {
		return fmt.Errorf("a refusal without a message: %q", got)
	}
	return nil
}

// Unanswered lists operations that were asked for but stand not in the description.
func Unanswered(operations []string) ([]string, error) {
	doc, err := load()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, op := range operations {
		method, template, _ := strings.Cut(op, " ")
		if method == "GRAPHQL" || undescribed[op] {
			continue
		}
		if item := doc.Paths.Value(template); item == nil || item.GetOperation(method) == nil {
			out = append(out, op)
		}
	}
	sort.Strings(out)
	return out, nil
}
