package threats

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

const smoke = ".github/workflows/stage05_benchmark_smoke.yml"

// bringsAResult: an artifact counts for the run that it is of, never for its name.
func bringsAResult(t *testing.T) {
	for name, change := range map[string]func(*stage, *fakegithub.RunSpec){
		"a fork's run": func(s *stage, r *fakegithub.RunSpec) {
			r.From, r.Event, r.Actor = s.Repo.Fork(max), "pull_request", max
		},
		"a fork's run that says it was dispatched": func(s *stage, r *fakegithub.RunSpec) {
			r.From, r.Event, r.Actor = s.Repo.Fork(max), "workflow_dispatch", max
		},
		"a pull request's run": func(s *stage, r *fakegithub.RunSpec) {
			s.push(max, "results", map[string]fakegithub.File{"x": fakegithub.Text("x")})
			r.Branch, r.Event, r.Actor = "results", "pull_request", max
		},
		"another branch's run": func(s *stage, r *fakegithub.RunSpec) {
			s.push(max, "results", map[string]fakegithub.File{"x": fakegithub.Text("x")})
			r.Branch, r.Event, r.Actor = "results", "workflow_dispatch", max
		},
		"another workflow's run": func(s *stage, r *fakegithub.RunSpec) {
			other := ".github/workflows/other.yml"
			s.push(nina, "main", map[string]fakegithub.File{other: fakegithub.Text("on: {workflow_dispatch: {}}\n")})
			r.Workflow, r.Event = other, "workflow_dispatch"
		},
	} {
		on(t, name+" opens no incident", func(t *testing.T, s *stage) {
			s.released()
			s.pass(time.Hour)
			spec := fakegithub.RunSpec{Workflow: smoke, Event: "schedule", Actor: nina}
			change(s, &spec)
			run := s.Repo.StartRun(spec)
			s.Repo.CompleteRun(run, "success", s.measured(tuned, 0.2))
			s.settle()
			assert.Empty(t, s.openIssues())
			assert.Empty(t, s.ours("rollback/"))
		})
		on(t, name+" proves no recovery", func(t *testing.T, s *stage) {
			s.rolledBack()
			require.Len(t, s.benchmarkRuns(), 1)
			asked := s.benchmarkRuns()[0]
			spec := fakegithub.RunSpec{Workflow: smoke, Actor: max, Inputs: asked.Inputs}
			change(s, &spec)
			run := s.Repo.StartRun(spec)
			s.Repo.CompleteRun(run, "success", s.measured("qwen-7b", 0))
			s.settle()
			assert.NotContains(t, s.file("main", runbook), "matches the recorded baseline")
			assert.Len(t, s.openIssues(), 1)
		})
	}
	confirmsItself(t)
}
