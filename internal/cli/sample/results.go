package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// The candidate of the story: what the training makes.
const (
	Candidate        = "qwen-7b-digest-ru"
	CandidateVersion = "1.1"
	Baseline         = "qwen-7b"
)

// CandidateDigest is the candidate's, as the registry writes it.
var CandidateDigest = "sha256:" + strings.Repeat("ab", 32)

// metric and measuredSample are a runner's words for a score and for a sample.
type metric struct {
	Name    string      `json:"name"`
	Value   json.Number `json:"value"`
	Outcome string      `json:"outcome"`
}

type measuredSample struct {
	ID      string   `json:"sample_id"`
	Metrics []metric `json:"metrics"`
	Verdict string   `json:"verdict"`
	Notes   string   `json:"notes"`
	Summary string   `json:"summary_markdown"`
}

// Measured is what a benchmark runner writes after a model was measured on a
// dataset: its scores are the dataset's own, each better by so much (a score,
// 0 to 1; less than nothing is worse), and its latency shorter by a hundred
// times that, in seconds. The first bytes of a dataset that is not this
// package's give an error.
func Measured(dataset []byte, model string, better float64) ([]byte, error) {
	names := []string{"coverage", "accuracy", "coherence", "informativeness", "latency_seconds"}
	by := thousandths(math.Round(better * 1000))
	sums := map[string]thousandths{}
	var samples []measuredSample
	for line := range bytes.Lines(dataset) {
		var r struct {
			ID      string  `json:"sample_id"`
			Summary string  `json:"summary_markdown"`
			Latency float64 `json:"latency_seconds"`
			Truth   struct {
				Judge struct {
					Scores map[string]float64 `json:"scores"`
				} `json:"llm_judge"`
			} `json:"ground_truth"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read sample %d: %w", len(samples)+1, err)
		}
		m := measuredSample{ID: r.ID, Verdict: "MEETS_EXPECTATIONS", Summary: fmt.Sprintf("%s by %-20s", r.Summary, model)}
		for _, name := range names {
			value := min(thousandths(math.Round(r.Truth.Judge.Scores[name]*1000))+by, 1000)
			if name == "latency_seconds" {
				value = thousandths(math.Round(r.Latency*1000)) - 100*by
			}
			sums[name] += value
			m.Metrics = append(m.Metrics, metric{name, json.Number(fmt.Sprintf("%.3f", float64(value)/1000)), "pass"})
		}
		samples = append(samples, m)
	}
	var means []metric
	for _, name := range names {
		mean := float64(sums[name]) / 1000 / float64(max(len(samples), 1))
		means = append(means, metric{name, json.Number(fmt.Sprintf("%.10f", mean)), "pass"})
	}
	return json.Marshal(map[string]any{
		"scenario_id": Scenario, "dataset_id": "benchmark_digest_ru_v1", "overall": "pass", "metrics": means, "samples": samples,
		"metadata": map[string]any{"duration_seconds": 10, "model_name": model, "prompt_version": "digest_v3", "judge_model": "judge-1", "judge_prompt_version": "j1"},
	})
}

// Trained is the artifact of a training run that did as was signed off: what it
// made, and both models measured on the evaluation data.
func Trained(signed ledger.Record, evaluation []byte, better float64) (Files, error) {
	manifest, err := json.Marshal(map[string]any{
		"schema": 1, "pilot": signed.Pilot, "signoff": signed.Digest, "dataset": map[string]any{"sha256": signed.Launch.Dataset.SHA256},
		"model":  map[string]any{"name": Candidate, "version": CandidateVersion, "digest": CandidateDigest},
		"config": map[string]any{"sha256": strings.Repeat("cd", 32)}, "git_commit": signed.Launch.GitCommit,
		"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T01:00:00Z",
	})
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	before, err := Measured(evaluation, Baseline, 0)
	if err != nil {
		return nil, err
	}
	after, err := Measured(evaluation, Candidate, better)
	return Files{"manifest.json": manifest, "baseline.json": before, "candidate.json": after}, err
}
