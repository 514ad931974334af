package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

// moment lets something happen once in the middle of a scan, which looks at its
// context before each read.
type moment struct {
	context.Context
	mu    sync.Mutex
	looks int
	act   func()
}

func (m *moment) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.looks--; m.looks == 0 {
		m.act()
	}
	return m.Context.Err()
}

// TestAFileThatChangesWhileItIsReadIsNoDataset: what was read is of no one
// moment, so that there is nothing to say about it but that, and what to do.
func TestAFileThatChangesWhileItIsReadIsNoDataset(t *testing.T) {
	clean := string(sample.Story{Records: 40, Evaluation: 3}.Pilot()[sample.Dataset])
	one, _, _ := strings.Cut(clean, "\n")
	text := strings.Repeat(clean, 30) // read in many parts
	for name, c := range map[string]struct {
		change func(t *testing.T, path string)
		says   string
		named  bool // it is the name that changes, not the file
	}{
		"cut off": {func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, int64(len(text)/2)))
		}, "bytes before", false},
		"cut off at the end of a record": {func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, int64(len(clean)*20)))
		}, "bytes before", false},
		"emptied": {func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, 0))
		}, "and 0 after", false},
		"longer": {func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(one + "\n")
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}, "bytes before", false},
		"written over, as long as before": {func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(strings.Replace(one, `"channel":"`, `"channel":"x`, 1)[:len(one)])
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}, "written over", false},
		"another file under its name": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		}, "another file has its name", true},
		"gone": {func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "it is gone", true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"dataset", "scan", "FILE"},
				{"dataset", "scan", "FILE", "--format", "json"},
				{"dataset", "scan", "STEADY", "--eval", "FILE"},
				{"benchmark", "FILE"},
				{"dataset", "scan", "-"},
			} {
				dir := t.TempDir()
				file, steady := filepath.Join(dir, "changing.jsonl"), filepath.Join(dir, "steady.jsonl")
				for _, path := range []string{file, steady} {
					require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
					ago := time.Now().Add(-time.Hour)
					require.NoError(t, os.Chtimes(path, ago, ago))
				}
				before := run(t, nil, "dataset", "scan", file)
				require.Less(t, before.code, 2, before.stderr)
				ctx := &moment{Context: context.Background(), looks: 4, act: func() { c.change(t, file) }}
				in, err := os.Open(file)
				require.NoError(t, err)
				defer in.Close()
				given := strings.Fields(strings.NewReplacer("FILE", file, "STEADY", steady).Replace(strings.Join(args, " ")))
				var out, errs bytes.Buffer
				code := cli.Run(ctx, given, cli.Streams{Stdin: in, Stdout: &out, Stderr: &errs, Now: time.Now})
				if args[len(args)-1] == "-" && c.named { // stdin has no name, and its bytes are still those
					assert.Less(t, code, 2)
					continue
				}
				assert.Equal(t, 2, code, "%v", args)
				assert.Empty(t, out.String(), "nothing is said about bytes that nobody has")
				assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
				assert.Contains(t, errs.String(), "changed while it was read")
				assert.Contains(t, errs.String(), c.says)
				assert.Contains(t, errs.String(), "; wait until the export is complete, then run this again\n")
				if args[len(args)-1] != "-" {
					assert.Contains(t, errs.String(), "read dataset "+file+": ")
				}
			}
		})
	}
}

// TestAReadThatFailsTellsHowFarItCame, and what to do.
func TestAReadThatFailsTellsHowFarItCame(t *testing.T) {
	raw, err := os.ReadFile(dataset(t))
	require.NoError(t, err)
	down := io.MultiReader(bytes.NewReader(raw[:1000]), iotest.ErrReader(errors.New("line is down")))
	got := run(t, func(s *cli.Streams) { s.Stdin = down }, "dataset", "scan", "-")
	assert.Equal(t, 2, got.code)
	assert.Equal(t, "pilotgate: read dataset -: line is down after 1000 bytes; see that it can be read to its end, then run this again\n", got.stderr)
	assert.Empty(t, got.stdout)
}
