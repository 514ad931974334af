package threats

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/server"
	"github.com/pilotgate/pilotgate/internal/webhook"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// firing is an alert about the sample's pilot, as Alertmanager sends it.
const firing = `{"version":"4","status":"firing","receiver":"pilotgate","alerts":[{"status":"firing","fingerprint":"0011223344556677",
"labels":{"alertname":"CoverageLow","scenario":"` + sample.Scenario + `","model":"qwen-7b-digest-ru","pilot":"` + sample.Pilot + `","severity":"critical"},
"startsAt":"2026-01-14T12:00:00Z"}]}`

func foreignPublishers(t *testing.T) {
	for _, url := range []string{"nats://queue.example:4222", "nats://10.0.0.1:4222", "nats://127.0.0.1:1,nats://queue.example:4222"} {
		t.Run("a queue that is open to everybody at "+url, func(t *testing.T) {
			t.Parallel()
			c := server.Defaults()
			c.Queue.URL = url
			_, err := server.New(t.Context(), c, server.Options{})
			require.Error(t, err, "the server does not start")
		})
	}
	tokens := map[string]string{"ours": strings.Repeat("a", 40), "another": strings.Repeat("b", 40)}
	configured := func(t *testing.T) setting {
		dir := t.TempDir()
		var sources []server.Alert
		for name, repository := range map[string]string{"ours": "acme/pilots", "another": "acme/elsewhere"} {
			file := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(file, []byte(tokens[name]+"\n"), 0o600))
			sources = append(sources, server.Alert{Repository: repository, Scenario: map[bool]string{true: sample.Scenario, false: "another"}[name == "ours"], TokenFile: file})
		}
		return setting{config: func(c *server.Config) { c.Alerts = sources }}
	}
	post := func(s *stage, body string, header map[string]string) int {
		req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, strings.TrimSuffix(s.Hook(), webhook.Path)+alert.Path, strings.NewReader(body))
		require.NoError(s.t, err)
		req.Header.Set("Content-Type", "application/json")
		for k, v := range header {
			req.Header.Set(k, v)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(s.t, err)
		require.NoError(s.t, resp.Body.Close())
		return resp.StatusCode
	}
	on(t, "an alert where no token is configured", func(t *testing.T, s *stage) {
		assert.Equal(t, http.StatusUnauthorized, post(s, firing, nil))
		assert.Equal(t, http.StatusUnauthorized, post(s, firing, map[string]string{"Authorization": "Bearer "}))
	}, setting{config: func(c *server.Config) { c.Alerts = nil }})
	on(t, "an alert with no token, a guessed one, or another repository's", func(t *testing.T, s *stage) {
		s.GitHub.ForgetRequests()
		for name, given := range map[string]string{
			"none": "", "an empty one": "Bearer ", "a guess": "Bearer " + strings.Repeat("c", 40), "a part": "Bearer " + tokens["ours"][:39],
			"as a password": "Basic " + tokens["ours"], "the webhook secret": "Bearer " + s.App.Secret(),
		} {
			header := map[string]string{}
			if given != "" {
				header["Authorization"] = given
			}
			assert.Equal(t, http.StatusUnauthorized, post(s, firing, header), name)
		}
		status := post(s, firing, map[string]string{"Authorization": "Bearer " + tokens["another"]})
		assert.Equal(t, http.StatusUnprocessableEntity, status, "another scenario's token says nothing of this one")
		s.settle()
		assert.Empty(t, s.GitHub.Requests(), "nothing was looked at")
		assert.NotContains(t, s.log.String(), tokens["ours"])
	}, configured(t))
	on(t, "an alert about nothing that was released changes nothing", func(t *testing.T, s *stage) {
		s.signedOff()
		before := string(s.Repo.State())
		s.GitHub.ForgetRequests()
		for range 3 {
			assert.Equal(t, http.StatusAccepted, post(s, firing, map[string]string{"Authorization": "Bearer " + tokens["ours"]}))
		}
		s.settle()
		assert.Empty(t, s.written())
		assert.Equal(t, before, string(s.Repo.State()))
		assert.Empty(t, s.openIssues())
	}, configured(t))
}
