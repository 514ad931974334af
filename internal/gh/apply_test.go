package gh_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// inputs are the inputs of a mutation of several fields, by alias.
func (s *script) inputs(t *testing.T, n int) []object {
	t.Helper()
	v := s.variables(t, n)
	var out []object
	for i := range len(v) {
		out = append(out, v[fmt.Sprintf("c%d", i)].(map[string]any))
	}
	return out
}

// accept answers a mutation of several fields; refuse names aliases that fail.
func (s *script) accept(t *testing.T, refuse map[string]string) func(string, string, string) reply {
	return func(string, string, string) reply {
		data, errs := object{}, []any{}
		for alias := range s.variables(t, len(s.bodies)-1) {
			if kind, bad := refuse[alias]; bad {
				data[alias] = nil
				errs = append(errs, object{"type": kind, "message": "no " + alias, "path": []any{alias}})
				continue
			}
			data[alias] = object{"checkRun": object{"id": "CR_" + alias}}
		}
		out := object{"data": data}
		if len(errs) > 0 {
			out["errors"] = errs
		}
		raw, err := json.Marshal(out)
		require.NoError(t, err)
		return reply{status: 200, body: string(raw)}
	}
}

func TestChangesAreOneMutation(t *testing.T) {
	s := &script{}
	s.answer = s.accept(t, nil)
	effects := []effect.Effect{
		effect.Run{Name: "pilot/plan", Head: sha(2), ExternalID: "e1", Status: "completed", Conclusion: "failure", Title: "t", Summary: "s", Annotations: []effect.Annotation{
			{Path: "plan.md", Line: 3, Column: 2, EndColumn: 9, Level: "failure", Title: "PL001", Message: "m"},
			{Path: "plan.md", Line: 3, EndLine: 5, Column: 2, EndColumn: 9, Level: "warning", Message: "m"},
			{Path: "plan.md", Level: "notice", Message: "of the file"},
		}, Actions: []effect.Action{{Label: "Mend", Description: "d", Identifier: "mend"}}},
		effect.Comment{Number: 7, On: "PR_7", Body: "b"},
		effect.Run{ID: 5, NodeID: "CR_5", Name: "pilot/approvals", Head: sha(2), Status: "in_progress", Title: "t", Summary: "s"},
	}
	require.NoError(t, s.client(t).Apply(ctx, pull, repository, effects, noGuard))
	assert.Equal(t, []string{"POST /api/graphql"}, s.log)
	in := s.inputs(t, 0)
	require.Len(t, in, 3)
	assert.Equal(t, object{"subjectId": "PR_7", "body": "b"}, in[1])
	assert.Equal(t, []any{"R_10", sha(2), "COMPLETED", "FAILURE"}, []any{in[0]["repositoryId"], in[0]["headSha"], in[0]["status"], in[0]["conclusion"]})
	assert.Equal(t, []any{"CR_5", nil, "IN_PROGRESS", nil}, []any{in[2]["checkRunId"], in[2]["headSha"], in[2]["status"], in[2]["conclusion"]})
	annotations := in[0]["output"].(map[string]any)["annotations"].([]any)
	var places []any
	for _, a := range annotations {
		places = append(places, a.(map[string]any)["location"])
	}
	assert.Equal(t, []any{
		map[string]any{"startLine": 3.0, "endLine": 3.0, "startColumn": 2.0, "endColumn": 9.0},
		map[string]any{"startLine": 3.0, "endLine": 5.0},
		map[string]any{"startLine": 1.0, "endLine": 1.0},
	}, places)
}

func TestAnnotationsGoOutByFifty(t *testing.T) {
	for n, requests := range map[int]int{0: 1, 50: 1, 51: 2, 100: 2, 101: 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := &script{}
			s.answer = s.accept(t, nil)
			run := effect.Run{Name: "pilot/dataset", Head: sha(2), Status: "completed", Conclusion: "failure", Title: "t", Summary: "s"}
			for i := range n {
				run.Annotations = append(run.Annotations, effect.Annotation{Path: "d", Line: i + 1, Level: "failure", Message: "m"})
			}
			other := effect.Run{Name: "pilot/plan", Head: sha(2), Status: "completed", Conclusion: "success", Title: "t", Summary: "s"}
			require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{run, other}, noGuard))
			require.Equal(t, requests, s.sent())
			line := 0
			for i := range s.sent() {
				in := s.inputs(t, i)[0]
				if i > 0 {
					assert.Equal(t, "CR_c0", in["checkRunId"], "further ones are appended to the run that was made")
				}
				list, _ := in["output"].(map[string]any)["annotations"].([]any)
				assert.LessOrEqual(t, len(list), 50)
				for _, a := range list {
					line++
					assert.EqualValues(t, line, a.(map[string]any)["location"].(map[string]any)["startLine"])
				}
			}
			assert.Equal(t, n, line)
		})
	}
}

func TestOneChangeFailsAlone(t *testing.T) {
	effects := []effect.Effect{
		effect.Run{Name: "pilot/plan", Head: sha(2), Status: "completed", Conclusion: "success"},
		effect.Run{NodeID: "CR_1", Name: "pilot/config", Status: "completed", Conclusion: "success"},
		effect.Comment{Number: 7, On: "PR_7", Body: "b"},
		effect.Ask{Number: 7, Logins: []string{"lead"}},
	}
	for name, c := range map[string]struct {
		kind  string
		class queue.Class
		sent  int
	}{
		"gone meanwhile": {"NOT_FOUND", queue.ClassTransient, 1},
		"a limit":        {"RATE_LIMITED", queue.ClassTransient, 1},
		"not allowed":    {"FORBIDDEN", queue.ClassOurs, 2},
		"not valid":      {"UNPROCESSABLE", queue.ClassOurs, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			s.answer = func(m, path, b string) reply {
				if strings.HasSuffix(path, "/requested_reviewers") {
					return reply{status: 201, body: `{"id": 1}`}
				}
				return s.accept(t, map[string]string{"c1": c.kind})(m, path, b)
			}
			err := s.client(t).Apply(ctx, pull, repository, effects, noGuard)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "pilot/plan:")
			class, _ := queue.Classify(err)
			assert.Equal(t, c.class, class, err)
			assert.Equal(t, c.sent, s.sent(), "what GitHub refuses keeps nothing else back")
		})
	}
}

func TestCommitExpectsItsParent(t *testing.T) {
	commit := effect.Commit{Branch: "main", Parent: sha(1), Message: "sign off x\n\nBody.", Files: []effect.File{
		{Path: "docs/log.md", Bytes: []byte("row\n")}, {Path: "old.md", Delete: true},
	}}
	done := `{"data": {"commit": {"commit": {"oid": "` + sha(9) + `"}}}}`
	t.Run("one request", func(t *testing.T) {
		s := &script{answer: ok(done)}
		require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{commit}, noGuard))
		in := s.variables(t, 0)["commit"].(map[string]any)
		assert.Equal(t, sha(1), in["expectedHeadOid"])
		assert.Equal(t, map[string]any{"headline": "sign off x", "body": "Body."}, in["message"])
		assert.Equal(t, map[string]any{
			"additions": []any{map[string]any{"path": "docs/log.md", "contents": "cm93Cg=="}},
			"deletions": []any{map[string]any{"path": "old.md"}},
		}, in["fileChanges"])
	})
	for name, body := range map[string]string{
		"typed":     `{"data": {"commit": null}, "errors": [{"type": "STALE_DATA", "path": ["commit"], "message": "Expected branch to point to \"a\" but it did not. Pull and try again."}]}`,
		"untyped":   `{"data": {"commit": null}, "errors": [{"path": ["commit"], "message": "Expected branch to point to \"a\" but it did not. Pull and try again."}]}`,
		"no data":   `{"data": null, "errors": [{"type": "STALE_DATA", "message": "Expected branch to point to \"a\" but it did not."}]}`,
		"no branch": `{"data": {"commit": null}, "errors": [{"type": "NOT_FOUND", "path": ["commit"], "message": "No ref"}]}`,
		"no old.md": `{"data": {"commit": null}, "errors": [{"path": ["commit"], "message": "A path was requested for deletion which does not exist in tree"}]}`,
	} {
		t.Run("conflict, "+name, func(t *testing.T) {
			s := &script{answer: ok(body)}
			err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{commit, effect.Comment{Number: 7}}, noGuard)
			var conflict *gh.Conflict
			require.ErrorAs(t, err, &conflict)
			class, _ := queue.Classify(err)
			assert.Equal(t, queue.ClassTransient, class)
			assert.Equal(t, 1, s.sent())
		})
	}
	t.Run("a protected branch refuses", func(t *testing.T) {
		s := &script{answer: ok(`{"data": {"commit": null}, "errors": [{"type": "UNPROCESSABLE", "path": ["commit"], "message": "Changes must be made through a pull request."}]}`)}
		err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{commit}, noGuard)
		var refused *gh.Refused
		require.ErrorAs(t, err, &refused)
	})
	t.Run("a branch of ours is made first, or found as it should be", func(t *testing.T) {
		for name, c := range map[string]struct {
			exists string // where the branch stands already
			ok     bool
		}{"made": {"", true}, "left by an earlier try": {sha(1), true}, "elsewhere": {sha(3), false}} {
			t.Run(name, func(t *testing.T) {
				answer := done
				switch c.exists {
				case "":
				case sha(1):
					answer = `{"data": {"ref": null, "commit": {"commit": {"oid": "` + sha(9) + `"}}}, "errors": [{"path": ["ref"], "message": "A ref named refs/heads/pilotgate/x already exists in the repository."}]}`
				default:
					answer = `{"data": {"ref": null, "commit": null}, "errors": [
						{"path": ["ref"], "message": "A ref named refs/heads/pilotgate/x already exists in the repository."},
						{"type": "STALE_DATA", "path": ["commit"], "message": "Expected branch to point to \"a\" but it did not."}]}`
				}
				s := &script{answer: ok(answer)}
				create := commit
				create.Branch, create.Create = "pilotgate/x", true
				err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{create}, noGuard)
				var conflict *gh.Conflict
				assert.Equal(t, !c.ok, err != nil, err)
				assert.Equal(t, !c.ok, errors.As(err, &conflict))
				assert.Equal(t, object{"repositoryId": "R_10", "name": "refs/heads/pilotgate/x", "oid": sha(1)}, s.variables(t, 0)["ref"])
			})
		}
	})
}

func TestPullRequests(t *testing.T) {
	open := effect.Pull{Branch: "pilotgate/x", Base: "main", Title: "t", Body: "b", AutoMerge: true}
	opened := func(allowed string) func(string, string, string) reply {
		return func(_, _, body string) reply {
			if strings.Contains(body, "mutation Propose") {
				return reply{status: 200, body: `{"data": {"commit": {"commit": {"oid": "` + sha(9) + `"}}, "pull": {"pullRequest": {"id": "PR_8", "repository": ` + allowed + `}}}}`}
			}
			return reply{status: 200, body: `{"data": {"enablePullRequestAutoMerge": {"pullRequest": {"id": "PR_8"}}}}`}
		}
	}
	t.Run("auto-merge by a method that the repository has", func(t *testing.T) {
		for method, allowed := range map[string]string{
			"MERGE":  `{"mergeCommitAllowed": true, "squashMergeAllowed": true}`,
			"SQUASH": `{"squashMergeAllowed": true}`,
			"REBASE": `{}`,
		} {
			s := &script{answer: opened(allowed)}
			require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{open}, noGuard))
			assert.Equal(t, object{"pull": "PR_8", "method": method}, s.variables(t, 1))
		}
	})
	t.Run("a branch, its commit and its request are one write", func(t *testing.T) {
		plain := open
		plain.AutoMerge = false
		commit := effect.Commit{Branch: plain.Branch, Create: true, Parent: sha(1), Message: "m", Files: []effect.File{{Path: "a", Bytes: []byte("a")}}}
		s := &script{answer: opened(`{}`)}
		require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{commit, plain}, noGuard))
		require.Equal(t, 1, s.sent())
		in := s.variables(t, 0)
		assert.ElementsMatch(t, []string{"ref", "commit", "pull"}, slices.Collect(maps.Keys(in)))
		assert.Equal(t, object{"repositoryId": "R_10", "headRefName": "pilotgate/x", "baseRefName": "main", "title": "t", "body": "b"}, in["pull"])
	})
	t.Run("a request of another branch is another write", func(t *testing.T) {
		s := &script{answer: opened(`{"mergeCommitAllowed": true}`)}
		commit := effect.Commit{Branch: "main", Parent: sha(1), Message: "m"}
		require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{commit, open}, noGuard))
		assert.Equal(t, 3, s.sent())
	})
	t.Run("one that is there already is a conflict", func(t *testing.T) {
		s := &script{answer: ok(`{"data": {"pull": null}, "errors": [{"type": "UNPROCESSABLE", "path": ["pull"], "message": "A pull request already exists for acme:pilotgate/x."}]}`)}
		err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{open}, noGuard)
		var conflict *gh.Conflict
		assert.ErrorAs(t, err, &conflict)
	})
	t.Run("auto-merge refused", func(t *testing.T) {
		s := &script{answer: func(m, path, body string) reply {
			if strings.Contains(body, "mutation Propose") {
				return opened(`{}`)(m, path, body)
			}
			return reply{status: 200, body: `{"data": {"enablePullRequestAutoMerge": null}, "errors": [{"type": "UNPROCESSABLE", "message": "Auto merge is not allowed for this repository", "path": ["enablePullRequestAutoMerge"]}]}`}
		}}
		err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{open}, noGuard)
		var refused *gh.Refused
		assert.ErrorAs(t, err, &refused)
	})
}

func TestIssueBearsItsMarkerOnce(t *testing.T) {
	for name, c := range map[string]struct{ body, marker, want string }{
		"appended": {"text", "pilotgate:incident x", "text\n\n<!-- pilotgate:incident x -->\n"},
		"there":    {"<!-- pilotgate:incident x -->\ntext", "pilotgate:incident x", "<!-- pilotgate:incident x -->\ntext"},
		"whole":    {"text", "<!-- pilotgate:incident x -->", "text\n\n<!-- pilotgate:incident x -->\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(string, string, string) reply { return reply{status: 201, body: `{}`} }}
			require.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{effect.Issue{Title: "t", Body: c.body, Marker: c.marker}}, noGuard))
			var sent struct{ Body string }
			require.NoError(t, json.Unmarshal([]byte(s.bodies[0]), &sent))
			assert.Equal(t, c.want, sent.Body)
		})
	}
}

func TestDeletingWhatIsGoneIsDone(t *testing.T) {
	s := &script{}
	s.answer = s.accept(t, map[string]string{"c0": "NOT_FOUND"})
	assert.NoError(t, s.client(t).Apply(ctx, pull, repository, []effect.Effect{effect.DeleteComment{ID: 4, NodeID: "IC_4"}}, noGuard))
	err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{effect.Comment{ID: 4, NodeID: "IC_4", Number: 7, Body: "b"}}, noGuard)
	var conflict *gh.Conflict
	assert.ErrorAs(t, err, &conflict)
}
