//go:build !race

// One goroutine fills a table; filling it takes the race detector a minute.

package dataset

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLineTableRemembersTheFirstLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := map[uint64]int{}
	var table lineTable
	for line := 1; line <= 200_000; line++ {
		h := r.Uint64()
		if line%3 == 0 {
			h = r.Uint64N(1<<10) << 4 // one segment, many repeats, some places beside each other
		}
		if got := table.seen(h, line); got != want[h] { // an assertion each would take most of the time
			t.Fatal(line, got, want[h])
		}
		if want[h] == 0 {
			want[h] = line
		}
	}
	for h, line := range want {
		if got := table.line(h); got != line {
			t.Fatal(got, line)
		}
	}
	bytes := int(table.fresh)*int(unsafe.Sizeof(tablePage{})) + len(table.segments)*int(unsafe.Sizeof(tableSegment{}))
	assert.Zero(t, table.line(r.Uint64()))
	assert.Less(t, float64(bytes)/float64(len(want)), 13.0, "bytes an entry")
}

// TestLineTableSplits: many entries and great line numbers need more segments; what
// was remembered before stays.
func TestLineTableSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var table lineTable
	var hashes []uint64
	lines := []int{1, 255, 256, 1<<22 - 1, 1 << 22, 1<<26 + 7, 1<<30 + 1}
	for _, line := range lines {
		h := r.Uint64()
		hashes = append(hashes, h)
		require.Zero(t, table.seen(h, line))
		for i, h := range hashes {
			require.Equal(t, lines[i], table.line(h))
			require.Equal(t, lines[i], table.seen(h, 1<<20))
		}
	}
	depth := table.depth
	table = lineTable{}
	var all []uint64
	for line := 1; line <= 900_000; line++ {
		h := r.Uint64()
		if line%1000 == 0 {
			h = 1<<64 - 1 - uint64(line)<<4 // the last segment, close together
		}
		all = append(all, h)
		if table.seen(h, line) != 0 {
			t.Fatal("a new hash is known", line)
		}
	}
	require.Greater(t, table.depth, firstDepth)
	require.Greater(t, depth, firstDepth)
	for i, h := range all {
		if got := table.line(h); got != i+1 {
			t.Fatal(got, i+1)
		}
	}
}
