package fakegithub_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

const wholePull = `query($owner: String!, $name: String!, $number: Int!, $app: Int!) {
  rateLimit { cost remaining limit resetAt used }
  repository(owner: $owner, name: $name) {
    databaseId id name owner { login __typename ... on User { databaseId } ... on Organization { databaseId } } isPrivate viewerPermission
    defaultBranchRef { name target { oid } }
    object(expression: "main:docs/a.md") { oid ... on Blob { text byteSize } }
    ref(qualifiedName: "refs/heads/main") { name target { oid ... on Commit { history(first: 5, path: "docs/a.md") { nodes { oid associatedPullRequests(first: 5) { nodes { number } } } } } } }
    pullRequest(number: $number) {
      id databaseId number title body state isDraft merged mergedAt mergeCommit { oid parents(first: 3) { nodes { oid } } } mergedBy { login }
      author { login __typename ... on User { databaseId } ... on Bot { databaseId } }
      headRefName headRefOid headRepository { databaseId owner { login } name } isCrossRepository baseRefName baseRefOid createdAt updatedAt url closedAt reviewDecision
      labels(first: 10) { nodes { name } } changedFiles files(first: 100) { nodes { path changeType } }
      commits(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { commit { ...whole } } }
      reviews(first: 100) { nodes { databaseId id author { login ... on User { databaseId } } authorAssociation state body submittedAt lastEditedAt includesCreatedEdit commit { oid } url } }
      comments(first: 100) { nodes { databaseId id author { login } body createdAt lastEditedAt editor { login } viewerDidAuthor isMinimized url reactions(first: 10) { nodes { content user { login } } } } }
      reviewRequests(first: 10) { nodes { requestedReviewer { __typename ... on User { login } ... on Team { slug combinedSlug } } } }
      timelineItems(first: 100, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT, REVIEW_REQUESTED_EVENT, REVIEW_DISMISSED_EVENT, PULL_REQUEST_COMMIT, MERGED_EVENT, BASE_REF_CHANGED_EVENT, CONVERT_TO_DRAFT_EVENT, READY_FOR_REVIEW_EVENT]) {
        nodes { __typename
          ... on HeadRefForcePushedEvent { createdAt actor { login } beforeCommit { oid } afterCommit { oid } }
          ... on ReviewRequestedEvent { createdAt actor { login } requestedReviewer { ... on User { login } ... on Team { slug } } }
          ... on ReviewDismissedEvent { createdAt review { databaseId } dismissalMessage }
          ... on PullRequestCommit { commit { oid } }
          ... on MergedEvent { createdAt actor { login } merged: commit { oid } }
          ... on BaseRefChangedEvent { createdAt previousRefName currentRefName }
          ... on ConvertToDraftEvent { createdAt } ... on ReadyForReviewEvent { createdAt } } }
    }
  }
}
fragment whole on Commit {
  oid tree { oid } parents(first: 10) { nodes { oid } } message committedDate committedViaWeb
  author { name email date user { databaseId login } } committer { name email user { login } } authors(first: 10) { nodes { name email user { databaseId login } } }
  signature { isValid wasSignedByGitHub signer { login } }
  checkSuites(first: 10, filterBy: {appId: $app}) { nodes { app { databaseId } checkRuns(first: 50, filterBy: {checkType: ALL}) {
    nodes { databaseId id name externalId status conclusion startedAt completedAt title summary text detailsUrl annotations(first: 1) { totalCount } } } } }
}`

func (w *world) whole(pr *PR) reply {
	w.t.Helper()
	r := w.graphql(wholePull, map[string]any{"owner": "acme", "name": "pilots", "number": pr.Number(), "app": w.app.ID()})
	require.Nil(w.t, r.at("errors"), string(r.raw))
	return r
}

func TestOneQueryReadsAPullRequestWhole(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	w.gh.CreateTeam(TeamSpec{Org: "acme", Slug: "ml", Members: []string{"cyd"}})
	pr := w.plan()
	first := pr.View().Head
	pr.RequestReview("ada", "ben", "acme/ml")
	run := w.must(201, "POST", repoPath+"/check-runs", map[string]any{"name": "gate", "head_sha": first, "status": "in_progress", "external_id": "e1"})
	pr.Review("ben", Approved, "fine")
	comment := pr.Comment("ben", "hello")
	w.repo.EditComment("cyd", comment, "hello!")
	w.repo.MustCommit("plan", "ben", CommitSpec{Files: map[string]File{"docs/plan.md": Text("# Plan\n\nseed: 8\n")}, CoAuthors: []string{"cyd"}})
	pr.SetDraft("ada", true)
	pr.SetDraft("ada", false)
	require.NoError(t, pr.Merge("cyd", MergeCommit, false))

	p := w.whole(pr)
	at := func(path ...any) any { return p.at(append([]any{"data", "repository", "pullRequest"}, path...)...) }
	assert.Equal(t, "MERGED", at("state"))
	assert.Equal(t, "cyd", at("mergedBy", "login"))
	assert.Equal(t, 2, p.len("data", "repository", "pullRequest", "mergeCommit", "parents", "nodes"))
	assert.Equal(t, "ada", at("author", "login"))
	assert.EqualValues(t, 2, at("commits", "totalCount"))
	assert.Equal(t, "ben", at("commits", "nodes", 1, "commit", "author", "user", "login"))
	assert.Equal(t, "cyd", at("commits", "nodes", 1, "commit", "authors", "nodes", 1, "user", "login"))
	assert.Nil(t, at("commits", "nodes", 0, "commit", "signature"), "people's commits here are unsigned")
	assert.Equal(t, run.at("id"), at("commits", "nodes", 0, "commit", "checkSuites", "nodes", 0, "checkRuns", "nodes", 0, "databaseId"))
	assert.Equal(t, "IN_PROGRESS", at("commits", "nodes", 0, "commit", "checkSuites", "nodes", 0, "checkRuns", "nodes", 0, "status"))
	assert.Equal(t, first, at("reviews", "nodes", 0, "commit", "oid"))
	assert.Equal(t, "cyd", at("comments", "nodes", 0, "editor", "login"))
	assert.Equal(t, "ml", at("reviewRequests", "nodes", 0, "requestedReviewer", "slug"), "ben's request ended with his review")
	assert.Equal(t, "ADDED", at("files", "nodes", 0, "changeType"))
	assert.Equal(t, "one\ntwo\nthree\n", p.at("data", "repository", "object", "text"))
	var kinds []any
	for i := range p.len("data", "repository", "pullRequest", "timelineItems", "nodes") {
		kinds = append(kinds, at("timelineItems", "nodes", i, "__typename"))
	}
	assert.Equal(t, []any{
		"PullRequestCommit", "ReviewRequestedEvent", "ReviewRequestedEvent", "PullRequestCommit", "ConvertToDraftEvent", "ReadyForReviewEvent", "MergedEvent",
	}, kinds)
}

func TestGraphQLRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	for name, c := range map[string]struct{ query, kind string }{
		"no such repository":  {`{ repository(owner: "acme", name: "none") { id } }`, "NOT_FOUND"},
		"no such number":      {`{ repository(owner: "acme", name: "pilots") { pullRequest(number: 99) { id } } }`, "NOT_FOUND"},
		"no page size":        {`{ repository(owner: "acme", name: "pilots") { pullRequests { totalCount } } }`, "MISSING_PAGINATION_BOUNDARIES"},
		"a page over 100":     {`{ repository(owner: "acme", name: "pilots") { pullRequests(first: 101) { totalCount } } }`, "EXCESSIVE_PAGINATION"},
		"a cursor of its own": {`{ repository(owner: "acme", name: "pilots") { pullRequests(first: 1, after: "x") { totalCount } } }`, "INVALID_CURSOR_ARGUMENTS"},
		"too many nodes": {
			`{ repository(owner: "acme", name: "pilots") { pullRequests(first: 100) { nodes { comments(first: 100) { nodes { reactions(first: 100) { totalCount } } } } } } }`,
			"MAX_NODE_LIMIT_EXCEEDED",
		},
	} {
		r := w.graphql(c.query, nil)
		assert.Equal(t, c.kind, r.at("errors", 0, "type"), "%s: %s", name, r.raw)
	}
	r := w.graphql(`{ repository(owner: "acme", name: "pilots") { stargazerCount } }`, nil)
	assert.Contains(t, r.at("errors", 0, "message"), "no resolver for Repository.stargazerCount", "a field that nobody made is loud")
	_ = pr
}

func TestMutationsFailOneByOne(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	head := pr.View().Head
	repo := w.must(200, "GET", repoPath, nil).at("node_id")
	r := w.graphql(`mutation($r: ID!, $h: GitObjectID!, $bad: GitObjectID!) {
	  a: createCheckRun(input: {repositoryId: $r, headSha: $h, name: "one", status: IN_PROGRESS, externalId: "x"}) { checkRun { databaseId } }
	  b: createCheckRun(input: {repositoryId: $r, headSha: $bad, name: "two", status: IN_PROGRESS}) { checkRun { databaseId } }
	  c: createCheckRun(input: {repositoryId: $r, headSha: $h, name: "three", status: COMPLETED, conclusion: SUCCESS, completedAt: "2026-03-02T09:00:00Z",
	     output: {title: "t", summary: "s", annotations: [{path: "docs/plan.md", location: {startLine: 1, endLine: 1}, annotationLevel: WARNING, message: "m"}]}}) { checkRun { databaseId conclusion } }
	}`, map[string]any{"r": repo, "h": head, "bad": "0123456789012345678901234567890123456789"})
	assert.Equal(t, 1, r.len("errors"), string(r.raw))
	assert.Equal(t, "b", r.at("errors", 0, "path", 0))
	assert.Nil(t, r.at("data", "b"))
	assert.Equal(t, "SUCCESS", r.at("data", "c", "checkRun", "conclusion"))
	require.Len(t, w.repo.CheckRuns(head), 2)
	assert.Equal(t, "docs/plan.md", w.repo.CheckRuns(head)[1].Annotations[0].Path)
}

func TestMutations(t *testing.T) {
	w := newWorld(t, Options{Tick: time.Second})
	pr := w.plan()
	repo := w.must(200, "GET", repoPath, nil).at("node_id")
	pull := w.must(200, "GET", fmt.Sprintf("%s/pulls/%d", repoPath, pr.Number()), nil).at("node_id")
	ben := w.must(200, "GET", "/users/ben", nil).at("node_id")
	main := w.repo.Head("main")
	pr.Review("ben", Approved, "")
	rv := w.must(200, "GET", fmt.Sprintf("%s/pulls/%d/reviews", repoPath, pr.Number()), nil).at(0, "node_id")

	good := func(r reply) reply {
		t.Helper()
		require.Nil(t, r.at("errors"), string(r.raw))
		return r
	}
	c := good(w.graphql(`mutation($s: ID!) { addComment(input: {subjectId: $s, body: "hi"}) { commentEdge { node { id databaseId } } subject { id } } }`, map[string]any{"s": pull}))
	id := c.at("data", "addComment", "commentEdge", "node", "id")
	good(w.graphql(`mutation($id: ID!) { updateIssueComment(input: {id: $id, body: "hi again"}) { issueComment { body } } addReaction(input: {subjectId: $id, content: EYES}) { reaction { content } } minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } } }`, map[string]any{"id": id}))
	view := pr.View()
	require.Len(t, view.Comments, 1)
	assert.Equal(t, "hi again", view.Comments[0].Body)
	assert.Equal(t, []string{"eyes by gatekeeper[bot]"}, view.Comments[0].Reactions)
	good(w.graphql(`mutation($id: ID!) { deleteIssueComment(input: {id: $id}) { clientMutationId } }`, map[string]any{"id": id}))
	assert.Empty(t, pr.View().Comments)

	good(w.graphql(`mutation($p: ID!, $u: ID!) { requestReviews(input: {pullRequestId: $p, userIds: [$u], union: true}) { pullRequest { number } } }`, map[string]any{"p": pull, "u": ben}))
	assert.Equal(t, []string{"ben"}, pr.View().RequestedUsers)
	good(w.graphql(`mutation($r: ID!) { dismissPullRequestReview(input: {pullRequestReviewId: $r, message: "stale"}) { pullRequestReview { state } } }`, map[string]any{"r": rv}))
	assert.Equal(t, "DISMISSED", pr.View().Reviews[0].State)

	good(w.graphql(`mutation($r: ID!, $o: GitObjectID!) { createRef(input: {repositoryId: $r, name: "refs/heads/bot", oid: $o}) { ref { name } } }`, map[string]any{"r": repo, "o": main}))
	commit := `mutation($o: GitObjectID!) { createCommitOnBranch(input: {branch: {repositoryNameWithOwner: "acme/pilots", branchName: "bot"}, expectedHeadOid: $o, message: {headline: "log: add a row"}, fileChanges: {additions: [{path: "log.md", contents: "cm93"}]}}) { commit { oid signature { wasSignedByGitHub } } } }`
	done := good(w.graphql(commit, map[string]any{"o": main}))
	assert.Equal(t, true, done.at("data", "createCommitOnBranch", "commit", "signature", "wasSignedByGitHub"))
	again := w.graphql(commit, map[string]any{"o": main})
	assert.Equal(t, "STALE_DATA", again.at("errors", 0, "type"), "another parent than expected")
	data, _ := w.repo.File("bot", "log.md")
	assert.Equal(t, "row", string(data))

	w.repo.Protect("main", &Protection{RequiredChecks: []string{"gate"}})
	opened := good(w.graphql(`mutation($r: ID!) { createPullRequest(input: {repositoryId: $r, baseRefName: "main", headRefName: "bot", title: "Rows"}) { pullRequest { id number } } }`, map[string]any{"r": repo}))
	good(w.graphql(`mutation($p: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $p, mergeMethod: SQUASH}) { pullRequest { autoMergeRequest { mergeMethod } } } }`, map[string]any{"p": opened.at("data", "createPullRequest", "pullRequest", "id")}))
	bot := w.repo.PR(int(opened.at("data", "createPullRequest", "pullRequest", "number").(float64)))
	assert.False(t, bot.View().Merged)
	w.must(201, "POST", repoPath+"/check-runs", map[string]any{"name": "gate", "head_sha": bot.View().Head, "status": "completed", "conclusion": "success"})
	assert.True(t, bot.View().Merged, "auto-merge waits for the required check and no longer")

	i := good(w.graphql(`mutation($r: ID!) { createIssue(input: {repositoryId: $r, title: "t", body: "b"}) { issue { id } } }`, map[string]any{"r": repo})).at("data", "createIssue", "issue", "id")
	good(w.graphql(`mutation($i: ID!) { updateIssue(input: {id: $i, body: "c"}) { issue { body } } closeIssue(input: {issueId: $i}) { issue { state } } }`, map[string]any{"i": i}))
	assert.Equal(t, "closed", w.repo.Issues()[0].State)
}

func TestMissingPermissionIsForbidden(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	w.app.SetPermission(w.inst, "pull_requests", "")
	w.token = w.app.Token(w.inst)
	assert.Equal(t, http.StatusForbidden, w.do("GET", fmt.Sprintf("%s/pulls/%d", repoPath, pr.Number()), nil).status)
	r := w.graphql(`{ repository(owner: "acme", name: "pilots") { pullRequest(number: 1) { id } } }`, nil)
	assert.Equal(t, "FORBIDDEN", r.at("errors", 0, "type"))
}
