package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

func addCorpus(f *testing.F, folders ...string) {
	f.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(folder + "/*.md")
		require.NoError(f, err)
		require.NotEmpty(f, files)
		for _, file := range files {
			src, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(src)
		}
	}
	for _, s := range []string{"", "---", "---\n---\n", "---\na: &a [*a]\n---\n", "- \n", "|a|\n|-|\n", "## Run notes\n", "[x]: y\n[x]", "- Seed: \u00a042", "a\rb", "\r", "a\r\r\n", "<<<<<<< a\n", "- [ ] **Seed** 42"} {
		f.Add([]byte(s))
	}
}

func FuzzParse(f *testing.F) {
	addCorpus(f, corpus)
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			t.Skip("size has a test of its own")
		}
		const file = "docs/specs/epic_05/pilots/fuzz.md"
		p := plan.Parse(file, src)
		eachValue(p, func(what string, v plan.Value) { checkValue(t, src, what, v) })
		for _, m := range p.Mentions {
			checkValue(t, src, "mention", m.Value)
		}
		for _, problem := range p.Problems {
			checkPlace(t, src, problem.At)
		}

		normal := plan.Normalised(src)
		assert.Equal(t, string(normal), string(plan.Normalised(normal)), "normalising twice equals once")
		assert.Equal(t, factsJSON(t, p), factsJSON(t, plan.Parse(file, normal)), "what the digest leaves out is not read")
	})
}

func FuzzParseCard(f *testing.F) {
	addCorpus(f, corpus, corpus+"/cards")
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			t.Skip("size has a test of its own")
		}
		c := plan.ParseCard("data/card.md", src)
		for _, v := range append([]plan.Value{
			c.Dataset, c.Origin, c.Exporter, c.ExporterCommit, c.Window, c.WindowFrom, c.WindowTo, c.Records, c.Bytes,
			c.SHA256, c.Licence, c.Retention, c.PII, c.Schema, c.SchemaSHA256, c.Model, c.Locale, c.Created,
		}, c.Channels...) {
			checkValue(t, src, "card", v)
		}
		for _, problem := range c.Problems {
			checkPlace(t, src, problem.At)
		}
	})
}

// eachValue visits every value of a plan with the name of its place.
func eachValue(p plan.Plan, visit func(string, plan.Value)) {
	for f, values := range p.Fields {
		for _, v := range values {
			visit(string(f), v)
		}
	}
	for _, m := range append(append([]plan.MetricRow(nil), p.Metrics...), p.Acceptance...) {
		for _, v := range []plan.Value{m.Name, m.Value, m.Threshold, m.Status} {
			visit("metric", v)
		}
	}
	for _, v := range p.Drift {
		visit("drift", v)
	}
	for _, w := range p.Waivers {
		for _, v := range []plan.Value{w.Rule, w.FileSHA256, w.Line, w.Pointer, w.Owner, w.Reason, w.Expires} {
			visit("waiver", v)
		}
	}
}

func checkValue(t *testing.T, src []byte, what string, v plan.Value) {
	t.Helper()
	require.True(t, 0 <= v.Start && v.Start <= v.End && v.End <= len(src), "%s: %d to %d of %d", what, v.Start, v.End, len(src))
	assert.Equal(t, string(src[v.Start:v.End]), v.Raw, what)
	checkPlace(t, src, v.At)
	if v.At.Line == 0 || v.Text == "" {
		return // nothing stated: the place may be the key's
	}
	line, column := place(src, v.Start)
	assert.Equal(t, [2]int{line, column}, [2]int{v.At.Line, v.At.Column}, "%s begins at another place than it says", what)
	if v.End > v.Start {
		_, size := utf8.DecodeLastRune(src[:v.End])
		line, column = place(src, v.End-size)
		assert.Equal(t, [2]int{line, column}, [2]int{v.At.EndLine, v.At.EndColumn}, "%s ends at another place than it says", what)
	}
}

// place counts the slow way.
func place(src []byte, off int) (line, column int) {
	before := string(src[:off])
	line = strings.Count(before, "\n") + 1
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	} else {
		before = strings.TrimPrefix(before, "\ufeff")
	}
	return line, utf8.RuneCountInString(before) + 1
}

func checkPlace(t *testing.T, src []byte, at finding.Position) {
	t.Helper()
	lines := bytes.Count(src, []byte("\n")) + 1
	assert.LessOrEqual(t, at.Line, lines)
	assert.LessOrEqual(t, at.EndLine, lines)
	if at.Line > 0 && at.EndLine > 0 {
		assert.LessOrEqual(t, at.Line, at.EndLine)
		if at.Line == at.EndLine {
			assert.LessOrEqual(t, at.Column, at.EndColumn)
		}
	}
}

func factsJSON(t *testing.T, p plan.Plan) string {
	t.Helper()
	b, err := json.Marshal(p.Facts())
	require.NoError(t, err)
	return string(b)
}
