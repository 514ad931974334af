package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// maxGroup caps the commits of a merge group; GitHub's queue builds at most a
// hundred requests.
const maxGroup = 250

// LookMergeGroup reads a merge queue's group. Its subject's ID is the head
// commit, "/", and the base branch. The group is everything between the base
// branch as it is and that head, so requests queued before this group and not
// merged yet are looked at, too.
func (c *Client) LookMergeGroup(ctx context.Context, s facts.Subject) (facts.MergeGroup, error) {
	head, base, ok := strings.Cut(s.ID, "/")
	if !ok || !isOID(head) || base == "" {
		return facts.MergeGroup{}, queue.Gone(fmt.Errorf("no merge group: %.60q", s.ID))
	}
	app, err := c.App(ctx)
	if err != nil {
		return facts.MergeGroup{}, err
	}
	i := c.installation(s.Installation)
	var out facts.MergeGroup
	var byHead map[string]int
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		var answer struct {
			Repository *struct {
				wireRepository
				Object     *wireTip
				Ref        *struct{ Target *oid }
				MergeQueue *struct {
					Entries struct {
						Nodes []struct {
							HeadCommit  *oid
							PullRequest *struct{ Number int }
						}
					}
				}
			}
		}
		vars := map[string]any{"owner": n.owner, "name": n.name, "oid": head, "base": base, "ref": "refs/heads/" + base, "app": app.ID}
		if err := c.query(ctx, i, "group", vars, &answer); err != nil {
			return 0, err
		}
		r := answer.Repository
		if r == nil || r.Object == nil || r.Ref == nil || r.Ref.Target == nil {
			return 0, &absent{what: "merge group", status: http.StatusNotFound}
		}
		l := look{seen: map[string]bool{}}
		l.runs(&r.Object.runsAt)
		out = facts.MergeGroup{HeadOID: head, BaseOID: r.Ref.Target.OID, BaseRef: base, Runs: l.out.Runs}
		out.Repository = r.facts()
		byHead = map[string]int{}
		if r.MergeQueue != nil {
			for _, e := range r.MergeQueue.Entries.Nodes {
				if e.HeadCommit != nil && e.PullRequest != nil {
					byHead[e.HeadCommit.OID] = e.PullRequest.Number
				}
			}
		}
		return out.Repository.ID, nil
	})
	if err != nil {
		return facts.MergeGroup{}, fmt.Errorf("look at merge group: %w", err)
	}
	out.Now, out.App, out.Signing = c.now().UTC(), app, c.signing
	numbers, err := c.grouped(ctx, i, &out, byHead)
	if err != nil {
		return facts.MergeGroup{}, fmt.Errorf("look at merge group: %w", err)
	}
	for _, number := range numbers {
		p, err := c.LookPullRequest(ctx, facts.Subject{
			Installation: s.Installation, Repository: s.Repository, Kind: facts.KindPullRequest, ID: strconv.Itoa(number),
		})
		if err != nil {
			return facts.MergeGroup{}, err
		}
		out.Pulls = append(out.Pulls, p)
	}
	return out, nil
}

// grouped walks from the group's head to its base by first parents: each of
// these commits is what the queue made of one request. A commit that the queue
// does not show is looked up by its second parent, the request's head, and is
// Unresolved if that does not name exactly one open request.
func (c *Client) grouped(ctx context.Context, i *installation, g *facts.MergeGroup, byHead map[string]int) ([]int, error) {
	var got struct {
		Base struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
		Total   int `json:"total_commits"`
		Commits []struct {
			SHA     string `json:"sha"`
			Parents []struct {
				SHA string `json:"sha"`
			} `json:"parents"`
		} `json:"commits"`
	}
	k := c.call(i, "GET /repos/{owner}/{repo}/compare/{basehead}")
	if _, err := k.get(ctx, fmt.Sprintf("repos/%s/%s/compare/%s...%s?per_page=100", g.Repository.Owner, g.Repository.Name, g.BaseOID, g.HeadOID), &got); err != nil {
		return nil, lost(err)
	}
	g.BaseOID = got.Base.SHA
	if !isOID(g.BaseOID) {
		return nil, k.sort(errors.New("comparison without a merge base"))
	}
	first, second := map[string]string{}, map[string]string{}
	for _, x := range got.Commits {
		if len(x.Parents) > 0 {
			first[x.SHA] = x.Parents[0].SHA
		}
		if len(x.Parents) == 2 {
			second[x.SHA] = x.Parents[1].SHA
		}
	}
	var numbers []int
	for at, n := g.HeadOID, 0; at != g.BaseOID; n++ {
		parent, known := first[at]
		if !known || n == maxGroup { // cut, or not a line down to the base
			g.Unresolved = append(g.Unresolved, at)
			return numbers, nil
		}
		number, ok := byHead[at]
		if !ok {
			var err error
			if number, err = c.associated(ctx, i, g, at, second[at]); err != nil {
				return nil, err
			}
		}
		if number == 0 {
			g.Unresolved = append(g.Unresolved, at)
		} else {
			numbers = append([]int{number}, numbers...)
		}
		at = parent
	}
	return numbers, nil
}

// associated is the one open request into the group's base whose head is the
// merge commit's second parent, or which GitHub associates with the commit
// itself; 0 if there is none or more than one.
func (c *Client) associated(ctx context.Context, i *installation, g *facts.MergeGroup, commit, head string) (int, error) {
	if head == "" {
		return c.openWith(ctx, i, g, commit, "")
	}
	if number, err := c.openWith(ctx, i, g, head, head); number != 0 || err != nil {
		return number, err
	}
	return c.openWith(ctx, i, g, commit, "")
}

func (c *Client) openWith(ctx context.Context, i *installation, g *facts.MergeGroup, commit, head string) (int, error) {
	var got []struct {
		Number int    `json:"number"`
		State  string `json:"state"`
		Head   struct {
			SHA string `json:"sha"`
		} `json:"head"`
		Base struct {
			Ref string `json:"ref"`
		} `json:"base"`
	}
	_, err := c.call(i, "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls").get(ctx,
		fmt.Sprintf("repos/%s/%s/commits/%s/pulls?per_page=100", g.Repository.Owner, g.Repository.Name, commit), &got)
	if isAbsent(err) || isInvalid(err) {
		return 0, nil
	}
	number := 0
	for _, p := range got {
		if p.State != "open" || p.Base.Ref != g.BaseRef || head != "" && p.Head.SHA != head {
			continue
		}
		if number != 0 {
			return 0, err
		}
		number = p.Number
	}
	return number, err
}
