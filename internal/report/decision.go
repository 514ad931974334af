package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/sentence"
)

// Decision is what people wrote in the report's decision section:
//
//   - Decision: Go
//   - Reason: the drift is wanted, summaries were too short
//
// A line is from 1, and 0 where there is none.
type Decision struct {
	Line   int
	Text   string                    // as written
	Value  evaluation.Recommendation // Go or NoGo; empty: nothing that can be read
	Second int                       // line of another decision: then neither counts

	ReasonLine int
	Reason     string // one line, cleaned as the ledger keeps it
}

var decisionLine = regexp.MustCompile(`^[ \t]*[-*+][ \t]+[*_]{0,2}([\pL]{1,20})[*_]{0,2}[ \t]*:[*_]{0,2}[ \t]*(.*)$`)

// ParseDecision reads the decision section of a report, in any language that
// Pilotgate speaks. It reads people's text only, from the section's heading, or
// from the generated part that belongs there, to the next heading; a reason may go on over the lines below it, up to an empty line
// or the next item.
func ParseDecision(report []byte) Decision {
	var out Decision
	decision, reason, titles := words("decision_key"), words("reason_key"), titlesOf("decision")
	inside, reading, fenced := false, false, false
	for _, p := range parse(string(report)).pieces {
		if p.key != "" {
			inside, reading = inside || p.key == "decision", false
			continue
		}
		number := p.line - 1
		for line := range strings.Lines(p.text) {
			number++
			line = strings.TrimRight(line, "\r\n")
			if fence.MatchString(line) {
				fenced, reading = !fenced, false
			}
			if fenced {
				continue
			}
			if strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "## ") {
				inside, reading = slices.Contains(titles, strings.TrimSpace(strings.TrimLeft(line, "#"))), false
				continue
			}
			if !inside {
				continue
			}
			m := decisionLine.FindStringSubmatch(line)
			switch key := keyOf(m); {
			case slices.Contains(decision, key):
				reading = false
				if out.Line > 0 {
					out.Second, out.Value = number, ""
					continue
				}
				out.Line, out.Text = number, ledger.Clean(m[2])
				out.Value = verdict(m[2])
			case slices.Contains(reason, key) && out.ReasonLine == 0:
				out.ReasonLine, out.Reason, reading = number, m[2], true
			case m != nil || strings.TrimSpace(line) == "":
				reading = false
			case reading:
				out.Reason += " " + strings.TrimSpace(line)
			}
		}
	}
	out.Reason = ledger.Clean(out.Reason)
	return out
}

func keyOf(m []string) string {
	if m == nil {
		return ""
	}
	return strings.ToLower(m[1])
}

// words are the languages' words for a key, in lower case.
func words(key string) []string {
	var out []string
	for _, language := range sentence.Languages() {
		out = append(out, strings.ToLower(sentence.Speak(language).Text("report", key)))
	}
	return out
}

// verdict reads "Go", "**No-go**", "no go.".
func verdict(s string) evaluation.Recommendation {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "*_`. \t"))
	s = strings.NewReplacer("\u2011", "-", "\u2010", "-", "\u2013", "-", " ", "-").Replace(s)
	switch s {
	case "go":
		return evaluation.Go
	case "no-go", "nogo":
		return evaluation.NoGo
	}
	return ""
}

// Against tells whether a decision is another one than the recommended: then it
// needs a written reason. Where nothing is recommended every decision does.
func (d Decision) Against(r evaluation.Recommendation) bool { return d.Value != "" && d.Value != r }
