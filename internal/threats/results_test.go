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

// result is what a run leaves whose candidate scores better by so much.
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
	out, err := sample.Trained(signoff, []byte(s.file("main", sample.EvaluationData)), better)
	require.NoError(s.t, err)
	return out
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
