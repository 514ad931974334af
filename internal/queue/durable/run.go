package durable

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Work is what Run calls for each key.
type Work = func(context.Context, queue.Key) error

// Run implements queue.Queue.
func (q *Queue) Run(ctx context.Context, work Work) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(q.done, cancel)()

	// Work outlives ctx by the drain, to end what it began.
	workCtx, interrupt := context.WithCancel(context.WithoutCancel(ctx))
	defer interrupt()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(q.o.Drain, interrupt)
		context.AfterFunc(workCtx, func() { t.Stop() })
	})()

	var taking, running, holding sync.WaitGroup
	for _, l := range lanes {
		taking.Go(func() { q.takeFrom(ctx, l) })
	}
	holdCtx, letGo := context.WithCancel(context.Background())
	holding.Go(func() { q.hold(holdCtx) })

	slots := make(chan struct{}, q.o.Workers)
	for t := q.await(ctx, slots); t != nil; t = q.await(ctx, slots) {
		running.Go(func() {
			q.attempt(workCtx, work, t)
			<-slots
		})
	}

	// What waits here is other processes' from now on.
	taking.Wait()
	q.giveBack()
	running.Wait()
	q.giveBack() // what came for a key while it ran its last
	letGo()
	holding.Wait()
	return nil
}

// await waits for a free slot and a key; nil is the end.
func (q *Queue) await(ctx context.Context, slots chan struct{}) *task {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	for ctx.Err() == nil {
		if t := q.hand.next(); t != nil {
			return t
		}
		select {
		case <-q.hand.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

func (q *Queue) giveBack() {
	for _, m := range q.hand.empty() {
		_ = m.Nak() // unheard, it comes again when its time is over
	}
}

// hold keeps what is in the hand from being given to others.
func (q *Queue) hold(ctx context.Context) {
	tick := time.NewTicker(q.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, m := range q.hand.messages() {
				_ = m.InProgress()
			}
		}
	}
}

// movedAtOnce is how many moments are moved side by side: each costs two synced
// writes.
const movedAtOnce = 32

// takeFrom fills the hand from a lane, or moves the moments that have come.
func (q *Queue) takeFrom(ctx context.Context, l lane) {
	const pull = 5 * time.Second
	var moving sync.WaitGroup
	defer moving.Wait()
	for ctx.Err() == nil {
		room := movedAtOnce
		if l != later {
			room = q.hand.free(l)
		}
		if room <= 0 {
			select {
			case <-q.hand.room[l]:
			case <-ctx.Done():
			}
			continue
		}
		pullCtx, cancel := context.WithTimeout(ctx, pull)
		batch, err := q.shaped().lanes[l].Fetch(room, jetstream.FetchContext(pullCtx))
		if err == nil {
			for m := range batch.Messages() {
				if l == later {
					moving.Go(func() { q.move(ctx, m) })
				} else {
					q.take(l, m)
				}
			}
			moving.Wait()
			err = batch.Error()
		}
		early := pullCtx.Err() == nil
		cancel()
		if err != nil && early { // the engine is away; it is asked again, not hammered
			select {
			case <-time.After(250 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// take puts one message of a lane into the hand, if its repository's share allows.
func (q *Queue) take(l lane, m jetstream.Msg) {
	meta, k, ok := q.read(l, m)
	if !ok {
		return
	}
	switch what, old := q.hand.take(k, l, message{m, meta.Sequence.Stream}); what {
	case over:
		_ = m.NakWithDelay(aside(meta.NumDelivered))
	case coalesced:
		if old.sequence != meta.Sequence.Stream {
			q.coalesced.Add(1)
			q.o.Metrics.Coalesced()
		}
	}
}

// read is where a message stands and whose it is.
func (q *Queue) read(l lane, m jetstream.Msg) (meta *jetstream.MsgMetadata, k queue.Key, ok bool) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, k, false // not a delivery; it comes again
	}
	if k, err = subjectKey(m.Subject(), "wq."+string(l)+"."); err != nil {
		// Nothing of ours writes it. It would come for ever.
		q.o.Report(fmt.Errorf("drop a message of the queue: %w", err))
		_ = m.Term()
		return nil, k, false
	}
	return meta, k, true
}

// move puts a key whose moment has come among those that may run. It leaves its
// lane before it runs, so that a moment found there is one that has not begun;
// it leaves only when the key is durable in the other, where a crash between
// the two costs one more look.
func (q *Queue) move(ctx context.Context, m jetstream.Msg) {
	_, k, ok := q.read(later, m)
	if !ok {
		return
	}
	if wait := time.Until(momentOf(m.Headers())); wait > 0 {
		_ = m.NakWithDelay(wait)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err := q.publish(ctx, nats.NewMsg(workSubject(normal, k)))
	if err == nil {
		err = m.DoubleAck(ctx)
	}
	if err != nil && !errors.Is(err, nats.ErrMsgAlreadyAckd) { // it comes again
		_ = m.NakWithDelay(q.o.Backoff(1))
	}
}

// attempt runs a task once and settles its messages.
func (q *Queue) attempt(ctx context.Context, work Work, t *task) {
	defer q.hand.settle(t)
	lease, err := q.lease(ctx, t)
	if err != nil {
		return
	}
	// The lease goes last: whoever takes the key next finds it settled.
	defer func() {
		ctx, cancel := q.background()
		defer cancel()
		_ = lease.release(ctx) // unheard, it runs out
	}()

	// gofail: var afterPull struct{}
	// crash()
	fails, payloads, err := q.prepare(ctx, t)
	if err != nil {
		q.o.Report(fmt.Errorf("begin key %s: %w", t.key, err))
		q.again(t, q.o.Backoff(1))
		return
	}

	if fails.before >= q.o.MaxFailures { // its runs ended with their processes
		ctx, cancel := q.background()
		defer cancel()
		if err := q.giveUp(ctx, t, fails, fails.before, errKilled); err != nil {
			q.o.Report(fmt.Errorf("give up key %s: %w", t.key, err))
		}
		return
	}

	runCtx, lost := context.WithCancel(ctx)
	defer lost()
	var keeper sync.WaitGroup
	keeper.Go(func() { lease.keep(runCtx, lost) })
	given := make([][]byte, len(payloads))
	for i, p := range payloads {
		given[i] = p.Data
	}
	start := time.Now()
	class, retryAfter, err := queue.Attempt(queue.WithPayloads(queue.WithLease(runCtx, lease.check), given), work, t.key)
	if runCtx.Err() != nil && class != queue.ClassInterrupted {
		// Work ended well, but while another process may have had the key.
		class = queue.ClassInterrupted
	}
	lost()
	keeper.Wait()
	q.o.Metrics.Ran(t.key, class, time.Since(start))

	settleCtx, cancel := q.background()
	defer cancel()
	if err := q.settle(settleCtx, t, class, retryAfter, err, fails, payloads); err != nil && q.done.Err() == nil {
		// Whatever is not settled comes again, and work is repeatable.
		q.o.Report(fmt.Errorf("settle key %s: %w", t.key, err))
	}
}

// lease takes the lease, or puts the task off.
func (q *Queue) lease(ctx context.Context, t *task) (*lease, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	l, err := q.acquire(ctx, t.key)
	switch {
	case errors.Is(err, errBusy):
		q.again(t, min(time.Second, q.o.Lease/4))
	case err != nil:
		q.again(t, q.o.Backoff(1))
	}
	return l, err
}

// again sends a task's messages back for a while.
func (q *Queue) again(t *task, wait time.Duration) {
	for _, m := range t.given {
		_ = m.NakWithDelay(wait) // unheard, it comes again when its time is over
	}
}

// failures is a key's counter in FAILS: the failures of ours in a row, and the
// revision under which the run that is on has been counted in advance.
type failures struct {
	before   int
	revision uint64
}

// prepare counts the run as failed, before it starts, and reads the payloads.
func (q *Queue) prepare(ctx context.Context, t *task) (failures, []*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var f failures
	shape := q.shaped()
	value, revision, err := shape.fails.get(ctx, t.key.String())
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return f, nil, fmt.Errorf("read failures: %w", err)
	default:
		if f.before, err = strconv.Atoi(string(value)); err != nil {
			return f, nil, fmt.Errorf("read failures: %w", err)
		}
	}
	if f.revision, err = shape.fails.put(ctx, t.key.String(), strconv.AppendInt(nil, int64(f.before)+1, 10), revision); err != nil {
		return f, nil, fmt.Errorf("count failure: %w", err)
	}
	subjects, err := q.payloadSubjects(ctx, t.key)
	if err != nil {
		return f, nil, fmt.Errorf("list payloads: %w", err)
	}
	var payloads []*jetstream.RawStreamMsg
	for s := range subjects {
		m, err := shape.inbox.GetLastMsgForSubject(ctx, s)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return f, nil, fmt.Errorf("read payload: %w", err)
		}
		payloads = append(payloads, m)
	}
	slices.SortFunc(payloads, func(a, b *jetstream.RawStreamMsg) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return f, payloads, nil
}

// settle writes down what came of a run. Each step may be the last one of the
// process: the message is given up only when everything else is done.
func (q *Queue) settle(ctx context.Context, t *task, class queue.Class, retryAfter time.Duration, why error,
	fails failures, payloads []*jetstream.RawStreamMsg,
) error {
	shape := q.shaped()
	name := t.key.String()
	uncount := func() error {
		if fails.before == 0 {
			return shape.fails.drop(ctx, fails.revision)
		}
		_, err := shape.fails.put(ctx, name, strconv.AppendInt(nil, int64(fails.before), 10), fails.revision)
		return err
	}
	switch class {
	case queue.ClassDone, queue.ClassGone:
		for _, p := range payloads {
			if err := remove(ctx, shape.inbox, p.Sequence); err != nil {
				return fmt.Errorf("drop payload: %w", err)
			}
		}
		if q.dead.Load() > 0 { // whatever it died of, it is well now
			if err := shape.dlq.Purge(ctx, jetstream.WithPurgeSubject(deadSubject(t.key))); err != nil {
				return fmt.Errorf("drop dead letter: %w", err)
			}
		}
		if class == queue.ClassGone {
			if err := shape.work.Purge(ctx, jetstream.WithPurgeSubject(workSubject(later, t.key))); err != nil {
				return fmt.Errorf("drop moment: %w", err)
			}
		}
		q.retries.forget(t.key)
		return errors.Join(q.ack(ctx, t), shape.fails.drop(ctx, fails.revision))
	case queue.ClassTransient:
		if n := q.retries.count(t.key); retryAfter == 0 {
			retryAfter = q.o.Backoff(n)
		}
		q.again(t, retryAfter)
		return uncount()
	case queue.ClassInterrupted:
		q.again(t, 0)
		return uncount()
	}
	n := fails.before + 1
	if n < q.o.MaxFailures {
		q.again(t, q.o.Backoff(n))
		return nil
	}
	return q.giveUp(ctx, t, fails, n, why)
}

// errKilled is the reason of a letter where no run lived to give one.
var errKilled = errors.New("the process ended during each of its runs")

// giveUp writes a dead letter and settles the task.
func (q *Queue) giveUp(ctx context.Context, t *task, fails failures, n int, why error) error {
	if err := q.bury(ctx, t.key, n, why); err != nil {
		q.again(t, q.o.Backoff(n))
		return fmt.Errorf("write dead letter: %w", err)
	}
	q.o.Metrics.Died(t.key)
	return errors.Join(q.ack(ctx, t), q.shaped().fails.drop(ctx, fails.revision))
}

// ack gives a task's messages up, and waits until the engine has heard it.
func (q *Queue) ack(ctx context.Context, t *task) error {
	// gofail: var beforeAck struct{}
	// crash()
	for _, m := range t.given {
		if err := m.DoubleAck(ctx); err != nil && !errors.Is(err, nats.ErrMsgAlreadyAckd) {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	// gofail: var afterAck struct{}
	// crash()
	return nil
}

// retries counts transient failures in a row, for the backoff. It is only of
// this process and forgets when there are very many.
type retries struct {
	mu sync.Mutex
	n  map[queue.Key]int
}

const maxRetries = 10_000

func (r *retries) count(k queue.Key) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil || len(r.n) >= maxRetries {
		r.n = make(map[queue.Key]int)
	}
	r.n[k]++
	return r.n[k]
}

func (r *retries) forget(k queue.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.n, k)
}
