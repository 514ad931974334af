package watched_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/monitoring/watched"
)

var digest = watched.Model{Scenario: "channel_digest_ru", Dataset: "benchmark_digest_ru_v1", Name: "qwen-7b-digest-ru"}

func alert(expr string) watched.File {
	return watched.Rules("prometheus/a.yml", []byte("groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: '"+expr+"'\n"))
}

func panel(expr string) watched.File {
	quoted := strings.ReplaceAll(strings.ReplaceAll(expr, `\`, `\\`), `"`, `\"`)
	return watched.Dashboard("grafana/dashboards/a.json", []byte(`{"panels": [{"title": "P", "targets": [{"expr": "`+quoted+`"}]}]}`))
}

func TestWhatAQueryWatches(t *testing.T) {
	for name, test := range map[string]struct {
		expr string
		want []string
	}{
		"by the metric's label":          {`benchmark_metric_value{metric="coverage"} < 0.80`, []string{"coverage"}},
		"by a regular expression":        {`benchmark_metric_value{metric=~"accuracy|coverage"} < 0.80`, []string{"accuracy", "coverage"}},
		"all metrics at once":            {`benchmark_metric_outcome == 2`, []string{"accuracy", "coverage"}},
		"all but one":                    {`benchmark_metric_outcome{metric!="coverage"} == 2`, []string{"accuracy"}},
		"by the series' name":            {`pilot_latency_seconds:p95 > 240`, []string{"latency"}},
		"the runner's duration":          {`max(benchmark_run_duration_seconds) > 240`, []string{"latency"}},
		"the name as a label":            {`{__name__="digest_accuracy"} < 0.85`, []string{"accuracy"}},
		"drift by either word":           {`digest_input_psi > 0.25`, []string{"drift"}},
		"within functions and joins":     {`avg_over_time(digest_coverage[5m]) < 0.8 and on () up == 1`, []string{"coverage"}},
		"this scenario":                  {`digest_coverage{scenario="channel_digest_ru"} < 0.8`, []string{"coverage"}},
		"another scenario":               {`digest_coverage{scenario="review_summary_ru"} < 0.8`, nil},
		"another model":                  {`digest_coverage{model="qwen-7b"} < 0.8`, nil},
		"another dataset by negation":    {`digest_coverage{dataset!="benchmark_digest_ru_v1"} < 0.8`, nil},
		"a word inside another":          {`epsilon_total > 1 or test_coveragex > 1`, nil},
		"a word in a comment or a label": {`up{job="accuracy"} == 0 # coverage`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := alert(test.expr)
			require.Empty(t, f.Problems)
			var got []string
			for _, q := range watched.Quantities() {
				if watched.Find([]watched.File{f}, digest, q).Alert {
					got = append(got, q)
				}
			}
			assert.ElementsMatch(t, test.want, got)
			assert.Equal(t, 5, f.Queries[0].Line)
		})
	}
}

func TestARecordedSeriesStandsForWhatItIsRecordedFrom(t *testing.T) {
	f := watched.Rules("prometheus/a.yml", []byte(`groups:
  - name: g
    rules:
      - record: digest:quality
        expr: benchmark_metric_value{scenario="channel_digest_ru"}
      - alert: Low
        expr: digest:quality{metric="coverage"} < 0.80
`))
	require.Empty(t, f.Problems)
	assert.True(t, watched.Find([]watched.File{f}, digest, watched.Coverage).Alert)
	assert.False(t, watched.Find([]watched.File{f}, digest, watched.Accuracy).Alert, "the alert looks at coverage only")
}

func TestADashboardIsSeenAndAlertsNobody(t *testing.T) {
	for name, expr := range map[string]string{
		"plain":                    `benchmark_metric_value{metric="coverage"}`,
		"with variables":           `avg_over_time(benchmark_metric_value{metric="coverage", scenario="$scenario"}[$__interval]) > $limit`,
		"with variables in braces": `benchmark_metric_value{metric=~"${metric:regex}", scenario=~"[[scenario]]"}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := panel(expr)
			require.Empty(t, f.Problems)
			assert.Equal(t, watched.Watch{Panel: true}, watched.Find([]watched.File{f}, digest, watched.Coverage))
		})
	}
}

func TestPanelsInRowsAndInTheAPIsWrapping(t *testing.T) {
	for name, src := range map[string]string{
		"row":       `{"panels": [{"type": "row", "panels": [{"targets": [{"expr": "digest_coverage"}]}]}]}`,
		"old rows":  `{"rows": [{"panels": [{"targets": [{"expr": "digest_coverage"}]}]}]}`,
		"wrapped":   `{"dashboard": {"panels": [{"targets": [{"expr": "digest_coverage"}]}]}}`,
		"SQL above": `{"panels": [{"targets": [{"rawSql": "select 1"}, {"expr": "digest_coverage"}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := watched.Dashboard("d.json", []byte(src))
			require.Empty(t, f.Problems)
			assert.True(t, watched.Find([]watched.File{f}, digest, watched.Coverage).Panel)
		})
	}
	hidden := watched.Dashboard("d.json", []byte(`{"panels": [{"targets": [{"expr": "digest_coverage", "hide": true}]}]}`))
	assert.False(t, watched.Find([]watched.File{hidden}, digest, watched.Coverage).Panel, "nobody sees a hidden query")
}

func TestWhatCannotBeReadIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		file watched.File
		line int
		text string
	}{
		"expression": {alert(`sum(up`), 5, `group "g", rule 1, "A": could not parse expression: 1:7: parse error: unclosed left parenthesis`},
		"no expr":    {watched.Rules("a.yml", []byte("groups:\n- name: g\n  rules:\n  - alert: A\n")), 0, "field 'expr' must be set in rule"},
		"YAML":       {watched.Rules("a.yml", []byte("groups:\n  - name: g\n rules: [\n")), 2, "did not find"},
		"a key":      {watched.Rules("a.yml", []byte("groups:\n- name: g\n  rule: []\n")), 0, "field rule not found"},
		"JSON":       {watched.Dashboard("d.json", []byte("{\n\"panels\": [}\n")), 2, "invalid character"},
		"a panel":    {panel(`rate(up)`), 1, "expected type range vector"},
		"a long one": {alert("up + " + strings.Repeat("x", 16<<10)), 5, "more than 16384 bytes"},
		"size":       {watched.Rules("a.yml", []byte("groups:\n#"+strings.Repeat("x", watched.MaxBytes))), 0, "bytes, at most"},
		"depth":      {alert(strings.Repeat("(", 101) + "up" + strings.Repeat(")", 101)), 5, "nested deeper than 100"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, test.file.Problems)
			assert.Equal(t, test.line, test.file.Problems[0].Line)
			assert.Contains(t, test.file.Problems[0].Text, test.text)
			assert.False(t, watched.Find([]watched.File{test.file}, digest, watched.Coverage).Alert)
		})
	}
}

func TestOtherFilesOfPrometheusAreNoRules(t *testing.T) {
	for _, src := range []string{"global:\n  scrape_interval: 15s\nscrape_configs: []\n", "rule_files: [a.yml]\ntests: []\n", ""} {
		assert.Empty(t, watched.Rules("prometheus/prometheus.yml", []byte(src)).Problems)
	}
}

// At the caps a file is still read.
func TestAsMuchAsIsAllowedIsRead(t *testing.T) {
	assert.Empty(t, alert(strings.Repeat("(", 100)+"up"+strings.Repeat(")", 100)).Problems)
	assert.Empty(t, alert("u"+strings.Repeat("p", 16<<10-1)).Problems)
	rules := "groups:\n- name: g\n  rules:\n" + strings.Repeat("  - alert: A\n    expr: up\n", 4096)
	assert.Empty(t, watched.Rules("a.yml", []byte(rules)).Problems)
	assert.NotEmpty(t, watched.Rules("a.yml", []byte(rules+"  - alert: A\n    expr: up\n")).Problems)
}

func FuzzRules(f *testing.F) {
	f.Add("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: benchmark_metric_value{metric=\"coverage\"} < 0.8\n")
	f.Add("groups:\n- &a [*a]\n")
	f.Fuzz(func(t *testing.T, src string) {
		file := watched.Rules("a.yml", []byte(src))
		for _, q := range watched.Quantities() {
			watched.Find([]watched.File{file}, digest, q)
		}
		for _, p := range file.Problems {
			assert.NotEmpty(t, p.Text)
		}
	})
}

func FuzzDashboard(f *testing.F) {
	f.Add(`{"panels": [{"title": "P", "targets": [{"expr": "rate(digest_coverage{scenario=\"$s\"}[$__interval])"}]}]}`)
	f.Fuzz(func(t *testing.T, src string) {
		file := watched.Dashboard("a.json", []byte(src))
		for _, q := range watched.Quantities() {
			watched.Find([]watched.File{file}, digest, q)
		}
	})
}

// What `pilotgate monitoring` writes must satisfy the check that advises it.
func TestOurOwnFilesWatchAllFour(t *testing.T) {
	read := func(name string) []byte {
		raw, err := os.ReadFile("../testdata/" + name)
		require.NoError(t, err)
		return raw
	}
	files := []watched.File{
		watched.Rules("prometheus/p.yml", read("ru-digest-2026-01.rules.yml")),
		watched.Rules("prometheus/p.test.yml", read("ru-digest-2026-01.rules.test.yml")),
		watched.Dashboard("grafana/dashboards/p.json", read("ru-digest-2026-01.json")),
	}
	for _, f := range files {
		assert.Empty(t, f.Problems, f.Path)
	}
	for _, q := range watched.Quantities() {
		assert.Equal(t, watched.Watch{Alert: true, Panel: true}, watched.Find(files, digest, q), q)
	}
}
