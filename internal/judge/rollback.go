package judge

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Rollback is a `/pilot rollback` on one of the pilot's pull requests and what
// becomes of it.
type Rollback struct {
	approval.Order
	Number  int      // of the pull request
	Holders []string // of the role that it takes
}

// weighRollbacks weighs the commands since the model went live. They are for the
// Operations Owner, and for nobody who had a hand in the plan.
func (v *PilotVerdict) weighRollbacks(s *facts.Pilot) []facts.Need {
	given := rollbacks(s, v.Release.Since)
	if v.Release.Since.IsZero() || len(given) == 0 {
		return nil
	}
	d, needs := dossier.OpenPlan(nowView(s), s.PlanPath)
	if len(needs) > 0 {
		return needs
	}
	in := approvalInput(&d, v.Digest, nil)
	if needs := approval.Needs(in); len(needs) > 0 {
		return needs
	}
	for i := range given {
		o := &given[i]
		o.Role, o.Holders = approval.Operations, approval.Holders(d.Roles, approval.Operations, d.ApprovalPaths())
		o.Refused, _ = approval.MayCommand(in, o.Command, approval.Operations)
	}
	v.Rollbacks = given
	return nil
}

// refuseRollbacks refuses what nobody has answered where there is nothing to
// roll back: the model is not live, never was or is no more.
func (v *PilotVerdict) refuseRollbacks(s *facts.Pilot) {
	if r := &v.Release; r.Model.Digest != "" && r.Running.Digest == r.Model.Digest {
		return
	}
	v.Rollbacks = rollbacks(s, time.Time{})
	for i := range v.Rollbacks {
		v.Rollbacks[i].Refused = approval.Reason{Key: "not_live"}
	}
}

// rollbacks are the people's commands on the merged requests of the pilot, from a
// moment on.
func rollbacks(s *facts.Pilot, since time.Time) []Rollback {
	if s.Plan == nil || s.Plan.Merge == nil {
		return nil
	}
	pulls := s.Requests()
	var out []Rollback
	for _, number := range slices.Sorted(maps.Keys(pulls)) {
		for _, c := range approval.Commands(pulls[number].Comments) {
			if c.Verb == "rollback" && c.By.Type == "User" && !c.At.Before(since) {
				out = append(out, Rollback{Order: approval.Order{Command: c}, Number: number})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Rollback) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.From.ID, b.From.ID)) })
	return out
}
