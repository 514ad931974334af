package effect

import (
	"slices"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/render"
)

// DiffRepository hands everything that the default branch may have changed to
// its owners, opens an issue when the ledger does not verify, and appends the
// Policy record that is due.
func DiffRepository(s *facts.RepositoryState, v judge.RepositoryVerdict, signer *ledger.Signer) ([]Effect, error) {
	var out []Effect
	look := func(kind, id string) {
		out = append(out, Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: kind, ID: id}})
	}
	for _, n := range s.OpenPulls {
		look(facts.KindPullRequest, strconv.Itoa(n))
	}
	for _, id := range v.Pilots {
		look(facts.KindPilot, id)
	}
	words := render.Speak(v.Policy.Language)
	for _, a := range v.Answers {
		out = append(out, answered(&s.Common, v.Policy, a, words)...)
	}
	const marker = "pilotgate:ledger"
	told := slices.DeleteFunc(bearing(s.Issues, marker), func(i facts.Issue) bool { return !i.Open })
	switch {
	case len(v.Broken) > 0 && len(told) == 0:
		title, body := words.LedgerIssue(v.Broken)
		return append(out, Issue{Marker: marker, Title: title, Body: body}), nil
	case len(v.Broken) > 0:
		return append(out, closed(told[1:])...), nil
	}
	out = append(out, closed(told)...)
	if v.Record == nil || signer == nil {
		return out, nil
	}
	added, err := rolesAppend(s, v).effects(*signer)
	return append(out, added...), err
}

// RolesBranch is our branch for the Policy record of a change of roles. The
// request makes it the natural key; the ledger's head is in it, since another
// head needs another record.
func RolesBranch(v judge.RepositoryVerdict) string {
	return appendBranch("policy-"+strconv.Itoa(v.Record.PullRequest), v.Head)
}

// RepositoryNeeds are the facts about our own branch that DiffRepository
// compares with.
func RepositoryNeeds(s *facts.RepositoryState, v judge.RepositoryVerdict) []facts.Need {
	if v.Record == nil || !judge.ThroughPull(&s.Common, v.Policy) {
		return nil
	}
	branch := RolesBranch(v)
	return append(branchNeeds(&s.Common, branch), unanswered(&s.Common, facts.Need{Kind: facts.NeedOpened, Branch: branch})...)
}

func rolesAppend(s *facts.RepositoryState, v judge.RepositoryVerdict) appending {
	words := render.Speak(v.Policy.Language)
	a := appending{
		common: &s.Common, policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *v.Record,
		branch: RolesBranch(v), message: words.RolesMessage(v),
	}
	a.record.Rows = slices.Clone(a.record.Rows)
	for i := range a.record.Rows {
		a.record.Rows[i].Notes.Remark = words.RolesRemark(v)
	}
	a.title, a.body = words.RolesPull(v)
	return a
}

// DiffMergeGroup writes the one required check on the group's head.
func DiffMergeGroup(g *facts.MergeGroup, v judge.GroupVerdict) []Effect {
	out := render.Speak(v.Language).Group(v)
	r := Run{
		Name: judge.Approvals, Head: g.HeadOID, ExternalID: approval.ExternalID{Base: g.BaseRef}.String(),
		Status: "completed", Conclusion: string(v.Approvals), Title: out.Title, Summary: out.Summary,
	}
	var effects []Effect
	for _, x := range DiffRuns(g.Runs, 0, []Run{r}) {
		effects = append(effects, x)
	}
	return effects
}
