package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// at is a place as line:column to line:column, the last character included.
type at [4]int

func placeOf(p finding.Position) at { return at{p.Line, p.Column, p.EndLine, p.EndColumn} }

func TestEveryValueKeepsItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, src string
		field     plan.Field
		text, raw string
		at        at
	}{
		{"bullet", "- Seed: 42\n", plan.Seed, "42", "42", at{1, 9, 1, 10}},
		{"back-ticks", "- Scenario: `digest`\n", plan.Scenario, "digest", "digest", at{1, 14, 1, 19}},
		{"bold key", "- **Seed:** 42\n", plan.Seed, "42", "42", at{1, 13, 1, 14}},
		{"bold value", "- Seed: **42**\n", plan.Seed, "42", "42", at{1, 11, 1, 12}},
		{"quoted", "- Scenario: \"digest\"\n", plan.Scenario, "digest", "digest", at{1, 14, 1, 19}},
		{"final full stop", "- Seed: 42.\n", plan.Seed, "42", "42", at{1, 9, 1, 10}},
		{"value on the next line", "- Seed:\n  42\n", plan.Seed, "42", "42", at{2, 3, 2, 4}},
		{"wrapped value", "- Manual QA: two\n  people\n", plan.ManualQA, "two people", "two\n  people", at{1, 14, 2, 8}},
		{"wrapped with CRLF", "- Manual QA: two\r\n  people\r\n", plan.ManualQA, "two people", "two\r\n  people", at{1, 14, 2, 8}},
		{"wrapped key", "- Target\n  release: v1.2.0\n", plan.TargetRelease, "v1.2.0", "v1.2.0", at{2, 12, 2, 17}},
		{"after a tab", "-\tSeed:\t42\n", plan.Seed, "42", "42", at{1, 9, 1, 10}},
		{"nested behind tabs", "- Compute:\n\t- Count:\t2\n", plan.HardwareCount, "2", "2", at{2, 11, 2, 11}},
		{"after characters of several bytes", "- Сид 🎲: 42\n", plan.Seed, "42", "42", at{1, 10, 1, 11}},
		{"value of several bytes", "- Сценарий: ёлка\n", plan.Scenario, "ёлка", "ёлка", at{1, 13, 1, 16}},
		{"table cell", "| Field | Value |\n|---|---|\n| Seed | `42` |\n", plan.Seed, "42", "42", at{3, 11, 3, 12}},
		{"table cell with an escaped pipe", "| Field | Value |\n|---|---|\n| a \\| b | c |\n| Seed | 42 |\n", plan.Seed, "42", "42", at{4, 10, 4, 11}},
		{"third in a line", "- lr 2e-5, batch 8, seed 42\n", plan.Seed, "42", "42", at{1, 26, 1, 27}},
		{"front matter", "---\nseed: 42\n---\n", plan.Seed, "42", "42", at{2, 7, 2, 8}},
		{"front matter, quoted", "---\ninitiator: \"@dana\"\n---\n", plan.Initiator, "@dana", "@dana", at{2, 13, 2, 17}},
		{"front matter, nested, after Cyrillic", "---\ncompute: {hardware: \"ёж\", count: 2}\n---\n", plan.HardwareCount, "2", "2", at{2, 34, 2, 34}},
		{"front matter with CRLF", "---\r\nscenario: x\r\nseed: 42\r\n---\r\n", plan.Seed, "42", "42", at{3, 7, 3, 8}},
		{"behind a byte order mark", "\ufeff- Seed: 42\n", plan.Seed, "42", "42", at{1, 9, 1, 10}},
		{"escaped", "- Dataset: data/a\\_b.jsonl\n", plan.Dataset, "data/a_b.jsonl", "data/a\\_b.jsonl", at{1, 12, 1, 26}},
		{"entity", "- Manual QA: 5&nbsp;texts\n", plan.ManualQA, "5 texts", "5&nbsp;texts", at{1, 14, 1, 25}},
		{"target of a link", "- Data card: [card](/data/card.md)\n", plan.DataCard, "data/card.md", "/data/card.md", at{1, 21, 1, 33}},
		{"code block", "## Training\n\n```yaml\nlr: 1e-4\nseed: 42\n```\n", plan.Seed, "42", "42", at{5, 7, 5, 8}},
		{"code block in a list", "- Hyperparameters:\n  ```yaml\n  seed: 42\n  ```\n", plan.Seed, "42", "42", at{3, 9, 3, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, ok := plan.Parse("a.md", []byte(c.src)).Get(c.field)
			require.True(t, ok)
			assert.Equal(t, c.text, v.Text)
			assert.Equal(t, c.raw, v.Raw)
			assert.Equal(t, c.raw, c.src[v.Start:v.End])
			assert.Equal(t, c.at, placeOf(v.At))
		})
	}
}

// A plan that states these must never read as missing, however it says them.
func TestHyperparametersAreFoundInEveryDress(t *testing.T) {
	for name, src := range map[string]string{
		"bullets":            "- Seed: 42\n- Optimiser: AdamW\n- Learning rate: 2e-5\n- Batch size: 8\n- Epochs: 3\n- Max input tokens: 4096\n",
		"stars and bold":     "* **Seed**: 42\n* **Optimizer:** AdamW\n* **LR** — 2e-5\n* **Batch** – 8\n* **Epochs** = 3\n* **max_seq_len** - 4096\n",
		"one line":           "- Hyperparameters: lr 2e-5, batch 8, 3 epochs, AdamW, seed 42, max_seq_len 4096\n",
		"one line of equals": "Training: lr=2e-5; batch_size=8; epochs=3; optimizer=AdamW; seed=42; max_length=4096\n",
		"plain paragraph":    "We train with lr 2e-5, batch size 8, 3 epochs, AdamW, seed 42, context length 4096.\n",
		"nested":             "- Fine-tuning\n  - Hyperparameters\n    - Seed: 42\n    - Optim: AdamW\n    - lr: 2e-5\n    - bs: 8\n    - num_epochs: 3\n    - max tokens: 4096\n",
		"Russian":            "- Случайное зерно: 42\n- Оптимизатор: AdamW\n- Скорость обучения: 2e-5\n- Размер батча: 8\n- Число эпох: 3\n- Максимальная длина входа: 4096\n",
		"table":              "## Configuration\n\n| Parameter | Value |\n|---|---|\n| Seed | 42 |\n| Optimizer | AdamW |\n| LR | 0.00002 |\n| Batch | 8 |\n| Epochs | 3 |\n| Max length | 4 096 |\n",
		"wide table":         "| Seed | Optimizer | LR | Batch | Epochs | Max tokens |\n|---|---|---|---|---|---|\n| 42 | AdamW | 2e-5 | 8 | 3 | 4096 |\n",
		"YAML block":         "## Fine-tuning\n\n```yaml\nseed: 42\noptimizer: AdamW\nlearning_rate: 2e-5\nbatch_size: 8\nepochs: 3\nmax_input_tokens: 4096\n```\n",
		"INI block":          "## Fine-tuning\n\n```ini\nseed = 42\noptimizer = AdamW\nlearning_rate = 2e-5\nbatch_size = 8\nepochs = 3\nmax_input_tokens = 4096\n```\n",
		"front matter":       "---\nseed: 42\noptimiser: AdamW\nlearningRate: 2e-5\nbatch-size: 8\nepochs: 3\nmaxInputTokens: 4096\n---\n",
		"headings":           "## Seed\n\n42\n\n## Optimiser\n\nAdamW\n\n## Learning rate\n\n2e-5\n\n## Batch size\n\n8\n\n## Epochs\n\n3\n\n## Max input tokens\n\n4096\n",
		"hard line breaks":   "Seed: 42  \nOptimizer: AdamW  \nLR: 2e-5  \nBatch size: 8  \nEpochs: 3  \nMax input tokens: 4096\n",
		"task list":          "- [x] Seed: 42\n- [ ] Optimizer: AdamW\n- [x] LR: 2e-5\n- [x] Batch: 8\n- [x] Epochs: 3\n- [x] Max length: 4096\n",
		"keys, then none":    "- Epochs: 3, batch: 8, lr: 2e-5, seed: 42, AdamW, context 4096\n",
		"optimiser first":    "- Optimiser: AdamW, lr 2e-5, batch 8, 3 epochs, seed 42, max length 4096\n",
		"two keys a bullet":  "- Seed / optimiser: 42 / AdamW\n- lr / batch / epochs / max tokens: 2e-5 / 8 / 3 / 4096\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(src))
			for field, want := range map[plan.Field]string{plan.Seed: "42", plan.LearningRate: "0.00002", plan.BatchSize: "8", plan.Epochs: "3", plan.MaxInputTokens: "4096"} {
				v, ok := p.Get(field)
				require.True(t, ok, "%s reads as missing", field)
				d, err := v.Decimal()
				require.NoError(t, err, field)
				assert.Equal(t, want, d.String(), field)
			}
			v, ok := p.Get(plan.Optimiser)
			require.True(t, ok)
			assert.Equal(t, "AdamW", v.Text)
			assert.Empty(t, p.Problems)
		})
	}
}

func TestComputeInEveryDress(t *testing.T) {
	for _, src := range []string{
		"- Compute: 2× A100 80GB, 6 h\n", "- Compute: 2x A100 80GB for ~6 hours\n", "- GPU: A100 80GB x 2, 6 h\n", "- Hardware: 2 × A100 80GB\n- Estimated hours: 6\n",
		"- Compute:\n  - Hardware: A100 80GB\n  - Count: 2\n  - Estimated hours: 6\n", "- Hardware: A100 80GB, 2, 6h\n", "- Вычисления: 2× A100 80GB, 6 часов\n",
		"## Compute\n\n- Type: A100 80GB\n- Number: 2\n- Time: 6 h\n", "## Compute\n\n2× A100 80GB, 6 h\n", "- GPU type: A100 80GB\n- GPU count: 2\n- GPU hours: 6\n", "- Compute: A100 80GB × 2 (6 h)\n",
		"Compute = 2*A100 80GB; 6 hrs\n", "| Hardware | Count | Hours |\n|---|---|---|\n| A100 80GB | 2 | 6 |\n",
	} {
		t.Run(src, func(t *testing.T) {
			p := plan.Parse("a.md", []byte(src))
			hardware, ok := p.Get(plan.Hardware)
			require.True(t, ok)
			assert.Equal(t, "A100 80GB", hardware.Text)
			count, ok := p.Get(plan.HardwareCount)
			require.True(t, ok)
			n, err := count.Integer()
			require.NoError(t, err)
			assert.Equal(t, int64(2), n)
			hours, ok := p.Get(plan.Hours)
			require.True(t, ok)
			d, err := hours.Hours()
			require.NoError(t, err)
			assert.Equal(t, "6", d.String())
			assert.Empty(t, p.Problems)
		})
	}
}

func TestWhatIsNotStatedIsNotRead(t *testing.T) {
	for name, src := range map[string]string{
		"in a comment":                "<!-- Seed: 42 -->\n",
		"in a comment of a line":      "Text <!-- Seed: 42 --> text\n",
		"struck out":                  "- ~~Seed: 42~~\n",
		"quoted":                      "> - Seed: 42\n",
		"among open points":           "## Outstanding\n\n- Seed: 42\n",
		"below open points":           "## Open questions\n\n### Training\n\n- Seed: 42\n",
		"in run notes":                "## Run notes\n\n- Seed: 42\n",
		"in shell commands":           "## Training\n\n```bash\nseed: 42\n```\n",
		"a placeholder":               "- Seed: <seed>\n",
		"a place left open":           "- Seed: TBD\n",
		"a place left open in dashes": "- Seed: —\n",
		"a place left open, Russian":  "- Сид: уточняется\n",
		"a sentence about it":         "The seed is discussed below.\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := plan.Parse("a.md", []byte(src)).Get(plan.Seed)
			assert.False(t, ok)
		})
	}
}

func TestAPlaceLeftOpenIsKnown(t *testing.T) {
	p := plan.Parse("a.md", []byte("# Pilot\n\n## Fine-Tuning Configuration\n\n- Seed: TBD\n"))
	assert.Equal(t, at{5, 9, 5, 11}, placeOf(p.Place(plan.Seed)), "the place left open")
	assert.Equal(t, 3, p.Place(plan.Epochs).Line, "the heading of its section")
	assert.Equal(t, 0, p.Place(plan.TargetRelease).Line, "the document as a whole")
	h, ok := p.Heading(plan.SectionFineTuning)
	require.True(t, ok)
	assert.Equal(t, len("# Pilot\n\n## Fine-Tuning Configuration\n"), h.Insert)
}

func TestTheSameKeyMeansWhatStandsAroundIt(t *testing.T) {
	p := plan.Parse("a.md", []byte(strings.Join([]string{
		"- Dataset:", "  - Path: data/train.jsonl", "  - Count: 40", "  - Hash: " + strings.Repeat("ab", 32),
		"- Evaluation dataset:", "  - Path: data/eval.jsonl", "  - Count: 20", "  - Hash: " + strings.Repeat("cd", 32),
		"- Compute:", "  - Count: 2", "- Baseline model:", "  - Name: qwen-7b", "  - Digest: sha256:" + strings.Repeat("ef", 32),
		"- Rollback:", "  - Target: qwen-7b@0.9", "- Release:", "  - Version: v1.4.0", "",
	}, "\n")))
	for field, want := range map[plan.Field]string{
		plan.Dataset: "data/train.jsonl", plan.Records: "40", plan.DatasetSHA256: strings.Repeat("ab", 32),
		plan.EvaluationDataset: "data/eval.jsonl", plan.EvaluationRecords: "20", plan.EvaluationSHA256: strings.Repeat("cd", 32),
		plan.HardwareCount: "2", plan.BaselineModel: "qwen-7b", plan.BaselineDigest: strings.Repeat("ef", 32), plan.RollbackTarget: "qwen-7b@0.9", plan.TargetRelease: "v1.4.0",
	} {
		v, ok := p.Get(field)
		require.True(t, ok, field)
		assert.Equal(t, want, v.Text, field)
	}
	assert.Empty(t, p.Problems)
}

func TestPilotID(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, c := range []struct {
		name, file, src, id, source string
		told                        []string
	}{
		{"front matter", "docs/plan.md", "---\npilot: ru-1\n---\n", "ru-1", "front matter", nil},
		{"file name", "docs/specs/epic_05/pilots/ru-2.md", "# Pilot\n", "ru-2", "file name", nil},
		{"not the text", "ru-3.md", "- Pilot: other\n", "ru-3", "file name", nil},
		{"longest", "a.md", "---\npilot: " + long + "\n---\n", long, "front matter", nil},
		{"one too long", "a.md", "---\npilot: " + long + "a\n---\n", long + "a", "front matter", []string{"PL002 bad_id"}},
		{"a path", "a.md", "---\npilot: ../../.github/x\n---\n", "../../.github/x", "front matter", []string{"PL002 bad_id"}},
		{"look-alike letters", "a.md", "---\npilot: рilot\n---\n", "рilot", "front matter", []string{"PL002 bad_id"}},
		{"a hyphen first", "a.md", "---\npilot: -a\n---\n", "-a", "front matter", []string{"PL002 bad_id"}},
		{"underscores of the file name", "stage_05_03_pilot_RU.md", "# Pilot\n", "stage-05-03-pilot-ru", "file name", nil},
		{"a file name of other letters", "план.md", "# Pilot\n", "план", "file name", []string{"PL002 bad_file_name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.Parse(c.file, []byte(c.src))
			assert.Equal(t, c.id, p.Pilot.Text)
			assert.Equal(t, c.source, p.Source())
			assert.Equal(t, c.told, cases(p))
		})
	}
}

func TestConflicts(t *testing.T) {
	full := strings.Repeat("0123456789", 4)
	for _, c := range []struct {
		name, src string
		told      []string
	}{
		{"front matter against text", "---\nseed: 41\n---\n- Seed: 42\n", []string{"PL006 conflict"}},
		{"twice in the text", "- Seed: 41\n- Seed: 42\n", []string{"PL006 two_values"}},
		{"three times is told once", "- Seed: 41\n- Seed: 42\n- Seed: 43\n", []string{"PL006 two_values"}},
		{"equal numbers in other words", "---\nlearning_rate: 2e-5\n---\n- LR: 0.00002\n", nil},
		{"a short hash of the same commit", "- Commit: 0123456\n- Commit: " + full + "\n", nil},
		{"a hash of another commit", "- Commit: abcdef0\n- Commit: " + full + "\n", []string{"PL006 two_values"}},
		{"a login with and without @", "---\ninitiator: Dana\n---\n- Initiator: @dana\n", nil},
		{"a model with and without version", "- Baseline model: qwen\n- Base model: qwen@1.0\n", nil},
		{"an open place is no value", "---\nseed: 42\n---\n- Seed: TBD\n", nil},
		{"a metric twice", "## Baseline\n\n- Coverage: 0.89\n- Coverage: 0.90\n", []string{"PL006 metric_twice"}},
		{"two statistics of a metric", "## Baseline\n\n- Latency (P95): 200 s\n- Latency (avg): 150 s\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.told, cases(plan.Parse("a.md", []byte(c.src))))
		})
	}
}

func TestTheLongerOfTwoAgreeingHashesCounts(t *testing.T) {
	full := strings.Repeat("0123456789", 4)
	v, ok := plan.Parse("a.md", []byte("- Commit: 0123456\n- Git commit: "+full+"\n")).Get(plan.Commit)
	require.True(t, ok)
	assert.Equal(t, full, v.Text)
}

func TestThisPullRequestAsCommit(t *testing.T) {
	for _, s := range []string{"this PR", "`this PR`", "this pull request", "этот PR"} {
		t.Run(s, func(t *testing.T) {
			v, ok := plan.Parse("a.md", []byte("- Git commit: "+s+"\n")).Get(plan.Commit)
			require.True(t, ok)
			assert.Equal(t, plan.ThisPR, v.Text)
		})
	}
}

func TestRevisionIsACommitOrTheRevisionOfThePlan(t *testing.T) {
	p := plan.Parse("a.md", []byte("---\nrevision: 3\n---\n- Revision: 0123456789abcdef0123456789abcdef01234567\n"))
	v, _ := p.Get(plan.Revision)
	assert.Equal(t, "3", v.Text)
	v, _ = p.Get(plan.Commit)
	assert.Equal(t, "0123456789abcdef0123456789abcdef01234567", v.Text)
}

// cases lists what is told of a plan as "rule case".
func cases(p plan.Plan) []string {
	var told []string
	for _, f := range p.Problems {
		told = append(told, f.Rule+" "+f.Case)
	}
	return told
}
