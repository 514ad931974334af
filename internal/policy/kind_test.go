package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func TestKind(t *testing.T) {
	p := policy.Default()
	for name, want := range map[string]policy.DocumentKind{
		"docs/specs/epic_05/stage_05_03_pilot.md":                          policy.Plan,
		"docs/specs/epic_05/stage_05_03_pilot_ru.md":                       policy.Plan,
		"docs/specs/epic_05/pilots/ru-digest-2026-01.md":                   policy.Plan,
		"docs/specs/epic_05/pilots/deep/ru.md":                             policy.None,
		"docs/specs/epic_05/pilots/README.md":                              policy.None,
		"docs/specs/epic_05/pilots/readme.md":                              policy.None,
		"docs/specs/epic_05/stage_05_03_pilot_log.md":                      policy.None,
		"docs/specs/epic_05/pilots/old_report.md":                          policy.None,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru-digest-2026-01.md": policy.Report,
		"docs/specs/epic_05/stage_05_03_pilot_report_.md":                  policy.None,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru.svg":               policy.Chart,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru.manifest.json":     policy.Reported,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru.baseline.json":     policy.Reported,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru.candidate.json":    policy.Reported,
		"docs/specs/epic_05/stage_05_03_pilot_report_ru.other.json":        policy.None,
		"docs/specs/epic_05/stage_05_03_pilot_report_.candidate.json":      policy.None,
		"docs/specs/epic_05/stage_05_03_signoff.md":                        policy.Signoff,
		"docs/specs/epic_05/stage_05_03.md":                                policy.Summary,
		"docs/specs/epic_05/stage_05_03_runbook.md":                        policy.Runbook,
		"docs/specs/epic_05/evidence/ru-digest-2026-01/signoff-00.json":    policy.Evidence,
		"docs/specs/epic_05/evidence/Strange Id/x.json":                    policy.Evidence,
		"docs/specs/epic_05/evidence/ru/deep/x.json":                       policy.Evidence,
		"docs/specs/epic_05/evidence/x.json":                               policy.None,
		"docs/specs/epic_05/evidence/":                                     policy.None,
		"models/registry.yaml":                                             policy.Registry,
		"deploy/model_pointer.yaml":                                        policy.Pointer,
		".github/pilotgate.yml":                                            policy.PolicyFile,
		".github/PILOT_APPROVERS":                                          policy.RoleFile,
		".github/workflows/pilot_finetune.yml":                             policy.Workflow,
		".github/workflows/stage05_benchmark_smoke.yml":                    policy.Workflow,
		".github/workflows/ci.yml":                                         policy.None,
		"prometheus/rules.yml":                                             policy.Prometheus,
		"prometheus/sub/rules.yml":                                         policy.None,
		"grafana/dashboards/pilots.json":                                   policy.Grafana,
		"README.md":                                                        policy.None,
		"":                                                                 policy.None,
	} {
		assert.Equal(t, want, p.Kind(name), name)
		assert.Equal(t, policy.None, p.Resembles(name), "%s is or is not, and resembles nothing", name)
	}
}

func TestKindFollowsThePolicysPaths(t *testing.T) {
	p := parse(t, `paths: {plans: ["pilots/**/*.md"], report: "pilots/{pilot}/out/report.md", evidence: "ledger-{pilot}/records/"}
workflows: {training: "", benchmark: ""}`)
	assert.Equal(t, policy.Plan, p.Kind("pilots/a/b/plan.md"))
	assert.Equal(t, policy.Plan, p.Kind("pilots/plan.md"))
	assert.Equal(t, policy.None, p.Kind("docs/specs/epic_05/stage_05_03_pilot.md"))
	assert.Equal(t, policy.Report, p.Kind("pilots/ru/out/report.md"), "a report before a plan")
	assert.Equal(t, policy.Evidence, p.Kind("ledger-ru/records/x.json"))
	assert.Equal(t, policy.None, p.Kind("ledger-ru/other/x.json"))
	assert.Equal(t, policy.None, p.Kind(".github/workflows/pilot_finetune.yml"))

	assert.Equal(t, "ru", p.PilotID("pilots/ru/out/report.md"))
	assert.Equal(t, "ru", p.PilotID("ledger-ru/records/x.json"))
	assert.Equal(t, "plan", p.PilotID("pilots/a/plan.md"))
	assert.Equal(t, "pilots/ru/out/report.md", p.ReportPath("ru"))
	assert.Equal(t, "ledger-ru/records/", p.EvidencePath("ru"))
}

func TestResemblesFindsDisguises(t *testing.T) {
	p := policy.Default()
	for name, want := range map[string]policy.DocumentKind{
		".github/PilotGate.yml":                                         policy.PolicyFile,
		".github/pilot_approvers":                                       policy.RoleFile,
		".github/./pilotgate.yml":                                       policy.PolicyFile,
		"docs/../.github/pilotgate.yml":                                 policy.PolicyFile,
		`.github\pilotgate.yml`:                                         policy.PolicyFile,
		".github/рilotgate.yml":                                         policy.PolicyFile, // Cyrillic р
		".github/pilot\u200bgate.yml":                                   policy.PolicyFile,
		".github/ｐilotgate.yml":                                         policy.PolicyFile, // full width
		"Models/Registry.yaml":                                          policy.Registry,
		"dосs/specs/epic_05/stage_05_03_signoff.md":                     policy.Signoff, // Cyrillic о, с
		"docs/specs/epic_05/pilots/ru.MD":                               policy.Plan,
		"DOCS/specs/epic_05/stage_05_03_pilot_ru.md":                    policy.Plan,
		"docs/specs/epic_05/Evidence/ru/x.json":                         policy.Evidence,
		"docs/specs/epic_05/stage_05_03_pilot_Report_ru.md":             policy.Report,
		"docs\u0301/specs/epic_05/stage_05_03_pilot_ru.md":              policy.Plan, // a combining accent
		"docs/specs/epic_05/stage_05_03_roadmap.md":                     policy.None,
		"src/main.go":                                                   policy.None,
		"docs/specs/epic_05/pilots/ru-digest-2026-01.md/extra/file.txt": policy.None,
	} {
		assert.Equal(t, policy.None, p.Kind(name), "%q is not governed as it stands", name)
		assert.Equal(t, want, p.Resembles(name), "%q", name)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a/*.md", "a/b.md", true},
		{"a/*.md", "a/b/c.md", false},
		{"a/**/c.md", "a/c.md", true},
		{"a/**/c.md", "a/x/y/c.md", true},
		{"a/**", "a/b/c", true},
		{"a/**", "b/a/c", false},
		{"**/c.md", "c.md", true},
		{"**/b/**/d", "a/b/c/b/d", true},
		{"**/b/**/d", "a/b/c/b/e", false},
		{"a/?.md", "a/b.md", true},
		{"a/[ab].md", "a/c.md", false},
		{"a/[", "a/[", false},
		{"A/b", "a/b", false},
		{"a/b", "a/b/", false},
	} {
		assert.Equal(t, c.want, policy.Match(c.pattern, c.name), "%s on %s", c.pattern, c.name)
	}
	// Ends at once; a matcher that tries every way would not within a lifetime.
	assert.False(t, policy.Match(strings.Repeat("**/a/", 50)+"b", strings.Repeat("a/", 2_000)+"c"))
	assert.False(t, policy.Match(strings.Repeat("*a", 50)+"b", strings.Repeat("a", 2_000)))
}

func FuzzKind(f *testing.F) {
	for _, s := range []string{"docs/specs/epic_05/pilots/x.md", "../.github/pilotgate.yml", "docs/specs/epic_05/evidence/{pilot}/x", "\xff/x"} {
		f.Add(s)
	}
	p := policy.Default()
	f.Fuzz(func(t *testing.T, name string) {
		if p.Kind(name) != policy.None && p.Resembles(name) != policy.None {
			t.Fatal("a governed path resembles nothing")
		}
		id := p.PilotID(name)
		if p.Kind(name) == policy.Evidence && form.Pilot(id) && !strings.HasPrefix(name, p.EvidencePath(id)) {
			t.Fatalf("%q is not in the folder of %q", name, id)
		}
	})
}
