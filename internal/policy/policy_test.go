package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/policy"
)

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
