package effect

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

// launchBranch is our branch for the record of a launch or of its failure.
func launchBranch(v judge.PilotVerdict) string {
	r := v.Launch.Due
	return appendBranch(v.ID+"-"+string(r.Kind)+"-"+first(strings.TrimPrefix(r.Digest, "sha256:"), 12), ledgerHead(v))
}

// launchEffects answers the runs that wait, starts the one that nobody else may
// start, and puts the launch on record. The claim goes before what it lets
// happen once: who comes second gets a conflict, and looks again.
func launchEffects(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer, words *render.Words) ([]Effect, error) {
	l := v.Launch
	var out []Effect
	again := Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: facts.KindPilot, ID: v.ID}}
	for _, a := range l.Answers {
		if a.State == "approved" && !l.Claimed.Found {
			claim := judge.Claimed{Run: a.Run.ID, Attempt: a.Run.Attempt}
			out = append(out, Claim{Ref: l.ClaimRef, Parent: s.Repository.DefaultOID, Message: claim.Message()}, again)
		}
		out = append(out, answered(&s.Common, v.Policy, a, words)...)
	}
	if l.Dispatch {
		claim := judge.Claimed{Dispatched: true}
		out = append(out, Claim{Ref: l.ClaimRef, Parent: s.Repository.DefaultOID, Message: claim.Message()},
			Dispatch{Workflow: v.Policy.Workflows.Training, Ref: s.Repository.DefaultBranch, Inputs: map[string]string{"pilot": v.ID}}, again)
	}
	out = append(out, renewalEffects(s, v, words)...)
	if l.Due == nil {
		return out, nil
	}
	a := appending{common: &s.Common, policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *l.Due, branch: launchBranch(v)}
	a.message, a.title, a.body = words.LaunchRecord(*l.Due)
	due, err := a.effects(*signer)
	return append(out, due...), err
}

// answered is an answer of the gate. A comment is given once, which the claim
// before it tells: GitHub shows nobody what was said to a run.
func answered(c *facts.Common, p policy.Policy, a judge.Answer, words *render.Words) []Effect {
	decision := DecideDeployment{Run: a.Run.ID, Environment: p.Environment, State: a.State, Comment: words.Gate(a.Why)}
	switch {
	case a.State != "":
		return []Effect{decision}
	case c.Claims[a.Told].Absent:
		return []Effect{Claim{Ref: a.Told, Parent: c.Repository.DefaultOID, Message: "{}"}, decision}
	}
	return nil
}

// renewalBranch is where a raised plan is proposed: one a revision.
func renewalBranch(v judge.PilotVerdict) string {
	return judge.BranchPrefix + "renew/" + v.ID + "-" + strconv.Itoa(v.Launch.Renewal.Revision)
}

// renewalEffects open the pull request with the next revision of the plan.
func renewalEffects(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	r := v.Launch.Renewal
	if r == nil {
		return nil
	}
	branch, base := renewalBranch(v), s.Repository.DefaultBranch
	title, body := words.RenewalPull(v)
	at := s.Branches[branch]
	opened := s.Opened[branch]
	if opened.Number != 0 { // open, or closed by somebody: once a revision
		return nil
	}
	var out []Effect
	commit := Commit{Branch: branch, Create: true, Parent: s.Repository.DefaultOID, Message: title, Files: []File{{Path: s.PlanPath, Bytes: r.Plan}}}
	switch {
	case at.Absent:
		out = append(out, commit)
	case s.Git.Trees[at.OID].Entries[s.PlanPath] == v.Tree.Entries[s.PlanPath]: // a crash left the branch alone
		commit.Create, commit.Parent = false, at.OID
		out = append(out, commit)
	}
	return append(out, Pull{Branch: branch, Base: base, Title: title, Body: body})
}
