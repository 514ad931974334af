package sample

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Pilot is what a pull request with a pilot adds, with the given defects; with
// none of them every check passes.
func (s Story) Pilot(defects ...Defect) Files {
	n, m := s.Records, s.Evaluation
	if n == 0 {
		n = 3000
	}
	if m == 0 {
		m = 300
	}
	w := &writing{}
	w.training, w.evaluation = datasets(n, m, defects)
	if slices.Contains(defects, BrokenLine) {
		w.training.cut(30)
	}
	if slices.Contains(defects, LFSPointer) {
		w.training.bytes = fmt.Appendf(nil, "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", w.training.sha256, len(w.training.bytes))
	}
	w.plan = lines(s.plan(w))
	w.card = lines(card(w))
	for _, d := range defects {
		d.inPlan(w)
	}
	return Files{
		Plan:           w.plan.bytes(),
		DataCard:       w.card.bytes(),
		Dataset:        w.training.bytes,
		EvaluationData: w.evaluation.bytes,
	}
}

// writing is a pilot while it is written.
type writing struct {
	plan, card           text
	training, evaluation measured
}

func (s Story) plan(w *writing) string {
	commit := "this PR"
	if s.Commit != "" {
		commit = "`" + s.Commit + "`"
	}
	t, e := w.training, w.evaluation
	return fmt.Sprintf(`# Stage 05_03 · Pilot Fine-Tuning Plan

## Objective
Raise the coverage of the Russian channel digest without losing accuracy.

- Initiator: @%[1]s
- Scenario: `+"`%[2]s`"+`
- Locale: ru

## Inputs
- Dataset: `+"`%[3]s`"+` (sha256 `+"`%[4]s`"+`, %[5]d records)
- Data card: `+"`%[6]s`"+`
- Evaluation dataset: `+"`%[7]s`"+` (sha256 `+"`%[8]s`"+`, %[9]d records)
- Prompt version: `+"`digest_v3`"+` (`+"`prompts/digest_v3.md`"+`)
- Model baseline: `+"`qwen-7b@1.0`"+` (digest `+"`sha256:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c`"+`)
- Training target: `+"`qwen-7b-digest-ru`"+`

## Baseline Metrics
| Metric | Value | Threshold | Status |
|---|---|---|---|
| Coverage | %[10]s | ≥0.88 pass / ≥0.80 warn | Pass |
| Accuracy | %[11]s | ≥0.90 pass / ≥0.85 warn | Pass |
| Coherence | %[12]s | ≥0.90 pass / ≥0.85 warn | Pass |
| Informativeness | %[13]s | ≥0.88 pass / ≥0.82 warn | Pass |
| Latency (P95) | %[14]s s | ≤210s pass / ≤240s warn | Pass |

## Fine-Tuning Configuration
- Epochs: 3
- Batch size: 8
- Learning rate: 2e-5
- Optimiser: AdamW
- Max input tokens: 4096
- Compute:
  - Hardware: A100 80GB
  - Count: 2
  - Estimated hours: 6
- Seed: 42
- Git commit: %[15]s
- Config: `+"`configs/pilot_digest_ru.yaml`"+`
- Script: `+"`scripts/training/finetune.py`"+`

## Evaluation Plan
- Acceptance:
  - Coverage ≥ 0.90
  - Accuracy ≥ 0.91
  - Coherence ≥ 0.90
  - Informativeness ≥ 0.88
  - Latency P95 ≤ 210 s
- Latency tolerance: +5 %%
- Drift metrics: PSI, KL divergence, summary length ratio
- Manual QA: 10 samples by two people

## Rollback
- Rollback target: `+"`qwen-7b@0.9`"+`
- Pointer: `+"`deploy/model_pointer.yaml`"+`
- Recovery gate: `+"`scripts/benchmark/run_benchmark.py --dry-run`"+`

## Release Coordination
- Target release: %[16]s

## Run notes
Nothing yet.
`, Initiator, Scenario, Dataset, t.sha256, t.records, DataCard, EvaluationData, e.sha256, e.records,
		t.coverage, t.accuracy, t.coherence, t.informativeness, t.latencyP95, commit, Release)
}

func card(w *writing) string {
	t := w.training
	return fmt.Sprintf(`# Data card: benchmark_digest_ru_v1

- Dataset: `+"`%s`"+`
- Origin: Stage 05_02 export of public news channels
- Exporter: `+"`scripts/stage_05/export_digests.py`"+`
- Git commit: `+"`dd7a946de80abf41797036335be60bf207f3262c`"+`
- Query window: 2025-09-01 – 2025-10-31
- Records: %d
- Size: %d bytes
- SHA256: `+"`%s`"+`
- Licence: CC BY 4.0
- Retention: 12 months, then deleted
- PII: none; the exporter masks numbers, names and addresses
- Schema: `+"`stage_05_02/v1`"+`
- LLM model: qwen-7b
`, Dataset, t.records, len(t.bytes), t.sha256)
}

// text is a document's lines.
type text []string

func lines(s string) text { return strings.Split(s, "\n") }

func (t text) bytes() []byte { return []byte(strings.Join(t, "\n")) }

// line finds the one line that begins with prefix. A defect that does not find
// its line would be no defect.
func (t text) line(prefix string) int {
	i := slices.IndexFunc(t, func(l string) bool { return strings.HasPrefix(l, prefix) })
	if i < 0 {
		panic("sample: no line begins with " + strconv.Quote(prefix))
	}
	return i
}

func (t *text) drop(prefixes ...string) {
	for _, p := range prefixes {
		i := t.line(p)
		*t = slices.Delete(*t, i, i+1)
	}
}

func (t text) set(prefix, value string) { t[t.line(prefix)] = prefix + " " + value }

func (t text) replace(old, with string) {
	for i, l := range t {
		if strings.Contains(l, old) {
			t[i] = strings.Replace(l, old, with, 1)
			return
		}
	}
	panic("sample: nothing says " + strconv.Quote(old))
}

// value and status set a cell of the metric table.
func (t text) value(row, value string) { t.setCell(row, 2, value) }

func (t text) status(row, status string) { t.setCell(row, 4, status) }

func (t text) setCell(row string, column int, value string) {
	i := t.line(row)
	cells := strings.Split(t[i], "|")
	cells[column] = " " + value + " "
	t[i] = strings.Join(cells, "|")
}

func itoa(n int) string { return strconv.Itoa(n) }

// cut breaks the nth line in its middle, as an interrupted export does.
func (m *measured) cut(n int) {
	all := bytes.SplitAfter(m.bytes, []byte("\n"))
	line := all[n-1]
	all[n-1] = append(slices.Clone(line[:len(line)/2]), '\n')
	m.set(bytes.Join(all, nil))
}
