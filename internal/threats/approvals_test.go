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

// on runs one part of a threat beside the others.
func on(t *testing.T, name string, f func(*testing.T, *stage), o ...setting) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		f(t, open(t, o...))
	})
}

func approveThenPush(t *testing.T) {
	on(t, "B has no green and A's approvals fall", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.push(dana, branch, s.plan("2e-5", "9e-5"))
		s.shows(pr, "waiting")
		for _, r := range pr.View().Reviews {
			assert.NotEqual(t, fakegithub.Approved, r.State, "the review of %s", r.Author)
		}
	})
	on(t, "B merged around the check is told, not recorded", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.GitHub.Hold() // the merge overtakes the push's event
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "One more", Files: s.plan("2e-5", "9e-5"), Author: dana})
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "an approval that speaks of A does not count for B", func(t *testing.T, s *stage) {
		pr := s.pilot()
		a := pr.View().Head
		s.push(dana, branch, s.plan("2e-5", "9e-5"))
		pr.ReviewAt(irina, fakegithub.Approved, "Seen.", a)
		pr.ReviewAt(oleg, fakegithub.Approved, "Seen.", a)
		s.settle()
		s.shows(pr, "waiting")
	})
	tornReads(t)
}

func moveTheHead(t *testing.T) {
	on(t, "back to an approved commit", func(t *testing.T, s *stage) {
		pr := s.approved()
		a := pr.View().Head
		s.push(dana, branch, s.plan("2e-5", "9e-5"))
		s.shows(pr, "waiting")
		require.NoError(t, s.Repo.PushAs(dana, "refs/heads/"+branch, a, true))
		s.settle()
		// The approvals were dismissed when they went stale, and stay so.
		s.shows(pr, "waiting")
	})
	on(t, "back to an approved commit before anybody looked", func(t *testing.T, s *stage) {
		pr := s.approved()
		a := pr.View().Head
		s.GitHub.Hold()
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "One more", Files: s.plan("2e-5", "9e-5"), Author: dana})
		require.NoError(t, s.Repo.PushAs(dana, "refs/heads/"+branch, a, true))
		s.GitHub.Release(nil)
		s.settle()
		s.shows(pr, "success") // the content is what both approved
	})
	on(t, "a patch-identical rebase carries approvals over and says so", func(t *testing.T, s *stage) {
		pr := s.approved()
		main := s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")})
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana, Parent: main, Force: true})
		s.settle()
		s.shows(pr, "success")
		s.says(pr, "carried over from")
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		s.shows(pr, "success")
	})
	on(t, "a review of a head that nobody judged speaks of no other", func(t *testing.T, s *stage) {
		pr := s.pilot()
		a := pr.View().Head
		s.GitHub.Hold()
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Harmless", Files: s.plan("2e-5", "1e-5"), Author: dana})
		pr.Review(irina, fakegithub.Approved, "Harmless.")
		pr.Review(oleg, fakegithub.Approved, "Harmless.")
		require.NoError(t, s.Repo.PushAs(dana, "refs/heads/"+branch, a, true))
		s.GitHub.Release(nil)
		s.settle()
		s.shows(pr, "waiting")
	})
	on(t, "another base is another request", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.push(nina, "release", map[string]fakegithub.File{"README.md": fakegithub.Text("# Release\n")})
		base := "release"
		pr.Edit(dana, nil, nil, &base)
		s.settle()
		s.shows(pr, "failure")
		s.says(pr, "plans are requested on")
		base = "main"
		pr.Edit(dana, nil, nil, &base)
		s.settle()
		s.shows(pr, "waiting") // the change of base made the approvals stale, and they were dismissed
	})
}

func sharedHead(t *testing.T) {
	side := func(s *stage) { // a branch that has the plan already, so that nothing is governed there
		s.Repo.MustCommit("side", nina, fakegithub.CommitSpec{Message: "Everything", Files: files(s.Story.Pilot()), Author: nina})
	}
	on(t, "an ungoverned twin does not lend its green", func(t *testing.T, s *stage) {
		side(s)
		pr := s.pilot()
		twin := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "The same", Head: branch, Base: "side"})
		s.settle()
		require.Equal(t, pr.View().Head, twin.View().Head)
		s.shows(pr, "failure")
		s.says(pr, "has the same head commit")
	})
	on(t, "nor when it was there first", func(t *testing.T, s *stage) {
		side(s)
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana})
		s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "The same", Head: branch, Base: "side"})
		s.settle()
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "The pilot", Head: branch})
		s.settle()
		s.shows(pr, "failure")
	})
	on(t, "closing the twin gives the request its own check back", func(t *testing.T, s *stage) {
		side(s)
		pr := s.approved()
		twin := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "The same", Head: branch, Base: "side"})
		s.settle()
		s.shows(pr, "failure")
		twin.Close(dana)
		s.settle()
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		s.shows(pr, "success")
	})
	on(t, "a copy with the same base blocks nobody and passes nothing", func(t *testing.T, s *stage) {
		pr := s.pilot()
		require.NoError(t, s.Repo.PushAs(max, "refs/heads/copy", pr.View().Head, false))
		copied := s.Repo.OpenPR(fakegithub.PRSpec{Author: max, Title: "The same", Head: "copy"})
		s.settle()
		require.Equal(t, pr.View().Head, copied.View().Head)
		s.shows(pr, "waiting")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		copied.Comment(max, "/pilot recheck")
		s.settle()
		s.shows(pr, "success")
		s.merge(pr)
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved"}, s.rows())
	})
}

func approvesOwnWork(t *testing.T) {
	commit := func(s *stage, spec fakegithub.CommitSpec) *fakegithub.PR {
		spec.Message = "Add a pilot"
		spec.Files = files(s.Story.Pilot())
		if spec.Author == "" && spec.AuthorEmail == "" {
			spec.Author = dana
		}
		s.Repo.MustCommit(branch, dana, spec)
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		s.settle()
		s.approve(pr, irina, oleg)
		return pr
	}
	for name, row := range map[string]struct {
		spec fakegithub.CommitSpec
		said string
	}{
		"the commit's author": {fakegithub.CommitSpec{Author: irina}, "is the author of commit"},
		"its committer":       {fakegithub.CommitSpec{Committer: irina}, "is the committer of commit"},
		"a co-author":         {fakegithub.CommitSpec{CoAuthors: []string{irina}}, "is a co-author of commit"},
	} {
		on(t, name, func(_ *testing.T, s *stage) {
			pr := commit(s, row.spec)
			s.shows(pr, "waiting")
			s.says(pr, row.said)
		})
	}
	on(t, "the author by GitHub's own refusal", func(t *testing.T, s *stage) {
		pr := s.pilot()
		_, err := pr.TryReview(dana, fakegithub.Approved, "Fine.")
		require.Error(t, err)
	})
	on(t, "the initiator whom the plan names", func(_ *testing.T, s *stage) {
		pr := s.request(s.plan("@"+dana, "@"+irina))
		s.approve(pr, irina, oleg)
		s.shows(pr, "waiting")
		s.says(pr, "is the initiator")
	})
	on(t, "who pushed", func(_ *testing.T, s *stage) {
		s.Repo.MustCommit(branch, irina, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana, Committer: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "waiting")
		s.says(pr, "pushed to")
	})
	on(t, "behind a merge's second parent", func(_ *testing.T, s *stage) {
		hidden := s.Repo.MustCommit("hidden", dana, fakegithub.CommitSpec{Message: "The plan", Files: files(s.Story.Pilot()), Author: irina, Committer: irina})
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Merge", Files: files(s.Story.Pilot()), Author: dana, Merge: []string{hidden}})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "waiting")
		s.says(pr, "is the author of commit")
	})
	on(t, "behind nobody's address", func(_ *testing.T, s *stage) {
		pr := commit(s, fakegithub.CommitSpec{AuthorName: "Somebody", AuthorEmail: "somebody@nowhere.example"})
		s.shows(pr, "failure")
		s.says(pr, "belongs to no GitHub account")
	})
	on(t, "but a suggestion that the author accepted leaves its reviewer free", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		pr.Suggestion(dana, []string{irina}, s.plan("2e-5", "1e-5"))
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
	})
	on(t, "and so does the update button", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")})
		require.NoError(t, pr.UpdateBranch(max))
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
	})
	on(t, "also where a reviewer pressed it", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")})
		require.NoError(t, pr.UpdateBranch(irina))
		s.settle()
		s.shows(pr, "waiting")
		s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nAgain.\n")})
		require.NoError(t, pr.UpdateBranch(oleg))
		s.settle()
		s.approve(pr, oleg)
		s.shows(pr, "success")
		s.merge(pr)
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved"}, s.rows())
	})
	on(t, "but not a merge that the reviewer made by hand", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		main := s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")})
		s.Repo.MustCommit(branch, irina, fakegithub.CommitSpec{
			Message: "Merge branch 'main'", Author: irina, Merge: []string{main},
			Files: map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")},
		})
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "waiting")
		s.says(pr, "is the author of commit")
	})
}

func onePersonInBothRoles(t *testing.T) {
	on(t, "fills one", func(_ *testing.T, s *stage) {
		s.GitHub.SetTeamMember("acme", "ml-ops", irina, "member")
		pr := s.pilot()
		s.approve(pr, irina)
		s.approve(pr, irina)
		s.shows(pr, "waiting")
		s.approve(pr, oleg)
		s.shows(pr, "success")
	})
	on(t, "fills both where the policy says so, and the record tells", func(t *testing.T, s *stage) {
		s.GitHub.SetTeamMember("acme", "ml-ops", irina, "member")
		pr := s.pilot()
		s.approve(pr, irina)
		s.shows(pr, "success")
		s.merge(pr)
		require.Len(t, s.records(), 1)
	}, setting{policy: func(p string) string { return p + "approvals: {distinct_people: false}\n" }})
}

func reviewsThatDoNotCount(t *testing.T) {
	for name, row := range map[string]struct {
		after func(*stage, *fakegithub.PR)
		want  string
		said  string
	}{
		"a comment": {func(s *stage, pr *fakegithub.PR) { pr.Review(oleg, fakegithub.Commented, "Approved!") }, "waiting", ""},
		"a pending review": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Pending, "Approved!")
		}, "waiting", ""},
		"a dismissed one": {func(s *stage, pr *fakegithub.PR) {
			id := pr.Review(oleg, fakegithub.Approved, "Seen.")
			pr.DismissReview(nina, id, "no")
		}, "waiting", "the review was dismissed"},
		"one before changes were requested": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			pr.Review(oleg, fakegithub.ChangesRequested, "Wait.")
		}, "failure", "requests changes"},
		"one before changes were requested, which was dismissed": {func(_ *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			pr.DismissReview(nina, pr.Review(oleg, fakegithub.ChangesRequested, "Wait."), "No need to.")
		}, "waiting", "gave a later review, which was dismissed"},
		"changes requested by somebody else in a role": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			pr.Review(vera, fakegithub.ChangesRequested, "Wait.")
		}, "failure", "requests changes"},
		"a role lost": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			s.settle()
			s.GitHub.SetTeamMember("acme", "ml-ops", oleg, "")
		}, "waiting", "holds no role here"},
		"an invitation not taken": {func(s *stage, pr *fakegithub.PR) {
			s.GitHub.SetTeamMember("acme", "ml-ops", max, "pending")
			pr.Review(max, fakegithub.Approved, "Seen.")
		}, "waiting", "holds no role here"},
		"a renamed team": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			s.settle()
			s.GitHub.RenameTeam("acme", "ml-ops", "operations")
		}, "failure", "There is no team `@acme/ml-ops`"},
		"a deleted account": {func(s *stage, pr *fakegithub.PR) {
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			s.settle()
			s.GitHub.DeleteUser(oleg)
			pr.Comment(dana, "/pilot recheck")
		}, "waiting", "`@ghost` holds no role here"},
	} {
		on(t, name, func(_ *testing.T, s *stage) {
			pr := s.pilot()
			s.approve(pr, irina)
			row.after(s, pr)
			s.settle()
			s.shows(pr, row.want)
			if row.said != "" {
				s.says(pr, row.said)
			}
		})
	}
	on(t, "an edited body counts for the approval alone", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		id := pr.Review(oleg, fakegithub.Approved, "Seen.")
		pr.EditReview(oleg, id, "Seen, really.")
		s.settle()
		s.shows(pr, "success")
	})
	on(t, "an edited body confirms nothing", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		id := pr.Review(oleg, fakegithub.Approved, "Seen.")
		pr.EditReview(nina, id, "- [x] observability")
		s.settle()
		s.shows(pr, "waiting")
		s.says(pr, "does not confirm")
	}, unwatched)
	on(t, "a tick in the body that was submitted confirms", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		pr.Review(oleg, fakegithub.Approved, "- [x] observability")
		s.settle()
		s.shows(pr, "success")
	}, unwatched)
	on(t, "another App's", func(_ *testing.T, s *stage) {
		s.GitHub.CreateApp(fakegithub.AppSpec{Slug: "helper", Name: "helper", Permissions: map[string]string{"pull_requests": "write"}, NoHook: true})
		pr := s.pilot()
		s.approve(pr, irina)
		pr.Review("helper[bot]", fakegithub.Approved, "Seen.")
		s.settle()
		s.shows(pr, "waiting")
		s.says(pr, "not a person")
	})
	on(t, "one older than the policy's limit", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		s.pass(20 * 24 * time.Hour)
		s.approve(pr, oleg)
		s.shows(pr, "success")
		s.pass(11 * 24 * time.Hour)
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		s.shows(pr, "waiting")
		s.says(pr, "older than 30 days")
	})
	on(t, "an approval that was early, where the policy wants the evidence first", func(_ *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.PatchRelease)))
		s.approve(pr, irina, oleg)
		s.shows(pr, "in_progress")
		s.says(pr, "before the checks were complete")
	}, with("approvals: {after_evidence: true}"))
	on(t, "an App's", func(t *testing.T, s *stage) {
		s.GitHub.SetTeamMember("acme", "ml-ops", oleg, "")
		pr := s.pilot()
		s.approve(pr, irina)
		pr.Review(s.App.Login(), fakegithub.Approved, "Seen.")
		s.settle()
		s.shows(pr, "waiting")
	})
}

// unwatched: nothing watches the metrics here, which Operations has to confirm.
var unwatched = setting{files: map[string]fakegithub.File{
	"grafana/dashboards/benchmark.json": fakegithub.Text(`{"title":"none","panels":[]}`),
	"prometheus/benchmark_rules.yml":    fakegithub.Text("groups: []\n"),
}}

func commands(t *testing.T) {
	digest := func(s *stage, pr *fakegithub.PR) string {
		c, _ := s.Repo.Check(pr.View().Head, approvals)
		_, after, _ := strings.Cut(c.ExternalID, "digest=")
		return after[:12]
	}
	for name, row := range map[string]struct {
		write func(s *stage, pr *fakegithub.PR)
		want  string
	}{
		"its own words count": {func(s *stage, pr *fakegithub.PR) { pr.Comment(oleg, "/pilot confirm observability "+digest(s, pr)) }, "success"},
		"not quoted":          {func(s *stage, pr *fakegithub.PR) { pr.Comment(oleg, "> /pilot confirm observability "+digest(s, pr)) }, "waiting"},
		"not in code": {func(s *stage, pr *fakegithub.PR) {
			pr.Comment(oleg, "```\n/pilot confirm observability "+digest(s, pr)+"\n```")
		}, "waiting"},
		"not of an old digest":           {func(s *stage, pr *fakegithub.PR) { pr.Comment(oleg, "/pilot confirm observability 0123456789ab") }, "waiting"},
		"not with too few digits":        {func(s *stage, pr *fakegithub.PR) { pr.Comment(oleg, "/pilot confirm observability "+digest(s, pr)[:8]) }, "waiting"},
		"not by somebody without a role": {func(s *stage, pr *fakegithub.PR) { pr.Comment(max, "/pilot confirm observability "+digest(s, pr)) }, "waiting"},
		"not edited, not even by an administrator": {func(s *stage, pr *fakegithub.PR) {
			id := pr.Comment(oleg, "I will look at this.")
			s.Repo.EditComment(nina, id, "/pilot confirm observability "+digest(s, pr))
		}, "waiting"},
	} {
		on(t, name, func(_ *testing.T, s *stage) {
			pr := s.pilot()
			s.approve(pr, irina, oleg)
			s.shows(pr, "waiting")
			s.says(pr, "does not confirm")
			row.write(s, pr)
			s.settle()
			s.shows(pr, row.want)
		}, unwatched)
	}
}
