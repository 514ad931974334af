package dataset

import (
	"math/rand/v2"
	"testing"

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
			h = r.Uint64N(1 << 16) // one segment, many repeats, some places beside each other
		}
		require.Equal(t, want[h], table.seen(h, line))
		if want[h] == 0 {
			want[h] = line
		}
	}
	bytes := 0
	for h, line := range want {
		assert.Equal(t, line, table.line(h))
	}
	for i := range table.segments {
		bytes += len(table.segments[i].lines) * entryBytes
	}
	assert.Zero(t, table.line(r.Uint64()))
	assert.Less(t, float64(bytes)/float64(len(want)), 12.5, "bytes an entry")
}
