package gh

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Repositories are the ids of all repositories that an installation sees.
func (c *Client) Repositories(ctx context.Context, installationID int64) ([]int64, error) {
	var ids []int64
	err := c.eachRepository(ctx, c.installation(installationID), func(r *github.Repository) bool {
		ids = append(ids, r.GetID())
		return true
	})
	return ids, err
}

// ForgetPeople drops what is known about teams through an installation: its
// membership changed.
func (c *Client) ForgetPeople(installationID int64) {
	c.teams.removeIf(func(k teamKey) bool { return k.installation == installationID })
}

// LookDefault reads where the default branch stands, and nothing else.
func (c *Client) LookDefault(ctx context.Context, s facts.Subject) (facts.Common, error) {
	app, err := c.App(ctx)
	if err != nil {
		return facts.Common{}, err
	}
	i := c.installation(s.Installation)
	out := facts.Common{Now: c.now().UTC(), App: app, Signing: c.signing}
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		var answer struct{ Repository *wireRepository }
		if err := c.query(ctx, i, "default", map[string]any{"owner": n.owner, "name": n.name}, &answer); err != nil {
			return 0, err
		}
		if answer.Repository == nil {
			return 0, &absent{what: "repository", status: 404}
		}
		out.Repository = answer.Repository.facts()
		c.rootsOf(*answer.Repository)
		return out.Repository.ID, nil
	})
	if err != nil {
		return facts.Common{}, fmt.Errorf("look at default branch: %w", err)
	}
	return out, nil
}

// Overtaken tells whether an error says that GitHub moved while it was judged,
// or may have: then the look is made again, and nothing is written blindly.
func Overtaken(err error) bool {
	var conflict *Conflict
	var moved *Moved
	var unclear *Unclear
	return errors.As(err, &conflict) || errors.As(err, &moved) || errors.As(err, &unclear)
}

// Installations are the ids of all installations of the App that are not
// suspended.
func (c *Client) Installations(ctx context.Context) ([]int64, error) {
	app, err := c.creator.NewAppClient()
	if err != nil {
		return nil, fmt.Errorf("list installations: %s", redact(err.Error()))
	}
	var ids []int64
	page := 1
	for range maxInstallationPages {
		list, resp, err := app.Apps.ListInstallations(ctx, &github.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return nil, fmt.Errorf("list installations: %w", &redacted{"GET /app/installations", err})
		}
		for _, i := range list {
			if i.SuspendedAt == nil {
				ids = append(ids, i.GetID())
			}
		}
		if resp.NextPage == 0 {
			return ids, nil
		}
		page = resp.NextPage
	}
	return nil, fmt.Errorf("more than %d installations", 100*maxInstallationPages)
}

// OnlyRefused tells whether an error of Apply holds nothing but refusals:
// GitHub understood each effect and will not do it.
func OnlyRefused(err error) bool {
	if err == nil {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !OnlyRefused(e) {
				return false
			}
		}
		return true
	}
	return isRefused(err)
}

// Bot is the numeric id of our App's account, asked for through any
// installation; 0 without one.
func (c *Client) Bot(ctx context.Context) (int64, error) {
	app, err := c.App(ctx)
	if err != nil {
		return 0, err
	}
	ids, err := c.Installations(ctx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	var user *github.User
	k := c.call(c.installation(ids[0]), "GET /users/{username}")
	if err := k.send(ctx, func(ctx context.Context, rest *github.Client) (err error) {
		user, _, err = rest.Users.Get(ctx, app.Login)
		return err
	}); err != nil {
		return 0, fmt.Errorf("look up our account: %w", err)
	}
	return user.GetID(), nil
}
