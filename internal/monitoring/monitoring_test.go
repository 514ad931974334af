package monitoring_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/monitoring"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

// digest is the pilot of the examples: its own acceptance over the bands that
// the Stage 05_02 policy gives.
func digest() monitoring.Watch {
	s, _ := policy.Default().Scenario("channel_digest_ru")
	bands := map[string]benchmark.Band{}
	for m, b := range s.Metrics {
		bands[m] = b
	}
	bands[benchmark.Coverage] = monitoring.Effective(benchmark.Band{Pass: dec("0.90"), Better: benchmark.Higher}, bands[benchmark.Coverage])
	return monitoring.Watch{
		Pilot: "ru-digest-2026-01", Plan: "docs/specs/epic_05/stage_05_03_pilot.md", Scenario: "channel_digest_ru", Dataset: "benchmark_digest_ru_v1",
		Repository: "acme/pilots.ml", Bands: bands, Drift: monitoring.Drift{PSI: dec("0.25"), KSP: dec("0.01")}, Say: render.Speak("en").Monitoring,
	}
}

// watches are plans of every shape.
func watches() map[string]monitoring.Watch {
	review := digest()
	s, _ := policy.Default().Scenario("review_summary_ru")
	review.Pilot, review.Scenario, review.Dataset, review.Repository, review.Bands = "review", "review_summary_ru", "", "", s.Metrics
	review.Say = render.Speak("ru").Monitoring
	one := digest()
	one.Pilot = "one-bound"
	one.Bands = map[string]benchmark.Band{
		benchmark.Accuracy: {Pass: dec("0.9"), Better: benchmark.Higher},
		benchmark.Latency:  {Warn: dec("3.4"), Better: benchmark.Lower, Statistic: benchmark.Mean},
		benchmark.Coverage: {Pass: dec("0.8"), Warn: dec("0.8"), Better: benchmark.Higher},
	}
	one.Drift = monitoring.Drift{}
	return map[string]monitoring.Watch{"digest": digest(), "review": review, "one": one}
}

func files(t *testing.T, w monitoring.Watch) map[string][]byte {
	t.Helper()
	all, err := monitoring.Files(w)
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, f := range all {
		out[f.Path] = f.Data
	}
	require.Len(t, out, 3)
	return out
}

func TestTheSameBandsMakeTheSameBytes(t *testing.T) {
	for name := range watches() {
		assert.Equal(t, files(t, watches()[name]), files(t, watches()[name]), name)
	}
}

// What operators are given is read like code.
func TestGoldens(t *testing.T) {
	for path, got := range files(t, digest()) {
		golden := filepath.Join("testdata", filepath.Base(path))
		if *update && os.Getenv("CI") == "" {
			require.NoError(t, os.WriteFile(golden, got, 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), path)
	}
}

func rules(t *testing.T, w monitoring.Watch) []rulefmt.Rule {
	t.Helper()
	read, errs := rulefmt.Parse(files(t, w)["prometheus/"+w.Pilot+".rules.yml"], false)
	require.Empty(t, errs)
	require.Len(t, read.Groups, 1)
	return read.Groups[0].Rules
}

func TestPrometheusTakesTheRules(t *testing.T) {
	for name, w := range watches() {
		severities := map[string][]string{}
		for _, r := range rules(t, w) {
			if r.Alert == "" {
				continue
			}
			severities[r.Alert] = append(severities[r.Alert], r.Labels["severity"])
			assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
			assert.NotContains(t, r.Annotations["summary"], "monitoring.", "a sentence is missing")
		}
		assert.Contains(t, severities["PilotMetricOutOfBand"], "critical", name)
	}
	counts := map[string]int{}
	for _, r := range rules(t, digest()) {
		counts[r.Alert+" "+r.Labels["severity"]]++
	}
	assert.Equal(t, map[string]int{
		" ": 10, "PilotMetricOutOfBand warning": 5, "PilotMetricOutOfBand critical": 5, "PilotMetricMissing warning": 5, "PilotDrift warning": 2,
		"PilotResultStale warning": 1,
	}, counts)
}

// Nothing but the pointer's own series is read without being joined with it.
func TestEveryAlertIsJoinedWithThePointer(t *testing.T) {
	recorded := map[string]bool{}
	for _, r := range rules(t, digest()) {
		expr, err := parser.ParseExpr(r.Expr)
		require.NoError(t, err)
		var names []string
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if s, ok := n.(*parser.VectorSelector); ok {
				names = append(names, s.Name)
			}
			return nil
		})
		if r.Record != "" {
			assert.Contains(t, names, monitoring.PointerInfo, r.Record)
			recorded[r.Record] = true
			continue
		}
		for _, n := range names {
			assert.True(t, recorded[n] || n == monitoring.PointerInfo, "%s reads %s", r.Alert, n)
		}
	}
}

func TestEffective(t *testing.T) {
	inherited := benchmark.NewBand(benchmark.Higher, "0.88", "0.80", "")
	latency := benchmark.NewBand(benchmark.Lower, "210", "240", benchmark.P95)
	for _, c := range []struct {
		name             string
		acceptance, from benchmark.Band
		want             string
	}{
		{"no acceptance", benchmark.Band{}, inherited, "≥0.88 pass / ≥0.80 warn"},
		{"a stricter one", benchmark.Band{Pass: dec("0.90"), Better: benchmark.Higher}, inherited, "≥0.90 pass / ≥0.80 warn"},
		{"a laxer one", benchmark.Band{Pass: dec("0.85"), Better: benchmark.Higher}, inherited, "≥0.88 pass / ≥0.80 warn"},
		{"a whole one", benchmark.NewBand(benchmark.Higher, "0.91", "0.89", ""), inherited, "≥0.91 pass / ≥0.89 warn"},
		{"a warn bound over the pass bound", benchmark.Band{Warn: dec("0.95"), Better: benchmark.Higher}, inherited, "≥0.88 pass / ≥0.88 warn"},
		{"a lower latency", benchmark.Band{Pass: dec("180"), Better: benchmark.Lower, Statistic: benchmark.P95}, latency, "≤180 pass / ≤240 warn"},
		{"a higher latency", benchmark.Band{Pass: dec("300"), Better: benchmark.Lower}, latency, "≤210 pass / ≤240 warn"},
		{"of another statistic", benchmark.Band{Pass: dec("100"), Better: benchmark.Lower, Statistic: benchmark.Mean}, latency, "≤210 pass / ≤240 warn"},
		{"of another direction", benchmark.Band{Pass: dec("0.9"), Better: benchmark.Lower}, inherited, "≥0.88 pass / ≥0.80 warn"},
		{"nothing inherited", benchmark.Band{Pass: dec("0.9"), Better: benchmark.Higher}, benchmark.Band{}, "≥0.9 pass"},
	} {
		assert.Equal(t, c.want, monitoring.Effective(c.acceptance, c.from).String(), c.name)
	}
}

// schema is Grafana's documented dashboard JSON model, as far as we write it,
// and closed: a misspelt key is refused.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("testdata/dashboard.schema.json")
	require.NoError(t, err)
	return s
}

func board(t *testing.T, w monitoring.Watch) []byte {
	t.Helper()
	return files(t, w)["grafana/dashboards/"+w.Pilot+".json"]
}

func validate(t *testing.T, raw []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return schema(t).Validate(v)
}

func TestTheDashboardFitsItsSchema(t *testing.T) {
	for name, w := range watches() {
		require.NoError(t, validate(t, board(t, w)), name)
	}
	good := string(board(t, digest()))
	for _, c := range [][2]string{
		{`"gridPos"`, `"gridpos"`},
		{`"line+area"`, `"lines"`},
		{`"color": "red"`, `"color": ""`},
		{`"mode": "absolute"`, `"mode": "relative"`},
		{`"type": "timeseries"`, `"type": "graph"`},
		{`"refId": "A"`, `"refId": ""`},
		{`"w": 8`, `"w": 25`},
		{`"uid": "pilot-`, `"uid": "pilot `},
	} {
		require.Contains(t, good, c[0])
		assert.Error(t, validate(t, []byte(strings.Replace(good, c[0], c[1], 1))), c[1])
	}
}

func TestTheDashboardDrawsTheBands(t *testing.T) {
	var b monitoring.Board
	require.NoError(t, json.Unmarshal(board(t, digest()), &b))
	recorded := map[string]bool{monitoring.MetricOutcome: true, monitoring.RunOutcome: true}
	for _, r := range rules(t, digest()) {
		recorded[r.Record] = true
	}
	lines := map[string][]float64{}
	taken := map[monitoring.GridPos]bool{}
	for _, p := range b.Panels {
		assert.False(t, taken[p.GridPos], "two panels in one place")
		taken[p.GridPos] = true
		for _, s := range p.FieldConfig.Defaults.Thresholds.Steps[1:] {
			lines[p.Title] = append(lines[p.Title], *s.Value)
		}
		for _, x := range p.Targets {
			expr, err := parser.ParseExpr(x.Expr)
			require.NoError(t, err)
			parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
				if s, ok := n.(*parser.VectorSelector); ok {
					assert.True(t, recorded[s.Name], "%s draws %s", p.Title, s.Name)
				}
				return nil
			})
		}
	}
	assert.Equal(t, map[string][]float64{
		"Latency (p95)": {210, 240}, "Accuracy (mean)": {0.85, 0.90}, "Coverage (mean)": {0.80, 0.90}, "Coherence (mean)": {0.85, 0.90},
		"Informativeness (mean)": {0.82, 0.88}, "Drift (PSI)": {0.25}, "Drift (KS p-value)": {0.01}, "Outcome (0 pass, 1 warn, 2 fail)": {1, 2},
		"Age of the last result": {7 * 24 * 3600},
	}, lines)
}

// The unit tests say of every alert when it fires and when not, and promtool
// finds their rules beside them.
func TestTheUnitTestsNameEveryAlert(t *testing.T) {
	for name, w := range watches() {
		var f monitoring.TestFile
		path := "prometheus/tests/" + w.Pilot + ".rules.test.yml"
		require.NoError(t, yaml.NewDecoder(bytes.NewReader(files(t, w)[path]), yaml.Strict()).Decode(&f))
		require.Len(t, f.RuleFiles, 1)
		assert.Equal(t, "prometheus/"+w.Pilot+".rules.yml", filepath.Join(filepath.Dir(path), f.RuleFiles[0]))
		fires, silent, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, c := range f.Tests {
			assert.False(t, names[c.Name], "%s: two tests are called %q", name, c.Name)
			names[c.Name] = true
			for _, a := range c.Alerts {
				silent[a.Name] = silent[a.Name] || len(a.Expected) == 0
				for _, e := range a.Expected {
					fires[a.Name+" "+e.Labels["severity"]+" "+e.Labels["metric"]+e.Labels["statistic"]] = true
				}
			}
		}
		for _, r := range rules(t, w) {
			if r.Alert == "" {
				continue
			}
			metric := r.Labels["metric"] + r.Labels["statistic"]
			assert.True(t, fires[r.Alert+" "+r.Labels["severity"]+" "+metric], "%s: no test fires %s %s %s", name, r.Alert, r.Labels["severity"], metric)
			assert.True(t, silent[r.Alert], "%s: no test keeps %s silent", name, r.Alert)
		}
	}
}
