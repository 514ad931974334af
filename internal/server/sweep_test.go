package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/gh"
)

// hub remembers attempts as GitHub does; answer is what the receiver says.
type hub struct {
	now      time.Time
	attempts []gh.Delivery // oldest first
	answer   func(guid string) int
	broken   error // of the listing
	since    time.Time
}

func (h *hub) attempt(guid string, status int) {
	h.attempts = append(h.attempts, gh.Delivery{ID: int64(len(h.attempts) + 1), GUID: guid, At: h.now, Status: status})
}

func (h *hub) Deliveries(_ context.Context, since time.Time) ([]gh.Delivery, error) {
	h.since = since
	var out []gh.Delivery
	for i := len(h.attempts) - 1; i >= 0; i-- {
		if !h.attempts[i].At.Before(since) {
			out = append(out, h.attempts[i])
		}
	}
	return out, h.broken
}

func (h *hub) Redeliver(_ context.Context, id int64) error {
	d := h.attempts[id-1]
	if h.answer == nil {
		return errors.New("no redelivery expected")
	}
	h.attempt(d.GUID, h.answer(d.GUID))
	return nil
}

func newSweep(h *hub, c cursor) (*redeliveries, *int) {
	healed := new(int)
	return &redeliveries{
		github: h, cursor: c, window: 72 * time.Hour, now: func() time.Time { return h.now }, healed: func() { *healed++ },
	}, healed
}

func taken(string) int { return 202 }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestWhatNeverArrivedIsAskedForOnce(t *testing.T) {
	for name, status := range map[string]int{"connection failed": 0, "we answered 503": 503, "we refused the signature": 401} {
		t.Run(name, func(t *testing.T) {
			h := &hub{now: noon, answer: taken}
			h.attempt("lost", status)
			h.attempt("arrived", 202)
			r, healed := newSweep(h, &mortalCursor{})
			for range 3 {
				h.now = h.now.Add(redeliverEvery)
				_, err := r.sweep(t.Context())
				require.NoError(t, err)
			}
			require.Len(t, h.attempts, 3)
			assert.Equal(t, "lost", h.attempts[2].GUID)
			assert.Equal(t, 1, *healed)
		})
	}
}

func TestALaterAttemptThatArrivedIsEnough(t *testing.T) {
	h := &hub{now: noon}
	h.attempt("healed by hand", 0)
	h.now = h.now.Add(time.Hour)
	h.attempt("healed by hand", 202)
	h.now = h.now.Add(time.Hour)
	r, _ := newSweep(h, &mortalCursor{})
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAnAttemptUnderWayIsLeftAlone(t *testing.T) {
	h := &hub{now: noon, answer: taken}
	h.attempt("young", 0)
	r, _ := newSweep(h, &mortalCursor{})
	h.now = h.now.Add(settling - time.Second)
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	h.now = h.now.Add(redeliverEvery)
	n, err = r.sweep(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n, "the cursor waits for it")
}

func TestWhatIsRefusedEachTimeIsAskedForLessAndLess(t *testing.T) {
	h := &hub{now: noon, answer: func(string) int { return 400 }}
	h.attempt("malformed", 400)
	r, _ := newSweep(h, &mortalCursor{})
	for end := h.now.Add(4 * 24 * time.Hour); h.now.Before(end); h.now = h.now.Add(redeliverEvery) {
		_, err := r.sweep(t.Context())
		require.NoError(t, err)
	}
	// 5 minutes doubling to 6 hours, for as long as GitHub keeps the first one
	// (a redelivery is younger, and keeps the event alive).
	assert.Greater(t, len(h.attempts), 8)
	assert.Less(t, len(h.attempts), 30)
	for i, d := range h.attempts[1:] {
		assert.LessOrEqual(t, d.At.Sub(h.attempts[i].At), longestPatience+redeliverEvery)
	}
}

func TestOnlyWhatGitHubKeepsIsListed(t *testing.T) {
	h := &hub{now: noon, answer: taken}
	h.attempt("three days and an hour old", 0)
	h.now = h.now.Add(73 * time.Hour)
	r, _ := newSweep(h, &mortalCursor{})
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Equal(t, h.now.Add(-72*time.Hour), h.since)
}

func TestTheCursorFollowsWhatArrived(t *testing.T) {
	h, c := &hub{now: noon, answer: taken}, &mortalCursor{}
	r, _ := newSweep(h, c)
	h.attempt("a", 202)
	h.now = h.now.Add(time.Hour)
	_, err := r.sweep(t.Context())
	require.NoError(t, err)
	at := h.now
	h.now = h.now.Add(time.Hour)

	again, _ := newSweep(h, c) // another process
	_, err = again.sweep(t.Context())
	require.NoError(t, err)
	assert.Equal(t, at.Add(-2*settling), h.since)
}

func TestAListingThatFailsMovesNothing(t *testing.T) {
	h := &hub{now: noon, answer: taken, broken: errors.New("502")}
	h.attempt("lost", 0)
	h.now = h.now.Add(time.Hour)
	r, _ := newSweep(h, &mortalCursor{})
	_, err := r.sweep(t.Context())
	require.ErrorContains(t, err, "502")
	require.Len(t, h.attempts, 1)
	h.broken, h.now = nil, h.now.Add(redeliverEvery)
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestAListingThatIsCutHealsWhatItShows(t *testing.T) {
	h := &hub{now: noon, answer: taken, broken: gh.ErrManyDeliveries}
	h.attempt("lost", 0)
	h.now = h.now.Add(time.Hour)
	r, _ := newSweep(h, &mortalCursor{})
	n, err := r.sweep(t.Context())
	require.ErrorIs(t, err, gh.ErrManyDeliveries)
	assert.Equal(t, 1, n)
}

func TestTwoReplicasTakeTurns(t *testing.T) {
	h, c := &hub{now: noon, answer: func(string) int { return 503 }}, &mortalCursor{}
	h.attempt("lost", 0)
	h.now = h.now.Add(time.Hour)
	one, _ := newSweep(h, c)
	two, _ := newSweep(h, c)
	n, err := one.sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = two.sweep(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Len(t, h.attempts, 2)
}

func TestOneSweepIsBounded(t *testing.T) {
	h := &hub{now: noon, answer: taken}
	for i := range redeliveredAtOnce + 5 {
		h.attempt(fmt.Sprint(i), 0)
	}
	r, _ := newSweep(h, &mortalCursor{})
	h.now = h.now.Add(time.Hour)
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, redeliveredAtOnce, n)
	h.now = h.now.Add(redeliverEvery)
	n, err = r.sweep(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 5, n)
}

func TestACursorOfSomebodyElseBeginsAnew(t *testing.T) {
	h, c := &hub{now: noon, answer: taken}, &mortalCursor{}
	_, err := c.Put(t.Context(), cursorName, []byte("not JSON"), 0)
	require.NoError(t, err)
	h.attempt("lost", 0)
	h.now = h.now.Add(time.Hour)
	r, _ := newSweep(h, c)
	n, err := r.sweep(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}
