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
		out = append(out, Claim{Ref: l.ClaimRef, Parent: s.Repository.DefaultOID, Message: claim.Message()}, start(s, v, words), again)
	}
	out = append(out, renewalEffects(s, v, words)...)
	out = append(out, ordersOfPilot(s, v, words)...)
	out = append(out, runComment(s, v, words)...)
	results, err := resultsEffects(s, v, words)
	if err != nil {
		return nil, err
	}
	out = append(out, results...)
	if l.Due == nil {
		return out, nil
	}
	a := appending{common: &s.Common, policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *l.Due, results: l.Results, branch: launchBranch(v)}
	a.message, a.title, a.body = words.LaunchRecord(*l.Due)
	due, err := a.effects(*signer)
	return append(out, due...), err
}

// start begins the one training that the claim before it lets happen: in the
// workflow, or at a trainer outside GitHub Actions.
func start(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) Effect {
	if v.Launch.Outside {
		return Order{
			Environment: v.Policy.Environment, Commit: s.Repository.DefaultOID, Description: words.TrainingOrder(v.ID),
			Order: facts.TrainingOrder{Pilot: v.ID, Signoff: v.Entry.Record.Digest, Record: v.Entry.Path, Launch: v.Launch.Digest},
		}
	}
	return Dispatch{Workflow: v.Policy.Workflows.Training, Ref: s.Repository.DefaultBranch, Inputs: map[string]string{"pilot": v.ID}}
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
	at, _ := s.OwnBranch(branch)
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

// launchNeeds are what the effects of a launch are compared with.
func launchNeeds(s *facts.Pilot, v judge.PilotVerdict) []facts.Need {
	var needs []facts.Need
	if v.Launch.Due != nil && judge.ThroughPull(&s.Common, v.Policy) {
		needs = append(needs, branchNeeds(&s.Common, launchBranch(v))...)
	}
	if v.Launch.Renewal != nil {
		needs = append(needs, branchNeeds(&s.Common, renewalBranch(v))...)
	}
	report := s.Opened[ReportBranch(v)]
	if tells(v) && report.Number != 0 {
		needs = append(needs, unanswered(&s.Common, facts.Need{Kind: facts.NeedPull, ID: int64(report.Number)})...)
	}
	if v.Launch.Evaluation != nil && report.Open {
		more := branchNeeds(&s.Common, ReportBranch(v))
		if at, known := s.OwnBranch(ReportBranch(v)); len(more) == 0 && known && !at.Absent {
			if e, is := s.Git.Trees[at.OID].Entries[v.Policy.ReportPath(v.ID)]; is {
				more = unanswered(&s.Common, facts.Need{Kind: facts.NeedBlob, OID: e.OID})
			}
		}
		needs = append(needs, more...)
	}
	return needs
}

// tells: there is something to say about the run, or about the release after it.
func tells(v judge.PilotVerdict) bool {
	return len(v.Launch.Say) > 0 || v.Release.Why.Key != ""
}

// runComment keeps one comment on the report's request, or on the plan's while
// there is none, that tells what became of the run.
func runComment(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	if !tells(v) {
		return nil
	}
	on := s.Plan
	if n := s.Opened[ReportBranch(v)].Number; n != 0 {
		p := s.Pulls[strconv.Itoa(n)]
		on = &p
	}
	if on == nil || on.Number == 0 {
		return nil
	}
	body := words.RunComment(v)
	for _, c := range on.Comments {
		if c.Ours && strings.HasPrefix(c.Body, render.RunMarker) {
			if normal(c.Body) == normal(body) {
				return nil
			}
			return []Effect{Comment{ID: c.ID, NodeID: c.NodeID, Number: on.Number, On: on.NodeID, Body: body}}
		}
	}
	return []Effect{Comment{Number: on.Number, On: on.NodeID, Body: body}}
}

// resultsEffects put the results into the report that waits for them: one that
// has its chart has them, and what people change there is theirs and
// pilot/report's.
func resultsEffects(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) ([]Effect, error) {
	branch, path := ReportBranch(v), v.Policy.ReportPath(v.ID)
	at, _ := s.OwnBranch(branch)
	if v.Launch.Evaluation == nil || !s.Opened[branch].Open || at.OID == "" {
		return nil, nil
	}
	chartPath := strings.TrimSuffix(path, ".md") + ".svg"
	if _, there := s.Git.Trees[at.OID].Entries[chartPath]; there {
		return nil, nil
	}
	existing := s.Git.Blobs[s.Git.Trees[at.OID].Entries[path].OID].Bytes
	text, chart, ok, err := words.WithResults(v, existing)
	if err != nil || !ok {
		return nil, err
	}
	title, _ := words.ReportPull(v)
	return []Effect{Commit{Branch: branch, Parent: at.OID, Message: title, Files: []File{
		{Path: path, Bytes: text}, {Path: chartPath, Bytes: chart},
	}}}, nil
}
