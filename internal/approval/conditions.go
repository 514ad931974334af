package approval

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// condition is one row of what must hold for an approval to count. Six look at
// the review, two at the place it would take; the other function is nil.
type condition struct {
	number int
	holds  func(c *court, r facts.Review, v Review) (Reason, bool)
	// fits is asked of a review that holds otherwise, for a role and those who
	// fill roles already.
	fits func(c *court, r Review, role string, filled []Review) (Reason, bool)
}

var conditions = []condition{
	{1, isLatestApproval, nil},
	{2, isPersonInRole, nil},
	{3, isIndependent, nil},
	{4, sawThisDigest, nil},
	{5, cameAfterEvidence, nil},
	{6, isYoung, nil},
	{7, nil, isSomebodyElse},
	{8, nil, confirmsWarnings},
}

// court is the input with what is derived from it once.
type court struct {
	in       Input
	holders  map[string]map[int64]bool
	logins   map[string]map[string]bool // role → lower-case login, for owners named one by one
	touching []facts.Commit
	commands []Command
}

func newCourt(in Input) *court {
	c := &court{in: in, holders: map[string]map[int64]bool{}, logins: map[string]map[string]bool{}}
	for _, role := range in.Required {
		c.holders[role], c.logins[role] = map[int64]bool{}, map[string]bool{}
		for _, o := range in.Roles.Common(role, in.Paths) {
			switch {
			case !reach(in.Pull, o).Holds():
				continue
			case o.Team == "":
				c.logins[role][strings.ToLower(o.Login)] = true
				continue
			}
			for _, m := range in.Pull.Teams[TeamKey(o)].Members {
				c.holders[role][m.ID] = true
			}
		}
	}
	for _, commit := range in.Pull.Commits {
		if c.touches(commit) {
			c.touching = append(c.touching, commit)
		}
	}
	c.commands = Commands(in.Pull.Comments)
	return c
}

// TeamKey is under which facts keeps a team's people: lower-case "org/slug".
func TeamKey(o policy.Owner) string { return strings.ToLower(o.Org + "/" + o.Team) }

func (c *court) rolesOf(a facts.Account) []string {
	var out []string
	for _, role := range c.in.Required {
		if a.ID != 0 && (c.holders[role][a.ID] || c.logins[role][strings.ToLower(a.Login)]) {
			out = append(out, role)
		}
	}
	return out
}

func (c *court) weigh(r facts.Review, v Review) (Reason, bool) {
	for _, cond := range conditions {
		if cond.holds == nil {
			continue
		}
		if why, ok := cond.holds(c, r, v); !ok {
			why.Condition = cond.number
			return why, false
		}
	}
	return Reason{}, true
}

// place asks whether a review that holds can fill a role beside those who fill
// others.
func (c *court) place(r Review, role string, filled []Review) (Reason, bool) {
	for _, cond := range conditions {
		if cond.fits == nil {
			continue
		}
		if why, ok := cond.fits(c, r, role, filled); !ok {
			why.Condition = cond.number
			return why, false
		}
	}
	return Reason{}, true
}

// 1. The user's latest APPROVED or CHANGES_REQUESTED review, not dismissed.
func isLatestApproval(c *court, r facts.Review, v Review) (Reason, bool) {
	switch {
	case r.State == "DISMISSED":
		// A stale approval is dismissed for what made it stale, and goes on
		// saying so: the text must not change because we acted on it.
		for _, stale := range []func(*court, facts.Review, Review) (Reason, bool){sawThisDigest, isYoung} {
			if reason, ok := stale(c, r, v); !ok && v.Digest != "" {
				return reason, false
			}
		}
		return Reason{Key: "dismissed"}, false
	case r.State == "CHANGES_REQUESTED":
		return Reason{Key: "changes_requested"}, false
	case r.State != "APPROVED":
		return Reason{Key: "not_an_approval", Args: map[string]string{"state": r.State}}, false
	case !c.latest(r):
		return Reason{Key: "superseded"}, false
	case c.takenBack(r):
		return Reason{Key: "later_dismissed"}, false
	}
	return Reason{}, true
}

// takenBack tells whether the same person gave a later verdict that was
// dismissed. Whoever dismissed it cannot bring back what was said before it.
func (c *court) takenBack(r facts.Review) bool {
	return slices.ContainsFunc(c.in.Pull.Reviews, func(o facts.Review) bool {
		return o.State == "DISMISSED" && samePerson(o.Author, r.Author) && later(o, r)
	})
}

// later orders reviews as they were submitted.
func later(o, r facts.Review) bool {
	return o.SubmittedAt.After(r.SubmittedAt) || o.SubmittedAt.Equal(r.SubmittedAt) && o.ID > r.ID
}

// latest tells whether no later verdict of the same person exists.
func (c *court) latest(r facts.Review) bool {
	for _, o := range c.in.Pull.Reviews {
		verdict := o.State == "APPROVED" || o.State == "CHANGES_REQUESTED"
		if verdict && samePerson(o.Author, r.Author) && later(o, r) {
			return false
		}
	}
	return true
}

// 2. A person who holds the role now.
func isPersonInRole(_ *court, r facts.Review, v Review) (Reason, bool) {
	if r.Author.ID == 0 {
		return Reason{Key: "ghost"}, false
	}
	if r.Author.Type != "User" {
		return Reason{Key: "not_a_person"}, false
	}
	if len(v.Roles) == 0 {
		return Reason{Key: "no_role"}, false
	}
	return Reason{}, true
}

// 3. Not somebody whose own work is approved.
func isIndependent(c *court, r facts.Review, _ Review) (Reason, bool) {
	why := c.contribution(r.Author)
	return why, why.Key == ""
}

// contribution says how this person had a hand in what is approved.
func (c *court) contribution(a facts.Account) Reason {
	p := c.in.Pull
	switch {
	case strings.EqualFold(a.Login, c.in.Initiator):
		return Reason{Key: "initiator"}
	case samePerson(a, p.Author):
		return Reason{Key: "author"}
	}
	for _, commit := range c.touching {
		for _, role := range []struct {
			key  string
			who  []facts.Person
			sugg bool
		}{
			{"commit_author", []facts.Person{commit.Author}, false},
			{"committer", []facts.Person{commit.Committer}, false},
			{"co_author", commit.CoAuthors, true},
		} {
			for _, who := range role.who {
				if who.Account == nil || !samePerson(*who.Account, a) {
					continue
				}
				if role.sugg && c.isSuggestion(commit) {
					continue
				}
				return Reason{Key: role.key, Args: map[string]string{"commit": commit.OID}}
			}
		}
	}
	pushers, known := c.pushers()
	switch {
	case !known:
		return Reason{Key: "pushers_unknown", Args: map[string]string{"branch": p.Head.Ref}}
	case slices.ContainsFunc(pushers, func(x facts.Push) bool { return samePerson(x.By, a) && !c.updatedBranch(x) }):
		return Reason{Key: "pusher", Args: map[string]string{"branch": p.Head.Ref}}
	}
	return Reason{}
}

// pushers are the pushes of the head's branch. They are not known where GitHub
// does not tell, and where the fork is gone and with it whoever knew. A checkout
// has none, nor has the default branch, by which commands are weighed.
func (c *court) pushers() (pushes []facts.Push, known bool) {
	p := c.in.Pull
	n, ok := p.PushersNeed()
	if !ok {
		return nil, !p.Head.Fork
	}
	got, answered := p.Pushers[n.Key()]
	return got.Pushes, answered && !got.Unknown
}

// updatedBranch: a push by GitHub's "Update branch" button. It adds one merge to
// the branch, which GitHub signed and which leaves governed files as one parent
// has them; a merge by hand is signed by nobody or by its maker.
func (c *court) updatedBranch(x facts.Push) bool {
	i := slices.IndexFunc(c.in.Pull.Commits, func(commit facts.Commit) bool { return commit.OID == x.After })
	if i < 0 {
		return false // not there any more, or never listed
	}
	commit := c.in.Pull.Commits[i]
	return commit.SignedByGitHub && len(commit.Parents) == 2 && commit.Parents[0] == x.Before && !c.touches(commit)
}

// isSuggestion: GitHub signed the commit and the request's author made it, so
// a co-author only proposed words that the author accepted.
func (c *court) isSuggestion(commit facts.Commit) bool {
	return commit.SignedByGitHub && commit.Author.Account != nil && samePerson(*commit.Author.Account, c.in.Pull.Author)
}

// 4. The digest that was approved is the digest at head.
func sawThisDigest(c *court, _ facts.Review, v Review) (Reason, bool) {
	switch {
	case v.Digest == "":
		return Reason{Key: "no_digest"}, false
	case v.Digest != c.in.Digest:
		return Reason{Key: "other_digest", Args: map[string]string{"digest": short(v.Digest)}}, false
	}
	return Reason{}, true
}

// digestSeen is the digest of our latest run older than the review at the
// commit that the review names, and the head which that run is of. Where a
// force-push that left the patch as it was made GitHub bind the review to
// another commit than the reviewer saw, it is the latest older run of this
// request. Time has whole seconds at GitHub, so a run of the same second is not
// older.
func (c *court) digestSeen(r facts.Review) (digest, head string) {
	at := r.Commit
	if c.rebound(r) {
		at = ""
	}
	var best facts.CheckRun
	for _, run := range c.in.Pull.Runs {
		id, ok := ParseExternalID(run.ExternalID)
		if run.Name != CheckName || !ok || id.Digest == "" || id.Number != c.in.Pull.Number || !run.StartedAt.Before(r.SubmittedAt) {
			continue
		}
		if at != "" && run.Head != at {
			continue
		}
		if run.StartedAt.After(best.StartedAt) || run.StartedAt.Equal(best.StartedAt) && run.ID > best.ID {
			best = run
		}
	}
	id, _ := ParseExternalID(best.ExternalID)
	return id.Digest, best.Head
}

// rebound tells whether the commit that the review names became the head only
// after the review, by a force-push. A review of a head that was left before we
// judged it is not rebound: its author saw something else than what our older
// runs speak of.
func (c *court) rebound(r facts.Review) bool {
	for _, e := range c.in.Pull.Timeline { // oldest first; only force-pushes name commits
		if e.Before == r.Commit {
			return false
		}
		if e.After == r.Commit && e.At.After(r.SubmittedAt) {
			return true
		}
	}
	return false
}

// 5. Where the policy asks for it, the evidence was complete before.
func cameAfterEvidence(c *court, r facts.Review, _ Review) (Reason, bool) {
	if !c.in.AfterEvidence {
		return Reason{}, true
	}
	if c.in.EvidenceAt.IsZero() || !c.in.EvidenceAt.Before(r.SubmittedAt) {
		return Reason{Key: "before_evidence"}, false
	}
	return Reason{}, true
}

// 6. Younger than the policy's limit.
func isYoung(c *court, r facts.Review, _ Review) (Reason, bool) {
	if c.in.MaxAge <= 0 {
		return Reason{}, true
	}
	if c.in.Pull.Now.Sub(r.SubmittedAt) > c.in.MaxAge {
		return Reason{Key: "expired", Args: map[string]string{"days": strconv.Itoa(int(c.in.MaxAge / (24 * time.Hour)))}}, false
	}
	return Reason{}, true
}

// 7. Somebody who fills no other role, unless the policy lets one person.
func isSomebodyElse(c *court, r Review, _ string, filled []Review) (Reason, bool) {
	if c.in.Distinct && slices.ContainsFunc(filled, func(o Review) bool { return samePerson(o.Author, r.Author) }) {
		return Reason{Key: "role_filled", Args: map[string]string{"role": strings.Join(r.Roles, ", ")}}, false
	}
	return Reason{}, true
}

// 8. For Operations: every warned item is confirmed.
func confirmsWarnings(c *court, r Review, role string, _ []Review) (Reason, bool) {
	if role != Operations {
		return Reason{}, true
	}
	if missing := c.missingConfirmations(r); len(missing) > 0 {
		return Reason{Key: "unconfirmed", Args: map[string]string{"items": strings.Join(missing, ", ")}}, false
	}
	return Reason{}, true
}

func (c *court) missingConfirmations(r Review) []string {
	var out []string
	for _, item := range c.in.Warned {
		if !r.Edited && ticked(r.Body, item) {
			continue
		}
		if slices.ContainsFunc(c.commands, func(cmd Command) bool { return c.confirmsItem(cmd, item) }) {
			continue
		}
		out = append(out, item)
	}
	return out
}

// confirmsItem holds a command to its authority and to the digest. Nothing but a
// confirmation has an item.
func (c *court) confirmsItem(cmd Command, item string) bool {
	if cmd.Item != item || !cmd.Names(c.in.Digest) {
		return false
	}
	_, ok := c.may(cmd, Operations)
	return ok
}

func short(digest string) string { return digest[:min(len(digest), 8)] }
