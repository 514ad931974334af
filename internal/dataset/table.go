package dataset

import "math/bits"

// lineTable remembers hashes with the line that they were first met in, about
// twelve bytes each. Of the 64 bits of a hash 60 count: two of four million different
// values are taken for one in one of 100,000 datasets of that size.
//
// The first bits of a hash choose a segment, the next ones a bucket of it, which is
// one line of the processor's cache, so that a look reads memory once; where a
// bucket is full, the next one goes on. A segment grows by a few pages of buckets at a
// time, and pages are all of one size, so that what is given back can be taken again
// and nothing is left to collect. As the table fills, each segment is split in two:
// then an entry needs a bit of the hash less, which its line number gets.
type lineTable struct {
	segments []tableSegment // 2^depth of them; none: nothing was remembered yet
	depth    int
	n        int
	sheets   []*[sheetPages]tablePage
	fresh    uint32   // pages of the sheets that were never taken
	free     []uint32 // pages that were given back
	moved    []tableEntry
}

// tableSegment holds n entries on its pages, and names them itself, so that a look
// waits for the memory twice: here and at the bucket.
type tableSegment struct {
	n, pages uint32
	first    [24]uint32
	more     []uint32
}

func (s *tableSegment) page(i uint32) uint32 {
	if i < uint32(len(s.first)) {
		return s.first[i]
	}
	return s.more[i-uint32(len(s.first))]
}

func (s *tableSegment) add(page uint32) {
	if s.pages < uint32(len(s.first)) {
		s.first[s.pages] = page
	} else {
		s.more = append(s.more, page)
	}
	s.pages++
}

func (s *tableSegment) buckets() uint32 { return s.pages * pageBuckets }

type tablePage [pageBuckets]tableBucket

// tableBucket holds n entries of 72 bits, the hash's and then the line's: the upper
// 64 and the lower 8.
type tableBucket struct {
	upper [bucketEntries]uint64
	lower [bucketEntries]uint8
	n     uint8
}

type tableEntry struct {
	upper uint64
	lower uint8
}

const (
	hashBits      = 60
	entryBits     = 72
	firstDepth    = 10
	bucketEntries = 7
	pageBuckets   = 4
	pageRoom      = 25  // entries of a page on average, of 28: fuller buckets run over too often
	segmentLimit  = 512 // entries on average
	sheetPages    = 128 // 32 KB at a time
)

// lineShift is how many bits of upper belong to the line.
func (t *lineTable) lineShift() int { return entryBits - 8 - (hashBits - t.depth) }

// seen gives the line a hash was first met in; if it is new, it is remembered
// with this line and first is 0.
func (t *lineTable) seen(h uint64, line int) (first int) {
	for t.segments == nil || t.n >= segmentLimit<<t.depth || line>>(t.lineShift()+8) != 0 {
		t.deepen()
	}
	s, key := t.find(h)
	if s.n >= s.pages*pageRoom {
		t.grow(s)
	}
	b, first := t.search(s, key)
	if first == 0 {
		b.put(tableEntry{key | uint64(line)>>8, uint8(line)})
		s.n++
		t.n++
	}
	return first
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
	return t.bucket(s, s.place(key)).upper[0]
}

// line gives the line of a hash, or 0.
func (t *lineTable) line(h uint64) (first int) {
	if t.segments == nil {
		return 0
	}
	s, key := t.find(h)
	if s.n > 0 {
		_, first = t.search(s, key)
	}
	return first
}

// find gives the segment of a hash and the bits that tell it apart there, where
// upper has them.
func (t *lineTable) find(h uint64) (s *tableSegment, key uint64) {
	return &t.segments[h>>(64-t.depth)], h >> (64 - hashBits) << t.lineShift()
}

// place gives the bucket where a key is looked for first.
func (s *tableSegment) place(key uint64) uint32 {
	hi, _ := bits.Mul64(key, uint64(s.buckets()))
	return uint32(hi)
}

func (t *lineTable) bucket(s *tableSegment, i uint32) *tableBucket {
	id := s.page(i / pageBuckets)
	return &t.sheets[id/sheetPages][id%sheetPages][i%pageBuckets]
}

// search gives the line of a key, or 0 and the bucket where it would go. The segment
// has room.
func (t *lineTable) search(s *tableSegment, key uint64) (b *tableBucket, line int) {
	shift := t.lineShift()
	for i := s.place(key); ; i++ {
		if i == s.buckets() {
			i = 0
		}
		b = t.bucket(s, i)
		for k, upper := range b.upper[:b.n] {
			if (upper^key)>>shift == 0 {
				return b, int(upper&(1<<shift-1)<<8 | uint64(b.lower[k]))
			}
		}
		if b.n < bucketEntries {
			return b, 0
		}
	}
}

func (b *tableBucket) put(e tableEntry) {
	b.upper[b.n], b.lower[b.n] = e.upper, e.lower
	b.n++
}

// grow gives a segment a page more, a large one a quarter more: each time its
// entries move.
func (t *lineTable) grow(s *tableSegment) {
	t.moved = t.empty(s, t.moved[:0])
	for range 1 + s.pages/4 {
		s.add(t.take())
	}
	t.fill(s, t.moved)
}

// empty appends the entries of a segment and leaves its buckets empty.
func (t *lineTable) empty(s *tableSegment, entries []tableEntry) []tableEntry {
	for i := range s.buckets() {
		b := t.bucket(s, i)
		for k := range b.n {
			entries = append(entries, tableEntry{b.upper[k], b.lower[k]})
		}
		b.n = 0
	}
	s.n = 0
	return entries
}

// fill puts new entries into a segment that has room for them.
func (t *lineTable) fill(s *tableSegment, entries []tableEntry) {
	mask := ^uint64(0) << t.lineShift()
	for _, e := range entries {
		i := s.place(e.upper & mask)
		b := t.bucket(s, i)
		for b.n == bucketEntries {
			if i++; i == s.buckets() {
				i = 0
			}
			b = t.bucket(s, i)
		}
		b.put(e)
	}
	s.n += uint32(len(entries))
}

// take gives an empty page.
func (t *lineTable) take() (id uint32) {
	if n := len(t.free); n > 0 {
		id = t.free[n-1]
		t.free = t.free[:n-1]
		return id
	}
	if t.fresh%sheetPages == 0 {
		t.sheets = append(t.sheets, new([sheetPages]tablePage))
	}
	id = t.fresh
	t.fresh++
	page := &t.sheets[id/sheetPages][id%sheetPages]
	for i := range page {
		page[i].n = 0 // memory that is read before it is written is mapped twice
	}
	return id
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
	var half [2][]tableEntry
	for k := range old {
		t.moved = t.empty(&old[k], t.moved[:0])
		for i := range old[k].pages {
			t.free = append(t.free, old[k].page(i))
		}
		half[0], half[1] = half[0][:0], half[1][:0]
		for _, e := range t.moved { // the key loses its first bit, the line gains one above its own
			into := &half[e.upper>>63]
			*into = append(*into, tableEntry{e.upper>>shift<<(shift+1) | e.upper&(1<<shift-1), e.lower})
		}
		for i, entries := range half {
			s := &t.segments[2*k+i]
			for int(s.pages)*pageRoom < len(entries) {
				s.add(t.take())
			}
			t.fill(s, entries)
		}
	}
}
