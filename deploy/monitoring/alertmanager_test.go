package monitoring

import (
	"bytes"
	"net/url"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// The example posts where the server listens, with a token, and no more at once
// than is taken.
func TestTheExampleAlertmanagerFitsTheServer(t *testing.T) {
	raw, err := os.ReadFile("alertmanager.example.yml")
	require.NoError(t, err)
	var c struct {
		Receivers []struct {
			Webhooks []struct {
				URL       string `yaml:"url"`
				MaxAlerts int    `yaml:"max_alerts"`
				HTTP      struct {
					Authorization struct {
						Type string `yaml:"type"`
						File string `yaml:"credentials_file"`
					} `yaml:"authorization"`
				} `yaml:"http_config"`
			} `yaml:"webhook_configs"`
		} `yaml:"receivers"`
	}
	require.NoError(t, yaml.NewDecoder(bytes.NewReader(raw)).Decode(&c))
	n := 0
	for _, r := range c.Receivers {
		for _, w := range r.Webhooks {
			n++
			u, err := url.Parse(w.URL)
			require.NoError(t, err)
			assert.Equal(t, alert.Path, u.Path)
			assert.Equal(t, "https", u.Scheme, "the token travels with it")
			assert.Equal(t, "Bearer", w.HTTP.Authorization.Type)
			assert.NotEmpty(t, w.HTTP.Authorization.File)
			assert.Equal(t, alert.MaxAlerts, w.MaxAlerts)
		}
	}
	assert.Positive(t, n)
}
