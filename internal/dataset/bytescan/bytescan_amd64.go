package bytescan

import (
	"unicode/utf8"

	"golang.org/x/sys/cpu"
)

var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

//go:noescape
func plainLenAVX2(p *byte, n int) int

// tidyLenAVX2 reads the byte behind n too.
//
//go:noescape
func tidyLenAVX2(p *byte, n int) int

// continuationsAVX2 counts; at most 255 chunks of 32 bytes.
//
//go:noescape
func continuationsAVX2(p *byte, chunks int) int

//go:noescape
func spacesAVX2(dst *uint64, p *byte, chunks int)

//go:noescape
func validAVX2(p *byte, n int) bool

//go:noescape
func classifyAVX2(dst *Stops, p *byte, chunks int, carry uint64)

// lettersAVX2 reads the byte before p too; at most 255 chunks of 32 bytes.
//
//go:noescape
func lettersAVX2(counts *[4]uint64, dst *uint32, p *byte, chunks int)

func plainLen(b []byte, from int) int {
	if !hasAVX2 || len(b)-from < 32 {
		return plainLenPortable(b, from)
	}
	n := (len(b) - from) &^ 31
	i := from + plainLenAVX2(&b[from], n)
	if i < from+n {
		return i
	}
	return plainLenPortable(b, i)
}

func tidyLen(b []byte) int {
	n := (len(b) - 1) &^ 31
	if !hasAVX2 || n <= 0 {
		return tidyLenPortable(b, 0)
	}
	if i := tidyLenAVX2(&b[0], n); i < n {
		return i
	}
	return tidyLenPortable(b, n)
}

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

func spaces(dst []uint64, text []byte) {
	n := len(text) / 64
	if !hasAVX2 {
		n = 0
	}
	if n > 0 {
		spacesAVX2(&dst[0], &text[0], n)
	}
	spacesPortable(dst[n:], text[n*64:])
}

func valid(b []byte) bool {
	n := len(b) &^ 31
	if !hasAVX2 || n == 0 {
		return validPortable(b)
	}
	if !validAVX2(&b[0], n) {
		return false
	}
	// The vector code does not ask whether its last character is whole.
	for back := 0; back < 4; back++ {
		if n--; utf8.RuneStart(b[n]) {
			break
		}
	}
	return utf8.Valid(b[n:])
}

func classify(dst []Stops, text []byte) {
	if !hasAVX2 {
		classifyPortable(dst, text, 0)
		return
	}
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
}

func letters(dst []uint32, text []byte) (s Script) {
	if !hasAVX2 || len(text) < 64 {
		return lettersPortable(dst, text, 0)
	}
	var c [4]uint64
	chunk := func(dst *uint32, p *byte, n int) {
		lettersAVX2(&c, dst, p, n)
		s.add(Script{int(c[0]), int(c[1]), int(c[2]), int(c[3])})
	}
	// The first chunk has no byte before it, the last is not whole: both are
	// read from a copy with zeros around.
	var edge [33]byte
	copy(edge[1:], text)
	chunk(&dst[0], &edge[1], 1)
	i := 32
	for len(text)-i >= 32 {
		n := min((len(text)-i)/32, 255)
		chunk(&dst[i/32], &text[i], n)
		i += n * 32
	}
	if i < len(text) {
		edge = [33]byte{text[i-1]}
		copy(edge[1:], text[i:])
		chunk(&dst[i/32], &edge[1], 1)
		if text[len(text)-1]&0xFE == 0xD2 { // cut off: the zero behind it is no letter
			s.Foreign--
		}
	}
	return s
}
