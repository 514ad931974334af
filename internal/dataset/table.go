package dataset

import (
	"math/bits"
	"runtime"
)

// lineTable remembers hashes with the line that they were first met in, nine
// bytes each. Of the 64 bits of a hash 60 count: two of four million different
// values are taken for one in one of 100,000 datasets of that size.
//
// The first bits of a hash choose a segment. A segment is sorted and has no gaps,
// so that it takes little more than what it holds, and grows by a sixteenth. As
// the table fills, each segment is split in two: then an entry needs a bit of the
// hash less, which its line number gets.
type lineTable struct {
	segments []tableSegment // 2^depth of them; none: nothing was remembered yet
	depth    int
	n        int
	dropped  int // bytes of arrays that growing left behind since they were last collected
}

// tableSegment holds 72 bits an entry, the hash's and then the line's: the upper 64,
// by which it is sorted, and the lower 8.
type tableSegment struct {
	upper []uint64
	lower []uint8
}

const (
	hashBits     = 60
	entryBytes   = 9
	firstDepth   = 10
	segmentLimit = 384 // entries on average: more would be moved too slowly
	// maxDropped is how much may lie about that a collection would free: memory
	// counts here, and the tables hold nothing to follow.
	maxDropped = 1 << 20
)

// lineShift is how many bits of upper belong to the line.
func (t *lineTable) lineShift() int { return 8*entryBytes - 8 - (hashBits - t.depth) }

// seen gives the line a hash was first met in; if it is new, it is remembered
// with this line and first is 0.
func (t *lineTable) seen(h uint64, line int) (first int) {
	for t.segments == nil || t.n >= segmentLimit<<t.depth || line>>(t.lineShift()+8) != 0 {
		t.deepen()
	}
	s, key := t.find(h)
	i, known := s.search(key, t.lineShift())
	if known {
		return s.line(i, t.lineShift())
	}
	t.insert(s, i, key|uint64(line)>>8, uint8(line))
	t.n++
	return 0
}

// line gives the line of a hash, or 0.
func (t *lineTable) line(h uint64) int {
	if t.segments == nil {
		return 0
	}
	s, key := t.find(h)
	if i, known := s.search(key, t.lineShift()); known {
		return s.line(i, t.lineShift())
	}
	return 0
}

// find gives the segment of a hash and the bits that tell it apart there, where
// upper has them.
func (t *lineTable) find(h uint64) (s *tableSegment, key uint64) {
	return &t.segments[h>>(64-t.depth)], h >> (64 - hashBits) << t.lineShift()
}

// search gives the place of a key: where it is, or where it would go. Keys are
// spread evenly, so it is not far from where their value says.
func (s *tableSegment) search(key uint64, shift int) (i int, known bool) {
	hi, _ := bits.Mul64(key, uint64(len(s.upper)))
	i = int(hi)
	for i < len(s.upper) && s.upper[i] < key {
		i++
	}
	for i > 0 && s.upper[i-1] >= key {
		i--
	}
	return i, i < len(s.upper) && s.upper[i]>>shift == key>>shift
}

func (s *tableSegment) line(i, shift int) int {
	return int(s.upper[i]&(1<<shift-1)<<8 | uint64(s.lower[i]))
}

func (t *lineTable) insert(s *tableSegment, i int, upper uint64, lower uint8) {
	n := len(s.upper)
	if n == cap(s.upper) {
		s.upper = copied(s.upper, n+n/16+4)
		t.drop(8 * n)
	}
	if n == cap(s.lower) {
		s.lower = copied(s.lower, n+n/16+8)
		t.drop(n)
	}
	s.upper, s.lower = s.upper[:n+1], s.lower[:n+1]
	copy(s.upper[i+1:], s.upper[i:n])
	copy(s.lower[i+1:], s.lower[i:n])
	s.upper[i], s.lower[i] = upper, lower
}

// copied has room for n at least, and for all that the allocator gives anyway.
func copied[E any](list []E, n int) []E {
	room := append([]E(nil), make([]E, n)...)
	return room[:copy(room, list)]
}

func (t *lineTable) drop(bytes int) {
	if t.dropped += bytes; t.dropped > maxDropped {
		t.dropped = 0
		runtime.GC()
	}
}

// deepen splits each segment in two.
func (t *lineTable) deepen() {
	if t.segments == nil {
		t.depth, t.segments = firstDepth, make([]tableSegment, 1<<firstDepth)
		return
	}
	old, shift := t.segments, t.lineShift()
	t.depth++
	t.segments = make([]tableSegment, 1<<t.depth)
	for k := range old {
		s := old[k]
		old[k] = tableSegment{}
		half, _ := s.search(1<<63, shift)
		for side, part := range [2][]uint64{s.upper[:half], s.upper[half:]} {
			into := &t.segments[2*k+side]
			into.upper = copied(part, len(part)+len(part)/16)
			into.lower = copied(s.lower[side*half:side*half+len(part)], len(part)+len(part)/16)
			for i, u := range part { // the key loses its first bit, the line gains one above its own
				into.upper[i] = u>>shift<<(shift+1) | u&(1<<shift-1)
			}
		}
		t.drop(entryBytes * len(s.upper))
	}
}
