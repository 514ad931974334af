package bytescan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

func plainLenPortable(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if hit := specials(binary.LittleEndian.Uint64(b[i:])); hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if special[b[i]] {
			break
		}
	}
	return i
}

// specials marks the quotes, backslashes and control characters among eight
// bytes by their high bits. The lowest bit set is exact: borrows only run
// upwards.
func specials(v uint64) uint64 {
	quote, slash := v^('"'*lows), v^('\\'*lows)
	return ((quote-lows)&^quote | (slash-lows)&^slash | (v-0x20*lows)&^v) & highs
}

func tidyLenPortable(b []byte, i int) int {
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == ' ' && i+1 < len(b) && b[i+1] == ' ' {
			break
		}
	}
	return i
}

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

func spacesPortable(dst []uint64, text []byte) {
	for k := range dst {
		dst[k] = 0
		for i, c := range text[k*64 : min(len(text), k*64+64)] {
			if c <= ' ' {
				dst[k] |= 1 << i
			}
		}
	}
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

func classifyPortable(dst []Stops, text []byte, prev byte) {
	for k := range dst {
		var s Stops
		part := text[k*64 : min(len(text), k*64+64)]
		for i, c := range part {
			class := classes[c]
			s.Word |= uint64(class&isWord) << i
			s.Mark |= uint64(class&isMark) >> 1 << i
			if class&isSecond != 0 && prev == 0xD0 {
				s.Capital |= 1 << i
			}
			prev = c
		}
		dst[k] = s
	}
}

func lettersPortable(dst []uint32, text []byte, prev byte) (s Script) {
	clear(dst)
	for i, c := range text {
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
			dst[i/32] |= 1 << (i % 32)
		}
		prev = c
	}
	return s
}

func (s *Script) add(o Script) {
	s.Latin += o.Latin
	s.Cyrillic += o.Cyrillic
	s.Foreign += o.Foreign
	s.Russian += o.Russian
}
