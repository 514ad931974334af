package benchmark

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Drift says how far a distribution has moved. All zero but N means "too few
// values to tell" where Known is false.
type Drift struct {
	Known            bool
	Expected, Actual int     // values on either side
	PSI              float64 // population stability index over the bins of Expected
	// Noise is the PSI that two samples of one distribution stay below in 99 of
	// 100 cases: (1/n + 1/m) times the quantile of χ² with one degree of freedom
	// less than bins (Yurdakul, 2018). With 60 values a side it is 0.72.
	Noise             float64
	JensenShannon     float64 // divergence in bits over the same bins, 0 to 1
	KS, KSP           float64 // Kolmogorov-Smirnov statistic and p-value
	Bins              int
	OutsideOfExpected int // actual values beyond the expected range
}

const (
	driftBins  = 10 // deciles of the expected values
	leastDrift = 20 // values a side below which bins of a tenth say nothing
	smoothing  = 0.5
)

// MeasureDrift compares two samples of one quantity. Values that are not
// finite are left out.
func MeasureDrift(expected, actual []float64) Drift {
	expected, actual = finite(expected), finite(actual)
	d := Drift{Expected: len(expected), Actual: len(actual)}
	if len(expected) < leastDrift || len(actual) < leastDrift {
		return d
	}
	d.Known = true
	low, high := expected[0], expected[len(expected)-1]
	for _, v := range actual {
		if v < low || v > high {
			d.OutsideOfExpected++
		}
	}
	edges := deciles(expected)
	p, q := shares(expected, edges), shares(actual, edges)
	d.Bins = len(p)
	for i := range p {
		d.PSI += (q[i] - p[i]) * math.Log(q[i]/p[i])
	}
	d.Noise = noise(len(p), len(expected), len(actual))
	d.JensenShannon = max(0, stat.JensenShannon(p, q)/math.Ln2)
	d.KS = stat.KolmogorovSmirnov(expected, nil, actual, nil)
	d.KSP = kolmogorov(d.KS, len(expected), len(actual))
	return d
}

func noise(bins, n, m int) float64 {
	if bins < 2 {
		return 0
	}
	const coverage = 0.99
	chi := distuv.ChiSquared{K: float64(bins - 1)}.Quantile(coverage)
	return (1/float64(n) + 1/float64(m)) * chi
}

// finite returns the finite values, sorted.
func finite(in []float64) []float64 {
	out := make([]float64, 0, len(in))
	for _, v := range in {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// deciles are the inner edges of the bins: bin i holds what is above edge i-1
// and at most edge i. Values that many records share make fewer bins.
func deciles(sorted []float64) []float64 {
	var edges []float64
	for i := 1; i < driftBins; i++ {
		e := stat.Quantile(float64(i)/driftBins, stat.Empirical, sorted, nil)
		if len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// shares is the share of values a bin. Half a value is added to each, so that
// an empty bin does not make the index infinite.
func shares(values, edges []float64) []float64 {
	counts := make([]float64, len(edges)+1)
	for _, v := range values {
		i, _ := slices.BinarySearch(edges, v) // the first edge that is not below v
		counts[i]++
	}
	total := float64(len(values)) + smoothing*float64(len(counts))
	for i := range counts {
		counts[i] = (counts[i] + smoothing) / total
	}
	return counts
}

// kolmogorov is the asymptotic p-value of the two-sample test, with Stephens'
// correction for small samples (Biometrika 1970).
func kolmogorov(d float64, n, m int) float64 {
	root := math.Sqrt(float64(n) * float64(m) / float64(n+m))
	lambda := (root + 0.12 + 0.11/root) * d
	if lambda < 0.2 {
		return 1 // the series needs too many terms; the value is 1 to 13 digits
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * lambda * lambda)
		sum += sign * term
		if term < 1e-16 {
			break
		}
		sign = -sign
	}
	return min(1, max(0, 2*sum))
}
