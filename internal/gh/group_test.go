package gh_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// queueScript is a merge queue of two requests: 101 (base) ← 201 ← 202 (head).
func queueScript(t *testing.T, entries []any, associated map[string]string) *script {
	s := &script{}
	s.answer = func(_, path, _ string) reply {
		switch {
		case strings.Contains(path, "/compare/"):
			commit := func(n, parent int) object {
				return object{"sha": sha(n), "parents": []any{object{"sha": sha(parent)}, object{"sha": sha(7)}}}
			}
			raw, err := json.Marshal(object{"merge_base_commit": object{"sha": sha(101)}, "commits": []any{commit(201, 101), commit(202, 201)}})
			require.NoError(t, err)
			return reply{status: 200, body: string(raw)}
		case strings.HasSuffix(path, "/pulls"):
			for oid, body := range associated {
				if strings.Contains(path, oid) {
					return reply{status: 200, body: body}
				}
			}
			return reply{status: 200, body: `[]`}
		}
		v := s.variables(t, len(s.bodies)-1)
		if n, is := v["number"].(float64); is {
			return reply{status: 200, body: answer(wirePull(func(p object) { p["number"] = n }))}
		}
		tip := at(sha(202), run("G1", "pilot/approvals", 3, object{"title": "t"}))
		tip["associatedPullRequests"] = nodes()
		raw, err := json.Marshal(object{"data": object{"repository": object{
			"id": "R_10", "databaseId": 10, "name": "pilots", "owner": object{"login": "acme"}, "object": tip,
			"ref": object{"target": object{"oid": sha(101)}}, "mergeQueue": object{"entries": object{"nodes": entries}},
		}}})
		require.NoError(t, err)
		return reply{status: 200, body: string(raw)}
	}
	return s
}

func TestMergeGroupNamesItsRequests(t *testing.T) {
	group := facts.Subject{Installation: 5, Repository: 10, Kind: facts.KindMergeGroup, ID: sha(202) + "/main"}
	entry := func(head, number int) object {
		return object{"headCommit": object{"oid": sha(head)}, "pullRequest": object{"number": number}}
	}
	open := func(n int) string { return fmt.Sprintf(`{"number": %d, "state": "open", "base": {"ref": "main"}}`, n) }
	for name, c := range map[string]struct {
		entries    []any
		associated map[string]string
		pulls      []int
		unresolved []string
	}{
		"by the queue":                       {[]any{entry(202, 8), entry(201, 7)}, nil, []int{7, 8}, nil},
		"by association":                     {[]any{entry(202, 8)}, map[string]string{sha(201): `[` + open(7) + `, {"number": 3, "state": "closed", "base": {"ref": "main"}}, {"number": 4, "state": "open", "base": {"ref": "release"}}]`}, []int{7, 8}, nil},
		"an ambiguous one is not resolved":   {[]any{entry(202, 8)}, map[string]string{sha(201): `[` + open(7) + `, ` + open(3) + `]`}, []int{8}, []string{sha(201)}},
		"one that nobody knows is said, too": {nil, nil, nil, []string{sha(202), sha(201)}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := queueScript(t, c.entries, c.associated).client(t).LookMergeGroup(ctx, group)
			require.NoError(t, err)
			assert.Equal(t, [3]string{sha(202), sha(101), "main"}, [3]string{g.HeadOID, g.BaseOID, g.BaseRef})
			var pulls []int
			for _, p := range g.Pulls {
				pulls = append(pulls, p.Number)
			}
			assert.Equal(t, c.pulls, pulls)
			assert.Equal(t, c.unresolved, g.Unresolved)
			require.Len(t, g.Runs, 1)
			assert.Equal(t, "t", g.Runs[0].Title)
		})
	}
	t.Run("no group", func(t *testing.T) {
		for _, id := range []string{"", "main", sha(202), sha(202) + "/", "HEAD/main"} {
			s := group
			s.ID = id
			_, err := (&script{}).client(t).LookMergeGroup(ctx, s)
			class, _ := queue.Classify(err)
			assert.Equal(t, queue.ClassGone, class, id)
		}
	})
}
