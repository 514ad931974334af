package bench

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// BenchmarkScan measures each part of the check on 64 MB, one worker.
func BenchmarkScan(b *testing.B) {
	var buf bytes.Buffer
	buf.Grow(65 << 20)
	require.NoError(b, Write(&buf, 1, 64<<20))
	data := buf.Bytes()
	for _, c := range []struct {
		name string
		o    dataset.Options
	}{
		{"full", dataset.Options{}},
		{"near", dataset.Options{NearDuplicates: true}},
		{"full-one-worker", dataset.Options{Workers: 1}},
		{"hash-walk", dataset.Options{Workers: 1, Without: dataset.Exclusions{Records: true, PersonalData: true}}},
		{"walk", dataset.Options{Workers: 1, Without: dataset.Exclusions{Hash: true, Records: true, PersonalData: true}}},
		{"personal-data", dataset.Options{Workers: 1, Without: dataset.Exclusions{Hash: true, Records: true}}},
		{"structure", dataset.Options{Workers: 1, Without: dataset.Exclusions{Hash: true, PersonalData: true, Locale: true, Duplicates: true}}},
		{"structure-locale", dataset.Options{Workers: 1, Without: dataset.Exclusions{Hash: true, PersonalData: true, Duplicates: true}}},
		{"structure-duplicates", dataset.Options{Workers: 1, Without: dataset.Exclusions{Hash: true, PersonalData: true, Locale: true}}},
		{"structure-near", dataset.Options{Workers: 1, NearDuplicates: true, Without: dataset.Exclusions{Hash: true, PersonalData: true, Locale: true}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			before := processorTime()
			for b.Loop() {
				_, err := dataset.Scan(bytes.NewReader(data), c.o)
				require.NoError(b, err)
			}
			// On a shared machine processor time says more than the clock.
			spent := processorTime() - before
			b.ReportMetric(float64(b.N)*float64(len(data))/1e6/spent.Seconds(), "MB/core-s")
		})
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
