package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

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
	var s saved
	dec := json.NewDecoder(io.LimitReader(file, maxSnapshot))
	if err := dec.Decode(&s); err != nil || s.Schema != snapshotSchema {
		return advise("write it again with `pilotgate check --save-snapshot`", "read snapshot %s: not a snapshot of this program's form", r.Snapshot)
	}
	if needs := judge.Missing(&s.PullRequest); len(needs) > 0 {
		return advise("write it again with this version", "replay %s: it does not hold %s", r.Snapshot, fmt.Sprint(needs[0]))
	}
	return c.show(judge.PullRequest(&s.PullRequest), r.Format)
}
