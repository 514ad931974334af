//go:build faults && linux

package server_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// disk is a small file system that holds a server's queue. Making one needs root.
type disk struct {
	t     *testing.T
	image string
	at    string
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: mounting a small file system needs root")
	}
	d := &disk{t: t, image: filepath.Join(t.TempDir(), "image"), at: t.TempDir()}
	f, err := os.Create(d.image)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(400<<20))
	require.NoError(t, f.Close())
	d.must("mkfs.ext4", "-q", "-F", d.image)
	if out, err := exec.Command("mount", "-o", "loop,errors=remount-ro", d.image, d.at).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: no loop device here: %s", out)
	}
	t.Cleanup(func() { _ = unix.Unmount(d.at, unix.MNT_DETACH) })
	return d
}

func (d *disk) must(program string, arguments ...string) {
	d.t.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	require.NoError(d.t, err, "%s: %s", program, out)
}

// anew is what a machine does that starts again: the file system is checked and
// mounted.
func (d *disk) anew() {
	d.t.Helper()
	d.must("umount", d.at)
	var exit *exec.ExitError
	if err := exec.Command("fsck.ext4", "-y", d.image).Run(); err != nil { // 1: mended
		require.True(d.t, errors.As(err, &exit) && exit.ExitCode() == 1, err)
	}
	d.must("mount", "-o", "loop,errors=remount-ro", d.image, d.at)
}

// fill leaves no byte, and answers how to make room.
func (d *disk) fill() (empty func()) {
	d.t.Helper()
	name := filepath.Join(d.at, "ballast")
	f, err := os.Create(name)
	require.NoError(d.t, err)
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(d.t, err, unix.ENOSPC)
	require.NoError(d.t, f.Close())
	return func() { require.NoError(d.t, os.Remove(name)) }
}

// breaks makes the file system read-only, as an error on the disk does.
func (d *disk) breaks() {
	d.t.Helper()
	out, err := exec.Command("findmnt", "-no", "SOURCE", d.at).Output()
	require.NoError(d.t, err)
	device := filepath.Base(strings.TrimSpace(string(out)))
	require.NoError(d.t, os.WriteFile("/sys/fs/ext4/"+device+"/trigger_fs_error", []byte("1"), 0))
}

// losesPower takes back whatever was not synced: EXT4_IOC_SHUTDOWN without a
// flush of the journal.
func (d *disk) losesPower() {
	d.t.Helper()
	const shutdown, noLogFlush = 0x8004587D, 2
	f, err := os.Open(d.at)
	require.NoError(d.t, err)
	defer f.Close()
	flags := uint32(noLogFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags)))
	require.Zero(d.t, errno)
}

// onDisk is a server whose queue is on a small disk, at a GitHub so slow that
// nothing is done for now.
func onDisk(t *testing.T) (*rig, *disk, *process) {
	d := newDisk(t)
	g := newRig(t, time.Minute, 1)
	g.store = filepath.Join(d.at, "q")
	g.change(func(c map[string]any) { c["queue"] = map[string]any{"store": g.store} })
	return g, d, g.start()
}

// deliveries sends so many and answers which were accepted.
func (g *rig) deliveries(p *process, from, n int) (accepted []int, statuses map[int]int) {
	g.t.Helper()
	statuses = map[int]int{}
	for i := from; i < from+n; i++ {
		ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Second) // GitHub waits no longer
		status, err := g.deliver(ctx, p, i)
		cancel()
		if statuses[status]++; err == nil && status == http.StatusAccepted {
			accepted = append(accepted, i)
		}
	}
	return accepted, statuses
}

// allDone starts a server at a GitHub that is quick again, and waits until each
// of them was looked at.
func (g *rig) allDone(accepted []int) {
	g.t.Helper()
	g.hub.SetFaults(fakegithub.NoFaults())
	g.mu.Lock()
	clear(g.looked)
	g.mu.Unlock()
	p := g.start()
	require.Eventually(g.t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, n := range accepted {
			if g.looked[n] == 0 {
				return false
			}
		}
		return true
	}, time.Minute, 10*time.Millisecond, "accepted and lost")
	require.NoError(g.t, p.end(g.t, syscall.SIGTERM))
}

func (g *rig) ready(p *process) bool {
	res, err := http.Get(p.url + "/api/ready")
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

func diskFaults(t *testing.T) {
	t.Run("full, and then not", func(t *testing.T) {
		t.Parallel()
		g, d, p := onDisk(t)
		before, _ := g.deliveries(p, 1, 5)
		require.Len(t, before, 5)
		empty := d.fill()
		require.Eventually(t, func() bool { return !g.ready(p) }, convergence, 100*time.Millisecond)
		_, statuses := g.deliveries(p, 100, 5)
		assert.Equal(t, map[int]int{http.StatusServiceUnavailable: 5}, statuses)
		empty()
		require.Eventually(t, func() bool { return g.ready(p) }, convergence, 100*time.Millisecond)
		after, _ := g.deliveries(p, 200, 5)
		require.Len(t, after, 5)
		require.NoError(t, p.cmd.Process.Kill())
		_ = <-p.exited
		g.allDone(append(before, after...))
	})
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		g, d, p := onDisk(t)
		before, _ := g.deliveries(p, 1, 5)
		require.Len(t, before, 5)
		d.breaks()
		accepted, statuses := g.deliveries(p, 100, 2)
		assert.Empty(t, accepted, statuses)
		require.Eventually(t, func() bool { return !g.ready(p) }, convergence, 100*time.Millisecond)
		require.NoError(t, p.cmd.Process.Kill())
		_ = <-p.exited
		d.anew()
		g.allDone(before)
	})
	t.Run("without power", func(t *testing.T) {
		t.Parallel()
		g, d, p := onDisk(t)
		before, _ := g.deliveries(p, 1, 50)
		require.Len(t, before, 50)
		d.losesPower()
		require.NoError(t, p.cmd.Process.Kill())
		_ = <-p.exited
		d.anew()
		g.allDone(before)
	})
}
