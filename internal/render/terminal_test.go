package render

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/rules"
)

func verdictOf(fs ...finding.Finding) judge.Verdict {
	c := judge.Check{Check: rules.Check{Name: rules.Config, Findings: fs}, Conclusion: judge.Success}
	if c.Failed() {
		c.Conclusion = judge.Failure
	}
	return judge.Verdict{
		State: judge.Blocked, Pilot: "ru-digest", Plan: "docs/plan.md", Digest: strings.Repeat("9f2c41aa", 8), Checks: []judge.Check{c},
		Approvals: judge.InProgress, Why: judge.Reason{Key: "checks_failed"},
		Dossier: dossier.Dossier{Pull: &facts.PullRequest{Local: true, Head: facts.Head{OID: "cc"}, Base: facts.Base{Ref: "main", OID: "bb"}}},
	}
}

var seedMissing = finding.Finding{
	Rule: "CF004", Case: "missing", Severity: finding.Error, At: finding.Position{Path: "docs/plan.md", Line: 27, Column: 4},
}

func TestTerminalSaysWhatToDoFirst(t *testing.T) {
	lines := strings.Split(Speak("en").Terminal(verdictOf(seedMissing), Paint{}), "\n")
	assert.Equal(t, "Pilot ru-digest is blocked", lines[0])
	assert.True(t, strings.HasPrefix(lines[1], "Next: mend 1 finding"), lines[1])
	assert.Contains(t, lines, "  docs/plan.md:27:4: error CF004 seed")
}

func TestJSONHasTheFieldsThatOthersRelyOn(t *testing.T) {
	raw, err := Speak("en").JSON(verdictOf(seedMissing))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(raw, &got))
	assert.Equal(t, []any{float64(1), "ru-digest", "docs/plan.md", "cc", strings.Repeat("9f2c41aa", 8), "failure"},
		[]any{got["schema"], got["pilot"], got["plan"], got["head"], got["digest"], got["conclusion"]})
	check := got["checks"].([]any)[0].(map[string]any)
	assert.Equal(t, "pilot/config", check["name"])
	assert.Equal(t, "failure", check["conclusion"])
	f := check["findings"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{"CF004", "error", "docs/plan.md", float64(27), float64(4)},
		[]any{f["rule"], f["severity"], f["path"], f["line"], f["column"]})
	assert.NotEmpty(t, f["message"])
	assert.NotEmpty(t, f["fix"])
}

func TestWarningsAloneAreNoFailure(t *testing.T) {
	warned := seedMissing
	warned.Severity = finding.Warning
	raw, err := Speak("en").JSON(verdictOf(warned))
	require.NoError(t, err)
	assert.Contains(t, string(raw), `"conclusion": "success"`)
	assert.False(t, Fails(verdictOf(warned)))
}

func TestSARIFPointsAtTheBytes(t *testing.T) {
	f := seedMissing
	f.At.EndLine, f.At.EndColumn = 27, 9
	f.At.Path = "docs/a plan (1).md"
	f.Mend = &finding.Mend{Path: f.At.Path, Start: 100, End: 100, Text: "- Seed: 42\n"}
	raw, err := Speak("en").SARIF(verdictOf(f), "1.2.3")
	require.NoError(t, err)
	var got sarifLog
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Len(t, got.Runs, 1)
	r := got.Runs[0].Results[0]
	assert.Equal(t, "docs/a%20plan%20%281%29.md", r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	assert.Equal(t, sarifRegion{StartLine: 27, StartColumn: 4, EndLine: 27, EndColumn: 10}, *r.Locations[0].PhysicalLocation.Region)
	assert.Equal(t, sarifBytes{Offset: 100, Length: 0}, r.Fixes[0].ArtifactChanges[0].Replacements[0].DeletedRegion)
	assert.Equal(t, "CF004", got.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID)
}

func TestPastedTableIsWhatWasRecomputed(t *testing.T) {
	d := decimal.RequireFromString
	run := benchmark.Recompute([]benchmark.Aggregate{
		{Metric: benchmark.Coverage, N: 3, Sum: d("2.64"), Min: d("0.85"), Max: d("0.9"), P95: d("0.9")},
		{Metric: benchmark.Latency, N: 3, Sum: d("400"), Min: d("100"), Max: d("197.94"), P95: d("197.94")},
	}, map[string]benchmark.Band{
		benchmark.Coverage: benchmark.NewBand(benchmark.Higher, "0.88", "0.80", ""),
		benchmark.Latency:  benchmark.NewBand(benchmark.Lower, "210", "240", benchmark.P95),
		benchmark.Accuracy: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", ""),
	})
	p := plan.Parse("plan.md", []byte("# Plan\n\n## Baseline Metrics\n\n"+Speak("en").BaselineTable(run)))
	assert.Empty(t, p.Problems)
	require.Len(t, p.Metrics, 3)
	for i, m := range run.Metrics {
		row := p.Metrics[i]
		assert.Equal(t, m.Metric, row.Metric)
		if m.N == 0 {
			assert.Empty(t, row.Value.Text)
			continue
		}
		assert.True(t, benchmark.AgreesAsPrinted(row.Value.Text, m.Value), "%s: %s", m.Metric, row.Value.Text)
		band := m.Band
		band.Statistic = row.Band.Statistic
		assert.True(t, row.Band.Equal(band), m.Metric)
		outcome, ok := benchmark.ParseOutcome(row.Status.Text)
		assert.True(t, ok)
		assert.Equal(t, m.Outcome, outcome)
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[string]string{"0.001": "0.1 %", "0.005": "0.5 %", "0.01": "1 %", "0.02": "2 %", "0.1": "10 %", "0.125": "12.5 %"} {
		assert.Equal(t, want, percent(share))
	}
}

func TestBlanks(t *testing.T) {
	assert.Equal(t, "‹n› findings in `‹path›`", blanks("{n} {n:finding|findings} in `{path}`"))
	assert.Equal(t, "open {", blanks("open {"))
}

// What an author wrote must not move a terminal's cursor, change its colours
// or begin a line of its own.
func FuzzTerminal(f *testing.F) {
	f.Add("plan\x1b[2J.md", "42\r\n✓ Config  fine")
	f.Add("a\u009b31mb", "\u202eevil")
	f.Fuzz(func(t *testing.T, path, value string) {
		wrong := finding.Finding{
			Rule: "CF003", Case: "not_full", Severity: finding.Error, At: finding.Position{Path: path, Line: 3},
			Args: map[string]string{"value": value},
		}
		clean := wrong
		clean.At.Path, clean.Args = "p", map[string]string{"value": "v"}
		if path == "" {
			clean.At.Path = ""
		}
		w := Speak("en")
		got, want := w.FindingLine(wrong, Paint{}), w.FindingLine(clean, Paint{})
		if strings.ContainsFunc(strings.ReplaceAll(got, "\n", ""), func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("a control character in %q", got)
		}
		if strings.Count(got, "\n") != strings.Count(want, "\n") {
			t.Fatalf("another line in %q", got)
		}
	})
}
