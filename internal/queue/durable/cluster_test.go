package durable_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// playServer is one node of a cluster on loopback.
func playServer() {
	number := func(name string) int { n, _ := strconv.Atoi(os.Getenv(name)); return n }
	var routes []*url.URL
	for r := range strings.FieldsSeq(os.Getenv("ROUTES")) {
		routes = append(routes, &url.URL{Scheme: "nats", Host: r})
	}
	srv, err := server.NewServer(&server.Options{
		ServerName: os.Getenv("NAME"), Host: "127.0.0.1", Port: number("PORT"), NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: os.Getenv("STORE"), SyncAlways: true,
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: number("CLUSTER_PORT")}, Routes: routes,
	})
	must(err)
	srv.Start()
	fmt.Println("ready")
	srv.WaitForShutdown()
}

type node struct {
	process *os.Process
	wait    func() error
}

// startCluster runs three servers in processes of their own.
func startCluster(t *testing.T) (urls string, nodes []node) {
	t.Helper()
	ports := freePorts(t, 6)
	var routes, clients []string
	for i := range 3 {
		clients = append(clients, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
		routes = append(routes, fmt.Sprintf("127.0.0.1:%d", ports[3+i]))
	}
	for i := range 3 {
		cmd, lines := start(t, "server", "NAME="+fmt.Sprint("n", i), "PORT="+strconv.Itoa(ports[i]), "CLUSTER_PORT="+strconv.Itoa(ports[3+i]),
			"ROUTES="+strings.Join(routes, " "), "STORE="+t.TempDir())
		require.True(t, lines.Scan())
		nodes = append(nodes, node{cmd.Process, cmd.Wait})
	}
	return strings.Join(clients, ","), nodes
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func openCluster(t *testing.T, urls string, o queue.Options) *durable.Queue {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, err := durable.Open(ctx, durable.Options{Options: o, URL: urls, Lease: 2 * time.Second, Report: func(err error) { t.Log(err) }})
	require.NoError(t, err)
	return q
}

// forget empties the cluster of what the case before left.
func forget(t *testing.T, urls string) {
	t.Helper()
	nc, err := nats.Connect(urls)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	names := js.StreamNames(t.Context())
	for name := range names.Name() {
		require.NoError(t, js.DeleteStream(t.Context(), name))
	}
}

func TestClusterTakesKeysWhileANodeDies(t *testing.T) {
	urls, nodes := startCluster(t)
	q := openCluster(t, urls, queue.Options{Workers: 4})
	defer func() { assert.NoError(t, q.Close()) }()

	const total = 400
	var adding sync.WaitGroup
	var refused atomic.Int32
	errs := make(chan error, total)
	for w := range 8 {
		adding.Go(func() {
			for i := w; i < total; i += 8 {
				if i == total/2 {
					_ = nodes[0].process.Kill()
					_ = nodes[0].wait()
				}
				err := q.Add(t.Context(), key(i), queue.AddOptions{Urgent: true})
				if err != nil { // an election may outlast an Add; then it is redelivered, as GitHub's would be
					refused.Add(1)
					err = q.Add(t.Context(), key(i), queue.AddOptions{Urgent: true})
				}
				errs <- err
			}
		})
	}
	adding.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err, "refused twice while a node died")
	}
	t.Logf("%d of %d refused once", refused.Load(), total)

	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	ran := map[string]bool{}
	var mu sync.Mutex
	require.NoError(t, q.Run(ctx, func(_ context.Context, k queue.Key) error {
		mu.Lock()
		defer mu.Unlock()
		if ran[k.ID] = true; len(ran) == total {
			stop()
		}
		return nil
	}))
	assert.Len(t, ran, total, "nothing acknowledged is lost")
}

// Two replicas on one engine; what happens to one must not be felt but by time.
func TestReplicas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*os.Process) error
		wake bool
	}{
		{"one is killed in its work", func(p *os.Process) error { return p.Kill() }, false},
		{"one is frozen in its work, and wakes", func(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			port := freePorts(t, 1)[0]
			srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
			require.NoError(t, err)
			srv.Start()
			require.True(t, srv.ReadyForConnections(10*time.Second))
			defer srv.Shutdown()
			o := optionsFromEnv()
			o.URL, o.Replicas = srv.ClientURL(), 1
			q, err := durable.Open(t.Context(), o)
			require.NoError(t, err)
			defer func() { assert.NoError(t, q.Close()) }()

			other, lines := start(t, "work", "URL="+srv.ClientURL(), "REPLICAS=1", "SLOW=1s")
			require.True(t, lines.Scan()) // ready
			require.NoError(t, q.Add(t.Context(), key(1), queue.AddOptions{}))
			require.True(t, lines.Scan())
			require.Equal(t, "start "+key(1).ID, lines.Text())
			require.NoError(t, c.do(other.Process))

			// This replica gets the key when the other's lease is over.
			ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
			defer stop()
			runs := 0
			require.NoError(t, q.Run(ctx, func(context.Context, queue.Key) error {
				runs++
				stop()
				return nil
			}))
			assert.Equal(t, 1, runs)

			if c.wake {
				require.NoError(t, other.Process.Signal(syscall.SIGCONT))
				require.True(t, lines.Scan())
				assert.Contains(t, []string{"lost " + key(1).ID, "cancelled " + key(1).ID}, lines.Text(), "it must not write")
			}
		})
	}
}
