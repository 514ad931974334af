package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// TestABreakIsSaidOnce: what comes after a broken link, and before it, is whole,
// and nothing is said of it. Lines and records are those of threeSignoffs.
func TestABreakIsSaidOnce(t *testing.T) {
	s, _ := testKey(t, "2026")
	foreign, _ := testKey(t, "2027")
	for _, c := range []struct {
		name   string
		tamper func(t *testing.T, w *whole)
		want   []string
	}{
		{"the record after a launch removed", func(_ *testing.T, w *whole) { delete(w.Records, w.paths[2]) }, []string{"SG003 no_record"}},
		{"the record after a launch spoilt", func(_ *testing.T, w *whole) { w.Records[w.paths[2]] = []byte("{}") }, []string{"SG005 unreadable"}},
		{"the record after a launch signed again", func(t *testing.T, w *whole) {
			w.Records[w.paths[2]] = resign(t, w.reopen(t, 2), foreign)
		}, []string{"SG005 unknown_key"}},
		{"the first record spoilt", func(_ *testing.T, w *whole) { w.Records[w.paths[0]] = []byte("{}") }, []string{"SG005 unreadable"}},
		{"the first record signed again", func(t *testing.T, w *whole) {
			w.Records[w.paths[0]] = resign(t, w.reopen(t, 0), foreign)
		}, []string{"SG005 unknown_key"}},
		{"the record before a launch rewritten", func(t *testing.T, w *whole) {
			r := w.reopen(t, 0)
			r.MergeCommit = commitOf("mine")
			w.Records[w.paths[0]] = resign(t, r, foreign)
		}, []string{"SG005 unknown_key"}},
		{"a record put in another's place", func(_ *testing.T, w *whole) { w.Records[w.paths[2]] = w.Records[w.paths[0]] }, []string{"SG007 misplaced"}},
		{"the last sign-off signed again, and launched", func(t *testing.T, w *whole) {
			report, fs := ledger.Verify(w.Ledger, w.keys)
			require.Empty(t, fs)
			w.Ledger = grown(t, s, w.keys, w.Ledger, launch(signoff(3), report.Head))
			w.Records[w.paths[3]] = resign(t, w.reopen(t, 3), foreign)
		}, []string{"SG005 unknown_key"}},
		{"the last record spoilt", func(_ *testing.T, w *whole) { w.Records[w.paths[3]] = []byte("{}") }, []string{"SG005 unreadable"}},
		{"the rows of a sign-off removed", func(_ *testing.T, w *whole) { w.lines[6], w.lines[7] = "", "" }, []string{"SG004 no_row"}},
		{"a row removed", func(_ *testing.T, w *whole) { w.lines[7] = "" }, []string{"SG004 row_missing"}},
		{"the last row removed", func(_ *testing.T, w *whole) { w.lines[9] = "" }, []string{"SG004 row_missing"}},
		{"a record without its file's ending", func(_ *testing.T, w *whole) {
			w.Records[strings.TrimSuffix(w.paths[0], ".json")] = w.Records[w.paths[0]]
		}, []string{"SG007 stranger"}},
		{"the launch removed", func(_ *testing.T, w *whole) { delete(w.Records, w.paths[1]) }, []string{"SG010 broken"}},
		{"a sign-off beside the chain, without rows", func(t *testing.T, w *whole) {
			r := signoff(4)
			r.Prev = w.reopen(t, 1).Prev
			r = finished(r)
			w.Records[r.Path(evidence)] = resign(t, r, s)
		}, []string{"SG004 no_row"}},
		{"two records removed", func(_ *testing.T, w *whole) {
			delete(w.Records, w.paths[0])
			delete(w.Records, w.paths[2])
		}, []string{"SG003 no_record", "SG003 no_record", "SG010 unreached"}},
		{"a row's person changed", func(_ *testing.T, w *whole) { w.lines[6] = strings.Replace(w.lines[6], "@irina-ml", "@mallory", 1) }, []string{"SG003 differs"}},
		{"a record removed, and its second row padded", func(_ *testing.T, w *whole) {
			delete(w.Records, w.paths[2])
			w.lines[7] = strings.Replace(w.lines[7], "| Approved |", "| Approved  |", 1)
		}, []string{"SG003 no_record", "SG002 malformed"}},
		{"a record spoilt, and its second row padded", func(_ *testing.T, w *whole) {
			w.Records[w.paths[2]] = []byte("{}")
			w.lines[7] = strings.Replace(w.lines[7], "| Approved |", "| Approved  |", 1)
		}, []string{"SG005 unreadable", "SG002 malformed"}},
		{"a row invented in the middle", func(_ *testing.T, w *whole) { w.lines[6] = invented(w) + w.lines[6] }, []string{"SG003 no_record"}},
		{"a row invented at the top", func(_ *testing.T, w *whole) { w.lines[4] = invented(w) + w.lines[4] }, []string{"SG003 no_record"}},
		{"sign-offs in another order", func(_ *testing.T, w *whole) {
			w.lines[4], w.lines[5], w.lines[6], w.lines[7] = w.lines[6], w.lines[7], w.lines[4], w.lines[5]
		}, []string{"SG010 not_first", "SG010 claims_first", "SG010 broken", "SG010 unreached"}},
		{"a row invented, and sign-offs in another order", func(_ *testing.T, w *whole) {
			w.lines[4], w.lines[5], w.lines[6], w.lines[7] = invented(w)+w.lines[6], w.lines[7], w.lines[4], w.lines[5]
		}, []string{"SG003 no_record", "SG010 claims_first", "SG010 broken"}},
		{"a row invented, and the first sign-off at the end", func(_ *testing.T, w *whole) {
			moved := w.lines[4] + w.lines[5]
			w.lines[4], w.lines[5] = invented(w), ""
			w.lines[9] += moved
		}, []string{"SG003 no_record", "SG010 claims_first"}},
		{"a row invented, and a sign-off beside the chain", func(t *testing.T, w *whole) {
			r := signoff(4)
			r.Prev = w.reopen(t, 2).Prev
			r = finished(r)
			w.Records[r.Path(evidence)] = resign(t, r, s)
			w.lines[9] += invented(w)
			for _, row := range r.Rows {
				w.lines[9] += "| " + row.Date.Format(time.DateOnly) + " | @" + row.Stakeholder + " | " + row.Role + " | Approved | " + row.Notes.String() + " |\n"
			}
		}, []string{"SG003 no_record"}},
		{"a sign-off's rows removed, and the record after it spoilt", func(_ *testing.T, w *whole) {
			w.lines[6], w.lines[7] = "", ""
			w.Records[w.paths[3]] = []byte("{}")
		}, []string{"SG004 no_row", "SG005 unreadable"}},
		{"a record spoilt, and the rows after it removed", func(t *testing.T, w *whole) {
			four := grown(t, s, w.keys, w.Ledger, signoff(4))
			w.lines, w.Records = strings.SplitAfter(string(four.Log), "\n"), four.Records
			w.lines[8], w.lines[9] = "", ""
			w.Records[w.paths[2]] = []byte("{}")
		}, []string{"SG005 unreadable", "SG004 no_row"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := threeSignoffs(t)
			c.tamper(t, &w)
			w.Log = []byte(strings.Join(w.lines, ""))
			report, fs := ledger.Verify(w.Ledger, w.keys)
			assert.Equal(t, c.want, named(fs))
			seen := map[string]bool{}
			for _, e := range report.Entries {
				assert.False(t, seen[e.Path], "%s stands in the chain twice", e.Path)
				seen[e.Path] = true
			}
		})
	}
}

// invented is a row of a digest that was never approved.
func invented(w *whole) string {
	return strings.Replace(w.lines[9], signoff(3).Digest, digestOf("invented"), 1)
}

// TestTwoKeysAtOnce: while the new key is brought in, servers sign with either.
func TestTwoKeysAtOnce(t *testing.T) {
	oldSigner, oldKey := testKey(t, "2026")
	newSigner, newKey := testKey(t, "2027")
	newKey.From, oldKey.Until = start.AddDate(0, 0, 2), start.AddDate(0, 0, 4)
	keys := []ledger.Key{oldKey, newKey}

	l := grown(t, oldSigner, keys, empty(), signoff(1))
	l = grown(t, newSigner, keys, l, signoff(2))
	l = grown(t, oldSigner, keys, l, signoff(3))
	l = grown(t, newSigner, keys, l, signoff(4))
	report, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	var ids []string
	for _, e := range report.Entries {
		ids = append(ids, e.KeyID)
	}
	assert.Equal(t, []string{"2026", "2027", "2026", "2027"}, ids)

	for name, c := range map[string]struct {
		by ledger.Signer
		n  int
	}{
		"the new one before its time": {newSigner, 1},
		"the old one after its time":  {oldSigner, 5},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.Append(empty(), signoff(c.n), c.by, keys)
			var broken *ledger.BrokenError
			require.ErrorAs(t, err, &broken)
			assert.Equal(t, []string{"SG005 outside_window"}, named(broken.Findings))
		})
	}
	t.Run("the old one, gone from the policy", func(t *testing.T) {
		_, fs := ledger.Verify(l, keys[1:])
		assert.Equal(t, []string{"SG005 unknown_key", "SG005 unknown_key"}, named(fs))
	})
}
