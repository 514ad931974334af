package dossier

import (
	"path"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// LedgerChange is the ledger before and after the pull request.
type LedgerChange struct {
	Before, After ledger.Ledger
	Keys          []ledger.Key
	// The stage summary, which a sign-off links the pilot's documents into.
	SummaryBefore, SummaryAfter []byte
	// The registry, which a decision writes the candidate into.
	RegistryBefore, RegistryAfter []byte
}

// ModelChange is registry and pointer before and after the pull request, with
// what is on record about models.
type ModelChange struct {
	RegistryBefore, RegistryAfter registry.Registry
	PointerBefore, PointerAfter   registry.Pointer
	Evidence                      registry.Evidence
}

// Keys are the policy's signing keys as the ledger takes them: the policy's
// last day is a whole day.
func Keys(p policy.Policy) []ledger.Key { return keys(p.Signing.Keys) }

// TrainerKeys are those of the trainers outside GitHub Actions.
func TrainerKeys(p policy.Policy) []ledger.Key { return keys(p.Trainers) }

func keys(listed []policy.Key) []ledger.Key {
	var out []ledger.Key
	for _, k := range listed {
		key := ledger.Key{ID: k.ID, Public: k.Public, From: k.From}
		if !k.Until.IsZero() {
			key.Until = k.Until.AddDate(0, 0, 1)
		}
		out = append(out, key)
	}
	return out
}

// governance reads what the checks of governed files other than plans need.
func (r *reader) governance() {
	files := func(commit string, t facts.Tree) *Files {
		return &Files{reader: reader{pull: r.pull}, commit: commit, tree: t}
	}
	before := files(r.d.MergeBase, r.pull.Git.Trees[r.d.MergeBase])
	after := files(r.pull.Head.OID, r.d.HeadTree)
	base := files(r.pull.Base.OID, r.d.BaseTree)
	p := r.d.Policy
	if r.d.Touches(policy.Signoff, policy.Evidence) {
		r.d.LedgerChange = &LedgerChange{
			Before: before.Ledger(p), After: after.Ledger(p), Keys: Keys(p),
			SummaryBefore: before.Document(p.Paths.Summary).Blob.Bytes, SummaryAfter: after.Document(p.Paths.Summary).Blob.Bytes,
			RegistryBefore: before.Document(p.Paths.Registry).Blob.Bytes, RegistryAfter: after.Document(p.Paths.Registry).Blob.Bytes,
		}
	}
	if r.d.Touches(policy.Registry, policy.Pointer) {
		m := &ModelChange{Evidence: evidenceOf(base, p)}
		for _, side := range []struct {
			files    *Files
			registry *registry.Registry
			pointer  *registry.Pointer
		}{{before, &m.RegistryBefore, &m.PointerBefore}, {after, &m.RegistryAfter, &m.PointerAfter}} {
			*side.registry = facts.Read(side.files.Document(p.Paths.Registry).Blob, p.Paths.Registry, registry.Parse)
			*side.pointer = facts.Read(side.files.Document(p.Paths.Pointer).Blob, p.Paths.Pointer, registry.ParsePointer)
		}
		for _, move := range registry.Moves(m.PointerBefore, m.PointerAfter) {
			if move.To == nil {
				continue
			}
			if tag := m.Evidence.Releases[move.To.Digest]; registry.ReleaseTag(tag) && r.has(facts.Need{Kind: facts.NeedTag, Tag: tag}) {
				m.Evidence.Tagged[tag] = !r.pull.Tags[tag].Absent
			}
		}
		r.d.ModelChange = m
	}
	if r.d.Touches(policy.Report, policy.Chart, policy.Reported) {
		_, report, broken := base.Verified(p)
		r.d.Records, r.d.RecordsBroken = report.Entries, len(broken) > 0
	}
	for _, c := range r.d.Governed {
		if (c.Kind == policy.Report || c.Kind == policy.Chart) && !c.Deleted() {
			r.regular(c.Before)
			r.regular(c.After)
		}
		if pilot := p.PilotID(c.Path); c.Kind == policy.Reported && form.Pilot(pilot) && !r.reads(pilot) {
			r.d.Reported = append(r.d.Reported, after.Reported(p, pilot))
		}
		if c.Kind == policy.Workflow && !c.Deleted() {
			if doc, ok := r.document(r.d.HeadTree, c.Path); ok {
				r.d.WorkflowsAfter = append(r.d.WorkflowsAfter, doc)
			}
		}
		if c.Kind == policy.Plan && c.Deleted() && c.Before.Regular() {
			r.blob(c.Before) // says whose it was
		}
	}
	for _, f := range []*Files{before, after, base} {
		for _, n := range f.needs {
			r.has(n)
		}
	}
}

// reads tells whether a pilot's reported results are read already.
func (r *reader) reads(pilot string) bool {
	return slices.ContainsFunc(r.d.Reported, func(x Reported) bool { return x.Pilot == pilot })
}

// regular asks for a file's bytes, if it is one.
func (r *reader) regular(e facts.Entry) {
	if e.Regular() {
		r.blob(e)
	}
}

// evidenceOf reads the latest decision for each model digest from the signed
// records; a ledger that does not verify proves nothing.
func evidenceOf(base *Files, p policy.Policy) registry.Evidence {
	out := registry.Evidence{Go: map[string]bool{}, Releases: map[string]string{}, Tagged: map[string]bool{}}
	_, report, broken := base.Verified(p)
	if len(broken) > 0 {
		return out
	}
	for _, e := range report.Entries {
		for _, s := range e.Record.Subjects {
			if s.Name != "model" {
				continue
			}
			switch e.Record.Kind {
			case ledger.KindGo:
				out.Go["sha256:"+s.SHA256] = true
				if e.Record.Launch != nil {
					out.Releases["sha256:"+s.SHA256] = e.Record.Launch.Release
				}
			case ledger.KindNoGo, ledger.KindRejected, ledger.KindRollback:
				out.Go["sha256:"+s.SHA256] = false
			}
		}
	}
	return out
}

// SignedDigests are the subject digests of a pilot's sign-offs on the base
// branch, by the names of their records.
func (d *Dossier) SignedDigests(pilot string) []string {
	var out []string
	dir := d.Policy.EvidencePath(pilot)
	for p := range d.BaseTree.Entries {
		name, ok := strings.CutPrefix(path.Base(p), string(ledger.KindSignoff)+"-")
		if ok && strings.HasPrefix(p, dir) {
			out = append(out, strings.TrimSuffix(name, ".json"))
		}
	}
	return out
}

// Signed tells by the names of the base branch's records whether a pilot was
// signed off, and whether every sign-off of it was withdrawn.
func (d *Dossier) Signed(pilot string) (signed, withdrawn bool) {
	n, _, gone := standing(d.BaseTree, d.Policy.EvidencePath(pilot))
	return n > 0, n > 0 && gone
}

// SignedAs tells it of the sign-offs with these digests.
func (d *Dossier) SignedAs(pilot string, digests []string) (signed, withdrawn bool) {
	dir := d.Policy.EvidencePath(pilot)
	has := func(kind ledger.Kind, digest string) bool {
		_, ok := d.BaseTree.Entries[dir+string(kind)+"-"+digest+".json"]
		return ok
	}
	for _, digest := range digests {
		if has(ledger.KindSignoff, digest) {
			signed, withdrawn = true, has(ledger.KindWithdrawn, digest)
		}
	}
	return signed, withdrawn
}

// standing counts the sign-offs in an evidence folder and tells whether there is
// anything in it, and whether all of them were withdrawn.
func standing(t facts.Tree, dir string) (signoffs int, used, withdrawn bool) {
	withdrawn = true
	for p := range t.Entries {
		if !strings.HasPrefix(p, dir) {
			continue
		}
		used = true
		digest, ok := strings.CutPrefix(path.Base(p), string(ledger.KindSignoff)+"-")
		if !ok {
			continue
		}
		signoffs++
		_, gone := t.Entries[dir+string(ledger.KindWithdrawn)+"-"+digest]
		withdrawn = withdrawn && gone
	}
	return signoffs, used, withdrawn
}

// RemovedPilots are the pilots whose plans the pull request takes away, by what
// the plans said before.
func (d *Dossier) RemovedPilots() []string {
	var out []string
	for _, c := range d.Governed {
		if c.Kind != policy.Plan || !c.Deleted() {
			continue
		}
		id := d.Policy.PilotID(c.Path)
		if b := d.Pull.Git.Blobs[c.Before.OID]; len(b.Bytes) > 0 {
			if v, ok := facts.Read(b, c.Path, plan.Parse).Get(plan.Pilot); ok && v.Text != "" {
				id = v.Text
			}
		}
		if form.Pilot(id) {
			out = append(out, id)
		}
	}
	return out
}
