package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Class says who is to blame for an error of work, and so what becomes of the key.
type Class string

// The classes. Their texts are the result label of pilotgate_runs_total.
const (
	ClassDone        Class = "done"        // no error
	ClassTransient   Class = "transient"   // network, 5xx, a limit, an expired token: again later, never counted
	ClassGone        Class = "gone"        // the subject is no more: dropped
	ClassOurs        Class = "ours"        // everything else: again, counted, dead after Options.MaxFailures
	ClassInterrupted Class = "interrupted" // the lease was lost or the drain was over: another run takes it, not counted
)

type classed struct {
	class      Class
	err        error
	retryAfter time.Duration
}

func (e *classed) Error() string { return e.err.Error() }
func (e *classed) Unwrap() error { return e.err }

// Transient marks an error that time mends. The key runs again after
// retryAfter, or after the queue's own backoff where that is zero. A fresh Add
// of the key runs at once: whoever talks to GitHub guards GitHub's limits.
func Transient(err error, retryAfter time.Duration) error {
	if err == nil {
		return nil
	}
	return &classed{class: ClassTransient, err: err, retryAfter: max(0, retryAfter)}
}

// Gone marks the error of a subject that is no more: repository deleted,
// installation removed. The key and its payloads are dropped.
func Gone(err error) error {
	if err == nil {
		return nil
	}
	return &classed{class: ClassGone, err: err}
}

// Classify sorts an error of work. The duration is the one given to Transient.
func Classify(err error) (Class, time.Duration) {
	if err == nil {
		return ClassDone, 0
	}
	var c *classed
	if errors.As(err, &c) {
		return c.class, c.retryAfter
	}
	return ClassOurs, 0
}

// PanicError is a panic of work. Its text leaves the stack out: a stack holds
// no values but is long, and belongs in the log.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Attempt calls work once and sorts what came of it. A panic is ours. An error
// after ctx ended is nobody's: work was told to stop.
func Attempt(ctx context.Context, work func(context.Context, Key) error, k Key) (c Class, retryAfter time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			c, retryAfter, err = ClassOurs, 0, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	err = work(ctx, k)
	if err != nil && ctx.Err() != nil {
		return ClassInterrupted, 0, err
	}
	c, retryAfter = Classify(err)
	return c, retryAfter, err
}

// Reason is an error's text as a Letter keeps it: at most MaxReason bytes.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	s := err.Error()
	if len(s) > MaxReason {
		s = s[:MaxReason]
	}
	return s
}

// Backoff is the wait before the attempt that follows n failed ones (n from 1):
// FirstRetry doubled each time, at most LastRetry.
func (o Options) Backoff(n int) time.Duration {
	d := o.FirstRetry
	for ; n > 1 && d < o.LastRetry; n-- {
		d *= 2
	}
	return min(d, o.LastRetry)
}
