package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// Action is a button on a check: label 20, description 40, identifier 20 characters.
type Action struct{ Label, Description, Identifier string }

// maxReplacements bounds the list; the button makes them all.
const maxReplacements = 20

// replacements lists what the button would change, and says before it is
// pressed what that costs: whoever presses it is a co-author, and a co-author
// approves nothing. On a fork the list is all there is.
func (w *Words) replacements(v judge.Verdict, c judge.Check) (string, []Action) {
	mends := v.Mends(c)
	if len(mends) == 0 || v.Dossier.Pull.Local {
		return "", nil
	}
	n := strconv.Itoa(len(mends))
	var b strings.Builder
	b.WriteString("\n#### " + w.texts["mend"]["heading"] + "\n")
	var actions []Action
	if v.MayMend() {
		actions = []Action{{
			Label: w.say(plain, "mend", "label", "n", n), Description: w.texts["mend"]["description"], Identifier: judge.MendAction,
		}}
		b.WriteString(w.say(markdown, "mend", "warning", "n", n) + "\n\n")
	} else {
		b.WriteString(w.texts["mend"]["by_hand"] + "\n\n")
	}
	for i, m := range mends {
		if i == maxReplacements {
			b.WriteString("- " + w.say(markdown, "comment", "row_error_more", "n", strconv.Itoa(len(mends)-i)) + "\n")
			break
		}
		was, key := v.Replaced(m), "replace"
		if was == "" {
			key = "insert"
		}
		b.WriteString("- " + w.say(markdown, "mend", key, "place", w.placeOf(c, m), "was", was, "is", strings.TrimSpace(m.Text)) + "\n")
	}
	return b.String(), actions
}

// placeOf is file and line of the finding that the mend belongs to.
func (w *Words) placeOf(c judge.Check, m finding.Mend) string {
	for _, f := range c.Findings {
		if f.Mend != nil && *f.Mend == m {
			return fmt.Sprintf("%s:%d", m.Path[strings.LastIndexByte(m.Path, '/')+1:], f.At.Line)
		}
	}
	return m.Path
}

// MendMessage is the message of the commit that a click makes. The trailer is
// what makes whoever clicked a co-author at GitHub, hence a contributor who
// cannot approve.
func (w *Words) MendMessage(m judge.Mending) string {
	return w.say(plain, "mend", "message", "n", strconv.Itoa(m.N), "check", m.Check) + "\n\n" +
		fmt.Sprintf("Co-authored-by: %s <%d+%s@users.noreply.github.com>", m.By.Login, m.By.ID, m.By.Login)
}
