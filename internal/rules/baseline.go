package rules

import (
	"sort"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// dryRun is the baseline recomputed from the scan, by metric. The dataset that
// gives the baseline is the evaluation data where the plan names one with
// scores, else the training snapshot.
func (b *Bench) dryRun() (benchmark.Run, bool) {
	q := b.Request
	if q == nil || !q.ScenarioKnown {
		return benchmark.Run{}, false
	}
	scan := q.Dataset.Scan.Facts
	if scan == nil {
		return benchmark.Run{}, false
	}
	return benchmark.Recompute(Aggregates(scan), q.Bands.Metrics), true
}

// Aggregates are a scan's metrics as the benchmark takes them.
func Aggregates(f *dataset.Facts) []benchmark.Aggregate {
	var out []benchmark.Aggregate
	for _, m := range f.Metrics {
		a := benchmark.Aggregate{Metric: m.Name, N: m.N, Missing: m.Missing}
		if m.N > 0 {
			a.Sum, a.Min, a.Max, a.P95 = number(m.Sum), number(m.Min), number(m.Max), number(m.P95)
		}
		out = append(out, a)
	}
	return out
}

// number reads a decimal that our own scan wrote.
func number(s string) decimal.Decimal {
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Decimal{}
	}
	return d
}

func baselineTable(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	if len(q.Plan.Metrics) == 0 {
		b.Find("missing", b.section(plan.SectionBaseline))
		return
	}
	var missing []string
	for name := range q.Bands.Metrics {
		if !hasRow(q.Plan.Metrics, name) {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	if len(missing) > 0 {
		b.Find("rows_missing", q.Plan.Metrics[0].Name.At, "metrics", strings.Join(missing, ", "))
	}
}

func hasRow(rows []plan.MetricRow, metric string) bool {
	for _, r := range rows {
		if r.Metric == metric {
			return true
		}
	}
	return false
}

// row is one line of the plan's table beside the recomputed result.
type row struct {
	plan.MetricRow
	result benchmark.Result
	value  decimal.Decimal // the statistic that the row names, recomputed
	has    bool
}

func (b *Bench) rows() []row {
	run, ok := b.dryRun()
	if !ok {
		return nil
	}
	var out []row
	for _, r := range b.Request.Plan.Metrics {
		x := row{MetricRow: r}
		for _, res := range run.Metrics {
			if res.Metric == r.Metric && res.N > 0 {
				x.result, x.has = res, true
				x.value = res.Statistics[statisticOf(r, res)]
			}
		}
		out = append(out, x)
	}
	return out
}

// statisticOf is the statistic that a row speaks of: the one it names, else
// the band's.
func statisticOf(r plan.MetricRow, res benchmark.Result) string {
	if r.Statistic != "" {
		return normalStatistic(r.Statistic)
	}
	return normalStatistic(res.Statistic)
}

func normalStatistic(s string) string {
	if s == "" || s == benchmark.Avg {
		return benchmark.Mean
	}
	return s
}

// baselineValues: each printed value is the recomputed one, rounded to the
// digits that it prints.
func baselineValues(b *Bench) {
	agree := 0
	for _, r := range b.rows() {
		if !r.has || r.Value.Text == "" {
			if r.has && r.Value.At.Line > 0 {
				b.Find("no_value", r.Name.At, "metric", r.Name.Text, "value", round(r.value, 4))
			}
			continue
		}
		if benchmark.AgreesAsPrinted(r.Value.Text, r.value) {
			agree++
			continue
		}
		if r.Statistic == benchmark.P95 && benchmark.AgreesAsPrinted(r.Value.Text, r.result.Statistics[benchmark.Mean]) {
			continue // BL006 tells it: the mean, called P95
		}
		f := b.Find("differs", r.Value.At, "metric", r.Name.Text, "value", r.Value.Text,
			"recomputed", asPrinted(r.value, r.Value.Text), "n", count(r.result.N))
		f.Mend = replace(r.Value, round(r.value, digits(r.Value.Text))+unitOf(r.Value.Text))
	}
	if agree > 0 {
		b.Verified("values_agree", "n", count(agree), "of", count(len(b.Request.Plan.Metrics)), "records", count(b.Request.Dataset.Scan.Facts.Records))
	}
}

func round(d decimal.Decimal, places int32) string { return d.StringFixed(places) }

// digits counts the decimal places that a printed figure has, at most 6.
func digits(text string) int32 {
	i := strings.IndexAny(text, ".,")
	if i < 0 {
		return 0
	}
	n := 0
	for _, c := range text[i+1:] {
		if c < '0' || c > '9' {
			break
		}
		n++
	}
	return int32(min(n, 6))
}

// asPrinted is a figure with the digits of a printed one, and with its unit if it
// is one that we know: whatever else stands there is the author's text.
func asPrinted(d decimal.Decimal, text string) string {
	out := round(d, digits(text))
	switch unit := unitOf(text); strings.TrimSpace(unit) {
	case "s", "ms", "с", "мс", "%":
		return out + unit
	}
	return out
}

// unitOf is what a printed figure has behind its number.
func unitOf(text string) string {
	return strings.TrimLeft(text, "0123456789.,-+eE")
}

// baselineStatus: a status cell says what the threshold beside it says of the
// value beside it.
func baselineStatus(b *Bench) {
	if b.Request == nil {
		return
	}
	for _, r := range b.Request.Plan.Metrics {
		said, ok := benchmark.ParseOutcome(r.Status.Text)
		if !ok || r.Band.Empty() || r.Band.Better == "" {
			continue
		}
		v, err := r.Value.Decimal()
		if err != nil {
			continue
		}
		is := r.Band.Judge(v)
		// A value rounded to the pass bound may be a warn before rounding; the
		// recomputed one decides where there is one.
		for _, x := range b.rows() {
			if x.Metric == r.Metric && x.has && benchmark.AgreesAsPrinted(r.Value.Text, x.value) {
				is = r.Band.Judge(x.value)
			}
		}
		if is == said {
			continue
		}
		f := b.Find("contradicts", r.Status.At, "metric", r.Name.Text, "status", r.Status.Text,
			"value", r.Value.Text, "threshold", r.Band.String(), "outcome", string(is))
		f.Mend = replace(r.Status, sameCase(r.Status.Text, string(is)))
	}
}

// sameCase writes a word in the way another is written.
func sameCase(like, word string) string {
	switch {
	case like == "":
		return word
	case like == strings.ToUpper(like):
		return strings.ToUpper(word)
	case like[:1] == strings.ToUpper(like[:1]):
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}

// baselineBands: the plan's thresholds are the repository's.
func baselineBands(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	same := 0
	for _, r := range q.Plan.Metrics {
		band, ok := q.Bands.Metrics[r.Metric]
		if !ok || r.Band.Empty() {
			continue
		}
		if sameBounds(r.Band, band) {
			same++
			continue
		}
		b.Find("differs", r.Threshold.At, "metric", r.Name.Text, "plan", r.Band.String(), "policy", band.String())
	}
	if same > 0 {
		b.Verified("bands_agree", "n", count(same))
	}
}

// sameBounds compares what the plan states; a bound that it leaves out is the
// repository's.
func sameBounds(stated, policy benchmark.Band) bool {
	if stated.Pass == nil {
		stated.Pass = policy.Pass
	}
	if stated.Warn == nil {
		stated.Warn = policy.Warn
	}
	stated.Statistic = policy.Statistic
	return stated.Equal(policy)
}

// baselineEvidence: no scores is no evidence, not a perfect score.
func baselineEvidence(b *Bench) {
	run, ok := b.dryRun()
	if !ok {
		return
	}
	for _, p := range run.Problems {
		b.Find(p.Case, b.datasetLine(), "metric", p.Metric, "n", count(p.N))
	}
	for _, m := range run.Metrics {
		if m.N > 0 && m.Missing > 0 {
			b.Find("incomplete", b.datasetLine(), "metric", m.Metric, "n", count(m.Missing))
		}
	}
}

// datasetLine is where the plan names its dataset.
func (b *Bench) datasetLine() finding.Position {
	if v, ok := b.Request.Plan.Get(plan.Dataset); ok && v.At.Line > 0 {
		return v.At
	}
	return top(b.Request.Path)
}

// baselineStatistic: a mean is not a P95.
func baselineStatistic(b *Bench) {
	for _, r := range b.rows() {
		if !r.has || r.Statistic != benchmark.P95 || r.Value.Text == "" {
			continue
		}
		p95, mean := r.result.Statistics[benchmark.P95], r.result.Statistics[benchmark.Mean]
		if !benchmark.AgreesAsPrinted(r.Value.Text, p95) && benchmark.AgreesAsPrinted(r.Value.Text, mean) {
			f := b.Find("mean_called_p95", r.Value.At, "metric", r.Name.Text, "value", r.Value.Text, "p95", asPrinted(p95, r.Value.Text))
			f.Mend = replace(r.Value, round(p95, digits(r.Value.Text))+unitOf(r.Value.Text))
		}
	}
}

// baselineFails and baselineWarns: in which band the baseline itself is.
func baselineFails(b *Bench) { b.banded(benchmark.Fail, "fails") }

func baselineWarns(b *Bench) { b.banded(benchmark.Warn, "warns") }

func (b *Bench) banded(o benchmark.Outcome, kase string) {
	run, ok := b.dryRun()
	if !ok {
		return
	}
	passed := 0
	for _, m := range run.Metrics {
		if m.Outcome == benchmark.Pass {
			passed++
		}
		if m.N == 0 || m.Outcome != o {
			continue
		}
		at := b.datasetLine()
		for _, r := range b.Request.Plan.Metrics {
			if r.Metric == m.Metric {
				at = r.Name.At
			}
		}
		b.Find(kase, at, "metric", m.Metric, "statistic", normalStatistic(m.Statistic), "value", round(m.Value, 4), "threshold", m.Band.String(), "n", count(m.N))
	}
	if o == benchmark.Fail && passed > 0 {
		b.Verified("bands_pass", "n", count(passed), "of", count(len(run.Metrics)))
	}
}

// worstSample: the runner prints the mean with the worst sample's outcome. Both
// are told, each by its name.
func worstSample(b *Bench) {
	run, ok := b.dryRun()
	if !ok {
		return
	}
	for _, m := range run.Metrics {
		if m.N == 0 || m.WorstOutcome == m.Outcome {
			continue
		}
		at := b.datasetLine()
		for _, r := range b.Request.Plan.Metrics {
			if r.Metric == m.Metric {
				at = r.Name.At
			}
		}
		b.Find("differs", at, "metric", m.Metric, "statistic", normalStatistic(m.Statistic), "value", round(m.Value, 4),
			"outcome", string(m.Outcome), "worst", round(m.Worst, 4), "worst_outcome", string(m.WorstOutcome))
	}
}
