package effect

import (
	"strconv"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Claim makes a ref of ours that says that something is begun, for who comes
// first: a ref that is there already is a conflict, and the loop looks again.
type Claim struct {
	Ref     string // facts.ClaimPrefix, pilot, "/", effect, "-", digest
	Parent  string // a commit of the default branch, whose files the claim's commit has
	Message string // one line of JSON: what is claimed
}

// Dispatch starts a workflow; it follows the claim that lets it happen once.
type Dispatch struct {
	Workflow string // path
	Ref      string // branch
	Inputs   map[string]string
}

// Order asks a trainer outside GitHub Actions to train: a deployment without a
// status. It follows the claim that lets it happen once.
type Order struct {
	Environment string
	Commit      string // of the default branch, with the signed record
	Description string
	Order       facts.TrainingOrder
}

// DecideDeployment answers a run that waits for an environment. Without a State
// it is a comment, and the run waits on.
type DecideDeployment struct {
	Run         int64
	Environment string
	State       string // "approved", "rejected" or ""
	Comment     string
}

// Key implements Effect.
func (c Claim) Key() string { return "claim " + c.Ref }

// Key implements Effect.
func (d Dispatch) Key() string { return "dispatch of " + d.Workflow }

// Key implements Effect.
func (o Order) Key() string { return "order of a training to " + o.Environment }

// Key implements Effect.
func (d DecideDeployment) Key() string {
	return "decision on run " + strconv.FormatInt(d.Run, 10) + " for " + d.Environment
}
