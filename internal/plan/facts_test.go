package plan_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

const stage = "docs/specs/epic_05/pilots/ru.md"

func stagePlan(t *testing.T) string {
	t.Helper()
	src, err := os.ReadFile(corpus + "/01-stage-style.md")
	require.NoError(t, err)
	return string(src)
}

func TestFactsStayWhenOnlyTheFormChanges(t *testing.T) {
	src := stagePlan(t)
	before := factsJSON(t, plan.Parse(stage, []byte(src)))
	for name, change := range map[string]func(string) string{
		"line ends":                func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"bullets":                  func(s string) string { return strings.ReplaceAll(s, "\n- ", "\n* ") },
		"bold keys":                func(s string) string { return strings.ReplaceAll(s, "- Seed:", "- **Seed:**") },
		"no back-ticks":            func(s string) string { return strings.ReplaceAll(s, "`channel_digest_ru`", "channel_digest_ru") },
		"another word for the key": func(s string) string { return strings.ReplaceAll(s, "Max input tokens", "max_seq_len") },
		"another form of a number": func(s string) string { return strings.ReplaceAll(s, "2e-5", "0.00002") },
		"another threshold dialect": func(s string) string {
			return strings.ReplaceAll(s, "≥0.88 pass / ≥0.80 warn", ">= 0.880 pass, >= 0.8 warn")
		},
		"heading levels":     func(s string) string { return strings.ReplaceAll(s, "\n## ", "\n### ") },
		"a sentence":         func(s string) string { return strings.Replace(s, "Raise the coverage", "Improve the coverage", 1) },
		"an open point":      func(s string) string { return s + "- Epochs: perhaps five\n" },
		"run notes":          func(s string) string { return s + "\n## Run notes\n\n- Seed: 43, see `scripts/other.py`\n" },
		"a comment":          func(s string) string { return s + "\n<!-- Seed: 43 -->\n" },
		"a value said twice": func(s string) string { return strings.Replace(s, "- Seed: 42", "- Seed: 42\n- Сид: 42", 1) },
		"order of sections": func(s string) string {
			i, j := strings.Index(s, "## Rollback"), strings.Index(s, "## Release")
			k := strings.Index(s, "## Outstanding")
			return s[:i] + s[j:k] + s[i:j] + s[k:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			changed := change(src)
			require.NotEqual(t, src, changed)
			assert.Equal(t, before, factsJSON(t, plan.Parse(stage, []byte(changed))))
		})
	}
}

func TestEachFactCounts(t *testing.T) {
	src := stagePlan(t)
	before := factsJSON(t, plan.Parse(stage, []byte(src)))
	for name, edit := range map[string][2]string{
		"seed": {"Seed: 42", "Seed: 43"}, "epochs": {"Epochs: 3", "Epochs: 4"}, "hash": {"sha256 `1", "sha256 `2"}, "records": {"40 records", "41 records"},
		"baseline value": {"| 0.89 |", "| 0.90 |"}, "threshold": {"≥0.80 warn", "≥0.81 warn"}, "status": {"| Warn |", "| Pass |"}, "statistic": {"Latency (P95)", "Latency (avg)"},
		"acceptance": {"Coverage ≥ 0.90", "Coverage ≥ 0.91"}, "drift": {"PSI, ", ""}, "release": {"v1.4.0", "v1.5.0"}, "tolerance": {"+5 %", "+6 %"}, "manual QA": {"two people", "one person"},
		"a script named in the prose": {"without losing accuracy", "with `scripts/other.py`"}, "initiator": {"@dana", "@max"}, "pointer": {"deploy/model_pointer.yaml", "deploy/other.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(src, edit[0], edit[1], 1)
			require.NotEqual(t, src, changed)
			assert.NotEqual(t, before, factsJSON(t, plan.Parse(stage, []byte(changed))))
		})
	}
}

func TestNormalisedLeavesOutRunNotes(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"at the end", "# A\n\n## Run notes\n\ntext\n", "# A\n\n"},
		{"up to the next heading of its level", "## Run notes\nx\n## B\ny\n", "## B\ny\n"},
		{"up to a higher heading", "## Run notes\nx\n# B\ny\n", "# B\ny\n"},
		{"with the headings below it", "## Run notes\n### Day 1\nx\n## B\n", "## B\n"},
		{"a deeper section", "### Run notes\nx\n## B\n", "## B\n"},
		{"twice", "## Run notes\nx\n## B\n## Run notes\ny\n", "## B\n"},
		{"underlined", "Run notes\n---------\nx\n\nB\n---\n", "B\n---\n"},
		{"any case", "## RUN Notes\nx\n## B\n", "## B\n"},
		{"Russian", "## Заметки о запуске\nx\n## B\n", "## B\n"},
		{"line ends", "a\r\nb\r\n", "a\nb\n"},
		{"final newline", "a", "a\n"},
		{"final newlines", "a\n\n\n", "a\n"},
		{"not the title of the document", "# Run notes\n- Seed: 42\n", "# Run notes\n- Seed: 42\n"},
		{"not in a code block", "```\n## Run notes\n```\n- Seed: 42\n", "```\n## Run notes\n```\n- Seed: 42\n"},
		{"not in a list", "- ## Run notes\n- Seed: 42\n", "- ## Run notes\n- Seed: 42\n"},
		{"not in a quotation", "> ## Run notes\n\n- Seed: 42\n", "> ## Run notes\n\n- Seed: 42\n"},
		{"not in a comment", "<!--\n## Run notes\n-->\n- Seed: 42\n", "<!--\n## Run notes\n-->\n- Seed: 42\n"},
		{"not with other words", "## Run notes and seed\n- Seed: 42\n", "## Run notes and seed\n- Seed: 42\n"},
		{"not in front matter", "---\n# a\n## Run notes\nseed: 42\n---\n", "---\n# a\n## Run notes\nseed: 42\n---\n"},
		{"not in what cannot be read", "<<<<<<< a\n## Run notes\nx\n", "<<<<<<< a\n## Run notes\nx\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, strings.TrimRight(c.want, "\n")+"\n", string(plan.Normalised([]byte(c.src))))
		})
	}
}

// The section is outside the digest: an approved plan must not change through it.
func TestRunNotesCannotReachTheRestOfThePlan(t *testing.T) {
	const head = "# Pilot\n\n- Config: [config][c]\n- Seed: 42\n\n"
	approved := factsJSON(t, plan.Parse(stage, []byte(head)))
	for name, notes := range map[string]string{
		"by a link definition": "## Run notes\n\n[c]: ../../../../configs/other.yaml\n",
		"by a field":           "## Run notes\n\n- Seed: 43\n",
		"by an open comment":   "## Run notes\n\n<!--\n",
		"by an open fence":     "## Run notes\n\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, approved, factsJSON(t, plan.Parse(stage, []byte(head+notes))))
		})
	}
}

// A saved snapshot is judged again: nothing that was read may be lost in it.
func TestAPlanSurvivesBeingSaved(t *testing.T) {
	p := plan.Parse(stage, []byte(stagePlan(t)))
	saved, err := json.Marshal(p)
	require.NoError(t, err)
	var loaded plan.Plan
	require.NoError(t, json.Unmarshal(saved, &loaded))
	assert.Equal(t, factsJSON(t, p), factsJSON(t, loaded))
	again, err := json.Marshal(loaded)
	require.NoError(t, err)
	assert.Equal(t, string(saved), string(again))
}
