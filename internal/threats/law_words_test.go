package threats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// What a change of the policy or of the roles does is told in words, so that
// nobody approves a loosened bound for a tidied file.
func TestLawChangesAreToldInWords(t *testing.T) {
	t.Parallel()
	on(t, "the policy", func(t *testing.T, s *stage) {
		text := strings.NewReplacer("coverage: {pass: 0.88", "coverage: {pass: 0.85", "latency_seconds: {pass: 210", "latency_seconds: {pass: 200").
			Replace(s.file("main", policy)) + `
approvals: {distinct_people: false, max_age_days: 90}
checks: {DS032: {severity: note, reason: "news items repeat each other"}}
`
		pr := s.requestFrom("law", max, map[string]fakegithub.File{policy: fakegithub.Text(text)})
		c, _ := s.Repo.Check(pr.View().Head, "pilot/policy")
		for _, want := range []string{
			"lowers `coverage` pass from 0.88 to 0.85 in `channel_digest_ru`: more passes than today",
			"lowers `latency_seconds` pass from 210 to 200 in `channel_digest_ru`: less passes than today",
			"lets one person fill both roles",
			"approvals count for 90 days instead of 30",
			"`DS032` is note whatever the profile says: `news items repeat each other`",
		} {
			assert.Contains(t, c.Summary, want)
		}
		s.shows(pr, "waiting")
	})
	on(t, "the roles", func(t *testing.T, s *stage) {
		text := strings.Replace(s.file("main", roleFile), "@acme/ml-ops", "@max @acme/ml-ops", 1)
		pr := s.requestFrom("law", max, map[string]fakegithub.File{roleFile: fakegithub.Text(text)})
		c, _ := s.Repo.Check(pr.View().Head, "pilot/policy")
		assert.Contains(t, c.Summary, "adds `@max` to `Operations Owner`")
		before, _, _ := strings.Cut(s.file("main", roleFile), "[Operations Owner]")
		pr2 := s.requestFrom("coup", max, map[string]fakegithub.File{roleFile: fakegithub.Text(before)})
		c2, _ := s.Repo.Check(pr2.View().Head, "pilot/policy")
		assert.Contains(t, c2.Summary, "removes the role `Operations Owner` for `*`")
		assert.NotEqual(t, "success", s.check(pr2, approvals))
	})
}
