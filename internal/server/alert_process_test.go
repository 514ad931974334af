package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

const alertToken = "made up, of 32 characters at all"

// alarms lets an Alertmanager of the scenario post to the rig's server.
func (g *rig) alarms() {
	g.t.Helper()
	token := filepath.Join(g.t.TempDir(), "token")
	require.NoError(g.t, os.WriteFile(token, []byte(alertToken), 0o600))
	raw, err := os.ReadFile(g.config)
	require.NoError(g.t, err)
	raw = append(raw[:len(raw)-1], fmt.Appendf(nil, `,"alerts":[{"repository":"acme/pilots","scenario":"channel_digest_ru","token_file":%q}]}`, token)...)
	require.NoError(g.t, os.WriteFile(g.config, raw, 0o600))
}

// alarm is what Alertmanager posts about one pilot.
func alarm(pilot string) string {
	return fmt.Sprintf(`{"version":"4","truncatedAlerts":0,"status":"firing","alerts":[{"status":"firing","fingerprint":"a5331b0da5a9d842",
"startsAt":"2026-03-01T12:00:00Z","endsAt":"0001-01-01T00:00:00Z",
"labels":{"alertname":"PilotMetricBelowBand","severity":"critical","scenario":"channel_digest_ru","metric":"coverage","model":"m","version":"1","pilot":%q}}]}`, pilot)
}

func postAlert(t *testing.T, p *process, token, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+alert.Path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// kept opens the store of a server that is gone and answers the alerts in it.
func (g *rig) kept() []alert.Alert {
	g.t.Helper()
	q, err := durable.Open(g.t.Context(), durable.Options{Store: g.store})
	require.NoError(g.t, err)
	ctx, stop := context.WithTimeout(g.t.Context(), time.Minute)
	defer stop()
	var out []alert.Alert
	require.NoError(g.t, q.Run(ctx, func(ctx context.Context, k queue.Key) error {
		for _, raw := range queue.Payloads(ctx) {
			if a, err := alert.Parse(raw); err == nil {
				assert.Equal(g.t, queue.Key{Installation: g.install, Repository: g.repo, Kind: queue.KindPilot, ID: a.Pilot}, k)
				out = append(out, a)
				stop()
			}
		}
		return nil
	}))
	require.NoError(g.t, q.Close())
	return out
}

func TestAcceptedAlertsOutliveTheProcess(t *testing.T) {
	g := newRig(t, 0, 4)
	g.alarms()
	g.blind.Store(true) // nobody can look at the pilot, so the key waits
	p := g.start()
	assert.Equal(t, http.StatusUnauthorized, postAlert(t, p, "a guess of more than 20", alarm("guessed")))
	require.Equal(t, http.StatusAccepted, postAlert(t, p, alertToken, alarm("ru-digest")))
	require.Error(t, p.end(t, syscall.SIGKILL))
	kept := g.kept()
	require.Len(t, kept, 1, "the server lost it, or took what it must not")
	assert.Equal(t, "ru-digest", kept[0].Pilot)
	assert.Equal(t, "PilotMetricBelowBand", kept[0].Name)
}
