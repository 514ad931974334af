package ledger_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// logs are what the first append may find.
var logs = []string{
	"", "# Log\n", standard, strings.ReplaceAll(standard, "\n", "\r\n"),
	standard + "| 2025-12-01 | @irina-ml | ML Lead | Approved | by phone |\n\nQuestions?\n",
	"| Notes | Role | Ticket | Decision | Date | Stakeholder |\n|---|---|---|---|---|---|\n",
}

// drawLedger appends some of six sign-offs in any order, launching some.
func drawLedger(t *rapid.T, tb testing.TB) (ledger.Ledger, []ledger.Key) {
	s, key := testKey(tb, "2026")
	keys := []ledger.Key{key}
	l := empty()
	l.Log = []byte(rapid.SampledFrom(logs).Draw(t, "log"))
	order := rapid.Permutation([]int{1, 2, 3, 4, 5, 6}).Draw(t, "order")
	for _, n := range order[:rapid.IntRange(1, 4).Draw(t, "sign-offs")] {
		r := signoff(n)
		r.Rows[0].Notes.Remark = rapid.String().Draw(t, "remark")
		a, err := ledger.Append(l, r, s, keys)
		require.NoError(t, err)
		require.Empty(t, ledger.IsOurAppend(l, l.With(a), keys))
		l = l.With(a)
		if rapid.Bool().Draw(t, "launched") {
			b, err := ledger.Append(l, launch(r, a.Digest), s, keys)
			require.NoError(t, err)
			l = l.With(b)
			for run := range rapid.IntRange(0, 2).Draw(t, "evaluations") {
				e, files := evaluated(tb, r, a.Digest, run)
				c, err := ledger.AppendWithResults(l, e, files, s, keys)
				require.NoError(t, err)
				require.Empty(t, ledger.IsOurAppend(l, l.With(c), keys))
				l = l.With(c)
			}
		}
	}
	return l, keys
}

func TestAnyOrderVerifies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, keys := drawLedger(rt, t)
		report, fs := ledger.Verify(l, keys)
		require.Empty(rt, fs)
		require.Len(rt, report.Entries, len(l.Records))
	})
}

// TestNoTamperingPasses does one thing to a whole ledger that is not an append,
// and expects a finding.
func TestNoTamperingPasses(t *testing.T) {
	foreign, _ := testKey(t, "2027")
	rapid.Check(t, func(rt *rapid.T) {
		l, keys := drawLedger(rt, t)
		report, fs := ledger.Verify(l, keys)
		require.Empty(rt, fs)
		before := l
		l.Records, l.Results = maps.Clone(l.Records), maps.Clone(l.Results)
		paths := slices.Sorted(maps.Keys(l.Records))
		p := rapid.SampledFrom(paths).Draw(rt, "record")
		lines := strings.SplitAfter(string(l.Log), "\n")
		var ours []int
		for _, e := range report.Entries {
			for _, line := range e.Lines {
				ours = append(ours, line-1)
			}
		}
		row := rapid.SampledFrom(ours).Draw(rt, "row")
		last := report.Entries[len(report.Entries)-1]
		tail := false // what Verify cannot see by itself: the last launch, gone

		switch rapid.SampledFrom([]string{
			"flip in a record", "flip in a row", "delete a record", "delete a row", "delete the last event",
			"repeat a row", "copy a record", "swap rows", "sign again",
			"samples",
		}).Draw(rt, "tampering") {
		case "flip in a record":
			l.Records[p] = flip(rt, l.Records[p])
		case "flip in a row":
			text := strings.TrimRight(lines[row], "\r\n")
			lines[row] = string(flip(rt, []byte(text))) + lines[row][len(text):]
		case "delete a record":
			delete(l.Records, p)
			tail = p == last.Path && len(last.Lines) == 0 && last.Record.Kind == ledger.KindLaunch
		case "delete a row":
			lines[row] = ""
		case "delete the last event":
			delete(l.Records, last.Path)
			for _, sub := range last.Record.Subjects {
				delete(l.Results, sub.URI)
			}
			for _, line := range last.Lines {
				lines[line-1] = ""
			}
			tail = true
		case "repeat a row":
			at := rapid.SampledFrom(ours).Draw(rt, "at")
			lines[at] += strings.TrimRight(lines[row], "\r\n") + "\n"
		case "copy a record":
			l.Records[strings.Replace(p, "/evidence/ru-", "/evidence/en-", 1)] = l.Records[p]
		case "swap rows":
			other := rapid.SampledFrom(ours).Filter(func(o int) bool { return o != row }).Draw(rt, "other")
			lines[row], lines[other] = lines[other], lines[row]
		case "samples":
			if len(l.Results) == 0 {
				return
			}
			samples := rapid.SampledFrom(slices.Sorted(maps.Keys(l.Results))).Draw(rt, "samples")
			switch rapid.SampledFrom([]string{"flip", "delete", "copy"}).Draw(rt, "how") {
			case "flip":
				l.Results[samples] = flip(rt, l.Results[samples])
			case "delete":
				delete(l.Results, samples)
			case "copy":
				l.Results[samples+"l"] = l.Results[samples]
			}
		case "sign again":
			o, err := ledger.Open(l.Records[p], keys, start.AddDate(1, 0, 0))
			require.NoError(rt, err)
			l.Records[p], err = ledger.Sign(o.Payload, foreign)
			require.NoError(rt, err)
		}
		l.Log = []byte(strings.Join(lines, ""))

		require.NotEmpty(rt, ledger.IsOurAppend(before, l, keys), "against what was there before")
		if !tail {
			_, fs = ledger.Verify(l, keys)
			require.NotEmpty(rt, fs, "by itself")
		}
	})
}

// TestRewrittenHistoryNeedsTheKey rewrites one record and everything after it, as
// somebody with the right to push and a key of their own could.
func TestRewrittenHistoryNeedsTheKey(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, keys := drawLedger(rt, t)
		report, fs := ledger.Verify(l, keys)
		require.Empty(rt, fs)

		id := rapid.SampledFrom([]string{"2026", "2027"}).Draw(rt, "key id")
		impostor, impostorKey := keyOf(t, id, "an impostor's")
		from := rapid.IntRange(0, len(report.Entries)-1).Draw(rt, "from")
		forged := empty()
		forged.Log = []byte(rapid.SampledFrom(logs).Draw(rt, "log"))
		for i, e := range report.Entries {
			r := e.Record
			if i == from {
				r.Reason = "rewritten"
			}
			files := map[string][]byte{}
			for _, sub := range r.Subjects {
				if samples, ok := l.Results[sub.URI]; ok {
					files[sub.URI] = samples
				}
			}
			a, err := ledger.AppendWithResults(forged, r, files, impostor, []ledger.Key{impostorKey})
			require.NoError(rt, err)
			forged = forged.With(a)
		}
		_, fs = ledger.Verify(forged, keys)
		require.Len(rt, fs, len(report.Entries)+len(l.Results), "each record, and each file of samples that none vouches for")
		require.NotEmpty(rt, ledger.IsOurAppend(l, forged, keys))
	})
}

// flip changes one byte of b into any other.
func flip(t *rapid.T, b []byte) []byte {
	b = slices.Clone(b)
	i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
	b[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
	return b
}
