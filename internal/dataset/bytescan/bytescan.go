// Package bytescan looks at many bytes at a time: where a JSON string ends,
// whether bytes are UTF-8, where a text holds something that the search for
// identifiers must look at, which script it is written in, and what its words are.
//
// Each function has a portable form, which says what it means, and where the
// processor has AVX-512, most where it has AVX2, a fast one that gives the same; a
// fuzz test holds them together. It must not know what its callers look for.
package bytescan

// Chunk tells of 64 bytes of text what stands where, a bit for each, the lowest
// first. Classify fills what the search for identifiers needs, Survey all.
type Chunk struct {
	Word    uint64 // ASCII letter, digit or underscore
	Stop    uint64 // where Word begins, Pair, Initial, and "@", "(", "[", "{", "-", "`", some control characters
	Capital uint64 // the second byte of a Russian capital
	// Pair is a Capital right behind a space and a word that has a Capital too, or
	// behind what may be a space without break: the second word of a name begins so.
	Pair    uint64
	Initial uint64 // a full stop right behind a Capital
	Blank   uint64 // white space of ASCII
	Untidy  uint64 // a Blank that is no space, or stands behind another Blank
	Touch   uint64 // the second byte of two where a Latin letter meets one of another script
}

// Script counts the characters of a text.
type Script struct {
	Chars    int // of any kind
	Latin    int // ASCII letters
	Cyrillic int // letters of U+0400 to U+047F
	Foreign  int // Cyrillic letters that Russian does not have
	Russian  int // "ы", "э", "ё", small
}

// Index gives the places of the quotes, backslashes and control characters of b,
// 64 bytes each, which are where a JSON string ends or needs a look, and says
// whether b is UTF-8; dst is reused.
func Index(dst []uint64, b []byte) (specials []uint64, valid bool) {
	n := (len(b) + 63) / 64
	if cap(dst) < n {
		dst = make([]uint64, n+n/4+4)
	}
	dst = dst[:n]
	return dst, index(dst, b)
}

// Chars counts the characters of UTF-8.
func Chars(b []byte) int { return chars(b) }

// Classify gives what the search for identifiers needs of a text, 64 bytes each;
// dst is reused. Of Blank, Untidy and Touch it says nothing.
func Classify(dst []Chunk, text []byte) []Chunk {
	dst = room(dst, text)
	classify(dst, text)
	return dst
}

// Survey is Classify with all fields filled, and counts the text's letters.
func Survey(dst []Chunk, text []byte) (Script, []Chunk) {
	dst = room(dst, text)
	return survey(dst, text), dst
}

func room(dst []Chunk, text []byte) []Chunk {
	n := (len(text) + 63) / 64
	if cap(dst) < n {
		dst = make([]Chunk, n+n/4+4)
	}
	return dst[:n]
}
