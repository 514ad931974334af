package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

// scraped are the lines of /metrics that begin with a name.
func scraped(t *testing.T, w *demo.World, name string) []string {
	t.Helper()
	res, err := http.Get(strings.TrimSuffix(w.Hook(), webhook.Path) + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, name+"{") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// What is deployed is on /metrics after the start, after each change of the
// pointer, and after a restart: a new server reads it at GitHub.
func TestThePointerIsOnMetrics(t *testing.T) {
	w, err := demo.New(t.Context(), demo.Options{Log: zerolog.Nop(), Story: small, Faults: fakegithub.NoFaults()})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	const name = "pilotgate_model_pointer_info"
	labels := func(model, version string) []string {
		return []string{name + `{model="` + model + `",pilot="",repository="acme/pilots",scenario="` + sample.Scenario + `",version="` + version + `"} 1`}
	}
	require.Equal(t, labels("qwen-7b", "1.0"), scraped(t, w, name))

	w.Repo.MustCommit("main", "nina-admin", fakegithub.CommitSpec{
		Message: "Point back", Author: "nina-admin", Files: map[string]fakegithub.File{"deploy/model_pointer.yaml": fakegithub.Text(
			sample.Scenario + `: {model: qwen-7b, version: "0.9", digest: "` + "sha256:" + strings.Repeat("a", 64) + `"}` + "\n")},
	})
	require.NoError(t, w.Settle(t.Context()))
	require.Equal(t, labels("qwen-7b", "0.9"), scraped(t, w, name))

	require.NoError(t, w.Stop())
	require.NoError(t, w.Start(t.Context()))
	assert.Equal(t, labels("qwen-7b", "0.9"), scraped(t, w, name))
}
