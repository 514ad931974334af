package judge

import (
	"slices"
	"time"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// mayConfirm tells whether the confirming run is looked at, and started where it
// is due: nothing else stands in the request's way but people. A run for a plan
// that will change is machine time for nothing.
func (v Verdict) mayConfirm() bool {
	p := v.Dossier.Pull
	if v.Dossier.Request == nil || !p.Open || p.Local || p.Draft || scanning(v.Checks) {
		return false
	}
	switch v.State {
	case AwaitingApproval, Approved, Checking:
		return true
	}
	return false
}

// ConfirmDue tells whether the confirming run is to be started now.
func (v Verdict) ConfirmDue() bool {
	return v.mayConfirm() && v.Dossier.Request.Confirmation.State == dossier.ConfirmDue
}

// confirmAgain is when time alone says more of the confirming run.
func (v Verdict) confirmAgain() time.Time {
	switch {
	case v.Dossier.Request == nil:
		return time.Time{}
	case v.ConfirmDue(): // the event that tells of the run may be lost
		return v.Dossier.Pull.Now.Add(dispatchTime)
	}
	return v.Dossier.Request.Confirmation.Again
}

// scanning: a dataset is still being read.
func scanning(checks []Check) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Pending != nil })
}

// awaited is what the first check that waits waits for.
func awaited(checks []Check) string {
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Waits != nil })
	return checks[i].Waits.Key
}

// sooner is the earlier of two times; a zero one never comes.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// confirmedBefore is the run that had confirmed the dry run of a merged plan by
// then, for the record; nil if none had.
func confirmedBefore(d *dossier.Dossier, at time.Time) (*ledger.Confirmation, []facts.Need) {
	c := dossier.ConfirmationOf(d)
	if c.State == dossier.ConfirmUnread && c.Needs[0].Kind != facts.NeedClaim { // a claim alone is no run
		return nil, c.Needs
	}
	if !rules.Confirms(d, c) || c.Run.UpdatedAt.After(at) {
		return nil, nil
	}
	return &ledger.Confirmation{
		Run: c.Run.ID, Attempt: c.Run.Attempt, WorkflowPath: c.Workflow, WorkflowBlob: c.Blob, HeadCommit: c.Run.HeadOID, Artifact: c.Measured.SHA256,
	}, nil
}
