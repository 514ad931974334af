package threats

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// launched is the usual pilot, launched; it answers the run.
func (s *stage) launched() int64 {
	s.t.Helper()
	s.signedOff()
	run := s.start(dana)
	s.gate(run, "approved", "is signed off")
	return run
}

// result is what a good run leaves.
func (s *stage) result(better float64) map[string][]byte {
	s.t.Helper()
	var signoff ledger.Record
	for _, p := range s.records() {
		if strings.Contains(p, "/signoff-") {
			envelope := s.file("main", p)
			var e struct{ Payload []byte }
			require.NoError(s.t, json.Unmarshal([]byte(envelope), &e))
			var err error
			signoff, err = ledger.ParsePayload(e.Payload)
			require.NoError(s.t, err)
		}
	}
	side := func(model string, by float64) []byte {
		sums := map[string]float64{}
		var samples []map[string]any
		const n = 40
		for i := range n {
			scores := map[string]float64{}
			for j, m := range []string{"coverage", "accuracy", "coherence", "informativeness"} {
				scores[m] = 0.905 + float64((i*7+j*3)%20)/1000 + by
			}
			scores["latency_seconds"] = 120 + float64((i*5)%11) - 100*by
			var metrics []map[string]any
			for m, v := range scores {
				v = float64(int(v*10000+0.5)) / 10000
				sums[m] += v
				metrics = append(metrics, map[string]any{"name": m, "value": v, "outcome": "pass"})
			}
			samples = append(samples, map[string]any{"sample_id": fmt.Sprintf("e-%03d", i), "metrics": metrics, "verdict": "MEETS_EXPECTATIONS", "notes": "",
				"summary_markdown": fmt.Sprintf("%s summary of sample %d", model, i)})
		}
		var metrics []map[string]any
		for m, v := range sums {
			metrics = append(metrics, map[string]any{"name": m, "value": json.Number(fmt.Sprintf("%.10f", v/n)), "outcome": "pass"})
		}
		raw, err := json.Marshal(map[string]any{
			"scenario_id": sample.Scenario, "dataset_id": "benchmark_digest_ru_v1", "overall": "pass", "metrics": metrics, "samples": samples,
			"metadata": map[string]any{"duration_seconds": 10, "model_name": model, "prompt_version": signoff.Launch.PromptVersion, "judge_model": "judge-1", "judge_prompt_version": "j1"},
		})
		require.NoError(s.t, err)
		return raw
	}
	manifest, err := json.Marshal(map[string]any{
		"schema": 1, "pilot": sample.Pilot, "signoff": signoff.Digest, "dataset": map[string]any{"sha256": signoff.Launch.Dataset.SHA256},
		"model":  map[string]any{"name": "qwen-7b-digest-ru", "version": "1.1", "digest": "sha256:" + strings.Repeat("ab", 32)},
		"config": map[string]any{"sha256": strings.Repeat("cd", 32)}, "git_commit": signoff.Launch.GitCommit,
		"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T01:00:00Z",
	})
	require.NoError(s.t, err)
	return map[string][]byte{"manifest.json": manifest, "baseline.json": side("qwen-7b", 0), "candidate.json": side("qwen-7b-digest-ru", better)}
}

// ended ends a run and waits.
func (s *stage) ended(run int64, conclusion string, files map[string][]byte) {
	s.t.Helper()
	artifacts := map[string]map[string][]byte{}
	if files != nil {
		artifacts["pilot-result"] = files
	}
	s.Repo.CompleteRun(run, conclusion, artifacts)
	s.settle()
}

// told is our comment about the run.
func (s *stage) told() string {
	for _, p := range s.Repo.PRs() {
		for _, c := range p.View().Comments {
			if c.Author == s.App.Login() && strings.HasPrefix(c.Body, "<!-- pilotgate:run -->") {
				return c.Body
			}
		}
	}
	return ""
}

func (s *stage) recordsOf(kind string) (out []string) {
	for _, p := range s.records() {
		if strings.Contains(p, "/"+kind+"-") {
			out = append(out, p)
		}
	}
	return out
}

func TestResults(t *testing.T) {
	t.Parallel()
	on(t, "are accepted, evaluated and shown in the report", func(t *testing.T, s *stage) {
		run := s.launched()
		assert.Contains(t, s.told(), "is under way")
		s.ended(run, "success", s.result(0.02))
		assert.Contains(t, s.told(), "were accepted and evaluated")
		require.Len(t, s.recordsOf("evaluation"), 1)
		report := s.ours("report/")[0]
		path := "docs/specs/epic_05/stage_05_03_pilot_report_" + sample.Pilot + ".md"
		assert.NotContains(t, s.file(report.View().Head, path), "awaited")
		assert.Contains(t, s.file(report.View().Head, strings.TrimSuffix(path, ".md")+".svg"), "<svg")
		assert.Empty(t, s.openIssues(), "the ledger verifies")
		s.writesNothingMore()
	})
	on(t, "a failure of the machines lets one more run through", func(t *testing.T, s *stage) {
		run := s.launched()
		s.ended(run, "failure", nil)
		require.Len(t, s.recordsOf("failure"), 1)
		second := s.start(dana)
		s.gate(second, "approved", "is signed off")
		assert.Len(t, s.recordsOf("launch"), 2)
		s.gate(s.start(dana), "rejected", fmt.Sprintf("launched already, by run %d", second))
		s.writesNothingMore()
	})
	for _, refused := range []struct {
		name, conclusion, words string
		change                  func(map[string][]byte) map[string][]byte
	}{
		{"a cancelled run", "cancelled", "was cancelled", func(map[string][]byte) map[string][]byte { return nil }},
		{"a run out of time", "timed_out", "ran out of its time", func(map[string][]byte) map[string][]byte { return nil }},
		{"no artifact", "success", "left no artifact", func(map[string][]byte) map[string][]byte { return nil }},
		{"a failed training", "failure", "training failed", func(m map[string][]byte) map[string][]byte { return m }},
		{"another dataset", "success", "dataset that it measured before training", func(m map[string][]byte) map[string][]byte {
			m["manifest.json"] = []byte(strings.Replace(string(m["manifest.json"]), `"dataset":{"sha256":"`, `"dataset":{"sha256":"00`, 1))
			return m
		}},
		{"another pilot", "success", "of pilot `other`", func(m map[string][]byte) map[string][]byte {
			m["manifest.json"] = []byte(strings.Replace(string(m["manifest.json"]), sample.Pilot, "other", 1))
			return m
		}},
		{"a result that cannot be read", "success", "candidate.json", func(m map[string][]byte) map[string][]byte {
			m["candidate.json"] = []byte("{}")
			return m
		}},
	} {
		on(t, "refuses "+refused.name, func(t *testing.T, s *stage) {
			run := s.launched()
			s.ended(run, refused.conclusion, refused.change(s.result(0.02)))
			assert.Contains(t, s.told(), refused.words)
			assert.Empty(t, s.recordsOf("evaluation"))
			assert.Empty(t, s.recordsOf("failure"))
			s.gate(s.start(dana), "rejected", "launched already")
		})
	}
}

// A fork's run with the right name and artifact is nobody's result.
func TestAForksResult(t *testing.T) {
	t.Parallel()
	on(t, "only the launched run counts", func(t *testing.T, s *stage) {
		s.launched()
		fork := s.Repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: max, Event: "pull_request", Inputs: map[string]string{"pilot": sample.Pilot}})
		s.ended(fork, "success", s.result(0.02))
		assert.Empty(t, s.recordsOf("evaluation"))
		assert.Contains(t, s.told(), "is under way")
	})
}
