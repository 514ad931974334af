package demo

import (
	"context"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// fromFork is a world with a pull request from guest's fork that has two
// findings with exact replacements.
func fromFork(t *testing.T, base map[string]fakegithub.File) (*World, *fakegithub.Repo, *fakegithub.PR) {
	t.Helper()
	w, err := New(context.Background(), Options{Log: zerolog.Nop(), Base: base, Story: small})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	fork := w.Repo.Fork(guest)
	in := map[string]fakegithub.File{}
	for path, data := range w.Story.Pilot(sample.PatchRelease, sample.StatusContradicts) {
		in[path] = fakegithub.File{Data: data}
	}
	fork.MustCommit(branch, guest, fakegithub.CommitSpec{Message: "Add the plan", Files: in, Author: guest})
	pr := w.Repo.OpenPR(fakegithub.PRSpec{Author: guest, Title: "Pilot", Head: branch, From: fork})
	require.NoError(t, w.Settle(context.Background()))
	return w, fork, pr
}

func TestOnAForkReplacementsAreSuggestedOnce(t *testing.T) {
	t.Parallel()
	w, fork, pr := fromFork(t, nil)
	head := pr.View().Head
	c, ok := w.Repo.Check(head, operations)
	require.True(t, ok)
	assert.Empty(t, c.Actions, "the branch is not ours to write")

	reviews := pr.View().Reviews
	require.Len(t, reviews, 1)
	assert.True(t, strings.EqualFold(w.App.Login(), reviews[0].Author), reviews[0].Author)
	assert.Equal(t, fakegithub.Commented, reviews[0].State, "it approves nothing and blocks nothing")
	assert.Contains(t, reviews[0].Body, "2 replacements")
	notes := pr.ReviewComments()
	require.Len(t, notes, 2)
	assert.Contains(t, notes[0], "```suggestion\n| Coverage |")
	assert.Contains(t, notes[0], "| Pass |")
	assert.Contains(t, notes[1], "```suggestion\n- Target release: v1.5.0\n```")

	// A commit that leaves the lines as they are gets no second review.
	fork.MustCommit(branch, guest, fakegithub.CommitSpec{Message: "More", Files: map[string]fakegithub.File{"notes.txt": {Data: []byte("x\n")}}, Author: guest})
	require.NoError(t, w.Settle(context.Background()))
	require.NotEqual(t, head, pr.View().Head)
	assert.Len(t, pr.View().Reviews, 1)

	// The author applies them; nothing is left to suggest.
	in := map[string]fakegithub.File{}
	for path, data := range w.Story.Pilot() {
		in[path] = fakegithub.File{Data: data}
	}
	fork.MustCommit(branch, guest, fakegithub.CommitSpec{Message: "Apply suggestions from code review", Files: in, Author: guest, CoAuthors: []string{w.App.Login()}})
	require.NoError(t, w.Settle(context.Background()))
	assert.Len(t, pr.View().Reviews, 1)
	gate, ok := w.Repo.Check(pr.View().Head, judge.Approvals)
	require.True(t, ok)
	assert.NotContains(t, gate.Summary, w.App.Login(), "a suggestion is no review that could count")
}

// GitHub takes a suggestion only where the pull request changed the file, and
// refuses the whole review otherwise.
func TestOnAForkOnlyLinesOfTheRequestAreSuggested(t *testing.T) {
	t.Parallel()
	// The plan is on the default branch already, with the status that contradicts;
	// the fork's request brings the patch release.
	base := map[string]fakegithub.File{}
	for path, data := range small.Pilot(sample.StatusContradicts) {
		base[path] = fakegithub.File{Data: data}
	}
	_, _, pr := fromFork(t, base)
	notes := pr.ReviewComments()
	require.Len(t, notes, 1)
	assert.Contains(t, notes[0], "Target release: v1.5.0")
}
