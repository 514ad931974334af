package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// maxInstallationPages bounds the search for a repository's name: 100 a page.
const maxInstallationPages = 1000

// find asks which repositories the installation has until id is among them.
func (c *Client) find(ctx context.Context, i *installation, id int64) (ownerName, error) {
	var found ownerName
	err := c.eachRepository(ctx, i, func(r *github.Repository) bool {
		if r.GetID() == id {
			found = ownerName{r.GetOwner().GetLogin(), r.GetName()}
		}
		return found == (ownerName{})
	})
	if err == nil && found == (ownerName{}) {
		err = queue.Gone(fmt.Errorf("repository %d is not in installation %d", id, i.id))
	}
	return found, err
}

// eachRepository visits an installation's repositories, whole pages at a time,
// until visit answers false; each one's name is remembered.
func (c *Client) eachRepository(ctx context.Context, i *installation, visit func(*github.Repository) bool) error {
	page := 1
	for range maxInstallationPages {
		var list *github.ListRepositories
		var resp *github.Response
		err := c.call(i, "GET /installation/repositories").send(ctx, func(ctx context.Context, rest *github.Client) (err error) {
			list, resp, err = rest.Apps.ListRepos(ctx, &github.ListOptions{Page: page, PerPage: 100})
			return err
		})
		if err != nil {
			return lost(err)
		}
		more := true
		for _, r := range list.Repositories {
			c.Hint(r.GetID(), r.GetOwner().GetLogin(), r.GetName())
			more = visit(r) && more
		}
		if !more || resp.NextPage == 0 {
			return nil
		}
		page = resp.NextPage
	}
	return fmt.Errorf("more than %d repositories in an installation", 100*maxInstallationPages)
}

// mistaken says that an answer was about another repository than meant.
type mistaken struct{ want, got int64 }

func (e *mistaken) Error() string {
	return fmt.Sprintf("asked for repository %d, GitHub answered with %d", e.want, e.got)
}

// named runs a read with the repository's name of today. A guess that proves
// wrong (renamed, transferred, or its old name has a new owner) is looked up
// once; a read that fails with a name that was just looked up is final.
func (c *Client) named(ctx context.Context, i *installation, id int64, read func(ownerName) (int64, error)) error {
	try := func(n ownerName) error {
		got, err := read(n)
		if err == nil && got != id {
			err = &mistaken{id, got}
		}
		return err
	}
	if n, ok := c.names.get(id); ok {
		err := try(n)
		if !isAbsent(err) && !isMistaken(err) {
			return err
		}
		c.names.remove(id)
	}
	n, err := c.find(ctx, i, id)
	if err != nil {
		return err
	}
	if err := try(n); isMistaken(err) {
		return queue.Transient(err, 0) // renamed between two requests
	} else if err != nil {
		return lost(err)
	}
	return nil
}

func isMistaken(err error) bool {
	var m *mistaken
	return errors.As(err, &m)
}

// Repository is the repository behind an id, under its name of today.
func (c *Client) Repository(ctx context.Context, installationID, id int64) (facts.Repository, error) {
	i := c.installation(installationID)
	var out facts.Repository
	err := c.named(ctx, i, id, func(n ownerName) (int64, error) {
		var r *github.Repository
		resp, err := c.call(i, "GET /repos/{owner}/{repo}").get(ctx, fmt.Sprintf("repos/%s/%s", n.owner, n.name), &r)
		if err != nil {
			return 0, err
		}
		if resp.StatusCode != http.StatusOK || r == nil {
			return 0, fmt.Errorf("GET /repos/{owner}/{repo}: status %d without a repository", resp.StatusCode)
		}
		out = repositoryOf(r)
		return r.GetID(), nil
	})
	if err != nil {
		return facts.Repository{}, err
	}
	c.Hint(out.ID, out.Owner, out.Name)
	return out, nil
}
