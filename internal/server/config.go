package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/palantir/go-githubapp/githubapp"
)

// Config is the server's file; config/server.example.yml explains each key.
// Environment variables by go-githubapp's names win over it.
type Config struct {
	Server struct {
		Address   string `yaml:"address"`
		Port      int    `yaml:"port"`
		PublicURL string `yaml:"public_url"`
	} `yaml:"server"`
	GitHub githubapp.Config `yaml:"github"`
	Queue  struct {
		URL         string `yaml:"url"`
		Credentials string `yaml:"credentials"`
		Store       string `yaml:"store"`
		Replicas    int    `yaml:"replicas"`
	} `yaml:"queue"`
	Workers int           `yaml:"workers"`
	Sweep   time.Duration `yaml:"sweep"`
	Signing struct {
		ID             string `yaml:"id"`
		PrivateKeyFile string `yaml:"private_key_file"`
	} `yaml:"signing"`
	Alerts []Alert `yaml:"alerts"`
	Stores []Store `yaml:"stores"`
	Log    struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	} `yaml:"log"`
}

// Alert is the bearer token of one repository and scenario: the file's one
// line, or two while a new token replaces the old.
type Alert struct {
	Repository string `yaml:"repository"`
	Scenario   string `yaml:"scenario"`
	TokenFile  string `yaml:"token_file"`
}

// Store is an object store by bucket.
type Store struct {
	Bucket        string `yaml:"bucket"`
	Endpoint      string `yaml:"endpoint"`
	Region        string `yaml:"region"`
	AccessKeyFile string `yaml:"access_key_file"`
	SecretKeyFile string `yaml:"secret_key_file"`
	// Repositories may read it: owner/name, owner/*, an id, or * for every
	// repository that the App is installed in.
	Repositories []string `yaml:"repositories"`
}

// Defaults hold where the file is silent.
func Defaults() Config {
	var c Config
	c.Server.Address, c.Server.Port = "127.0.0.1", 8080
	c.Queue.Store, c.Queue.Replicas = "/var/lib/pilotgate/queue", 1
	c.Workers, c.Sweep = 16, 30*time.Minute
	c.Log.Level, c.Log.Format = "info", "json"
	return c
}

const maxConfig = 1 << 20

// Load reads a configuration file ("" reads none) and the environment. An
// unknown key is an error: a misspelt one would be a setting that does nothing.
func Load(path string) (Config, error) {
	c, err := read(path)
	if err != nil {
		return c, err
	}
	c.GitHub.SetValuesFromEnv("")
	return c, c.check()
}

// LoadQueue reads a configuration for its queue alone: an operator's command
// needs no key of the App.
func LoadQueue(path string) (Config, error) { return read(path) }

func read(path string) (Config, error) {
	c := Defaults()
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
		if err != nil {
			return c, fmt.Errorf("read configuration %s: %w", path, err)
		}
		if len(raw) > maxConfig {
			return c, fmt.Errorf("read configuration %s: larger than 1 MiB", path)
		}
		if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&c); err != nil && !errors.Is(err, io.EOF) {
			return c, fmt.Errorf("read configuration %s: %s", path, yaml.FormatError(err, false, false))
		}
	}
	return c, nil
}

func (c Config) check() error {
	switch {
	case c.GitHub.App.IntegrationID <= 0:
		return errors.New("configuration: github.app.integration_id is missing; set it or GITHUB_APP_INTEGRATION_ID")
	case c.GitHub.App.PrivateKey == "":
		return errors.New("configuration: github.app.private_key is missing; set it or GITHUB_APP_PRIVATE_KEY")
	case len(c.secrets()) == 0:
		return errors.New("configuration: github.app.webhook_secret is missing; set it or GITHUB_APP_WEBHOOK_SECRET")
	case c.Server.Port < 0 || c.Server.Port > 65535:
		return fmt.Errorf("configuration: server.port %d is no port", c.Server.Port)
	case c.Workers < 1:
		return fmt.Errorf("configuration: workers is %d, at least 1 is needed", c.Workers)
	case c.Sweep < time.Minute:
		return fmt.Errorf("configuration: sweep is %s, at least 1m is needed", c.Sweep)
	}
	for _, s := range c.Stores {
		if len(s.Repositories) == 0 {
			return fmt.Errorf("configuration: store %s has no repositories; name those that may read it", s.Bucket)
		}
	}
	return nil
}

// secrets are the webhook secrets: one, or two on two lines during a rotation.
func (c Config) secrets() []string { return lines(c.GitHub.App.WebhookSecret) }

// lines are the lines that hold something.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if s := strings.TrimSpace(line); s != "" {
			out = append(out, s)
		}
	}
	return out
}
