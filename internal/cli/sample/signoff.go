package sample

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// signedAt is when the pilot of the story was signed off.
var signedAt = time.Date(2025, 11, 21, 9, 12, 0, 0, time.UTC)

// ServerKey is a key that signs nothing but this story's records: its private
// half is made from a sentence that everybody can read here.
func ServerKey() (ledger.Signer, SigningKey) {
	seed := sha256.Sum256([]byte("the sample's signing key, worthless elsewhere"))
	private := ed25519.NewKeyFromSeed(seed[:])
	signer, err := ledger.NewSigner("2025", private)
	must(err)
	public := private.Public().(ed25519.PublicKey) //nolint:forcetypeassert // what Public of this type always is
	return signer, SigningKey{ID: "2025", Ed25519: base64.StdEncoding.EncodeToString(public), From: "2025-01-01"}
}

// Signoff is what the server adds to the repository when the pilot with this
// id is signed off: rows in the log and the signed record. files hold
// repository and pilot; the story's SigningKey must be ServerKey's for the
// record to verify.
func (s Story) Signoff(files Files, pilot string) (Files, error) {
	signer, key := ServerKey()
	public, err := base64.StdEncoding.DecodeString(key.Ed25519)
	if err != nil {
		return nil, fmt.Errorf("read the sample's key: %w", err)
	}
	const evidence = "docs/specs/epic_05/evidence/{pilot}/"
	hash := func(path string) string {
		sum := sha256.Sum256(files[path])
		return hex.EncodeToString(sum[:])
	}
	head := strings.Repeat("1a2b3c4d", 5)
	approval := func(login, role string, user, review int64) ledger.Approval {
		return ledger.Approval{Login: login, UserID: user, Role: role, ReviewID: review, SubmittedAt: signedAt, CommitID: head}
	}
	row := func(login, role string, review int64) ledger.Row {
		return ledger.Row{Date: signedAt, Stakeholder: login, Role: role, Decision: ledger.Approved, Notes: ledger.Notes{Review: review}}
	}
	record := ledger.Record{
		Kind: ledger.KindSignoff,
		Subjects: []ledger.Subject{
			{Name: "plan", URI: Plan, SHA256: hash(Plan)}, {Name: "dataset", URI: Dataset, SHA256: hash(Dataset)},
		},
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: 7, Name: s.owner() + "/digest-pilots"},
			Pilot:      pilot, PullRequest: 42, PlanPath: Plan, Digest: "sha256:" + hash(Plan), // any digest will do here
			BaseRef: "main", HeadCommit: head, MergeCommit: strings.Repeat("5d6e7f80", 5),
			Approvals: []ledger.Approval{approval(MLLead, "ML Lead", 2, 2211), approval(Operations, "Operations Owner", 3, 2212)},
			Launch: &ledger.Launch{
				Scenario: Scenario, BaselineModel: "qwen-7b@1.0", TargetModel: "qwen-7b-digest-ru", PromptVersion: "digest_v3",
				Hyperparameters: map[string]string{"epochs": "3", "batch_size": "8", "learning_rate": "2e-5", "optimiser": "AdamW", "max_input_tokens": "4096"},
				Compute:         ledger.Compute{Hardware: "A100 80GB", Count: 2, Hours: "6"},
				Seed:            42,
				GitCommit:       head,
				ConfigPath:      "configs/pilot_digest_ru.yaml",
				Dataset:         ledger.Dataset{Location: Dataset, SHA256: hash(Dataset), Bytes: int64(len(files[Dataset]))},
				RollbackTarget:  "qwen-7b@0.9",
				Release:         Release,
			},
			Rows:      []ledger.Row{row(MLLead, "ML Lead", 2211), row(Operations, "Operations Owner", 2212)},
			CreatedAt: signedAt.Add(time.Hour),
		},
	}
	before := ledger.Ledger{RepositoryID: 7, LogPath: Signoff, Log: files[Signoff], Evidence: evidence, Records: map[string][]byte{}}
	for path, b := range files {
		if strings.HasPrefix(path, "docs/specs/epic_05/evidence/") {
			before.Records[path] = b
		}
	}
	added, err := ledger.Append(before, record, signer, []ledger.Key{{ID: key.ID, Public: public, From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		return nil, fmt.Errorf("append the sample's sign-off: %w", err)
	}
	return Files{added.LogPath: added.Log, added.RecordPath: added.Record}, nil
}
