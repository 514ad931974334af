//go:build !race || real

// The whole story takes the race detector minutes: `make test` tells it without,
// and `make test-real` with it.

package demo

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

var update = flag.Bool("update", false, "rewrite the README's examples from the demo")

var (
	example  = regexp.MustCompile(`(?s)<!-- demo: step (\d+) (\S+) -->\n(.*?)<!-- /demo -->\n`)
	comments = regexp.MustCompile(`<!--.*?-->\n?`)
	anchors  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	meaning  = regexp.MustCompile(`(?m)^What the rules mean:.*\n`)
	blanks   = regexp.MustCompile(`\n{3,}`)
	// fleeting is what differs between two tellings: ids and the time of day.
	fleeting = regexp.MustCompile(`\b[0-9a-f]{7,64}\b|\d{1,2} [A-Z][a-z]{2} \d{2}:\d{2} UTC`)
)

func TestTheStoryEndsAsTold(t *testing.T) {
	ctx := context.Background()
	log := zerolog.Nop()
	if testing.Verbose() {
		log = zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true})
	}
	w, err := New(ctx, Options{Log: log})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	scenes := map[int]Scene{}
	require.NoError(t, Play(ctx, w, func(n int, title string, s Scene) {
		t.Log(n, title)
		scenes[n] = s
	}))
	t.Run("the page shows it", func(t *testing.T) { pageShows(t, w) })
	t.Run("the README shows it", func(t *testing.T) { readmeShows(t, scenes) })
}

func pageShows(t *testing.T, w *World) {
	chart := strings.TrimSuffix(reportPath, ".md") + ".svg"
	for path, want := range map[string]string{
		"/":                   "regressed after " + sample.Release,
		"/issue/4":            "PilotMetricBelowBand",
		"/file/" + reportPath: `src="` + filepath.Base(chart) + `"`,
		"/file/" + chart:      "<svg",
	} {
		rec := httptest.NewRecorder()
		w.Page().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		assert.Equal(t, http.StatusOK, rec.Code, path)
		assert.Contains(t, rec.Body.String(), want, path)
	}
}

func TestTheAsidesEndAsTold(t *testing.T) {
	require.NoError(t, PlayAsides(context.Background(), Options{Log: zerolog.Nop()}, func(n int, title string, s Scene) { t.Log(n, title) }))
}

func readmeShows(t *testing.T, scenes map[int]Scene) {
	const path = "../../README.md"
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	readme := string(raw)
	var wanted []string
	now := example.ReplaceAllStringFunc(readme, func(block string) string {
		m := example.FindStringSubmatch(block)
		step, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		shown, ok := quoted(scenes[step], m[2])
		require.True(t, ok, "step %d shows no %s", step, m[2])
		wanted = append(wanted, m[2])
		if !*update {
			assert.Equal(t, fleeting.ReplaceAllString(shown, "…"), fleeting.ReplaceAllString(m[3], "…"),
				"%s: write it again with go test ./internal/demo -run Story -update", m[2])
		}
		return fmt.Sprintf("<!-- demo: step %d %s -->\n%s<!-- /demo -->\n", step, m[2], shown)
	})
	assert.Equal(t, []string{
		"comment", "pilot/plan", "pilot/dataset", "pilot/config", "pilot/baseline", "pilot/operations", "pilot/approvals",
	}, wanted, "the comment and each check has its example")
	if *update {
		require.Empty(t, os.Getenv("CI"), "documents are not written in CI")
		require.NoError(t, os.WriteFile(path, []byte(now), 0o644))
	}
}

// quoted is a comment or check as a quotation, without the links into the
// demo's repository, which ends with the demo.
func quoted(s Scene, what string) (string, bool) {
	if what == "comment" {
		return quote(s.Comment), s.Comment != ""
	}
	for _, c := range s.Checks {
		if c.Name == what {
			return quote("**`" + c.Name + "`: " + c.Title + "**\n\n" + c.Summary), true
		}
	}
	return "", false
}

func quote(markdown string) string {
	text := anchors.ReplaceAllString(meaning.ReplaceAllString(comments.ReplaceAllString(markdown, ""), ""), "$1")
	text = strings.TrimSpace(blanks.ReplaceAllString(text, "\n\n"))
	var b strings.Builder
	for line := range strings.Lines(text + "\n") {
		b.WriteString(strings.TrimRight("> "+line, " \n") + "\n")
	}
	return b.String()
}
