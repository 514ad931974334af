package benchmark

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Aggregate is what a dataset's scan knows about one metric: how many records
// have it (N), how many do not (Missing), and the exact sum of the values.
type Aggregate struct {
	Metric  string
	N       int
	Missing int
	Sum     decimal.Decimal
	Min     decimal.Decimal
	Max     decimal.Decimal
	P95     decimal.Decimal // nearest rank
}

// Result is one metric of a run. Value is the statistic that the band judges
// and Outcome what it says of it; Worst and WorstOutcome are those of the
// worst record. The Stage 05 runner prints the mean beside the worst record's
// outcome; here each has its name.
type Result struct {
	Metric       string
	N            int
	Missing      int
	Band         Band
	Statistic    string                     // Mean or P95
	Statistics   map[string]decimal.Decimal // by Mean and P95; empty if N is 0
	Value        decimal.Decimal            // a mean is rounded to 12 digits for display, judged exactly
	Outcome      Outcome
	Worst        decimal.Decimal
	WorstOutcome Outcome
}

// Problem is why a metric's figures are no evidence.
type Problem struct {
	Case   string // ProblemNoEvidence and so on
	Metric string // "" for the run as a whole
	N      int    // records concerned, as far as they are known
}

// The problems. Each makes its metric, and so the run, Fail: the runner passes
// all of them.
const (
	ProblemNoBands    = "no_bands"     // the scenario has no bands at all
	ProblemNoEvidence = "no_evidence"  // no record has the metric
	ProblemOutOfRange = "out_of_range" // a score beyond [0,1], a latency not above 0
	ProblemBand       = "band"         // a band without bound or direction
)

// Run is a benchmark run judged by bands.
type Run struct {
	Metrics  []Result // every metric that has a band, in the order of Metrics()
	Overall  Outcome  // the worst of them
	Problems []Problem
}

// Recompute judges a dataset's aggregates: what a dry run amounts to, exactly
// and without running anything. Each band asks for evidence; metrics without a
// band are left out.
func Recompute(in []Aggregate, bands map[string]Band) Run {
	if len(bands) == 0 {
		return Run{Overall: Fail, Problems: []Problem{{Case: ProblemNoBands}}}
	}
	run := Run{Overall: Pass}
	for _, metric := range order(bands) {
		a := Aggregate{Metric: metric}
		if i := slices.IndexFunc(in, func(a Aggregate) bool { return a.Metric == metric }); i >= 0 {
			a = in[i]
		}
		r := judge(a, bands[metric])
		if kase := a.problem(r.Band); kase != "" {
			r.Outcome, r.WorstOutcome = Fail, Fail
			run.Problems = append(run.Problems, Problem{Case: kase, Metric: metric, N: a.N})
		}
		run.Metrics = append(run.Metrics, r)
		run.Overall = Worse(run.Overall, r.Outcome)
	}
	return run
}

// order lists known metrics first, as people know them, then others by name.
func order(bands map[string]Band) []string {
	var out []string
	for _, m := range Metrics() {
		if _, ok := bands[m]; ok {
			out = append(out, m)
		}
	}
	for _, m := range slices.Sorted(maps.Keys(bands)) {
		if !Known(m) {
			out = append(out, m)
		}
	}
	return out
}

func judge(a Aggregate, band Band) Result {
	r := Result{Metric: a.Metric, N: a.N, Missing: a.Missing, Band: band, Statistic: Mean, Outcome: Fail, WorstOutcome: Fail}
	if band.Statistic == P95 {
		r.Statistic = P95
	}
	if a.N < 1 {
		return r
	}
	const shown = 12
	r.Statistics = map[string]decimal.Decimal{Mean: a.Sum.DivRound(decimal.NewFromInt(int64(a.N)), shown), P95: a.P95}
	r.Value = r.Statistics[r.Statistic]
	if r.Statistic == P95 {
		r.Outcome = band.Judge(a.P95)
	} else {
		r.Outcome = band.JudgeMean(a.Sum, a.N)
	}
	r.Worst = a.Min
	if band.Better == Lower {
		r.Worst = a.Max
	}
	r.WorstOutcome = band.Judge(r.Worst)
	return r
}

func (a Aggregate) problem(band Band) string {
	switch {
	case band.Empty() || band.Better != Higher && band.Better != Lower:
		return ProblemBand
	case a.N < 1:
		return ProblemNoEvidence
	case !inRange(a.Metric, a.Min) || !inRange(a.Metric, a.Max):
		return ProblemOutOfRange
	}
	return ""
}

// inRange tells whether a value can be this metric's at all.
func inRange(metric string, v decimal.Decimal) bool {
	if metric == Latency {
		return v.IsPositive()
	}
	return !v.IsNegative() && v.LessThanOrEqual(decimal.NewFromInt(1))
}

// ParseOutcome reads a status as people write it, in English or Russian:
// "Pass", "✅ pass", "WARN", "предупреждение". Not ok: none or several.
func ParseOutcome(text string) (Outcome, bool) {
	const longest = 60 // bytes of a status cell
	if len(text) > longest {
		return "", false
	}
	found := Outcome("")
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t*_`()[].,:;!\uFE0F", r) }) {
		o, ok := outcomeWords[w]
		if !ok || found != "" && found != o {
			return "", false
		}
		found = o
	}
	return found, found != ""
}

var outcomeWords = map[string]Outcome{
	"pass": Pass, "passed": Pass, "passes": Pass, "ok": Pass, "✅": Pass, "🟢": Pass, "✔": Pass, "✓": Pass, "пройдено": Pass, "зачёт": Pass, "зачет": Pass, "ок": Pass,
	"warn": Warn, "warning": Warn, "⚠": Warn, "🟡": Warn, "предупреждение": Warn, "внимание": Warn,
	"fail": Fail, "failed": Fail, "fails": Fail, "❌": Fail, "🔴": Fail, "✖": Fail, "✗": Fail, "провал": Fail, "провалено": Fail, "незачёт": Fail, "незачет": Fail,
}
