package gh

import (
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// RepositoryNamed finds "owner/name" under its name of today, and through which
// installation we see it. A repository that the App is not installed on is an
// error that queue.Classify calls Gone.
func (c *Client) RepositoryNamed(ctx context.Context, owner, name string) (installation int64, r facts.Repository, err error) {
	app, err := c.creator.NewAppClient()
	if err != nil {
		return 0, r, fmt.Errorf("find repository: %s", redact(err.Error()))
	}
	const route = "GET /repos/{owner}/{repo}/installation"
	k := c.call(c.installation(0), route)
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	found, _, err := app.Apps.FindRepositoryInstallation(ctx, owner, name)
	if err != nil {
		return 0, r, lost(k.sort(err))
	}
	i := c.installation(found.GetID())
	var got *github.Repository
	if _, err := c.call(i, "GET /repos/{owner}/{repo}").get(ctx, fmt.Sprintf("repos/%s/%s", owner, name), &got); err != nil {
		return 0, r, lost(err)
	}
	if got.GetID() <= 0 {
		return 0, r, fmt.Errorf("%s: an answer without a repository", route)
	}
	c.Hint(got.GetID(), got.GetOwner().GetLogin(), got.GetName())
	return i.id, repositoryOf(got), nil
}

// repositoryOf is a repository as REST shows it.
func repositoryOf(r *github.Repository) facts.Repository {
	return facts.Repository{
		ID: r.GetID(), NodeID: r.GetNodeID(), Owner: r.GetOwner().GetLogin(), Name: r.GetName(), URL: r.GetHTMLURL(),
		OwnedByOrg: r.GetOwner().GetType() == "Organization", Private: r.GetPrivate(), DefaultBranch: r.GetDefaultBranch(),
	}
}
