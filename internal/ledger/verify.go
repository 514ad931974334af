package ledger

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// Report is what Verify derived.
type Report struct {
	// Head is the payload digest of the last record, which the next one names;
	// empty for a ledger without records.
	Head string
	// Entries are the verified records, in the order of the chain.
	Entries []Entry
	// Unverified are the rows people wrote by hand: not verified by us.
	Unverified []LogRow
}

// Entry is one verified record.
type Entry struct {
	Path   string
	Digest string // payload digest
	KeyID  string
	Record Record
	Lines  []int // of its rows in the log
}

// file is one evidence file on its way through Verify.
type file struct {
	path   string
	digest string // payload digest; "" if the payload could not be read
	keyID  string
	record Record
	broken []finding.Finding // why the file is no proof; empty if it is
	placed bool              // found its place in the chain
}

// Verify derives the whole ledger again: every row that claims a record has it,
// every record its rows, the same text, a valid signature, its own name, and the
// record before it. Findings come in the order of the chain, so the first one
// names the first broken link; none means that the ledger is whole.
func Verify(l Ledger, keys []Key) (Report, []finding.Finding) {
	if fs := l.readable(); len(fs) > 0 {
		return Report{}, fs
	}
	v := verification{ledger: l, log: ParseLog(l.Log), byPrev: map[string][]*file{}, byDigest: map[string]*file{}}
	v.repository = l.RepositoryID
	for _, p := range slices.Sorted(maps.Keys(l.Records)) {
		f := v.open(p, keys)
		v.files = append(v.files, f)
		if len(f.broken) == 0 {
			v.byPrev[f.record.Prev] = append(v.byPrev[f.record.Prev], f)
			v.byDigest[f.digest] = f
		}
	}
	v.walk()
	v.results()
	return v.report, v.findings
}

// readable holds the caps; nothing else is looked at in what is too large.
func (l Ledger) readable() []finding.Finding {
	switch {
	case len(l.Log) > MaxLog:
		return []finding.Finding{broken("SG001", "too_large", l.LogPath, 0, "bytes", strconv.Itoa(len(l.Log)), "limit", strconv.Itoa(MaxLog))}
	case !isText(l.Log):
		return []finding.Finding{broken("SG001", "not_text", l.LogPath, 0)}
	case len(l.Records) > MaxRecords:
		return []finding.Finding{broken("SG001", "too_many", l.LogPath, 0, "records", strconv.Itoa(len(l.Records)), "limit", strconv.Itoa(MaxRecords))}
	case len(l.Results) > MaxResults:
		return []finding.Finding{broken("SG001", "too_many_results", l.LogPath, 0, "count", strconv.Itoa(len(l.Results)), "limit", strconv.Itoa(MaxResults))}
	}
	return nil
}

type verification struct {
	ledger     Ledger
	log        Log
	repository int64
	files      []*file
	byPrev     map[string][]*file // sound files by the record they follow
	byDigest   map[string]*file   // sound files by payload digest
	rowed      map[string]bool    // paths of the records that a row of the log names
	report     Report
	findings   []finding.Finding

	head    string    // payload digest of the record before
	headAt  time.Time // and when it was made
	unknown bool      // the record before is missing, or no proof: its successor's prev is not held against it
}

func (v *verification) add(fs ...finding.Finding) { v.findings = append(v.findings, fs...) }

// open reads one evidence file and says what is wrong with it alone.
func (v *verification) open(p string, keys []Key) *file {
	f := &file{path: p}
	fail := func(rule, c string, args ...string) *file {
		f.broken = append(f.broken, broken(rule, c, p, 1, append(args, "record", p)...))
		return f
	}
	if !kindInName(p).known() {
		return fail("SG007", "stranger")
	}
	opened, envelope, err := decode(v.ledger.Records[p])
	switch {
	case errors.Is(err, ErrTooLarge):
		return fail("SG001", "record_too_large", "limit", strconv.Itoa(MaxRecord))
	case err != nil:
		return fail("SG005", "unreadable")
	}
	f.digest, f.keyID = PayloadDigest(opened.Payload), opened.KeyID
	record, err := ParsePayload(opened.Payload)
	if err != nil {
		var invalid *InvalidError
		if errors.As(err, &invalid) {
			return fail("SG006", "field", "field", invalid.Field)
		}
		return fail("SG006", "unreadable")
	}
	f.record = record
	switch err := verify(envelope, keys, record.CreatedAt); {
	case errors.Is(err, ErrUnknownKey):
		return fail("SG005", "unknown_key", "key", f.keyID)
	case errors.Is(err, ErrKeyWindow):
		return fail("SG005", "outside_window", "key", f.keyID, "at", record.CreatedAt.Format(time.RFC3339))
	case err != nil:
		return fail("SG005", "bad_signature", "key", f.keyID)
	}
	if want := record.Path(v.ledger.Evidence); want != p {
		return fail("SG007", "misplaced", "want", want)
	}
	// From here the file is ours and in its place. The server signs for many
	// repositories with one key, so a signature alone does not say whose it is.
	if v.repository == 0 {
		v.repository = record.Repository.ID
	}
	if record.Repository.ID != v.repository {
		return fail("SG008", "foreign", "repository", strconv.FormatInt(record.Repository.ID, 10), "want", strconv.FormatInt(v.repository, 10))
	}
	return f
}

var recordName = regexp.MustCompile(`(?:^|/)([a-z-]+)-[0-9a-f]{64}\.json$`)

// kindInName is the kind that an evidence file's name <kind>-<64 hex>.json
// begins with, or "".
func kindInName(p string) Kind {
	if m := recordName.FindStringSubmatch(p); m != nil {
		return Kind(m[1])
	}
	return ""
}

// walk goes through the log from the top and holds each row against the chain.
func (v *verification) walk() {
	byPath := map[string]*file{}
	for _, f := range v.files {
		byPath[f.path] = f
	}
	v.rowed = map[string]bool{}
	for _, row := range v.log.Rows {
		v.rowed[rowPath(row.Row, v.ledger.Evidence)] = true
	}
	seen := map[string]bool{}
	rows := v.log.Rows
	for i := 0; i < len(rows); {
		row := rows[i]
		switch {
		case !row.Claims:
			v.report.Unverified = append(v.report.Unverified, row)
			i++
			continue
		case !row.Ours:
			v.add(broken("SG002", "malformed", v.ledger.LogPath, row.Line))
			i++
			continue
		}
		p := rowPath(row.Row, v.ledger.Evidence)
		f := byPath[p]
		switch {
		case seen[p]:
			v.add(broken("SG009", "twice", v.ledger.LogPath, row.Line, "record", p))
			i++
			continue
		case f == nil:
			v.follow()
			v.add(broken("SG003", "no_record", v.ledger.LogPath, row.Line, "record", p))
			v.unknown = true
			for i < len(rows) && rowPath(rows[i].Row, v.ledger.Evidence) == p {
				i++ // all rows of the record: said once
			}
			continue
		}
		seen[p] = true
		i = v.place(f, i)
	}
	v.follow()
	for _, f := range v.files {
		switch {
		case f.placed:
		case len(f.broken) > 0:
			v.add(f.broken...)
		case f.record.Kind.rowless():
			v.add(broken("SG010", "unreached", f.path, 1, "record", f.path))
		default:
			v.add(broken("SG004", "no_row", f.path, 1, "record", f.path))
		}
	}
	for _, line := range v.log.Strays {
		v.add(broken("SG002", "outside_table", v.ledger.LogPath, line))
	}
}

// place holds a record against its rows, which start at rows[i], and against the
// record before it. It returns the index of the first row after them.
func (v *verification) place(f *file, i int) int {
	f.placed = true
	rows := v.log.Rows
	ours := func(i int) bool {
		return i < len(rows) && rowPath(rows[i].Row, v.ledger.Evidence) == f.path
	}
	if len(f.broken) > 0 {
		v.follow()
		v.add(f.broken...)
		v.head, v.unknown = f.digest, true
		for ours(i) {
			i++
		}
		return i
	}
	v.link(f, v.ledger.LogPath, rows[i].Line)
	entry := Entry{Path: f.path, Digest: f.digest, KeyID: f.keyID, Record: f.record}
	var texts []string
	for _, want := range f.record.Rows {
		texts = append(texts, v.log.render(want))
	}
	for n, want := range texts {
		switch {
		case i < len(rows) && rows[i].Text == want:
			entry.Lines = append(entry.Lines, rows[i].Line)
			i++
		case ours(i) && !slices.Contains(texts[n+1:], rows[i].Text):
			v.add(broken("SG003", "differs", v.ledger.LogPath, rows[i].Line, "record", f.path))
			i++
		default:
			v.add(broken("SG004", "row_missing", v.ledger.LogPath, rows[min(i, len(rows)-1)].Line, "record", f.path,
				"row", strconv.Itoa(n+1), "rows", strconv.Itoa(len(texts))))
		}
	}
	if len(entry.Lines) == len(texts) {
		v.report.Entries = append(v.report.Entries, entry)
	}
	return i
}

// link holds a record against the one before it and makes it the head. The records
// between the head and the one that f names have no row: launches never have, of
// others the rows were taken out, and that is the first break, not f's prev.
func (v *verification) link(f *file, at string, line int) {
	between, connected := v.between(f)
	if connected || v.unknown {
		for _, b := range between {
			v.pass(b)
		}
	}
	follows := f.record.Prev == v.head
	switch {
	case v.unknown:
	case !follows && v.head == "":
		v.add(broken("SG010", "not_first", at, line, "record", f.path, "prev", f.record.Prev))
	case !follows && f.record.Prev == "":
		v.add(broken("SG010", "claims_first", at, line, "record", f.path, "want", v.head))
	case !follows:
		v.add(broken("SG010", "broken", at, line, "record", f.path, "prev", f.record.Prev, "want", v.head))
	case f.record.CreatedAt.Before(v.headAt):
		v.add(broken("SG010", "backwards", at, line, "record", f.path,
			"at", f.record.CreatedAt.Format(time.RFC3339), "before", v.headAt.Format(time.RFC3339)))
	}
	v.advance(f)
}

// between walks from f back to the head and gives what was passed, oldest first.
// A record whose rows stand somewhere in the log is not passed.
func (v *verification) between(f *file) (passed []*file, connected bool) {
	prev := f.record.Prev
	for prev != v.head {
		b := v.byDigest[prev]
		if b == nil || b.placed || v.rowed[b.path] {
			break
		}
		passed = append(passed, b)
		prev = b.record.Prev
	}
	slices.Reverse(passed)
	return passed, prev == v.head
}

// pass places a sound record that the log's rows do not lead to.
func (v *verification) pass(f *file) {
	f.placed = true
	if !f.record.Kind.rowless() {
		v.add(broken("SG004", "no_row", f.path, 1, "record", f.path))
	} else {
		v.report.Entries = append(v.report.Entries, Entry{Path: f.path, Digest: f.digest, KeyID: f.keyID, Record: f.record})
	}
	v.advance(f)
}

func (v *verification) advance(f *file) {
	v.head, v.headAt, v.unknown = f.digest, f.record.CreatedAt, false
	v.report.Head = v.head
}

// follow passes the sound records that come after the head and that no row leads to.
func (v *verification) follow() {
	for {
		i := slices.IndexFunc(v.byPrev[v.head], func(f *file) bool { return !f.placed && !v.rowed[f.path] })
		if i < 0 {
			return
		}
		next := v.byPrev[v.head][i]
		if next.record.CreatedAt.Before(v.headAt) {
			v.add(broken("SG010", "backwards", next.path, 1, "record", next.path,
				"at", next.record.CreatedAt.Format(time.RFC3339), "before", v.headAt.Format(time.RFC3339)))
		}
		v.pass(next)
	}
}

func (k Kind) rowless() bool {
	return k == KindLaunch || k == KindFailure || k == KindEvaluation
}

// rowPath is where the record of a row lies.
func rowPath(r Row, evidence string) string {
	return Record{Kind: kindOf[r.Decision], Predicate: Predicate{Pilot: r.Notes.Pilot, Digest: r.Notes.Digest}}.Path(evidence)
}

// broken makes a finding at error level: a repository's policy may not soften
// what its own history is measured by. Args are name, value, name, value.
func broken(rule, c, file string, line int, args ...string) finding.Finding {
	f := finding.Finding{Rule: rule, Case: c, Severity: finding.Error, At: finding.Position{Path: file, Line: line}}
	for pair := range slices.Chunk(args, 2) {
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[pair[0]] = pair[1]
	}
	return f
}
