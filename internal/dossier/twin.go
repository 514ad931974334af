package dossier

import (
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// twins looks at the other requests that share the head commit: what each
// changes is compared with its own base and judged by that base's policy. Where
// that cannot be told, it is taken for governed.
func (r *reader) twins() {
	if len(r.d.Governed) > 0 || r.pull.Local {
		return
	}
	for _, t := range r.pull.Twins {
		if t.Number == r.pull.Number || t.Base == r.pull.Base.Ref {
			continue
		}
		if governed, known := r.governs(t.Base); known && governed {
			r.d.GovernedTwin = &t
			return
		}
	}
}

// governs tells whether the head changes something governed of another branch.
func (r *reader) governs(branch string) (governed, known bool) {
	at := facts.Need{Kind: facts.NeedBranch, Branch: branch}
	if !r.has(at) {
		return false, false
	}
	tip := r.pull.Branches[at.Key()]
	if tip.Absent {
		return false, true // nothing can be merged into it
	}
	fork := facts.Need{Kind: facts.NeedMergeBase, Commit: r.pull.Head.OID, Base: tip.OID}
	tree, ok := r.tree(tip.OID)
	if asked := r.has(fork); !ok || !asked {
		return false, false
	}
	doc, ok := r.document(tree, policy.Path)
	base := r.pull.Bases[fork.Key()]
	if base == "" {
		return true, ok
	}
	before, parted := r.tree(base)
	if !ok || !parted {
		return false, false
	}
	other := Dossier{}
	other.Policy, _ = readPolicy(doc)
	for _, c := range facts.Changes(before, r.d.HeadTree) {
		if other.Kind(c.Path) != policy.None {
			return true, true
		}
	}
	return before.Truncated, true
}
