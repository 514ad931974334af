package approval_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// says is a comment, so many minutes after noon.
func says(by facts.Account, body string, minutes int) facts.Comment {
	return facts.Comment{ID: int64(100 + minutes), Author: by, Body: body, CreatedAt: noon.Add(time.Duration(minutes) * time.Minute)}
}

func TestCommandsAreWeighed(t *testing.T) {
	app := facts.Account{ID: 50, Login: "helper[bot]", Type: "Bot"}
	for _, c := range []struct {
		name   string
		by     facts.Account
		body   string
		change func(*approval.Input)
		role   string
		want   string // "-": no order at all
	}{
		{"recheck by whoever may write", max, "/pilot recheck", nil, "", ""},
		{"recheck by whoever may only read", max, "/pilot recheck", func(in *approval.Input) {
			in.Pull.Access["max"] = facts.Access{Account: max, Collaborator: true}
		}, "", "no_write"},
		{"recheck by whoever took a name over", max, "/pilot recheck", func(in *approval.Input) {
			in.Pull.Access["max"] = facts.Access{Account: facts.Account{ID: 99, Login: "max"}, Write: true}
		}, "", "no_write"},
		{"recheck by somebody who was not looked up", max, "/pilot recheck", func(in *approval.Input) { delete(in.Pull.Access, "max") }, "", "no_write"},
		{"recheck that was answered", max, "/pilot recheck", func(in *approval.Input) {
			delete(in.Pull.Access, "max")
			in.Pull.Comments[0].Acknowledged = true
		}, "", ""},
		{"confirm", oleg, "/pilot confirm release " + digest[:12], nil, approval.Operations, ""},
		{"confirm with too few digits", oleg, "/pilot confirm release " + digest[:11], nil, approval.Operations, "needs_digest"},
		{"confirm of another digest", oleg, "/pilot confirm release " + other[:12], nil, approval.Operations, "old_digest"},
		{"confirm of nothing", oleg, "/pilot confirm everything " + digest, nil, approval.Operations, "unknown_item"},
		{"confirm by another role", irina, "/pilot confirm release " + digest, nil, approval.Operations, "no_role"},
		{"override by the lead", irina, "/pilot override " + digest + " because", nil, "ML Lead", ""},
		{"override by operations", oleg, "/pilot override " + digest + " because", nil, approval.Operations, ""},
		{"override without a reason", irina, "/pilot override " + digest, nil, "ML Lead", "no_reason"},
		{"override by nobody", max, "/pilot override " + digest + " because", nil, "", "no_role"},
		{"override by the initiator", oleg, "/pilot override " + digest + " because", func(in *approval.Input) { in.Initiator = oleg.Login }, "", "initiator"},
		{"override by the initiator, who leads", irina, "/pilot override " + digest + " because", func(in *approval.Input) { in.Initiator = irina.Login }, "", "initiator"},
		{"override on its last moment", oleg, "/pilot override " + digest + " because", func(in *approval.Input) {
			in.Pull.Now = in.Pull.Comments[0].CreatedAt.Add(72 * time.Hour)
		}, approval.Operations, ""},
		{"override that is over", oleg, "/pilot override " + digest + " because", func(in *approval.Input) {
			in.Pull.Now = in.Pull.Comments[0].CreatedAt.Add(72*time.Hour + time.Second)
		}, approval.Operations, "override_over"},
		{"what is no command", oleg, "/pilot launch", nil, "", "unknown_command"},
		{"an edited one", oleg, "/pilot recheck", func(in *approval.Input) { in.Pull.Comments[0].Edited = true }, "", "edited"},
		{"an App's", app, "/pilot recheck", nil, "", "-"},
		{"a rollback, which is the pilot's", oleg, "/pilot rollback it burns", nil, "", "-"},
		{"a renewal, which is the pilot's", oleg, "/pilot renew", nil, "", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Access["max"] = facts.Access{Account: max, Collaborator: true, Write: true}
			in.Pull.Comments = []facts.Comment{says(c.by, c.body, 1)}
			if c.change != nil {
				c.change(&in)
			}
			got := approval.Judge(in).Orders
			if c.want == "-" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Refused.Key)
			assert.Equal(t, c.role, got[0].Role)
		})
	}
}

func TestAnOverrideTakesTwoPeopleOneOfEachRole(t *testing.T) {
	const verb = "/pilot override "
	yes := verb + digest + " because"
	for _, c := range []struct {
		name     string
		comments []facts.Comment
		change   func(*approval.Input)
		want     []string // who, in the roles' order; nil: none
	}{
		{"one of each", []facts.Comment{says(irina, yes, 1), says(oleg, yes, 5)}, nil, []string{"irina-ml", "oleg-ops"}},
		{"the other way round", []facts.Comment{says(oleg, yes, 1), says(irina, yes, 5)}, nil, []string{"irina-ml", "oleg-ops"}},
		{"one alone", []facts.Comment{says(irina, yes, 1)}, nil, nil},
		{"two of one role", []facts.Comment{says(oleg, yes, 1), says(vera, yes, 5)}, nil, nil},
		{"one in both roles, twice", []facts.Comment{says(irina, yes, 1), says(irina, yes, 5)}, func(in *approval.Input) {
			in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{irina}}
		}, nil},
		{"one in both roles, and one who leads", []facts.Comment{says(irina, yes, 1), says(lena, yes, 5)}, func(in *approval.Input) {
			in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{irina}}
		}, []string{"lena-ml", "irina-ml"}},
		{"of another digest", []facts.Comment{says(irina, yes, 1), says(oleg, verb+other+" because", 5)}, nil, nil},
		{"a confirmation instead", []facts.Comment{says(irina, yes, 1), says(oleg, "/pilot confirm release "+digest, 5)}, nil, nil},
		{"where one role is all there is", []facts.Comment{says(irina, yes, 1)}, func(in *approval.Input) { in.Required = in.Required[:1] }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Comments = c.comments
			if c.change != nil {
				c.change(&in)
			}
			got := approval.OverrideOf(in)
			if c.want == nil {
				assert.Nil(t, got)
				return
			}
			require.NotNil(t, got)
			var who []string
			for i, o := range got.Orders {
				who = append(who, o.By.Login)
				assert.Equal(t, in.Required[i], o.Role)
			}
			assert.Equal(t, c.want, who)
			assert.Equal(t, noon.Add(time.Minute).Add(72*time.Hour), got.Until, "after the first of the two")
		})
	}
}

func TestAnOverrideIsLookedAtAgainWhenItEnds(t *testing.T) {
	in := input(t)
	in.Pull.Comments = []facts.Comment{says(irina, "/pilot override "+digest+" because", 1), says(oleg, "/pilot override "+digest+" because", 5)}
	until := noon.Add(time.Minute).Add(72 * time.Hour)
	assert.Equal(t, until, approval.Judge(in).LookAgainAt, "before the approvals expire")
	in.MaxAge = 0
	assert.Equal(t, until, approval.Judge(in).LookAgainAt, "where approvals do not")
	in.MaxAge = 24 * time.Hour
	assert.Equal(t, noon.Add(time.Minute).Add(in.MaxAge), approval.Judge(in).LookAgainAt, "the approvals first")
}

func TestWhatCommandsNeedToKnow(t *testing.T) {
	access, issues := "access max", facts.Need{Kind: facts.NeedIssues}.String()
	override := "/pilot override " + digest + " because"
	for _, c := range []struct {
		name     string
		comments []facts.Comment
		change   func(*approval.Input)
		want     []string
	}{
		{"who asks for a recheck", []facts.Comment{says(max, "/pilot recheck", 1)}, nil, []string{access}},
		{"and is known", []facts.Comment{says(max, "/pilot recheck", 1)}, func(in *approval.Input) { in.Pull.Access["max"] = facts.Access{} }, nil},
		{"and edited it", []facts.Comment{says(max, "/pilot recheck", 1)}, func(in *approval.Input) { in.Pull.Comments[0].Edited = true }, nil},
		{"and was answered", []facts.Comment{says(max, "/pilot recheck", 1)}, func(in *approval.Input) { in.Pull.Comments[0].Acknowledged = true }, nil},
		{"and is no person", []facts.Comment{says(facts.Account{ID: 5, Login: "max", Type: "Bot"}, "/pilot recheck", 1)}, nil, nil},
		{"who asks for something else", []facts.Comment{says(max, "/pilot launch", 1)}, nil, nil},
		{"the incident of an override by two", []facts.Comment{says(irina, override, 1), says(oleg, override, 2)}, nil, []string{issues}},
		{"which is known", []facts.Comment{says(irina, override, 1), says(oleg, override, 2)}, func(in *approval.Input) { in.Pull.IssuesRead = true }, nil},
		{"not of one by one person, twice", []facts.Comment{says(irina, override, 1), says(irina, override, 2)}, nil, nil},
		{"nor of one and something else", []facts.Comment{says(irina, override, 1), says(oleg, "/pilot confirm release "+digest, 2)}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Comments = c.comments
			if c.change != nil {
				c.change(&in)
			}
			var got []string
			for _, n := range slices.DeleteFunc(approval.Needs(in), func(n facts.Need) bool { return n.Kind == facts.NeedTree }) {
				got = append(got, n.String())
			}
			assert.Equal(t, c.want, got)
		})
	}
}
