package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// letter is a message of DLQ; its key is in the subject.
type letter struct {
	At       time.Time `json:"at"`
	Failures int       `json:"failures"`
	Reason   string    `json:"reason"`
}

// maxLetters is how many dead letters are listed.
const maxLetters = 1000

// bury writes a dead letter.
func (q *Queue) bury(ctx context.Context, k queue.Key, failures int, why error) error {
	data, err := json.Marshal(letter{time.Now().UTC(), failures, queue.Reason(why)})
	if err != nil {
		return err
	}
	m := nats.NewMsg(deadSubject(k))
	m.Data = data
	if err := q.publish(ctx, m); err != nil {
		return err
	}
	q.dead.Add(1)
	return nil
}

// each walks a stream's messages under a subject, oldest first, until yield
// returns false.
func each(ctx context.Context, s jetstream.Stream, subject string, yield func(*jetstream.RawStreamMsg) bool) error {
	for next := uint64(1); ; {
		m, err := s.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !yield(m) {
			return nil
		}
		next = m.Sequence + 1
	}
}

// Dead implements queue.DeadLetters.
func (q *Queue) Dead(ctx context.Context) ([]queue.Letter, error) {
	var letters []queue.Letter
	var bad error
	err := each(ctx, q.shaped().dlq, "dlq.>", func(m *jetstream.RawStreamMsg) bool {
		if strings.HasPrefix(m.Subject, "dlq."+canaryToken) {
			return true
		}
		k, err := subjectKey(m.Subject, "dlq.")
		var l letter
		if err == nil {
			err = json.Unmarshal(m.Data, &l)
		}
		if err != nil {
			bad = err
			return true
		}
		letters = append(letters, queue.Letter{Key: k, At: l.At, Failures: l.Failures, Reason: l.Reason})
		return len(letters) < maxLetters
	})
	if err = errors.Join(err, bad); err != nil {
		return letters, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

// Waiting implements queue.DeadLetters.
func (q *Queue) Waiting(ctx context.Context, limit int) ([]queue.Key, error) {
	var keys []queue.Key
	seen := make(map[queue.Key]bool)
	if limit <= 0 {
		return nil, nil
	}
	err := each(ctx, q.shaped().work, "wq.*.>", func(m *jetstream.RawStreamMsg) bool {
		for _, l := range runnable {
			if k, err := subjectKey(m.Subject, "wq."+string(l)+"."); err == nil && !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
		return len(keys) < limit
	})
	if err != nil {
		return keys, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// Requeue implements queue.DeadLetters.
func (q *Queue) Requeue(ctx context.Context, k queue.Key) error {
	if err := k.Validate(); err != nil {
		return err
	}
	m, err := q.shaped().dlq.GetLastMsgForSubject(ctx, deadSubject(k))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return queue.ErrNotDead
	}
	if err != nil {
		return fmt.Errorf("read dead letter: %w", err)
	}
	// First the key, so that a crash loses nothing. The letter goes by its
	// sequence: one that the new run writes meanwhile stays.
	if err := q.Add(ctx, k, queue.AddOptions{Urgent: true}); err != nil {
		return err
	}
	if err := remove(ctx, q.shaped().dlq, m.Sequence); err != nil {
		return fmt.Errorf("take dead letter: %w", err)
	}
	return nil
}
