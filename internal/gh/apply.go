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

// Apply carries effects out, in their order; what can go out in one mutation
// does, where the first of it stands. guard is called before each request that
// writes (the lease, the head): its error ends everything.
//
// What GitHub refuses does not keep the other effects back, and comes joined at
// the end. A conflict, an unclear write or a limit ends the work at once: the
// loop looks again.
func (c *Client) Apply(ctx context.Context, s facts.Subject, repo facts.Repository, effects []effect.Effect, guard func(context.Context) error) error {
	if repo.ID != s.Repository || repo.Owner == "" {
		return fmt.Errorf("apply: effects on repository %d for a subject of %d", repo.ID, s.Repository)
	}
	w := writing{client: c, inst: c.installation(s.Installation), repo: repo, guard: guard}
	var changes []change
	for _, e := range effects {
		if x, ok := w.change(e); ok {
			changes = append(changes, x)
		}
	}
	var refused []error
	for i := 0; i < len(effects); i++ {
		var err error
		if _, ok := w.change(effects[i]); ok {
			err, changes = w.together(ctx, changes), nil
		} else if commit, pull, ok := proposal(effects[i:]); ok {
			along := changes[:0]
			if pull != nil && len(changes) < changesAtOnce { // what is said meanwhile does not hang on it
				along, changes = changes, nil
			}
			err = w.propose(ctx, effects[i], commit, pull, along)
			if commit != nil && pull != nil {
				i++
			}
		} else {
			err = wrap(effects[i], w.one(ctx, effects[i]))
		}
		if err == nil {
			continue
		}
		if ends(err) {
			return errors.Join(append([]error{err}, refused...)...)
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}

func wrap(e effect.Effect, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", e.Key(), err)
}

// writing is one Apply at work.
type writing struct {
	client *Client
	inst   *installation
	repo   facts.Repository
	guard  func(context.Context) error
}

func (w *writing) one(ctx context.Context, e effect.Effect) error {
	switch e := e.(type) {
	case effect.Ask:
		return w.ask(ctx, e)
	case effect.Suggest:
		return w.suggest(ctx, e)
	case effect.Pull:
		return w.edit(ctx, e)
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
	case effect.Order:
		return w.order(ctx, e)
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
	errs, err := k.exchange(ctx, text, vars, out)
	// gofail: var afterWrite struct{}
	// crash()
	return errs, err
}

// overtaken turns "not there" of a thing that we saw a moment ago into a conflict.
func overtaken(err error) error {
	if isAbsent(err) {
		return queue.Transient(&Conflict{err.Error()}, 0)
	}
	return err
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

// edit rewrites the text of one of our requests.
func (w *writing) edit(ctx context.Context, e effect.Pull) error {
	return overtaken(w.send(ctx, "PATCH /repos/{owner}/{repo}/pulls/{pull_number}", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.PullRequests.Edit(ctx, w.repo.Owner, w.repo.Name, e.Number, &github.PullRequest{Title: &e.Title, Body: &e.Body})
		return err
	}))
}

func (w *writing) issue(ctx context.Context, e effect.Issue) error {
	body := e.Text()
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
