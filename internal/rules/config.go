package rules

import (
	"regexp"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// baselineModel: named, with a version or digest, so that "the baseline" is
// one thing and not whatever carries the name today.
func baselineModel(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.BaselineModel)
	if !ok {
		return
	}
	for _, f := range []plan.Field{plan.BaselineDigest, plan.BaselineVersion} {
		if d, ok := q.Plan.Get(f); ok && d.Text != "" {
			return
		}
	}
	if _, ok := q.Registry.Find(v.Text); ok {
		return
	}
	if !strings.ContainsAny(v.Text, "@:") && !versioned.MatchString(v.Text) {
		b.Find("no_version", v.At, "model", v.Text).Severity = finding.Warning
	}
}

var versioned = regexp.MustCompile(`\bv?\d+(\.\d+)+\b`)

// commit: the full hash of code that the base branch has, or "this PR".
func commit(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.Commit)
	switch {
	case !ok:
	case q.CommitThis:
		b.Verified("commit_this")
	case q.Commit == "":
		b.Find("not_full", v.At, "value", v.Text)
	case !q.CommitKnown:
	case q.Reach.Absent || q.CommitTree.Absent:
		b.Find("absent", v.At, "commit", q.Commit)
	case !q.Reach.Reachable:
		b.Find("not_on_base", v.At, "commit", short(q.Commit), "base", b.Pull.Base.Ref)
	default:
		b.Verified("commit", "commit", short(q.Commit), "base", b.Pull.Base.Ref)
	}
}

// datasetHash: the plan pins the bytes it trains on.
func datasetHash(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.DatasetSHA256)
	scan := q.Dataset.Scan.Facts
	if !ok || v.Text == "" {
		at := b.place(plan.DatasetSHA256)
		if d, has := q.Plan.Get(plan.Dataset); v.At.Line > 0 {
			at = v.At // written, but TBD
		} else if has && d.At.Line > 0 {
			at = d.At
		}
		f := b.Find("missing", at)
		if scan != nil {
			f.Case, f.Args = "missing_known", map[string]string{"sha256": scan.SHA256}
		}
		return
	}
	if !form.SHA256(strings.ToLower(v.Text)) {
		f := b.Find("not_a_hash", v.At, "value", v.Text)
		if scan != nil {
			f.Mend = replace(v, scan.SHA256)
		}
		return
	}
	b.Verified("hash_stated", "sha256", v.Text[:12])
}

// compute: hardware, how many, and for how long.
func compute(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	stated := ""
	for _, part := range []struct {
		f    plan.Field
		name string
	}{{plan.Hardware, "hardware"}, {plan.HardwareCount, "count"}, {plan.Hours, "hours"}} {
		if _, ok := q.Plan.Get(part.f); ok {
			stated += "_" + part.name
		}
	}
	switch stated {
	case "_hardware_count_hours":
	case "":
		b.Find("missing", b.place(plan.Hardware))
	default:
		b.Find("only"+stated, computeLine(b))
	}
}

// computeLine is where a part of the compute is left open, else where another
// part stands.
func computeLine(b *Bench) finding.Position {
	at := b.place(plan.Hardware)
	stated := false
	for _, f := range []plan.Field{plan.Hardware, plan.HardwareCount, plan.Hours} {
		v, ok := b.Request.Plan.Get(f)
		switch {
		case v.At.Line == 0:
		case !ok:
			return v.At
		case !stated:
			at, stated = v.At, true
		}
	}
	return at
}

// summariseConfig tells what the run is made of, for the two who approve it.
func summariseConfig(b *Bench) {
	q := b.Request
	if q == nil || b.check.anyOf("CF") {
		return
	}
	text := func(f plan.Field) string { v, _ := q.Plan.Get(f); return v.Text }
	b.Verified("run", "baseline", text(plan.BaselineModel), "target", text(plan.TargetModel),
		"epochs", text(plan.Epochs), "batch", text(plan.BatchSize), "lr", text(plan.LearningRate),
		"optimiser", text(plan.Optimiser), "tokens", text(plan.MaxInputTokens), "seed", text(plan.Seed),
		"hardware", text(plan.Hardware), "count", text(plan.HardwareCount), "hours", text(plan.Hours))
}

func (c *Check) anyOf(prefix string) bool {
	for _, f := range c.Findings {
		if strings.HasPrefix(f.Rule, prefix) {
			return true
		}
	}
	return false
}
