// Package parts builds the real programs that tests run against, from their Go
// modules into ./.bin, once.
//
// It must not be imported by anything but tests.
package parts

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The programs, as module, path of the command in it, and version.
var (
	GitLFS    = Program{"git-lfs", "github.com/git-lfs/git-lfs/v3", "v3.6.1"}
	VersityGW = Program{"versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"}
)

// Program is a command of a Go module.
type Program struct{ Name, Package, Version string }

// Build answers the folder that holds the program under its own name. A build
// takes minutes the first time.
func (p Program) Build(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(root(t), ".bin", p.Name+"-"+p.Version)
	if _, err := os.Stat(filepath.Join(dir, p.Name)); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", p.Package+"@"+p.Version) //nolint:gosec // the table above
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// root is the checkout's.
func root(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	return filepath.Dir(strings.TrimSpace(string(out)))
}
