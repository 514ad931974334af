package dataset

import (
	"bytes"
	"math/bits"
	"sort"
	"unicode/utf8"
)

// The scalars of a record: literals, numbers, and strings with their escapes.

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
		n.checkLiteral(w, k, at)
		if n.role != roleNone {
			w.tell(n, k, at, nil, false)
		}
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
	}
	if w.i-start >= minLongNumber || read && n.role != roleNone {
		w.tell(n, kindNumber, span{start, w.i}, w.b[start:w.i], false)
	}
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
	if c := plainEscapes[b[1]]; c != 0 {
		return 2, rune(c), 0
	}
	if b[1] != 'u' {
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

// plainEscapes are what the letters and signs behind a backslash stand for.
var plainEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

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

// decoded is a string without its escapes, with the way back to the raw bytes:
// pieces or, where each escape has two bytes, the places of these.
type decoded struct {
	buf    []byte
	pieces []piece
	first  int // raw byte of the string
	pairs  []uint32
}

// piece maps decoded bytes from dec to raw bytes from raw, up to the next
// piece: one to one, or all of them to one escape.
type piece struct {
	dec, raw int
	escape   bool
}

func (d *decoded) reset(raw int) {
	d.buf, d.pairs = d.buf[:0], nil
	d.pieces = append(d.pieces[:0], piece{0, raw, false})
}

// room gives a buffer of at least n bytes.
func (d *decoded) room(n int) []byte {
	if cap(d.buf) < n {
		d.buf = make([]byte, n+n/4)
	}
	return d.buf[:cap(d.buf)]
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
	if r < utf8.RuneSelf {
		d.buf = append(d.buf, byte(r))
	} else {
		d.buf = utf8.AppendRune(d.buf, r)
	}
	d.pieces = append(d.pieces, piece{len(d.buf), rawEnd, false})
}

// raw gives the raw place of decoded bytes.
func (d *decoded) raw(start, end int) span {
	if d.pairs != nil {
		return span{d.behindPairs(start), d.behindPairs(end)}
	}
	return span{d.rawStart(start), d.rawEnd(end)}
}

// behindPairs gives the raw place of a decoded byte, each pair before it being a
// byte more.
func (d *decoded) behindPairs(pos int) int {
	n := sort.Search(len(d.pairs), func(n int) bool { return int(d.pairs[n])-d.first-n >= pos })
	return d.first + pos + n
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
