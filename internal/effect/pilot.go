package effect

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/render"
)

// RecordBranch and ReportBranch are our branches for a pilot. The digest makes
// them the natural key of what they carry; the ledger's head is in the first,
// since a record is chained to it and another head needs another record.
func RecordBranch(v judge.PilotVerdict, head string) string {
	event := v.ID + "-" + first(v.Digest, 12)
	if v.Record != nil && v.Record.Kind != ledger.KindSignoff {
		event += "-" + string(v.Record.Kind)
	}
	return appendBranch(event, head)
}

func appendBranch(event, head string) string {
	if head = strings.TrimPrefix(head, "sha256:"); head == "" {
		head = "first"
	}
	return judge.BranchPrefix + "signoff/" + event + "-" + first(head, 8)
}

// ReportBranch is where the report of a sign-off is drafted.
func ReportBranch(v judge.PilotVerdict) string {
	return judge.ReportBranch(v.ID, v.Digest)
}

func first(s string, n int) string { return s[:min(n, len(s))] }

// PilotNeeds are the facts that DiffPilot compares with: where our own branches
// stand and what is there, and which issues of ours there are.
func PilotNeeds(s *facts.Pilot, v judge.PilotVerdict) []facts.Need {
	var needs []facts.Need
	if (v.State == judge.Merged || v.State == judge.Reverted) && judge.ThroughPull(&s.Common, v.Policy) {
		needs = append(needs, branchNeeds(&s.Common, RecordBranch(v, ledgerHead(v)))...)
	}
	needs = append(needs, launchNeeds(s, v)...)
	if v.State == judge.SignedOff && !v.Report.Found {
		needs = append(needs, branchNeeds(&s.Common, ReportBranch(v))...)
	}
	if v.State == judge.Bypassed || v.State == judge.Stale {
		needs = append(needs, unanswered(&s.Common, facts.Need{Kind: facts.NeedIssues})...)
	}
	return append(append(needs, decisionNeeds(s, v)...), releaseNeeds(s, v)...)
}

func ledgerHead(v judge.PilotVerdict) string {
	report, _ := ledger.Verify(v.Ledger, v.Keys)
	return report.Head
}

// DiffPilot is what has to be done for a pilot: write the sign-off that is due,
// draft the report of one that stands, answer the runs that wait, or say that
// there will be no sign-off.
func DiffPilot(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer) ([]Effect, error) {
	words := render.Speak(v.Policy.Language)
	due := v.State == judge.Merged || v.State == judge.Reverted
	if signer == nil && (due || v.Launch.Due != nil || v.Decision.Record != nil) {
		return nil, errors.New("append to the ledger: no signing key is configured")
	}
	out, err := launchEffects(s, v, signer, words)
	if err != nil {
		return nil, err
	}
	switch {
	case due:
		added, err := pilotAppend(s, v, words).effects(*signer)
		return append(out, added...), err
	case v.State == judge.Withdrawn:
		out = append(out, withdrawnLooks(s, v)...)
	case v.State == judge.SignedOff:
		out = append(out, reportEffects(s, v, words)...)
		switch { // one record at a time: each is chained to the one before
		case v.Launch.Due != nil:
		case v.Decision.Record != nil, v.Decision.Void != "":
			decided, err := decisionEffects(s, v, signer, words)
			return append(out, decided...), err
		default:
			release, err := releaseEffects(s, v, signer, words)
			return append(out, release...), err
		}
	case v.State == judge.Bypassed, v.State == judge.Stale:
		out = append(out, bypassed(s, v, words)...)
	}
	return out, nil
}

// pilotAppend is the sign-off that is due, or its withdrawal.
func pilotAppend(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) appending {
	a := appending{
		common: &s.Common, policy: v.Policy, ledger: v.Ledger, keys: v.Keys, record: *v.Record,
		branch: RecordBranch(v, ledgerHead(v)), message: words.RecordMessage(v),
	}
	if v.Record.Kind == ledger.KindSignoff {
		a.record.Rows = slices.Clone(a.record.Rows)
		for i := range a.record.Rows {
			a.record.Rows[i].Notes.Remark = words.WaiversRemark(v)
		}
		if summary, ok := linked(v); ok {
			a.beside = []File{{Path: v.Policy.Paths.Summary, Bytes: summary}}
		}
	}
	a.title, a.body = words.RecordPull(v)
	return a
}

// withdrawnLooks hands over to the requests that brought the plan and took it
// away, whose comments tell of it, as long as nothing newer is on record.
func withdrawnLooks(s *facts.Pilot, v judge.PilotVerdict) []Effect {
	if ledgerHead(v) != v.Entry.Digest {
		return nil
	}
	numbers := []int{v.Signoff.Record.PullRequest}
	if n := v.Entry.Record.PullRequest; n != numbers[0] {
		numbers = append(numbers, n)
	}
	var out []Effect
	for _, n := range numbers {
		out = append(out, Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: facts.KindPullRequest, ID: strconv.Itoa(n)}})
	}
	return out
}

// linked is the stage summary with this pilot's documents in it, if that
// changes anything. Markers that do not pair are left for people to mend.
func linked(v judge.PilotVerdict) ([]byte, bool) {
	if v.Summary.Found && !v.Summary.Readable() {
		return nil, false
	}
	after, problems := ledger.LinkPilot(v.Policy.Paths.Summary, v.Summary.Blob.Bytes, ledger.PilotLinks{
		Pilot: v.ID, Plan: v.Request.Path, Log: v.Policy.Paths.Signoff, Report: v.Policy.ReportPath(v.ID),
	})
	return after, len(problems) == 0 && string(after) != string(v.Summary.Blob.Bytes)
}

func reportEffects(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	said := standing(s, v, words)
	if v.Report.Found {
		return said
	}
	branch := ReportBranch(v)
	title, body := words.ReportPull(v)
	commit := Commit{
		Branch: branch, Create: true, Parent: s.Repository.DefaultOID, Message: title,
		Files: []File{{Path: v.Policy.ReportPath(v.ID), Bytes: words.Report(v)}},
	}
	proposed := onBranch(&s.Common, commit, commit.Files[0].Path, Pull{Branch: branch, Base: s.Repository.DefaultBranch, Title: title, Body: body})
	return append(proposed, said...)
}

// standing is our comment on the request that brought the plan: it is signed off.
func standing(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	if s.Plan == nil {
		return nil
	}
	return diffComment(s.Plan, words.Signed(v, s))
}

// bypassed opens one issue that says why no sign-off was written.
func bypassed(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	marker := "pilotgate:bypassed " + v.ID + " " + v.Digest
	if told := bearing(s.Issues, marker); len(told) > 0 {
		return closed(told[1:])
	}
	title, body := words.BypassedIssue(v, s)
	return []Effect{Issue{Marker: marker, Title: title, Body: body}}
}
