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

func wearsOurName(t *testing.T) {
	on(t, "a check run of another App", func(t *testing.T, s *stage) {
		pr := s.pilot()
		other := s.GitHub.CreateApp(fakegithub.AppSpec{Slug: "other-ci", Name: "pilot", Permissions: map[string]string{"metadata": "read", "checks": "write"}, NoHook: true})
		token := other.Token(other.Install("acme", s.Repo))
		head := pr.View().Head
		ours, _ := s.Repo.Check(head, approvals)
		body := `{"name":"pilot/approvals","head_sha":"` + head + `","status":"completed","conclusion":"success","external_id":"` + ours.ExternalID + `"}`
		req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, "https://github.example/api/v3/repos/acme/pilots/check-runs", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "token "+token)
		resp, err := s.GitHub.Transport().RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, resp.StatusCode)
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "a commit status", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.Repo.SetStatus(max, pr.View().Head, approvals, "success")
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "a comment with our marker", func(t *testing.T, s *stage) {
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add", Files: files(s.Story.Pilot()), Author: dana})
		s.GitHub.Hold()
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		id := pr.Comment(max, "<!-- pilotgate:comment -->\n### Pilot is approved")
		s.GitHub.Release(nil)
		s.settle()
		_, n := s.Comment(pr)
		assert.Equal(t, 1, n, "ours is written all the same")
		for _, c := range pr.View().Comments {
			if c.ID == id {
				assert.Contains(t, c.Body, "is approved", "and another's is left alone")
			}
		}
	})
	on(t, "our comment in other hands is restored", func(t *testing.T, s *stage) {
		pr := s.pilot()
		body, _ := s.Comment(pr)
		for _, c := range pr.View().Comments {
			if c.Author == s.App.Login() {
				s.Repo.EditComment(nina, c.ID, "<!-- pilotgate:comment -->\n### Pilot is approved")
			}
		}
		s.settle()
		after, n := s.Comment(pr)
		assert.Equal(t, 1, n)
		assert.Equal(t, body, after)
	})
	on(t, "our comment deleted is written again", func(t *testing.T, s *stage) {
		pr := s.pilot()
		body, _ := s.Comment(pr)
		for _, c := range pr.View().Comments {
			if c.Author == s.App.Login() {
				s.Repo.DeleteComment(nina, c.ID)
			}
		}
		s.settle()
		after, n := s.Comment(pr)
		assert.Equal(t, 1, n)
		assert.Equal(t, body, after)
	})
	on(t, "a command edited by somebody else", func(t *testing.T, s *stage) {
		pr := s.pilot()
		id := pr.Comment(max, "Hello.")
		s.Repo.EditComment(nina, id, "/pilot confirm observability 000000000000")
		s.settle()
		s.shows(pr, "waiting")
	})
}

func lookAlikes(t *testing.T) {
	on(t, "a login", func(_ *testing.T, s *stage) {
		pr := s.request(s.plan("@"+dana, "@dаna")) // the a is Cyrillic
		assert.Equal(s.t, "failure", s.check(pr, "pilot/plan"))
		plan, _ := s.Repo.Check(pr.View().Head, "pilot/plan")
		assert.Contains(s.t, plan.Summary, "initiator")
		c, _ := s.Comment(pr)
		assert.NotContains(s.t, c, "@dаna ")
	})
	on(t, "a role", func(_ *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{roleFile: fakegithub.Text("[МL Lead]\n* @acme/ml-leads\n[Operations Owner]\n* @acme/ml-ops\n")}) // the M is Cyrillic
		pr := s.request(files(s.Story.Pilot()))
		s.approve(pr, irina, oleg)
		assert.NotEqual(s.t, "success", s.check(pr, approvals))
	})
	on(t, "a team", func(_ *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* @acme/ml-lеads\n[Operations Owner]\n* @acme/ml-ops\n")})
		pr := s.request(files(s.Story.Pilot()))
		s.approve(pr, irina, oleg)
		s.shows(pr, "failure")
		s.says(pr, "cannot be used")
	})
	on(t, "a path", func(_ *testing.T, s *stage) {
		pr := s.request(map[string]fakegithub.File{".github/PILOT_АPPROVERS": fakegithub.Text("[ML Lead]\n* @max\n")})
		assert.NotEqual(s.t, "success", s.check(pr, approvals))
	})
}

func confusedDeputy(t *testing.T) {
	on(t, "over a pilot's life it stays in its place", func(t *testing.T, s *stage) {
		main := s.Repo.Head("main")
		pr := s.signedOff()
		for _, p := range s.Repo.PRs() {
			for _, r := range p.View().Reviews {
				assert.NotEqual(t, s.App.Login(), r.Author, "reviews")
			}
			assert.NotEqual(t, s.App.Login(), p.View().MergedBy, "merges")
		}
		assert.False(t, pr.View().AutoMerge)
		for ref := range s.Repo.Refs() {
			if ref != "refs/heads/main" && ref != "refs/heads/"+branch {
				claim := strings.HasPrefix(ref, "refs/pilotgate/"+sample.Pilot+"/")
				assert.True(t, claim || strings.HasPrefix(ref, "refs/heads/pilotgate/") || strings.HasPrefix(ref, "refs/pull/"), "a ref of ours: %s", ref)
			}
		}
		before := map[string]bool{}
		for _, p := range s.Repo.Files(main) {
			before[p] = true
		}
		for path := range s.Story.Pilot() {
			before[path] = true
		}
		for _, p := range s.Repo.Files("main") {
			if !before[p] {
				assert.True(t, strings.HasPrefix(p, "docs/specs/epic_05/evidence/"), "a file of ours: %s", p)
			}
		}
		for path := range before {
			if path != sample.Signoff && path != "docs/specs/epic_05/stage_05_03.md" && s.file(main, path) != "" {
				assert.Equal(t, s.file(main, path), s.file("main", path), "%s is as it was", path)
			}
		}
		assert.Equal(t, []string{"dana"}, pushers(s, branch), "nobody else pushed to the author's branch")
	})
	on(t, "it merges nothing but its own", func(t *testing.T, s *stage) {
		s.protect()
		pr := s.signedOff()
		require.Len(t, s.ours("signoff/"), 1)
		for _, p := range s.Repo.PRs() {
			v := p.View()
			mine := v.Author == s.App.Login()
			assert.Equal(t, mine, strings.HasPrefix(v.HeadRef, "pilotgate/"), v.HeadRef)
			assert.False(t, !mine && v.AutoMerge, "auto-merge of %s", v.HeadRef)
		}
		assert.Equal(t, dana, pr.View().MergedBy)
	})
	on(t, "a mend goes on top of the head that was judged, or nowhere", func(t *testing.T, s *stage) {
		pr, c := s.broken()
		s.wire.before(func(r *http.Request) bool { return strings.Contains(sent(r), "createCommitOnBranch") }, func() {
			s.GitHub.Hold()
			s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "One more", Files: s.plan("2e-5", "9e-5"), Author: dana})
		})
		s.Repo.ClickAction(dana, c.ID, c.Actions[0])
		s.settle()
		require.True(t, s.wire.sprung())
		log := s.Repo.Log(branch)
		assert.Equal(t, dana, log[0].Author, "the author's push stands")
		assert.Contains(t, s.file(branch, sample.Plan), "9e-5")
		s.GitHub.Release(nil)
		s.settle()
		assert.Equal(t, log[0].OID, pr.View().Head)
	})
	on(t, "what is under .github is never mended, and nobody's default branch", func(t *testing.T, s *stage) {
		_, c := s.broken()
		before := s.Repo.Head("main")
		s.Repo.ClickAction(dana, c.ID, c.Actions[0])
		s.settle()
		assert.Equal(t, before, s.Repo.Head("main"))
		for _, p := range s.Repo.Files(branch) {
			if strings.HasPrefix(p, ".github/") {
				assert.Equal(t, s.file("main", p), s.file(branch, p), p)
			}
		}
		assert.Len(t, pushers(s, branch), 2, "the author, and the bot that was asked")
	})
}

// broken opens a pull request with one finding whose mend is exact, and is its button.
func (s *stage) broken() (*fakegithub.PR, fakegithub.CheckView) {
	s.t.Helper()
	pr := s.request(files(s.Story.Pilot(sample.PatchRelease)))
	c, ok := s.Repo.Check(pr.View().Head, "pilot/operations")
	require.True(s.t, ok)
	require.Equal(s.t, "failure", c.Conclusion)
	require.NotEmpty(s.t, c.Actions, "the button")
	return pr, c
}

func hidesBehindTheBot(t *testing.T) {
	on(t, "who clicked is a co-author and approves nothing", func(_ *testing.T, s *stage) {
		pr, c := s.broken()
		assert.Contains(s.t, c.Summary, "can no longer approve", "told before the click")
		s.Repo.ClickAction(oleg, c.ID, c.Actions[0])
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "waiting")
		s.says(pr, "is a co-author of commit")
		s.approve(pr, vera)
		s.shows(pr, "success")
	})
	for name, spec := range map[string]fakegithub.CommitSpec{
		"a commit in the bot's name":                        {Author: "pilotgate[bot]", Committer: "pilotgate[bot]"},
		"a commit in the bot's name that she had a hand in": {Author: "pilotgate[bot]", CoAuthors: []string{irina}},
	} {
		on(t, name, func(_ *testing.T, s *stage) {
			spec.Message, spec.Files = "Mend 1 finding", files(s.Story.Pilot())
			s.Repo.MustCommit(branch, irina, spec)
			pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
			s.settle()
			s.approve(pr, irina, oleg)
			s.shows(pr, "failure")
			s.says(pr, "belongs to no GitHub account")
		})
	}
}

// pushers are who pushed to a branch, by GitHub's own history.
func pushers(s *stage, branch string) []string {
	seen := map[string]bool{}
	var out []string
	for _, e := range s.GitHub.History() {
		if e.Kind == "push" && strings.HasSuffix(asString(e.Data["ref"]), "/"+branch) && !seen[e.Actor] {
			seen[e.Actor] = true
			out = append(out, e.Actor)
		}
	}
	return out
}

func asString(v any) string { t, _ := v.(string); return t }

func crashes(t *testing.T) {
	down := func(r *http.Request) *fakegithub.Failure {
		if strings.Contains(r.URL.Path, "/git/") {
			return &fakegithub.Failure{Status: 500, Body: `{"message":"down"}`}
		}
		return nil
	}
	on(t, "a new head that cannot be read has no green, and gets its own verdict later", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.GitHub.Inject(down)
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "One more", Files: s.plan("2e-5", "9e-5"), Author: dana})
		s.eventually(func() bool { return s.check(pr, approvals) == "in_progress" })
		s.says(pr, "could not evaluate")
		s.GitHub.Inject(nil)
		s.settle()
		s.shows(pr, "waiting")
	}, setting{unjudged: true})
	on(t, "an old green falls before the retries", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.GitHub.Hold()
		s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Other\n")})
		s.GitHub.Inject(down)
		s.GitHub.Release(nil)
		pr.Comment(dana, "/pilot recheck")
		s.eventually(func() bool { return s.check(pr, approvals) != "success" })
		s.GitHub.Inject(nil)
		s.settle()
		s.shows(pr, "success")
	}, setting{unjudged: true})
	on(t, "half an answer is no answer", func(t *testing.T, s *stage) {
		n := 0
		s.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if strings.HasSuffix(r.URL.Path, "/graphql") {
				if n++; n%3 == 0 && n < 30 {
					return &fakegithub.Failure{Status: 200, Body: `{"data":{"repository":{"id":"x","pullRequ`}
				}
			}
			return nil
		})
		pr := s.approved()
		s.merge(pr)
		assert.Len(t, s.rows(), 2)
	}, setting{unjudged: true})
}

func oldName(t *testing.T) {
	on(t, "a repository that took the old name is not written to", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.Repo.Rename(nina, "pilots-2")
		squatter := s.GitHub.CreateRepo(fakegithub.RepoSpec{Owner: "acme", Name: "pilots", Private: true, Files: files(s.Story.Repository()), Creator: nina})
		s.settle()
		before := string(squatter.State())
		s.merge(pr)
		assert.Len(t, s.rows(), 2, "the sign-off went to the repository that was meant")
		assert.Equal(t, before, string(squatter.State()))
	})
}
