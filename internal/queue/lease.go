package queue

import (
	"context"
	"errors"
)

// ErrLeaseLost says that another process may have the key by now.
var ErrLeaseLost = errors.New("lease on the key is lost")

type leaseKey struct{}

// WithLease is how a queue hands the check of a lease to work.
func WithLease(ctx context.Context, check func(context.Context) error) context.Context {
	return context.WithValue(ctx, leaseKey{}, check)
}

// CheckLease is to be called before each write at GitHub. A process that was
// frozen wakes up in the middle of its work, before anything could cancel its
// context; nil means that the key was still its own at the time of the call.
// It is cheap while the lease is young.
func CheckLease(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if check, ok := ctx.Value(leaseKey{}).(func(context.Context) error); ok {
		return check(ctx)
	}
	return nil
}
