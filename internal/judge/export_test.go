package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func document(path, text string) dossier.Document {
	return dossier.Document{Path: path, Found: true, Entry: facts.Entry{Mode: "100644", OID: "1"}, Blob: facts.Blob{Bytes: []byte(text)}}
}

const (
	oldWeights = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	newWeights = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestThePointerIsExportedWithThePilotOfItsModel(t *testing.T) {
	models := document("models/registry.yaml", fmt.Sprintf(`models:
- {name: qwen, version: "1.0", digest: %q, status: baseline}
- {name: qwen-digest, version: "1.4", digest: %q, pilot: ru-digest, status: released}
`, oldWeights, newWeights))
	pointer := document("deploy/model_pointer.yaml", fmt.Sprintf(`channel_digest_ru: {model: qwen-digest, version: "1.4", digest: %[2]q, previous: qwen@1.0}
other_weights: {model: qwen-digest, version: "1.4", digest: %[1]q}
review_summary_ru: {model: qwen, version: "1.0", digest: %[1]q}
`, oldWeights, newWeights))
	e := exported(policy.Default(), pointer, models, ledger.Report{}, true)
	assert.Equal(t, []Pointing{
		{"channel_digest_ru", "qwen-digest", "1.4", newWeights, "ru-digest"},
		{"other_weights", "qwen-digest", "1.4", oldWeights, ""},
		{"review_summary_ru", "qwen", "1.0", oldWeights, ""},
	}, e.Deployed)
	assert.Empty(t, exported(policy.Default(), dossier.Document{}, models, ledger.Report{}, true).Deployed)

	many := ""
	for i := range maxPointings + 5 {
		many += fmt.Sprintf("s%03d: {model: qwen, version: \"1.0\", digest: %q}\n", i, oldWeights)
	}
	assert.Len(t, exported(policy.Default(), document("p", many), models, ledger.Report{}, true).Deployed, maxPointings)
}

// evaluated is a record of what a pilot's candidate measured.
func evaluated(pilot string, at time.Time, change func(*evaluation.Evaluation)) ledger.Entry {
	e := &evaluation.Evaluation{
		Scenario: "channel_digest_ru", Measured: true, Candidate: evaluation.Subject{Duration: "81.5"},
		Metrics: []evaluation.Metric{
			{Name: benchmark.Coverage, Candidate: evaluation.Side{Value: "0.91", Outcome: benchmark.Pass}},
			{Name: benchmark.Latency, Candidate: evaluation.Side{Value: "230", Outcome: benchmark.Warn}},
		},
		Drift: []evaluation.Drift{
			{Quantity: evaluation.SummaryLength, Known: true, PSI: "0.3", Noise: "0.1", KSP: "0.2"},
			{Quantity: benchmark.Coverage, Known: false},
		},
	}
	if change != nil {
		change(e)
	}
	return ledger.Entry{Record: ledger.Record{Kind: ledger.KindEvaluation, Predicate: ledger.Predicate{Pilot: pilot, CreatedAt: at, Evaluation: e}}}
}

func TestTheNewestAcceptedResultIsExported(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	of := func(sound bool, entries ...ledger.Entry) []Measurement {
		return exported(policy.Default(), dossier.Document{}, dossier.Document{}, ledger.Report{Entries: entries}, sound).Results
	}
	seconds := 81.5
	want := Measurement{
		Pilot: "ru-digest", Scenario: "channel_digest_ru", Dataset: "benchmark_digest_ru_v1", At: day.AddDate(0, 0, 1), Seconds: &seconds,
		Outcome: benchmark.Warn,
		Metrics: []MetricMeasure{{benchmark.Coverage, 0.91, benchmark.Pass}, {benchmark.Latency, 230, benchmark.Warn}},
		Drift:   []DriftMeasure{{evaluation.SummaryLength, 0.3, 0.1, 0.2}},
	}
	lower := func(e *evaluation.Evaluation) { e.Metrics[0].Candidate.Value = "0.5" }
	newest := evaluated("ru-digest", day.AddDate(0, 0, 1), nil)
	assert.Equal(t, []Measurement{want}, of(true, evaluated("ru-digest", day, lower), newest))
	assert.Equal(t, []Measurement{want}, of(true, newest, evaluated("ru-digest", day, lower)))
	assert.Empty(t, of(false, newest), "a ledger that does not verify has no accepted results")

	for name, change := range map[string]func(*evaluation.Evaluation){
		"reported by its author":   func(e *evaluation.Evaluation) { e.SelfReported = true },
		"the baseline's own":       func(e *evaluation.Evaluation) { e.Measured = false },
		"nothing was there to see": func(e *evaluation.Evaluation) { *e = evaluation.Evaluation{} },
	} {
		assert.Equal(t, []Measurement{want}, of(true, newest, evaluated("ru-digest", day.AddDate(0, 0, 2), change)), name)
	}
	other := ledger.Entry{Record: ledger.Record{Kind: ledger.KindSignoff, Predicate: ledger.Predicate{Pilot: "ru-digest", CreatedAt: day}}}
	assert.Empty(t, of(true, other))

	got := of(true, evaluated("ru-digest", day, func(e *evaluation.Evaluation) {
		e.Metrics[0].Candidate.Problem, e.Metrics[1].Candidate.Value, e.Candidate.Duration = benchmark.ProblemNoEvidence, "", ""
		e.Metrics[1].Candidate.Outcome = benchmark.Fail
	}))
	require.Len(t, got, 1)
	assert.Empty(t, got[0].Metrics, "what is no evidence is not measured")
	assert.Nil(t, got[0].Seconds)
	assert.Equal(t, benchmark.Fail, got[0].Outcome)

	var many []ledger.Entry
	for i := range maxMeasurements + 5 {
		many = append(many, evaluated(fmt.Sprintf("pilot-%d", i), day.AddDate(0, 0, i), nil))
	}
	kept := of(true, many...)
	require.Len(t, kept, maxMeasurements)
	assert.Equal(t, fmt.Sprintf("pilot-%d", maxMeasurements+4), kept[0].Pilot)
}
