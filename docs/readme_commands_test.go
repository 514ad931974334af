package docs_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/cli.md is written from the command table; the README has a row for each
// of its commands, and none for others.
func TestReadmeListsTheCommands(t *testing.T) {
	names := func(pattern, path string) []string {
		seen := map[string]bool{}
		var out []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, path), -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				out = append(out, m[1])
			}
		}
		return out
	}
	commands := names("(?m)^## `pilotgate ([a-z]+)", "cli.md")
	require.Contains(t, commands, "serve")
	assert.ElementsMatch(t, commands, names("(?m)^\\| `pilotgate ([a-z]+)", "../README.md"))
}
