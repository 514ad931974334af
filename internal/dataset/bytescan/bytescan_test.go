package bytescan

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples are random bytes and random pieces of Russian text, of all lengths
// around the widths of the vector code.
func samples() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"Привет", " Я", "\u00A0Я", "і", "ё", "ы", "ғ", "a", "Z", "_", "7", "@", "(", "-", "\"", "\\", "\n", "é", "…", "😀", "\xD0", "\x80", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", " ", "  ", "Ё", "длинное слово подряд"}
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

// Each lead byte, right and wrong, around the end of a chunk, with what may follow it
// and what may not: whether bytes are UTF-8 must not depend on where they stand.
func TestCharactersAcrossChunks(t *testing.T) {
	for _, begins := range []string{"0", "Я", "€", "😀"} { // forms look closer where a chunk has longer characters
		before := begins + strings.Repeat("0", 66)
		for place := 56; place < 66; place++ {
			for lead := 0x80; lead <= 0xFF; lead++ {
				for _, rest := range []string{"", "\x80", "\x9F\x80", "\xA0\x80", "\x80\x80\x80", "\x90\xBF\xBF", "0"} {
					b := append([]byte(before[:place]), byte(lead))
					b = append(append(b, rest...), strings.Repeat("0", 2*64)...)
					specials, valid := Index(nil, b)
					require.Equal(t, utf8.Valid(b), valid, "%q", b)
					require.Len(t, specials, (len(b)+63)/64)
					if _, valid, ok := indexAVX2(b); ok {
						require.Equal(t, utf8.Valid(b), valid, "AVX2: %q", b)
					}
				}
			}
		}
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
	specials, valid := Index(nil, b)
	wantSpecials := make([]uint64, len(specials))
	indexPortable(wantSpecials, b)
	require.Equal(t, wantSpecials, append([]uint64{}, specials...))
	if utf8.Valid(b) {
		require.Equal(t, utf8.RuneCount(b), Chars(b))
	}
	require.Equal(t, charsPortable(b), Chars(b))
	require.Equal(t, utf8.Valid(b), valid)
	require.Equal(t, utf8.Valid(b), validPortable(b))
	if specials, valid, ok := indexAVX2(b); ok {
		require.Equal(t, utf8.Valid(b), valid, "AVX2")
		require.Equal(t, wantSpecials, specials, "AVX2")
	}
	want := make([]Chunk, (len(b)+63)/64)
	classifyPortable(want, b)
	got := append([]Chunk{}, Classify(nil, b)...)
	for k := range got { // of the other fields it says nothing
		got[k].Blank, got[k].Untidy, got[k].Touch = 0, 0, 0
	}
	require.Equal(t, want, got)
	counts := surveyPortable(want, b)
	script, chunks := Survey(nil, b)
	require.Equal(t, counts, script)
	require.Equal(t, want, append([]Chunk{}, chunks...))
	wantWords := make([]uint64, len(b)/2+1)
	n, from := wordsPortable(wantWords, b, want)
	gotWords := Words(nil, b, chunks)
	require.Equal(t, wantWords[:n], gotWords[:n])
	require.Equal(t, from < len(b), len(gotWords) > n)
	wantTidy := make([]byte, len(b))
	wantTidy = wantTidy[:tidyPortable(wantTidy, b, want)]
	gotTidy, _ := Tidy(nil, b, chunks)
	require.Equal(t, strings.Trim(string(wantTidy), " "), string(gotTidy))
	script, chunks, ok := surveyAVX2(b)
	if ok {
		require.Equal(t, counts, script, "AVX2")
		require.Equal(t, want, append([]Chunk{}, chunks...), "AVX2")
	}
}

func TestIndexMarksEachSpecial(t *testing.T) {
	for _, special := range []byte{'"', '\\', 0, 0x1F, '\n'} {
		for at := range 200 {
			b := bytes.Repeat([]byte{'x'}, 200)
			b[at] = special
			want := make([]uint64, 4)
			want[at/64] = 1 << (at % 64)
			got, valid := Index(nil, b)
			assert.Equal(t, want, got)
			assert.True(t, valid)
		}
	}
}

func TestLettersTellsUkrainianFromRussian(t *testing.T) {
	russian, _ := Survey(nil, []byte("Это было бы объяснимо, если бы ёлки выросли"))
	ukrainian, _ := Survey(nil, []byte("Це було б зрозуміло, якби ялинки виросли в її саду"))
	assert.Zero(t, russian.Foreign)
	assert.Positive(t, russian.Russian)
	assert.Positive(t, ukrainian.Foreign)
	assert.Zero(t, ukrainian.Russian)
}

func TestWords(t *testing.T) {
	words := func(text string) []uint64 {
		_, chunks := Survey(nil, []byte(text))
		return append([]uint64{}, Words(nil, []byte(text), chunks)...)
	}
	long := strings.Repeat("очень", 30)
	want := words("один " + long + " - два")
	require.Len(t, want, 4)
	for _, text := range []string{" один, \n\n" + long + ":\t- два.", "один\n" + long + "!   - два? ", strings.Repeat(" ", 50) + "один " + long + "; - два"} {
		assert.Equal(t, want, words(text), "%q", text)
	}
	assert.Empty(t, words(""))
	assert.Empty(t, words(" \n"))
	assert.Equal(t, words(", а"), words(",  а"), "a sign alone is a word")
	seen := make(map[uint64]string)
	for _, base := range []string{"", "слово", "prefix-", long} {
		for a := range 1 << 11 {
			word := base + string([]byte{byte(a), byte(a >> 8)})
			if strings.ContainsAny(word, " \t\n\v\f\r,.:;!?") {
				continue
			}
			h := words(word + " ")
			require.Len(t, h, 1)
			require.Empty(t, seen[h[0]], "%q", word)
			seen[h[0]] = word
		}
	}
}

func TestTidy(t *testing.T) {
	var buffer, got []byte
	spaces := []string{" ", "  ", "\n", "\n\n", " \t ", "\r\n", "\v\f"}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		var text []byte
		words := make([]string, r.IntN(40))
		for i := range words {
			words[i] = strings.Repeat("ж", 1+r.IntN(6)) + strings.Repeat("a", r.IntN(3))
			text = append(text, words[i]...)
			text = append(text, spaces[r.IntN(len(spaces))]...)
		}
		if r.IntN(2) == 0 {
			text = append([]byte(spaces[r.IntN(len(spaces))]), text...)
		}
		if r.IntN(2) == 0 {
			text = bytes.TrimRight(text, " \t\r\n\v\f")
		}
		_, chunks := Survey(nil, text)
		got, buffer = Tidy(buffer, text, chunks)
		require.Equal(t, strings.Join(words, " "), string(got), "%q", text)
	}
}

func BenchmarkForms(b *testing.B) {
	var text []byte
	for len(text) < 1<<16 {
		text = append(text, "Городской совет утвердил бюджет на следующий год и выделил средства. "...)
	}
	var specials []uint64
	b.Run("index", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			specials, _ = Index(specials, text)
		}
	})
	b.Run("valid-portable", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			validPortable(text)
		}
	})
	var chunks []Chunk
	b.Run("classify", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			chunks = Classify(chunks, text)
		}
	})
	b.Run("classify-portable", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			classifyPortable(chunks, text)
		}
	})
	b.Run("survey", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_, chunks = Survey(chunks, text)
		}
	})
	_, chunks = Survey(chunks, text)
	words := Words(nil, text, chunks)
	b.Run("words", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			words = Words(words, text, chunks)
		}
	})
	b.Run("words-portable", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			wordsPortable(words[:cap(words)], text, chunks)
		}
	})
	var buffer []byte
	b.Run("tidy", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_, buffer = Tidy(buffer, text, chunks)
		}
	})
	b.Run("survey-avx2", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			surveyAVX2(text)
		}
	})
}
