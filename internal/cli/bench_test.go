package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

// BenchmarkCheckOfTenThousandFiles is `pilotgate check` in a checkout with
// 10,000 files beside the sample's, its datasets small, so that the time is the
// repository's and not the scan's. The bar is 2 s.
func BenchmarkCheckOfTenThousandFiles(b *testing.B) {
	dir := b.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Dana", "-c", "user.email=dana@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		return strings.TrimSpace(string(out))
	}
	put := func(files sample.Files) {
		for path, data := range files {
			full := filepath.Join(dir, filepath.FromSlash(path))
			require.NoError(b, os.MkdirAll(filepath.Dir(full), 0o755))
			require.NoError(b, os.WriteFile(full, data, 0o644))
		}
	}
	story := sample.Story{Records: 40, Evaluation: 20, LoginsOnly: true}
	many := sample.Files{}
	for i := range 10_000 {
		many[fmt.Sprintf("services/s%02d/module%03d/file%05d.py", i%50, i%400, i)] = fmt.Appendf(nil, "VALUE = %d\n", i)
	}
	put(story.Repository().With(many))
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "the stage as it is")
	story.Commit = git("rev-parse", "main")
	git("checkout", "-q", "-b", "pilot")
	put(story.Pilot())
	git("add", ".")
	git("commit", "-q", "-m", "a pilot")
	for b.Loop() {
		var out, errs bytes.Buffer
		code := cli.Run(context.Background(), []string{"check", "--repo", dir}, cli.Streams{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: time.Now})
		require.Zero(b, code, "%s%s", out.String(), errs.String())
	}
}
