package durable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// notBefore is the header of a message in the later lane: a time, RFC 3339.
const notBefore = "Pilotgate-Not-Before"

// Add implements queue.Queue. Of an error nothing can be said but that the key
// may or may not be there; adding it again does no harm.
func (q *Queue) Add(ctx context.Context, k queue.Key, o queue.AddOptions) error {
	if err := k.Validate(); err != nil {
		return err
	}
	if len(o.Payload) > queue.MaxPayload {
		return queue.ErrTooLarge
	}
	if q.done.Err() != nil {
		return queue.ErrClosed
	}
	if err := q.health.space(q); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, addWithin)
	defer cancel()
	// The payload first: a key without its payload would be looked at in vain.
	if len(o.Payload) > 0 {
		if err := q.addPayload(ctx, k, o.Payload); err != nil {
			return fmt.Errorf("add payload: %w", err)
		}
	}
	if !o.NotBefore.IsZero() && time.Until(o.NotBefore) > 0 {
		return q.addLater(ctx, k, o.NotBefore)
	}
	l := normal
	if o.Urgent {
		l = urgent
	}
	return q.publish(ctx, nats.NewMsg(workSubject(l, k)))
}

// addPayload writes over an equal payload rather than pass it by: the run that
// has the old one may be about to drop it.
func (q *Queue) addPayload(ctx context.Context, k queue.Key, data []byte) error {
	sum := sha256.Sum256(data)
	m := nats.NewMsg(inboxSubject(k, hex.EncodeToString(sum[:16])))
	m.Data = data
	subjects, err := q.payloadSubjects(ctx, k)
	if err != nil {
		return err
	}
	if _, waits := subjects[m.Subject]; !waits && len(subjects) >= queue.MaxPayloads {
		return queue.ErrTooMany
	}
	return q.publish(ctx, m)
}

func (q *Queue) payloadSubjects(ctx context.Context, k queue.Key) (map[string]uint64, error) {
	info, err := q.shaped().inbox.Info(ctx, jetstream.WithSubjectFilter(inboxSubject(k, "*")))
	if err != nil {
		return nil, err
	}
	return info.State.Subjects, nil
}

// nearlyDue is how near a moment is that may be on its way to a run already, by
// the clock of another process.
const nearlyDue = 500 * time.Millisecond

// addLater keeps the earlier of two moments, by compare-and-set. It writes
// nothing where an earlier one waits, which is what makes bursts cheap. One
// that has come is given a while to leave its lane: its run may have begun.
func (q *Queue) addLater(ctx context.Context, k queue.Key, at time.Time) error {
	subject := workSubject(later, k)
	for patience := 30; ; patience-- {
		var last uint64
		waiting, err := q.shaped().work.GetLastMsgForSubject(ctx, subject)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return fmt.Errorf("read moment: %w", err)
		default:
			last = waiting.Sequence
			if moment := momentOf(waiting.Header); !at.Before(moment) {
				if time.Until(moment) > nearlyDue {
					q.coalesced.Add(1)
					q.o.Metrics.Coalesced()
					return nil
				}
				if moment.Before(time.Now()) && patience > 0 {
					select {
					case <-time.After(10 * time.Millisecond):
						continue
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				at = moment // under a new number, which the run of the old one leaves alone
			}
		}
		m := nats.NewMsg(subject)
		m.Header.Set(notBefore, at.UTC().Format(time.RFC3339Nano))
		err = q.publish(ctx, m, jetstream.WithExpectLastSequencePerSubject(last))
		if !isWrongSequence(err) {
			return err
		}
	}
}

// momentOf reads a moment; what cannot be read is due.
func momentOf(h nats.Header) time.Time {
	at, err := time.Parse(time.RFC3339Nano, h.Get(notBefore))
	if err != nil {
		return time.Time{}
	}
	return at
}

// publish returns nil when the message is on disk (in a cluster: with a
// majority). It tries again under the same id, so that an answer that was lost
// makes no second message. The id is random: a delivery's own would make a
// redelivery after a dead letter vanish.
func (q *Queue) publish(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) error {
	o = append(o, jetstream.WithMsgID(nuid.Next()), jetstream.WithRetryAttempts(0))
	for {
		next := time.NewTimer(addEach)
		attempt, cancel := context.WithTimeout(ctx, addEach)
		_, err := q.js.PublishMsg(attempt, m, o...)
		cancel()
		switch {
		case err == nil, isWrongSequence(err):
			next.Stop()
			return err
		case isFull(err):
			next.Stop()
			return fmt.Errorf("%w: %w", queue.ErrFull, err)
		case q.done.Err() != nil:
			next.Stop()
			return queue.ErrClosed
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return fmt.Errorf("publish: %w", err)
		}
	}
}

// isFull knows the engine's words for a lack of space.
func isFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == 10023 || api.ErrorCode == 10047)
}
