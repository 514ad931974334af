package bytescan

import (
	"encoding/binary"
	"math/bits"
)

// Words gives a hash of each word of a surveyed text: of what stands between white
// space, without a sign at its end. Equal words have equal hashes on every machine;
// a caller that combines them mixes their bits. dst is reused.
func Words(dst []uint64, text []byte, chunks []Chunk) []uint64 {
	if most := len(text)/2 + 1; cap(dst) < most {
		dst = make([]uint64, most+most/4)
	}
	if len(text) == 0 {
		return dst[:0]
	}
	n, from := words(dst[:cap(dst)], text, chunks)
	if from < len(text) {
		dst = dst[:n+1]
		dst[n] = wordHash(withoutSign(text[from:]))
		return dst
	}
	return dst[:n]
}

// wordsPortable hashes the words that white space ends, and gives how many there are
// and where the last one begins.
func wordsPortable(dst []uint64, text []byte, chunks []Chunk) (n, from int) {
	for k := range chunks {
		for m := chunks[k].Blank; m != 0; m &= m - 1 {
			at := k*64 + bits.TrailingZeros64(m)
			if at > from {
				dst[n] = wordHash(withoutSign(text[from:at]))
				n++
			}
			from = at + 1
		}
	}
	return n, from
}

// withoutSign takes the sign from the end of a word that is more than a sign.
func withoutSign(word []byte) []byte {
	if n := len(word); n > 1 {
		switch word[n-1] {
		case ',', '.', ':', ';', '!', '?':
			return word[:n-1]
		}
	}
	return word
}

const (
	pieceBytes = 32 // of a word, at a time
	lengthK    = 0xD6E8FEB86659FD93
	pieceK     = 0x9E3779B97F4A7C15
	wordK0     = 0xE7037ED1A0B428DB
	wordK1     = 0x8EBC6AF09C88C6E3
	wordK2     = 0x589965CC75374CC3
	wordK3     = 0x1D8E4E27C47D124F
)

// wordHash is a sum of products of eight bytes each.
func wordHash(word []byte) uint64 {
	h := uint64(len(word)) * lengthK
	for len(word) > pieceBytes {
		h = (h + pieceHash((*[pieceBytes]byte)(word))) * pieceK
		word = word[pieceBytes:]
	}
	var last [pieceBytes]byte
	copy(last[:], word)
	return h + pieceHash(&last)
}

func pieceHash(b *[pieceBytes]byte) uint64 {
	return binary.LittleEndian.Uint64(b[0:])*wordK0 + binary.LittleEndian.Uint64(b[8:])*wordK1 +
		binary.LittleEndian.Uint64(b[16:])*wordK2 + binary.LittleEndian.Uint64(b[24:])*wordK3
}
