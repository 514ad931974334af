package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"
)

// maxText is the longest body of an issue or comment, in characters.
const maxText = 65536

func (s *Server) newIssue(r *repo, by *account, via *app, title, body string) *issue {
	r.number++
	now := s.stamp()
	i := &issue{repo: r, id: s.next("issue"), number: r.number, title: title, body: body, author: by, via: via, state: "open", created: now, updated: now}
	r.issues[i.number] = i
	return i
}

// OpenIssue opens an issue as a person and returns its number.
func (r *Repo) OpenIssue(by, title, body string, labels ...string) int {
	defer r.s.lock()()
	return r.s.openIssue(r.r, r.s.account(by), nil, title, body, labels).number
}

func (s *Server) openIssue(r *repo, by *account, via *app, title, body string, labels []string) *issue {
	i := s.newIssue(r, by, via, title, body)
	for _, l := range labels {
		i.labels = append(i.labels, s.label(r, l))
	}
	s.nodes[i.nodeID()] = i
	s.tell(r, "issue_opened", by.login, fields{"number": i.number})
	s.emit(r, "issues", by, fields{"action": "opened", "issue": s.showIssue(i)})
	return i
}

func (s *Server) label(r *repo, name string) *label {
	for _, l := range r.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	l := &label{s.next("label"), name}
	r.labels = append(r.labels, l)
	return l
}

func showLabel(s *Server, r *repo, l *label) fields {
	return fields{
		"id": l.id, "node_id": nodeID("LA", l.id), "url": s.api("repos/" + r.full() + "/labels/" + l.name), "name": l.name,
		"color": "ededed", "default": false, "description": "",
	}
}

func (s *Server) showLabels(i *issue) []fields {
	return list(i.labels, func(l *label) fields { return showLabel(s, i.repo, l) })
}

// IssueView is an issue as it is now.
type IssueView struct {
	Number                     int
	Title, Body, Author, State string
	Labels                     []string
	Comments                   []CommentView
}

// Issues lists the issues that are no pull requests, by number.
func (r *Repo) Issues() []IssueView {
	defer r.s.lock()()
	var out []IssueView
	for _, i := range r.r.sortedIssues() {
		if i.pull != nil {
			continue
		}
		v := IssueView{Number: i.number, Title: i.title, Body: i.body, Author: r.s.shown(i.author).login, State: i.state, Comments: r.s.viewComments(i)}
		for _, l := range i.labels {
			v.Labels = append(v.Labels, l.name)
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) viewComments(i *issue) []CommentView {
	var out []CommentView
	for _, c := range i.comments {
		v := CommentView{ID: c.id, Author: s.shown(c.author).login, Body: c.body, CreatedAt: c.created, Edited: !c.edited.IsZero()}
		for _, x := range c.reactions {
			v.Reactions = append(v.Reactions, x.content+" by "+x.user.login)
		}
		out = append(out, v)
	}
	return out
}

// CloseIssue and ReopenIssue act as a person.
func (r *Repo) CloseIssue(by string, number int) {
	defer r.s.lock()()
	r.s.setIssueState(r.r.issues[number], r.s.account(by), "closed", "completed")
}

// ReopenIssue opens a closed issue again.
func (r *Repo) ReopenIssue(by string, number int) {
	defer r.s.lock()()
	r.s.setIssueState(r.r.issues[number], r.s.account(by), "open", "reopened")
}

func (s *Server) setIssueState(i *issue, by *account, state, reason string) {
	if i.state == state {
		return
	}
	i.state, i.reason, i.updated = state, reason, s.stamp()
	act := "reopened"
	i.closed, i.closedBy = time.Time{}, nil
	if state == "closed" {
		act, i.closed, i.closedBy = "closed", i.updated, by
	}
	i.addEvent(s, &event{kind: act, actor: by})
	s.tell(i.repo, "issue_"+act, by.login, fields{"number": i.number})
	s.emit(i.repo, "issues", by, fields{"action": act, "issue": s.showIssue(i)})
}

// CommentOn writes a comment on an issue or pull request and returns its id.
func (r *Repo) CommentOn(number int, by, body string) int64 {
	defer r.s.lock()()
	return r.s.addComment(r.r.issues[number], r.s.account(by), nil, body).id
}

// Comment writes a comment on the pull request and returns its id.
func (p *PR) Comment(by, body string) int64 {
	defer p.s.lock()()
	return p.s.addComment(p.p.issue, p.s.account(by), nil, body).id
}

// EditComment edits a comment, as its author or somebody else.
func (r *Repo) EditComment(by string, id int64, body string) {
	defer r.s.lock()()
	r.s.editComment(r.r.comments[id], r.s.account(by), body)
}

// DeleteComment deletes a comment.
func (r *Repo) DeleteComment(by string, id int64) {
	defer r.s.lock()()
	r.s.deleteComment(r.r.comments[id], r.s.account(by))
}

func (s *Server) addComment(i *issue, by *account, via *app, body string) *comment {
	now := s.stamp()
	c := &comment{issue: i, id: s.next("comment"), author: by, via: via, body: body, created: now, updated: now}
	i.comments = append(i.comments, c)
	i.repo.comments[c.id] = c
	i.updated = now
	s.nodes[c.nodeID()] = c
	s.tell(i.repo, "comment", by.login, fields{"number": i.number, "id": c.id, "user": by.id, "type": by.kind, "body": body})
	s.emitComment(c, "created", by, nil)
	return c
}

func (s *Server) editComment(c *comment, by *account, body string) {
	from := c.body
	c.body, c.updated = body, s.stamp()
	c.edited, c.editor = c.updated, by
	s.tell(c.issue.repo, "comment_edited", by.login, fields{"number": c.issue.number, "id": c.id})
	s.emitComment(c, "edited", by, fields{"changes": fields{"body": fields{"from": from}}})
}

func (s *Server) deleteComment(c *comment, by *account) {
	c.issue.comments = slices.DeleteFunc(c.issue.comments, func(x *comment) bool { return x == c })
	delete(c.issue.repo.comments, c.id)
	delete(s.nodes, c.nodeID())
	s.tell(c.issue.repo, "comment_deleted", by.login, fields{"number": c.issue.number, "id": c.id})
	s.emitComment(c, "deleted", by, nil)
}

func (s *Server) emitComment(c *comment, act string, by *account, more fields) {
	p := fields{"action": act, "issue": s.showIssue(c.issue), "comment": s.showComment(c)}
	for k, v := range more {
		p[k] = v
	}
	s.emit(c.issue.repo, "issue_comment", by, p)
}

func (s *Server) issueURL(i *issue) string {
	kind := "issues"
	if i.pull != nil {
		kind = "pull"
	}
	return s.html(fmt.Sprintf("%s/%s/%d", i.repo.full(), kind, i.number))
}

func (s *Server) commentURL(c *comment) string {
	return fmt.Sprintf("%s#issuecomment-%d", s.issueURL(c.issue), c.id)
}

func (s *Server) viaApp(a *app) any {
	if a == nil {
		return nil
	}
	return s.showApp(a)
}

func showReactions(url string, rs []*reaction) fields {
	f := fields{"url": url + "/reactions", "total_count": len(rs)}
	for _, c := range []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket"} {
		n := 0
		for _, r := range rs {
			if r.content == c {
				n++
			}
		}
		f[c] = n
	}
	return f
}

func (s *Server) showComment(c *comment) fields {
	u := s.api(fmt.Sprintf("repos/%s/issues/comments/%d", c.issue.repo.full(), c.id))
	return fields{
		"id": c.id, "node_id": c.nodeID(), "url": u, "html_url": s.commentURL(c), "body": c.body, "user": s.showUser(c.author),
		"created_at": stampOf(c.created), "updated_at": stampOf(c.updated), "author_association": s.association(c.issue.repo, c.author),
		"issue_url":                s.api(fmt.Sprintf("repos/%s/issues/%d", c.issue.repo.full(), c.issue.number)),
		"performed_via_github_app": s.viaApp(c.via), "reactions": showReactions(u, c.reactions),
	}
}

func (s *Server) showIssue(i *issue) fields {
	u := s.api(fmt.Sprintf("repos/%s/issues/%d", i.repo.full(), i.number))
	f := fields{
		"id": i.id, "node_id": i.nodeID(), "url": u, "repository_url": s.api("repos/" + i.repo.full()), "labels_url": u + "/labels{/name}",
		"comments_url": u + "/comments", "events_url": u + "/events", "html_url": s.issueURL(i), "number": i.number, "state": i.state,
		"state_reason": nil, "title": i.title, "body": i.body, "user": s.showUser(i.author), "labels": s.showLabels(i), "assignee": nil,
		"assignees": list(i.assignees, s.showUser), "milestone": nil, "locked": false, "active_lock_reason": nil, "comments": len(i.comments),
		"closed_at": stampOf(i.closed), "created_at": stampOf(i.created), "updated_at": stampOf(i.updated),
		"closed_by": s.userOrNull(i.closedBy), "author_association": s.association(i.repo, i.author), "performed_via_github_app": s.viaApp(i.via),
		"reactions": showReactions(u, i.reactions), "timeline_url": u + "/timeline",
	}
	if i.reason != "" {
		f["state_reason"] = i.reason
	}
	if p := i.pull; p != nil {
		f["pull_request"] = fields{
			"url": s.api(fmt.Sprintf("repos/%s/pulls/%d", i.repo.full(), i.number)), "html_url": s.issueURL(i),
			"diff_url": s.issueURL(i) + ".diff", "patch_url": s.issueURL(i) + ".patch", "merged_at": stampOf(p.mergedAt),
		}
		f["draft"] = p.draft
	}
	return f
}

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

// checkText refuses an empty or overlong body.
func checkText(resource, body string) *failure {
	if strings.TrimSpace(body) == "" {
		return invalid(resource, "body", "missing_field", "")
	}
	if n := len([]rune(body)); n > maxText {
		return invalid(resource, "body", "custom", fmt.Sprintf("body is too long (maximum is %d characters)", maxText))
	}
	return nil
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

// editIssue changes title or body; a pull request is edited as one.
func (s *Server) editIssue(i *issue, by *account, title, body *string) {
	if i.pull != nil {
		s.editPull(i.pull, by, title, body, nil)
		return
	}
	changes := fields{}
	if title != nil && *title != i.title {
		changes["title"] = fields{"from": i.title}
		i.addEvent(s, &event{kind: "renamed", actor: by, from: i.title, to: *title})
		i.title = *title
	}
	if body != nil && *body != i.body {
		changes["body"] = fields{"from": i.body}
		i.body = *body
	}
	if len(changes) > 0 {
		i.updated = s.stamp()
		i.edited = i.updated
		s.tell(i.repo, "issue_edited", by.login, fields{"number": i.number})
		s.emit(i.repo, "issues", by, fields{"action": "edited", "issue": s.showIssue(i), "changes": changes})
	}
}

// EditIssue edits an issue's body as a person.
func (r *Repo) EditIssue(by string, number int, body string) {
	defer r.s.lock()()
	r.s.editIssue(r.r.issues[number], r.s.account(by), nil, &body)
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

func (s *Server) addReaction(on *[]*reaction, by *account, content string) (*reaction, bool, *failure) {
	if !slices.Contains([]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}, content) {
		return nil, false, invalid("Reaction", "content", "invalid", "")
	}
	for _, x := range *on {
		if x.user == by && x.content == content {
			return x, false, nil
		}
	}
	x := &reaction{id: s.next("reaction"), user: by, content: content, created: s.stamp()}
	*on = append(*on, x)
	return x, true, nil
}

func (s *Server) showReaction(x *reaction) fields {
	return fields{"id": x.id, "node_id": nodeID("REA", x.id), "user": s.showUser(x.user), "content": x.content, "created_at": stampOf(x.created)}
}

func (s *Server) showEvent(i *issue, e *event) fields {
	f := fields{
		"id": e.id, "node_id": nodeID("EV", e.id), "url": s.api(fmt.Sprintf("repos/%s/issues/events/%d", i.repo.full(), e.id)),
		"actor": s.userOrNull(e.actor), "event": e.kind, "commit_id": nil, "commit_url": nil, "created_at": stampOf(e.at),
		"performed_via_github_app": s.viaApp(e.via),
	}
	if e.commit != "" {
		f["commit_id"], f["commit_url"] = e.commit, s.api("repos/"+i.repo.full()+"/commits/"+e.commit)
	}
	switch e.kind {
	case "review_requested":
		f["review_requester"] = s.userOrNull(e.actor)
		if e.user != nil {
			f["requested_reviewer"] = s.showUser(e.user)
		}
		if e.team != nil {
			f["requested_team"] = s.showTeam(e.team)
		}
	case "review_dismissed":
		f["dismissed_review"] = fields{"state": lower(e.review.was), "review_id": e.review.id, "dismissal_message": e.text}
	case "labeled":
		f["label"] = fields{"name": e.label, "color": "ededed"}
	case "renamed":
		f["rename"] = fields{"from": e.from, "to": e.to}
	}
	return f
}

// timeline mixes commits, comments, reviews and events by time.
func (s *Server) timeline(i *issue) []fields {
	type row struct {
		at time.Time
		f  fields
	}
	var rows []row
	if i.pull != nil {
		for _, c := range i.pull.commitsOf() {
			f := s.showGitCommit(i.repo, c)
			f["event"] = "committed"
			rows = append(rows, row{i.repo.git.pushed[c.oid], f})
		}
	}
	for _, c := range i.comments {
		f := s.showComment(c)
		f["event"], f["actor"] = "commented", s.showUser(c.author)
		rows = append(rows, row{c.created, f})
	}
	for _, e := range i.events {
		f := s.showEvent(i, e)
		if e.kind == "reviewed" {
			f = s.showReview(e.review)
			f["event"] = "reviewed"
		}
		rows = append(rows, row{e.at, f})
	}
	sort.SliceStable(rows, func(a, b int) bool { return rows[a].at.Before(rows[b].at) })
	out := []fields{}
	for _, r := range rows {
		out = append(out, r.f)
	}
	return out
}

func gone(message string) *failure { return &failure{status: http.StatusGone, message: message} }
