// Command gendocs writes docs/checks.md from the rule catalogue and its words,
// and docs/cli.md from the command table. A test of package cli fails when they
// are stale.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pilotgate/pilotgate/internal/cli"
)

func main() {
	for path, text := range cli.Docs() {
		if err := os.WriteFile(filepath.Join("docs", filepath.Base(path)), []byte(text), 0o644); err != nil { //nolint:gosec // documents, for everybody
			fmt.Fprintln(os.Stderr, "gendocs:", err)
			os.Exit(1)
		}
	}
}
