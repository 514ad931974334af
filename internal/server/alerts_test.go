package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
)

func TestARepositoryIsFoundAndFoundAgain(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	asked, answer := 0, error(nil)
	installation := int64(7)
	d := &directory{now: func() time.Time { return now }, known: map[string]place{}, find: func(context.Context, string) (int64, int64, error) {
		asked++
		return installation, 22, answer
	}}
	ask := func() (int64, error) {
		i, id, err := d.repository(t.Context(), "acme/digests")
		if err == nil {
			assert.Equal(t, int64(22), id)
		}
		return i, err
	}
	down := queue.Transient(errors.New("no answer"), 0)

	answer = down
	_, err := ask()
	require.Error(t, err, "never found: nothing can be made durable")
	answer = nil
	i, err := ask()
	require.NoError(t, err)
	assert.Equal(t, int64(7), i)

	answer = down
	_, err = ask()
	require.NoError(t, err)
	assert.Equal(t, 2, asked, "a place holds for a while")
	now = now.Add(placeHolds)
	i, err = ask()
	require.NoError(t, err, "GitHub is down: where it was is the best there is")
	assert.Equal(t, int64(7), i)

	answer, installation = nil, 8
	i, err = ask()
	require.NoError(t, err)
	assert.Equal(t, int64(8), i, "removed and installed again")

	now, answer = now.Add(placeHolds), queue.Gone(errors.New("not installed"))
	_, err = ask()
	require.Error(t, err, "the App is not there any more")
}

func TestTokensComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const token = "made up, of 32 characters at all"
	s := &Server{queue: queue.NewMemory(queue.Options{})}
	for _, c := range []struct{ name, file, says string }{
		{"one", write("one", token+"\n"), ""},
		{"two, while one replaces the other", write("two", token+"\nanother of at least 20\n"), ""},
		{"not there", filepath.Join(dir, "none"), "no such file"},
		{"empty", write("empty", "\n"), "0 tokens"},
		{"short", write("short", "short\n"), "fewer than 20"},
		{"too large", write("large", strings.Repeat("x", maxTokenFile+1)), "larger than 4 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.metrics = prometheus.NewRegistry()
			_, err := s.newAlerts([]Alert{{Repository: "acme/digests", Scenario: "channel_digest_ru", TokenFile: c.file}}, nil)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "acme/digests")
		})
	}
}
