package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// signoffIngredient names, in an evaluation that no run made, the payload digest
// of the sign-off that it is of.
const signoffIngredient = "signoff record"

// evaluates tells whether a record is the evaluation of a sign-off.
func evaluates(r ledger.Record, signoff ledger.Entry) bool {
	switch {
	case r.Kind != ledger.KindEvaluation || r.Pilot != signoff.Record.Pilot:
		return false
	case r.Run != nil:
		return r.Run.Signoff == signoff.Digest
	}
	return r.Ingredients[signoffIngredient] == signoff.Digest
}

// source is where accepted results come from.
type source struct {
	results      rules.Results
	selfReported bool
	name         string        // of the sample files: the run's id, or what else brought them
	of           ledger.Record // whose repository, pilot, commits and subjects the record has
	subjects     []ledger.Subject
	ingredients  map[string]string
	unique       string // what no two evaluations share
	at           time.Time
}

// evaluate judges the candidate, and makes the record of it that is due, with
// the samples that it rests on. A key says why results cannot be kept.
func (v *PilotVerdict) evaluate(from source) (args []string, refused string) {
	r := from.results
	in := v.evaluationInput(r)
	in.SelfReported = from.selfReported
	e := evaluation.Judge(in)
	sum := sha256.Sum256([]byte("pilotgate/evaluation/v1\n" + from.unique + "\n"))
	record := ledger.Record{Kind: ledger.KindEvaluation, Subjects: slices.Clone(from.of.Subjects), Predicate: from.of.Predicate}
	record.Subjects = append(record.Subjects, from.subjects...)
	record.Subjects = append(record.Subjects, ledger.Subject{Name: "model", URI: r.Manifest.Model.Name, SHA256: strings.TrimPrefix(r.Manifest.Model.Digest, "sha256:")})
	folder := ledger.ResultsPath(v.Policy.Paths.Evidence, v.ID)
	files := map[string][]byte{}
	for side, run := range map[string]benchmark.RunnerResult{evaluation.BaselineSide: r.Baseline, evaluation.CandidateSide: r.Candidate} {
		parts, err := evaluation.SampleFiles(from.name, side, run.Samples)
		if err != nil {
			return []string{"what", side + ".json"}, "unreadable"
		}
		for _, f := range parts {
			files[folder+f.Name] = f.Bytes
		}
	}
	for path, b := range files {
		hash := sha256.Sum256(b)
		record.Subjects = append(record.Subjects, ledger.Subject{Name: "samples", URI: path, SHA256: hex.EncodeToString(hash[:])})
	}
	slices.SortFunc(record.Subjects, func(a, b ledger.Subject) int { return strings.Compare(a.Name+"\n"+a.URI, b.Name+"\n"+b.URI) })
	p := &record.Predicate
	p.Digest, p.Prev, p.Launch, p.Evaluation = "sha256:"+hex.EncodeToString(sum[:]), "", v.Entry.Record.Launch, &e
	p.Ingredients = maps.Clone(from.ingredients)
	p.Ingredients["signoff"] = v.Entry.Record.Digest
	p.CreatedAt = from.at.UTC().Truncate(time.Second)
	v.Launch.Due, v.Launch.Results = &record, files
	return nil, ""
}

// evaluationInput is the candidate beside its baseline, judged by what was
// signed off: bands and acceptance as they were when the plan was merged.
func (v *PilotVerdict) evaluationInput(r rules.Results) evaluation.Input {
	q := v.Request
	signed := v.Entry.Record.Launch
	in := evaluation.Input{
		Scenario: signed.Scenario, Bands: q.Bands.Metrics, Acceptance: map[string]benchmark.Band{},
		Limits:    evaluation.Limits{PSI: v.Policy.Drift.PSI, KSP: v.Policy.Drift.KSP},
		Baseline:  evaluation.Run{Model: baselineModel(v), Result: r.Baseline},
		Candidate: evaluation.Run{Model: r.Manifest.Model, Result: r.Candidate},
		Prompt:    signed.PromptVersion, Seed: evaluation.SeedOf(v.Entry.Record.Digest),
	}
	for _, row := range q.Plan.Acceptance {
		if row.Metric != "" {
			in.Acceptance[row.Metric] = row.Band
		}
	}
	if t, ok := q.Plan.Get("latency_tolerance"); ok {
		in.LatencyTolerance = t.Text
	}
	if f := q.Evaluation.Scan.Facts; f != nil {
		in.Recomputed = rules.Aggregates(f)
		in.Leakage = leakage(q.Dataset.Scan.Facts, f)
	}
	return in
}

func baselineModel(v *PilotVerdict) evaluation.Model {
	if e, ok := v.Request.BaseRegistry.Find(v.Entry.Record.Launch.BaselineModel); ok {
		return evaluation.Model{Name: e.Name, Version: e.Version, Digest: e.Digest}
	}
	return evaluation.Model{Name: v.Entry.Record.Launch.BaselineModel}
}

// leakage is what the scan found of the evaluation data in the training data.
func leakage(training, eval *dataset.Facts) evaluation.Leakage {
	out := evaluation.Leakage{Compared: training != nil, Of: eval.Records}
	if training == nil {
		return out
	}
	for _, c := range training.Counts {
		switch c.Rule {
		case "DS040":
			out.Same += c.N
		case "DS041":
			out.Near += c.N
		}
	}
	return out
}
