package githubcontract_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fields of a mutation are carried out one after the other, so a branch may
// be made, committed to and proposed in one request.
// https://spec.graphql.org/October2021/#sec-Mutation
func TestABranchItsCommitAndItsPullRequestAreOneMutation(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		repo := g.need(200, "GET", "", nil)
		branch, base := g.tag+"-together", g.main()
		g.t.Cleanup(func() { g.rest("DELETE", "/git/refs/heads/"+branch, nil) })
		propose := func() answer {
			return g.graphql(`mutation($r: ID!, $full: String!, $name: String!, $repo: String!, $base: String!, $at: GitObjectID!, $path: String!, $text: Base64String!) {
			  ref: createRef(input: {repositoryId: $r, name: $full, oid: $at}) { clientMutationId }
			  commit: createCommitOnBranch(input: {branch: {repositoryNameWithOwner: $repo, branchName: $name}, expectedHeadOid: $at,
			    message: {headline: "contract: together"}, fileChanges: {additions: [{path: $path, contents: $text}]}}) { commit { oid } }
			  pull: createPullRequest(input: {repositoryId: $r, baseRefName: $base, headRefName: $name, title: "contract together"}) { pullRequest { number headRefOid } } }`,
				map[string]any{
					"r": repo.text("node_id"), "full": "refs/heads/" + branch, "name": branch, "repo": g.repo, "base": repo.text("default_branch"), "at": base,
					"path": g.tag + "-together.md", "text": base64.StdEncoding.EncodeToString([]byte("one\n")),
				})
		}
		a := propose()
		require.Empty(t, a.list("errors"), string(a.raw))
		number := a.number("data", "pull", "pullRequest", "number")
		require.NotZero(t, number)
		g.t.Cleanup(func() { g.rest("PATCH", fmt.Sprintf("/pulls/%d", number), map[string]any{"state": "closed"}) })
		assert.Equal(t, a.text("data", "commit", "commit", "oid"), a.text("data", "pull", "pullRequest", "headRefOid"))

		// Again, everything is there already: each field fails by itself, and nothing is made twice.
		again := propose()
		var failed []string
		for i := range again.list("errors") {
			failed = append(failed, again.text("errors", i, "path", 0))
		}
		assert.ElementsMatch(t, []string{"ref", "commit", "pull"}, failed)
	})
}

// https://docs.github.com/graphql/reference/objects#repository (refs: "Filters refs with query on name")
func TestRefsAreFoundByAPartOfTheirName(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		ref, _ := g.branch("found/one", g.main(), g.tag+"-found.md", "one\n")
		owner, name, _ := strings.Cut(g.repo, "/")
		a := g.graphql(`query($o: String!, $n: String!, $q: String!) { repository(owner: $o, name: $n) {
		  refs(refPrefix: "refs/heads/", query: $q, first: 100) { nodes { name } } } }`, map[string]any{"o": owner, "n": name, "q": g.tag + "-found/"})
		nodes := a.list("data", "repository", "refs", "nodes")
		require.Len(t, nodes, 1, string(a.raw))
		assert.Equal(t, "refs/"+ref, "refs/heads/"+a.text("data", "repository", "refs", "nodes", 0, "name"))
	})
}

// A team that is not there, or that the App may not see, is null in the answer;
// what is asked beside it is answered.
// https://docs.github.com/graphql/reference/objects#organization
func TestATeamThatIsNotThereIsNullAndNoMore(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		owner, name, _ := strings.Cut(g.repo, "/")
		a := g.graphql(`query($o: String!, $n: String!) { repository(owner: $o, name: $n) { id }
		  team: organization(login: $o) { team(slug: "no-such-team") { id members(first: 100) { pageInfo { hasNextPage } nodes { databaseId login } } } } }`,
			map[string]any{"o": owner, "n": name})
		assert.NotEmpty(t, a.text("data", "repository", "id"), string(a.raw))
		assert.Nil(t, a.at("data", "team", "team"))
	})
}
