package evaluation_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
)

const keptSamples = `{"sample_id":"d-001","scores":{"coverage":0.91,"latency_seconds":175},"summary_sha256":"9f2c41aa77ab01cc9f2c41aa77ab01cc9f2c41aa77ab01cc9f2c41aa77ab01cc","summary_length":812}
{"sample_id":"д-002","scores":{}}
`

func TestSamplesReadAsTheyWereWritten(t *testing.T) {
	samples, err := evaluation.ParseSamples([]byte(keptSamples))
	require.NoError(t, err)
	require.Len(t, samples, 2)
	assert.Equal(t, "d-001", samples[0].ID)
	assert.Equal(t, "0.91", samples[0].Scores[benchmark.Coverage].String())
	assert.Equal(t, 812, samples[0].Length)
	again, err := evaluation.WriteSamples(samples)
	require.NoError(t, err)
	assert.Equal(t, keptSamples, string(again))
}

func TestSamplesInAnyOtherFormAreRefused(t *testing.T) {
	for name, src := range map[string]string{
		"no line end":      strings.TrimSuffix(keptSamples, "\n"),
		"an empty line":    keptSamples + "\n",
		"an id twice":      keptSamples + `{"sample_id":"d-001","scores":{}}` + "\n",
		"other order":      `{"scores":{},"sample_id":"d-001"}` + "\n",
		"blanks":           `{"sample_id": "d-001","scores":{}}` + "\n",
		"another digit":    `{"sample_id":"d-001","scores":{"coverage":0.910}}` + "\n",
		"an exponent":      `{"sample_id":"d-001","scores":{"coverage":9e-1}}` + "\n",
		"a text for a sum": `{"sample_id":"d-001","scores":{"coverage":"0.9"}}` + "\n",
		"unknown metric":   `{"sample_id":"d-001","scores":{"beauty":1}}` + "\n",
		"unknown key":      `{"sample_id":"d-001","scores":{},"text":"x"}` + "\n",
		"a key twice":      `{"sample_id":"d-001","sample_id":"d-001","scores":{}}` + "\n",
		"no id":            `{"sample_id":"","scores":{}}` + "\n",
		"no hash":          `{"sample_id":"d-001","scores":{},"summary_sha256":"9f2c"}` + "\n",
		"a long id":        `{"sample_id":"` + strings.Repeat("x", 201) + `","scores":{}}` + "\n",
		"too large":        strings.Repeat(" ", evaluation.MaxSampleFile+1),
		"no JSON":          "d-001\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evaluation.ParseSamples([]byte(src))
			assert.ErrorIs(t, err, evaluation.ErrSamples)
		})
	}
}

func TestManySamplesHaveSeveralFiles(t *testing.T) {
	var samples []benchmark.Sample
	for i := range 30_000 {
		samples = append(samples, benchmark.Sample{ID: fmt.Sprintf("d-%06d", i), Scores: map[string]decimal.Decimal{benchmark.Coverage: decimal.New(int64(i%100), -2)}})
	}
	files, err := evaluation.SampleFiles("4711", evaluation.CandidateSide, samples)
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, "4711-candidate.jsonl", files[0].Name)
	assert.Equal(t, "4711-candidate-2.jsonl", files[1].Name)
	var back []benchmark.Sample
	for _, f := range files {
		part, err := evaluation.ParseSamples(f.Bytes)
		require.NoError(t, err)
		back = append(back, part...)
	}
	require.Len(t, back, len(samples))
	assert.Equal(t, samples[29_999].ID, back[29_999].ID)

	none, err := evaluation.SampleFiles("4711", evaluation.BaselineSide, nil)
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestAFigureTooLongToReadBackIsRefused(t *testing.T) {
	huge := benchmark.Sample{ID: "d-001", Scores: map[string]decimal.Decimal{benchmark.Latency: decimal.New(1, 40)}}
	_, err := evaluation.WriteSamples([]benchmark.Sample{huge})
	assert.ErrorIs(t, err, evaluation.ErrSamples)
	tiny := benchmark.Sample{ID: "d-001", Scores: map[string]decimal.Decimal{benchmark.Coverage: decimal.RequireFromString("0.1234567890123456789012345678901234567")}}
	kept, err := evaluation.WriteSamples([]benchmark.Sample{tiny})
	require.NoError(t, err)
	assert.Contains(t, string(kept), "0.123456789012345678901235}", "24 digits are kept")
}

// FuzzSamples: whatever parses is written again as the same bytes.
func FuzzSamples(f *testing.F) {
	f.Add([]byte(keptSamples))
	f.Add([]byte(`{"sample_id":"<a>&\u2028","scores":{"accuracy":-1}}` + "\n"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		samples, err := evaluation.ParseSamples(src)
		if err != nil {
			return
		}
		again, err := evaluation.WriteSamples(samples)
		require.NoError(t, err)
		require.True(t, bytes.Equal(src, again))
	})
}

// FuzzTolerance: no text makes a tolerance that takes anything away.
func FuzzTolerance(f *testing.F) {
	for _, s := range []string{"+5 %", "−5 %", "10 s", "1,5 процента", "5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		share, seconds, ok := evaluation.ParseTolerance(text)
		require.False(t, share.IsNegative() || seconds.IsNegative())
		require.False(t, !ok && (share.IsPositive() || seconds.IsPositive()))
	})
}
