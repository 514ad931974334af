package ledger_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

const (
	logPath  = "docs/specs/epic_05/stage_05_03_signoff.md"
	evidence = "docs/specs/epic_05/evidence/{pilot}/"
)

var start = time.Date(2026, 1, 14, 9, 12, 0, 0, time.UTC)

// testKey makes a key pair from a name, so that the tests' bytes never change.
func testKey(t testing.TB, id string) (ledger.Signer, ledger.Key) {
	t.Helper()
	return keyOf(t, id, "the server's")
}

func keyOf(t testing.TB, id, owner string) (ledger.Signer, ledger.Key) {
	t.Helper()
	seed := sha256.Sum256([]byte("made-up test key " + id + ", " + owner))
	private := ed25519.NewKeyFromSeed(seed[:])
	s, err := ledger.NewSigner(id, private)
	require.NoError(t, err)
	return s, ledger.Key{ID: id, Public: private.Public().(ed25519.PublicKey), From: start.AddDate(0, 0, -13)}
}

func hexOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func digestOf(s string) string { return "sha256:" + hexOf(s) }

func commitOf(s string) string { return hexOf(s)[:40] }

// signoff is the n-th sign-off of the tests: two people, two roles, one digest.
func signoff(n int) ledger.Record {
	pilot := fmt.Sprintf("ru-digest-2026-%02d", n)
	at := start.Add(time.Duration(n) * 26 * time.Hour)
	mlReview, opsReview := int64(2200+2*n), int64(2201+2*n)
	head := commitOf("head of " + pilot)
	return ledger.Record{
		Kind: ledger.KindSignoff,
		Subjects: []ledger.Subject{
			{Name: "plan", URI: "docs/specs/epic_05/pilots/" + pilot + ".md", SHA256: hexOf("plan of " + pilot)},
			{Name: "dataset", URI: "data/benchmarks/benchmark_digest_ru_v1/2026-01_samples.jsonl", SHA256: hexOf("dataset")},
			{Name: "config", URI: "configs/pilot.yaml", SHA256: hexOf("config")},
		},
		Predicate: ledger.Predicate{
			Repository:  ledger.Repository{ID: 4711, Name: "acme/digests"},
			Pilot:       pilot,
			PullRequest: 40 + n,
			PlanPath:    "docs/specs/epic_05/pilots/" + pilot + ".md",
			Digest:      digestOf("subject of " + pilot),
			Ingredients: map[string]string{"format": "1", "plan": digestOf("plan of " + pilot), "bands": digestOf("bands")},
			BaseRef:     "refs/heads/main",
			BaseCommit:  commitOf("base"),
			HeadCommit:  head,
			MergeCommit: commitOf("merge of " + pilot),
			Approvals: []ledger.Approval{
				{Login: "irina-ml", UserID: 101, Role: "ML Lead", ReviewID: mlReview, SubmittedAt: at, CommitID: head, Because: map[string]string{"team": "acme/ml-leads"}},
				{Login: "oleg-ops", UserID: 102, Role: "Operations Owner", ReviewID: opsReview, SubmittedAt: at, CommitID: head, Because: map[string]string{"user": "@oleg-ops"}},
			},
			Checks:       []ledger.Check{{Name: "pilot/plan", Conclusion: "success"}, {Name: "pilot/dataset", Conclusion: "success", Rules: map[string]int{"DS021": 2}}},
			PolicyDigest: digestOf("policy"),
			Launch: &ledger.Launch{
				Scenario: "channel_digest_ru", BaselineModel: "qwen-7b@1.2.0", TargetModel: "qwen-7b-ru", PromptVersion: "v3",
				Hyperparameters: map[string]string{"epochs": "3", "batch_size": "16", "learning_rate": "2e-5", "optimiser": "adamw", "max_input_tokens": "4096"},
				Compute:         ledger.Compute{Hardware: "A100-80GB", Count: 2, Hours: "6.5"},
				Seed:            42,
				GitCommit:       commitOf("training code"),
				Dataset:         ledger.Dataset{Location: "data/benchmarks/benchmark_digest_ru_v1/2026-01_samples.jsonl", SHA256: hexOf("dataset"), Bytes: 31204, Records: 40},
				Evaluation:      &ledger.Dataset{Location: "s3://acme-ml-data/eval.jsonl", Version: "v7", SHA256: hexOf("eval")},
				RollbackTarget:  "qwen-7b@1.2.0",
				Release:         "v1.4.0",
			},
			Rows: []ledger.Row{
				{Date: at, Stakeholder: "irina-ml", Role: "ML Lead", Decision: ledger.Approved, Notes: ledger.Notes{Review: mlReview}},
				{Date: at, Stakeholder: "oleg-ops", Role: "Operations Owner", Decision: ledger.Approved, Notes: ledger.Notes{Review: opsReview, Remark: "observability, release and rollback confirmed"}},
			},
			CreatedAt: at.Add(time.Hour),
		},
	}
}

func empty() ledger.Ledger {
	return ledger.Ledger{RepositoryID: 4711, LogPath: logPath, Evidence: evidence}
}

// grown is a ledger with the given records, appended one after the other.
func grown(t testing.TB, s ledger.Signer, keys []ledger.Key, l ledger.Ledger, records ...ledger.Record) ledger.Ledger {
	t.Helper()
	for _, r := range records {
		a, err := ledger.Append(l, r, s, keys)
		require.NoError(t, err)
		l = l.With(a)
	}
	return l
}

// named lists findings as "rule case", the way the tests expect them.
func named(fs []finding.Finding) []string {
	out := []string{}
	for _, f := range fs {
		out = append(out, f.Rule+" "+f.Case)
	}
	return out
}
