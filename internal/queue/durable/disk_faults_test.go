//go:build faults && linux

package durable_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// Needs root: it mounts a small file system.
//
//	go test -tags faults ./internal/queue/durable -run Disk
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); errors.Is(err, unix.EPERM) {
		t.Skip("NOT TESTED: mounting a small file system needs root")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, 0)) })
	return dir
}

// fill leaves no byte.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	require.NoError(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(name)) }
}

func TestDiskFloor(t *testing.T) {
	dir := mountSmall(t)
	o := optionsFromEnv()
	o.Store, o.Floor = filepath.Join(dir, "queue"), 16<<20
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	require.NoError(t, q.Add(t.Context(), key(1), queue.AddOptions{}))
	empty := fill(t, dir)
	require.Eventually(t, func() bool { return q.Add(t.Context(), key(2), queue.AddOptions{}) != nil }, 5*time.Second, 100*time.Millisecond)
	require.ErrorIs(t, q.Add(t.Context(), key(2), queue.AddOptions{}), queue.ErrFull)
	require.Error(t, q.Ready(t.Context()))
	empty()
	require.Eventually(t, func() bool { return q.Add(t.Context(), key(2), queue.AddOptions{}) == nil }, 10*time.Second, 100*time.Millisecond)
}

// The disk fills between two looks at the floor, and the engine meets it.
func TestDiskFullHealsWithoutHelp(t *testing.T) {
	dir := mountSmall(t)
	o := optionsFromEnv()
	o.Store = filepath.Join(dir, "queue")
	o.Report = func(err error) { t.Log(err) }
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	acknowledged := map[queue.Key]bool{}
	add := func(i int) error {
		err := q.Add(t.Context(), key(i), queue.AddOptions{Payload: make([]byte, 32<<10)})
		if err == nil {
			acknowledged[key(i)] = true
		}
		return err
	}
	require.NoError(t, add(0))
	empty := fill(t, dir)
	refused := 0
	for i := 1; i < 6; i++ {
		if add(i) != nil {
			refused++
		}
	}
	t.Logf("%d of 5 refused while the disk was full", refused)
	require.NotZero(t, refused)
	empty()
	start := time.Now()
	i := 100
	require.Eventually(t, func() bool { i++; return add(i) == nil }, 2*time.Minute, 500*time.Millisecond)
	t.Logf("took keys again after %s", time.Since(start))
	require.Eventually(t, func() bool { return q.Ready(t.Context()) == nil }, time.Minute, 100*time.Millisecond)

	require.NoError(t, q.Close())
	q, err = durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var mu sync.Mutex
	require.NoError(t, q.Run(ctx, func(_ context.Context, k queue.Key) error {
		mu.Lock()
		defer mu.Unlock()
		if delete(acknowledged, k); len(acknowledged) == 0 {
			stop()
		}
		return nil
	}))
	assert.Empty(t, acknowledged, "acknowledged and lost")
}
