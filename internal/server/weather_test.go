package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// outage is how long GitHub stays as bad as it is.
const outage = 10 * time.Minute

// Whatever GitHub does for ten minutes: no key is given up, and a minute after
// its return all is as it should be.
func TestGitHubIsAwayForTenMinutes(t *testing.T) {
	always := func(f fakegithub.Failure) func(*http.Request) *fakegithub.Failure {
		return func(*http.Request) *fakegithub.Failure { return &f }
	}
	for _, c := range []struct {
		name  string
		fault func(*http.Request) *fakegithub.Failure
	}{
		{"down", always(fakegithub.Failure{Abort: true})},
		{"500", always(fakegithub.Failure{Status: 500, Body: `{"message": "Server Error"}`})},
		{"502 with a page", always(fakegithub.Failure{Status: 502, Body: "<html>Unicorn!</html>"})},
		{"503", always(fakegithub.Failure{Status: 503})},
		{"429", always(fakegithub.Failure{Status: 429, Body: `{"message": "Too many requests"}`, Header: http.Header{"Retry-After": {"30"}}})},
		{"truncated JSON", always(fakegithub.Failure{Status: 200, Body: `{"data": {"repository": {"databaseId"`})},
		{"every other request fails", everyOther(fakegithub.Failure{Status: 502})},
	} {
		inBubble(t, c.name, func(t *testing.T, w *demo.World) {
			w.GitHub.Inject(c.fault)
			pr := open(w)
			time.Sleep(outage)
			w.GitHub.Inject(nil)
			converges(t, w, pr)
		})
	}
	inBubble(t, "slow answers", func(t *testing.T, w *demo.World) {
		w.GitHub.SetFaults(&fakegithub.Faults{Latency: time.Minute})
		pr := open(w)
		time.Sleep(outage)
		require.False(t, judged(w, pr), "a minute is longer than we wait")
		w.GitHub.SetFaults(fakegithub.NoFaults())
		converges(t, w, pr)
	})
	inBubble(t, "secondary limit", func(t *testing.T, w *demo.World) {
		w.GitHub.SecondaryLimit(outage)
		pr := open(w)
		time.Sleep(outage)
		converges(t, w, pr)
	})
}

func everyOther(f fakegithub.Failure) func(*http.Request) *fakegithub.Failure {
	var mu sync.Mutex
	n := 0
	return func(*http.Request) *fakegithub.Failure {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%2 == 0 {
			return &f
		}
		return nil
	}
}

// However many events come meanwhile, GitHub is not asked before the time that
// it named, and is asked then.
func TestNothingIsAskedBeforeRetryAfter(t *testing.T) {
	const named = 4 * time.Minute
	inBubble(t, "429", func(t *testing.T, w *demo.World) {
		var mu sync.Mutex
		var refused, early int
		var first time.Time
		w.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(r.URL.Path, "/app/") {
				return nil // the App's own limits are others
			}
			switch {
			case first.IsZero():
				first = time.Now()
			case time.Since(first) >= named:
				return nil
			case time.Since(first) > time.Second:
				early++
			}
			refused++
			return &fakegithub.Failure{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"240"}}, Body: `{"message": "Slow down"}`}
		})
		pr := open(w)
		for range 20 {
			time.Sleep(10 * time.Second)
			pr.Review(sample.MLLead, fakegithub.Commented, "I am looking.")
		}
		time.Sleep(time.Until(first.Add(named)))
		converges(t, w, pr)
		mu.Lock()
		defer mu.Unlock()
		assert.Positive(t, refused)
		assert.Zero(t, early)
	})
}

// What changes under the server has a defined outcome each time.
func TestWhatIsBehindARepositoryChanges(t *testing.T) {
	clockOff := fakegithub.Failure{Status: http.StatusUnauthorized, Body: `{"message": "'Expiration time' claim ('exp') is too far in the future"}`}
	inBubble(t, "clock off by an hour", func(t *testing.T, w *demo.World) {
		w.GitHub.RevokeTokens()
		w.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if strings.Contains(r.URL.Path, "/app") { // whatever is proved with the App's own key
				return &clockOff
			}
			return nil
		})
		pr := open(w)
		time.Sleep(outage)
		require.False(t, judged(w, pr))
		w.GitHub.Inject(nil) // somebody has set the clock
		converges(t, w, pr)
	})
	inBubble(t, "expired token", func(t *testing.T, w *demo.World) {
		time.Sleep(3 * time.Hour)
		converges(t, w, open(w))
	})
	inBubble(t, "revoked token", func(t *testing.T, w *demo.World) {
		w.GitHub.RevokeTokens()
		converges(t, w, open(w))
	})
	inBubble(t, "suspended installation", func(t *testing.T, w *demo.World) {
		w.App.Suspend(w.Installation(), true)
		pr := open(w)
		time.Sleep(outage)
		require.False(t, judged(w, pr))
		w.App.Suspend(w.Installation(), false)
		converges(t, w, pr)
	})
	inBubble(t, "renamed repository", func(t *testing.T, w *demo.World) {
		w.GitHub.Hold()
		w.Repo.Rename(sample.Initiator, "pilots-of-ours")
		pr := open(w)
		w.GitHub.Release(nil)
		converges(t, w, pr)
	})
	inBubble(t, "transferred repository", func(t *testing.T, w *demo.World) {
		w.GitHub.CreateUser("zoe", "zoe@example.org")
		w.GitHub.CreateOrg("other", "zoe")
		w.GitHub.Hold()
		pr := open(w)
		w.Repo.Transfer("zoe", "other")
		w.GitHub.Release(nil)
		time.Sleep(outage)
		assert.False(t, judged(w, pr), "where the App is not installed, nothing is written")
	})
	inBubble(t, "deleted repository", func(t *testing.T, w *demo.World) {
		w.GitHub.Hold()
		open(w)
		w.Repo.Delete(sample.Initiator)
		w.GitHub.Release(nil)
		time.Sleep(outage)
	})
	inBubble(t, "deleted branch", func(t *testing.T, w *demo.World) {
		w.GitHub.Hold()
		pr := open(w)
		w.Repo.DeleteBranch(sample.Initiator, "pilot/ru-digest")
		w.GitHub.Release(nil)
		time.Sleep(outage)
		assert.Equal(t, "closed", strings.ToLower(pr.View().State))
	})
	inBubble(t, "deleted fork", func(t *testing.T, w *demo.World) {
		w.GitHub.Hold()
		fork := w.Repo.Fork(sample.Initiator)
		fork.MustCommit("pilot/ru-digest", sample.Initiator, fakegithub.CommitSpec{Message: "Add the plan", Files: files(w.Story.Pilot()), Author: sample.Initiator})
		w.Repo.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot", Head: "pilot/ru-digest", From: fork})
		fork.Delete(sample.Initiator)
		w.GitHub.Release(nil)
		time.Sleep(outage)
		converges(t, w, open(w)) // the others go on
	})
}
