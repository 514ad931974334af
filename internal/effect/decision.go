package effect

import (
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/render"
)

// decisionNeeds are the facts that decisionEffects compares with.
func decisionNeeds(s *facts.Pilot, v judge.PilotVerdict) []facts.Need {
	switch {
	case v.Decision.Void != "":
		return unanswered(&s.Common, facts.Need{Kind: facts.NeedIssues})
	case v.Decision.Record != nil && judge.ThroughPull(&s.Common, v.Policy):
		return branchNeeds(&s.Common, decisionBranch(v))
	}
	return nil
}

func decisionBranch(v judge.PilotVerdict) string {
	return appendBranch(v.ID+"-decision-"+first(strings.TrimPrefix(v.Decision.Record.Digest, "sha256:"), 12), ledgerHead(v))
}

// decisionEffects puts the decision on record, its rows in the log and the
// candidate into the registry, in one commit. A merged report that decides
// nothing opens one issue that says why; no row is written.
func decisionEffects(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer, words *render.Words) ([]Effect, error) {
	d := v.Decision
	if d.Void != "" {
		marker := "pilotgate:undecided " + v.ID + " " + first(v.Digest, 12)
		if told := bearing(s.Issues, marker); len(told) > 0 {
			return closed(told[1:]), nil
		}
		title, body := words.UndecidedIssue(v)
		return []Effect{Issue{Marker: marker, Title: title, Body: body}}, nil
	}
	a := appending{common: &s.Common, policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *d.Record, branch: decisionBranch(v)}
	if d.Registry != nil {
		a.beside = []File{{Path: v.Policy.Paths.Registry, Bytes: d.Registry}}
	}
	a.message, a.title, a.body = words.DecisionRecord(v)
	return a.effects(*signer)
}
