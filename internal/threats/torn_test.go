package threats

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// turnsGreen matches the request that makes the required check green.
func turnsGreen(r *http.Request) bool {
	var asked struct {
		Variables map[string]struct{ Name, Conclusion string } `json:"variables"`
	}
	if !strings.HasSuffix(r.URL.Path, "/graphql") || json.Unmarshal([]byte(sent(r)), &asked) != nil {
		return false
	}
	for _, run := range asked.Variables {
		if run.Name == approvals && strings.EqualFold(run.Conclusion, "success") {
			return true
		}
	}
	return false
}

// nth matches the nth request from now.
func (w *wire) nth(n int) func(*http.Request) bool {
	return func(*http.Request) bool { n--; return n == 0 }
}

// tornReads are looks that GitHub changes under: no answer mixes two of its
// states into one that was never there.
func tornReads(t *testing.T) {
	// What a push is worth whose event never comes, at any moment of a look.
	for _, part := range []int{0, 1, 2, 3, 4} {
		on(t, fmt.Sprintf("a push in the middle of a look, after %d quarters of it", part), func(t *testing.T, s *stage) {
			pr := s.pilot()
			s.approve(pr, irina)
			before := s.wire.count()
			pr.Comment(dana, "/pilot recheck")
			s.settle()
			requests := s.wire.count() - before
			a := pr.View().Head
			s.wire.before(s.wire.nth(1+part*(min(requests, 3)-1)/4), func() {
				s.GitHub.Hold()
				s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "One more", Files: s.plan("2e-5", "9e-5"), Author: dana})
			})
			pr.Review(oleg, fakegithub.Approved, "Seen.")
			s.settle()
			require.True(t, s.wire.sprung(), "the push came in time")
			require.NotEqual(t, a, pr.View().Head)
			assert.NotEqual(t, "success", s.check(pr, approvals), "nobody approved B")
			require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
			s.GitHub.Release(nil)
			s.settle()
			s.bypassed("merged without approval")
		})
	}
	on(t, "a review dismissed while its green is on the way", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		dismissedMeanwhile(s, pr)
		s.GitHub.Release(nil)
		s.settle()
		s.shows(pr, "waiting")
		s.says(pr, "the review was dismissed")
	})
	on(t, "a review dismissed while its green is on the way, merged before anybody looks again", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		dismissedMeanwhile(s, pr)
		require.Equal(t, "success", s.check(pr, approvals), "the green that came too late")
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "a role lost while its green is on the way, merged before anybody looks again", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		s.wire.before(turnsGreen, func() {
			s.GitHub.Hold()
			s.GitHub.SetTeamMember("acme", "ml-ops", oleg, "")
		})
		pr.Review(oleg, fakegithub.Approved, "Seen.")
		s.settle()
		require.True(t, s.wire.sprung())
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "the base's policy changed while the green is on the way", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.approve(pr, irina)
		s.wire.before(turnsGreen, func() {
			s.GitHub.Hold()
			s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Softer", Author: nina, Files: map[string]fakegithub.File{
				policy: fakegithub.Text(strings.Replace(s.file("main", policy), "0.88, warn: 0.80", "0.88, warn: 0.70", 1)),
			}})
		})
		pr.Review(oleg, fakegithub.Approved, "Seen.")
		s.settle()
		require.True(t, s.wire.sprung())
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("under another policy")
	})
}

// dismissedMeanwhile: oleg approves, and in the moment before the green that
// follows gets to GitHub an administrator dismisses the review. The event of
// that is held back.
func dismissedMeanwhile(s *stage, pr *fakegithub.PR) {
	s.t.Helper()
	s.wire.before(turnsGreen, func() {
		s.GitHub.Hold()
		reviews := pr.View().Reviews
		pr.DismissReview(nina, reviews[len(reviews)-1].ID, "Not yet.")
	})
	pr.Review(oleg, fakegithub.Approved, "Seen.")
	s.settle()
	require.True(s.t, s.wire.sprung(), "the green was on its way")
}
