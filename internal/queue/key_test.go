package queue_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
)

func TestKeyText(t *testing.T) {
	for _, c := range []struct {
		name string
		key  queue.Key
		text string
	}{
		{"pull request", queue.Key{Installation: 1, Repository: 22, Kind: "pr", ID: "17"}, "1.22.pr.GE3Q"},
		{"repository", queue.Key{Installation: 1, Repository: 22, Kind: "repo"}, "1.22.repo.0"},
		{"installation", queue.Key{Installation: 1, Kind: "installation"}, "1.0.installation.0"},
		{"wildcards and dots stay inside", queue.Key{Installation: 1, Repository: 2, Kind: "group", ID: "a/*.>. "}, "1.2.group.MEXSULR6FYQA"},
		{"largest", queue.Key{Installation: math.MaxInt64, Repository: math.MaxInt64, Kind: strings.Repeat("z", 16), ID: strings.Repeat("\xff", 330)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.key.Validate())
			s := c.key.String()
			if c.text != "" {
				assert.Equal(t, c.text, s)
			}
			got, err := queue.ParseKey(s)
			require.NoError(t, err)
			assert.Equal(t, c.key, got)
		})
	}
}

func TestKeyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		key  queue.Key
	}{
		{"no installation", queue.Key{Repository: 1, Kind: "pr"}},
		{"negative installation", queue.Key{Installation: -1, Repository: 1, Kind: "pr"}},
		{"negative repository", queue.Key{Installation: 1, Repository: -1, Kind: "pr"}},
		{"no kind", queue.Key{Installation: 1, Repository: 1}},
		{"a token in the kind", queue.Key{Installation: 1, Repository: 1, Kind: "pr.x"}},
		{"a wildcard as kind", queue.Key{Installation: 1, Repository: 1, Kind: ">"}},
		{"a long kind", queue.Key{Installation: 1, Repository: 1, Kind: strings.Repeat("z", 17)}},
		{"a long id", queue.Key{Installation: 1, Repository: 1, Kind: "pr", ID: strings.Repeat("1", 331)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.ErrorIs(t, c.key.Validate(), queue.ErrInvalid)
		})
	}
}

var keyTexts = []string{
	"1.22.pr.GE3Q", "1.22.repo.0", "1.0.installation.0",
	"", "1.22.pr", "1.22.pr.GE3Q.x", "01.22.pr.GE3Q", "+1.22.pr.GE3Q", "1.22.pr.ge3q", "1.22.pr.GE3R", "1.22.pr.", "1.22.PR.GE3Q",
	"1.22.>.GE3Q", "0.22.pr.GE3Q", "1.-2.pr.GE3Q", "99999999999999999999.1.pr.GE3Q", "1.22.pr.GE3Q====",
}

func TestParseKeyKnowsOneSpelling(t *testing.T) {
	for _, s := range keyTexts[3:] {
		_, err := queue.ParseKey(s)
		assert.ErrorIs(t, err, queue.ErrInvalid, "%q", s)
	}
	_, err := queue.ParseKey("1.2.pr." + strings.Repeat("A", 1<<20))
	assert.ErrorIs(t, err, queue.ErrInvalid)
}

func FuzzParseKey(f *testing.F) {
	for _, s := range keyTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := queue.ParseKey(s)
		if err != nil {
			require.ErrorIs(t, err, queue.ErrInvalid)
			return
		}
		require.NoError(t, k.Validate())
		require.Equal(t, s, k.String())
		require.Equal(t, 3, strings.Count(s, "."))
		require.NotContains(t, s, "*")
		require.NotContains(t, s, ">")
	})
}
