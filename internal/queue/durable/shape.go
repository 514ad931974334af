package durable

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// A lane is the partition token of a subject: keys of different urgency wait
// in different lines.
type lane string

const (
	urgent lane = "u" // people wait
	normal lane = "n"
	later  lane = "l" // waits for its NotBefore, then moves to normal
)

var (
	lanes    = []lane{urgent, normal, later}
	runnable = []lane{urgent, normal}
)

// wq.<lane>.<installation>.<repository>.<kind>.<id>
func workSubject(l lane, k queue.Key) string { return "wq." + string(l) + "." + k.String() }

func inboxSubject(k queue.Key, digest string) string { return "in." + k.String() + "." + digest }

func deadSubject(k queue.Key) string { return "dlq." + k.String() }

// subjectKey reads the key of a subject, which is at its end.
func subjectKey(subject, prefix string) (queue.Key, error) {
	s, ok := strings.CutPrefix(subject, prefix)
	if !ok {
		return queue.Key{}, fmt.Errorf("%w: subject is not under %s", queue.ErrInvalid, prefix)
	}
	return queue.ParseKey(s)
}

const (
	failsKept   = 7 * 24 * time.Hour  // the failures of a key that nobody adds again
	payloadKept = 30 * 24 * time.Hour // a payload of a key that stays dead
	budgetKept  = 2 * time.Hour       // GitHub's limits start again each hour
	idKept      = 2 * time.Minute     // the random id of an Add, which is tried for seconds
	// maxHeader is what a message holds beside its payload, in bytes.
	maxHeader = 4 << 10
)

// shape are the handles of what the engine keeps.
type shape struct {
	work, inbox, dlq             jetstream.Stream
	lease, fails, budget, cursor bucket
	lanes                        map[lane]jetstream.Consumer
}

// makeShape creates or updates streams, buckets and consumers. It may be
// repeated at any time.
func (q *Queue) makeShape(ctx context.Context) error {
	var s shape
	for _, c := range []struct {
		stream *jetstream.Stream
		config jetstream.StreamConfig
	}{
		// No MaxMsgs or MaxBytes: they would throw other keys out.
		{&s.work, jetstream.StreamConfig{
			Name: "WORK", Subjects: []string{"wq.>"}, Retention: jetstream.WorkQueuePolicy,
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardOld, Duplicates: idKept, MaxMsgSize: maxHeader,
		}},
		{&s.inbox, jetstream.StreamConfig{
			Name: "INBOX", Subjects: []string{"in.>"}, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardOld,
			MaxAge: payloadKept, Duplicates: idKept, MaxMsgSize: queue.MaxPayload + maxHeader,
		}},
		{&s.dlq, jetstream.StreamConfig{
			Name: "DLQ", Subjects: []string{"dlq.>"}, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardOld,
			Duplicates: idKept, MaxMsgSize: 2 * maxHeader,
		}},
	} {
		c.config.Storage, c.config.Replicas = jetstream.FileStorage, q.o.Replicas
		stream, err := q.js.CreateOrUpdateStream(ctx, c.config)
		if err != nil {
			return fmt.Errorf("make stream %s: %w", c.config.Name, err)
		}
		*c.stream = stream
	}
	for _, c := range []struct {
		bucket  *bucket
		name    string
		kept    time.Duration // 0: for ever
		storage jetstream.StorageType
	}{
		// A lease need not outlive the engine: whoever held it is gone too.
		{&s.lease, "LEASE", q.o.Lease, jetstream.MemoryStorage},
		{&s.fails, "FAILS", failsKept, jetstream.FileStorage},
		{&s.budget, "BUDGET", budgetKept, jetstream.MemoryStorage},
		{&s.cursor, "CURSOR", 0, jetstream.FileStorage},
	} {
		config := bucketConfig(c.name, c.kept, c.storage)
		config.Replicas = q.o.Replicas
		stream, err := q.js.CreateOrUpdateStream(ctx, config)
		if err != nil {
			return fmt.Errorf("make bucket %s: %w", c.name, err)
		}
		*c.bucket = bucket{q.js, stream, bucketPrefix(c.name)}
	}
	s.lanes = make(map[lane]jetstream.Consumer)
	for _, l := range lanes {
		c, err := s.work.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: "lane-" + string(l), FilterSubject: "wq." + string(l) + ".>",
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: q.o.Lease,
			// How often a message came says nothing about its key: it also comes
			// back because another process holds the lease.
			MaxDeliver: -1,
			// Retries and moments to come stay pending and must not stop the rest.
			MaxAckPending: -1,
		})
		if err != nil {
			return fmt.Errorf("make consumer of lane %s: %w", l, err)
		}
		s.lanes[l] = c
	}
	q.shapeMu.Lock()
	defer q.shapeMu.Unlock()
	q.shape = s
	return nil
}

// shaped returns the handles.
func (q *Queue) shaped() shape {
	q.shapeMu.RLock()
	defer q.shapeMu.RUnlock()
	return q.shape
}

// reshape makes again what an engine in memory forgot when it was restarted.
func (q *Queue) reshape() {
	ctx, cancel := context.WithTimeout(q.done, 2*askWithin)
	defer cancel()
	if err := q.makeShape(ctx); err != nil && q.done.Err() == nil {
		q.o.Report(fmt.Errorf("reopen queue: %w", err))
	}
}
