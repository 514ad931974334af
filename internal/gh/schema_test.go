package gh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// Every document that we send is one that GitHub's published schema allows.
func TestDocumentsFitGitHubsSchema(t *testing.T) {
	schema := fakegithub.Schema()
	documents := map[string]string{
		"auto-merge": autoMerge,
	}
	w := writing{}
	var changes []change
	for _, e := range []effect.Effect{
		effect.Run{},
		effect.Run{NodeID: "CR_1"},
		effect.Comment{},
		effect.Comment{ID: 1},
		effect.DeleteComment{},
		effect.Acknowledge{},
		effect.Dismiss{},
		effect.Ask{TeamIDs: []string{"T_1"}},
	} {
		c, ok := w.change(e)
		require.True(t, ok)
		changes = append(changes, c)
	}
	d := newDocument("Propose")
	d.add("ref", "createRef", "clientMutationId", nil)
	d.add("commit", "createCommitOnBranch", ofCommit, nil)
	d.add("pull", "createPullRequest", ofPull, nil)
	d.addChanges(changes)
	documents["propose"] = d.text()
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
