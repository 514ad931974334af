package dataset

import (
	"encoding/binary"
	"math/bits"
)

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainLenPortable counts the bytes before the first quote, backslash or
// control character.
func plainLenPortable(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		quote, slash := v^('"'*lows), v^('\\'*lows)
		// The lowest set high bit is exact: borrows only run upwards.
		hit := ((quote-lows)&^quote | (slash-lows)&^slash | (v-0x20*lows)&^v) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return i
}

func plainLen(b []byte) int { return plainLenPortable(b) }
