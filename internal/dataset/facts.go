package dataset

import (
	"time"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// ScannerVersion names the rules of this scan. It is part of the cache key of a
// scan's result, so it changes whenever the same bytes could give other facts.
const ScannerVersion = "5"

// Facts is everything that one pass over a dataset tells. It is plain data and
// holds no verdict: limits in percent, waivers and "in the future" are judged
// elsewhere, from the counts, Records and the timestamps.
type Facts struct {
	Path           string `json:"path,omitempty"`
	SHA256         string `json:"sha256,omitempty"` // lower-case hex of all bytes
	Bytes          int64  `json:"bytes"`
	Records        int    `json:"records"` // lines that are a JSON object or should have been one
	ScannerVersion string `json:"scanner_version"`

	// Counts are complete, whatever Findings had to leave out; sorted by rule,
	// case and severity.
	Counts []Count `json:"counts,omitempty"`
	// Findings are listed up to Options.MaxFindings: errors are preferred to
	// warnings and these to notes, within a severity the first come stay. They
	// stand in the order of the file.
	Findings []finding.Finding `json:"findings,omitempty"`

	// Metrics always holds the five names of MetricNames, in that order.
	Metrics   []Metric       `json:"metrics,omitempty"`
	ByVerdict map[string]int `json:"by_verdict,omitempty"`

	// Languages, Channels, Models, PromptVersions and JudgeModels are names that
	// a reader needs to compare with plan and card. A name is shown only if it
	// looks like one and holds no personal data; the rest is counted under
	// OtherName.
	Languages      map[string]int `json:"languages,omitempty"`
	Channels       map[string]int `json:"channels,omitempty"`
	Models         []string       `json:"models,omitempty"`
	PromptVersions []string       `json:"prompt_versions,omitempty"`
	JudgeModels    []string       `json:"judge_models,omitempty"`

	FirstTimestamp time.Time `json:"first_timestamp,omitzero"`
	LastTimestamp  time.Time `json:"last_timestamp,omitzero"`
	// FutureFrom is the largest timestamp and the line that bears it: it is the
	// judge who knows "now".
	FutureFrom     time.Time `json:"future_from,omitzero"`
	FutureFromLine int       `json:"future_from_line,omitempty"`

	// Index is filled when Options.KeepIndex is set.
	Index *Index `json:"-"`
}

// Count tells how often a rule's case was met at a severity.
type Count struct {
	Rule     string           `json:"rule"`
	Case     string           `json:"case"`
	Severity finding.Severity `json:"severity"`
	N        int              `json:"n"`        // offending records, or pairs for rules about pairs
	Findings int              `json:"findings"` // single places; at least N
}

// Metric is one number of the dry run over all records that give it. The
// values are exact decimals, so that a band is judged on what the dataset says
// and not on a binary neighbour of it.
type Metric struct {
	Name    string `json:"name"`
	N       int    `json:"n"`       // records with a usable value
	Missing int    `json:"missing"` // records without one (absent, or refused by a rule)
	Sum     string `json:"sum,omitempty"`
	Mean    string `json:"mean,omitempty"` // 12 digits after the point, half to even
	Min     string `json:"min,omitempty"`
	Max     string `json:"max,omitempty"`
	P95     string `json:"p95,omitempty"` // nearest rank
}

// MetricNames are the metrics of a dry run, in the order of Facts.Metrics. The
// scores are shares in [0,1]; latency is in seconds.
var MetricNames = [...]string{"coverage", "accuracy", "coherence", "informativeness", "latency_seconds"}

// OtherName stands in Languages, Channels and ByVerdict for values that must
// not or need not be shown.
const OtherName = "(other)"
