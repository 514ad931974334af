package benchmark

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// exactSwaps is up to how many differing pairs CompareP95 counts every pattern:
// each one is a walk over the sorted values, not an addition.
const exactSwaps = 14

// CompareP95 is Compare for the 95th percentile (nearest rank) instead of the
// mean: Delta is the candidate's P95 minus the baseline's, the permutation test
// swaps the two values of a pair at random, the interval resamples pairs. The
// same pairs and seed give the same result on every machine.
func CompareP95(pairs []Pair, seed uint64) Comparison {
	c := Comparison{N: len(pairs), P: 1, SmallestP: 1}
	if len(pairs) == 0 {
		return c
	}
	t := newTail(pairs)
	for i := range pairs {
		if pairs[i].Baseline != pairs[i].Candidate {
			t.moved = append(t.moved, i)
		}
	}
	c.Moved = len(t.moved)
	c.Delta = t.difference()
	if c.Moved > 0 {
		c.swap(t, rand.New(rand.NewPCG(seed, 3)))
	}
	c.intervalP95(t, rand.New(rand.NewPCG(seed, 4)))
	return c
}

// tail finds the P95 of two arms by walking down from the largest value: it is
// the rank-th from the top, one twentieth of the values.
type tail struct {
	values  []tailValue // both arms, largest first
	rank    int
	moved   []int  // pairs that differ
	swapped []bool // by pair
	weight  []int  // by pair: how often a resample has it
}

type tailValue struct {
	value float64
	pair  int
	arm   int // 0 baseline, 1 candidate
}

func newTail(pairs []Pair) *tail {
	n := len(pairs)
	t := &tail{rank: n - nearestRank(n), swapped: make([]bool, n), weight: make([]int, n)}
	for i, p := range pairs {
		t.values = append(t.values, tailValue{p.Baseline, i, 0}, tailValue{p.Candidate, i, 1})
		t.weight[i] = 1
	}
	slices.SortFunc(t.values, func(a, b tailValue) int {
		return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.pair, b.pair), cmp.Compare(a.arm, b.arm))
	})
	return t
}

// difference is the second arm's P95 minus the first one's, as the pairs are
// swapped and weighted now.
func (t *tail) difference() float64 {
	var seen [2]int
	var at [2]float64
	for _, v := range t.values {
		arm := v.arm
		if t.swapped[v.pair] {
			arm = 1 - arm
		}
		if seen[arm] >= t.rank {
			continue
		}
		if seen[arm] += t.weight[v.pair]; seen[arm] >= t.rank {
			at[arm] = v.value
			if seen[1-arm] >= t.rank {
				break
			}
		}
	}
	return at[1] - at[0]
}

func (c *Comparison) swap(t *tail, random *rand.Rand) {
	observed := math.Abs(c.Delta)
	hits, most, atMost, patterns := 0, 0.0, 0, 0
	count := func(d float64) {
		d = math.Abs(d)
		patterns++
		if d >= observed {
			hits++
		}
		switch {
		case d > most:
			most, atMost = d, 1
		case d == most:
			atMost++
		}
	}
	if len(t.moved) <= exactSwaps {
		c.Exact = true
		// Swapping all pairs only turns the sign, so the first one stays.
		for mask := range 1 << (len(t.moved) - 1) {
			for i, pair := range t.moved[1:] {
				t.swapped[pair] = mask>>i&1 == 1
			}
			count(t.difference())
		}
	} else {
		c.Resamples = min(mostFlips, max(leastRounds, workBudget/len(t.values)))
		count(c.Delta) // the observed pattern is one of them, so p is never 0
		for range c.Resamples {
			var bits uint64
			for i, pair := range t.moved {
				if i%64 == 0 {
					bits = random.Uint64()
				}
				t.swapped[pair] = bits&1 == 1
				bits >>= 1
			}
			count(t.difference())
		}
	}
	clear(t.swapped)
	c.P = float64(hits) / float64(patterns)
	c.SmallestP = float64(atMost) / float64(patterns)
}

func (c *Comparison) intervalP95(t *tail, random *rand.Rand) {
	n := c.N
	c.Bootstrap = min(mostDraws, max(leastRounds, workBudget/len(t.values)))
	deltas := make([]float64, c.Bootstrap)
	for i := range deltas {
		clear(t.weight)
		for range n {
			t.weight[random.IntN(n)]++
		}
		deltas[i] = t.difference()
	}
	slices.Sort(deltas)
	c.Low = stat.Quantile(Level/2, stat.Empirical, deltas, nil)
	c.High = stat.Quantile(1-Level/2, stat.Empirical, deltas, nil)
}
