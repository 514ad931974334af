package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func parse(t *testing.T, src string) policy.Policy {
	t.Helper()
	p, findings := policy.Parse(policy.Path, []byte(src))
	require.Empty(t, findings)
	return p
}

func TestExampleOfTheDocumentation(t *testing.T) {
	src := `version: 1
language: en                      # en | ru, the text of checks and comments
locale: ru                        # locale of the datasets
profile: starter                  # starter | full: which fields are errors (lifecycle.md §3)
enforcement: enforce              # enforce | observe
paths:                            # defaults as in this document
  plans: ["docs/specs/epic_05/stage_05_03_pilot*.md", "docs/specs/epic_05/pilots/*.md"]
  signoff: docs/specs/epic_05/stage_05_03_signoff.md
  summary: docs/specs/epic_05/stage_05_03.md
  report: docs/specs/epic_05/stage_05_03_pilot_report_{pilot}.md
  evidence: docs/specs/epic_05/evidence/{pilot}/
  runbook: docs/specs/epic_05/stage_05_03_runbook.md
  registry: models/registry.yaml
  pointer: deploy/model_pointer.yaml
  prometheus: ["prometheus/*.yml"]
  grafana: ["grafana/dashboards/*.json"]
scenarios:                        # acceptance bands; the defaults are those of section 3
  channel_digest_ru:
    dataset_id: benchmark_digest_ru_v1
    metrics:
      coverage: {pass: 0.88, warn: 0.80}
      latency_seconds: {pass: 210, warn: 240, better: lower, statistic: p95}
datasets:
  schema: builtin:stage_05_02/v1
  buckets: ["s3://acme-ml-data"]
  exporters: ["scripts/**/export_digests.py", "scripts/**/export_review_reports.py"]
  channels: []                    # empty: any
approvals:
  distinct_people: true
  max_age_days: 30
  after_evidence: false
checks:                           # another severity for a rule, always with a reason; shown in the check
  DS032: {severity: note, reason: "news items repeat each other"}
waivers:
  - {rule: PII101, file_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", line: 12, pointer: /source_text, owner: "@irina-ml", reason: "public hotline", expires: 2026-12-31}
signing: {keys: [{id: "2026", ed25519: "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=", from: 2026-01-01}]}
trainers: []                      # public keys of trainers outside GitHub Actions
drift: {psi: 0.25, ks_p: 0.01}
baseline: {confirm: optional}     # optional | required
commit: {mode: auto}              # auto | direct | pull_request
workflows: {benchmark: .github/workflows/stage05_benchmark_smoke.yml, training: .github/workflows/pilot_finetune.yml}
environment: pilot-finetune
rollback: {tolerance: 0.01}
`
	p, findings := policy.Parse(policy.Path, []byte(src))
	assert.Empty(t, findings)
	var keys []string
	for _, c := range policy.Difference(policy.Default(), p) {
		keys = append(keys, c.Key+": "+c.From+" → "+c.To)
	}
	assert.Equal(t, []string{
		"checks.DS032.reason:  → news items repeat each other",
		"checks.DS032.severity:  → note",
		"datasets.buckets:  → s3://acme-ml-data",
		"signing.keys[2026].ed25519:  → 3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=",
		"signing.keys[2026].from:  → 2026-01-01",
		"signing.keys[2026].id:  → 2026",
		"waivers[PII101 9f86d081884c line 12 /source_text].expires:  → 2026-12-31",
		"waivers[PII101 9f86d081884c line 12 /source_text].file_sha256:  → 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"waivers[PII101 9f86d081884c line 12 /source_text].line:  → 12",
		"waivers[PII101 9f86d081884c line 12 /source_text].owner:  → @irina-ml",
		"waivers[PII101 9f86d081884c line 12 /source_text].pointer:  → /source_text",
		"waivers[PII101 9f86d081884c line 12 /source_text].reason:  → public hotline",
		"waivers[PII101 9f86d081884c line 12 /source_text].rule:  → PII101",
	}, keys, "all else is the default")
}

func TestDefaultsHoldWithoutAFile(t *testing.T) {
	assert.Equal(t, policy.Default(), parse(t, ""))
	assert.Equal(t, policy.Default(), parse(t, "# nothing yet\n"))
	assert.Equal(t, policy.Default(), parse(t, "version: 1"))
}

func TestDefaultBands(t *testing.T) {
	p := policy.Default()
	assert.Equal(t, []string{"channel_digest_ru", "review_summary_ru"}, p.ScenarioNames())
	want := map[string]map[string]string{
		"channel_digest_ru": {
			"coverage": "≥0.88 pass / ≥0.80 warn", "accuracy": "≥0.90 pass / ≥0.85 warn", "coherence": "≥0.90 pass / ≥0.85 warn",
			"informativeness": "≥0.88 pass / ≥0.82 warn", "latency_seconds": "≤210 pass / ≤240 warn",
		},
		"review_summary_ru": {
			"coverage": "≥0.87 pass / ≥0.80 warn", "accuracy": "≥0.90 pass / ≥0.85 warn", "coherence": "≥0.88 pass / ≥0.82 warn",
			"informativeness": "≥0.88 pass / ≥0.82 warn", "latency_seconds": "≤300 pass / ≤360 warn",
		},
	}
	for name, bands := range want {
		s, ok := p.Scenario(name)
		require.True(t, ok)
		got := map[string]string{}
		for metric, b := range s.Metrics {
			got[metric] = b.String()
			assert.Equal(t, benchmark.DirectionOf(metric), b.Better)
		}
		assert.Equal(t, bands, got, name)
	}
	_, ok := p.Scenario("unknown")
	assert.False(t, ok)
}

// Leaving a metric out of the file must not lower the bar.
func TestScenariosAreReadOverTheDefaults(t *testing.T) {
	p := parse(t, "scenarios:\n  channel_digest_ru: {metrics: {coverage: {pass: 0.95}}}\n  ours: {dataset_id: d1, metrics: {accuracy: {pass: 0.5, statistic: avg}}}\n")
	digest := p.Scenarios["channel_digest_ru"]
	assert.Equal(t, "≥0.95 pass", digest.Metrics["coverage"].String(), "a written band replaces the default whole")
	assert.Equal(t, "≥0.90 pass / ≥0.85 warn", digest.Metrics["accuracy"].String())
	assert.Equal(t, "benchmark_digest_ru_v1", digest.DatasetID)
	assert.Len(t, p.Scenarios["ours"].Metrics, 1)
	assert.Equal(t, benchmark.Mean, p.Scenarios["ours"].Metrics["accuracy"].Statistic)
	assert.Contains(t, p.Scenarios, "review_summary_ru")
	assert.Equal(t, "≥0.88 pass / ≥0.80 warn", policy.Default().Scenarios["channel_digest_ru"].Metrics["coverage"].String(), "the defaults themselves stay")
}

// What cannot be read keeps its default and never becomes laxer than it.
func TestUnreadableValuesKeepTheDefault(t *testing.T) {
	p, findings := policy.Parse(policy.Path, []byte("enforcement: off\napprovals: {distinct_people: 0, max_age_days: 10}\nchecks: {DS032: {severity: note}}\nwaivers: [{rule: PII101}]\n"))
	assert.NotEmpty(t, findings)
	assert.Equal(t, policy.Enforce, p.Enforcement)
	assert.True(t, p.Approvals.DistinctPeople)
	assert.Equal(t, 240*time.Hour, p.Approvals.MaxAge(), "what can be read is")
	assert.Empty(t, p.Checks)
	assert.Empty(t, p.Waivers)
}

func TestCapsAreTakenAtTheirEdge(t *testing.T) {
	for name, src := range map[string]string{
		"list":      "datasets: {channels: [" + list(200, "c%d") + "]}",
		"overrides": "checks: {" + list(200, "DS%03d: {severity: error, reason: w}") + "}",
		"text":      "datasets: {channels: [" + strings.Repeat("я", 300) + "]}",
		"age":       "approvals: {max_age_days: 365}",
	} {
		_, findings := policy.Parse(policy.Path, []byte(src))
		assert.Empty(t, findings, name)
	}
}

func TestScenarioOfADataset(t *testing.T) {
	p := parse(t, "scenarios: {ours: {dataset_id: d1, metrics: {accuracy: {pass: 0.5}}}}")
	for dataset, want := range map[string]string{
		"data/benchmarks/benchmark_digest_ru_v1/2026-01_samples.jsonl": "channel_digest_ru",
		"s3://acme-ml-data/d1/2026-01_samples.jsonl":                   "ours",
		"data/benchmarks/benchmark_digest_ru_v10/x.jsonl":              "",
		"data/d1/benchmark_digest_ru_v1/x.jsonl":                       "",
		"":                                                             "",
	} {
		assert.Equal(t, want, p.ScenarioOf(dataset), dataset)
	}
}

func TestBucketAllowed(t *testing.T) {
	p := parse(t, `datasets: {buckets: ["s3://acme-ml-data", "gs://shared/pilots/"]}`)
	for uri, want := range map[string]bool{
		"s3://acme-ml-data/a/b.jsonl":                               true,
		"gs://shared/pilots/x.jsonl":                                true,
		"gs://shared/other/x.jsonl":                                 false,
		"gs://shared/pilots-of-others/x.jsonl":                      false,
		"gs://shared/pilots/../other/x.jsonl":                       false,
		"gs://shared/pilots/%2e%2e/other/x.jsonl":                   false,
		"s3://acme-ml-data-evil/x.jsonl":                            false,
		"s3://acme-ml-data.evil.example/x.jsonl":                    false,
		"s3://acme-ml-data/x.jsonl?endpoint=http://169.254.169.254": false,
		"s3://acme-ml-data@evil/x.jsonl":                            false,
		"s3://acme-ml-data":                                         false,
		"https://acme-ml-data/x.jsonl":                              false,
		"azblob://acme-ml-data/x.jsonl":                             false,
		"data/x.jsonl":                                              false,
	} {
		assert.Equal(t, want, p.BucketAllowed(uri), uri)
	}
	assert.False(t, policy.Default().BucketAllowed("s3://acme-ml-data/x.jsonl"), "none by default")
}

func TestKeysAreValidFromDayToDay(t *testing.T) {
	p := parse(t, "signing: {keys: [{id: old, ed25519: \""+public+"\", from: 2025-01-01, until: 2025-12-31}, {id: new, ed25519: \""+other+"\", from: 2025-12-15}]}")
	day := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return at
	}
	for _, c := range []struct {
		id, at string
		want   bool
	}{
		{"old", "2024-12-31T23:59:59Z", false},
		{"old", "2025-01-01T00:00:00Z", true},
		{"old", "2025-12-31T23:59:59Z", true},
		{"old", "2026-01-01T00:00:00Z", false},
		{"new", "2025-12-14T23:59:59Z", false},
		{"new", "2030-01-01T00:00:00Z", true},
		{"none", "2025-06-01T00:00:00Z", false},
	} {
		_, ok := p.SigningKey(c.id, day(c.at))
		assert.Equal(t, c.want, ok, "%s at %s", c.id, c.at)
	}
	_, ok := p.TrainerKey("old", day("2025-06-01T00:00:00Z"))
	assert.False(t, ok, "the server's key is no trainer's")
}

func TestWaiverEndsWithItsLastDay(t *testing.T) {
	w := parse(t, waiver()).Waivers[0]
	assert.False(t, w.Expired(time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)))
	assert.True(t, w.Expired(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestProtectedRulesMayOnlyBeRaised(t *testing.T) {
	for _, rule := range []string{"PII101", "DS020", "CF005", "PL001", "PO021", "RL007", "SG001"} {
		assert.True(t, policy.Protected(rule), rule)
	}
	assert.False(t, policy.Protected("DS032"))
	p := parse(t, "checks: {PII101: {severity: error, reason: said again}, PII112: {severity: error, reason: stricter here}}")
	assert.Len(t, p.Checks, 2)
}

// What people approve must not change with the order or the look of the file,
// and must change with everything that decides about the pilot.
func TestEffectiveIsWhatPeopleApprove(t *testing.T) {
	roles := policy.Roles{}.Required()
	effective := func(src string, datasets ...string) string {
		raw, err := json.Marshal(parse(t, src).Effective("channel_digest_ru", roles, datasets...))
		require.NoError(t, err)
		return string(raw)
	}
	plain := effective("")
	for name, src := range map[string]string{
		"defaults written out":     "profile: starter\nscenarios: {channel_digest_ru: {metrics: {coverage: {pass: 0.880, warn: 0.8}}}}",
		"another language":         "language: ru",
		"another scenario's bands": "scenarios: {review_summary_ru: {metrics: {coverage: {pass: 0.5}}}}",
		"where texts go":           "paths: {runbook: docs/runbook.md}",
		"how the log is committed": "commit: {mode: direct}",
		"a signing key":            "signing: {keys: [{id: a, ed25519: \"" + public + "\", from: 2026-01-01}]}",
		"when approvals count":     "approvals: {max_age_days: 10}",
	} {
		assert.Equal(t, plain, effective(src), name)
	}
	seen := map[string]string{plain: "the default"}
	for name, src := range map[string]string{
		"a band":       "scenarios: {channel_digest_ru: {metrics: {coverage: {pass: 0.87, warn: 0.8}}}}",
		"a severity":   "checks: {DS032: {severity: note, reason: why}}",
		"a waiver":     waiver(),
		"the profile":  "profile: full",
		"the schema":   "datasets: {schema: config/record.json}",
		"the channels": "datasets: {channels: [news]}",
		"the buckets":  "datasets: {buckets: [\"s3://acme\"]}",
		"the exporter": "datasets: {exporters: [scripts/x.py]}",
		"drift":        "drift: {psi: 0.3}",
		"tolerance":    "rollback: {tolerance: 0.02}",
		"confirmation": "baseline: {confirm: required}",
		"environment":  "environment: other",
		"the locale":   "locale: en",
	} {
		e := effective(src)
		assert.Empty(t, seen[e], "%s changes nothing", name)
		seen[e] = name
	}
	assert.Equal(t, plain, effective(waiver(), "another dataset's sha256"), "waivers of other datasets are not in it")
	assert.NotEqual(t, plain, effective(waiver(), hash))
	assert.Equal(t, effective("datasets: {channels: [a, b]}"), effective("datasets: {channels: [b, a]}"))

	none := policy.Default().Effective("unknown", roles)
	assert.Nil(t, none.Bands)
}

func TestDifferenceNamesKeysAndBothValues(t *testing.T) {
	before := parse(t, "scenarios: {channel_digest_ru: {metrics: {coverage: {pass: 0.88, warn: 0.80}}}}\ndatasets: {buckets: [\"s3://one\"]}")
	after := parse(t, "scenarios: {channel_digest_ru: {metrics: {coverage: {pass: 0.7, warn: 0.6}}}}\napprovals: {distinct_people: false}")
	assert.Equal(t, []policy.Change{
		{Key: "approvals.distinct_people", From: "true", To: "false"},
		{Key: "datasets.buckets", From: "s3://one", To: ""},
		{Key: "scenarios.channel_digest_ru.metrics.coverage.pass", From: "0.88", To: "0.7"},
		{Key: "scenarios.channel_digest_ru.metrics.coverage.warn", From: "0.8", To: "0.6"},
	}, policy.Difference(before, after))
	assert.Empty(t, policy.Difference(before, before))
}

func TestNumbersAreDecimals(t *testing.T) {
	p := parse(t, "drift: {psi: 0.1}")
	assert.True(t, p.Drift.PSI.Equal(decimal.RequireFromString("0.1")), fmt.Sprint(p.Drift.PSI))
}

func FuzzParse(f *testing.F) {
	for _, c := range policyCases {
		if len(c.src) < 1_000 {
			f.Add([]byte(c.src))
		}
	}
	f.Add([]byte(waiver()))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, findings := policy.Parse(policy.Path, src)
		lines := strings.Count(string(src), "\n") + 2
		for _, x := range findings {
			if x.At.Line < 1 || x.At.Line > lines || x.Severity == "" {
				t.Fatalf("%s %s at line %d of %d", x.Rule, x.Case, x.At.Line, lines)
			}
		}
		for rule := range p.Checks {
			if policy.Protected(rule) && p.Checks[rule].Severity != "error" {
				t.Fatalf("%s was lowered", rule)
			}
		}
		if len(p.Paths.Plans) == 0 || len(p.Scenarios) < 2 {
			t.Fatal("a default was lost")
		}
		if _, err := json.Marshal(p.Effective("channel_digest_ru", nil)); err != nil {
			t.Fatal(err)
		}
		if len(policy.Difference(p, p)) > 0 {
			t.Fatal("a policy differs from itself")
		}
	})
}
