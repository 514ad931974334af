package threats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

const firstRoles = "[ML Lead]\n* @acme/ml-leads\n[Operations Owner]\n* @acme/ml-ops\n"

// rolesMerged merges a change of the role file that nobody approved; nina does so around the check.
func (s *stage) rolesMerged(by, text, method string) *fakegithub.PR {
	s.t.Helper()
	pr := s.requestFrom("roles", max, map[string]fakegithub.File{roleFile: fakegithub.Text(text)})
	require.NoError(s.t, pr.Merge(by, method, by == nina))
	s.settle()
	return pr
}

// policyRow is the log's one Policy row.
func (s *stage) policyRow() ledger.Row {
	s.t.Helper()
	log, _ := s.Repo.File("main", sample.Signoff)
	var out []ledger.Row
	for _, r := range ledger.ParseLog(log).Rows {
		if r.Ours && r.Row.Decision == ledger.Policy {
			out = append(out, r.Row)
		}
	}
	require.Len(s.t, out, 1, "Policy rows")
	return out[0]
}

// Who merged what no role could approve is on record, once.
func TestWhoMergedTheRoles(t *testing.T) {
	t.Parallel()
	for _, method := range []string{fakegithub.MergeCommit, fakegithub.Squash, fakegithub.Rebase} {
		on(t, "the first role file, by a "+method, func(t *testing.T, s *stage) {
			s.withoutRoles()
			pr := s.rolesMerged(nina, firstRoles, method)
			row := s.policyRow()
			assert.Equal(t, []string{nina, "Administrator"}, []string{row.Stakeholder, row.Role})
			assert.Equal(t, pr.View().Number, row.Notes.PullRequest)
			assert.Contains(t, row.Notes.Remark, "first role file")
			require.Len(t, s.records(), 1)
			assert.Contains(t, s.records()[0], "/_repository/policy-")
			assert.Empty(t, s.openIssues(), "the ledger verifies")
			s.writesNothingMore()
			assert.Len(t, s.records(), 1)
		})
	}
	on(t, "two commits of one rebase are one first file", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.Repo.MustCommit("roles", max, fakegithub.CommitSpec{Message: "Roles", Files: map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* @acme/ml-leads\n")}, Author: max})
		s.rolesMerged(nina, firstRoles, fakegithub.Rebase)
		assert.Equal(t, nina, s.policyRow().Stakeholder)
	})
	on(t, "the sign-off that follows is chained to it", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.rolesMerged(nina, firstRoles, fakegithub.Squash)
		pr := s.pilot()
		s.approve(pr, irina, oleg)
		s.merge(pr)
		assert.Equal(t, []string{nina + " Policy", irina + " Approved", oleg + " Approved"}, s.rows())
		assert.Empty(t, s.openIssues())
	})
	on(t, "through a pull request where the branch is protected", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.protect()
		s.rolesMerged(nina, firstRoles, fakegithub.Squash)
		require.Len(t, s.ours("signoff/policy-"), 1)
		bot := s.ours("signoff/policy-")[0]
		assert.Equal(t, "success", s.check(bot, "pilot/signoff"))
		assert.True(t, bot.View().Merged, "auto-merge did the rest")
		assert.Equal(t, nina, s.policyRow().Stakeholder)
		s.writesNothingMore()
		assert.Len(t, s.ours("signoff/"), 1)
	})
	on(t, "who is no administrator is not called one", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.rolesMerged(max, firstRoles, fakegithub.Squash)
		assert.Equal(t, "Committer", s.policyRow().Role)
	})
	on(t, "a change that both roles approved is on record by their reviews", func(t *testing.T, s *stage) {
		pr := s.requestFrom("roles", max, map[string]fakegithub.File{roleFile: fakegithub.Text(firstRoles)})
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		require.NoError(t, pr.Merge(max, fakegithub.Squash, false))
		s.settle()
		assert.Empty(t, s.records())
	})
	on(t, "a change of roles that had people is no administrator's to decide", func(t *testing.T, s *stage) {
		s.rolesMerged(nina, firstRoles, fakegithub.Squash)
		assert.Empty(t, s.records())
	})
	on(t, "a role had nobody left", func(t *testing.T, s *stage) {
		for _, login := range []string{oleg, vera} {
			s.GitHub.SetTeamMember("acme", "ml-ops", login, "")
		}
		s.rolesMerged(nina, strings.Replace(firstRoles, "@acme/ml-ops", "@"+oleg+" @"+vera, 1), fakegithub.Squash)
		row := s.policyRow()
		assert.Equal(t, nina, row.Stakeholder)
		assert.Contains(t, row.Notes.Remark, "nobody left")
		s.writesNothingMore()
	})
	on(t, "nothing is recorded while it is only observed, and then it is", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.rolesMerged(nina, firstRoles, fakegithub.Squash)
		assert.Empty(t, s.records())
		s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(strings.Replace(s.file("main", policy), "enforcement: observe\n", "", 1))})
		assert.Equal(t, nina, s.policyRow().Stakeholder)
	}, with("enforcement: observe"))
	on(t, "nothing is recorded before the policy lists a key, and then it is", func(t *testing.T, s *stage) {
		full := s.file("main", policy)
		i := strings.Index(full, "signing:")
		require.Positive(t, i)
		s.withoutRoles()
		s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(full[:i])})
		s.rolesMerged(nina, firstRoles, fakegithub.Squash)
		assert.Empty(t, s.records())
		s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(full)})
		assert.Equal(t, nina, s.policyRow().Stakeholder)
	})
}
