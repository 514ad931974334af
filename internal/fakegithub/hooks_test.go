package fakegithub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/fakegithub" // the tests tell stories
)

func TestDeliveriesAreSignedAndComplete(t *testing.T) {
	w := newWorld(t, Options{})
	w.plan()
	d := w.gh.Deliveries()[len(w.gh.Deliveries())-1]
	require.Equal(t, "pull_request", d.Event)
	assert.Equal(t, Sign("s3cret", d.Payload), d.Signature)
	var p struct {
		Action       string
		Number       int
		Installation struct{ ID int64 }
		Repository   struct {
			ID       int64
			FullName string `json:"full_name"`
		}
		Organization struct{ Login string }
		Sender       struct{ Login, Type string }
		PullRequest  struct{ Head struct{ SHA string } } `json:"pull_request"`
	}
	require.NoError(t, json.Unmarshal(d.Payload, &p))
	assert.Equal(t, "opened", p.Action)
	assert.Equal(t, w.inst, p.Installation.ID)
	assert.Equal(t, "acme/pilots", p.Repository.FullName)
	assert.Equal(t, "acme", p.Organization.Login)
	assert.Equal(t, "ada", p.Sender.Login)
	assert.Equal(t, w.repo.Head("plan"), p.PullRequest.Head.SHA)
}

func TestDeliveriesArriveInOrderOverHTTP(t *testing.T) {
	w := newWorld(t, Options{})
	got := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("X-GitHub-Event")
		rw.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()
	w.gh.DeliverTo(PostTo(srv.Client(), srv.URL))
	w.plan()
	w.gh.Flush()
	close(got)
	var events []string
	for e := range got {
		events = append(events, e)
	}
	var want []string
	for _, d := range w.gh.Deliveries() {
		want = append(want, d.Event)
		assert.Equal(t, http.StatusAccepted, d.Status)
	}
	assert.Equal(t, want, events)
}

func TestDeliveriesHeldDroppedDoubledAndTurned(t *testing.T) {
	w := newWorld(t, Options{})
	var got []string
	w.gh.DeliverTo(func(_ context.Context, d Delivery) (int, error) {
		got = append(got, d.Event+"."+d.Action)
		return 202, nil
	})
	w.gh.Flush()
	got = nil
	w.gh.Hold()
	pr := w.repo
	pr.OpenIssue("ada", "one", "")
	n := pr.OpenIssue("ada", "two", "")
	pr.CommentOn(n, "ben", "hm")
	require.Len(t, w.gh.Held(), 3)
	assert.Empty(t, got)
	w.gh.Release(func(ds []Delivery) []int { return []int{2, 1, 1} })
	w.gh.Flush()
	assert.Equal(t, []string{"issue_comment.created", "issues.opened", "issues.opened"}, got)
	w.gh.Replay(w.gh.Deliveries()[len(w.gh.Deliveries())-1].ID)
	w.gh.Flush()
	assert.Equal(t, "issue_comment.created", got[3])
}

func TestFailedDeliveriesAreListedAndSentAgain(t *testing.T) {
	w := newWorld(t, Options{})
	down := true
	count := map[string]int{}
	w.gh.DeliverTo(func(_ context.Context, d Delivery) (int, error) {
		count[d.GUID]++
		if down {
			return 0, errors.New("connection refused")
		}
		return 202, nil
	})
	w.repo.OpenIssue("ada", "one", "")
	w.gh.Flush()
	down = false
	r, err := w.send(w.jwt(), "GET", "/api/v3/app/hook/deliveries?per_page=1", nil)
	require.NoError(t, err)
	assert.EqualValues(t, 0, r.at(0, "status_code"))
	assert.Contains(t, r.header.Get("Link"), "cursor=")
	failed, err := w.send(w.jwt(), "GET", "/api/v3/app/hook/deliveries?status=failure", nil)
	require.NoError(t, err)
	assert.Zero(t, failed.len(), "the filter hides connections that failed")
	again, err := w.send(w.jwt(), "POST", fmt.Sprintf("/api/v3/app/hook/deliveries/%d/attempts", int64(r.at(0, "id").(float64))), nil)
	require.NoError(t, err)
	assert.Equal(t, 202, again.status)
	w.gh.Flush()
	assert.Equal(t, 2, count[r.at(0, "guid").(string)])
	w.clock.pass(73 * time.Hour)
	r, err = w.send(w.jwt(), "GET", "/api/v3/app/hook/deliveries", nil)
	require.NoError(t, err)
	assert.Zero(t, r.len(), "GitHub keeps three days")
}

func TestOnlySubscribedEventsAreSent(t *testing.T) {
	w := newWorld(t, Options{})
	deaf := w.gh.CreateApp(AppSpec{Slug: "deaf", Permissions: map[string]string{"checks": "write"}, Secret: "x"})
	deaf.Install("acme")
	before := len(w.gh.Deliveries())
	w.repo.OpenIssue("ada", "one", "")
	assert.Len(t, w.gh.Deliveries(), before+1, "the App that asked for issues, and not the other")
}

func TestButtonsAndReruns(t *testing.T) {
	w := newWorld(t, Options{})
	pr := w.plan()
	r := w.must(201, "POST", repoPath+"/check-runs", map[string]any{
		"name": "gate", "head_sha": pr.View().Head, "status": "completed", "conclusion": "failure",
		"actions": []any{map[string]any{"label": "Mend", "description": "d", "identifier": "mend"}},
	})
	id := int64(r.at("id").(float64))
	w.repo.ClickAction("ada", id, "mend")
	w.repo.Rerequest("ada", id)
	w.repo.RerequestSuite("ada", w.app, pr.View().Head)
	es := w.events()
	assert.Equal(t, []string{"check_run.requested_action", "check_run.rerequested", "check_suite.rerequested"}, es[len(es)-3:])
	assert.Panics(t, func() { w.repo.ClickAction("ada", id, "other") })
}
