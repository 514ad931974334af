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
