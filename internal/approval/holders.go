package approval

import (
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// Holders are who holds a role for these documents, as the role file names them:
// logins and "org/team".
func Holders(roles policy.Roles, role string, paths []string) []string {
	var out []string
	for _, o := range roles.Common(role, paths) {
		out = append(out, name(o))
	}
	return out
}

func name(o policy.Owner) string { return strings.TrimPrefix(o.String(), "@") }

// Unreachable are the findings about the role file's owners: who cannot be asked,
// and which role nobody holds.
func Unreachable(in Input) []finding.Finding {
	return in.Roles.Unreachable(in.Paths, func(o policy.Owner) policy.Reach { return reach(in.Pull, o) })
}

// reach is what GitHub says of an owner. What was not asked is not known in a
// checkout, and else counts as no.
func reach(p *facts.PullRequest, o policy.Owner) policy.Reach {
	switch {
	case p.Local:
		return policy.Unknown
	case o.Team == "":
		if access(p, o.Login).Collaborator {
			return policy.Reaching
		}
		return policy.Outside
	}
	t, known := p.Teams[TeamKey(o)]
	switch {
	case !known || t.Absent:
		return policy.NoTeam
	case t.Outside:
		return policy.Outside
	case len(t.Members) == 0:
		return policy.NoMember
	}
	return policy.Reaching
}

func access(p *facts.PullRequest, login string) facts.Access {
	return p.Access[facts.Need{Kind: facts.NeedAccess, Login: login}.Key()]
}

// holderNeeds are the facts that the reach of the owners depends on.
func holderNeeds(in Input) []facts.Need {
	if in.Pull.Local {
		return nil
	}
	var out []facts.Need
	for _, role := range in.Required {
		for _, o := range in.Roles.Common(role, in.Paths) {
			n := facts.Need{Kind: facts.NeedAccess, Login: o.Login}
			if o.Team != "" {
				n = facts.Need{Kind: facts.NeedTeam, Team: TeamKey(o)}
			}
			if !in.Pull.Answered(n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// canFill lists who can still fill a role: whoever the role file names, less
// the people who had a hand in the request or already fill another role, and
// teams of which nobody else is left.
func (c *court) canFill(role string, out *Result) []string {
	free := func(a facts.Account) bool {
		taken := func(r Role) bool { // in a checkout owners have no numbers
			return r.By != nil && (samePerson(r.By.Author, a) || a.ID == 0 && strings.EqualFold(r.By.Author.Login, a.Login))
		}
		return c.contribution(a).Key == "" && !(c.in.Distinct && slices.ContainsFunc(out.Roles, taken))
	}
	var names []string
	for _, o := range c.in.Roles.Common(role, c.in.Paths) {
		people := c.in.Pull.Teams[TeamKey(o)].Members
		if o.Team == "" {
			people = []facts.Account{{Login: o.Login}}
			if known := access(c.in.Pull, o.Login).Account; known.ID != 0 {
				people[0] = known
			}
		}
		unknown := o.Team != "" && c.in.Pull.Local // a checkout cannot tell who is in a team
		if reach(c.in.Pull, o).Holds() && (unknown || slices.ContainsFunc(people, free)) {
			names = append(names, name(o))
		}
	}
	return names
}
