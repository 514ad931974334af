package durable

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Errors of a Bucket.
var (
	ErrNotFound = errors.New("nothing under this name")
	ErrChanged  = errors.New("somebody else has written meanwhile")
)

// bucket is a small map that all processes share, written by compare-and-set.
// It is a stream laid out like a NATS key-value bucket (its tools can read it),
// except that single messages may be deleted: a key-value delete leaves a
// marker, and there would be one for each key that ever ran.
type bucket struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	prefix string
}

func bucketConfig(name string, kept time.Duration, storage jetstream.StorageType) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "KV_" + name, Subjects: []string{bucketPrefix(name) + ">"},
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, MaxAge: kept, Storage: storage,
		Duplicates: min(idKept, cmp.Or(kept, idKept)), AllowRollup: true, AllowDirect: true, MaxMsgSize: maxHeader,
	}
}

func bucketPrefix(name string) string { return "$KV." + name + "." }

// get reads a value and its revision.
func (b bucket) get(ctx context.Context, name string) ([]byte, uint64, error) {
	m, err := b.stream.GetLastMsgForSubject(ctx, b.prefix+name)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, err
	}
	return m.Data, m.Sequence, nil
}

// put writes over a revision; 0 is "nothing is there". It returns the new one.
func (b bucket) put(ctx context.Context, name string, value []byte, revision uint64) (uint64, error) {
	ack, err := b.js.Publish(ctx, b.prefix+name, value, jetstream.WithExpectLastSequencePerSubject(revision))
	if isWrongSequence(err) {
		return 0, ErrChanged
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// drop takes away what was written as this revision, and nothing newer.
func (b bucket) drop(ctx context.Context, revision uint64) error {
	return remove(ctx, b.stream, revision)
}

// remove deletes a message, or finds it deleted: the engine's error for that
// cannot be told from others.
func remove(ctx context.Context, s jetstream.Stream, sequence uint64) error {
	err := s.DeleteMsg(ctx, sequence)
	if err == nil {
		return nil
	}
	if _, again := s.GetMsg(ctx, sequence); errors.Is(again, jetstream.ErrMsgNotFound) {
		return nil
	}
	return err
}

func isWrongSequence(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	return api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// Bucket is what other rooms keep in the engine.
type Bucket struct {
	q    *Queue
	pick func(shape) bucket
}

// Budget holds what is left of GitHub's limits, by installation. It does not
// outlive an embedded engine.
func (q *Queue) Budget() Bucket { return Bucket{q, func(s shape) bucket { return s.budget }} }

// Cursor holds how far the sweep has come.
func (q *Queue) Cursor() Bucket { return Bucket{q, func(s shape) bucket { return s.cursor }} }

// Get reads a value and its revision, or answers ErrNotFound.
func (b Bucket) Get(ctx context.Context, name string) ([]byte, uint64, error) {
	return b.pick(b.q.shaped()).get(ctx, name)
}

// Put writes over the revision that Get gave (0: nothing is there) and returns
// the new one, or answers ErrChanged.
func (b Bucket) Put(ctx context.Context, name string, value []byte, revision uint64) (uint64, error) {
	return b.pick(b.q.shaped()).put(ctx, name, value, revision)
}
