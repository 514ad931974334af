package bytescan

// surveyAVX2 is Survey on a processor without AVX-512.
func surveyAVX2(text []byte) (s Script, chunks []Chunk, ok bool) {
	if !hasAVX2 || len(text) == 0 {
		return s, nil, false
	}
	chunks = room(nil, text)
	classify2(chunks, text)
	return survey2(chunks, text), chunks, true
}

// indexAVX2 is Index there, of the whole chunks alone for the places.
func indexAVX2(b []byte) (specials []uint64, valid, ok bool) {
	n := len(b) / 64
	if !hasAVX2 || n == 0 {
		return nil, false, false
	}
	specials = make([]uint64, (len(b)+63)/64)
	specialsAVX2(&specials[0], &b[0], n)
	indexPortable(specials[n:], b[n*64:])
	return specials, validAVX2(&b[0], n*64) && validEnd(b, n*64), true
}
