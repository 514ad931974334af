package evaluation_test

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
)

// testdata/reference.py computes these naively, from the definitions alone.
type reference struct {
	Comparisons []struct {
		Name, Statistic     string
		Baseline, Candidate []string
		Delta, P            float64
		SmallestP           float64 `json:"smallest_p"`
		Needed              int
		First               int // the interval is over this many of the pairs
		Low, High           float64
	}
	Drifts []struct {
		Name             string
		Expected, Actual []string
		PSI, JS, KS      float64
		KSP              float64 `json:"ks_p"`
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference.json")
	require.NoError(t, err)
	var r reference
	require.NoError(t, json.Unmarshal(raw, &r))
	require.NotEmpty(t, r.Comparisons)
	require.NotEmpty(t, r.Drifts)
	return r
}

// six digits are kept.
const kept = 0.51e-6

func TestComparisonsAgreeWithTheReference(t *testing.T) {
	for _, c := range readReference(t).Comparisons {
		t.Run(c.Name, func(t *testing.T) {
			metric, statistic := benchmark.Coverage, c.Statistic
			if statistic == benchmark.P95 {
				metric = benchmark.Latency
			}
			in := input(run(metric, c.Baseline...), run(metric, c.Candidate...))
			in.Bands = map[string]benchmark.Band{metric: band(metric, "0.5", statistic)}
			m := only(t, evaluation.Judge(in))
			assert.Equal(t, statistic, m.Statistic)
			assert.Equal(t, len(c.Baseline), m.N)
			assert.InDelta(t, c.Delta, number(t, m.Delta), kept)
			assert.True(t, m.Test.Exact)
			assert.InDelta(t, c.P, number(t, m.Test.P), kept)
			assert.InDelta(t, c.SmallestP, number(t, m.Test.SmallestP), kept)
			if c.Needed > len(c.Baseline) {
				assert.Equal(t, c.Needed, m.Needed)
			} else {
				assert.Zero(t, m.Needed)
			}
			if c.First > 0 {
				in := input(run(metric, c.Baseline[:c.First]...), run(metric, c.Candidate[:c.First]...))
				in.Bands = map[string]benchmark.Band{metric: band(metric, "0.5", statistic)}
				m := only(t, evaluation.Judge(in))
				// 10,000 draws of the few values that six pairs can give: the
				// quantile falls on the true step, or on the next one.
				step := 1.0 / 600
				if statistic == benchmark.P95 {
					step = 0
				}
				assert.InDelta(t, c.Low, number(t, m.Low), step+kept)
				assert.InDelta(t, c.High, number(t, m.High), step+kept)
			}
		})
	}
}

func TestDriftAgreesWithTheReference(t *testing.T) {
	for _, c := range readReference(t).Drifts {
		t.Run(c.Name, func(t *testing.T) {
			var d evaluation.Drift
			if c.Name == "lengths" {
				d = drift(t, evaluation.SummaryLength, evaluation.Judge(input(lengths(t, c.Expected), lengths(t, c.Actual))))
			} else {
				d = drift(t, benchmark.Accuracy, evaluation.Judge(input(run(benchmark.Accuracy, c.Expected...), run(benchmark.Accuracy, c.Actual...))))
			}
			require.True(t, d.Known)
			assert.InDelta(t, c.PSI, number(t, d.PSI), kept)
			assert.InDelta(t, c.JS, number(t, d.JensenShannon), kept)
			assert.InDelta(t, c.KS, number(t, d.KS), kept)
			assert.InDelta(t, c.KSP, number(t, d.KSP), kept)
			assert.Equal(t, c.Name != "alike", d.Moved)
		})
	}
}

// By hand: χ² with 9 degrees of freedom has its 99 % point at 21.666 (any
// table), and 1/60 + 1/60 is 1/30. Two samples of one distribution reach the
// usual limit of 0.25 by chance alone.
func TestAPSIThatChanceReachesIsNoDrift(t *testing.T) {
	c := readReference(t).Drifts[0]
	require.Equal(t, "alike", c.Name)
	d := drift(t, benchmark.Accuracy, evaluation.Judge(input(run(benchmark.Accuracy, c.Expected...), run(benchmark.Accuracy, c.Actual...))))
	assert.InDelta(t, 21.666/30, number(t, d.Noise), 1e-4)
	assert.Greater(t, number(t, d.PSI), 0.25)
	assert.False(t, d.Moved)
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err, "%q", s)
	return f
}

func only(t *testing.T, e evaluation.Evaluation) evaluation.Metric {
	t.Helper()
	require.Len(t, e.Metrics, 1)
	return e.Metrics[0]
}

func drift(t *testing.T, quantity string, e evaluation.Evaluation) evaluation.Drift {
	t.Helper()
	for _, d := range e.Drift {
		if d.Quantity == quantity {
			return d
		}
	}
	require.Fail(t, "no drift of "+quantity)
	return evaluation.Drift{}
}

// band is one that passes everything measured, unless pass says otherwise.
func band(metric, pass, statistic string) benchmark.Band {
	better := benchmark.DirectionOf(metric)
	if better == benchmark.Lower {
		pass = "100000"
	}
	return benchmark.NewBand(better, pass, pass, statistic)
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }
