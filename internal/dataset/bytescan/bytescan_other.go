//go:build !amd64

package bytescan

func plainLen(b []byte, from int) int          { return plainLenPortable(b, from) }
func tidyLen(b []byte) int                     { return tidyLenPortable(b, 0) }
func chars(b []byte) int                       { return charsPortable(b) }
func spaces(dst []uint64, text []byte)         { spacesPortable(dst, text) }
func valid(b []byte) bool                      { return validPortable(b) }
func classify(dst []Stops, text []byte)        { classifyPortable(dst, text, 0) }
func letters(dst []uint32, text []byte) Script { return lettersPortable(dst, text, 0) }
