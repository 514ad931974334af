// Package deploy holds what an operator deploys, and the GitHub App's manifest
// as a value: the demo makes its App from it, so that there is one truth. It
// reaches nothing and decides nothing.
package deploy

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed app.yml
var app []byte

// Manifest is a GitHub App manifest, with GitHub's names:
// https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
type Manifest struct {
	Name        string `yaml:"name"`
	URL         string `yaml:"url"`
	Description string `yaml:"description"`
	Public      bool   `yaml:"public"`
	Hook        struct {
		URL    string `yaml:"url"`
		Active bool   `yaml:"active"`
	} `yaml:"hook_attributes"`
	RedirectURL string            `yaml:"redirect_url"`
	Permissions map[string]string `yaml:"default_permissions"` // "checks": "write"
	Events      []string          `yaml:"default_events"`
}

// App reads app.yml, which is part of the program: what is wrong with it shows
// in every test.
func App() Manifest {
	var m Manifest
	if err := yaml.NewDecoder(bytes.NewReader(app), yaml.Strict()).Decode(&m); err != nil {
		panic(fmt.Errorf("read deploy/app.yml: %w", err))
	}
	return m
}

// RegisterURL is the page of an organisation on which GitHub offers the App as
// the manifest describes it; what is filled in can be changed there:
// https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-using-url-parameters
func (m Manifest) RegisterURL(organisation string) string {
	q := []string{
		"name=" + url.QueryEscape(m.Name), "url=" + url.QueryEscape(m.URL), "public=" + fmt.Sprint(m.Public),
		"webhook_active=" + fmt.Sprint(m.Hook.Active), "webhook_url=" + url.QueryEscape(m.Hook.URL),
	}
	for _, name := range slices.Sorted(maps.Keys(m.Permissions)) {
		q = append(q, name+"="+m.Permissions[name])
	}
	for _, e := range m.Events {
		q = append(q, "events[]="+e)
	}
	return "https://github.com/organizations/" + url.PathEscape(organisation) + "/settings/apps/new?" + strings.Join(q, "&")
}
