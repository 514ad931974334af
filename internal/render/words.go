// Package render makes every text that people read: check runs, the comment,
// what the terminal prints, JSON, the report and the pull requests' words.
//
// Sentences stand in templates/; this package fills them. A value never
// becomes Markdown: each is escaped for the place where its sentence puts it.
// Nothing here decides anything.
package render

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/templates"
)

// Rule is what the catalogue says of one rule.
type Rule struct {
	Title  string          `yaml:"title"`
	Harm   string          `yaml:"harm"`
	Fails  string          `yaml:"fails"`
	Passes string          `yaml:"passes"`
	Cases  map[string]Case `yaml:"cases"`
}

// Case is one way to break a rule: what is wrong, how to mend it, and in few
// words for the comment (empty: made from the title).
type Case struct {
	What  string `yaml:"what"`
	Mend  string `yaml:"mend"`
	Brief string `yaml:"brief"`
}

// Words are all sentences in one language.
type Words struct {
	Language string
	rules    map[string]Rule
	texts    map[string]map[string]string
}

// Languages lists the languages there are catalogues for.
func Languages() []string { return []string{"en", "ru"} }

var load = sync.OnceValues(func() (map[string]*Words, error) {
	out := map[string]*Words{}
	for _, lang := range Languages() {
		w, err := read(lang)
		if err != nil {
			return nil, err
		}
		out[lang] = w
	}
	return out, nil
})

// Speak returns the words of a language, English where there is no such one.
// The catalogues are part of the program; one that cannot be read is a broken
// build, which the tests of this package refuse.
func Speak(language string) *Words {
	all, err := load()
	if err != nil {
		panic(err)
	}
	if w, ok := all[language]; ok {
		return w
	}
	return all["en"]
}

func read(lang string) (*Words, error) {
	w := &Words{Language: lang, rules: map[string]Rule{}}
	raw, err := templates.Files.ReadFile("texts." + lang + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	if err := yaml.Unmarshal(raw, &w.texts); err != nil {
		return nil, fmt.Errorf("read texts.%s: %w", lang, err)
	}
	files, err := fs.Glob(templates.Files, "messages/*."+lang+".yaml")
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	for _, name := range files {
		raw, err := templates.Files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		var rules map[string]Rule
		if err := yaml.Unmarshal(raw, &rules); err != nil {
			return nil, fmt.Errorf("read %s: %w", path.Base(name), err)
		}
		for id, r := range rules {
			// Two groups may tell cases of one rule (the scan's and the plan's).
			if had, ok := w.rules[id]; ok {
				maps.Copy(had.Cases, r.Cases)
				continue
			}
			if r.Cases == nil {
				r.Cases = map[string]Case{}
			}
			w.rules[id] = r
		}
	}
	return w, nil
}

// Rule is what the catalogue says of a rule.
func (w *Words) Rule(id string) (Rule, bool) {
	r, ok := w.rules[id]
	return r, ok
}

// Rules lists the ids that have words, sorted.
func (w *Words) Rules() []string { return slices.Sorted(maps.Keys(w.rules)) }

// place is where a sentence goes, which decides how values are escaped.
type place int

const (
	plain    place = iota // terminal, annotation, commit message
	markdown              // a paragraph at GitHub
	cell                  // a table cell at GitHub
)

// What and Mend are a finding's two sentences.
func (w *Words) What(f finding.Finding) string { return w.what(f, plain) }

// Mend says how to mend it.
func (w *Words) Mend(f finding.Finding) string { return w.mend(f, plain) }

func (w *Words) what(f finding.Finding, p place) string {
	c, ok := w.rules[f.Rule].Cases[f.Case]
	if !ok {
		return f.Rule + " " + f.Case
	}
	return fill(c.What, w.args(f), p)
}

func (w *Words) mend(f finding.Finding, p place) string {
	c := w.rules[f.Rule].Cases[f.Case]
	text := fill(c.Mend, w.args(f), p)
	if owner := f.Args["owner"]; owner != "" && f.Args["expires"] != "" {
		text = fill(w.texts["summary"]["waived"], f.Args, p)
	}
	return text
}

// args are a finding's values with its place among them.
func (w *Words) args(f finding.Finding) map[string]string {
	out := map[string]string{"line": strconv.Itoa(f.At.Line), "path": f.At.Path}
	if r := f.Record; r != nil {
		out["pointer"], out["length"], out["group"] = r.Pointer, strconv.Itoa(r.Length), strconv.Itoa(r.Group)
		out["byte_start"], out["byte_end"] = strconv.Itoa(r.ByteStart), strconv.Itoa(r.ByteEnd)
	}
	maps.Copy(out, f.Args)
	return w.grouped(out)
}

// grouped are the values with our own large numbers grouped as the language
// does: to a Russian reader 28,400 is twenty-eight and four tenths.
func (w *Words) grouped(m map[string]string) map[string]string {
	if w.Language != "ru" {
		return m
	}
	out := maps.Clone(m)
	for _, name := range []string{"bytes", "computed", "limit", "total", "records"} {
		if v := out[name]; thousands.MatchString(v) {
			out[name] = strings.ReplaceAll(v, ",", "\u00a0")
		}
	}
	return out
}

var thousands = regexp.MustCompile(`^[1-9]\d{0,2}(,\d{3})+$`)

// say fills a sentence of texts.yaml; pairs are name, value, name, value.
func (w *Words) say(p place, section, key string, pairs ...string) string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return w.sayMap(p, section, key, m)
}

func (w *Words) sayMap(p place, section, key string, m map[string]string) string {
	t, ok := w.texts[section][key]
	if !ok {
		return section + "." + key
	}
	return fill(t, w.grouped(m), p)
}

// fill puts values into a sentence: {name}, or {n:one|many} by the number n
// ({n:one|few|many} in Russian). Values are escaped, the sentence is not.
func fill(text string, values map[string]string, p place) string {
	var out strings.Builder
	code := false
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '`':
			code = !code
			out.WriteByte(c)
			i++
		case '{':
			end := closing(text, i)
			if end < 0 {
				out.WriteString(text[i:])
				return out.String()
			}
			name, forms, plural := strings.Cut(text[i+1:end], ":")
			if plural {
				out.WriteString(fill(choose(values[name], strings.Split(forms, "|")), values, p))
			} else {
				out.WriteString(escape(values[name], p, code))
			}
			i = end + 1
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String()
}

func closing(text string, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// choose picks the form for a number: two forms as in English, three as in
// Russian (1, 2 to 4, the rest; 11 to 14 are the rest).
func choose(number string, forms []string) string {
	n, _ := strconv.Atoi(strings.NewReplacer(",", "", "\u00a0", "").Replace(number))
	switch {
	case len(forms) == 3:
		switch {
		case n%10 == 1 && n%100 != 11:
			return forms[0]
		case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
			return forms[1]
		}
		return forms[2]
	case n == 1:
		return forms[0]
	}
	return forms[len(forms)-1]
}

const maxValue = 300 // characters of a value that are shown

var (
	controls = regexp.MustCompile(`[\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]+`)
	special  = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `#`, `\#`, `~`, `\~`, `!`, `\!`,
		`|`, `\|`, `<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`, `@`, "@\u2060", `://`, ":\u2060//", `www.`, "www\u2060.",
	)
)

// escape makes a value harmless where it stands: it cannot end a code span,
// open a tag, mention somebody, become a link, a row or a heading. Control and
// invisible characters become spaces, and long values are cut.
func escape(v string, p place, code bool) string {
	v = controls.ReplaceAllString(strings.ToValidUTF8(v, "\ufffd"), " ")
	if r := []rune(v); len(r) > maxValue {
		v = string(r[:maxValue]) + "…"
	}
	switch {
	case p == plain:
		return v
	case code && p == cell:
		return strings.NewReplacer("`", "'", "|", `\|`, `\`, `\\`).Replace(v)
	case code:
		return strings.ReplaceAll(v, "`", "'")
	}
	return opens.ReplaceAllString(special.Replace(strings.TrimLeft(v, " ")), `$1\$2$3`)
}

// opens is what would begin a list, a setext heading or a rule where the value
// stands first in its line.
var opens = regexp.MustCompile(`^(\d*)([-+=.)])([-+=\s]|$)`)

// fillRaw is fill for values that are Markdown of our own making.
func fillRaw(text string, values map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '{' {
			out.WriteByte(text[i])
			i++
			continue
		}
		end := closing(text, i)
		if end < 0 {
			out.WriteString(text[i:])
			break
		}
		name, forms, plural := strings.Cut(text[i+1:end], ":")
		if plural {
			out.WriteString(fillRaw(choose(values[name], strings.Split(forms, "|")), values))
		} else {
			out.WriteString(values[name])
		}
		i = end + 1
	}
	return out.String()
}
