//go:build faults && linux

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// network is a toxiproxy process with one way through it.
type network struct {
	t    *testing.T
	api  string
	addr string // where the way begins
}

// networkTo puts a network between somebody and an address.
func networkTo(t *testing.T, upstream string) *network {
	t.Helper()
	ports := freePorts(t, 2)
	n := &network{t: t, api: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), addr: fmt.Sprintf("127.0.0.1:%d", ports[1])}
	cmd := exec.Command(tool(t, "toxiproxy"), "-host", "127.0.0.1", "-port", fmt.Sprint(ports[0]))
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		res, err := http.Get(n.api + "/version")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil
	}, 30*time.Second, 50*time.Millisecond)
	n.post("/proxies", map[string]any{"name": "way", "listen": n.addr, "upstream": upstream, "enabled": true})
	return n
}

func (n *network) post(path string, body any) {
	n.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(n.t, err)
	res, err := http.Post(n.api+path, "application/json", bytes.NewReader(raw))
	require.NoError(n.t, err)
	said, err := io.ReadAll(res.Body)
	require.NoError(n.t, err)
	require.NoError(n.t, res.Body.Close())
	require.Less(n.t, res.StatusCode, 300, string(said))
}

// suffers makes the answers that come back over the network bad.
func (n *network) suffers(toxic string, attributes map[string]any) {
	n.t.Helper()
	n.post("/proxies/way/toxics", map[string]any{"type": toxic, "stream": "downstream", "toxicity": 1, "attributes": attributes})
}

// cut ends every connection and takes no new one.
func (n *network) cut() { n.post("/proxies/way", map[string]any{"enabled": false}) }

// heal takes everything bad away.
func (n *network) heal() { n.post("/reset", nil) }

// behind has the servers reach GitHub over a network.
func (g *rig) behind(t *testing.T) *network {
	t.Helper()
	at, err := url.Parse(g.url)
	require.NoError(t, err)
	n := networkTo(t, at.Host)
	g.change(func(c map[string]any) {
		git := c["github"].(map[string]any)
		for key, path := range map[string]string{"web_url": "", "v3_api_url": "/api/v3/", "v4_api_url": "/api/graphql"} {
			git[key] = "http://" + n.addr + path
		}
	})
	return n
}
