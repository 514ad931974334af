package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

func TestWhatATextNames(t *testing.T) {
	for _, c := range []struct {
		name, src string
		kind      plan.MentionKind
		text      string
		at        at
	}{
		{"script in code", "See `scripts/benchmark/run_benchmark.py`.\n", plan.MentionScript, "scripts/benchmark/run_benchmark.py", at{1, 6, 1, 39}},
		{"script in prose", "See scripts/run.py, please.\n", plan.MentionScript, "scripts/run.py", at{1, 5, 1, 18}},
		{"script of a command", "```sh\npython scripts/run.py\n```\n", plan.MentionScript, "scripts/run.py", at{2, 8, 2, 21}},
		{"config behind an equals sign", "```\ntrain --config=configs/a.yaml\n```\n", plan.MentionConfig, "configs/a.yaml", at{2, 16, 2, 29}},
		{"workflow", "`.github/workflows/pilot_finetune.yml`\n", plan.MentionWorkflow, ".github/workflows/pilot_finetune.yml", at{1, 2, 1, 37}},
		{"prompt", "`prompts/digest_v3.md`\n", plan.MentionPrompt, "prompts/digest_v3.md", at{1, 2, 1, 21}},
		{"dashboard", "`grafana/dashboards/digest.json`\n", plan.MentionDashboard, "grafana/dashboards/digest.json", at{1, 2, 1, 31}},
		{"time series", "Alert on `benchmark_metric_value`.\n", plan.MentionMetric, "benchmark_metric_value", at{1, 11, 1, 32}},
		{"release", "Ships in v1.4.0.\n", plan.MentionRelease, "v1.4.0", at{1, 10, 1, 15}},
		{"folder", "`scripts/benchmark/`\n", plan.MentionPath, "scripts/benchmark/", at{1, 2, 1, 19}},
		{"link", "[card](../../../../data/card.md)\n", plan.MentionLink, "data/card.md", at{1, 8, 1, 31}},
		{"link from the root", "[card](/data/card.md)\n", plan.MentionLink, "data/card.md", at{1, 8, 1, 20}},
		{"web address", "<https://example.org/a>\n", plan.MentionURL, "https://example.org/a", at{1, 2, 1, 22}},
		{"object", "`s3://acme/a.jsonl`\n", plan.MentionURI, "s3://acme/a.jsonl", at{1, 2, 1, 18}},
		{"in a table", "| a | b |\n|---|---|\n| x | `scripts/a.py` |\n", plan.MentionScript, "scripts/a.py", at{3, 8, 3, 19}},
		{"in a quotation", "> see `docs/guide.md`\n", plan.MentionPath, "docs/guide.md", at{1, 8, 1, 20}},
		{"among open points", "## Outstanding\n\n- write `docs/guide.md`\n", plan.MentionPath, "docs/guide.md", at{3, 10, 3, 22}},
		{"in front matter", "---\nconfig: configs/a.yaml\n---\n", plan.MentionConfig, "configs/a.yaml", at{2, 9, 2, 22}},
		{"commit", "`0123456789abcdef0123456789abcdef01234567`\n", plan.MentionCommit, "0123456789abcdef0123456789abcdef01234567", at{1, 2, 1, 41}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.Parse(stage, []byte(c.src))
			require.Len(t, p.Mentions, 1)
			m := p.Mentions[0]
			assert.Equal(t, c.kind, m.Kind)
			assert.Equal(t, c.text, m.Text)
			assert.Equal(t, c.at, placeOf(m.At))
		})
	}
}

func TestWhatNamesNothing(t *testing.T) {
	for _, src := range []string{
		"train/eval and pass/warn", "and/or", "1.5/2.0", "w/o", "`Qwen/Qwen2-7B-Instruct`", "`batch_size`", "`benchmark_digest_ru_v1`", "e.g. this", "see [1]", "a@b.example", "version v2",
		"```\nx = 1/2\n```", "<!-- `scripts/a.py` -->", "## Run notes\n\n`scripts/a.py`", "- Baseline model: qwen v1.0.0",
	} {
		t.Run(src, func(t *testing.T) {
			assert.Empty(t, plan.Parse(stage, []byte(src+"\n")).Mentions)
		})
	}
}

func TestOutputsAndPatternsAreMarked(t *testing.T) {
	p := plan.Parse(stage, []byte("```\ntrain.py --output-dir runs/pilot --config configs/{pilot}.yaml > logs/out.txt\n```\n\n- Output: `artifacts/model.bin`\n- Dataset: `data/*/x_samples.jsonl`\n"))
	type mark struct {
		text                  string
		output, pattern, bare bool
	}
	var got []mark
	for _, m := range p.Mentions {
		got = append(got, mark{m.Text, m.Output, m.Pattern, m.Bare})
	}
	assert.Equal(t, []mark{
		{"train.py", false, false, true},
		{"runs/pilot", true, false, false},
		{"configs/{pilot}.yaml", false, true, false},
		{"logs/out.txt", true, false, false},
		{"artifacts/model.bin", true, false, false},
		{"data/*/x_samples.jsonl", false, true, false},
	}, got)
}

func TestAnchorOfALink(t *testing.T) {
	p := plan.Parse(stage, []byte("[a](../stage_05_03_runbook.md#rollback) [b](#inputs)\n"))
	require.Len(t, p.Mentions, 2)
	assert.Equal(t, "docs/specs/epic_05/stage_05_03_runbook.md", p.Mentions[0].Text)
	assert.Equal(t, "rollback", p.Mentions[0].Anchor)
	assert.Equal(t, stage, p.Mentions[1].Text, "an anchor alone leads into the same document")
	assert.Equal(t, "inputs", p.Mentions[1].Anchor)
}
