package plan

import (
	"bytes"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// MaxBytes is the largest document that is read: 1 MiB. A larger one is a
// finding, not a slow check.
const MaxBytes = 1 << 20

// Caps that keep reading linear. A document of a pilot is some hundred lines;
// what exceeds these was made to exceed them.
const (
	maxFrontMatter = 32 << 10 // bytes between the --- lines
	maxYAMLDepth   = 16       // nested collections of the front matter
	maxMarkers     = 24       // list and quote markers at the start of one line
	maxIndent      = 96       // columns before a list marker
	maxInlineMarks = 4000     // * _ ~ ` [ < between two blank lines: the Markdown parser pairs them in quadratic time
	maxTableCells  = 50_000   // widest row times lines between two blank lines: short rows are filled up to the header
	maxMentions    = 2000
	maxRows        = 200 // metric rows, waivers, drift metrics: each
	maxValues      = 64  // places where one field stands
	maxHeadings    = 2000
	maxProblems    = 200
)

// source is one document: the bytes as they are, a copy that the Markdown
// parser reads, and where lines begin. Both have the same length, so an offset
// is an offset in either.
type source struct {
	path string
	src  []byte
	work []byte // src without byte order mark and carriage returns, each replaced by a space
	line []int  // offset of each line's first byte
	char []int  // characters before each block of charBlock bytes
}

// charBlock bounds the work to find a column in a line of any length.
const charBlock = 256

func newSource(path string, src []byte) *source {
	s := &source{path: path, src: src, work: bytes.Clone(src), line: []int{0}}
	if bytes.HasPrefix(s.work, byteOrderMark) {
		copy(s.work, "   ")
	}
	n := 0
	for i, b := range src {
		if i%charBlock == 0 {
			s.char = append(s.char, n)
		}
		if utf8.RuneStart(b) {
			n++
		}
		switch b {
		case '\n':
			s.line = append(s.line, i+1)
		case '\r':
			s.work[i] = ' '
		}
	}
	return s
}

var byteOrderMark = []byte("\uFEFF")

// chars counts the characters that begin before the offset.
func (s *source) chars(off int) int {
	if len(s.char) == 0 {
		return 0
	}
	block := min(off/charBlock, len(s.char)-1)
	n := s.char[block]
	for _, b := range s.src[block*charBlock : off] {
		if utf8.RuneStart(b) {
			n++
		}
	}
	return n
}

// lineOf gives the line, from 0, of an offset.
func (s *source) lineOf(off int) int {
	return sort.SearchInts(s.line, off+1) - 1
}

func (s *source) place(off int) (line, column int) {
	l := s.lineOf(off)
	column = s.chars(off) - s.chars(s.line[l]) + 1
	if l == 0 && column > 1 && bytes.HasPrefix(s.src, byteOrderMark) {
		column-- // no editor counts the mark
	}
	return l + 1, column
}

// position gives the place of the bytes from start to end (exclusive).
func (s *source) position(start, end int) finding.Position {
	p := finding.Position{Path: s.path}
	p.Line, p.Column = s.place(start)
	p.EndLine, p.EndColumn = p.Line, p.Column
	if end > start {
		last := end - 1
		for last > start && !utf8.RuneStart(s.src[last]) {
			last--
		}
		p.EndLine, p.EndColumn = s.place(last)
	}
	return p
}

// lineText is the content of a line, counted from 0, without its end.
func (s *source) lineText(l int) []byte {
	end := len(s.work)
	if l+1 < len(s.line) {
		end = s.line[l+1] - 1
	}
	return s.work[s.line[l]:end]
}

// guard says why a document is not read at all. It looks at bytes and lines,
// never at structure: it stands before the parsers, which it protects.
func (s *source) guard() []finding.Finding {
	refuse := func(name string, at finding.Position, args map[string]string) []finding.Finding {
		return []finding.Finding{{Rule: "PL001", Case: name, Severity: finding.Error, At: at, Args: args}}
	}
	for l := range s.line {
		if line := s.lineText(l); !utf8.Valid(line) {
			return refuse("not_utf8", finding.Position{Path: s.path, Line: l + 1}, map[string]string{"line": strconv.Itoa(l + 1)})
		}
	}
	if off := bytes.IndexByte(s.src, 0); off >= 0 {
		return refuse("binary", s.position(off, off+1), nil)
	}
	if l, ok := s.conflictMarker(); ok {
		return refuse("conflict_markers", s.position(s.line[l], s.line[l]+7), map[string]string{"line": strconv.Itoa(l + 1)})
	}
	marks, lines, pipes := 0, 0, 0
	for l := range s.line {
		line := s.lineText(l)
		if tooNested(line) {
			return refuse("nesting", s.position(s.line[l], s.line[l]), map[string]string{"line": strconv.Itoa(l + 1), "limit": strconv.Itoa(maxMarkers)})
		}
		if len(bytes.TrimSpace(line)) == 0 {
			marks, lines, pipes = 0, 0, 0
			continue
		}
		marks += inlineMarks(line)
		lines++
		pipes = max(pipes, bytes.Count(line, []byte("|")))
		if marks > maxInlineMarks || pipes*lines > maxTableCells {
			return refuse("dense", s.position(s.line[l], s.line[l]), map[string]string{"line": strconv.Itoa(l + 1)})
		}
	}
	return nil
}

// conflictMarker finds what a merge left behind: an opening and a closing
// marker, each at the start of a line. A lone ======= underlines a heading.
func (s *source) conflictMarker() (line int, ok bool) {
	open := -1
	for l := range s.line {
		text := s.lineText(l)
		switch {
		case bytes.HasPrefix(text, []byte("<<<<<<< ")) && open < 0:
			open = l
		case bytes.HasPrefix(text, []byte(">>>>>>> ")) && open >= 0:
			return open, true
		}
	}
	// An opening marker alone is a merge cut short; nothing else starts so.
	return open, open >= 0
}

func tooNested(line []byte) bool {
	markers, column := 0, 0
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == ' ':
			column++
			i++
		case c == '\t':
			column += 4 - column%4
			i++
		case c == '>':
			markers++
			i++
		case (c == '-' || c == '*' || c == '+') && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'):
			markers++
			i++
		case c >= '0' && c <= '9':
			j := i
			for j < len(line) && j-i < 10 && line[j] >= '0' && line[j] <= '9' {
				j++
			}
			if j == len(line) || (line[j] != '.' && line[j] != ')') || (j+1 < len(line) && line[j+1] != ' ' && line[j+1] != '\t') {
				return false
			}
			markers++
			i = j + 1
		default:
			return false
		}
		if markers > maxMarkers || (markers > 0 && column > maxIndent) {
			return true
		}
	}
	return false
}

// inlineMarks counts what can open or close emphasis, code, links and tags. An
// underscore inside a word can do neither, and paths are full of them.
func inlineMarks(line []byte) int {
	n := 0
	for i, c := range line {
		switch c {
		case '*', '[', '<', '~':
			n++
		case '`':
			if i == 0 || line[i-1] != '`' {
				n++
			}
		case '_':
			if i == 0 || i+1 == len(line) || !wordByte(line[i-1]) || !wordByte(line[i+1]) {
				n++
			}
		}
	}
	return n
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
