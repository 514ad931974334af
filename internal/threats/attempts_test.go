package threats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// A training that does not end, ends otherwise, or is run once more by hand:
// people are told what became of it and what to do.
func TestAttempts(t *testing.T) {
	t.Parallel()
	on(t, "a run that never ends is told after six days, and no sooner", func(t *testing.T, s *stage) {
		run := s.launched()
		s.pass(6*24*time.Hour - time.Hour)
		s.sweep()
		assert.Contains(t, s.told(), "is under way")
		s.pass(2 * time.Hour)
		s.sweep()
		assert.Contains(t, s.told(), fmt.Sprintf("Run %d has not ended for six days", run))
		assert.Contains(t, s.told(), "cancels it; `/pilot renew`")
		s.writesNothingMore()
		s.ended(run, "success", s.result(0.02))
		assert.Len(t, s.recordsOf("evaluation"), 1, "late is not wrong")
	})
	for conclusion, words := range map[string]string{
		"cancelled": "was cancelled", "timed_out": "ran out of its time", "skipped": "ended without training anything",
		"stale": "ended without training anything", "action_required": "ended without training anything", "neutral": "ended without training anything",
	} {
		on(t, "a run that ended as "+conclusion+" says so, with what to do", func(t *testing.T, s *stage) {
			run := s.launched()
			s.GitHub.Hold()
			s.Repo.CompleteRun(run, conclusion, nil)
			s.GitHub.Release(func([]fakegithub.Delivery) []int { return nil }) // no event comes
			s.sweep()
			assert.Contains(t, s.told(), words)
			assert.Contains(t, s.told(), "**Next:**")
			assert.Contains(t, s.told(), "/pilot renew")
			assert.Empty(t, s.recordsOf("failure"))
			assert.Empty(t, s.recordsOf("evaluation"))
			s.writesNothingMore()
		})
	}
	on(t, "a re-run of the launched run brings nothing", func(t *testing.T, s *stage) {
		run := s.launched()
		s.ended(run, "cancelled", nil)
		s.Repo.RerunRun(dana, run)
		s.Repo.Wait(run, environment)
		s.settle()
		s.gate(run, "rejected", "attempt 2 of the run")
		s.ended(run, "success", s.result(0.3))
		assert.Empty(t, s.recordsOf("evaluation"), "what a later attempt left is not the launch's")
		assert.Contains(t, s.told(), "was cancelled")
		assert.Len(t, s.launchRecords(), 1)
		s.writesNothingMore()
	})
	on(t, "a re-run after the results changes none of them", func(t *testing.T, s *stage) {
		run := s.launched()
		s.ended(run, "success", s.result(0.02))
		require.Len(t, s.recordsOf("evaluation"), 1)
		before := s.file("main", s.recordsOf("evaluation")[0])
		s.Repo.RerunRun(dana, run)
		s.Repo.Wait(run, environment)
		s.settle()
		s.gate(run, "rejected", "attempt 2 of the run")
		s.ended(run, "success", s.result(0.3))
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.Equal(t, before, s.file("main", s.recordsOf("evaluation")[0]))
	})
	on(t, "after a failure of the machines the same run may be run again, once", func(t *testing.T, s *stage) {
		run := s.launched()
		s.ended(run, "failure", nil)
		require.Len(t, s.recordsOf("failure"), 1)
		s.Repo.RerunRun(dana, run)
		s.Repo.Wait(run, environment)
		s.settle()
		s.gate(run, "approved", "is signed off")
		require.Len(t, s.launchRecords(), 2)
		s.ended(run, "success", s.result(0.02))
		assert.Len(t, s.recordsOf("evaluation"), 1)
		s.writesNothingMore()
	})
}

// claimOf is the ref under which the first launch of the pilot's sign-off is
// claimed: anybody can derive it from the record.
func (s *stage) claimOf(pilot string) string {
	s.t.Helper()
	var e struct{ Payload []byte }
	require.NoError(s.t, json.Unmarshal([]byte(s.file("main", s.recordsOf("signoff")[0])), &e))
	record := sha256.Sum256(e.Payload)
	launch := sha256.Sum256([]byte("pilotgate/launch/v1\nsha256:" + hex.EncodeToString(record[:]) + "\n1\n"))
	return "refs/pilotgate/" + pilot + "/launch-" + hex.EncodeToString(launch[:])
}

// Reusable workflows and claims of others do not open the gate.
func TestBarsAtTheGate(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"a reusable workflow that was not signed off":      "acme/pilots/.github/workflows/shared.yml@refs/heads/main",
		"a reusable workflow of elsewhere by its branch":   "evil/tools/.github/workflows/train.yml@main",
		"a reusable workflow of elsewhere by a short name": "evil/tools/.github/workflows/train.yml@" + strings.Repeat("a", 7),
		"a reusable workflow of elsewhere moved since":     "evil/tools/.github/workflows/train.yml@" + strings.Repeat("a", 40),
	} {
		on(t, name, func(t *testing.T, s *stage) {
			s.signedOff()
			run := s.start(dana, func(r *fakegithub.RunSpec) {
				r.Referenced = []fakegithub.Reference{{Path: path, SHA: strings.Repeat("b", 40)}}
			})
			s.gate(run, "rejected", "which was not signed off")
			assert.Empty(t, s.launchRecords())
			s.gate(s.start(dana), "approved", "is signed off")
		})
	}
	on(t, "a reusable workflow of elsewhere that is pinned", func(t *testing.T, s *stage) {
		s.signedOff()
		pinned := strings.Repeat("c", 40)
		run := s.start(dana, func(r *fakegithub.RunSpec) {
			r.Referenced = []fakegithub.Reference{{Path: "acme/tools/.github/workflows/train.yml@" + pinned, SHA: pinned}}
		})
		s.gate(run, "approved", "is signed off")
	})
	on(t, "a claim that is none of ours", func(t *testing.T, s *stage) {
		s.signedOff()
		free := s.claimOf(sample.Pilot)
		s.Repo.PushRef(max, free, s.Repo.Refs()["refs/heads/main"])
		run := s.start(dana)
		s.gate(run, "waiting", "was not made by Pilotgate")
		assert.Empty(t, s.launchRecords())
		s.writesNothingMore()
		s.Repo.DeleteRef(nina, free)
		s.sweep()
		s.gate(run, "approved", "is signed off")
		assert.Len(t, s.launchRecords(), 1)
	})
}

// `/pilot renew` is answered: by a reaction, and with the reason where it does
// not count.
func TestRenewIsAnswered(t *testing.T) {
	t.Parallel()
	on(t, "whoever asks and however", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		digest := s.digest(pr)
		for _, row := range []struct{ by, text, said string }{
			{max, "/pilot renew", "@max, `/pilot renew` is for the pilot's initiator and for whoever holds a role. Nothing was changed."},
			{dana, "/pilot renew 0123456789ab", "names another digest"},
			{dana, "/pilot renew " + digest[:11], "Write at least 12 digits"},
		} {
			reaction, reply := s.command(pr, row.by, row.text)
			assert.Equal(t, "confused", reaction, row.text)
			assert.Contains(t, reply, row.said)
			assert.Empty(t, s.ours("renew/"))
		}
		s.writesNothingMore()
		reaction, _ := s.command(pr, oleg, "/pilot renew "+digest)
		assert.Equal(t, "+1", reaction)
		assert.Len(t, s.ours("renew/"), 1)
		s.writesNothingMore()
	})
	on(t, "edited it does not count", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		id := pr.Comment(dana, "thinking")
		s.Repo.EditComment(dana, id, "/pilot renew")
		s.settle()
		assert.Empty(t, s.ours("renew/"))
	})
	on(t, "after the end it comes too late", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		run := s.start(dana)
		s.ended(run, "success", s.result(-0.05))
		report := s.one("report/")
		s.approve(report, irina, oleg)
		s.merge(report)
		require.Len(t, s.recordsOf("no-go"), 1)
		reaction, reply := s.command(pr, dana, "/pilot renew")
		assert.Equal(t, "confused", reaction)
		assert.Contains(t, reply, "comes too late")
		assert.Empty(t, s.ours("renew/"))
	})
}

// An event names the run and where to answer; only the run is taken from it.
func TestTheCallbackURLIsNeverCalledAsGiven(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"an address of the cloud":      "http://169.254.169.254/latest/meta-data",
		"another host":                 "https://evil.example/repos/acme/pilots/actions/runs/%d/deployment_protection_rule",
		"another repository's run":     "https://github.example/api/v3/repos/evil/pilots/actions/runs/%d/deployment_protection_rule",
		"a run that there is not":      "https://github.example/api/v3/repos/acme/pilots/actions/runs/9999999/deployment_protection_rule",
		"a path that leads back above": "https://github.example/api/v3/repos/acme/pilots/actions/runs/%d/../../../keys",
	} {
		on(t, name, func(t *testing.T, s *stage) {
			s.signedOff()
			s.GitHub.Hold()
			run := s.Repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: dana, Inputs: map[string]string{"pilot": sample.Pilot}})
			s.Repo.Wait(run, environment)
			var event fakegithub.Delivery
			for _, d := range s.GitHub.Deliveries() {
				if d.Event == "deployment_protection_rule" {
					event = d
				}
			}
			require.NotEmpty(t, event.Payload)
			s.GitHub.Release(func([]fakegithub.Delivery) []int { return nil })
			var payload map[string]any
			require.NoError(t, json.Unmarshal(event.Payload, &payload))
			require.Contains(t, payload, "deployment_callback_url")
			if strings.Contains(url, "%d") {
				url = fmt.Sprintf(url, run)
			}
			payload["deployment_callback_url"] = url
			var err error
			event.Payload, err = json.Marshal(payload)
			require.NoError(t, err)
			event.Signature = fakegithub.Sign(s.App.Secret(), event.Payload)
			req, err := event.Request(s.ctx, s.Hook())
			require.NoError(t, err)
			s.GitHub.ForgetRequests()
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Less(t, resp.StatusCode, 300)
			s.eventually(func() bool { return s.runView(run).Waiting[environment] == "approved" })
			s.settle()
			assert.Equal(t, []string{"github.example"}, s.wire.reached())
			for _, r := range s.GitHub.Requests() {
				assert.NotContains(t, r.Path, "evil")
				assert.NotContains(t, r.Path, "9999999")
			}
		})
	}
}

// Whatever else the initiator passes, the parameters are the signed ones.
func TestOtherInputsChangeNothing(t *testing.T) {
	t.Parallel()
	on(t, "the launch has the record's parameters", func(t *testing.T, s *stage) {
		s.signedOff()
		run := s.start(dana, func(r *fakegithub.RunSpec) {
			r.Inputs["epochs"], r.Inputs["dataset"] = "99", "s3://elsewhere/data.jsonl"
		})
		s.gate(run, "approved", "is signed off")
		require.Len(t, s.launchRecords(), 1)
		parameters := func(path string) any {
			var e struct{ Payload []byte }
			require.NoError(t, json.Unmarshal([]byte(s.file("main", path)), &e))
			var statement struct{ Predicate struct{ Launch any } }
			require.NoError(t, json.Unmarshal(e.Payload, &statement))
			require.NotNil(t, statement.Predicate.Launch)
			return statement.Predicate.Launch
		}
		assert.Equal(t, parameters(s.recordsOf("signoff")[0]), parameters(s.launchRecords()[0]))
		assert.NotContains(t, fmt.Sprint(parameters(s.launchRecords()[0])), "elsewhere")
	})
}
