package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// MaxText is GitHub's limit for a check run's summary, in characters.
const MaxText = 65535

// How many findings are shown one by one: of each rule, and in all. A dataset
// can break one rule in every record, and nobody reads the thousandth; the
// numbers are always complete.
const (
	MaxAnnotations    = 200
	maxRows           = 100
	perRuleRows       = 10
	perRuleAnnotation = 50
	perRuleTerminal   = 5
)

// listed picks the findings that are shown and counts the others by rule, those
// included that were hidden before.
func listed(fs []finding.Finding, hidden map[string]int, perRule, most int) (shown []finding.Finding, left map[string]int) {
	left = maps.Clone(hidden)
	if left == nil {
		left = map[string]int{}
	}
	seen := map[string]int{}
	for _, f := range fs {
		if seen[f.Rule]++; seen[f.Rule] > perRule || len(shown) == most {
			left[f.Rule]++
			continue
		}
		shown = append(shown, f)
	}
	return shown, left
}

// Output is what a check run shows.
type Output struct {
	Title       string
	Summary     string
	Annotations []Annotation
	Actions     []Action
}

// Annotation is one annotation: the rule and its name, then what is wrong and
// how to mend it.
type Annotation struct {
	At      finding.Position
	Level   finding.Severity
	Title   string
	Message string
}

// Check renders one check.
func (w *Words) Check(v judge.Verdict, c judge.Check) Output {
	out := Output{Title: w.title(v, c)}
	var b strings.Builder
	b.WriteString(w.say(markdown, "summary", "next", "what", "") + w.nextStep(c) + "\n")
	if len(c.Findings) > 0 {
		b.WriteString("\n" + w.texts["summary"]["findings"] + "\n|---|---|---|---|---|\n")
	}
	shown, left := listed(c.Findings, c.Hidden, perRuleRows, maxRows)
	b.WriteString(w.findingRows(v, shown, left, MaxText-8000))
	for _, rule := range slices.Sorted(maps.Keys(left)) {
		b.WriteString("\n- " + w.say(markdown, "summary", "more", "n", strconv.Itoa(left[rule]), "rule", rule))
	}
	for _, o := range c.Overridden {
		b.WriteString("\n- " + w.say(markdown, "summary", "overridden", "rule", o.Rule, "severity", w.texts["severity"][string(o.Severity)], "reason", o.Reason))
	}
	text, actions := w.replacements(v, c)
	b.WriteString(text)
	out.Actions = actions
	if len(c.Verified) > 0 {
		if len(left)+len(c.Overridden) > 0 {
			b.WriteString("\n")
		}
		b.WriteString("\n#### " + w.texts["summary"]["verified"] + "\n")
		for _, s := range c.Verified {
			b.WriteString("- " + w.sayMap(markdown, "verified", s.Key, s.Args) + "\n")
		}
	}
	b.WriteString("\n" + w.raw("summary", "docs", "file", "docs/checks.md", "link", docsLink) + "\n")
	out.Summary = clip(b.String())
	out.Annotations = w.annotations(c.Findings)
	return out
}

const docsLink = "https://github.com/pilotgate/pilotgate/blob/main/docs/checks.md"

func (w *Words) nextStep(c judge.Check) string {
	key := "next_ok"
	switch {
	case c.Failed():
		key = "next_error"
	case c.Pending != nil:
		key = "next_scan"
	case c.Waits != nil:
		key = "next_" + c.Waits.Key
	case finding.Count(c.Findings, finding.Warning) > 0:
		key = "next_warning"
	}
	return w.texts["summary"][key]
}

// title says the numbers of what is wrong, or what was verified.
func (w *Words) title(v judge.Verdict, c judge.Check) string {
	errors, warnings := finding.Count(c.Findings, finding.Error), finding.Count(c.Findings, finding.Warning)
	var parts []string
	if errors > 0 {
		parts = append(parts, w.say(plain, "title", "errors", "n", strconv.Itoa(errors)))
	}
	if warnings > 0 {
		parts = append(parts, w.say(plain, "title", "warnings", "n", strconv.Itoa(warnings)))
	}
	if errors == 0 && c.Pending != nil {
		percent := int64(0)
		if c.Pending.Total > 0 {
			percent = 100 * c.Pending.Done / c.Pending.Total
		}
		return w.say(plain, "title", "scanning", "percent", strconv.FormatInt(percent, 10), "total", strconv.FormatInt(c.Pending.Total, 10))
	}
	if len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	if c.Waits != nil {
		return w.sayMap(plain, "title", c.Waits.Key, c.Waits.Args)
	}
	return w.fine(v, c, plain)
}

// fine is what a check without errors and warnings has verified.
func (w *Words) fine(v judge.Verdict, c judge.Check, p place) string {
	key := strings.TrimPrefix(c.Name, "pilot/") + "_ok"
	records := ""
	if q := v.Dossier.Request; q != nil && q.Dataset.Scan.Facts != nil {
		records = strconv.Itoa(q.Dataset.Scan.Facts.Records)
	}
	if c.Name == rules.Dataset && (records == "" || personal(c.Findings)) {
		key = "dataset_ok_plain"
	}
	return w.say(p, "title", key, "records", records)
}

func personal(fs []finding.Finding) bool {
	return slices.ContainsFunc(fs, func(f finding.Finding) bool { return strings.HasPrefix(f.Rule, "PII") })
}

// findingRows renders the table's rows up to a length and adds the rest to left.
func (w *Words) findingRows(v judge.Verdict, fs []finding.Finding, left map[string]int, most int) string {
	var b strings.Builder
	for _, f := range fs {
		row := fmt.Sprintf("| %s | **%s** %s | %s | %s | %s |\n", sign(f.Severity), f.Rule, w.rules[f.Rule].Title,
			w.where(v, f), w.what(f, cell), w.mend(f, cell))
		if b.Len()+len(row) > most {
			left[f.Rule]++
			continue
		}
		b.WriteString(row)
	}
	return b.String()
}

func sign(s finding.Severity) string {
	switch s {
	case finding.Error:
		return "❌"
	case finding.Warning:
		return "⚠️"
	}
	return "ℹ️"
}

// where links to the exact line at the judged head.
func (w *Words) where(v judge.Verdict, f finding.Finding) string {
	if f.At.Path == "" {
		return "–"
	}
	label := f.At.Path[strings.LastIndexByte(f.At.Path, '/')+1:]
	if f.At.Line > 0 {
		label += ":" + strconv.Itoa(f.At.Line)
	}
	label = "`" + escape(label, cell, true) + "`"
	if link := lineLink(v, f.At); link != "" {
		return "[" + label + "](" + link + ")"
	}
	return label
}

func lineLink(v judge.Verdict, at finding.Position) string {
	p := v.Dossier.Pull
	if p == nil || p.Repository.URL == "" || at.Path == "" {
		return ""
	}
	link := p.Repository.URL + "/blob/" + p.Head.OID + "/" + urlPath(at.Path)
	if at.Line > 0 {
		link += "#L" + strconv.Itoa(at.Line)
	}
	return link
}

func (w *Words) annotations(fs []finding.Finding) []Annotation {
	var out []Annotation
	shown, _ := listed(fs, nil, perRuleAnnotation, MaxAnnotations)
	for _, f := range shown {
		if f.At.Path == "" {
			continue
		}
		at := f.At
		at.Line = max(at.Line, 1)
		message := ofItsOwn(w.what(f, plain)) + " " + w.mend(f, plain)
		if r := f.Record; r != nil && r.ByteEnd > 0 {
			key := "in_record"
			if r.Pointer == "" {
				key = "in_line"
			}
			message += " " + w.say(plain, "summary", key, "where", r.Pointer, "from", strconv.Itoa(r.ByteStart), "to", strconv.Itoa(r.ByteEnd))
		}
		out = append(out, Annotation{At: at, Level: f.Severity, Title: f.Rule + " · " + w.rules[f.Rule].Title, Message: message})
	}
	return out
}

// ofItsOwn is a clause of the scanner's as a sentence of its own.
func ofItsOwn(clause string) string {
	first, size := utf8.DecodeRuneInString(clause)
	text := string(unicode.ToUpper(first)) + clause[size:]
	if last, _ := utf8.DecodeLastRuneInString(text); unicode.IsLetter(last) || unicode.IsDigit(last) || strings.ContainsRune("`)»\"", last) {
		text += "."
	}
	return text
}

// Approvals renders the check that the repository requires.
func (w *Words) Approvals(v judge.Verdict) Output {
	var b strings.Builder
	title := w.whyTitle(v)
	if advice := w.advice(v); advice != "" {
		b.WriteString(advice + "\n\n" + w.brokenLaw(v))
	}
	if v.Dossier.RolesFound && (len(v.People.Roles) > 0 && v.Approvals != judge.Success || len(v.People.Reviews) > 0) {
		b.WriteString(w.peopleTable(v) + "\n")
	}
	for _, r := range v.People.Reviews {
		if !r.Counts && !missed(v, r) {
			b.WriteString("- " + w.reviewLine(r) + "\n")
		}
	}
	if v.Approvals != judge.Success {
		b.WriteString(w.unreachable(v))
	}
	if v.Digest != "" {
		b.WriteString("\n" + w.say(markdown, "summary", "digest", "digest", v.Digest) + "\n")
	}
	if b.Len() == 0 {
		b.WriteString(title + "\n")
	}
	return Output{Title: title, Summary: clip(b.String())}
}

// whyTitle is the reason in a title's words.
func (w *Words) whyTitle(v judge.Verdict) string {
	args := maps.Clone(v.Why.Args)
	if args == nil {
		args = map[string]string{}
	}
	args["roles"] = strings.Join(openRoles(v), w.texts["say"]["and"])
	args["people"] = strings.Join(approvers(v), w.texts["say"]["and"])
	return strings.ReplaceAll(w.sayMap(plain, "approvals", v.Why.Key, args), "`", "")
}

func openRoles(v judge.Verdict) []string {
	var out []string
	for _, r := range v.People.Roles {
		if r.By == nil {
			out = append(out, r.Name)
		}
	}
	return out
}

func approvers(v judge.Verdict) []string {
	var out []string
	for _, r := range v.People.Roles {
		if r.By != nil && !slices.Contains(out, "@"+r.By.Author.Login) {
			out = append(out, "@"+r.By.Author.Login)
		}
	}
	return out
}

// advice says what to do about a reason that is not a person's turn.
func (w *Words) advice(v judge.Verdict) string {
	if _, ok := w.texts["advice"][v.Why.Key]; !ok {
		return ""
	}
	text := "**" + w.say(markdown, "comment", "next_label") + "** " + w.sayMap(markdown, "advice", v.Why.Key, v.Why.Args)
	if v.Why.Key == "no_role_file" {
		text += "\n\n```\n" + RoleFileExample(v.Dossier.Pull.Repository.Owner) + "```"
	}
	return text
}

// reviewLine says of one review why it does not count.
func (w *Words) reviewLine(r approval.Review) string {
	args := maps.Clone(r.Reason.Args)
	if args == nil {
		args = map[string]string{}
	}
	if c, ok := args["commit"]; ok {
		args["commit"] = shortOID(c)
	}
	return "`@" + escape(r.Author.Login, markdown, true) + "` " + w.sayMap(markdown, "condition", r.Reason.Key, args)
}

func shortOID(s string) string {
	if len(s) > 7 {
		return s[:7]
	}
	return s
}

func clip(s string) string {
	r := []rune(s)
	if len(r) <= MaxText {
		return s
	}
	cut := string(r[:MaxText-3])
	return cut[:strings.LastIndexByte(cut, '\n')] + "\n…"
}
