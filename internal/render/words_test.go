package render

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/rules"
)

// placeholders are the names in a sentence, each once, and those of them that
// stand outside back-ticks.
func placeholders(text string) (all, bare []string) {
	code := false
	var walk func(string)
	walk = func(s string) {
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '`':
				code = !code
			case '{':
				end := closing(s, i)
				if end < 0 {
					continue
				}
				name, forms, plural := strings.Cut(s[i+1:end], ":")
				all = append(all, name)
				if plural {
					for form := range strings.SplitSeq(forms, "|") {
						walk(form)
					}
				} else if !code {
					bare = append(bare, name)
				}
				i = end
			}
		}
	}
	walk(text)
	slices.Sort(all)
	slices.Sort(bare)
	return slices.Compact(all), slices.Compact(bare)
}

func sentences(c Case) []string { return []string{c.What, c.Mend, c.Brief} }

func TestEveryLanguageSaysTheSame(t *testing.T) {
	english, err := read("en")
	require.NoError(t, err)
	for _, lang := range Languages()[1:] {
		t.Run(lang, func(t *testing.T) {
			words, err := read(lang)
			require.NoError(t, err)
			require.Equal(t, english.Rules(), words.Rules(), "the same rules")
			for id, rule := range english.rules {
				other := words.rules[id]
				require.ElementsMatch(t, slices.Collect(maps.Keys(rule.Cases)), slices.Collect(maps.Keys(other.Cases)), "the cases of %s", id)
				for name, c := range rule.Cases {
					for i, text := range sentences(c) {
						want, _ := placeholders(text)
						got, _ := placeholders(sentences(other.Cases[name])[i])
						assert.Equal(t, want, got, "%s %s: %q", id, name, text)
						assert.Equal(t, text == "", sentences(other.Cases[name])[i] == "", "%s %s: %q", id, name, text)
					}
				}
			}
			require.ElementsMatch(t, slices.Collect(maps.Keys(english.texts)), slices.Collect(maps.Keys(words.texts)))
			for section, texts := range english.texts {
				require.ElementsMatch(t, slices.Collect(maps.Keys(texts)), slices.Collect(maps.Keys(words.texts[section])), section)
				for key, text := range texts {
					want, _ := placeholders(text)
					got, _ := placeholders(words.texts[section][key])
					assert.Equal(t, want, got, "%s.%s: %q", section, key, text)
				}
			}
		})
	}
}

func TestEverySentenceIsWhole(t *testing.T) {
	for _, lang := range Languages() {
		words, err := read(lang)
		require.NoError(t, err)
		for id, rule := range words.rules {
			for _, text := range []string{rule.Title, rule.Harm, rule.Fails, rule.Passes} {
				assert.NotEmpty(t, text, "%s %s", lang, id)
			}
			for name, c := range rule.Cases {
				assert.NotEmpty(t, c.What, "%s %s %s", lang, id, name)
				assert.NotEmpty(t, c.Mend, "%s %s %s", lang, id, name)
				for _, text := range sentences(c) {
					assert.Zero(t, strings.Count(text, "`")%2, "%s %s %s: an open code span in %q", lang, id, name, text)
					assert.NotContains(t, strings.ReplaceAll(text, "<!--", ""), "!", "%s %s %s", lang, id, name)
				}
			}
		}
	}
}

// harmless are the placeholders that may stand outside back-ticks: numbers and
// words of our own. What an author wrote stands in a code span.
var harmless = map[string]bool{
	// Numbers, times and lines that we computed.
	"line": true, "first_line": true, "evaluation_line": true, "compared": true, "n": true, "of": true, "records": true, "bytes": true,
	"limit": true, "files": true, "chars": true, "source_chars": true, "computed": true, "recomputed": true, "value": true, "p95": true, "worst": true,
	"row": true, "rows": true, "first": true, "sample": true, "count": true, "missing": true, "mean": true, "pass": true, "warn": true, "findings": true, "before": true, "at": true, "time": true, "low": true, "high": true, "repository": true, "run": true,
	// Names from lists of our own: metrics, statistics, outcomes, roles, statuses, fields, rules.
	"metrics": true, "statistic": true, "outcome": true, "worst_outcome": true, "field": true,
	"rule": true, "rules": true, "want": true, "part": true, "what": true, "listing": true, "allowed": true, "severity": true, "better": true, "expected": true,
}

func TestWhatAuthorsWroteStandsInCode(t *testing.T) {
	for _, lang := range Languages() {
		words, err := read(lang)
		require.NoError(t, err)
		for id, rule := range words.rules {
			for name, c := range rule.Cases {
				for _, text := range sentences(c) {
					_, bare := placeholders(text)
					for _, p := range bare {
						assert.True(t, harmless[p], "%s %s %s: {%s} stands outside back-ticks in %q", lang, id, name, p, text)
					}
				}
			}
		}
	}
}

// Every case that the rules name in a literal has a sentence, and every name in
// that sentence is among the values given with it.
func TestEveryFindingHasItsSentence(t *testing.T) {
	words := Speak("en")
	byCase := map[string][]Case{}
	for _, row := range rules.Catalogue() {
		rule, ok := words.Rule(row.ID)
		require.True(t, ok, "%s has no words", row.ID)
		for name, c := range rule.Cases {
			byCase[name] = append(byCase[name], c)
		}
	}
	for id := range words.rules {
		for name, c := range words.rules[id].Cases {
			byCase[name] = append(byCase[name], c)
		}
	}
	files, err := filepath.Glob("../rules/*.go")
	require.NoError(t, err)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Find" || len(call.Args) < 2 {
				return true
			}
			kase, ok := literal(call.Args[0])
			if !ok {
				return true
			}
			found++
			given := map[string]bool{"line": true, "path": true}
			for i := 2; i < len(call.Args); i += 2 {
				name, _ := literal(call.Args[i])
				given[name] = true
			}
			fits := slices.ContainsFunc(byCase[kase], func(c Case) bool {
				names, _ := placeholders(strings.Join(sentences(c), " "))
				return !slices.ContainsFunc(names, func(name string) bool { return !given[name] })
			})
			assert.True(t, fits, "%s: no sentence for the case %q with %v", filepath.Base(file), kase, slices.Sorted(maps.Keys(given)))
			return true
		})
	}
	require.Greater(t, found, 50, "the rules' findings were looked at")
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

func TestNumbersChooseTheirForm(t *testing.T) {
	forms := []string{"ошибка", "ошибки", "ошибок"}
	for number, want := range map[string]string{
		"0": "ошибок", "1": "ошибка", "2": "ошибки", "4": "ошибки", "5": "ошибок", "11": "ошибок", "12": "ошибок", "14": "ошибок",
		"21": "ошибка", "22": "ошибки", "100": "ошибок", "101": "ошибка", "111": "ошибок", "1,002": "ошибки",
	} {
		assert.Equal(t, want, choose(number, forms), number)
	}
	assert.Equal(t, "1 error", fill("{n} {n:error|errors}", map[string]string{"n": "1"}, plain))
	assert.Equal(t, "21 errors", fill("{n} {n:error|errors}", map[string]string{"n": "21"}, plain))
}

func TestAnUnknownLanguageIsEnglish(t *testing.T) {
	assert.Equal(t, "en", Speak("tlh").Language)
	assert.Equal(t, "ru", Speak("ru").Language)
}

// Russian sentences are Russian: no Latin letter among Cyrillic ones, which a
// reader takes for the other and a search does not.
func TestNoLettersOfTwoAlphabetsInAWord(t *testing.T) {
	mixed := regexp.MustCompile(`\p{Cyrillic}[A-Za-z]|[A-Za-z]\p{Cyrillic}`)
	words, err := read("ru")
	require.NoError(t, err)
	for id, rule := range words.rules {
		if id == "DS011" {
			continue // its examples are such words
		}
		for name, c := range rule.Cases {
			for _, text := range append(sentences(c), rule.Title, rule.Harm) {
				assert.NotRegexp(t, mixed, text, "%s %s", id, name)
			}
		}
	}
	for section, texts := range words.texts {
		for key, text := range texts {
			for _, part := range regexp.MustCompile(`\{[a-z_0-9]+[:}]`).Split(text, -1) {
				assert.NotRegexp(t, mixed, part, "%s.%s", section, key)
			}
		}
	}
}
