// Package report is the pilot report: a Markdown document of which Pilotgate
// writes some parts, between markers, and people all the rest.
//
// The generated parts follow from signed records alone, so that whoever has the
// records can derive them again, byte for byte; that is how a figure that
// somebody changed by hand is found. What people wrote is never touched: a
// report is regenerated, not replaced.
//
// The package decides nothing and reads nothing. Its sentences stand in
// templates/; what records say is escaped where it is put in.
package report

import (
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/sentence"
)

// Input is what a report follows from.
type Input struct {
	Language string // of the policy
	Path     string // of the report
	Log      string // path of the sign-off log
	Evidence
	// Baseline is the recomputed dry run, shown while the results are awaited; a
	// report with results does not need it.
	Baseline []benchmark.Result
}

// Evidence are the verified records that a report is about.
type Evidence struct {
	Signoff    ledger.Entry
	Launch     *ledger.Entry // nil: not launched
	Evaluation *ledger.Entry // nil: the results are awaited
}

// EvidenceOf finds a pilot's records in a verified ledger: the sign-off that
// stands, which is the last one, and what followed it. Not ok: no sign-off.
func EvidenceOf(entries []ledger.Entry, pilot string) (Evidence, bool) {
	var e Evidence
	found := false
	for i := range entries {
		if entries[i].Record.Pilot != pilot {
			continue
		}
		switch entries[i].Record.Kind {
		case ledger.KindSignoff:
			e, found = Evidence{Signoff: entries[i]}, true
		case ledger.KindWithdrawn:
			e, found = Evidence{}, false
		case ledger.KindLaunch:
			e.Launch = &entries[i]
		case ledger.KindEvaluation:
			e.Evaluation = &entries[i]
		}
	}
	return e, found
}

// Evaluated is the evaluation, nil while the results are awaited.
func (e Evidence) Evaluated() *evaluation.Evaluation {
	if e.Evaluation == nil {
		return nil
	}
	return e.Evaluation.Record.Evaluation
}

// ChartPath is where the chart of a report lies: beside it.
func ChartPath(report string) string { return strings.TrimSuffix(report, ".md") + ".svg" }

// section is one heading of the report, in their order. Auto sections have a
// generated block, hinted ones a line that tells people what to write.
type section struct {
	key          string
	auto, hinted bool
	// results: the block follows from the results; while they are awaited it is
	// not held against anything.
	results bool
}

func sections() []section {
	return []section{
		{key: "metadata", auto: true},
		{key: "reproducibility", auto: true},
		{key: "commands", auto: true, hinted: true, results: true},
		{key: "results", auto: true, results: true},
		{key: "drift", auto: true, results: true},
		{key: "manual_qa", hinted: true},
		{key: "decision", auto: true, results: true},
		{key: "release", auto: true, hinted: true},
		{key: "monitoring", hinted: true},
		{key: "rollback", auto: true, hinted: true},
		{key: "observations", hinted: true},
		{key: "approvals", auto: true},
		{key: "evidence", auto: true},
	}
}

// Block is one generated part.
type Block struct {
	Key  string
	Text string // whole lines between the markers
}

// Blocks derives the generated parts, in their order.
func Blocks(in Input) []Block {
	w := writer{in: in, texts: sentence.Speak(in.Language)}
	var out []Block
	for _, s := range sections() {
		if s.auto {
			out = append(out, Block{Key: s.key, Text: w.block(s.key)})
		}
	}
	return out
}

// Regenerate brings the generated parts of a report up to date and leaves every
// other byte as it is. A part that somebody took out comes back: below its
// heading, or with its heading in the order of the sections. With results, a
// report that has no decision yet gets the recommended one to be confirmed or
// changed. Nothing existing gives a new report; regenerating twice changes
// nothing the second time.
func Regenerate(existing []byte, in Input) []byte {
	texts := sentence.Speak(in.Language)
	blocks := Blocks(in)
	if len(strings.TrimSpace(string(existing))) == 0 {
		return prefilled(fresh(blocks, in, texts), in, texts)
	}
	doc := parse(string(existing))
	for i, b := range blocks {
		if !doc.replace(b) {
			doc.restore(b, texts, following(blocks, i))
		}
	}
	return prefilled([]byte(doc.String()), in, texts)
}

func following(blocks []Block, i int) []string {
	var out []string
	for _, s := range sections() {
		out = append(out, s.key)
	}
	for j, key := range out {
		if key == blocks[i].Key {
			return out[j+1:]
		}
	}
	return nil
}

// fresh is a report that nobody wrote in yet.
func fresh(blocks []Block, in Input, texts *sentence.Texts) []byte {
	var b strings.Builder
	b.WriteString("# " + texts.Say(sentence.Markdown, "report", "heading", "pilot", in.Signoff.Record.Pilot) + "\n")
	for _, s := range sections() {
		b.WriteString("\n## " + texts.Text("report", s.key) + "\n")
		for _, block := range blocks {
			if block.Key == s.key {
				b.WriteString("\n" + block.marked("\n"))
			}
		}
		if s.hinted {
			b.WriteString("\n" + texts.Text("report", s.key+"_hint") + "\n")
		}
	}
	return []byte(b.String())
}

// prefilled adds the recommended decision where a report with results has none.
func prefilled(report []byte, in Input, texts *sentence.Texts) []byte {
	e := in.Evaluated()
	if e == nil {
		return report
	}
	if ParseDecision(report).Line > 0 {
		return report
	}
	value := map[evaluation.Recommendation]string{evaluation.Go: " Go", evaluation.NoGo: " No-go"}[e.Recommendation]
	doc := parse(string(report))
	doc.after("decision", "\n- "+texts.Text("report", "decision_key")+":"+value+"\n- "+texts.Text("report", "reason_key")+":\n")
	return []byte(doc.String())
}
