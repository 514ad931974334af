package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

const (
	hash   = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	public = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8="
	other  = "796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu/erb4="
)

// refused is a file that gives exactly one finding, at its place.
type refused struct {
	rule, kase   string
	line, column int
	src          string
}

func waiver(change ...string) string {
	s := `waivers: [{rule: PII101, file_sha256: "` + hash + `", line: 12, pointer: /source_text, owner: "@irina-ml", reason: hotline, expires: 2026-12-31}]`
	return strings.NewReplacer(change...).Replace(s)
}

func list(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(items, ", ")
}

func metrics(m string) string { return "scenarios: {digest: {metrics: {" + m + "}}}" }

var policyCases = []refused{
	{"PO001", "too_large", 1, 1, strings.Repeat("#", 256<<10+1)},
	{"PO001", "too_many", 1, 20001, strings.Repeat("[", 20_001)},
	{"PO001", "not_utf8", 1, 12, "language: e\xff"},
	{"PO001", "control", 1, 12, "language: e\u202En"},
	{"PO001", "nesting", 1, 20, "paths: " + strings.Repeat("[", 13) + strings.Repeat("]", 13)},
	{"PO001", "syntax", 2, 1, "paths: [a\nversion: 1\n"},
	{"PO001", "alias", 1, 8, "paths: &a {}\n"},
	{"PO001", "tag", 1, 10, "version: !!int 1\n"},
	{"PO001", "directive", 1, 1, "%YAML 1.2\n---\n"},
	{"PO001", "documents", 3, 1, "version: 1\n---\nversion: 1\n"},
	{"PO001", "duplicate_key", 2, 1, "version: 1\nversion: 1\n"},
	{"PO001", "key_shape", 1, 1, "? version\n: 1\n"},
	{"PO001", "not_a_map", 1, 1, "- version\n"},

	{"PO002", "unknown_key", 2, 1, "version: 1\nprofil: full\n"},
	{"PO002", "unknown_key", 1, 13, "approvals: {distinct-people: true}"},
	{"PO002", "unknown_key_alone", 1, 1, "quorum: 3\n"},

	{"PO003", "version", 1, 10, "version: 2"},
	{"PO003", "not_one_of", 1, 10, "profile: strict"},
	{"PO003", "not_one_of", 1, 11, "language: [en]"},
	{"PO003", "locale_shape", 1, 9, "locale: ru_RU"},
	{"PO003", "environment_shape", 1, 14, "environment: a/b"},
	{"PO003", "name_shape", 1, 13, "scenarios: {a b: {metrics: {coverage: {pass: 1}}}}"},
	{"PO003", "not_text", 1, 9, "locale: true"},
	{"PO003", "empty", 1, 9, `locale: " "`},
	{"PO003", "too_long", 1, 23, "datasets: {channels: [" + strings.Repeat("x", 301) + "]}"},
	{"PO003", "one_line", 1, 23, `datasets: {channels: ["a\nb"]}`},
	{"PO003", "not_boolean", 1, 30, `approvals: {distinct_people: "yes"}`},
	{"PO003", "not_integer", 1, 27, "approvals: {max_age_days: 1.5}"},
	{"PO003", "not_number", 1, 14, "drift: {psi: a}"},
	{"PO003", "range", 1, 27, "approvals: {max_age_days: 366}"},
	{"PO003", "range", 1, 14, "drift: {psi: 11}"},
	{"PO003", "not_list", 1, 10, "waivers: {}"},
	{"PO003", "not_map", 1, 10, "signing: []"},
	{"PO003", "not_map", 1, 9, "checks: []"},
	{"PO003", "not_map", 1, 12, "scenarios: 1"},
	{"PO003", "duplicate", 1, 26, "datasets: {channels: [a, a]}"},
	{"PO003", "not_a_day", 1, 186, waiver("2026-12-31", "31.12.2026")},

	{"PO004", "shape", 1, 18, "paths: {signoff: /etc/passwd}"},
	{"PO004", "shape", 1, 18, "paths: {signoff: docs/../x.md}"},
	{"PO004", "shape", 1, 18, `paths: {signoff: 'docs\x.md'}`},
	{"PO004", "not_ascii", 1, 18, "paths: {signoff: dосs/x.md}"},
	{"PO004", "glob", 1, 17, `paths: {plans: ["docs/[a.md"]}`},
	{"PO004", "no_pattern", 1, 18, `paths: {signoff: "docs/*.md"}`},
	{"PO004", "no_slash", 1, 19, `paths: {evidence: "e/{pilot}"}`},
	{"PO004", "no_pilot", 1, 18, `paths: {signoff: "docs/{pilot}.md"}`},
	{"PO004", "pilot_once", 1, 17, "paths: {report: docs/report.md}"},
	{"PO004", "pilot_once", 1, 17, `paths: {report: "{pilot}/{pilot}.md"}`},
	{"PO004", "reserved", 1, 18, "paths: {runbook: .github/workflows/x.yml}"},
	{"PO004", "reserved", 1, 18, "paths: {runbook: .Git/config}"},
	{"PO004", "no_plans", 1, 16, "paths: {plans: []}"},
	{"PO004", "same", 1, 18, "paths: {signoff: models/registry.yaml}"},
	{"PO004", "same", 1, 34, "paths: {signoff: a.md, runbook:  a.md}"},
	{"PO004", "workflow_shape", 1, 23, "workflows: {training: scripts/train.yml}"},

	{"PO005", "no_metrics", 1, 13, "scenarios: {digest: {dataset_id: d}}"},
	{"PO005", "unknown_metric", 1, 32, metrics("bleu: {pass: 1}, coverage: {pass: 1}")},
	{"PO005", "no_pass", 1, 32, metrics("coverage: {warn: 0.8}, accuracy: {pass: 1}")},
	{"PO005", "order", 1, 32, metrics("coverage: {pass: 0.8, warn: 0.9}, accuracy: {pass: 1}")},
	{"PO005", "order", 1, 32, metrics("latency_seconds: {pass: 240, warn: 210}, accuracy: {pass: 1}")},
	{"PO005", "direction", 1, 32, metrics("coverage: {pass: 0.8, better: lower}, accuracy: {pass: 1}")},
	{"PO005", "statistic", 1, 32, metrics("coverage: {pass: 0.8, statistic: p95}, accuracy: {pass: 1}")},
	{"PO005", "same_dataset", 1, 13, "scenarios: {digest: {dataset_id: benchmark_digest_ru_v1, metrics: {coverage: {pass: 1}}}}"},

	{"PO006", "rule_shape", 1, 10, "checks: {ds032: {severity: note, reason: why}}"},
	{"PO006", "no_severity", 1, 10, "checks: {DS032: {reason: why}}"},
	{"PO006", "no_reason", 1, 10, "checks: {DS032: {severity: note}}"},
	{"PO006", "protected", 1, 10, "checks: {PII101: {severity: note, reason: why}}"},
	{"PO006", "protected", 1, 10, "checks: {DS020: {severity: warning, reason: why}}"},

	{"PO007", "rule_shape", 1, 18, waiver("PII101", "phones")},
	{"PO007", "hash_shape", 1, 39, waiver(hash, "9f86d081")},
	{"PO007", "pointer_shape", 1, 126, waiver("/source_text", "source")},
	{"PO007", "owner_shape", 1, 147, waiver("@irina-ml", "irina")},
	{"PO007", "owner_shape", 1, 147, waiver("@irina-ml", "@acme/ml")},
	{"PO007", "missing", 1, 11, waiver(", reason: hotline", "")},
	{"PO007", "missing", 1, 11, waiver(", expires: 2026-12-31", "")},
	{"PO007", "missing", 1, 11, waiver("line: 12, ", "")},
	{"PO007", "duplicate", 3, 3, "waivers:\n- " + waiver("waivers: [", "", "]", "") + "\n- " + waiver("waivers: [", "", "]", "")},

	{"PO008", "key_shape", 1, 36, "signing: {keys: [{id: a, ed25519:  c2hvcnQ=, from: 2026-01-01}]}"},
	{"PO008", "key_shape", 1, 36, "signing: {keys: [{id: a, ed25519:  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, from: 2026-01-01}]}"},
	{"PO008", "missing", 1, 18, "signing: {keys: [{ed25519: \"" + public + "\", from: 2026-01-01}]}"},
	{"PO008", "missing", 1, 12, "trainers: [{id: a, from: 2026-01-01}]"},
	{"PO008", "missing", 1, 12, "trainers: [{id: a, ed25519: \"" + public + "\"}]"},
	{"PO008", "window", 1, 12, "trainers: [{id: a, ed25519: \"" + public + "\", from: 2026-01-02, until: 2026-01-01}]"},
	{"PO008", "same_id", 3, 3, "trainers:\n- {id: a, ed25519: \"" + public + "\", from: 2026-01-01}\n- {id: a, ed25519: \"" + other + "\", from: 2026-01-01}"},
	{"PO008", "same_key", 3, 3, "trainers:\n- {id: a, ed25519: \"" + public + "\", from: 2026-01-01}\n- {id: b, ed25519: \"" + public + "\", from: 2026-01-01}"},

	{"PO009", "bucket_shape", 1, 22, `datasets: {buckets: ["http://acme"]}`},
	{"PO009", "bucket_shape", 1, 22, `datasets: {buckets: ["s3://acme?endpoint=http://localhost"]}`},
	{"PO009", "schema_unknown", 1, 21, `datasets: {schema:  "builtin:stage_05_02/v2"}`},

	{"PO003", "too_many", 1, 0, "datasets: {channels: [" + list(201, "c%d") + "]}"},
	{"PO003", "too_many", 1, 0, "checks: {" + list(201, "DS%03d: {severity: note, reason: w}") + "}"},
	{"PO003", "too_many", 1, 0, "scenarios: {" + list(201, "s%d: {metrics: {coverage: {pass: 1}}}") + "}"},
}

var roleCases = []refused{
	{"PO020", "too_large", 1, 1, strings.Repeat("#", 64<<10+1)},
	{"PO020", "not_utf8", 1, 1, "[ML Lead]\n\xff"},
	{"PO020", "too_many", 1001, 1, strings.Repeat("\n", 1_000)},

	{"PO021", "missing", 1, 1, "[ML Lead]\n* @irina-ml\n"},
	{"PO021", "empty", 3, 1, "[Operations Owner]\n* @oleg-ops\n[ML Lead]\n# nobody yet\n"},
	{"PO021", "duplicate", 5, 1, roleFile + "[ML Lead]\n* @max\n"},
	{"PO021", "unknown_near", 5, 1, roleFile + "[ML lead]\n* @max\n"},
	{"PO021", "unknown_near", 5, 3, roleFile + "  [Operation Owner]\n* @max\n"},
	{"PO021", "unknown", 5, 1, roleFile + "[Legal]\n* @max\n"},
	{"PO021", "no_name", 5, 1, roleFile + "[ ]\n* @max\n"},
	{"PO021", "shape", 5, 1, roleFile + "[Legal][2]\n* @max\n"},
	{"PO021", "shape", 5, 1, roleFile + "^[Legal]\n* @max\n"},
	{"PO021", "outside", 1, 1, "* @max\n" + roleFile},

	{"PO022", "not_ascii", 5, 6, roleFile + "*  @mаx\n"},
	{"PO022", "not_ascii", 5, 11, roleFile + "* @max @ac\u200bme/ops\n"},
	{"PO022", "email", 5, 3, roleFile + "* max@example.org\n"},
	{"PO022", "no_at", 5, 3, roleFile + "* max\n"},
	{"PO022", "bot", 5, 3, roleFile + "* @helper[bot]\n"},
	{"PO022", "shape", 5, 3, roleFile + "* @max--x\n"},
	{"PO022", "shape", 5, 3, roleFile + "* @acme/ops/more\n"},
	{"PO022", "twice", 5, 8, roleFile + "* @max @MAX\n"},
	{"PO022", "nobody", 5, 1, roleFile + "docs/ # everybody left\n"},
	{"PO022", "too_many", 5, 0, roleFile + "* " + strings.ReplaceAll(list(51, "@u%d"), ",", "") + "\n"},

	{"PO023", "no_pattern", 5, 1, roleFile + "@max\n"},
	{"PO023", "no_pattern", 5, 1, roleFile + "max@example.org\n"},
	{"PO023", "pattern", 5, 1, roleFile + "a***b @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + "!docs/ @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + "docs/[ab] @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + "/ @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + "docs//specs/ @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + "./docs/ @max\n"},
	{"PO023", "pattern", 5, 1, roleFile + strings.Repeat("a", 301) + " @max\n"},
}

const roleFile = "[ML Lead]\n* @irina-ml\n[Operations Owner]\n* @oleg-ops @acme/ml-ops\n"

func TestRefusedPolicies(t *testing.T) {
	check(t, policyCases, func(src string) []finding.Finding {
		_, fs := policy.Parse(policy.Path, []byte(src))
		return fs
	})
}

func TestRefusedRoleFiles(t *testing.T) {
	require.Empty(t, func() []finding.Finding { _, fs := policy.ParseRoles(policy.RolesPath, []byte(roleFile)); return fs }())
	check(t, roleCases, func(src string) []finding.Finding {
		_, fs := policy.ParseRoles(policy.RolesPath, []byte(src))
		return fs
	})
}

func check(t *testing.T, table []refused, parse func(string) []finding.Finding) {
	for i, c := range table {
		t.Run(fmt.Sprintf("%s %s %d", c.rule, c.kase, i), func(t *testing.T) {
			fs := parse(c.src)
			at := fmt.Sprintf("%s %s at %d", c.rule, c.kase, c.line)
			if c.column > 0 {
				at += fmt.Sprintf(":%d", c.column)
			}
			var got []string
			for _, f := range fs {
				g := fmt.Sprintf("%s %s at %d", f.Rule, f.Case, f.At.Line)
				if c.column > 0 {
					g += fmt.Sprintf(":%d", f.At.Column)
				}
				got = append(got, g)
				assert.NotEmpty(t, f.At.Path)
				for _, v := range f.Args {
					assert.LessOrEqual(t, len([]rune(v)), 300)
				}
				assert.NotContains(t, f.Args, "", "no argument without a name")
			}
			// An unknown section leaves nothing else to say; a file that lacks one
			// role may lack the other.
			assert.Equal(t, []string{at}, got)
		})
	}
}
