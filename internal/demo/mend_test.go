package demo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
)

const (
	reader     = "rita-reader" // may read, no more
	operations = "pilot/operations"
)

// small is a story whose datasets are read in a moment.
var small = sample.Story{Records: 60, Evaluation: 20}

// broken is a world with a pull request whose release is a patch release: one
// finding with an exact replacement.
func broken(t *testing.T, o Options) (*World, *fakegithub.PR) {
	t.Helper()
	if testing.Verbose() {
		o.Log = zerolog.New(zerolog.NewTestWriter(t))
	} else {
		o.Log = zerolog.Nop()
	}
	o.Story = small
	w, err := New(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	w.GitHub.CreateUser(reader, reader+"@example.org")
	w.Repo.SetCollaborator(reader, "read")
	w.Repo.SetCollaborator(sample.Operations, "write")
	tl := &tale{World: w, branch: branch}
	require.NoError(t, tl.push(sample.Initiator, "Add the plan", w.Story.Pilot(sample.PatchRelease)))
	pr := w.Repo.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot", Head: branch})
	require.NoError(t, w.Settle(context.Background()))
	return w, pr
}

func button(t *testing.T, w *World, head string) fakegithub.CheckView {
	t.Helper()
	c, ok := w.Repo.Check(head, operations)
	require.True(t, ok)
	require.Equal(t, "failure", c.Conclusion)
	return c
}

func release(w *World, ref string) string {
	plan, _ := w.Repo.File(ref, sample.Plan)
	for line := range bytes.Lines(plan) {
		if bytes.Contains(line, []byte("Target release")) {
			return strings.TrimSpace(string(line))
		}
	}
	return ""
}

func TestTheButtonMendsTheBranch(t *testing.T) {
	w, pr := broken(t, Options{})
	head := pr.View().Head
	c := button(t, w, head)
	assert.Equal(t, []string{judge.MendAction}, c.Actions)
	assert.Contains(t, c.Summary, "**Mend 1 finding**")
	assert.Contains(t, c.Summary, "can no longer approve", "whoever holds a role is told before pressing")
	before := release(w, branch)

	w.Repo.ClickAction(sample.Operations, c.ID, judge.MendAction)
	w.Repo.ClickAction(sample.Initiator, c.ID, judge.MendAction) // twice, and by two people: one commit
	require.NoError(t, w.Settle(context.Background()))

	log := w.Repo.Log(branch)
	assert.Equal(t, []string{head}, log[0].Parents, "one commit, on top of what was judged")
	assert.NotEqual(t, before, release(w, branch))
	assert.Contains(t, log[0].Message, "Mend 1 finding of pilot/operations")
	assert.Contains(t, log[0].Message, "Co-authored-by: "+sample.Operations+" <")
	assert.True(t, strings.EqualFold(w.App.Login(), log[0].Author), log[0].Author)
	now, ok := w.Repo.Check(pr.View().Head, operations)
	require.True(t, ok, "the new head is checked")
	assert.Equal(t, "success", now.Conclusion)
	assert.Empty(t, now.Actions, "nothing is left to mend")

	pr.Review(sample.MLLead, fakegithub.Approved, "fine")
	pr.Review(sample.Operations, fakegithub.Approved, "fine")
	require.NoError(t, w.Settle(context.Background()))
	gate, _ := w.Repo.Check(pr.View().Head, judge.Approvals)
	assert.Equal(t, "in_progress", gate.Status, "who clicked is a co-author and does not approve")
	assert.Contains(t, gate.Summary, "is a co-author of commit")
	pr.Review(sample.Operations2, fakegithub.Approved, "fine")
	require.NoError(t, w.Settle(context.Background()))
	gate, _ = w.Repo.Check(pr.View().Head, judge.Approvals)
	assert.Equal(t, "success", gate.Conclusion)
}

func TestAClickThatDoesNotCountChangesNothing(t *testing.T) {
	t.Run("by somebody who may not write", func(t *testing.T) {
		w, pr := broken(t, Options{})
		head := pr.View().Head
		w.Repo.ClickAction(reader, button(t, w, head).ID, judge.MendAction)
		require.NoError(t, w.Settle(context.Background()))
		assert.Equal(t, head, pr.View().Head)
	})
	t.Run("on the check of an earlier head", func(t *testing.T) {
		w, pr := broken(t, Options{})
		old := button(t, w, pr.View().Head)
		tl := &tale{World: w, branch: branch}
		require.NoError(t, tl.push(sample.Initiator, "A note", sample.Files{"NOTES.md": []byte("x\n")}))
		require.NoError(t, w.Settle(context.Background()))
		head := pr.View().Head
		w.Repo.ClickAction(sample.Initiator, old.ID, judge.MendAction)
		require.NoError(t, w.Settle(context.Background()))
		assert.Equal(t, head, pr.View().Head)
		assert.Equal(t, "failure", button(t, w, head).Conclusion)
	})
}

func TestAForkHasNoButton(t *testing.T) {
	w, _ := broken(t, Options{})
	fork := w.Repo.Fork(reader)
	fork.MustCommit("fork-plan", reader, fakegithub.CommitSpec{Message: "Add the plan", Files: asFiles(w.Story.Pilot(sample.PatchRelease)), Author: reader, Parent: fork.Head("main")})
	pr := w.Repo.OpenPR(fakegithub.PRSpec{Author: reader, Title: "From a fork", Head: "fork-plan", From: fork})
	require.NoError(t, w.Settle(context.Background()))
	c := button(t, w, pr.View().Head)
	assert.Empty(t, c.Actions)
	assert.Contains(t, c.Summary, "write these by hand")
}

// onceLost carries out the first commit and loses the answer to it.
type onceLost struct {
	next http.RoundTripper
	lost atomic.Bool
}

func (o *onceLost) RoundTrip(r *http.Request) (*http.Response, error) {
	commit := false
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		commit = bytes.Contains(raw, []byte("createCommitOnBranch"))
	}
	resp, err := o.next.RoundTrip(r)
	if err == nil && commit && o.lost.CompareAndSwap(false, true) {
		resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

func TestAnAnswerThatWasLostMakesNoSecondCommit(t *testing.T) {
	lost := &onceLost{}
	w, pr := broken(t, Options{Transport: func(next http.RoundTripper) http.RoundTripper { lost.next = next; return lost }})
	head := pr.View().Head
	w.Repo.ClickAction(sample.Initiator, button(t, w, head).ID, judge.MendAction)
	require.NoError(t, w.Settle(context.Background()))
	require.True(t, lost.lost.Load(), "the commit was made and its answer lost")
	assert.Equal(t, []string{head}, w.Repo.Log(branch)[0].Parents)
	now, _ := w.Repo.Check(pr.View().Head, operations)
	assert.Equal(t, "success", now.Conclusion)
}
