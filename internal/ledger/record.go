package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/pilotgate/pilotgate/internal/evaluation"
)

// Kind is what a record attests. It is the last part of the predicate type and
// the first of the file name.
type Kind string

// The kinds, each with the decision its rows carry. A launch, its failure for a
// reason that is not the plan's, and an evaluation have no row.
const (
	KindSignoff   Kind = "signoff"
	KindRejected  Kind = "rejected"
	KindWithdrawn Kind = "withdrawn"
	KindGo        Kind = "go"
	KindNoGo      Kind = "no-go"
	KindRollback  Kind = "rollback"
	KindOverride  Kind = "override"
	KindPolicy    Kind = "policy"
	KindLaunch    Kind = "launch"
	KindFailure   Kind = "failure"

	KindEvaluation Kind = "evaluation"
)

var kindOf = map[Decision]Kind{
	Approved:   KindSignoff,
	Rejected:   KindRejected,
	Withdrawn:  KindWithdrawn,
	Go:         KindGo,
	NoGo:       KindNoGo,
	RolledBack: KindRollback,
	Override:   KindOverride,
	Policy:     KindPolicy,
}

func (k Kind) known() bool {
	for _, known := range kindOf {
		if k == known {
			return true
		}
	}
	return k.rowless()
}

// byReview are the kinds that only counted reviews bring about.
func (k Kind) byReview() bool {
	return k == KindSignoff || k == KindRejected || k == KindGo || k == KindNoGo
}

// byMerge are the kinds that a merge brings about, whether or not it was reviewed.
func (k Kind) byMerge() bool { return k == KindPolicy || k == KindWithdrawn }

const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateBase = "https://pilotgate.dev/predicate/"
	maxID         = 1<<53 - 1 // RFC 8785 writes numbers as IEEE doubles
)

// Record is what is signed: the facts that one event rests on. One struct serves
// every kind; the parts that a kind has no use for stay empty and unwritten.
// Times are UTC, to the second.
type Record struct {
	Kind     Kind      // becomes the predicate type
	Subjects []Subject // becomes the Statement's subject
	Predicate
}

// Subject is a file or object the record speaks about, by content.
type Subject struct {
	Name   string // "plan", "data card", "dataset", "evaluation dataset", "config", "prompt", "report", ...
	URI    string // its path in the repository, or the URI of its bytes
	SHA256 string // 64 lower-case hex digits
}

// Predicate is the Statement's predicate, https://pilotgate.dev/predicate/<kind>/v1.
type Predicate struct {
	Repository  Repository `json:"repository"`
	Pilot       string     `json:"pilot,omitempty"` // empty for Policy only
	PullRequest int        `json:"pull_request"`
	PlanPath    string     `json:"plan_path,omitempty"`

	// Digest is the subject digest, "sha256:<hex>": what was approved. With the
	// pilot and the kind it is the key of the event: no two records share it. A
	// launch's digest must differ from attempt to attempt.
	Digest string `json:"digest"`
	// Ingredients are what went into the digest, name to value.
	Ingredients map[string]string `json:"ingredients,omitempty"`

	BaseRef     string `json:"base_ref"`
	BaseCommit  string `json:"base_commit,omitempty"`
	HeadCommit  string `json:"head_commit"`
	MergeCommit string `json:"merge_commit,omitempty"`

	Approvals []Approval `json:"approvals,omitempty"`
	Checks    []Check    `json:"checks,omitempty"`
	// Confirmation is the run that confirmed the recomputed dry run of a sign-off's
	// plan before the merge; nil where none did.
	Confirmation *Confirmation `json:"confirmation,omitempty"`
	PolicyDigest string        `json:"policy_digest,omitempty"`
	Launch       *Launch       `json:"launch,omitempty"` // every parameter of the training run
	Run          *Run          `json:"run,omitempty"`    // of a launch or its failure, and of an evaluation whose results a run made
	Pointer      *Pointer      `json:"pointer,omitempty"`
	// Evaluation is what an evaluation record attests; see package evaluation.
	Evaluation *evaluation.Evaluation `json:"evaluation,omitempty"`
	Reason     string                 `json:"reason,omitempty"` // of an override, a failure, or a decision against the recommendation

	// Rows are the log's rows that this record stands for, in their order.
	Rows []Row `json:"rows,omitempty"`
	// Prev is the payload digest of the record appended before; empty on the first.
	Prev string `json:"prev,omitempty"`
	// CreatedAt chooses the keys that may have signed, and never runs backwards
	// along the chain, so that a retired key cannot speak about today.
	CreatedAt time.Time `json:"created_at"`
}

// Repository is known by its id; the name is what it was called then.
type Repository struct {
	ID   int64  `json:"id"`
	Name string `json:"name"` // owner/name
}

// Approval is a review or command that counted, with the facts it counted by;
// where a merge decided, it is the merge, with its commit.
type Approval struct {
	Login       string    `json:"login"`
	UserID      int64     `json:"user_id"` // 0: a commit that GitHub attributes to nobody took the plan away
	Role        string    `json:"role"`
	ReviewID    int64     `json:"review_id,omitempty"`
	CommentID   int64     `json:"comment_id,omitempty"`
	SubmittedAt time.Time `json:"submitted_at"`
	CommitID    string    `json:"commit_id,omitempty"` // what the review was bound to
	// Because holds the data each condition was met by, name to value:
	// "team" to "acme/ml-leads", "carried_over_from" to a commit id.
	Because map[string]string `json:"because,omitempty"`
}

// Check is the outcome of one check run at the head.
type Check struct {
	Name       string         `json:"name"`
	Conclusion string         `json:"conclusion"`
	Rules      map[string]int `json:"rules,omitempty"` // findings by rule id
}

// Launch is every parameter of the training run. Decimals are text, as the plan
// has them: what was approved is digits, not a binary float.
type Launch struct {
	Scenario        string            `json:"scenario,omitempty"`
	BaselineModel   string            `json:"baseline_model"` // name@version or name@digest
	TargetModel     string            `json:"target_model"`
	PromptVersion   string            `json:"prompt_version"`
	Hyperparameters map[string]string `json:"hyperparameters"`
	Compute         Compute           `json:"compute"`
	Seed            int64             `json:"seed,string"`
	GitCommit       string            `json:"git_commit"`
	ConfigPath      string            `json:"config_path,omitempty"`
	Dataset         Dataset           `json:"dataset"`
	Evaluation      *Dataset          `json:"evaluation,omitempty"`
	RollbackTarget  string            `json:"rollback_target,omitempty"`
	Release         string            `json:"release,omitempty"` // vX.Y.0
}

// Compute is the hardware that was asked for.
type Compute struct {
	Hardware string `json:"hardware,omitempty"`
	Count    int    `json:"count,omitempty"`
	Hours    string `json:"hours,omitempty"` // estimated
}

// Dataset is the bytes to train or evaluate on.
type Dataset struct {
	Location string `json:"location"`          // path in the repository, or URI
	Version  string `json:"version,omitempty"` // the object version a URI is pinned to
	SHA256   string `json:"sha256"`
	Bytes    int64  `json:"bytes,omitempty"`
	Records  int    `json:"records,omitempty"`
}

// Run is the workflow run that a launch let through, or the deployment that asked
// a trainer outside GitHub Actions, which has no workflow.
type Run struct {
	ID           int64  `json:"id"` // of the run, or of the deployment
	Attempt      int    `json:"attempt"`
	Deployment   bool   `json:"deployment,omitempty"`
	WorkflowPath string `json:"workflow_path,omitempty"`
	WorkflowBlob string `json:"workflow_blob,omitempty"`
	HeadCommit   string `json:"head_commit"`
	Signoff      string `json:"signoff"` // payload digest of the sign-off it consumes
}

// Confirmation is a run of the repository's benchmark workflow on the default
// branch, whose result was that of the recomputed dry run.
type Confirmation struct {
	Run          int64  `json:"run"`
	Attempt      int    `json:"attempt"`
	WorkflowPath string `json:"workflow_path"`
	WorkflowBlob string `json:"workflow_blob"`
	HeadCommit   string `json:"head_commit"`
	Artifact     string `json:"artifact"` // sha256 of the zip that was read, hex
}

// Pointer is a change of the deployed model.
type Pointer struct {
	Scenario string `json:"scenario"`
	From     string `json:"from"`
	To       string `json:"to"`
	Release  string `json:"release,omitempty"`
}

// statement is the in-toto Statement v1 as it is signed.
type statement struct {
	Type          string       `json:"_type"`
	Subject       []descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

type descriptor struct {
	Name   string            `json:"name"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

// InvalidError names the first field of a record that is not well formed, by its
// JSON path.
type InvalidError struct{ Field string }

func (e *InvalidError) Error() string { return "record: field " + e.Field + " is not well formed" }

// Payload writes the record as a Statement in canonical JSON (RFC 8785): equal
// facts give equal bytes. A record that is not well formed is an *InvalidError.
func (r Record) Payload() ([]byte, error) {
	if field := r.check(); field != "" {
		return nil, &InvalidError{Field: field}
	}
	s := statement{
		Type:          statementType,
		Subject:       []descriptor{},
		PredicateType: predicateBase + string(r.Kind) + "/v1",
		Predicate:     r.Predicate,
	}
	for _, sub := range r.Subjects {
		s.Subject = append(s.Subject, descriptor{Name: sub.Name, URI: sub.URI, Digest: map[string]string{"sha256": sub.SHA256}})
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write statement: %w", err)
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return nil, fmt.Errorf("canonicalise statement: %w", err)
	}
	return canonical, nil
}

// ParsePayload reads what Payload wrote. It takes no other bytes for the same
// facts: unknown, doubled or differently written fields are refused.
func ParsePayload(payload []byte) (Record, error) {
	var s statement
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Record{}, fmt.Errorf("read statement: %w", err)
	}
	kind, prefix := strings.CutPrefix(s.PredicateType, predicateBase)
	kind, suffix := strings.CutSuffix(kind, "/v1")
	if s.Type != statementType || !prefix || !suffix {
		return Record{}, &InvalidError{Field: "predicateType"}
	}
	r := Record{Kind: Kind(kind), Predicate: s.Predicate}
	for _, sub := range s.Subject {
		r.Subjects = append(r.Subjects, Subject{Name: sub.Name, URI: sub.URI, SHA256: sub.Digest["sha256"]})
	}
	again, err := r.Payload()
	if err != nil {
		return Record{}, err
	}
	if !bytes.Equal(again, payload) {
		return Record{}, &InvalidError{Field: "canonical form"}
	}
	return r, nil
}

// PayloadDigest is the digest that the next record and its rows name as prev.
func PayloadDigest(payload []byte) string {
	sum := sha256.Sum256(payload)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Path is where the record's file lies: the evidence pattern with the pilot put
// in, then <kind>-<hex>.json. The hex is the subject digest's, because that is
// known before anything is signed and makes a second sign-off of the same content
// collide; the payload digest is what chains. Records of the whole repository
// (policy) lie in "_repository", which no pilot can be called.
func (r Record) Path(evidence string) string {
	folder := cmp.Or(r.Pilot, "_repository")
	if strings.Contains(evidence, "{pilot}") {
		evidence = strings.ReplaceAll(evidence, "{pilot}", folder)
	} else {
		evidence = strings.TrimSuffix(evidence, "/") + "/" + folder
	}
	return strings.TrimSuffix(evidence, "/") + "/" + string(r.Kind) + "-" + strings.TrimPrefix(r.Digest, "sha256:") + ".json"
}
