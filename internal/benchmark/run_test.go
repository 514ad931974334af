package benchmark_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/benchmark"
)

func aggregate(metric string, n int, sum, low, high, p95 string) Aggregate {
	d := decimal.RequireFromString
	return Aggregate{Metric: metric, N: n, Sum: d(sum), Min: d(low), Max: d(high), P95: d(p95)}
}

var bands = map[string]Band{
	Coverage: NewBand(Higher, "0.88", "0.80", Mean),
	Latency:  NewBand(Lower, "210", "240", P95),
}

// The runner prints "0.89 warn" for these two samples.
func TestRunTellsMeanAndWorstSampleApart(t *testing.T) {
	run := Recompute([]Aggregate{
		aggregate(Coverage, 2, "1.78", "0.87", "0.91", "0.91"),
		aggregate(Latency, 2, "350", "150", "200", "200"),
	}, bands)
	require.Len(t, run.Metrics, 2)
	coverage, latency := run.Metrics[0], run.Metrics[1]
	assert.Equal(t, "0.89", coverage.Value.String())
	assert.Equal(t, Pass, coverage.Outcome, "the mean passes")
	assert.Equal(t, "0.87", coverage.Worst.String())
	assert.Equal(t, Warn, coverage.WorstOutcome, "the worst sample warns")
	assert.Equal(t, "200", latency.Value.String(), "P95, not the mean")
	assert.Equal(t, "175", latency.Statistics[Mean].String())
	assert.Equal(t, "200", latency.Worst.String(), "the slowest")
	assert.Equal(t, Pass, run.Overall)
	assert.Empty(t, run.Problems)
}

func TestRunJudgesTheUnroundedMean(t *testing.T) {
	// The mean is 0.87999999999999 to 14 digits; 12 digits would print 0.88.
	run := Recompute([]Aggregate{aggregate(Coverage, 3, "2.63999999999999", "0.87", "0.9", "0.9")}, map[string]Band{Coverage: bands[Coverage]})
	assert.Equal(t, Warn, run.Metrics[0].Outcome)
}

func TestRunRefusesPassesWithoutEvidence(t *testing.T) {
	good := aggregate(Latency, 2, "350", "150", "200", "200")
	for _, c := range []struct {
		name     string
		coverage []Aggregate
		want     Problem
	}{
		{"no record has a score", []Aggregate{{Metric: Coverage, Missing: 40}}, Problem{ProblemNoEvidence, Coverage, 0}},
		{"the metric is not there at all", nil, Problem{ProblemNoEvidence, Coverage, 0}},
		{"a score of 7.5", []Aggregate{aggregate(Coverage, 2, "8.4", "0.9", "7.5", "7.5")}, Problem{ProblemOutOfRange, Coverage, 2}},
		{"a score below 0", []Aggregate{aggregate(Coverage, 2, "0.9", "-0.1", "1", "1")}, Problem{ProblemOutOfRange, Coverage, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := Recompute(append(c.coverage, good), bands)
			assert.Equal(t, []Problem{c.want}, run.Problems)
			assert.Equal(t, Fail, run.Metrics[0].Outcome)
			assert.Equal(t, Fail, run.Overall)
			assert.Equal(t, Pass, run.Metrics[1].Outcome, "the other metric is judged by itself")
		})
	}

	t.Run("a missing latency that became 0.0", func(t *testing.T) {
		run := Recompute([]Aggregate{aggregate(Coverage, 1, "0.9", "0.9", "0.9", "0.9"), aggregate(Latency, 2, "150", "0.0", "150", "150")}, bands)
		assert.Equal(t, []Problem{{ProblemOutOfRange, Latency, 2}}, run.Problems)
		assert.Equal(t, Fail, run.Overall)
	})
	t.Run("a scenario without bands", func(t *testing.T) {
		assert.Equal(t, Run{Overall: Fail, Problems: []Problem{{Case: ProblemNoBands}}}, Recompute([]Aggregate{good}, nil))
	})
	t.Run("a band without bounds", func(t *testing.T) {
		run := Recompute([]Aggregate{good}, map[string]Band{Latency: {Better: Lower}})
		assert.Equal(t, []Problem{{ProblemBand, Latency, 2}}, run.Problems)
		assert.Equal(t, Fail, run.Overall)
	})
}

func TestParseOutcome(t *testing.T) {
	for text, want := range map[string]Outcome{
		"pass": Pass, "Pass": Pass, "**PASS**": Pass, "✅ pass": Pass, "✅": Pass, "WARN": Warn, "⚠️ Warn": Warn, "предупреждение": Warn,
		"❌ fail": Fail, "Failed.": Fail, "провал": Fail,
	} {
		o, ok := ParseOutcome(text)
		require.True(t, ok, text)
		assert.Equal(t, want, o, text)
	}
	for _, text := range []string{"", "—", "TBD", "pass/fail", "pass warn", "❌ pass", "not pass"} {
		_, ok := ParseOutcome(text)
		assert.False(t, ok, text)
	}
}
