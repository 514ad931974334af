package durable_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// The test binary is also the process that is killed: with this variable set
// it plays one of the parts below instead of running tests.
const part = "PILOTGATE_QUEUE_TEST_PART"

func TestMain(m *testing.M) {
	switch os.Getenv(part) {
	case "":
		os.Exit(m.Run())
	case "add":
		playAdder()
	case "work":
		playWorker()
	case "server":
		playServer()
	}
}

// start plays a part in another process and returns its lines.
func start(t *testing.T, name string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(append(os.Environ(), part+"="+name), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

func optionsFromEnv() durable.Options {
	replicas, _ := strconv.Atoi(os.Getenv("REPLICAS"))
	return durable.Options{
		Replicas: replicas,
		Options:  queue.Options{Workers: 4, MaxFailures: 3, FirstRetry: 20 * time.Millisecond, LastRetry: 100 * time.Millisecond, Drain: 5 * time.Second},
		Store:    os.Getenv("STORE"), URL: os.Getenv("URL"), Floor: 1, Lease: 2 * time.Second,
	}
}

func key(i int) queue.Key {
	return queue.Key{Installation: 7, Repository: int64(i%5 + 1), Kind: queue.KindPullRequest, ID: strconv.Itoa(i + 1)}
}

func must(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// playAdder adds keys and prints each when it is acknowledged.
func playAdder() {
	q, err := durable.Open(context.Background(), optionsFromEnv())
	must(err)
	for i := 0; ; i++ {
		must(q.Add(context.Background(), key(i), queue.AddOptions{Payload: fmt.Append(nil, i)}))
		fmt.Println(i)
	}
}

// playWorker works and prints "start", "payload" and "end" of each run; the
// run of the key POISON kills the process.
func playWorker() {
	q, err := durable.Open(context.Background(), optionsFromEnv())
	must(err)
	slow, _ := time.ParseDuration(os.Getenv("SLOW"))
	fmt.Println("ready")
	must(q.Run(context.Background(), func(ctx context.Context, k queue.Key) error {
		fmt.Println("start", k.ID)
		if k.ID == os.Getenv("POISON") {
			<-time.After(500 * time.Millisecond) // what runs beside it is done by then
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			fmt.Println("cancelled", k.ID)
			return ctx.Err()
		}
		if err := queue.CheckLease(ctx); err != nil {
			fmt.Println("lost", k.ID)
			return err
		}
		fmt.Println("end", k.ID)
		return nil
	}))
}

func TestWhatWasAcknowledgedOutlivesKill9(t *testing.T) {
	store := t.TempDir()
	cmd, lines := start(t, "add", "STORE="+store)
	acknowledged := 0
	for acknowledged < 100 && lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
		acknowledged = n + 1
	}
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()

	o := optionsFromEnv()
	o.Store = store
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	ran := make(map[string]string)
	var mu sync.Mutex
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	require.NoError(t, q.Run(ctx, func(ctx context.Context, k queue.Key) error {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range queue.Payloads(ctx) {
			ran[k.ID] = string(p)
		}
		if len(ran) >= acknowledged {
			stop()
		}
		return nil
	}))
	for i := range acknowledged {
		assert.Equal(t, strconv.Itoa(i), ran[key(i).ID], "payload of key %d", i)
	}
}

func TestWorkThatKillsItsProcessDies(t *testing.T) {
	store := t.TempDir()
	o := optionsFromEnv()
	o.Store = store
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, q.Add(t.Context(), key(0), queue.AddOptions{}))
	require.NoError(t, q.Add(t.Context(), key(5), queue.AddOptions{}))
	require.NoError(t, q.Close())

	starts := 0
	ended := false
	for range 3 {
		cmd, lines := start(t, "work", "STORE="+store, "POISON="+key(0).ID)
		for lines.Scan() {
			switch lines.Text() {
			case "start " + key(0).ID:
				starts++
			case "end " + key(5).ID:
				ended = true
			}
		}
		_ = cmd.Wait()
	}
	assert.Equal(t, 3, starts)
	assert.True(t, ended, "the innocent key is done")

	// The fourth process does not start it again, but buries it.
	q, err = durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			if letters, err := q.Dead(ctx); err == nil && len(letters) > 0 {
				stop()
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	require.NoError(t, q.Run(ctx, func(_ context.Context, k queue.Key) error {
		assert.NotEqual(t, key(0), k, "the poison was given out again")
		return nil
	}))
	letters, err := q.Dead(t.Context())
	require.NoError(t, err)
	require.Len(t, letters, 1)
	assert.Equal(t, key(0), letters[0].Key)
	assert.Equal(t, 3, letters[0].Failures)
}

func TestOneStoreOneProcess(t *testing.T) {
	o := optionsFromEnv()
	o.Store = t.TempDir()
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = durable.Open(t.Context(), o)
	require.ErrorIs(t, err, durable.ErrInUse)
	require.NoError(t, q.Close())
	q, err = durable.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, q.Close())
}

func TestAnEngineOpenToEverybodyIsRefused(t *testing.T) {
	for _, url := range []string{"nats://queue.example:4222", "nats://127.0.0.1:1,nats://queue.example:4222", "nats://10.0.0.1", ":// secret"} {
		_, err := durable.Open(t.Context(), durable.Options{URL: url})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestBuckets(t *testing.T) {
	o := optionsFromEnv()
	o.Store = t.TempDir()
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	for name, b := range map[string]durable.Bucket{"cursor": q.Cursor(), "budget": q.Budget()} {
		t.Run(name, func(t *testing.T) {
			_, _, err := b.Get(t.Context(), "7")
			require.ErrorIs(t, err, durable.ErrNotFound)
			first, err := b.Put(t.Context(), "7", []byte("a"), 0)
			require.NoError(t, err)
			_, err = b.Put(t.Context(), "7", []byte("b"), 0)
			require.ErrorIs(t, err, durable.ErrChanged)
			_, err = b.Put(t.Context(), "7", []byte("b"), first)
			require.NoError(t, err)
			v, _, err := b.Get(t.Context(), "7")
			require.NoError(t, err)
			assert.Equal(t, "b", string(v))
		})
	}
	require.NoError(t, q.Close())
	q, err = durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	v, _, err := q.Cursor().Get(t.Context(), "7")
	require.NoError(t, err)
	assert.Equal(t, "b", string(v), "the cursor outlives the process")
}

func TestNearlyFullDiskIsRefused(t *testing.T) {
	o := optionsFromEnv()
	o.Store, o.Floor = t.TempDir(), 1<<62
	q, err := durable.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, q.Close()) }()
	assert.ErrorIs(t, q.Add(t.Context(), key(1), queue.AddOptions{}), queue.ErrFull)
	assert.Error(t, q.Ready(t.Context()))
	s, err := q.Waiting(t.Context(), 1)
	require.NoError(t, err)
	assert.Empty(t, s, "nothing was half added")
}
