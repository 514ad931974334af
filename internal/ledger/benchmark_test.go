package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// BenchmarkVerify derives ledgers of different lengths again; the time a record
// must not depend on how many there are.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprintf("%d records", n), func(b *testing.B) {
			s, key := testKey(b, "2026")
			keys := []ledger.Key{key}
			l := empty()
			for i := range n {
				l = grown(b, s, keys, l, signoff(i+1))
			}
			for b.Loop() {
				_, fs := ledger.Verify(l, keys)
				require.Empty(b, fs)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/record")
		})
	}
}
