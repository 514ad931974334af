//go:build real

package workflows_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/deploy/workflows"
)

// Where they will lie, so that the call of one by another is looked at, too.
func TestActionlintAcceptsTheWorkflows(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, exec.Command("git", "init", "-q", dir).Run())
	folder := filepath.Join(dir, filepath.FromSlash(workflows.Folder))
	require.NoError(t, os.MkdirAll(folder, 0o755))
	for _, name := range workflows.Names {
		raw, err := workflows.Files.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), raw, 0o644))
	}
	lint := exec.Command("actionlint", "-no-color")
	lint.Dir = dir
	out, err := lint.CombinedOutput()
	require.NoError(t, err, string(out))
}
