package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/policy"
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
			b.WriteString(w.lawLine(f))
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

func (w *Words) lawLine(f finding.Finding) string {
	return "- **" + f.Rule + "** `" + escape(f.At.Path, markdown, true) + ":" + strconv.Itoa(f.At.Line) + "` " + w.what(f, markdown) + " " + w.mend(f, markdown) + "\n"
}

// unreachable names the owners in the role file who cannot be asked: somebody
// would wait for them.
func (w *Words) unreachable(v judge.Verdict) string {
	const most = 20
	var b strings.Builder
	n := 0
	for _, f := range v.Dossier.RolesFindings {
		if f.Rule == policy.RuleReach && f.Severity == finding.Warning && n < most {
			n++
			b.WriteString(w.lawLine(f))
		}
	}
	return b.String()
}
