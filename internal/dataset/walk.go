package dataset

import (
	"bytes"
	"math/bits"
	"unicode/utf8"
)

// maxDepth of nested objects and arrays in a record. The schema needs five.
const maxDepth = 64

// span is a place in the raw line.
type span struct{ start, end int }

// token is a value as the walker met it.
type token struct {
	kind kind
	span
	text []byte // decoded text of a string; aliases the line or the walker's buffer
	esc  bool
	num  decimal // of a number that the schema knows
}

// kind is a JSON type; a schema allows a set of them.
type kind uint8

const (
	kindString kind = 1 << iota
	kindNumber
	kindInteger // only in schemas
	kindObject
	kindArray
	kindBool
	kindNull
)

// minLongNumber is the least length of a number that may be personal data.
const minLongNumber = 10

// visitor is told each value of a line, in the order of the bytes, and what the
// line breaks.
type visitor interface {
	// The token is the walker's own and holds until the next one.
	value(w *walker, n *node, t *token)
	// want names what the schema asks for; it is never a value of the dataset.
	problem(w *walker, c caseID, at span, want string)
}

// walker reads one JSON value a line, byte by byte, against a schema: it is
// the parser and the validator in one. A syntax error ends the line; a schema
// error is told and the walk goes on.
type walker struct {
	b     []byte
	i     int
	marks []uint64 // bytescan.Index of the text around the line, which begins at bit base
	base  int
	bare  bool // values only, no schema
	v     visitor
	path  []segment
	keys  []uint64 // hashes of the unknown keys of the open objects
	many  []map[uint64]struct{}
	dec   decoded
	t     token
	token int // where the token that is being read began
	// follows[id][p+1] is the property that came after property p of the node id
	// last time, plus one: an exporter writes its keys in one order.
	follows [][66]int8
}

// segment is one step of the path to the value that is being read.
type segment struct {
	name  string // of a key that the schema knows
	index int    // of an array's element, else -1
}

func (w *walker) fail(c caseID, at int) bool {
	end := at + 1
	if end > len(w.b) {
		end = len(w.b)
		at = min(at, end)
	}
	w.v.problem(w, c, span{at, end}, "")
	return false
}

// walk reads the line b against the node n and says whether it is one JSON
// object. The caller has set marks and base.
func (w *walker) walk(b []byte, n *node) bool {
	w.b, w.i, w.token = b, 0, 0
	w.path, w.keys, w.many = w.path[:0], w.keys[:0], w.many[:0]
	w.space()
	if w.i == len(b) {
		return w.fail(jsonBlank, 0)
	}
	if b[w.i] != '{' {
		return w.fail(jsonNotObject, w.i)
	}
	if !w.object(n, 1) {
		return false
	}
	w.space()
	if w.i < len(b) {
		w.token = w.i
		return w.fail(jsonTrailing, w.i)
	}
	return true
}

func (w *walker) space() {
	for w.i < len(w.b) {
		switch w.b[w.i] {
		case ' ', '\t', '\r', '\n':
			w.i++
		default:
			return
		}
	}
}

func (w *walker) unexpected() bool {
	if w.i >= len(w.b) {
		return w.fail(jsonTruncated, len(w.b))
	}
	return w.fail(jsonSyntax, w.i)
}

func (w *walker) object(n *node, depth int) bool {
	if depth > maxDepth {
		return w.fail(jsonDepth, w.i)
	}
	start := w.i
	w.i++
	var seen uint64
	firstKey := len(w.keys)
	firstMap := len(w.many)
	unknown := false
	count, before := 0, -1
	w.space()
	if w.i < len(w.b) && w.b[w.i] == '}' {
		w.i++
	} else {
		for {
			if w.i >= len(w.b) || w.b[w.i] != '"' {
				w.space()
				if w.i >= len(w.b) || w.b[w.i] != '"' {
					return w.unexpected()
				}
			}
			keyAt := w.i
			p := w.expected(n, before)
			colon := p >= 0
			var key []byte
			var esc bool
			if p < 0 {
				var ok bool
				if key, esc, ok = w.string(); !ok {
					return false
				}
				if p = n.property(key); p >= 0 {
					w.follows[n.id][before+1] = int8(p + 1)
				}
			}
			keyEnd := w.i
			if colon {
				keyEnd--
			}
			before = p
			count++
			var child *node
			seg := segment{index: -1}
			if p >= 0 {
				if seen&(1<<p) != 0 {
					return w.fail(jsonDuplicateKey, keyAt)
				}
				seen |= 1 << p
				child, seg.name = n.props[p].node, n.props[p].name
				if n.props[p].unlisted {
					w.unlisted(n, seg, span{keyAt, keyEnd}, &unknown)
				}
			} else {
				if !w.newKey(hashBytes(key), firstKey, firstMap) {
					return w.fail(jsonDuplicateKey, keyAt)
				}
				// A key that the schema does not know is the author's text and can
				// hold anything, so it is read like a value and never shown.
				w.tell(nil, kindString, span{keyAt + 1, w.i - 1}, key, esc)
				w.unlisted(n, seg, span{keyAt, keyEnd}, &unknown)
			}
			if !colon {
				w.space()
				if w.i >= len(w.b) || w.b[w.i] != ':' {
					return w.unexpected()
				}
				w.i++
			}
			if w.i < len(w.b) && w.b[w.i] <= ' ' {
				w.space()
			}
			w.path = append(w.path, seg)
			if !w.any(child, depth) {
				return false
			}
			w.path = w.path[:len(w.path)-1]
			if w.i < len(w.b) && w.b[w.i] <= ' ' {
				w.space()
			}
			if w.i >= len(w.b) {
				return w.unexpected()
			}
			c := w.b[w.i]
			w.i++
			if c == ',' {
				continue
			}
			if c == '}' {
				break
			}
			w.i--
			return w.unexpected()
		}
	}
	w.keys, w.many = w.keys[:firstKey], w.many[:firstMap]
	if n != nil && !w.bare {
		at := span{start, w.i}
		n.checkObject(w, seen, count, at)
		w.tell(n, kindObject, at, nil, false)
	}
	return true
}

// expected reads the key that followed property "before" last time and its
// colon, if it does so again; otherwise it gives -1 and reads nothing.
func (w *walker) expected(n *node, before int) int {
	if n == nil {
		return -1
	}
	p := int(w.follows[n.id][before+1]) - 1
	if p < 0 {
		return -1
	}
	q := &n.props[p].quoted
	if q.n == 0 || len(w.b)-w.i < q.n+8 || !q.begins(w.b[w.i:]) {
		return -1
	}
	w.i += q.n
	return p
}

// unlisted tells of a key that the schema does not list; a warning once an
// object.
func (w *walker) unlisted(n *node, seg segment, at span, told *bool) {
	if n == nil || !n.refusesUnlisted && (!n.warnsUnlisted || *told) {
		return
	}
	c := schemaUnknown
	if n.refusesUnlisted {
		c = schemaInvalid
	}
	*told = true
	w.path = append(w.path, seg)
	w.v.problem(w, c, at, "")
	w.path = w.path[:len(w.path)-1]
}

// newKey remembers a key of the open object and says whether it is new. Beyond
// a few keys a map is used: an object of a million keys must not cost squares.
func (w *walker) newKey(h uint64, firstKey, firstMap int) bool {
	if len(w.many) > firstMap {
		m := w.many[firstMap]
		if _, old := m[h]; old {
			return false
		}
		m[h] = struct{}{}
		return true
	}
	for _, k := range w.keys[firstKey:] {
		if k == h {
			return false
		}
	}
	w.keys = append(w.keys, h)
	if len(w.keys)-firstKey > 32 {
		m := make(map[uint64]struct{}, 256)
		for _, k := range w.keys[firstKey:] {
			m[k] = struct{}{}
		}
		w.many = append(w.many, m)
	}
	return true
}

func (w *walker) array(n *node, depth int) bool {
	if depth > maxDepth {
		return w.fail(jsonDepth, w.i)
	}
	start := w.i
	w.i++
	var items *node
	if n != nil {
		items = n.items
	}
	count := 0
	w.space()
	if w.i < len(w.b) && w.b[w.i] == ']' {
		w.i++
	} else {
		for {
			w.space()
			w.path = append(w.path, segment{index: count})
			if !w.any(items, depth) {
				return false
			}
			w.path = w.path[:len(w.path)-1]
			count++
			w.space()
			if w.i >= len(w.b) {
				return w.unexpected()
			}
			c := w.b[w.i]
			w.i++
			if c == ',' {
				continue
			}
			if c == ']' {
				break
			}
			w.i--
			return w.unexpected()
		}
	}
	if n != nil && !w.bare {
		at := span{start, w.i}
		n.checkArray(w, count, at)
		w.tell(n, kindArray, at, nil, false)
	}
	return true
}

// any reads the value at w.i.
func (w *walker) any(n *node, depth int) bool {
	if w.i >= len(w.b) {
		return w.unexpected()
	}
	start := w.i
	w.token = start
	switch c := w.b[start]; c {
	case '"':
		text, esc, ok := w.string()
		if !ok {
			return false
		}
		if n != nil && !w.bare {
			n.checkString(w, text, span{start, w.i})
		}
		w.tell(n, kindString, span{start + 1, w.i - 1}, text, esc)
		return true
	case '{':
		return w.object(n, depth+1)
	case '[':
		return w.array(n, depth+1)
	case 't':
		return w.literal("true", kindBool, n)
	case 'f':
		return w.literal("false", kindBool, n)
	case 'n':
		return w.literal("null", kindNull, n)
	default:
		if c == '-' || c-'0' <= 9 {
			return w.number(n)
		}
	}
	return w.unexpected()
}

// tell hands a value to the visitor. Only a number sets num.
func (w *walker) tell(n *node, k kind, at span, text []byte, esc bool) {
	t := &w.t
	t.kind, t.span, t.text, t.esc = k, at, text, esc
	w.v.value(w, n, t)
}

func (w *walker) literal(word string, k kind, n *node) bool {
	start := w.i
	if !bytes.HasPrefix(w.b[start:], []byte(word)) {
		if len(w.b)-start < len(word) && string(w.b[start:]) == word[:len(w.b)-start] {
			return w.fail(jsonTruncated, len(w.b))
		}
		return w.fail(jsonSyntax, start)
	}
	w.i += len(word)
	at := span{start, w.i}
	if n != nil && !w.bare {
		n.checkLiteral(w, k, word, at)
		w.tell(n, k, at, nil, false)
	}
	return true
}

// number follows RFC 8259 §6.
func (w *walker) number(n *node) bool {
	start := w.i
	read := n != nil && !w.bare
	if i := plainNumber(w.b, start, &w.t.num); i > 0 {
		w.i = i
	} else if !w.anyNumber() {
		return w.unexpected()
	} else if read {
		w.t.num = parseDecimal(w.b[start:w.i])
	}
	if read {
		n.checkNumber(w, &w.t.num, span{start, w.i})
	} else if w.i-start < minLongNumber {
		return true
	}
	w.tell(n, kindNumber, span{start, w.i}, w.b[start:w.i], false)
	return true
}

// anyNumber reads a number, and at least its beginning where it is none.
func (w *walker) anyNumber() bool {
	b, i := w.b, w.i
	if b[i] == '-' {
		i++
	}
	whole := i
	i = skipDigits(b, i)
	ok := i > whole && (b[whole] != '0' || i == whole+1)
	if !ok && i > whole {
		i = whole + 1 // a leading zero: the next digit is unexpected
	}
	if ok && i < len(b) && b[i] == '.' {
		i++
		from := i
		i = skipDigits(b, i)
		ok = i > from
	}
	if ok && i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		i = skipDigits(b, i)
		ok = i > from
	}
	w.i = i
	return ok
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// special gives the next quote, backslash or control character from i on, or the
// line's end.
func (w *walker) special(i int) int {
	p := w.base + i
	k := p / 64
	if k >= len(w.marks) {
		return len(w.b)
	}
	if m := w.marks[k] >> (p % 64); m != 0 {
		return min(i+bits.TrailingZeros64(m), len(w.b))
	}
	for k++; k < len(w.marks); k++ {
		if m := w.marks[k]; m != 0 {
			return min(k*64+bits.TrailingZeros64(m)-w.base, len(w.b))
		}
	}
	return len(w.b)
}

// string reads the string at w.i and gives its decoded text.
func (w *walker) string() (text []byte, esc, ok bool) {
	b := w.b
	start := w.i + 1
	i := w.special(start)
	if i < len(b) && b[i] == '"' {
		w.i = i + 1
		return b[start:i], false, true
	}
	w.dec.reset(start)
	from := start
	for {
		if i >= len(b) {
			w.i = i
			return nil, true, w.fail(jsonTruncated, len(b))
		}
		switch c := b[i]; {
		case c == '"':
			w.dec.plain(b, from, i)
			w.i = i + 1
			return w.dec.buf, true, true
		case c != '\\': // a control character
			w.i = i
			return nil, true, w.fail(jsonSyntax, i)
		}
		w.dec.plain(b, from, i)
		n, r, c := escape(b[i:])
		if n == 0 {
			w.i = i
			return nil, true, w.fail(c, i)
		}
		w.dec.escape(r, i, i+n)
		i += n
		from = i
		if i < len(b) && b[i] != '\\' {
			i = w.special(i)
		}
	}
}

// escape reads the escape sequence at the start of b; n is 0 if it is none,
// and then c says why.
func escape(b []byte) (n int, r rune, c caseID) {
	if len(b) < 2 {
		return 0, 0, jsonTruncated
	}
	switch b[1] {
	case '"', '\\', '/':
		return 2, rune(b[1]), 0
	case 'b':
		return 2, '\b', 0
	case 'f':
		return 2, '\f', 0
	case 'n':
		return 2, '\n', 0
	case 'r':
		return 2, '\r', 0
	case 't':
		return 2, '\t', 0
	case 'u':
	default:
		return 0, 0, jsonSyntax
	}
	r, ok := hex4(b[2:])
	if !ok {
		if len(b) < 6 {
			return 0, 0, jsonTruncated
		}
		return 0, 0, jsonSyntax
	}
	switch {
	case r >= 0xDC00 && r < 0xE000:
		return 0, 0, jsonSurrogate
	case r >= 0xD800 && r < 0xDC00:
		if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
			return 0, 0, jsonSurrogate
		}
		low, ok := hex4(b[8:])
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return 0, 0, jsonSurrogate
		}
		return 12, (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, 0
	}
	return 6, r, 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c-'a' <= 5:
			c -= 'a' - 10
		case c-'A' <= 5:
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// decoded is a string without its escapes, with the way back to the raw bytes.
type decoded struct {
	buf    []byte
	pieces []piece
}

// piece maps decoded bytes from dec to raw bytes from raw, up to the next
// piece: one to one, or all of them to one escape.
type piece struct {
	dec, raw int
	escape   bool
}

func (d *decoded) reset(raw int) {
	d.buf = d.buf[:0]
	d.pieces = append(d.pieces[:0], piece{0, raw, false})
}

// plain copies raw bytes; the last piece already begins there.
func (d *decoded) plain(b []byte, from, to int) {
	d.buf = append(d.buf, b[from:to]...)
}

func (d *decoded) escape(r rune, raw, rawEnd int) {
	if last := &d.pieces[len(d.pieces)-1]; last.dec == len(d.buf) {
		last.raw, last.escape = raw, true
	} else {
		d.pieces = append(d.pieces, piece{len(d.buf), raw, true})
	}
	d.buf = utf8.AppendRune(d.buf, r)
	d.pieces = append(d.pieces, piece{len(d.buf), rawEnd, false})
}

// raw gives the raw place of decoded bytes.
func (d *decoded) raw(start, end int) span {
	return span{d.rawStart(start), d.rawEnd(end)}
}

func (d *decoded) find(pos int) int {
	lo, hi := 0, len(d.pieces)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if d.pieces[mid].dec <= pos {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

func (d *decoded) rawStart(pos int) int {
	p := d.pieces[d.find(pos)]
	if p.escape {
		return p.raw
	}
	return p.raw + pos - p.dec
}

func (d *decoded) rawEnd(pos int) int {
	if pos == 0 {
		return d.pieces[0].raw
	}
	k := d.find(pos - 1)
	p := d.pieces[k]
	if p.escape {
		return d.pieces[k+1].raw
	}
	return p.raw + pos - p.dec
}
