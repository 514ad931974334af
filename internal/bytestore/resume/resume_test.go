package resume_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/resume"
)

var (
	ctx     = context.Background()
	object  = []byte(strings.Repeat("0123456789", 100))
	errDown = errors.New("line is down")
)

const size = 1000

// shelf gives out the object in parts of a length, and keeps when it was asked.
type shelf struct {
	length int   // bytes of each part; then it breaks
	fails  int   // requests that fail before
	err    error // with what [errDown]
	froms  []int64
	times  []time.Duration
	start  time.Time
}

func (s *shelf) open(_ context.Context, from int64) (io.ReadCloser, error) {
	if s.start.IsZero() {
		s.start = time.Now()
	}
	s.froms, s.times = append(s.froms, from), append(s.times, time.Since(s.start))
	if s.err == nil {
		s.err = errDown
	}
	if len(s.froms) > 1 && s.fails > 0 {
		s.fails--
		return nil, s.err
	}
	rest := object[from:]
	if len(rest) > s.length {
		return io.NopCloser(io.MultiReader(bytes.NewReader(rest[:s.length]), iotest.ErrReader(errDown))), nil
	}
	return io.NopCloser(bytes.NewReader(rest)), nil
}

func read(s *shelf) ([]byte, error) {
	r, err := resume.Open(ctx, size, s.open)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestPartsMakeTheWhole(t *testing.T) {
	s := &shelf{length: 400}
	got, err := read(s)
	require.NoError(t, err)
	assert.Equal(t, object, got)
	assert.Equal(t, []int64{0, 400, 800}, s.froms)
}

func TestReadersContract(t *testing.T) {
	s := &shelf{length: 77}
	r, err := resume.Open(ctx, size, s.open)
	require.NoError(t, err)
	assert.NoError(t, iotest.TestReader(r, object))
}

func TestRequestsAreBounded(t *testing.T) {
	s := &shelf{length: 1}
	got, err := read(s)
	require.ErrorIs(t, err, errDown)
	assert.Len(t, got, resume.MaxParts)
	assert.Len(t, s.froms, resume.MaxParts)
	s = &shelf{length: size / resume.MaxParts}
	got, err = read(s)
	require.NoError(t, err, "at the cap")
	assert.Equal(t, object, got)
}

func TestFruitlessRequestsPauseAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{length: 400, fails: 2}
		got, err := read(s)
		require.NoError(t, err)
		assert.Equal(t, object, got)
		assert.Equal(t, []time.Duration{0, 0, 0, time.Second, time.Second}, s.times)
	})
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{length: 400, fails: 100}
		_, err := read(s)
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, []int64{0, 400, 400, 400, 400}, s.froms)
		assert.Equal(t, 3*time.Second, s.times[4])
	})
}

func TestAnAnswerForGoodIsNotAskedAgain(t *testing.T) {
	for _, answer := range []error{bytestore.ErrAbsent, bytestore.ErrRefused, bytestore.ErrAddress, bytestore.ErrChanged, bytestore.ErrDiffers} {
		s := &shelf{length: 400, fails: 1, err: answer}
		got, err := read(s)
		require.ErrorIs(t, err, answer)
		assert.Len(t, got, 400)
		assert.Len(t, s.froms, 2)
	}
}

func TestTheFirstRequestTellsAtOnce(t *testing.T) {
	_, err := resume.Open(ctx, size, func(context.Context, int64) (io.ReadCloser, error) { return nil, errDown })
	assert.ErrorIs(t, err, errDown)
}

func TestMoreBytesThanThereShouldBe(t *testing.T) {
	r, err := resume.Open(ctx, size-1, (&shelf{length: size}).open)
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	assert.ErrorIs(t, err, bytestore.ErrDiffers)
}

func TestFewerBytesAreABrokenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := resume.Open(ctx, size+1, (&shelf{length: size}).open)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Len(t, got, size)
	})
}

func TestALineThatBreaksAfterTheLastByteIsWhole(t *testing.T) {
	r, err := resume.Open(ctx, size, func(context.Context, int64) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(object), iotest.ErrReader(errDown))), nil
	})
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, object, got)
}

// stuck answers nothing until its context ends.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (s stuck) Close() error             { return nil }

func TestSilenceIsABrokenLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, n := time.Now(), 0
		r, err := resume.Open(ctx, size, func(ctx context.Context, from int64) (io.ReadCloser, error) {
			if n++; n == 1 {
				return stuck{ctx}, nil
			}
			return io.NopCloser(bytes.NewReader(object[from:])), nil
		})
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, object, got)
		assert.Equal(t, resume.Silence, time.Since(start))
	})
	synctest.Test(t, func(t *testing.T) {
		_, err := resume.Open(ctx, size, func(ctx context.Context, _ int64) (io.ReadCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		assert.EqualError(t, err, "no byte for a minute")
	})
}

func TestTheCallersEndIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		r, err := resume.Open(ctx, size, func(ctx context.Context, _ int64) (io.ReadCloser, error) { return stuck{ctx}, nil })
		require.NoError(t, err)
		time.AfterFunc(time.Second, cancel)
		_, err = io.ReadAll(r)
		assert.ErrorIs(t, err, context.Canceled)
	})
}
