package threats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// beside is where people bring results: beside the report.
const beside = "docs/specs/epic_05/stage_05_03_pilot_report_" + sample.Pilot + "."

// bring opens a request of dana's with results, changed as a story wants.
func (s *stage) bring(results map[string][]byte, change func(map[string][]byte)) *fakegithub.PR {
	s.t.Helper()
	if change != nil {
		change(results)
	}
	in := map[string]fakegithub.File{}
	for name, b := range results {
		in[beside+name] = fakegithub.File{Data: b}
	}
	return s.requestFrom("results/by-hand", dana, in)
}

// swap replaces a text in one of the results' files.
func swap(t *testing.T, file, old, with string) func(map[string][]byte) {
	return func(m map[string][]byte) {
		require.True(t, strings.Contains(string(m[file]), old), "%s holds %s", file, old)
		m[file] = []byte(strings.Replace(string(m[file]), old, with, 1))
	}
}

// Results that a pull request brings are evaluated, labelled, and never
// recommended Go.
func TestSelfReportedResults(t *testing.T) {
	t.Parallel()
	on(t, "are evaluated and labelled, and both roles may decide with a reason", func(t *testing.T, s *stage) {
		s.signedOff()
		pr := s.bring(s.result(0.02), nil)
		assert.Equal(t, "success", s.check(pr, "pilot/report"))
		c, _ := s.Repo.Check(pr.View().Head, "pilot/report")
		assert.Contains(t, c.Summary+c.Title, "self-reported")
		s.shows(pr, "waiting")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.merge(pr)
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.Contains(t, s.told(), "as self-reported")
		report := s.one("report/")
		text := s.file(report.View().Head, reportFile)
		assert.Contains(t, text, "Self-reported")
		assert.Contains(t, text, "No recommendation")
		assert.Contains(t, text, "- Decision:\n", "nothing is filled in for people")
		assert.NotContains(t, text, "Recommendation: Go")
		assert.Contains(t, s.file(report.View().Head, strings.TrimSuffix(reportFile, ".md")+".svg"), "<svg")
		assert.Empty(t, s.openIssues(), "the ledger verifies")
		s.writesNothingMore()

		s.decide(report, "Go", "")
		s.approve(report, irina, oleg)
		assert.Equal(t, "failure", s.check(report, "pilot/report"), "not without a reason")
		s.decide(report, "Go", "Trained at the supplier's, whose log both of us read.")
		s.approve(report, irina, oleg)
		s.shows(report, "success")
		s.merge(report)
		assert.Contains(t, s.rows(), irina+" Go")
		assert.Contains(t, s.file("main", sample.Signoff), "whose log both of us read")
		s.writesNothingMore()
	})
	on(t, "close the gate: a sign-off is for one training", func(t *testing.T, s *stage) {
		s.signedOff()
		pr := s.bring(s.result(0.02), nil)
		s.approve(pr, irina, oleg)
		s.merge(pr)
		s.gate(s.start(dana), "rejected", "has evaluated results that a pull request brought")
		assert.Empty(t, s.launchRecords())
	})
	on(t, "wait for a run that is under way, and are not used once it brought its own", func(t *testing.T, s *stage) {
		run := s.launched()
		pr := s.bring(s.result(0.3), nil)
		s.approve(pr, irina, oleg)
		s.merge(pr)
		assert.Empty(t, s.recordsOf("evaluation"))
		assert.Contains(t, s.told(), "while a run may still bring its own")
		s.ended(run, "success", s.result(0.02))
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.NotContains(t, s.file(s.one("report/").View().Head, reportFile), "Self-reported")
		s.writesNothingMore()
	})
	on(t, "take the place of a run that brought none", func(t *testing.T, s *stage) {
		run := s.launched()
		s.ended(run, "cancelled", nil)
		pr := s.bring(s.result(0.02), nil)
		s.approve(pr, irina, oleg)
		s.merge(pr)
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.Contains(t, s.file(s.one("report/").View().Head, reportFile), "Self-reported")
		s.writesNothingMore()
	})
	for name, change := range map[string]func(*testing.T) (words string, change func(map[string][]byte)){
		"another dataset": func(t *testing.T) (string, func(map[string][]byte)) {
			return "dataset measured before training", swap(t, "manifest.json", `"dataset":{"sha256":"`, `"dataset":{"sha256":"00`)
		},
		"another pilot": func(t *testing.T) (string, func(map[string][]byte)) {
			return "of pilot `other`", swap(t, "manifest.json", sample.Pilot, "other")
		},
		"a result that cannot be read": func(*testing.T) (string, func(map[string][]byte)) {
			return "cannot be read", func(m map[string][]byte) { m["candidate.json"] = []byte("{}") }
		},
		"a mean that its samples do not have": func(t *testing.T) (string, func(map[string][]byte)) {
			return "cannot be read", func(m map[string][]byte) {
				at := strings.Index(string(m["candidate.json"]), `"name":"coverage","value":0.`)
				require.Positive(t, at)
				m["candidate.json"] = []byte(strings.Replace(string(m["candidate.json"]), `"name":"coverage","value":0.`, `"name":"coverage","value":0.99`, 1))
			}
		},
		"no baseline": func(*testing.T) (string, func(map[string][]byte)) {
			return "is missing", func(m map[string][]byte) { delete(m, "baseline.json") }
		},
		"more than can be read": func(*testing.T) (string, func(map[string][]byte)) {
			return "larger than 1 MiB", func(m map[string][]byte) {
				m["candidate.json"] = append(m["candidate.json"], strings.Repeat(" ", 1<<20)...)
			}
		},
	} {
		on(t, "refuse "+name+", on the pull request and after a merge past it", func(t *testing.T, s *stage) {
			s.signedOff()
			words, change := change(t)
			pr := s.bring(s.result(0.02), change)
			s.finds(pr, "pilot/report", "RP006")
			c, _ := s.Repo.Check(pr.View().Head, "pilot/report")
			assert.Contains(t, c.Summary, words)
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
			s.settle()
			assert.Empty(t, s.recordsOf("evaluation"))
			assert.Contains(t, s.told(), "are not used", "nobody approved it")
			s.writesNothingMore()
		})
	}
	on(t, "count for nothing where nobody approved them", func(t *testing.T, s *stage) {
		s.signedOff()
		pr := s.bring(s.result(0.3), nil)
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Empty(t, s.recordsOf("evaluation"))
		assert.Contains(t, s.told(), "without the approvals of both roles")
	})
	on(t, "count for nothing where somebody pushed them", func(t *testing.T, s *stage) {
		s.signedOff()
		in := map[string]fakegithub.File{}
		for name, b := range s.result(0.3) {
			in[beside+name] = fakegithub.File{Data: b}
		}
		s.push(nina, "main", in)
		assert.Empty(t, s.recordsOf("evaluation"))
		assert.Contains(t, s.told(), "no merged pull request brought")
	})
	on(t, "changed after the evaluation change nothing", func(t *testing.T, s *stage) {
		s.signedOff()
		pr := s.bring(s.result(0.02), nil)
		s.approve(pr, irina, oleg)
		s.merge(pr)
		before := s.file("main", s.recordsOf("evaluation")[0])
		s.push(nina, "main", map[string]fakegithub.File{beside + "candidate.json": {Data: s.result(0.3)["candidate.json"]}})
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.Equal(t, before, s.file("main", s.recordsOf("evaluation")[0]))
		late := s.requestFrom("results/again", dana, map[string]fakegithub.File{beside + "baseline.json": fakegithub.Text("{}")})
		s.finds(late, "pilot/report", "RP006")
		assert.Empty(t, s.openIssues(), "the ledger verifies")
	})
}
