package dataset

import "math/bits"

// lineTable remembers hashes with the line that they were first met in, about
// eleven bytes each. Of the 64 bits of a hash 60 count: two of four million different
// values are taken for one in one of 100,000 datasets of that size.
//
// The first bits of a hash choose a segment, which is sorted and has no gaps. It
// takes pages, all of one size, so that what is given back can be taken again and
// nothing is left to collect. As the table fills, each segment is split in two:
// then an entry needs a bit of the hash less, which its line number gets.
type lineTable struct {
	segments []tableSegment // 2^depth of them; none: nothing was remembered yet
	depth    int
	n        int
	free     []*tablePage
	fresh    []tablePage // not taken yet
}

// tableSegment holds entries in the order of upper.
type tableSegment struct {
	pages []*tablePage
	n     int
}

// tablePage holds 72 bits an entry, the hash's and then the line's: the upper 64
// and the lower 8.
type tablePage struct {
	upper [pageEntries]uint64
	lower [pageEntries]uint8
}

const (
	hashBits     = 60
	entryBytes   = 9
	firstDepth   = 10
	pageEntries  = 32
	segmentLimit = 256 // entries on average: more would be moved too slowly
	freshPages   = 112 // 32 KB at a time
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

// warm reads where a hash will be looked for. Asked for many of them in turn, the
// memory answers all at once, while a search waits for each answer. What it gives
// means nothing.
func (t *lineTable) warm(h uint64) uint64 {
	if t.segments == nil {
		return 0
	}
	s, key := t.find(h)
	if s.n == 0 {
		return 0
	}
	return s.upper(s.guess(key)) + s.upper(s.n-1)
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
	i = s.guess(key)
	for i < s.n && s.upper(i) < key {
		i++
	}
	for i > 0 && s.upper(i-1) >= key {
		i--
	}
	return i, i < s.n && s.upper(i)>>shift == key>>shift
}

func (s *tableSegment) guess(key uint64) int {
	hi, _ := bits.Mul64(key, uint64(s.n))
	return int(hi)
}

func (s *tableSegment) upper(i int) uint64 { return s.pages[i/pageEntries].upper[i%pageEntries] }

func (s *tableSegment) line(i, shift int) int {
	return int(s.upper(i)&(1<<shift-1)<<8 | uint64(s.pages[i/pageEntries].lower[i%pageEntries]))
}

// insert puts an entry at a place; each page behind it gives its last entry to the
// next.
func (t *lineTable) insert(s *tableSegment, i int, upper uint64, lower uint8) {
	last := s.n / pageEntries
	if s.n%pageEntries == 0 {
		s.pages = append(s.pages, t.page())
	}
	filled := s.n % pageEntries // of the last page
	for k := last; k > i/pageEntries; k-- {
		p, before := s.pages[k], s.pages[k-1]
		copy(p.upper[1:], p.upper[:filled])
		copy(p.lower[1:], p.lower[:filled])
		p.upper[0], p.lower[0] = before.upper[pageEntries-1], before.lower[pageEntries-1]
		filled = pageEntries - 1
	}
	p, j := s.pages[i/pageEntries], i%pageEntries
	copy(p.upper[j+1:], p.upper[j:filled])
	copy(p.lower[j+1:], p.lower[j:filled])
	p.upper[j], p.lower[j] = upper, lower
	s.n++
}

func (t *lineTable) page() *tablePage {
	if n := len(t.free); n > 0 {
		p := t.free[n-1]
		t.free = t.free[:n-1]
		return p
	}
	if len(t.fresh) == 0 {
		t.fresh = make([]tablePage, freshPages)
	}
	p := &t.fresh[0]
	t.fresh = t.fresh[1:]
	return p
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
		s := &old[k]
		for i := range s.n { // the key loses its first bit, the line gains one above its own
			u := s.upper(i)
			into := &t.segments[2*k+int(u>>63)]
			t.insert(into, into.n, u>>shift<<(shift+1)|u&(1<<shift-1), s.pages[i/pageEntries].lower[i%pageEntries])
		}
		t.free = append(t.free, s.pages...)
		*s = tableSegment{}
	}
}
