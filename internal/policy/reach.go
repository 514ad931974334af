package policy

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// Reach is what GitHub says of an owner and this repository.
type Reach int

// The reaches. Of an owner that nobody asked about it is not known: in a
// checkout nobody can be.
const (
	Unknown  Reach = iota
	Reaching       // may be asked for a review
	Outside        // without access to the repository
	NoTeam         // there is no such team, or it is not shown to us
	NoMember       // a team without people
)

// Holds tells whether the owner holds a role: as in GitHub's own CODEOWNERS, who
// has no access to the repository owns nothing in it.
func (r Reach) Holds() bool { return r == Unknown || r == Reaching }

// RuleReach is the rule about owners who cannot be reached.
const RuleReach = "PO025"

// Unreachable lists, for the documents at these paths, the owners who cannot be
// asked, as warnings, and as errors the roles that nobody holds.
func (r Roles) Unreachable(paths []string, of func(Owner) Reach) []finding.Finding {
	p := rolesReader{reading: reading{path: r.Path}}
	for _, s := range r.Sections {
		owners := r.Common(s.Role, paths)
		holds := false
		for _, o := range owners {
			reach := of(o)
			holds = holds || reach.Holds()
			kase := map[Reach]string{Outside: "outside", NoTeam: "no_team", NoMember: "no_member"}[reach]
			if kase == "outside" && o.Team != "" {
				kase = "team_outside"
			}
			if kase != "" {
				p.find(RuleReach, kase, p.at(o.Line, 1, 0), "owner", o.String(), "role", s.Role)
				p.findings[len(p.findings)-1].Severity = finding.Warning
			}
		}
		switch {
		case holds || len(paths) == 0:
		case len(paths) == 1:
			p.find(RuleReach, "nobody", p.at(s.Line, 1, 0), "role", s.Role, "path", clip(paths[0]))
		default:
			p.find(RuleReach, "nobody_for_all", p.at(s.Line, 1, 0), "role", s.Role)
		}
	}
	finding.Sort(p.findings)
	return p.findings
}

// Common are the owners of a role for every one of the paths: where two
// documents have different owners, an approver must own both.
func (r Roles) Common(role string, paths []string) []Owner {
	var out []Owner
	for i, p := range paths {
		owners := r.Owners(role, p)
		if i == 0 {
			out = owners
			continue
		}
		out = slices.DeleteFunc(out, func(o Owner) bool { return !slices.ContainsFunc(owners, o.same) })
	}
	return out
}
