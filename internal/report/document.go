package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/sentence"
)

var (
	opening = regexp.MustCompile(`^<!-- pilotgate:auto ([a-z_]{1,40}) -->[ \t\r]*$`)
	closing = regexp.MustCompile(`^<!-- /pilotgate:auto ([a-z_]{1,40}) -->[ \t\r]*$`)
	fence   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})")
)

// marked is a block between its markers, with the document's line ends.
func (b Block) marked(end string) string {
	text := "<!-- pilotgate:auto " + b.Key + " -->\n" + b.Text + "<!-- /pilotgate:auto " + b.Key + " -->\n"
	if end != "\n" {
		text = strings.ReplaceAll(text, "\n", end)
	}
	return text
}

// piece is a part of a document: a generated block, or text of people's.
type piece struct {
	key  string // "" for people's text
	text string // with the markers, whole lines
	line int    // of its first line, from 1
}

// document is a report in pieces. Joined they are the document.
type document struct {
	pieces []piece
	strays []stray // markers that make no block
	end    string  // "\n" or "\r\n", as the document has more of
	fenced string  // the fence that the document leaves open
}

// stray is a marker line that opens or closes nothing, or a block once more.
type stray struct {
	key    string
	line   int
	second bool // a whole block that stands twice; else a marker without partner
}

// parse takes a report apart. A block is an opening marker and the closing one
// of the same key with no other marker between; the first one of a key counts.
// A marker inside fenced code is text.
func parse(src string) *document {
	d := &document{end: "\n"}
	if 2*strings.Count(src, "\r\n") > strings.Count(src, "\n") {
		d.end = "\r\n"
	}
	lines := strings.SplitAfter(src, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	seen := map[string]bool{}
	fenced := ""
	from := 0 // first line of the people's text at hand
	people := func(to int) {
		if to > from {
			d.pieces = append(d.pieces, piece{text: strings.Join(lines[from:to], ""), line: from + 1})
		}
	}
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\r\n")
		if m := fence.FindStringSubmatch(line); m != nil {
			switch {
			case fenced == "":
				fenced = m[1]
			case strings.HasPrefix(m[1], fenced) && strings.TrimLeft(strings.TrimSpace(line), m[1][:1]) == "":
				fenced = ""
			}
			continue
		}
		if fenced != "" {
			continue
		}
		if m := closing.FindStringSubmatch(line); m != nil {
			d.strays = append(d.strays, stray{key: m[1], line: i + 1})
			continue
		}
		m := opening.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		last := closed(lines, i, m[1])
		switch {
		case last < 0:
			d.strays = append(d.strays, stray{key: m[1], line: i + 1})
		case seen[m[1]]:
			d.strays = append(d.strays, stray{key: m[1], line: i + 1, second: true})
			i = last
		default:
			seen[m[1]] = true
			people(i)
			d.pieces = append(d.pieces, piece{key: m[1], text: strings.Join(lines[i:last+1], ""), line: i + 1})
			i, from = last, last+1
		}
	}
	people(len(lines))
	d.fenced = fenced
	return d
}

// closed is the line that closes the block opened at i; -1: none, or another
// marker comes first.
func closed(lines []string, i int, key string) int {
	for j := i + 1; j < len(lines); j++ {
		line := strings.TrimRight(lines[j], "\r\n")
		if m := closing.FindStringSubmatch(line); m != nil {
			if m[1] == key {
				return j
			}
			return -1
		}
		if opening.MatchString(line) {
			return -1
		}
	}
	return -1
}

func (d *document) String() string {
	var b strings.Builder
	for _, p := range d.pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

func (d *document) index(key string) int {
	return slices.IndexFunc(d.pieces, func(p piece) bool { return p.key == key })
}

// block returns the text between a block's markers, line ends levelled, and the
// line where it begins.
func (d *document) block(key string) (text string, line int, ok bool) {
	i := d.index(key)
	if i < 0 {
		return "", 0, false
	}
	text = strings.ReplaceAll(d.pieces[i].text, "\r\n", "\n")
	_, text, _ = strings.Cut(text, "\n")
	text = strings.TrimSuffix(text, "\n")
	if at := strings.LastIndexByte(text, '\n'); at >= 0 {
		return text[:at+1], d.pieces[i].line + 1, true
	}
	return "", d.pieces[i].line + 1, true
}

// replace puts a block in the place where it stands. One that says the same
// already keeps its bytes.
func (d *document) replace(b Block) bool {
	text, _, ok := d.block(b.Key)
	if !ok {
		return false
	}
	if text != b.Text {
		d.pieces[d.index(b.Key)].text = b.marked(d.end)
	}
	return true
}

// restore puts a block back that is not there: below its heading where that
// stands, else with its heading before the first later section that stands, else
// at the end.
func (d *document) restore(b Block, texts *sentence.Texts, later []string) {
	if i, end, ok := d.heading(b.Key); ok {
		d.insert(i, end, d.end+b.marked(d.end), b.Key)
		return
	}
	heading := "## " + texts.Text("report", b.Key) + d.end + d.end
	for _, key := range later {
		if i, start, ok := d.headingStart(key); ok {
			d.insertWith(i, start, heading, b.marked(d.end), d.end, b.Key)
			return
		}
	}
	last := len(d.pieces) - 1
	gap := d.end
	if last >= 0 && !strings.HasSuffix(d.pieces[last].text, "\n") {
		gap += d.end
	}
	if d.fenced != "" { // what stands in an open fence is no heading, and no block
		gap = strings.TrimSuffix(gap, d.end) + d.fenced + d.end + d.end
		d.fenced = ""
	}
	d.pieces = append(d.pieces, piece{text: gap + heading}, piece{key: b.Key, text: b.marked(d.end)})
}

// heading finds a section's heading in people's text: the piece, and where in it
// the line after the heading begins.
func (d *document) heading(key string) (i, after int, ok bool) {
	i, start, ok := d.headingStart(key)
	if !ok {
		return 0, 0, false
	}
	if end := strings.IndexByte(d.pieces[i].text[start:], '\n'); end >= 0 {
		return i, start + end + 1, true
	}
	return i, len(d.pieces[i].text), true
}

func (d *document) headingStart(key string) (i, start int, ok bool) {
	titles := titlesOf(key)
	fenced := ""
	for i, p := range d.pieces {
		if p.key != "" {
			continue
		}
		at := 0
		for line := range strings.Lines(p.text) {
			bare := strings.TrimRight(line, "\r\n")
			if m := fence.FindStringSubmatch(bare); m != nil {
				switch {
				case fenced == "":
					fenced = m[1]
				case strings.HasPrefix(m[1], fenced):
					fenced = ""
				}
			}
			if title, is := strings.CutPrefix(bare, "## "); is && fenced == "" && slices.Contains(titles, strings.TrimSpace(title)) {
				return i, at, true
			}
			at += len(line)
		}
	}
	return 0, 0, false
}

// titlesOf are a section's titles in every language.
func titlesOf(key string) []string {
	var out []string
	for _, language := range sentence.Languages() {
		out = append(out, sentence.Speak(language).Text("report", key))
	}
	return out
}

// insert puts a block into people's text at an offset.
func (d *document) insert(i, at int, text, key string) {
	p := d.pieces[i]
	before, after := p.text[:at], p.text[at:]
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += d.end
	}
	gap, block, _ := strings.Cut(text, "<!--")
	pieces := []piece{{text: before + gap}, {key: key, text: "<!--" + block}}
	if after != "" {
		pieces = append(pieces, piece{text: after})
	}
	d.pieces = slices.Replace(d.pieces, i, i+1, pieces...)
}

// insertWith puts a heading and its block before what stands at an offset.
func (d *document) insertWith(i, at int, heading, block, gap, key string) {
	p := d.pieces[i]
	pieces := []piece{{text: p.text[:at] + heading}, {key: key, text: block}, {text: gap + p.text[at:]}}
	d.pieces = slices.Replace(d.pieces, i, i+1, pieces...)
}

// after puts people's text behind a block.
func (d *document) after(key, text string) {
	if i := d.index(key); i >= 0 {
		if !strings.HasSuffix(d.pieces[i].text, "\n") {
			text = "\n" + text
		}
		d.pieces = slices.Insert(d.pieces, i+1, piece{text: strings.ReplaceAll(text, "\n", d.end)})
	}
}
