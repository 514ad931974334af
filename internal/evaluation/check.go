package evaluation

import (
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/form"
)

// Caps on what an evaluation may hold when it is read back.
const (
	maxMetrics = 20
	maxReasons = 300
	maxArgs    = 16
	maxText    = 500 // characters of any text
	maxCount   = 1_000_000_000
)

var (
	figure = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,60})(\.[0-9]{0,5}[1-9])?$`)
	limit  = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,60})?$`) // as somebody gave it

	keyword = form.Of("a-z", "a-z0-9_", 64)
)

// Check names the first field that is not as Judge writes it, by its JSON path,
// or "". A recommendation that its own reasons do not bear is such a field.
func (e *Evaluation) Check() string {
	switch {
	case e == nil:
		return ""
	case e.Schema != Schema:
		return "schema"
	case !plain(e.Scenario):
		return "scenario"
	case !e.Baseline.valid():
		return "baseline"
	case !e.Candidate.valid():
		return "candidate"
	case !counts(e.Paired):
		return "paired"
	case len(e.Metrics) > maxMetrics:
		return "metrics"
	case len(e.Drift) > maxMetrics+1:
		return "drift"
	case !limit.MatchString(e.Limits.PSI) || !limit.MatchString(e.Limits.KSP):
		return "limits"
	case !counts(e.Leakage.Same, e.Leakage.Near, e.Leakage.Of):
		return "leakage"
	case len(e.Reasons) > maxReasons:
		return "reasons"
	}
	for i, m := range e.Metrics {
		if field := m.check(); field != "" {
			return fmt.Sprintf("metrics[%d].%s", i, field)
		}
	}
	for i, d := range e.Drift {
		if !d.valid() {
			return fmt.Sprintf("drift[%d]", i)
		}
	}
	last := 0
	for i, r := range e.Reasons {
		if r.Weight.rank() < last || !r.valid() {
			return fmt.Sprintf("reasons[%d]", i)
		}
		last = r.Weight.rank()
	}
	if e.Recommendation != e.recommend() {
		return "recommendation"
	}
	return ""
}

// plain accepts one line of printable text within the cap.
func plain(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && clean(s) == s
}

func counts(ns ...int) bool {
	return !slices.ContainsFunc(ns, func(n int) bool { return n < 0 || n > maxCount })
}

// figures accepts figures as text writes them, and empty ones.
func figures(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return s != "" && !figure.MatchString(s) })
}

func (s Subject) valid() bool {
	return plain(s.Name) && plain(s.Version) && (s.Digest == "" || form.Digest(s.Digest)) && plain(s.Printed) && plain(s.Prompt) &&
		plain(s.JudgeModel) && plain(s.JudgePrompt) && figures(s.Duration) && counts(s.Samples, s.Alone)
}

func (m Metric) check() string {
	bounds := func(texts ...string) bool {
		return !slices.ContainsFunc(texts, func(s string) bool { return s != "" && !limit.MatchString(s) })
	}
	a, t := m.Acceptance, m.Test
	switch {
	case !keyword(m.Name):
		return "name"
	case m.Statistic != benchmark.Mean && m.Statistic != benchmark.P95:
		return "statistic"
	case m.Better != "" && m.Better != benchmark.Higher && m.Better != benchmark.Lower:
		return "better"
	case !bounds(m.Pass, m.Warn):
		return "pass"
	case !m.Baseline.valid():
		return "baseline"
	case !m.Candidate.valid():
		return "candidate"
	case !figures(m.Delta, m.Low, m.High):
		return "delta"
	case !counts(m.N, m.Moved, m.Alone, m.Needed):
		return "n"
	case !figures(t.P, t.SmallestP) || !counts(t.Resamples, t.Bootstrap):
		return "test"
	case !slices.Contains([]Change{Better, Worse, Unclear, TooFew, Same, NotCompared}, m.Change):
		return "change"
	case !slices.Contains([]string{"", FromPlan, FromPolicy}, a.From), !bounds(a.Bound), !figures(a.Value, a.Limit), !plain(a.Tolerance),
		!slices.Contains([]string{"", benchmark.Mean, benchmark.P95}, a.Statistic):
		return "acceptance"
	}
	return ""
}

func (s Side) valid() bool {
	outcome := func(o benchmark.Outcome) bool {
		return o == benchmark.Pass || o == benchmark.Warn || o == benchmark.Fail
	}
	return counts(s.N, s.Missing) && figures(s.Value, s.Mean, s.P95, s.Worst) && outcome(s.Outcome) && outcome(s.WorstOutcome) &&
		(s.Problem == "" || keyword(s.Problem))
}

func (d Drift) valid() bool {
	return keyword(d.Quantity) && counts(d.Baseline, d.Candidate) && figures(d.PSI, d.Noise, d.JensenShannon, d.KS, d.KSP)
}

func (r Reason) valid() bool {
	if r.Weight.rank() < 0 || !keyword(r.Key) || len(r.Args) > maxArgs {
		return false
	}
	for name, value := range r.Args {
		if !keyword(name) || !plain(value) {
			return false
		}
	}
	return true
}
