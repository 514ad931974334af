package effect

import "strconv"

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
func (d DecideDeployment) Key() string {
	return "decision on run " + strconv.FormatInt(d.Run, 10) + " for " + d.Environment
}
