// Package plan reads the two documents that people write for a pilot: the
// plan, which is the request, and the data card beside the dataset.
//
// Reading is tolerant: any heading level, lists, tables, front matter, English
// and Russian, the words that engineers use. Every value keeps the bytes it
// came from, so that an annotation can point at it and a mend can replace it.
// What cannot be read is told as a finding; reading never fails.
//
// The package must not judge: whether a field is required, a path exists or a
// figure is true is decided elsewhere. It reads bytes that it is given, opens
// nothing, follows nothing, and knows no clock.
package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// Field names one thing that a plan states.
type Field string

// The fields of a plan.
const (
	Pilot             Field = "pilot"
	Initiator         Field = "initiator" // @login
	Scenario          Field = "scenario"
	Locale            Field = "locale"
	Dataset           Field = "dataset" // path or URI
	DatasetID         Field = "dataset_id"
	DatasetSHA256     Field = "dataset_sha256"
	Records           Field = "records"
	DatasetLicence    Field = "dataset_licence"
	DataCard          Field = "data_card"
	EvaluationDataset Field = "evaluation_dataset"
	EvaluationSHA256  Field = "evaluation_sha256"
	EvaluationRecords Field = "evaluation_records"
	BaselineModel     Field = "baseline_model"
	BaselineVersion   Field = "baseline_version"
	BaselineDigest    Field = "baseline_digest"
	TargetModel       Field = "target_model"
	PromptVersion     Field = "prompt_version"
	PromptFile        Field = "prompt_file"
	Epochs            Field = "epochs"
	BatchSize         Field = "batch_size"
	LearningRate      Field = "learning_rate"
	Optimiser         Field = "optimiser"
	MaxInputTokens    Field = "max_input_tokens"
	Hardware          Field = "hardware"
	HardwareCount     Field = "hardware_count"
	Hours             Field = "hours" // estimated, see Value.Hours
	Seed              Field = "seed"
	Commit            Field = "commit"
	Config            Field = "config"
	Script            Field = "script"
	Workflow          Field = "workflow"
	LatencyTolerance  Field = "latency_tolerance"
	ManualQA          Field = "manual_qa"
	RollbackTarget    Field = "rollback_target"
	RollbackTrigger   Field = "rollback_trigger"
	Pointer           Field = "pointer"
	RecoveryGate      Field = "recovery_gate"
	TargetRelease     Field = "target_release"
	Revision          Field = "revision"
)

// Value is one value where it stands. For an absent value (TBD, —, an empty
// cell) Text is "" and the place is kept.
type Value struct {
	Text            string           `json:"text"` // as read: unquoted, unwrapped, trimmed; link targets resolved
	Raw             string           `json:"raw"`  // as written: the bytes Start to End
	At              finding.Position `json:"at"`
	Start           int              `json:"start"` // bytes from 0
	End             int              `json:"end"`   // exclusive
	FromFrontMatter bool             `json:"from_front_matter,omitempty"`
	Derived         bool             `json:"derived,omitempty"` // concluded from another statement, not stated itself
}

// MetricRow is what a plan says of one metric: a row of the baseline table or
// one acceptance.
type MetricRow struct {
	Metric    string         `json:"metric"`              // canonical name, "" when it is none of the five
	Statistic string         `json:"statistic,omitempty"` // "mean", "p95", "avg"
	Name      Value          `json:"name"`
	Value     Value          `json:"value"`
	Threshold Value          `json:"threshold"`
	Status    Value          `json:"status"`
	Band      benchmark.Band `json:"band"`
	BandNotes []BandNote     `json:"band_notes,omitempty"`
}

// Waiver is an exception that the plan asks for.
type Waiver struct {
	Rule       Value `json:"rule"`
	FileSHA256 Value `json:"file_sha256"`
	Line       Value `json:"line"`
	Pointer    Value `json:"pointer"`
	Owner      Value `json:"owner"`
	Reason     Value `json:"reason"`
	Expires    Value `json:"expires"` // YYYY-MM-DD
}

// Section is what a heading announces, whatever its words and language.
type Section string

// The sections of a plan.
const (
	SectionOther       Section = ""
	SectionObjective   Section = "objective"
	SectionInputs      Section = "inputs"
	SectionBaseline    Section = "baseline_metrics"
	SectionFineTuning  Section = "fine_tuning"
	SectionEvaluation  Section = "evaluation_plan"
	SectionRollback    Section = "rollback"
	SectionRelease     Section = "release_coordination"
	SectionOutstanding Section = "outstanding"
	SectionWaivers     Section = "waivers"
)

// Heading is a heading of the document, in order. Insert is the byte behind
// the last line of its own text, where a snippet for the section can go.
type Heading struct {
	Level   int              `json:"level"`
	Text    string           `json:"text"`
	Section Section          `json:"section,omitempty"`
	At      finding.Position `json:"at"`
	Insert  int              `json:"insert"`
}

// Plan is a pilot plan as read. The zero Plan of an unreadable document still
// has its path, its pilot id and its problems.
type Plan struct {
	Path       string            `json:"path"`
	Pilot      Value             `json:"pilot"`
	Fields     map[Field][]Value `json:"fields"`
	Metrics    []MetricRow       `json:"metrics,omitempty"`
	Acceptance []MetricRow       `json:"acceptance,omitempty"`
	Drift      []Value           `json:"drift,omitempty"`
	Waivers    []Waiver          `json:"waivers,omitempty"`
	Mentions   []Mention         `json:"mentions,omitempty"`
	Headings   []Heading         `json:"headings,omitempty"`
	Problems   []finding.Finding `json:"problems,omitempty"`
	Unreadable string            `json:"unreadable,omitempty"` // sha256 of the normalised bytes when nothing could be read
}

// Parse reads a plan. It never fails: what cannot be read is in Problems.
func Parse(file string, src []byte) Plan {
	p := Plan{Path: file, Fields: map[Field][]Value{}}
	r := read(file, src, planDocument)
	p.Fields, p.Metrics, p.Acceptance = r.fields, r.metrics, r.acceptance
	p.Drift, p.Waivers, p.Mentions = r.drift, r.waivers, r.mentions
	p.Headings, p.Problems, p.Unreadable = r.headings, r.problems, r.unreadable
	p.Pilot = pilotID(file, p.Fields[Pilot])
	p.Problems = append(p.Problems, p.checkPilotID()...)
	p.Problems = append(p.Problems, p.conflicts()...)
	p.Problems = append(p.Problems, p.unreadableNumbers()...)
	finding.Sort(p.Problems)
	// Plans are kept: without the room that growing left.
	p.Metrics, p.Acceptance, p.Mentions = slices.Clone(p.Metrics), slices.Clone(p.Acceptance), slices.Clone(p.Mentions)
	return p
}

// pilotID is `pilot:` of the front matter, else the file's name. A body's
// "Pilot:" names the pilot for readers; it is compared, not obeyed.
func pilotID(file string, stated []Value) Value {
	for _, v := range stated {
		if v.FromFrontMatter && v.Text != "" {
			return v
		}
	}
	name := strings.TrimSuffix(path.Base(file), ".md")
	// The stage's own file names have underscores and capitals, which an id has
	// not: stage_05_03_pilot_ru.md is pilot stage-05-03-pilot-ru.
	if id := strings.ReplaceAll(strings.ToLower(name), "_", "-"); validPilotID(id) {
		name = id
	}
	return Value{Text: name, At: finding.Position{Path: file}, Derived: true}
}

// Source says where the pilot id comes from: "front matter" or "file name".
func (p Plan) Source() string {
	if p.Pilot.FromFrontMatter {
		return "front matter"
	}
	return "file name"
}

// Get gives the value that counts: the first stated one, or, where a later one
// says the same at greater length (a full hash after a short one), that. When
// the field stands there without a value (TBD), the answer is false and the
// Value is its place.
func (p Plan) Get(f Field) (Value, bool) {
	if f == Pilot {
		return p.Pilot, p.Pilot.Text != ""
	}
	values := p.Fields[f]
	best := -1
	for i, v := range values {
		switch {
		case v.Text == "":
		case best < 0:
			best = i
		case values[best].Derived && !v.Derived:
			best = i
		case values[best].FromFrontMatter && !v.FromFrontMatter && same(f, values[best], v):
		case extends(f, values[best], v):
			best = i
		}
	}
	if best >= 0 {
		return values[best], true
	}
	for _, v := range values {
		if v.Raw != "" {
			return v, false // "TBD" itself rather than a key with nothing behind it
		}
	}
	if len(values) > 0 {
		return values[0], false
	}
	return Value{}, false
}

// Place is the best line to speak of a field at: its value, the place left
// open for it, or the heading of the section where it belongs. The zero Line
// means the document as a whole.
func (p Plan) Place(f Field) finding.Position {
	if v, _ := p.Get(f); v.At.Line > 0 {
		return v.At
	}
	if f == Commit {
		if v, ok := p.Get(Revision); !ok && v.At.Line > 0 {
			return v.At // "Revision: TBD"
		}
	}
	for _, h := range p.Headings {
		if t, ok := lookUp(anywhere, h.Text); ok && t.field == f && h.Level > 1 {
			return h.At
		}
	}
	if h, ok := p.Heading(home(f)); ok {
		return h.At
	}
	return finding.Position{Path: p.Path}
}

// Heading gives the first heading of a section.
func (p Plan) Heading(s Section) (Heading, bool) {
	for _, h := range p.Headings {
		if h.Section == s && s != SectionOther {
			return h, true
		}
	}
	return Heading{}, false
}

// home is the section where a field is usually stated.
func home(f Field) Section {
	switch f {
	case Initiator, Scenario, Locale, Pilot, Revision:
		return SectionObjective
	case Epochs, BatchSize, LearningRate, Optimiser, MaxInputTokens, Hardware, HardwareCount, Hours, Seed, Commit, Config, Script, Workflow:
		return SectionFineTuning
	case EvaluationDataset, EvaluationSHA256, EvaluationRecords, LatencyTolerance, ManualQA:
		return SectionEvaluation
	case RollbackTarget, RollbackTrigger, Pointer, RecoveryGate:
		return SectionRollback
	case TargetRelease:
		return SectionRelease
	}
	return SectionInputs
}
