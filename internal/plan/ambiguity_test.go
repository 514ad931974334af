package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

// Everyday words mean several things. A plan that uses them must neither lose a
// value nor contradict itself.
func TestEverydayWords(t *testing.T) {
	for _, c := range []struct {
		name, src string
		field     plan.Field
		want      string // "" is "not stated"
	}{
		{"the owner is the initiator", "- Owner: @dana\n", plan.Initiator, "@dana"},
		{"unless another is named so", "- Owner: @max\n- Initiator: @dana\n", plan.Initiator, "@dana"},
		{"the owner of the release is not", "## Release\n\n- Owner: @oleg\n", plan.Initiator, ""},
		{"the contact for the rollback is not", "- Initiator: @dana\n\n## Rollback\n\n- Contact: @oleg\n", plan.Initiator, "@dana"},
		{"a task in words beside a scenario", "- Task: better digests\n- Scenario: channel_digest_ru\n", plan.Scenario, "channel_digest_ru"},
		{"a target that is a figure", "- Target: coverage ≥ 0.90\n", plan.TargetModel, ""},
		{"a target below a metric", "## Evaluation Plan\n\n- Coverage\n  - Target: ≥ 0.90\n", plan.TargetModel, ""},
		{"a target that is a model", "- Target: qwen-7b-ru\n", plan.TargetModel, "qwen-7b-ru"},
		{"a baseline that is a figure", "- Baseline: coverage 0.86\n", plan.BaselineModel, ""},
		{"a baseline told elsewhere", "- Baseline model: qwen-7b\n\n## Evaluation Plan\n\n- Baseline model: see above\n", plan.BaselineModel, "qwen-7b"},
		{"baseline as a heading among models", "## Models\n\n### Baseline\n\n- Name: qwen-7b\n", plan.BaselineModel, "qwen-7b"},
		{"the dataset of the evaluation plan", "- Dataset: data/a.jsonl\n\n## Evaluation Plan\n\n- Dataset: data/b.jsonl\n", plan.EvaluationDataset, "data/b.jsonl"},
		{"the dataset of the baseline run", "- Dataset: data/a.jsonl\n\n## Baseline Metrics\n\nDataset: data/b.jsonl\n", plan.Dataset, "data/a.jsonl"},
		{"evaluation as a heading below dataset", "## Dataset\n\n- Path: data/a.jsonl\n\n### Evaluation\n\n- Path: data/b.jsonl\n", plan.EvaluationDataset, "data/b.jsonl"},
		{"a hash told in the card", "- Dataset: data/a.jsonl\n  - sha256: see data card\n", plan.DatasetSHA256, ""},
		{"a duration that is not the training's", "- Estimated hours: 6\n- Duration: two weeks\n", plan.Hours, "6"},
		{"an identifier instead of a path", "- Dataset: benchmark_digest_ru_v1\n  - Path: data/a.jsonl\n", plan.Dataset, "data/a.jsonl"},
		{"the card beside the dataset", "- Dataset: data/a.jsonl, card data/a.md\n", plan.DataCard, "data/a.md"},
		{"a heading that is a statement", "### Seed: 42\n", plan.Seed, "42"},
		{"context in words", "- Context: two editors read it\n- Max input tokens: 4096\n", plan.MaxInputTokens, "4096"},
		{"context in words alone", "- Context: two editors read it\n", plan.MaxInputTokens, ""},
		{"context as a length", "- Context: 4096\n", plan.MaxInputTokens, "4096"},
		{"a numbered heading", "## 3.2 Fine-Tuning Configuration\n\n- tokens: 4096\n", plan.MaxInputTokens, "4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(c.src))
			v, ok := p.Get(c.field)
			require.Equal(t, c.want != "", ok)
			assert.Equal(t, c.want, v.Text)
			assert.Empty(t, cases(p))
		})
	}
}

func TestAValueThatIsConcludedSaysSo(t *testing.T) {
	p := plan.Parse("a.md", []byte("- Owner: @dana\n- Prompt: prompts/digest_v3.md\n"))
	v, _ := p.Get(plan.Initiator)
	assert.True(t, v.Derived)
	v, ok := p.Get(plan.PromptVersion)
	require.True(t, ok)
	assert.True(t, v.Derived)
	assert.Equal(t, "digest_v3", v.Raw)
	v, _ = p.Get(plan.PromptFile)
	assert.False(t, v.Derived)
}
