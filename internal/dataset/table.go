package dataset

import "runtime"

// lineTable remembers hashes with the line that they were first met in, ten bytes
// each. It is split into segments that grow one at a time by a twelfth, so that
// it stays nine tenths full and never holds a second copy of itself. Of
// the 64 bits of a hash 60 count: two of four million different values are
// taken for one in one of 100,000 datasets of that size.
type lineTable struct {
	segments [1 << segmentBits]segmentTable
	dropped  int // bytes of arrays that growing left behind since they were last collected
}

const segmentBits = 12

// segmentTable holds the hashes with the same first bits; the last 48 are kept.
type segmentTable struct {
	low   []uint32
	mid   []uint16
	lines []uint32 // 0: free
	n     int
}

const (
	entryBytes = 4 + 2 + 4
	// maxDropped is how much may lie about that a collection would free: memory
	// counts here, and the tables hold nothing to follow.
	maxDropped = 2 << 20
)

// seen gives the line a hash was first met in; if it is new, it is remembered
// with this line and first is 0.
func (t *lineTable) seen(h uint64, line int) (first int) {
	s := &t.segments[h>>(64-segmentBits)]
	if s.n+1 >= len(s.lines) || s.n*16 >= len(s.lines)*15 { // one place is always free
		t.dropped += len(s.lines) * entryBytes
		s.grow()
		if t.dropped > maxDropped {
			t.dropped = 0
			runtime.GC()
		}
	}
	i, known := s.find(h)
	if known {
		return int(s.lines[i])
	}
	s.put(i, uint32(h), uint16(h>>32), uint32(line))
	s.n++
	return 0
}

// line gives the line of a hash, or 0.
func (t *lineTable) line(h uint64) int {
	s := &t.segments[h>>(64-segmentBits)]
	if len(s.lines) == 0 {
		return 0
	}
	i, _ := s.find(h)
	return int(s.lines[i])
}

// place is where a hash belongs: its kept bits, multiplied and shifted onto any
// length.
func (s *segmentTable) place(low uint32, mid uint16) int {
	return int((uint64(mid)<<16 | uint64(low)>>16) * uint64(len(s.lines)) >> 32)
}

func (s *segmentTable) put(i int, low uint32, mid uint16, line uint32) {
	s.low[i], s.mid[i], s.lines[i] = low, mid, line
}

// find gives the place of a hash: where it is, or where it would go.
func (s *segmentTable) find(h uint64) (i int, known bool) {
	low, mid := uint32(h), uint16(h>>32)
	i = s.place(low, mid)
	for s.lines[i] != 0 {
		if s.low[i] == low && s.mid[i] == mid {
			return i, true
		}
		if i++; i == len(s.lines) {
			i = 0
		}
	}
	return i, false
}

func (s *segmentTable) grow() {
	old := *s
	size := len(old.lines) + max(len(old.lines)/12, 4)
	s.low, s.mid, s.lines = make([]uint32, size), make([]uint16, size), make([]uint32, size)
	for k, line := range old.lines {
		if line == 0 {
			continue
		}
		i := s.place(old.low[k], old.mid[k])
		for s.lines[i] != 0 {
			if i++; i == size {
				i = 0
			}
		}
		s.put(i, old.low[k], old.mid[k], line)
	}
}
