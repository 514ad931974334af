// Package queue keeps what is still to be looked at: keys, not events.
//
// A key names a subject at GitHub (a pull request, a pilot, a repository) and
// nothing else. Adding a key that is already waiting changes nothing, a key
// runs in one place at a time, and a key added while it runs runs once more
// afterwards. So a burst of events costs a handful of looks, and a lost,
// doubled or reordered event costs nothing: the look reads GitHub as it is.
//
// Memory is the queue of one process without durability (the demo, tests);
// package durable is the one that servers use. Both pass queuetest.Run.
//
// The package must not know what a key's work is, must not read GitHub, and
// must not hold a payload except where GitHub cannot be asked again (an alert,
// a click on a button): see AddOptions.Payload.
package queue

import (
	"context"
	"errors"
	"time"
)

// Queue is what the rest of the server sees.
type Queue interface {
	// Add makes the key durable and returns; after nil, a crash of the process
	// loses nothing. It coalesces with an equal key that waits. The error is
	// ErrFull, ErrClosed, ErrInvalid, ErrTooLarge or ErrTooMany where a caller
	// may branch, otherwise what the store said.
	Add(ctx context.Context, k Key, o AddOptions) error

	// Run hands keys to work until ctx is done, then takes no more and returns
	// when the running ones have ended or Options.Drain is over. The context
	// that work gets outlives ctx for that time; it is cancelled when the lease
	// on the key is lost, and work must then stop writing. What work returns is
	// sorted by Transient, Gone and, for everything else and for a panic, ours.
	// Run is called once.
	Run(ctx context.Context, work func(ctx context.Context, k Key) error) error

	// Stats is a picture of now, at most a second old.
	Stats() Stats

	// Close releases the store. Keys that wait stay where they are.
	Close() error
}

// AddOptions say how a key waits. The zero value is "as soon as possible, no
// hurry".
type AddOptions struct {
	// NotBefore is the earliest moment at which the key may run; zero is now.
	// A moment stands beside an immediate Add of the same key and is not
	// replaced by it; of two moments the earlier one counts.
	NotBefore time.Time
	// Urgent is for keys that people wait for; they go before the others.
	Urgent bool
	// Payload is for what cannot be read at GitHub again. Work finds it in
	// Payloads until it has returned nil for it. Equal payloads of one key
	// coalesce. At most MaxPayload bytes, MaxPayloads for one key.
	Payload []byte
}

// Caps on what is kept for one key beside the key itself.
const (
	MaxPayload  = 64 << 10 // bytes
	MaxPayloads = 64
)

// Errors of Add that a caller may want to tell apart.
var (
	ErrClosed   = errors.New("queue is closed")
	ErrFull     = errors.New("queue store is full")
	ErrTooLarge = errors.New("payload is too large")
	ErrTooMany  = errors.New("too many payloads wait for this key")
)

// Stats counts keys, except where it says otherwise.
type Stats struct {
	Waiting int // may run now, or wait for a retry
	Delayed int // wait for a NotBefore
	Running int // in this process
	Dead    int // dead letters
	// Oldest is how long the first of the waiting keys has waited.
	Oldest time.Duration
	// Coalesced counts Adds of this process that found their key waiting.
	Coalesced uint64
}

// Letter is a key that failed too often and waits for a person.
type Letter struct {
	Key      Key
	At       time.Time // when it was given up
	Failures int
	Reason   string // the last error, cut to MaxReason bytes
}

// MaxReason is the longest reason that a Letter keeps, in bytes.
const MaxReason = 1000

// DeadLetters is the desk of the person who looks after a queue.
type DeadLetters interface {
	// Dead lists the letters, oldest first.
	Dead(ctx context.Context) ([]Letter, error)
	// Waiting lists at most limit keys that wait, oldest first.
	Waiting(ctx context.Context, limit int) ([]Key, error)
	// Requeue gives a dead key a fresh start, or answers ErrNotDead.
	Requeue(ctx context.Context, k Key) error
}

// ErrNotDead answers a Requeue of a key that is no dead letter.
var ErrNotDead = errors.New("no dead letter of this key")

// Options are shared by the queues.
type Options struct {
	Workers     int           // keys at work at a time; 0 is 8
	MaxFailures int           // of ours, one after the other, before a key is dead; 0 is 5
	Drain       time.Duration // for running work after Run's context is done; 0 is 20 s
	// FirstRetry and LastRetry bound the wait before a failed key runs again;
	// it doubles in between. 0 is 1 s and 30 s: everything is to converge
	// within a minute of GitHub's return.
	FirstRetry, LastRetry time.Duration
	Metrics               *Metrics // nil counts nothing
}

// WithDefaults fills what is zero.
func (o Options) WithDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.MaxFailures <= 0 {
		o.MaxFailures = 5
	}
	if o.Drain <= 0 {
		o.Drain = 20 * time.Second
	}
	if o.FirstRetry <= 0 {
		o.FirstRetry = time.Second
	}
	if o.LastRetry <= 0 {
		o.LastRetry = 30 * time.Second
	}
	return o
}

type payloadsKey struct{}

// WithPayloads is how a queue hands payloads to work.
func WithPayloads(ctx context.Context, payloads [][]byte) context.Context {
	if len(payloads) == 0 {
		return ctx
	}
	return context.WithValue(ctx, payloadsKey{}, payloads)
}

// Payloads are what was added with the key that is at work, in the order of
// their last Add. They come again if work fails, and those that were added
// again while it ran come again in any case.
func Payloads(ctx context.Context) [][]byte {
	p, _ := ctx.Value(payloadsKey{}).([][]byte)
	return p
}
