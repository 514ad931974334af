package gh

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// Tip is where a subject stands: equal tips before and after a look mean that
// the look is of one moment.
type Tip struct {
	Head    string // commit id
	BaseRef string
	Base    string // commit id of the base branch's tip; "" for a repository or pilot
	Open    bool
	Draft   bool
	Updated time.Time // moves with comments and reviews, too
}

// Head reads where the subject stands now, in one request.
func (c *Client) Head(ctx context.Context, s facts.Subject) (Tip, error) {
	i := c.installation(s.Installation)
	var out Tip
	err := c.named(ctx, i, s.Repository, func(n ownerName) (id int64, err error) {
		switch s.Kind {
		case facts.KindPullRequest:
			out, id, err = c.pullHead(ctx, i, n, s.ID)
		case facts.KindMergeGroup:
			head, base, _ := strings.Cut(s.ID, "/")
			out, id, err = c.branchHead(ctx, i, n, s.Repository, base)
			out.Base, out.Head = out.Head, head
		default:
			out, id, err = c.defaultHead(ctx, i, n)
		}
		return id, err
	})
	if err != nil {
		return Tip{}, fmt.Errorf("read head: %w", err)
	}
	return out, nil
}

func (c *Client) pullHead(ctx context.Context, i *installation, n ownerName, id string) (Tip, int64, error) {
	number, err := strconv.Atoi(id)
	if err != nil {
		return Tip{}, 0, queue.Gone(fmt.Errorf("no pull request number: %.40q", id))
	}
	var answer struct {
		Repository *struct {
			DatabaseID  int64
			PullRequest *struct {
				State       string
				IsDraft     bool
				UpdatedAt   time.Time
				HeadRefOID  string
				BaseRefName string
				BaseRefOID  string
				BaseRef     *struct{ Target *oid }
			}
		}
	}
	if err := c.query(ctx, i, "head", map[string]any{"owner": n.owner, "name": n.name, "number": number}, &answer); err != nil {
		return Tip{}, 0, err
	}
	if answer.Repository == nil || answer.Repository.PullRequest == nil {
		return Tip{}, 0, &absent{what: "pull request " + id, status: http.StatusNotFound}
	}
	p := answer.Repository.PullRequest
	return Tip{
		Head: p.HeadRefOID, BaseRef: p.BaseRefName, Base: baseTip(p.BaseRefOID, p.BaseRef),
		Open: p.State == "OPEN", Draft: p.IsDraft, Updated: p.UpdatedAt,
	}, answer.Repository.DatabaseID, nil
}

// branchHead is a conditional read: unchanged, it costs no rate. A branch's
// answer bears no repository id, so id is taken from the caller.
func (c *Client) branchHead(ctx context.Context, i *installation, n ownerName, id int64, branch string) (Tip, int64, error) {
	var ref *github.Reference
	_, err := c.call(i, "GET /repos/{owner}/{repo}/git/ref/{ref}").get(ctx,
		fmt.Sprintf("repos/%s/%s/git/ref/heads/%s", n.owner, n.name, escapePath(branch)), &ref)
	if err != nil {
		return Tip{}, 0, err
	}
	return Tip{Head: ref.GetObject().GetSHA(), BaseRef: branch, Open: true}, id, nil
}

func (c *Client) defaultHead(ctx context.Context, i *installation, n ownerName) (Tip, int64, error) {
	var answer struct{ Repository *wireRepository }
	if err := c.query(ctx, i, "default", map[string]any{"owner": n.owner, "name": n.name}, &answer); err != nil {
		return Tip{}, 0, err
	}
	if answer.Repository == nil {
		return Tip{}, 0, &absent{what: "repository", status: http.StatusNotFound}
	}
	r := answer.Repository.facts()
	return Tip{Head: r.DefaultOID, BaseRef: r.DefaultBranch, Open: true}, r.ID, nil
}

// escapePath escapes a ref or path for a URL and keeps its slashes.
func escapePath(s string) string {
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
