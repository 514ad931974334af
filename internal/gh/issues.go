package gh

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// maxIssuePages caps our own issues that are read, the newest first: 100 a page.
const maxIssuePages = 10

// marker finds the hidden marker in a text of ours. Its inner text is what
// facts.Issue.Marker and effect.Issue.Marker hold: "pilotgate:incident x".
var marker = regexp.MustCompile(`<!-- (pilotgate:[^\n>]{1,300}?) -->`)

// issues are those that our App opened: the listing is by creator, and each
// one's App is compared, because a login can be had by others.
func (c *Client) issues(ctx context.Context, i *installation, app facts.App, r facts.Repository) ([]facts.Issue, error) {
	var out []facts.Issue
	for page, pages := 1, 0; page != 0 && pages < maxIssuePages; pages++ {
		var got []*github.Issue
		resp, err := c.call(i, "GET /repos/{owner}/{repo}/issues").get(ctx,
			fmt.Sprintf("repos/%s/%s/issues?creator=%s&state=all&per_page=100&page=%d", r.Owner, r.Name, url.QueryEscape(app.Login), page), &got)
		if isAbsent(err) { // issues are switched off (410)
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list our issues: %w", err)
		}
		for _, x := range got {
			if x.IsPullRequest() || x.GetUser().GetType() != "Bot" || x.GetUser().GetLogin() != app.Login {
				continue
			}
			out = append(out, ourIssue(x))
		}
		page = resp.NextPage
	}
	return c.withOpened(r.ID, out)
}

func ourIssue(x *github.Issue) facts.Issue {
	issue := facts.Issue{
		Number: x.GetNumber(), OpenedAt: x.GetCreatedAt().Time, NodeID: x.GetNodeID(), Open: x.GetState() == "open",
		Title: x.GetTitle(), Body: x.GetBody(), URL: x.GetHTMLURL(),
	}
	if m := marker.FindStringSubmatch(issue.Body); m != nil {
		issue.Marker = m[1]
	}
	return issue
}

// openedIssue is an issue that we opened a moment ago. GitHub's listings lag
// behind its writes, and a look in between would open the issue once more.
type openedIssue struct {
	issue facts.Issue
	at    time.Time
}

// issueLag is how long a listing may leave out what was opened.
const issueLag = 10 * time.Minute

// rememberIssue keeps what was opened; Number 0 is an issue that may have been:
// GitHub's answer was lost.
func (c *Client) rememberIssue(repository int64, x facts.Issue) {
	kept, _ := c.opened.get(repository)
	kept = slices.DeleteFunc(slices.Clone(kept), func(o openedIssue) bool { return c.now().Sub(o.at) > issueLag })
	kept = append(kept, openedIssue{x, c.now()})
	c.opened.put(repository, kept, int64(len(kept)))
}

// withOpened adds what the listing does not show yet. While it cannot be known
// whether an issue was opened, there is no answer.
func (c *Client) withOpened(repository int64, listed []facts.Issue) ([]facts.Issue, error) {
	const doubt = time.Minute // then it was not
	kept, _ := c.opened.get(repository)
	for _, o := range kept {
		age := c.now().Sub(o.at)
		shown := slices.ContainsFunc(listed, func(i facts.Issue) bool {
			return i.Number == o.issue.Number || o.issue.Number == 0 && i.Marker == o.issue.Marker
		})
		switch {
		case shown:
		case o.issue.Number == 0 && age < doubt:
			return nil, queue.Transient(errors.New("an issue of ours may have been opened and is not listed yet"), 0)
		case o.issue.Number != 0 && age <= issueLag:
			listed = append(listed, o.issue)
		}
	}
	return listed, nil
}
