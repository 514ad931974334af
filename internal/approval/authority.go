package approval

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// MayCommand tells whether somebody may give a command that is for one role:
// in a comment that nobody edited, as a person who holds the role now (2), had
// no hand in what is approved (3), and gave it recently enough (6). Which digest
// the command has to name is its own matter.
func MayCommand(in Input, cmd Command, role string) (Reason, bool) {
	return newCourt(in).may(cmd, role)
}

func (c *court) may(cmd Command, role string) (Reason, bool) {
	if cmd.Edited {
		return Reason{Key: "edited"}, false
	}
	as := facts.Review{Author: cmd.By, SubmittedAt: cmd.At}
	by := Review{Review: as, Roles: slices.DeleteFunc(c.rolesOf(cmd.By), func(r string) bool { return r != role })}
	for _, cond := range []condition{{number: 2, holds: isPersonInRole}, {number: 3, holds: isIndependent}, {number: 6, holds: isYoung}} {
		if why, ok := cond.holds(c, as, by); !ok {
			why.Condition = cond.number
			return why, false
		}
	}
	return Reason{}, true
}
