package effect

import (
	"slices"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/render"
)

// DiffRepository hands everything that the default branch may have changed to
// its owners, and opens an issue when the ledger does not verify.
func DiffRepository(s *facts.RepositoryState, v judge.RepositoryVerdict) []Effect {
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
	const marker = "pilotgate:ledger"
	told := slices.DeleteFunc(bearing(s.Issues, marker), func(i facts.Issue) bool { return !i.Open })
	switch {
	case len(v.Broken) > 0 && len(told) == 0:
		title, body := render.Speak(v.Policy.Language).LedgerIssue(v.Broken)
		return append(out, Issue{Marker: marker, Title: title, Body: body})
	case len(v.Broken) > 0:
		return append(out, closed(told[1:])...)
	}
	return append(out, closed(told)...)
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
