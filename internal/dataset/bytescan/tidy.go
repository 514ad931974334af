package bytescan

import "math/bits"

// Tidy gives a surveyed text with each run of white space as one space, and none at
// its ends; dst is reused, and holds more than it.
func Tidy(dst, text []byte, chunks []Chunk) (tidied, buffer []byte) {
	if need := len(text) + 64; cap(dst) < need {
		dst = make([]byte, need+need/4)
	}
	dst = dst[:cap(dst)]
	if len(text) == 0 {
		return nil, dst
	}
	tidied = dst[:tidy(dst, text, chunks)]
	if tidied[0] == ' ' {
		tidied = tidied[1:]
	}
	if n := len(tidied); n > 0 && tidied[n-1] == ' ' {
		tidied = tidied[:n-1]
	}
	return tidied, dst
}

// tidyPortable leaves one space of white space at the ends too, and gives the length.
func tidyPortable(dst, text []byte, chunks []Chunk) (n int) {
	from := 0
	for k := range chunks {
		for m := chunks[k].Untidy; m != 0; m &= m - 1 {
			i := k*64 + bits.TrailingZeros64(m)
			if i > from || i == 0 { // else white space is right before it
				n += copy(dst[n:], text[from:i])
				if i == 0 || chunks[(i-1)/64].Blank>>((i-1)%64)&1 == 0 {
					dst[n] = ' '
					n++
				}
			}
			from = i + 1
		}
	}
	return n + copy(dst[n:], text[from:])
}
