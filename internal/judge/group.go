package judge

import (
	"strconv"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// GroupVerdict is whether a merge queue's group may be merged.
type GroupVerdict struct {
	Approvals Conclusion
	Why       Reason
	Language  string
}

// MissingGroup lists the facts that a verdict on the group still needs: those
// of each request, and those of each request's plan in the group's tree.
func MissingGroup(g *facts.MergeGroup) []facts.Need {
	var out []facts.Need
	for i := range g.Pulls {
		p := member(g, i)
		needs := Missing(p)
		if len(needs) == 0 {
			d, _ := dossier.Open(p)
			needs = groupNeeds(g, p, &d)
		}
		out = append(out, needs...)
	}
	return out
}

// member is a request of the group with the group's facts: they are looked up
// and filled in one place.
func member(g *facts.MergeGroup, i int) *facts.PullRequest {
	p := g.Pulls[i]
	p.Common = g.Common
	return &p
}

func groupNeeds(g *facts.MergeGroup, p *facts.PullRequest, d *dossier.Dossier) []facts.Need {
	if d.Request == nil {
		n := facts.Need{Kind: facts.NeedTree, Commit: g.HeadOID}
		if len(d.Governed) == 0 || g.Answered(n) {
			return nil
		}
		return []facts.Need{n}
	}
	_, needs := dossier.OpenPlan(inGroup(g, p), d.Request.Path)
	return needs
}

// inGroup is the request as the group would merge it.
func inGroup(g *facts.MergeGroup, p *facts.PullRequest) *facts.PullRequest {
	out := *p
	out.Head.OID, out.Base.OID = g.HeadOID, g.BaseOID
	return &out
}

// MergeGroup judges: every governed request in it is approved, and what the
// group would merge is what was approved.
func MergeGroup(g *facts.MergeGroup) GroupVerdict {
	v := GroupVerdict{Approvals: Success, Why: Reason{Key: "group_clear"}}
	if len(g.Unresolved) > 0 {
		return GroupVerdict{Approvals: Failure, Why: Reason{Key: "group_unresolved", Args: map[string]string{"commit": g.Unresolved[0]}}}
	}
	for i := range g.Pulls {
		p := member(g, i)
		pv := PullRequest(p)
		v.Language = pv.Dossier.Policy.Language
		number := map[string]string{"number": strconv.Itoa(p.Number)}
		switch {
		case pv.State == NotGoverned:
		case pv.Approvals != Success:
			return GroupVerdict{Approvals: Failure, Why: Reason{Key: "group_not_approved", Args: number}, Language: v.Language}
		case pv.State != Observing && !sameInGroup(g, p, pv):
			return GroupVerdict{Approvals: Failure, Why: Reason{Key: "group_differs", Args: number}, Language: v.Language}
		default:
			v.Why = Reason{Key: "group_approved"}
		}
	}
	return v
}

func sameInGroup(g *facts.MergeGroup, p *facts.PullRequest, pv Verdict) bool {
	if q := pv.Dossier.Request; q != nil {
		d, needs := dossier.OpenPlan(inGroup(g, p), q.Path)
		digest, _ := d.Digest(rules.Version)
		return len(needs) == 0 && onlyFilesDiffer(digest, pv, &d)
	}
	tree := g.Git.Trees[g.HeadOID]
	if tree.Truncated || tree.Absent {
		return false
	}
	for _, c := range pv.Dossier.Governed {
		if e := tree.Entries[c.Path]; e.OID != c.After.OID || e.Mode != c.After.Mode {
			return false
		}
	}
	return true
}

// onlyFilesDiffer compares the plan's subject; other governed files of the
// request are compared by what the group's tree has.
func onlyFilesDiffer(digest string, pv Verdict, d *dossier.Dossier) bool {
	for _, f := range pv.Subject.Files {
		if e := d.HeadTree.Entries[f.Path]; e.OID != f.Blob {
			return false
		}
	}
	without := pv.Subject
	without.Files = nil
	return without.Digest() == digest
}
