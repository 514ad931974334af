package openapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
)

// witness takes down what was found wrong.
type witness struct{ found []string }

func (*witness) Helper()                        {}
func (w *witness) Errorf(f string, args ...any) { w.found = append(w.found, fmt.Sprintf(f, args...)) }

// answering gives one fixed answer to everything.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

const ref = `{"ref":"refs/heads/main","node_id":"x","url":"http://github.test/r","object":{"type":"commit","sha":"0123456789012345678901234567890123456789","url":"http://github.test/o"}}`

func TestWhatIsFoundWrong(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, send string
		answer             answering
		want               string // "" is nothing
	}{
		"a good exchange":             {"GET", "/api/v3/repos/a/b/git/ref/heads/main", "", answering{200, ref}, ""},
		"a ref with slashes":          {"GET", "/api/v3/repos/a/b/git/ref/heads/x/y/z", "", answering{200, ref}, ""},
		"an answer without a field":   {"GET", "/repos/a/b/git/ref/heads/main", "", answering{200, `{"ref":"x"}`}, "answer:"},
		"an undescribed status":       {"GET", "/repos/a/b/git/ref/heads/main", "", answering{206, ref}, "answer:"},
		"a request of the wrong type": {"POST", "/repos/a/b/git/refs", `{"ref":1,"sha":"x"}`, answering{201, ref}, "request:"},
		"a request without a field":   {"POST", "/repos/a/b/git/refs", `{"ref":"refs/heads/x"}`, answering{201, ref}, "request:"},
		"a wrong request, refused":    {"POST", "/repos/a/b/git/refs", `{"ref":1}`, answering{422, `{"message":"no"}`}, ""},
		"a refusal without a message": {"GET", "/repos/a/b/git/ref/heads/main", "", answering{404, `{}`}, "without a message"},
		"an operation of nobody's":    {"GET", "/repos/a/b/nothing", "", answering{200, "{}"}, "no operation"},
		"a GraphQL field of nobody's": {"POST", "/graphql", `{"query":"{ repository(owner: \"a\", name: \"b\") { shoeSize } }"}`, answering{200, "{}"}, "shoeSize"},
		"a GraphQL argument too many": {"POST", "/graphql", `{"query":"{ viewer(x: 1) { login } }"}`, answering{200, "{}"}, "x"},
		"a good GraphQL document":     {"POST", "/api/graphql", `{"query":"{ viewer { login } }"}`, answering{200, `{"data":null}`}, ""},
		"a server's error is its own": {"GET", "/repos/a/b/git/ref/heads/main", "", answering{502, "<html>"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var w witness
			r, err := http.NewRequest(c.method, "http://github.test"+c.path, strings.NewReader(c.send))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			res, err := openapi.Validate(&w, c.answer).RoundTrip(r)
			require.NoError(t, err)
			got, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, c.answer.body, string(got), "the answer is passed on as it was")
			if c.want == "" {
				assert.Empty(t, w.found)
				return
			}
			require.Len(t, w.found, 1)
			assert.Contains(t, w.found[0], c.want)

			var m witness
			in := httptest.NewRequest(c.method, c.path, bytes.NewReader([]byte(c.send)))
			in.Header.Set("Content-Type", "application/json")
			openapi.Middleware(&m, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				rw.WriteHeader(c.answer.status)
				_, _ = io.WriteString(rw, c.answer.body)
			})).ServeHTTP(httptest.NewRecorder(), in)
			assert.Len(t, m.found, 1, "the server's side finds the same")
		})
	}
}
