package registry

import (
	"regexp"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// Move is a scenario's target that changes. From is nil where the scenario is
// new, To where it is gone.
type Move struct {
	Scenario string
	From, To *Target
}

// Back tells whether the move falls back to what the pointer named as its
// previous model.
func (m Move) Back(models Registry) bool {
	if m.From == nil || m.To == nil || m.From.Previous == "" {
		return false
	}
	e, ok := models.Find(m.From.Previous)
	return ok && e.ID() == m.To.ID() && e.Digest == m.To.Digest
}

// Moves lists what differs between two pointers, by scenario.
func Moves(before, after Pointer) []Move {
	var out []Move
	for _, s := range before.Scenarios() {
		from := before.Targets[s]
		to, ok := after.Targets[s]
		switch {
		case !ok:
			out = append(out, Move{Scenario: s, From: &from})
		case !from.same(to):
			out = append(out, Move{Scenario: s, From: &from, To: &to})
		}
	}
	for _, s := range after.Scenarios() {
		if _, ok := before.Targets[s]; !ok {
			to := after.Targets[s]
			out = append(out, Move{Scenario: s, To: &to})
		}
	}
	return out
}

// Evidence is what is on record about models, by full digest ("sha256:…").
type Evidence struct {
	// Go holds the digests whose latest decision is Go.
	Go map[string]bool
	// Releases holds the release tag that was approved for a digest, and Tagged
	// whether the repository has that tag.
	Releases map[string]string
	Tagged   map[string]bool
}

var minorOrMajor = regexp.MustCompile(`^v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.0$`)

// ReleaseTag tells whether a tag is of a minor or major version: vX.Y.0.
func ReleaseTag(tag string) bool { return minorOrMajor.MatchString(tag) }

// CheckRegistry says what a change of the registry must not do: drop a model,
// give a version other bytes, or bring a rejected one back. A new entry with a
// status beyond candidate, and a step to released, need a Go decision; the
// first registry of a repository describes what was there before.
func CheckRegistry(before, after Registry, on Evidence) []finding.Finding {
	r := &reading{}
	first := len(before.Entries) == 0
	for _, was := range before.Entries {
		is, ok := after.Find(was.ID())
		switch {
		case !ok:
			r.find("RL004", "removed", finding.Position{Path: after.Path, Line: 1}, "model", was.ID())
			continue
		case was.Digest != "" && is.Digest != was.Digest:
			r.find("RL004", "digest_changed", is.place("digest"), "model", was.ID())
		case was.Status == Rejected && is.Status != Rejected:
			r.find("RL004", "revived", is.place("status"), "model", was.ID(), "status", string(is.Status))
		case was.Status != Released && is.Status == Released && !on.Go[is.Digest]:
			r.find("RL004", "no_go", is.place("status"), "model", is.ID())
		}
		if was.Pilot != "" && is.Pilot != was.Pilot {
			r.find("RL004", "pilot_changed", is.place("pilot"), "model", was.ID(), "pilot", was.Pilot)
		}
	}
	for _, is := range after.Entries {
		if _, known := before.Find(is.ID()); known || first {
			continue
		}
		if is.Status == Released && !on.Go[is.Digest] {
			r.find("RL004", "no_go", is.place("status"), "model", is.ID())
		}
	}
	finding.Sort(r.findings)
	return r.findings
}

// CheckPointer holds a pointer against the registry beside it: each target and
// each previous model is an entry that may run, with the same digest.
func CheckPointer(p Pointer, models Registry) []finding.Finding {
	r := &reading{}
	for _, s := range p.Scenarios() {
		t := p.Targets[s]
		e, ok := models.Find(t.ID())
		switch {
		case !ok:
			r.find("RL006", "unknown", t.place("model"), "scenario", s, "model", t.ID())
		case e.Digest != t.Digest:
			r.find("RL006", "digest", t.place("digest"), "scenario", s, "model", t.ID())
		case e.Status == Rejected || e.Status == Retired:
			r.find("RL006", "not_usable", t.place("model"), "scenario", s, "model", t.ID(), "status", string(e.Status))
		}
		if t.Previous == "" {
			continue
		}
		prev, ok := models.Find(t.Previous)
		switch {
		case !ok:
			r.find("RL006", "previous_unknown", t.place("previous"), "scenario", s, "previous", t.Previous)
		case prev.ID() == t.ID():
			r.find("RL006", "previous_same", t.place("previous"), "scenario", s, "previous", t.Previous)
		case !prev.Usable():
			r.find("RL006", "previous_not_usable", t.place("previous"), "scenario", s, "previous", t.Previous, "status", string(prev.Status))
		}
	}
	finding.Sort(r.findings)
	return r.findings
}

// CheckMoves says what each move of the pointer lacks. Forward: a Go decision
// for that digest, a minor or major release, and the model that ran before as
// `previous`. Back to the pointer's previous model: that it may run, and that
// it had a Go decision or is the baseline from before the pilots.
func CheckMoves(before, after Pointer, models Registry, on Evidence) []finding.Finding {
	r := &reading{}
	for _, m := range Moves(before, after) {
		switch {
		case m.To == nil:
			r.find("RL007", "removed", finding.Position{Path: after.Path, Line: 1}, "scenario", m.Scenario)
		case m.Back(models):
			r.back(m, models, on)
		default:
			r.forward(m, models, on)
		}
	}
	finding.Sort(r.findings)
	return r.findings
}

func (r *reading) back(m Move, models Registry, on Evidence) {
	e, _ := models.Find(m.To.ID()) // Back found it
	switch {
	case !e.Usable():
		r.find("RL007", "back_not_usable", m.To.place("model"), "scenario", m.Scenario, "model", e.ID(), "status", string(e.Status))
	case e.Status != Baseline && !on.Go[e.Digest]:
		r.find("RL007", "no_go", m.To.place("digest"), "scenario", m.Scenario, "model", e.ID())
	}
}

func (r *reading) forward(m Move, models Registry, on Evidence) {
	to := m.To
	if !on.Go[to.Digest] {
		r.find("RL007", "no_go", to.place("digest"), "scenario", m.Scenario, "model", to.ID())
	}
	switch tag := on.Releases[to.Digest]; {
	case tag == "":
		r.find("RL007", "no_release", to.place("version"), "scenario", m.Scenario, "model", to.ID())
	case !ReleaseTag(tag):
		r.find("RL007", "patch_release", to.place("version"), "scenario", m.Scenario, "model", to.ID(), "tag", clip(tag))
	case !on.Tagged[tag]:
		r.find("RL007", "not_tagged", to.place("version"), "scenario", m.Scenario, "model", to.ID(), "tag", tag)
	}
	if m.From == nil {
		return // a first deployment has nothing to fall back to
	}
	prev, ok := models.Find(to.Previous)
	switch {
	case to.Previous == "":
		r.find("RL007", "no_previous", to.place("previous"), "scenario", m.Scenario, "expected", m.From.ID())
	case !ok:
		// CheckPointer tells it
	case m.From.ID() != to.ID() && prev.ID() != m.From.ID():
		r.find("RL007", "other_previous", to.place("previous"), "scenario", m.Scenario, "previous", to.Previous, "expected", m.From.ID())
	}
}
