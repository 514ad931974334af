package effect

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

// SignoffBranch and ReportBranch are our branches for a pilot. The digest makes
// them the natural key of what they carry; the ledger's head is in the first,
// since a record is chained to it and another head needs another record.
func SignoffBranch(v judge.PilotVerdict, head string) string {
	if head = strings.TrimPrefix(head, "sha256:"); head == "" {
		head = "first"
	}
	return judge.BranchPrefix + "signoff/" + v.ID + "-" + first(v.Digest, 12) + "-" + first(head, 8)
}

// ReportBranch is where the report of a sign-off is drafted.
func ReportBranch(v judge.PilotVerdict) string {
	return judge.BranchPrefix + "report/" + v.ID + "-" + first(v.Digest, 12)
}

func first(s string, n int) string { return s[:min(n, len(s))] }

// BranchNeeds are the facts about our own branches that DiffPilot compares with:
// where each stands, and what is there.
func BranchNeeds(s *facts.Pilot, v judge.PilotVerdict) []facts.Need {
	var branch string
	switch {
	case v.State == judge.Merged && throughPull(s, v):
		branch = SignoffBranch(v, ledgerHead(v))
	case v.State == judge.SignedOff && !v.Report.Found:
		branch = ReportBranch(v)
	default:
		return nil
	}
	need := facts.Need{Kind: facts.NeedBranch, Branch: branch}
	if at, ok := s.Branches[need.Key()]; ok && !at.Absent {
		need = facts.Need{Kind: facts.NeedTree, Commit: at.OID}
	}
	if s.Answered(need) {
		return nil
	}
	return []facts.Need{need}
}

func ledgerHead(v judge.PilotVerdict) string {
	report, _ := ledger.Verify(v.Ledger, v.Keys)
	return report.Head
}

// throughPull tells whether the sign-off needs a pull request of ours: the
// policy asks for it, or the App may not push to the default branch.
func throughPull(s *facts.Pilot, v judge.PilotVerdict) bool {
	switch v.Policy.Commit.Mode {
	case policy.CommitDirect:
		return false
	case policy.CommitPullRequest:
		return true
	}
	return s.Branches[s.Repository.DefaultBranch].Guarded
}

// DiffPilot is what has to be done for a pilot: write the sign-off that is due,
// draft the report of one that stands, or say that there will be none.
func DiffPilot(s *facts.Pilot, v judge.PilotVerdict, signer *ledger.Signer) ([]Effect, error) {
	words := render.Speak(v.Policy.Language)
	switch v.State {
	case judge.Merged:
		if signer == nil {
			return nil, errors.New("sign off: no signing key is configured")
		}
		return signoffEffects(s, v, *signer, words)
	case judge.SignedOff:
		return reportEffects(s, v, words), nil
	case judge.Bypassed, judge.Stale:
		return bypassed(s, v, words), nil
	}
	return nil, nil
}

// signoffEffects puts rows, record and links into one commit on top of the tip
// that was looked at; another tip makes the write fail and the loop look again.
func signoffEffects(s *facts.Pilot, v judge.PilotVerdict, signer ledger.Signer, words *render.Words) ([]Effect, error) {
	added, err := ledger.Append(v.Ledger, *v.Record, signer, v.Keys)
	if errors.Is(err, ledger.ErrExists) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("append to the ledger: %w", err)
	}
	files := []File{{Path: added.LogPath, Bytes: added.Log}, {Path: added.RecordPath, Bytes: added.Record}}
	if summary, ok := linked(v); ok {
		files = append(files, File{Path: v.Policy.Paths.Summary, Bytes: summary})
	}
	tip, base := s.Repository.DefaultOID, s.Repository.DefaultBranch
	commit := Commit{Branch: base, Parent: tip, Message: words.SignoffMessage(v), Files: files}
	if !throughPull(s, v) {
		return []Effect{commit}, nil
	}
	commit.Branch, commit.Create = SignoffBranch(v, ledgerHead(v)), true
	title, body := words.SignoffPull(v)
	return onBranch(s, commit, added.RecordPath, Pull{Branch: commit.Branch, Base: base, Title: title, Body: body, AutoMerge: true}), nil
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

// onBranch makes a branch of ours with one commit and opens its pull request,
// each only where it is not there yet: a crash may have left the branch alone.
// That the commit is there is told by the file that it brings. A request that
// somebody closed stays closed, and one that a crash left without auto-merge is
// green by now, which GitHub refuses to merge by itself: a person does.
func onBranch(s *facts.Pilot, c Commit, brings string, p Pull) []Effect {
	opened, is := s.Opened[c.Branch]
	at := s.Branches[c.Branch]
	_, there := s.Git.Trees[at.OID].Entries[brings]
	var out []Effect
	switch {
	case is && !opened.Open, is && at.Absent:
		return nil
	case !at.Absent && !there:
		c.Create, c.Parent = false, at.OID
		out = append(out, c)
	case at.Absent:
		out = append(out, c)
	}
	if !is {
		out = append(out, p)
	}
	return out
}

func reportEffects(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	var out []Effect
	if s.Plan != nil && !shown(s.Plan, render.SignedMarker) {
		out = append(out, Look{Subject: facts.Subject{Repository: s.Repository.ID, Kind: facts.KindPullRequest, ID: strconv.Itoa(s.Plan.Number)}})
	}
	if v.Report.Found {
		return out
	}
	branch := ReportBranch(v)
	title, body := words.ReportPull(v)
	commit := Commit{
		Branch: branch, Create: true, Parent: s.Repository.DefaultOID, Message: title,
		Files: []File{{Path: v.Policy.ReportPath(v.ID), Bytes: words.Report(v)}},
	}
	return append(out, onBranch(s, commit, commit.Files[0].Path, Pull{Branch: branch, Base: s.Repository.DefaultBranch, Title: title, Body: body})...)
}

// shown tells whether our comment on the request says this already.
func shown(p *facts.PullRequest, marker string) bool {
	return slices.ContainsFunc(p.Comments, func(c facts.Comment) bool {
		return c.Ours && strings.HasPrefix(c.Body, render.CommentMarker) && strings.Contains(c.Body, marker)
	})
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
