package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/deploy"
	"github.com/pilotgate/pilotgate/internal/server"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

// operations is every request of the server to GitHub and the permission that
// GitHub's reference names for it; "" needs none beside being installed.
var operations = map[string]string{
	// By the App itself.
	"GET /app":                               "",
	"GET /app/installations":                 "",
	"GET /repos/{owner}/{repo}/installation": "",
	"POST /app/installations/{installation_id}/access_tokens": "",
	"GET /app/hook/deliveries":                                "",
	"POST /app/hook/deliveries/{delivery_id}/attempts":        "",
	"GET /users/{username}":                                   "",

	// By an installation, reading.
	"GRAPHQL query node":                                                                    "checks:read",
	"GRAPHQL query organization":                                                            "members:read",
	"GRAPHQL query repository":                                                              "contents:read checks:read pull_requests:read merge_queues:read",
	"GET /installation/repositories":                                                        "metadata:read",
	"GET /orgs/{org}/teams/{team_slug}/members":                                             "members:read",
	"GET /repos/{owner}/{repo}":                                                             "metadata:read",
	"GET /repos/{owner}/{repo}/activity":                                                    "contents:read",
	"GET /repos/{owner}/{repo}/branches/{branch}":                                           "contents:read",
	"GET /repos/{owner}/{repo}/collaborators/{username}":                                    "metadata:read",
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission":                         "metadata:read",
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls":                                  "pull_requests:read",
	"GET /repos/{owner}/{repo}/compare/{basehead}":                                          "contents:read",
	"GET /repos/{owner}/{repo}/tags":                                                        "contents:read",
	"GET /repos/{owner}/{repo}/releases/tags/{tag}":                                         "contents:read",
	"GET /repos/{owner}/{repo}/deployments":                                                 "deployments:read",
	"GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses":                        "deployments:read",
	"GET /repos/{owner}/{repo}/git/blobs/{file_sha}":                                        "contents:read",
	"GET /repos/{owner}/{repo}/git/ref/{ref}":                                               "contents:read",
	"GET /repos/{owner}/{repo}/git/trees/{tree_sha}":                                        "contents:read",
	"GET /repos/{owner}/{repo}/issues":                                                      "issues:read",
	"GET /repos/{owner}/{repo}/rules/branches/{branch}":                                     "metadata:read",
	"GET /repos/{owner}/{repo}/git/commits/{commit_sha}":                                    "contents:read",
	"GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs":                        "actions:read",
	"GET /repos/{owner}/{repo}/actions/runs":                                                "actions:read",
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}":                                       "actions:read",
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts":                             "actions:read",
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments":                   "actions:read",
	"GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}":            "actions:read",
	"GET /repos/{owner}/{repo}/rulesets/{ruleset_id}":                                       "metadata:read",
	"GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules": "actions:read",
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}":             "actions:read",

	// Classic branch protection is shown to administrators alone. The App does
	// not ask to be one: refused, it takes the branch for protected and opens a
	// pull request instead of pushing.
	"GET /repos/{owner}/{repo}/branches/{branch}/protection": "",

	// By an installation, writing.
	"GRAPHQL mutation createCheckRun":                                             "checks:write",
	"GRAPHQL mutation updateCheckRun":                                             "checks:write",
	"GRAPHQL mutation createCommitOnBranch":                                       "contents:write",
	"GRAPHQL mutation enablePullRequestAutoMerge":                                 "pull_requests:write",
	"GRAPHQL mutation addComment":                                                 "issues:write",
	"GRAPHQL mutation updateIssueComment":                                         "issues:write",
	"GRAPHQL mutation deleteIssueComment":                                         "issues:write",
	"GRAPHQL mutation addReaction":                                                "issues:write",
	"GRAPHQL mutation requestReviews":                                             "pull_requests:write",
	"GRAPHQL mutation dismissPullRequestReview":                                   "pull_requests:write",
	"GRAPHQL mutation createRef":                                                  "contents:write",
	"GRAPHQL mutation createPullRequest":                                          "pull_requests:write",
	"POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews":                      "pull_requests:write",
	"POST /repos/{owner}/{repo}/git/refs":                                         "contents:write",
	"POST /repos/{owner}/{repo}/git/commits":                                      "contents:write",
	"POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches":       "actions:write",
	"POST /repos/{owner}/{repo}/deployments":                                      "deployments:write",
	"POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses":             "deployments:write",
	"POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule": "deployments:write",
	"POST /repos/{owner}/{repo}/issues":                                           "issues:write",
	"PATCH /repos/{owner}/{repo}/issues/{issue_number}":                           "issues:write",
	"PATCH /repos/{owner}/{repo}/pulls/{pull_number}":                             "pull_requests:write",
	"POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers":          "pull_requests:write",
}

// events is what GitHub asks of an App that subscribes to an event.
var events = map[string]string{
	"check_run":                  "checks:read",
	"check_suite":                "checks:read",
	"create":                     "contents:read",
	"delete":                     "contents:read",
	"deployment_protection_rule": "deployments:read",
	"deployment_status":          "deployments:read",
	"issue_comment":              "issues:read",
	"issues":                     "issues:read",
	"membership":                 "members:read",
	"merge_group":                "merge_queues:read",
	"pull_request":               "pull_requests:read",
	"pull_request_review":        "pull_requests:read",
	"push":                       "contents:read",
	"release":                    "contents:read",
	"repository":                 "metadata:read",
	"team":                       "members:read",
	"workflow_run":               "actions:read",
}

// unasked are events that every App gets; GitHub refuses a manifest that asks.
var unasked = []string{"installation", "installation_repositories"}

func TestTheAppHearsWhatTheServerTakes(t *testing.T) {
	want := slices.DeleteFunc(webhook.Events(), func(e string) bool { return slices.Contains(unasked, e) })
	assert.Equal(t, want, deploy.App().Events)
	assert.ElementsMatch(t, want, slices.Collect(maps.Keys(events)), "each event has its permission in the table")
}

func TestTheAppMayDoWhatTheServerDoesAndNoMore(t *testing.T) {
	want := map[string]string{}
	for _, needs := range slices.Concat(slices.Collect(maps.Values(operations)), slices.Collect(maps.Values(events))) {
		for need := range strings.FieldsSeq(needs) {
			name, level, ok := strings.Cut(need, ":")
			require.True(t, ok, need)
			if want[name] != "write" {
				want[name] = level
			}
		}
	}
	assert.Equal(t, want, deploy.App().Permissions)
	assert.False(t, deploy.App().Public, "an App of one organisation is nobody else's")
}

var (
	route    = regexp.MustCompile(`"((?:GET|POST|PUT|PATCH|DELETE) /[a-z/{}_-]+)"`)
	mutation = regexp.MustCompile(`(?m)"((?:create|update|add|delete|dismiss|request)(?:[A-Z][a-z]+)+)"|^  ([a-z]+[A-Z]\w+)\(input`)
	query    = regexp.MustCompile(`(?m)^  (\w+)\(`)
)

// The table of operations is held against the code that sends them, both ways:
// what is not sent any more is not asked for any more.
func TestEveryOperationIsInTheTable(t *testing.T) {
	sent := map[string]bool{"POST /app/installations/{installation_id}/access_tokens": true}
	sources, err := filepath.Glob("../internal/gh/*.go")
	require.NoError(t, err)
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range route.FindAllSubmatch(src, -1) {
			sent[string(m[1])] = true
		}
		if strings.Contains(string(src), ": organization(login: ") {
			sent["GRAPHQL query organization"] = true
		}
		for _, m := range mutation.FindAllSubmatch(src, -1) {
			sent["GRAPHQL mutation "+string(m[1])+string(m[2])] = true
		}
	}
	queries, err := filepath.Glob("../internal/gh/queries/*.graphql")
	require.NoError(t, err)
	for _, file := range queries {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(src), "query ") {
			for _, m := range query.FindAllSubmatch(src, -1) {
				sent["GRAPHQL query "+string(m[1])] = true
			}
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(operations)), slices.Collect(maps.Keys(sent)))
}

// The stories of the threat model are played by an App with these permissions on
// a GitHub that refuses what they do not cover, and write down what they asked.
func TestTheStoriesNeedNoOtherOperation(t *testing.T) {
	const ofAnAttacker = "POST /repos/{owner}/{repo}/check-runs" // the server uses GraphQL
	used := strings.Split(strings.TrimSpace(read(t, "../internal/threats/testdata/operations.golden")), "\n")
	require.NotEmpty(t, used)
	for _, o := range used {
		if o != ofAnAttacker {
			assert.Contains(t, operations, o)
		}
	}
}

func TestTheFormIsFilledWithTheManifest(t *testing.T) {
	link := deploy.App().RegisterURL("YOUR-ORG")
	assert.Contains(t, link, "https://github.com/organizations/YOUR-ORG/settings/apps/new?name=Pilotgate&")
	assert.Contains(t, link, "&checks=write&")
	assert.Contains(t, link, "&events[]=merge_group&")
	assert.Contains(t, read(t, "../README.md"), link, "the README's link is made from the manifest")
}

func TestTheContainerHoldsNothingButTheProgram(t *testing.T) {
	dockerfile := read(t, "Dockerfile")
	gomod := read(t, "../go.mod")
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(gomod)
	require.NotNil(t, version)
	assert.Contains(t, dockerfile, "FROM golang:"+version[1]+" AS build\n", "the image is built with go.mod's Go")
	assert.Contains(t, dockerfile, "CGO_ENABLED=0")
	_, final, ok := strings.Cut(dockerfile, "\nFROM scratch\n")
	require.True(t, ok)
	assert.NotContains(t, final, "RUN ")
	assert.Contains(t, final, "USER 65532:65532\n")

	var compose struct {
		Services map[string]struct {
			User        string   `yaml:"user"`
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
			Ports       []string `yaml:"ports"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "compose.yml")), &compose))
	require.Contains(t, compose.Services, "pilotgate")
	s := compose.Services["pilotgate"]
	assert.Equal(t, "65532:65532", s.User)
	assert.True(t, s.ReadOnly)
	assert.Equal(t, []string{"ALL"}, s.CapDrop)
	assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt)
	assert.Equal(t, []string{"127.0.0.1:8080:8080"}, s.Ports)
}

func TestTheServerTakesItsConfiguration(t *testing.T) {
	t.Setenv("GITHUB_APP_INTEGRATION_ID", "7")
	t.Setenv("GITHUB_APP_WEBHOOK_SECRET", "made up")
	t.Setenv("GITHUB_APP_PRIVATE_KEY", "made up")
	c, err := server.Load("server.yml")
	require.NoError(t, err)
	assert.Equal(t, "0.0.0.0", c.Server.Address)
	assert.Equal(t, int64(7), c.GitHub.App.IntegrationID)
	assert.Equal(t, "/var/lib/pilotgate", c.Queue.Store, "what the volume keeps")
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}
