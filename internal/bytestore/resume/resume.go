// Package resume reads one object by as many requests as it takes.
//
// A connection that breaks or stalls is made again from the byte where it ended.
// Whether the parts belong together is for the one who opens them to prove, by a
// version or by a hash of the whole.
//
// The package must not know what it reads from, and must not go on for ever:
// requests and silence are bounded.
package resume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
)

// Part opens the object from a byte on, to its end. The context lives as long as
// the body does.
type Part func(ctx context.Context, from int64) (io.ReadCloser, error)

const (
	// MaxParts is how many requests one object may take.
	MaxParts = 20
	// MaxFruitless is how many of them in a row may bring nothing.
	MaxFruitless = 4
	// Silence is how long a connection may bring nothing before it counts as broken.
	Silence = time.Minute
	// pause before the second fruitless request; doubled with each one more.
	pause = time.Second
)

// errSilent is a connection that stalled.
var errSilent = errors.New("no byte for a minute")

// Reader reads an object. It is for one goroutine at a time.
type Reader struct {
	ctx  context.Context
	size int64
	open Part

	at        int64 // bytes read
	parts     int
	fruitless int // parts in a row without a byte
	body      io.ReadCloser
	hangUp    context.CancelFunc
	alarm     *time.Timer
	silent    atomic.Bool
	broke     error // why the last part ended
	err       error // what every further Read answers
}

// Open makes the first request, so that an answer for good is told at once. The
// object must have exactly size bytes: fewer are a broken read, more are
// bytestore.ErrDiffers.
func Open(ctx context.Context, size int64, open Part) (*Reader, error) {
	r := &Reader{ctx: ctx, size: size, open: open}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

// Read implements io.Reader.
func (r *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if r.err != nil {
			return 0, r.err
		}
		if r.body == nil {
			if err := r.again(); err != nil {
				r.err = err
				return 0, err
			}
			if r.body == nil {
				continue
			}
		}
		n, err := r.part(b)
		if n > 0 || r.err != nil {
			return n, r.err
		}
		if err != nil {
			r.hang(err)
		}
	}
}

// part reads from the open body; it sets r.err at the object's end.
func (r *Reader) part(b []byte) (int, error) {
	if left := r.size - r.at; int64(len(b)) > left {
		b = b[:left+1] // one more than there should be
	}
	r.alarm.Reset(Silence)
	n, err := r.body.Read(b)
	r.alarm.Stop()
	if r.silent.Load() {
		err = errSilent
	}
	if n > 0 {
		r.fruitless = 0
	}
	if r.at+int64(n) > r.size {
		r.err = fmt.Errorf("more than %d bytes: %w", r.size, bytestore.ErrDiffers)
		return 0, r.err
	}
	r.at += int64(n)
	if errors.Is(err, io.EOF) && r.at == r.size {
		r.err = io.EOF
		return n, r.err
	}
	if err != nil && n > 0 { // the bytes count; the next Read asks again
		r.hang(err)
	}
	return n, err
}

// again makes the next part, after a pause if the last ones brought nothing.
func (r *Reader) again() error {
	if r.at == r.size { // everything came, and then the line broke instead of ending
		return io.EOF
	}
	if r.parts == MaxParts || r.fruitless == MaxFruitless {
		return fmt.Errorf("broken after %d of %d bytes, %d requests: %w", r.at, r.size, r.parts, r.broke)
	}
	if r.fruitless > 1 {
		t := time.NewTimer(pause << (r.fruitless - 2))
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.ctx.Done():
		}
	}
	if err := r.connect(); err != nil {
		if final(err) || r.ctx.Err() != nil {
			return err
		}
		r.broke = err
	}
	return nil
}

func (r *Reader) connect() error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.parts++
	r.fruitless++
	ctx, hangUp := context.WithCancel(r.ctx)
	r.silent.Store(false)
	alarm := time.AfterFunc(Silence, func() {
		r.silent.Store(true)
		hangUp()
	})
	body, err := r.open(ctx, r.at)
	alarm.Stop()
	if err != nil {
		hangUp()
		if r.silent.Load() && r.ctx.Err() == nil {
			err = errSilent
		}
		return err
	}
	r.body, r.hangUp, r.alarm = body, hangUp, alarm
	return nil
}

// hang ends the open part.
func (r *Reader) hang(why error) {
	if errors.Is(why, io.EOF) {
		why = io.ErrUnexpectedEOF
	}
	r.broke = why
	_ = r.Close()
	if err := r.ctx.Err(); err != nil {
		r.err = err
	}
	if final(why) {
		r.err = why
	}
}

// Close ends the connection.
func (r *Reader) Close() error {
	if r.body == nil {
		return nil
	}
	r.alarm.Stop()
	r.hangUp()
	err := r.body.Close()
	r.body = nil
	return err
}

// final tells an answer for good: asking again would not change it.
func final(err error) bool {
	for _, answer := range []error{
		bytestore.ErrAbsent, bytestore.ErrTooLarge, bytestore.ErrNoStore, bytestore.ErrRefused,
		bytestore.ErrAddress, bytestore.ErrDiffers, bytestore.ErrChanged,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}
