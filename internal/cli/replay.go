package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// maxSnapshot is the largest snapshot that is read: 512 MiB.
const maxSnapshot = 512 << 20

type replay struct {
	Snapshot string `arg:"" help:"A file that check --save-snapshot wrote."`
	Format   string `enum:"text,json,sarif,markdown" default:"text" placeholder:"FORMAT" help:"text, json, sarif or markdown."`
}

// Run judges the snapshot, at the time that it was taken.
func (r *replay) Run(c *call) error {
	file, err := os.Open(r.Snapshot)
	if err != nil {
		return advise("name a file that `pilotgate check --save-snapshot` wrote", "read snapshot: %w", err)
	}
	defer file.Close() // only read
	p, ok := readSnapshot(file, maxSnapshot)
	if !ok {
		return advise("write it again with `pilotgate check --save-snapshot`", "read snapshot %s: not a snapshot of this program's form", r.Snapshot)
	}
	if needs := judge.Missing(&p); len(needs) > 0 {
		return advise("write it again with this version", "replay %s: it does not hold %s", r.Snapshot, needs[0])
	}
	return c.show(judge.PullRequest(&p), r.Format)
}

// readSnapshot reads one object of at most limit bytes, and nothing behind it.
func readSnapshot(from io.Reader, limit int64) (facts.PullRequest, bool) {
	in := &io.LimitedReader{R: from, N: limit + 1}
	dec := json.NewDecoder(in)
	var s saved
	if err := dec.Decode(&s); err != nil || s.Schema != snapshotSchema {
		return facts.PullRequest{}, false
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || in.N == 0 {
		return facts.PullRequest{}, false
	}
	return s.PullRequest, true
}
