package dataset

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
	// known: the same string stood behind the same bytes of a line before, and
	// nothing of it broke a rule.
	known bool
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

// visitor is told each value of a line that matters, in the order of the bytes, and
// what the line breaks: strings, long numbers, and whatever has a role.
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
	told  int // findings of the line; the visitor counts them
	// Lines of a shape that was met before are not parsed.
	shapes   shapes
	learning bool
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
	if w.match() == len(b) {
		return w.replay(b)
	}
	w.shapes.lines++
	w.path, w.keys, w.many = w.path[:0], w.keys[:0], w.many[:0]
	if w.learning = w.shapes.mayLearn(); w.learning {
		w.shapes.learned++
		w.shapes.trace, w.shapes.pending = w.shapes.trace[:0], nil
	}
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
	if w.learning {
		w.shapes.learn(b)
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
	count := 0
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
			key, esc, ok := w.string()
			if !ok {
				return false
			}
			at := span{keyAt, w.i}
			count++
			var child *node
			seg := segment{index: -1}
			if p := n.property(key); p >= 0 {
				if seen&(1<<p) != 0 {
					return w.fail(jsonDuplicateKey, keyAt)
				}
				seen |= 1 << p
				child, seg.name = n.props[p].node, n.props[p].name
				if n.props[p].unlisted {
					w.unlisted(n, seg, at, &unknown)
				}
			} else {
				if !w.newKey(hashBytes(key), firstKey, firstMap) {
					return w.fail(jsonDuplicateKey, keyAt)
				}
				// A key that the schema does not know is the author's text and can
				// hold anything, so it is read like a value and never shown.
				before := w.told
				w.tell(nil, kindString, span{keyAt + 1, w.i - 1}, key, esc)
				w.learning = w.learning && w.told == before
				w.unlisted(n, seg, at, &unknown)
			}
			w.space()
			if w.i >= len(w.b) || w.b[w.i] != ':' {
				return w.unexpected()
			}
			w.i++
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
		at, before := span{start, w.i}, w.told
		n.checkObject(w, seen, count, at)
		w.ended(n, kindObject, at, before)
	}
	return true
}

// ended tells of an object or array. One that is wrong is told at its place, so
// its line is not learned.
func (w *walker) ended(n *node, k kind, at span, before int) {
	w.tell(n, k, at, nil, false)
	w.learning = w.learning && w.told == before
	if w.learning && n.role != roleNone {
		w.shapes.noteEvent(event{n: n, k: k}, w.path)
	}
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
	if w.learning {
		w.shapes.noteEvent(event{c: c, at: at}, w.path)
	}
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
		at, before := span{start, w.i}, w.told
		n.checkArray(w, count, at)
		w.ended(n, kindArray, at, before)
	}
	return true
}

// any reads the value at w.i.
func (w *walker) any(n *node, depth int) bool {
	if w.i >= len(w.b) {
		return w.unexpected()
	}
	w.token = w.i
	switch w.b[w.i] {
	case '{':
		return w.object(n, depth+1)
	case '[':
		return w.array(n, depth+1)
	}
	start := w.i
	if !w.scalar(n) {
		return false
	}
	if w.learning {
		w.shapes.note(n, w.path, span{start, w.i})
	}
	return true
}

// scalar reads any other.
func (w *walker) scalar(n *node) bool {
	start := w.i
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
