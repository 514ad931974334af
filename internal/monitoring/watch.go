package monitoring

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// The series that rules and dashboard read. Those of the first block are the
// names that benchmark runners export already, with the labels scenario,
// dataset and metric; Pilotgate's server exports all of them, with the labels
// repository and pilot besides.
const (
	MetricValue   = "benchmark_metric_value"         // by the band's statistic
	MetricOutcome = "benchmark_metric_outcome"       // 0 pass, 1 warn, 2 fail
	RunOutcome    = "benchmark_run_outcome"          // the worst of its metrics
	RunDuration   = "benchmark_run_duration_seconds" // of the whole run

	// PointerInfo is 1 for the model that a scenario's deployment pointer names:
	// labels repository, scenario, model, version, pilot.
	PointerInfo = "pilotgate_model_pointer_info"
	// Measured is when the run that the values are of ended, in Unix seconds.
	Measured = "pilotgate_benchmark_timestamp_seconds"
	// The drift of a run against the baseline's, by quantity.
	DriftPSI   = "pilotgate_drift_psi"
	DriftNoise = "pilotgate_drift_psi_noise" // what chance alone reaches
	DriftKSP   = "pilotgate_drift_ks_p"
)

// Watch is what is to be watched.
type Watch struct {
	Pilot    string // its id
	Plan     string // path of the plan
	Scenario string
	Dataset  string // the scenario's dataset id; empty: any
	// Repository is "owner/name"; empty: it is not known, and a server that
	// serves two repositories with such a pilot and scenario mixes them up.
	Repository string
	// Bands by metric, see Effective.
	Bands map[string]benchmark.Band
	Drift Drift
	// Say is a sentence by key: what a rule found, what a panel shows. Pairs are
	// name, value, name, value.
	Say func(key string, pairs ...string) string
}

// Drift is how far a quantity may move. A nil limit is not watched.
type Drift struct {
	PSI *decimal.Decimal // most
	KSP *decimal.Decimal // least
}

// Effective is the band that a released model is held to: the plan's acceptance
// where it is the stricter one, over what the scenario inherits. Without an
// acceptance, or with one of another statistic or direction, it is the
// inherited band.
func Effective(acceptance, inherited benchmark.Band) benchmark.Band {
	switch {
	case inherited.Empty():
		return acceptance
	case acceptance.Better != inherited.Better, acceptance.Statistic != "" && !benchmark.SameStatistic(acceptance.Statistic, inherited.Statistic):
		return inherited
	}
	out := inherited
	out.Pass = stricter(inherited.Better, acceptance.Pass, inherited.Pass)
	out.Warn = stricter(inherited.Better, acceptance.Warn, inherited.Warn)
	if !out.Ordered() {
		out.Warn = out.Pass
	}
	return out
}

func stricter(better benchmark.Direction, a, b *decimal.Decimal) *decimal.Decimal {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case (better == benchmark.Lower) == a.LessThan(*b):
		return a
	}
	return b
}

// File is one file that is written, by its path below the folder of all.
type File struct {
	Path string
	Data []byte
}

// Files are everything about one pilot. The unit tests stand in a folder of
// their own: Prometheus reads every file of its rules' folder as rules.
func Files(w Watch) ([]File, error) {
	rules, err := Rules(w).YAML(w.comment())
	if err != nil {
		return nil, err
	}
	tests, err := Tests(w, "../"+w.Pilot+".rules.yml").YAML(w.comment())
	if err != nil {
		return nil, err
	}
	board, err := Dashboard(w).JSON()
	if err != nil {
		return nil, err
	}
	return []File{
		{"prometheus/" + w.Pilot + ".rules.yml", rules},
		{"prometheus/tests/" + w.Pilot + ".rules.test.yml", tests},
		{"grafana/dashboards/" + w.Pilot + ".json", board},
	}, nil
}

// comment is above every YAML file. A path is an author's text: one line.
func (w Watch) comment() string {
	return strings.Join(strings.Fields(w.Say("comment", "plan", w.Plan)), " ") + "\n"
}

// metrics are the watched metrics in the order that people know.
func (w Watch) metrics() []string {
	var out []string
	for _, m := range benchmark.Metrics() {
		if !w.Bands[m].Empty() {
			out = append(out, m)
		}
	}
	return out
}

// statistic is what a metric's value is the statistic of.
func (w Watch) statistic(metric string) string {
	if s := w.Bands[metric].Statistic; s != "" && s != benchmark.Avg {
		return s
	}
	return benchmark.Mean
}
