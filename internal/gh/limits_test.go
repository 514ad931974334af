package gh_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
)

func limits(remaining int, reset time.Time) map[string]string {
	return map[string]string{
		"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": fmt.Sprint(remaining),
		"X-RateLimit-Reset": fmt.Sprint(reset.Unix()), "X-RateLimit-Resource": "core",
	}
}

func TestErrorsAreSorted(t *testing.T) {
	message := func(s string) string { return fmt.Sprintf(`{"message": %q}`, s) }
	for name, c := range map[string]struct {
		reply reply
		class queue.Class
		after time.Duration
	}{
		"too many requests":        {reply{status: 429, body: message("slow down"), header: map[string]string{"Retry-After": "37"}}, queue.ClassTransient, 37 * time.Second},
		"too many, without a time": {reply{status: 429, body: message("slow down")}, queue.ClassTransient, time.Minute},
		"secondary limit":          {reply{status: 403, body: message("You have exceeded a secondary rate limit"), header: map[string]string{"Retry-After": "60"}}, queue.ClassTransient, time.Minute},
		"secondary, without time":  {reply{status: 403, body: message("You have exceeded a secondary rate limit")}, queue.ClassTransient, time.Minute},
		"primary limit":            {reply{status: 403, body: message("API rate limit exceeded"), header: limits(0, time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC))}, queue.ClassTransient, 10 * time.Minute},
		"bad gateway":              {reply{status: 502, body: "<html>"}, queue.ClassTransient, 0},
		"unavailable for a time":   {reply{status: 503, header: map[string]string{"Retry-After": "5"}}, queue.ClassTransient, 0},
		"network":                  {reply{err: errLine}, queue.ClassTransient, 0},
		"truncated answer":         {reply{status: 200, body: repositoryJSON[:40]}, queue.ClassTransient, 0},
		"expired token":            {reply{status: 401, body: message("Bad credentials")}, queue.ClassTransient, 0},
		"suspended":                {reply{status: 403, body: message("This installation has been suspended")}, queue.ClassGone, 0},
		"missing permission":       {reply{status: 403, body: message("Resource not accessible by integration")}, queue.ClassOurs, 0},
		"not there":                {reply{status: 404, body: message("Not Found")}, queue.ClassGone, 0},
		"blocked by law":           {reply{status: 451, body: message("Repository unavailable")}, queue.ClassGone, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answer: func(_, path, _ string) reply {
					if strings.HasSuffix(path, "/installation/repositories") {
						return reply{status: 200, body: `{"total_count": 0, "repositories": []}`}
					}
					return c.reply
				}}
				_, err := s.client(t).Repository(ctx, 5, 10)
				require.Error(t, err)
				class, after := queue.Classify(err)
				assert.Equal(t, c.class, class, err)
				assert.Equal(t, c.after, after)
				assert.NotContains(t, err.Error(), "ghs_")
			})
		})
	}
}

func TestTokenErrorsAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		reply reply
		class queue.Class
	}{
		"uninstalled": {reply{status: 404, body: `{"message": "Not Found"}`}, queue.ClassGone},
		"suspended":   {reply{status: 403, body: `{"message": "This installation has been suspended"}`}, queue.ClassGone},
		"limited":     {reply{status: 403, body: `{}`, header: map[string]string{"Retry-After": "9"}}, queue.ClassTransient},
		"clock off":   {reply{status: 401, body: `{"message": "'Expiration time' claim ('exp') is too far in the future"}`}, queue.ClassTransient},
		"down":        {reply{status: 500}, queue.ClassTransient},
		"network":     {reply{err: errLine}, queue.ClassTransient},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{token: &c.reply, answer: ok(repositoryJSON)}
			_, err := s.client(t).Repository(ctx, 5, 10)
			class, _ := queue.Classify(err)
			assert.Equal(t, c.class, class, err)
			assert.Zero(t, s.sent())
		})
	}
}

func TestNoRequestBeforeRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := &script{answer: func(string, string, string) reply {
			if down {
				return reply{status: 429, body: `{}`, header: map[string]string{"Retry-After": "37"}}
			}
			return reply{status: 200, body: repositoryJSON}
		}}
		c := s.client(t)
		_, err := c.Repository(ctx, 5, 10)
		require.Error(t, err)
		down = false
		time.Sleep(36 * time.Second)
		_, err = c.Repository(ctx, 5, 10)
		_, after := queue.Classify(err)
		assert.Equal(t, time.Second, after)
		assert.Equal(t, 1, s.sent())
		_, err = c.Repository(ctx, 6, 10)
		require.NoError(t, err, "another installation has its own limits")
		time.Sleep(time.Second)
		_, err = c.Repository(ctx, 5, 10)
		assert.NoError(t, err)
	})
}

func TestSecondaryLimitsInARowDoubleTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(string, string, string) reply {
			return reply{status: 403, body: `{"message": "You have exceeded a secondary rate limit"}`}
		}}
		c := s.client(t)
		var waits []time.Duration
		for range 6 {
			_, err := c.Repository(ctx, 5, 10)
			_, after := queue.Classify(err)
			waits = append(waits, after)
			time.Sleep(after)
		}
		assert.Equal(t, []time.Duration{1, 2, 4, 8, 15, 15}, []time.Duration{
			waits[0] / time.Minute, waits[1] / time.Minute, waits[2] / time.Minute, waits[3] / time.Minute, waits[4] / time.Minute, waits[5] / time.Minute,
		})
	})
}

func TestBackgroundLeavesATenthToPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 500
		s := &script{answer: func(string, string, string) reply {
			return reply{status: 200, body: repositoryJSON, header: limits(left, time.Now().Add(30*time.Minute))}
		}}
		c := s.client(t)
		for _, step := range []struct {
			left int
			runs bool
		}{{500, true}, {500, true}, {499, true}, {499, false}} {
			left = step.left
			_, err := c.Repository(gh.Background(ctx), 5, 10)
			assert.Equal(t, step.runs, err == nil, "%+v: %v", step, err)
		}
		_, err := c.Repository(ctx, 5, 10)
		require.NoError(t, err)
		time.Sleep(30 * time.Minute)
		_, err = c.Repository(gh.Background(ctx), 5, 10)
		assert.NoError(t, err, "the limit was reset")
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := &script{answer: func(string, string, string) reply {
			if down {
				return reply{status: 500}
			}
			return reply{status: 200, body: repositoryJSON}
		}}
		c := s.client(t)
		for range 20 {
			_, err := c.Repository(ctx, 5, 10)
			require.Error(t, err)
		}
		assert.Equal(t, 5, s.sent(), "nothing is sent to a GitHub that does not answer")
		for range 600 { // ten minutes
			time.Sleep(time.Second)
			_, err := c.Repository(ctx, 5, 10)
			require.Error(t, err)
		}
		assert.Less(t, s.sent(), 35)
		down = false
		came := time.Now()
		for {
			if _, err := c.Repository(ctx, 5, 10); err == nil {
				break
			}
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, time.Since(came), 31*time.Second)
		sent := s.sent()
		_, err := c.Repository(ctx, 5, 10)
		require.NoError(t, err)
		assert.Equal(t, sent+1, s.sent())
	})
}

func TestTokenIsNotCarriedElsewhere(t *testing.T) {
	s := &script{answer: func(string, string, string) reply {
		return reply{status: 302, header: map[string]string{"Location": "https://elsewhere.test/repos/acme/pilots"}}
	}}
	_, err := s.client(t).Repository(ctx, 5, 10)
	require.ErrorContains(t, err, "another host")
	assert.Equal(t, 1, s.sent())
}

func TestMissingPermissionIsNoAbsence(t *testing.T) {
	for status, absent := range map[int]bool{403: false, 404: true, 422: true} {
		s := &script{answer: func(string, string, string) reply {
			return reply{status: status, body: `{"message": "Resource not accessible by integration"}`}
		}}
		c := &facts.Common{Repository: repository}
		for _, n := range []facts.Need{
			{Kind: facts.NeedTree, Commit: sha(1)}, {Kind: facts.NeedBlob, OID: sha(2)}, {Kind: facts.NeedReach, Commit: sha(3), Base: sha(4)},
		} {
			_, err := s.client(t).Fill(ctx, pull, c, []facts.Need{n})
			assert.Equal(t, absent, err == nil, "%d %s: %v", status, n, err)
			assert.Equal(t, absent, c.Answered(n))
		}
	}
}

func TestRevokedTokenIsReplaced(t *testing.T) {
	revoked := true
	s := &script{answer: func(string, string, string) reply {
		if revoked {
			return reply{status: 401, body: `{"message": "Bad credentials"}`}
		}
		return reply{status: 200, body: repositoryJSON}
	}}
	c := s.client(t)
	_, err := c.Repository(ctx, 5, 10)
	require.Error(t, err)
	revoked = false
	_, err = c.Repository(ctx, 5, 10)
	require.NoError(t, err)
	assert.Equal(t, 2, s.tokens)
}

func TestConditionalReads(t *testing.T) {
	var counted []gh.Request
	s := &script{}
	s.answer = func(string, string, string) reply {
		if s.header[len(s.header)-1].Get("If-None-Match") == `"v1"` {
			return reply{status: 304}
		}
		return reply{status: 200, body: repositoryJSON, header: map[string]string{"ETag": `"v1"`}}
	}
	c := s.client(t, func(c *gh.Config) { c.OnRequest = func(r gh.Request) { counted = append(counted, r) } })
	first, err := c.Repository(ctx, 5, 10)
	require.NoError(t, err)
	second, err := c.Repository(ctx, 5, 10)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	require.Len(t, counted, 3)
	assert.Equal(t, gh.Request{Installation: 5, Method: "POST", Route: "POST /app/installations/{installation_id}/access_tokens", Status: 201}, counted[0])
	assert.Equal(t, gh.Request{Installation: 5, Method: "GET", Route: "GET /repos/{owner}/{repo}", Status: 304, Cached: true}, counted[2])
	_, err = c.Repository(ctx, 6, 10)
	require.NoError(t, err)
	assert.Empty(t, s.header[2].Get("If-None-Match"), "another installation may see something else")
}

func TestTruncatedAnswerIsNotKept(t *testing.T) {
	body := repositoryJSON[:60]
	s := &script{}
	s.answer = func(string, string, string) reply {
		if s.header[len(s.header)-1].Get("If-None-Match") != "" {
			return reply{status: 304}
		}
		return reply{status: 200, body: body, header: map[string]string{"ETag": `"v1"`}}
	}
	c := s.client(t)
	_, err := c.Repository(ctx, 5, 10)
	require.Error(t, err)
	body = repositoryJSON
	_, err = c.Repository(ctx, 5, 10)
	assert.NoError(t, err)
}

func TestNamesAreOnlyGuesses(t *testing.T) {
	listing := `{"total_count": 1, "repositories": [{"id": 10, "name": "renamed", "owner": {"login": "acme"}}]}`
	renamed := strings.Replace(repositoryJSON, `"pilots"`, `"renamed"`, 1)
	for name, old := range map[string]reply{
		"renamed":                        {status: 404, body: `{}`},
		"the old name has another owner": {status: 200, body: strings.Replace(repositoryJSON, `"id": 10`, `"id": 11`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(_, path, _ string) reply {
				switch {
				case strings.HasSuffix(path, "/repos/acme/pilots"):
					return old
				case strings.HasSuffix(path, "/repos/acme/renamed"):
					return reply{status: 200, body: renamed}
				}
				return reply{status: 200, body: listing}
			}}
			c := s.client(t)
			r, err := c.Repository(ctx, 5, 10)
			require.NoError(t, err)
			assert.Equal(t, "acme/renamed", r.FullName())
			sent := s.sent()
			_, err = c.Repository(ctx, 5, 10)
			require.NoError(t, err)
			assert.Equal(t, sent+1, s.sent(), "the new name is remembered")
		})
	}
	t.Run("not of this installation any more", func(t *testing.T) {
		s := &script{answer: func(_, path, _ string) reply {
			if strings.HasSuffix(path, "/installation/repositories") {
				return reply{status: 200, body: `{"total_count": 0, "repositories": []}`}
			}
			return reply{status: 404, body: `{}`}
		}}
		_, err := s.client(t).Repository(ctx, 5, 10)
		class, _ := queue.Classify(err)
		assert.Equal(t, queue.ClassGone, class)
	})
}

func TestWritesAreASecondApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		s := &script{answer: func(string, string, string) reply {
			at = append(at, time.Now())
			return reply{status: 201, body: `{"id": 1}`}
		}}
		c := s.client(t, func(c *gh.Config) { c.Pacing = time.Second })
		start := time.Now()
		require.NoError(t, c.Apply(ctx, pull, repository, []effect.Effect{
			effect.Ask{Number: 7, Logins: []string{"a"}}, effect.Issue{Title: "t"}, effect.Ask{Number: 7, Logins: []string{"b"}},
		}, noGuard))
		require.Len(t, at, 3)
		assert.Equal(t, []time.Duration{0, time.Second, 2 * time.Second}, []time.Duration{at[0].Sub(start), at[1].Sub(start), at[2].Sub(start)})
	})
}

func TestLostWriteIsNeverRepeated(t *testing.T) {
	for name, lost := range map[string]reply{
		"no answer":        {err: errLine},
		"gateway":          {status: 502},
		"truncated answer": {status: 201, body: `{"id": 1, "bo`},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(string, string, string) reply { return lost }}
			err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{
				effect.Comment{Number: 7, On: "PR_7", Body: "a"}, effect.Ask{Number: 7, Logins: []string{"lead"}},
			}, noGuard)
			var unclear *gh.Unclear
			require.ErrorAs(t, err, &unclear)
			class, _ := queue.Classify(err)
			assert.Equal(t, queue.ClassTransient, class)
			assert.Equal(t, 1, s.sent(), "nothing more is written after it")
		})
	}
}

func TestGuardComesBeforeEachWrite(t *testing.T) {
	s := &script{answer: func(string, string, string) reply { return reply{status: 201, body: `{"id": 1}`} }}
	lost := errors.New("the lease is lost")
	asked := 0
	err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{
		effect.Issue{Title: "t"}, effect.Ask{Number: 7, Logins: []string{"lead"}},
	}, func(context.Context) error {
		if asked++; asked == 2 {
			return lost
		}
		return nil
	})
	assert.ErrorIs(t, err, lost)
	assert.Equal(t, 1, s.sent())
}

func TestRefusalKeepsNothingElseBack(t *testing.T) {
	s := &script{answer: func(_, path, _ string) reply {
		if strings.HasSuffix(path, "/graphql") {
			return reply{status: 200, body: `{"data": {"c0": null, "c1": {"clientMutationId": null}}, "errors": [{"type": "FORBIDDEN", "path": ["c0"], "message": "Resource not accessible by integration"}]}`}
		}
		return reply{status: 201, body: `{"id": 1}`}
	}}
	err := s.client(t).Apply(ctx, pull, repository, []effect.Effect{
		effect.Dismiss{Number: 7, ReviewID: 2, NodeID: "PRR_2", Message: "m"}, effect.Comment{Number: 7, On: "PR_7", Body: "a"}, effect.Issue{Title: "t"},
	}, noGuard)
	var refused *gh.Refused
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Why, "not accessible")
	assert.Equal(t, 2, s.sent())
}

func TestApplyRefusesAnotherRepository(t *testing.T) {
	s := &script{answer: ok("{}")}
	other := repository
	other.ID = 11
	assert.ErrorContains(t, s.client(t).Apply(ctx, pull, other, []effect.Effect{effect.Comment{Number: 7}}, noGuard), "repository 11")
	_, err := s.client(t).Fill(ctx, pull, &facts.Common{Repository: other}, nil)
	assert.Error(t, err)
	assert.Zero(t, s.sent())
}
