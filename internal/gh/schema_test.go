package gh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// Every document that we send is one that GitHub's published schema allows.
func TestDocumentsFitGitHubsSchema(t *testing.T) {
	schema := fakegithub.Schema()
	documents := map[string]string{
		"commit": createCommit, "auto-merge": autoMerge,
		"check runs": `mutation CheckRuns($i0: CreateCheckRunInput!, $i1: UpdateCheckRunInput!) {
			r0: createCheckRun(input: $i0) { checkRun { id } }
			r1: updateCheckRun(input: $i1) { checkRun { id } }
		}`,
	}
	entries, err := queryFiles.ReadDir("queries")
	require.NoError(t, err)
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".graphql")
		if name == "fragments" {
			continue
		}
		documents[name], err = document(name)
		require.NoError(t, err)
	}
	require.Greater(t, len(documents), 8)
	for name, text := range documents {
		t.Run(name, func(t *testing.T) {
			_, errs := gqlparser.LoadQuery(schema, text) //nolint:staticcheck // its error type is a list
			assert.Empty(t, errs)
		})
	}
}
