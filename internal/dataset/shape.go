package dataset

import (
	"bytes"
	"encoding/binary"
)

// shapes remembers how lines were built, so that the next one need not be parsed
// to be known: an exporter writes the same keys in the same order. What stands
// between two values of a line is a turn, raw bytes from the end of one to the
// beginning of the next; turns that followed each other make a tree. A line that
// goes down the tree to an end has the structure of one that the walker read
// before, byte by byte, and only its values are left to judge.
//
// Optional fields branch the tree. Lines of other shapes are walked and learned,
// but never more than one of learnEvery, so that a file without shapes costs
// hardly more than its walk.
type shapes struct {
	first   []*turn
	turns   int
	lines   int
	learned int

	trace   []step               // of the line that is being learned
	pending []event              // since its last value
	values  [maxValues + 1]value // of the line that is being read
	escapes []uint32             // the backslashes in them
}

const (
	maxTurns   = 1 << 11 // of the tree; then it is grown anew
	maxBranch  = 8       // turns behind one value
	maxValues  = 256     // of a line of the tree
	learnEvery = 16
	learnFirst = 256 // lines, at any rate
	maxQuiet   = 64  // bytes of a value that a turn remembers, and how often
)

// turn is the bytes before a value, and what they say of it.
type turn struct {
	text   pattern
	last   bool // the line ends with it; there is no value
	n      *node
	path   []segment
	events []event
	next   []*turn

	// quiet is the string behind it, with its quotes, of which nothing was told the
	// last time: where it stands there again, its judgement is known. changes counts
	// the different ones.
	quiet   pattern
	changes int
}

// pattern is bytes that are compared often, most of them few: the first 32 as words,
// with the bits that count, so that it takes the same steps whatever the length.
type pattern struct {
	text         string
	words, masks [patternBytes / 8]uint64
}

const patternBytes = 32

func patternOf(text string) pattern {
	p := pattern{text: text}
	for i := range min(len(text), patternBytes) {
		p.words[i/8] |= uint64(text[i]) << (i % 8 * 8)
		p.masks[i/8] |= 0xFF << (i % 8 * 8)
	}
	return p
}

// at says whether the bytes stand there.
func (p *pattern) at(b []byte, i int) bool {
	if len(b)-i < patternBytes {
		return bytes.HasPrefix(b[i:], []byte(p.text))
	}
	w := (*[patternBytes]byte)(b[i:])
	if (binary.LittleEndian.Uint64(w[0:])^p.words[0])&p.masks[0]|(binary.LittleEndian.Uint64(w[8:])^p.words[1])&p.masks[1]|
		(binary.LittleEndian.Uint64(w[16:])^p.words[2])&p.masks[2]|(binary.LittleEndian.Uint64(w[24:])^p.words[3])&p.masks[3] != 0 {
		return false
	}
	return len(p.text) <= patternBytes || bytes.HasPrefix(b[i+patternBytes:], []byte(p.text[patternBytes:]))
}

// event is what the walker has to tell of the bytes of a turn: an object or array
// whose field has a role ended, or, where k is 0, a key that the schema does not
// list.
type event struct {
	n    *node
	k    kind
	c    caseID // of the key
	at   span   // of the key, from the turn's first byte
	path []segment
}

// step is a value of a line that is being learned, with the events before it.
type step struct {
	at     span
	n      *node
	path   []segment
	events []event
}

// value is one of a line that is of a known shape.
type value struct {
	before     *turn
	start, end uint32
	m          uint64 // of a number
	scale      int32
	k          kind
	esc        bool
	quiet      bool // the same as the turn remembers
}

// match finds the values of the line at the beginning of w.b, if it has a known
// shape, and gives its length, -1 if it has none. It tells nothing. A bare walker
// passes over what nobody wants to know: strings known before, literals, short numbers.
func (w *walker) match() int {
	s, b := &w.shapes, w.b
	s.escapes = s.escapes[:0]
	branch := s.first
	for i, n := 0, 0; n < len(s.values); {
		var t *turn
		for k, o := range branch {
			if !o.text.at(b, i) {
				continue
			}
			end := i + len(o.text.text)
			if !o.last && end < len(b) && scalarStart[b[end]] || o.last && (end == len(b) || b[end] == '\n') {
				if t, i = o, end; k > 0 { // the frequent ones come to be looked at first
					branch[k-1], branch[k] = t, branch[k-1]
				}
				break
			}
		}
		if t == nil {
			return -1
		}
		v := &s.values[n]
		v.before, v.start, v.esc, v.quiet = t, uint32(i), false, false
		if t.last {
			return i
		}
		pass := w.bare && len(t.events) == 0
		switch c := b[i]; {
		case c == '"':
			v.k = kindString
			if t.quiet.text != "" && t.quiet.at(b, i) {
				v.quiet = true
				i += len(t.quiet.text)
				break
			}
			i = w.special(i + 1)
			for i+1 < len(b) && b[i] == '\\' {
				v.esc = true
				s.escapes = append(s.escapes, uint32(i))
				i = w.special(i + 2)
			}
			if i >= len(b) || b[i] != '"' {
				return -1
			}
			i++
			pass = false
		case c-'0' <= 9:
			v.k = kindNumber
			if w.bare {
				if i = plainNumber(b, i, nil); i == 0 {
					return -1
				}
				pass = pass && i-int(v.start) < minLongNumber
				break
			}
			var d decimal
			if i = plainNumber(b, i, &d); i == 0 {
				return -1
			}
			v.m, v.scale = d.m, d.scale
		default:
			if v.k, i = plainLiteral(b, i); v.k == 0 {
				return -1
			}
		}
		if !pass {
			v.end = uint32(i)
			n++
		}
		branch = t.next
	}
	return -1
}

// scalarStart has the first bytes of values that are no object or array.
var scalarStart = func() (t [256]bool) {
	for _, c := range []byte(`"0123456789tfn`) {
		t[c] = true
	}
	return t
}()

// plainLiteral reads true, false or null; k is 0 where it is none of them.
func plainLiteral(b []byte, i int) (k kind, end int) {
	for _, l := range [...]struct {
		word string
		k    kind
	}{{"true", kindBool}, {"false", kindBool}, {"null", kindNull}} {
		if bytes.HasPrefix(b[i:], []byte(l.word)) {
			return l.k, i + len(l.word)
		}
	}
	return 0, i
}

// replay tells of the values of a matched line what a walk would tell.
func (w *walker) replay(line []byte) bool {
	w.b, w.i, w.token = line, 0, 0
	w.shapes.lines++
	own := w.path // a turn's is not to be written into
	ok := w.tellValues()
	w.path = own[:0]
	return ok
}

func (w *walker) tellValues() bool {
	escapes := w.shapes.escapes
	for k := range w.shapes.values {
		v := &w.shapes.values[k]
		t, start := v.before, int(v.start)
		if len(t.events) > 0 {
			w.happen(t, start-len(t.text.text))
		}
		if t.last {
			break
		}
		w.path, w.token = t.path, start
		at := span{start, int(v.end)}
		judged := t.n != nil && !w.bare
		switch v.k {
		case kindString:
			inner := span{at.start + 1, at.end - 1}
			text := w.b[inner.start:inner.end]
			if v.quiet {
				w.t.known = true
				w.tell(t.n, kindString, inner, text, false)
				w.t.known = false
				continue
			}
			if v.esc {
				n := 1
				for n < len(escapes) && escapes[n] < v.end {
					n++
				}
				var ok bool
				if text, ok = w.unescape(at, escapes[:n]); !ok {
					return false
				}
				escapes = escapes[n:]
			}
			told := w.told
			if judged {
				t.n.checkString(w, text, at)
			}
			w.tell(t.n, kindString, inner, text, v.esc)
			if len(text) <= maxQuiet && t.changes < maxQuiet && !v.esc {
				t.change(w.b[at.start:at.end], w.told == told)
			}
		case kindNumber:
			if judged {
				w.t.num = decimal{m: v.m, scale: v.scale}
				t.n.checkNumber(w, &w.t.num, at)
			}
			if at.end-at.start >= minLongNumber || judged && t.n.role != roleNone {
				w.tell(t.n, kindNumber, at, w.b[at.start:at.end], false)
			}
		default:
			if !judged {
				break
			}
			t.n.checkLiteral(w, v.k, at)
			if t.n.role != roleNone {
				w.tell(t.n, v.k, at, nil, false)
			}
		}
	}
	w.i = len(w.b)
	return true
}

// unescape decodes a string whose backslashes stand there.
func (w *walker) unescape(at span, escapes []uint32) (text []byte, ok bool) {
	b, from, n := w.b, at.start+1, 0
	buf := w.dec.room(at.end - from)
	for _, e := range escapes {
		i := int(e)
		r := plainEscapes[b[i+1]]
		if r == 0 { // one of \u, or none at all
			w.i = at.start
			text, _, ok = w.string()
			return text, ok
		}
		if i > from {
			n += copy(buf[n:], b[from:i])
		}
		buf[n] = r
		n++
		from = i + 2
	}
	n += copy(buf[n:], b[from:at.end-1])
	w.dec.first, w.dec.pairs = at.start+1, escapes
	return buf[:n], true
}

// change takes another string behind the turn, of which something was told or not.
// What changes all the time is given up.
func (t *turn) change(value []byte, silent bool) {
	t.changes++
	t.quiet = pattern{}
	if silent && t.changes < maxQuiet {
		t.quiet = patternOf(string(value))
	}
}

// happen tells the events of a turn that begins there.
func (w *walker) happen(t *turn, start int) {
	for i := range t.events {
		e := &t.events[i]
		w.path = e.path
		if e.k == 0 {
			w.v.problem(w, e.c, span{start + e.at.start, start + e.at.end}, "")
		} else {
			w.tell(e.n, e.k, span{}, nil, false)
		}
	}
}

// note keeps a scalar of the line that is being learned.
func (s *shapes) note(n *node, path []segment, at span) {
	s.trace = append(s.trace, step{at, n, append([]segment(nil), path...), s.pending})
	s.pending = nil
}

func (s *shapes) noteEvent(e event, path []segment) {
	e.path = append([]segment(nil), path...)
	s.pending = append(s.pending, e)
}

// mayLearn says whether a line of no known shape is worth learning.
func (s *shapes) mayLearn() bool { return s.learned < learnFirst || s.learned < s.lines/learnEvery }

// learn grows the tree by the line b, which the walker has read with the trace.
func (s *shapes) learn(b []byte) {
	if len(s.trace) > maxValues {
		return
	}
	if s.turns+len(s.trace) >= maxTurns {
		s.first, s.turns = nil, 0
	}
	s.note(nil, nil, span{len(b), len(b)})
	from, branch := 0, &s.first
	for i := range s.trace {
		p := &s.trace[i]
		text, last := b[from:p.at.start], i == len(s.trace)-1
		from = p.at.end
		var t *turn
		for _, o := range *branch {
			if o.text.text == string(text) && o.last == last {
				t = o
			}
		}
		if t == nil {
			if len(*branch) >= maxBranch {
				return
			}
			t = &turn{text: patternOf(string(text)), last: last, n: p.n, path: p.path, events: p.events}
			for k := range t.events {
				at := &t.events[k].at
				*at = span{at.start - p.at.start + len(text), at.end - p.at.start + len(text)}
			}
			*branch = append(*branch, t)
			s.turns++
		}
		branch = &t.next
	}
}
