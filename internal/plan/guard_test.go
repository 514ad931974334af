package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

func TestDocumentsThatAreNotRead(t *testing.T) {
	for _, c := range []struct{ name, src, told string }{
		{"not UTF-8", "- Seed: 42\n- Epochs: \xff\n", "PL001 not_utf8"},
		{"a NUL", "- Seed: 42\n\x00\n", "PL001 binary"},
		{"conflict markers", "# Pilot\n\n<<<<<<< HEAD\n- Seed: 42\n=======\n- Seed: 43\n>>>>>>> b\n", "PL001 conflict_markers"},
		{"conflict markers with CRLF", "<<<<<<< HEAD\r\n- Seed: 42\r\n=======\r\n>>>>>>> b\r\n", "PL001 conflict_markers"},
		{"half a conflict", "<<<<<<< HEAD\n- Seed: 42\n", "PL001 conflict_markers"},
		{"deep lists", strings.Repeat("- ", 25) + "Seed: 42\n", "PL001 nesting"},
		{"deep quotations", strings.Repeat(">", 25) + " Seed: 42\n", "PL001 nesting"},
		{"deep indentation", strings.Repeat(" ", 97) + "- Seed: 42\n", "PL001 nesting"},
		{"too many marks", "- Seed: 42\n" + strings.Repeat("[", 4001) + "\n", "PL001 dense"},
		{"a table that fills itself", "|" + strings.Repeat("a|", 500) + "\n|" + strings.Repeat("-|", 500) + "\n" + strings.Repeat("|\n", 100), "PL001 dense"},
		{"nothing", " \n\t\n", "PL001 empty"},
		{"nothing but run notes", "## Run notes\n\n- Seed: 42\n", "PL001 empty"},
		{"front matter without an end", "---\nseed: 42\n\n# Pilot\n", "PL001 front_matter_unclosed"},
		{"too much front matter", "---\n" + strings.Repeat("seed: 42\n", 4000) + "---\n", "PL001 front_matter_too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(c.src))
			assert.Equal(t, []string{c.told}, cases(p))
			assert.Empty(t, p.Fields)
			assert.NotEmpty(t, p.Facts().Unreadable, "two unreadable documents must not count as equal")
		})
	}
}

func TestDocumentsAtTheCapsAreRead(t *testing.T) {
	for name, src := range map[string]string{
		"deepest list":         strings.Repeat("- ", 24) + "Seed: 42\n",
		"most marks":           "- Seed: 42\n" + strings.Repeat("*", 3990) + "\n",
		"marks in paragraphs":  "- Seed: 42\n\n" + strings.Repeat(strings.Repeat("[", 3990)+"\n\n", 3),
		"underscores of words": "- Seed: 42\n\n" + strings.Repeat("a_b_c ", 4000) + "\n",
		"equals line":          "Pilot\n=======\n\n- Seed: 42\n",
		"front matter":         "---\n" + strings.Repeat("# a comment\n", 2700) + "seed: 42\n---\n",
		"no front matter":      "---\n\n- Seed: 42\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(src))
			require.Empty(t, p.Problems)
			v, ok := p.Get(plan.Seed)
			require.True(t, ok)
			assert.Equal(t, "42", v.Text)
		})
	}
}

func TestBrokenFrontMatterIsToldAndTheTextStillRead(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'j'; i++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for _, c := range []struct {
		name, yaml, told string
		line             int
	}{
		{"not YAML", "seed: [41\n", "PL001 front_matter_broken", 0},
		{"a list", "- seed\n- 41\n", "PL001 front_matter_broken", 2},
		{"a key twice", "seed: 40\nseed: 41\n", "PL001 front_matter_broken", 3},
		{"an alias bomb", bomb, "PL001 front_matter_alias", 2},
		{"an anchor", "seed: &s 41\n", "PL001 front_matter_alias", 2},
		{"deep flow", "seed: " + strings.Repeat("[", 17) + strings.Repeat("]", 17) + "\n", "PL001 front_matter_nesting", 2},
		{"deep sequences", strings.Repeat("- ", 17) + "a\n", "PL001 front_matter_nesting", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte("---\n"+c.yaml+"---\n\n- Seed: 42\n"))
			require.Equal(t, []string{c.told}, cases(p))
			if c.line > 0 {
				assert.Equal(t, c.line, p.Problems[0].At.Line)
			}
			v, ok := p.Get(plan.Seed)
			require.True(t, ok)
			assert.Equal(t, "42", v.Text)
		})
	}
}

func TestUnknownFrontMatterKeys(t *testing.T) {
	p := plan.Parse("a.md", []byte("---\nlearning_rte: 1e-5\nshoe_size: 44\nseed: 42\n---\n\n# Pilot\n"))
	require.Equal(t, []string{"PL007 misspelt_key", "PL007 unknown_key"}, cases(p))
	assert.Equal(t, "learning_rate", p.Problems[0].Args["suggestion"])
	assert.Equal(t, at{2, 1, 2, 12}, placeOf(p.Problems[0].At))
	assert.Equal(t, at{3, 1, 3, 9}, placeOf(p.Problems[1].At))
}

func TestListsHaveAnEnd(t *testing.T) {
	for _, c := range []struct {
		name, head, unit string
		limit            int
		what             string
	}{
		{"values of a field", "", "- Manual QA: a\n", 64, "manual_qa"},
		{"mentions", "", "- `a/b.md`\n\n", 2000, "mentions"},
		{"metric rows", "## Baseline\n\n", "- Accuracy: 0.9\n", 200, "baseline metrics"},
		{"drift metrics", "## Drift\n\n", "- PSI\n", 200, "drift metrics"},
		{"waivers", "## Waivers\n\n", "- PII101, line 1, a reason, owner @a, expires 2026-12-31\n", 200, "waivers"},
		{"headings", "", "# a\n", 2000, "headings"},
		{"problems", "## Waivers\n\n", "- PII101, line 1, owner @a, a reason\n", 200, "problems"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The head may hold a heading itself.
			n := c.limit
			assert.NotContains(t, cases(plan.Parse("a.md", []byte(c.head+strings.Repeat(c.unit, n)))), "PL001 too_many")
			p := plan.Parse("a.md", []byte(c.head+strings.Repeat(c.unit, n+1)))
			i := slices.Index(cases(p), "PL001 too_many")
			require.GreaterOrEqual(t, i, 0)
			assert.Equal(t, finding.Error, p.Problems[i].Severity)
			assert.Equal(t, c.what, p.Problems[i].Args["what"])
		})
	}
}
