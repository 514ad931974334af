package dataset

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlainNumbersAreReadAsAnyOther: what is read in a few steps, eight digits at a
// time, has the value and the end that a reader of every JSON number gives.
func TestPlainNumbersAreReadAsAnyOther(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	signs := []byte("0123456789012345678900.eE-+,]} x")
	plain := 0
	for range 200_000 {
		line := make([]byte, r.IntN(40))
		for i := range line {
			line[i] = signs[r.IntN(len(signs))]
		}
		if len(line) == 0 || line[0]-'0' > 9 {
			continue
		}
		w := walker{b: line}
		ok := w.anyNumber()
		var d decimal
		end := plainNumber(line, 0, &d)
		require.Equal(t, end, plainNumber(line, 0, nil), "%s", line)
		if end == 0 {
			continue
		}
		plain++
		require.True(t, ok, "%s", line)
		require.Equal(t, w.i, end, "%s", line)
		want := parseDecimal(line[:end])
		require.Equal(t, []any{want.m, want.scale, false, false}, []any{d.m, d.scale, d.neg, d.wide}, "%s", line)
	}
	require.Greater(t, plain, 20_000)
}
