package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

const (
	// branchPrefix begins the name of every branch of ours.
	branchPrefix = "pilotgate/"
	// maxOpenedPages caps the requests among which ours are looked for, the
	// newest first: 100 a page. What is older than the plan cannot be its.
	maxOpenedPages = 20
	maxPullPages   = 50
)

// LookPilot reads what became of a pilot after its plan was merged. planPaths
// are where its plan may stand on the default branch, the likeliest first; they
// come from the tree of the default branch, which LookRepository's snapshot can
// be filled with. The first path with a history is the plan's.
func (c *Client) LookPilot(ctx context.Context, s facts.Subject, planPaths []string) (facts.Pilot, error) {
	app, err := c.App(ctx)
	if err != nil {
		return facts.Pilot{}, err
	}
	i := c.installation(s.Installation)
	var out facts.Pilot
	var brought int
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		out = facts.Pilot{ID: s.ID}
		out.Opened = map[string]facts.Opened{}
		out.Now, out.App, out.Signing = c.now().UTC(), app, c.signing
		var err error
		brought, err = c.pilotPulls(ctx, i, n, planPaths, &out)
		return out.Repository.ID, err
	})
	if err != nil {
		return facts.Pilot{}, fmt.Errorf("look at pilot: %w", err)
	}
	if brought > 0 {
		plan, err := c.LookPullRequest(ctx, facts.Subject{
			Installation: s.Installation, Repository: s.Repository, Kind: facts.KindPullRequest, ID: strconv.Itoa(brought),
		})
		if err != nil {
			return facts.Pilot{}, err
		}
		out.Plan = &plan
	}
	return out, nil
}

type wireHistory struct {
	Nodes []struct {
		OID                    string
		CommittedDate          time.Time
		Author                 *wirePerson
		AssociatedPullRequests connection[struct {
			Number      int
			MergedAt    *time.Time
			BaseRefName string
			Repository  struct{ DatabaseID int64 }
		}]
	}
}

type wireOpened struct {
	Number            int
	State             string
	Title, Body, URL  string
	CreatedAt         time.Time
	MergedAt          *time.Time
	HeadRefName       string
	HeadRefOID        string
	BaseRefName       string
	IsCrossRepository bool
	ViewerDidAuthor   bool
}

func (p wireOpened) facts() facts.Opened {
	out := facts.Opened{
		Number: p.Number, Open: p.State == "OPEN", Merged: p.State == "MERGED", Head: p.HeadRefOID, Base: p.BaseRefName,
		Title: p.Title, Body: p.Body, URL: p.URL,
	}
	if p.MergedAt != nil {
		out.MergedAt = *p.MergedAt
	}
	return out
}

// pilotPulls finds the request that brought the plan (0: none did) and our own.
func (c *Client) pilotPulls(ctx context.Context, i *installation, n ownerName, paths []string, out *facts.Pilot) (int, error) {
	brought, found := 0, false
	after := ""
	for page := 0; page < maxOpenedPages; page++ {
		path := ""
		if !found && len(paths) > 0 {
			path, paths = paths[0], paths[1:]
		}
		vars := map[string]any{"owner": n.owner, "name": n.name, "path": path, "plan": path != ""}
		if after != "" {
			vars["after"] = after
		}
		var answer struct {
			Repository *struct {
				wireRepository
				DefaultBranchRef *struct {
					Name   string
					Target *struct {
						OID     string
						History wireHistory
					}
				}
				PullRequests connection[wireOpened]
			}
		}
		if err := c.query(ctx, i, "pilot", vars, &answer); err != nil {
			return 0, err
		}
		r := answer.Repository
		if r == nil {
			return 0, &absent{what: "repository", status: http.StatusNotFound}
		}
		out.Repository = r.facts()
		if b := r.DefaultBranchRef; b != nil && b.Target != nil {
			out.Repository.DefaultBranch, out.Repository.DefaultOID = b.Name, b.Target.OID
			if h := b.Target.History.Nodes; path != "" && len(h) > 0 {
				found, out.PlanPath = true, path
				out.Changed = &facts.Commit{OID: h[0].OID, At: h[0].CommittedDate, Author: h[0].Author.facts(false)}
				for _, p := range h[0].AssociatedPullRequests.Nodes {
					if p.MergedAt != nil && p.BaseRefName == b.Name && p.Repository.DatabaseID == r.DatabaseID {
						brought = p.Number
					}
				}
			}
		}
		for _, p := range r.PullRequests.Nodes {
			if !p.ViewerDidAuthor || p.IsCrossRepository || !strings.HasPrefix(p.HeadRefName, branchPrefix) {
				continue
			}
			if _, newer := out.Opened[p.HeadRefName]; newer {
				continue
			}
			out.Opened[p.HeadRefName] = p.facts()
		}
		info := r.PullRequests.PageInfo
		last := r.PullRequests.Nodes
		older := len(last) > 0 && brought > 0 && last[len(last)-1].Number < brought
		morePulls := info.HasNextPage && !older
		if morePulls && info.EndCursor == after {
			return 0, queue.Transient(errors.New("a listing of GitHub does not advance"), 0)
		}
		if morePulls {
			after = info.EndCursor
		} else if found || len(paths) == 0 {
			return brought, nil
		}
	}
	return brought, nil
}

// LookRepository reads a repository as a whole; roleFile is where its role file
// stands, whose latest change is read with it.
func (c *Client) LookRepository(ctx context.Context, s facts.Subject, roleFile string) (facts.RepositoryState, error) {
	app, err := c.App(ctx)
	if err != nil {
		return facts.RepositoryState{}, err
	}
	i := c.installation(s.Installation)
	var out facts.RepositoryState
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		out = facts.RepositoryState{}
		after := ""
		for page := 0; ; page++ {
			vars := map[string]any{"owner": n.owner, "name": n.name, "roles": roleFile, "app": app.ID, "first": page == 0}
			if after != "" {
				vars["after"] = after
			}
			var answer struct {
				Repository *struct {
					wireRepository
					PushedAt     *time.Time
					Law          *struct{ Target *wireLaw }
					PullRequests connection[struct {
						Number      int
						BaseRefName string
					}]
				}
			}
			if err := c.query(ctx, i, "repository", vars, &answer); err != nil {
				return 0, err
			}
			r := answer.Repository
			if r == nil {
				return 0, &absent{what: "repository", status: http.StatusNotFound}
			}
			if page == 0 {
				out.Repository = r.facts()
				if r.PushedAt != nil { // of any branch: never earlier than the default one's
					out.Pushed = *r.PushedAt
				}
				if r.Law != nil && r.Law.Target != nil {
					out.Roles = r.Law.Target.roles(out.Repository)
				}
			}
			for _, p := range r.PullRequests.Nodes {
				if p.BaseRefName == out.Repository.DefaultBranch {
					out.OpenPulls = append(out.OpenPulls, p.Number)
				}
			}
			info := r.PullRequests.PageInfo
			if !info.HasNextPage {
				return out.Repository.ID, nil
			}
			if info.EndCursor == after || page == maxPullPages {
				return 0, fmt.Errorf("more than %d open pull requests", maxPullPages*100)
			}
			after = info.EndCursor
		}
	})
	if err != nil {
		return facts.RepositoryState{}, fmt.Errorf("look at repository: %w", err)
	}
	out.Now, out.App, out.Signing = c.now().UTC(), app, c.signing
	if out.Issues, err = c.issues(ctx, i, app, out.Repository); err != nil {
		return facts.RepositoryState{}, fmt.Errorf("look at repository: %w", err)
	}
	out.IssuesRead = true
	return out, nil
}
