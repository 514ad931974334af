package plan

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
)

// runNotesWords are the headings of the section that people may fill during
// and after the run without asking for the plan to be approved again.
var runNotesWords = map[string]bool{"run notes": true, "заметки о запуске": true, "заметки о запусках": true, "заметки по запуску": true}

// Normalised gives the bytes that the digest covers: line ends as LF, one final
// newline, and without `## Run notes`. That section begins at a heading of the
// second level or deeper which stands by itself (not in a list or quotation)
// and ends before the next such heading of the same or a higher level. What is
// left out here is exactly what Parse does not read.
func Normalised(src []byte) []byte {
	if len(src) > MaxBytes {
		return lineEnds(src)
	}
	s := newSource("", src)
	if len(s.guard()) > 0 {
		return lineEnds(src)
	}
	_, body, problem := s.frontMatter()
	if problem != "" {
		return lineEnds(src)
	}
	var kept []byte
	from := 0
	for _, n := range s.runNotes(s.parse(body)) {
		kept = append(kept, src[from:n.start]...)
		from = n.end
	}
	return lineEnds(append(kept, src[from:]...))
}

// lineEnds makes CRLF an LF and ends the text with exactly one LF. Carriage
// returns that pile up before a line end go with it, so that normalising twice
// equals once.
func lineEnds(b []byte) []byte {
	lines := bytes.Split(bytes.TrimRight(b, "\r\n"), []byte("\n"))
	for i, l := range lines {
		lines[i] = bytes.TrimRight(l, "\r")
	}
	return append(bytes.Join(lines, []byte("\n")), '\n')
}

// runNotes gives the sections to leave out, in order.
func (s *source) runNotes(root ast.Node) []span {
	var notes []span
	open := 0 // level of the section being left out
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		start := s.line[s.lineOf(max(h.Pos(), 0))]
		if open > 0 && h.Level <= open {
			notes[len(notes)-1].end = start
			open = 0
		}
		if open == 0 && h.Level >= 2 && runNotesWords[normalKey(flatten(s, h, start).text)] {
			open = h.Level
			notes = append(notes, span{start, len(s.src)})
		}
	}
	return notes
}
