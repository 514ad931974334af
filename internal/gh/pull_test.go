package gh_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
)

type object = map[string]any

func sha(n int) string { return fmt.Sprintf("%040x", n) }

func nodes(list ...any) object {
	return object{"pageInfo": object{"hasNextPage": false}, "nodes": append([]any{}, list...)}
}

func more(cursor string, list ...any) object {
	return object{"pageInfo": object{"hasNextPage": true, "endCursor": cursor}, "nodes": list}
}

func run(id, name string, minute int, extra ...object) object {
	o := object{
		"id": id, "databaseId": 9_000_000_000 + minute, "name": name, "externalId": "x" + id, "status": "COMPLETED", "conclusion": "SUCCESS",
		"startedAt": time.Date(2026, 1, 1, 10, minute, 0, 0, time.UTC).Format(time.RFC3339), "completedAt": "2026-01-01T11:00:00Z",
	}
	for _, e := range extra {
		for k, v := range e {
			o[k] = v
		}
	}
	return o
}

func at(oid string, runs ...any) object {
	return object{"oid": oid, "checkSuites": nodes(object{"id": "S" + oid, "checkRuns": nodes(runs...)})}
}

func gitCommit(n int, extra object) object {
	c := at(sha(n))
	c["parents"] = nodes(object{"oid": sha(n - 1)})
	c["messageHeadline"] = "a commit"
	c["committedDate"] = "2026-01-01T09:00:00Z"
	person := object{"name": "Anna", "email": "anna@example.org", "user": object{"databaseId": 4, "login": "anna"}}
	c["authors"], c["committer"] = nodes(person), person
	for k, v := range extra {
		c[k] = v
	}
	return object{"commit": c}
}

func wirePull(change ...func(object)) object {
	tip := at(sha(2), run("R1", "pilot/plan", 5, object{"title": "t", "summary": "s", "text": "x", "annotations": object{"totalCount": 3}}))
	tip["associatedPullRequests"] = nodes(
		object{"number": 7, "state": "OPEN", "headRefOid": sha(2), "baseRefName": "main", "repository": object{"databaseId": 10}},
		object{"number": 9, "state": "OPEN", "headRefOid": sha(2), "baseRefName": "release", "repository": object{"databaseId": 10}},
		object{"number": 8, "state": "OPEN", "headRefOid": sha(3), "baseRefName": "main", "repository": object{"databaseId": 10}},
		object{"number": 6, "state": "CLOSED", "headRefOid": sha(2), "baseRefName": "main", "repository": object{"databaseId": 10}},
		object{"number": 5, "state": "OPEN", "headRefOid": sha(2), "baseRefName": "main", "repository": object{"databaseId": 11}},
	)
	p := object{
		"id": "PR_7", "number": 7, "title": "A pilot", "state": "OPEN", "createdAt": "2026-01-01T08:00:00Z",
		"author": object{"__typename": "User", "login": "anna", "databaseId": 4}, "headRefName": "topic", "headRefOid": sha(2),
		"headRepository": object{"databaseId": 10, "nameWithOwner": "acme/pilots"}, "baseRefName": "main", "baseRefOid": sha(100),
		"baseRef": object{"target": object{"oid": sha(101)}},
		"tip":     object{"nodes": []any{object{"commit": tip}}},
		"commits": nodes(gitCommit(2, nil)), "reviews": nodes(), "comments": nodes(), "reviewRequests": nodes(), "timelineItems": nodes(),
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func answer(pull any) string {
	raw, err := json.Marshal(object{"data": object{"repository": object{
		"id": "R_10", "databaseId": 10, "name": "pilots", "isInOrganization": true, "owner": object{"login": "acme"},
		"defaultBranchRef": object{"name": "main", "target": object{"oid": sha(101)}}, "pullRequest": pull,
	}}})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// variables of the n-th request sent.
func (s *script) variables(t *testing.T, n int) object {
	t.Helper()
	var body struct{ Variables object }
	require.NoError(t, json.Unmarshal([]byte(s.bodies[n]), &body))
	return body.Variables
}

func TestLookAtPullRequestIsOneQuery(t *testing.T) {
	earlier := at(sha(50), run("R0", "pilot/plan", 1))
	s := &script{answer: ok(answer(wirePull(func(p object) {
		p["commits"] = nodes(
			gitCommit(1, object{"signature": object{"isValid": true, "wasSignedByGitHub": true}, "committer": object{"name": "GitHub", "email": "noreply@github.com"}}),
			gitCommit(2, object{"authors": nodes(
				object{"name": "Bot", "email": "41+mender[bot]@users.noreply.github.com"},
				object{"name": "Boris", "email": "b@example.org", "user": object{"databaseId": 5, "login": "boris"}},
			)}),
		)
		p["reviews"] = nodes(
			object{"id": "V1", "fullDatabaseId": "3000000001", "author": nil, "state": "APPROVED", "submittedAt": "2026-01-01T12:00:00Z", "commit": at(sha(2), run("R1", "pilot/plan", 5))},
			object{"id": "V2", "fullDatabaseId": "3000000002", "author": object{"__typename": "User", "login": "lead", "databaseId": 6}, "state": "PENDING", "commit": nil},
		)
		p["comments"] = nodes(object{
			"id": "C1", "fullDatabaseId": "3000000009", "author": object{"__typename": "Bot", "login": "pilotgate", "databaseId": 70}, "body": "b",
			"createdAt": "2026-01-01T12:00:00Z", "lastEditedAt": "2026-01-01T12:01:00Z", "viewerDidAuthor": true, "reactionGroups": []any{object{"viewerHasReacted": false}, object{"viewerHasReacted": true}},
		})
		p["reviewRequests"] = nodes(
			object{"requestedReviewer": object{"__typename": "Team", "slug": "ml-ops", "organization": object{"login": "acme"}}},
			object{"requestedReviewer": object{"__typename": "User", "login": "lead"}}, object{"requestedReviewer": nil},
		)
		p["timelineItems"] = nodes(
			object{"__typename": "HeadRefForcePushedEvent", "createdAt": "2026-01-01T09:30:00Z", "actor": object{"__typename": "User", "login": "anna", "databaseId": 4}, "beforeCommit": earlier, "afterCommit": nil},
			object{"__typename": "ConvertToDraftEvent", "createdAt": "2026-01-01T09:40:00Z", "actor": nil},
		)
	})))}
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	p, err := s.client(t, func(c *gh.Config) { c.Now = func() time.Time { return now } }).LookPullRequest(ctx, pull)
	require.NoError(t, err)
	assert.Equal(t, []string{"POST /api/graphql"}, s.log)
	assert.Equal(t, now, p.Now)
	assert.Equal(t, facts.App{ID: 77, Login: "pilotgate[bot]"}, p.App)
	assert.Equal(t, facts.Base{Ref: "main", OID: sha(101)}, p.Base, "the base branch as it is now")
	assert.Empty(t, p.Cut)
	assert.Equal(t, []facts.Twin{{Number: 9, Base: "release"}}, p.Twins)

	require.Len(t, p.Runs, 2)
	assert.Equal(t, [2]string{"R0", sha(50)}, [2]string{p.Runs[0].NodeID, p.Runs[0].Head}, "of a head that was pushed away")
	assert.Equal(t, [4]string{"R1", "t", "s", "x"}, [4]string{p.Runs[1].NodeID, p.Runs[1].Title, p.Runs[1].Summary, p.Runs[1].Text})
	assert.Equal(t, 3, p.Runs[1].Annotations)
	assert.Equal(t, int64(9_000_000_005), p.Runs[1].ID)
	assert.Equal(t, [2]string{"completed", "success"}, [2]string{p.Runs[1].Status, p.Runs[1].Conclusion})

	require.Len(t, p.Commits, 2)
	assert.True(t, p.Commits[0].SignedByGitHub)
	assert.Equal(t, "web-flow", p.Commits[0].Committer.Account.Login)
	assert.Nil(t, p.Commits[1].Author.Account, "anybody can write a bot's address")
	assert.Equal(t, []facts.Person{{Name: "Boris", Email: "b@example.org", Account: &facts.Account{ID: 5, Login: "boris", Type: "User"}}}, p.Commits[1].CoAuthors)

	require.Len(t, p.Reviews, 2)
	assert.Equal(t, "V2", p.Reviews[0].NodeID)
	assert.Equal(t, facts.Account{Login: "ghost"}, p.Reviews[1].Author)
	assert.Equal(t, int64(3000000001), p.Reviews[1].ID)
	require.Len(t, p.Comments, 1)
	assert.Equal(t, facts.Account{ID: 70, Login: "pilotgate[bot]", Type: "Bot"}, p.Comments[0].Author)
	assert.True(t, p.Comments[0].Ours && p.Comments[0].Edited && p.Comments[0].Acknowledged)
	assert.Equal(t, []facts.Asked{{Team: "acme/ml-ops"}, {Login: "lead"}}, p.Requested)
	require.Len(t, p.Timeline, 2)
	assert.Equal(t, [3]string{"force_pushed", sha(50), ""}, [3]string{p.Timeline[0].Kind, p.Timeline[0].Before, p.Timeline[0].After})
	assert.Equal(t, "draft", p.Timeline[1].Kind)
}

func TestLongListingsArePaged(t *testing.T) {
	s := &script{}
	s.answer = func(string, string, string) reply {
		v := s.variables(t, len(s.bodies)-1)
		return reply{status: 200, body: answer(wirePull(func(p object) {
			switch {
			case v["suite"] != nil:
			case v["commitsAfter"] == nil:
				p["commits"] = more("c1", gitCommit(1, nil))
				p["comments"] = more("m1", object{"id": "C1", "body": "first", "createdAt": "2026-01-01T12:00:00Z"})
			case v["commitsAfter"] == "c1":
				assert.Equal(t, false, v["reviews"], "what was whole is not asked again")
				assert.Equal(t, "m1", v["commentsAfter"])
				p["commits"] = more("c2", gitCommit(3, nil))
				p["comments"] = nodes(object{"id": "C2", "body": "second", "createdAt": "2026-01-01T12:00:00Z"})
			default:
				assert.Equal(t, false, v["comments"])
				p["commits"] = nodes(gitCommit(2, nil))
			}
		}))}
	}
	p, err := s.client(t).LookPullRequest(ctx, pull)
	require.NoError(t, err)
	assert.Len(t, p.Commits, 3)
	assert.Len(t, p.Comments, 2)
	assert.Empty(t, p.Cut)
	assert.Equal(t, 3, s.sent())
}

func TestListingBeyondTheCapIsCut(t *testing.T) {
	s := &script{}
	s.answer = func(string, string, string) reply {
		return reply{status: 200, body: answer(wirePull(func(p object) {
			var page []any
			for i := range 100 {
				page = append(page, gitCommit(1000+100*len(s.bodies)+i, nil))
			}
			p["commits"] = more(fmt.Sprint("c", len(s.bodies)), page...)
		}))}
	}
	p, err := s.client(t).LookPullRequest(ctx, pull)
	require.NoError(t, err)
	assert.Len(t, p.Commits, 2000)
	assert.Equal(t, []string{"commits"}, p.Cut)
}

func TestWhatIsNotWholeIsCut(t *testing.T) {
	half := object{"pageInfo": object{"hasNextPage": true}, "nodes": []any{}}
	for name, c := range map[string]struct {
		change func(object)
		cut    string
	}{
		"a second suite": {func(p object) {
			p["reviews"] = nodes(object{"id": "V", "commit": object{"oid": sha(4), "checkSuites": half}})
		}, "runs"},
		"parents of a commit": {func(p object) { p["commits"] = nodes(gitCommit(2, object{"parents": half})) }, "commits"},
		"authors of a commit": {func(p object) { p["commits"] = nodes(gitCommit(2, object{"authors": half})) }, "commits"},
		"twins": {func(p object) {
			p["tip"].(object)["nodes"].([]any)[0].(object)["commit"].(object)["associatedPullRequests"] = half
		}, "twins"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: ok(answer(wirePull(c.change)))}
			p, err := s.client(t).LookPullRequest(ctx, pull)
			require.NoError(t, err)
			assert.Equal(t, []string{c.cut}, p.Cut)
		})
	}
}

func TestManyRunsOfOneSuite(t *testing.T) {
	s := &script{}
	s.answer = func(string, string, string) reply {
		if s.variables(t, len(s.bodies)-1)["suite"] == "S4" {
			raw, err := json.Marshal(object{"data": object{"node": object{"checkRuns": nodes(run("R101", "pilot/plan", 7))}}})
			require.NoError(t, err)
			return reply{status: 200, body: string(raw)}
		}
		return reply{status: 200, body: answer(wirePull(func(p object) {
			p["reviews"] = nodes(object{"id": "V", "commit": object{"oid": sha(4), "checkSuites": nodes(object{"id": "S4", "checkRuns": more("r1", run("R100", "pilot/plan", 6))})}})
		}))}
	}
	p, err := s.client(t).LookPullRequest(ctx, pull)
	require.NoError(t, err)
	var ids []string
	for _, r := range p.Runs {
		ids = append(ids, r.NodeID)
	}
	assert.Equal(t, []string{"R1", "R100", "R101"}, ids)
}

func TestLookThatDoesNotHold(t *testing.T) {
	t.Run("the head moves between two pages", func(t *testing.T) {
		s := &script{}
		s.answer = func(string, string, string) reply {
			return reply{status: 200, body: answer(wirePull(func(p object) {
				if len(s.bodies) == 1 {
					p["comments"] = more("m1")
				} else {
					p["headRefOid"] = sha(3)
				}
			}))}
		}
		_, err := s.client(t).LookPullRequest(ctx, pull)
		var moved *gh.Moved
		require.ErrorAs(t, err, &moved)
		class, _ := queue.Classify(err)
		assert.Equal(t, queue.ClassTransient, class)
	})
	t.Run("a listing that does not advance", func(t *testing.T) {
		s := &script{answer: ok(answer(wirePull(func(p object) { p["comments"] = more("m1") })))}
		_, err := s.client(t).LookPullRequest(ctx, pull)
		class, _ := queue.Classify(err)
		assert.Equal(t, queue.ClassTransient, class)
		assert.Equal(t, 2, s.sent())
	})
	for name, c := range map[string]struct {
		body  string
		class queue.Class
	}{
		"no such pull request": {`{"data": {"repository": {"databaseId": 10, "pullRequest": null}}, "errors": [{"type": "NOT_FOUND", "path": ["repository", "pullRequest"], "message": "Could not resolve"}]}`, queue.ClassGone},
		"rate limit":           {`{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}`, queue.ClassTransient},
		"GitHub's own timeout": {`{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}`, queue.ClassTransient},
		"half an answer":       {strings.Replace(answer(wirePull()), `{"data"`, `{"errors": [{"message": "Something went wrong", "path": ["repository", "pullRequest", "reviews"]}], "data"`, 1), queue.ClassTransient},
		"a forbidden field":    {strings.Replace(answer(wirePull()), `{"data"`, `{"errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration", "path": ["repository", "pullRequest", "commits"]}], "data"`, 1), queue.ClassOurs},
		"truncated":            {answer(wirePull())[:500], queue.ClassTransient},
		"empty":                {`{}`, queue.ClassTransient},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(_, path, _ string) reply {
				if strings.HasSuffix(path, "/installation/repositories") {
					return reply{status: 200, body: `{"repositories": [{"id": 10, "name": "pilots", "owner": {"login": "acme"}}]}`}
				}
				return reply{status: 200, body: c.body}
			}}
			_, err := s.client(t).LookPullRequest(ctx, pull)
			require.Error(t, err)
			class, _ := queue.Classify(err)
			assert.Equal(t, c.class, class, err)
		})
	}
	t.Run("a team that we may not see", func(t *testing.T) {
		body := strings.Replace(answer(wirePull()), `{"data"`, `{"errors": [{"type": "FORBIDDEN", "message": "no", "path": ["repository", "pullRequest", "reviewRequests", "nodes", 0, "requestedReviewer"]}], "data"`, 1)
		_, err := (&script{answer: ok(body)}).client(t).LookPullRequest(ctx, pull)
		assert.NoError(t, err)
	})
	t.Run("no number", func(t *testing.T) {
		for _, id := range []string{"", "0", "-1", "x", "99999999999999999999"} {
			s := pull
			s.ID = id
			_, err := (&script{}).client(t).LookPullRequest(ctx, s)
			class, _ := queue.Classify(err)
			assert.Equal(t, queue.ClassGone, class, id)
		}
	})
}
