//go:build real

package lfs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/parts"
)

// What git-lfs itself pushes is what we read: its pointers, its batch requests
// and uploads against the same store.
func TestWhatGitLFSPushesIsRead(t *testing.T) {
	tools := parts.GitLFS.Build(t)
	s, _, object := start(t)
	home := t.TempDir()
	dir, bare := filepath.Join(home, "work"), filepath.Join(home, "bare.git")
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_SSL_NO_VERIFY=1", "GIT_AUTHOR_NAME=Anna", "GIT_AUTHOR_EMAIL=anna@example.org", "GIT_COMMITTER_NAME=Anna", "GIT_COMMITTER_EMAIL=anna@example.org",
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "git %s: %s", strings.Join(args, " "), out)
		return string(out)
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	git("init", "-q", "--bare", bare)
	git("init", "-q", "-b", "main")
	git("lfs", "install", "--local")
	git("remote", "add", "origin", bare)
	git("config", "lfs.url", strings.Replace(s.URL(), "https://", "https://x-access-token:"+"made-up-token@", 1))
	git("config", "lfs.locksverify", "false")
	git("lfs", "track", "*.jsonl")
	object = append(object, "and more"...) // not yet in the store
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jsonl"), object, 0o600))
	git("add", ".")
	git("commit", "-q", "-m", "dataset")
	text := git("cat-file", "-p", "HEAD:a.jsonl")
	p, ok := bytestore.ParsePointer([]byte(text))
	require.True(t, ok, "git-lfs writes %q", text)
	require.Equal(t, int64(len(object)), p.Size)

	_, err := read(t, near(s), at(s), p)
	require.ErrorIs(t, err, bytestore.ErrAbsent, "committed and not pushed")
	git("push", "-q", "origin", "main")
	got, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
}
