package fakegithub

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// PR is a pull request, as stories handle it.
type PR struct {
	s *Server
	p *pull
}

// PRSpec describes a new pull request.
type PRSpec struct {
	Author, Title, Body string
	Base                string // "" is the default branch
	Head                string // branch
	From                *Repo  // the fork that holds Head; nil is the same repository
	Draft               bool
	Labels              []string
}

// OpenPR opens a pull request.
func (r *Repo) OpenPR(spec PRSpec) *PR {
	defer r.s.lock()()
	from := r.r
	if spec.From != nil {
		from = spec.From.r
	}
	if spec.Base == "" {
		spec.Base = r.r.defaultBranch
	}
	p, f := r.s.openPull(r.r, r.s.account(spec.Author), nil, from, spec)
	if f != nil {
		panic("fakegithub: open pull request: " + f.Error())
	}
	return &PR{r.s, p}
}

// PR finds a pull request by number; nil if there is none.
func (r *Repo) PR(number int) *PR {
	defer r.s.lock()()
	if i := r.r.issues[number]; i != nil && i.pull != nil {
		return &PR{r.s, i.pull}
	}
	return nil
}

// PRs lists all pull requests by number.
func (r *Repo) PRs() []*PR {
	defer r.s.lock()()
	var out []*PR
	for _, i := range r.r.sortedIssues() {
		if i.pull != nil {
			out = append(out, &PR{r.s, i.pull})
		}
	}
	return out
}

func (r *repo) sortedIssues() []*issue {
	var out []*issue
	for _, i := range r.issues {
		out = append(out, i)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].number < out[b].number })
	return out
}

func (s *Server) openPull(r *repo, by *account, via *app, from *repo, spec PRSpec) (*pull, *failure) {
	base, head := r.tip(spec.Base), from.tip(spec.Head)
	switch {
	case spec.Title == "":
		return nil, invalid("PullRequest", "title", "missing_field", "")
	case base == "":
		return nil, invalid("PullRequest", "base", "invalid", "")
	case head == "":
		return nil, invalid("PullRequest", "head", "invalid", "")
	}
	for _, p := range s.openPulls() {
		if p.repo == r && p.headRepo == from && p.headRef == spec.Head && p.baseRef == spec.Base {
			return nil, invalid("PullRequest", "", "custom", "A pull request already exists for "+from.owner.login+":"+spec.Head+".")
		}
	}
	if len(r.git.between(base, head)) == 0 {
		return nil, invalid("PullRequest", "", "custom", "No commits between "+spec.Base+" and "+spec.Head)
	}
	i := s.newIssue(r, by, via, spec.Title, spec.Body)
	p := &pull{
		issue: i, id: s.next("pull"), draft: spec.Draft, baseRef: spec.Base, baseOID: base, headRepo: from, headRef: spec.Head, headOID: head,
	}
	i.pull = p
	for _, l := range spec.Labels {
		i.labels = append(i.labels, s.label(r, l))
	}
	s.nodes[i.nodeID()] = p
	r.refs[fmt.Sprintf("refs/pull/%d/head", i.number)] = head
	s.tell(r, "pull_opened", by.login, fields{"number": i.number, "head": head, "head_ref": spec.Head, "head_repository": from.id, "base": spec.Base, "draft": spec.Draft})
	s.emitPull(p, "opened", by, nil)
	return p, nil
}

func (s *Server) emitPull(p *pull, act string, by *account, more fields) {
	payload := fields{"action": act, "number": p.number, "pull_request": s.showPull(p)}
	for k, v := range more {
		payload[k] = v
	}
	s.emit(p.repo, "pull_request", by, payload)
}

func (s *Server) openPulls() []*pull {
	var out []*pull
	for _, r := range s.sortedRepos() {
		for _, i := range r.sortedIssues() {
			if i.pull != nil && i.state == "open" {
				out = append(out, i.pull)
			}
		}
	}
	return out
}

// syncPulls moves the pull requests whose head or base a push has moved.
func (s *Server) syncPulls(r *repo, branch, old, now string, by *account) {
	for _, p := range s.openPulls() {
		if p.headRepo == r && p.headRef == branch {
			s.syncHead(p, old, now, by)
		}
		if p.repo == r && p.baseRef == branch && p.state == "open" && r.git.reaches(now, p.headOID) {
			// Its commits have come to the base by a push: GitHub calls that merged.
			s.finishMerge(p, by, now)
		}
	}
	s.tryAutoMerge()
}

func (s *Server) syncHead(p *pull, old, now string, by *account) {
	st := p.repo.git
	base := p.repo.tip(p.baseRef)
	forced := old != "" && !st.reaches(now, old)
	if forced {
		p.addEvent(s, &event{kind: "head_ref_force_pushed", actor: by, before: old, commit: now})
		if st.patchOf(base, old) == st.patchOf(base, now) {
			for _, rv := range p.reviews {
				if rv.commit == old {
					rv.commit = now // GitHub re-binds reviews of an identical patch
				}
			}
		}
	}
	p.headOID, p.baseOID, p.updated = now, base, s.now()
	p.repo.refs[fmt.Sprintf("refs/pull/%d/head", p.number)] = now
	if p.auto != "" && by != p.autoBy && s.access(p.repo, by) != "write" && s.access(p.repo, by) != "admin" {
		p.auto, p.autoBy = "", nil
	}
	if g := s.guards(p.repo, p.baseRef); g != nil && g.dismissStale {
		for _, rv := range p.reviews {
			if rv.state == "APPROVED" && rv.commit != now {
				s.dismiss(rv, by, "")
			}
		}
	}
	s.emitPull(p, "synchronize", by, fields{"before": old, "after": now})
}

// View is a pull request as it is now.
type View struct {
	Number         int
	Title, Body    string
	Author         string
	State          string // open, closed
	Draft, Merged  bool
	Head, HeadRef  string
	Base, BaseRef  string
	MergeCommit    string
	MergedBy       string
	RequestedUsers []string
	RequestedTeams []string
	Reviews        []ReviewView
	Comments       []CommentView
	Labels         []string
	AutoMerge      bool
	CreatedAt      time.Time
	MergedAt       time.Time
}

// ReviewView is one review.
type ReviewView struct {
	ID                          int64
	Author, State, Body, Commit string
	SubmittedAt                 time.Time
	Edited                      bool
}

// CommentView is one comment on the conversation.
type CommentView struct {
	ID           int64
	Author, Body string
	CreatedAt    time.Time
	Edited       bool
	Reactions    []string // "content by login"
}

// View shows the pull request.
func (p *PR) View() View {
	defer p.s.lock()()
	x := p.p
	v := View{
		Number: x.number, Title: x.title, Body: x.body, Author: p.s.shown(x.author).login, State: x.state, Draft: x.draft, Merged: x.merged,
		Head: x.headOID, HeadRef: x.headRef, Base: x.repo.tip(x.baseRef), BaseRef: x.baseRef, MergeCommit: x.mergeCommit,
		AutoMerge: x.auto != "", CreatedAt: x.created, MergedAt: x.mergedAt,
	}
	if x.mergedBy != nil {
		v.MergedBy = x.mergedBy.login
	}
	for _, u := range x.users {
		v.RequestedUsers = append(v.RequestedUsers, u.login)
	}
	for _, t := range x.teams {
		v.RequestedTeams = append(v.RequestedTeams, t.org.login+"/"+t.slug)
	}
	for _, l := range x.labels {
		v.Labels = append(v.Labels, l.name)
	}
	for _, rv := range x.reviews {
		v.Reviews = append(v.Reviews, ReviewView{rv.id, p.s.shown(rv.author).login, rv.state, rv.body, rv.commit, rv.submitted, !rv.edited.IsZero()})
	}
	v.Comments = p.s.viewComments(x.issue)
	return v
}

// Number is the pull request's number.
func (p *PR) Number() int { return p.p.number }

// Edit changes title, body or base; nil leaves one as it is.
func (p *PR) Edit(by string, title, body, base *string) {
	defer p.s.lock()()
	p.s.editPull(p.p, p.s.account(by), title, body, base)
}

func (s *Server) editPull(p *pull, by *account, title, body, base *string) {
	changes := fields{}
	if title != nil && *title != p.title {
		changes["title"] = fields{"from": p.title}
		p.addEvent(s, &event{kind: "renamed", actor: by, from: p.title, to: *title})
		p.title = *title
	}
	if body != nil && *body != p.body {
		changes["body"] = fields{"from": p.body}
		p.body, p.edited = *body, s.stamp()
	}
	if base != nil && *base != p.baseRef {
		changes["base"] = fields{"ref": fields{"from": p.baseRef}, "sha": fields{"from": p.baseOID}}
		p.addEvent(s, &event{kind: "base_ref_changed", actor: by, from: p.baseRef, to: *base})
		s.tell(p.repo, "base_changed", by.login, fields{"number": p.number, "from": p.baseRef, "to": *base})
		p.baseRef, p.baseOID = *base, p.repo.tip(*base)
	}
	if len(changes) > 0 {
		p.updated = s.stamp()
		s.emitPull(p, "edited", by, fields{"changes": changes})
	}
}

// SetDraft turns the pull request into a draft or marks it ready.
func (p *PR) SetDraft(by string, draft bool) {
	defer p.s.lock()()
	a := p.s.account(by)
	if p.p.draft == draft {
		return
	}
	p.p.draft, p.p.updated = draft, p.s.stamp()
	act, kind := "ready_for_review", "ready_for_review"
	if draft {
		act, kind = "converted_to_draft", "convert_to_draft"
	}
	p.p.addEvent(p.s, &event{kind: kind, actor: a})
	p.s.tell(p.p.repo, "pull_draft", by, fields{"number": p.p.number, "draft": draft})
	p.s.emitPull(p.p, act, a, nil)
}

// Label adds a label.
func (p *PR) Label(by, name string) {
	defer p.s.lock()()
	l := p.s.label(p.p.repo, name)
	p.p.labels = append(p.p.labels, l)
	a := p.s.account(by)
	p.p.addEvent(p.s, &event{kind: "labeled", actor: a, label: name})
	p.s.emitPull(p.p, "labeled", a, fields{"label": showLabel(p.s, p.p.repo, l)})
}

// Close closes without merging; Reopen opens again.
func (p *PR) Close(by string) {
	defer p.s.lock()()
	p.s.closePull(p.p, p.s.account(by))
}

func (s *Server) closePull(p *pull, by *account) {
	if p.state != "open" {
		return
	}
	p.state, p.closed, p.closedBy = "closed", s.stamp(), by
	p.updated = p.closed
	p.addEvent(s, &event{kind: "closed", actor: by})
	s.tell(p.repo, "pull_closed", by.login, fields{"number": p.number})
	s.emitPull(p, "closed", by, nil)
}

// Reopen opens a closed pull request again.
func (p *PR) Reopen(by string) {
	defer p.s.lock()()
	p.s.reopenPull(p.p, p.s.account(by))
}

func (s *Server) reopenPull(p *pull, by *account) {
	if p.state == "open" || p.merged || p.headRepo == nil || p.headRepo.tip(p.headRef) == "" {
		return
	}
	p.state, p.closed, p.closedBy = "open", time.Time{}, nil
	p.headOID, p.baseOID, p.updated = p.headRepo.tip(p.headRef), p.repo.tip(p.baseRef), s.stamp()
	p.addEvent(s, &event{kind: "reopened", actor: by})
	s.tell(p.repo, "pull_reopened", by.login, fields{"number": p.number, "head": p.headOID})
	s.emitPull(p, "reopened", by, nil)
}

func (i *issue) addEvent(s *Server, e *event) {
	e.id, e.at = s.next("event"), s.stamp()
	i.events = append(i.events, e)
}

// RequestReview asks users ("login") or teams ("org/slug").
func (p *PR) RequestReview(by string, who ...string) {
	defer p.s.lock()()
	for _, w := range who {
		if org, slug := splitFull(w); slug != "" {
			p.s.askTeam(p.p, p.s.account(by), nil, p.s.team(org, slug))
		} else {
			p.s.askUser(p.p, p.s.account(by), nil, p.s.account(w))
		}
	}
}

func (s *Server) askUser(p *pull, by *account, via *app, u *account) {
	if slices.Contains(p.users, u) {
		return
	}
	p.users = append(p.users, u)
	p.addEvent(s, &event{kind: "review_requested", actor: by, via: via, user: u})
	s.tell(p.repo, "review_requested", by.login, fields{"number": p.number, "user": u.login})
	s.emitPull(p, "review_requested", by, fields{"requested_reviewer": s.showUser(u)})
}

func (s *Server) askTeam(p *pull, by *account, via *app, t *team) {
	if slices.Contains(p.teams, t) {
		return
	}
	p.teams = append(p.teams, t)
	p.addEvent(s, &event{kind: "review_requested", actor: by, via: via, team: t})
	s.tell(p.repo, "review_requested", by.login, fields{"number": p.number, "team": t.slug})
	s.emitPull(p, "review_requested", by, fields{"requested_team": s.showTeam(t)})
}

// commitsOf lists what head has and base has not; frozen once merged.
func (p *pull) commitsOf() []*commit {
	base := p.repo.tip(p.baseRef)
	if p.merged || base == "" {
		base = p.baseOID
	}
	return p.repo.git.between(base, p.headOID)
}

// base is the commit that the diff is against.
func (p *pull) diffBase() string {
	if p.merged {
		return p.mergeBase
	}
	tip := p.repo.tip(p.baseRef)
	if tip == "" {
		tip = p.baseOID
	}
	return p.repo.git.mergeBase(tip, p.headOID)
}

func (p *pull) changes() []change {
	st := p.repo.git
	from := emptyTree
	if c, ok := st.commit(p.diffBase()); ok {
		from = c.tree
	}
	c, ok := st.commit(p.headOID)
	if !ok {
		return nil
	}
	return st.diff(from, c.tree)
}

func (p *pull) mergeable() bool {
	if p.merged {
		return false
	}
	_, good := p.mergedTree()
	return good
}

// mergedTree is what merging head into base now would give.
func (p *pull) mergedTree() (string, bool) {
	st := p.repo.git
	base, head := p.repo.tip(p.baseRef), p.headOID
	b, okB := st.commit(base)
	h, okH := st.commit(head)
	if !okB || !okH {
		return "", false
	}
	from := emptyTree
	if c, ok := st.commit(st.mergeBase(base, head)); ok {
		from = c.tree
	}
	return st.mergeTrees(from, b.tree, h.tree)
}

func (s *Server) showRef(r *repo, ref, oid string) fields {
	f := fields{"label": "unknown:" + ref, "ref": ref, "sha": oid, "user": nil, "repo": nil}
	if r != nil {
		f["label"], f["user"], f["repo"] = r.owner.login+":"+ref, s.showUser(r.owner), s.showRepo(r)
	}
	return f
}

func (s *Server) showPull(p *pull) fields {
	u := s.api(fmt.Sprintf("repos/%s/pulls/%d", p.repo.full(), p.number))
	iu := s.api(fmt.Sprintf("repos/%s/issues/%d", p.repo.full(), p.number))
	h := s.html(fmt.Sprintf("%s/pull/%d", p.repo.full(), p.number))
	users, teams := []fields{}, []fields{}
	for _, a := range p.users {
		users = append(users, s.showUser(a))
	}
	for _, t := range p.teams {
		teams = append(teams, s.showTeam(t))
	}
	commits := p.commitsOf()
	adds, dels := 0, 0
	changes := p.changes()
	for _, c := range changes {
		_, a, d := p.repo.git.patchOfChange(c)
		adds, dels = adds+a, dels+d
	}
	f := fields{
		"url": u, "id": p.id, "node_id": p.nodeID(), "html_url": h, "diff_url": h + ".diff", "patch_url": h + ".patch", "issue_url": iu,
		"commits_url": u + "/commits", "review_comments_url": u + "/comments", "review_comment_url": s.api("repos/" + p.repo.full() + "/pulls/comments{/number}"),
		"comments_url": iu + "/comments", "statuses_url": s.api("repos/" + p.repo.full() + "/statuses/" + p.headOID), "number": p.number,
		"state": p.state, "locked": false, "title": p.title, "user": s.showUser(p.author), "body": p.body, "labels": s.showLabels(p.issue),
		"milestone": nil, "active_lock_reason": nil, "created_at": stampOf(p.created), "updated_at": stampOf(p.updated), "closed_at": stampOf(p.closed),
		"merged_at": stampOf(p.mergedAt), "merge_commit_sha": nil, "assignee": nil, "assignees": []fields{}, "requested_reviewers": users,
		"requested_teams": teams, "head": s.showRef(p.headRepo, p.headRef, p.headOID), "base": s.showRef(p.repo, p.baseRef, p.baseOID),
		"_links": fields{
			"self": fields{"href": u}, "html": fields{"href": h}, "issue": fields{"href": iu}, "comments": fields{"href": iu + "/comments"},
			"review_comments": fields{"href": u + "/comments"}, "review_comment": fields{"href": s.api("repos/" + p.repo.full() + "/pulls/comments{/number}")},
			"commits": fields{"href": u + "/commits"}, "statuses": fields{"href": s.api("repos/" + p.repo.full() + "/statuses/" + p.headOID)},
		},
		"author_association": s.association(p.repo, p.author), "auto_merge": nil, "draft": p.draft, "merged": p.merged, "merged_by": s.userOrNull(p.mergedBy),
		"mergeable": nil, "rebaseable": nil, "mergeable_state": "unknown", "comments": len(p.comments), "review_comments": len(p.notes),
		"maintainer_can_modify": false, "commits": len(commits), "additions": adds, "deletions": dels, "changed_files": len(changes),
	}
	if p.mergeCommit != "" {
		f["merge_commit_sha"] = p.mergeCommit
	}
	if p.auto != "" {
		f["auto_merge"] = fields{"enabled_by": s.showUser(p.autoBy), "merge_method": p.auto, "commit_title": "", "commit_message": ""}
	}
	if !p.merged && p.state == "open" {
		good := p.mergeable()
		f["mergeable"], f["rebaseable"] = good, good
		switch {
		case !good:
			f["mergeable_state"] = "dirty"
		case p.draft:
			f["mergeable_state"] = "draft"
		case s.refuseMerge(p, false) != nil:
			f["mergeable_state"] = "blocked"
		default:
			f["mergeable_state"] = "clean"
		}
	}
	return f
}

// showListedPull leaves out what listings do not have.
func (s *Server) showListedPull(p *pull) fields {
	f := s.showPull(p)
	for _, k := range []string{"merged", "merged_by", "mergeable", "rebaseable", "mergeable_state", "comments", "review_comments", "maintainer_can_modify", "commits", "additions", "deletions", "changed_files"} {
		delete(f, k)
	}
	return f
}

func (st *store) patchOfChange(c change) (string, int, int) {
	if c.before.mode == ModeSubmodule || c.after.mode == ModeSubmodule {
		return "", 1, 1
	}
	a, _ := st.blob(c.before.oid)
	b, _ := st.blob(c.after.oid)
	return patch(a, b)
}

func (s *Server) showFile(r *repo, c change, head string) fields {
	text, adds, dels := r.git.patchOfChange(c)
	oid := c.after.oid
	if oid == "" {
		oid = c.before.oid
	}
	f := fields{
		"sha": oid, "filename": c.path, "status": c.status(), "additions": adds, "deletions": dels, "changes": adds + dels,
		"blob_url": s.html(r.full() + "/blob/" + head + "/" + c.path), "raw_url": s.html(r.full() + "/raw/" + head + "/" + c.path),
		"contents_url": s.api("repos/" + r.full() + "/contents/" + c.path + "?ref=" + head),
	}
	if c.previous != "" {
		f["previous_filename"] = c.previous
	}
	if text != "" {
		f["patch"] = text
	}
	return f
}

// pullFiles and pullCommits are GitHub's silent limits of the REST listings.
const (
	pullFiles   = 3000
	pullCommits = 250
)

type asked struct {
	Reviewers []string `json:"reviewers"`
	Teams     []string `json:"team_reviewers"`
}

// teamReaches tells whether a team, or one above it, has the repository.
func (s *Server) teamReaches(t *team, r *repo) bool {
	for ; t != nil; t = t.parent {
		if t.repositories[r.id] != "" {
			return true
		}
	}
	return false
}
