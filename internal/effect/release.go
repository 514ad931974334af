package effect

import (
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/render"
)

// releaseNeeds are the facts that releaseEffects compares with.
func releaseNeeds(s *facts.Pilot, v judge.PilotVerdict) []facts.Need {
	r := v.Release
	var branches []string
	switch {
	case r.Move.Pointer != nil && r.State == judge.ReleasePending:
		branches = append(branches, judge.PointerBranch(v.ID, r.Model.Digest))
	case r.Move.Pointer != nil && r.Incident.Issue.Number != 0:
		branches = append(branches, judge.RollbackBranch(v.ID, r.Model.Digest))
	case r.Incident != nil && r.State != judge.Regressed:
		if n := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(n) {
			return []facts.Need{n}
		}
		if !judge.ThroughPull(&s.Common, v.Policy) {
			break
		}
		if r.Incident.Record != nil {
			branches = append(branches, rollbackAppend(v, nil).branch)
		}
		branches = append(branches, runbookBranch(v))
	}
	var needs []facts.Need
	for _, b := range branches {
		needs = append(needs, branchNeeds(&s.Common, b)...)
	}
	return needs
}

// releaseEffects is what has to be done for a pilot after its Go decision: move
// the pointer, record what runs, and, where it regressed, tell, go back and
// prove that it helped.
func releaseEffects(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer, words *render.Words) ([]Effect, error) {
	r := v.Release
	again := Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: facts.KindPilot, ID: v.ID}}
	var out []Effect
	switch {
	case r.State == judge.ReleasePending && r.Move.Pointer != nil:
		title, body := words.PointerPull(v)
		out = append(out, moved(s, v, judge.PointerBranch(v.ID, r.Model.Digest), title, body, nil, false)...)
	case r.State == judge.Released:
		out = append(out, deployment(s, r, r.Decision.Record.Pilot, false, words), again) // then it is watched, which people are told
	case r.State == judge.Regressed:
		out = append(out, incidentIssue(s, v, words)...)
		if r.Move.Pointer != nil && r.Incident.Issue.Number != 0 {
			title, body := words.RollbackPull(v)
			if back := moved(s, v, judge.RollbackBranch(v.ID, r.Model.Digest), title, body, runbook(v, words), true); len(back) > 0 {
				out = append(append(out, back...), again) // the issue names the request
			}
		}
	case r.Incident != nil:
		out = append(out, incidentIssue(s, v, words)...)
		if r.Back.Digest != "" && (r.Deployed.Digest != r.Back.Digest || r.Deployed.State == "") {
			out = append(out, deployment(s, r, r.Back.Pilot, true, words))
		}
		if rec := r.Incident.Recovery; rec.State == judge.BenchmarkDue {
			out = append(out, Claim{Ref: rec.Ref, Parent: s.Repository.DefaultOID, Message: "{}"}, Dispatch{
				Workflow: v.Policy.Workflows.Benchmark, Ref: s.Repository.DefaultBranch,
				Inputs: rec.Inputs,
			})
		}
		return recorded(s, v, signer, words, out)
	}
	return out, nil
}

// moved is our pull request that moves the pointer. Both roles approve it; the
// way back merges by itself once they have.
func moved(s *facts.Pilot, v judge.PilotVerdict, branch, title, body string, beside []File, auto bool) []Effect {
	r := v.Release
	commit := Commit{Branch: branch, Create: true, Parent: s.Repository.DefaultOID, Message: title, Files: append([]File{
		{Path: r.Pointer.Path, Bytes: r.Move.Pointer}, {Path: r.Registry.Path, Bytes: r.Move.Registry},
	}, beside...)}
	return onBranch(&s.Common, commit, r.Pointer.Path, Pull{Branch: branch, Base: s.Repository.DefaultBranch, Title: title, Body: body, AutoMerge: auto})
}

// deployment records what the pointer names now. A deployment of ours that a
// crash left without a status gets one.
func deployment(s *facts.Pilot, r judge.Release, pilot string, back bool, words *render.Words) Deployment {
	d := Deployment{
		Environment: r.Environment, Commit: s.Repository.DefaultOID, Description: words.Deployed(r, back),
		Deployed: facts.Deployed{Scenario: r.Scenario, Model: r.Running.ID(), Digest: r.Running.Digest, Pilot: pilot, Tag: r.Tag, Back: back},
	}
	if back {
		d.Deployed.Tag = ""
	}
	if r.Deployed.Digest == r.Running.Digest && r.Deployed.State == "" {
		d.ID = r.Deployed.ID
	}
	return d
}

// incidentIssue opens the incident's one issue, or writes into it what is known
// now. It cannot stay closed before the way back is proven and the root cause
// given, and then closes by itself.
func incidentIssue(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	i := v.Release.Incident
	title, body := words.IncidentIssue(v)
	want := Issue{Number: i.Issue.Number, Marker: i.Marker, Title: title, Body: body, Close: v.Release.State == judge.Closed}
	if want.Number == 0 {
		again := Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: facts.KindPilot, ID: v.ID}}
		return []Effect{want, again} // its number goes into the runbook
	}
	var out []Effect
	if told := bearing(s.Issues, i.Marker); len(told) > 1 {
		out = closed(told[1:])
	}
	if i.Issue.Open != !want.Close || i.Issue.Title != title || strings.TrimSpace(i.Issue.Body) != strings.TrimSpace(want.Text()) {
		out = append(out, want)
	}
	return out
}

// runbook is the incident log with this incident as it stands; nil where the
// log cannot be written to, which people read in the incident.
func runbook(v judge.PilotVerdict, words *render.Words) []File {
	r, i := v.Release, v.Release.Incident
	path := v.Policy.Paths.Runbook
	entry := words.RunbookEntry(v)
	var after []byte
	if i.Entry.Found {
		entry.ID = i.Entry.ID
		text, fs := ledger.UpdateIncident(path, r.Runbook.Blob.Bytes, entry)
		if len(fs) > 0 {
			return nil
		}
		after = text
	} else {
		text, _, fs := ledger.AppendIncident(path, r.Runbook.Blob.Bytes, entry)
		if len(fs) > 0 {
			return nil
		}
		after = text
	}
	if string(after) == string(r.Runbook.Blob.Bytes) {
		return nil
	}
	return []File{{Path: path, Bytes: after}}
}

// rollbackAppend is the record of the rollback, with its row.
func rollbackAppend(v judge.PilotVerdict, words *render.Words) appending {
	record := v.Release.Incident.Record
	a := appending{
		policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *record,
		branch: appendBranch(v.ID+"-rollback-"+first(strings.TrimPrefix(record.Digest, "sha256:"), 12), ledgerHead(v)),
	}
	if words != nil {
		a.message, a.title, a.body = words.RollbackRecord(v)
	}
	return a
}

// runbookBranch carries what the incident came to. The outcome is in the name:
// another outcome is another request.
func runbookBranch(v judge.PilotVerdict) string {
	i := v.Release.Incident
	return fmt.Sprintf("%sincident/%s-%s-%s", judge.BranchPrefix, v.ID, first(strings.TrimPrefix(v.Release.Model.Digest, "sha256:"), 12),
		strings.ReplaceAll(i.Recovery.State, "_", "-"))
}

// recorded appends the rollback's record first and then, once the benchmark has
// spoken, what came of it to the runbook: both are commits on the same branch.
func recorded(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer, words *render.Words, out []Effect) ([]Effect, error) {
	i := v.Release.Incident
	if i.Record != nil && signer != nil {
		a := rollbackAppend(v, words)
		a.common = &s.Common
		due, err := a.effects(*signer)
		return append(out, due...), err
	}
	switch i.Recovery.State {
	case judge.Proven, judge.Differs, judge.NoBenchmark, judge.NoResult:
	default:
		return out, nil
	}
	files := runbook(v, words)
	if len(files) == 0 {
		return out, nil
	}
	title, body := words.RunbookPull(v)
	commit := Commit{Branch: s.Repository.DefaultBranch, Parent: s.Repository.DefaultOID, Message: title, Files: files}
	if !judge.ThroughPull(&s.Common, v.Policy) {
		return append(out, commit), nil
	}
	commit.Branch, commit.Create = runbookBranch(v), true
	return append(out, onBranch(&s.Common, commit, v.Policy.Paths.Runbook, Pull{Branch: commit.Branch, Base: s.Repository.DefaultBranch, Title: title, Body: body})...), nil
}
