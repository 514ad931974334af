package threats

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// roles puts a role file on the default branch.
func (s *stage) roles(text string) {
	s.t.Helper()
	s.push(nina, "main", map[string]fakegithub.File{roleFile: fakegithub.Text(text)})
}

// requested are whose reviews were ever asked for, in order; teams without their
// organization.
func (s *stage) requested(pr *fakegithub.PR) []string {
	var out []string
	for _, e := range s.GitHub.History() {
		if e.Kind == "review_requested" && e.Data["number"] == pr.Number() {
			out = append(out, asString(e.Data["user"])+asString(e.Data["team"]))
		}
	}
	return out
}

// leaves takes somebody's access away.
func (s *stage) leaves(login string) {
	s.GitHub.SetTeamMember("acme", "ml-ops", login, "")
	s.Repo.SetCollaborator(login, "")
	s.GitHub.SetMember("acme", login, "")
}

func TestWhoHoldsARole(t *testing.T) {
	t.Parallel()
	on(t, "another path may have other people", func(t *testing.T, s *stage) {
		s.roles("[ML Lead]\ndocs/specs/epic_05/ @nina-admin\ndocs/specs/epic_05/pilots/ru-* @irina-ml\ndocs/specs/epic_05/pilots/second-* @max\n" +
			"[Operations Owner]\ndocs/specs/epic_05/ @acme/ml-ops\ndocs/specs/epic_05/pilots/second-* @vera-sre\n")
		ru, other := s.pilot(), s.second()
		assert.ElementsMatch(t, []string{irina, "ml-ops"}, s.requested(ru))
		assert.ElementsMatch(t, []string{max, vera}, s.requested(other))
		for _, pr := range []*fakegithub.PR{ru, other} {
			s.approve(pr, irina, oleg)
		}
		s.shows(ru, "success")
		s.shows(other, "waiting")
		s.says(other, "`@irina-ml` holds no role here")
		s.says(other, "`@oleg-ops` holds no role here")
		s.approve(other, max, vera)
		s.shows(other, "success")
		s.merge(other)
		assert.Equal(t, []string{max + " Approved", vera + " Approved"}, s.rows())
	})
	on(t, "a team under a team of the role", func(_ *testing.T, s *stage) {
		s.GitHub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: "ml-leads-ru", Parent: "ml-leads", Members: []string{max}})
		pr := s.pilot()
		s.approve(pr, max, oleg)
		s.shows(pr, "success")
	})
	on(t, "a secret team", func(_ *testing.T, s *stage) {
		s.GitHub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: "quiet", Secret: true, Members: []string{max}})
		s.GitHub.GrantTeam("acme", "quiet", s.Repo, "read")
		s.roles("[ML Lead]\n* @acme/quiet\n[Operations Owner]\n* @acme/ml-ops\n")
		pr := s.pilot()
		comment, _ := s.Comment(pr)
		assert.Contains(s.t, comment, "@acme/quiet")
		assert.NotContains(s.t, comment, max, "who is in it stays its secret")
		s.approve(pr, max, oleg)
		s.shows(pr, "success")
	})
	on(t, "in a person's repository, people named one by one", func(t *testing.T, s *stage) {
		pr := s.pilot()
		assert.ElementsMatch(t, []string{irina, oleg, vera}, s.requested(pr))
		s.approve(pr, irina, vera)
		s.shows(pr, "success")
		s.merge(pr)
		assert.Equal(t, []string{irina + " Approved", vera + " Approved"}, s.rows())
		s.gate(s.start(dana), "approved", "is signed off")
		s.writesNothingMore()
	}, setting{personal: true})
	on(t, "who lost access holds no role at the launch", func(_ *testing.T, s *stage) {
		s.roles("[ML Lead]\n* @irina-ml\n[Operations Owner]\n* @oleg-ops @vera-sre\n")
		s.signedOff()
		s.leaves(oleg)
		s.gate(s.start(dana), "waiting", "is not in that role any more")
	})
	on(t, "not a team in a person's repository", func(_ *testing.T, s *stage) {
		s.roles("[ML Lead]\n* @acme/ml-leads\n[Operations Owner]\n* @oleg-ops @vera-sre\n")
		pr := s.request(files(s.Story.Pilot()))
		s.approve(pr, irina, oleg)
		s.shows(pr, "failure")
		s.says(pr, "PILOT_APPROVERS:1")
		s.says(pr, "There is no team `@acme/ml-leads`")
	}, setting{personal: true})
	on(t, "not who has no access, and it is said at the line", func(t *testing.T, s *stage) {
		s.GitHub.CreateUser("stranger")
		s.roles("[ML Lead]\n* @irina-ml\n[Operations Owner]\n* @oleg-ops @stranger\n")
		pr := s.pilot()
		s.says(pr, "PILOT_APPROVERS:4")
		s.says(pr, "`@stranger` has no access to this repository")
		assert.ElementsMatch(t, []string{irina, oleg}, s.requested(pr))
		s.writesNothingMore()
		s.leaves(oleg)
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		s.shows(pr, "failure")
		s.says(pr, "Nobody holds the role `Operations Owner`")
		s.says(pr, "PILOT_APPROVERS:3")
	})
	on(t, "not who lost access between approval and merge", func(_ *testing.T, s *stage) {
		s.roles("[ML Lead]\n* @irina-ml\n[Operations Owner]\n* @oleg-ops @vera-sre\n")
		pr := s.pilot()
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.GitHub.Hold()
		s.leaves(oleg)
		require.NoError(s.t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "not a team that the repository is closed to", func(t *testing.T, s *stage) {
		s.GitHub.CreateTeam(fakegithub.TeamSpec{Org: "acme", Slug: "afar", Members: []string{max}})
		s.roles("[ML Lead]\n* @irina-ml\n[Operations Owner]\n* @acme/afar @acme/ml-ops\n")
		pr := s.pilot()
		s.says(pr, "The team `@acme/afar` has no access to this repository")
		assert.ElementsMatch(t, []string{irina, "ml-ops"}, s.requested(pr))
		s.approve(pr, irina, max)
		s.shows(pr, "waiting")
	})
	on(t, "roles that nobody has for this document", func(_ *testing.T, s *stage) {
		s.roles("[ML Lead]\ndocs/specs/epic_05/pilots/en-* @irina-ml\n[Operations Owner]\n* @acme/ml-ops\n")
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "failure")
		s.says(pr, "PILOT_APPROVERS:1")
		s.says(pr, "Nobody holds the role `ML Lead` for `"+sample.Plan+"`")
		s.writesNothingMore()
	})
	on(t, "who pushed is not asked, nor said to be able to", func(t *testing.T, s *stage) {
		s.roles("[ML Lead]\n* @irina-ml @max\n[Operations Owner]\n* @acme/ml-ops\n")
		s.Repo.MustCommit(branch, max, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana, Committer: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		s.settle()
		s.shows(pr, "waiting")
		assert.ElementsMatch(t, []string{irina, "ml-ops"}, s.requested(pr))
		comment, _ := s.Comment(pr)
		assert.NotContains(t, comment, "@"+max)
	})
}

// Each role is asked once, when the checks are green.
func TestEachRoleIsAskedOnce(t *testing.T) {
	t.Parallel()
	on(t, "not before the checks are green, and then once", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.MissingSeed)))
		assert.Empty(t, s.requested(pr))
		s.push(dana, branch, files(s.Story.Pilot()))
		assert.ElementsMatch(t, []string{"ml-leads", "ml-ops"}, s.requested(pr))
		s.approve(pr, irina)
		s.push(dana, branch, s.plan("2e-5", "9e-5"))
		s.shows(pr, "waiting")
		s.push(dana, branch, map[string]fakegithub.File{"NOTES.md": fakegithub.Text("Nothing.\n")})
		s.pass(20 * 24 * time.Hour)
		s.sweep()
		assert.Len(t, s.requested(pr), 2, "whoever was asked is not asked again")
		s.writesNothingMore()
	})
	on(t, "who else may approve later is asked then", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.roles("[ML Lead]\n* @acme/ml-leads @max\n[Operations Owner]\n* @acme/ml-ops\n")
		assert.ElementsMatch(t, []string{"ml-leads", "ml-ops", max}, s.requested(pr))
	})
	on(t, "a role that is filled is not asked", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot(sample.MissingSeed))
		pr := s.request(in)
		s.approve(pr, irina)
		assert.Empty(t, s.requested(pr))
		text := string(in[sample.Plan].Data)
		require.NotContains(t, text, "- Seed:")
		s.roles(strings.Replace(s.file("main", roleFile), "@acme/ml-leads", "@acme/ml-leads @max", 1))
		s.push(dana, branch, files(s.Story.Pilot()))
		s.approve(pr, irina)
		assert.NotContains(t, s.requested(pr)[2:], "ml-leads")
	})
}
