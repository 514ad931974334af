//go:build !race

// The promises are kept under the race detector by the embedded engine; a cluster
// of three instrumented servers only takes longer.

package durable_test

import (
	"testing"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/queuetest"
)

func TestClusterKeepsThePromises(t *testing.T) {
	t.Parallel()
	urls, _ := startCluster(t)
	queuetest.Run(t, func(t *testing.T, o queue.Options) queuetest.Queue {
		forget(t, urls)
		return openCluster(t, urls, o)
	})
}
