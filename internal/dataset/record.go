package dataset

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
	"github.com/pilotgate/pilotgate/internal/dataset/pii"
)

// Limits of DS005, in characters.
const (
	minSourceChars  = 50
	minSummaryChars = 10
)

// inspector checks the lines of a block. Each worker has its own; its buffers
// are kept from line to line.
type inspector struct {
	o    *Options
	full *[4]atomic.Bool // by severity rank: the list is full, counting is enough

	w    walker
	text pii.Scanner
	t    *tally

	series [len(MetricNames)]series
	line   []byte
	no     int // line number in the block
	shift  int // bytes of the raw line before line[0]
	rec    record

	at    instant // of the timestamp that is being read
	naive bool
	atOK  bool
	clean cleanTexts
	near  sketcher

	valid    bool // the block is UTF-8 as a whole
	surveyed bool // chunks and script are of the text that is being read
	chunks   []bytescan.Chunk
	script   bytescan.Script
	mixed    []span
	shown    [2]map[string]string // names as Facts may show them, "" for none; the second of channels
	tidied   []byte
}

// record is what the checks beyond the schema keep of one line.
type record struct {
	have         [roles]kind
	broke        span // the last place where the schema was broken
	sourceChars  int
	summaryChars int
	source       span
	summary      span
	summaryRole  role
	scores       int
	entry        entry
}

// entry is what the search for repeats needs of one record.
type entry struct {
	line            int
	offset          int // of the line in its block
	id, source      span
	summary         span
	summaryRole     role
	idHash, srcHash uint64
	sumHash         uint64
	chanHash        uint64
	at              instant
	sketch          int // place in tally.sketches, -1: none
}

// hashBytes is another function in each process, one to one with xxh3: nobody can
// make up values that crowd one place of a table.
func hashBytes(b []byte) uint64 {
	h := (xxh3.Hash(b) ^ processSeed) * mixA
	return h ^ h>>32
}

var processSeed = rand.Uint64()

// block checks the lines of b into b.out.
func (in *inspector) block(b *block) {
	in.t = &b.out
	in.t.reset()
	in.no, in.line, in.shift = b.firstLine, nil, 0
	for _, c := range b.problems {
		if c != readFinalNewline {
			if c == readLineLength {
				in.t.records++
			}
			in.add(c, span{}, "", nil, nil)
		}
	}
	lines := b.buf[b.from:b.to]
	in.w.marks, in.valid = bytescan.Index(in.w.marks, lines)
	in.shift = b.skipped
	for offset := b.from; len(lines) > 0; in.no++ {
		in.w.base = offset - b.from
		end := -1
		if in.valid { // a line of a known shape shows its own end
			in.w.b = lines
			end = in.w.match()
		}
		matched := end >= 0
		if !matched {
			if end = bytes.IndexByte(lines, '\n'); end < 0 {
				end = len(lines)
			}
		}
		next := min(end+1, len(lines))
		in.record(lines[:end], offset, matched)
		lines = lines[next:]
		offset += next
		in.shift = 0
	}
	for _, c := range b.problems {
		if c == readFinalNewline {
			in.no--
			in.add(c, span{len(in.line), len(in.line)}, "", nil, nil)
			in.no++
		}
	}
	b.lines = in.no - 1
}

// record checks a line; matched says that the walker has its values already.
func (in *inspector) record(line []byte, offset int, matched bool) {
	in.line = line
	if len(line) > maxLineBytes {
		in.t.records++
		in.add(readLineLength, span{}, "", nil, nil)
		return
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		in.add(readCRLF, span{n - 1, n}, "", nil, nil)
		line = line[:n-1]
		in.line = line
	}
	if at := in.invalid(line); at >= 0 {
		in.t.records++
		in.add(readUTF8, span{at, at + 1}, "", nil, nil)
		in.raw(bytes.ToValidUTF8(line, []byte("?")))
		return
	}
	if in.o.Without.Records {
		in.t.records++
		if !in.walk(line, matched) {
			in.raw(line[min(in.w.token, len(line)):])
		}
		return
	}
	in.rec = record{broke: span{-1, -1}}
	r := &in.rec
	r.entry.line, r.entry.offset, r.entry.sketch = in.no, offset, -1
	schema := in.o.Schema
	blank := len(line) == 0 || line[0] != '{' && len(bytes.Trim(line, " \t")) == 0
	if !blank {
		in.t.records++
	}
	if !in.walk(line, matched) {
		if !blank {
			in.raw(line[min(in.w.token, len(line)):])
		}
		return
	}
	if schema.generic != nil && !schema.validGeneric(line) {
		in.add(schemaInvalid, span{0, len(line)}, "", nil, nil)
	}
	in.finish()
}

func (in *inspector) walk(line []byte, matched bool) bool {
	if matched {
		return in.w.replay(line)
	}
	return in.w.walk(line, in.o.Schema.root)
}

func (in *inspector) invalid(line []byte) int {
	if in.valid {
		return -1
	}
	return invalidUTF8(line)
}

// normalHash hashes the surveyed text whatever its white space.
func (in *inspector) normalHash(text []byte) uint64 {
	var tidy []byte
	tidy, in.tidied = bytescan.Tidy(in.tidied, text, in.chunks)
	return hashBytes(tidy)
}

// raw looks for personal data in what could not be read as JSON: a broken line
// must not hide any.
func (in *inspector) raw(rest []byte) {
	if in.o.Without.PersonalData {
		return
	}
	shift := len(in.line) - len(rest)
	for _, m := range in.text.Scan(rest, pii.Context{Declared: in.o.Channels}) {
		in.add(piiCase(m.ID), span{shift + m.Start, shift + m.End}, "", nil, m.Value)
	}
}

// problem is the walker's word that the line breaks a rule.
func (in *inspector) problem(w *walker, c caseID, at span, want string) {
	if in.o.Without.Records {
		return
	}
	in.rec.broke = at
	pointer := ""
	if c >= schemaMissing {
		pointer = w.pointer()
	}
	if c == jsonSyntax && at.start < len(in.line) && in.line[at.start] == 0 {
		c = readNUL
	}
	var args map[string]string
	if want != "" {
		args = map[string]string{"want": want}
	}
	in.add(c, at, pointer, args, nil)
}

// value is the walker's word that it has read a value.
func (in *inspector) value(w *walker, n *node, t *token) {
	r := roleNone
	if n != nil {
		r = n.role
	}
	in.surveyed = false
	switch t.kind {
	case kindString:
		in.string(w, r, t)
	case kindNumber:
		if len(t.text) >= minLongNumber && !in.o.Without.PersonalData {
			in.personal(w, r, t)
		}
	}
	if r == roleNone || in.o.Without.Records {
		return
	}
	in.field(w, n, t)
}

// string looks at a string before its role does: what all texts are searched for, and
// what is found out on the way.
func (in *inspector) string(w *walker, r role, t *token) {
	switch r {
	case roleTimestamp:
		if in.at, in.naive, in.atOK = parseInstant(t.text); in.atOK {
			return
		}
	case roleSource, roleSummaryMarkdown, roleSummaryText:
		if in.surveyed = !in.o.Without.Records; in.surveyed {
			in.script, in.chunks = bytescan.Survey(in.chunks, t.text)
		}
	}
	if !in.o.Without.PersonalData && !t.known {
		in.personal(w, r, t)
	}
}

func (in *inspector) personal(w *walker, r role, t *token) {
	channel, once := r == roleChannel, r == roleID
	if !once && in.clean.has(t.text, channel) {
		return
	}
	var matches []pii.Match
	if ctx := (pii.Context{Channel: channel, Declared: in.o.Channels}); in.surveyed {
		matches = in.text.ScanChunks(t.text, in.chunks, ctx)
	} else {
		matches = in.text.Scan(t.text, ctx)
	}
	if len(matches) == 0 {
		if !once {
			in.clean.put(t.text, channel)
		}
		return
	}
	pointer := w.pointer()
	for i := range matches {
		m := &matches[i]
		at := span{t.start + m.Start, t.start + m.End}
		if t.esc {
			at = w.dec.raw(m.Start, m.End)
		}
		in.add(piiCase(m.ID), at, pointer, nil, m.Value)
	}
}

// tell adds a finding about the value that is being read.
func (in *inspector) tell(c caseID) { in.add(c, in.w.t.span, in.w.pointer(), nil, nil) }

// source checks the text that is to be summarised.
func (in *inspector) source(w *walker, t *token) {
	if !in.o.Without.Duplicates {
		in.rec.entry.srcHash = in.normalHash(t.text)
		if in.o.NearDuplicates {
			in.rec.entry.sketch = len(in.t.sketches)
			in.t.sketches = append(in.t.sketches, in.near.sketch(t.text, in.chunks))
		}
	}
	if in.o.Without.Locale || in.o.Locale != "ru" {
		return
	}
	if !looksRussian(t.text, in.script) {
		in.add(languageText, t.span, w.pointer(), nil, nil)
	}
	in.mixed = mixedWords(in.mixed, t.text, in.chunks)
	for _, m := range in.mixed {
		at := span{t.start + m.start, t.start + m.end}
		if t.esc {
			at = w.dec.raw(m.start, m.end)
		}
		in.add(lookAlikes, at, w.pointer(), nil, nil)
	}
}

// finish checks what only the whole record shows.
func (in *inspector) finish() {
	r := &in.rec
	whole := span{0, len(in.line)}
	if r.source != (span{}) && r.sourceChars < minSourceChars {
		in.add(lengthSource, r.source, "/source_text", map[string]string{"chars": strconv.Itoa(r.sourceChars)}, nil)
	}
	if r.summary != (span{}) {
		pointer := func() string { return "/" + rolePaths[r.summaryRole] }
		if r.summaryChars < minSummaryChars {
			in.add(lengthSummary, r.summary, pointer(), map[string]string{"chars": strconv.Itoa(r.summaryChars)}, nil)
		}
		if r.source != (span{}) && r.summaryChars >= r.sourceChars {
			in.add(lengthRatio, r.summary, pointer(), map[string]string{
				"chars": strconv.Itoa(r.summaryChars), "source_chars": strconv.Itoa(r.sourceChars),
			}, nil)
		}
	}
	if r.have[roleLanguage] != kindString {
		in.add(languageField, whole, "", nil, nil)
	}
	if r.have[roleTimestamp] == 0 {
		in.add(provTimestampMissing, whole, "", nil, nil)
	}
	if r.have[roleModel] == 0 {
		in.add(provModel, whole, "", nil, nil)
	}
	for i := range MetricNames {
		score := roleCoverage + role(i)
		if i == len(MetricNames)-1 {
			score = roleLatency
		}
		if r.have[score] == 0 {
			in.series[i].missing++
		}
	}
	if r.scores == 0 {
		in.add(numbersScores, whole, "", nil, nil)
	}
	if r.have[roleLatency] == 0 {
		in.add(numbersLatency, whole, "", nil, nil)
	}
	if r.have[roleJudge] == kindObject {
		const pointer = "/ground_truth/llm_judge"
		if r.have[roleJudgeModel] == 0 {
			in.add(judgeModel, whole, pointer, nil, nil)
		}
		if r.have[rolePromptVersion] == 0 {
			in.add(judgePrompt, whole, pointer, nil, nil)
		}
		for i := range roleVerdict - roleCoverage {
			if r.scores > 0 && r.have[roleCoverage+i] == 0 {
				in.add(judgeScore, whole, pointer, map[string]string{"want": MetricNames[i]}, nil)
			}
		}
	}
	in.t.entries = append(in.t.entries, r.entry)
}

// add counts a place and, while there is room, lists it.
func (in *inspector) add(c caseID, at span, pointer string, args map[string]string, value []byte) {
	in.t.count(c, in.no)
	in.w.told++
	row := c.row()
	rank := rankOf(row.severity)
	list := &in.t.places[rank]
	if in.full[rank].Load() || len(*list) >= in.o.MaxFindings || row.oncePerRun && in.t.counts[c].places > 1 {
		return
	}
	p := place{c: c, line: in.no, pointer: pointer, args: args}
	p.at = span{at.start + in.shift, at.end + in.shift}
	p.column = in.chars(in.line[:min(at.start, len(in.line))]) + 1
	p.value = append(p.value, value...)
	*list = append(*list, p)
}

// chars counts characters of the line.
func (in *inspector) chars(b []byte) int {
	if in.valid {
		return bytescan.Chars(b)
	}
	return utf8.RuneCount(b)
}

// pointer gives the RFC 6901 pointer of the value that is being read. A key
// that the schema does not know is shown as "*": it is the dataset's text.
func (w *walker) pointer() string {
	var s strings.Builder
	for _, seg := range w.path {
		s.WriteByte('/')
		switch {
		case seg.index >= 0:
			s.WriteString(strconv.Itoa(seg.index))
		case seg.name == "":
			s.WriteByte('*')
		default:
			s.WriteString(pointerEscapes.Replace(seg.name))
		}
	}
	return s.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
