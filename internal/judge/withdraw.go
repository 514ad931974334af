package judge

import (
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// ended are the records after which there is nothing left to withdraw.
var ended = map[ledger.Kind]bool{
	ledger.KindGo: true, ledger.KindNoGo: true, ledger.KindRejected: true, ledger.KindRollback: true, ledger.KindWithdrawn: true,
}

// lastSignoff is the newest sign-off of a pilot.
func lastSignoff(report ledger.Report, pilot string) *ledger.Entry {
	var last *ledger.Entry
	for i, e := range report.Entries {
		if e.Record.Pilot == pilot && e.Record.Kind == ledger.KindSignoff {
			last = &report.Entries[i]
		}
	}
	return last
}

// withdrawn is the withdrawal of a sign-off, if there is one.
func withdrawn(report ledger.Report, signoff ledger.Entry) *ledger.Entry {
	for i, e := range report.Entries {
		if e.Record.Kind == ledger.KindWithdrawn && e.Record.Pilot == signoff.Record.Pilot && e.Record.Digest == signoff.Record.Digest {
			return &report.Entries[i]
		}
	}
	return nil
}

// withdrawal is what a pilot is whose plan is not on the default branch: if it
// was signed off and not decided yet, that withdraws the sign-off. The record
// names who approved the removal; where nobody had to, who merged or pushed it.
func withdrawal(s *facts.Pilot, v PilotVerdict, report ledger.Report) (PilotVerdict, []facts.Need) {
	last := lastSignoff(report, s.ID)
	if last == nil || s.PlanPath == "" || s.Changed == nil {
		return v.as(NoPlan, "no_plan"), nil
	}
	v.Signoff, v.Digest = last, last.Record.Digest[len("sha256:"):]
	if v.Entry = withdrawn(report, *last); v.Entry != nil {
		return v.as(Withdrawn, ""), nil
	}
	after := false
	for _, e := range report.Entries {
		after = after || e.Digest == last.Digest
		if after && e.Record.Pilot == s.ID && ended[e.Record.Kind] {
			return v.as(NoPlan, "no_plan"), nil
		}
	}
	if v.Policy.Enforcement == policy.Observe {
		return v.as(NoPlan, "observing"), nil
	}
	people, needs := removers(s, last)
	if n := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(n) {
		needs = append(needs, n)
	}
	if len(needs) > 0 {
		return v, needs
	}
	v.Record = withdrawalRecord(s, last, people)
	return v.as(Reverted, "due"), nil
}

// removers are who took the plan away.
func removers(s *facts.Pilot, signoff *ledger.Entry) ([]ledger.Approval, []facts.Need) {
	if s.Plan == nil || s.Plan.Merge == nil {
		// A committer writes any date, and the chain never runs backwards.
		at := second(s.Changed.At)
		if now := second(s.Now); at.Before(signoff.Record.CreatedAt) || at.After(now) {
			at = now
		}
		out := ledger.Approval{Login: "ghost", Role: committer, SubmittedAt: at, CommitID: s.Changed.OID}
		if a := s.Changed.Author.Account; a != nil && a.Type == "User" {
			out.Login, out.UserID = a.Login, a.ID
		}
		return []ledger.Approval{out}, nil
	}
	_, head := views(s)
	d, needs := dossier.Open(head)
	if len(needs) > 0 {
		return nil, needs
	}
	digest, _ := d.Digest(rules.Version)
	in := approvalInput(&d, digest, nil)
	in.Pull = beforeMerge(head)
	if needs := approval.Needs(in); len(needs) > 0 {
		return nil, needs
	}
	if people := approval.Judge(in); people.Complete() && succeededBefore(s.Plan, digest) {
		var out []ledger.Approval
		for _, role := range people.Roles {
			out = append(out, approvalOf(role, people.SamePerson))
		}
		return out, nil
	}
	return merger(&s.Common, *s.Plan.Merge)
}

// merger is who merged without the approvals that count.
func merger(c *facts.Common, m facts.Merge) ([]ledger.Approval, []facts.Need) {
	n := facts.Need{Kind: facts.NeedAccess, Login: m.By.Login}
	if !c.Answered(n) {
		return nil, []facts.Need{n}
	}
	out := ledger.Approval{Login: "ghost", Role: committer, SubmittedAt: second(m.At), CommitID: m.Commit}
	if m.By.Type == "User" {
		out.Login, out.UserID = m.By.Login, m.By.ID
	}
	if a := c.Access[n.Key()]; a.Admin && a.Account.ID == m.By.ID {
		out.Role = administrator
	}
	return []ledger.Approval{out}, nil
}

func withdrawalRecord(s *facts.Pilot, signoff *ledger.Entry, people []ledger.Approval) *ledger.Record {
	r := &ledger.Record{
		Kind: ledger.KindWithdrawn,
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			Pilot:      s.ID, PullRequest: signoff.Record.PullRequest, PlanPath: s.PlanPath,
			Digest:  signoff.Record.Digest,
			BaseRef: s.Repository.DefaultBranch, HeadCommit: s.Changed.OID, MergeCommit: s.Changed.OID,
			Approvals: people,
			CreatedAt: people[0].SubmittedAt,
		},
	}
	for _, x := range signoff.Record.Subjects {
		if x.Name == "plan" {
			r.Subjects = append(r.Subjects, x)
		}
	}
	if p := s.Plan; p != nil && p.Merge != nil {
		r.PullRequest, r.HeadCommit = p.Number, p.Head.OID
		r.BaseCommit, r.MergeCommit, r.CreatedAt = p.Merge.FirstParent, p.Merge.Commit, second(p.Merge.At)
	}
	for _, a := range people {
		r.Rows = append(r.Rows, ledger.Row{
			Date: day(a.SubmittedAt), Stakeholder: a.Login, Role: a.Role, Decision: ledger.Withdrawn, Notes: ledger.Notes{Review: a.ReviewID},
		})
	}
	return r
}

// second is a time as records have it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
