package gh

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// Apply carries effects out, in their order; the check runs among them go out
// together where the first of them stands. guard is called before each request
// that writes (the lease, the head): its error ends everything.
//
// What GitHub refuses does not keep the other effects back, and comes joined at
// the end. A conflict, an unclear write or a limit ends the work at once: the
// loop looks again.
func (c *Client) Apply(ctx context.Context, s facts.Subject, repo facts.Repository, effects []effect.Effect, guard func(context.Context) error) error {
	if repo.ID != s.Repository || repo.Owner == "" {
		return fmt.Errorf("apply: effects on repository %d for a subject of %d", repo.ID, s.Repository)
	}
	w := writing{client: c, inst: c.installation(s.Installation), repo: repo, guard: guard}
	var refused []error
	var runs []effect.Run
	for _, e := range effects {
		if r, ok := any(e).(effect.Run); ok {
			runs = append(runs, r)
		}
	}
	for _, e := range effects {
		var err error
		if _, ok := any(e).(effect.Run); ok {
			err, runs = w.runs(ctx, runs), nil
		} else {
			err = w.one(ctx, e)
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("write %s: %w", e.Key(), err)
		if class, _ := queue.Classify(err); class != queue.ClassOurs || !isRefused(err) {
			return errors.Join(append([]error{err}, refused...)...)
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}

// writing is one Apply at work.
type writing struct {
	client *Client
	inst   *installation
	repo   facts.Repository
	guard  func(context.Context) error
}

func (w *writing) one(ctx context.Context, e effect.Effect) error {
	switch e := any(e).(type) {
	case effect.Comment:
		return w.comment(ctx, e)
	case effect.DeleteComment:
		return w.deleteComment(ctx, e)
	case effect.Acknowledge:
		return w.acknowledge(ctx, e)
	case effect.Ask:
		return w.ask(ctx, e)
	case effect.Dismiss:
		return w.dismiss(ctx, e)
	case effect.Suggest:
		return w.suggest(ctx, e)
	case effect.Commit:
		return w.commit(ctx, e)
	case effect.Pull:
		return w.pull(ctx, e)
	case effect.Issue:
		return w.issue(ctx, e)
	case effect.Claim:
		return w.claim(ctx, e)
	case effect.Dispatch:
		return w.dispatch(ctx, e)
	case effect.DecideDeployment:
		return w.decide(ctx, e)
	case effect.Deployment:
		return w.deployment(ctx, e)
	}
	return fmt.Errorf("no way to carry out a %T", e)
}

// send guards and sends one write.
func (w *writing) send(ctx context.Context, route string, do func(context.Context, *github.Client) error) error {
	if err := w.guard(ctx); err != nil {
		return err
	}
	k := w.client.call(w.inst, route)
	k.write = true
	return k.send(ctx, do)
}

// mutate guards and sends one GraphQL mutation; errors of single fields are
// handed back.
func (w *writing) mutate(ctx context.Context, name, text string, vars map[string]any, out any) ([]queryError, error) {
	if err := w.guard(ctx); err != nil {
		return nil, err
	}
	k := w.client.call(w.inst, "graphql "+name)
	k.write = true
	return k.exchange(ctx, text, vars, out)
}

// overtaken turns "not there" of a thing that we saw a moment ago into a conflict.
func overtaken(err error) error {
	if isAbsent(err) {
		return queue.Transient(&Conflict{err.Error()}, 0)
	}
	return err
}

func (w *writing) comment(ctx context.Context, e effect.Comment) error {
	body := &github.IssueComment{Body: &e.Body}
	if e.ID == 0 {
		return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", func(ctx context.Context, rest *github.Client) error {
			_, _, err := rest.Issues.CreateComment(ctx, w.repo.Owner, w.repo.Name, e.Number, body)
			return err
		}))
	}
	return overtaken(w.send(ctx, "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Issues.EditComment(ctx, w.repo.Owner, w.repo.Name, e.ID, body)
		return err
	}))
}

func (w *writing) deleteComment(ctx context.Context, e effect.DeleteComment) error {
	err := w.send(ctx, "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", func(ctx context.Context, rest *github.Client) error {
		_, err := rest.Issues.DeleteComment(ctx, w.repo.Owner, w.repo.Name, e.ID)
		return err
	})
	if isAbsent(err) {
		return nil // as wanted
	}
	return err
}

func (w *writing) acknowledge(ctx context.Context, e effect.Acknowledge) error {
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Reactions.CreateIssueCommentReaction(ctx, w.repo.Owner, w.repo.Name, e.CommentID, e.Content)
		return err
	}))
}

// ask requests reviews. One that GitHub refuses (no access) refuses them all, so
// each is then asked alone.
func (w *writing) ask(ctx context.Context, e effect.Ask) error {
	err := w.askAll(ctx, e)
	if !isRefused(err) || len(e.Logins)+len(e.Teams) < 2 {
		return err
	}
	var refused []error
	alone := make([]effect.Ask, 0, len(e.Logins)+len(e.Teams))
	for _, l := range e.Logins {
		alone = append(alone, effect.Ask{Number: e.Number, Logins: []string{l}})
	}
	for _, t := range e.Teams {
		alone = append(alone, effect.Ask{Number: e.Number, Teams: []string{t}})
	}
	for _, one := range alone {
		if err := w.askAll(ctx, one); isRefused(err) {
			refused = append(refused, err)
		} else if err != nil {
			return err
		}
	}
	return errors.Join(refused...)
}

func (w *writing) askAll(ctx context.Context, e effect.Ask) error {
	ask := github.ReviewersRequest{Reviewers: e.Logins}
	for _, t := range e.Teams {
		_, slug, ok := strings.Cut(t, "/")
		if !ok {
			slug = t
		}
		ask.TeamReviewers = append(ask.TeamReviewers, slug)
	}
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.PullRequests.RequestReviewers(ctx, w.repo.Owner, w.repo.Name, e.Number, ask)
		return err
	}))
}

func (w *writing) dismiss(ctx context.Context, e effect.Dismiss) error {
	return overtaken(w.send(ctx, "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.PullRequests.DismissReview(ctx, w.repo.Owner, w.repo.Name, e.Number, e.ReviewID,
			&github.PullRequestReviewDismissalRequest{Message: &e.Message})
		return err
	}))
}

// pull opens or rewrites one of our requests. GitHub refuses a second open
// request of the same branches, so opening twice is one request and a conflict.
func (w *writing) pull(ctx context.Context, e effect.Pull) error {
	var got *github.PullRequest
	if e.Number == 0 {
		err := w.send(ctx, "POST /repos/{owner}/{repo}/pulls", func(ctx context.Context, rest *github.Client) (err error) {
			got, _, err = rest.PullRequests.Create(ctx, w.repo.Owner, w.repo.Name,
				&github.NewPullRequest{Title: &e.Title, Head: &e.Branch, Base: &e.Base, Body: &e.Body})
			return err
		})
		var refused *Refused
		if errors.As(err, &refused) && strings.Contains(refused.Why, "already exists") {
			return queue.Transient(&Conflict{refused.Error()}, 0)
		}
		if err != nil {
			return err
		}
	} else {
		err := w.send(ctx, "PATCH /repos/{owner}/{repo}/pulls/{pull_number}", func(ctx context.Context, rest *github.Client) (err error) {
			got, _, err = rest.PullRequests.Edit(ctx, w.repo.Owner, w.repo.Name, e.Number, &github.PullRequest{Title: &e.Title, Body: &e.Body})
			return err
		})
		if err != nil {
			return overtaken(err)
		}
	}
	if !e.AutoMerge || got.GetAutoMerge() != nil {
		return nil
	}
	return w.autoMerge(ctx, got)
}

const autoMerge = `mutation AutoMerge($pull: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $pull, mergeMethod: $method}) { pullRequest { id } }
}`

func (w *writing) autoMerge(ctx context.Context, pull *github.PullRequest) error {
	method, repo := "MERGE", pull.GetBase().GetRepo()
	switch { // nil: GitHub does not say, and merge commits are the default
	case repo == nil || repo.AllowMergeCommit == nil || repo.GetAllowMergeCommit():
	case repo.GetAllowSquashMerge():
		method = "SQUASH"
	case repo.GetAllowRebaseMerge():
		method = "REBASE"
	}
	var out struct{}
	errs, err := w.mutate(ctx, "AutoMerge", autoMerge, map[string]any{"pull": pull.GetNodeID(), "method": method}, &out)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return &Refused{What: "auto-merge", Why: redact(errs[0].Message)}
	}
	return nil
}

func (w *writing) issue(ctx context.Context, e effect.Issue) error {
	body := withMarker(e.Body, e.Marker)
	if e.Number == 0 {
		var made *github.Issue
		err := w.send(ctx, "POST /repos/{owner}/{repo}/issues", func(ctx context.Context, rest *github.Client) (err error) {
			made, _, err = rest.Issues.Create(ctx, w.repo.Owner, w.repo.Name, &github.IssueRequest{Title: &e.Title, Body: &body})
			return err
		})
		var unclear *Unclear
		switch {
		case err == nil:
			w.client.rememberIssue(w.repo.ID, ourIssue(made))
		case errors.As(err, &unclear):
			w.client.rememberIssue(w.repo.ID, facts.Issue{Marker: e.Marker})
		}
		return err
	}
	state := "open"
	if e.Close {
		state = "closed"
	}
	return overtaken(w.send(ctx, "PATCH /repos/{owner}/{repo}/issues/{issue_number}", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Issues.Edit(ctx, w.repo.Owner, w.repo.Name, e.Number, &github.IssueRequest{Title: &e.Title, Body: &body, State: &state})
		return err
	}))
}

// ref guards and creates a branch at a commit. A branch that already stands
// there is as wanted: an earlier try of ours got no further.
func (w *writing) ref(ctx context.Context, branch, oid string) error {
	err := w.send(ctx, "POST /repos/{owner}/{repo}/git/refs", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Git.CreateRef(ctx, w.repo.Owner, w.repo.Name,
			&github.Reference{Ref: github.String("refs/heads/" + branch), Object: &github.GitObject{SHA: &oid}})
		return err
	})
	var refused *Refused
	if !errors.As(err, &refused) || !strings.Contains(refused.Why, "already exists") {
		return overtaken(err)
	}
	var ref github.Reference
	_, err = w.client.call(w.inst, "GET /repos/{owner}/{repo}/git/ref/{ref}").get(ctx,
		fmt.Sprintf("repos/%s/%s/git/ref/heads/%s", w.repo.Owner, w.repo.Name, escapePath(branch)), &ref)
	if err != nil {
		return overtaken(err)
	}
	if at := ref.GetObject().GetSHA(); at != oid {
		return queue.Transient(&Conflict{fmt.Sprintf("branch %s stands at %.12s, not %.12s", branch, at, oid)}, 0)
	}
	return nil
}
