package webhook

import (
	"hash/fnv"
	"sync"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// In a burst, a subject that is told of again and again is looked at in turns.
const (
	// burstOver and burstWithin: more keys in so short a time are a burst. What
	// ten thousand repositories cause on a usual day is far from it.
	burstOver   = 200
	burstWithin = 10 // s
	// hotWithin is how soon a key must come again. Two people who approve are
	// further apart.
	hotWithin = 3 * time.Second
	// turnEach is how often a hot key is looked at.
	turnEach = 8 * time.Second
	// maxHot bounds what is remembered, in keys; about 2 MB.
	maxHot = 10_000
)

// burst sees when deliveries come so fast that each look is old before it
// ends, and then has a key that comes again wait for its turn: a look that
// serves all that came since the last one. The first event of a key never
// waits. Turns are by the clock and the key alone, so replicas that each get a
// part of the events mean the same moment.
type burst struct {
	mu     sync.Mutex
	counts [burstWithin]int // keys in each second, a ring
	second int64            // the ring's last
	total  int
	seen   [2]map[queue.Key]time.Time // when a key last came; the second is the older half
	turned time.Time                  // when the halves last changed
}

// comesAgain notes a key, and says whether it came just before in a burst.
func (b *burst) comesAgain(k queue.Key, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(now.Unix())
	last := b.note(k, now)
	return b.total > burstOver && !last.IsZero() && now.Sub(last) < hotWithin
}

func (b *burst) count(second int64) {
	// A clock that was set makes the ring new; a burst is then seen a little later.
	if second < b.second || second >= b.second+burstWithin {
		b.counts, b.total, b.second = [burstWithin]int{}, 0, second
	}
	for ; b.second < second; b.second++ {
		next := (b.second + 1) % burstWithin
		b.total -= b.counts[next]
		b.counts[next] = 0
	}
	b.counts[second%burstWithin]++
	b.total++
}

// note remembers that the key came, and answers when it had come before.
func (b *burst) note(k queue.Key, now time.Time) (last time.Time) {
	if now.Sub(b.turned) >= hotWithin || len(b.seen[0]) >= maxHot/2 || b.seen[0] == nil {
		b.seen[1], b.seen[0], b.turned = b.seen[0], make(map[queue.Key]time.Time), now
	}
	last, ok := b.seen[0][k]
	if !ok {
		last = b.seen[1][k]
	}
	b.seen[0][k] = now
	return last
}

// turnOf is the first turn of a key after a moment. Keys take theirs at
// different times.
func turnOf(k queue.Key, after time.Time) time.Time {
	h := fnv.New64a()
	_, _ = h.Write([]byte(k.String())) // never fails
	phase := time.Duration(h.Sum64() % uint64(turnEach))
	return after.Add(-phase).Truncate(turnEach).Add(phase + turnEach)
}
