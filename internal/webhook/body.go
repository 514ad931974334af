package webhook

import (
	"errors"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

const (
	// MaxBody is the largest payload that GitHub sends, in bytes.
	MaxBody = 25 << 20
	// bodyBudget bounds the bodies of all requests that are being read or
	// handled. Whoever can reach the port can send bodies, signed or not.
	bodyBudget = 64 << 20
	// firstBuffer is what a body is given before it has sent a byte.
	firstBuffer = 32 << 10
)

// bodies reads request bodies within a common budget. A body takes from the
// budget as it arrives, not as it announces: a thousand idle connections that
// promise 25 MB each hold 32 KiB each.
type bodies struct{ budget *semaphore.Weighted }

func newBodies(bytes int64) *bodies { return &bodies{semaphore.NewWeighted(bytes)} }

// read returns the body, and how to give its memory back, which must be called
// in any case.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), no *refusal) {
	var held int64
	release = func() { b.budget.Release(held) }
	limited := http.MaxBytesReader(w, r.Body, MaxBody)
	for {
		if len(body) == cap(body) {
			// One byte more than the cap allows: to see the end of the longest body.
			size := min(max(firstBuffer, 2*cap(body)), MaxBody+1)
			more := int64(size - cap(body))
			if !b.budget.TryAcquire(more) {
				return nil, release, errBusy
			}
			held += more
			body = append(make([]byte, 0, size), body...)
		}
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		var large *http.MaxBytesError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return body, release, nil
		case errors.As(err, &large):
			return nil, release, errTooLarge
		default:
			return nil, release, errBody
		}
	}
}
