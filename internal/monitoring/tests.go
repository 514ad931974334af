package monitoring

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// TestFile is a file of `promtool test rules`; see
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules.
type TestFile struct {
	RuleFiles []string `yaml:"rule_files"`
	Interval  string   `yaml:"evaluation_interval"`
	Tests     []Test   `yaml:"tests"`
}

// Test feeds series to the rules and says which alerts then fire.
type Test struct {
	Name     string      `yaml:"name"`
	Interval string      `yaml:"interval"`
	Input    []Series    `yaml:"input_series"`
	Alerts   []AlertTest `yaml:"alert_rule_test"`
}

// Series is one input in promtool's notation.
type Series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

// AlertTest is every alert of a name that fires at a time; none where Expected
// is empty.
type AlertTest struct {
	Time     string  `yaml:"eval_time"`
	Name     string  `yaml:"alertname"`
	Expected []Fires `yaml:"exp_alerts,omitempty"`
}

// Fires is one alert with all its labels and annotations.
type Fires struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// YAML is the file as promtool reads it, below a comment of whole lines.
func (f TestFile) YAML(comment string) ([]byte, error) { return encode(comment, f) }

// The model of the tests, and how long they feed it: as long as the slowest
// alert waits, because promtool takes its time.
const (
	testModel   = "model"
	testVersion = "1.0.0"
	fed         = missingFor
)

// Tests holds every threshold of Rules from both sides: a value on it, and one
// a step beyond it, where a step is a digit finer than the threshold is written
// with. So a rule whose threshold moved by a step fails one of them.
func Tests(w Watch, rules string) TestFile {
	t := testing{Watch: w}
	for _, m := range w.metrics() {
		t.band(m)
		t.ofWhom(m)
		t.absent(m)
	}
	t.drifts()
	t.ages()
	return TestFile{RuleFiles: []string{rules}, Interval: prometheusTime(interval), Tests: t.tests}
}

type testing struct {
	Watch
	tests []Test
}

// step is a digit finer than a number is written with.
func step(d decimal.Decimal) decimal.Decimal { return decimal.New(1, min(d.Exponent(), 0)-1) }

// worse is the value one step beyond a bound.
func worse(b benchmark.Direction, bound decimal.Decimal) decimal.Decimal {
	if b == benchmark.Lower {
		return bound.Add(step(bound))
	}
	return bound.Sub(step(bound))
}

func (t *testing) add(name string, input []Series, alerts ...AlertTest) {
	t.tests = append(t.tests, Test{Name: name, Interval: prometheusTime(interval), Input: input, Alerts: alerts})
}

// series is one input that does not change.
func series(name string, labels map[string]string, value string) Series {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if labels[k] != "" {
			parts = append(parts, k+"="+strconv.Quote(labels[k]))
		}
	}
	if value != "NaN" {
		value += "+0x" + strconv.Itoa(int(fed.Minutes()))
	} else {
		value = strings.TrimSpace(strings.Repeat("NaN ", int(fed.Minutes())+1))
	}
	return Series{name + "{" + strings.Join(parts, ",") + "}", value}
}

// pointing is the deployment pointer, as the server exports it.
func (t *testing) pointing(pilot string) Series {
	return series(PointerInfo, map[string]string{
		"repository": t.Repository, "scenario": t.Scenario, "model": testModel, "version": testVersion, "pilot": pilot,
	}, "1")
}

// value is one metric's, as a runner exports it; with a pilot, as the server does.
func (t *testing) value(metric, value, pilot string) Series {
	labels := map[string]string{"scenario": t.Scenario, "dataset": t.dataset(), "metric": metric}
	if pilot != "" {
		labels["pilot"], labels["repository"] = pilot, t.Repository
	}
	return series(MetricValue, labels, value)
}

func (t *testing) dataset() string {
	if t.Dataset != "" {
		return t.Dataset
	}
	return "dataset"
}

// of is a series that the server alone exports.
func (t *testing) of(name, quantity, value string) Series {
	return series(name, map[string]string{
		"repository": t.Repository, "scenario": t.Scenario, "dataset": t.dataset(), "pilot": t.Pilot, "quantity": quantity,
	}, value)
}

// fires is what an alert has by the time it fires.
func (t *testing) fires(severity string, annotations map[string]string, more ...string) Fires {
	labels := t.labels(severity, more...)
	labels["scenario"], labels["pilot"], labels["model"], labels["version"] = t.Scenario, t.Pilot, testModel, testVersion
	return Fires{labels, annotations}
}

func at(d time.Duration, name string, expected ...Fires) AlertTest {
	return AlertTest{prometheusTime(d), name, expected}
}

// shown is a value as an annotation prints it.
func shown(d decimal.Decimal) string { return strconv.FormatFloat(d.InexactFloat64(), 'g', 6, 64) }

func (t *testing) outOfBand(metric string, l limit, value decimal.Decimal) Fires {
	v := told{model: testModel, version: testVersion, value: shown(value)}
	return t.fires(l.severity, t.outOfBandSummary(metric, l, v), "metric", metric, "dataset", t.dataset())
}

// band tests the bounds of one metric.
func (t *testing) band(metric string) {
	b := t.Bands[metric]
	all := limits(b)
	for i, l := range all {
		beyond := func(value decimal.Decimal, n int) []Fires {
			var out []Fires
			for _, l := range all[:n] {
				out = append(out, t.outOfBand(metric, l, value))
			}
			return out
		}
		input := func(value decimal.Decimal) []Series {
			return []Series{t.pointing(t.Pilot), t.value(metric, number(value), "")}
		}
		past := worse(b.Better, l.bound)
		t.add(metric+" exactly at "+number(l.bound), input(l.bound), at(outOfBandFor, AlertOutOfBand, beyond(l.bound, i)...))
		t.add(metric+" one step beyond "+number(l.bound), input(past),
			at(outOfBandFor-interval, AlertOutOfBand), at(outOfBandFor, AlertOutOfBand, beyond(past, i+1)...))
	}
	if len(all) == 2 {
		between := all[0].bound.Add(all[1].bound).Div(decimal.NewFromInt(2))
		t.add(metric+" in the warn band", []Series{t.pointing(t.Pilot), t.value(metric, number(between), t.Pilot)},
			at(outOfBandFor, AlertOutOfBand, t.outOfBand(metric, all[0], between)))
	}
}

// ofWhom: it is this pilot's model that is deployed and measured, or nothing.
func (t *testing) ofWhom(metric string) {
	all := limits(t.Bands[metric])
	bad := worse(t.Bands[metric].Better, all[len(all)-1].bound)
	const other = "another-pilot"
	t.add(metric+" of the model before the release", []Series{t.value(metric, number(bad), t.Pilot)},
		at(fed, AlertOutOfBand), at(fed, AlertMissing))
	t.add(metric+" while the pointer names another model", []Series{t.pointing(other), t.value(metric, number(bad), "")},
		at(fed, AlertOutOfBand), at(fed, AlertMissing))
	t.add(metric+" of another model than the deployed one", []Series{t.pointing(t.Pilot), t.value(metric, number(bad), other)},
		at(fed, AlertOutOfBand))
}

func (t *testing) isMissing(metric string) Fires {
	return t.fires(Warning, t.summary("missing", told{model: testModel, version: testVersion}, "metric", t.Say(metric)), "metric", metric, "dataset", t.Dataset)
}

// absent: a metric that nobody measures, or whose value can be none.
func (t *testing) absent(metric string) {
	others := []Series{t.pointing(t.Pilot)}
	for _, m := range t.metrics() {
		if m != metric {
			others = append(others, t.value(m, number(limits(t.Bands[m])[0].bound), ""))
		}
	}
	with := func(value string) []Series { return append(slices.Clone(others), t.value(metric, value, "")) }
	t.add(metric+" is not measured", others, at(missingFor-interval, AlertMissing), at(missingFor, AlertMissing, t.isMissing(metric)))
	none, some := []string{"-0.1", "1.1", "NaN"}, []string{"0", "1"}
	if metric == benchmark.Latency {
		none, some = []string{"0", "-0.1", "NaN"}, []string{"0.1"}
	}
	for _, v := range none {
		t.add(metric+" of "+v+" is no value", with(v), at(fed, AlertMissing, t.isMissing(metric)), at(fed, AlertOutOfBand))
	}
	for _, v := range some {
		t.add(metric+" of "+v+" is a value", with(v), at(fed, AlertMissing))
	}
}

// drifts tests both limits, and that chance is no drift.
func (t *testing) drifts() {
	const quantity = "summary_length"
	told := func(v decimal.Decimal) told { return told{testModel, testVersion, shown(v), quantity} }
	moved := func(statistic string, l, v decimal.Decimal) Fires {
		return t.fires(Warning, t.summary(statistic, told(v), "limit", number(l)), "statistic", statistic, "quantity", quantity, "dataset", t.dataset())
	}
	if l := t.Drift.PSI; l != nil {
		past := worse(benchmark.Lower, *l)
		psi := func(value, noise decimal.Decimal) []Series {
			return []Series{t.pointing(t.Pilot), t.of(DriftPSI, quantity, number(value)), t.of(DriftNoise, quantity, number(noise))}
		}
		t.add("PSI exactly at "+number(*l), psi(*l, decimal.Zero), at(driftFor, AlertDrift))
		t.add("PSI one step beyond "+number(*l), psi(past, decimal.Zero),
			at(driftFor-interval, AlertDrift), at(driftFor, AlertDrift, moved("psi", *l, past)))
		t.add("PSI beyond "+number(*l)+" that chance alone reaches", psi(past, past), at(fed, AlertDrift))
		t.add("PSI of a model that is not deployed", psi(past, decimal.Zero)[1:], at(fed, AlertDrift))
	}
	if l := t.Drift.KSP; l != nil {
		past := worse(benchmark.Higher, *l)
		p := func(value decimal.Decimal) []Series {
			return []Series{t.pointing(t.Pilot), t.of(DriftKSP, quantity, number(value))}
		}
		t.add("KS p-value exactly at "+number(*l), p(*l), at(driftFor, AlertDrift))
		t.add("KS p-value one step below "+number(*l), p(past),
			at(driftFor-interval, AlertDrift), at(driftFor, AlertDrift, moved("ks_p", *l, past)))
		t.add("KS p-value of a model that is not deployed", p(past)[1:], at(fed, AlertDrift))
	}
}

// ages tests how old a result may be.
func (t *testing) ages() {
	now := decimal.NewFromInt(int64(fed.Seconds()))
	limit := decimal.NewFromInt(int64(staleAfter.Seconds()))
	aged := func(age decimal.Decimal) []Series {
		return []Series{t.pointing(t.Pilot), t.of(Measured, "", number(now.Sub(age)))}
	}
	past := worse(benchmark.Lower, limit)
	days := strconv.Itoa(int(staleAfter.Hours() / 24))
	summary := t.summary("stale", told{model: testModel, version: testVersion, value: shown(past)}, "days", days)
	t.add("a result exactly "+days+" days old", aged(limit), at(fed, AlertStale))
	t.add("a result older than "+days+" days", aged(past), at(fed, AlertStale, t.fires(Warning, summary, "dataset", t.dataset())))
	t.add("an old result of a model that is not deployed", aged(past)[1:], at(fed, AlertStale))
}
