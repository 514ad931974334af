package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// CommentMarker is the hidden first line of our one comment on a pull request.
// It says which comment is the one; that it is ours, our App's id says.
const CommentMarker = "<!-- pilotgate:comment -->"

// Comment renders the sticky comment of a governed pull request: what to do
// next and who does it, then each check in a line, then the people.
func (w *Words) Comment(v judge.Verdict) string {
	var b strings.Builder
	b.WriteString(CommentMarker + "\n")
	b.WriteString("### " + w.heading(v) + "\n")
	b.WriteString(w.next(v) + "\n")
	if v.Why.Key == "no_role_file" {
		b.WriteString("\n```\n" + RoleFileExample(v.Dossier.Pull.Repository.Owner) + "```\n")
	}
	switch v.State {
	case judge.AwaitingApproval, judge.Approved:
		if len(v.People.Roles) > 0 {
			b.WriteString("\n" + w.peopleTable(v))
		}
		if rows := w.checkRows(v, true); rows != "" {
			b.WriteString("\n" + w.checkTable(rows))
		}
	default:
		b.WriteString("\n" + w.checkTable(w.checkRows(v, false)))
	}
	if text := w.override(v); text != "" {
		b.WriteString("\n" + text)
	}
	if v.Digest != "" {
		b.WriteString("\n" + w.whatIsApproved(v))
	}
	return clip(b.String())
}

func (w *Words) heading(v judge.Verdict) string {
	key := map[judge.State]string{
		judge.Blocked: "blocked", judge.Checking: "checking", judge.AwaitingApproval: "waiting",
		judge.Approved: "approved", judge.Draft: "draft", judge.Observing: "observing", judge.Closed: "closed",
	}[v.State]
	if v.Pilot == "" {
		return w.say(markdown, "comment", "heading_other", "state", w.texts["comment"]["state_"+key])
	}
	return w.say(markdown, "comment", "heading_"+key, "pilot", v.Pilot, "n", strconv.Itoa(len(openRoles(v))))
}

// next is the first thing people read: who does what.
func (w *Words) next(v judge.Verdict) string {
	label := w.texts["comment"]["next_label"]
	bold := func(s string) string { return "**" + label + " " + s + "**" }
	who := w.author(v)
	if _, ok := w.texts["advice"][v.Why.Key]; ok {
		return "**" + label + "** " + w.sayMap(markdown, "advice", v.Why.Key, v.Why.Args)
	}
	switch v.Why.Key {
	case "checks_failed":
		n, buttons := 0, 0
		for _, c := range v.Checks {
			n += finding.Count(c.Findings, finding.Error)
			for _, f := range c.Findings {
				if f.Mend != nil && f.Severity == finding.Error {
					buttons++
				}
			}
		}
		text := bold(w.raw("comment", "next_mend", "who", who, "n", strconv.Itoa(n)))
		if buttons > 0 {
			text += " " + w.say(markdown, "comment", "next_exact", "n", strconv.Itoa(buttons))
		}
		return text
	case "checks_pending":
		return bold(w.texts["comment"]["next_scan"])
	case "results_awaited":
		return bold(w.texts["comment"]["next_results"])
	case "confirmation_runs":
		return bold(w.texts["comment"]["next_confirmation_runs"])
	case "confirmation_missing":
		return bold(w.raw("comment", "next_confirmation_missing", "who", who))
	case "draft":
		return bold(w.raw("comment", "next_ready", "who", who))
	case "changes_requested":
		return bold(w.raw("comment", "next_answer", "who", who, "login", "`@"+escape(v.Why.Args["login"], markdown, true)+"`"))
	case "waiting":
		return w.nextApproval(v, bold)
	case "approved", "approved_override":
		if v.Pilot == "" { // no sign-off follows, and the author may be this App
			return bold(w.texts["comment"]["next_merge_change"])
		}
		return bold(w.raw("comment", "next_merge", "who", who))
	}
	return bold(w.texts["comment"]["next_nothing"])
}

// nextApproval names whose turn it is; they were asked by review request, so
// the comment does not mention them once more.
func (w *Words) nextApproval(v judge.Verdict, bold func(string) string) string {
	var whos []string
	confirm := false
	for _, r := range v.People.Roles {
		if r.By != nil {
			continue
		}
		names := names(r.Can)
		if names == "" {
			names = w.texts["comment"]["nobody_left"]
		}
		whos = append(whos, escape(r.Name, markdown, false)+" ("+names+")")
		confirm = confirm || r.Name == approval.Operations && len(v.People.Unconfirmed) > 0
	}
	text := bold(w.raw("comment", "next_approve", "who", strings.Join(whos, ", "), "n", strconv.Itoa(len(whos))))
	if confirm {
		text += "\n\n" + w.say(markdown, "comment", "confirm_how", "items", strings.Join(v.People.Unconfirmed, ", "), "digest", shortDigest(v.Digest))
	}
	return text
}

// raw fills a sentence whose values are already Markdown of our own making.
func (w *Words) raw(section, key string, pairs ...string) string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return fillRaw(w.texts[section][key], m)
}

// author mentions who must act: the author of the pull request, whom GitHub
// tells of it anyway. An initiator whom only the plan names is not called, since
// a plan could name anybody.
func (w *Words) author(v judge.Verdict) string { return w.who(v.Dossier.Pull, v.Dossier.Request) }

func (w *Words) who(p *facts.PullRequest, q *dossier.Request) string {
	login := p.Author.Login
	if q != nil && q.Initiator != "" && !strings.EqualFold(q.Initiator, login) {
		return "`@" + escape(q.Initiator, markdown, true) + "`"
	}
	if login == "" || strings.Trim(login, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return w.texts["comment"]["the_author"]
	}
	return "@" + login
}

// checkRows are the checks in a line each; with onlyOpen those that say
// something beyond "fine".
func (w *Words) checkRows(v judge.Verdict, onlyTold bool) string {
	var b strings.Builder
	for _, c := range v.Checks {
		if onlyTold && c.Conclusion == judge.Success && finding.Count(c.Findings, finding.Warning) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", w.checkSign(c), w.texts["check"][c.Name], w.result(v, c))
	}
	if !onlyTold {
		state := "⏳"
		text := w.texts["comment"]["asked_later"]
		switch {
		case v.Approvals == judge.Failure:
			state, text = "❌", w.whyMarkdown(v)
		case v.State == judge.Observing:
			state, text = "–", w.whyMarkdown(v)
		case v.Why.Key != "checks_failed" && v.Why.Key != "checks_pending" && v.Why.Key != "results_awaited":
			text = w.whyMarkdown(v)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", state, w.texts["check"][judge.Approvals], text)
	}
	return b.String()
}

func (w *Words) whyMarkdown(v judge.Verdict) string {
	args := map[string]string{"roles": strings.Join(openRoles(v), ", "), "people": strings.Join(approvers(v), ", ")}
	for k, x := range v.Why.Args {
		args[k] = x
	}
	return w.sayMap(cell, "approvals", v.Why.Key, args)
}

func (w *Words) checkTable(rows string) string {
	return w.texts["comment"]["table"] + "\n|---|---|---|\n" + rows
}

func (w *Words) checkSign(c judge.Check) string {
	switch {
	case c.Conclusion == judge.Failure:
		return "❌"
	case c.Conclusion == judge.InProgress:
		return "⏳"
	case finding.Count(c.Findings, finding.Warning) > 0:
		return "⚠️"
	}
	return "✅"
}

// result is a check in a line: its gravest findings in few words with a link to
// the line, or what was verified.
func (w *Words) result(v judge.Verdict, c judge.Check) string {
	const most = 2
	level := finding.Error
	if !c.Failed() {
		level = finding.Warning
	}
	var parts []string
	more := 0
	for _, f := range c.Findings {
		if f.Severity != level {
			continue
		}
		if len(parts) == most {
			more++
			continue
		}
		text := w.brief(f)
		if link := lineLink(v, f.At); link != "" && f.At.Line > 0 {
			text += " · [" + w.say(cell, "comment", "line", "n", strconv.Itoa(f.At.Line)) + "](" + link + ")"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		if c.Pending != nil || c.Waits != nil {
			return escape(w.title(v, c), cell, false)
		}
		return w.fine(v, c, cell)
	}
	if more > 0 {
		parts = append(parts, w.say(cell, "comment", "row_error_more", "n", strconv.Itoa(more)))
	}
	return strings.Join(parts, "<br>")
}

// brief is a finding in few words.
func (w *Words) brief(f finding.Finding) string {
	rule := w.rules[f.Rule]
	if c := rule.Cases[f.Case]; c.Brief != "" {
		return fill(c.Brief, w.args(f), cell)
	}
	switch {
	case f.Record != nil && f.Record.Pointer != "":
		return w.say(cell, "comment", "brief_record", "title", rule.Title, "line", strconv.Itoa(f.At.Line), "pointer", f.Record.Pointer)
	case strings.HasPrefix(f.Case, "missing"):
		return w.say(cell, "comment", "brief_missing", "title", rule.Title)
	}
	return escape(rule.Title, cell, false)
}

// peopleTable is one line a role, and one for what does not count.
func (w *Words) peopleTable(v judge.Verdict) string {
	var b strings.Builder
	b.WriteString(w.texts["comment"]["people_table"] + "\n|---|---|---|\n")
	for _, r := range v.People.Roles {
		name := escape(r.Name, cell, false)
		if r.By == nil {
			can := names(r.Can)
			if can == "" {
				can = w.texts["comment"]["nobody_left"]
			} else {
				can = w.raw("comment", "can_approve", "names", can)
			}
			fmt.Fprintf(&b, "| ⏳ | %s | %s |\n", name, can)
			continue
		}
		who := "`@" + escape(r.By.Author.Login, cell, true) + "`, " + w.time(r.By.SubmittedAt)
		if r.By.Carried {
			who += ", " + w.say(cell, "comment", "carried", "commit", shortOID(r.By.SeenAt))
		}
		fmt.Fprintf(&b, "| ✅ | %s | %s |\n", name, who)
	}
	var not []string
	for _, r := range v.People.Reviews {
		if missed(v, r) {
			not = append(not, w.reviewLine(r))
		}
	}
	if len(not) > 0 {
		fmt.Fprintf(&b, "| – | %s | %s |\n", w.texts["comment"]["does_not_count"], strings.ReplaceAll(strings.Join(not, " · "), "|", `\|`))
	}
	return b.String()
}

// missed: somebody would look for this review among those that count.
func missed(v judge.Verdict, r approval.Review) bool {
	return v.Approvals != judge.Success && !r.Counts && r.Reason.Key != "superseded" && r.Reason.Key != "role_filled" && !countsOtherwise(v, r)
}

// countsOtherwise: another review of the same person counts, so nobody misses
// this one.
func countsOtherwise(v judge.Verdict, r approval.Review) bool {
	return slices.ContainsFunc(v.People.Reviews, func(o approval.Review) bool { return o.Counts && o.Author.ID == r.Author.ID })
}

func names(can []string) string {
	out := make([]string, 0, len(can))
	for _, n := range can {
		out = append(out, "`@"+escape(strings.TrimPrefix(n, "@"), cell, true)+"`")
	}
	return strings.Join(out, ", ")
}

// whatIsApproved folds the digest and its parts away under one line.
func (w *Words) whatIsApproved(v judge.Verdict) string {
	s := v.Subject
	var parts []string
	add := func(there bool, key string, pairs ...string) {
		if there {
			parts = append(parts, w.say(markdown, "part", key, pairs...))
		}
	}
	add(s.Plan != "", "plan")
	add(s.Card != nil, "card")
	if q := v.Dossier.Request; q != nil && q.Dataset.Scan.Facts != nil {
		f := q.Dataset.Scan.Facts
		parts = append(parts, w.say(markdown, "part", "dataset_size", "n", strconv.Itoa(f.Records), "bytes", w.size(f.Bytes)))
	} else {
		add(s.Dataset != nil, "dataset")
	}
	add(s.Evaluation != nil, "evaluation")
	add(s.Config != nil, "config")
	add(s.Prompt != nil, "prompt")
	add(s.Plan != "", "bands")
	add(len(s.Workflows) > 0, "workflows")
	add(len(s.Files) > 0, "files", "n", strconv.Itoa(len(s.Files)))
	what := w.say(markdown, "comment", "what", "digest", shortDigest(v.Digest), "parts", "{}",
		"base", v.Dossier.Pull.Base.Ref, "commit", shortOID(v.Dossier.Pull.Base.OID))
	what = strings.Replace(what, "{}", strings.Join(slices.Compact(parts), ", "), 1)
	return "<details><summary>" + w.texts["comment"]["what_heading"] + "</summary>\n\n" + what + "\n\n</details>\n"
}

// shortDigest is as much of a digest as a command has to name.
func shortDigest(digest string) string { return digest[:min(len(digest), 12)] }

// size is bytes as people say them.
func (w *Words) size(n int64) string {
	switch {
	case n >= 1<<20:
		return w.say(plain, "say", "megabytes", "n", strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64))
	case n >= 1<<10:
		return w.say(plain, "say", "kilobytes", "n", strconv.FormatInt(n>>10, 10))
	}
	return w.say(plain, "say", "bytes", "n", strconv.FormatInt(n, 10))
}

// time is a moment as people say it; the year is the plan's own.
func (w *Words) time(t time.Time) string {
	t = t.UTC()
	return w.say(plain, "say", "time", "day", strconv.Itoa(t.Day()), "month", w.texts["say"]["month_"+strconv.Itoa(int(t.Month()))], "clock", t.Format("15:04"))
}

// RoleFileExample is the role file to paste, with the owner's name in it.
func RoleFileExample(owner string) string {
	if owner == "" || strings.Trim(owner, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		owner = "your-org"
	}
	return "[ML Lead]\ndocs/specs/epic_05/  @" + owner + "/ml-leads\n[Operations Owner]\ndocs/specs/epic_05/  @" + owner + "/ml-ops\n"
}
