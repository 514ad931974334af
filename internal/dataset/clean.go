package dataset

import "encoding/binary"

// cleanTexts remembers short texts without personal data: languages, models,
// verdicts and the like stand in every record.
type cleanTexts [64]cleanSet

// cleanSet holds the texts of one hash; the oldest makes room.
type cleanSet struct {
	tags   [4]uint32 // 0: free
	oldest uint8
	sizes  [4]uint8
	texts  [4][maxCleanText]byte
}

const maxCleanText = 32

// asChannel marks the size of a text that is clean as a channel's name only.
const asChannel = 1 << 7

// tagOf gives the set, the tag and the marked size of a text.
func tagOf(text []byte, channel bool) (set int, tag uint32, size uint8) {
	h := uint64(len(text))
	size = uint8(len(text))
	if channel {
		size |= asChannel
	}
	if n := len(text); n >= 8 {
		h = mix(binary.LittleEndian.Uint64(text)^mixA, binary.LittleEndian.Uint64(text[n-8:])^mixB^h)
	} else {
		for _, c := range text {
			h = h<<7 ^ h>>57 ^ uint64(c)
		}
		h = mix(h^mixA, mixB)
	}
	return int(h >> 58), uint32(h) | 1, size
}

func (c *cleanTexts) has(text []byte, channel bool) bool {
	if len(text) == 0 {
		return true
	}
	if len(text) > maxCleanText {
		return false
	}
	k, tag, size := tagOf(text, channel)
	set := &c[k]
	for i := range set.tags {
		if set.tags[i] == tag && set.sizes[i] == size && string(set.texts[i][:len(text)]) == string(text) {
			return true
		}
	}
	return false
}

func (c *cleanTexts) put(text []byte, channel bool) {
	if len(text) > maxCleanText {
		return
	}
	k, tag, size := tagOf(text, channel)
	set := &c[k]
	i := set.oldest % 4
	set.oldest++
	set.tags[i], set.sizes[i] = tag, size
	copy(set.texts[i][:], text)
}
