package effect

import (
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// Start is a workflow to be started once: the claim comes before it.
type Start struct {
	Claim
	Dispatch
}

// confirming starts the run that confirms the dry run. Whoever comes second, to
// the same dataset, scenario and workflow, gets a conflict and looks again.
func confirming(p *facts.PullRequest, v judge.Verdict) *Start {
	if !v.ConfirmDue() {
		return nil
	}
	c := v.Dossier.Request.Confirmation
	return &Start{
		Claim{Ref: c.Ref, Parent: p.Base.OID, Message: "{}"},
		Dispatch{Workflow: c.Workflow, Ref: p.Repository.DefaultBranch, Inputs: c.Inputs},
	}
}
