package dataset

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

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
	// The hashes of the last words, and the run that ends with the last one as a
	// polynomial of them.
	window [8]uint64
	roll   uint64
	words  uint
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

// ends has a 1 for each sign that may end a word without being part of it.
var ends = func() (t [256]uint8) {
	for _, c := range []byte(",.:;!?") {
		t[c] = 1
	}
	return t
}()

// maxShort is the length of words that are hashed without a branch on it.
const maxShort = 32

// wordHash hashes the n bytes, at most maxShort, at the start of b, which has
// maxShort bytes.
func wordHash(b []byte, n int) uint64 {
	_ = b[maxShort-1]
	h := mix(binary.LittleEndian.Uint64(b)&firstBytes(n)^mixA, binary.LittleEndian.Uint64(b[8:])&firstBytes(n-8)^mixB^uint64(n))
	if n > 16 {
		h ^= mix(binary.LittleEndian.Uint64(b[16:])&firstBytes(n-16)^mixB, binary.LittleEndian.Uint64(b[24:])&firstBytes(n-24)^mixA)
	}
	return h
}

// firstBytes masks the first n bytes of a word in memory: none where n is
// negative, all where it is 8 or more.
func firstBytes(n int) uint64 { return 1<<(8*uint(max(n, 0))) - 1 }

// sketch is of a surveyed text.
func (k *sketcher) sketch(text []byte, chunks []bytescan.Chunk) sketch {
	for i := range k.least {
		k.least[i] = 1<<64 - 1
	}
	k.window = [len(k.window)]uint64{}
	k.roll, k.words = 0, 0
	from := 0
	for c := range chunks {
		for m := chunks[c].Blank; m != 0; m &= m - 1 {
			at := c*64 + bits.TrailingZeros64(m)
			if at > from {
				k.word(text, from, at)
			}
			from = at + 1
		}
	}
	if from < len(text) {
		k.word(text, from, len(text))
	}
	if k.words < shingleWords {
		k.put() // a short text is one run
	}
	return k.fold()
}

func (k *sketcher) word(text []byte, from, to int) {
	n := to - from
	if n > 1 {
		n -= int(ends[text[to-1]])
	}
	var h uint64
	switch {
	case n > maxShort:
		h = xxh3.Hash(text[from : from+n])
	case from+maxShort <= len(text):
		h = wordHash(text[from:], n)
	default:
		var last [maxShort]byte
		copy(last[:], text[from:])
		h = wordHash(last[:], n)
	}
	oldest := k.window[(k.words-shingleWords)%uint(len(k.window))]
	k.window[k.words%uint(len(k.window))] = h
	k.roll = k.roll*rollK + h - oldest*rollK5
	if k.words++; k.words >= shingleWords {
		k.put()
	}
}

// put enters the run of words into its bin.
func (k *sketcher) put() {
	h := mix(k.roll^mixB, mixA)
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
	for i, h := range full {
		s.low[i/16] |= (h & 15) << (i % 16 * 4)
	}
	for b := range s.bands {
		h := uint64(b + 1)
		for i := range bandBins {
			h = mix(h^full[b*bandBins+i], mixB+h)
		}
		s.bands[b] = uint32(h >> 32)
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
	slots   [bands][]uint32 // number of the text plus one; the band's hash picks the place
	partial bool            // some texts were not remembered: maxNear
}

type remembered struct {
	sketch
	line uint32
}

const chunkTexts = 1 << 12

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
			if old := t.text(int(k - 1)); old.bands[b] == hash && s.likeness(&old.low) >= nearShare {
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
		t.slots[b] = make([]uint32, max(1024, 2*len(t.slots[b])))
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
				*at = uint32(k + 1)
				break
			}
		}
	}
}
