package render

import (
	"cmp"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/rules"
)

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()

// shape counts the nodes of a rendered text by kind; text and its breaks say
// nothing about structure and are left out.
func shape(source string) map[string]int {
	out := map[string]int{}
	_ = ast.Walk(gfm.Parse(text.NewReader([]byte(source))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && n.Kind() != ast.KindText && n.Kind() != ast.KindString {
			out[n.Kind().String()]++
		}
		return ast.WalkContinue, nil
	})
	return out
}

// mention is what GitHub would notify: an @ before a name, outside code.
var mention = regexp.MustCompile(`@[A-Za-z0-9]`)

func mentions(source string) int {
	n := 0
	src := []byte(source)
	_ = ast.Walk(gfm.Parse(text.NewReader(src)), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if node.Kind() == ast.KindCodeSpan {
			return ast.WalkSkipChildren, nil
		}
		if t, ok := node.(*ast.Text); ok && entering {
			n += len(mention.FindAll(t.Segment.Value(src), -1))
		}
		return ast.WalkContinue, nil
	})
	return n
}

// values try to become something else than text.
var values = []string{
	"plain", "**bold** _it_ ~~gone~~", "`code` ``", "a | b || c", `\| \`, `\`, "<b>x</b><script>", "<!-- pilotgate:comment -->", "--> <details>",
	"@everyone @acme/ml-leads", "# heading\n## two", "\n\n---\n\n| a | b |\n|---|---|\n", "[link](https://evil.example) ![i](x)", "https://evil.example www.evil.example",
	"x@evil.example", "- [x] list\n1. one", "```\nfence", "&lt;b&gt; &#64;everyone", "\u202eright", "[ref]: https://evil.example", "#42 acme/x#1 GH-1", "$`x`$ :smile:",
	strings.Repeat("`", 300), strings.Repeat("|", 400), "\x00\x1b[31m", "\xff\xfe", "{value} {n:a|b}", "mailto:x@y.example", "~~~\nx", "http:\\\\x", "^[note]", "<https://evil.example>",
}

// saying is a sentence that a finding says, with the names of its places.
type saying struct {
	rule, name string
	names      []string
}

func allSentences() []saying {
	var all []saying
	for id, rule := range Speak("en").rules {
		for name, c := range rule.Cases {
			names, _ := placeholders(strings.Join(sentences(c), " "))
			all = append(all, saying{id, name, names})
		}
	}
	slices.SortFunc(all, func(a, b saying) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.name, b.name)) })
	return all
}

// TestAValueNeverBecomesMarkdown puts a value into every place of every sentence,
// and into the page around it: the page keeps its structure.
func TestAValueNeverBecomesMarkdown(t *testing.T) {
	all := allSentences()
	for _, value := range values {
		neverMarkdown(t, value, all)
	}
}

// The fuzz target puts it into a share of the sentences: it is the value that
// varies.
func FuzzAValueNeverBecomesMarkdown(f *testing.F) {
	for _, value := range values {
		f.Add(value)
	}
	const shares = 32
	all := allSentences()
	f.Fuzz(func(t *testing.T, value string) {
		var share []saying
		for i := int(crc32.ChecksumIEEE([]byte(value)) % shares); i < len(all); i += shares {
			share = append(share, all[i])
		}
		neverMarkdown(t, value, share)
	})
}

func neverMarkdown(t *testing.T, value string, share []saying) {
	t.Helper()
	if value == "" { // it has no span or link of its own
		return
	}
	for _, lang := range Languages() {
		w := Speak(lang)
		build := func(value string) string {
			var fs []finding.Finding
			for _, s := range share {
				x := finding.Finding{Rule: s.rule, Case: s.name, Severity: finding.Error, At: finding.Position{Path: "docs/plan.md", Line: 3}, Args: map[string]string{}}
				for _, n := range s.names {
					x.Args[n] = value
				}
				fs = append(fs, x)
			}
			v := verdictOf()
			v.Dossier.Pull.Repository.URL = "https://github.com/acme/pilots"
			var b strings.Builder
			b.WriteString("| a | b | c | d | e |\n|---|---|---|---|---|\n")
			b.WriteString(w.findingRows(v, fs, map[string]int{}, 1<<24))
			b.WriteString("\n")
			for _, x := range fs {
				b.WriteString("- " + w.what(x, markdown) + " " + w.mend(x, markdown) + "\n")
			}
			return b.String()
		}
		harmless, page := build(strings.Repeat("x", len(value))), build(value)
		assert.Equal(t, shape(harmless), shape(page), "%s: %q", lang, value)
		assert.Equal(t, mentions(harmless), mentions(page), "%s: %q", lang, value)

		comment := func(value string) string {
			v := verdictOf(finding.Finding{Rule: "PL006", Case: "conflict", Severity: finding.Error, At: finding.Position{Path: value, Line: 2}, Args: map[string]string{"a": value, "b": value, "field": value}})
			v.Pilot, v.Why = value, judge.Reason{Key: "changes_requested", Args: map[string]string{"login": value}}
			v.Dossier.Pull.Base.Ref, v.Dossier.Pull.Repository.URL = value, "https://github.com/acme/pilots"
			v.Checks[0].Verified = []rules.Statement{{Key: "policy_change", Args: map[string]string{"key": value, "from": value, "to": value}}}
			return w.Comment(v) + "\n\n" + w.Check(v, v.Checks[0]).Summary + "\n\n" + w.Approvals(v).Summary
		}
		assert.Equal(t, shape(comment(strings.Repeat("x", len(value)))), shape(comment(value)), "%s: %q", lang, value)
	}
}
