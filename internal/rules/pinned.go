package rules

import (
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// pinnedWorkflows: what the trusted workflows take from elsewhere is named by its
// commit. The digest covers only what stands in the repository.
func pinnedWorkflows(b *Bench) {
	if b.Request == nil {
		return
	}
	for _, w := range b.Request.Workflows {
		b.movable("CF013", w.Document)
		for _, doc := range w.Local {
			b.movable("CF013", doc)
		}
	}
}

// pinnedProposals is the same for workflows that are proposed.
func pinnedProposals(b *Bench) {
	for _, doc := range b.WorkflowsAfter {
		b.movable("PO026", doc)
	}
}

func (b *Bench) movable(rule string, doc dossier.Document) {
	if !doc.Readable() {
		return
	}
	for _, r := range doc.Movable() {
		at := finding.Position{Path: doc.Path, Line: r.Line, Column: r.Column, EndLine: r.Line, EndColumn: r.Column + utf8.RuneCountInString(r.Uses) - 1}
		b.find(finding.Finding{Rule: rule, Case: "movable", At: at, Args: map[string]string{"uses": r.Uses}})
	}
}
