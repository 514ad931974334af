package benchmark

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Pair is one sample measured with both models.
type Pair struct{ Baseline, Candidate float64 }

// Pairs joins the samples that both runs measured, by sample id, in the
// baseline's order. Alone counts the samples that only one run has.
func Pairs(metric string, baseline, candidate []Sample) (pairs []Pair, alone int) {
	other := make(map[string]float64, len(candidate))
	for _, s := range candidate {
		if v, ok := s.Scores[metric]; ok {
			other[s.ID] = v.InexactFloat64()
		}
	}
	for _, s := range baseline {
		v, ok := s.Scores[metric]
		if !ok {
			continue
		}
		c, ok := other[s.ID]
		if !ok {
			alone++
			continue
		}
		delete(other, s.ID)
		pairs = append(pairs, Pair{v.InexactFloat64(), c})
	}
	return pairs, alone + len(other)
}

// Comparison says whether a candidate differs from its baseline. Delta is the
// mean of candidate minus baseline; whether a positive one is good depends on
// the metric.
type Comparison struct {
	N     int     // pairs
	Moved int     // pairs that differ at all
	Delta float64 // mean difference
	// P is the two-sided p-value of the paired permutation test: how often
	// random signs give a mean difference at least as far from 0.
	P float64
	// SmallestP is the least p that so few differing pairs can give at all.
	// Where it is above the level asked for, no result could show a difference.
	SmallestP float64
	Exact     bool // every sign pattern was counted; else Resamples random ones
	// Low and High bound Delta with 95 % (percentile bootstrap).
	Low, High float64
	Resamples int // of the permutation test; 0 if exact
	Bootstrap int // resamples of the interval
}

// Level is the significance level, and 1-Level the interval's coverage.
const Level = 0.05

// Shows tells whether the difference is significant at Level.
func (c Comparison) Shows() bool { return c.N > 0 && c.P <= Level }

// Could tells whether this many differing pairs could show any difference.
func (c Comparison) Could() bool { return c.N > 0 && c.SmallestP <= Level }

const (
	exactPairs   = 20         // 2^20 sign patterns take milliseconds
	mostFlips    = 100_000    // sign patterns drawn when there are more pairs
	mostDraws    = 10_000     // bootstrap resamples
	leastRounds  = 1_000      // of either
	workBudget   = 20_000_000 // additions a test may take
	tieTolerance = 1e-12      // relative; sums of the same numbers in another order are equal
)

// Compare tests the difference between paired values. The same pairs and seed
// give the same result on every machine.
func Compare(pairs []Pair, seed uint64) Comparison {
	c := Comparison{N: len(pairs), P: 1, SmallestP: 1}
	if len(pairs) == 0 {
		return c
	}
	all := make([]float64, len(pairs))
	var moved []float64 // a pair that does not differ has no sign to flip
	for i, p := range pairs {
		all[i] = p.Candidate - p.Baseline
		if all[i] != 0 {
			moved = append(moved, all[i])
		}
	}
	c.Moved = len(moved)
	c.Delta = stat.Mean(all, nil)
	if len(moved) > 0 {
		c.permute(moved, rand.New(rand.NewPCG(seed, 1)))
	}
	c.interval(all, rand.New(rand.NewPCG(seed, 2)))
	return c
}

func (c *Comparison) permute(d []float64, random *rand.Rand) {
	observed, reach := 0.0, 0.0
	for _, x := range d {
		observed += x
		reach += math.Abs(x)
	}
	atLeast := math.Abs(observed) - tieTolerance*reach
	if len(d) <= exactPairs {
		c.Exact = true
		// Signs of the whole may be swapped, so the first one stays positive.
		patterns := 1 << (len(d) - 1)
		hits := reaching(d[0], d[1:], atLeast)
		c.P = float64(hits) / float64(patterns)
		c.SmallestP = 1 / float64(patterns)
		return
	}
	c.Resamples = min(mostFlips, max(leastRounds, workBudget/len(d)))
	hits := 0
	for range c.Resamples {
		sum := 0.0
		var bits uint64
		for i, x := range d {
			if i%64 == 0 {
				bits = random.Uint64()
			}
			// The bit becomes the sign, without a branch that cannot be foreseen.
			sum += math.Float64frombits(math.Float64bits(x) ^ bits<<63)
			bits >>= 1
		}
		if math.Abs(sum) >= atLeast {
			hits++
		}
	}
	// The observed pattern is one of them, so p is never 0.
	c.P = float64(hits+1) / float64(c.Resamples+1)
	c.SmallestP = 1 / float64(c.Resamples+1)
}

// reaching counts the sign patterns of the rest that bring sum at least so far
// from 0. Patterns that begin alike share the beginning's additions.
func reaching(sum float64, rest []float64, atLeast float64) int {
	if len(rest) == 0 {
		if math.Abs(sum) >= atLeast {
			return 1
		}
		return 0
	}
	x, rest := rest[0], rest[1:]
	return reaching(sum+x, rest, atLeast) + reaching(sum-x, rest, atLeast)
}

func (c *Comparison) interval(d []float64, random *rand.Rand) {
	c.Bootstrap = min(mostDraws, max(leastRounds, workBudget/len(d)))
	means := make([]float64, c.Bootstrap)
	for i := range means {
		sum := 0.0
		for range d {
			sum += d[random.IntN(len(d))]
		}
		means[i] = sum / float64(len(d))
	}
	slices.Sort(means)
	c.Low = stat.Quantile(Level/2, stat.Empirical, means, nil)
	c.High = stat.Quantile(1-Level/2, stat.Empirical, means, nil)
}
