package threats

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// digest is the request's at head, as a command has to name it.
func (s *stage) digest(pr *fakegithub.PR) string {
	c, _ := s.Repo.Check(pr.View().Head, approvals)
	_, after, _ := strings.Cut(c.ExternalID, "digest=")
	return after[:12]
}

// command writes a comment and gives what the server answered it: its reaction,
// and the text of its reply.
func (s *stage) command(pr *fakegithub.PR, by, text string) (reaction, reply string) {
	s.t.Helper()
	id := pr.Comment(by, text)
	s.settle()
	for _, c := range pr.View().Comments {
		switch {
		case c.ID == id && len(c.Reactions) > 0:
			require.Len(s.t, c.Reactions, 1)
			reaction, _, _ = strings.Cut(c.Reactions[0], " ")
		case strings.Contains(c.Body, "pilotgate:reply "):
			_, reply, _ = strings.Cut(c.Body, "\n")
		}
	}
	return reaction, reply
}

// A command that does not count is answered with the reason, once.
func TestCommandsAreAnswered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		by, text string
		reaction string
		said     string
	}{
		"recheck by whoever may write":   {max, "/pilot recheck", "+1", ""},
		"recheck by whoever may not":     {"guest", "/pilot recheck", "confused", "@guest, `/pilot recheck` is for people who may write to this repository. Nothing was changed."},
		"a confirmation by the role":     {oleg, "/pilot confirm release DIGEST", "+1", ""},
		"a confirmation by another role": {irina, "/pilot confirm release DIGEST", "confused", "@irina-ml, `/pilot confirm release` is for the Operations Owner (`@acme/ml-ops`). Nothing was changed."},
		"by nobody":                      {max, "/pilot confirm release DIGEST", "confused", "is for the Operations Owner"},
		"of nothing":                     {oleg, "/pilot confirm everything DIGEST", "confused", "names nothing to confirm"},
		"without a digest":               {oleg, "/pilot confirm release", "confused", "Write at least 12 digits"},
		"with eleven digits":             {oleg, "/pilot confirm release ELEVEN", "confused", "Write at least 12 digits"},
		"of an old digest":               {oleg, "/pilot confirm release 0123456789ab", "confused", "names another digest"},
		"an override without a reason":   {irina, "/pilot override DIGEST", "confused", "needs a reason"},
		"an override by nobody":          {max, "/pilot override DIGEST please", "confused", "is for the ML Lead (`@acme/ml-leads`) and Operations Owner (`@acme/ml-ops`)"},
		"no command at all":              {oleg, "/pilot launch", "confused", "is no command"},
	} {
		on(t, name, func(t *testing.T, s *stage) {
			s.GitHub.CreateUser("guest")
			pr := s.pilot()
			d := s.digest(pr)
			text := strings.NewReplacer("DIGEST", d, "ELEVEN", d[:11]).Replace(row.text)
			reaction, reply := s.command(pr, row.by, text)
			assert.Equal(t, row.reaction, reaction)
			if row.said == "" {
				assert.Empty(t, reply)
			} else {
				assert.Contains(t, reply, row.said)
			}
			s.writesNothingMore()
		})
	}
	on(t, "an edited one", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.GitHub.Hold()
		id := pr.Comment(oleg, "Let me see.")
		s.Repo.EditComment(nina, id, "/pilot confirm release "+s.digest(pr))
		s.GitHub.Release(nil)
		s.settle()
		var replies []string
		for _, c := range pr.View().Comments {
			if strings.Contains(c.Body, "pilotgate:reply ") {
				replies = append(replies, c.Body)
			}
		}
		require.Len(t, replies, 1)
		assert.Contains(t, replies[0], "in a comment that was edited")
	})
	on(t, "a quoted one is nobody's", func(t *testing.T, s *stage) {
		pr := s.pilot()
		reaction, reply := s.command(pr, oleg, "> /pilot confirm release "+s.digest(pr))
		assert.Empty(t, reaction+reply)
	})
	on(t, "of somebody who had a hand in it", func(t *testing.T, s *stage) {
		s.GitHub.SetTeamMember("acme", "ml-ops", dana, "member")
		pr := s.pilot()
		reaction, reply := s.command(pr, dana, "/pilot confirm release "+s.digest(pr))
		assert.Equal(t, "confused", reaction)
		assert.Contains(t, reply, "does not count: whoever wrote it is the initiator")
	})
}

// Two people, one of each role, may let failed checks pass.
func TestOverride(t *testing.T) {
	t.Parallel()
	failing := func(s *stage, d sample.Defect) *fakegithub.PR {
		s.t.Helper()
		pr := s.request(files(s.Story.Pilot(d)))
		s.shows(pr, "in_progress")
		return pr
	}
	blocked := func(s *stage, pr *fakegithub.PR) {
		s.t.Helper()
		s.shows(pr, "in_progress")
		assert.Contains(s.t, s.title(pr), "checks above")
	}
	on(t, "one of each role: an incident, the approvals, and the log", func(t *testing.T, s *stage) {
		pr := failing(s, sample.MissingSeed)
		s.command(pr, irina, "/pilot override "+s.digest(pr)+" the seed is in the runner")
		blocked(s, pr)
		s.says(pr, "Override asked")
		assert.Empty(t, s.openIssues())
		s.command(pr, oleg, "/pilot override "+s.digest(pr)+" seen | with @dana")
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Title, "Override of failed checks")
		assert.Equal(t, "failure", s.check(pr, "pilot/config"), "the check goes on saying what is wrong")
		s.shows(pr, "waiting")
		s.approve(pr, irina, vera)
		s.shows(pr, "success")
		s.merge(pr)
		assert.Equal(t, []string{irina + " Override", oleg + " Override", irina + " Approved", vera + " Approved"}, s.rows())
		log, _ := s.Repo.File("main", sample.Signoff)
		for _, r := range ledger.ParseLog(log).Rows {
			if r.Ours && r.Row.Stakeholder == oleg {
				assert.Equal(t, "seen | with @dana", r.Row.Notes.Remark)
				assert.NotZero(t, r.Row.Notes.Comment)
			}
		}
		assert.Len(t, s.openIssues(), 1, "the ledger verifies, and nothing else is told")
		s.writesNothingMore()
	})
	on(t, "through pull requests where the branch is protected", func(t *testing.T, s *stage) {
		s.protect()
		pr := failing(s, sample.MissingSeed)
		pr.Comment(irina, "/pilot override "+s.digest(pr)+" seen")
		pr.Comment(oleg, "/pilot override "+s.digest(pr)+" seen")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.merge(pr)
		// A request that was green before its auto-merge was set waits for a person.
		for range 2 {
			for _, bot := range s.ours("signoff/") {
				if bot.View().State == "open" {
					require.NoError(t, bot.Merge(dana, fakegithub.Squash, false))
					s.settle()
				}
			}
		}
		assert.Len(t, s.rows(), 4)
		assert.Len(t, s.ours("signoff/"), 2)
	})
	on(t, "one person in both roles is one person", func(_ *testing.T, s *stage) {
		s.GitHub.SetTeamMember("acme", "ml-ops", irina, "member")
		pr := failing(s, sample.MissingSeed)
		pr.Comment(irina, "/pilot override "+s.digest(pr)+" once")
		pr.Comment(irina, "/pilot override "+s.digest(pr)+" twice")
		s.settle()
		blocked(s, pr)
	}, setting{policy: func(p string) string { return p + "approvals: {distinct_people: false}\n" }})
	on(t, "two people of one role are one role", func(_ *testing.T, s *stage) {
		pr := failing(s, sample.MissingSeed)
		pr.Comment(oleg, "/pilot override "+s.digest(pr)+" once")
		pr.Comment(vera, "/pilot override "+s.digest(pr)+" twice")
		s.settle()
		blocked(s, pr)
	})
	on(t, "it is of one digest", func(_ *testing.T, s *stage) {
		pr := failing(s, sample.MissingSeed)
		pr.Comment(irina, "/pilot override "+s.digest(pr)+" seen")
		pr.Comment(oleg, "/pilot override "+s.digest(pr)+" seen")
		s.settle()
		s.shows(pr, "waiting")
		in := files(s.Story.Pilot(sample.MissingSeed))
		in[sample.Plan] = fakegithub.Text(strings.Replace(string(in[sample.Plan].Data), "2e-5", "9e-5", 1))
		s.push(dana, branch, in)
		blocked(s, pr)
	})
	on(t, "it lasts 72 hours from the first of the two", func(_ *testing.T, s *stage) {
		pr := failing(s, sample.MissingSeed)
		s.command(pr, irina, "/pilot override "+s.digest(pr)+" seen")
		s.pass(48 * time.Hour)
		s.command(pr, oleg, "/pilot override "+s.digest(pr)+" seen")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.pass(25 * time.Hour)
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		blocked(s, pr)
		s.command(pr, irina, "/pilot override "+s.digest(pr)+" still so")
		s.shows(pr, "success")
	})
	on(t, "merged after it is over, by an administrator: not signed off", func(_ *testing.T, s *stage) {
		pr := failing(s, sample.MissingSeed)
		s.command(pr, irina, "/pilot override "+s.digest(pr)+" seen")
		s.command(pr, oleg, "/pilot override "+s.digest(pr)+" seen")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.pass(73 * time.Hour)
		require.NoError(s.t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.notSignedOff()
	})
	for name, d := range map[string]sample.Defect{
		"never personal data": sample.PhoneNumber, "never a hash": sample.WrongHash, "nor a dataset in which nobody could look": sample.BrokenLine,
	} {
		on(t, name, func(_ *testing.T, s *stage) {
			pr := failing(s, d)
			pr.Comment(irina, "/pilot override "+s.digest(pr)+" seen")
			pr.Comment(oleg, "/pilot override "+s.digest(pr)+" seen")
			s.approve(pr, irina, oleg)
			blocked(s, pr)
		})
	}
}
