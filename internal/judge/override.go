package judge

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// overridden tells whether the override of a sign-off is on record.
func overridden(report ledger.Report, signoff ledger.Record) bool {
	for _, e := range report.Entries {
		if e.Record.Kind == ledger.KindOverride && e.Record.Pilot == signoff.Pilot && e.Record.Digest == signoff.Digest {
			return true
		}
	}
	return false
}

// lapsed tells whether the checks had been let pass by an override that was over
// when the request was merged: its green was an old one.
func lapsed(v Verdict) bool {
	over := slices.ContainsFunc(v.People.Orders, func(o approval.Order) bool { return o.Refused.Key == "override_over" })
	return over && slices.ContainsFunc(v.Checks, func(c Check) bool { return c.Conclusion == Failure && !c.Lifted })
}

// overrideRecord is the record of who let failed checks pass, and why. It has
// the sign-off's checks, so that what was let pass is on record with it.
func overrideRecord(signoff ledger.Record, o *approval.Override) ledger.Record {
	r := signoff
	r.Kind, r.Launch = ledger.KindOverride, nil
	r.Approvals, r.Rows = nil, nil
	for _, x := range o.Orders {
		at := second(x.At)
		r.Approvals = append(r.Approvals, ledger.Approval{
			Login: x.By.Login, UserID: x.By.ID, Role: x.Role, CommentID: x.From.ID, SubmittedAt: at,
			Because: map[string]string{"named_digest": x.Digest},
		})
		r.Rows = append(r.Rows, ledger.Row{
			Date: day(at), Stakeholder: x.By.Login, Role: x.Role, Decision: ledger.Override,
			Notes: ledger.Notes{Comment: x.From.ID, Remark: x.Reason},
		})
	}
	r.Reason = o.Orders[0].Reason
	return r
}
