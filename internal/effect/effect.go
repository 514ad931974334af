// Package effect says what GitHub should look like, and what has to be done
// for that: Want turns a verdict into a wanted state, Diff compares it with
// what was seen. Both are pure; when everything is as it should be, Diff is
// empty. Package gh carries effects out.
//
// Every effect has a natural key that is visible at GitHub, so that doing it
// twice equals doing it once:
//
//	effect            key
//	check run         external id (format, pull request, base, full digest, evidence time)
//	comment, issue    our App's id and a hidden marker; the lowest id stays
//	pull request      branch name
//	commit            path and full digest, expected parent
//	review dismissal  review id
//	review request    login or team
//	suggestions       our App and a hidden marker of what they would change
//	claim             its ref, which can be made once
//	dispatch, order   the claim before it
//	deployment        run and environment, while it waits; a comment on it: a claim
//	deployment        environment and model digest
//	look              the subject
package effect

import (
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Effect is one thing to be done at GitHub. Key names it in logs and orders it.
type Effect interface{ Key() string }

// Run creates a check run (ID 0) or updates one.
type Run struct {
	ID          int64
	NodeID      string
	Name        string
	Head        string
	ExternalID  string
	Status      string // in_progress, completed
	Conclusion  string // set when completed
	CompletedAt time.Time
	Title       string
	Summary     string
	Text        string
	DetailsURL  string
	// Annotations are all of the run's; GitHub takes 50 a request and appends,
	// so an update that changes them carries only those not yet there.
	Annotations []Annotation
	Actions     []Action
}

// Annotation points at lines of a file at the run's head.
type Annotation struct {
	Path      string
	Line      int // from 1
	EndLine   int
	Column    int // 0: none; only on a single line
	EndColumn int
	Level     string // failure, warning, notice
	Title     string
	Message   string
}

// Action is a button on a check: label 20, description 40, identifier 20 characters.
type Action struct{ Label, Description, Identifier string }

// Comment writes our one comment on a pull request: ID 0 creates it.
type Comment struct {
	ID     int64
	NodeID string
	Number int
	On     string // the pull request's node id
	Body   string
}

// DeleteComment removes a duplicate of ours.
type DeleteComment struct {
	ID     int64
	NodeID string
}

// Acknowledge puts our reaction under a command.
type Acknowledge struct {
	CommentID int64
	NodeID    string // the comment's
	Content   string // "+1", "-1", "eyes"
}

// Reply answers a command in a comment of its own, which bears a hidden marker
// of the command's.
type Reply struct {
	Number    int
	CommentID int64 // of the command
	Body      string
}

// Ask requests reviews from users and teams ("org/slug"). TeamIDs are the teams'
// node ids where those of all are known, else empty.
type Ask struct {
	Number  int
	On      string // the pull request's node id
	Logins  []string
	Teams   []string
	TeamIDs []string
}

// Dismiss dismisses a review that no longer counts.
type Dismiss struct {
	Number   int
	ReviewID int64
	NodeID   string // the review's
	Message  string
}

// File is one file of a commit.
type File struct {
	Path   string
	Bytes  []byte
	Delete bool
}

// Commit puts one commit with these files on Branch, whose tip must be Parent
// (with Create: the branch must not exist and starts at Parent). Another tip is
// a conflict: the writer says so and the loop looks again.
type Commit struct {
	Branch  string
	Create  bool
	Parent  string
	Message string
	Files   []File
}

// Pull opens a pull request from a branch of ours (Number 0) or updates its text.
type Pull struct {
	Number    int
	Branch    string
	Base      string
	Title     string
	Body      string
	AutoMerge bool // only ever on our own pull requests
}

// Issue opens an issue (Number 0), or updates or closes one of ours. Marker is
// the text of the hidden comment that Text adds to its body.
type Issue struct {
	Number int
	Marker string
	Title  string
	Body   string
	Close  bool
}

// Text is the issue's body with its marker, once.
func (i Issue) Text() string {
	m := strings.TrimSuffix(strings.TrimPrefix(i.Marker, "<!-- "), " -->")
	if m == "" || strings.Contains(i.Body, "<!-- "+m+" -->") {
		return i.Body
	}
	return strings.TrimRight(i.Body, "\n") + "\n\n<!-- " + m + " -->\n"
}

// Deployment records that a model went live (ID 0), or ends what a crash left
// of one: a deployment without a status. Its success makes the environment's
// earlier deployments inactive.
type Deployment struct {
	ID          int64
	Environment string
	Commit      string // of the default branch, with the pointer as deployed
	Description string
	Deployed    facts.Deployed
}

// Look puts another subject into the queue; its owner does the rest. Of a pilot
// it tells what is known already, which its look then proves.
type Look struct {
	Subject facts.Subject
	Plan    string // where its plan stands; "" is unknown
	Pull    int    // the request that brought it; 0 is unknown
}
