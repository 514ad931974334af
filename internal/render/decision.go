package render

import (
	"strconv"

	"github.com/pilotgate/pilotgate/internal/judge"
)

// DecisionRecord is the message of the commit that puts a decision on record,
// and title and body of the request that brings it where it cannot be pushed.
func (w *Words) DecisionRecord(v judge.PilotVerdict) (message, title, body string) {
	r := v.Decision.Record
	values := map[string]string{"pilot": v.ID, "number": strconv.Itoa(r.PullRequest), "registry": v.Policy.Paths.Registry, "decision": string(r.Rows[0].Decision)}
	return w.sayMap(plain, "decision", "message", values), w.sayMap(plain, "decision", "title", values), w.sayMap(markdown, "decision", "body", values)
}

// UndecidedIssue is title and body of the issue about a merged report that
// decides nothing.
func (w *Words) UndecidedIssue(v judge.PilotVerdict) (title, body string) {
	values := map[string]string{"pilot": v.ID, "number": strconv.Itoa(v.Decision.Change.Pull.Number)}
	values["reason"] = w.sayMap(plain, "decision", v.Decision.Void, values)
	return w.sayMap(plain, "decision", "undecided_title", values), w.sayMap(markdown, "decision", "undecided_body", values)
}
