package judge

import (
	"slices"
	"strconv"
	"time"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// Export is what of a repository is shown as metrics: what is deployed, and the
// accepted results that are on record.
type Export struct {
	Deployed []Pointing
	Results  []Measurement
}

// Pointing is one scenario's deployment pointer. Pilot is whose pilot made the
// model, as the registry says; "" for a model that no pilot made.
type Pointing struct {
	Scenario, Model, Version, Digest, Pilot string
}

// Measurement is the newest accepted result of a pilot's model.
type Measurement struct {
	Pilot, Scenario, Dataset string
	At                       time.Time // when it was recorded
	Seconds                  *float64  // the run took; nil: not known
	Outcome                  benchmark.Outcome
	Metrics                  []MetricMeasure
	Drift                    []DriftMeasure
}

// MetricMeasure is one metric by the statistic of its band.
type MetricMeasure struct {
	Name    string
	Value   float64
	Outcome benchmark.Outcome
}

// DriftMeasure is how far one quantity moved from the baseline's run.
type DriftMeasure struct {
	Quantity        string
	PSI, Noise, KSP float64
}

// Caps of one repository's export: whoever writes to the default branch must
// not fill the memory of the server or of Prometheus.
const (
	maxPointings    = 100
	maxMeasurements = 50 // pilots, the newest results first
)

// exported is what the documents of the default branch say. A ledger that does
// not verify has no accepted results.
func exported(p policy.Policy, pointer, models dossier.Document, report ledger.Report, sound bool) Export {
	var out Export
	if pointer.Readable() {
		var known registry.Registry
		if models.Readable() {
			known = facts.Read(models.Blob, models.Path, registry.Parse)
		}
		target := facts.Read(pointer.Blob, pointer.Path, registry.ParsePointer)
		for _, scenario := range target.Scenarios() {
			t := target.Targets[scenario]
			at := Pointing{Scenario: scenario, Model: t.Model, Version: t.Version, Digest: t.Digest}
			if e, ok := known.Find(t.ID()); ok && e.Digest == t.Digest {
				at.Pilot = e.Pilot
			}
			out.Deployed = append(out.Deployed, at)
		}
		out.Deployed = out.Deployed[:min(len(out.Deployed), maxPointings)]
	}
	if !sound {
		return out
	}
	newest := map[string]Measurement{}
	for _, e := range report.Entries {
		m, ok := measurement(p, e.Record)
		if had, is := newest[m.Pilot]; ok && (!is || !m.At.Before(had.At)) {
			newest[m.Pilot] = m
		}
	}
	for _, m := range newest {
		out.Results = append(out.Results, m)
	}
	slices.SortFunc(out.Results, func(a, b Measurement) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return compare(a.Pilot, b.Pilot)
	})
	out.Results = out.Results[:min(len(out.Results), maxMeasurements)]
	return out
}

// measurement is the candidate's side of an evaluation record. What the author
// reports, and figures that are not the candidate's, are no accepted result.
func measurement(p policy.Policy, r ledger.Record) (Measurement, bool) {
	e := r.Evaluation
	if r.Kind != ledger.KindEvaluation || e == nil || e.SelfReported || !e.Measured {
		return Measurement{}, false
	}
	s, _ := p.Scenario(e.Scenario)
	out := Measurement{Pilot: r.Pilot, Scenario: e.Scenario, Dataset: s.DatasetID, At: r.CreatedAt, Outcome: benchmark.Pass}
	if v, ok := float(e.Candidate.Duration); ok {
		out.Seconds = &v
	}
	for _, m := range e.Metrics {
		out.Outcome = benchmark.Worse(out.Outcome, m.Candidate.Outcome)
		if v, ok := float(m.Candidate.Value); ok && m.Candidate.Problem == "" && benchmark.Known(m.Name) {
			out.Metrics = append(out.Metrics, MetricMeasure{m.Name, v, m.Candidate.Outcome})
		}
	}
	for _, d := range e.Drift {
		psi, ok1 := float(d.PSI)
		noise, ok2 := float(d.Noise)
		p, ok3 := float(d.KSP)
		if d.Known && ok1 && ok2 && ok3 && (benchmark.Known(d.Quantity) || d.Quantity == evaluation.SummaryLength) {
			out.Drift = append(out.Drift, DriftMeasure{d.Quantity, psi, noise, p})
		}
	}
	return out, true
}

// float is a figure of a record, which has a shape of its own already.
func float(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
