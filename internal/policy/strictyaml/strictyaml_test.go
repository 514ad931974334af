package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

func TestParseKeepsTextAndPlace(t *testing.T) {
	src := "# комментарий\r\nключ: значение\r\nband: {pass: 0.80, warn: \"0.70\"}\nlist:\n  - a\n  - 12\n  -\nnothing:\nyes: true\nday: 2026-12-31\nq: 'it''s'\n"
	root, problem := strictyaml.Parse("p.yml", []byte(src))
	require.Nil(t, problem)

	assert.Equal(t, "значение", root.Get("ключ").Text)
	assert.Equal(t, 2, root.Get("ключ").At.Line)
	assert.Equal(t, 7, root.Get("ключ").At.Column, "characters, not bytes")
	assert.Equal(t, 14, root.Get("ключ").At.EndColumn)

	pass := root.Get("band").Get("pass")
	assert.Equal(t, "0.80", pass.Text, "as written")
	assert.Equal(t, strictyaml.Number, pass.Kind)
	assert.Equal(t, []int{3, 14, 17}, []int{pass.At.Line, pass.At.Column, pass.At.EndColumn})
	assert.Equal(t, strictyaml.Text, root.Get("band").Get("warn").Kind, "quoted is text")

	list := root.Get("list")
	require.Len(t, list.Items, 3)
	assert.Equal(t, []strictyaml.Kind{strictyaml.Text, strictyaml.Number, strictyaml.Null}, []strictyaml.Kind{list.Items[0].Kind, list.Items[1].Kind, list.Items[2].Kind})
	assert.Equal(t, 6, list.Items[1].At.Line)

	assert.Equal(t, strictyaml.Null, root.Get("nothing").Kind)
	assert.Equal(t, strictyaml.Bool, root.Get("yes").Kind)
	assert.Equal(t, "2026-12-31", root.Get("day").Text)
	assert.Equal(t, "it's", root.Get("q").Text)
	assert.Nil(t, root.Get("absent"))
}

func TestParseTakesAnEmptyFileAsAnEmptyMap(t *testing.T) {
	for _, src := range []string{"", "\n\n", "# only a comment\n", "---\n", "{}"} {
		root, problem := strictyaml.Parse("p.yml", []byte(src))
		require.Nil(t, problem, "%q", src)
		assert.Equal(t, strictyaml.Map, root.Kind, "%q", src)
		assert.Empty(t, root.Entries)
	}
}

func TestParseRefuses(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	indented := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%sk:\n", strings.Repeat(" ", i))
		}
		return b.String()
	}
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b]\n"
	for _, c := range []struct {
		name, src, kase string
		line, column    int
	}{
		{"too large", strings.Repeat("#", strictyaml.MaxBytes+1), strictyaml.TooLarge, 1, 1},
		{"a byte that is not UTF-8", "a: 1\nb: \xff\n", strictyaml.NotUTF8, 2, 4},
		{"NUL", "a: \x00", strictyaml.NotUTF8, 1, 4},
		{"byte order mark", "\uFEFFa: 1", strictyaml.NotUTF8, 1, 1},
		{"text that runs backwards", "a: \u202Eb", strictyaml.Control, 1, 4},
		{"a lone carriage return", "a: 1\rb: 2", strictyaml.Control, 1, 5},
		{"too many tokens", strings.Repeat("- a\n", strictyaml.MaxTokens), strictyaml.TooMany, 10001, 1},
		{"brackets too deep", "a: " + nested(strictyaml.MaxDepth+1), strictyaml.Nesting, 1, 16},
		{"dashes too deep", strings.Repeat("- ", strictyaml.MaxDepth+1) + "a", strictyaml.Nesting, 1, 25},
		{"indented too deep", indented(strictyaml.MaxDepth + 1), strictyaml.Nesting, 13, 13},
		{"a hundred thousand brackets", strings.Repeat("[", 100_000), strictyaml.TooMany, 1, 20001},
		{"alias bomb", bomb, strictyaml.Alias, 1, 4},
		{"alias", "a: *x", strictyaml.Alias, 1, 4},
		{"merge key", "a: {}\nb:\n  <<: {c: 1}\n", strictyaml.Alias, 3, 3},
		{"tag", "a: !!binary aGk=", strictyaml.Tag, 1, 4},
		{"directive", "%YAML 1.2\n---\na: 1\n", strictyaml.Directive, 1, 1},
		{"two documents", "a: 1\n---\na: 2\n", strictyaml.Documents, 3, 1},
		{"a key twice", "a: 1\nb: 2\na: 3\n", strictyaml.DuplicateKey, 3, 1},
		{"a key twice in braces", "x: {a: 1, a: 2}", strictyaml.DuplicateKey, 1, 11},
		{"a map as a key", "? {a: 1}\n: 2\n", strictyaml.KeyShape, 1, 1},
		{"not closed", "a: [1, 2\nb: 3\n", strictyaml.Syntax, 2, 1},
		{"a tab as indentation", "a:\n\tb: 1\n", strictyaml.Syntax, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, problem := strictyaml.Parse("p.yml", []byte(c.src))
			require.NotNil(t, problem)
			assert.Nil(t, root)
			assert.Equal(t, c.kase, problem.Case)
			assert.Equal(t, "p.yml", problem.At.Path)
			assert.Equal(t, []int{c.line, c.column}, []int{problem.At.Line, problem.At.Column})
		})
	}
}

func TestParseTakesWhatIsAtTheCaps(t *testing.T) {
	for name, src := range map[string]string{
		"bytes":    "# " + strings.Repeat("x", strictyaml.MaxBytes-2),
		"depth":    "a: " + strings.Repeat("[", strictyaml.MaxDepth-1) + strings.Repeat("]", strictyaml.MaxDepth-1),
		"tokens":   strings.Repeat("- a\n", strictyaml.MaxTokens/2),
		"map keys": manyKeys(strictyaml.MaxTokens / 3),
	} {
		t.Run(name, func(t *testing.T) {
			_, problem := strictyaml.Parse("p.yml", []byte(src))
			assert.Nil(t, problem)
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a: 1\nb: {c: [d, \"e\"]}\n", "a: &a [*a]", "<<: *x", "? [a]\n: b", "a: |\n  text\n", "- - - a", "%TAG ! x\n---\n", "a: !!str 1", "a:\n\tb", "{a: 1, a: 2}", "'a", "a: >-\n x\n\n y",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		root, problem := strictyaml.Parse("p.yml", src)
		if (root == nil) == (problem == nil) {
			t.Fatal("either a tree or a problem")
		}
		if problem != nil {
			return
		}
		lines := strings.Count(string(src), "\n") + 1
		var walk func(n *strictyaml.Node, depth int)
		walk = func(n *strictyaml.Node, depth int) {
			if depth > strictyaml.MaxDepth || n.At.Line > lines+1 {
				t.Fatalf("depth %d, line %d of %d", depth, n.At.Line, lines)
			}
			for _, i := range n.Items {
				walk(i, depth+1)
			}
			keys := map[string]bool{}
			for _, e := range n.Entries {
				if keys[e.Key] {
					t.Fatalf("key %q twice", e.Key)
				}
				keys[e.Key] = true
				walk(e.Value, depth+1)
			}
		}
		walk(root, 1)
	})
}
