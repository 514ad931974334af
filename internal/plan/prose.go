package plan

import "github.com/pilotgate/pilotgate/internal/finding"

// Prose is a document beside the plans that states no fields: the runbook, the
// stage summary. What it names must lead somewhere all the same.
type Prose struct {
	Path     string            `json:"path"`
	Mentions []Mention         `json:"mentions,omitempty"`
	Problems []finding.Finding `json:"problems,omitempty"` // why it could not be read
}

// ParseProse reads what a document names.
func ParseProse(file string, src []byte) Prose {
	r := read(file, src, planDocument)
	p := Prose{Path: file, Mentions: r.mentions}
	if r.unreadable != "" {
		p.Problems = r.problems
	}
	return p
}

// BandsIn reads the thresholds that a value states of metrics: "coverage ≥ 0.95
// and latency P95 ≤ 200 s". What it reads has no place in the document.
func BandsIn(text string) []MetricRow {
	if len(text) > maxThreshold {
		return nil
	}
	r := &reader{doc: newSource("", []byte(text)), kind: planDocument, fields: map[Field][]Value{}, full: map[string]bool{}}
	ctx := context{group: inAcceptance}
	if p := r.verbatimRun(0, len(text)); !r.metricsInSentence(ctx, p) {
		r.metricList(ctx, p)
	}
	return r.acceptance
}
