package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// planLanguage passes on what the plan's language found; each finding bears
// the rule of its own row.
func planLanguage(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	if q.Source.Blob.TooLarge {
		b.Find("too_large", top(q.Path), "bytes", bytesText(q.Source.Entry.Size), "limit", bytesText(plan.MaxBytes))
		return
	}
	for _, f := range q.Plan.Problems {
		b.find(f)
	}
	besideReads(b)
	b.Verified("plan_read", "path", q.Path, "pilot", q.PilotID, "fields", strconv.Itoa(len(q.Plan.Fields)))
}

// validity is the case of a value that cannot be right, "" where it can.
type validity func(plan.Value) string

func integer(v plan.Value) string {
	if _, err := v.Integer(); err != nil {
		return "not_an_integer"
	}
	return ""
}

func positive(v plan.Value) string {
	d, err := v.Decimal()
	if err != nil {
		return "not_a_number"
	}
	if !d.IsPositive() {
		return "not_positive"
	}
	return ""
}

func positiveInteger(v plan.Value) string {
	if i, err := v.Integer(); err != nil || i <= 0 {
		return "not_a_positive_integer"
	}
	return ""
}

// field asks for one field of the plan; a present value must be valid.
func field(f plan.Field, valid validity) func(*Bench) {
	return func(b *Bench) {
		if b.Request == nil {
			return
		}
		v, ok := b.given(f)
		if !ok {
			return
		}
		if valid != nil {
			if kase := valid(v); kase != "" {
				b.Find(kase, v.At, "value", v.Text)
			}
		}
	}
}

// given is the field's value; a missing one is found at the best line.
func (b *Bench) given(f plan.Field) (plan.Value, bool) {
	v, ok := b.Request.Plan.Get(f)
	if !ok || v.Text == "" {
		at := b.place(f)
		if v.At.Line > 0 {
			at = v.At // written, but TBD
		}
		b.Find("missing", at)
		return v, false
	}
	return v, true
}

// place is where a missing field would stand: the heading of its section, else
// the plan's first line.
func (b *Bench) place(f plan.Field) finding.Position {
	if at := b.Request.Plan.Place(f); at.Line > 0 {
		return at
	}
	return top(b.Request.Path)
}

// section is the line of a section's heading, else the plan's first.
func (b *Bench) section(s plan.Section) finding.Position {
	if h, ok := b.Request.Plan.Heading(s); ok {
		return h.At
	}
	return top(b.Request.Path)
}

func initiator(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.Initiator)
	if !ok || v.Text == "" {
		at := b.place(plan.Initiator)
		if v.At.Line > 0 {
			at = v.At
		}
		switch {
		case q.Initiator != "":
			b.Find("derived", at, "login", q.Initiator).Severity = finding.Note
		case b.Pull.Local:
			b.Find("derived_later", at).Severity = finding.Note
		default:
			b.Find("missing", at).Severity = finding.Error
		}
		return
	}
	if !form.Login(strings.TrimPrefix(v.Text, "@")) {
		b.Find("not_a_login", v.At, "value", v.Text).Severity = finding.Error
	}
}

func scenario(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.Scenario)
	switch {
	case !ok && q.ScenarioKnown:
		b.Find("derived", b.place(plan.Scenario), "scenario", q.Scenario).Severity = finding.Note
	case !ok:
		b.Find("missing", b.place(plan.Scenario), "known", strings.Join(b.Policy.ScenarioNames(), ", ")).Severity = finding.Error
	case !q.ScenarioKnown:
		b.Find("unknown", v.At, "scenario", v.Text, "known", strings.Join(b.Policy.ScenarioNames(), ", ")).Severity = finding.Error
	default:
		b.Verified("scenario", "scenario", q.Scenario)
	}
}

func locale(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.Locale)
	switch {
	case !ok:
		b.Find("derived", b.place(plan.Locale), "locale", b.Policy.Locale).Severity = finding.Note
	case !strings.EqualFold(strings.Split(v.Text, "-")[0], b.Policy.Locale):
		b.Find("other", v.At, "value", v.Text, "locale", b.Policy.Locale).Severity = finding.Error
	}
}

func dataCard(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.DataCard)
	if !ok {
		return
	}
	switch {
	case q.CardPath == "" || !q.CardFile.Found && !b.Truncated:
		b.Find("absent", v.At, "path", v.Text).Severity = finding.Error
	case !q.CardFile.Readable():
		b.Find("unreadable", v.At, "path", v.Text).Severity = finding.Error
	default:
		for _, f := range q.Card.Problems {
			b.find(f)
		}
		b.Verified("data_card", "path", q.CardPath)
	}
}

func evaluationDataset(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.EvaluationDataset)
	if !ok {
		return
	}
	if q.Evaluation.Path != "" && q.Evaluation.Path == q.Dataset.Path {
		b.Find("same", v.At, "path", v.Text).Severity = finding.Error
	}
}

func acceptance(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	var missing []string
	for _, m := range benchmark.Metrics() {
		if m == benchmark.Latency {
			continue // PL027's
		}
		if _, wanted := q.Bands.Metrics[m]; !wanted && q.ScenarioKnown {
			continue
		}
		if !accepted(q.Plan, m) {
			missing = append(missing, m)
		}
	}
	if len(missing) > 0 {
		b.Find("missing", b.section(plan.SectionEvaluation), "metrics", strings.Join(missing, ", "), "n", strconv.Itoa(len(missing)))
		return
	}
	b.Verified("acceptance")
}

// accepted tells whether the plan has a band for a metric: in its acceptance
// criteria, else in the threshold column of its baseline table.
func accepted(p plan.Plan, metric string) bool {
	for _, rows := range [][]plan.MetricRow{p.Acceptance, p.Metrics} {
		for _, r := range rows {
			if r.Metric == metric && !r.Band.Empty() {
				return true
			}
		}
	}
	return false
}

func latencyTolerance(b *Bench) {
	if b.Request == nil {
		return
	}
	if accepted(b.Request.Plan, benchmark.Latency) {
		return
	}
	if v, ok := b.Request.Plan.Get(plan.LatencyTolerance); !ok || v.Text == "" {
		b.Find("missing", b.place(plan.LatencyTolerance))
	}
}

func driftMetrics(b *Bench) {
	if b.Request != nil && len(b.Request.Plan.Drift) == 0 {
		b.Find("missing", b.section(plan.SectionEvaluation))
	}
}

func recordCount(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.Records)
	scan := q.Dataset.Scan.Facts
	switch {
	case !ok && scan != nil:
		b.Find("derived", b.place(plan.Records), "records", strconv.Itoa(scan.Records)).Severity = finding.Note
	case !ok:
		b.Find("missing", b.place(plan.Records))
	default:
		if i, err := v.Integer(); err != nil {
			b.Find("not_an_integer", v.At, "value", v.Text).Severity = finding.Error
		} else if scan != nil && i != int64(scan.Records) {
			f := b.Find("differs", v.At, "value", v.Text, "records", strconv.Itoa(scan.Records))
			f.Severity, f.Mend = finding.Error, replace(v, strconv.Itoa(scan.Records))
		}
	}
}

// replace is the mend that puts text where a value stands; nil for a value
// that does not stand in the file.
func replace(v plan.Value, text string) *finding.Mend {
	if v.End <= v.Start {
		return nil
	}
	return &finding.Mend{Path: v.At.Path, Start: v.Start, End: v.End, Text: text}
}

// namedFiles: what the plan names as config, script or prompt is in the tree
// of the commit that the training runs at.
func namedFiles(b *Bench) {
	q := b.Request
	if q == nil || q.Commit == "" || !q.CommitKnown || q.Reach.Absent || q.CommitTree.Truncated {
		return
	}
	for _, f := range []plan.Field{plan.Config, plan.Script, plan.PromptFile} {
		v, ok := q.Plan.Get(f)
		if !ok || v.Text == "" {
			continue
		}
		path, entry, found := q.FileAt(f)
		switch {
		case path == "":
			b.Find("bad_path", v.At, "path", v.Text)
		case !found:
			b.Find("absent", v.At, "path", v.Text, "commit", short(q.Commit))
		case !entry.Regular():
			b.Find("not_a_file", v.At, "path", v.Text)
		default:
			b.Verified("file_at_commit", "path", path, "commit", short(q.Commit))
		}
	}
}

func takenID(b *Bench) {
	if q := b.Request; q != nil && q.Taken {
		at := top(q.Path)
		if v, ok := q.Plan.Get(plan.Pilot); ok && v.At.Line > 0 {
			at = v.At
		}
		if q.NextRevision > 0 {
			b.Find("withdrawn", at, "pilot", q.PilotID, "revision", count(q.NextRevision))
			return
		}
		b.Find("taken", at, "pilot", q.PilotID)
	}
}

func onePlan(b *Bench) {
	if len(b.Plans) > 1 {
		for _, p := range b.Plans[1:] {
			b.Find("two", top(p), "first", b.Plans[0], "second", p)
		}
	}
}

// plainFiles: governed paths are regular files with plain names. A symlink or
// submodule could show reviewers one thing and be another.
func plainFiles(b *Bench) {
	for _, c := range b.Governed {
		if !c.Deleted() && !c.After.Regular() {
			b.Find("not_a_file", finding.Position{Path: c.Path}, "path", c.Path, "mode", c.After.Mode)
		}
		if strings.ContainsFunc(c.Path, func(r rune) bool { return r < 0x20 || r == 0x7f || r > 0x7e }) {
			b.Find("odd_name", finding.Position{Path: c.Path}, "path", c.Path)
		}
	}
}

func defaultBranch(b *Bench) {
	if d := b.Pull.Repository.DefaultBranch; b.Pull.Base.Ref != d && !b.Pull.Local && len(b.Plans) > 0 {
		b.Find("side_branch", top(b.Plans[0]), "base", b.Pull.Base.Ref, "default", d)
	}
}

func wholeListing(b *Bench) {
	if b.Truncated {
		b.Find("truncated", finding.Position{})
	}
	for _, what := range b.Pull.Cut {
		b.Find("cut", finding.Position{}, "listing", what)
	}
}

func short(oid string) string {
	if len(oid) > 7 {
		return oid[:7]
	}
	return oid
}

func count(i int) string { return strconv.Itoa(i) }

func bytesText(i int64) string {
	s := fmt.Sprint(i)
	var out []byte
	for k := range len(s) {
		if k > 0 && (len(s)-k)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, s[k])
	}
	return string(out)
}
