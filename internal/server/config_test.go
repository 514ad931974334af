package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/config"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return Load(path)
}

const smallest = "github:\n  app:\n    integration_id: 7\n    webhook_secret: s3\n    private_key: pem\n"

func TestTheExampleIsReadWhole(t *testing.T) {
	c, err := load(t, string(config.ExampleServer))
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", c.Server.Address)
	assert.Equal(t, 30*time.Minute, c.Sweep)
	require.Len(t, c.Stores, 1)
	assert.Equal(t, "s3://acme-ml-data", c.Stores[0].Bucket)
	assert.Equal(t, []string{"acme/digests"}, c.Stores[0].Repositories)
}

func TestDefaultsHoldWhereTheFileIsSilent(t *testing.T) {
	c, err := load(t, smallest)
	require.NoError(t, err)
	assert.Equal(t, 8080, c.Server.Port)
	assert.Equal(t, 16, c.Workers)
	assert.Equal(t, []string{"s3"}, c.secrets())
}

func TestAStoreThatNoRepositoryMayReadIsRefused(t *testing.T) {
	_, err := load(t, smallest+"stores:\n  - bucket: s3://acme\n")
	assert.EqualError(t, err, "configuration: store s3://acme has no repositories; name those that may read it")
}

func TestTwoSecretsStandOnTwoLines(t *testing.T) {
	c, err := load(t, strings.Replace(smallest, "webhook_secret: s3", "webhook_secret: |\n      new one\n      old one", 1))
	require.NoError(t, err)
	assert.Equal(t, []string{"new one", "old one"}, c.secrets())
}

func TestTheEnvironmentWins(t *testing.T) {
	t.Setenv("GITHUB_APP_INTEGRATION_ID", "8")
	t.Setenv("GITHUB_V3_API_URL", "https://ghe.example/api/v3")
	c, err := load(t, smallest)
	require.NoError(t, err)
	assert.Equal(t, int64(8), c.GitHub.App.IntegrationID)
	assert.Equal(t, "https://ghe.example/api/v3", c.GitHub.V3APIURL)
}

func TestWhatCannotServeIsSaidInOneLine(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"no App", "github:\n  app:\n    webhook_secret: s\n    private_key: pem\n", "GITHUB_APP_INTEGRATION_ID"},
		{"no key", "github:\n  app:\n    integration_id: 7\n    webhook_secret: s\n", "GITHUB_APP_PRIVATE_KEY"},
		{"an empty secret", strings.Replace(smallest, "s3", `""`, 1), "GITHUB_APP_WEBHOOK_SECRET"},
		{"a misspelt key", smallest + "wokers: 4\n", "wokers"},
		{"no workers", smallest + "workers: 0\n", "workers is 0"},
		{"a sweep that never rests", smallest + "sweep: 1s\n", "at least 1m"},
		{"no YAML", ": : :", "read configuration"},
		{"too large", "#" + strings.Repeat("x", maxConfig), "larger than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

func TestAConfigurationThatIsNotThere(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOnlyGitHubItselfAsksForPacing(t *testing.T) {
	for api, want := range map[string]time.Duration{
		"": GitHubPacing, "https://api.github.com": GitHubPacing, "https://api.acme.ghe.com/": GitHubPacing,
		"https://github.example/api/v3": 0, "https://api.github.com.example/": 0,
	} {
		var c Config
		c.GitHub.V3APIURL = api
		assert.Equal(t, want, pacing(c, Options{Pacing: GitHubPacing}), api)
	}
}
