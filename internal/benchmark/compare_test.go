package benchmark_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/benchmark"
)

func scores(t *testing.T, metric, value string) map[string]decimal.Decimal {
	return map[string]decimal.Decimal{metric: number(t, value)}
}

func pairsOf(t *testing.T, baseline, candidate string) []Pair {
	t.Helper()
	b, c := strings.Fields(baseline), strings.Fields(candidate)
	require.Len(t, c, len(b))
	out := make([]Pair, len(b))
	for i := range b {
		out[i] = Pair{number(t, b[i]).InexactFloat64(), number(t, c[i]).InexactFloat64()}
	}
	return out
}

const (
	baselineScores  = "0.88 0.91 0.79 0.84 0.95 0.90 0.87 0.83 0.92 0.86"
	candidateScores = "0.90 0.91 0.85 0.83 0.97 0.94 0.88 0.86 0.91 0.90"
)

// The reference was counted with Python's fractions over all 1,024 sign
// patterns: 36 are at least as far from 0.
func TestPermutationTestIsExactForFewPairs(t *testing.T) {
	c := Compare(pairsOf(t, baselineScores, candidateScores), 42)
	assert.True(t, c.Exact)
	assert.Equal(t, 10, c.N)
	assert.Equal(t, 9, c.Moved)
	assert.InDelta(t, 0.02, c.Delta, 1e-12)
	assert.InDelta(t, 36.0/1024, c.P, 1e-15)
	assert.InDelta(t, 2.0/512, c.SmallestP, 1e-15)
	assert.True(t, c.Shows())
}

// By hand: all differences have one sign, so only that pattern and its mirror
// reach the observed sum.
func TestPermutationTestByHand(t *testing.T) {
	for n := 1; n <= 8; n++ {
		var pairs []Pair
		for i := range n {
			pairs = append(pairs, Pair{0.5, 0.6 + float64(i)/100})
		}
		assert.InDelta(t, math.Pow(2, float64(1-n)), Compare(pairs, 1).P, 1e-15, "%d pairs", n)
	}
}

func TestRandomPermutationsAgreeWithTheExactTest(t *testing.T) {
	// Twice the ten pairs: 18 that differ are counted, with 3 more it is drawn.
	pairs := pairsOf(t, baselineScores+" "+baselineScores, candidateScores+" "+candidateScores)
	exact := Compare(pairs, 7)
	require.True(t, exact.Exact)
	drawn := Compare(append(pairs, Pair{0.5, 0.5001}, Pair{0.5, 0.4999}, Pair{0.5, 0.5001}), 7)
	require.False(t, drawn.Exact)
	assert.Equal(t, 100_000, drawn.Resamples)
	assert.InDelta(t, exact.P, drawn.P, 0.001, "tiny differences move p little; four standard errors are 0.0006")
	assert.Positive(t, drawn.P, "never 0")
}

// With 40 differences of one sign no drawn pattern reaches the observed sum;
// p is then 1 in 100,001 and not 0.
func TestRandomPermutationsNeverGiveZero(t *testing.T) {
	var pairs []Pair
	for range 40 {
		pairs = append(pairs, Pair{0.5, 0.6})
	}
	c := Compare(pairs, 3)
	assert.InDelta(t, 1.0/100_001, c.P, 1e-15)
	assert.InDelta(t, c.SmallestP, c.P, 1e-15)
}

func TestCompareIsTheSameForTheSameSeed(t *testing.T) {
	var pairs []Pair
	for i := range 300 {
		pairs = append(pairs, Pair{float64(i%17) / 20, float64(i%13) / 15})
	}
	assert.Equal(t, Compare(pairs, 5), Compare(pairs, 5))
	assert.NotEqual(t, Compare(pairs, 5).P, Compare(pairs, 6).P, "another seed draws others")
}

// Reference: all 6^6 resamples of the first six differences, counted in Python.
func TestBootstrapIntervalAgreesWithAllResamples(t *testing.T) {
	c := Compare(pairsOf(t, baselineScores, candidateScores)[:6], 11)
	assert.InDelta(t, 0.0033333333333333335, c.Low, 0.0017, "one step of the six differences")
	assert.InDelta(t, 0.04, c.High, 0.0017)
	assert.Less(t, c.Low, c.Delta)
	assert.Greater(t, c.High, c.Delta)
}

func TestCompareSaysWhenSoFewPairsCannotShowAnything(t *testing.T) {
	few := Compare(pairsOf(t, "0.5 0.5 0.5", "0.9 0.9 0.9"), 1)
	assert.False(t, few.Could(), "3 pairs reach p = 0.25 at best")
	assert.False(t, few.Shows())
	assert.True(t, Compare(pairsOf(t, "0.5 0.5 0.5 0.5 0.5 0.5", "0.9 0.8 0.9 0.8 0.9 0.8"), 1).Could())

	same := Compare(pairsOf(t, "0.5 0.6", "0.5 0.6"), 1)
	assert.Equal(t, Comparison{N: 2, P: 1, SmallestP: 1, Bootstrap: 10_000}, same, "no pair differs")
	assert.Equal(t, Comparison{P: 1, SmallestP: 1}, Compare(nil, 1), "nothing was measured")
	assert.False(t, Compare(nil, 1).Could())
}

func TestPairsJoinBySampleID(t *testing.T) {
	run := func(list ...string) []Sample {
		var out []Sample
		for _, s := range list {
			id, v, _ := strings.Cut(s, "=")
			out = append(out, Sample{ID: id, Scores: scores(t, Coverage, v)})
		}
		return out
	}
	candidate := append(run("c=0.7", "a=0.9"), Sample{ID: "b", Scores: scores(t, Latency, "3")})
	pairs, alone := Pairs(Coverage, run("a=0.8", "b=0.8", "x=0.1"), candidate)
	assert.Equal(t, []Pair{{0.8, 0.9}}, pairs)
	assert.Equal(t, 3, alone, "b and x have no candidate, c no baseline")
}

func sequence(n, factor int, scale float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(factor*i%101) / scale
	}
	return out
}

// The reference values were computed in Python from the definitions, with
// fractions for the Kolmogorov-Smirnov statistic.
func TestDriftAgreesWithTheReference(t *testing.T) {
	d := MeasureDrift(sequence(80, 37, 100), sequence(50, 29, 80))
	require.True(t, d.Known)
	assert.Equal(t, 10, d.Bins)
	assert.InDelta(t, 0.5493420610208498, d.PSI, 1e-12)
	assert.InDelta(t, 0.0894583629544998, d.JensenShannon, 1e-12)
	assert.InDelta(t, 0.18, d.KS, 1e-12)
	assert.InDelta(t, 0.2455263174148181, d.KSP, 1e-12)
	assert.Equal(t, 7, d.OutsideOfExpected)
}

func TestDriftAtItsEnds(t *testing.T) {
	same := MeasureDrift(sequence(80, 37, 100), sequence(80, 37, 100))
	assert.Zero(t, same.PSI)
	assert.Zero(t, same.JensenShannon)
	assert.Zero(t, same.KS)
	assert.Equal(t, 1.0, same.KSP)

	apart := make([]float64, 80)
	for i := range apart {
		apart[i] = 100 + float64(i)
	}
	far := MeasureDrift(sequence(80, 37, 100), apart)
	assert.InDelta(t, 1.0, far.KS, 1e-12)
	assert.Less(t, far.KSP, 1e-12)
	assert.Greater(t, far.PSI, 0.25)
	assert.Equal(t, 80, far.OutsideOfExpected)

	constant := make([]float64, 40)
	assert.Equal(t, 0.0, MeasureDrift(constant, constant).PSI, "one value many times is one bin or two")
	assert.False(t, MeasureDrift(apart[:19], apart).Known, "19 values are too few")
	assert.True(t, MeasureDrift(apart[:20], apart).Known)
	assert.False(t, MeasureDrift(append(apart[:19:19], math.NaN()), apart).Known, "NaN is no value")
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{20, 200, 10_000} {
		var pairs []Pair
		for i := range n {
			pairs = append(pairs, Pair{float64(i%17) / 20, float64(i%13) / 15})
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Compare(pairs, 1)
			}
		})
	}
}

// By hand: with 20 pairs the P95 is the second largest value.
func TestCompareP95ByHand(t *testing.T) {
	var pairs []Pair
	for i := range 20 {
		pairs = append(pairs, Pair{float64(100 + i), float64(100 + i)})
	}
	same := CompareP95(pairs, 1)
	assert.Zero(t, same.Delta)
	assert.Equal(t, 0, same.Moved)
	assert.False(t, same.Could())

	pairs[18].Candidate = 130 // 118 and 119 become 119 and 130
	c := CompareP95(pairs, 1)
	assert.Equal(t, 1.0, c.Delta)
	assert.Equal(t, 1, c.Moved)
	assert.Equal(t, 1.0, c.P, "one pair that differs says nothing, however far it is")
	assert.False(t, c.Could())
}

func TestRandomSwapsAgreeWithTheExactTest(t *testing.T) {
	var pairs []Pair
	for i := range 40 {
		p := Pair{float64(100 + i), float64(100 + i)}
		if i >= 27 {
			p.Candidate += float64(3*i%17 - 4)
		}
		pairs = append(pairs, p)
	}
	exact := CompareP95(pairs, 7)
	require.True(t, exact.Exact)
	for i := range 4 { // four more that differ, far below the P95
		pairs[i].Candidate += 0.5
	}
	drawn := CompareP95(pairs, 7)
	require.False(t, drawn.Exact)
	assert.Equal(t, exact.Delta, drawn.Delta)
	assert.InDelta(t, exact.P, drawn.P, 0.01)
	assert.InDelta(t, exact.SmallestP, drawn.SmallestP, 0.01)
	assert.Positive(t, drawn.P)
	assert.Equal(t, drawn, CompareP95(pairs, 7))
	assert.NotEqual(t, drawn.P, CompareP95(pairs, 8).P)
}
