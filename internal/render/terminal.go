package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// Paint says how a terminal is written to; the zero value is plain text.
type Paint struct{ Colour bool }

// The few styles that a terminal is given (ECMA-48 SGR parameters).
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p Paint) in(style, text string) string {
	if !p.Colour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// text shows code spans in colour instead of back-ticks, where there is colour.
func (p Paint) text(s string) string {
	if !p.Colour {
		return s
	}
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 {
		return s
	}
	for i := 1; i < len(parts); i += 2 {
		parts[i] = p.in(cyan, parts[i])
	}
	return strings.Join(parts, "")
}

func (p Paint) level(s finding.Severity) string {
	style := map[finding.Severity]string{finding.Error: red, finding.Warning: yellow}[s]
	if style == "" {
		style = dim
	}
	return p.in(style, string(s))
}

// maxListed is how many findings of one check a terminal gets; the rest is
// counted by rule.
const maxListed = 50

// Terminal renders a verdict on a checkout: what to do next, then each check
// with its findings, then who is asked on GitHub.
func (w *Words) Terminal(v judge.Verdict, p Paint) string {
	var b strings.Builder
	if v.State == judge.NotGoverned {
		b.WriteString(p.text(w.say(plain, "terminal", "not_governed", "base", v.Dossier.Pull.Base.Ref)) + "\n")
		return b.String()
	}
	b.WriteString(p.in(bold, strings.ReplaceAll(w.terminalHeading(v), "`", "")) + "\n")
	b.WriteString(p.in(bold, w.texts["comment"]["next_label"]) + " " + p.text(w.terminalNext(v)) + "\n\n")
	for _, c := range v.Checks {
		b.WriteString(w.terminalCheck(v, c, p))
	}
	b.WriteString(w.terminalApprovals(v, p))
	if v.Digest != "" {
		b.WriteString("\n" + p.in(dim, w.say(plain, "terminal", "digest", "digest", shortDigest(v.Digest))) + "\n")
	}
	return b.String()
}

// Fails tells whether a verdict on a checkout has something at error level.
func Fails(v judge.Verdict) bool {
	return v.Approvals == judge.Failure || slices.ContainsFunc(v.Checks, func(c judge.Check) bool { return c.Failed() })
}

func (w *Words) terminalHeading(v judge.Verdict) string {
	key := "ready"
	switch {
	case Fails(v):
		key = "blocked"
	case v.State == judge.Approved:
		key = "approved"
	}
	if v.Pilot == "" {
		return w.say(plain, "terminal", "heading_other_"+strings.Replace(key, "approved", "ready", 1))
	}
	return w.say(plain, "terminal", "heading_"+key, "pilot", v.Pilot)
}

func (w *Words) terminalNext(v judge.Verdict) string {
	n, exact := 0, 0
	for _, c := range v.Checks {
		for _, f := range c.Findings {
			if f.Severity == finding.Error {
				n++
				if f.Mend != nil {
					exact++
				}
			}
		}
	}
	switch {
	case n > 0:
		text := w.say(plain, "terminal", "next_mend", "n", strconv.Itoa(n))
		if exact > 0 {
			text += " " + w.say(plain, "terminal", "next_fix", "n", strconv.Itoa(exact))
		}
		return text
	case v.Approvals == judge.Failure:
		return w.sayMap(plain, "advice", v.Why.Key, v.Why.Args)
	case v.State == judge.Approved:
		return w.say(plain, "terminal", "next_merge")
	}
	return w.say(plain, "terminal", "next_open")
}

func (w *Words) terminalCheck(v judge.Verdict, c judge.Check, p Paint) string {
	var b strings.Builder
	title := w.title(v, c)
	fmt.Fprintf(&b, "%s %s  %s\n", terminalSign(c.Conclusion, finding.Count(c.Findings, finding.Warning) > 0, p),
		p.in(bold, w.texts["check"][c.Name]), p.text(title))
	w.terminalFindings(&b, c.Findings, c.Hidden, p)
	for _, o := range c.Overridden {
		b.WriteString("  " + p.in(dim, strings.ReplaceAll(w.say(plain, "summary", "overridden", "rule", o.Rule, "severity", string(o.Severity), "reason", o.Reason), "`", "")) + "\n")
	}
	return b.String()
}

func (w *Words) terminalFindings(b *strings.Builder, fs []finding.Finding, hidden map[string]int, p Paint) {
	shown, left := listed(fs, hidden, perRuleTerminal, maxListed)
	for _, f := range shown {
		b.WriteString("  " + w.FindingLine(f, p) + "\n")
	}
	for _, rule := range slices.Sorted(maps.Keys(left)) {
		b.WriteString("  " + p.in(dim, w.say(plain, "terminal", "more", "n", strconv.Itoa(left[rule]), "rule", rule)) + "\n")
	}
}

func terminalSign(c judge.Conclusion, warned bool, p Paint) string {
	switch {
	case c == judge.Failure:
		return p.in(red, "✗")
	case c == judge.InProgress:
		return p.in(yellow, "…")
	case warned:
		return p.in(yellow, "!")
	}
	return p.in(green, "✓")
}

// FindingLine is one finding in the form that editors and other tools follow:
// path:line:column, severity and rule, then the sentences below it.
func (w *Words) FindingLine(f finding.Finding, p Paint) string {
	var b strings.Builder
	if place := Place(f.At); place != "" {
		b.WriteString(p.in(bold, place) + ": ")
	}
	b.WriteString(p.level(f.Severity) + " " + f.Rule)
	if t := w.rules[f.Rule].Title; t != "" {
		b.WriteString(" " + p.in(dim, t))
	}
	b.WriteString("\n    " + p.text(w.Message(f)))
	// A note asks for nothing, unless it tells who waived what was found.
	asks := f.Severity != finding.Note || f.Args["expires"] != ""
	if mend := w.mend(f, plain); mend != "" && asks {
		b.WriteString("\n    " + p.in(green, "→") + " " + p.text(mend))
	}
	return b.String()
}

// Wrong lists the findings at error level, one below the other; empty without.
func (w *Words) Wrong(fs []finding.Finding, p Paint) string {
	var b strings.Builder
	for _, f := range fs {
		if f.Severity == finding.Error {
			b.WriteString(w.FindingLine(f, p) + "\n")
		}
	}
	return b.String()
}

// Place is "path:line:column" as far as it is known.
func Place(at finding.Position) string {
	if at.Path == "" {
		return ""
	}
	s := escape(at.Path, plain, false)
	if at.Line > 0 {
		s += ":" + strconv.Itoa(at.Line)
		if at.Column > 0 {
			s += ":" + strconv.Itoa(at.Column)
		}
	}
	return s
}

// Message is what a finding says, with its place inside a dataset's record.
func (w *Words) Message(f finding.Finding) string {
	text := w.what(f, plain)
	if r := f.Record; r != nil && r.ByteEnd > 0 && r.Pointer != "" {
		text += " (" + w.say(plain, "terminal", "bytes", "from", strconv.Itoa(r.ByteStart), "to", strconv.Itoa(r.ByteEnd)) + ")"
	}
	return text
}

// terminalApprovals says who would be asked; a checkout knows no reviews, but
// for those that somebody supposes.
func (w *Words) terminalApprovals(v judge.Verdict, p Paint) string {
	var b strings.Builder
	name := p.in(bold, w.texts["check"][judge.Approvals])
	switch {
	case v.Approvals == judge.Failure:
		fmt.Fprintf(&b, "%s %s  %s\n", p.in(red, "✗"), name, w.whyTitle(v))
		for _, fs := range [][]finding.Finding{v.Dossier.PolicyFindings, v.Dossier.RolesFindings} {
			w.terminalFindings(&b, fs, nil, p)
		}
		if _, ok := w.texts["advice"][v.Why.Key]; ok {
			b.WriteString("    " + p.in(green, "→") + " " + p.text(w.sayMap(plain, "advice", v.Why.Key, v.Why.Args)) + "\n")
		}
		if v.Why.Key == "no_role_file" {
			for line := range strings.Lines(RoleFileExample(v.Dossier.Pull.Repository.Owner)) {
				b.WriteString("      " + line)
			}
		}
	case v.Approvals == judge.Success:
		fmt.Fprintf(&b, "%s %s  %s\n", p.in(green, "✓"), name, w.whyTitle(v))
	case len(openRoles(v)) > 0:
		fmt.Fprintf(&b, "%s %s  %s\n", p.in(yellow, "…"), name, w.say(plain, "terminal", "asked", "roles", whoIsAsked(v.People)))
	default:
		fmt.Fprintf(&b, "%s %s  %s\n", p.in(yellow, "…"), name, w.whyTitle(v))
	}
	for _, r := range v.People.Roles {
		if r.By != nil {
			fmt.Fprintf(&b, "    %s %s: @%s\n", p.in(green, "✓"), r.Name, escape(r.By.Author.Login, plain, false))
		}
	}
	for _, r := range v.People.Reviews {
		if !r.Counts {
			b.WriteString("    – " + strings.ReplaceAll(w.reviewLine(r), "`", "") + "\n")
		}
	}
	return b.String()
}

func whoIsAsked(people approval.Result) string {
	var out []string
	for _, r := range people.Roles {
		if r.By != nil {
			continue
		}
		can := make([]string, 0, len(r.Can))
		for _, n := range r.Can {
			can = append(can, "@"+strings.TrimPrefix(n, "@"))
		}
		if len(can) == 0 {
			can = []string{"–"}
		}
		out = append(out, r.Name+" ("+strings.Join(can, ", ")+")")
	}
	return strings.Join(out, ", ")
}

// Mended heads the difference that --fix made.
func (w *Words) Mended(n int) string {
	if n == 0 {
		return w.say(plain, "terminal", "nothing_to_fix")
	}
	return w.say(plain, "terminal", "mended", "n", strconv.Itoa(n))
}

// NamePlan is the hint for a checkout whose plans did not change.
func (w *Words) NamePlan(path string, p Paint) string {
	return p.text(w.say(plain, "terminal", "not_governed_next", "plan", path))
}

// Notes are remarks on how a checkout was read, a line each.
func (w *Words) Notes(notes []string, p Paint) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString(p.in(dim, "· "+escape(n, plain, false)) + "\n")
	}
	return b.String()
}

// Say is a sentence of the terminal's section; pairs are name, value.
func (w *Words) Say(key string, pairs ...string) string {
	return w.say(plain, "terminal", key, pairs...)
}
