package threats

import (
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
)

const (
	training    = ".github/workflows/pilot_finetune.yml"
	environment = "pilot-finetune"
)

// start starts the training workflow for the usual pilot, and waits until the
// gate has had its say.
func (s *stage) start(by string, change ...func(*fakegithub.RunSpec)) int64 {
	s.t.Helper()
	spec := fakegithub.RunSpec{Workflow: training, Actor: by, Inputs: map[string]string{"pilot": sample.Pilot}}
	for _, f := range change {
		f(&spec)
	}
	run := s.Repo.StartRun(spec)
	s.Repo.Wait(run, environment)
	s.settle()
	return run
}

func (s *stage) trainingRuns() []fakegithub.RunView {
	return slices.DeleteFunc(s.Repo.Runs(), func(r fakegithub.RunView) bool { return r.Path != training })
}

func (s *stage) runView(id int64) fakegithub.RunView {
	s.t.Helper()
	for _, r := range s.Repo.Runs() {
		if r.ID == id {
			return r
		}
	}
	s.t.Fatalf("no run %d", id)
	return fakegithub.RunView{}
}

// gate holds a run against what the gate said last: "approved", "waiting" or
// "rejected", with these words.
func (s *stage) gate(run int64, state, words string) {
	s.t.Helper()
	v := s.runView(run)
	assert.Equal(s.t, state, v.Waiting[environment], "%v", v.Notes[environment])
	if notes := v.Notes[environment]; assert.NotEmpty(s.t, notes, "the gate said nothing") {
		assert.Contains(s.t, notes[len(notes)-1], words)
	}
}

// launchRecords are the pilot's launches on record.
func (s *stage) launchRecords() (out []string) {
	for _, p := range s.records() {
		if strings.Contains(p, "/launch-") {
			out = append(out, p)
		}
	}
	return out
}

// workflow is the training workflow with one more line.
func (s *stage) workflow() map[string]fakegithub.File {
	return map[string]fakegithub.File{training: fakegithub.Text(s.file("main", training) + "# another line\n")}
}

// Whoever may start the training starts it once, as it was signed off.
func launchesOtherwise(t *testing.T) {
	on(t, "lets the signed pilot through, once and on record", func(t *testing.T, s *stage) {
		s.signedOff()
		run := s.start(dana)
		s.gate(run, "approved", "is signed off")
		assert.Equal(t, "in_progress", s.runView(run).Status)
		assert.Len(t, s.launchRecords(), 1)
		assert.Empty(t, s.openIssues(), "the ledger verifies")
		second := s.start(irina)
		s.gate(second, "rejected", fmt.Sprintf("launched already, by run %d", run))
		assert.Len(t, s.launchRecords(), 1)
		s.writesNothingMore()
	})
	on(t, "through a pull request where the branch is protected", func(t *testing.T, s *stage) {
		s.protect()
		s.signedOff()
		run := s.start(oleg)
		s.gate(run, "approved", "is signed off")
		assert.Len(t, s.launchRecords(), 1)
		assert.Len(t, s.ours("signoff/"+sample.Pilot+"-launch-"), 1)
		s.writesNothingMore()
	})
	on(t, "waits for the sign-off and then opens", func(t *testing.T, s *stage) {
		run := s.start(dana)
		s.gate(run, "waiting", "has no sign-off")
		pr := s.approved()
		s.gate(run, "waiting", "has no sign-off")
		require.Len(t, s.runView(run).Notes[environment], 1, "said once")
		s.merge(pr)
		s.gate(run, "rejected", "which has not the signed record")
		s.gate(s.start(dana), "approved", "is signed off")
	})
	on(t, "waits while the plan is merged without approval", func(t *testing.T, s *stage) {
		pr := s.pilot()
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		run := s.start(dana)
		s.gate(run, "waiting", "has no sign-off")
		s.writesNothingMore()
		assert.Len(t, s.runView(run).Notes[environment], 1)
	})
	on(t, "the lowest waiting run wins", func(t *testing.T, s *stage) {
		s.signedOff()
		s.GitHub.Hold()
		stranger, first, second := s.start(max), s.start(dana), s.start(irina)
		s.GitHub.Release(nil)
		s.settle()
		s.gate(stranger, "rejected", "launched by run")
		s.gate(first, "approved", "is signed off")
		s.gate(second, "rejected", "launched by run")
		assert.Len(t, s.launchRecords(), 1)
	})
	on(t, "answers what waited while no event came", func(t *testing.T, s *stage) {
		s.signedOff()
		s.GitHub.Hold()
		run := s.start(dana)
		s.GitHub.Release(func([]fakegithub.Delivery) []int { return nil })
		s.sweep()
		s.gate(run, "approved", "is signed off")
	})
	for _, refused := range []struct {
		name, state, words string
		change             func(*stage, *fakegithub.RunSpec)
	}{
		{"another event", "rejected", "was started by `push`", func(_ *stage, r *fakegithub.RunSpec) { r.Event = "push" }},
		{"a schedule", "rejected", "was started by `schedule`", func(_ *stage, r *fakegithub.RunSpec) { r.Event = "schedule" }},
		{"another branch", "rejected", "is of branch `elsewhere`", func(s *stage, r *fakegithub.RunSpec) {
			s.push(dana, "elsewhere", map[string]fakegithub.File{"x": fakegithub.Text("x")})
			r.Branch = "elsewhere"
		}},
		{"another branch's workflow file", "rejected", "is of branch `elsewhere`", func(s *stage, r *fakegithub.RunSpec) {
			s.push(dana, "elsewhere", s.workflow())
			r.Branch = "elsewhere"
		}},
		{"an older commit with another workflow file", "rejected", "is not the file that was signed off", func(s *stage, r *fakegithub.RunSpec) {
			signed := s.file("main", training)
			r.Head = s.push(nina, "main", s.workflow())
			s.push(nina, "main", map[string]fakegithub.File{training: fakegithub.Text(signed)})
		}},
		{"another workflow", "rejected", "is not the training workflow", func(s *stage, r *fakegithub.RunSpec) {
			s.push(nina, "main", map[string]fakegithub.File{".github/workflows/other.yml": fakegithub.Text("run-name: x ${{ inputs.pilot }}\non: {workflow_dispatch: {inputs: {pilot: {}}}}\n")})
			r.Workflow = ".github/workflows/other.yml"
		}},
		{"no pilot", "rejected", "names no pilot", func(_ *stage, r *fakegithub.RunSpec) { r.Inputs = map[string]string{"pilot": "No such thing."} }},
		{"a pilot that there is not", "waiting", "`ru-digest-2099` has no sign-off", func(_ *stage, r *fakegithub.RunSpec) { r.Inputs["pilot"] = "ru-digest-2099" }},
		{"somebody without a role", "waiting", "`max` started this run", func(_ *stage, r *fakegithub.RunSpec) { r.Actor = max }},
		{"started again by somebody without a role", "waiting", "`max` started this run", func(_ *stage, r *fakegithub.RunSpec) { r.Trigger = max }},
		{"attempt 2", "rejected", "attempt 2 of the run", func(_ *stage, r *fakegithub.RunSpec) { r.Attempt = 2 }},
	} {
		on(t, "refuses "+refused.name, func(t *testing.T, s *stage) {
			s.signedOff()
			run := s.start(dana, func(r *fakegithub.RunSpec) { refused.change(s, r) })
			s.gate(run, refused.state, refused.words)
			assert.Empty(t, s.launchRecords())
			s.writesNothingMore()
			assert.Len(t, s.runView(run).Notes[environment], 1, "said once")
			if refused.state == "rejected" {
				s.gate(s.start(dana), "approved", "is signed off")
			}
		})
	}
	for _, changed := range []struct {
		name, words string
		change      func(*stage)
		back        func(*stage) // and the gate opens; nil: it does not
	}{
		{"the workflow", "the workflow file `" + training + "`", func(s *stage) { s.push(nina, "main", s.workflow()) }, nil},
		{"the bands", "the policy's values", func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(strings.Replace(s.file("main", policy), "0.88", "0.87", 1))})
		}, func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(strings.Replace(s.file("main", policy), "0.87", "0.88", 1))})
		}},
		{"the baseline's entry", "the registry's entries", func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{"models/registry.yaml": fakegithub.Text(strings.ReplaceAll(s.file("main", "models/registry.yaml"), "digest: sha256:", "digest: sha256:0"))})
		}, nil},
		{"an approver's role", "`" + irina + "` approved this pilot as `ML Lead`", func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* @" + vera + "\n[Operations Owner]\n* @acme/ml-ops\n")})
		}, nil},
		{"the dataset", "would not pass today: `BL002, DS020", func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{sample.Dataset: fakegithub.Text(s.file("main", sample.EvaluationData))})
		}, nil},
		{"time", "is older than 30 days", func(s *stage) { s.pass(31 * 24 * time.Hour) }, nil},
		{"the ledger", "All gates are shut", func(s *stage) {
			s.push(nina, "main", map[string]fakegithub.File{sample.Signoff: fakegithub.Text("# Gone\n")})
		}, nil},
	} {
		on(t, "says what changed since: "+changed.name, func(t *testing.T, s *stage) {
			s.signedOff()
			changed.change(s)
			run := s.start(dana)
			s.gate(run, "waiting", changed.words)
			assert.Empty(t, s.launchRecords())
			s.writesNothingMore()
			if changed.back != nil {
				changed.back(s)
				s.gate(run, "approved", "is signed off")
			}
		})
	}
	on(t, "a renewal says what differs, and opens the gate", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		s.push(nina, "main", s.workflow())
		run := s.start(dana)
		s.gate(run, "waiting", "the workflow file `"+training+"`")
		pr.Comment(max, "/pilot renew")
		s.settle()
		assert.Empty(t, s.ours("renew/"), "not for somebody without a role")
		pr.Comment(dana, "/pilot renew")
		s.settle()
		require.Len(t, s.ours("renew/"), 1)
		renewal := s.ours("renew/")[0]
		assert.Contains(t, renewal.View().Body, "Changed since: the workflow file `"+training+"`")
		assert.Contains(t, s.file(renewal.View().Head, sample.Plan), "revision: 2")
		s.approve(renewal, irina, oleg)
		s.shows(renewal, "success")
		s.merge(renewal)
		assert.Len(t, s.rows(), 4, "two sign-offs")
		s.gate(run, "rejected", "which has not the signed record")
		s.gate(s.start(dana), "approved", "is signed off")
		s.writesNothingMore()
	})
	on(t, "a revert of the plan withdraws", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Revert", Delete: []string{sample.Plan}, Author: nina})
		s.settle()
		s.gate(s.start(dana), "rejected", "withdraws its sign-off")
	})
	on(t, "observing opens nothing", func(t *testing.T, s *stage) {
		s.signedOff()
		s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(s.file("main", policy) + "enforcement: observe\n")})
		run := s.start(dana)
		assert.Equal(t, "waiting", s.runView(run).Waiting[environment])
	})
	on(t, "a claim that somebody else made", func(t *testing.T, s *stage) {
		s.signedOff()
		s.GitHub.Hold()
		run := s.start(dana)
		_ = run
		s.GitHub.Release(nil)
		s.settle()
		for ref := range s.Repo.Refs() {
			if strings.Contains(ref, "/launch-") {
				s.Repo.DeleteRef(max, ref)
			}
		}
		second := s.start(irina)
		s.gate(second, "rejected", "launched already, by run") // the record stands
	})
}

// One launch a sign-off, wherever the server is cut off.
func TestALaunchAfterACrash(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		on(t, fmt.Sprintf("after write %d", n), func(t *testing.T, s *stage) {
			s.signedOff()
			s.GitHub.Hold()
			first, second := s.start(dana), s.start(irina)
			s.wire.cutAfter(n)
			s.GitHub.Release(nil)
			s.GitHub.Flush()
			require.Eventually(t, func() bool { return s.wire.isCut() || s.Idle() }, time.Minute, 5*time.Millisecond)
			require.NoError(t, s.Stop())
			s.wire.cutAfter(-1)
			require.NoError(t, s.Start(t.Context()))
			s.settle()
			s.sweep()
			s.gate(first, "approved", "is signed off")
			s.gate(second, "rejected", "")
			assert.Len(t, s.launchRecords(), 1)
			s.writesNothingMore()
		}, setting{faults: fakegithub.NoFaults()})
	}
}

// Where nothing holds runs back, the server starts the one that counts.
func TestTheFallback(t *testing.T) {
	t.Parallel()
	on(t, "dispatches once and records it", func(t *testing.T, s *stage) {
		s.signedOff()
		runs := s.trainingRuns()
		require.Len(t, runs, 1)
		assert.Equal(t, []string{s.App.Login(), "workflow_dispatch", "pilot " + sample.Pilot}, []string{runs[0].Actor, runs[0].Event, runs[0].Title})
		assert.Len(t, s.launchRecords(), 1)
		comment, _ := s.Comment(s.pr)
		assert.Contains(t, comment, "Pilotgate starts the training workflow itself")
		assert.Contains(t, comment, "cannot prevent manual runs; results of runs that it did not start are refused")
		assert.Contains(t, s.told(), "cannot prevent manual runs")
		s.writesNothingMore()
		assert.Len(t, s.trainingRuns(), 1)
	}, setting{unguarded: true})
	on(t, "a run by hand is not the launch", func(t *testing.T, s *stage) {
		pr := s.approved()
		byHand := s.Repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: dana, Inputs: map[string]string{"pilot": sample.Pilot}})
		s.merge(pr)
		require.Len(t, s.trainingRuns(), 2)
		require.Len(t, s.launchRecords(), 1)
		assert.NotContains(t, s.file("main", s.launchRecords()[0]), fmt.Sprintf(`"id":%d`, byHand))
	}, setting{unguarded: true})
	on(t, "a start that is not seen is told and not repeated", func(t *testing.T, s *stage) {
		s.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if strings.HasSuffix(r.URL.Path, "/dispatches") {
				return &fakegithub.Failure{Status: 500, Body: `{"message":"down"}`}
			}
			return nil
		})
		s.signedOff()
		s.GitHub.Inject(nil)
		s.pass(11 * time.Minute)
		s.sweep()
		assert.Empty(t, s.trainingRuns())
		assert.Empty(t, s.launchRecords())
	}, setting{unguarded: true, unjudged: true})
}
