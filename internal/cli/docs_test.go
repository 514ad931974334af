package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/rules"
)

func TestDocumentsAreGenerated(t *testing.T) {
	t.Setenv("COLUMNS", "")
	for path, want := range cli.Docs() {
		t.Run(path, func(t *testing.T) {
			got, err := os.ReadFile(filepath.Join("../..", path))
			require.NoError(t, err)
			assert.True(t, string(got) == want, "%s is stale: run `go generate ./internal/cli`", path)
		})
	}
}

func TestEveryRuleIsDocumented(t *testing.T) {
	text := cli.Docs()["docs/checks.md"]
	for _, row := range rules.Catalogue() {
		assert.Contains(t, text, "\n### "+row.ID+"\n", row.ID)
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	text := cli.Docs()["docs/cli.md"]
	for _, command := range []string{"queue list", "queue show", "queue requeue", "check", "dataset scan", "benchmark", "verify", "init", "explain", "checks", "replay", "version"} {
		assert.Contains(t, text, "\n## `pilotgate "+command+"`\n\n```\nUsage: pilotgate "+command)
	}
	assert.NotContains(t, strings.ToLower(text), "error: ")
}
