package threats

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/registry"
)

const (
	tuned       = "qwen-7b-digest-ru"
	pointerFile = "deploy/model_pointer.yaml"
	models      = "models/registry.yaml"
	runbook     = "docs/specs/epic_05/stage_05_03_runbook.md"
)

var tunedDigest = "sha256:" + strings.Repeat("d1", 32)

// decided is the usual pilot after a Go decision: its record and the model's
// entry are on the default branch, as the merge of a report leaves them.
func (s *stage) decided() *fakegithub.PR {
	s.t.Helper()
	pr := s.signedOff()
	l := ledger.Ledger{RepositoryID: s.Repo.ID(), LogPath: sample.Signoff, Log: []byte(s.file("main", sample.Signoff)), Evidence: "docs/specs/epic_05/evidence/{pilot}/", Records: map[string][]byte{}}
	for _, p := range s.records() {
		l.Records[p] = []byte(s.file("main", p))
	}
	public, err := base64.StdEncoding.DecodeString(s.Key.Public.Public)
	require.NoError(s.t, err)
	keys := []ledger.Key{{ID: s.Key.Public.ID, Public: public, From: s.Now().AddDate(0, 0, -2)}}
	report, broken := ledger.Verify(l, keys)
	require.Empty(s.t, broken)
	signed := report.Entries[len(report.Entries)-1].Record
	at := s.Now().UTC().Truncate(time.Second)
	r := ledger.Record{Kind: ledger.KindGo, Subjects: []ledger.Subject{{Name: "model", URI: tuned + "@1.0", SHA256: strings.TrimPrefix(tunedDigest, "sha256:")}}, Predicate: signed.Predicate}
	sum := sha256.Sum256([]byte("the report"))
	r.Digest, r.Prev, r.Rows, r.Approvals, r.CreatedAt = "sha256:"+hex.EncodeToString(sum[:]), "", nil, nil, at
	r.Checks, r.Ingredients = nil, nil
	for i, login := range []string{irina, oleg} {
		role := []string{"ML Lead", "Operations Owner"}[i]
		r.Approvals = append(r.Approvals, ledger.Approval{Login: login, UserID: int64(i + 2), Role: role, ReviewID: int64(900 + i), SubmittedAt: at})
		r.Rows = append(r.Rows, ledger.Row{Date: at.Truncate(24 * time.Hour), Stakeholder: login, Role: role, Decision: ledger.Go, Notes: ledger.Notes{Review: int64(900 + i)}})
	}
	added, err := ledger.Append(l, r, s.Key.Signer, keys)
	require.NoError(s.t, err)
	entry, err := registry.PutEntry(models, []byte(s.file("main", models)), registry.Entry{
		Name: tuned, Version: "1.0", Digest: tunedDigest, Config: "configs/pilot_digest_ru.yaml", Pilot: sample.Pilot, Status: registry.Candidate,
	})
	require.NoError(s.t, err)
	s.push(nina, "main", files(sample.Files{added.LogPath: added.Log, added.RecordPath: added.Record, models: entry}))
	return pr
}

// released is the decided pilot after its tag and the merge of the pointer's request.
func (s *stage) released() {
	s.t.Helper()
	s.decided()
	s.tag(sample.Release)
	pointer := s.one("pointer/")
	s.approve(pointer, irina, oleg)
	s.shows(pointer, "success")
	require.NoError(s.t, pointer.Merge(nina, fakegithub.Squash, false))
	s.settle()
}

func (s *stage) tag(name string) {
	s.t.Helper()
	s.Repo.Tag(oleg, name, s.Repo.Head("main"), "")
	s.settle()
}

// one is the server's only pull request from a branch that begins so.
func (s *stage) one(prefix string) *fakegithub.PR {
	s.t.Helper()
	all := s.ours(prefix)
	require.Len(s.t, all, 1, prefix)
	return all[0]
}

func (s *stage) running() string {
	return registry.ParsePointer(pointerFile, []byte(s.file("main", pointerFile))).Targets[sample.Scenario].Digest
}

// alert posts what Alertmanager would.
func (s *stage) alert(token, status string, starts time.Time, labels map[string]string) int {
	s.t.Helper()
	code, err := s.SendAlert(s.ctx, token, status, starts, labels)
	require.NoError(s.t, err)
	s.settle()
	return code
}

func labels(model string) map[string]string {
	return map[string]string{"scenario": sample.Scenario, "model": model, "version": "1.0", "pilot": sample.Pilot}
}

// runComment is what the pilot's own comment on its report's request says.
func (s *stage) runComment() string {
	s.t.Helper()
	for _, c := range s.one("report/").View().Comments {
		if strings.HasPrefix(c.Body, "<!-- pilotgate:run -->") {
			return c.Body
		}
	}
	return ""
}

func TestRelease(t *testing.T) {
	t.Parallel()
	on(t, "only the release's own tag moves the pointer", func(t *testing.T, s *stage) {
		s.decided()
		before := s.running()
		for _, name := range []string{"v1.4.1", "v1.4.0-rc.1", "v1.3.2"} {
			s.tag(name)
			assert.Empty(t, s.ours("pointer/"), name)
		}
		assert.Contains(t, s.runComment(), "There is v1.3.2, v1.4.0-rc.1, v1.4.1, but patch releases and pre-releases never move the pointer.")
		s.tag(sample.Release)
		pointer := s.one("pointer/")
		s.shows(pointer, "waiting")
		s.approve(pointer, irina)
		s.shows(pointer, "waiting")
		assert.Equal(t, before, s.running(), "nothing moves before both roles have approved")
		s.approve(pointer, oleg)
		s.shows(pointer, "success")
		require.NoError(t, pointer.Merge(nina, fakegithub.Squash, false))
		s.settle()
		assert.Equal(t, tunedDigest, s.running())
		assert.Contains(t, s.file("main", models), "status: released")
		d := s.Repo.Deployments()
		require.Len(t, d, 1)
		assert.Equal(t, []string{"success"}, d[0].States)
		assert.Contains(t, d[0].Description, sample.Release)
		s.writesNothingMore()
	})
	on(t, "a pre-release of GitHub does not move it", func(t *testing.T, s *stage) {
		s.decided()
		s.Repo.Release(oleg, sample.Release, true)
		s.settle()
		assert.Empty(t, s.ours("pointer/"))
	})
	on(t, "without a Go decision no tag moves it", func(t *testing.T, s *stage) {
		s.signedOff()
		s.tag(sample.Release)
		assert.Empty(t, s.ours("pointer/"))
	})
	on(t, "nobody else's request moves it before the tag is there", func(t *testing.T, s *stage) {
		s.decided()
		text, err := registry.PutTarget(pointerFile, []byte(s.file("main", pointerFile)), sample.Scenario, registry.Target{Model: tuned, Version: "1.0", Digest: tunedDigest, Previous: "qwen-7b@1.0"})
		require.NoError(t, err)
		entry, err := registry.PutEntry(models, []byte(s.file("main", models)), registry.Entry{Name: tuned, Version: "1.0", Digest: tunedDigest, Config: "configs/pilot_digest_ru.yaml", Pilot: sample.Pilot, Status: registry.Released})
		require.NoError(t, err)
		pr := s.requestFrom("early", max, files(sample.Files{pointerFile: text, models: entry}))
		s.finds(pr, "pilot/release", "RL007")
	})
}

// measured is the artifact of a benchmark run over the sample's dataset, each
// score lowered by so much.
func (s *stage) measured(model string, lower float64) map[string]map[string][]byte {
	s.t.Helper()
	raw, err := sample.Measured([]byte(s.file("main", sample.Dataset)), model, -lower)
	require.NoError(s.t, err)
	return map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": raw}}
}

func (s *stage) benchmarkRuns() []fakegithub.RunView {
	return slices.DeleteFunc(s.Repo.Runs(), func(r fakegithub.RunView) bool { return !strings.Contains(r.Title, "recovery-") })
}

// rolledBack is a released pilot whose pointer went back after an alert.
func (s *stage) rolledBack() {
	s.t.Helper()
	s.released()
	s.pass(time.Hour)
	require.Equal(s.t, http.StatusAccepted, s.alert(s.AlertToken, "firing", s.Now().Add(-10*time.Minute), labels(tuned)))
	back := s.one("rollback/")
	s.approve(back, irina, oleg)
	require.NoError(s.t, back.Merge(oleg, fakegithub.Squash, false))
	s.settle()
	require.NotEqual(s.t, tunedDigest, s.running())
}

func TestRollback(t *testing.T) {
	t.Parallel()
	on(t, "an alert about what is deployed opens one incident and the way back", func(t *testing.T, s *stage) {
		s.released()
		was := s.Now()
		s.pass(time.Hour)
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", was.Add(30*time.Minute), labels(tuned)))
		require.Len(t, s.openIssues(), 1)
		back := s.one("rollback/")
		s.shows(back, "waiting")
		assert.Contains(t, s.file(back.View().Head, runbook), "### INC-")
		assert.Contains(t, s.file(back.View().Head, models), "status: rejected")

		// The same alert again, and a second one, add to it and open nothing.
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", was.Add(30*time.Minute), labels(tuned)))
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", was.Add(40*time.Minute), labels(tuned)))
		issue := s.openIssues()
		require.Len(t, issue, 1)
		assert.Equal(t, 2, strings.Count(issue[0].Body, "PilotMetricBelowBand"))
		assert.Len(t, s.ours("rollback/"), 1)

		s.approve(back, irina, oleg)
		s.shows(back, "success")
		require.NoError(t, back.Merge(oleg, fakegithub.Squash, false))
		s.settle()
		assert.NotEqual(t, tunedDigest, s.running())
		assert.Contains(t, s.rows(), irina+" Rolled back")
		assert.Contains(t, s.rows(), oleg+" Rolled back")
		states := s.Repo.Deployments()
		require.Len(t, states, 2)
		assert.Equal(t, []string{"success", "inactive"}, states[0].States)
		assert.Equal(t, []string{"success"}, states[1].States)
		require.Len(t, s.openIssues(), 1, "the recovery is not proven")
		s.writesNothingMore()
	})
}

func TestARollbackThatGitHubRefuses(t *testing.T) {
	t.Parallel()
	var refuses atomic.Bool
	refuse := func(r *http.Request) *http.Response {
		if !refuses.Load() || !strings.Contains(sent(r), "pilotgate/rollback/") || !writes(r) {
			return nil
		}
		return &http.Response{
			StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"message": "Resource not accessible by integration"}`)),
		}
	}
	on(t, "is said, tried again, and never half done", func(t *testing.T, s *stage) {
		s.released()
		refuses.Store(true)
		s.pass(time.Hour)
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", s.Now().Add(-10*time.Minute), labels(tuned)))
		require.Len(t, s.openIssues(), 1)
		s.pass(20 * time.Minute)
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", s.Now().Add(-time.Minute), labels(tuned)))
		assert.Contains(t, s.openIssues()[0].Body, "GitHub did not let Pilotgate open one")
		assert.Empty(t, s.ours("rollback/"))
		assert.Equal(t, tunedDigest, s.running())

		refuses.Store(false)
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", s.Now().Add(-30*time.Second), labels(tuned)))
		back := s.one("rollback/")
		assert.Contains(t, s.file(back.View().Head, models), "status: rejected", "pointer, registry and runbook in one commit")
	}, setting{beside: refuse, unjudged: true})
}

func TestRollbackThroughPullRequests(t *testing.T) {
	t.Parallel()
	on(t, "where nobody may push, each step is a request", func(t *testing.T, s *stage) {
		s.protect()
		s.released()
		s.pass(time.Hour)
		require.Equal(t, http.StatusAccepted, s.alert(s.AlertToken, "firing", s.Now().Add(-10*time.Minute), labels(tuned)))
		back := s.one("rollback/")
		s.approve(back, irina, oleg)
		assert.True(t, back.View().Merged, "it merges by itself once both roles have approved")
		assert.Contains(t, s.rows(), oleg+" Rolled back", "the record came through a request of ours that merges by itself")
		s.Repo.CompleteRun(s.benchmarkRuns()[0].ID, "success", s.measured("qwen-7b", 0))
		s.settle()
		entry := s.one("incident/")
		assert.Contains(t, s.file(entry.View().Head, runbook), "matches the recorded baseline")
		s.shows(entry, "waiting")
		s.approve(entry, irina, oleg)
		require.NoError(t, entry.Merge(nina, fakegithub.Squash, false))
		s.settle()
		assert.Contains(t, s.file("main", runbook), "matches the recorded baseline")
		s.writesNothingMore()
	})
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	on(t, "the benchmark runs once, matches, and the root cause closes the incident", func(t *testing.T, s *stage) {
		s.rolledBack()
		runs := s.benchmarkRuns()
		require.Len(t, runs, 1, "dispatched once")
		number := s.openIssues()[0].Number
		s.Repo.CloseIssue(max, number)
		s.settle()
		require.Len(t, s.openIssues(), 1, "it cannot stay closed before it is over")

		s.Repo.CompleteRun(runs[0].ID, "success", s.measured("qwen-7b", 0))
		s.settle()
		require.Len(t, s.openIssues(), 1)
		body := s.openIssues()[0].Body
		assert.Contains(t, body, "the initiator writes the root cause into entry INC-")
		text := s.file("main", runbook)
		assert.Contains(t, text, "matches the recorded baseline within 0.01")
		assert.Contains(t, text, "TODO(@"+dana+")")

		s.push(nina, "main", files(sample.Files{runbook: []byte(strings.Replace(text, "TODO(@"+dana+")", "The prompt was cached for a week.", 1))}))
		assert.Empty(t, s.openIssues())
		s.writesNothingMore()
		assert.Len(t, s.benchmarkRuns(), 1)
	})
	on(t, "figures that differ raise the severity, and another attempt may prove it", func(t *testing.T, s *stage) {
		s.rolledBack()
		run := s.benchmarkRuns()[0].ID
		s.Repo.CompleteRun(run, "success", s.measured("qwen-7b", 0.02))
		s.settle()
		body := s.openIssues()[0].Body
		assert.Contains(t, body, "severity is raised to emergency")
		assert.Contains(t, body, "❌")
		assert.Contains(t, s.file("main", runbook), "does not match the recorded baseline")
	})
	on(t, "a run without JSON says nothing about the model", func(t *testing.T, s *stage) {
		s.rolledBack()
		s.Repo.CompleteRun(s.benchmarkRuns()[0].ID, "failure", nil)
		s.settle()
		assert.Contains(t, s.openIssues()[0].Body, "That says nothing about the model")
	})
}

// Whoever sends alerts, or commands, moves nothing that they may not.
func sendsAlerts(t *testing.T) {
	on(t, "forged, replayed and foreign alerts open nothing", func(t *testing.T, s *stage) {
		s.released()
		s.pass(time.Hour)
		now := s.Now()
		assert.Equal(t, http.StatusUnauthorized, s.alert("made up", "firing", now.Add(-time.Minute), labels(tuned)))
		s.alert(s.AlertToken, "firing", now.Add(-2*time.Hour), labels(tuned))
		s.alert(s.AlertToken, "firing", now.Add(-time.Minute), labels("qwen-7b"))
		s.alert(s.AlertToken, "firing", now.Add(time.Hour), labels(tuned))
		s.alert(s.AlertToken, "resolved", now.Add(-time.Minute), labels(tuned))
		assert.Empty(t, s.openIssues())
		assert.Empty(t, s.ours("rollback/"))
	})
	on(t, "a flapping alert opens one incident and one way back", func(t *testing.T, s *stage) {
		s.released()
		s.pass(time.Hour)
		for range 3 {
			for _, status := range []string{"firing", "resolved"} {
				s.pass(time.Minute)
				s.alert(s.AlertToken, status, s.Now().Add(-30*time.Second), labels(tuned))
			}
		}
		assert.Len(t, s.openIssues(), 1)
		s.one("rollback/")
	})
	on(t, "alerts go on and the model was rolled back: one rollback a release", func(t *testing.T, s *stage) {
		s.rolledBack()
		s.pass(time.Hour)
		s.alert(s.AlertToken, "firing", s.Now().Add(-time.Minute), labels(tuned))
		assert.Len(t, s.openIssues(), 1)
		s.one("rollback/")
		assert.Equal(t, 2, strings.Count(strings.Join(s.rows(), "\n"), "Rolled back"))
	})
	on(t, "the Operations Owner may ask for it, nobody else", func(t *testing.T, s *stage) {
		s.released()
		s.pass(time.Minute)
		for _, c := range []struct{ who, reply string }{
			{max, "@max, `/pilot rollback` is for the Operations Owner (`@acme/ml-ops`). Nothing was changed."},
			{irina, "@irina-ml, `/pilot rollback` is for the Operations Owner (`@acme/ml-ops`). Nothing was changed."},
			{dana, "@dana, `/pilot rollback` is for the Operations Owner (`@acme/ml-ops`). Nothing was changed."},
		} {
			reaction, reply := s.command(s.pr, c.who, "/pilot rollback I do not like it")
			assert.Equal(t, "confused", reaction)
			assert.Contains(t, reply, c.reply)
		}
		assert.Empty(t, s.openIssues())
		reaction, reply := s.command(s.pr, oleg, "/pilot rollback Readers complain about empty digests")
		assert.Equal(t, "+1", reaction)
		assert.NotContains(t, reply, oleg, "what counts needs no answer in words")
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Body, "Readers complain about empty digests")
		s.one("rollback/")
	})
	on(t, "where nothing is live, there is nothing to roll back", func(t *testing.T, s *stage) {
		s.signedOff()
		reaction, reply := s.command(s.pr, oleg, "/pilot rollback just in case")
		assert.Equal(t, "confused", reaction)
		assert.Contains(t, reply, "@oleg-ops, `/pilot rollback` is for a model of this pilot that is deployed, and none is. Nothing was changed.")
	})
	on(t, "once it was rolled back, there is nothing more", func(t *testing.T, s *stage) {
		s.rolledBack()
		reaction, reply := s.command(s.pr, oleg, "/pilot rollback again")
		assert.Equal(t, "confused", reaction)
		assert.Contains(t, reply, "none is")
		assert.Len(t, s.openIssues(), 1)
		s.one("rollback/")
	})
	on(t, "a failed benchmark on the default branch opens it too", func(t *testing.T, s *stage) {
		s.released()
		s.pass(time.Hour)
		run := s.Repo.StartRun(fakegithub.RunSpec{Workflow: ".github/workflows/stage05_benchmark_smoke.yml", Event: "schedule", Actor: nina})
		s.Repo.CompleteRun(run, "success", s.measured(tuned, 0.2))
		s.settle()
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Body, "coverage")
		s.one("rollback/")
	})
}
