package gh

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/queue"
)

//go:embed queries/*.graphql
var queryFiles embed.FS

var (
	fragmentStart = regexp.MustCompile(`(?m)^fragment (\w+) on `)
	fragmentUse   = regexp.MustCompile(`\.\.\.(\w+)\b`)
	comment       = regexp.MustCompile(`(?m)^\s*#.*\n`)
)

// documents are the queries by name, each put together once.
var documents sync.Map

// document is a query with the fragments it uses, and no others: GitHub
// refuses a document that defines one in vain.
func document(name string) (string, error) {
	if text, ok := documents.Load(name); ok {
		return text.(string), nil
	}
	text, err := compose(name)
	if err == nil {
		documents.Store(name, text)
	}
	return text, err
}

func compose(name string) (string, error) {
	raw, err := queryFiles.ReadFile("queries/" + name + ".graphql")
	if err != nil {
		return "", fmt.Errorf("read query: %w", err)
	}
	shared, err := queryFiles.ReadFile("queries/fragments.graphql")
	if err != nil {
		return "", fmt.Errorf("read query: %w", err)
	}
	text := comment.ReplaceAllString(string(shared), "")
	fragments := map[string]string{}
	starts := fragmentStart.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		fragments[text[at[2]:at[3]]] = strings.TrimSpace(text[at[0]:end]) + "\n"
	}
	out := comment.ReplaceAllString(string(raw), "")
	var used []string
	for todo := out; todo != ""; {
		more := ""
		for _, m := range fragmentUse.FindAllStringSubmatch(todo, -1) {
			body, ok := fragments[m[1]]
			if !ok || slices.Contains(used, m[1]) {
				continue // "... on Type" has a blank and never matches
			}
			used = append(used, m[1])
			more += body
		}
		out += more
		todo = more
	}
	return out, nil
}

// maxGraphQL caps one answer, in bytes: 16 texts of 65,535 characters at head,
// a hundred comments and reviews of as many, with room.
const maxGraphQL = 64 << 20

// queryError is one entry of a GraphQL answer's errors.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

func (e queryError) field() string {
	for _, p := range slices.Backward(e.Path) {
		if s, ok := p.(string); ok {
			return s
		}
	}
	return ""
}

// exchange sends a document and decodes data into out. Errors of single fields
// are handed back, errors of the whole are sorted.
func (c *call) exchange(ctx context.Context, text string, vars map[string]any, out any) ([]queryError, error) {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []queryError    `json:"errors"`
	}
	err := c.send(ctx, func(ctx context.Context, rest *github.Client) error {
		req, err := rest.NewRequest(http.MethodPost, c.client.graphql, map[string]any{"query": text, "variables": vars})
		if err != nil {
			return err
		}
		resp, err := rest.BareDo(ctx, req)
		if err != nil {
			return err
		}
		defer resp.Body.Close() // read to its end, or given up
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, e := range answer.Errors {
		if e.Type == "RATE_LIMITED" || e.Type == "MAX_NODE_LIMIT_EXCEEDED" && len(e.Path) == 0 {
			return nil, c.sort(&wait{c.limitReset("graphql"), redact(e.Message)})
		}
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return nil, c.whole(answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return nil, fmt.Errorf("%s: read answer: %w", c.route, err)
	}
	return answer.Errors, nil
}

// whole sorts the errors of an answer without data.
func (c *call) whole(errs []queryError) error {
	if len(errs) == 0 {
		return c.sort(errors.New("answer without data"))
	}
	for _, e := range errs {
		switch e.Type {
		case "NOT_FOUND":
			return &absent{what: c.route, status: http.StatusNotFound}
		case "FORBIDDEN", "INSUFFICIENT_SCOPES":
			return &Refused{What: c.route, Why: redact(e.Message)}
		case "STALE_DATA":
			return queue.Transient(&Conflict{redact(c.route + ": " + e.Message)}, 0)
		}
	}
	if c.write {
		return &Refused{What: c.route, Why: redact(errs[0].Message)}
	}
	// "Something went wrong while executing your query": GitHub's own time-out.
	return queue.Transient(fmt.Errorf("%s: %s", c.route, redact(errs[0].Message)), 0)
}

// query reads. A field that GitHub does not answer fails the whole read, save a
// merge queue (then each commit is looked up by itself) and
// a requested team that we may not see.
func (c *Client) query(ctx context.Context, i *installation, name string, vars map[string]any, out any) error {
	text, err := document(name)
	if err != nil {
		return err
	}
	k := c.call(i, "graphql "+name)
	errs, err := k.exchange(ctx, text, vars, out)
	if err != nil {
		return err
	}
	errs = slices.DeleteFunc(errs, func(e queryError) bool {
		return e.field() == "requestedReviewer" || e.field() == "mergeQueue"
	})
	if len(errs) > 0 {
		return k.whole(errs)
	}
	return nil
}

func (c *call) limitReset(resource string) time.Time {
	c.inst.mu.Lock()
	defer c.inst.mu.Unlock()
	if r, ok := c.inst.rates[resource]; ok && r.Remaining == 0 {
		return r.Reset
	}
	return c.client.now().Add(secondaryWait)
}
