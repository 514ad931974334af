package plan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/plan"
)

func tableOf(metric, threshold string) []byte {
	return fmt.Appendf(nil, "## Baseline Metrics\n\n| Metric | Value | Threshold |\n|---|---|---|\n| %s | 0.5 | %s |\n", metric, threshold)
}

func bandOf(t *testing.T, src []byte) plan.MetricRow {
	t.Helper()
	p := plan.Parse("a.md", src)
	require.Len(t, p.Metrics, 1)
	return p.Metrics[0]
}

func TestThresholdDialectsReadToOneBand(t *testing.T) {
	for _, c := range []struct{ metric, threshold, band string }{
		{"Coverage", "≥0.88 pass / ≥0.80 warn", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥0.88 pass, ≥0.80 warn", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥ 0.88 pass; ≥ 0.80 warn", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "pass ≥0.88, warn ≥0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "pass: >= 0.88; warn: >= 0.80; fail: < 0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥0.88 pass ≥0.80 warn", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "pass ≥0.88 warn ≥0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥0.88 / ≥0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "0.88 / 0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥0,88 pass / ≥0,80 warn", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "🟢 ≥ 0.88 🟡 ≥ 0.80", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥ 0.88 (pass), 0.80 – 0.88 (warn), < 0.80 (fail)", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "0.80 ≤ v < 0.88 warn, ≥ 0.88 pass", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "≥0.88 проход / ≥0.80 предупреждение", "≥0.88 pass / ≥0.80 warn"},
		{"Покрытие", "не менее 0,88 (норма), не ниже 0,80 (предупреждение)", "≥0.88 pass / ≥0.80 warn"},
		{"Coverage", "0.91 (pass)", "≥0.91 pass"},
		{"Coverage", ">=0.88", "≥0.88 pass"},
		{"Coverage", "=> 0.88", "≥0.88 pass"},
		{"Coverage", "0.88", "≥0.88 pass"},
		{"Coverage", "at least 0.88", "≥0.88 pass"},
		{"Coverage", "min 0.88", "≥0.88 pass"},
		{"Coverage", "88 %", "≥0.88 pass"},
		{"Coverage", "**≥ `0.88`**", "≥0.88 pass"},
		{"Coverage", "&ge;&nbsp;0.88", "≥0.88 pass"},
		{"Latency (P95)", "≤210s", "≤210 pass"},
		{"Latency (P95)", "<=210 s", "≤210 pass"},
		{"Latency (P95)", "210 s", "≤210 pass"},
		{"Latency (P95)", "3.4s", "≤3.4 pass"},
		{"Latency (P95)", "≤ 210 s pass / ≤ 240 s warn", "≤210 pass / ≤240 warn"},
		{"Latency (P95)", "≤ 3,5 мин", "≤210 pass"},
		{"Latency (P95)", "≤ 850 ms", "≤0.850 pass"},
		{"Latency (P95)", "P95 ≤ 210 s", "≤210 pass"},
		{"Latency (P95)", "up to 1 250 s", "≤1250 pass"},
		{"Latency (P95)", "не более 210 с", "≤210 pass"},
		{"Latency (P95)", "pass ≤ 210, warn 210–240, fail > 240", "≤210 pass / ≤240 warn"},
		{"Latency (P95)", "0–210 s", "≤210 pass"},
		{"Coverage", "TBD", "—"},
		{"Coverage", "—", "—"},
		{"Coverage", "", "—"},
		{"Coverage", "n/a", "—"},
	} {
		t.Run(c.metric+" "+c.threshold, func(t *testing.T) {
			row := bandOf(t, tableOf(c.metric, c.threshold))
			assert.Equal(t, c.band, row.Band.String())
			assert.Empty(t, row.BandNotes)
			assert.Equal(t, benchmark.DirectionOf(row.Metric), row.Band.Better)
		})
	}
}

func TestDoubtfulThresholdsAreTold(t *testing.T) {
	for _, c := range []struct {
		name, metric, threshold, band string
		note                          plan.BandNote
	}{
		{"bands with a gap", "Coverage", "pass ≥ 0.88, warn 0.80–0.87, fail < 0.80", "≥0.88 pass / ≥0.80 warn", plan.BandGap},
		{"latency with a gap", "Latency", "pass ≤ 210, warn 211–240, fail > 240", "≤210 pass / ≤240 warn", plan.BandGap},
		{"a sign that excludes its value", "Coverage", "> 0.88", "≥0.88 pass", plan.BandStrict},
		{"a sign the wrong way", "Coverage", "≤ 0.88", "≤0.88 pass", plan.BandDirection},
		{"latency the wrong way", "Latency", "≥ 210 s", "≥210 pass", plan.BandDirection},
		{"warn better than pass", "Coverage", "≥0.80 pass / ≥0.88 warn", "≥0.80 pass / ≥0.88 warn", plan.BandDisordered},
		{"overlapping bands", "Coverage", "pass ≥ 0.88, warn 0.80–0.90", "≥0.88 pass / ≥0.80 warn", plan.BandContradiction},
		{"pass twice", "Coverage", "≥0.88 pass / ≥0.80 pass", "≥0.88 pass", plan.BandContradiction},
		{"relative to the baseline", "Coverage", "baseline + 0.02", "—", plan.BandRelative},
		{"words", "Coverage", "good enough", "—", plan.BandUnreadable},
		{"a label without a number", "Coverage", "pass", "—", plan.BandUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := tableOf(c.metric, c.threshold)
			row := bandOf(t, src)
			assert.Equal(t, c.band, row.Band.String())
			assert.Equal(t, []plan.BandNote{c.note}, row.BandNotes)
			assert.Contains(t, cases(plan.Parse("a.md", src)), "PL009 "+string(c.note))
		})
	}
}

func TestThreeColumnsReadLikeOne(t *testing.T) {
	row := bandOf(t, []byte("## Baseline\n\n| Fail | Metric | Warn | Value | Pass |\n|---|---|---|---|---|\n| < 0.80 | Coverage | 0.80–0.87 | 0.89 | ≥ 0.88 |\n"))
	assert.Equal(t, "≥0.88 pass / ≥0.80 warn", row.Band.String())
	assert.Equal(t, []plan.BandNote{plan.BandGap}, row.BandNotes)
	assert.Equal(t, "0.89", row.Value.Text)
}

func TestBandsAreDecimalsNotFloats(t *testing.T) {
	row := bandOf(t, tableOf("Coverage", "≥0.1 pass"))
	v, err := plan.Value{Text: "0.1"}.Decimal()
	require.NoError(t, err)
	assert.Equal(t, benchmark.Pass, row.Band.Judge(v))
}

func TestStatusWords(t *testing.T) {
	for text, want := range map[string]benchmark.Outcome{
		"Pass": benchmark.Pass, "✅": benchmark.Pass, "✅ pass": benchmark.Pass, "**PASS**": benchmark.Pass, "проход": benchmark.Pass, "⚠️ Warn": benchmark.Warn, "Предупреждение": benchmark.Warn, "Fail": benchmark.Fail, "❌": benchmark.Fail,
	} {
		t.Run(text, func(t *testing.T) {
			got, ok := plan.MetricRow{Status: plan.Value{Text: text}}.Outcome()
			require.True(t, ok)
			assert.Equal(t, want, got)
		})
	}
	for _, text := range []string{"", "pending", "pass or fail", "0.9"} {
		t.Run("not a status: "+text, func(t *testing.T) {
			_, ok := plan.MetricRow{Status: plan.Value{Text: text}}.Outcome()
			assert.False(t, ok)
		})
	}
}
