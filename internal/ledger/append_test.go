package ledger_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

func TestAppendTwiceEqualsOnce(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	l := grown(t, s, keys, empty(), signoff(1))

	_, err := ledger.Append(l, signoff(1), s, keys)
	assert.ErrorIs(t, err, ledger.ErrExists)

	again := signoff(1)
	again.PullRequest = 99 // another event with the same pilot, kind and digest is still the same
	_, err = ledger.Append(l, again, s, keys)
	assert.ErrorIs(t, err, ledger.ErrExists)
}

func TestAppendLeavesItsArgumentsAlone(t *testing.T) {
	s, key := testKey(t, "2026")
	r, l := signoff(1), empty()
	l.Records = map[string][]byte{}
	a, err := ledger.Append(l, r, s, []ledger.Key{key})
	require.NoError(t, err)
	assert.Equal(t, signoff(1), r)
	assert.Nil(t, l.Log)
	after := l.With(a)
	assert.Empty(t, l.Records)
	assert.Len(t, after.Records, 1)
	assert.Equal(t, ledger.PayloadDigest(payloadOf(t, r)), a.Digest)
}

func TestAppendWritesAReasonOnOneLine(t *testing.T) {
	r := signoff(1)
	r.Reason = " the benchmark's host\n is down "
	written, err := ledger.ParsePayload(payloadOf(t, r))
	require.NoError(t, err)
	assert.Equal(t, "the benchmark's host is down", written.Reason)
}

func TestAppendNeverDatesBack(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	l := grown(t, s, keys, empty(), signoff(5), signoff(1)) // the earlier event came later
	report, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	assert.Equal(t, signoff(5).CreatedAt, report.Entries[1].Record.CreatedAt)
	assert.Equal(t, signoff(1).Approvals[0].SubmittedAt, report.Entries[1].Record.Approvals[0].SubmittedAt)
}

func TestAppendRefuses(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	other, _ := testKey(t, "2027")

	t.Run("a ledger that does not verify", func(t *testing.T) {
		l := grown(t, s, keys, empty(), signoff(1))
		l.Log = bytes.Replace(l.Log, []byte("@irina-ml"), []byte("@mallory"), 1)
		_, err := ledger.Append(l, signoff(2), s, keys)
		var broken *ledger.BrokenError
		require.ErrorAs(t, err, &broken)
		assert.Equal(t, "SG003 differs", named(broken.Findings)[0])
		assert.Contains(t, err.Error(), "SG003 differs")
	})
	t.Run("a key that the policy does not list", func(t *testing.T) {
		_, err := ledger.Append(empty(), signoff(1), other, keys)
		var broken *ledger.BrokenError
		require.ErrorAs(t, err, &broken)
		assert.Equal(t, []string{"SG005 unknown_key"}, named(broken.Findings))
	})
	t.Run("no key at all", func(t *testing.T) {
		_, err := ledger.Append(empty(), signoff(1), ledger.Signer{}, keys)
		require.Error(t, err)
		var broken *ledger.BrokenError
		assert.NotErrorAs(t, err, &broken, "an error of ours, not a finding")
	})
	t.Run("another repository", func(t *testing.T) {
		r := signoff(1)
		r.Repository.ID = 4712
		_, err := ledger.Append(empty(), r, s, keys)
		var invalid *ledger.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, "repository.id", invalid.Field)
	})
	t.Run("a log that ends in an open fence, where no row would show", func(t *testing.T) {
		l := empty()
		l.Log = []byte("# Log\n\n```\nexample\n")
		_, err := ledger.Append(l, signoff(1), s, keys)
		var broken *ledger.BrokenError
		assert.ErrorAs(t, err, &broken)
	})
	t.Run("a record over the cap", func(t *testing.T) {
		r := signoff(1)
		r.Ingredients = map[string]string{}
		for i := range 400 {
			r.Ingredients[strings.Repeat("k", i+1)] = strings.Repeat("v", 4000)
		}
		_, err := ledger.Append(empty(), r, s, keys)
		var broken *ledger.BrokenError
		require.ErrorAs(t, err, &broken)
		assert.Equal(t, []string{"SG001 record_too_large"}, named(broken.Findings))
	})
}

func TestIsOurAppend(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	before := empty()
	before.Log = []byte(standard + "| 2025-12-01 | @irina-ml | ML Lead | Approved | by phone |\n\nQuestions?\n")
	before = grown(t, s, keys, before, signoff(1))
	after := grown(t, s, keys, before, signoff(2))
	edit := func(l ledger.Ledger, old, new string) ledger.Ledger {
		require.Contains(t, string(l.Log), old)
		l.Log = bytes.Replace(l.Log, []byte(old), []byte(new), 1)
		return l
	}
	records := func(l ledger.Ledger, change func(map[string][]byte)) ledger.Ledger {
		l.Records = maps.Clone(l.Records)
		change(l.Records)
		return l
	}
	oldPath, newPath := signoff(1).Path(evidence), signoff(2).Path(evidence)
	one, fs := ledger.Verify(before, keys)
	require.Empty(t, fs)
	foreign, foreignKey := testKey(t, "2027")

	cases := []struct {
		name          string
		before, after ledger.Ledger
		want          []string // the first; none: it is ours
	}{
		{"nothing", before, before, nil},
		{"one sign-off", before, after, nil},
		{"two sign-offs", before, grown(t, s, keys, after, signoff(3)), nil},
		{"a launch", before, grown(t, s, keys, before, launch(signoff(1), one.Head)), nil},
		{"the first ever", empty(), grown(t, s, keys, empty(), signoff(1)), nil},
		{"a whole event removed", after, before, []string{"SG011 removed"}},
		{"a record removed", before, records(after, func(m map[string][]byte) { delete(m, oldPath) }), []string{"SG011 removed"}},
		{"a record replaced by another of ours", before, records(after, func(m map[string][]byte) { m[oldPath] = m[newPath] }), []string{"SG011 changed"}},
		{"a record without its rows", before, records(before, func(m map[string][]byte) { m[newPath] = after.Records[newPath] }), []string{"SG004 no_row"}},
		{"rows without their record", before, records(after, func(m map[string][]byte) { delete(m, newPath) }), []string{"SG003 no_record"}},
		{"a row written by hand, added", before, edit(before, "\n\nQuestions?", "\n| 2026-02-01 | @max | ML Lead | Approved | ok |\n\nQuestions?"), []string{"SG011 log_rewritten"}},
		{"a row written by hand, changed", before, edit(after, "by phone", "by mail"), []string{"SG011 log_rewritten"}},
		{"text around the table changed", before, edit(after, "Questions?", "No questions."), []string{"SG011 log_rewritten"}},
		{"one of our rows changed", before, edit(after, "review 2202", "review 2203"), []string{"SG003 differs"}},
		{"an append signed with another key", before, grown(t, foreign, []ledger.Key{key, foreignKey}, before, signoff(2)), []string{"SG005 unknown_key"}},
		{"a base that does not verify", edit(before, "review 2202", "review 2203"), after, []string{"SG011 base_broken"}},
		{"a base over the cap", ledger.Ledger{LogPath: logPath, Log: make([]byte, ledger.MaxLog+1)}, after, []string{"SG001 too_large"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fs := named(ledger.IsOurAppend(c.before, c.after, keys))
			if c.want == nil {
				assert.Empty(t, fs)
				return
			}
			require.NotEmpty(t, fs)
			assert.Equal(t, c.want, fs[:1])
		})
	}
}

func TestIsOurAppendSaysWhere(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	before := empty()
	before.Log = []byte(standard + "| 2025-12-01 | @irina-ml | ML Lead | Approved | by phone |\n")
	after := grown(t, s, keys, before, signoff(1))
	after.Log = bytes.Replace(after.Log, []byte("by phone"), []byte("by mail"), 1)
	fs := ledger.IsOurAppend(before, after, keys)
	require.Len(t, fs, 1)
	assert.Equal(t, 3, fs[0].At.Line)
	assert.Equal(t, logPath, fs[0].At.Path)
}
