// Package approval says who approved what, and why it counts or does not.
//
// It reads a pull request's reviews, commands and commits against the roles of
// the base branch and the digest at head. It knows nothing of what is approved
// beyond the digest, and it never looks at display names: people are numeric
// ids, teams are the lists that GitHub gave.
package approval

import (
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// Operations is the role that confirms what pilot/operations warns about.
const Operations = "Operations Owner"

// CheckName is the check whose runs publish the digest people approve.
const CheckName = "pilot/approvals"

// Input is what the approvals of one pull request are judged by.
type Input struct {
	Pull     *facts.PullRequest
	Roles    policy.Roles
	Required []string // roles that must be filled, in the order shown
	Paths    []string // the governed documents whose owners approve
	// Governed tells whether a path belongs to what is approved.
	Governed func(path string) bool
	// Initiator is the plan's, as a login; "" is the author's.
	Initiator string
	Digest    string // at head, full hex
	// EvidenceAt is when the other checks were complete for this digest; zero: not yet.
	EvidenceAt    time.Time
	AfterEvidence bool
	MaxAge        time.Duration
	Distinct      bool
	// Warned are the operations items with a warning: observability, release, rollback.
	Warned []string
}

// Result is what was found.
type Result struct {
	Roles   []Role
	Reviews []Review // every review that could have counted, oldest first
	// Blocking are reviews that request changes and come from somebody in a role.
	Blocking []Review
	// Unattributed are commits to governed files that GitHub attributes to nobody.
	Unattributed []facts.Commit
	// PushersUnknown: GitHub does not tell who pushed, so nobody's approval counts.
	PushersUnknown bool
	Unconfirmed    []string // operations items nobody confirmed yet
	SamePerson     bool     // one person fills several roles, as the policy allows
	Orders         []Order  // the commands about this request, oldest first
	Override       *Override
	// LookAgainAt is the earliest expiry of a review that counts; zero: never.
	LookAgainAt time.Time
}

// Complete tells whether every role is filled and nothing stands against it.
func (r Result) Complete() bool {
	if len(r.Roles) == 0 || len(r.Blocking) > 0 || len(r.Unattributed) > 0 {
		return false
	}
	return !slices.ContainsFunc(r.Roles, func(x Role) bool { return x.By == nil })
}

// Role is one role and who fills it.
type Role struct {
	Name string
	By   *Review
	// Can are the logins and "org/team" names that can still fill it, as the role
	// file lists them; people and teams who cannot are left out.
	Can []string
}

// Review is one review and what became of it.
type Review struct {
	facts.Review
	Roles   []string // roles its author holds
	Counts  bool
	Role    string // the role it fills, if it does
	Reason  Reason // why it does not count; zero when it does
	Digest  string // the digest that was approved, as far as known
	SeenAt  string // the head at which its author saw that digest
	Carried bool   // which is another one than now, with the same digest
}

// Reason is a sentence of the catalogue: which condition failed and how.
type Reason struct {
	Condition int
	Key       string
	Args      map[string]string
}

// Judge applies the conditions to every review and matches people to roles.
func Judge(in Input) Result {
	c := newCourt(in)
	var out Result
	for _, r := range in.Pull.Reviews {
		if r.State == "PENDING" || r.State == "COMMENTED" || strings.EqualFold(r.Author.Login, in.Pull.App.Login) {
			continue
		}
		v := Review{Review: r, Roles: c.rolesOf(r.Author)}
		v.Digest, v.SeenAt = c.digestSeen(r)
		v.Carried = v.Digest == in.Digest && v.SeenAt != in.Pull.Head.OID
		v.Reason, v.Counts = c.weigh(r, v)
		if r.State == "CHANGES_REQUESTED" && len(v.Roles) > 0 && c.latest(r) {
			out.Blocking = append(out.Blocking, v)
		}
		out.Reviews = append(out.Reviews, v)
	}
	out.Unattributed = c.unattributed()
	_, known := c.pushers()
	out.PushersUnknown = !known
	out.Orders = c.orders()
	out.Override = c.override(out.Orders)
	c.match(&out)
	if i := slices.IndexFunc(out.Roles, func(r Role) bool { return r.Name == Operations && r.By != nil }); i >= 0 {
		out.Unconfirmed = nil
	} else {
		out.Unconfirmed = slices.Clone(in.Warned)
	}
	for i := range out.Reviews {
		if r := out.Reviews[i]; r.Counts && in.MaxAge > 0 {
			if at := r.SubmittedAt.Add(in.MaxAge); out.LookAgainAt.IsZero() || at.Before(out.LookAgainAt) {
				out.LookAgainAt = at
			}
		}
	}
	if o := out.Override; o != nil && (out.LookAgainAt.IsZero() || o.Until.Before(out.LookAgainAt)) {
		out.LookAgainAt = o.Until
	}
	return out
}

// RolesOf are the roles that an account holds now for the paths of the input.
func RolesOf(in Input, a facts.Account) []string { return newCourt(in).rolesOf(a) }

// match fills the roles with different people (or not, if the policy says so):
// the first assignment in role order, older reviews first, that fills most.
func (c *court) match(out *Result) {
	var best []int
	var try func(role int, chosen []int, filled int)
	bestFilled := -1
	try = func(role int, chosen []int, filled int) {
		if role == len(c.in.Required) {
			if filled > bestFilled {
				bestFilled, best = filled, slices.Clone(chosen)
			}
			return
		}
		for i, r := range out.Reviews {
			if !r.Counts || !slices.Contains(r.Roles, c.in.Required[role]) {
				continue
			}
			var others []Review
			for _, j := range chosen {
				if j >= 0 {
					others = append(others, out.Reviews[j])
				}
			}
			if _, ok := c.place(r, c.in.Required[role], others); !ok {
				continue
			}
			try(role+1, append(chosen, i), filled+1)
		}
		try(role+1, append(chosen, -1), filled)
	}
	try(0, nil, 0)

	used := map[int]bool{}
	for i, name := range c.in.Required {
		role := Role{Name: name}
		if j := best[i]; j >= 0 {
			r := &out.Reviews[j]
			if used[j] {
				out.SamePerson = true
			}
			used[j] = true
			if r.Role == "" {
				r.Role = name
			}
			role.By = r
		}
		out.Roles = append(out.Roles, role)
	}
	for i := range out.Roles {
		if r := &out.Roles[i]; r.By == nil {
			r.Can = c.canFill(r.Name, out)
		}
	}
	for i := range out.Reviews {
		r := &out.Reviews[i]
		if !r.Counts || r.Role != "" {
			continue
		}
		r.Reason, r.Counts = c.spare(*r), false
	}
}

// spare says why a review that holds fills no role after all: it does not fit
// one of its author's roles, or each of them is somebody's.
func (c *court) spare(r Review) Reason {
	for _, role := range r.Roles {
		if why, ok := c.place(r, role, nil); !ok {
			return why
		}
	}
	return Reason{7, "role_filled", map[string]string{"role": strings.Join(r.Roles, ", ")}}
}

func samePerson(a, b facts.Account) bool {
	if a.ID != 0 || b.ID != 0 {
		return a.ID == b.ID
	}
	return strings.EqualFold(a.Login, b.Login)
}
