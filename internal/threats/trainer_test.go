package threats

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

const manifestType = "application/vnd.pilotgate.manifest+json"

// trainerKey makes a trainer's key; nobody else has it.
func trainerKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

// listed is a policy's line about a key.
func listed(id string, key ed25519.PrivateKey, from, until time.Time) string {
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	line := fmt.Sprintf("{id: %s, ed25519: %q, from: %s", id, public, from.Format(time.DateOnly))
	if !until.IsZero() {
		line += ", until: " + until.Format(time.DateOnly)
	}
	return line + "}"
}

// envelope signs a manifest as a trainer does: DSSE, by its own words and not by
// our code.
func envelope(t *testing.T, payload []byte, kind, id string, key ed25519.PrivateKey) []byte {
	t.Helper()
	message := fmt.Sprintf("DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
	out, err := json.Marshal(map[string]any{
		"payloadType": kind, "payload": base64.StdEncoding.EncodeToString(payload),
		"signatures": []any{map[string]string{"keyid": id, "sig": base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(message)))}},
	})
	require.NoError(t, err)
	return out
}

// outside is a stage whose training is done elsewhere: a key is listed, and there
// is no training workflow.
func outside(t *testing.T, name string, play func(*testing.T, *stage)) {
	today := time.Now().UTC()
	lines := listed("lab", trainerKey('a'), today.AddDate(0, 0, -1), time.Time{}) + ", " +
		listed("old", trainerKey('o'), today.AddDate(0, 0, -90), today.AddDate(0, 0, -30))
	on(t, name, func(t *testing.T, s *stage) {
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Train elsewhere", Delete: []string{training}, Author: nina})
		s.settle()
		play(t, s)
	}, setting{policy: func(text string) string { return text + "trainers: [" + lines + "]\n" }})
}

// orders are the deployments that ask a trainer.
func (s *stage) orders() (out []fakegithub.DeploymentView) {
	for _, d := range s.Repo.Deployments() {
		if d.Environment == environment {
			out = append(out, d)
		}
	}
	return out
}

// reply is what a trainer puts into a commit; a story changes it.
type reply struct {
	manifest map[string]any
	files    map[string][]byte
	kind, id string
	key      ed25519.PrivateKey
}

func (s *stage) reply(deployment int64, better float64) *reply {
	s.t.Helper()
	r := &reply{files: s.result(better), kind: manifestType, id: "lab", key: trainerKey('a')}
	require.NoError(s.t, json.Unmarshal(r.files["manifest.json"], &r.manifest))
	delete(r.files, "manifest.json")
	sum := func(name string) string { h := sha256.Sum256(r.files[name]); return hex.EncodeToString(h[:]) }
	r.manifest["deployment"] = deployment
	r.manifest["files"] = map[string]string{"baseline": sum("baseline.json"), "candidate": sum("candidate.json")}
	return r
}

// commit signs the reply and pushes it to a branch of its own.
func (s *stage) commit(r *reply) string {
	s.t.Helper()
	payload, err := json.Marshal(r.manifest)
	require.NoError(s.t, err)
	in := map[string]fakegithub.File{"pilot-result/manifest.dsse.json": {Data: envelope(s.t, payload, r.kind, r.id, r.key)}}
	for name, b := range r.files {
		in["pilot-result/"+name] = fakegithub.File{Data: b}
	}
	s.commits++
	return s.Repo.MustCommit(fmt.Sprintf("lab/results-%d", s.commits), max, fakegithub.CommitSpec{Message: "Results", Files: in, Author: max})
}

// status reports on a deployment and waits.
func (s *stage) status(deployment int64, state, description string) {
	s.t.Helper()
	s.Repo.SetDeploymentStatus(max, deployment, state, description, "http://169.254.169.254/latest/meta-data")
	s.settle()
}

// A trainer outside Actions is asked once by a deployment, and answers with
// results whose manifest a listed key signed.
func TestTrainersOutsideActions(t *testing.T) {
	t.Parallel()
	outside(t, "are asked once, and their signed results are evaluated", func(t *testing.T, s *stage) {
		s.signedOff()
		require.Len(t, s.orders(), 1)
		order := s.orders()[0]
		asked, err := json.Marshal(order.Payload)
		require.NoError(t, err)
		assert.Contains(t, string(asked), `"pilot":"`+sample.Pilot+`"`)
		assert.Contains(t, string(asked), s.recordsOf("signoff")[0], "where every parameter stands")
		assert.NotEmpty(t, s.file(order.Head, s.recordsOf("signoff")[0]), "at the deployment's commit")
		require.Len(t, s.launchRecords(), 1)
		assert.Contains(t, s.told(), "asks the trainer")
		s.writesNothingMore()
		assert.Len(t, s.orders(), 1)

		s.status(order.ID, "in_progress", "")
		assert.Contains(t, s.told(), "asks the trainer")
		s.status(order.ID, "success", "results "+s.commit(s.reply(order.ID, 0.02)))
		require.Len(t, s.recordsOf("evaluation"), 1)
		assert.Contains(t, s.told(), "were accepted and evaluated")
		report := s.file(s.one("report/").View().Head, reportFile)
		assert.Contains(t, report, "Recommendation: Go.")
		assert.Contains(t, report, "| Trainer's key | `lab` |")
		assert.NotContains(t, report, "Self-reported")
		assert.Empty(t, s.openIssues(), "the ledger verifies")
		for _, host := range s.wire.reached() {
			assert.NotContains(t, host, "169.254", "an answer's URL is never followed")
		}
		s.writesNothingMore()
	})
	outside(t, "answer while no event comes", func(t *testing.T, s *stage) {
		s.signedOff()
		order := s.orders()[0].ID
		commit := s.commit(s.reply(order, 0.02))
		s.GitHub.Hold()
		s.Repo.SetDeploymentStatus(max, order, "success", "results "+commit, "")
		s.GitHub.Release(func([]fakegithub.Delivery) []int { return nil })
		s.sweep()
		assert.Len(t, s.recordsOf("evaluation"), 1)
	})
	for _, refused := range []struct {
		name, words string
		change      func(*testing.T, *reply)
	}{
		{"a key that nobody listed", "which the policy does not list", func(_ *testing.T, r *reply) { r.id, r.key = "mine", trainerKey('m') }},
		{"a foreign key under a listed name", "does not verify", func(_ *testing.T, r *reply) { r.key = trainerKey('m') }},
		{"a key that has expired", "was not valid", func(_ *testing.T, r *reply) { r.id, r.key = "old", trainerKey('o') }},
		{"an expired key that dates its work back", "was not valid", func(_ *testing.T, r *reply) {
			r.id, r.key = "old", trainerKey('o')
			r.manifest["ended_at"] = time.Now().UTC().AddDate(0, 0, -60).Format(time.RFC3339)
		}},
		{"what was signed for another purpose", "is not what a trainer signs", func(_ *testing.T, r *reply) { r.kind = "application/vnd.in-toto+json" }},
		{"an answer to another deployment, replayed", "was signed for deployment 1 or", func(_ *testing.T, r *reply) { r.manifest["deployment"] = 1 }},
		{"another sign-off", "or for another sign-off", func(_ *testing.T, r *reply) { r.manifest["signoff"] = "sha256:" + strings.Repeat("0", 64) }},
		{"another dataset", "dataset measured before training", func(_ *testing.T, r *reply) {
			r.manifest["dataset"] = map[string]string{"sha256": strings.Repeat("0", 64)}
		}},
		{"a figure changed after it was signed", "is not the file that the manifest was signed for", func(t *testing.T, r *reply) {
			swap(t, "candidate.json", `"value":1.000,`, `"value":0.999,`)(r.files)
		}},
		{"a result that was left out", "is not the file that the manifest was signed for", func(_ *testing.T, r *reply) { delete(r.files, "baseline.json") }},
		{"a key in the manifest that nobody knows", "is not what a trainer signs", func(_ *testing.T, r *reply) { r.manifest["approved"] = true }},
	} {
		outside(t, "are refused with "+refused.name+", and may answer once more", func(t *testing.T, s *stage) {
			s.signedOff()
			order := s.orders()[0].ID
			bad := s.reply(order, 0.3)
			refused.change(t, bad)
			s.status(order, "success", "results "+s.commit(bad))
			assert.Contains(t, s.told(), refused.words)
			assert.Empty(t, s.recordsOf("evaluation"))
			s.status(order, "success", "results "+s.commit(s.reply(order, 0.02)))
			assert.Len(t, s.recordsOf("evaluation"), 1)
			s.writesNothingMore()
		})
	}
	outside(t, "are not believed without a signature", func(t *testing.T, s *stage) {
		s.signedOff()
		order := s.orders()[0].ID
		s.status(order, "success", "trained, all is well")
		assert.Contains(t, s.told(), "there is nothing to read")
		s.status(order, "success", "results "+strings.Repeat("0", 40))
		assert.Contains(t, s.told(), "has no `pilot-result/manifest.dsse.json`")
		s.status(order, "error", "the machine broke")
		assert.Empty(t, s.recordsOf("evaluation"))
		assert.Empty(t, s.recordsOf("failure"), "anybody who may write can say so")
		assert.Len(t, s.orders(), 1)
	})
	outside(t, "may be asked again after a signed failure of the machines", func(t *testing.T, s *stage) {
		s.signedOff()
		order := s.orders()[0].ID
		r := s.reply(order, 0.02)
		r.manifest["infrastructure_error"] = "the disk of the node was lost"
		r.files = nil
		s.status(order, "error", "results "+s.commit(r))
		require.Len(t, s.recordsOf("failure"), 1)
		require.Len(t, s.orders(), 2)
		assert.Len(t, s.launchRecords(), 2)
		s.status(order, "success", "results "+s.commit(s.reply(order, 0.3)))
		assert.Empty(t, s.recordsOf("evaluation"), "the first deployment is over")
		second := s.orders()[1].ID
		s.status(second, "success", "results "+s.commit(s.reply(second, 0.02)))
		assert.Len(t, s.recordsOf("evaluation"), 1)
		s.writesNothingMore()
	})
	outside(t, "say that the training failed", func(t *testing.T, s *stage) {
		s.signedOff()
		order := s.orders()[0].ID
		s.status(order, "failure", "")
		assert.Contains(t, s.told(), "without a signed manifest")
		s.status(order, "failure", "results "+s.commit(s.reply(order, 0.02)))
		assert.Contains(t, s.told(), "The trainer says that the training failed")
		assert.Empty(t, s.recordsOf("failure"))
		assert.Len(t, s.orders(), 1)
	})
	outside(t, "are missed after six days", func(t *testing.T, s *stage) {
		s.signedOff()
		s.pass(6*24*time.Hour + time.Hour)
		s.sweep()
		assert.Contains(t, s.told(), "has not answered")
		assert.Contains(t, s.told(), "/pilot renew")
	})
	outside(t, "are not asked by somebody else's deployment", func(t *testing.T, s *stage) {
		s.approved()
		before := s.Repo.Deployments()
		assert.Empty(t, before)
		s.merge(s.pr)
		require.Len(t, s.orders(), 1)
		assert.Len(t, s.launchRecords(), 1)
	})
	on(t, "are not asked where a workflow trains", func(t *testing.T, s *stage) {
		s.signedOff()
		assert.Empty(t, s.orders())
	}, setting{policy: func(text string) string {
		return text + "trainers: [" + listed("lab", trainerKey('a'), time.Now().AddDate(0, 0, -1), time.Time{}) + "]\n"
	}})
}
