package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// RolesRemark is what the log's row says about a change of roles that nobody
// could approve.
func (w *Words) RolesRemark(v judge.RepositoryVerdict) string { return w.texts["record"][v.Why.Key] }

// WaiversRemark is what the log's rows say of the findings that the signed plan
// waives itself; "": none.
func (w *Words) WaiversRemark(v judge.PilotVerdict) string {
	var out []string
	for _, c := range v.Checks {
		for _, f := range c.Findings {
			if f.Args[rules.WaivedInPlan] != "" {
				out = append(out, w.say(plain, "signoff", "waived", "rule", f.Rule, "line", strconv.Itoa(f.At.Line), "owner", f.Args["owner"], "expires", f.Args["expires"]))
			}
		}
	}
	return ledger.Clean(strings.Join(out, "; "))
}

// RolesMessage is the message of the commit that records it.
func (w *Words) RolesMessage(v judge.RepositoryVerdict) string {
	return w.say(plain, "record", "roles_message", "number", strconv.Itoa(v.Record.PullRequest))
}

// RolesPull is title and body of the pull request that records it.
func (w *Words) RolesPull(v judge.RepositoryVerdict) (title, body string) {
	who := v.Record.Rows[0].Stakeholder
	return w.say(plain, "record", "roles_title", "number", strconv.Itoa(v.Record.PullRequest)),
		w.say(markdown, "record", "roles_body", "number", strconv.Itoa(v.Record.PullRequest), "login", who, "why", w.texts["record"][v.Why.Key])
}

// RecordMessage is the message of the commit that signs a pilot off, or
// withdraws that.
func (w *Words) RecordMessage(v judge.PilotVerdict) string {
	section := recordSection(v)
	return w.say(plain, section, "message", "pilot", v.ID, "number", strconv.Itoa(v.Record.PullRequest), "digest", shortDigest(v.Digest))
}

// RecordPull is title and body of the pull request that brings it.
func (w *Words) RecordPull(v judge.PilotVerdict) (title, body string) {
	section := recordSection(v)
	return w.say(plain, section, "title", "pilot", v.ID),
		w.say(markdown, section, "body", "pilot", v.ID, "number", strconv.Itoa(v.Record.PullRequest), "digest", v.Digest)
}

func recordSection(v judge.PilotVerdict) string {
	switch v.Record.Kind {
	case ledger.KindWithdrawn:
		return "withdrawal"
	case ledger.KindOverride:
		return "override"
	}
	return "signoff"
}
