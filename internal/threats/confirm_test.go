package threats

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

const baseline = "pilot/baseline"

// confirmingRuns are the runs of the benchmark whose title says that they confirm
// a dry run, whoever started them.
func (s *stage) confirmingRuns() []fakegithub.RunView {
	return slices.DeleteFunc(s.Repo.Runs(), func(r fakegithub.RunView) bool { return !strings.Contains(r.Title, " confirm-") })
}

func (s *stage) confirmingRun() fakegithub.RunView {
	s.t.Helper()
	runs := s.confirmingRuns()
	require.Len(s.t, runs, 1, "started once")
	return runs[0]
}

// benchmarked is what the benchmark leaves for a request's dataset, each score
// better by so much.
func (s *stage) benchmarked(pr *fakegithub.PR, better float64) map[string]map[string][]byte {
	s.t.Helper()
	raw, err := sample.Measured([]byte(s.file(pr.View().Head, sample.Dataset)), sample.Baseline, better)
	require.NoError(s.t, err)
	return map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": raw}}
}

// completes ends a run. That it is there was seen before: the listing of runs lags
// behind.
func (s *stage) completes(run int64, conclusion string, artifacts map[string]map[string][]byte) {
	s.t.Helper()
	s.writesNothingMore()
	s.Repo.CompleteRun(run, conclusion, artifacts)
	s.settle()
}

func (s *stage) checkSays(pr *fakegithub.PR, name, what string) {
	s.t.Helper()
	c, _ := s.Repo.Check(pr.View().Head, name)
	assert.Contains(s.t, c.Title+"\n"+c.Summary, what)
}

func (s *stage) checkSaysNot(pr *fakegithub.PR, name, what string) {
	s.t.Helper()
	c, _ := s.Repo.Check(pr.View().Head, name)
	assert.NotContains(s.t, c.Title+"\n"+c.Summary, what)
}

var required = with("baseline: {confirm: required}")

const agrees = "gives the same figures over 60 records"

func TestTheConfirmingRun(t *testing.T) {
	t.Parallel()
	on(t, "is started once, by the default branch's workflow, and read back", func(t *testing.T, s *stage) {
		pr := s.pilot() // nobody waits for it
		run := s.confirmingRun()
		assert.Equal(t, []string{smoke, "workflow_dispatch", "main", s.App.Login()}, []string{run.Path, run.Event, run.Branch, run.Actor})
		head := pr.View().Head
		data := s.file(head, sample.Dataset)
		nonce := run.Inputs["nonce"]
		assert.Equal(t, map[string]string{"scenario": sample.Scenario, "dataset": sample.Dataset, "dataset_sha256": sha256Of(data), "head_sha": head, "nonce": nonce}, run.Inputs)
		assert.Equal(t, "Stage 05 benchmark, dry run "+sha256Of(data)+" "+head+" "+nonce, run.Title)
		s.checkSays(pr, baseline, "is to confirm these figures")
		s.writesNothingMore()

		s.completes(run.ID, "success", s.benchmarked(pr, 0))
		s.checkSays(pr, baseline, agrees)
		s.shows(pr, "waiting")
		s.writesNothingMore()
		s.confirmingRun()

		s.approve(pr, irina, oleg)
		s.merge(pr)
		signed := s.signoffRecord()
		if assert.NotNil(t, signed.Confirmation) {
			assert.Equal(t, run.ID, signed.Confirmation.Run)
			assert.Equal(t, smoke, signed.Confirmation.WorkflowPath)
			assert.Len(t, signed.Confirmation.Artifact, 64)
		}
		s.writesNothingMore()
	})
	on(t, "that was not there before the merge is not on record", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.merge(pr)
		assert.Nil(t, s.signoffRecord().Confirmation)
	})
	on(t, "that gives other figures blocks, and another attempt mends it", func(t *testing.T, s *stage) {
		pr := s.approved()
		run := s.confirmingRun().ID
		s.completes(run, "success", s.benchmarked(pr, -0.02))
		s.finds(pr, baseline, "BL010")
		s.shows(pr, "in_progress")
		s.says(pr, "the benchmark workflow gives")
		s.writesNothingMore()
		s.Repo.RerunRun(max, run)
		s.settle()
		s.completes(run, "failure", s.benchmarked(pr, 0)) // its exit code says nothing
		s.checkSays(pr, baseline, agrees)
		s.shows(pr, "success")
		s.confirmingRun()
	})
	on(t, "without JSON is an error of the infrastructure, not the author's", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.completes(s.confirmingRun().ID, "failure", map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": []byte("Traceback")}})
		assert.Equal(t, "success", s.check(pr, baseline))
		s.checkSays(pr, baseline, "error of the infrastructure")
		s.shows(pr, "waiting")
	})
	on(t, "is not started for a plan that will change, nor for a draft", func(t *testing.T, s *stage) {
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: s.plan("- Seed: 42\n", ""), Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch, Draft: true})
		s.settle()
		assert.Empty(t, s.confirmingRuns())
		s.push(dana, branch, files(s.Story.Pilot()))
		assert.Empty(t, s.confirmingRuns())
		pr.SetDraft(dana, false)
		s.settle()
		s.confirmingRun()
	})
	on(t, "is of the dataset: a new head with the same one starts none", func(t *testing.T, s *stage) {
		pr := s.pilot()
		first := s.confirmingRun()
		s.completes(first.ID, "success", s.benchmarked(pr, 0))
		s.push(dana, branch, s.plan("2e-5", "3e-5"))
		s.checkSays(pr, baseline, agrees)
		s.confirmingRun()
		// Another dataset is another run.
		story := s.Story
		story.Records = 61
		s.push(dana, branch, files(story.Pilot()))
		runs := s.confirmingRuns()
		require.Len(t, runs, 2)
		assert.NotEqual(t, first.Inputs["nonce"], runs[1].Inputs["nonce"])
		s.checkSaysNot(pr, baseline, "gives the same figures")
		s.writesNothingMore()
	})
	on(t, "is of the workflow: another file on the default branch is another run", func(t *testing.T, s *stage) {
		pr := s.pilot()
		s.completes(s.confirmingRun().ID, "success", s.benchmarked(pr, 0))
		s.push(nina, "main", map[string]fakegithub.File{smoke: fakegithub.Text(s.file("main", smoke) + "# changed\n")})
		assert.Len(t, s.confirmingRuns(), 2)
		s.checkSaysNot(pr, baseline, "gives the same figures")
	})
	on(t, "is not started while nothing is enforced", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "success")
		assert.Empty(t, s.confirmingRuns())
		s.checkSaysNot(pr, baseline, "is to confirm")
	}, with("enforcement: observe"))
}

func sha256Of(text string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
}

// signoffRecord is the one sign-off on record.
func (s *stage) signoffRecord() ledger.Record {
	s.t.Helper()
	all := s.recordsOf("signoff")
	require.Len(s.t, all, 1)
	var e struct{ Payload []byte }
	require.NoError(s.t, json.Unmarshal([]byte(s.file("main", all[0])), &e))
	r, err := ledger.ParsePayload(e.Payload)
	require.NoError(s.t, err)
	return r
}

func TestARequiredConfirmation(t *testing.T) {
	t.Parallel()
	on(t, "is waited for, and nobody is asked before", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "in_progress")
		s.says(pr, "waits for the confirming run")
		assert.Equal(t, "in_progress", s.check(pr, baseline))
		assert.Empty(t, pr.View().RequestedTeams)
		s.approve(pr, irina, oleg)
		s.shows(pr, "in_progress")
		s.writesNothingMore()
		s.completes(s.confirmingRun().ID, "success", s.benchmarked(pr, 0))
		s.shows(pr, "success")
		s.merge(pr)
		assert.Len(t, s.rows(), 2)
		s.writesNothingMore()
	}, required)
	for _, c := range []struct{ conclusion, says string }{
		{"cancelled", "was cancelled"},
		{"timed_out", "ran out of time"},
		{"action_required", "ended as `action_required`"},
		{"success", "without a result"},
	} {
		on(t, "that ended as "+c.conclusion+" is told with what to do", func(t *testing.T, s *stage) {
			pr := s.request(files(s.Story.Pilot()))
			run := s.confirmingRun().ID
			s.completes(run, c.conclusion, nil)
			s.shows(pr, "in_progress")
			s.says(pr, "@"+dana+" has the dry run confirmed")
			s.checkSays(pr, baseline, c.says)
			s.checkSays(pr, baseline, "the new attempt counts")
			s.writesNothingMore()
			s.Repo.RerunRun(dana, run)
			s.settle()
			s.says(pr, "while the benchmark confirms the dry run")
			s.completes(run, "success", s.benchmarked(pr, 0))
			s.shows(pr, "waiting")
		}, required)
	}
	on(t, "that does not end is told after a day", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot()))
		s.writesNothingMore()
		s.pass(25 * time.Hour)
		s.sweep()
		s.checkSays(pr, baseline, "has not ended for a day")
		s.confirmingRun()
	}, required)
	on(t, "says for what it waits where there is no workflow", func(t *testing.T, s *stage) {
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "No benchmark", Delete: []string{smoke}, Author: nina})
		s.settle()
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "in_progress")
		s.says(pr, "waits for a confirming run, which is missing")
		s.checkSays(pr, baseline, "`pilotgate init` writes one")
	}, required)
	on(t, "that is not required is a note where there is no workflow", func(t *testing.T, s *stage) {
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "No benchmark", Delete: []string{smoke}, Author: nina})
		s.settle()
		pr := s.pilot()
		assert.Equal(t, "success", s.check(pr, baseline))
		s.checkSays(pr, baseline, "**BL011**")
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
	})
}

// Claim and dispatch are two writes: wherever the server is cut off, at most one
// run is started, and one that got lost is told.
func TestAConfirmingRunAfterACrash(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		on(t, fmt.Sprintf("after write %d", n), func(t *testing.T, s *stage) {
			s.GitHub.Hold()
			s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana})
			pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
			s.wire.cutAfter(n)
			s.GitHub.Release(nil)
			s.GitHub.Flush()
			require.Eventually(t, func() bool { return s.wire.isCut() || s.Idle() }, time.Minute, 5*time.Millisecond)
			require.NoError(t, s.Stop())
			s.wire.cutAfter(-1)
			require.NoError(t, s.Start(t.Context()))
			s.settle()
			s.sweep()
			runs := s.confirmingRuns()
			if len(runs) == 0 { // claimed, and never started
				s.pass(11 * time.Minute)
				s.sweep()
				s.checkSays(pr, baseline, "GitHub shows no such run")
				for ref := range s.Repo.Refs() {
					if strings.Contains(ref, "/confirm-") {
						s.Repo.DeleteRef(dana, ref)
					}
				}
				pr.Comment(dana, "/pilot recheck")
				s.settle()
			}
			s.completes(s.confirmingRun().ID, "success", s.benchmarked(pr, 0))
			s.checkSays(pr, baseline, agrees)
			s.shows(pr, "waiting")
			s.writesNothingMore()
		}, setting{faults: fakegithub.NoFaults()})
	}
	on(t, "a dispatch that GitHub refuses is told", func(t *testing.T, s *stage) {
		s.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if strings.HasSuffix(r.URL.Path, "/dispatches") {
				return &fakegithub.Failure{Status: 422, Body: `{"message":"Cannot trigger a 'workflow_dispatch' on a disabled workflow"}`}
			}
			return nil
		})
		pr := s.pilot()
		s.pass(11 * time.Minute)
		s.sweep()
		s.checkSays(pr, baseline, "GitHub shows no such run")
		s.shows(pr, "waiting")
	}, setting{unjudged: true})
}

// confirmsItself: a run, and an artifact, count for what they are, never for
// their names.
func confirmsItself(t *testing.T) {
	for name, change := range map[string]func(*stage, *fakegithub.RunSpec){
		"a person's run":       func(_ *stage, r *fakegithub.RunSpec) { r.Actor = dana },
		"a fork's run":         func(s *stage, r *fakegithub.RunSpec) { r.From, r.Actor = s.Repo.Fork(max), max },
		"another branch's run": func(s *stage, r *fakegithub.RunSpec) { r.Branch = branch },
		"our App's by a push":  func(_ *stage, r *fakegithub.RunSpec) { r.Event = "push" },
		"our App's of another run": func(_ *stage, r *fakegithub.RunSpec) {
			r.Inputs = map[string]string{"nonce": "confirm-" + strings.Repeat("0", 32)}
		},
		"another workflow's run": func(s *stage, r *fakegithub.RunSpec) {
			r.Workflow = ".github/workflows/other.yml"
			s.push(nina, "main", map[string]fakegithub.File{r.Workflow: fakegithub.Text("run-name: dry run ${{ inputs.nonce }}\non: {workflow_dispatch: {inputs: {nonce: {}}}}\n")})
		},
	} {
		on(t, name+" confirms nothing", func(t *testing.T, s *stage) {
			pr := s.request(files(s.Story.Pilot()))
			spec := fakegithub.RunSpec{Workflow: smoke, Actor: s.App.Login(), Inputs: s.confirmingRun().Inputs}
			change(s, &spec)
			s.completes(s.Repo.StartRun(spec), "success", s.benchmarked(pr, 0))
			s.shows(pr, "in_progress")
			s.checkSaysNot(pr, baseline, "gives the same figures")
			s.says(pr, "waits for the confirming run")
			s.writesNothingMore()
		}, required)
		on(t, name+" accuses nobody", func(t *testing.T, s *stage) {
			pr := s.pilot()
			spec := fakegithub.RunSpec{Workflow: smoke, Actor: s.App.Login(), Inputs: s.confirmingRun().Inputs}
			change(s, &spec)
			s.completes(s.Repo.StartRun(spec), "success", s.benchmarked(pr, -0.3))
			assert.Equal(t, "success", s.check(pr, baseline))
		})
	}
	on(t, "a run of other code than was judged confirms nothing", func(t *testing.T, s *stage) {
		s.wire.before(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/dispatches") }, func() {
			text := s.file("main", smoke)
			s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Another benchmark", Files: map[string]fakegithub.File{smoke: fakegithub.Text(text + "# other\n")}, Author: nina})
			s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Back", Files: map[string]fakegithub.File{smoke: fakegithub.Text(text)}, Author: nina})
			s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "And again", Files: map[string]fakegithub.File{smoke: fakegithub.Text(text + "# other\n")}, Author: nina})
		})
		pr := s.request(files(s.Story.Pilot()))
		first := s.confirmingRuns()[0]
		s.push(nina, "main", map[string]fakegithub.File{smoke: fakegithub.Text(strings.TrimSuffix(s.file("main", smoke), "# other\n"))})
		s.completes(first.ID, "success", s.benchmarked(pr, 0))
		s.checkSays(pr, baseline, "ran other code")
	}, required)
	on(t, "an outsider's fork starts nothing", func(t *testing.T, s *stage) {
		s.GitHub.CreateUser("mallory", "mallory@example.org")
		fork := s.Repo.Fork("mallory")
		fork.MustCommit("pilot", "mallory", fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: "mallory"})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: "mallory", Title: "Pilot", Head: "pilot", From: fork})
		s.settle()
		assert.Empty(t, s.confirmingRuns())
		assert.NotEmpty(t, s.check(pr, baseline))
		s.writesNothingMore()
	})
	on(t, "a request's bad figures are no incident of what was released", func(t *testing.T, s *stage) {
		s.released()
		s.pass(time.Hour)
		raw := s.measured(tuned, 0.2)
		run := s.Repo.StartRun(fakegithub.RunSpec{Workflow: smoke, Actor: s.App.Login(), Inputs: map[string]string{"nonce": "confirm-" + strings.Repeat("a", 32)}})
		s.completes(run, "success", raw)
		assert.Empty(t, s.openIssues())
		assert.Empty(t, s.ours("rollback/"))
	})
}
