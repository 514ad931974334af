package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/queuetest"
)

func TestMemory(t *testing.T) {
	queuetest.RunInBubble(t, func(_ *testing.T, o queue.Options) queuetest.Queue { return queue.NewMemory(o) })
}

func TestMemoryInterruptsWorkWhenTheDrainIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.Options{Drain: 5 * time.Second})
		k := queue.Key{Installation: 1, Repository: 2, Kind: queue.KindRepository}
		require.NoError(t, q.Add(t.Context(), k, queue.AddOptions{}))

		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		start := time.Now()
		err := q.Run(ctx, func(ctx context.Context, _ queue.Key) error {
			<-ctx.Done()
			return ctx.Err()
		})
		require.NoError(t, err)
		assert.Equal(t, 65*time.Second, time.Since(start))
		assert.Equal(t, 1, q.Stats().Waiting, "the key is handed on")
		require.NoError(t, q.Close())
	})
}

func TestMemoryBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.Options{FirstRetry: time.Second, LastRetry: 30 * time.Second})
		k := queue.Key{Installation: 1, Repository: 2, Kind: queue.KindRepository}
		require.NoError(t, q.Add(t.Context(), k, queue.AddOptions{}))

		ctx, stop := context.WithCancel(t.Context())
		var waits []time.Duration
		last := time.Now()
		require.NoError(t, q.Run(ctx, func(context.Context, queue.Key) error {
			waits = append(waits, time.Since(last))
			last = time.Now()
			if len(waits) == 8 {
				stop()
			}
			return queue.Transient(errors.New("bad gateway"), 0)
		}))
		s := time.Second
		assert.Equal(t, []time.Duration{0, s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}, waits)
		require.NoError(t, q.Close())
	})
}

func TestMemoryIsCapped(t *testing.T) {
	q := queue.NewMemory(queue.Options{})
	for i := range int64(100_000) {
		require.NoError(t, q.Add(t.Context(), queue.Key{Installation: 1, Repository: i + 1, Kind: "repo"}, queue.AddOptions{}))
	}
	assert.ErrorIs(t, q.Add(t.Context(), queue.Key{Installation: 2, Kind: "repo"}, queue.AddOptions{}), queue.ErrFull)
	assert.NoError(t, q.Add(t.Context(), queue.Key{Installation: 1, Repository: 1, Kind: "repo"}, queue.AddOptions{}), "a key that waits")
}
