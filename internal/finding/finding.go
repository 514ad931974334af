// Package finding holds what a check has to say: a rule, how much it matters,
// where it is, and the values its sentence is made of.
//
// A finding carries no prose. Its sentence stands in the message catalogue
// (templates/messages) under Rule and Case and is filled from Args by render,
// which escapes each value for the place it is shown in. So a value that an
// author wrote can never become Markdown, and a second language is a second
// catalogue. A value of a dataset is never put into Args.
package finding

import (
	"cmp"
	"slices"
)

// Severity says what a finding does to its check. The zero value means "as the
// rule catalogue says for this profile".
type Severity string

// The severities, from the one that blocks to the one that only tells.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Rank orders severities: Error 3, Warning 2, Note 1, anything else 0.
func (s Severity) Rank() int {
	switch s {
	case Error:
		return 3
	case Warning:
		return 2
	case Note:
		return 1
	}
	return 0
}

// Position is a place in a governed file. Lines and columns count from 1, and
// columns count characters, not bytes; zero means "not known", so Line 0 is
// the file as a whole. EndLine and EndColumn close the range, the end column
// being the last character's.
type Position struct {
	Path      string `json:"path,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
}

// Finding is one thing that is wrong, doubtful or worth knowing.
type Finding struct {
	Rule     string   `json:"rule"`               // "CF003"
	Case     string   `json:"case"`               // which sentence of the rule: "missing"
	Severity Severity `json:"severity,omitempty"` // empty: the catalogue decides
	At       Position `json:"at"`
	// Args fill the sentence's {name} places. They are raw: render escapes.
	Args map[string]string `json:"args,omitempty"`
	// Record places a finding inside a dataset's line; nil elsewhere.
	Record *Record `json:"record,omitempty"`
	// Mend is the exact replacement where one can be computed; nil elsewhere.
	Mend *Mend `json:"mend,omitempty"`
}

// Record is the place inside a dataset's line: bytes count from 0 within the
// raw line, the end exclusive; Pointer is an RFC 6901 JSON pointer. Group
// counts equal values in order of first appearance, from 1; 0 is "no group".
type Record struct {
	ByteStart   int    `json:"byte_start"`
	ByteEnd     int    `json:"byte_end"`
	Pointer     string `json:"pointer,omitempty"`
	Length      int    `json:"length"`
	Group       int    `json:"group,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Mend is one replacement in the file as it is at the judged head: the bytes
// Start to End (exclusive, from 0) become Text. Start == End inserts.
type Mend struct {
	Path  string `json:"path"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Sort orders findings by severity (errors first), path, line, column, rule
// and case, so that the same findings always read the same.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity.Rank(), a.Severity.Rank()),
			cmp.Compare(a.At.Path, b.At.Path),
			cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Column, b.At.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Case, b.Case),
		)
	})
}

// Count tells how many findings have exactly this severity.
func Count(fs []Finding, s Severity) int {
	n := 0
	for _, f := range fs {
		if f.Severity == s {
			n++
		}
	}
	return n
}
