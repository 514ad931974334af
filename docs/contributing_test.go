package docs_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rule that CONTRIBUTING walks through is the one in the code.
func TestContributingShowsTheCodeAsItIs(t *testing.T) {
	quoted := regexp.MustCompile("(?s)<!-- from: (\\S+) -->\n```\\w*\n(.*?)```\n")
	found := quoted.FindAllStringSubmatch(read(t, "../CONTRIBUTING.md"), -1)
	require.Len(t, found, 5, "function, row, words and two cases")
	for _, m := range found {
		assert.Contains(t, read(t, "../"+m[1]), m[2], "%s changed: copy it into CONTRIBUTING.md", m[1])
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}
