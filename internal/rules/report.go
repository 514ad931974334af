package rules

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/report"
)

// written is a report as the pull request has it, with the records it follows
// from.
type written struct {
	path, pilot  string
	text, before []byte
	in           report.Input
	signed       bool // there is a sign-off that verifies
}

// at is a line of the report.
func (w written) at(line int) finding.Position { return finding.Position{Path: w.path, Line: line} }

// reports are the reports that the pull request leaves in the repository.
func (b *Bench) reports() []written {
	var out []written
	for _, c := range b.Governed {
		if c.Kind != policy.Report || c.Deleted() {
			continue
		}
		w := written{
			path: c.Path, pilot: b.Policy.PilotID(c.Path),
			text: b.Pull.Git.Blobs[c.After.OID].Bytes, before: b.Pull.Git.Blobs[c.Before.OID].Bytes,
			in: report.Input{Language: b.Policy.Language, Path: c.Path, Log: b.Policy.Paths.Signoff},
		}
		w.in.Evidence, w.signed = report.EvidenceOf(b.Records, w.pilot)
		out = append(out, w)
	}
	return out
}

// reportOfSignoff: a report is of a pilot that was signed off, and the digest
// that it shows is the signed one.
func reportOfSignoff(b *Bench) {
	for _, c := range b.Governed {
		if c.Kind == policy.Report && c.Deleted() {
			b.Find("deleted", finding.Position{Path: c.Path}, "path", c.Path)
		}
	}
	for _, w := range b.reports() {
		digests := b.SignedDigests(w.pilot)
		if len(digests) == 0 {
			b.Find("not_signed_off", top(w.path), "pilot", w.pilot)
			continue
		}
		if !slices.ContainsFunc(digests, func(d string) bool { return bytes.Contains(w.text, []byte("sha256:"+d)) }) {
			b.Find("other_digest", top(w.path), "pilot", w.pilot)
			continue
		}
		b.Verified("report_signed", "pilot", w.pilot)
		if w.in.Evaluation == nil {
			b.check.Waits = &Statement{Key: "results_awaited"}
		}
	}
}

// reportParts: each generated part is what the signed records say.
func reportParts(b *Bench) {
	for _, w := range b.reports() {
		switch {
		case b.RecordsBroken:
			b.Find("ledger_broken", top(w.path))
			continue
		case !w.signed:
			continue // RP001 tells it
		}
		faults := report.Faults(w.text, w.in, w.before)
		for _, f := range faults {
			b.Find(f.Case, w.at(f.Line), "part", f.Part)
		}
		if len(faults) == 0 && w.in.Evaluation != nil {
			b.Verified("report_figures", "pilot", w.pilot)
		}
	}
}

// reportChart: the chart is drawn from the signed evaluation, and is as it was
// drawn. One that was drawn by an older version may stay.
func reportChart(b *Bench) {
	for _, c := range b.Governed {
		if c.Kind != policy.Chart || c.Deleted() {
			continue
		}
		e, _ := report.EvidenceOf(b.Records, b.Policy.PilotID(c.Path))
		if e.Evaluated() == nil {
			b.Find("too_early", finding.Position{Path: c.Path})
			continue
		}
		want, err := report.Chart(e.Evaluated(), b.Policy.Language)
		if err != nil || !bytes.Equal(want, b.Pull.Git.Blobs[c.After.OID].Bytes) {
			b.Find("chart", finding.Position{Path: c.Path})
		}
	}
}

// reportDecision: once the results are in, people have decided; against the
// recommendation, or without one, they say why.
func reportDecision(b *Bench) {
	for _, w := range b.reports() {
		e := w.in.Evaluated()
		if e == nil {
			continue
		}
		d := report.ParseDecision(w.text)
		switch {
		case d.Line == 0:
			b.Find("missing", top(w.path))
		case d.Second > 0:
			b.Find("twice", w.at(d.Second), "first", count(d.Line))
		case d.Text == "":
			b.Find("blank", w.at(d.Line))
		case d.Value == "":
			b.Find("unreadable", w.at(d.Line), "text", d.Text)
		case d.Against(e.Recommendation) && strings.TrimSpace(d.Reason) == "":
			kase := "against"
			if e.Recommendation == evaluation.None {
				kase = "unrecommended"
			}
			b.Find(kase, w.at(d.Line), "decision", d.Text)
		default:
			b.Verified("report_decision", "decision", d.Text)
		}
	}
}

// reportFigures: what people write of a metric is one of its figures.
func reportFigures(b *Bench) {
	for _, w := range b.reports() {
		e := w.in.Evaluated()
		if e == nil {
			continue
		}
		for _, c := range report.Contradictions(w.text, e) {
			b.Find("contradicts", w.at(c.Line), "metric", c.Metric, "figure", c.Figure, "value", c.Candidate)
		}
	}
}
