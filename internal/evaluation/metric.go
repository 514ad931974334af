package evaluation

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
	"gonum.org/v1/gonum/stat"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// digits behind the point of every figure.
const digits = 6

// text writes a figure.
func text(d decimal.Decimal) string { return d.Round(digits).String() }

func float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return ""
	}
	return text(decimal.NewFromFloat(f))
}

// clean makes what a result says of itself one line of printable characters, at
// most maxText of them.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		s = strings.TrimRight(string(r[:maxText]), " ")
	}
	return s
}

// metrics judges and compares every metric that has a band.
func metrics(in Input) []Metric {
	before := benchmark.Recompute(in.Baseline.Result.Aggregates(), in.Bands)
	after := benchmark.Recompute(in.Candidate.Result.Aggregates(), in.Bands)
	var out []Metric
	for i, a := range after.Metrics {
		b := before.Metrics[i]
		m := Metric{
			Name: a.Metric, Statistic: a.Statistic, Better: a.Band.Better,
			Pass: bound(a.Band.Pass), Warn: bound(a.Band.Warn),
			Baseline: side(b, before.Problems), Candidate: side(a, after.Problems),
		}
		m.compare(in)
		m.accept(in, b, a)
		out = append(out, m)
	}
	return out
}

// bound writes a bound with the digits that it was given with.
func bound(d *decimal.Decimal) string {
	switch {
	case d == nil:
		return ""
	case d.Exponent() >= 0:
		return d.String()
	}
	return d.StringFixed(-d.Exponent())
}

func side(r benchmark.Result, problems []benchmark.Problem) Side {
	s := Side{N: r.N, Missing: r.Missing, Outcome: r.Outcome, WorstOutcome: r.WorstOutcome}
	if i := slices.IndexFunc(problems, func(p benchmark.Problem) bool { return p.Metric == r.Metric }); i >= 0 {
		s.Problem = problems[i].Case
	}
	if r.N > 0 {
		s.Value, s.Worst = text(r.Value), text(r.Worst)
		s.Mean, s.P95 = text(r.Statistics[benchmark.Mean]), text(r.Statistics[benchmark.P95])
	}
	return s
}

// compare tests the difference over the paired samples.
func (m *Metric) compare(in Input) {
	pairs, alone := benchmark.Pairs(m.Name, in.Baseline.Result.Samples, in.Candidate.Result.Samples)
	m.N, m.Alone, m.Change = len(pairs), alone, NotCompared
	if len(pairs) == 0 {
		return
	}
	test := benchmark.Compare
	if m.Statistic == benchmark.P95 {
		test = benchmark.CompareP95
	}
	c := test(pairs, in.Seed^SeedOf(m.Name))
	m.Moved = c.Moved
	m.Delta, m.Low, m.High = float(c.Delta), float(c.Low), float(c.High)
	m.Test = Test{P: float(c.P), SmallestP: float(c.SmallestP), Exact: c.Exact, Resamples: c.Resamples, Bootstrap: c.Bootstrap}
	switch good := (c.Delta > 0) == (m.Better == benchmark.Higher); {
	case c.Moved == 0:
		m.Change = Same
	case c.Shows() && good:
		m.Change = Better
	case c.Shows():
		m.Change = Worse
	case !c.Could():
		m.Change = TooFew
	default:
		m.Change = Unclear
	}
	if m.Statistic == benchmark.Mean && (m.Change == TooFew || m.Change == Unclear) {
		m.Needed = needed(pairs)
	}
}

// mostNeeded bounds the number of samples that is told: beyond it, "more
// samples" is no advice.
const mostNeeded = 100_000

// needed is how many pairs a two-sided test at 5 % needs to show the observed
// mean difference with 80 % probability: ((z₀.₉₇₅ + z₀.₈) · sd / delta)².
func needed(pairs []benchmark.Pair) int {
	const z = 1.959963984540054 + 0.8416212335729143
	d := make([]float64, len(pairs))
	for i, p := range pairs {
		d[i] = p.Candidate - p.Baseline
	}
	mean, sd := stat.MeanStdDev(d, nil)
	if len(d) < 2 || sd == 0 || math.Abs(mean) < sd/1000 {
		return 0
	}
	n := math.Ceil(math.Pow(z*sd/mean, 2))
	if n <= float64(len(pairs)) || n > mostNeeded {
		return 0
	}
	return int(n)
}

// accept holds the candidate against what the plan asks for, else against the
// band's pass bound.
func (m *Metric) accept(in Input, before, after benchmark.Result) {
	asked, from := in.Acceptance[m.Name], FromPlan
	if asked.Pass == nil {
		asked, from = benchmark.Band{Pass: after.Band.Pass, Statistic: m.Statistic}, FromPolicy
	}
	asked.Better, asked.Warn = m.Better, nil
	if asked.Statistic == "" {
		asked.Statistic = m.Statistic
	}
	a := &m.Acceptance
	if asked.Pass != nil {
		a.From, a.Bound, a.Statistic = from, bound(asked.Pass), statistic(asked.Statistic)
		if run := benchmark.Recompute(in.Candidate.Result.Aggregates(), map[string]benchmark.Band{m.Name: asked}); after.N > 0 {
			a.Value = text(run.Metrics[0].Value)
			a.BoundMet = run.Metrics[0].Outcome == benchmark.Pass
		}
	}
	a.Met = a.BoundMet || a.From == "" && after.N > 0 && after.Outcome != benchmark.Fail
	if m.Name != benchmark.Latency || in.LatencyTolerance == "" {
		return
	}
	share, seconds, ok := ParseTolerance(in.LatencyTolerance)
	if !ok {
		return // a note tells it
	}
	a.Tolerance = clean(in.LatencyTolerance)
	a.Met = false
	if before.N > 0 && after.N > 0 {
		limit := before.Value.Mul(decimal.NewFromInt(1).Add(share)).Add(seconds)
		a.Limit = text(limit)
		a.LimitMet = after.Value.LessThanOrEqual(limit)
		a.Met = a.LimitMet && (a.From == "" || a.BoundMet)
	}
}

func statistic(s string) string {
	if s == benchmark.P95 {
		return s
	}
	return benchmark.Mean
}

var tolerance = regexp.MustCompile(`(?i)^[^\d.,]{0,30}(\d{1,6}(?:[.,]\d{1,6})?)\s*(%|percent|процент\pL*|ms|мс|s|sec|seconds?|с|сек|секунд\pL*)(?:$|[^\pL\d])`)

// ParseTolerance reads by how much a latency may grow: a share ("+5 %" is
// 0.05), or seconds ("10 s"). Not ok: no figure with a unit.
func ParseTolerance(s string) (share, seconds decimal.Decimal, ok bool) {
	const longest = 200
	if len(s) > longest {
		return share, seconds, false
	}
	m := tolerance.FindStringSubmatch(s)
	if m == nil {
		return share, seconds, false
	}
	figure, ok := benchmark.ParseNumber(m[1])
	if !ok {
		return share, seconds, false
	}
	switch unit := strings.ToLower(m[2]); {
	case unit == "%" || unit == "percent" || strings.HasPrefix(unit, "процент"):
		return figure.Shift(-2), seconds, true
	case unit == "ms" || unit == "мс":
		return share, figure.Shift(-3), true
	}
	return share, figure, true
}
