package gh

import (
	"context"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/effect"
)

// suggest writes a review of comments on lines. The event is fixed here, so that
// nothing upstream can make our App approve.
func (w *writing) suggest(ctx context.Context, e effect.Suggest) error {
	event, side := "COMMENT", "RIGHT"
	review := &github.PullRequestReviewRequest{CommitID: &e.Head, Body: &e.Body, Event: &event}
	for _, l := range e.Lines {
		c := &github.DraftReviewComment{Path: &l.Path, Body: &l.Body, Line: &l.Line, Side: &side}
		if l.Start < l.Line {
			c.StartLine, c.StartSide = &l.Start, &side
		}
		review.Comments = append(review.Comments, c)
	}
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.PullRequests.CreateReview(ctx, w.repo.Owner, w.repo.Name, e.Number, review)
		return err
	}))
}
