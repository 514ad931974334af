package judge

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// The states of a pilot after a Go decision. Closed is the last one, as of a
// pull request.
const (
	ReleasePending State = "RELEASE_PENDING" // the release's tag, or the change of the pointer, is awaited
	Released       State = "RELEASED"        // the pointer names the model; the deployment is not on record yet
	Monitoring     State = "MONITORING"      // and the deployment is
	Regressed      State = "REGRESSED"       // an incident is open and the pointer still names the model
	RolledBack     State = "ROLLED_BACK"     // the pointer went back; the recovery is not proven
	Recovered      State = "RECOVERED"       // proven; the root cause is missing
)

// Release is what became of a Go decision: the release, what is watched, and
// the way back. It is zero where there is none.
type Release struct {
	State    State
	Why      Reason        // a sentence of the section "release"
	Decision *ledger.Entry // the Go
	Scenario string
	Tag      string // of the release, as approved: vX.Y.0
	// Model is the registry's entry of the decided digest, Running what the
	// pointer names for the scenario now; zero where there is none.
	Model   registry.Entry
	Running registry.Target
	// Since is when the pointer came to name the model; zero: not known.
	Since time.Time

	Registry, Pointer, Runbook dossier.Document
	Models                     registry.Registry

	// Environment is the one whose deployments tell what ran when; Deployed its
	// newest deployment of ours.
	Environment string
	Deployed    facts.Deployment

	Incident *Incident // nil: there is none
	// Back is what the pointer returns to; zero where nothing may be run.
	Back registry.Entry
	// Move is the change of pointer and registry that is due: to the model, or
	// back. Its texts are nil where none is.
	Move Move
}

// Move is a change of the pointer with the model's status, as texts of the files.
type Move struct{ Pointer, Registry []byte }

// move writes both texts; files whose form leaves no place are people's to change.
func (r *Release) move(to registry.Target, status registry.Status) bool {
	pointer, err := registry.PutTarget(r.Pointer.Path, r.Pointer.Blob.Bytes, r.Scenario, to)
	if err != nil {
		return false
	}
	model := r.Model
	model.Status = status
	models, err := registry.PutEntry(r.Registry.Path, r.Registry.Blob.Bytes, model)
	if err != nil {
		return false
	}
	r.Move = Move{Pointer: pointer, Registry: models}
	return true
}

// PointerBranch and RollbackBranch are our branches that move the pointer to a
// model and away from it. One model is released and rolled back once.
func PointerBranch(pilot, digest string) string {
	return BranchPrefix + "pointer/" + pilot + "-" + shortDigest(digest)
}

// RollbackBranch is PointerBranch's way back.
func RollbackBranch(pilot, digest string) string {
	return BranchPrefix + "rollback/" + pilot + "-" + shortDigest(digest)
}

func shortDigest(d string) string {
	d = strings.TrimPrefix(d, "sha256:")
	return d[:min(len(d), 12)]
}

// openRelease judges what follows a Go decision, as far as the facts go, and
// says which are missing for more.
func (v *PilotVerdict) openRelease(s *facts.Pilot) []facts.Need {
	decision := lastDecision(v.Entries, s.ID)
	if decision == nil || decision.Record.Kind != ledger.KindGo || decision.Record.Launch == nil {
		return nil
	}
	r := &v.Release
	r.Decision, r.Scenario, r.Tag = decision, decision.Record.Launch.Scenario, decision.Record.Launch.Release
	r.Environment = "production-" + r.Scenario
	files := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	r.Registry, r.Pointer = files.Document(v.Policy.Paths.Registry), files.Document(v.Policy.Paths.Pointer)
	r.Runbook = files.Document(v.Policy.Paths.Runbook)
	if needs := files.Needs(); len(needs) > 0 {
		return needs
	}
	r.Models = facts.Read(r.Registry.Blob, v.Policy.Paths.Registry, registry.Parse)
	pointer := facts.Read(r.Pointer.Blob, v.Policy.Paths.Pointer, registry.ParsePointer)
	if broken := slices.Concat(r.Models.Problems, pointer.Problems); finding.Count(broken, finding.Error) > 0 {
		return r.as(ReleasePending, "unreadable", "path", broken[0].At.Path)
	}
	digest := modelOf(decision.Record)
	model, ok := r.Models.Find(digest)
	if !ok || digest == "" {
		return r.as(ReleasePending, "not_in_registry", "path", v.Policy.Paths.Registry)
	}
	r.Model, r.Running = model, pointer.Targets[r.Scenario]
	moved := s.Opened[PointerBranch(s.ID, digest)]
	switch {
	case r.Running.Digest == digest:
		return v.live(s, moved)
	case moved.Merged, s.Opened[RollbackBranch(s.ID, digest)].Number != 0:
		return v.left(s)
	case model.Status == registry.Rejected || model.Status == registry.Retired:
		return r.as(Closed, "not_usable", "status", string(model.Status))
	}
	return v.pending(s)
}

func (r *Release) as(state State, why string, args ...string) []facts.Need {
	r.State, r.Why = state, Reason{Key: why, Args: map[string]string{"tag": r.Tag, "model": r.Model.ID(), "scenario": r.Scenario}}
	for i := 0; i+1 < len(args); i += 2 {
		r.Why.Args[args[i]] = args[i+1]
	}
	return nil
}

// lastDecision is the pilot's newest record that says whether its model may go live.
func lastDecision(entries []ledger.Entry, pilot string) *ledger.Entry {
	var last *ledger.Entry
	for i, e := range entries {
		switch e.Record.Kind {
		case ledger.KindGo, ledger.KindNoGo, ledger.KindWithdrawn:
			if e.Record.Pilot == pilot {
				last = &entries[i]
			}
		}
	}
	return last
}

// modelOf is the digest of the model that a record decides on, "" if it names none.
func modelOf(r ledger.Record) string {
	for _, s := range r.Subjects {
		if s.Name == "model" {
			return "sha256:" + s.SHA256
		}
	}
	return ""
}

// pending waits for the release's tag. Patch and pre-release tags never move
// the pointer, and what was tagged instead is told.
func (v *PilotVerdict) pending(s *facts.Pilot) []facts.Need {
	r := &v.Release
	if !registry.ReleaseTag(r.Tag) {
		return r.as(ReleasePending, "no_release_named")
	}
	tag := facts.Need{Kind: facts.NeedTag, Tag: r.Tag}
	if !s.Answered(tag) {
		return []facts.Need{tag}
	}
	if s.Tags[tag.Key()].Absent {
		if !s.TagsRead {
			return []facts.Need{{Kind: facts.NeedTags}}
		}
		if others := tagsInstead(s.TagNames, r.Tag); len(others) > 0 {
			return r.as(ReleasePending, "other_tags", "others", strings.Join(others, ", "))
		}
		return r.as(ReleasePending, "awaits_tag")
	}
	release := facts.Need{Kind: facts.NeedRelease, Tag: r.Tag}
	if !s.Answered(release) {
		return []facts.Need{release}
	}
	if x := s.Releases[release.Key()]; x.Draft || x.Prerelease {
		return r.as(ReleasePending, "prerelease")
	}
	if opened := s.Opened[PointerBranch(s.ID, r.Model.Digest)]; opened.Number != 0 && !opened.Open {
		return r.as(ReleasePending, "pointer_closed", "number", strconv.Itoa(opened.Number))
	}
	to := registry.Target{Model: r.Model.Name, Version: r.Model.Version, Digest: r.Model.Digest}
	if r.Running.Digest != "" {
		to.Previous = r.Running.ID()
	}
	if !r.move(to, registry.Released) {
		return r.as(ReleasePending, "cannot_write", "path", r.Pointer.Path)
	}
	return r.as(ReleasePending, "pointer_due")
}

// tagsInstead are the version tags that people may have meant for the release
// and that do not count: patch releases and pre-releases of its line or of the
// line before.
func tagsInstead(names []string, tag string) []string {
	want, err := semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
	if err != nil {
		return nil
	}
	var out []string
	for _, name := range names {
		has, err := semver.StrictNewVersion(strings.TrimPrefix(name, "v"))
		if err != nil || !strings.HasPrefix(name, "v") || registry.ReleaseTag(name) {
			continue
		}
		sameLine := has.Major() == want.Major() && has.Minor() == want.Minor()
		lineBefore := has.Major() == want.Major() && has.Minor()+1 == want.Minor()
		if sameLine || lineBefore {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), 5)]
}

// live: the pointer names the model. It is watched until an incident opens.
func (v *PilotVerdict) live(s *facts.Pilot, moved facts.Opened) []facts.Need {
	r := &v.Release
	var needs []facts.Need
	for _, n := range []facts.Need{{Kind: facts.NeedDeployed, Environment: r.Environment}, {Kind: facts.NeedIssues}} {
		if !s.Answered(n) {
			needs = append(needs, n)
		}
	}
	if len(needs) > 0 {
		return needs
	}
	r.deployed(s)
	r.Since = moved.MergedAt
	if r.Since.IsZero() && r.Deployed.Digest == r.Model.Digest {
		r.Since = r.Deployed.CreatedAt
	}
	if needs := v.incident(s); len(needs) > 0 || r.Incident != nil {
		return append(needs, r.as(Regressed, "regressed")...)
	}
	if r.Deployed.Digest != r.Model.Digest || r.Deployed.State == "" {
		return r.as(Released, "released")
	}
	return r.as(Monitoring, "monitoring")
}

func (r *Release) deployed(s *facts.Pilot) {
	if all := s.Deployments[r.Environment]; len(all) > 0 {
		r.Deployed = all[0]
	}
}
