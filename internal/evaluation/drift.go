package evaluation

import (
	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// drifts measures every quantity that either run has values of.
func drifts(in Input) []Drift {
	var out []Drift
	for _, quantity := range append(benchmark.Metrics(), SummaryLength) {
		before, after := values(quantity, in.Baseline.Result.Samples), values(quantity, in.Candidate.Result.Samples)
		if len(before) == 0 && len(after) == 0 {
			continue
		}
		out = append(out, drift(quantity, before, after, in.Limits))
	}
	return out
}

func values(quantity string, samples []benchmark.Sample) []float64 {
	var out []float64
	for _, s := range samples {
		if quantity == SummaryLength {
			if s.Length > 0 {
				out = append(out, float64(s.Length))
			}
			continue
		}
		if v, ok := s.Scores[quantity]; ok {
			out = append(out, v.InexactFloat64())
		}
	}
	return out
}

func drift(quantity string, before, after []float64, limits Limits) Drift {
	m := benchmark.MeasureDrift(before, after)
	d := Drift{Quantity: quantity, Known: m.Known, Baseline: m.Expected, Candidate: m.Actual}
	if !m.Known {
		return d
	}
	d.PSI, d.JensenShannon, d.KS, d.KSP = float(m.PSI), float(m.JensenShannon), float(m.KS), float(m.KSP)
	d.Noise = float(m.Noise)
	d.Moved = m.PSI > m.Noise && decimal.NewFromFloat(m.PSI).GreaterThan(limits.PSI) || decimal.NewFromFloat(m.KSP).LessThan(limits.KSP)
	return d
}
