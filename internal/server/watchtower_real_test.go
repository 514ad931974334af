//go:build real

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/monitoring"
	"github.com/pilotgate/pilotgate/internal/server/watchtower"
)

const scenario = "channel_digest_ru"

// metric is the line of /metrics that begins with a series.
func metric(server, series string) string {
	res, err := http.Get(server + "/metrics")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// A metric of the deployed model drops below its band; Prometheus fires,
// Alertmanager posts, and the alert is durable with its pilot: it outlives the
// server.
func TestAMetricBelowItsBandIsADurableAlert(t *testing.T) {
	const pilot, model, version, digest = "ru-digest-2026-01", "qwen-digest", "1.4.0", "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	g := newRig(t, 0, 4)
	g.alarms()
	g.pilots.MustCommit("main", "anna", fakegithub.CommitSpec{Message: "Deploy", Author: "anna", Files: map[string]fakegithub.File{
		"models/registry.yaml":      fakegithub.Text(fmt.Sprintf("models:\n- {name: %s, version: %q, digest: %q, pilot: %s, status: released}\n", model, version, digest, pilot)),
		"deploy/model_pointer.yaml": fakegithub.Text(fmt.Sprintf("%s: {model: %s, version: %q, digest: %q}\n", scenario, model, version, digest)),
	}})
	p := g.start()
	info := fmt.Sprintf("%s{model=%q,pilot=%q,repository=\"acme/pilots\",scenario=%q,version=%q}", monitoring.PointerInfo, model, pilot, scenario, version)
	require.Eventually(t, func() bool { return metric(p.url, info) == "1" }, time.Minute, 100*time.Millisecond, "the sweep reads the pointer")

	tower := watchtower.New(t, watchtower.Watched{Server: p.url, Repository: "acme/pilots", Token: alertToken, Pilot: pilot})
	const deployed = `scenario_dataset_metric:benchmark_metric_value:deployed{metric="coverage"}`
	tower.Sees(deployed, "0.95")
	assert.Empty(t, tower.Values(`ALERTS{alertname="PilotMetricOutOfBand"}`))

	g.blind.Store(true) // nobody can look at the pilot, so its key waits
	tower.Measure("0.85")
	tower.Sees(`ALERTS{alertstate="firing",severity="warning",alertname="PilotMetricOutOfBand"}`, "1")
	assert.Empty(t, metric(p.url, `pilotgate_alerts_total{result="accepted"}`), "a warning is for people")

	tower.Measure("0.79")
	accepted := func(least float64) {
		t.Helper()
		require.Eventually(t, func() bool {
			var n float64
			_, err := fmt.Sscan(metric(p.url, `pilotgate_alerts_total{result="accepted"}`), &n)
			return err == nil && n >= least
		}, time.Minute, 100*time.Millisecond, "an alert of Alertmanager's")
	}
	accepted(1)
	require.Error(t, p.end(t, syscall.SIGKILL))

	kept := g.kept()
	require.NotEmpty(t, kept)
	for _, a := range kept {
		assert.Equal(t, "PilotMetricOutOfBand critical firing", a.Name+" "+a.Severity+" "+a.Status)
		assert.Equal(t, []string{scenario, pilot, model, version, "coverage"}, []string{a.Scenario, a.Pilot, a.Model, a.Version, a.Metric})
		assert.WithinDuration(t, time.Now(), a.StartsAt, 5*time.Minute)
	}
}
