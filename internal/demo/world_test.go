package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

func TestTheStoryEndsAsTold(t *testing.T) {
	ctx := context.Background()
	log := zerolog.Nop()
	if testing.Verbose() {
		log = zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true})
	}
	w, err := New(ctx, Options{Log: log})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	require.NoError(t, Play(ctx, w, func(n int, title string, s Scene) { t.Log(n, title) }))

	// What the page shows of it.
	chart := strings.TrimSuffix(reportPath, ".md") + ".svg"
	for path, want := range map[string]string{
		"/":                   "regressed after " + sample.Release,
		"/issue/4":            "PilotMetricBelowBand",
		"/file/" + reportPath: `src="` + filepath.Base(chart) + `"`,
		"/file/" + chart:      "<svg",
	} {
		rec := httptest.NewRecorder()
		w.Page().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		assert.Equal(t, http.StatusOK, rec.Code, path)
		assert.Contains(t, rec.Body.String(), want, path)
	}
}

func TestTheAsidesEndAsTold(t *testing.T) {
	require.NoError(t, PlayAsides(context.Background(), Options{Log: zerolog.Nop()}, func(n int, title string, s Scene) { t.Log(n, title) }))
}
