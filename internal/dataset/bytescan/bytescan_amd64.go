package bytescan

import (
	"unicode/utf8"

	"golang.org/x/sys/cpu"
)

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasBMI1
	hasAVX512 = hasAVX2 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512VBMI2
)

//go:noescape
func specialsAVX2(dst *uint64, p *byte, chunks int)

// continuationsAVX2 counts; at most 255 chunks of 32 bytes.
//
//go:noescape
func continuationsAVX2(p *byte, chunks int) int

// blanksAVX2 fills Blank, and Untidy but for what stands before a chunk.
//
//go:noescape
func blanksAVX2(dst *Chunk, p *byte, chunks int)

//go:noescape
func validAVX2(p *byte, n int) bool

// indexAVX512 is specialsAVX2 and validAVX2 in one; n is a multiple of 64, at least
// 64.
//
//go:noescape
func indexAVX512(dst *uint64, p *byte, n int) bool

// classifyAVX2 fills Word and Capital, and Stop with marks alone.
//
//go:noescape
func classifyAVX2(dst *Chunk, p *byte, chunks int, carry uint64)

// lettersAVX2 reads the byte before p too; at most 255 chunks of 32 bytes.
//
//go:noescape
func lettersAVX2(counts *[4]uint64, dst *uint32, p *byte, chunks int)

// classifyAVX512 fills all but Blank, Untidy and Touch; n is at least 1.
//
//go:noescape
func classifyAVX512(dst *Chunk, p *byte, n int)

// surveyAVX512 fills all; counts are continuation bytes, then Latin, Cyrillic,
// foreign and Russian letters; n is at least 1.
//
//go:noescape
func surveyAVX512(dst *Chunk, p *byte, n int, counts *[5]uint64)

// wordsAVX512 does what wordsPortable does; n chunks, at least 1.
//
//go:noescape
func wordsAVX512(dst *uint64, p *byte, chunks *Chunk, n int) (words, from int)

// tidyAVX512 does what tidyPortable does, with room for 64 bytes more behind; n is at
// least 1.
//
//go:noescape
func tidyAVX512(dst, p *byte, chunks *Chunk, n int) int

func chars(b []byte) int {
	if !hasAVX2 {
		return charsPortable(b)
	}
	n := 0
	for len(b) >= 32 {
		k := min(len(b)/32, 255)
		n += k*32 - continuationsAVX2(&b[0], k)
		b = b[k*32:]
	}
	return n + charsPortable(b)
}

func index(dst []uint64, b []byte) bool {
	n := len(b) / 64
	switch {
	case n == 0 || !hasAVX2:
		indexPortable(dst, b)
		return validPortable(b)
	case hasAVX512:
		indexPortable(dst[n:], b[n*64:])
		return indexAVX512(&dst[0], &b[0], n*64) && validEnd(b, n*64)
	}
	specialsAVX2(&dst[0], &b[0], n)
	indexPortable(dst[n:], b[n*64:])
	return validAVX2(&b[0], n*64) && validEnd(b, n*64)
}

// validEnd judges the bytes from the last character on that begins before n.
func validEnd(b []byte, n int) bool {
	// The vector code does not ask whether its last character is whole.
	for back := 0; back < 4; back++ {
		if n--; utf8.RuneStart(b[n]) {
			break
		}
	}
	return utf8.Valid(b[n:])
}

func classify(dst []Chunk, text []byte) {
	switch {
	case len(text) == 0:
	case hasAVX512:
		classifyAVX512(&dst[0], &text[0], len(text))
	case hasAVX2:
		classify2(dst, text)
	default:
		classifyPortable(dst, text)
	}
}

func survey(dst []Chunk, text []byte) (s Script) {
	switch {
	case len(text) == 0:
	case hasAVX512:
		var c [5]uint64
		surveyAVX512(&dst[0], &text[0], len(text), &c)
		s = Script{len(text) - int(c[0]), int(c[1]), int(c[2]), int(c[3]), int(c[4])}
	case hasAVX2:
		classify2(dst, text)
		s = survey2(dst, text)
	default:
		classifyPortable(dst, text)
		s = surveyPortable(dst, text)
	}
	return s
}

func classify2(dst []Chunk, text []byte) {
	n := len(text) / 64
	carry := uint64(0)
	if n > 0 {
		classifyAVX2(&dst[0], &text[0], n, 0)
		if text[n*64-1] == 0xD0 {
			carry = 1
		}
	}
	if rest := text[n*64:]; len(rest) > 0 {
		var last [64]byte
		copy(last[:], rest)
		classifyAVX2(&dst[n], &last[0], 1, carry)
	}
	followCapitals(dst, text)
}

func survey2(dst []Chunk, text []byte) (s Script) {
	if len(text) < 64 {
		return surveyPortable(dst, text)
	}
	n := len(text) / 64
	blanksAVX2(&dst[0], &text[0], n)
	if rest := text[n*64:]; len(rest) > 0 {
		var last [64]byte
		copy(last[:], rest)
		blanksAVX2(&dst[n], &last[0], 1)
	}
	for k := 1; k < len(dst); k++ {
		dst[k].Untidy |= dst[k].Blank & (dst[k-1].Blank >> 63)
	}
	s.Chars = chars(text)
	var c [4]uint64
	var touch [254]uint32
	chunk := func(from int, p *byte, n int) {
		lettersAVX2(&c, &touch[0], p, n)
		s.add(Script{0, int(c[0]), int(c[1]), int(c[2]), int(c[3])})
		for k, t := range touch[:n] {
			if half := from + k; half%2 == 0 {
				dst[half/2].Touch = uint64(t)
			} else {
				dst[half/2].Touch |= uint64(t) << 32
			}
		}
	}
	// The first chunk has no byte before it, the last is not whole: both are
	// read from a copy with zeros around.
	var edge [33]byte
	copy(edge[1:], text)
	chunk(0, &edge[1], 1)
	i := 32
	for len(text)-i >= 32 {
		n := min((len(text)-i)/32, len(touch))
		chunk(i/32, &text[i], n)
		i += n * 32
	}
	if i < len(text) {
		edge = [33]byte{text[i-1]}
		copy(edge[1:], text[i:])
		chunk(i/32, &edge[1], 1)
		if text[len(text)-1]&0xFE == 0xD2 { // cut off: the zero behind it is no letter
			s.Foreign--
		}
	}
	return s
}

func words(dst []uint64, text []byte, chunks []Chunk) (n, from int) {
	if hasAVX512 {
		return wordsAVX512(&dst[0], &text[0], &chunks[0], len(chunks))
	}
	return wordsPortable(dst, text, chunks)
}

func tidy(dst, text []byte, chunks []Chunk) int {
	if hasAVX512 {
		return tidyAVX512(&dst[0], &text[0], &chunks[0], len(text))
	}
	return tidyPortable(dst, text, chunks)
}
