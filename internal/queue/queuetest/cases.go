package queuetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
)

var errTest = errors.New("it did not work")

var cases = []struct {
	name    string
	workers int
	test    func(t *testing.T, d *driver)
}{
	{"an added key runs", 2, func(_ *testing.T, d *driver) {
		d.add(pr(1, "1"), queue.AddOptions{})
		d.start()
		d.nextIs(pr(1, "1")).Ends(nil)
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil)
		d.eventually("nothing waits or runs", func() bool {
			s := d.Stats()
			return s.Waiting == 0 && s.Running == 0 && s.Dead == 0
		})
	}},

	{"equal keys that wait run once", 1, func(_ *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		first := d.nextIs(pr(1, "1"))
		for range 100 {
			d.add(pr(1, "2"), queue.AddOptions{})
		}
		d.add(pr(1, "3"), queue.AddOptions{})
		first.Ends(nil)
		d.nextIs(pr(1, "2")).Ends(nil)
		d.nextIs(pr(1, "3")).Ends(nil)
	}},

	{"a key added while it runs runs once more, and never beside itself", 4, func(_ *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		first := d.nextIs(pr(1, "1"))
		for range 100 {
			d.add(pr(1, "1"), queue.AddOptions{})
		}
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil) // workers are free, yet key 1 did not start again
		first.Ends(nil)
		d.nextIs(pr(1, "1")).Ends(nil)
		d.add(pr(1, "3"), queue.AddOptions{})
		d.nextIs(pr(1, "3")).Ends(nil)
	}},

	{"an error of ours is tried again and then dead", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("alert")})
		for range 3 {
			d.nextIs(pr(1, "1")).Ends(errTest)
		}
		d.eventually("a dead letter", func() bool { return len(d.dead()) == 1 })
		letter := d.dead()[0]
		assert.Equal(t, pr(1, "1"), letter.Key)
		assert.Equal(t, 3, letter.Failures)
		assert.Equal(t, errTest.Error(), letter.Reason)
		assert.False(t, letter.At.IsZero())
		d.eventually("it is counted", func() bool { return d.Stats().Dead == 1 })

		require.ErrorIs(t, d.Requeue(t.Context(), pr(1, "2")), queue.ErrNotDead)
		require.NoError(t, d.Requeue(t.Context(), pr(1, "1")))
		r := d.nextIs(pr(1, "1"))
		assert.Equal(t, []string{"alert"}, r.Payloads, "a dead key keeps its payload")
		assert.Empty(t, d.dead())
		r.Ends(nil)
	}},

	{"a panic is ours", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		for range 3 {
			d.nextIs(pr(1, "1")).Panics("nil map")
		}
		d.eventually("a dead letter", func() bool { return len(d.dead()) == 1 })
		assert.Equal(t, "panic: nil map", d.dead()[0].Reason)
	}},

	{"a long reason is cut", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		for range 3 {
			d.nextIs(pr(1, "1")).Ends(errors.New(strings.Repeat("x", 10*queue.MaxReason)))
		}
		d.eventually("a dead letter", func() bool { return len(d.dead()) == 1 })
		assert.Len(t, d.dead()[0].Reason, queue.MaxReason)
	}},

	{"a success forgets the failures before it", 1, func(t *testing.T, d *driver) {
		d.start()
		for range 3 {
			d.add(pr(1, "1"), queue.AddOptions{})
			d.nextIs(pr(1, "1")).Ends(errTest)
			d.nextIs(pr(1, "1")).Ends(errTest)
			d.nextIs(pr(1, "1")).Ends(nil)
		}
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil)
		assert.Empty(t, d.dead())
	}},

	{"a dead key that is added and succeeds is dead no more", 1, func(_ *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		for range 3 {
			d.nextIs(pr(1, "1")).Ends(errTest)
		}
		d.eventually("a dead letter", func() bool { return d.Stats().Dead == 1 && len(d.dead()) == 1 })
		d.add(pr(1, "1"), queue.AddOptions{})
		d.nextIs(pr(1, "1")).Ends(nil)
		d.eventually("no dead letter", func() bool { return len(d.dead()) == 0 })
	}},

	{"a transient error never counts", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		for range 10 {
			d.nextIs(pr(1, "1")).Ends(queue.Transient(errTest, 0))
		}
		d.nextIs(pr(1, "1")).Ends(fmt.Errorf("read pull request: %w", queue.Transient(errTest, time.Millisecond)))
		d.nextIs(pr(1, "1")).Ends(errTest)
		d.nextIs(pr(1, "1")).Ends(queue.Transient(errTest, 0))
		d.nextIs(pr(1, "1")).Ends(errTest)
		d.nextIs(pr(1, "1")).Ends(nil)
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil)
		assert.Empty(t, d.dead())
	}},

	{"a transient error waits as long as it says", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		r := d.nextIs(pr(1, "1"))
		failed := time.Now()
		r.Ends(queue.Transient(errTest, 400*time.Millisecond))
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil) // others go on meanwhile
		again := d.nextIs(pr(1, "1"))
		assert.GreaterOrEqual(t, again.At.Sub(failed), 400*time.Millisecond)
		again.Ends(nil)
	}},

	{"a fresh Add does not wait for the retry", 1, func(_ *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		d.nextIs(pr(1, "1")).Ends(queue.Transient(errTest, time.Hour))
		d.eventually("it rests", func() bool { return d.Stats().Running == 0 })
		d.add(pr(1, "1"), queue.AddOptions{})
		d.nextIs(pr(1, "1")).Ends(nil)
	}},

	{"what is gone is dropped", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("alert")})
		d.nextIs(pr(1, "1")).Ends(fmt.Errorf("read repository: %w", queue.Gone(errTest)))
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil)
		d.add(pr(1, "1"), queue.AddOptions{})
		r := d.nextIs(pr(1, "1"))
		assert.Empty(t, r.Payloads)
		r.Ends(nil)
		assert.Empty(t, d.dead())
	}},

	{"a key waits for its moment, the earlier of two", 1, func(t *testing.T, d *driver) {
		d.start()
		at := time.Now().Add(400 * time.Millisecond)
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: at})
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: at.Add(time.Hour)})
		d.eventually("it is counted as delayed", func() bool { return d.Stats().Delayed == 1 })
		d.add(pr(1, "2"), queue.AddOptions{})
		d.nextIs(pr(1, "2")).Ends(nil)
		r := d.nextIs(pr(1, "1"))
		assert.False(t, r.At.Before(at))
		r.Ends(nil)
	}},

	{"an earlier moment takes the place of a later one", 1, func(_ *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: time.Now().Add(time.Hour)})
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: time.Now().Add(50 * time.Millisecond)})
		d.nextIs(pr(1, "1")).Ends(nil)
	}},

	{"a moment stands beside an immediate Add", 1, func(t *testing.T, d *driver) {
		d.start()
		at := time.Now().Add(400 * time.Millisecond)
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: at})
		d.add(pr(1, "1"), queue.AddOptions{})
		first := d.nextIs(pr(1, "1"))
		first.Ends(nil)
		second := d.nextIs(pr(1, "1"))
		assert.False(t, second.At.Before(at))
		second.Ends(nil)
	}},

	{"a moment that is added during the run of another one is kept", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: time.Now().Add(50 * time.Millisecond)})
		first := d.nextIs(pr(1, "1"))
		at := time.Now().Add(200 * time.Millisecond)
		d.add(pr(1, "1"), queue.AddOptions{NotBefore: at})
		first.Ends(nil)
		second := d.nextIs(pr(1, "1"))
		assert.False(t, second.At.Before(at))
		second.Ends(nil)
	}},

	{"a run follows each moment, wherever the one before it is", 1, func(t *testing.T, d *driver) {
		d.start()
		key := pr(1, "1")
		for i := range 40 {
			d.add(key, queue.AddOptions{NotBefore: time.Now().Add(20 * time.Millisecond)})
			phase := time.After(time.Duration(i) * time.Millisecond) // before it is due, on its way, at its run
			var running *Look
			for waiting := true; waiting; {
				select {
				case running = <-d.started:
				case <-phase:
					waiting = false
				}
			}
			d.add(key, queue.AddOptions{NotBefore: time.Now().Add(10 * time.Millisecond)})
			added := time.Now()
			if running != nil {
				running.Ends(nil)
			}
			for {
				r := d.nextIs(key)
				r.Ends(nil)
				if !r.At.Before(added) {
					break
				}
			}
			require.Equal(t, 0, d.Stats().Dead)
		}
	}},

	{"urgent keys go first, and the others are not forgotten", 1, func(t *testing.T, d *driver) {
		for i := range 20 {
			d.add(pr(1, fmt.Sprint("sweep", i)), queue.AddOptions{})
		}
		d.add(pr(1, "person"), queue.AddOptions{Urgent: true})
		d.start()
		place := 0
		for i := range 21 {
			r := d.next()
			if r.ID == "person" {
				place = i + 1
			}
			r.Ends(nil)
		}
		assert.NotZero(t, place)
		assert.LessOrEqual(t, place, 3)
	}},

	{"one noisy repository does not hold up the quiet ones", 1, func(t *testing.T, d *driver) {
		const noisy, quiet = 300, 10
		for i := range noisy {
			d.add(pr(1, fmt.Sprint(i)), queue.AddOptions{Urgent: true})
		}
		for i := range quiet {
			d.add(pr(int64(100+i), "1"), queue.AddOptions{Urgent: true})
		}
		d.start()
		last := 0
		for i := range noisy + quiet {
			r := d.next()
			if r.Repository != 1 {
				last = i + 1
			}
			r.Ends(nil)
		}
		assert.Less(t, last, noisy/3, "the last quiet key ran as number %d", last)
	}},

	{"payloads come with the run, equal ones once, until it succeeds", 1, func(t *testing.T, d *driver) {
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("a")})
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("b")})
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("a")})
		d.add(pr(1, "1"), queue.AddOptions{})
		d.start()
		r := d.nextIs(pr(1, "1"))
		assert.Equal(t, []string{"b", "a"}, r.Payloads, "in the order of their last Add")
		r.Ends(errTest)
		r = d.nextIs(pr(1, "1"))
		assert.Equal(t, []string{"b", "a"}, r.Payloads, "in the order of their last Add")
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("c")})
		d.add(pr(1, "1"), queue.AddOptions{Payload: []byte("b")})
		r.Ends(nil)
		r = d.nextIs(pr(1, "1"))
		assert.Equal(t, []string{"c", "b"}, r.Payloads, "what came during the run stays")
		r.Ends(nil)
		d.add(pr(1, "1"), queue.AddOptions{})
		r = d.nextIs(pr(1, "1"))
		assert.Empty(t, r.Payloads)
		r.Ends(nil)
	}},

	{"payloads are capped in size", 1, func(t *testing.T, d *driver) {
		assert.NoError(t, d.Add(t.Context(), pr(1, "1"), queue.AddOptions{Payload: make([]byte, queue.MaxPayload)}))
		assert.ErrorIs(t, d.Add(t.Context(), pr(1, "1"), queue.AddOptions{Payload: make([]byte, queue.MaxPayload+1)}), queue.ErrTooLarge)
	}},

	{"payloads are capped in number", 1, func(t *testing.T, d *driver) {
		for i := range queue.MaxPayloads {
			d.add(pr(1, "1"), queue.AddOptions{Payload: fmt.Append(nil, i)})
		}
		assert.ErrorIs(t, d.Add(t.Context(), pr(1, "1"), queue.AddOptions{Payload: []byte("one more")}), queue.ErrTooMany)
		assert.NoError(t, d.Add(t.Context(), pr(1, "1"), queue.AddOptions{Payload: []byte("0")}), "one that waits already")
		assert.NoError(t, d.Add(t.Context(), pr(1, "2"), queue.AddOptions{Payload: []byte("one more")}), "another key")
	}},

	{"running work ends in peace, waiting keys stay", 1, func(t *testing.T, d *driver) {
		d.start()
		d.add(pr(1, "1"), queue.AddOptions{})
		r := d.nextIs(pr(1, "1"))
		d.add(pr(1, "2"), queue.AddOptions{})
		d.stop()
		select {
		case err := <-d.stopped:
			require.FailNow(t, "Run returned before its work", "%v", err)
		case <-time.After(50 * time.Millisecond):
		}
		require.NoError(t, r.Ctx.Err(), "work may end what it began")
		r.Ends(nil)
		select {
		case err := <-d.stopped:
			require.NoError(t, err)
		case <-time.After(patience):
			require.FailNow(t, "Run did not return")
		}
		keys, err := d.Waiting(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, []queue.Key{pr(1, "2")}, keys)
	}},

	{"keys that wait are listed, oldest first", 1, func(t *testing.T, d *driver) {
		for _, id := range []string{"1", "2", "3"} {
			d.add(pr(1, id), queue.AddOptions{})
			time.Sleep(2 * time.Millisecond) // one moment each: the order is by time
		}
		keys, err := d.Waiting(t.Context(), 2)
		require.NoError(t, err)
		assert.Equal(t, []queue.Key{pr(1, "1"), pr(1, "2")}, keys)
		d.eventually("they are counted", func() bool {
			s := d.Stats()
			return s.Waiting == 3 && s.Oldest > 0
		})
	}},

	{"a key that has no place is refused", 1, func(t *testing.T, d *driver) {
		assert.ErrorIs(t, d.Add(t.Context(), queue.Key{}, queue.AddOptions{}), queue.ErrInvalid)
		assert.ErrorIs(t, d.Add(t.Context(), queue.Key{Installation: 1, Kind: "p.>"}, queue.AddOptions{}), queue.ErrInvalid)
	}},

	{"a closed queue takes nothing", 1, func(t *testing.T, d *driver) {
		require.NoError(t, d.Close())
		assert.ErrorIs(t, d.Add(t.Context(), pr(1, "1"), queue.AddOptions{}), queue.ErrClosed)
	}},
}
