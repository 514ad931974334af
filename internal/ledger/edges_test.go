package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// What is a table, and what is not, as people write them; rows go where "<rows>"
// stands.
func TestWhereTheTableBegins(t *testing.T) {
	const head = "| Date | Stakeholder | Role | Decision | Notes |\n"
	cases := []struct{ name, log, want string }{
		{"white space alone is an absent log", "\n \n", "# Stage 05_03 · Sign-off log\n\n" + standard + "<rows>"},
		{"indented by three", "   " + head + "   |---|---|---|---|---|\n", "   " + head + "   |---|---|---|---|---|\n<rows>"},
		{"indented by four: code", "    " + head + "    |---|---|---|---|---|\n", "    " + head + "    |---|---|---|---|---|\n\n" + standard + "<rows>"},
		{"indented by a tab: code", "\t" + head + "\t|---|---|---|---|---|\n", "\t" + head + "\t|---|---|---|---|---|\n\n" + standard + "<rows>"},
		{"quoted", "> " + head + "> |---|---|---|---|---|\n", "> " + head + "> |---|---|---|---|---|\n\n" + standard + "<rows>"},
		{"a delimiter row of nothing", head + "| | | | | |\n", head + "| | | | | |\n\n" + standard + "<rows>"},
		{"a delimiter row with a word", head + "|---|-a-|---|---|---|\n", head + "|---|-a-|---|---|---|\n\n" + standard + "<rows>"},
		{"two columns of their own", "| a | Date | b | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|---|\n", "| a | Date | b | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|---|\n<rows>"},
		{"a name with a pipe in it", "| Date | a\\|b | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|\n", "| Date | a\\|b | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|\n<rows>"},
		{"a row with a cell too many", standard + "| 14 Jan | Irina | Lead | yes | by phone | twice |\n", standard + "| 14 Jan | Irina | Lead | yes | by phone | twice |\n<rows>"},
		{"a fence that a fence with words does not close", "```\n```text\n" + standard + "```\n", "```\n```text\n" + standard + "```\n\n" + standard + "<rows>"},
		{"an item of a list", "- " + head + "|---|---|---|---|---|---|\n", "- " + head + "|---|---|---|---|---|---|\n\n" + standard + "<rows>"},
		{"a delimiter row indented by four", head + "    |---|---|---|---|---|\n", head + "    |---|---|---|---|---|\n\n" + standard + "<rows>"},
		{"a comment right below", standard + "<!-- | -->\n", standard + "<rows><!-- | -->\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, key := testKey(t, "2026")
			l := empty()
			l.Log = []byte(c.log)
			l = grown(t, s, []ledger.Key{key}, l, signoff(1))
			before, after, _ := strings.Cut(c.want, "<rows>")
			got := string(l.Log)
			require.True(t, strings.HasPrefix(got, before), "before the rows:\n%s", got)
			require.True(t, strings.HasSuffix(got, after), "after the rows:\n%s", got)
			assert.Equal(t, 2, strings.Count(strings.TrimSuffix(strings.TrimPrefix(got, before), after), "\n"))
		})
	}
}

func TestWhichRowsAreOurs(t *testing.T) {
	w := threeSignoffs(t)
	row := strings.TrimSuffix(w.lines[4], "\n")
	require.Contains(t, row, "| Approved | pilot `")
	pull := between(t, row, "PR #", ",")
	review := between(t, row, "review ", ";")
	for _, c := range []struct {
		name, old, new string
		ours           bool
	}{
		{"as it is", "", "", true},
		{"in the first year", row[:6], "| 2000", true},
		{"before it", row[:6], "| 1999", false},
		{"in the last year", row[:6], "| 9999", true},
		{"no date", row[:12], "| 2026-13-40", false},
		{"the first pull request", "PR #" + pull, "PR #1", true},
		{"the largest", "PR #" + pull, "PR #9999999999", true},
		{"the largest review", "review " + review, "review 9007199254740991", true},
		{"the largest comment", "review " + review, "comment 9007199254740991", true},
		{"a review beyond it", "review " + review, "review 9007199254740992", false},
		{"a comment beyond it", "review " + review, "comment 9007199254740992", false},
		{"another decision", "| Approved |", "| Maybe |", false},
		{"no pilot, and no policy", "pilot `" + between(t, row, "pilot `", "`") + "`; ", "", false},
		{"no at sign", "| @", "| ", false},
		{"another space", "| Approved |", "| Approved  |", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := ledger.ParseLog([]byte(standard + strings.Replace(row, c.old, c.new, 1) + "\n"))
			require.Len(t, log.Rows, 1)
			assert.Equal(t, c.ours, log.Rows[0].Ours, log.Rows[0].Text)
		})
	}
}

// between is what stands in a text after one mark and before the next.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, began := strings.Cut(text, from)
	inside, _, ended := strings.Cut(rest, to)
	require.True(t, began && ended)
	return inside
}

func TestWhatLooksLikeARowElsewhere(t *testing.T) {
	w := threeSignoffs(t)
	row := w.lines[4]
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"a second table":            {"\n" + standard + row, 1},
		"prose that names a digest": {"\nThe digest `sha256:" + strings.Repeat("a", 64) + "` was approved.\n", 0},
		"a row in a comment":        {"\n<!--\n" + row + "-->\n", 0},
	} {
		assert.Len(t, ledger.ParseLog([]byte(standard+row+c.text)).Strays, c.want, name)
	}
}

func TestWhatAnAppendIsNot(t *testing.T) {
	t.Run("a record taken away", func(t *testing.T) {
		w := threeSignoffs(t)
		after := w.Ledger
		after.Records = maps.Clone(w.Records)
		delete(after.Records, w.paths[3])
		got := named(ledger.IsOurAppend(w.Ledger, after, w.keys))
		assert.Equal(t, "SG011 removed", got[0])
		assert.NotContains(t, got, "SG011 log_rewritten", "the rest is not looked at")
	})
	t.Run("a record changed", func(t *testing.T) {
		w := threeSignoffs(t)
		after := w.Ledger
		after.Records = maps.Clone(w.Records)
		after.Records[w.paths[3]] = append(slices.Clone(w.Records[w.paths[3]]), '\n')
		assert.Equal(t, "SG011 changed", named(ledger.IsOurAppend(w.Ledger, after, w.keys))[0])
	})
	t.Run("a word at the end of the log", func(t *testing.T) {
		w := threeSignoffs(t)
		after := w.Ledger
		after.Log = append(slices.Clone(w.Log), "Fine.\n"...)
		fs := ledger.IsOurAppend(w.Ledger, after, w.keys)
		require.Equal(t, []string{"SG011 log_rewritten"}, named(fs))
		assert.Equal(t, strings.Count(string(w.Log), "\n")+1, fs[0].At.Line)
		fs = ledger.IsOurAppend(after, w.Ledger, w.keys)
		require.Equal(t, []string{"SG011 log_rewritten"}, named(fs), "nor is its removal")
	})
	t.Run("one signed with another key, and nothing more is said of it", func(t *testing.T) {
		w := threeSignoffs(t)
		foreign, foreignKey := testKey(t, "2027")
		after := grown(t, foreign, append(w.keys, foreignKey), w.Ledger, signoff(4))
		assert.Equal(t, []string{"SG005 unknown_key"}, named(ledger.IsOurAppend(w.Ledger, after, w.keys)))
	})
	t.Run("nothing, in a log without a table", func(t *testing.T) {
		w := threeSignoffs(t)
		l := empty()
		l.Log = []byte("# Log\n")
		assert.Empty(t, ledger.IsOurAppend(l, l, w.keys))
	})
}

func TestALedgerOfNoKnownRepositoryTakesTheRecords(t *testing.T) {
	s, key := testKey(t, "2026")
	l := empty()
	l.RepositoryID = 0
	assert.Len(t, grown(t, s, []ledger.Key{key}, l, signoff(1)).Records, 1)
}

func TestWhoseResultsAPathHolds(t *testing.T) {
	for _, c := range []struct{ evidence, path, want string }{
		{"docs/evidence/{pilot}/", "docs/evidence/ru-1/results/1-baseline.jsonl", "ru-1"},
		{"docs/evidence", "docs/evidence/ru-1/results/1-baseline.jsonl", "ru-1"},
		{"docs/evidence/{pilot}/", "docs/evidence/ru-1/signoff-1.json", ""},
		{"docs/evidence/{pilot}/", "docs/evidence//results/1-baseline.jsonl", ""},
		{"docs/evidence/{pilot}/", "docs/evidence/ru-1/results/", ""},
		{"docs/evidence/{pilot}/", "docs/evidence/a/b/results/1-baseline.jsonl", ""},
		{"docs/evidence/{pilot}/", "data/ru-1/results/1-baseline.jsonl", ""},
	} {
		pilot, ok := ledger.IsResult(c.evidence, c.path)
		assert.Equal(t, c.want != "", ok, c.path)
		if ok {
			assert.Equal(t, c.want, pilot)
		}
	}
	_, whole, keys := withEvaluation(t)
	s, _ := testKey(t, "2026")
	_, err := ledger.AppendWithResults(whole, signoff(3), whole.Results, s, keys)
	assert.ErrorIs(t, err, ledger.ErrExists)
}

func TestLinksFromTheSummary(t *testing.T) {
	const open, end = "<!-- pilotgate:auto pilots -->\n", "<!-- /pilotgate:auto pilots -->\n"
	link := func(summary, plan string) (string, []string) {
		out, fs := ledger.LinkPilot("docs/a/summary.md", []byte(summary), ledger.PilotLinks{Pilot: "ru-1", Plan: plan})
		return string(out), named(fs)
	}
	for plan, want := range map[string]string{
		"docs/a/plan.md": "(plan.md)", "docs/b/plan.md": "(../b/plan.md)", "plan.md": "(../../plan.md)", "docs/a": "(../a)",
	} {
		got, fs := link(open+end, plan)
		assert.Empty(t, fs)
		assert.Equal(t, open+"- `ru-1`: [plan]"+want+"\n"+end, got)
	}
	for name, c := range map[string]struct {
		summary string
		want    []string
	}{
		"white space alone":                  {"\n \n", []string{}},
		"the block first, and nothing else":  {open, []string{"SG012 unpaired"}},
		"closed twice":                       {open + end + end, []string{"SG012 unpaired"}},
		"a fence that does not end after it": {open + end + "```\n", []string{}},
		"a fence that does not end":          {"Pilots\n```\n", []string{"SG012 unclosed"}},
		"words in the block":                 {open + "Nothing yet.\n" + end, []string{}},
	} {
		got, fs := link(c.summary, "docs/a/plan.md")
		assert.Equal(t, c.want, fs, name)
		if len(c.want) > 0 {
			assert.Equal(t, c.summary, got, name)
		} else {
			assert.Contains(t, got, "[plan](plan.md)", name)
		}
	}
	got, _ := link("\n \n", "docs/a/plan.md")
	assert.True(t, strings.HasPrefix(got, "# Stage 05_03\n"), got)
}

func TestNotesLinkNothing(t *testing.T) {
	text := ledger.Notes{Remark: "WWW.example.org www.example.org GH-1 gh-1"}.String()
	for _, link := range []string{"WWW.", "www.", "GH-1", "gh-1"} {
		assert.NotContains(t, text, link)
	}
}

func TestKeysHaveANameOfOneLine(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, ok := range map[string]bool{"2026": true, "": false, "a\nb": false} {
		_, err := ledger.NewSigner(name, private)
		assert.Equal(t, ok, err == nil, name)
	}
}

func TestAnEnvelopeOfTheLargestSizeIsRead(t *testing.T) {
	_, err := ledger.Open(bytes.Repeat([]byte(" "), ledger.MaxRecord), nil, start)
	require.Error(t, err)
	assert.NotErrorIs(t, err, ledger.ErrTooLarge)
	_, err = ledger.Open(bytes.Repeat([]byte(" "), ledger.MaxRecord+1), nil, start)
	assert.ErrorIs(t, err, ledger.ErrTooLarge)
}

func TestPayloadsThatAreNone(t *testing.T) {
	payload := string(payloadOf(t, signoff(1)))
	var invalid *ledger.InvalidError
	_, err := ledger.ParsePayload([]byte(strings.Replace(payload, `"_type":"https://in-toto.io/Statement/v1"`, `"_type":"https://in-toto.io/Statement/v2"`, 1)))
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "predicateType", invalid.Field)
	_, err = ledger.ParsePayload([]byte(strings.Replace(payload, `"predicate":{`, `"predicate":{"aa":1,`, 1)))
	assert.ErrorContains(t, err, "read statement")
	_, err = ledger.ParsePayload([]byte(strings.ReplaceAll(payload, signoff(1).Pilot, "RU-1")))
	require.ErrorAs(t, err, &invalid)
	assert.NotEqual(t, "canonical form", invalid.Field)
}

// Who decides by a review has a number; who merged something may be gone since.
func TestWhoMayBeNobody(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	l := grown(t, s, keys, empty(), signoff(1))
	gone := func(r ledger.Record, kind ledger.Kind, decision ledger.Decision) ledger.Record {
		r.Kind, r.Launch, r.Checks = kind, nil, nil
		r.Approvals = slices.Clone(signoff(1).Approvals[:1])
		r.Approvals[0].Login, r.Approvals[0].UserID, r.Approvals[0].ReviewID = "ghost", 0, 0
		r.Rows = []ledger.Row{{Date: r.CreatedAt, Stakeholder: "ghost", Role: r.Approvals[0].Role, Decision: decision}}
		return r
	}
	_, err := ledger.Append(l, gone(policy(), ledger.KindPolicy, ledger.Policy), s, keys)
	require.NoError(t, err)
	_, err = ledger.Append(l, gone(signoff(1), ledger.KindWithdrawn, ledger.Withdrawn), s, keys)
	require.NoError(t, err)
	for kind, decision := range map[ledger.Kind]ledger.Decision{
		ledger.KindSignoff: ledger.Approved, ledger.KindRejected: ledger.Rejected, ledger.KindGo: ledger.Go, ledger.KindNoGo: ledger.NoGo,
	} {
		var invalid *ledger.InvalidError
		r := gone(signoff(2), kind, decision)
		r.Launch = signoff(2).Launch
		_, err = ledger.Append(l, r, s, keys)
		require.ErrorAs(t, err, &invalid, kind)
		r.Approvals = nil
		r.Rows[0].Notes.Review = 1
		_, err = ledger.Append(l, r, s, keys)
		require.ErrorAs(t, err, &invalid, kind)
		assert.Contains(t, invalid.Field, "approvals", kind)
	}
}
