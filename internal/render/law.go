package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// brokenLaw names the lines of the base branch's policy or role file because of
// which nothing can pass.
func (w *Words) brokenLaw(v judge.Verdict) string {
	const most = 20
	var fs []finding.Finding
	switch v.Why.Key {
	case "policy_broken":
		fs = v.Dossier.PolicyFindings
	case "roles_broken":
		fs = v.Dossier.RolesFindings
	}
	var b strings.Builder
	n := 0
	for _, f := range fs {
		if f.Severity != finding.Error {
			continue
		}
		if n++; n <= most {
			b.WriteString("- **" + f.Rule + "** `" + escape(f.At.Path, markdown, true) + ":" + strconv.Itoa(f.At.Line) + "` " + w.what(f, markdown) + " " + w.mend(f, markdown) + "\n")
		}
	}
	if n > most {
		b.WriteString("- " + w.say(markdown, "comment", "row_error_more", "n", strconv.Itoa(n-most)) + "\n")
	}
	if n > 0 {
		b.WriteString("\n")
	}
	return b.String()
}
