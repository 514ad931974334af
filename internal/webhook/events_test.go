package webhook_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

var us = webhook.Us{App: 99, Bot: 100}

const sha = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b"

// event builds a payload: who is the sender, and what else it says.
func event(sender int, rest string) string {
	return fmt.Sprintf(`{"installation":{"id":7},"repository":{"id":22,"default_branch":"main"},"sender":{"id":%d,"login":"dana","type":"User"},%s}`, sender, rest)
}

const (
	person  = 5
	bot     = 100
	pull    = `"pull_request":{"number":17}`
	forPull = `"issue":{"number":17,"pull_request":{}}`
)

var eventCases = []struct {
	name    string
	event   string
	payload string
	want    string // keys as "kind id", by commas; or why there is none
}{
	{"opened", "pull_request", event(person, `"action":"opened",`+pull), "pr 17"},
	{"synchronize", "pull_request", event(person, `"action":"synchronize",`+pull), "pr 17"},
	{"closed without a merge", "pull_request", event(person, `"action":"closed","pull_request":{"number":17,"merged":false}`), "pr 17"},
	{"merged", "pull_request", event(person, `"action":"closed","pull_request":{"number":17,"merged":true}`), "pr 17"},
	{"edited", "pull_request", event(person, `"action":"edited",`+pull), "pr 17"},
	{"a new title", "pull_request", event(person, `"action":"edited","changes":{"title":{"from":"x"}},`+pull), "ignored"},
	{"a description that was empty", "pull_request", event(person, `"action":"edited","changes":{"body":{"from":""}},`+pull), "ignored"},
	{"another base", "pull_request", event(person, `"action":"edited","changes":{"title":{"from":"x"},"base":{"ref":{"from":"main"}}},`+pull), "pr 17"},
	{"labelled", "pull_request", event(person, `"action":"labeled",`+pull), "ignored"},
	{"an action of tomorrow", "pull_request", event(person, `"action":"teleported",`+pull), "ignored"},
	{"opened by our bot: a new head is judged", "pull_request", event(bot, `"action":"opened",`+pull), "pr 17"},
	{"edited by our bot", "pull_request", event(bot, `"action":"edited",`+pull), "echo"},

	{"review", "pull_request_review", event(person, `"action":"submitted",`+pull), "pr 17"},
	{"review edited", "pull_request_review", event(person, `"action":"edited",`+pull), "pr 17"},
	{"review dismissed by our bot", "pull_request_review", event(bot, `"action":"dismissed",`+pull), "echo"},

	{"command", "issue_comment", event(person, `"action":"created",`+forPull+`,"comment":{"body":"/pilot recheck","user":{"id":5}}`), "pr 17"},
	{"chat", "issue_comment", event(person, `"action":"created",`+forPull+`,"comment":{"body":"nice","user":{"id":5}}`), "ignored"},
	{"command edited away", "issue_comment", event(person, `"action":"edited",`+forPull+`,"comment":{"body":"nice","user":{"id":5}},"changes":{"body":{"from":"/pilot recheck"}}`), "pr 17"},
	{"our comment deleted by somebody", "issue_comment", event(person, `"action":"deleted",`+forPull+`,"comment":{"body":"### Pilot","user":{"id":100}}`), "pr 17"},
	{"our issue closed by somebody", "issues", event(person, `"action":"closed","issue":{"number":9,"user":{"id":100}}`), "repo "},
	{"somebody's issue", "issues", event(person, `"action":"closed","issue":{"number":9,"user":{"id":5}}`), "ignored"},
	{"our own comment", "issue_comment", event(bot, `"action":"created",`+forPull+`,"comment":{"body":"### Pilot /pilot recheck","user":{"id":100}}`), "echo"},
	{"command on an issue", "issue_comment", event(person, `"action":"created","issue":{"number":3},"comment":{"body":"/pilot rollback r","user":{"id":5}}`), "repo "},

	{"re-run", "check_run", event(person, `"action":"rerequested","check_run":{"id":31,"head_sha":"`+sha+`","app":{"id":99},"pull_requests":[{"number":17,"base":{"repo":{"id":22}}},{"number":18,"base":{"repo":{"id":22}}}]}`), "pr 17,pr 18"},
	{"button", "check_run", event(person, `"action":"requested_action","requested_action":{"identifier":"mend"},"check_run":{"id":31,"app":{"id":99},"pull_requests":[{"number":17,"base":{"repo":{"id":22}}}]}`), "pr 17"},
	{"button on a fork's pull request", "check_run", event(person, `"action":"requested_action","check_run":{"id":31,"app":{"id":99},"pull_requests":[]}`), "repo "},
	{"pull request into another repository", "check_run", event(person, `"action":"rerequested","check_run":{"id":31,"app":{"id":99},"pull_requests":[{"number":1,"base":{"repo":{"id":23}}}]}`), "repo "},
	{"check run of another App", "check_run", event(person, `"action":"rerequested","check_run":{"id":31,"app":{"id":98}}`), "ignored"},
	{"check run completed", "check_run", event(bot, `"action":"completed","check_run":{"id":31,"app":{"id":99}}`), "ignored"},
	{"all checks again", "check_suite", event(person, `"action":"rerequested","check_suite":{"id":32,"app":{"id":99},"pull_requests":[{"number":17,"base":{"repo":{"id":22}}}]}`), "pr 17"},
	{"suite of a push", "check_suite", event(person, `"action":"requested","check_suite":{"id":32,"app":{"id":99}}`), "ignored"},

	{"merge group", "merge_group", event(person, `"action":"checks_requested","merge_group":{"head_sha":"`+sha+`","base_ref":"refs/heads/release/1"}`), "group " + sha + "/release/1"},
	{"merge group destroyed", "merge_group", event(person, `"action":"destroyed","merge_group":{"head_sha":"`+sha+`","base_ref":"refs/heads/main"}`), "ignored"},

	{"push to the default branch", "push", event(person, `"ref":"refs/heads/main"`), "repo "},
	{"push to another branch", "push", event(person, `"ref":"refs/heads/topic"`), "ignored"},
	{"push by our bot: the ledger is verified", "push", event(bot, `"ref":"refs/heads/main"`), "repo "},
	{"tag moved", "push", event(person, `"ref":"refs/tags/v1.4.0"`), "repo "},
	{"tag", "create", event(person, `"ref":"v1.4.0","ref_type":"tag"`), "repo "},
	{"branch", "create", event(person, `"ref":"topic","ref_type":"branch"`), "ignored"},
	{"tag deleted", "delete", event(person, `"ref":"v1.4.0","ref_type":"tag"`), "repo "},
	{"release", "release", event(person, `"action":"published"`), "repo "},

	{"dispatched run", "workflow_run", event(person, `"action":"completed","workflow_run":{"event":"workflow_dispatch"}`), "repo "},
	{"our confirming run began", "workflow_run", event(bot, `"action":"requested","workflow_run":{"event":"workflow_dispatch","run_attempt":1,"display_title":"dry run confirm-1a2b"}`), "ignored"},
	{"our confirming run ended", "workflow_run", event(bot, `"action":"completed","workflow_run":{"event":"workflow_dispatch","run_attempt":1,"display_title":"dry run confirm-1a2b"}`), "repo "},
	{"our confirming run again", "workflow_run", event(bot, `"action":"requested","workflow_run":{"event":"workflow_dispatch","run_attempt":2,"display_title":"dry run confirm-1a2b"}`), "repo "},
	{"our training began", "workflow_run", event(bot, `"action":"requested","workflow_run":{"event":"workflow_dispatch","run_attempt":1,"display_title":"Train p1"}`), "repo "},
	{"somebody's run of that name", "workflow_run", event(person, `"action":"requested","workflow_run":{"event":"workflow_dispatch","run_attempt":1,"display_title":"dry run confirm-1a2b"}`), "repo "},
	{"run of a push", "workflow_run", event(person, `"action":"completed","workflow_run":{"event":"push"}`), "ignored"},
	{"gate", "deployment_protection_rule", event(person, `"action":"requested","environment":"pilot-finetune"`), "repo "},
	{"trainer's answer", "deployment_status", event(person, `"action":"created","deployment":{"environment":"pilot-finetune"}`), "repo "},
	{"somebody's deployment", "deployment_status", event(person, `"action":"created","deployment":{"environment":"production"}`), "ignored"},
	{"renamed", "repository", event(person, `"action":"renamed"`), "repo "},

	{"installed", "installation", `{"action":"created","installation":{"id":7},"sender":{"id":5},"repositories":[{"id":1},{"id":2}]}`, "installation "},
	{"suspended", "installation", `{"action":"suspend","installation":{"id":7},"sender":{"id":5}}`, "installation "},
	{"repository added", "installation_repositories", `{"action":"added","installation":{"id":7},"sender":{"id":5}}`, "installation "},
	{"member", "membership", `{"action":"removed","installation":{"id":7},"sender":{"id":5},"team":{"id":1}}`, "installation "},
	{"team", "team", `{"action":"edited","installation":{"id":7},"sender":{"id":5}}`, "installation "},

	{"ping", "ping", `{"zen":"calm"}`, "ignored"},
	{"an event of tomorrow", "teleport", `{"action":"created"}`, "ignored"},

	{"no installation", "push", `{"ref":"refs/heads/main","repository":{"id":22,"default_branch":"main"}}`, "malformed"},
	{"no repository", "release", `{"action":"published","installation":{"id":7}}`, "malformed"},
	{"no number", "pull_request", event(person, `"action":"opened"`), "malformed"},
	{"negative number", "pull_request", event(person, `"action":"opened","pull_request":{"number":-17}`), "malformed"},
	{"number out of range", "pull_request", event(person, `"action":"opened","pull_request":{"number":17e40}`), "malformed"},
	{"no head", "merge_group", event(person, `"action":"checks_requested","merge_group":{"base_ref":"refs/heads/main"}`), "malformed"},
	{"no base", "merge_group", event(person, `"action":"checks_requested","merge_group":{"head_sha":"`+sha+`"}`), "malformed"},
	{"endless base", "merge_group", event(person, `"action":"checks_requested","merge_group":{"head_sha":"`+sha+`","base_ref":"`+strings.Repeat("b", 400)+`"}`), "malformed"},
	{"no JSON", "push", `ref=refs/heads/main`, "malformed"},
	{"an array", "push", `[]`, "malformed"},
	{"nesting", "push", strings.Repeat(`{"a":`, 20_000), "malformed"},
}

func TestKeys(t *testing.T) {
	for _, c := range eventCases {
		t.Run(c.event+"/"+c.name, func(t *testing.T) {
			adds, why, err := webhook.Keys(c.event, []byte(c.payload), us)
			if c.want == "malformed" {
				require.ErrorIs(t, err, webhook.ErrMalformed)
				assert.Empty(t, adds)
				return
			}
			require.NoError(t, err)
			got := why
			for _, a := range adds {
				require.Equal(t, int64(7), a.Key.Installation)
				got += "," + a.Key.Kind + " " + a.Key.ID
			}
			assert.Equal(t, c.want, strings.TrimPrefix(got, ","))
		})
	}
}

func TestEachEventOfTheTableHasACase(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range eventCases {
		if c.want != "ignored" && c.want != "malformed" {
			tried[c.event] = true
		}
	}
	for _, e := range webhook.Events() {
		assert.True(t, tried[e], "no case reduces %s to a key", e)
	}
}

func TestOnlyWhatGitHubForgetsIsKept(t *testing.T) {
	for _, c := range eventCases {
		adds, _, err := webhook.Keys(c.event, []byte(c.payload), us)
		if err != nil {
			continue
		}
		for _, a := range adds {
			assert.Equal(t, strings.HasPrefix(c.event, "check_"), a.Payload != nil, "%s %s", c.event, c.name)
		}
	}
}

func TestWithoutOurIdsNothingIsMasked(t *testing.T) {
	adds, _, err := webhook.Keys("pull_request", []byte(event(0, `"action":"edited",`+pull)), webhook.Us{})
	require.NoError(t, err)
	assert.Len(t, adds, 1, "a payload without sender is no echo")
	adds, _, err = webhook.Keys("check_run", []byte(event(5, `"action":"rerequested","check_run":{"id":1}`)), webhook.Us{})
	require.NoError(t, err)
	assert.Empty(t, adds, "a check without App is not ours")
}

func TestManyPullRequestsOfOneCheckAreOneKey(t *testing.T) {
	for n, want := range map[int]int{100: 100, 101: 1} {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"number":%d,"base":{"repo":{"id":22}}}`, i+1)
		}
		adds, _, err := webhook.Keys("check_run",
			[]byte(event(person, `"action":"rerequested","check_run":{"id":31,"app":{"id":99},"pull_requests":[`+strings.Join(list, ",")+`]}`)), us)
		require.NoError(t, err)
		assert.Len(t, adds, want)
	}
}

func TestAskedIsCapped(t *testing.T) {
	adds, _, err := webhook.Keys("check_run", []byte(event(person,
		`"action":"requested_action","requested_action":{"identifier":"`+strings.Repeat("m", 21)+`"},"check_run":{"id":31,"app":{"id":99}}`)), us)
	require.NoError(t, err)
	require.Len(t, adds, 1)
	a, err := webhook.ParseAsked(adds[0].Payload)
	require.NoError(t, err)
	assert.Empty(t, a.Identifier)
	assert.Equal(t, int64(31), a.CheckID)

	_, err = webhook.ParseAsked([]byte(`{"event":"` + strings.Repeat("x", 1<<10) + `"}`))
	assert.Error(t, err)
	_, err = webhook.ParseAsked([]byte(`mend`))
	assert.Error(t, err)
}

func FuzzKeys(f *testing.F) {
	for _, c := range eventCases {
		if len(c.payload) < 10_000 {
			f.Add(c.event, []byte(c.payload))
		}
	}
	f.Fuzz(func(t *testing.T, event string, payload []byte) {
		adds, why, err := webhook.Keys(event, payload, us)
		if err != nil {
			require.ErrorIs(t, err, webhook.ErrMalformed)
			require.Empty(t, adds)
			return
		}
		require.NotEqual(t, len(adds) == 0, why == "", "either keys or a reason why not")
		require.LessOrEqual(t, len(adds), 100)
		require.True(t, json.Valid(payload) || len(adds) == 0)
		for _, a := range adds {
			require.NoError(t, a.Key.Validate())
			k, err := queue.ParseKey(a.Key.String())
			require.NoError(t, err)
			require.Equal(t, a.Key, k)
			if a.Payload != nil {
				_, err := webhook.ParseAsked(a.Payload)
				require.NoError(t, err)
			}
		}
	})
}
