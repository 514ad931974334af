package fair_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue/fair"
)

func TestTurns(t *testing.T) {
	t.Run("a quiet group waits for one item of the noisy one", func(t *testing.T) {
		var turns fair.Turns[string, int]
		for i := range 100 {
			turns.Push("noisy", i)
		}
		turns.Push("quiet", 1000)
		turns.Push("quiet", 1001)

		assert.Equal(t, []int{0, 1000, 1, 1001, 2, 3}, pop(t, &turns, 6))
	})

	t.Run("a group keeps its own order", func(t *testing.T) {
		var turns fair.Turns[string, int]
		turns.Push("a", 1)
		turns.Push("a", 2)
		require.Equal(t, []int{1}, pop(t, &turns, 1))
		turns.Push("a", 3)
		assert.Equal(t, []int{2, 3}, pop(t, &turns, 2))
	})

	t.Run("counts", func(t *testing.T) {
		var turns fair.Turns[string, int]
		_, ok := turns.Pop()
		require.False(t, ok)
		turns.Push("a", 1)
		turns.Push("a", 2)
		turns.Push("b", 3)
		assert.Equal(t, 3, turns.Len())
		assert.Equal(t, 2, turns.Groups())
		assert.Equal(t, 2, turns.InGroup("a"))

		var seen []int
		turns.All(func(i int) bool { seen = append(seen, i); return len(seen) < 2 })
		assert.Equal(t, []int{1, 2}, seen)

		pop(t, &turns, 3)
		_, ok = turns.Pop()
		assert.False(t, ok)
		assert.Zero(t, turns.Len())
		assert.Zero(t, turns.InGroup("a"))
	})
}

func pop(t *testing.T, turns *fair.Turns[string, int], n int) []int {
	t.Helper()
	var got []int
	for range n {
		item, ok := turns.Pop()
		require.True(t, ok)
		got = append(got, item)
	}
	return got
}
