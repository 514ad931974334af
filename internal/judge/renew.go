package judge

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Renewal is a pull request that asks for a new sign-off of the same plan.
type Renewal struct {
	By       string // login
	Revision int
	Plan     []byte // with the next revision
	// Reasons are what stands against the old sign-off, as the gate would say it;
	// none: somebody wants another training.
	Reasons []Reason
}

// openRenewal answers `/pilot renew`: written after the merge, unedited, by the
// initiator or somebody in a role. It need not name the digest; if it names one,
// it is the sign-off's.
func (v *PilotVerdict) openRenewal(s *facts.Pilot) []facts.Need {
	if s.Plan == nil || s.Plan.Merge == nil || s.PlanPath == "" || v.Launch.Withdrawn {
		return nil
	}
	if v.State != SignedOff && v.State != Bypassed && v.State != Stale {
		return nil
	}
	asked := slices.DeleteFunc(approval.Commands(s.Plan.Comments), func(c approval.Command) bool {
		return c.Verb != "renew" || c.By.Type != "User" || !c.At.After(s.Plan.Merge.At)
	})
	if len(asked) == 0 {
		return nil
	}
	d, needs := dossier.OpenPlan(nowView(s), s.PlanPath)
	if len(needs) > 0 {
		return needs
	}
	g := gate{s: s, v: v, l: &v.Launch, now: &d}
	if !d.Request.Source.Readable() {
		return nil
	}
	var first *approval.Command
	for i, c := range asked {
		o := approval.Order{Command: c, Refused: g.mayRenew(c)}
		v.Launch.Orders = append(v.Launch.Orders, o)
		if first == nil && o.Refused.Key == "" {
			first = &asked[i]
		}
	}
	if first == nil {
		return nil
	}
	r := Renewal{By: first.By.Login}
	r.Plan, r.Revision = plan.Raise(d.Request.Plan, d.Request.Source.Blob.Bytes, d.Request.Initiator)
	if v.State == SignedOff {
		g.checks = rules.RunRequest(&d)
		r.Reasons = g.against()
	}
	v.Launch.Renewal = &r
	return nil
}

// mayRenew is why a command does not count; zero where it does.
func (g *gate) mayRenew(c approval.Command) approval.Reason {
	switch {
	case c.Edited:
		return approval.Reason{Key: "edited"}
	case g.l.Ended != "":
		return approval.Reason{Key: "renew_ended", Args: map[string]string{"decision": string(g.l.Ended)}}
	case !g.initiator(c.By) && len(approval.RolesOf(g.input(), c.By)) == 0:
		return approval.Reason{Key: "renew_by"}
	case c.Digest != "" && len(c.Digest) < 12:
		return approval.Reason{Key: "needs_digest"}
	case c.Digest != "" && !c.Names(g.v.Digest):
		return approval.Reason{Key: "old_digest"}
	}
	return approval.Reason{}
}

// against is all that stands against the sign-off now.
func (g *gate) against() []Reason {
	var out []Reason
	for _, key := range []string{"renewal", "role_lost", "approval_expired", "checks_fail"} {
		i := slices.IndexFunc(bars, func(b bar) bool { return b.key == key })
		if args, barred := bars[i].bars(g); barred {
			out = append(out, Reason{Key: key, Args: g.args(args)})
		}
	}
	return out
}
