// Package ledger keeps the sign-off log: a table that people read, one signed
// record for the rows of one event, and a chain through all of them.
//
// Each append writes three things that vouch for each other: rows in the log
// (a person, a role, a decision), a record beside it (an in-toto Statement in a
// DSSE envelope, Ed25519), and in both the digest of the record appended
// before. Verify derives all of it again; IsOurAppend tells whether a change
// adds to the ledger and does nothing else.
//
// The package decides nothing: who approved, and whether that counts, is settled
// before a Record is made. It reads and writes no file, takes no time but
// its arguments', and never repairs: a ledger with a finding is for people. Rows
// that people wrote by hand are never changed and never vouched for.
//
// What Verify cannot see by itself: that the newest event was removed whole,
// rows and record together, for the shorter ledger was true once. IsOurAppend
// sees it, which is why every push is compared with what was there before.
package ledger

import (
	"github.com/pilotgate/pilotgate/internal/form"
)

// Caps on what is read. The log grows by about 400 bytes a row, so MaxLog is
// some 20,000 decisions.
const (
	MaxLog      = 8 << 20 // bytes of the log, the summary or the runbook
	MaxRecord   = 1 << 20 // bytes of one evidence file
	MaxRecords  = 20_000  // evidence files of one ledger
	MaxText     = 500     // characters of a value that people wrote, once cleaned
	maxElements = 2_000   // approvals, checks, subjects or ingredients of a record
)

// Ledger is the sign-off log and the evidence of one repository at one commit.
type Ledger struct {
	RepositoryID int64             // 0: not known; then all records must name the same one
	LogPath      string            // where findings about the log point
	Log          []byte            // nil: the file is absent
	Evidence     string            // the policy's pattern, "docs/specs/epic_05/evidence/{pilot}/"
	Records      map[string][]byte // every file under the evidence folders but results, by path
	Results      map[string][]byte // every file in the folders of results, by path
}

// login is the form of an account in a record: wider than GitHub's of today.
var login = form.Of("A-Za-z0-9", "A-Za-z0-9_-", 64)
