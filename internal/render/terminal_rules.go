package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Explain says what a rule means, what it says and how to mend it; false for
// an id that is no rule.
func (w *Words) Explain(id string, p Paint) (string, bool) {
	row, listed := rules.Find(id)
	rule, told := w.rules[id]
	if !listed && !told {
		return "", false
	}
	var b strings.Builder
	b.WriteString(p.in(bold, strings.TrimSpace(id+" "+rule.Title)) + "\n")
	if listed {
		b.WriteString(p.in(dim, row.Check+": "+severities(row)) + "\n")
	}
	for _, part := range []struct{ key, text string }{{"harm", rule.Harm}, {"fails", rule.Fails}, {"passes", rule.Passes}} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", p.in(bold, w.texts["terminal"][part.key]), p.text(part.text))
		}
	}
	if len(rule.Cases) > 0 {
		b.WriteString("\n" + p.in(bold, w.texts["terminal"]["cases"]) + ":\n")
	}
	for _, name := range slices.Sorted(maps.Keys(rule.Cases)) {
		c := rule.Cases[name]
		b.WriteString("  " + p.text(blanks(c.What)) + "\n")
		if c.Mend != "" {
			b.WriteString("    " + p.in(green, "→") + " " + p.text(blanks(c.Mend)) + "\n")
		}
	}
	return b.String(), true
}

// blanks shows the places of a sentence that a finding's values fill:
// "{value}" as ‹value›, "{n:one|many}" in its last form.
func blanks(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '{' {
			out.WriteByte(text[i])
			i++
			continue
		}
		end := closing(text, i)
		if end < 0 {
			out.WriteString(text[i:])
			break
		}
		name, forms, plural := strings.Cut(text[i+1:end], ":")
		if plural {
			all := strings.Split(forms, "|")
			out.WriteString(blanks(all[len(all)-1]))
		} else {
			out.WriteString("‹" + name + "›")
		}
		i = end + 1
	}
	return out.String()
}

// severities of a row: "error", or "warning (starter), error (full)".
func severities(row rules.Row) string {
	s := string(row.Starter)
	if row.Starter != row.Full {
		s = word(row.Starter) + " (" + policy.ProfileStarter + "), " + word(row.Full) + " (" + policy.ProfileFull + ")"
	}
	if row.Limit != "" {
		s += ", a note up to " + percent(row.Limit) + " of the records"
	}
	if row.Firm {
		s += ", cannot be overridden"
	}
	return s
}

func word(s finding.Severity) string {
	if s == "" {
		return "off"
	}
	return string(s)
}

// percent writes a share such as "0.001" as "0.1 %".
func percent(share string) string {
	digits := strings.TrimPrefix(share, "0.") + "00"
	whole := strings.TrimLeft(digits[:2], "0")
	if whole == "" {
		whole = "0"
	}
	if rest := strings.TrimRight(digits[2:], "0"); rest != "" {
		whole += "." + rest
	}
	return whole + " %"
}

// RuleList is the catalogue, one line a rule.
func (w *Words) RuleList(p Paint) string {
	var b strings.Builder
	for _, check := range rules.Checks() {
		b.WriteString(p.in(bold, check) + "\n")
		for _, row := range rules.Catalogue() {
			if row.Check == check {
				fmt.Fprintf(&b, "  %-7s %s  %s\n", row.ID, w.rules[row.ID].Title, p.in(dim, severities(row)))
			}
		}
	}
	return b.String()
}

// RuleDocs is docs/checks.md: every rule with its severities, the harm that it
// prevents, an example of each kind, and every sentence that it can say.
func (w *Words) RuleDocs() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the rule catalogue and its words by internal/cli/gendocs. Do not edit. -->\n\n# Checks\n\n" +
		"Every rule, by the check run that it belongs to. The severity is that of the policy's `profile`; a policy may change it with a\n" +
		"reason (`checks:` in `.github/pilotgate.yml`) unless the rule cannot be overridden.\n")
	rows := rules.Catalogue()
	for _, check := range rules.Checks() {
		b.WriteString("\n## `" + check + "`\n\n| Rule | What | `starter` | `full` |\n|---|---|---|---|\n")
		for _, row := range rows {
			if row.Check == check {
				fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", row.ID, strings.ToLower(row.ID), w.rules[row.ID].Title, word(row.Starter), word(row.Full))
			}
		}
		for _, row := range rows {
			if row.Check == check {
				w.ruleDoc(&b, row.ID, severities(row))
			}
		}
	}
	b.WriteString("\n## Said by the files themselves\n\nWhat is wrong in the language of a plan, a policy, a role file, a registry, the log or a result; the row of the catalogue that\nreads the file passes it on.\n")
	for _, id := range w.Rules() {
		if _, listed := rules.Find(id); !listed {
			w.ruleDoc(&b, id, "")
		}
	}
	return b.String()
}

func (w *Words) ruleDoc(b *strings.Builder, id, severity string) {
	rule := w.rules[id]
	fmt.Fprintf(b, "\n### %s\n\n**%s**", id, rule.Title)
	if severity != "" {
		b.WriteString(" (" + severity + ")")
	}
	b.WriteString("\n")
	if rule.Harm != "" {
		b.WriteString("\n" + rule.Harm + "\n")
	}
	if rule.Fails != "" {
		b.WriteString("\n- Fails: " + rule.Fails + "\n- Passes: " + rule.Passes + "\n")
	}
	if len(rule.Cases) == 0 {
		return
	}
	b.WriteString("\n| It says | Mend |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(rule.Cases)) {
		c := rule.Cases[name]
		fmt.Fprintf(b, "| %s | %s |\n", inCell(blanks(c.What)), inCell(blanks(c.Mend)))
	}
}

// inCell keeps a sentence of the catalogue, which is Markdown of our own
// making, within its cell.
func inCell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ")
}
