// Package sentence fills the sentences of templates/ with values.
//
// A value never becomes Markdown: it is escaped for the place where its
// sentence puts it, and there is no way around that but FillRaw, which is for
// Markdown of our own making. The package knows no finding, pilot or check.
package sentence

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/pilotgate/pilotgate/templates"
)

// Texts are the sentences of one language, by section and key.
type Texts struct {
	Language string
	Sections map[string]map[string]string
}

// Languages lists the languages there are texts for.
func Languages() []string { return []string{"en", "ru"} }

// Read reads a language's texts.
func Read(language string) (*Texts, error) {
	raw, err := templates.Files.ReadFile("texts." + language + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	t := &Texts{Language: language}
	if err := yaml.Unmarshal(raw, &t.Sections); err != nil {
		return nil, fmt.Errorf("read texts.%s: %w", language, err)
	}
	return t, nil
}

var load = sync.OnceValues(func() (map[string]*Texts, error) {
	out := map[string]*Texts{}
	for _, language := range Languages() {
		t, err := Read(language)
		if err != nil {
			return nil, err
		}
		out[language] = t
	}
	return out, nil
})

// Speak returns the texts of a language, English where there is no such one.
// They are part of the program; texts that cannot be read are a broken build,
// which the tests refuse.
func Speak(language string) *Texts {
	all, err := load()
	if err != nil {
		panic(err)
	}
	if t, ok := all[language]; ok {
		return t
	}
	return all["en"]
}

// Text is a sentence without values.
func (t *Texts) Text(section, key string) string { return t.Sections[section][key] }

// Say fills a sentence; pairs are name, value, name, value.
func (t *Texts) Say(p Place, section, key string, pairs ...string) string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return t.SayMap(p, section, key, m)
}

// SayMap fills a sentence with the values of a map.
func (t *Texts) SayMap(p Place, section, key string, m map[string]string) string {
	text, ok := t.Sections[section][key]
	if !ok {
		return section + "." + key
	}
	return Fill(text, Grouped(t.Language, m), p)
}

// Place is where a sentence goes, which decides how values are escaped.
type Place int

// The places.
const (
	Plain    Place = iota // terminal, annotation, commit message
	Markdown              // a paragraph at GitHub
	Cell                  // a table cell at GitHub
)

// Grouped are the values with our own large numbers grouped as the language
// does: to a Russian reader 28,400 is twenty-eight and four tenths.
func Grouped(language string, m map[string]string) map[string]string {
	if language != "ru" {
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

// Fill puts values into a sentence: {name}, or {n:one|many} by the number n
// ({n:one|few|many} in Russian). Values are escaped, the sentence is not.
func Fill(text string, values map[string]string, p Place) string {
	var out strings.Builder
	code := false
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '`':
			code = !code
			out.WriteByte(c)
			i++
		case '{':
			end := Closing(text, i)
			if end < 0 {
				out.WriteString(text[i:])
				return out.String()
			}
			name, forms, plural := strings.Cut(text[i+1:end], ":")
			if plural {
				out.WriteString(Fill(Choose(values[name], strings.Split(forms, "|")), values, p))
			} else {
				out.WriteString(Escape(values[name], p, code))
			}
			i = end + 1
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String()
}

// Closing is the index of the brace that closes the one at open, -1 if none does.
func Closing(text string, open int) int {
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

// Choose picks the form for a number: two forms as in English, three as in
// Russian (1, 2 to 4, the rest; 11 to 14 are the rest).
func Choose(number string, forms []string) string {
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

// Visible is a text without what moves a terminal, hides or turns around: control
// and invisible characters become spaces.
func Visible(s string) string {
	return controls.ReplaceAllString(strings.ToValidUTF8(s, "\ufffd"), " ")
}

// Escape makes a value harmless where it stands: it cannot end a code span,
// open a tag, mention somebody, become a link, a row or a heading. Control and
// invisible characters become spaces, and long values are cut.
func Escape(v string, p Place, code bool) string {
	v = Visible(v)
	if r := []rune(v); len(r) > maxValue {
		v = string(r[:maxValue]) + "…"
	}
	switch {
	case p == Plain:
		return v
	case code && p == Cell:
		return strings.NewReplacer("`", "'", "|", `\|`, `\`, `\\`).Replace(v)
	case code:
		return strings.ReplaceAll(v, "`", "'")
	}
	return opens.ReplaceAllString(special.Replace(strings.TrimLeft(v, " ")), `$1\$2$3`)
}

// opens is what would begin a list, a setext heading or a rule where the value
// stands first in its line.
var opens = regexp.MustCompile(`^(\d*)([-+=.)])([-+=\s]|$)`)

// FillRaw is Fill for values that are Markdown of our own making.
func FillRaw(text string, values map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '{' {
			out.WriteByte(text[i])
			i++
			continue
		}
		end := Closing(text, i)
		if end < 0 {
			out.WriteString(text[i:])
			break
		}
		name, forms, plural := strings.Cut(text[i+1:end], ":")
		if plural {
			out.WriteString(FillRaw(Choose(values[name], strings.Split(forms, "|")), values))
		} else {
			out.WriteString(values[name])
		}
		i = end + 1
	}
	return out.String()
}
