package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	byIrina = iota
	byOleg
	byVera
	byMax
	byDana
	byNina
)

// Stories that are told each time, by what they are about. Those that the search
// found are kept here as it printed them.
var stories = []struct {
	name     string
	steps    []step
	signoffs int
}{
	{"both roles approve, and it is merged", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina, Quiet: true}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "merge", Quiet: true},
	}, 1},
	{"several commits, merged by a rebase", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: 1, N: 1, Quiet: true, Post: 1},
		{Do: "approve", Quiet: true},
		{Do: "approve", Quiet: true},
		{Do: "approve", Who: 1},
		{Do: "approve", Who: 2, Quiet: true},
		{Do: "merge", N: 2, Quiet: true},
	}, 1},
	{"two pilots, one after the other", []step{
		{Do: "open", Quiet: true},
		{Do: "open", PR: 1, N: 1, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg},
		{Do: "approve", PR: 1, Who: byIrina},
		{Do: "approve", PR: 1, Who: byVera, Quiet: true},
		{Do: "merge"},
		{Do: "merge", PR: 1, N: 1, Quiet: true},
	}, 2},
	{"one role approves, and an administrator merges", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina, Quiet: true}, {Do: "bypass", Quiet: true},
	}, 0},
	{"an approver's push, unseen before the merge", []step{
		{Do: "open", Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "push", Who: byOleg, N: 1},
		{Do: "bypass", Quiet: true},
	}, 0},
	{"an approver's push, and her approval after it", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: byIrina, N: 1, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "bypass", Quiet: true},
	}, 0},
	{"one person in both roles", []step{
		{Do: "role", N: 2}, {Do: "open", Quiet: true}, {Do: "approve", Who: byIrina, Quiet: true}, {Do: "bypass", Quiet: true},
	}, 0},
	{"approvals a month old", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "time", N: 2}, {Do: "bypass", Quiet: true},
	}, 0},
	{"approvals of what a rebase brings along unchanged", []step{
		{Do: "open", Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "main", N: 0, Quiet: true},
		{Do: "rebase", Quiet: true},
		{Do: "merge", N: 2, Quiet: true},
	}, 1},
	{"an approval dismissed before anybody looked, merged while the green was old", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "dismiss", N: 1}, {Do: "merge", Quiet: true},
	}, 0},
	{"a request for changes that was dismissed leaves the approval before it standing for nobody", []step{
		{Do: "open", Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "changes", Who: byOleg, Quiet: true},
		{Do: "dismiss", N: 2, Quiet: true},
		{Do: "bypass", Quiet: true},
	}, 0},
	{"a commit of nobody's", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: byDana, N: 8, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "bypass", Quiet: true},
	}, 0},
	{"a suggestion of an approver's that the author took", []step{
		{Do: "open", Quiet: true},
		{Do: "suggestion", Who: byIrina, N: 1, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "merge", Quiet: true},
	}, 1},
	{"an approver who pressed Update branch", []step{
		{Do: "open", Quiet: true},
		{Do: "main", N: 0, Quiet: true},
		{Do: "update", Who: byIrina, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "merge", Quiet: true},
	}, 1},
	{"other bands on main in the moment of the merge", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "main", N: 1}, {Do: "merge", Quiet: true},
	}, 0},
	{"failed checks that both roles let pass", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: byDana, N: 6, Quiet: true},
		{Do: "override", Who: byIrina, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "merge", Quiet: true},
	}, 1},
	{"failed checks that one role lets pass twice", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: byDana, N: 6, Quiet: true},
		{Do: "override", Who: byOleg, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "bypass", Quiet: true},
	}, 0},
	{"failed checks, let pass too long before the merge", []step{
		{Do: "open", Quiet: true},
		{Do: "push", Who: byDana, N: 6, Quiet: true},
		{Do: "override", Who: byIrina},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "time", N: 1},
		{Do: "merge", Quiet: true},
	}, 0},
	{"another lead on main in the moment of the merge", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "main", N: 6}, {Do: "merge", Quiet: true},
	}, 0},
	{"the role file's new lead", []step{
		{Do: "main", N: 6},
		{Do: "open", Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byMax},
		{Do: "approve", Who: byVera, Quiet: true},
		{Do: "merge", Quiet: true},
	}, 1},
	{"a plan taken away before anybody looked at its merge", []step{
		{Do: "open", Quiet: true}, {Do: "approve", Who: byIrina}, {Do: "approve", Who: byOleg, Quiet: true}, {Do: "merge"}, {Do: "main", N: 7, Quiet: true},
	}, 0},
	{"a sign-off that a revert withdraws", []step{
		{Do: "open", Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg, Quiet: true},
		{Do: "merge", Quiet: true},
		{Do: "main", N: 7, Quiet: true},
	}, 1},
	{"the log changed by hand", []step{
		{Do: "open", Quiet: true},
		{Do: "open", PR: 1, N: 1, Quiet: true},
		{Do: "approve", Who: byIrina},
		{Do: "approve", Who: byOleg},
		{Do: "approve", PR: 1, Who: byIrina},
		{Do: "approve", PR: 1, Who: byOleg, Quiet: true},
		{Do: "merge", Quiet: true},
		{Do: "main", N: 5, Quiet: true},
		{Do: "merge", PR: 1, Quiet: true},
	}, 1},
}

func TestStories(t *testing.T) {
	t.Parallel()
	for _, x := range stories {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			j := told(t, x.steps)
			assert.Empty(t, j.Refused)
			assert.Empty(t, j.Missing)
			assert.Len(t, j.Signoffs, x.signoffs)
		})
	}
}
