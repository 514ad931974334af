//go:build real

// Package watchtower is a real Prometheus and a real Alertmanager beside a
// server, for tests: they watch it by the rules that we write for a pilot.
package watchtower

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/monitoring"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// scenario is the one that is watched.
const scenario = "channel_digest_ru"

// Tower is a Prometheus and an Alertmanager beside a server: the one reads
// the server's metrics and a benchmark runner's, by the rules that we write for
// a pilot, and the other posts what fires to the server, as the example says.
type Tower struct {
	t          *testing.T
	prometheus string // URL
	coverage   atomic.Value
}

// Watched says where the server is and what is watched.
type Watched struct {
	Server     string // URL
	Repository string // owner/name
	Token      string
	Pilot      string
}

// New starts both; they end with the test.
func New(t *testing.T, w Watched) *Tower {
	t.Helper()
	tower := &Tower{t: t}
	tower.Measure("0.95")
	runner := httptest.NewServer(http.HandlerFunc(tower.export))
	t.Cleanup(runner.Close)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	manager, prometheus := freeAddress(t), freeAddress(t)
	token := write("token", []byte(w.Token+"\n"))
	config := write("alertmanager.yml", exampleAlertmanager(t, w, token))
	program(t, manager, "alertmanager", "--config.file="+config, "--storage.path="+dir+"/alertmanager", "--web.listen-address="+manager, "--cluster.listen-address=")
	rules := write("pilot.rules.yml", rulesOf(t, w))
	config = write("prometheus.yml", fmt.Appendf(nil, `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: pilotgate, static_configs: [{targets: [%q]}]}
  - {job_name: runner, static_configs: [{targets: [%q]}]}
`, rules, manager, strings.TrimPrefix(w.Server, "http://"), strings.TrimPrefix(runner.URL, "http://")))
	program(t, prometheus, "prometheus", "--config.file="+config, "--storage.tsdb.path="+dir+"/prometheus", "--web.listen-address="+prometheus)
	tower.prometheus = "http://" + prometheus
	return tower
}

// Measure is what the runner exports from now on.
func (w *Tower) Measure(coverage string) { w.coverage.Store(coverage) }

func (w *Tower) export(out http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(out, "benchmark_metric_value{scenario=%q,dataset=\"benchmark_digest_ru_v1\",metric=\"coverage\"} %s\n", scenario, w.coverage.Load())
}

// Values are what an expression gives in Prometheus now.
func (w *Tower) Values(expr string) []string {
	res, err := http.Get(w.prometheus + "/api/v1/query?query=" + strings.ReplaceAll(expr, " ", "%20"))
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Value []any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if json.NewDecoder(res.Body).Decode(&answer) != nil {
		return nil
	}
	var out []string
	for _, r := range answer.Data.Result {
		out = append(out, fmt.Sprint(r.Value[1]))
	}
	return out
}

// Sees waits until an expression gives one value.
func (w *Tower) Sees(expr, value string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { v := w.Values(expr); return len(v) == 1 && v[0] == value }, time.Minute, 200*time.Millisecond, expr)
}

// rulesOf are the written rules, which wait a second instead of minutes. The
// thresholds are as written.
func rulesOf(t *testing.T, w Watched) []byte {
	t.Helper()
	bands, ok := policy.Default().Scenario(scenario)
	require.True(t, ok)
	files, err := monitoring.Files(monitoring.Watch{
		Pilot: w.Pilot, Plan: "plan.md", Scenario: scenario, Dataset: bands.DatasetID, Repository: w.Repository,
		Bands: map[string]benchmark.Band{benchmark.Coverage: bands.Metrics[benchmark.Coverage]}, Say: render.Speak("en").Monitoring,
	})
	require.NoError(t, err)
	var f monitoring.RuleFile
	require.NoError(t, yaml.Unmarshal(files[0].Data, &f))
	f.Groups[0].Interval = "1s"
	for i := range f.Groups[0].Rules {
		if r := &f.Groups[0].Rules[i]; r.For != "" && r.Alert == monitoring.AlertOutOfBand {
			r.For = "1s"
		}
	}
	out, err := f.YAML("in a hurry\n")
	require.NoError(t, err)
	return out
}

// exampleAlertmanager is the example of deploy with this server in it.
func exampleAlertmanager(t *testing.T, w Watched, token string) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../deploy/monitoring/alertmanager.example.yml")
	require.NoError(t, err)
	text := string(raw)
	for _, change := range [][2]string{
		{"https://pilotgate.example.org" + alert.Path, w.Server + alert.Path},
		{"/etc/alertmanager/pilotgate-digests.token", token},
		{"acme/digests", w.Repository},
		{"group_wait: 30s", "group_wait: 1s"},
		{"group_interval: 5m", "group_interval: 1s"},
	} {
		require.Contains(t, text, change[0])
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	return []byte(text)
}

// freeAddress is a port on loopback that nobody has.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// program runs one of the two until the test ends, and waits until it is ready.
func program(t *testing.T, address, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "`make test-real` brings it")
	cmd := exec.Command(path, args...)
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Logf("%s:\n%s", name, log.String())
		}
	})
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "%s is not ready", name)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
