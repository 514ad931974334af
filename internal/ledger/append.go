package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// ErrExists says that the ledger has this pilot, kind and digest already: there is
// nothing left to do.
var ErrExists = errors.New("already in the ledger")

// BrokenError says that the ledger does not verify, so nothing may be added.
type BrokenError struct{ Findings []finding.Finding }

func (e *BrokenError) Error() string {
	return fmt.Sprintf("ledger does not verify: %d findings, first %s %s", len(e.Findings), e.Findings[0].Rule, e.Findings[0].Case)
}

// Addition is the two files that one commit writes.
type Addition struct {
	LogPath    string
	Log        []byte
	RecordPath string
	Record     []byte            // the envelope
	Digest     string            // payload digest: the new head
	Results    map[string][]byte // sample files, by path
}

// Append adds a record and its rows. It fills Prev, in the rows also what they
// share with the record, cleans what people wrote, and moves CreatedAt up to the
// record before where it is earlier. The same ledger, record and key give the
// same bytes. Errors: ErrExists, *BrokenError, *InvalidError, or the key's window.
func Append(l Ledger, r Record, s Signer, keys []Key) (Addition, error) {
	return appendTo(l, r, nil, s, keys)
}

func appendTo(l Ledger, r Record, results map[string][]byte, s Signer, keys []Key) (Addition, error) {
	report, fs := Verify(l, keys)
	if len(fs) > 0 {
		return Addition{}, &BrokenError{Findings: fs}
	}
	if l.RepositoryID != 0 && l.RepositoryID != r.Repository.ID {
		return Addition{}, &InvalidError{Field: "repository.id"}
	}
	p := r.Path(l.Evidence)
	if _, there := l.Records[p]; there {
		return Addition{}, fmt.Errorf("append %s: %w", p, ErrExists)
	}
	r = r.following(report)
	payload, err := r.Payload()
	if err != nil {
		return Addition{}, fmt.Errorf("append %s: %w", p, err)
	}
	envelope, err := Sign(payload, s)
	if err != nil {
		return Addition{}, fmt.Errorf("append %s: %w", p, err)
	}
	a := Addition{LogPath: l.LogPath, Log: appendRows(l.Log, r.Rows), RecordPath: p, Record: envelope, Digest: PayloadDigest(payload), Results: results}
	// Whatever is wrong with what was just made, a key the policy does not list
	// included, must show now and not when all gates are shut by it.
	if _, fs := Verify(l.With(a), keys); len(fs) > 0 {
		return Addition{}, fmt.Errorf("append %s: %w", p, &BrokenError{Findings: fs})
	}
	return a, nil
}

// With is the ledger after an addition.
func (l Ledger) With(a Addition) Ledger {
	l.Log = a.Log
	l.Records = merged(l.Records, map[string][]byte{a.RecordPath: a.Record})
	l.Results = merged(l.Results, a.Results)
	return l
}

// merged are the files of both, in a map of their own.
func merged(old, added map[string][]byte) map[string][]byte {
	out := make(map[string][]byte, len(old)+len(added))
	maps.Copy(out, old)
	maps.Copy(out, added)
	return out
}

// following is the record as the successor of the report's last one.
func (r Record) following(before Report) Record {
	r.Prev = before.Head
	r.CreatedAt = r.CreatedAt.UTC().Truncate(time.Second)
	if n := len(before.Entries); n > 0 && r.CreatedAt.Before(before.Entries[n-1].Record.CreatedAt) {
		r.CreatedAt = before.Entries[n-1].Record.CreatedAt
	}
	r.Reason = Clean(r.Reason)
	r.Approvals = slices.Clone(r.Approvals)
	for i := range r.Approvals {
		a := &r.Approvals[i]
		a.Role, a.SubmittedAt = Clean(a.Role), a.SubmittedAt.UTC().Truncate(time.Second)
	}
	r.Rows = slices.Clone(r.Rows)
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Date, row.Role = day(row.Date), Clean(row.Role)
		n := &row.Notes
		n.Pilot, n.PullRequest, n.Head, n.Digest, n.Prev = r.Pilot, r.PullRequest, r.HeadCommit, r.Digest, r.Prev
		n.Remark = Clean(n.Remark)
	}
	return r
}

// IsOurAppend tells what a change of the ledger does besides adding records of
// ours: no finding means that both sides verify, every old byte is where it was,
// and the new rows are exactly those of the new records at the end of the chain.
// A change that leaves the ledger as it was has no finding either.
func IsOurAppend(before, after Ledger, keys []Key) []finding.Finding {
	if fs := before.readable(); len(fs) > 0 {
		return fs
	}
	if _, fs := Verify(before, keys); len(fs) > 0 {
		return []finding.Finding{broken("SG011", "base_broken", before.LogPath, 0, "rule", fs[0].Rule, "findings", fmt.Sprint(len(fs)))}
	}
	var out []finding.Finding
	for _, p := range slices.Sorted(maps.Keys(before.Records)) {
		switch now, there := after.Records[p]; {
		case !there:
			out = append(out, broken("SG011", "removed", p, 0, "record", p))
		case !bytes.Equal(now, before.Records[p]):
			out = append(out, broken("SG011", "changed", p, 1, "record", p))
		}
	}
	for _, p := range slices.Sorted(maps.Keys(before.Results)) {
		switch now, there := after.Results[p]; {
		case !there:
			out = append(out, broken("SG011", "removed", p, 0, "record", p))
		case !bytes.Equal(now, before.Results[p]):
			out = append(out, broken("SG011", "changed", p, 1, "record", p))
		}
	}
	report, fs := Verify(after, keys)
	out = append(out, fs...)
	if len(out) > 0 {
		return out
	}
	var added []Row
	for _, e := range report.Entries {
		if _, old := before.Records[e.Path]; !old {
			added = append(added, e.Record.Rows...)
		}
	}
	want := before.Log
	if len(added) > 0 {
		want = appendRows(before.Log, added)
	}
	if !bytes.Equal(after.Log, want) {
		out = append(out, broken("SG011", "log_rewritten", after.LogPath, firstDifference(want, after.Log)))
	}
	return out
}

// firstDifference is the line, from 1, in which two texts first differ.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	return 1 + bytes.Count(b[:i], []byte("\n"))
}
