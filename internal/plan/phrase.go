package plan

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// run is the text of one block as a reader sees it: marks removed, entities
// and escapes resolved, wrapped lines joined by a space. Each byte knows which
// bytes of the document it came from.
type run struct {
	doc      *source
	text     string
	from, to []int32 // document bytes of each text byte
	code     []bool  // inside a code span
	breaks   []int   // text offsets of the spaces that stand for line ends
	links    []link
	anchor   int // where the text would stand if it were there
}

// link is a destination inside a run.
type link struct {
	lo, hi int // text offsets of the label
	dest   span
	url    string
}

// span is a range of document bytes.
type span struct{ start, end int }

// phrase is a part of a run.
type phrase struct {
	run    *run
	lo, hi int
}

func (p phrase) text() string {
	if p.run == nil {
		return ""
	}
	return p.run.text[p.lo:p.hi]
}

func (p phrase) empty() bool { return p.hi <= p.lo }

func (p phrase) slice(lo, hi int) phrase { return phrase{p.run, p.lo + lo, p.lo + hi} }

func (p phrase) trim(cut func(rune) bool) phrase {
	t := p.text()
	left := len(t) - len(strings.TrimLeftFunc(t, cut))
	if left == len(t) {
		return phrase{p.run, p.lo, p.lo}
	}
	return p.slice(left, len(strings.TrimRightFunc(t, cut)))
}

func (p phrase) trimSpace() phrase { return p.trim(unicode.IsSpace) }

// start is the document offset where the phrase stands, also when it is empty.
func (p phrase) start() int {
	switch {
	case p.run == nil:
		return 0
	case p.lo < len(p.run.from) && p.lo < p.hi:
		return int(p.run.from[p.lo])
	case p.lo > 0 && p.lo <= len(p.run.to):
		return int(p.run.to[p.lo-1])
	}
	return p.run.anchor
}

func (p phrase) end() int {
	if p.empty() {
		return p.start()
	}
	return int(p.run.to[p.hi-1])
}

// linksIn gives the links whose label touches the phrase.
func (p phrase) linksIn() []link {
	if p.run == nil {
		return nil
	}
	var in []link
	for _, l := range p.run.links {
		if l.lo < p.hi && l.hi > p.lo || l.lo == l.hi && l.lo >= p.lo && l.lo <= p.hi {
			in = append(in, l)
		}
	}
	return in
}

// valueOf is the value that stands in these bytes, with the text it reads as.
func (s *source) valueOf(at span, txt string) Value {
	return Value{Text: txt, Raw: string(s.src[at.start:at.end]), At: s.position(at.start, at.end), Start: at.start, End: at.end}
}

// value makes the phrase a Value: trimmed, quotes and final punctuation off.
func (p phrase) value() Value {
	if p.run == nil {
		return Value{}
	}
	q := p.unquote()
	if absent(q.text()) {
		v := p.run.doc.valueOf(span{q.start(), q.end()}, "")
		return v
	}
	return p.run.doc.valueOf(span{q.start(), q.end()}, collapse(q.text()))
}

var quotes = []struct{ open, close string }{{`"`, `"`}, {`'`, `'`}, {"«", "»"}, {"“", "”"}, {"„", "“"}, {"‘", "’"}, {"`", "`"}}

// unquote trims space, quotes around the whole and punctuation after it.
func (p phrase) unquote() phrase {
	for {
		p = p.trimSpace()
		t := p.text()
		q := p
		for _, m := range quotes {
			if len(t) >= len(m.open)+len(m.close) && strings.HasPrefix(t, m.open) && strings.HasSuffix(t, m.close) &&
				!strings.Contains(t[len(m.open):len(t)-len(m.close)], m.close) {
				q = p.slice(len(m.open), len(t)-len(m.close))
				break
			}
		}
		if q == p && t != "" && strings.ContainsRune(".,;", rune(t[len(t)-1])) && !strings.HasSuffix(t, "..") {
			q = p.slice(0, len(t)-1)
		}
		if q == p {
			return p
		}
		p = q
	}
}

// collapse makes each run of white space one space.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// absent tells whether a text says that there is no value yet.
func absent(s string) bool {
	s = strings.Trim(strings.ToLower(strings.TrimSpace(s)), "()[]<>{}*_.~≈ ")
	for _, about := range []string{"about ", "around ", "approx. ", "approx ", "около ", "примерно "} {
		s = strings.TrimPrefix(s, about)
	}
	switch s {
	case "", "-", "--", "—", "–", "―", "…", "?", "??", "???", "tbd", "tba", "todo", "n/a", "na", "none", "null", "tbc", "xxx", "pending",
		"to be determined", "to be defined", "to be confirmed", "to be decided", "unknown", "not yet",
		"нет", "не определено", "не определён", "не определен", "уточняется", "будет уточнено", "тбд", "н/д", "позже", "неизвестно":
		return true
	}
	if len(s) < 60 && !strings.Contains(s, "/") {
		for _, elsewhere := range []string{"see ", "as above", "same as ", "см. ", "как выше"} {
			if strings.HasPrefix(s, elsewhere) {
				return true
			}
		}
	}
	return strings.HasPrefix(s, "todo(") || strings.HasPrefix(s, "tbd ") && len(s) < 40
}

// flatten reads a block's inline nodes into a run.
func flatten(doc *source, block ast.Node, anchor int) *run {
	b := &runBuilder{run: &run{doc: doc, anchor: anchor}}
	b.children(block)
	b.run.text = b.text.String()
	return b.run
}

type runBuilder struct {
	run  *run
	text strings.Builder
}

func (b *runBuilder) add(s string, from, to int, code bool) {
	b.text.WriteString(s)
	for range len(s) {
		b.run.from = append(b.run.from, int32(from))
		b.run.to = append(b.run.to, int32(to))
		b.run.code = append(b.run.code, code)
	}
}

// verbatim adds document bytes as they are, a character at a time, so that
// every text byte of a character maps to the whole character.
func (b *runBuilder) verbatim(start, stop int, code bool) {
	for i := start; i < stop; {
		_, n := utf8.DecodeRune(b.run.doc.work[i:stop])
		s := string(b.run.doc.work[i : i+n])
		if isBlank(s) {
			s = " "
		}
		b.add(s, i, i+n, code)
		i += n
	}
}

// isBlank tells the line end and the spaces that typographers use: between a
// number and its unit they are spaces like any other.
func isBlank(s string) bool {
	switch s {
	case "\n", "\u00a0", "\u202f", "\u2007", "\u2009":
		return true
	}
	return false
}

// resolved adds document bytes with backslash escapes and entities resolved.
func (b *runBuilder) resolved(start, stop int) {
	work := b.run.doc.work
	for i := start; i < stop; {
		switch c := work[i]; {
		case c == '\\' && i+1 < stop && isPunct(work[i+1]):
			b.add(string(work[i+1:i+2]), i, i+2, false)
			i += 2
			continue
		case c == '&':
			if n := entityLength(work[i:stop]); n > 0 {
				if s := html.UnescapeString(string(work[i : i+n])); s != string(work[i:i+n]) && s != "\x00" {
					if isBlank(s) {
						s = " "
					}
					b.add(s, i, i+n, false)
					i += n
					continue
				}
			}
		}
		_, n := utf8.DecodeRune(work[i:stop])
		b.verbatim(i, i+n, false)
		i += n
	}
}

// entityLength gives the length of a character reference at the start, 0 if
// there is none. The longest name has 31 letters.
func entityLength(b []byte) int {
	for i := 1; i < len(b) && i < 34; i++ {
		switch c := b[i]; {
		case c == ';' && i > 1:
			return i + 1
		case c == '#' && i == 1, wordByte(c):
		default:
			return 0
		}
	}
	return 0
}

func isPunct(c byte) bool { return c > ' ' && c < 0x7f && !wordByte(c) }

func (b *runBuilder) lineBreak(at int) {
	b.run.breaks = append(b.run.breaks, b.text.Len())
	b.add(" ", at, at, false)
}

func (b *runBuilder) children(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b.node(n)
	}
}

func (b *runBuilder) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		if n.IsRaw() {
			b.verbatim(n.Segment.Start, n.Segment.Stop, false)
		} else {
			b.resolved(n.Segment.Start, n.Segment.Stop)
		}
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.lineBreak(n.Segment.Stop)
		}
	case *ast.CodeSpan:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			if t, ok := c.(*ast.Text); ok {
				b.verbatim(t.Segment.Start, t.Segment.Stop, true)
			}
		}
	case *ast.Link:
		lo := b.text.Len()
		b.children(n)
		b.link(n.Pos(), lo, string(n.Destination))
	case *ast.Image:
		lo := b.text.Len()
		b.children(n)
		b.link(n.Pos(), lo, string(n.Destination))
	case *ast.AutoLink:
		b.autoLink(n)
	case *ast.RawHTML:
		// A tag is no text, and a <placeholder> is no value; <br> ends a line.
		if n.Segments.Len() > 0 {
			seg := n.Segments.At(0)
			tag := strings.ToLower(string(seg.Value(b.run.doc.work)))
			if strings.HasPrefix(tag, "<br") {
				b.lineBreak(seg.Stop)
			}
		}
	case *extast.Strikethrough, *extast.TaskCheckBox:
		// What is struck out is no longer said; a box is not text.
	default:
		b.children(n)
	}
}

func (b *runBuilder) autoLink(n *ast.AutoLink) {
	url := n.URL(b.run.doc.work)
	at := n.Pos()
	if at < 0 || at+1+len(url) > len(b.run.doc.work) || string(b.run.doc.work[at+1:at+1+len(url)]) != string(url) {
		return
	}
	lo := b.text.Len()
	b.verbatim(at+1, at+1+len(url), false)
	b.run.links = append(b.run.links, link{lo, b.text.Len(), span{at + 1, at + 1 + len(url)}, string(url)})
}

// link notes a destination. Goldmark keeps no place for it: it is looked for
// right behind the label; a reference link's stands elsewhere, so the label's
// own place is given.
func (b *runBuilder) link(pos, lo int, dest string) {
	hi := b.text.Len()
	l := link{lo: lo, hi: hi, url: dest}
	work := b.run.doc.work
	behind := max(pos, 0)
	if hi > lo {
		behind = int(b.run.to[hi-1])
		l.dest = span{int(b.run.from[lo]), behind}
	} else {
		l.dest = span{behind, behind}
	}
	const reach = 64 // closing marks of the label, the bracket, blanks
	rest := work[behind:min(len(work), behind+reach+len(dest))]
	if i := strings.Index(string(rest), "]("); i >= 0 && dest != "" {
		if j := strings.Index(string(rest[i:]), dest); j >= 0 {
			l.dest = span{behind + i + j, behind + i + j + len(dest)}
		}
	}
	b.run.links = append(b.run.links, l)
}

// newText wraps lines for goldmark.
func newText(work []byte) text.Reader { return text.NewReader(work) }
