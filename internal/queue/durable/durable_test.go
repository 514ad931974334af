package durable_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
	"github.com/pilotgate/pilotgate/internal/queue/queuetest"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T, o queue.Options) queuetest.Queue {
		q, err := durable.Open(t.Context(), durable.Options{Options: o, Store: t.TempDir(), Floor: 1, Report: func(err error) { t.Log(err) }})
		require.NoError(t, err)
		return q
	})
}
