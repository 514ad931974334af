package githubcontract_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// https://docs.github.com/rest/git/refs#create-a-reference
func TestCreatingARefIsCreateIfAbsent(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		ref := "refs/pilotgate/" + g.tag + "/claim"
		body := map[string]any{"ref": ref, "sha": g.main()}
		g.need(201, "POST", "/git/refs", body)
		t.Cleanup(func() { g.rest("DELETE", "/git/"+ref, nil) })
		again := g.rest("POST", "/git/refs", body)
		assert.Equal(t, 422, again.status)
		assert.Equal(t, "Reference already exists", again.text("message"))
	})
}

// https://docs.github.com/rest/git/refs#update-a-reference
func TestAnUnforcedUpdateMustBeAFastForward(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		main := g.main()
		ref, head := g.branch("ff", main, "a.md", "a\n")
		other := g.dangling(main, "b.md", "b\n")
		refused := g.rest("PATCH", "/git/refs/"+ref, map[string]any{"sha": other, "force": false})
		assert.Equal(t, 422, refused.status)
		assert.Contains(t, refused.text("message"), "not a fast forward")
		assert.Equal(t, head, g.need(200, "GET", "/git/ref/"+ref, nil).text("object", "sha"), "nothing moved")
	})
}

// https://docs.github.com/rest/repos/contents#create-or-update-file-contents
func TestAStaleFileShaConflicts(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		ref, _ := g.branch("stale", g.main(), "s.md", "one\n")
		branch := strings.TrimPrefix(ref, "heads/")
		sha := g.need(200, "GET", "/contents/s.md?ref="+branch, nil).text("sha")
		write := func(text string) int {
			return g.rest("PUT", "/contents/s.md", map[string]any{"message": "m", "branch": branch, "sha": sha, "content": base64.StdEncoding.EncodeToString([]byte(text))}).status
		}
		assert.Equal(t, 200, write("two\n"))
		assert.Equal(t, 409, write("three\n"))
	})
}

// https://docs.github.com/graphql/reference/mutations#createcommitonbranch
func TestACommitOnABranchNamesItsExpectedParent(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		ref, head := g.branch("expected", g.main(), "e.md", "one\n")
		commit := func() answer {
			return g.graphql(`mutation($repo: String!, $branch: String!, $head: GitObjectID!, $text: Base64String!) {
			  createCommitOnBranch(input: {branch: {repositoryNameWithOwner: $repo, branchName: $branch}, expectedHeadOid: $head, message: {headline: "contract"},
			    fileChanges: {additions: [{path: "e.md", contents: $text}]}}) { commit { oid parents(first: 2) { nodes { oid } } signature { isValid wasSignedByGitHub } } } }`,
				map[string]any{"repo": g.repo, "branch": strings.TrimPrefix(ref, "heads/"), "head": head, "text": "dHdvCg=="})
		}
		first := commit()
		require.Nil(t, first.at("errors"), string(first.raw))
		assert.Equal(t, head, first.text("data", "createCommitOnBranch", "commit", "parents", "nodes", 0, "oid"))
		assert.Equal(t, true, first.at("data", "createCommitOnBranch", "commit", "signature", "wasSignedByGitHub"), "and GitHub signs it")
		assert.Equal(t, "STALE_DATA", commit().text("errors", 0, "type"), "the second finds another head")
	})
}

// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
func TestAnUnchangedReadAnswers304(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		first := g.need(200, "GET", "/git/trees/"+g.main(), nil)
		again := g.rest("GET", "/git/trees/"+g.main(), nil, "If-None-Match", first.header.Get("Etag"))
		assert.Equal(t, 304, again.status)
		assert.Empty(t, again.raw)
	})
}

// https://docs.github.com/rest/checks/runs#update-a-check-run
func TestAnUpdateAppendsAnnotations(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		_, _, head := g.pull("append")
		output := map[string]any{"title": "t", "summary": "s", "annotations": []any{map[string]any{
			"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m",
		}}}
		id := g.need(201, "POST", "/check-runs", map[string]any{"name": g.tag + "-append", "head_sha": head, "output": output}).number("id")
		after := g.need(200, "PATCH", fmt.Sprintf("/check-runs/%d", id), map[string]any{"output": output})
		assert.EqualValues(t, 2, after.number("output", "annotations_count"))
	})
}

// https://docs.github.com/rest/checks/runs#create-a-check-run
func TestACheckRunTakesFiftyAnnotationsAndThreeButtons(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		_, _, head := g.pull("limits")
		notes := []any{}
		for range 51 {
			notes = append(notes, map[string]any{"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"})
		}
		status := func(n int) int {
			return g.rest("POST", "/check-runs", map[string]any{
				"name": g.tag + "-limits", "head_sha": head, "output": map[string]any{"title": "t", "summary": "s", "annotations": notes[:n]},
			}).status
		}
		assert.Equal(t, 201, status(50))
		assert.Equal(t, 422, status(51))
		button := map[string]any{"label": "Mend", "description": "Mends it", "identifier": "mend"}
		assert.Equal(t, 422, g.rest("POST", "/check-runs", map[string]any{"name": g.tag + "-limits", "head_sha": head, "actions": []any{button, button, button, button}}).status)
	})
}

// https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference
func TestListingsOfRunsShowTheLatestUnlessAskedForAll(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		_, _, head := g.pull("runs")
		for _, conclusion := range []string{"failure", "success"} {
			g.need(201, "POST", "/check-runs", map[string]any{"name": g.tag + "-runs", "head_sha": head, "conclusion": conclusion, "external_id": conclusion})
		}
		path := "/commits/" + head + "/check-runs?check_name=" + g.tag + "-runs"
		latest := g.need(200, "GET", path, nil)
		require.Len(t, latest.list("check_runs"), 1)
		assert.Equal(t, "success", latest.text("check_runs", 0, "external_id"))
		assert.Len(t, g.need(200, "GET", path+"&filter=all", nil).list("check_runs"), 2)
	})
}

// https://docs.github.com/graphql/guides/forming-calls-with-graphql#about-mutations
func TestAMutationWithAliasesFailsOneByOne(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		_, _, head := g.pull("alias")
		id := g.need(200, "GET", "", nil).text("node_id")
		a := g.graphql(`mutation($r: ID!, $h: GitObjectID!, $none: GitObjectID!, $n: String!) {
		  good: createCheckRun(input: {repositoryId: $r, headSha: $h, name: $n, status: IN_PROGRESS}) { checkRun { databaseId } }
		  bad: createCheckRun(input: {repositoryId: $r, headSha: $none, name: $n, status: IN_PROGRESS}) { checkRun { databaseId } } }`,
			map[string]any{"r": id, "h": head, "none": strings.Repeat("0", 40), "n": g.tag + "-alias"})
		require.Len(t, a.list("errors"), 1)
		assert.Equal(t, "bad", a.text("errors", 0, "path", 0))
		assert.NotZero(t, a.number("data", "good", "checkRun", "databaseId"))
	})
}

// https://docs.github.com/rest/pulls/pulls#merge-a-pull-request
func TestAMergeNamesItsExpectedHead(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		number, ref, head := g.pull("merge")
		g.commit(ref, head, "more.md", "more\n")
		assert.Equal(t, 409, g.rest("PUT", fmt.Sprintf("/pulls/%d/merge", number), map[string]any{"sha": head}).status)
	})
}

// https://docs.github.com/rest/pulls/pulls#create-a-pull-request
func TestOnePullRequestABranchAndBase(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		_, ref, _ := g.pull("twice")
		branch := g.need(200, "GET", "", nil).text("default_branch")
		again := g.rest("POST", "/pulls", map[string]any{"title": "again", "head": strings.TrimPrefix(ref, "heads/"), "base": branch})
		assert.Equal(t, 422, again.status)
		assert.Contains(t, string(again.raw), "A pull request already exists")
	})
}

// https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request
func TestNobodyApprovesTheirOwnPullRequest(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		number, _, _ := g.pull("own")
		own := g.rest("POST", fmt.Sprintf("/pulls/%d/reviews", number), map[string]any{"event": "APPROVE"})
		assert.Equal(t, 422, own.status)
	})
}

// https://docs.github.com/graphql/reference/objects#headrefforcepushedevent
func TestTheTimelineTellsOfForcePushes(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		number, ref, head := g.pull("force")
		now := g.commit(ref, g.main(), g.tag+"-force.md", "two\n")
		owner, name, _ := strings.Cut(g.repo, "/")
		a := g.graphql(`query($o: String!, $n: String!, $p: Int!) { repository(owner: $o, name: $n) { pullRequest(number: $p) {
		  headRefOid timelineItems(first: 10, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) { nodes { ... on HeadRefForcePushedEvent { beforeCommit { oid } afterCommit { oid } } } } } } }`,
			map[string]any{"o": owner, "n": name, "p": number})
		assert.Equal(t, now, a.text("data", "repository", "pullRequest", "headRefOid"))
		assert.Equal(t, head, a.text("data", "repository", "pullRequest", "timelineItems", "nodes", 0, "beforeCommit", "oid"))
		assert.Equal(t, now, a.text("data", "repository", "pullRequest", "timelineItems", "nodes", 0, "afterCommit", "oid"))
	})
}

// https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment
func TestAReactionTwiceIsOne(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		number, _, _ := g.pull("react")
		id := g.need(201, "POST", fmt.Sprintf("/issues/%d/comments", number), map[string]any{"body": "contract"}).number("id")
		path := fmt.Sprintf("/issues/comments/%d/reactions", id)
		g.need(201, "POST", path, map[string]any{"content": "eyes"})
		g.need(200, "POST", path, map[string]any{"content": "eyes"})
		assert.Len(t, g.need(200, "GET", path, nil).list(), 1)
	})
}

// https://docs.github.com/rest/commits/commits#compare-two-commits
func TestAComparisonNamesTheMergeBase(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		main := g.main()
		_, one := g.branch("left", main, "l.md", "l\n")
		_, two := g.branch("right", main, "r.md", "r\n")
		a := g.need(200, "GET", "/compare/"+one+"..."+two, nil)
		assert.Equal(t, main, a.text("merge_base_commit", "sha"))
		assert.Equal(t, "diverged", a.text("status"))
		assert.EqualValues(t, 1, a.number("ahead_by"))
		assert.Equal(t, "r.md", a.text("files", 0, "filename"))
	})
}

// https://docs.github.com/rest/git/trees#get-a-tree
func TestARecursiveTreeSaysWhetherItIsWhole(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		a := g.need(200, "GET", "/git/trees/"+g.main()+"?recursive=1", nil)
		assert.Equal(t, false, a.at("truncated"))
		assert.NotEmpty(t, a.text("tree", 0, "mode"))
	})
}

// https://docs.github.com/rest/git/blobs#get-a-blob
func TestABlobComesRawWhenAskedFor(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		sha := g.need(201, "POST", "/git/blobs", map[string]any{"content": "AAEC", "encoding": "base64"}).text("sha")
		raw := g.rest("GET", "/git/blobs/"+sha, nil, "Accept", "application/vnd.github.raw+json")
		assert.Equal(t, []byte{0, 1, 2}, raw.raw)
	})
}

// https://docs.github.com/rest/git/commits#create-a-commit
func TestABotsCommitWithoutNamesIsVerified(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		a := g.need(200, "GET", "/git/commits/"+g.dangling(g.main(), "v.md", "v\n"), nil)
		assert.Equal(t, true, a.at("verification", "verified"))
		assert.Equal(t, "noreply@github.com", a.text("committer", "email"))
	})
}

// https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#node-limit
func TestGraphQLPagesAreAtMostAHundred(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		owner, name, _ := strings.Cut(g.repo, "/")
		a := g.graphql(`query($o: String!, $n: String!) { repository(owner: $o, name: $n) { pullRequests(first: 101) { totalCount } } }`, map[string]any{"o": owner, "n": name})
		assert.Equal(t, "EXCESSIVE_PAGINATION", a.text("errors", 0, "type"))
	})
}

// https://docs.github.com/rest/pulls/reviews#dismiss-a-review-for-a-pull-request
func TestACommentCannotBeDismissed(t *testing.T) {
	each(t, func(t *testing.T, g *target) {
		number, _, _ := g.pull("dismiss")
		id := g.need(200, "POST", fmt.Sprintf("/pulls/%d/reviews", number), map[string]any{"event": "COMMENT", "body": "only words"}).number("id")
		a := g.rest("PUT", fmt.Sprintf("/pulls/%d/reviews/%d/dismissals", number, id), map[string]any{"message": "contract"})
		assert.Equal(t, 422, a.status)
	})
}
