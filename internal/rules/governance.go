package rules

import (
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// ledgerAppend: a pull request that touches log or evidence only appends what
// we signed, and what it appends follows from what was there.
func ledgerAppend(b *Bench) {
	l := b.LedgerChange
	if l == nil {
		return
	}
	for _, f := range ledger.IsOurAppend(l.Before, l.After, l.Keys) {
		b.find(f)
	}
	if report, broken := ledger.Verify(l.After, l.Keys); len(broken) == 0 {
		b.Verified("ledger", "records", count(len(report.Entries)))
	}
}

// policyReads: the proposed policy and roles can be read, and in words what
// they change. They are judged by the base branch's, never by themselves.
func policyReads(b *Bench) {
	if p := b.PolicyAfter; p != nil {
		for _, f := range p.Findings {
			b.find(f)
		}
		if p.Deleted && b.PolicyFound {
			b.Verified("policy_deleted")
		}
		changes := policy.Difference(b.Policy, p.Value)
		if finding.Count(p.Findings, finding.Error) > 0 {
			changes = nil // what cannot be read changes nothing yet
		}
		for _, c := range changes {
			if s := said(b.Policy, p.Value, c); s.Key != "" {
				b.check.Verified = append(b.check.Verified, s)
			}
		}
	}
	if r := b.RolesAfter; r != nil {
		for _, f := range r.Findings {
			b.find(f)
		}
		if r.Deleted {
			b.find(finding.Finding{Rule: "PO024", Case: "roles_deleted", At: finding.Position{Path: policy.RolesPath}, Args: map[string]string{"path": policy.RolesPath}})
			return
		}
		if !b.RolesFound {
			for _, role := range r.Value.Required() {
				var owners []string
				for _, o := range r.Value.Owners(role, examplePlan(b.Policy)) {
					owners = append(owners, o.String())
				}
				if len(owners) == 0 {
					b.find(finding.Finding{Rule: "PO024", Case: "role_empty", At: top(policy.RolesPath), Args: map[string]string{"role": role}})
					continue
				}
				b.Verified("roles_preview", "role", role, "owners", strings.Join(owners, ", "))
			}
			return
		}
		for _, c := range b.Roles.Difference(r.Value) {
			b.check.Verified = append(b.check.Verified, rolesSaid(b.Roles, r.Value, c)...)
		}
	}
}

// examplePlan is a path that the first plan pattern matches, for a preview of
// who would own a plan.
func examplePlan(p policy.Policy) string {
	if len(p.Paths.Plans) == 0 {
		return ""
	}
	return strings.ReplaceAll(p.Paths.Plans[0], "*", "_example")
}

func orNothing(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// models: registry and pointer can be read, nothing is lost or overwritten, and
// the pointer moves only with the decision and release that it needs.
func models(b *Bench) {
	m := b.ModelChange
	if m == nil {
		return
	}
	for _, fs := range [][]finding.Finding{
		m.RegistryAfter.Problems, m.PointerAfter.Problems,
		registry.CheckRegistry(m.RegistryBefore, m.RegistryAfter, m.Evidence),
		registry.CheckPointer(m.PointerAfter, m.RegistryAfter),
		registry.CheckMoves(m.PointerBefore, m.PointerAfter, m.RegistryAfter, m.Evidence),
	} {
		for _, f := range fs {
			b.find(f)
		}
	}
	b.Verified("models", "n", count(len(m.RegistryAfter.Entries)), "scenarios", count(len(m.PointerAfter.Targets)))
}
