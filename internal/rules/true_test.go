package rules_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// truePlans are the sample's pilot written by many hands, with {{name}} where a
// figure or path of the sample stands ({{name,}}: with a decimal comma). They
// are complete and true.
const truePlans = "../../testdata/plans/true"

// stated is what each of them says, whatever its words.
var stated = map[plan.Field]string{
	plan.Initiator: "dana", plan.Scenario: sample.Scenario, plan.Dataset: sample.Dataset, plan.DataCard: sample.DataCard,
	plan.EvaluationDataset: sample.EvaluationData, plan.TargetModel: "qwen-7b-digest-ru", plan.PromptVersion: "digest_v3",
	plan.Epochs: "3", plan.BatchSize: "8", plan.LearningRate: "0.00002", plan.MaxInputTokens: "4096", plan.HardwareCount: "2",
	plan.Seed: "42", plan.Commit: baseID, plan.RollbackTarget: "qwen-7b@0.9", plan.Pointer: "deploy/model_pointer.yaml", plan.TargetRelease: "1.4.0",
	plan.Records: "12",
}

// optional are stated by some of them only.
var optional = map[plan.Field]string{
	plan.Config: "configs/pilot_digest_ru.yaml", plan.Script: "scripts/training/finetune.py", plan.PromptFile: "prompts/digest_v3.md", plan.Locale: "ru", plan.EvaluationRecords: "6",
}

func trueCase(t *testing.T, src []byte) (*testCase, []byte) {
	t.Helper()
	c := readCase(t, []byte("A plan in another hand.\nprofile: full\n"))
	own := plan.Parse(sample.Plan, c.head[sample.Plan])
	value := func(f plan.Field) string {
		v, ok := own.Get(f)
		require.True(t, ok)
		return v.Text
	}
	figures := map[string]string{
		"dataset": sample.Dataset, "sha": value(plan.DatasetSHA256), "n": value(plan.Records), "card": sample.DataCard,
		"eval": sample.EvaluationData, "esha": value(plan.EvaluationSHA256), "en": value(plan.EvaluationRecords), "commit": baseID,
	}
	for _, m := range own.Metrics {
		name := strings.TrimSuffix(m.Metric, "_seconds")
		figures[name] = strings.TrimSuffix(m.Value.Text, " s")
		figures[name+"%"] = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(figures[name], "0."), "0"), ".")
		figures[name+","] = strings.ReplaceAll(figures[name], ".", ",")
	}
	out := regexp.MustCompile(`\{\{[a-z,%]+\}\}`).ReplaceAllFunc(src, func(m []byte) []byte {
		v, ok := figures[strings.Trim(string(m), "{}")]
		require.True(t, ok, "%s", m)
		return []byte(v)
	})
	c.head[sample.Plan] = out
	return c, out
}

func eachTruePlan(t *testing.T, test func(t *testing.T, src []byte)) {
	t.Helper()
	files, err := filepath.Glob(truePlans + "/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			test(t, src)
		})
	}
}

// told leaves out the notes that no plan can avoid: how the data's worst sample
// is, and that a range printed as 0.80–0.87 is read up to 0.88.
func told(found []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(found, func(f finding.Finding) bool { return f.Rule == "BL009" || f.Rule == "PL009" && f.Case == "gap" })
}

func TestACompleteAndTruePlanHasNoFindingInAnyHand(t *testing.T) {
	t.Parallel()
	eachTruePlan(t, func(t *testing.T, src []byte) {
		c, text := trueCase(t, src)
		_, found := c.run(t)
		assert.Empty(t, list(told(found)))
		assert.Empty(t, strings.Join(misread(plan.Parse(sample.Plan, text)), "\n"))
	})
}

// misread lists what a true plan says and is read otherwise.
func misread(p plan.Plan) (wrong []string) {
	differs := func(what, want, got string) {
		if want != got {
			wrong = append(wrong, fmt.Sprintf("%s: %q is read as %q", what, want, got))
		}
	}
	fields := p.Facts().Fields
	for _, f := range slices.Sorted(maps.Keys(stated)) {
		differs(string(f), stated[f], strings.Join(fields[f], " | "))
	}
	for _, f := range slices.Sorted(maps.Keys(optional)) {
		if got := strings.Join(fields[f], " | "); got != "" {
			differs(string(f), optional[f], strings.TrimSuffix(got, "-ru"))
		}
	}
	for f, part := range map[plan.Field]string{plan.Optimiser: "adamw", plan.Hardware: "a100", plan.Hours: "6"} {
		if v, _ := p.Get(f); !strings.Contains(strings.ToLower(v.Text), part) || len(v.Text) > 40 {
			differs(string(f), part, v.Text)
		}
	}
	for _, d := range p.Drift {
		if len(d.Text) > 60 {
			differs("drift", "a metric", d.Text)
		}
	}
	rows := func(rows []plan.MetricRow) string {
		var out []string
		for _, r := range rows {
			if r.Band.Empty() {
				continue // a baseline repeated beside the acceptance
			}
			out = append(out, r.Metric+" "+r.Band.String())
		}
		return strings.Join(out, ", ")
	}
	differs("baseline", "coverage ≥0.88 pass / ≥0.80 warn, accuracy ≥0.90 pass / ≥0.85 warn, coherence ≥0.90 pass / ≥0.85 warn, "+
		"informativeness ≥0.88 pass / ≥0.82 warn, latency_seconds ≤210 pass / ≤240 warn", rows(p.Metrics))
	differs("acceptance", "coverage ≥0.90 pass, accuracy ≥0.91 pass, coherence ≥0.90 pass, informativeness ≥0.88 pass, latency_seconds ≤210 pass", rows(p.Acceptance))
	return wrong
}

// missed is the rule that tells each field when it is not there.
var missed = map[plan.Field]string{
	plan.Initiator: "PL020", plan.Scenario: "PL021", plan.DataCard: "PL023", plan.EvaluationDataset: "PL024", plan.PromptVersion: "PL025", plan.Records: "PL029",
	plan.BaselineModel: "CF001", plan.TargetModel: "CF002", plan.Commit: "CF003", plan.Seed: "CF004", plan.DatasetSHA256: "CF005", plan.Epochs: "CF006",
	plan.BatchSize: "CF007", plan.LearningRate: "CF008", plan.Optimiser: "CF009", plan.MaxInputTokens: "CF010", plan.Hardware: "CF011", plan.HardwareCount: "CF011",
	plan.Hours: "CF011", plan.RollbackTarget: "OP004", plan.Pointer: "OP005", plan.TargetRelease: "OP002", plan.Dataset: "DS060",
}

// Each field is left open in turn ("TBD" where it stood), then taken away with
// its lines. It is told once, nothing else is, and an open place is told where
// it is.
func TestWhatAPlanDoesNotStateIsToldOnceAtTheBestLine(t *testing.T) {
	t.Parallel()
	eachTruePlan(t, func(t *testing.T, src []byte) {
		c, text := trueCase(t, src)
		p := plan.Parse(sample.Plan, text)
		var wrong []string
		for _, f := range slices.Sorted(maps.Keys(missed)) {
			open, lines := withOpen(p, text, f)
			c.head[sample.Plan] = open
			_, found := c.run(t)
			if got := told(found); len(got) != 1 || got[0].Rule != missed[f] || !near(lines, got[0].At.Line) {
				wrong = append(wrong, fmt.Sprintf("%s is TBD at %v: %s", f, slices.Sorted(maps.Keys(lines)), list(got)))
			}
			without, ok := withoutLines(p, text, f)
			if !ok {
				continue
			}
			c.head[sample.Plan] = without
			_, found = c.run(t)
			if got := told(found); len(got) != 1 || got[0].Rule != missed[f] || got[0].At.Line == 0 {
				wrong = append(wrong, fmt.Sprintf("%s is taken away: %s", f, list(got)))
			}
		}
		assert.Empty(t, strings.Join(wrong, "\n"))
	})
}

// near: the line itself, or that of the key or heading right above it.
func near(lines map[int]bool, at int) bool {
	for above := range 5 {
		if lines[at+above] {
			return true
		}
	}
	return lines[at-1] // the other half of a compute line
}

// withOpen puts TBD in each place where the field stands.
func withOpen(p plan.Plan, text []byte, f plan.Field) (open []byte, lines map[int]bool) {
	values := slices.Clone(p.Fields[f])
	slices.SortFunc(values, func(a, b plan.Value) int { return b.Start - a.Start })
	open, lines = slices.Clone(text), map[int]bool{}
	for _, v := range values {
		if v.End > v.Start {
			if i := bytes.LastIndexByte(open[:v.Start], '['); i >= 0 && bytes.HasPrefix(open[v.End:], []byte(")")) {
				v.Start, v.End = i, v.End+1 // the whole link
			}
			open = slices.Concat(open[:v.Start], []byte("TBD"), open[v.End:])
			lines[v.At.Line] = true
		}
	}
	return open, lines
}

// withoutLines takes the field's lines away; false where others share them.
func withoutLines(p plan.Plan, text []byte, f plan.Field) ([]byte, bool) {
	switch f {
	case plan.Dataset, plan.EvaluationDataset, plan.BaselineModel, plan.PromptVersion:
		return nil, false // the lines below speak of it
	}
	gone := map[int]bool{}
	for _, v := range p.Fields[f] {
		gone[v.At.Line] = true
	}
	for other, values := range p.Fields {
		for _, v := range values {
			if other != f && gone[v.At.Line] {
				return nil, false
			}
		}
	}
	for _, rows := range [][]plan.MetricRow{p.Metrics, p.Acceptance} {
		for _, r := range rows {
			if gone[r.Name.At.Line] || gone[r.Value.At.Line] || gone[r.Threshold.At.Line] {
				return nil, false
			}
		}
	}
	var kept []string
	for i, line := range strings.SplitAfter(string(text), "\n") {
		if !gone[i+1] {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, "")), true
}
