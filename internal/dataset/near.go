package dataset

import (
	"math/bits"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// Near duplicates by MinHash over runs of five words, with one permutation:
// each run is hashed once and falls into one of the bins, whose least hash is
// kept (Li, Owen, Zhang: "One permutation hashing"). Bins that nothing fell
// into borrow from others (Shrivastava: "Optimal densification"). Four bits a
// bin are kept to estimate the Jaccard similarity, with an error of about 0.05;
// bands of four whole bins find the pairs that are worth comparing.
const (
	shingleWords = 5
	bins         = 64
	bands        = 8
	bandBins     = 4
	nearShare    = 0.8 // DS032: least similarity
	// maxNear caps the records that others are compared with: 110 to 150 bytes each.
	maxNear = 1 << 19
)

// sketch is what is kept of a text.
type sketch struct {
	low   [bins / 16]uint64 // four bits a bin
	bands [bands]uint32
}

// sketcher makes sketches; it keeps its buffers.
type sketcher struct {
	least [bins]uint64
	words []uint64 // of the text, hashed
}

const (
	mixA = 0x9E3779B97F4A7C15
	mixB = 0xD6E8FEB86659FD93
	// rollK^5 leaves the window when a word does.
	rollK  = 0xA0761D6478BD642F
	rollK5 = (rollK * rollK * rollK * rollK * rollK) & (1<<64 - 1)
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// sketch is of a surveyed text.
func (k *sketcher) sketch(text []byte, chunks []bytescan.Chunk) sketch {
	for i := range k.least {
		k.least[i] = 1<<64 - 1
	}
	k.words = bytescan.Words(k.words, text, chunks)
	// A run of words is a polynomial of their hashes.
	var run uint64
	for _, h := range k.words[:min(shingleWords, len(k.words))] {
		run = run*rollK + h
	}
	k.put(run) // a short text is one run
	if len(k.words) > shingleWords {
		for i, h := range k.words[shingleWords:] {
			run = run*rollK + h - k.words[i]*rollK5
			k.put(run)
		}
	}
	return k.fold()
}

// put enters a run of words into its bin.
func (k *sketcher) put(run uint64) {
	h := mix(run^mixB, mixA)
	k.least[h>>58] = min(k.least[h>>58], h)
}

// fold fills empty bins and keeps what is needed of them.
func (k *sketcher) fold() (s sketch) {
	const empty = 1<<64 - 1
	full := k.least
	for i := range full {
		for try := uint64(1); full[i] == empty; try++ {
			full[i] = k.least[mix(uint64(i)+mixA, try^mixB)>>58]
		}
	}
	for i := range s.low {
		for _, h := range full[i*16 : i*16+16] {
			s.low[i] = s.low[i]>>4 | h<<60
		}
	}
	for b := range s.bands {
		h := uint64(0)
		for _, least := range full[b*bandBins : b*bandBins+bandBins] {
			h = h*rollK + least
		}
		s.bands[b] = uint32(mix(h^mixB, mixA) >> 32)
	}
	return s
}

// likeness estimates the Jaccard similarity: the share of equal bins, less what
// four bits agree on by chance.
func (s *sketch) likeness(low *[bins / 16]uint64) float64 {
	equal := 0
	for i, a := range s.low {
		x := a ^ low[i]
		x |= x >> 1
		x |= x >> 2
		equal += 16 - bits.OnesCount64(x&0x1111111111111111)
	}
	const chance = 1.0 / 16
	return (float64(equal)/bins - chance) / (1 - chance)
}

// nearTable finds earlier texts that are like a new one.
type nearTable struct {
	chunks  []*[chunkTexts]remembered // so that growing copies nothing
	n       int
	slots   [bands][]slot // the band's hash picks the place
	partial bool          // some texts were not remembered: maxNear
}

type remembered struct {
	sketch
	line uint32
}

const chunkTexts = 1 << 12

// slot is the number of a text plus one, in its lower bits, and the upper bits of
// the band's hash, so that most other texts are passed by unread; 0 is free.
type slot uint32

const textBits = 20 // hold maxNear

func newSlot(hash uint32, k int) slot { return slot(hash&^(1<<textBits-1) | uint32(k+1)) }

func (s slot) text() int { return int(s&(1<<textBits-1)) - 1 }

// may says whether the slot may be of a text with this hash.
func (s slot) may(hash uint32) bool { return (uint32(s)^hash)>>textBits == 0 }

func (t *nearTable) text(k int) *remembered { return &t.chunks[k/chunkTexts][k%chunkTexts] }

// probes caps how many texts of one band are compared: many records that share
// a phrase must not cost squares.
const probes = 8

// warm reads where find will look, as lineTable.warm does.
func (t *nearTable) warm(s *sketch) (sum uint64) {
	if t.n == 0 {
		return 0
	}
	for b, hash := range s.bands {
		slots := t.slots[b]
		sum += uint64(slots[hash&uint32(len(slots)-1)])
	}
	return sum
}

// find gives the line of a text that is near, or 0.
func (t *nearTable) find(s *sketch) (line int) {
	if t.n == 0 {
		return 0
	}
	for b, hash := range s.bands {
		slots := t.slots[b]
		mask := uint32(len(slots) - 1)
		for p := range uint32(probes) {
			k := slots[(hash+p)&mask]
			if k == 0 {
				break
			}
			if !k.may(hash) {
				continue
			}
			if old := t.text(k.text()); old.bands[b] == hash && s.likeness(&old.low) >= nearShare {
				return int(old.line)
			}
		}
	}
	return 0
}

// add remembers a text.
func (t *nearTable) add(s *sketch, line int) {
	if t.n >= maxNear {
		t.partial = true
		return
	}
	if t.n == len(t.chunks)*chunkTexts {
		t.chunks = append(t.chunks, new([chunkTexts]remembered))
	}
	*t.text(t.n) = remembered{*s, uint32(line)}
	t.n++
	if 4*len(t.slots[0]) >= 5*t.n {
		t.place(t.n - 1)
		return
	}
	for b := range t.slots {
		t.slots[b] = make([]slot, max(1024, 2*len(t.slots[b])))
	}
	for k := range t.n {
		t.place(k)
	}
}

// place enters text k into each band where there is room within the probes.
func (t *nearTable) place(k int) {
	for b, hash := range t.text(k).bands {
		slots := t.slots[b]
		mask := uint32(len(slots) - 1)
		for p := range uint32(probes) {
			if at := &slots[(hash+p)&mask]; *at == 0 {
				*at = newSlot(hash, k)
				break
			}
		}
	}
}
