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
