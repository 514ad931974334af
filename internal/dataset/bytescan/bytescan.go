// Package bytescan looks at many bytes at a time: where a JSON string ends,
// whether bytes are UTF-8, where a text holds something that the search for
// identifiers must look at, and which script it is written in.
//
// Each function has a portable form, which says what it means, and where the
// processor has AVX2 a fast one that gives the same; a fuzz test holds them
// together. It must not know what its callers look for.
package bytescan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Stops are the places of 64 bytes of text, a bit for each, the lowest first.
type Stops struct {
	Word    uint64 // ASCII letter, digit or underscore
	Mark    uint64 // "@", "(", "[", "{", "-"; also "`" and some control characters
	Capital uint64 // the second byte of a Russian capital
}

// Script counts the letters of a text.
type Script struct {
	Latin    int // ASCII letters
	Cyrillic int // letters of U+0400 to U+047F
	Foreign  int // Cyrillic letters that Russian does not have
	Russian  int // "ы", "э", "ё", small
}

// PlainLen counts the bytes before the first quote, backslash or control
// character: what a JSON string may hold as it is.
func PlainLen(b []byte) int {
	// Most strings are short: a call into vector code costs more than they do.
	if len(b) <= 16 {
		return plainLenPortable(b, 0)
	}
	if hit := specials(binary.LittleEndian.Uint64(b)); hit != 0 {
		return bits.TrailingZeros64(hit) / 8
	}
	if hit := specials(binary.LittleEndian.Uint64(b[8:])); hit != 0 {
		return 8 + bits.TrailingZeros64(hit)/8
	}
	return plainLen(b, 16)
}

var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// Valid says whether b is UTF-8.
func Valid(b []byte) bool {
	if len(b) < 64 {
		return utf8.Valid(b)
	}
	return valid(b)
}

// TidyLen counts the bytes before the first control character or space before
// another space: text whose white space needs no change.
func TidyLen(b []byte) int { return tidyLen(b) }

// Chars counts the characters of UTF-8.
func Chars(b []byte) int { return chars(b) }

// Spaces gives the places of white space and control characters, 64 bytes each;
// dst is reused.
func Spaces(dst []uint64, text []byte) []uint64 {
	n := (len(text) + 63) / 64
	if cap(dst) < n {
		dst = make([]uint64, n+n/4+4)
	}
	dst = dst[:n]
	spaces(dst, text)
	return dst
}

// Classify gives the stops of the text, 64 bytes each; dst is reused.
func Classify(dst []Stops, text []byte) []Stops {
	n := (len(text) + 63) / 64
	if cap(dst) < n {
		dst = make([]Stops, n+n/4+4)
	}
	dst = dst[:n]
	classify(dst, text)
	return dst
}

// Letters counts a text's letters and gives the places where a Latin letter
// touches a byte of another script, 32 bytes each; dst is reused.
func Letters(dst []uint32, text []byte) (Script, []uint32) {
	n := (len(text) + 31) / 32
	if cap(dst) < n {
		dst = make([]uint32, n+n/4+4)
	}
	dst = dst[:n]
	return letters(dst, text), dst
}
