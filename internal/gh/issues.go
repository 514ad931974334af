package gh

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// maxIssuePages caps our own issues that are read, the newest first: 100 a page.
const maxIssuePages = 10

// marker finds the hidden marker in a text of ours. Its inner text is what
// facts.Issue.Marker and effect.Issue.Marker hold: "pilotgate:incident x".
var marker = regexp.MustCompile(`<!-- (pilotgate:[^\n>]{1,300}?) -->`)

// withMarker makes sure that the body bears its marker, once.
func withMarker(body, m string) string {
	m = strings.TrimSuffix(strings.TrimPrefix(m, "<!-- "), " -->")
	if m == "" || strings.Contains(body, "<!-- "+m+" -->") {
		return body
	}
	return strings.TrimRight(body, "\n") + "\n\n<!-- " + m + " -->\n"
}

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
			issue := facts.Issue{
				Number: x.GetNumber(), NodeID: x.GetNodeID(), Open: x.GetState() == "open",
				Title: x.GetTitle(), Body: x.GetBody(), URL: x.GetHTMLURL(),
			}
			if m := marker.FindStringSubmatch(issue.Body); m != nil {
				issue.Marker = m[1]
			}
			out = append(out, issue)
		}
		page = resp.NextPage
	}
	return out, nil
}
