package ledger

import (
	"strconv"
	"strings"
	"unicode"
)

// joiner is U+2060, invisible and never part of a word. After an "@" or "#" it
// stops GitHub from seeing a mention or a reference in the rendered text: those
// are looked for after Markdown, where a backslash or an entity is already gone.
const joiner = '\u2060'

// Clean makes a value one line: control, format (bidirectional overrides, zero
// widths), private and unassigned characters become spaces, runs of spaces one,
// and more than MaxText characters are cut with an ellipsis. Clean is what a row
// keeps: escape is lossless on its result.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if rs := []rune(s); len(rs) > MaxText {
		s = strings.TrimRight(string(rs[:MaxText-1]), " ") + "…"
	}
	return s
}

// escape writes a cleaned value as Markdown text that renders as the value and
// nothing else, in a table cell, a list item or a paragraph. It uses numeric
// entities: CommonMark gives them no structural meaning, every table splitter
// lets them be, and unlike backslashes they can be read back without doubt.
func escape(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		switch {
		case r == '@', r == '#':
			entity(&b, r)
			entity(&b, joiner)
		case r == ':', // http://, :emoji:
			r == '.' && (last == 'w' || last == 'W'), // www.
			r == '-' && (last == 'h' || last == 'H'): // GH-1
			entity(&b, r)
			entity(&b, joiner)
		case strings.ContainsRune("&<>|`\\*_~[]$", r):
			entity(&b, r)
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

func entity(b *strings.Builder, r rune) {
	b.WriteString("&#")
	b.WriteString(strconv.Itoa(int(r)))
	b.WriteByte(';')
}

// unescape reads what escape wrote; ok is false for anything else.
func unescape(s string) (text string, ok bool) {
	var b strings.Builder
	for rest := s; rest != ""; {
		if !strings.HasPrefix(rest, "&#") {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		number, after, _ := strings.Cut(rest[2:], ";")
		n, _ := strconv.Atoi(number) // what is no number escape does not write, which the last line tells
		if n != joiner {
			b.WriteRune(rune(n))
		}
		rest = after
	}
	text = b.String()
	return text, escape(text) == s
}
