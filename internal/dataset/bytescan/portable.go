package bytescan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	highs = 0x8080808080808080
)

func indexPortable(dst []uint64, b []byte) {
	for k := range dst {
		dst[k] = 0
		for i, c := range b[k*64 : min(len(b), k*64+64)] {
			dst[k] |= uint64(special[c]) << i
		}
	}
}

var special = func() (t [256]uint8) {
	for c := range 0x20 {
		t[c] = 1
	}
	t['"'], t['\\'] = 1, 1
	return t
}()

// charsPortable counts the bytes that continue no character, eight at a time.
func charsPortable(b []byte) int {
	n, i := len(b), 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		n -= bits.OnesCount64(v & ^(v << 1) & highs)
	}
	for ; i < len(b); i++ {
		if b[i]&0xC0 == 0x80 {
			n--
		}
	}
	return n
}

// validPortable takes two Cyrillic letters or eight ASCII bytes at a time where
// it can, which is most of a Russian text.
func validPortable(b []byte) bool {
	i := 0
	for i+8 <= len(b) {
		v := binary.LittleEndian.Uint64(b[i:])
		switch {
		case v&highs == 0:
			i += 8
			continue
		case v&0xC0FEC0FEC0FEC0FE == 0x80D080D080D080D0:
			i += 8
			continue
		case v&0xC0FEC0FE == 0x80D080D0:
			i += 4
			continue
		case v&0xC0FE == 0x80D0:
			i += 2
			continue
		case v&0x80 == 0:
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return false
		}
		i += n
	}
	return utf8.Valid(b[i:])
}

const (
	isWord = 1 << iota
	isMark
	isSecond // of a capital, after D0
	isLatin
)

var classes = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		if (c|0x20)-'a' <= 25 {
			t[c] |= isWord | isLatin
		}
		if c-'0' <= 9 || c == '_' {
			t[c] |= isWord
		}
		switch c | 0x20 {
		case '@' | 0x20, '(', '{', '-':
			t[c] |= isMark
		}
		if c >= 0x90 && c < 0xB0 || c == 0x81 {
			t[c] |= isSecond
		}
	}
	return t
}()

// classifyPortable fills all but the fields of Survey.
func classifyPortable(dst []Chunk, text []byte) {
	var prev byte
	for k := range dst {
		var c Chunk
		for i, b := range text[k*64 : min(len(text), k*64+64)] {
			class := classes[b]
			c.Word |= uint64(class&isWord) << i
			c.Stop |= uint64(class&isMark) >> 1 << i
			if class&isSecond != 0 && prev == 0xD0 {
				c.Capital |= 1 << i
			}
			prev = b
		}
		dst[k] = c
	}
	followCapitals(dst, text)
}

// followCapitals fills Pair and Initial, and what Stop has beside marks.
func followCapitals(dst []Chunk, text []byte) {
	for k := range dst {
		dst[k].Pair, dst[k].Initial = 0, 0
	}
	for k := range dst {
		for m := dst[k].Capital; m != 0; m &= m - 1 {
			i := k*64 + bits.TrailingZeros64(m)
			if i >= 2 && (text[i-2] == 0xA0 || text[i-2] == ' ' && capitalBefore(dst, text[:i-2])) {
				dst[k].Pair |= 1 << (i % 64)
			}
			if i+1 < len(text) && text[i+1] == '.' {
				dst[(i+1)/64].Initial |= 1 << ((i + 1) % 64)
			}
		}
	}
	var carry uint64
	for k := range dst {
		c := &dst[k]
		c.Stop |= c.Word&^(c.Word<<1|carry) | c.Pair | c.Initial
		carry = c.Word >> 63
	}
}

// capitalBefore says whether a capital is among the bytes beyond ASCII that the
// text ends with.
func capitalBefore(dst []Chunk, text []byte) bool {
	for i := len(text) - 1; i >= 0 && text[i] >= 0x80; i-- {
		if dst[i/64].Capital>>(i%64)&1 != 0 {
			return true
		}
	}
	return false
}

// surveyPortable fills what Classify does not.
func surveyPortable(dst []Chunk, text []byte) Script {
	s := Script{Chars: charsPortable(text)}
	var prev byte
	for k := range dst {
		var blank, untidy, touch uint64
		for i, c := range text[k*64 : min(len(text), k*64+64)] {
			latin := classes[c]&isLatin != 0
			if latin {
				s.Latin++
			}
			if c&0xFE == 0xD0 {
				s.Cyrillic++
			}
			switch {
			case prev&0xFE == 0xD2,
				prev == 0xD0 && c&0xF0 == 0x80 && c != 0x81,
				prev == 0xD1 && c&0xF0 == 0x90 && c != 0x91:
				s.Foreign++
			case prev == 0xD1 && (c == 0x8B || c == 0x8D || c == 0x91):
				s.Russian++
			}
			if latin && prev >= 0x80 && prev < 0xC0 || classes[prev]&isLatin != 0 && c&0xFE == 0xD0 {
				touch |= 1 << i
			}
			if isBlank(c) {
				blank |= 1 << i
				if c != ' ' || isBlank(prev) {
					untidy |= 1 << i
				}
			}
			prev = c
		}
		dst[k].Blank, dst[k].Untidy, dst[k].Touch = blank, untidy, touch
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || c-'\t' <= '\r'-'\t' }

func (s *Script) add(o Script) {
	s.Chars += o.Chars
	s.Latin += o.Latin
	s.Cyrillic += o.Cyrillic
	s.Foreign += o.Foreign
	s.Russian += o.Russian
}
