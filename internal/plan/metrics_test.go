package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

// row is what a test expects of a metric row.
type row struct{ metric, statistic, value, band, status string }

func rowsOf(rows []plan.MetricRow) []row {
	var got []row
	for _, m := range rows {
		got = append(got, row{m.Metric, m.Statistic, m.Value.Text, m.Band.String(), m.Status.Text})
	}
	return got
}

func TestMetricTablesInAnyOrderOfColumns(t *testing.T) {
	want := []row{{"coverage", "", "0.89", "≥0.88 pass / ≥0.80 warn", "Pass"}, {"latency_seconds", "p95", "198 s", "≤210 pass", "Pass"}}
	for name, src := range map[string]string{
		"Metric Value Threshold Status": "| Metric | Value | Threshold | Status |\n|---|---|---|---|\n| Coverage | 0.89 | ≥0.88 pass / ≥0.80 warn | Pass |\n| Latency (P95) | 198 s | ≤210s | Pass |\n",
		"Status Threshold Value Metric": "| Status | Threshold | Value | Metric |\n|---|---|---|---|\n| Pass | ≥0.88 pass / ≥0.80 warn | 0.89 | coverage |\n| Pass | ≤210s | 198 s | latency P95 |\n",
		"more columns":                  "| # | Metric | n | Value | Threshold | Status | Comment |\n|---|---|---|---|---|---|---|\n| 1 | Coverage | 40 | 0.89 | ≥0.88 pass / ≥0.80 warn | Pass | fine |\n| 2 | Latency P95 | 40 | 198 s | ≤210s | Pass | |\n",
		"statistic in its own column":   "| Metric | Statistic | Value | Threshold | Status |\n|---|---|---|---|---|\n| Coverage | | 0.89 | ≥0.88 pass / ≥0.80 warn | Pass |\n| Latency | P95 | 198 s | ≤210s | Pass |\n",
		"Russian":                       "| Статус | Метрика | Порог | Значение |\n|---|---|---|---|\n| Pass | Покрытие | ≥0.88 pass / ≥0.80 warn | 0.89 |\n| Pass | Задержка, P95 | ≤210s | 198 s |\n",
		"no outer pipes":                "Metric | Value | Threshold | Status\n---|---|---|---\nCoverage | 0.89 | ≥0.88 pass / ≥0.80 warn | Pass\nLatency (P95) | 198 s | ≤210s | Pass\n",
		"marks in cells":                "| **Metric** | *Value* | `Threshold` | Status |\n|:--|--:|:-:|---|\n| **Coverage** | `0.89` | `≥0.88 pass / ≥0.80 warn` | **Pass** |\n| `Latency (P95)` | 198 s | ≤210s | Pass |\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte("## Baseline Metrics\n\n"+src))
			assert.Equal(t, want, rowsOf(p.Metrics))
			assert.Empty(t, p.Acceptance)
			assert.Empty(t, p.Problems)
		})
	}
}

func TestCellsOfAMetricTableKeepTheirPlace(t *testing.T) {
	p := plan.Parse("a.md", []byte("## Baseline\n\n| Метрика | Value | Threshold | Status |\n|---|---|---|---|\n| Покрытие | TBD | ≥ 0,88 |  |\n"))
	require.Len(t, p.Metrics, 1)
	m := p.Metrics[0]
	assert.Equal(t, at{5, 3, 5, 10}, placeOf(m.Name.At))
	assert.Equal(t, at{5, 14, 5, 16}, placeOf(m.Value.At), "an absent value keeps its place")
	assert.Empty(t, m.Value.Text)
	assert.Equal(t, at{5, 20, 5, 25}, placeOf(m.Threshold.At))
	assert.Equal(t, 5, m.Status.At.Line)
	assert.Equal(t, m.Status.Start, m.Status.End, "an empty cell can be filled by an insertion")
}

func TestAcceptanceInEveryDress(t *testing.T) {
	want := []row{{"coverage", "", "", "≥0.90 pass", ""}, {"latency_seconds", "p95", "", "≤210 pass", ""}}
	for name, src := range map[string]string{
		"bullets":         "- Coverage ≥ 0.90\n- Latency P95 ≤ 210 s\n",
		"keys":            "- Coverage: ≥ 0.90\n- Latency (P95): ≤ 210 s\n",
		"words":           "- Coverage must be at least 0.90\n- Latency P95 stays within 210 s\n",
		"nested":          "- Acceptance:\n  - Coverage — ≥ 0.90\n  - Latency P95 — ≤ 210 s\n",
		"one line":        "- Acceptance: coverage ≥ 0.90, latency P95 ≤ 210 s\n",
		"one sentence":    "Coverage ≥ 0.90; Latency P95 ≤ 210 s.\n",
		"wrapped":         "Coverage ≥ 0.90\nLatency P95 ≤ 210 s\n",
		"table":           "| Metric | Acceptance |\n|---|---|\n| Coverage | ≥ 0.90 |\n| Latency (P95) | ≤ 210 s |\n",
		"threshold table": "| Metric | Threshold |\n|---|---|\n| Coverage | ≥ 0.90 |\n| Latency (P95) | ≤ 210 s |\n",
		"value and below": "- Coverage\n  - Threshold: ≥ 0.90\n- Latency (P95)\n  - Threshold: ≤ 210 s\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte("## Evaluation Plan\n\n"+src))
			assert.Equal(t, want, rowsOf(p.Acceptance))
			assert.Empty(t, p.Metrics)
			assert.Empty(t, p.Problems)
		})
	}
}

func TestAcceptanceBesideTheBaseline(t *testing.T) {
	p := plan.Parse("a.md", []byte("## Baseline Metrics\n\n| Metric | Value | Threshold | Acceptance |\n|---|---|---|---|\n| Coverage | 0.86 | ≥0.88 | ≥0.90 |\n"))
	assert.Equal(t, []row{{"coverage", "", "0.86", "≥0.88 pass", ""}}, rowsOf(p.Metrics))
	assert.Equal(t, []row{{"coverage", "", "", "≥0.90 pass", ""}}, rowsOf(p.Acceptance))
}

func TestDriftMetrics(t *testing.T) {
	for name, src := range map[string]string{
		"one line": "- Drift metrics: PSI, KS on length\n", "nested": "- Drift metrics:\n  - PSI\n  - KS on length\n", "section": "## Drift\n\n- PSI\n- KS on length\n",
		"front matter": "---\ndrift_metrics: [PSI, KS on length]\n---\n", "Russian": "- Метрики дрейфа: PSI; KS on length\n", "two words": "Drift: PSI, and KS on length\n",
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, v := range plan.Parse("a.md", []byte(src)).Drift {
				got = append(got, v.Text)
			}
			assert.Equal(t, []string{"PSI", "KS on length"}, got)
		})
	}
}

func TestWaivers(t *testing.T) {
	const sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for name, src := range map[string]string{
		"table":        "## Waivers\n\n| Expires | Rule | Pointer | Line | File sha256 | Owner | Reason |\n|---|---|---|---|---|---|---|\n| 2026-12-31 | PII101 | `/source_text` | 12 | `" + sha + "` | @irina | hotline |\n",
		"bullet":       "## Waivers\n\n- `PII101`, line 12, `/source_text`, file sha256 `" + sha + "`, owner @irina, reason: hotline, expires 2026-12-31\n",
		"bare parts":   "## Исключения\n\n- PII101: hotline; line: 12; /source_text; " + sha + "; @irina; до 2026-12-31\n",
		"front matter": "---\nwaivers:\n  - {rule: PII101, file_sha256: \"" + sha + "\", line: 12, pointer: /source_text, owner: \"@irina\", reason: \"hotline\", expires: 2026-12-31}\n---\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(src))
			require.Empty(t, p.Problems)
			require.Len(t, p.Waivers, 1)
			w := p.Waivers[0]
			assert.Equal(t, []string{"PII101", sha, "12", "/source_text", "@irina", "hotline", "2026-12-31"},
				[]string{w.Rule.Text, w.FileSHA256.Text, w.Line.Text, w.Pointer.Text, w.Owner.Text, w.Reason.Text, w.Expires.Text})
		})
	}
}

func TestNoWaivers(t *testing.T) {
	for _, src := range []string{"None.\n", "—\n", "There are no waivers for this pilot.\n", "| Rule | Reason |\n|---|---|\n| — | — |\n"} {
		t.Run(src, func(t *testing.T) {
			p := plan.Parse("a.md", []byte("## Waivers\n\n"+src))
			assert.Empty(t, p.Waivers)
			assert.Empty(t, p.Problems)
		})
	}
}

func TestMendsReplaceExactlyWhatIsWrong(t *testing.T) {
	src := "---\npilot: RU digest_1\nlearning_rte: 2e-5\n---\n# Pilot\n"
	p := plan.Parse("a.md", []byte(src))
	require.Equal(t, []string{"PL002 bad_id", "PL007 misspelt_key"}, cases(p))
	mended := src
	for i := len(p.Problems) - 1; i >= 0; i-- { // from the end, so that offsets hold
		m := p.Problems[i].Mend
		require.NotNil(t, m)
		mended = mended[:m.Start] + m.Text + mended[m.End:]
	}
	assert.Equal(t, "---\npilot: ru-digest-1\nlearning_rate: 2e-5\n---\n# Pilot\n", mended)
	assert.Empty(t, plan.Parse("a.md", []byte(mended)).Problems)
}
