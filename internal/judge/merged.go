package judge

import (
	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// MergedChange is a merged request of governed files other than a plan (a
// report, a pointer), judged as it was when it was merged.
type MergedChange struct {
	Pull   *facts.PullRequest
	Digest string // hex, derived again on what was merged
	People approval.Result
	Checks []Check
	// Approved: our approvals check had succeeded for this digest before the
	// merge, and both roles' reviews that it counted precede the merge.
	Approved bool
}

// mergedChange judges a request by its number, with the git facts of the
// pilot's look. Until its needs are answered it says nothing.
func mergedChange(c *facts.Common, number int) (MergedChange, []facts.Need) {
	need := facts.Need{Kind: facts.NeedPull, ID: int64(number)}
	if !c.Answered(need) {
		return MergedChange{}, []facts.Need{need}
	}
	asked := c.Pulls[need.Key()]
	if asked.Merge == nil || asked.Base.Ref != c.Repository.DefaultBranch {
		return MergedChange{}, nil
	}
	p := asked
	p.Common, p.Now = *c, asked.Merge.At
	p.Base.OID = asked.Merge.FirstParent
	d, needs := dossier.Open(&p)
	if len(needs) > 0 {
		return MergedChange{}, needs
	}
	out := MergedChange{Pull: &asked}
	out.Digest, _ = d.Digest(rules.Version)
	people := beforeMerge(&p)
	in := approvalInput(&d, out.Digest, nil)
	in.Pull = people
	if needs := approval.Needs(in); len(needs) > 0 {
		return MergedChange{}, needs
	}
	v := verdictOf(d, people, out.Digest, rules.Run(&d))
	out.People, out.Checks = v.People, v.Checks
	out.Approved = v.People.Complete() && succeededBefore(&asked, out.Digest)
	return out, nil
}
