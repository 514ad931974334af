package approval

import (
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// OverrideLasts is how long an override holds after each of its two commands.
const OverrideLasts = 72 * time.Hour

// The items that Operations confirms.
var items = []string{"observability", "release", "rollback"}

// Order is a command about this pull request and what becomes of it.
type Order struct {
	Command
	Role string // that it was given in; "" where anybody who may write gives it
	// Refused says why it does not count; zero when it does.
	Refused Reason
}

// Override is the word of two people, one of each role, that a digest may pass
// with findings that an override lifts.
type Override struct {
	Orders []Order // one a role, in the roles' order
	Until  time.Time
}

// orders weighs the commands about this request. Those about a pilot after its
// merge (rollback, renew) are not its own; a bot's are nobody's.
func (c *court) orders() []Order {
	var out []Order
	for _, cmd := range c.commands {
		if cmd.By.Type != "User" || cmd.Verb == "rollback" || cmd.Verb == "renew" {
			continue
		}
		o := Order{Command: cmd}
		o.Role, o.Refused = c.weighOrder(cmd)
		out = append(out, o)
	}
	return out
}

func (c *court) weighOrder(cmd Command) (role string, refused Reason) {
	if cmd.Edited {
		return "", Reason{Key: "edited"}
	}
	switch cmd.Verb {
	case "recheck":
		return "", c.mayRecheck(cmd)
	case "confirm":
		if !slices.Contains(items, cmd.Item) {
			return Operations, Reason{Key: "unknown_item", Args: map[string]string{"items": strings.Join(items, ", ")}}
		}
		if why, ok := c.may(cmd, Operations); !ok {
			return Operations, why
		}
		return Operations, c.namesDigest(cmd)
	case "override":
		return c.mayOverride(cmd)
	}
	return "", Reason{Key: "unknown_command"}
}

// mayRecheck: anybody with write access. Whoever was answered before is not
// looked up again.
func (c *court) mayRecheck(cmd Command) Reason {
	a, known := c.in.Pull.Access[strings.ToLower(cmd.By.Login)]
	if cmd.From.Acknowledged || known && a.Write && a.Account.ID == cmd.By.ID {
		return Reason{}
	}
	return Reason{Key: "no_write"}
}

func (c *court) mayOverride(cmd Command) (role string, refused Reason) {
	refused = Reason{Key: "no_role"}
	for _, r := range c.in.Required {
		why, ok := c.may(cmd, r)
		if ok {
			role, refused = r, Reason{}
			break
		}
		if why.Key != "no_role" {
			refused = why
		}
	}
	switch {
	case refused.Key != "":
		return role, refused
	case cmd.Reason == "":
		return role, Reason{Key: "no_reason"}
	case c.in.Pull.Now.Sub(cmd.At) > OverrideLasts:
		return role, Reason{Key: "override_over"}
	}
	return role, c.namesDigest(cmd)
}

func (c *court) namesDigest(cmd Command) Reason {
	switch {
	case cmd.Names(c.in.Digest):
		return Reason{}
	case len(cmd.Digest) < 12:
		return Reason{Key: "needs_digest"}
	}
	return Reason{Key: "old_digest", Args: map[string]string{"digest": short(cmd.Digest)}}
}

// override finds two people, one of each role, whose overrides count. It is
// always two, whatever the policy says of approvals.
func (c *court) override(orders []Order) *Override {
	var found []Order
	var try func(role int) bool
	try = func(role int) bool {
		if role == len(c.in.Required) {
			return true
		}
		for _, o := range orders {
			if o.Verb != "override" || o.Refused.Key != "" || slices.ContainsFunc(found, func(x Order) bool { return samePerson(x.By, o.By) }) {
				continue
			}
			if _, ok := c.may(o.Command, c.in.Required[role]); !ok {
				continue
			}
			o.Role = c.in.Required[role]
			found = append(found, o)
			if try(role + 1) {
				return true
			}
			found = found[:len(found)-1]
		}
		return false
	}
	if len(c.in.Required) < 2 || !try(0) {
		return nil
	}
	out := &Override{Orders: found}
	for _, o := range found {
		if end := o.At.Add(OverrideLasts); out.Until.IsZero() || end.Before(out.Until) {
			out.Until = end
		}
	}
	return out
}

// OverrideOf is the override that holds for the digest, if one does.
func OverrideOf(in Input) *Override {
	c := newCourt(in)
	return c.override(c.orders())
}

// orderNeeds are the facts that new commands are weighed by.
func orderNeeds(p *facts.PullRequest) []facts.Need {
	var out []facts.Need
	for _, cmd := range Commands(p.Comments) {
		n := facts.Need{Kind: facts.NeedAccess, Login: cmd.By.Login}
		if cmd.Verb == "recheck" && !cmd.Edited && !cmd.From.Acknowledged && cmd.By.Type == "User" && !p.Answered(n) {
			out = append(out, n)
		}
	}
	if overrides(p) && !p.Answered(facts.Need{Kind: facts.NeedIssues}) {
		out = append(out, facts.Need{Kind: facts.NeedIssues})
	}
	return out
}

// overrides tells whether two people asked for an override.
func overrides(p *facts.PullRequest) bool {
	var by []facts.Account
	for _, cmd := range Commands(p.Comments) {
		if cmd.Verb == "override" && !slices.ContainsFunc(by, func(a facts.Account) bool { return samePerson(a, cmd.By) }) {
			by = append(by, cmd.By)
		}
	}
	return len(by) > 1
}
