package dataset

import (
	"bytes"
	"math/bits"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// sameLanguage compares a record's language with the locale by the primary
// subtag: "ru-RU" is "ru".
func sameLanguage(value []byte, locale string) bool {
	if i := bytes.IndexAny(value, "-_"); i >= 0 {
		value = value[:i]
	}
	return bytes.EqualFold(value, []byte(locale))
}

const (
	minJudgedLetters = 20  // fewer letters are of no language
	minCyrillicShare = 0.4 // of all letters: names of products and links are Latin
	// maxForeignShare of Cyrillic letters that Russian does not have: a quotation
	// in another language is below, the shortest Ukrainian or Kazakh text above.
	maxForeignShare = 0.015
	// certainLetters is how many letters of a Russian text have, in practice,
	// at least one of "ы", "э" and "ё" among them (together 2.3 % of letters).
	certainLetters = 200
)

// looksRussian judges by the script, by letters that are not Russian, and where
// the letters leave it open (Bulgarian has none of its own) by common words.
func looksRussian(text []byte, s bytescan.Script) bool {
	letters := s.Latin + s.Cyrillic
	if letters < minJudgedLetters {
		return true
	}
	if float64(s.Cyrillic) < minCyrillicShare*float64(letters) {
		return false
	}
	if float64(s.Foreign) > maxForeignShare*float64(s.Cyrillic) {
		return false
	}
	if s.Russian > 0 && s.Russian*certainLetters >= s.Cyrillic {
		return true
	}
	// Bulgarian has a hard sign in every fiftieth letter, Russian in every
	// two-thousandth.
	if hard := bytes.Count(text, []byte("ъ")); hard > 1 && hard*100 > s.Cyrillic {
		return false
	}
	russian, other := commonWords(text)
	return other <= russian
}

var (
	russianWords = wordSet("что это как из для его ее её только был была было были мы вы они год года лет ещё также который которая которые чтобы будет будут уже после этом этого со об она он если где")
	otherWords   = wordSet("е са се че да ще като това който която които бе беше със във към след през между най още само тези този тази много има няма може " + // Bulgarian
		"је су ће од али који која које што није као би смо " + // Serbian
		"та що як це але був від або який яка які про") // Ukrainian
)

func wordSet(list string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range bytes.Fields([]byte(list)) {
		m[string(w)] = true
	}
	return m
}

// commonWords counts words of either list in the first kilobytes of a text.
func commonWords(text []byte) (russian, other int) {
	const enough = 4 << 10
	for word := range bytes.FieldsSeq(text[:min(len(text), enough)]) {
		if len(word) > 16 {
			continue
		}
		word = bytes.ToLower(bytes.Trim(word, ".,:;!?\"()"))
		if russianWords[string(word)] {
			russian++
		}
		if otherWords[string(word)] {
			other++
		}
	}
	return russian, other
}

// Latin letters that look like Russian ones.
const latinLookAlikes = "aceopxyABCEHKMOPTXY"

// mixedWords gives the words in which Latin look-alikes stand among Cyrillic
// letters, from the places where the scripts touch. "SMMщик" is no such word:
// it has Latin letters that look like none.
func mixedWords(dst []span, text []byte, chunks []bytescan.Chunk) []span {
	dst = dst[:0]
	for k := range chunks {
		for m := chunks[k].Touch; m != 0; m &= m - 1 {
			at := k*64 + bits.TrailingZeros64(m)
			start, end := at, at
			for start > 0 && letterEnds(text[:start]) {
				start = runeStart(text, start-1)
			}
			for end < len(text) && letterBegins(text[end:]) {
				_, n := utf8.DecodeRune(text[end:])
				end += n
			}
			if n := len(dst); n > 0 && dst[n-1].end >= start && dst[n-1].end > start {
				continue
			}
			if isMixed(text[start:end]) {
				dst = append(dst, span{start, end})
			}
		}
	}
	return dst
}

func runeStart(text []byte, i int) int {
	for i > 0 && text[i]&0xC0 == 0x80 {
		i--
	}
	return i
}

func letterEnds(b []byte) bool {
	r, _ := utf8.DecodeLastRune(b)
	return isLetter(r)
}

func letterBegins(b []byte) bool {
	r, _ := utf8.DecodeRune(b)
	return isLetter(r)
}

func isLetter(r rune) bool {
	return r >= 0x400 && r < 0x530 || (r|0x20) >= 'a' && (r|0x20) <= 'z'
}

func isMixed(word []byte) bool {
	latin, cyrillic := 0, 0
	for _, c := range word {
		switch {
		case c&0xC0 == 0x80:
		case c >= 0x80:
			cyrillic++
		case bytes.IndexByte([]byte(latinLookAlikes), c) < 0:
			return false
		default:
			latin++
		}
	}
	return latin > 0 && cyrillic > 0
}

// invalidUTF8 gives the first byte that is no UTF-8, or -1.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
