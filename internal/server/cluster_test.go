package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// node is a nats-server process of a cluster.
type node struct{ cmd *exec.Cmd }

// tool finds a program of another project in ./.bin, where the Makefile builds
// it, or in PATH.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../.bin/" + name)
	require.NoError(t, err)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err = exec.LookPath(name)
	require.NoError(t, err, "make %s", path)
	return path
}

// useCluster has the servers share a cluster of three nats-server processes on
// loopback, configured as deploy/nats.conf says.
func (g *rig) useCluster() []node {
	g.t.Helper()
	const nodes = 3
	program := tool(g.t, "nats-server")
	ports := freePorts(g.t, 2*nodes)
	var routes, urls []string
	for i := range nodes {
		urls = append(urls, fmt.Sprintf("nats://pilotgate:secret@127.0.0.1:%d", ports[i]))
		routes = append(routes, fmt.Sprintf(`"nats://nodes:private@127.0.0.1:%d"`, ports[nodes+i]))
	}
	var out []node
	for i := range nodes {
		cmd := exec.Command(program, "-c", "../../deploy/nats.conf")
		cmd.Env = append(os.Environ(), fmt.Sprintf("NAME=n%d", i+1), fmt.Sprintf("LISTEN=127.0.0.1:%d", ports[i]),
			fmt.Sprintf("CLUSTER_LISTEN=127.0.0.1:%d", ports[nodes+i]), "ROUTES=["+strings.Join(routes, ", ")+"]",
			fmt.Sprintf("STORE=%q", g.t.TempDir()), "QUEUE_PASSWORD=secret", "ROUTE_PASSWORD=private")
		require.NoError(g.t, cmd.Start())
		g.t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		out = append(out, node{cmd})
	}
	g.useEngine(strings.Join(urls, ","), nodes)
	return out
}

// useEngine has the servers share an engine instead of embedding one each.
func (g *rig) useEngine(url string, replicas int) {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		nc, err := nats.Connect(url)
		if err != nil {
			return false
		}
		defer nc.Close()
		js, err := nc.JetStream()
		if err != nil {
			return false
		}
		_, err = js.AccountInfo(nats.MaxWait(time.Second))
		return err == nil
	}, time.Minute, 100*time.Millisecond, "the cluster has no leader")
	g.change(func(c map[string]any) { c["queue"] = map[string]any{"url": url, "replicas": replicas} })
}

// change edits the servers' configuration.
func (g *rig) change(edit func(map[string]any)) {
	g.t.Helper()
	raw, err := os.ReadFile(g.config)
	require.NoError(g.t, err)
	var c map[string]any
	require.NoError(g.t, json.Unmarshal(raw, &c))
	edit(c)
	raw, err = json.Marshal(c)
	require.NoError(g.t, err)
	require.NoError(g.t, os.WriteFile(g.config, raw, 0o600))
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	var taken []net.Listener
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		taken = append(taken, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range taken {
		require.NoError(t, errors.Join(l.Close()))
	}
	return ports
}
