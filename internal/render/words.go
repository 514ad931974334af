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
	"slices"
	"strconv"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/rules"
	"github.com/pilotgate/pilotgate/internal/sentence"
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
func Languages() []string { return sentence.Languages() }

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
	texts, err := sentence.Read(lang)
	if err != nil {
		return nil, err
	}
	w.texts = texts.Sections
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

// The places and ways of package sentence, under the names that this package
// has for them.
type place = sentence.Place

const (
	plain    = sentence.Plain
	markdown = sentence.Markdown
	cell     = sentence.Cell
)

var (
	fill    = sentence.Fill
	fillRaw = sentence.FillRaw
	choose  = sentence.Choose
	closing = sentence.Closing
	escape  = sentence.Escape
	urlPath = sentence.URLPath
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
		by := "waived"
		if f.Args[rules.WaivedInPlan] != "" {
			by = "waived_in_plan"
		}
		text = fill(w.texts["summary"][by], f.Args, p)
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
	return sentence.Grouped(w.Language, out)
}

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
	return fill(t, sentence.Grouped(w.Language, m), p)
}
