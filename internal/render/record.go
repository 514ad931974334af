package render

import (
	"strconv"

	"github.com/pilotgate/pilotgate/internal/judge"
)

// RolesRemark is what the log's row says about a change of roles that nobody
// could approve.
func (w *Words) RolesRemark(v judge.RepositoryVerdict) string { return w.texts["record"][v.Why.Key] }

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
