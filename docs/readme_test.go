package docs_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/demo"
)

var update = flag.Bool("update", false, "rewrite the README's examples from the demo")

var (
	example = regexp.MustCompile(`(?s)<!-- demo: step (\d+) (\S+) -->\n(.*?)<!-- /demo -->\n`)
	hidden  = regexp.MustCompile(`<!--.*?-->\n?`)
	links   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	rules   = regexp.MustCompile(`(?m)^What the rules mean:.*\n`)
	blanks  = regexp.MustCompile(`\n{3,}`)
	// passing is what differs between two tellings: ids and the time of day.
	passing = regexp.MustCompile(`\b[0-9a-f]{7,64}\b|\d{1,2} [A-Z][a-z]{2} \d{2}:\d{2} UTC`)
)

// The README shows what the demo's GitHub shows.
func TestReadmeShowsWhatTheDemoShows(t *testing.T) {
	scenes := map[int]demo.Scene{}
	ctx := context.Background()
	w, err := demo.New(ctx, demo.Options{Log: zerolog.Nop()})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	require.NoError(t, demo.Play(ctx, w, func(n int, _ string, s demo.Scene) { scenes[n] = s }))

	readme := read(t, "../README.md")
	var wanted []string
	now := example.ReplaceAllStringFunc(readme, func(block string) string {
		m := example.FindStringSubmatch(block)
		step, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		shown, ok := shows(scenes[step], m[2])
		require.True(t, ok, "step %d shows no %s", step, m[2])
		wanted = append(wanted, m[2])
		if !*update {
			assert.Equal(t, passing.ReplaceAllString(shown, "…"), passing.ReplaceAllString(m[3], "…"),
				"%s: write it again with go test ./docs -run Readme -update", m[2])
		}
		return fmt.Sprintf("<!-- demo: step %d %s -->\n%s<!-- /demo -->\n", step, m[2], shown)
	})
	assert.Equal(t, []string{
		"comment", "pilot/plan", "pilot/dataset", "pilot/config", "pilot/baseline", "pilot/operations", "pilot/approvals",
	}, wanted, "the comment and each check has its example")
	if *update {
		require.Empty(t, os.Getenv("CI"), "documents are not written in CI")
		require.NoError(t, os.WriteFile("../README.md", []byte(now), 0o644))
	}
}

// shows is a comment or check as a quotation, without the links into the
// demo's repository, which ends with the demo.
func shows(s demo.Scene, what string) (string, bool) {
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
	text := links.ReplaceAllString(rules.ReplaceAllString(hidden.ReplaceAllString(markdown, ""), ""), "$1")
	text = strings.TrimSpace(blanks.ReplaceAllString(text, "\n\n"))
	var b strings.Builder
	for line := range strings.Lines(text + "\n") {
		b.WriteString(strings.TrimRight("> "+line, " \n") + "\n")
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}
