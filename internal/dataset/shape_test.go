package dataset

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// heard writes down all that a walker tells of a line. A bare one need not tell
// of a string that stood at the same place in a line before: of those, which are
// known, nothing is written down.
type heard struct {
	events  []string
	strings []string
	known   map[string]bool
}

func (h *heard) value(w *walker, n *node, t *token) {
	r := roleNone
	if n != nil {
		r = n.role
	}
	if t.kind&(kindObject|kindArray) != 0 {
		if r != roleNone { // of others nobody wants to know
			h.events = append(h.events, fmt.Sprint("ended ", r, t.kind))
		}
		return
	}
	if rest := bytes.TrimLeft(w.b[min(t.end+1, len(w.b)):], " \t\r\n"); n == nil && len(rest) > 0 && rest[0] == ':' {
		return // a key: TestShapesHideNoPersonalDataInKeys
	}
	if t.kind == kindString && w.bare {
		e := fmt.Sprintf("%s %q", w.pointer(), t.text)
		if h.known[e] {
			return
		}
		h.strings = append(h.strings, e)
	}
	e := fmt.Sprintf("%s %d %v %v %q %v", w.pointer(), r, t.kind, t.span, t.text, t.esc)
	if t.kind == kindNumber && n != nil && !w.bare {
		e += fmt.Sprint(t.num.m, t.num.scale, t.num.neg, t.num.wide)
	}
	h.events = append(h.events, e)
}

func (h *heard) problem(w *walker, c caseID, at span, want string) {
	w.told++
	h.events = append(h.events, fmt.Sprint("problem ", c, at, want, w.pointer()))
}

// hear walks a line and gives what was told, with how it ended.
func hear(w *walker, line []byte, root *node) []string {
	h := w.v.(*heard)
	h.events = nil
	w.marks, _ = bytescan.Index(w.marks, line)
	ok := w.walk(line, root)
	if end := fmt.Sprint(ok); ok {
		return append(h.events, end)
	}
	return append(h.events, fmt.Sprint("failed in ", min(w.token, len(line))))
}

// sameWithShapes holds a walker that knows the lines' shapes against one that
// parses each of them.
func sameWithShapes(t *testing.T, schema *Schema, lines [][]byte) (matched int) {
	t.Helper()
	for _, bare := range []bool{false, true} {
		known := make(map[string]bool)
		learned := &walker{v: &heard{known: known}, bare: bare}
		for range 2 {
			for _, line := range lines {
				all := &heard{known: known}
				parsed := &walker{v: all, bare: bare}
				want := hear(parsed, line, schema.root)
				require.Equal(t, want, hear(learned, line, schema.root), "%s", line)
				if learned.match() == len(line) {
					matched++
				}
				for _, e := range all.strings {
					known[e] = true
				}
			}
		}
	}
	return matched
}

// A record whose keys the schema lists in part, with objects, lists and spaces in
// every place.
const spacedRecord = ` {"sample_id": "a", "source_text":"y","summary_text":"z", "n":1, "note": "x", "ground_truth":{"llm_judge":{ "verdict" :"MEETS_EXPECTATIONS","scores":{"coverage":0.5 }}} ,"tags":["a",{"b":1e3}, [], -1,null],"latency_seconds":12345678901} `

func TestShapesChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for _, p := range pairs(t) {
		var lines [][]byte
		for _, seed := range append([]string{spacedRecord}, schemaSeeds...) {
			for range 200 {
				line := seed
				for range r.IntN(3) {
					line = mutate(r, line)
				}
				if r.IntN(20) == 0 {
					line = strings.Replace(line, `"a"`, []string{`"\u0430\n"`, `"\x"`, `"\"`, `"`, "\"\x01\""}[r.IntN(5)], 1)
				}
				if r.IntN(20) == 0 {
					line = line[:r.IntN(len(line))]
				}
				lines = append(lines, []byte(line))
			}
		}
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		assert.Positive(t, sameWithShapes(t, p.own, lines), "no shape was known")
	}
}

func TestShapesAreKnownTheSecondTime(t *testing.T) {
	w := &walker{v: &heard{}}
	judged, _, _ := strings.Cut(spacedRecord, ` ,"tags"`)
	judged += "}"
	for _, line := range []string{schemaSeeds[0], judged} {
		learned := w.shapes.learned
		hear(w, []byte(line), BuiltinSchema().root)
		hear(w, []byte(strings.NewReplacer("null", `"\n2"`, "0.5", "0.25").Replace(line)), BuiltinSchema().root)
		assert.Equal(t, learned+1, w.shapes.learned, line)
	}
}

// TestStringsOfKnownLinesHaveTheSamePlaces: what a string of a known line decodes to,
// and where each byte of it stands, is what reading it escape by escape gives.
func TestStringsOfKnownLinesHaveTheSamePlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 13))
	pieces := []string{"a", "б", `\n`, `\n`, `\"`, `\\`, `\t`, `\u0430`, `\/`, "слово ", "😀"}
	for range 4_000 {
		var b strings.Builder
		b.WriteString(`x"`)
		for range r.IntN(12) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		b.WriteString(`"`)
		line := []byte(b.String())
		read, known := &walker{b: line, i: 1, v: &heard{}}, &walker{b: line, v: &heard{}}
		read.marks, _ = bytescan.Index(nil, line)
		known.marks = read.marks
		want, _, ok := read.string()
		require.True(t, ok)
		var escapes []uint32
		for i := 2; i < len(line)-1; i++ {
			if line[i] == '\\' {
				escapes = append(escapes, uint32(i))
				i++
			}
		}
		if len(escapes) == 0 {
			continue
		}
		got, ok := known.unescape(span{1, len(line)}, escapes)
		require.True(t, ok)
		require.Equal(t, string(want), string(got), "%s", line)
		for start := range want {
			for _, end := range []int{start, start + 1, len(want)} {
				require.Equal(t, read.dec.raw(start, end), known.dec.raw(start, end), "%s from %d to %d", line, start, end)
			}
		}
	}
}

func TestShapesHideNoPersonalDataInKeys(t *testing.T) {
	line := strings.Replace(schemaSeeds[0], `"feature_flags":{}`, `"feature_flags":{"mail ivan@mail.ru":true}`, 1) + "\n"
	f, err := Scan(strings.NewReader(strings.Repeat(line, 5)), Options{Workers: 1})
	require.NoError(t, err)
	for _, c := range f.Counts {
		if c.Rule == "PII102" {
			assert.Equal(t, 5, c.N)
			return
		}
	}
	t.Fatal("no address found")
}

func TestShapesOfAFileWithoutAnyStayFew(t *testing.T) {
	w := &walker{v: &heard{}}
	for i := range 20_000 {
		hear(w, fmt.Appendf(nil, `{"k%d":1,"l%d":{"m":"x"}}`, i, i%7), BuiltinSchema().root)
		require.Less(t, w.shapes.turns, maxTurns)
	}
	assert.Less(t, w.shapes.learned, 20_000/learnEvery+learnFirst+1)
}

func FuzzShapesChangeNothing(f *testing.F) {
	for _, s := range append([]string{spacedRecord}, schemaSeeds...) {
		f.Add([]byte(s + "\n" + strings.Replace(s, "a", "б", 1) + "\n" + s[:len(s)/2]))
	}
	both := pairs(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if invalidUTF8(text) >= 0 {
			return
		}
		for _, p := range both {
			sameWithShapes(t, p.own, bytes.Split(text, []byte("\n")))
		}
	})
}
