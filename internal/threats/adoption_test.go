package threats

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func with(line string) setting {
	return setting{policy: func(p string) string { return p + line + "\n" }}
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	on(t, "without roles a plan is red, with the file to paste", func(t *testing.T, s *stage) {
		s.withoutRoles()
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "failure")
		s.says(pr, "[Operations Owner]\ndocs/specs/epic_05/  @acme/ml-ops")
		assert.Empty(t, pr.View().RequestedTeams)
		s.writesNothingMore()
	})
	on(t, "the first role file is previewed and waits for an administrator", func(t *testing.T, s *stage) {
		s.withoutRoles()
		pr := s.request(map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* @acme/ml-leads\n[Operations Owner]\n* @acme/ml-ops\n")})
		assert.Equal(t, "success", s.check(pr, "pilot/policy"))
		c, _ := s.Repo.Check(pr.View().Head, "pilot/policy")
		assert.Contains(t, c.Summary, "acme/ml-leads")
		s.shows(pr, "in_progress")
		s.says(pr, "an administrator merges the first role file")
		assert.Empty(t, pr.View().RequestedTeams)
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Empty(t, s.openIssues())
		assert.Equal(t, []string{nina + " Policy"}, s.rows(), "the log names who merged it")
		next := s.requestFrom("pilot/next", dana, files(s.Story.Pilot()))
		s.shows(next, "waiting")
	})
	on(t, "a first role file that names nobody is red", func(_ *testing.T, s *stage) {
		s.withoutRoles()
		pr := s.request(map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n\n[Operations Owner]\n* @acme/ml-ops\n")})
		assert.Equal(s.t, "failure", s.check(pr, "pilot/policy"))
		assert.NotEqual(s.t, "success", s.check(pr, approvals))
	})
	on(t, "plans from before the first role file are nobody's fault", func(t *testing.T, s *stage) {
		s.withoutRoles()
		s.push(nina, "main", files(s.Story.Pilot()))
		assert.Empty(t, s.Repo.Issues())
	})
	on(t, "observing shows findings, asks nobody and signs nothing off", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.MissingSeed)))
		s.finds(pr, "pilot/config", "CF004")
		s.shows(pr, "success")
		s.says(pr, "observing, not enforcing")
		assert.Empty(t, pr.View().RequestedTeams)
		s.approve(pr, irina, oleg)
		s.merge(pr)
		s.notSignedOff()
		assert.Empty(t, s.Repo.Issues())
		s.writesNothingMore()
	}, with("enforcement: observe"))
	on(t, "the full profile asks for more than the starter's", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.NoDrift)))
		s.finds(pr, "pilot/plan", "PL028")
	}, setting{profile: "full"})
	on(t, "what the starter profile only warns of", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.NoDrift)))
		assert.Equal(t, "success", s.check(pr, "pilot/plan"))
		s.shows(pr, "waiting")
	})
	on(t, "a broken policy on the base is red, with the line", func(t *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text("version: 1\nprofle: full\n")})
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "failure")
		s.says(pr, "cannot be read")
		s.says(pr, ".github/pilotgate.yml:2")
	})
	on(t, "a broken role file on the base is red, with the line", func(t *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* irina@example.org\n[Operations Owner]\n* @acme/ml-ops\n")})
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "failure")
		s.says(pr, "PILOT_APPROVERS:2")
	})
}

func (s *stage) withoutRoles() {
	s.t.Helper()
	s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "No roles", Delete: []string{roleFile}, Author: nina})
	s.settle()
}

func TestWhatIsARequest(t *testing.T) {
	t.Parallel()
	on(t, "nothing governed passes at once", func(t *testing.T, s *stage) {
		pr := s.request(map[string]fakegithub.File{"src/main.py": fakegithub.Text("print()\n")})
		s.shows(pr, "success")
		_, n := s.Comment(pr)
		assert.Zero(t, n, "and nobody is bothered by a comment")
		s.writesNothingMore()
	})
	on(t, "nothing governed any more takes the comment away", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Not yet", Delete: []string{sample.Plan}, Author: dana})
		s.settle()
		s.shows(pr, "success")
		_, n := s.Comment(pr)
		assert.Zero(t, n)
	})
	on(t, "a draft is checked, nobody is asked", func(t *testing.T, s *stage) {
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Pilot", Files: files(s.Story.Pilot()), Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch, Draft: true})
		s.settle()
		assert.Equal(t, "success", s.check(pr, "pilot/plan"))
		s.shows(pr, "in_progress")
		s.says(pr, "a draft")
		assert.Empty(t, pr.View().RequestedTeams)
		pr.SetDraft(dana, false)
		s.settle()
		s.shows(pr, "waiting")
		assert.Len(t, pr.View().RequestedTeams, 2)
	})
	for name, row := range map[string]struct {
		edit func(plan string) string
		want string
	}{
		"run notes are nobody's to approve": {func(p string) string { return strings.Replace(p, "Nothing yet.", "The first epoch went well.", 1) }, "success"},
		"line ends are nobody's to approve": {func(p string) string { return strings.ReplaceAll(p, "\n", "\r\n") }, "success"},
		"other words are no request but are seen": {func(p string) string {
			return strings.Replace(p, "Raise the coverage", "Greatly raise the coverage", 1)
		}, "waiting"},
	} {
		on(t, name, func(t *testing.T, s *stage) {
			s.signedOff()
			pr := s.requestFrom("words", dana, map[string]fakegithub.File{sample.Plan: fakegithub.Text(row.edit(s.file("main", sample.Plan)))})
			s.shows(pr, row.want)
			assert.Empty(t, s.check(pr, "pilot/dataset"), "it is no pilot request")
			if row.want == "waiting" {
				s.approve(pr, irina, oleg)
			}
			require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
			s.settle()
			assert.Empty(t, s.openIssues(), "the sign-off stands")
			assert.Len(t, s.records(), 1)
			s.writesNothingMore()
		})
	}
	on(t, "run notes pushed straight to the default branch leave the sign-off alone", func(t *testing.T, s *stage) {
		s.signedOff()
		s.push(nina, "main", map[string]fakegithub.File{sample.Plan: fakegithub.Text(strings.Replace(s.file("main", sample.Plan), "Nothing yet.", "Done.", 1))})
		assert.Empty(t, s.openIssues())
		assert.Len(t, s.records(), 1)
	})
	on(t, "a plan pushed straight to the default branch is told", func(_ *testing.T, s *stage) {
		s.push(nina, "main", files(s.Story.Pilot()))
		s.bypassed("merged without approval")
		s.writesNothingMore()
	})
	on(t, "a deletion is seen by both roles", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("gone", dana, fakegithub.CommitSpec{Message: "Remove", Delete: []string{sample.Plan}, Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Remove", Head: "gone"})
		s.settle()
		s.shows(pr, "waiting")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
	})
	for path, row := range map[string]struct{ text, check string }{
		policy:                                 {"version: 1\nlocale: ru\nscenarios: {}\n", "pilot/policy"},
		"models/registry.yaml":                 {"models: [\n", "pilot/release"},
		"deploy/model_pointer.yaml":            {"targets: [\n", "pilot/release"},
		".github/workflows/pilot_finetune.yml": {"on: workflow_dispatch\n", "pilot/policy"},
		"docs/specs/epic_05/stage_05_03_pilot_report_ru-digest-2025-11.md": {"# Report\n", "pilot/report"},
		sample.Signoff: {"# Log\n", "pilot/signoff"},
	} {
		on(t, path, func(t *testing.T, s *stage) {
			pr := s.request(map[string]fakegithub.File{path: fakegithub.Text(row.text)})
			assert.NotEmpty(t, s.check(pr, row.check), row.check)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			s.writesNothingMore()
		})
	}
	for name, d := range map[string]sample.Defect{"an LFS pointer without its object": sample.LFSPointer, "an empty dataset": sample.EmptyDataset, "a dataset cut off": sample.BrokenLine} {
		on(t, name, func(t *testing.T, s *stage) {
			pr := s.request(files(s.Story.Pilot(d)))
			assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
			assert.NotEqual(t, "success", s.check(pr, approvals))
		}, setting{unjudged: true}) // LFS is not part of GitHub's description
	}
	on(t, "a dataset that is not there", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		delete(in, sample.Dataset)
		pr := s.request(in)
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
	})
	on(t, "a plan that is no text", func(t *testing.T, s *stage) {
		pr := s.request(map[string]fakegithub.File{sample.Plan: {Data: []byte{0xff, 0xfe, 0, 1, 2, 0x80}}})
		assert.Equal(t, "failure", s.check(pr, "pilot/plan"))
		assert.NotEqual(t, "success", s.check(pr, approvals))
	})
	on(t, "a merge group of what was approved", func(t *testing.T, s *stage) {
		pr := s.approved()
		g := s.Repo.QueueGroup(dana, pr)
		s.settle()
		c, ok := s.Repo.Check(g.Head, approvals)
		require.True(t, ok)
		assert.Equal(t, "success", c.Conclusion, c.Title)
		s.Repo.MergeGroup(dana, g, pr)
		s.settle()
		assert.Len(t, s.rows(), 2)
	})
	on(t, "a merge group of what was not", func(t *testing.T, s *stage) {
		pr := s.pilot()
		g := s.Repo.QueueGroup(dana, pr)
		s.settle()
		c, ok := s.Repo.Check(g.Head, approvals)
		require.True(t, ok)
		assert.Equal(t, "failure", c.Conclusion)
	})
	on(t, "a check is run again on request", func(t *testing.T, s *stage) {
		pr := s.approved()
		c, _ := s.Repo.Check(pr.View().Head, approvals)
		s.GitHub.ForgetRequests()
		s.Repo.Rerequest(dana, c.ID)
		s.settle()
		assert.NotEmpty(t, s.GitHub.Requests(), "it is looked at again")
		s.shows(pr, "success")
	})
}

func TestGitHubInABadMood(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]fakegithub.Failure{
		"500":              {Status: 500, Body: `{"message":"down"}`},
		"502 without JSON": {Status: 502, Body: "<html>"},
		"rate limited":     {Status: 403, Header: http.Header{"Retry-After": {"1"}}, Body: `{"message":"You have exceeded a secondary rate limit."}`},
		"hung up":          {Abort: true},
	} {
		on(t, name+": never green, nothing lost, converges", func(t *testing.T, s *stage) {
			n := 0
			s.GitHub.Inject(func(*http.Request) *fakegithub.Failure {
				if n++; n%4 == 0 && n < 60 {
					return &failure
				}
				return nil
			})
			pr := s.pilot()
			s.approve(pr, irina, oleg)
			s.shows(pr, "success")
			s.merge(pr)
			assert.Equal(t, []string{irina + " Approved", oleg + " Approved"}, s.rows())
			assert.Len(t, s.records(), 1)
			assert.Len(t, s.ours("report/"), 1)
		}, setting{unjudged: true})
	}
}
