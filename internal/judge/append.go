package judge

import (
	"bytes"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// ThroughPull tells whether an append to the ledger needs a pull request of ours:
// the policy asks for it, or the App may not push to the default branch, which
// the facts about that branch tell.
func ThroughPull(c *facts.Common, p policy.Policy) bool {
	switch p.Commit.Mode {
	case policy.CommitDirect:
		return false
	case policy.CommitPullRequest:
		return true
	}
	return c.Branches[c.Repository.DefaultBranch].Guarded
}

// ownLinks: the stage summary has changed by the links of the pilots whose
// records the request adds, and by nothing else. No signature vouches for the
// summary, so it is derived again: whoever may write to our branch must not get
// a sentence past the roles in it.
func ownLinks(d *dossier.Dossier) bool {
	l := d.LedgerChange
	if l == nil {
		return false
	}
	report, broken := ledger.Verify(l.After, l.Keys)
	if len(broken) > 0 {
		return false
	}
	paths := d.Policy.Paths
	want := l.SummaryBefore
	for _, e := range report.Entries {
		if _, had := l.Before.Records[e.Path]; had || e.Record.Pilot == "" {
			continue
		}
		linked, problems := ledger.LinkPilot(paths.Summary, want, ledger.PilotLinks{
			Pilot: e.Record.Pilot, Plan: e.Record.PlanPath, Log: paths.Signoff, Report: d.Policy.ReportPath(e.Record.Pilot),
		})
		if len(problems) > 0 {
			return false
		}
		want = linked
	}
	return bytes.Equal(want, l.SummaryAfter)
}

// ownEntries: the registry has changed by the entries that the decisions which
// the request adds bring, and by nothing else.
func ownEntries(d *dossier.Dossier) bool {
	l := d.LedgerChange
	if l == nil {
		return false
	}
	report, broken := ledger.Verify(l.After, l.Keys)
	if len(broken) > 0 {
		return false
	}
	want := l.RegistryBefore
	for _, e := range report.Entries {
		if _, had := l.Before.Records[e.Path]; had {
			continue
		}
		if after := withCandidate(d.Policy.Paths.Registry, want, e.Record); after != nil {
			want = after
		}
	}
	return bytes.Equal(want, l.RegistryAfter)
}
