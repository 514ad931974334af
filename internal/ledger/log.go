package ledger

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// column is a column of the log, by its header's lower-case name.
type column string

const (
	columnDate        column = "date"
	columnStakeholder column = "stakeholder"
	columnRole        column = "role"
	columnDecision    column = "decision"
	columnNotes       column = "notes"
)

var columns = []column{columnDate, columnStakeholder, columnRole, columnDecision, columnNotes}

const (
	newLog   = "# Stage 05_03 · Sign-off log\n\n"
	newTable = "| Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|\n"
)

// LogRow is a row as it stands in the file.
type LogRow struct {
	Line int    // from 1
	Text string // the line without its end
	Row  Row    // empty unless Ours
	Ours bool   // well formed as one of ours; whether it is true, only Verify tells
	// Claims is set where the notes name a digest: such a row needs a record.
	Claims bool
}

// Log is the parsed table.
type Log struct {
	Rows []LogRow
	// Strays are lines outside the table that look like rows of ours: of a
	// second table, say, which readers would take for the log.
	Strays []int

	header []column // the columns in file order; "" for a column of the people's own; nil without a table
	end    int      // offset after the table's last line
	eol    string   // the line end of the file's first line
}

// ParseLog finds the table by its header names, in any order and case. Tables in
// fenced code and in HTML comments are not seen, as no reader sees them. It
// never fails: a file without the table has no rows.
func ParseLog(log []byte) Log {
	l := Log{eol: lineEnd(log)}
	lines, _ := splitLines(log)
	for i := 0; i < len(lines); i++ {
		if !lines[i].visible {
			continue
		}
		if l.header == nil && i+1 < len(lines) {
			if header := tableHeader(lines[i], lines[i+1]); header != nil {
				l.header = header
				last := i + 1
				for last+1 < len(lines) && lines[last+1].inTable() {
					last++
					l.Rows = append(l.Rows, l.parse(last+1, lines[last].text))
				}
				l.end = lines[last].end
				i = last
				continue
			}
		}
		if strings.Contains(lines[i].text, "|") && claim.MatchString(lines[i].text) {
			l.Strays = append(l.Strays, i+1)
		}
	}
	return l
}

func (l Log) parse(number int, text string) LogRow {
	row := LogRow{Line: number, Text: text, Claims: claim.MatchString(text)}
	found := map[column]string{}
	for i, c := range splitCells(text) {
		if i < len(l.header) {
			found[l.header[i]] = c // those of the people's own columns under "", which nobody asks for
		}
	}
	if r, ok := parseRow(found); ok && l.render(r) == text {
		row.Row, row.Ours = r, true
	}
	return row
}

// render writes a row in the table's own column order; columns of the people's
// own stay empty.
func (l Log) render(r Row) string {
	header := l.header
	if header == nil {
		header = columns
	}
	cells := r.cells()
	var b strings.Builder
	for _, c := range header {
		b.WriteString("| ")
		if c != "" {
			b.WriteString(cells[c])
			b.WriteString(" ")
		}
	}
	b.WriteString("|")
	return b.String()
}

// appendRows gives the log with rows after the table's last one, every other
// byte as it was. A log without a table gets one, an absent log a heading too.
func appendRows(log []byte, rows []Row) []byte {
	log = orAbsent(log)
	l := ParseLog(log)
	var b bytes.Buffer
	var rest []byte
	heading, table := strings.ReplaceAll(newLog, "\n", l.eol), strings.ReplaceAll(newTable, "\n", l.eol)
	switch {
	case l.header != nil:
		b.Write(log[:l.end])
		rest = log[l.end:]
		if !bytes.HasSuffix(log[:l.end], []byte("\n")) {
			b.WriteString(l.eol)
		}
	case len(log) == 0:
		b.WriteString(heading + table)
	default:
		b.Write(log)
		if !bytes.HasSuffix(log, []byte("\n")) {
			b.WriteString(l.eol)
		}
		b.WriteString(l.eol + table)
	}
	for _, r := range rows {
		b.WriteString(l.render(r))
		b.WriteString(l.eol)
	}
	b.Write(rest)
	return b.Bytes()
}

// lineEnd is how the text ends its first line, and so all that is added to it.
func lineEnd(text []byte) string {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.HasSuffix(first, []byte("\r")) {
		return "\r\n"
	}
	return "\n"
}

// orAbsent takes a file of white space alone for an absent one.
func orAbsent(text []byte) []byte {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return text
}

// tableHeader gives the columns if these two lines open the log's table.
func tableHeader(head, delimiter line) []column {
	if !head.inTable() || !delimiter.inTable() {
		return nil
	}
	names, dashes := splitCells(head.text), splitCells(delimiter.text)
	if len(names) != len(dashes) {
		return nil
	}
	for _, d := range dashes {
		d = strings.TrimSuffix(strings.TrimPrefix(d, ":"), ":")
		if d == "" || strings.Trim(d, "-") != "" {
			return nil
		}
	}
	header := make([]column, len(names))
	missing := len(columns)
	for i, name := range names {
		name = strings.ToLower(strings.Trim(name, "*_ "))
		for _, c := range columns {
			if name == string(c) {
				header[i] = c
				missing--
			}
		}
	}
	seen := map[column]bool{}
	for _, c := range header {
		if c != "" && seen[c] {
			return nil // two columns of one name: which one people read is anyone's guess
		}
		seen[c] = true
	}
	if missing != 0 {
		return nil
	}
	return header
}

// splitCells splits a table row at its unescaped pipes and trims the cells.
func splitCells(text string) []string {
	text = strings.TrimPrefix(strings.TrimSpace(text), "|")
	var cells []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '|':
			cells = append(cells, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(text[start:]); last != "" {
		cells = append(cells, last)
	}
	return cells
}

// line is a line of a Markdown file, as far as this package needs to know one.
type line struct {
	text       string // without its end
	start, end int    // bytes; end is after the line feed
	visible    bool   // outside fenced code and HTML comments, our markers excepted
}

// block finds the start of a block that ends a table.
var block = regexp.MustCompile("^(?:#{1,6}(?:[ \\t]|$)|>|<|```|~~~|(?:[-*+]|[0-9]{1,9}[.)])(?:[ \\t]|$))")

// inTable tells whether the line goes on with a table. It rather ends a table
// early than late: a row put in before the table's last line is still a row,
// one put in after it would be a paragraph. What hides a line begins a block, and
// so ends the table before it.
func (l line) inTable() bool {
	text := strings.TrimLeft(l.text, " ")
	return strings.Contains(text, "|") && len(l.text)-len(text) <= 3 && text[0] != '\t' && !block.MatchString(text)
}

// fenceOpening finds the fence that a line opens: an info string after back-ticks
// has none of them, or the line would be a code span.
var fenceOpening = regexp.MustCompile("^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$")

// splitLines splits at line feeds, drops a carriage return before one, and notes
// what a reader of the rendered page would not see. open tells that the text ends
// inside fenced code or a comment, where nothing can be added visibly.
func splitLines(text []byte) (lines []line, open bool) {
	fence, comment := "", false
	for start := 0; start < len(text); {
		end := start + 1 + bytes.IndexByte(text[start:], '\n')
		if end == start {
			end = len(text)
		}
		s := string(text[start:end])
		s = strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
		l := line{text: s, start: start, end: end}
		trimmed := strings.TrimSpace(s)
		switch {
		case comment:
			comment = !strings.Contains(s, "-->")
		case fence != "":
			if strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, fence[:1]) == "" {
				fence = ""
			}
		case strings.HasPrefix(trimmed, "<!--"):
			comment = !strings.Contains(trimmed[len("<!--"):], "-->")
			l.visible = isMarker(trimmed)
		default:
			if m := fenceOpening.FindStringSubmatch(s); m != nil {
				fence = m[1] + m[2]
			}
			l.visible = fence == ""
		}
		lines = append(lines, l)
		start = end
	}
	return lines, comment || fence != ""
}

func isMarker(s string) bool {
	return strings.HasPrefix(s, "<!-- pilotgate:") || strings.HasPrefix(s, "<!-- /pilotgate:")
}

// isText tells whether b is UTF-8 without NUL; anything else is refused whole.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }
