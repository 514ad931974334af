package ledger

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Decision is a cell of the log's Decision column.
type Decision string

// The decisions the log knows.
const (
	Approved   Decision = "Approved"
	Rejected   Decision = "Rejected"
	Withdrawn  Decision = "Withdrawn"
	Go         Decision = "Go"
	NoGo       Decision = "No-go"
	RolledBack Decision = "Rolled back"
	Override   Decision = "Override"
	Policy     Decision = "Policy"
)

// Row is one row of the log: one person, in one role, with one decision.
type Row struct {
	Date        time.Time `json:"date"` // the day in UTC, at midnight
	Stakeholder string    `json:"stakeholder"`
	Role        string    `json:"role"`
	Decision    Decision  `json:"decision"`
	Notes       Notes     `json:"notes"`
}

// Notes is the last column. Append fills Pilot, PullRequest, Head, Digest and
// Prev from the record; Review, Comment and Remark are the row's own.
type Notes struct {
	Pilot       string `json:"pilot,omitempty"` // empty for Policy only
	PullRequest int    `json:"pull_request"`
	Review      int64  `json:"review,omitempty"`  // id of the review that decided
	Comment     int64  `json:"comment,omitempty"` // id of the command's comment
	Head        string `json:"head"`              // full commit id of the pull request's head
	Digest      string `json:"digest"`            // subject digest, "sha256:<64 hex>"
	Prev        string `json:"prev,omitempty"`    // payload digest of the record before; empty on the first
	Remark      string `json:"remark,omitempty"`  // what people wrote, or why the row is unusual
}

// String writes the notes as the log shows them.
func (n Notes) String() string {
	var parts []string
	if n.Pilot != "" {
		parts = append(parts, "pilot `"+n.Pilot+"`")
	}
	source := "PR #" + strconv.Itoa(n.PullRequest)
	if n.Review != 0 {
		source += ", review " + strconv.FormatInt(n.Review, 10)
	}
	if n.Comment != 0 {
		source += ", comment " + strconv.FormatInt(n.Comment, 10)
	}
	parts = append(parts, source, "head `"+n.Head+"`", "digest `"+n.Digest+"`")
	if n.Prev != "" {
		parts = append(parts, "prev `"+n.Prev+"`")
	}
	if n.Remark != "" {
		parts = append(parts, "note: "+escape(n.Remark))
	}
	return strings.Join(parts, "; ")
}

var notesPattern = regexp.MustCompile("^(?:pilot `([a-z0-9][a-z0-9-]{0,62})`; )?" +
	`PR #([1-9][0-9]{0,9})(?:, review ([1-9][0-9]{0,15}))?(?:, comment ([1-9][0-9]{0,15}))?; ` +
	"head `([0-9a-f]{40}|[0-9a-f]{64})`; digest `(sha256:[0-9a-f]{64})`" +
	"(?:; prev `(sha256:[0-9a-f]{64})`)?(?:; note: (.+))?$")

// ParseNotes reads what Notes.String wrote. Anything else is not ours: the pattern
// and unescape leave no second form.
func ParseNotes(s string) (Notes, bool) {
	m := notesPattern.FindStringSubmatch(s)
	if m == nil {
		return Notes{}, false
	}
	n := Notes{Pilot: m[1], Head: m[5], Digest: m[6], Prev: m[7]}
	// The pattern bounds the digits, and an absent group is the zero it stands for.
	n.PullRequest, _ = strconv.Atoi(m[2])
	n.Review, _ = strconv.ParseInt(m[3], 10, 64)
	n.Comment, _ = strconv.ParseInt(m[4], 10, 64)
	var ok bool
	n.Remark, ok = unescape(m[8])
	return n, ok
}

// claim finds notes that would pass for ours with a reader in a hurry. Such a
// row must have its record; notes without a digest are a person's own.
var claim = regexp.MustCompile("(?i)digest[\\s`:=]{0,4}sha256:")

// cells gives the row's five cells by column.
func (r Row) cells() map[column]string {
	return map[column]string{
		columnDate:        r.Date.UTC().Format(time.DateOnly),
		columnStakeholder: "@" + r.Stakeholder,
		columnRole:        escape(r.Role),
		columnDecision:    string(r.Decision),
		columnNotes:       r.Notes.String(),
	}
}

// parseRow is the inverse of cells.
func parseRow(cells map[column]string) (Row, bool) {
	date, _ := time.Parse(time.DateOnly, cells[columnDate]) // what is no date is the year 1, which no row has
	role, roleOK := unescape(cells[columnRole])
	notes, notesOK := ParseNotes(cells[columnNotes])
	stakeholder, at := strings.CutPrefix(cells[columnStakeholder], "@")
	r := Row{Date: date, Stakeholder: stakeholder, Role: role, Decision: Decision(cells[columnDecision]), Notes: notes}
	return r, roleOK && notesOK && at && r.check() == ""
}

// check names the first field of the row that is not well formed, or "". What a
// row shares with its record is not looked at here: in the log the pattern of the
// notes bounds it, and in a record it equals the record's, which is checked.
func (r Row) check() string {
	n := r.Notes
	switch {
	case !r.Date.Equal(r.Date.UTC().Truncate(24*time.Hour)) || r.Date.Year() < 2000 || r.Date.Year() > 9999:
		return "date"
	case !login(r.Stakeholder):
		return "stakeholder"
	case r.Role == "" || Clean(r.Role) != r.Role:
		return "role"
	case kindOf[r.Decision] == "":
		return "decision"
	case n.Pilot == "" && r.Decision != Policy:
		return "notes.pilot"
	case n.Review < 0 || n.Review > maxID:
		return "notes.review"
	case n.Comment < 0 || n.Comment > maxID:
		return "notes.comment"
	case Clean(n.Remark) != n.Remark:
		return "notes.remark"
	}
	return ""
}

// day is the UTC day of t, as the log's Date column has it.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
