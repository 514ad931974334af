package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// SignedMarker is in the comment of a request whose sign-off stands.
const SignedMarker = "<!-- pilotgate:signed -->"

// Merged is the comment of a merged request: signed off, or on the way there,
// or withdrawn again.
func (w *Words) Merged(v judge.Verdict) string {
	d := v.Dossier
	signed, withdrawn := d.SignedAs(v.Pilot, approval.Published(d.Pull))
	switch {
	case withdrawn:
		return w.Removed(v, v.Pilot)
	case !signed:
		return CommentMarker + "\n### " + w.say(markdown, "comment", "heading_signing", "pilot", v.Pilot) + "\n" +
			w.texts["comment"]["signing"] + "\n"
	}
	return CommentMarker + "\n" + SignedMarker + "\n### " + w.say(markdown, "comment", "heading_signed", "pilot", v.Pilot) + "\n" +
		w.recorded(v) + " **" +
		w.texts["comment"]["next_label"] + " " + w.raw("comment", "next_train", "who", w.author(v)) + "** " +
		w.texts["comment"]["next_record"] + "\n"
}

// Removed is the comment of a request by which a plan's sign-off was withdrawn:
// the one that took the plan away, and the one that had brought it.
func (w *Words) Removed(v judge.Verdict, pilot string) string {
	return CommentMarker + "\n### " + w.say(markdown, "comment", "heading_withdrawn", "pilot", pilot) + "\n" +
		w.recorded(v) + " " + w.texts["comment"]["withdrawn"] + "\n"
}

// recorded links the log.
func (w *Words) recorded(v judge.Verdict) string {
	d := v.Dossier
	log := d.Policy.Paths.Signoff
	link := d.Pull.Repository.URL + "/blob/" + d.Pull.Repository.DefaultBranch + "/" + urlPath(log)
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

const (
	autoOpen  = "<!-- pilotgate:auto %s -->"
	autoClose = "<!-- /pilotgate:auto %s -->"
)

// Report drafts the pilot report from the signed record. What we write stands
// between markers; the rest is for people, and is kept.
func (w *Words) Report(v judge.PilotVerdict) []byte {
	var b strings.Builder
	r := v.Record
	b.WriteString("# " + w.say(markdown, "report", "heading", "pilot", v.ID) + "\n")
	section := func(key string, auto string) {
		b.WriteString("\n## " + w.texts["report"][key] + "\n\n")
		if auto != "" {
			fmt.Fprintf(&b, autoOpen+"\n%s"+autoClose+"\n", key, auto, key)
			return
		}
		b.WriteString(w.texts["report"][key+"_hint"] + "\n")
	}
	section("metadata", w.reportMetadata(r))
	section("reproducibility", w.reportRun(r))
	section("commands", "")
	section("results", w.reportBaseline(v))
	for _, key := range []string{"drift", "manual_qa", "decision", "release", "monitoring", "rollback", "observations"} {
		section(key, "")
	}
	section("approvals", w.reportApprovals(r))
	section("evidence", w.reportEvidence(v))
	return []byte(b.String())
}

// fieldTable is a two-column table of names and values; values are code.
func (w *Words) fieldTable(rows [][2]string) string {
	var b strings.Builder
	b.WriteString(w.texts["report"]["field_table"] + "\n|---|---|\n")
	for _, r := range rows {
		if r[1] != "" {
			fmt.Fprintf(&b, "| %s | `%s` |\n", w.texts["field"][r[0]], escape(r[1], cell, true))
		}
	}
	return b.String()
}

func (w *Words) reportMetadata(r *ledger.Record) string {
	return w.fieldTable([][2]string{
		{"pilot", r.Pilot},
		{"pull_request", "#" + strconv.Itoa(r.PullRequest)},
		{"plan", r.PlanPath},
		{"scenario", r.Launch.Scenario},
		{"baseline_model", r.Launch.BaselineModel},
		{"target_model", r.Launch.TargetModel},
		{"prompt_version", r.Launch.PromptVersion},
		{"release", r.Launch.Release},
		{"digest", r.Digest},
	})
}

func (w *Words) reportRun(r *ledger.Record) string {
	l := r.Launch
	rows := [][2]string{{"git_commit", l.GitCommit}, {"config", l.ConfigPath}, {"seed", strconv.FormatInt(l.Seed, 10)}}
	for _, k := range slices.Sorted(maps.Keys(l.Hyperparameters)) {
		rows = append(rows, [2]string{k, l.Hyperparameters[k]})
	}
	rows = append(rows,
		[2]string{"dataset", l.Dataset.Location}, [2]string{"dataset_sha256", l.Dataset.SHA256}, [2]string{"records", strconv.Itoa(l.Dataset.Records)},
		[2]string{"hardware", l.Compute.Hardware}, [2]string{"count", strconv.Itoa(l.Compute.Count)}, [2]string{"hours", l.Compute.Hours})
	if l.Evaluation != nil {
		rows = append(rows, [2]string{"evaluation_dataset", l.Evaluation.Location}, [2]string{"evaluation_sha256", l.Evaluation.SHA256})
	}
	return w.fieldTable(rows)
}

// reportBaseline is the results table with the baseline filled in.
func (w *Words) reportBaseline(v judge.PilotVerdict) string {
	var b strings.Builder
	b.WriteString(rules.AwaitedMarker + "\n" + w.texts["report"]["results_table"] + "\n|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range judge.BaselineOf(v.Request) {
		fmt.Fprintf(&b, "| %s (%s) | %s | – | – | – | %d | %s | – | %s |\n",
			m.Metric, m.Statistic, m.Value.StringFixed(4), m.N, m.Band.String(), w.texts["report"]["awaited"])
	}
	return b.String()
}

func (w *Words) reportApprovals(r *ledger.Record) string {
	var b strings.Builder
	b.WriteString(w.texts["report"]["approvals_table"] + "\n|---|---|---|---|\n")
	for _, a := range r.Approvals {
		fmt.Fprintf(&b, "| %s | `@%s` | %s | %d |\n", escape(a.Role, cell, false), escape(a.Login, cell, true), a.SubmittedAt.UTC().Format("2006-01-02 15:04 UTC"), a.ReviewID)
	}
	return b.String()
}

func (w *Words) reportEvidence(v judge.PilotVerdict) string {
	path := v.Record.Path(v.Policy.Paths.Evidence)
	return "- [`" + escape(path, markdown, true) + "`](" + relative(v.Policy.ReportPath(v.ID), path) + ")\n" +
		"- [`" + escape(v.Policy.Paths.Signoff, markdown, true) + "`](" + relative(v.Policy.ReportPath(v.ID), v.Policy.Paths.Signoff) + ")\n"
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
