//go:build !amd64

package bytescan

func chars(b []byte) int                { return charsPortable(b) }
func classify(dst []Chunk, text []byte) { classifyPortable(dst, text) }

func index(dst []uint64, b []byte) bool {
	indexPortable(dst, b)
	return validPortable(b)
}

func survey(dst []Chunk, text []byte) Script {
	classifyPortable(dst, text)
	return surveyPortable(dst, text)
}

func words(dst []uint64, text []byte, chunks []Chunk) (n, from int) {
	return wordsPortable(dst, text, chunks)
}

func tidy(dst, text []byte, chunks []Chunk) int { return tidyPortable(dst, text, chunks) }
