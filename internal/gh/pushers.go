package gh

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// pushed names the pushes that led to a head: while it stands there and has not
// come back to it, nobody has pushed.
type pushed struct {
	repository, branch, head string
	moves                    int
}

func pushes(n facts.Need) pushed {
	return pushed{strings.ToLower(n.Repo), n.Branch, n.Commit, n.Moves}
}

// maxActivityPages caps the pushes of one branch that are read: 100 a page.
const maxActivityPages = 10

// pushers are those who pushed, force-pushed or made the branch, by GitHub's
// activity log, whatever the commits claim.
func (f *filling) pushers(ctx context.Context, n facts.Need) (facts.Pushers, error) {
	owner, name, ok := strings.Cut(n.Repo, "/")
	if !ok || n.Branch == "" {
		return facts.Pushers{Unknown: true}, nil
	}
	var out facts.Pushers
	newest, after := "", ""
	for page := 0; ; page++ {
		if page == maxActivityPages {
			return facts.Pushers{Unknown: true}, nil // more than we read: we do not know
		}
		var got []struct {
			Type   string `json:"activity_type"`
			Ref    string `json:"ref"`
			Before string `json:"before"`
			After  string `json:"after"`
			Actor  *struct {
				ID    int64  `json:"id"`
				Login string `json:"login"`
				Type  string `json:"type"`
			} `json:"actor"`
		}
		path := fmt.Sprintf("repos/%s/%s/activity?per_page=100&ref=%s", url.PathEscape(owner), url.PathEscape(name), url.QueryEscape("refs/heads/"+n.Branch))
		if after != "" {
			path += "&after=" + url.QueryEscape(after)
		}
		resp, err := f.call("GET /repos/{owner}/{repo}/activity").get(ctx, path, &got)
		switch {
		case isAbsent(err), isRefused(err):
			return facts.Pushers{Unknown: true}, nil
		case err != nil:
			return facts.Pushers{}, err
		}
		for _, a := range got {
			if a.Ref != "refs/heads/"+n.Branch {
				continue
			}
			deleted := a.Type == "branch_deletion"
			if newest == "" { // the log begins with the last push
				if newest = a.After; deleted {
					newest = a.Before
				}
			}
			if deleted {
				continue
			}
			push := facts.Push{By: facts.Account{Login: "ghost"}, Before: a.Before, After: a.After}
			if a.Actor != nil {
				push.By = facts.Account{ID: a.Actor.ID, Login: a.Actor.Login, Type: a.Actor.Type}
			}
			out.Pushes = append(out.Pushes, push)
		}
		if after = resp.After; after == "" || len(got) == 0 {
			if newest == n.Commit { // the log has caught up with the head
				f.client.pushers.put(pushes(n), out, int64(len(out.Pushes))+4)
			}
			return out, nil
		}
	}
}
