package localgit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/localgit"
)

// pointer is the Git LFS pointer to a text, with the text's sha256.
func pointer(text string) (file, oid string) {
	sum := sha256.Sum256([]byte(text))
	oid = hex.EncodeToString(sum[:])
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(text)), oid
}

// TestAnObjectOfGitLFSIsReadWhereGitLFSKeepsIt: what was fetched is judged, and
// what was not is told.
func TestAnObjectOfGitLFSIsReadWhereGitLFSKeepsIt(t *testing.T) {
	const text = "{}\n"
	file, oid := pointer(text)
	place := filepath.Join("objects", oid[:2], oid[2:4], oid)
	for name, c := range map[string]struct {
		path    string // from the checkout's top; "" for none
		holds   string
		storage string
		want    facts.Scan
	}{
		"in the repository":                  {filepath.Join(".git", "lfs", place), text, "", facts.Scan{}},
		"in a folder of the configuration":   {filepath.Join(".git", "elsewhere", place), text, "elsewhere", facts.Scan{}},
		"in a place of the configuration":    {filepath.Join("beside", place), text, "/beside", facts.Scan{}},
		"not fetched":                        {"", "", "", facts.Scan{Pointer: oid}},
		"a folder of its name":               {filepath.Join(".git", "lfs", place, "x"), text, "", facts.Scan{Pointer: oid}},
		"shorter than its pointer says":      {filepath.Join(".git", "lfs", place), "{}", "", facts.Scan{Refused: facts.RefusedDiffers}},
		"longer":                             {filepath.Join(".git", "lfs", place), text + text, "", facts.Scan{Refused: facts.RefusedDiffers}},
		"as long, with one byte that is not": {filepath.Join(".git", "lfs", place), "{ \n", "", facts.Scan{Refused: facts.RefusedDiffers}},
	} {
		t.Run(name, func(t *testing.T) {
			repo := initRepo(t)
			repo.write("data.jsonl", file)
			repo.commit("a pointer")
			if c.path != "" {
				repo.write(c.path, c.holds)
			}
			if c.storage != "" {
				repo.git("config", "lfs.storage", strings.Replace(c.storage, "/", repo.dir+"/", 1))
			}
			repo.git("worktree", "add", "-q", "--detach", filepath.Join(t.TempDir(), "second"), "HEAD")
			second := checkout{t, strings.Fields(repo.git("worktree", "list"))[3]}
			for _, dir := range []checkout{repo, second} {
				r := dir.open()
				tree, err := r.Files(ctx, "HEAD")
				require.NoError(t, err)
				req := facts.ScanRequest{Path: "data.jsonl", OID: tree.Entries["data.jsonl"].OID, Size: tree.Entries["data.jsonl"].Size, Locale: "ru"}
				need := facts.Need{Kind: facts.NeedScan, Scan: &req}
				var got facts.Common
				require.NoError(t, r.Fill(ctx, &got, []facts.Need{need}))
				scan := got.Scans[need.Key()]
				if c.want == (facts.Scan{}) {
					require.NotNil(t, scan.Facts, "%+v", scan)
					assert.Equal(t, oid, scan.Facts.SHA256)
					continue
				}
				assert.Equal(t, c.want, scan)
			}
		})
	}
}

// TestAFileThatChangesWhileGitReadsIt: git ends as it does on a file that is cut
// off under its map of it, or says what it does of one that it reads.
func TestAFileThatChangesWhileGitReadsIt(t *testing.T) {
	real, err := exec.LookPath("git")
	require.NoError(t, err)
	for name, ending := range map[string]string{
		"cut off":           "kill -BUS $$",
		"shorter":           "echo 'error: short read while indexing data/a.jsonl' >&2; exit 1",
		"another meanwhile": "echo 'fatal: confused by unstable object source data for 1234' >&2; exit 128",
	} {
		t.Run(name, func(t *testing.T) {
			c := initRepo(t)
			c.write("data/a.jsonl", "{}\n")
			c.write("steady.md", "text")
			c.commit("base")
			c.write("data/a.jsonl", "{}\n{}\n")
			tools := t.TempDir()
			script := "#!/bin/sh\nfor a; do [ \"$a\" = add ] && { " + ending + "; }; done\nexec " + real + " \"$@\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(tools, "git"), []byte(script), 0o700))
			t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
			_, err := c.open().PullRequest(ctx, localgit.Options{})
			var changed *localgit.ChangedError
			require.ErrorAs(t, err, &changed)
			assert.Equal(t, []string{"data/a.jsonl"}, changed.Paths)
			assert.ErrorContains(t, err, "data/a.jsonl changed while it was read")
		})
	}
}
