package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/report"
)

// SignedMarker is in the comment of a request whose sign-off stands.
const SignedMarker = "<!-- pilotgate:signed -->"

// Merged is the comment of a merged request that is not signed off yet, or whose
// sign-off was withdrawn again.
func (w *Words) Merged(v judge.Verdict) string {
	if _, withdrawn := v.Dossier.SignedAs(v.Pilot, approval.Published(v.Dossier.Pull)); withdrawn {
		return w.Removed(v, v.Pilot)
	}
	return CommentMarker + "\n### " + w.say(markdown, "comment", "heading_signing", "pilot", v.Pilot) + "\n" +
		w.texts["comment"]["signing"] + "\n"
}

// Signed is the comment of a merged request whose pilot is signed off.
func (w *Words) Signed(v judge.PilotVerdict, s *facts.Pilot) string {
	return CommentMarker + "\n" + SignedMarker + "\n### " + w.say(markdown, "comment", "heading_signed", "pilot", v.ID) + "\n" +
		w.recorded(v.Policy, s.Repository) + " **" +
		w.texts["comment"]["next_label"] + " " + w.training(v, s) + " " + w.texts["comment"]["next_record"] + "\n"
}

// training is who begins the training, and what holds back whom.
func (w *Words) training(v judge.PilotVerdict, s *facts.Pilot) string {
	l := v.Launch
	key := "by_hand"
	switch {
	case l.Outside:
		key = "outside"
	case l.StartedByUs(s):
		key = "by_us"
	case v.Gated():
		key = "gated"
	}
	who := w.raw("comment", "next_train_"+key, "who", w.who(s.Plan, v.Request))
	return who + "** " + w.say(markdown, "comment", "train_"+key, "environment", v.Policy.Environment)
}

// Removed is the comment of a request by which a plan's sign-off was withdrawn:
// the one that took the plan away, and the one that had brought it.
func (w *Words) Removed(v judge.Verdict, pilot string) string {
	return CommentMarker + "\n### " + w.say(markdown, "comment", "heading_withdrawn", "pilot", pilot) + "\n" +
		w.recorded(v.Dossier.Policy, v.Dossier.Pull.Repository) + " " + w.texts["comment"]["withdrawn"] + "\n"
}

// recorded links the log.
func (w *Words) recorded(p policy.Policy, r facts.Repository) string {
	log := p.Paths.Signoff
	link := r.URL + "/blob/" + r.DefaultBranch + "/" + urlPath(log)
	return w.raw("comment", "recorded", "file", log[strings.LastIndexByte(log, '/')+1:], "link", link)
}

// Dismissal is the message of a dismissed review.
func (w *Words) Dismissal(r approval.Review) string {
	return "@" + r.Author.Login + " " + w.sayMap(plain, "condition", r.Reason.Key, r.Reason.Args) + ". " + w.texts["comment"]["dismissed_next"]
}

// CouldNotEvaluate is what a check says when we failed.
func (w *Words) CouldNotEvaluate(what string) Output {
	return Output{Title: w.texts["title"]["could_not_evaluate"], Summary: w.say(markdown, "comment", "not_evaluated", "what", what)}
}

// ReportPull is title and body of the pull request that drafts the report.
func (w *Words) ReportPull(v judge.PilotVerdict) (title, body string) {
	return w.say(plain, "report", "title", "pilot", v.ID), w.say(markdown, "report", "body", "pilot", v.ID)
}

// BypassedIssue is title and body of the issue about a merge without approval.
func (w *Words) BypassedIssue(v judge.PilotVerdict, s *facts.Pilot) (title, body string) {
	number := ""
	if s.Plan != nil {
		number = strconv.Itoa(s.Plan.Number)
	}
	key := "bypassed"
	if v.State == judge.Stale {
		key = "stale"
	}
	return w.say(plain, "issue", key+"_title", "pilot", v.ID),
		w.say(markdown, "issue", key+"_body", "pilot", v.ID, "number", number, "reason", w.say(markdown, "issue", v.Why.Key))
}

// Report drafts the pilot report from the signed record. What we write stands
// between markers; the rest is for people, and is kept.
func (w *Words) Report(v judge.PilotVerdict) []byte {
	return report.Regenerate(nil, report.Input{
		Language: w.Language, Path: v.Policy.ReportPath(v.ID), Log: v.Policy.Paths.Signoff,
		Evidence: report.Evidence{Signoff: ledger.Entry{Path: v.Record.Path(v.Policy.Paths.Evidence), Record: *v.Record}},
		Baseline: judge.BaselineOf(v.Request),
	})
}

// LedgerIssue is title and body of the issue about a ledger that does not verify.
func (w *Words) LedgerIssue(broken []finding.Finding) (title, body string) {
	var b strings.Builder
	b.WriteString(w.texts["issue"]["ledger_body"] + "\n\n")
	for i, f := range broken {
		if i == 20 {
			b.WriteString("- " + w.say(markdown, "comment", "row_error_more", "n", strconv.Itoa(len(broken)-i)) + "\n")
			break
		}
		fmt.Fprintf(&b, "- **%s** `%s:%d` %s\n", f.Rule, escape(f.At.Path, markdown, true), f.At.Line, w.what(f, markdown))
	}
	return w.texts["issue"]["ledger_title"], b.String()
}

// Group is what the required check says on a merge queue's group.
func (w *Words) Group(v judge.GroupVerdict) Output {
	return Output{Title: strings.ReplaceAll(w.sayMap(plain, "group", v.Why.Key, v.Why.Args), "`", ""), Summary: w.sayMap(markdown, "group", v.Why.Key, v.Why.Args)}
}
