package dataset

// lineTable remembers 64-bit hashes with the line that they were first met in.
// It is split into segments that grow one at a time by a quarter, so that it
// stays three quarters full and never holds a second copy of itself.
type lineTable struct {
	segments [256]segmentTable
	n        int
}

type segmentTable struct {
	hashes []uint64 // 0: free
	lines  []uint32
	n      int
}

// seen gives the line a hash was first met in; if it is new, it is remembered
// with this line and first is 0.
func (t *lineTable) seen(h uint64, line int) (first int) {
	h |= 1 // 0 marks a free place
	s := &t.segments[h>>56]
	if s.n*8 >= len(s.hashes)*7 {
		s.grow()
	}
	i := s.find(h)
	if s.hashes[i] == h {
		return int(s.lines[i])
	}
	s.hashes[i], s.lines[i] = h, uint32(line)
	s.n++
	t.n++
	return 0
}

// line gives the line of a hash, or 0.
func (t *lineTable) line(h uint64) int {
	h |= 1
	s := &t.segments[h>>56]
	if len(s.hashes) == 0 {
		return 0
	}
	i := s.find(h)
	if s.hashes[i] != h {
		return 0
	}
	return int(s.lines[i])
}

func (s *segmentTable) find(h uint64) int {
	// Multiply-shift onto any length: the segment took the top byte.
	i := int((h << 8 >> 32) * uint64(len(s.hashes)) >> 32)
	for s.hashes[i] != 0 && s.hashes[i] != h {
		if i++; i == len(s.hashes) {
			i = 0
		}
	}
	return i
}

func (s *segmentTable) grow() {
	old := *s
	size := max(16, len(old.hashes)+len(old.hashes)/4)
	s.hashes, s.lines = make([]uint64, size), make([]uint32, size)
	for i, h := range old.hashes {
		if h != 0 {
			j := s.find(h)
			s.hashes[j], s.lines[j] = h, old.lines[i]
		}
	}
}
