package fakegithub

import (
	"slices"
	"sort"
	"strings"
	"time"
)

func (c *call) issue() (*issue, *failure) {
	if i := c.repo.issues[int(c.number("issue_number"))]; i != nil {
		return i, nil
	}
	return nil, errNotFound
}

func (c *call) comment() (*comment, *failure) {
	if x := c.repo.comments[c.number("comment_id")]; x != nil {
		return x, nil
	}
	return nil, errNotFound
}

func (s *Server) issueRoutes() []*route {
	const base = "/repos/{owner}/{repo}/issues"
	read, write := "issues:read|pull_requests:read", "issues:write|pull_requests:write"
	with := func(do func(*call, *issue) (answer, error)) handler {
		return func(c *call) (answer, error) {
			i, f := c.issue()
			if f != nil {
				return answer{}, f
			}
			return do(c, i)
		}
	}
	onComment := func(do func(*call, *comment) (answer, error)) handler {
		return func(c *call) (answer, error) {
			x, f := c.comment()
			if f != nil {
				return answer{}, f
			}
			return do(c, x)
		}
	}
	return []*route{
		{method: "GET", template: base, operation: "issues/list-for-repo", needs: read, do: (*call).listIssues},
		{method: "POST", template: base, operation: "issues/create", needs: "issues:write", do: (*call).createIssue},
		{method: "GET", template: base + "/comments", operation: "issues/list-comments-for-repo", needs: read, do: func(c *call) (answer, error) {
			var all []*comment
			since, _ := time.Parse(time.RFC3339, c.query("since"))
			for _, x := range c.repo.comments {
				if !x.updated.Before(since) {
					all = append(all, x)
				}
			}
			sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
			all = seen(c, all, (*comment).nodeID)
			return ok(list(page(c, all), c.s.showComment))
		}},
		{method: "GET", template: base + "/comments/{comment_id}", operation: "issues/get-comment", needs: read, do: onComment(func(c *call, x *comment) (answer, error) {
			return ok(c.s.showComment(x))
		})},
		{method: "PATCH", template: base + "/comments/{comment_id}", operation: "issues/update-comment", needs: write, do: onComment(func(c *call, x *comment) (answer, error) {
			var q struct{ Body string }
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			if f := checkText("IssueComment", q.Body); f != nil {
				return answer{}, f
			}
			c.s.editComment(x, c.actor.user, q.Body)
			return ok(c.s.showComment(x))
		})},
		{method: "DELETE", template: base + "/comments/{comment_id}", operation: "issues/delete-comment", needs: write, do: onComment(func(c *call, x *comment) (answer, error) {
			c.s.deleteComment(x, c.actor.user)
			return empty()
		})},
		{method: "GET", template: base + "/comments/{comment_id}/reactions", operation: "reactions/list-for-issue-comment", needs: read, do: onComment(func(c *call, x *comment) (answer, error) {
			return ok(list(page(c, x.reactions), c.s.showReaction))
		})},
		{method: "POST", template: base + "/comments/{comment_id}/reactions", operation: "reactions/create-for-issue-comment", needs: write, do: onComment(func(c *call, x *comment) (answer, error) {
			return c.react(&x.reactions)
		})},
		{method: "GET", template: base + "/{issue_number}", operation: "issues/get", needs: read, do: with(func(c *call, i *issue) (answer, error) {
			return ok(c.s.showIssue(i))
		})},
		{method: "PATCH", template: base + "/{issue_number}", operation: "issues/update", needs: write, do: with((*call).updateIssue)},
		{method: "GET", template: base + "/{issue_number}/comments", operation: "issues/list-comments", needs: read, do: with(func(c *call, i *issue) (answer, error) {
			all := seen(c, i.comments, (*comment).nodeID)
			return ok(list(page(c, all), c.s.showComment))
		})},
		{method: "POST", template: base + "/{issue_number}/comments", operation: "issues/create-comment", needs: write, do: with(func(c *call, i *issue) (answer, error) {
			var q struct{ Body string }
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			if f := checkText("IssueComment", q.Body); f != nil {
				return answer{}, f
			}
			x := c.s.addComment(i, c.actor.user, c.actor.app, q.Body)
			c.late(x.nodeID())
			return created(c.s.showComment(x))
		})},
		{method: "POST", template: base + "/{issue_number}/reactions", operation: "reactions/create-for-issue", needs: write, do: with(func(c *call, i *issue) (answer, error) {
			return c.react(&i.reactions)
		})},
		{method: "POST", template: base + "/{issue_number}/labels", operation: "issues/add-labels", needs: write, do: with(func(c *call, i *issue) (answer, error) {
			var q struct{ Labels []string }
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			for _, name := range q.Labels {
				if l := c.s.label(c.repo, name); !slices.Contains(i.labels, l) {
					i.labels = append(i.labels, l)
				}
			}
			return ok(c.s.showLabels(i))
		})},
		{method: "GET", template: base + "/{issue_number}/timeline", operation: "issues/list-events-for-timeline", needs: read, do: with(func(c *call, i *issue) (answer, error) {
			return ok(page(c, c.s.timeline(i)))
		})},
		{method: "GET", template: base + "/{issue_number}/events", operation: "issues/list-events", needs: read, do: with(func(c *call, i *issue) (answer, error) {
			var out []fields
			for _, e := range i.events {
				if e.kind != "reviewed" {
					out = append(out, c.s.showEvent(i, e))
				}
			}
			return ok(page(c, nonNil(out)))
		})},
	}
}

func (c *call) listIssues() (answer, error) {
	state := c.query("state")
	if state == "" {
		state = "open"
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	var out []*issue
	for _, i := range c.repo.sortedIssues() {
		if (state != "all" && i.state != state) || i.updated.Before(since) {
			continue
		}
		if by := c.query("creator"); by != "" && !strings.EqualFold(by, i.author.login) {
			continue
		}
		has := true
		if ls := c.query("labels"); ls != "" {
			for _, want := range strings.Split(ls, ",") {
				has = has && slices.ContainsFunc(i.labels, func(l *label) bool { return strings.EqualFold(l.name, want) })
			}
		}
		if has {
			out = append(out, i)
		}
	}
	if c.query("direction") != "asc" {
		slices.Reverse(out)
	}
	out = seen(c, out, (*issue).nodeID)
	return ok(list(page(c, out), c.s.showIssue))
}

func (c *call) createIssue() (answer, error) {
	var q struct {
		Title, Body string
		Labels      []string
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if q.Title == "" {
		return answer{}, invalid("Issue", "title", "missing_field", "")
	}
	if len([]rune(q.Body)) > maxText {
		return answer{}, checkText("Issue", q.Body)
	}
	i := c.s.openIssue(c.repo, c.actor.user, c.actor.app, q.Title, q.Body, q.Labels)
	c.late(i.nodeID())
	return created(c.s.showIssue(i))
}

func (c *call) updateIssue(i *issue) (answer, error) {
	var q struct {
		Title, Body, State *string
		StateReason        string `json:"state_reason"`
		Labels             *[]string
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	c.s.editIssue(i, c.actor.user, q.Title, q.Body)
	if q.Labels != nil {
		i.labels = nil
		for _, l := range *q.Labels {
			i.labels = append(i.labels, c.s.label(c.repo, l))
		}
	}
	if q.State != nil {
		if q.StateReason == "" && *q.State == "closed" {
			q.StateReason = "completed"
		}
		switch {
		case i.pull != nil && *q.State == "closed":
			c.s.closePull(i.pull, c.actor.user)
		case i.pull != nil:
			c.s.reopenPull(i.pull, c.actor.user)
		default:
			c.s.setIssueState(i, c.actor.user, *q.State, q.StateReason)
		}
	}
	return ok(c.s.showIssue(i))
}

// react adds a reaction; the same one twice is answered 200 and changes nothing.
func (c *call) react(on *[]*reaction) (answer, error) {
	var q struct{ Content string }
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	x, fresh, f := c.s.addReaction(on, c.actor.user, q.Content)
	if f != nil {
		return answer{}, f
	}
	if !fresh {
		return ok(c.s.showReaction(x))
	}
	return created(c.s.showReaction(x))
}
