//go:build !amd64

package bytescan

func surveyAVX2([]byte) (s Script, chunks []Chunk, ok bool) { return s, nil, false }

func indexAVX2([]byte) (specials []uint64, valid, ok bool) { return nil, false, false }
