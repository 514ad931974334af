package facts

import (
	"slices"
	"strings"
	"time"
)

// Workflow are the runs of one workflow file, the newest first: one page of 100,
// whatever branch and event they came from.
type Workflow struct {
	Runs   []Run `json:"runs,omitempty"`
	Absent bool  `json:"absent,omitempty"` // GitHub knows no such workflow
}

// Run is a workflow run in its latest attempt.
type Run struct {
	ID         int64        `json:"id"`
	Attempt    int          `json:"attempt"`
	Event      string       `json:"event"`                // workflow_dispatch, push, ...
	Path       string       `json:"path"`                 // the workflow file, without a ref
	HeadOID    string       `json:"head_oid"`             //
	HeadBranch string       `json:"head_branch"`          //
	HeadRepo   int64        `json:"head_repo"`            // the repository's id; a fork's is another
	Status     string       `json:"status"`               // queued, waiting, in_progress, completed, ...
	Conclusion string       `json:"conclusion,omitempty"` // set when completed
	Actor      Account      `json:"actor"`                // who started the run
	Trigger    Account      `json:"trigger"`              // who started this attempt
	Title      string       `json:"title"`                // run-name, inputs put in
	CreatedAt  time.Time    `json:"created_at"`
	UpdatedAt  time.Time    `json:"updated_at"`
	URL        string       `json:"url,omitempty"`
	Referenced []Referenced `json:"referenced,omitempty"` // reusable workflows
}

// Referenced is a reusable workflow that a run uses, and the commit it is from.
type Referenced struct {
	Path string `json:"path"` // owner/name/.github/workflows/file.yml@ref
	OID  string `json:"oid"`
}

// Completed tells whether nothing more happens in this attempt.
func (r Run) Completed() bool { return r.Status == "completed" }

// ByApp tells whether our App started the run.
func (r Run) ByApp(app App) bool {
	return strings.EqualFold(r.Actor.Login, app.Login) && r.Actor.Type == "Bot"
}

// Named tells whether a word stands in the run's title.
func (r Run) Named(word string) bool { return slices.Contains(strings.Fields(r.Title), word) }

// Waits tells whether the run waits for an environment.
func (r Run) Waits() bool { return r.Status == "waiting" }

// Waiting are all runs of the repository that wait for an environment,
// whatever their workflow: one page of 100.
type Waiting struct {
	Runs []Run `json:"runs,omitempty"`
}

// Pending are the names of the environments that a run waits for.
type Pending struct {
	Environments []string `json:"environments,omitempty"`
}

// Artifacts are a run's artifacts, of all its attempts.
type Artifacts struct {
	List []ArtifactInfo `json:"list,omitempty"`
}

// ArtifactInfo is what GitHub's listing says of an artifact.
type ArtifactInfo struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Size      int64     `json:"size"`             // bytes of the zip
	Digest    string    `json:"digest,omitempty"` // "sha256:…" of the zip; "" where GitHub gives none
	Expired   bool      `json:"expired,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	HeadOID   string    `json:"head_oid,omitempty"`
	HeadRepo  int64     `json:"head_repo,omitempty"`
}

// Caps of an artifact. What is larger is not read.
const (
	MaxArtifact         = 32 << 20 // bytes of the zip
	MaxArtifactFiles    = 64
	MaxArtifactFile     = 8 << 20  // bytes of one file, unpacked
	MaxArtifactUnpacked = 64 << 20 // bytes of all
)

// Artifact is an artifact's content.
type Artifact struct {
	SHA256   string            `json:"sha256,omitempty"` // hex, ours, of the zip
	Files    map[string][]byte `json:"files,omitempty"`  // by path in the zip
	TooLarge bool              `json:"too_large,omitempty"`
	Broken   bool              `json:"broken,omitempty"` // no zip, or one with paths or modes that are not taken
	Absent   bool              `json:"absent,omitempty"` // expired or deleted
}

// Guard tells whether an environment's deployments wait for our App. What
// GitHub does not tell is taken for guarded: then nothing is started by itself.
type Guard struct {
	Ours bool `json:"ours"`
}

// Claim is a ref of ours that says that something was begun. Creating it is the
// compare-and-set: it can be there only once.
type Claim struct {
	OID     string    `json:"oid,omitempty"`
	Message string    `json:"message,omitempty"` // one line of JSON
	At      time.Time `json:"at,omitzero"`
	Absent  bool      `json:"absent,omitempty"`
}

// ClaimPrefix begins the name of every claim.
const ClaimPrefix = "refs/pilotgate/"
