package ledger_test

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

func TestVerifyAWholeLedger(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	l := empty()
	l.Log = []byte(standard + "| 2025-12-01 | @irina-ml | ML Lead | Approved | by phone |\n")
	l = grown(t, s, keys, l, signoff(1))
	first, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	l = grown(t, s, keys, l, launch(signoff(1), first.Head), signoff(2), policy())

	report, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	require.Len(t, report.Entries, 4)
	prev := ""
	for i, want := range []struct {
		kind  ledger.Kind
		lines []int
	}{{ledger.KindSignoff, []int{4, 5}}, {ledger.KindLaunch, nil}, {ledger.KindSignoff, []int{6, 7}}, {ledger.KindPolicy, []int{8}}} {
		e := report.Entries[i]
		assert.Equal(t, want.kind, e.Record.Kind)
		assert.Equal(t, want.lines, e.Lines)
		assert.Equal(t, prev, e.Record.Prev)
		assert.Equal(t, "2026", e.KeyID)
		prev = e.Digest
	}
	assert.Equal(t, prev, report.Head)
	require.Len(t, report.Unverified, 1)
	assert.Equal(t, 3, report.Unverified[0].Line)
	assert.Equal(t, "qwen-7b-ru", report.Entries[0].Record.Launch.TargetModel)
	assert.Equal(t, int64(42), report.Entries[0].Record.Launch.Seed)
}

func TestVerifyAnEmptyLedger(t *testing.T) {
	for name, log := range map[string]string{"absent": "", "a heading": "# Log\n", "rows by hand": standard + "| 2025-12-01 | Irina | ML Lead | ok | |\n"} {
		t.Run(name, func(t *testing.T) {
			l := empty()
			l.Log = []byte(log)
			report, fs := ledger.Verify(l, nil)
			assert.Empty(t, fs)
			assert.Empty(t, report.Head)
			assert.Len(t, report.Unverified, strings.Count(log, "Irina"))
		})
	}
}

// whole is three sign-offs, a launch after the first; paths are in chain order.
type whole struct {
	ledger.Ledger
	keys  []ledger.Key
	paths []string
	lines []string
}

// threeSignoffs is a ledger of one's own: it is grown once, and copied.
func threeSignoffs(t testing.TB) whole {
	t.Helper()
	three.Do(func() {
		w := &three.whole
		s, key := testKey(t, "2026")
		w.keys = []ledger.Key{key}
		w.Ledger = grown(t, s, w.keys, empty(), signoff(1))
		first, fs := ledger.Verify(w.Ledger, w.keys)
		require.Empty(t, fs)
		w.Ledger = grown(t, s, w.keys, w.Ledger, launch(signoff(1), first.Head), signoff(2), signoff(3))
		report, fs := ledger.Verify(w.Ledger, w.keys)
		require.Empty(t, fs)
		for _, e := range report.Entries {
			w.paths = append(w.paths, e.Path)
		}
	})
	require.Len(t, three.paths, 4)
	w := three.whole
	w.keys, w.paths, w.Log = slices.Clone(w.keys), slices.Clone(w.paths), slices.Clone(w.Log)
	w.Records, w.Results = copied(w.Records), copied(w.Results)
	w.lines = strings.SplitAfter(string(w.Log), "\n")
	return w
}

var three struct {
	sync.Once
	whole
}

func copied(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for path, b := range files {
		out[path] = slices.Clone(b)
	}
	return out
}

// reopen gives the record in an evidence file.
func (w whole) reopen(t testing.TB, i int) ledger.Record {
	t.Helper()
	o, err := ledger.Open(w.Records[w.paths[i]], w.keys, start.AddDate(0, 1, 0))
	require.NoError(t, err)
	r, err := ledger.ParsePayload(o.Payload)
	require.NoError(t, err)
	return r
}

func resign(t testing.TB, r ledger.Record, s ledger.Signer) []byte {
	t.Helper()
	payload, err := r.Payload()
	require.NoError(t, err)
	envelope, err := ledger.Sign(payload, s)
	require.NoError(t, err)
	return envelope
}

// TestVerifyNamesTheFirstBrokenLink: lines 5 and 6 of the log are the first
// sign-off's, 7 and 8 the second's, 9 and 10 the third's; record 1 is the launch.
func TestVerifyNamesTheFirstBrokenLink(t *testing.T) {
	_, otherKey := testKey(t, "2027")
	cases := []struct {
		name   string
		tamper func(t *testing.T, w *whole)
		want   string // rule and case of the first finding
		path   func(w whole) string
		line   int
	}{
		{"a row's text changed", func(_ *testing.T, w *whole) { w.lines[4] = strings.Replace(w.lines[4], "2026-01-15", "2026-01-14", 1) }, "SG003 differs", log, 5},
		{"a row's person changed", func(_ *testing.T, w *whole) { w.lines[6] = strings.Replace(w.lines[6], "@irina-ml", "@mallory", 1) }, "SG003 differs", log, 7},
		{"a row padded", func(_ *testing.T, w *whole) {
			w.lines[4] = strings.Replace(w.lines[4], "| Approved |", "| Approved  |", 1)
		}, "SG002 malformed", log, 5},
		{"a row's digest cut short", func(_ *testing.T, w *whole) {
			w.lines[4] = strings.Replace(w.lines[4], "; digest `"+signoff(1).Digest, "; digest `sha256:9f2c", 1)
		}, "SG002 malformed", log, 5},
		{"a row made to look written by hand", func(_ *testing.T, w *whole) { w.lines[4] = strings.Replace(w.lines[4], "; digest", "; hash", 1) }, "SG004 row_missing", log, 6},
		{"the first rows removed", func(_ *testing.T, w *whole) { w.lines[4], w.lines[5] = "", "" }, "SG004 no_row", first, 1},
		{"the middle rows removed", func(_ *testing.T, w *whole) { w.lines[6], w.lines[7] = "", "" }, "SG004 no_row", third, 1},
		{"the last rows removed", func(_ *testing.T, w *whole) { w.lines[8], w.lines[9] = "", "" }, "SG004 no_row", last, 1},
		{"one row of two removed", func(_ *testing.T, w *whole) { w.lines[7] = "" }, "SG004 row_missing", log, 8},
		{"the log removed", func(_ *testing.T, w *whole) { w.lines = nil }, "SG004 no_row", first, 1},
		{"the table's header changed", func(_ *testing.T, w *whole) { w.lines[2] = strings.Replace(w.lines[2], "Role", "Rôle", 1) }, "SG004 no_row", first, 1},
		{"rows in another order", func(_ *testing.T, w *whole) { w.lines[4], w.lines[5] = w.lines[5], w.lines[4] }, "SG004 row_missing", log, 5},
		{"sign-offs in another order", func(_ *testing.T, w *whole) {
			w.lines[4], w.lines[5], w.lines[6], w.lines[7] = w.lines[6], w.lines[7], w.lines[4], w.lines[5]
		}, "SG010 not_first", log, 5},
		{"a record that says it is the first", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			r := w.reopen(t, 2)
			r.Prev = ""
			for i := range r.Rows {
				w.lines[6+i] = strings.Replace(w.lines[6+i], "; prev `"+r.Rows[i].Notes.Prev+"`", "", 1)
				r.Rows[i].Notes.Prev = ""
			}
			w.Records[w.paths[2]] = resign(t, r, s)
		}, "SG010 claims_first", log, 7},
		{"a row twice", func(_ *testing.T, w *whole) { w.lines[5] += w.lines[5] }, "SG009 twice", log, 7},
		{"a sign-off twice", func(_ *testing.T, w *whole) { w.lines[9] += w.lines[4] + w.lines[5] }, "SG009 twice", log, 11},
		{"a row invented", func(_ *testing.T, w *whole) {
			w.lines[9] += strings.Replace(w.lines[9], signoff(3).Digest, digestOf("invented"), 1)
		}, "SG003 no_record", log, 11},
		{"a row below another table", func(_ *testing.T, w *whole) { w.lines[9] += "\n" + standard + w.lines[4] }, "SG002 outside_table", log, 14},
		{"a record removed", func(_ *testing.T, w *whole) { delete(w.Records, w.paths[2]) }, "SG003 no_record", log, 7},
		{"the launch removed", func(_ *testing.T, w *whole) { delete(w.Records, w.paths[1]) }, "SG010 broken", log, 7},
		{"a record renamed", func(_ *testing.T, w *whole) {
			other := strings.Replace(w.paths[0], hexOf("subject of ru-digest-2026-01"), hexOf("another"), 1)
			w.Records[other] = w.Records[w.paths[0]]
			delete(w.Records, w.paths[0])
		}, "SG003 no_record", log, 5},
		{"a record copied into another pilot's folder", func(_ *testing.T, w *whole) {
			w.Records[strings.Replace(w.paths[0], "/ru-digest-2026-01/", "/ru-digest-2026-07/", 1)] = w.Records[w.paths[0]]
		}, "SG007 misplaced", func(w whole) string {
			return strings.Replace(w.paths[0], "/ru-digest-2026-01/", "/ru-digest-2026-07/", 1)
		}, 1},
		{"a stranger among the evidence", func(_ *testing.T, w *whole) { w.Records["docs/specs/epic_05/evidence/x/notes.md"] = []byte("hi") }, "SG007 stranger", func(whole) string { return "docs/specs/epic_05/evidence/x/notes.md" }, 1},
		{"a kind nobody knows", func(_ *testing.T, w *whole) {
			w.Records["docs/specs/epic_05/evidence/x/approve-"+hexOf("x")+".json"] = []byte("{}")
		}, "SG007 stranger", func(whole) string { return "docs/specs/epic_05/evidence/x/approve-" + hexOf("x") + ".json" }, 1},
		{"a record that is no envelope", func(_ *testing.T, w *whole) { w.Records[w.paths[2]] = []byte("{}") }, "SG005 unreadable", third, 1},
		{"a record too large", func(_ *testing.T, w *whole) { w.Records[w.paths[2]] = make([]byte, ledger.MaxRecord+1) }, "SG001 record_too_large", third, 1},
		{"a payload that is no statement", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			envelope, err := ledger.Sign([]byte(`{"_type":1}`), s)
			require.NoError(t, err)
			w.Records[w.paths[2]] = envelope
		}, "SG006 unreadable", third, 1},
		{"a payload with a field spoilt", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			payload, err := w.reopen(t, 2).Payload()
			require.NoError(t, err)
			envelope, err := ledger.Sign(bytes.Replace(payload, []byte(`"pull_request":42`), []byte(`"pull_request":0`), 1), s)
			require.NoError(t, err)
			w.Records[w.paths[2]] = envelope
		}, "SG006 field", third, 1},
		{"a record rewritten and signed with a key of one's own", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2027")
			r := w.reopen(t, 2)
			r.MergeCommit = commitOf("mine")
			w.Records[w.paths[2]] = resign(t, r, s)
		}, "SG005 unknown_key", third, 1},
		{"a record signed with one's own key under the server's id", func(t *testing.T, w *whole) {
			w.keys[0].Public = otherKey.Public
		}, "SG005 bad_signature", first, 1},
		{"a record from before the key was valid", func(_ *testing.T, w *whole) { w.keys[0].From = start.AddDate(0, 0, 2) }, "SG005 outside_window", first, 1},
		{"a record from after the key was retired", func(_ *testing.T, w *whole) { w.keys[0].Until = start.AddDate(0, 0, 3) }, "SG005 outside_window", last, 1},
		{"a record of another repository", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			r := w.reopen(t, 3)
			r.Repository.ID = 4712
			w.Records[w.paths[3]] = resign(t, r, s)
		}, "SG008 foreign", last, 1},
		{"a ledger of another repository", func(_ *testing.T, w *whole) { w.RepositoryID = 4712 }, "SG008 foreign", first, 1},
		{"a record dated before its predecessor", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			r := w.reopen(t, 3)
			r.CreatedAt = start
			w.Records[w.paths[3]] = resign(t, r, s)
		}, "SG010 backwards", log, 9},
		{"a last launch dated before its sign-off", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			report, fs := ledger.Verify(w.Ledger, w.keys)
			require.Empty(t, fs)
			r := launch(signoff(3), report.Head)
			r.Prev, r.CreatedAt = report.Head, start
			w.paths = append(w.paths, r.Path(evidence))
			w.Records[w.paths[4]] = resign(t, r, s)
		}, "SG010 backwards", func(w whole) string { return w.paths[4] }, 1},
		{"a second launch of one sign-off", func(t *testing.T, w *whole) {
			s, _ := testKey(t, "2026")
			r := w.reopen(t, 1)
			r.Digest = digestOf("launch 2")
			w.Records[r.Path(evidence)] = resign(t, r, s)
		}, "SG010 unreached", nil, 1},
		{"a log that is no text", func(_ *testing.T, w *whole) { w.lines[0] = "\xff" }, "SG001 not_text", log, 0},
		{"a log with a NUL", func(_ *testing.T, w *whole) { w.lines[0] = "\x00" }, "SG001 not_text", log, 0},
		{"a log over the cap", func(_ *testing.T, w *whole) { w.lines[9] += strings.Repeat("x", ledger.MaxLog) }, "SG001 too_large", log, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := threeSignoffs(t)
			c.tamper(t, &w)
			w.Log = []byte(strings.Join(w.lines, ""))
			_, fs := ledger.Verify(w.Ledger, w.keys)
			require.NotEmpty(t, fs)
			assert.Equal(t, c.want, named(fs)[0], "%v", fs)
			if c.path != nil {
				assert.Equal(t, c.path(w), fs[0].At.Path)
			}
			if c.line != 0 {
				assert.Equal(t, c.line, fs[0].At.Line)
			}
			for _, f := range fs {
				assert.Equal(t, finding.Error, f.Severity)
			}
		})
	}
}

func log(w whole) string   { return w.LogPath }
func first(w whole) string { return w.paths[0] }
func third(w whole) string { return w.paths[2] }
func last(w whole) string  { return w.paths[3] }

func TestVerifyAtTheCaps(t *testing.T) {
	w := threeSignoffs(t)
	w.Log = append(w.Log, "\n<!-- "...)
	w.Log = append(w.Log, bytes.Repeat([]byte("x"), ledger.MaxLog-len(w.Log)-4)...)
	w.Log = append(w.Log, "-->\n"...)
	require.Len(t, w.Log, ledger.MaxLog)
	_, fs := ledger.Verify(w.Ledger, w.keys)
	assert.Empty(t, fs, "a log of exactly the cap")

	many := empty()
	many.Records = make(map[string][]byte, ledger.MaxRecords+1)
	for i := range ledger.MaxRecords + 1 {
		many.Records[strconv.Itoa(i)] = nil
	}
	_, fs = ledger.Verify(many, nil)
	assert.Equal(t, []string{"SG001 too_many"}, named(fs))
	delete(many.Records, "0")
	_, fs = ledger.Verify(many, nil)
	assert.Len(t, fs, ledger.MaxRecords, "at the cap each file is looked at")
}

func TestKeyRotation(t *testing.T) {
	oldSigner, oldKey := testKey(t, "2026")
	newSigner, newKey := testKey(t, "2027")
	turn := start.AddDate(0, 0, 3)
	oldKey.Until, newKey.From = turn, turn
	keys := []ledger.Key{oldKey, newKey}

	l := grown(t, oldSigner, keys, empty(), signoff(1), signoff(2))
	l = grown(t, newSigner, keys, l, signoff(3), signoff(4))
	report, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	require.Len(t, report.Entries, 4)
	assert.Equal(t, "2026", report.Entries[1].KeyID)
	assert.Equal(t, "2027", report.Entries[2].KeyID)

	t.Run("a retired key cannot add", func(t *testing.T) {
		_, err := ledger.Append(l, signoff(5), oldSigner, keys)
		var broken *ledger.BrokenError
		require.ErrorAs(t, err, &broken)
		assert.Equal(t, []string{"SG005 outside_window"}, named(broken.Findings))
	})
	t.Run("a retired key cannot add by dating back", func(t *testing.T) {
		r := signoff(5)
		r.Prev = report.Head
		r.CreatedAt = turn.Add(-time.Hour)
		for i := range r.Rows {
			n := &r.Rows[i].Notes
			r.Rows[i].Date = r.Rows[i].Date.Truncate(24 * time.Hour)
			n.Pilot, n.PullRequest, n.Head, n.Digest, n.Prev = r.Pilot, r.PullRequest, r.HeadCommit, r.Digest, r.Prev
		}
		forged := l
		forged.Records = maps.Clone(l.Records)
		forged.Records[r.Path(evidence)] = resign(t, r, oldSigner)
		for _, row := range r.Rows {
			forged.Log = slices.Concat(forged.Log, []byte("| "+row.Date.Format(time.DateOnly)+" | @"+row.Stakeholder+" | "+row.Role+" | Approved | "+row.Notes.String()+" |\n"))
		}
		_, fs := ledger.Verify(forged, keys)
		assert.Equal(t, []string{"SG010 backwards"}, named(fs))
	})
}
