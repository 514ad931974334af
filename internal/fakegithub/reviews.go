package fakegithub

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
)

// The states in which a review can be submitted.
const (
	Approved         = "APPROVED"
	ChangesRequested = "CHANGES_REQUESTED"
	Commented        = "COMMENTED"
	Pending          = "PENDING"
)

// Review submits a review of the head as it is now and returns its id.
func (p *PR) Review(by, state, body string) int64 { return p.ReviewAt(by, state, body, "") }

// ReviewAt submits a review of an earlier head; "" is the head as it is now.
func (p *PR) ReviewAt(by, state, body, commit string) int64 {
	defer p.s.lock()()
	rv, f := p.s.review(p.p, p.s.account(by), nil, state, body, commit)
	if f != nil {
		panic("fakegithub: review: " + f.Error())
	}
	return rv.id
}

// TryReview is Review where GitHub may refuse: the author's own approval, say.
func (p *PR) TryReview(by, state, body string) (int64, error) {
	defer p.s.lock()()
	rv, f := p.s.review(p.p, p.s.account(by), nil, state, body, "")
	if f != nil {
		return 0, f
	}
	return rv.id, nil
}

func (s *Server) review(p *pull, by *account, via *app, state, body, commit string) (*review, *failure) {
	if by == p.author && (state == Approved || state == ChangesRequested) {
		verb := "approve"
		if state == ChangesRequested {
			verb = "request changes on"
		}
		return nil, &failure{status: http.StatusUnprocessableEntity, message: "Unprocessable Entity", errors: []fields{{"message": "Can not " + verb + " your own pull request"}}}
	}
	if commit == "" {
		commit = p.headOID
	}
	rv := &review{
		pull: p, id: s.next("review"), author: by, via: via, state: state, body: body, commit: commit, given: commit,
		association: s.association(p.repo, by),
	}
	if state != Pending {
		rv.submitted = s.stamp()
		rv.updated = rv.submitted
		p.updated = rv.submitted
		p.users = slices.DeleteFunc(p.users, func(a *account) bool { return a == by })
		p.teams = slices.DeleteFunc(p.teams, func(t *team) bool { return state != Commented && slices.Contains(s.membersOf(t, true), by) })
	}
	p.reviews = append(p.reviews, rv)
	s.nodes[rv.nodeID()] = rv
	s.tell(p.repo, "review", by.login, fields{"number": p.number, "id": rv.id, "state": state, "commit": commit, "user": by.id, "type": by.kind, "body": body})
	if state != Pending {
		p.addEvent(s, &event{kind: "reviewed", actor: by, review: rv})
		s.emitReview(rv, "submitted", by, nil)
		s.tryAutoMerge()
	}
	return rv, nil
}

func (s *Server) emitReview(rv *review, act string, by *account, more fields) {
	f := s.showReview(rv)
	f["state"] = lower(rv.state) // webhooks spell it in lower case
	payload := fields{"action": act, "review": f, "pull_request": s.showListedPull(rv.pull)}
	for k, v := range more {
		payload[k] = v
	}
	s.emit(rv.pull.repo, "pull_request_review", by, payload)
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// EditReview changes a submitted review's body, which leaves its state and time.
func (p *PR) EditReview(by string, id int64, body string) {
	defer p.s.lock()()
	rv := p.p.review(id)
	from := rv.body
	rv.body, rv.edited = body, p.s.stamp()
	rv.updated = rv.edited
	p.s.tell(p.p.repo, "review_edited", by, fields{"number": p.p.number, "id": id})
	p.s.emitReview(rv, "edited", p.s.account(by), fields{"changes": fields{"body": fields{"from": from}}})
}

// DismissReview dismisses a review with a reason.
func (p *PR) DismissReview(by string, id int64, why string) {
	defer p.s.lock()()
	p.s.dismiss(p.p.review(id), p.s.account(by), why)
}

func (s *Server) dismiss(rv *review, by *account, why string) {
	rv.was, rv.state, rv.updated = rv.state, "DISMISSED", s.stamp()
	rv.pull.addEvent(s, &event{kind: "review_dismissed", actor: by, review: rv, text: why})
	s.tell(rv.pull.repo, "review_dismissed", by.login, fields{"number": rv.pull.number, "id": rv.id})
	s.emitReview(rv, "dismissed", by, nil)
}

func (p *pull) review(id int64) *review {
	for _, rv := range p.reviews {
		if rv.id == id {
			return rv
		}
	}
	return nil
}

// visibleReviews: a pending review is its author's alone.
func visibleReviews(p *pull, to *account) []*review {
	var out []*review
	for _, rv := range p.reviews {
		if rv.state != Pending || rv.author == to {
			out = append(out, rv)
		}
	}
	return out
}

func (s *Server) showReview(rv *review) fields {
	p := rv.pull
	u := s.api(fmt.Sprintf("repos/%s/pulls/%d", p.repo.full(), p.number))
	h := s.reviewURL(rv)
	f := fields{
		"id": rv.id, "node_id": rv.nodeID(), "user": s.showUser(rv.author), "body": rv.body, "state": rv.state, "html_url": h, "pull_request_url": u,
		"_links": fields{"html": fields{"href": h}, "pull_request": fields{"href": u}}, "commit_id": nil, "author_association": rv.association,
	}
	if rv.commit != "" {
		f["commit_id"] = rv.commit
	}
	if rv.state != Pending {
		f["submitted_at"] = stampOf(rv.submitted)
	}
	return f
}

func (s *Server) reviewURL(rv *review) string {
	return s.html(fmt.Sprintf("%s/pull/%d#pullrequestreview-%d", rv.pull.repo.full(), rv.pull.number, rv.id))
}

func (c *call) createReview(p *pull) (answer, error) {
	var q struct {
		Body, Event string
		CommitID    string `json:"commit_id"`
		Comments    []struct {
			Path, Body, Side string
			Line             int
			StartLine        int `json:"start_line"`
		}
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	state, known := map[string]string{"": Pending, "APPROVE": Approved, "REQUEST_CHANGES": ChangesRequested, "COMMENT": Commented}[q.Event]
	if !known {
		return answer{}, unprocessable("Invalid request.\n\nevent is not one of APPROVE, REQUEST_CHANGES, COMMENT.")
	}
	if q.Body == "" && len(q.Comments) == 0 && (state == ChangesRequested || state == Commented) {
		return answer{}, unprocessable("Unprocessable Entity")
	}
	if q.CommitID != "" && !p.repo.git.reaches(p.headOID, q.CommitID) {
		return answer{}, unprocessable("Unprocessable Entity")
	}
	for _, n := range q.Comments {
		if !p.shows(n.Path, n.Line) {
			return answer{}, unprocessable("Unprocessable Entity: pull_request_review_thread.line must be part of the diff")
		}
	}
	rv, f := c.s.review(p, c.actor.user, c.actor.app, state, q.Body, q.CommitID)
	if f != nil {
		return answer{}, f
	}
	for _, n := range q.Comments {
		side := n.Side
		if side == "" {
			side = "RIGHT"
		}
		p.notes = append(p.notes, &reviewComment{
			id: c.s.next("note"), review: rv, path: n.Path, body: n.Body, line: n.Line, start: n.StartLine, side: side, commit: rv.commit,
			created: c.s.now(), author: c.actor.user,
		})
	}
	return ok(c.s.showReview(rv))
}

// shows tells whether the request's diff can show a line of a file: the file
// changed, and has that line at head.
func (p *pull) shows(path string, line int) bool {
	for _, ch := range p.changes() {
		if ch.path != path || ch.after.oid == "" {
			continue
		}
		data, _ := p.repo.git.blob(ch.after.oid)
		return line >= 1 && line <= 1+bytes.Count(data, []byte("\n"))
	}
	return false
}

func (c *call) dismissReview(p *pull) (answer, error) {
	var q struct{ Message string }
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	rv := p.review(c.number("review_id"))
	switch {
	case rv == nil:
		return answer{}, errNotFound
	case q.Message == "":
		return answer{}, unprocessable("Invalid request.\n\n\"message\" wasn't supplied.")
	case rv.state != Approved && rv.state != ChangesRequested:
		return answer{}, unprocessable("Can not dismiss a " + lower(rv.state) + " pull request review")
	}
	c.s.dismiss(rv, c.actor.user, q.Message)
	return ok(c.s.showReview(rv))
}

func (s *Server) showNote(p *pull, n *reviewComment) fields {
	u := s.api(fmt.Sprintf("repos/%s/pulls/comments/%d", p.repo.full(), n.id))
	h := s.html(fmt.Sprintf("%s/pull/%d#discussion_r%d", p.repo.full(), p.number, n.id))
	pu := s.api(fmt.Sprintf("repos/%s/pulls/%d", p.repo.full(), p.number))
	f := fields{
		"id": n.id, "node_id": nodeID("PRRC", n.id), "url": u, "html_url": h, "pull_request_url": pu, "pull_request_review_id": n.review.id,
		"path": n.path, "body": n.body, "commit_id": n.commit, "original_commit_id": n.commit, "user": s.showUser(n.author),
		"created_at": stampOf(n.created), "updated_at": stampOf(n.created), "author_association": s.association(p.repo, n.author),
		"diff_hunk": "@@", "line": n.line, "side": n.side, "subject_type": "line",
		"_links": fields{"self": fields{"href": u}, "html": fields{"href": h}, "pull_request": fields{"href": pu}},
	}
	if n.start > 0 {
		f["start_line"] = n.start
	}
	return f
}

// ReviewComments lists the comments on lines, "path:line body".
func (p *PR) ReviewComments() []string {
	defer p.s.lock()()
	var out []string
	for _, n := range p.p.notes {
		out = append(out, fmt.Sprintf("%s:%d %s", n.path, n.line, n.body))
	}
	return out
}
