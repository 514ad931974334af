package monitoring

import (
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// The alerts. One name has a warning and a critical rule.
const (
	AlertOutOfBand = "PilotMetricOutOfBand"
	AlertMissing   = "PilotMetricMissing"
	AlertDrift     = "PilotDrift"
	AlertStale     = "PilotResultStale"
)

// The severities.
const (
	Warning  = "warning"
	Critical = "critical"
)

// A released model is measured now and then, so nothing is urgent by minutes:
// short waits keep a scrape that failed from being an alert.
const (
	interval     = time.Minute
	outOfBandFor = 5 * time.Minute
	missingFor   = 10 * time.Minute
	driftFor     = 5 * time.Minute
	staleAfter   = 7 * 24 * time.Hour
)

// What is recorded: the watched values of the deployed model, each with its
// model, version and pilot.
const (
	deployedValue    = "scenario_dataset_metric:" + MetricValue + ":deployed"
	deployedDuration = "scenario_dataset:" + RunDuration + ":deployed"
	deployedMeasured = "scenario_dataset:" + Measured + ":deployed"
	deployedPSI      = "scenario_dataset_quantity:" + DriftPSI + ":deployed"
	deployedNoise    = "scenario_dataset_quantity:" + DriftNoise + ":deployed"
	deployedKSP      = "scenario_dataset_quantity:" + DriftKSP + ":deployed"
)

// Rules records what the deployed model measures and alerts on it. Every series
// is joined with the deployment pointer: before the release, and after the
// pointer has moved on, nothing is recorded and nothing fires.
func Rules(w Watch) RuleFile {
	g := RuleGroup{Name: "pilot " + w.Pilot, Interval: prometheusTime(interval)}
	metrics := w.metrics()
	for _, m := range metrics {
		g.Rules = append(g.Rules, w.recordMetric(m))
	}
	g.Rules = append(g.Rules, w.record(deployedDuration, "max", RunDuration, ""), w.record(deployedMeasured, "max", Measured, ""))
	if w.Drift.PSI != nil {
		g.Rules = append(g.Rules, w.record(deployedPSI, "max", DriftPSI, "quantity"), w.record(deployedNoise, "max", DriftNoise, "quantity"))
	}
	if w.Drift.KSP != nil {
		g.Rules = append(g.Rules, w.record(deployedKSP, "min", DriftKSP, "quantity"))
	}
	for _, m := range metrics {
		for _, l := range limits(w.Bands[m]) {
			g.Rules = append(g.Rules, w.outOfBand(m, l))
		}
	}
	for _, m := range metrics {
		g.Rules = append(g.Rules, w.missing(m))
	}
	g.Rules = append(g.Rules, w.drift()...)
	g.Rules = append(g.Rules, w.stale())
	return RuleFile{Groups: []RuleGroup{g}}
}

// limit is one bound of a band, and how bad it is to be beyond it.
type limit struct {
	bound    decimal.Decimal
	better   benchmark.Direction
	severity string
}

// beyond is the comparison that says so.
func (l limit) beyond() string {
	if l.better == benchmark.Lower {
		return "> " + number(l.bound)
	}
	return "< " + number(l.bound)
}

// limits of a band: not to pass is a warning, to fail is critical. A band with
// one bound only fails beyond it (benchmark.Band.Judge).
func limits(b benchmark.Band) []limit {
	var out []limit
	last := b.Warn
	if last == nil {
		last = b.Pass
	}
	if b.Pass != nil && !b.Pass.Equal(*last) {
		out = append(out, limit{*b.Pass, b.Better, Warning})
	}
	return append(out, limit{*last, b.Better, Critical})
}

// valid is what a metric's value can be. The runner's known slips (a score of
// 7.5, a latency of 0 for one that was not measured, no number at all) are no
// values, so that the metric is missing and not fine.
func valid(metric string) string {
	if metric == benchmark.Latency {
		return "> 0"
	}
	return ">= 0 <= 1"
}

// selector is a series of ours in one scenario. Labels that a runner's own
// exporter does not know may be absent, but not another's.
func (w Watch) selector(name string, more ...string) string {
	parts := []string{name + `{scenario=` + strconv.Quote(w.Scenario)}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			parts = append(parts, more[i]+"="+strconv.Quote(more[i+1]))
		}
	}
	if w.Repository != "" {
		parts = append(parts, `repository=~`+strconv.Quote("|"+literal(w.Repository)))
	}
	return strings.Join(parts, ",") + "}"
}

// literal is a repository's name, which has no other character that a regular
// expression reads.
func literal(s string) string { return strings.ReplaceAll(s, ".", `\.`) }

func (w Watch) measured(name string, more ...string) string {
	s := w.selector(name, append([]string{"dataset", w.Dataset}, more...)...)
	return strings.TrimSuffix(s, "}") + `,pilot=~` + strconv.Quote("|"+w.Pilot) + "}"
}

// pointer is the deployment pointer as long as it names this pilot's model.
func (w Watch) pointer() string {
	return "max by (scenario, model, version, pilot) (" + w.selector(PointerInfo, "pilot", w.Pilot) + ")"
}

// record joins a series with the pointer. Of several sources the worse counts.
func (w Watch) record(record, worst, name, by string) Rule {
	return w.joined(record, worst, w.measured(name), by)
}

func (w Watch) joined(record, worst, values, by string) Rule {
	if by != "" {
		by = ", " + by
	}
	return Rule{Record: record, Expr: worst + " by (scenario, dataset" + by + ") (" + values + ")\n" +
		"* on (scenario) group_left (model, version, pilot)\n" + w.pointer() + "\n"}
}

func (w Watch) recordMetric(metric string) Rule {
	worst := "min"
	if w.Bands[metric].Better == benchmark.Lower {
		worst = "max"
	}
	r := w.joined(deployedValue, worst, w.measured(MetricValue, "metric", metric)+" "+valid(metric), "metric")
	r.Labels = map[string]string{"metric": metric} // two rules of one name differ by labels
	return r
}

// ofPilot is a recorded series.
func (w Watch) ofPilot(record string, more ...string) string {
	s := record + `{scenario=` + strconv.Quote(w.Scenario) + `,pilot=` + strconv.Quote(w.Pilot)
	for i := 0; i+1 < len(more); i += 2 {
		s += "," + more[i] + "=" + strconv.Quote(more[i+1])
	}
	return s + "}"
}

func (w Watch) labels(severity string, more ...string) map[string]string {
	out := map[string]string{"severity": severity}
	if w.Repository != "" {
		out["repository"] = w.Repository
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			out[more[i]] = more[i+1]
		}
	}
	return out
}

// told are the values of annotations: Prometheus' own templates in a rule, what
// they become in its tests.
type told struct{ model, version, value, quantity string }

var template = told{"{{ $labels.model }}", "{{ $labels.version }}", `{{ $value | printf "%.6g" }}`, "{{ $labels.quantity }}"}

func (w Watch) summary(key string, t told, pairs ...string) map[string]string {
	return map[string]string{
		"summary": w.Say(key, append([]string{
			"model", t.model + "@" + t.version, "value", t.value, "quantity", t.quantity, "scenario", w.Scenario, "pilot", w.Pilot,
		}, pairs...)...),
	}
}

func (w Watch) outOfBandSummary(metric string, l limit, t told) map[string]string {
	return w.summary("out_of_band_"+l.severity, t, "metric", w.Say(metric), "band", w.Bands[metric].String())
}

func (w Watch) outOfBand(metric string, l limit) Rule {
	return Rule{
		Alert: AlertOutOfBand, Expr: w.ofPilot(deployedValue, "metric", metric) + " " + l.beyond(), For: prometheusTime(outOfBandFor),
		Labels: w.labels(l.severity, "metric", metric), Annotations: w.outOfBandSummary(metric, l, template),
	}
}

func (w Watch) missing(metric string) Rule {
	return Rule{
		Alert: AlertMissing, For: prometheusTime(missingFor), Labels: w.labels(Warning, "metric", metric, "dataset", w.Dataset),
		Expr:        w.pointer() + "\nunless on (scenario)\n" + w.ofPilot(deployedValue, "metric", metric) + "\n",
		Annotations: w.summary("missing", template, "metric", w.Say(metric)),
	}
}

// drift compares as the evaluation does: a PSI that chance alone reaches with
// so few values is none.
func (w Watch) drift() []Rule {
	var out []Rule
	add := func(expr, statistic string, l decimal.Decimal) {
		out = append(out, Rule{
			Alert: AlertDrift, Expr: expr, For: prometheusTime(driftFor), Labels: w.labels(Warning, "statistic", statistic),
			Annotations: w.summary(statistic, template, "limit", number(l)),
		})
	}
	if l := w.Drift.PSI; l != nil {
		psi := w.ofPilot(deployedPSI)
		add("("+psi+" > "+number(*l)+")\nunless on (scenario, dataset, quantity)\n("+psi+" <= "+w.ofPilot(deployedNoise)+")\n", "psi", *l)
	}
	if l := w.Drift.KSP; l != nil {
		add(w.ofPilot(deployedKSP)+" < "+number(*l), "ks_p", *l)
	}
	return out
}

func (w Watch) stale() Rule {
	return Rule{
		Alert: AlertStale, Expr: "time() - " + w.ofPilot(deployedMeasured) + " > " + strconv.Itoa(int(staleAfter.Seconds())),
		Labels: w.labels(Warning), Annotations: w.summary("stale", template, "days", strconv.Itoa(int(staleAfter.Hours()/24))),
	}
}

// number is a bound as it was given, which PromQL reads as the same float as
// the measured value.
func number(d decimal.Decimal) string { return d.String() }

// prometheusTime is whole minutes as Prometheus writes durations.
func prometheusTime(d time.Duration) string { return strconv.Itoa(int(d.Minutes())) + "m" }
