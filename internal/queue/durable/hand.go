package durable

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/fair"
)

// hand is what this process has taken from the store and not yet settled. It
// is small, so that other processes find work too, and fair: no repository
// fills it, so that there is always room to take a quiet one's key from behind
// a noisy one's thousand.
type hand struct {
	window int // keys a lane; four for each worker

	mu      sync.Mutex
	keys    map[queue.Key]*task
	waiting map[lane]int  // keys that wait, by the lane they came from
	shares  map[share]int // keys of a repository, by the lane they came from first
	urgent  fair.Turns[repository, queue.Key]
	normal  fair.Turns[repository, queue.Key]
	turn    int
	running int

	wake chan struct{} // a key waits; cap 1
	room map[lane]chan struct{}
}

// repository is the group among which turns are taken.
type repository struct{ installation, repository int64 }

// share is what a repository has of a lane: a sweep's keys must not keep a
// person's out.
type share struct {
	lane lane
	repository
}

func groupOf(k queue.Key) repository { return repository{k.Installation, k.Repository} }

// task is a key in the hand.
type task struct {
	key     queue.Key
	share   share
	from    lane
	held    map[lane]message // not yet given to a run
	given   []message        // of the run that is on
	waiting bool
	running bool
}

type message struct {
	jetstream.Msg
	sequence uint64
}

func newHand(workers int) *hand {
	h := &hand{
		window:  max(32, 4*workers),
		keys:    make(map[queue.Key]*task),
		waiting: make(map[lane]int),
		shares:  make(map[share]int),
		wake:    make(chan struct{}, 1),
		room:    make(map[lane]chan struct{}),
	}
	for _, l := range runnable {
		h.room[l] = make(chan struct{}, 1)
	}
	return h
}

// free is how many more keys of a lane fit.
func (h *hand) free(l lane) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.window - h.waiting[l]
}

// taken says what became of a message that was offered to the hand.
type taken int

const (
	kept      taken = iota
	coalesced       // it took the place of an older message of its key
	over            // its repository has its share; the message goes back
)

// take puts a message into the hand. Of two messages of a key in a lane the
// one with the higher sequence stays: the other is no longer in the store.
func (h *hand) take(k queue.Key, l lane, m message) (what taken, old *message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.keys[k]
	if t == nil {
		mine := share{l, groupOf(k)}
		if h.shares[mine] >= h.fair(mine) {
			return over, nil
		}
		t = &task{key: k, share: mine, held: make(map[lane]message)}
		h.keys[k] = t
		h.shares[mine]++
	}
	what = kept
	if was, ok := t.held[l]; ok {
		if was.sequence > m.sequence {
			was, m = m, was
		}
		what = coalesced
		old = &was
	}
	t.held[l] = m
	switch {
	case t.running:
	case !t.waiting:
		h.wait(t, l)
	case l == urgent && t.from != urgent:
		h.waiting[t.from]--
		h.wait(t, l)
	}
	return what, old
}

// fair is what a repository may have: the lane's window is divided among those
// that are in it and one that may come. The caller holds mu.
func (h *hand) fair(mine share) int {
	parts := 2
	for s := range h.shares {
		if s.lane == mine.lane && s != mine {
			parts++
		}
	}
	return max(1, h.window/parts)
}

// wait lines a task up. The caller holds mu.
func (h *hand) wait(t *task, l lane) {
	t.waiting, t.from = true, l
	h.waiting[l]++
	if l == urgent {
		h.urgent.Push(groupOf(t.key), t.key)
	} else {
		h.normal.Push(groupOf(t.key), t.key)
	}
	signal(h.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sharedTurns is how many urgent keys go before one that is not.
const sharedTurns = 8

// next gives the task whose turn it is to a run, with all its messages.
func (h *hand) next() *task {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.urgent.Len()+h.normal.Len() > 0 {
		h.turn++
		fromUrgent := h.urgent.Len() > 0 && (h.turn%sharedTurns != 0 || h.normal.Len() == 0)
		line := &h.normal
		if fromUrgent {
			line = &h.urgent
		}
		k, _ := line.Pop()
		t := h.keys[k]
		if t == nil || !t.waiting || (t.from == urgent) != fromUrgent {
			continue // it has moved to the urgent line
		}
		h.waiting[t.from]--
		signal(h.room[t.from])
		t.waiting, t.running = false, true
		h.running++
		for _, l := range runnable {
			if m, ok := t.held[l]; ok {
				t.given = append(t.given, m)
			}
		}
		clear(t.held)
		return t
	}
	return nil
}

// settle ends a task's run. What came meanwhile waits for the next one.
func (h *hand) settle(t *task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.running, t.given = false, nil
	h.running--
	for _, l := range runnable {
		if _, ok := t.held[l]; ok {
			h.wait(t, l)
			return
		}
	}
	h.forget(t)
}

// forget drops a task. The caller holds mu.
func (h *hand) forget(t *task) {
	delete(h.keys, t.key)
	if h.shares[t.share]--; h.shares[t.share] == 0 {
		delete(h.shares, t.share)
	}
	for _, l := range runnable {
		signal(h.room[l])
	}
}

// empty takes every key out that is not at work, and returns the messages.
func (h *hand) empty() []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var back []message
	for _, t := range h.keys {
		for _, m := range t.held {
			back = append(back, m)
		}
		clear(t.held)
		if t.waiting {
			t.waiting = false
			h.waiting[t.from]--
			h.forget(t)
		}
	}
	return back
}

// messages lists all that is in the hand, to be kept from coming again.
func (h *hand) messages() []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []message
	for _, t := range h.keys {
		all = slices.Concat(all, t.given)
		for _, m := range t.held {
			all = append(all, m)
		}
	}
	return all
}

func (h *hand) runs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running
}

// aside is how long a message over its repository's share stays away: short at
// first, so that the workers never wait for a lone noisy repository, and longer
// each time, so that ten thousand such messages are not all traffic.
func aside(deliveries uint64) time.Duration {
	d := min(time.Duration(deliveries)*50*time.Millisecond, 2*time.Second)
	return d + rand.N(d/4)
}
