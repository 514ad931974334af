package threats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/registry"
)

const reportFile = "docs/specs/epic_05/stage_05_03_pilot_report_" + sample.Pilot + ".md"

// reported is the usual pilot whose results are in; it answers the report's
// request. better is by how much the candidate's scores are above the baseline's.
func (s *stage) reported(better float64) *fakegithub.PR {
	s.t.Helper()
	s.ended(s.launched(), "success", s.result(better))
	require.Len(s.t, s.recordsOf("evaluation"), 1)
	return s.one("report/")
}

// decide writes a decision and its reason into the report, as a person would.
func (s *stage) decide(report *fakegithub.PR, decision, reason string) {
	s.t.Helper()
	head := report.View().HeadRef
	var lines []string
	for line := range strings.Lines(s.file(head, reportFile)) {
		switch {
		case strings.HasPrefix(line, "- Decision:"):
			line = strings.TrimRight("- Decision: "+decision, " ") + "\n"
		case strings.HasPrefix(line, "- Reason:"):
			line = strings.TrimRight("- Reason: "+reason, " ") + "\n"
		}
		lines = append(lines, line)
	}
	s.push(dana, head, map[string]fakegithub.File{reportFile: fakegithub.Text(strings.Join(lines, ""))})
}

// candidate is the tuned model's entry in the registry.
func (s *stage) candidate() registry.Entry {
	s.t.Helper()
	e, _ := registry.Parse(models, []byte(s.file("main", models))).Find(sample.Candidate + "@" + sample.CandidateVersion)
	return e
}

func TestDecision(t *testing.T) {
	t.Parallel()
	on(t, "the report that both roles approved is the decision, and the release follows", func(t *testing.T, s *stage) {
		report := s.reported(0.02)
		assert.Contains(t, s.file(report.View().Head, reportFile), "- Decision: Go\n", "the recommended decision is there to be confirmed")
		s.shows(report, "waiting")
		s.approve(report, irina, oleg)
		s.shows(report, "success")
		s.merge(report)
		assert.Contains(t, s.rows(), irina+" Go")
		assert.Contains(t, s.rows(), oleg+" Go")
		assert.Len(t, s.recordsOf("go"), 1)
		assert.Equal(t, registry.Candidate, s.candidate().Status)
		assert.Empty(t, s.openIssues(), "the ledger verifies")
		s.writesNothingMore()

		s.tag(sample.Release)
		pointer := s.one("pointer/")
		s.approve(pointer, irina, oleg)
		s.shows(pointer, "success")
		require.NoError(t, pointer.Merge(nina, fakegithub.Squash, false))
		s.settle()
		assert.Equal(t, sample.CandidateDigest, s.running())
		assert.Equal(t, registry.Released, s.candidate().Status)
		deployed := s.Repo.Deployments()
		require.NotEmpty(t, deployed)
		last := deployed[len(deployed)-1]
		assert.Contains(t, last.Description, sample.Release)
		assert.Equal(t, []string{"success"}, last.States)
	})
	on(t, "against the recommendation only with a reason", func(t *testing.T, s *stage) {
		report := s.reported(0.02)
		s.decide(report, "No-go", "")
		s.approve(report, irina, oleg)
		assert.Equal(t, "failure", s.check(report, "pilot/report"))
		assert.NotEqual(t, "success", s.check(report, approvals))
		s.decide(report, "No-go", "The digests became too long to read.")
		assert.Equal(t, "success", s.check(report, "pilot/report"))
		s.approve(report, irina, oleg)
		s.shows(report, "success")
		s.merge(report)
		assert.Contains(t, s.rows(), irina+" No-go")
		assert.Contains(t, s.rows(), oleg+" No-go")
		assert.Contains(t, s.file("main", sample.Signoff), "The digests became too long to read.")
		assert.Len(t, s.recordsOf("no-go"), 1)
		assert.Equal(t, registry.Rejected, s.candidate().Status)
		s.tag(sample.Release)
		assert.Empty(t, s.ours("pointer/"), "nothing is released after a No-go")
		s.writesNothingMore()
	})
	on(t, "a candidate that is worse is not recommended", func(t *testing.T, s *stage) {
		report := s.reported(-0.05)
		assert.Contains(t, s.file(report.View().Head, reportFile), "- Decision: No-go\n")
		s.approve(report, irina, oleg)
		s.shows(report, "success")
		s.merge(report)
		assert.Contains(t, s.rows(), oleg+" No-go")
		assert.Equal(t, registry.Rejected, s.candidate().Status)
	})
	on(t, "a candidate that nobody measured is not recommended, and a decision needs its reason", func(t *testing.T, s *stage) {
		run := s.launched()
		result := s.result(0)
		result["candidate.json"] = result["baseline.json"]
		s.ended(run, "success", result)
		report := s.one("report/")
		assert.Contains(t, s.file(report.View().Head, reportFile), "- Decision:\n")
		s.approve(report, irina, oleg)
		assert.Equal(t, "failure", s.check(report, "pilot/report"))
		s.decide(report, "Go", "")
		assert.Equal(t, "failure", s.check(report, "pilot/report"))
		assert.NotEqual(t, "success", s.check(report, approvals))
	})
	on(t, "merged without approvals it decides nothing, and people are told", func(t *testing.T, s *stage) {
		report := s.reported(0.02)
		require.NoError(t, report.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Len(t, s.rows(), 2, "the sign-off's rows alone")
		assert.Empty(t, s.recordsOf("go"))
		assert.Empty(t, s.candidate())
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Body, sample.Pilot)
		s.writesNothingMore()
	})
}
