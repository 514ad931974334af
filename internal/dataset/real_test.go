//go:build real

package dataset_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// letters never end.
type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// TestALineOfTwoGigabytes is told once, at its line, and costs no memory.
func TestALineOfTwoGigabytes(t *testing.T) {
	const size = 2 << 30
	before := good("before") + "\n"
	after := "\n" + good("after") + "\n"
	var peak uint64
	blocks := 0
	f, err := dataset.Scan(
		io.MultiReader(strings.NewReader(before), io.LimitReader(letters{}, size), strings.NewReader(after)),
		dataset.Options{Progress: func(done int64) {
			if blocks++; blocks%256 != 0 {
				return // looking stops the world
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}},
	)
	require.NoError(t, err)
	assert.Equal(t, int64(len(before)+size+len(after)), f.Bytes)
	assert.Equal(t, 3, f.Records)
	require.Len(t, f.Findings, 1)
	assert.Equal(t, "line_length", f.Findings[0].Case)
	assert.Equal(t, 2, f.Findings[0].At.Line)
	assert.Less(t, peak, uint64(64<<20))
}
