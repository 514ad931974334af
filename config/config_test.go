package config_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/config"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.PolicySchema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("policy.json", doc))
	s, err := c.Compile("policy.json")
	require.NoError(t, err)
	return s
}

func instance(t *testing.T, src string) any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(src))
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return doc
}

func TestDefaultFileIsTheDefaultPolicy(t *testing.T) {
	p, findings := policy.Parse(policy.Path, config.DefaultPolicy)
	require.Empty(t, findings)
	assert.Empty(t, policy.Difference(policy.Default(), p), "the file writes out what holds without it")
	assert.NoError(t, schema(t).Validate(instance(t, string(config.DefaultPolicy))))
}

// Every key of the struct stands in the default file and in the schema, and
// the schema has no other.
func TestStructSchemaAndDefaultFileHaveTheSameKeys(t *testing.T) {
	var doc map[string]any
	require.NoError(t, json.Unmarshal(config.PolicySchema, &doc))
	var file map[string]any
	require.NoError(t, yaml.Unmarshal(config.DefaultPolicy, &file))

	var walk func(at string, typ reflect.Type, schema, file map[string]any)
	walk = func(at string, typ reflect.Type, schema, file map[string]any) {
		properties, _ := schema["properties"].(map[string]any)
		require.NotNil(t, properties, "%s has properties in the schema", at)
		assert.Equal(t, false, schema["additionalProperties"], "%s takes no other keys", at)
		var keys []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if key == "-" {
				continue
			}
			keys = append(keys, key)
			sub, _ := properties[key].(map[string]any)
			require.NotNil(t, sub, "%s.%s is in the schema", at, key)
			assert.NotEmpty(t, sub["description"], "%s.%s is described", at, key)
			if file != nil {
				assert.Contains(t, file, key, "%s.%s is in the default file", at, key)
			}
			if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == typ.PkgPath() {
				next, _ := file[key].(map[string]any)
				walk(at+"."+key, f.Type, sub, next)
			}
		}
		assert.ElementsMatch(t, keys, slices.Collect(maps.Keys(properties)), at)
	}
	walk("", reflect.TypeFor[policy.Policy](), doc, file)

	defs := doc["$defs"].(map[string]any)
	properties := doc["properties"].(map[string]any)
	walk("key", reflect.TypeFor[policy.Key](), defs["key"].(map[string]any), nil)
	walk("waivers", reflect.TypeFor[policy.Waiver](), properties["waivers"].(map[string]any)["items"].(map[string]any), nil)
	walk("checks", reflect.TypeFor[policy.Override](), properties["checks"].(map[string]any)["additionalProperties"].(map[string]any), nil)
	walk("scenarios", reflect.TypeFor[policy.Scenario](), properties["scenarios"].(map[string]any)["additionalProperties"].(map[string]any), nil)
}

func TestSchemaDefaultsAreThePolicys(t *testing.T) {
	var doc map[string]any
	require.NoError(t, json.Unmarshal(config.PolicySchema, &doc))
	raw, err := json.Marshal(policy.Default())
	require.NoError(t, err)
	var defaults map[string]any
	require.NoError(t, json.Unmarshal(raw, &defaults))
	seen := 0
	var walk func(at string, schema, value any)
	walk = func(at string, schema, value any) {
		s := schema.(map[string]any)
		if d, ok := s["default"]; ok {
			seen++
			assert.Equal(t, value, d, at)
		}
		properties, _ := s["properties"].(map[string]any)
		for key, sub := range properties {
			if m, ok := value.(map[string]any); ok {
				walk(at+"."+key, sub, m[key])
			}
		}
	}
	walk("", doc, defaults)
	assert.Positive(t, seen)
}

// What the schema refuses in an editor, Pilotgate refuses too, and the other
// way round where a schema can say it.
func TestSchemaAndParserAgree(t *testing.T) {
	s := schema(t)
	for src, good := range map[string]bool{
		"{}":                                    true,
		"profile: full":                         true,
		"profile: strict":                       false,
		"profil: full":                          false,
		"version: 2":                            false,
		"language: ru":                          true,
		"language: de":                          false,
		"approvals: {max_age_days: 0}":          false,
		"approvals: {distinct_people: \"yes\"}": false,
		"checks: {DS032: {severity: note}}":     false,
		"checks: {DS032: {severity: off, reason: why}}":                                                        false,
		"checks: {DS032: {severity: note, reason: why}}":                                                       true,
		"datasets: {buckets: [\"s3://acme\"]}":                                                                 true,
		"datasets: {buckets: [\"http://acme\"]}":                                                               false,
		"datasets: {buckets: [\"s3://acme?endpoint=http://x\"]}":                                               false,
		"scenarios: {channel_digest_ru: {metrics: {coverage: {pass: 88}}}}":                                    false,
		"scenarios: {channel_digest_ru: {metrics: {coverage: {warn: 0.8}}}}":                                   false,
		"scenarios: {channel_digest_ru: {metrics: {coverage: {pass: 0.9, better: lower}}}}":                    false,
		"scenarios: {channel_digest_ru: {metrics: {latency_seconds: {pass: 200, warn: 240, statistic: p95}}}}": true,
		"scenarios: {channel_digest_ru: {metrics: {bleu: {pass: 0.9}}}}":                                       false,
		"paths: {plans: []}":                      false,
		"paths: {signoff: /etc/passwd}":           false,
		"paths: {evidence: docs/evidence}":        false,
		"workflows: {training: \"\"}":             true,
		"workflows: {training: scripts/train.sh}": false,
		"signing: {keys: [{id: a, ed25519: \"3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=\", from: 2026-01-01}]}": true,
		"signing: {keys: [{id: a, ed25519: short, from: 2026-01-01}]}":                                            false,
		"rollback: {tolerance: 2}":    false,
		"rollback: {tolerance: 0.02}": true,
		"waivers: [{rule: PII101}]":   false,
	} {
		t.Run(src, func(t *testing.T) {
			_, findings := policy.Parse(policy.Path, []byte(src))
			assert.Equal(t, good, len(findings) == 0, "parser: %v", findings)
			assert.Equal(t, good, s.Validate(instance(t, src)) == nil, "schema")
		})
	}
}

// The settings that the command-line documentation lists, each with an example.
func TestServerExampleShowsEverySetting(t *testing.T) {
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(config.ExampleServer, &doc))
	assert.ElementsMatch(t, []string{"server", "github", "queue", "workers", "sweep", "signing", "alerts", "stores", "log"}, slices.Collect(maps.Keys(doc)))
	github := doc["github"].(map[string]any)
	assert.ElementsMatch(t, []string{"web_url", "v3_api_url", "v4_api_url", "app"}, slices.Collect(maps.Keys(github)))
	assert.ElementsMatch(t, []string{"integration_id", "webhook_secret", "private_key"}, slices.Collect(maps.Keys(github["app"].(map[string]any))))
}
