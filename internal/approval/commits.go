package approval

import (
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Needs are the trees without which it cannot be told whether a commit
// touches governed files. Asked only of commits where the answer matters:
// those by somebody who reviewed or by nobody.
func Needs(in Input) []facts.Need {
	var out []facts.Need
	p := in.Pull
	reviewed := func(who facts.Person) bool {
		if who.Account == nil {
			return true
		}
		for _, r := range p.Reviews {
			if samePerson(r.Author, *who.Account) {
				return true
			}
		}
		for _, cmd := range Commands(p.Comments) {
			if samePerson(cmd.By, *who.Account) {
				return true
			}
		}
		return false
	}
	for _, commit := range p.Commits {
		matters := reviewed(commit.Author) || reviewed(commit.Committer)
		for _, who := range commit.CoAuthors {
			matters = matters || reviewed(who)
		}
		if !matters || onlyTheAuthor(p, commit) {
			continue
		}
		for _, oid := range append([]string{commit.OID}, commit.Parents...) {
			if n := (facts.Need{Kind: facts.NeedTree, Commit: oid}); !p.Answered(n) {
				out = append(out, n)
			}
		}
	}
	return append(append(out, holderNeeds(in)...), orderNeeds(p)...)
}

// onlyTheAuthor: everybody named on the commit is the request's author, whose
// approval never counts anyway.
func onlyTheAuthor(p *facts.PullRequest, c facts.Commit) bool {
	for _, who := range append([]facts.Person{c.Author, c.Committer}, c.CoAuthors...) {
		if who.Account == nil || !samePerson(*who.Account, p.Author) {
			return false
		}
	}
	return true
}

// touches tells whether a commit changes governed files. A merge that GitHub
// signed ("Update branch") does not, if it leaves them as one parent has them.
// Where a tree is not known or was cut, the answer is yes.
func (c *court) touches(commit facts.Commit) bool {
	trees := c.in.Pull.Git.Trees
	after, ok := trees[commit.OID]
	if !ok || after.Truncated || after.Absent {
		return true
	}
	if len(commit.Parents) == 0 {
		return c.anyGoverned(facts.Changes(facts.Tree{}, after))
	}
	differs := 0
	for _, parent := range commit.Parents {
		before, ok := trees[parent]
		if !ok || before.Truncated || before.Absent {
			return true
		}
		if c.anyGoverned(facts.Changes(before, after)) {
			differs++
		}
	}
	if commit.SignedByGitHub {
		return differs == len(commit.Parents)
	}
	return differs > 0
}

func (c *court) anyGoverned(changes []facts.Change) bool {
	for _, ch := range changes {
		if c.in.Governed == nil || c.in.Governed(ch.Path) {
			return true
		}
	}
	return false
}

// unattributed are commits to governed files on which GitHub knows not every
// hand: nobody could tell whether an approver is among them.
func (c *court) unattributed() []facts.Commit {
	if c.in.Pull.Local {
		return nil
	}
	var out []facts.Commit
	for _, commit := range c.touching {
		nobody := commit.Author.Account == nil || commit.Committer.Account == nil
		for _, who := range commit.CoAuthors {
			nobody = nobody || who.Account == nil
		}
		if nobody {
			out = append(out, commit)
		}
	}
	return out
}
