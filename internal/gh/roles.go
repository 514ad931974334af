package gh

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// wireLaw is the default branch with the latest changes of the role file.
type wireLaw struct {
	History struct {
		Nodes []struct {
			OID                    string
			Parents                struct{ Nodes []wireFileAt }
			AssociatedPullRequests struct{ Nodes []wireRoleChange }
		}
	}
}

// wireFileAt is a commit with the role file's blob in it, if there is one.
type wireFileAt struct {
	OID  string
	File *oid
}

func (f wireFileAt) blob() string {
	if f.File == nil {
		return ""
	}
	return f.File.OID
}

type wireRoleChange struct {
	Number      int
	MergedAt    *time.Time
	MergedBy    *wireActor
	BaseRefName string
	HeadRefOID  string
	Repository  struct{ DatabaseID int64 }
	MergeCommit *struct {
		wireFileAt
		Parents struct{ Nodes []wireFileAt }
	}
	Commits struct{ Nodes []struct{ Commit runsAt } }
}

// roles is the request that changed the role file last, if the newest change
// came by one. A rebase brings several commits: what was there before is then
// the oldest one's parent's.
func (l *wireLaw) roles(r facts.Repository) *facts.RoleChange {
	var out *facts.RoleChange
	for _, at := range l.History.Nodes {
		i := slices.IndexFunc(at.AssociatedPullRequests.Nodes, func(p wireRoleChange) bool {
			return p.MergedAt != nil && p.MergeCommit != nil && p.BaseRefName == r.DefaultBranch && p.Repository.DatabaseID == r.ID
		})
		if i < 0 {
			return out
		}
		p := at.AssociatedPullRequests.Nodes[i]
		merged := p.MergeCommit.Parents.Nodes
		switch {
		case out == nil:
			out = &facts.RoleChange{
				Number: p.Number, Head: p.HeadRefOID, After: p.MergeCommit.blob(), Runs: p.runs(),
				Merge: facts.Merge{At: *p.MergedAt, By: p.MergedBy.facts(), Commit: p.MergeCommit.OID},
			}
			if len(merged) > 0 {
				out.Merge.FirstParent, out.Before = merged[0].OID, merged[0].blob()
			}
		case p.Number != out.Number:
			return out
		}
		if len(merged) < 2 && len(at.Parents.Nodes) > 0 {
			out.Merge.FirstParent, out.Before = at.Parents.Nodes[0].OID, at.Parents.Nodes[0].blob()
		}
	}
	return out
}

// runs are our App's at the request's head.
func (p wireRoleChange) runs() []facts.CheckRun {
	var out []facts.CheckRun
	for _, c := range p.Commits.Nodes {
		for _, s := range c.Commit.CheckSuites.Nodes {
			for _, run := range s.CheckRuns.Nodes {
				out = append(out, run.facts(c.Commit.OID))
			}
		}
	}
	return out
}

// opened is what became of our App's request from a branch of ours; the zero
// value where there never was one.
func (f *filling) opened(ctx context.Context, branch string) (facts.Opened, error) {
	r := f.to.Repository
	var answer struct {
		Repository *struct {
			DatabaseID   int64
			PullRequests struct{ Nodes []wireOpened }
		}
	}
	if err := f.client.query(ctx, f.inst, "opened", map[string]any{"owner": r.Owner, "name": r.Name, "branch": branch}, &answer); err != nil {
		return facts.Opened{}, err
	}
	if answer.Repository == nil || answer.Repository.DatabaseID != r.ID {
		return facts.Opened{}, &absent{what: "repository", status: http.StatusNotFound}
	}
	for _, p := range answer.Repository.PullRequests.Nodes {
		if p.ViewerDidAuthor && !p.IsCrossRepository && p.HeadRefName == branch {
			return p.facts(), nil
		}
	}
	return facts.Opened{}, nil
}
