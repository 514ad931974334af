package bytescan

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples are random bytes and random pieces of Russian text, of all lengths
// around the widths of the vector code.
func samples() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"Привет", "і", "ё", "ы", "ғ", "a", "Z", "_", "7", "@", "(", "-", "\"", "\\", "\n", "é", "…", "😀", "\xD0", "\x80", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", " ", "  ", "Ё", "длинное слово подряд"}
	var out [][]byte
	for n := range 400 {
		var b []byte
		for len(b) < n {
			if n%3 == 0 {
				b = append(b, byte(r.IntN(256)))
			} else {
				b = append(b, pieces[r.IntN(len(pieces)-6*(n%2))]...)
			}
		}
		out = append(out, b)
	}
	return out
}

func TestFastFormsGiveWhatThePortableGive(t *testing.T) {
	for _, b := range samples() {
		same(t, b)
	}
}

func FuzzSame(f *testing.F) {
	for _, b := range samples()[:64] {
		f.Add(b)
	}
	for _, lead := range []byte{0xD0, 0xD1, 0xD2, 0xD3} { // a letter that is cut off
		f.Add(append(bytes.Repeat([]byte("0"), 64), lead))
		f.Add(append(bytes.Repeat([]byte("0"), 63), lead))
	}
	f.Fuzz(func(t *testing.T, b []byte) { same(t, b) })
}

func same(t *testing.T, b []byte) {
	t.Helper()
	require.Equal(t, plainLenPortable(b, 0), PlainLen(b))
	require.Equal(t, tidyLenPortable(b, 0), TidyLen(b))
	blanks := Spaces(nil, b)
	wantBlanks := make([]uint64, len(blanks))
	spacesPortable(wantBlanks, b)
	require.Equal(t, wantBlanks, append([]uint64{}, blanks...))
	if utf8.Valid(b) {
		require.Equal(t, utf8.RuneCount(b), Chars(b))
	}
	require.Equal(t, charsPortable(b), Chars(b))
	require.Equal(t, utf8.Valid(b), Valid(b))
	require.Equal(t, utf8.Valid(b), validPortable(b))
	got := Classify(nil, b)
	want := make([]Stops, len(got))
	classifyPortable(want, b, 0)
	require.Equal(t, want, append([]Stops{}, got...))
	script, mixed := Letters(nil, b)
	wantMixed := make([]uint32, len(mixed))
	require.Equal(t, lettersPortable(wantMixed, b, 0), script)
	require.Equal(t, wantMixed, append([]uint32{}, mixed...))
}

func TestPlainLenStopsAtEachSpecial(t *testing.T) {
	for _, special := range []byte{'"', '\\', 0, 0x1F, '\n'} {
		for at := range 200 {
			b := make([]byte, 200)
			for i := range b {
				b[i] = 'x'
			}
			b[at] = special
			assert.Equal(t, at, PlainLen(b))
		}
	}
}

func TestLettersTellsUkrainianFromRussian(t *testing.T) {
	russian, _ := Letters(nil, []byte("Это было бы объяснимо, если бы ёлки выросли"))
	ukrainian, _ := Letters(nil, []byte("Це було б зрозуміло, якби ялинки виросли в її саду"))
	assert.Zero(t, russian.Foreign)
	assert.Positive(t, russian.Russian)
	assert.Positive(t, ukrainian.Foreign)
	assert.Zero(t, ukrainian.Russian)
}

func BenchmarkForms(b *testing.B) {
	var text []byte
	for len(text) < 1<<16 {
		text = append(text, "Городской совет утвердил бюджет на следующий год и выделил средства. "...)
	}
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			PlainLen(text)
		}
	})
	b.Run("valid", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			Valid(text)
		}
	})
	b.Run("valid-portable", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			validPortable(text)
		}
	})
	var stops []Stops
	b.Run("classify", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			stops = Classify(stops, text)
		}
	})
	b.Run("classify-portable", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			classifyPortable(stops, text, 0)
		}
	})
	var mixed []uint32
	b.Run("letters", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_, mixed = Letters(mixed, text)
		}
	})
}
