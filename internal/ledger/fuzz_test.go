package ledger_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// FuzzValues: no value that a person or an alert wrote makes a row, a cell, a
// mention, a heading or a link, and each reads back as it was cleaned.
func FuzzValues(f *testing.F) {
	for _, s := range []string{
		"ML Lead", "a | b", `a\|b`, "x\n## y", "@dana", "a@b.example", "<b>", "<!-- pilotgate:auto -->", "`", "[a](b)",
		"https://e.example", "www.e.example", "#1", "GH-1", "&#64;", "-", "1. x", "***", "$x$", "~~a~~", "\u202e", "\\", "ftp://e", "mailto:a@b.example",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, role, remark string) {
		s, key := testKey(t, "2026")
		r := signoff(1)
		r.Approvals[0].Role, r.Rows[0].Role, r.Rows[0].Notes.Remark = role, role, remark
		a, err := ledger.Append(empty(), r, s, []ledger.Key{key})
		if ledger.Clean(role) == "" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		rows := ledger.ParseLog(a.Log).Rows
		require.Len(t, rows, 2)
		assert.True(t, rows[0].Ours && rows[1].Ours)
		assert.Equal(t, ledger.Clean(role), rows[0].Row.Role)
		assert.Equal(t, ledger.Clean(remark), rows[0].Row.Notes.Remark)
		assertInert(t, a.Log, 2, "@irina-ml", "@oleg-ops")

		in := incident()
		in.Alert, in.Impact = role, remark
		runbook, _, fs := ledger.AppendIncident(runbookPath, nil, in)
		require.Empty(t, fs)
		assertIncidentInert(t, runbook)

		link, fs := ledger.LinkPilot("a/b.md", nil, ledger.PilotLinks{Pilot: "a", Plan: role, Report: remark})
		require.Empty(t, fs)
		_, seen := inspect(link)
		assert.NotRegexp(t, mention, seen)
		assert.NotRegexp(t, address, seen)
	})
}

// FuzzLog appends to any log: what was there stays, byte for byte, our two rows
// stand together after the rows that were there, and they verify; or Append refuses.
func FuzzLog(f *testing.F) {
	for _, s := range logs {
		f.Add([]byte(s))
	}
	for _, s := range []string{
		standard + "text\n", standard + "> quote\n", standard + "- item | x\n", standard + "    | code |\n", standard + "\t| code |\n",
		"```\n" + standard + "```\n", "~~~~\n" + standard, "<!--\n" + standard + "-->\n", "<!-- x --> y\n" + standard,
		"- list\n" + standard, "> " + standard, "  " + standard, "a\n" + standard, standard + standard, standard + "\n" + standard,
		standard + "|\n", standard + `| a \| b | c |` + "\n", standard + "| x |\r| y |\n", "Date | Stakeholder | Role | Decision | Notes\n-|-|-|-|-\n",
		"<details>\n\n" + standard + "\n</details>\n", "# a\n===\n", standard + "---\n", standard + "===\n",
	} {
		f.Add([]byte(s))
	}
	s, key := testKey(f, "2026")
	keys := []ledger.Key{key}
	f.Fuzz(func(t *testing.T, log []byte) {
		l := empty()
		l.Log = log
		before := ledger.ParseLog(log)
		a, err := ledger.Append(l, signoff(1), s, keys)
		if err != nil {
			var broken *ledger.BrokenError
			require.ErrorAs(t, err, &broken, "nothing but a finding may refuse")
			return
		}
		after := ledger.ParseLog(a.Log)
		require.Len(t, after.Rows, len(before.Rows)+2)
		for i, row := range before.Rows {
			require.Equal(t, row, after.Rows[i])
		}
		added := after.Rows[len(before.Rows):]
		require.True(t, added[0].Ours && added[1].Ours)
		lines := strings.SplitAfter(string(a.Log), "\n")
		rest := strings.Join(slices.Delete(lines, added[0].Line-1, added[1].Line), "")
		absent := len(bytes.TrimSpace(log)) == 0
		require.True(t, absent || strings.HasPrefix(rest, string(log)), "what was there stays: %q", rest)
		require.Empty(t, ledger.IsOurAppend(l, l.With(a), keys))
	})
}

// FuzzOpen: whatever opens is what Sign would have written for that payload.
func FuzzOpen(f *testing.F) {
	s, key := testKey(f, "2026")
	good, err := ledger.Sign([]byte(`{"made":"up"}`), s)
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"2026","sig":"e30="}]}`))
	f.Add([]byte(strings.Repeat(`{"a":`, 1000)))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		o, err := ledger.Open(envelope, []ledger.Key{key}, start)
		if err != nil {
			return
		}
		again, err := ledger.Sign(o.Payload, s)
		require.NoError(t, err)
		require.Equal(t, string(envelope), string(again))
	})
}

// FuzzPayload: whatever parses is written again as the same bytes.
func FuzzPayload(f *testing.F) {
	f.Add(payloadOf(f, signoff(1)))
	f.Add(payloadOf(f, policy()))
	e, _ := evaluated(f, signoff(1), digestOf("payload"), 1)
	evaluation, err := e.Payload()
	require.NoError(f, err)
	f.Add(evaluation)
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://pilotgate.dev/predicate/signoff/v1","subject":[],"predicate":{}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := ledger.ParsePayload(payload)
		if err != nil {
			return
		}
		again, err := r.Payload()
		require.NoError(t, err)
		require.Equal(t, string(payload), string(again))
	})
}

// FuzzNotes: whatever parses is written again as the same text.
func FuzzNotes(f *testing.F) {
	f.Add(ledger.Notes{Pilot: "ru-1", PullRequest: 42, Review: 7, Comment: 8, Head: commitOf("h"), Digest: digestOf("d"), Prev: digestOf("p"), Remark: "a & @b: #1"}.String())
	f.Add(ledger.Notes{PullRequest: 1, Head: commitOf("h"), Digest: digestOf("d")}.String())
	f.Fuzz(func(t *testing.T, notes string) {
		if n, ok := ledger.ParseNotes(notes); ok {
			require.Equal(t, notes, n.String())
		}
	})
}

// FuzzRunbook appends to any runbook, and again: the entry is found, once, and an
// update with nothing new changes nothing; or the runbook is refused as it is.
func FuzzRunbook(f *testing.F) {
	for _, s := range []string{
		"", "# Runbook\n", appendixA, appendixA + firstEntry, appendixA + firstEntry + "\n## Appendix B\n", "```\n" + appendixA,
		appendixA + "### INC-\n", appendixA + "### INC-2026-1\n", appendixA + "### INC-2026-999999\n", "<!--\n" + appendixA + "-->", appendixA + "```\n", "#\r\n" + appendixA,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, runbook []byte) {
		before, _ := ledger.ParseIncidents(runbookPath, runbook)
		got, id, fs := ledger.AppendIncident(runbookPath, runbook, incident())
		if len(fs) > 0 {
			require.Equal(t, string(runbook), string(got))
			return
		}
		again, same, fs := ledger.AppendIncident(runbookPath, got, incident())
		require.Empty(t, fs)
		require.Equal(t, id, same)
		require.Equal(t, string(got), string(again))

		after, fs := ledger.ParseIncidents(runbookPath, got)
		require.Empty(t, fs)
		require.LessOrEqual(t, len(after)-len(before), 1)
		in := incident()
		in.ID = id
		updated, fs := ledger.UpdateIncident(runbookPath, got, in)
		require.Empty(t, fs)
		twice, fs := ledger.UpdateIncident(runbookPath, updated, in)
		require.Empty(t, fs)
		require.Equal(t, string(updated), string(twice))
	})
}

// FuzzSummary links a pilot in any summary, twice with the result of once.
func FuzzSummary(f *testing.F) {
	for _, s := range []string{"", "# Stage\n", "<!-- pilotgate:auto pilots -->\n<!-- /pilotgate:auto pilots -->\n", "```\n", "<!-- x\n", "\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, summary []byte) {
		got, fs := ledger.LinkPilot(summaryPath, summary, links("a"))
		if len(fs) > 0 {
			require.Equal(t, string(summary), string(got))
			return
		}
		require.Equal(t, 1, strings.Count(string(got), "- `a`: [plan](pilots/a.md)")-strings.Count(string(summary), "- `a`: [plan](pilots/a.md)"))
		again, fs := ledger.LinkPilot(summaryPath, got, links("a"))
		require.Empty(t, fs)
		require.Equal(t, string(got), string(again))
	})
}
