package fakegithub_test

import (
	"flag"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
)

var update = flag.Bool("update", false, "write golden files")

// The operations that the stand-in serves are a file that is read in review.
func TestServedOperations(t *testing.T) {
	served := Served()
	sort.Strings(served)
	got := strings.Join(served, "\n") + "\n"
	path := filepath.Join("..", "..", "testdata", "github", "served.golden")
	if *update {
		require.Empty(t, os.Getenv("CI"), "golden files are not written in CI")
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
	missing, err := openapi.Unanswered(served)
	require.NoError(t, err)
	assert.Empty(t, missing, "each is described by GitHub")
}

func TestOperationsAreRecorded(t *testing.T) {
	w := newWorld(t, Options{})
	w.must(200, "GET", repoPath+"/branches/main", nil)
	w.graphql(`{ repository(owner: "acme", name: "pilots") { id } viewer { login } }`, nil)
	assert.Equal(t, []string{"GET /repos/{owner}/{repo}/branches/{branch}", "GRAPHQL query repository", "GRAPHQL query viewer"}, w.gh.Operations())
	require.Len(t, w.gh.Requests(), 2)
	assert.Equal(t, "repos/get-branch", w.gh.Requests()[0].Operation)
	assert.False(t, w.gh.Requests()[1].Write)
}
