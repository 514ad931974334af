package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
)

func (c *call) pull() (*pull, *failure) {
	i := c.repo.issues[int(c.number("pull_number"))]
	if i == nil || i.pull == nil {
		return nil, errNotFound
	}
	return i.pull, nil
}

func (c *call) listPulls() (answer, error) {
	state := c.query("state")
	if state == "" {
		state = "open"
	}
	var out []*pull
	for _, i := range c.repo.sortedIssues() {
		p := i.pull
		if p == nil || (state != "all" && p.state != state) || (c.query("base") != "" && c.query("base") != p.baseRef) {
			continue
		}
		if h := c.query("head"); h != "" {
			owner, ref, _ := strings.Cut(h, ":")
			if p.headRepo == nil || !strings.EqualFold(p.headRepo.owner.login, owner) || p.headRef != ref {
				continue
			}
		}
		out = append(out, p)
	}
	if c.query("sort") == "updated" {
		sort.SliceStable(out, func(i, j int) bool { return out[i].updated.Before(out[j].updated) })
	}
	if c.query("direction") != "asc" {
		slices.Reverse(out)
	}
	out = seen(c, out, func(p *pull) string { return p.nodeID() })
	return ok(list(page(c, out), c.s.showListedPull))
}

func (c *call) createPull() (answer, error) {
	var q struct {
		Title, Body, Head, Base string
		HeadRepo                string `json:"head_repo"`
		Draft                   bool
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	from, head := c.repo, q.Head
	if owner, ref, cross := strings.Cut(q.Head, ":"); cross {
		head = ref
		if from = c.s.find(owner, c.repo.name); from == nil {
			return answer{}, invalid("PullRequest", "head", "invalid", "")
		}
	}
	p, f := c.s.openPull(c.repo, c.actor.user, c.actor.app, from, PRSpec{Title: q.Title, Body: q.Body, Base: q.Base, Head: head, Draft: q.Draft})
	if f != nil {
		return answer{}, f
	}
	c.late(p.nodeID())
	return created(c.s.showPull(p))
}

func (c *call) updatePull() (answer, error) {
	p, f := c.pull()
	if f != nil {
		return answer{}, f
	}
	var q struct{ Title, Body, Base, State *string }
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if q.Base != nil && c.repo.tip(*q.Base) == "" {
		return answer{}, invalid("PullRequest", "base", "invalid", "")
	}
	c.s.editPull(p, c.actor.user, q.Title, q.Body, q.Base)
	if q.State != nil && *q.State == "closed" {
		c.s.closePull(p, c.actor.user)
	} else if q.State != nil && *q.State == "open" {
		c.s.reopenPull(p, c.actor.user)
	}
	return ok(c.s.showPull(p))
}

func (s *Server) pullRoutes() []*route {
	const base = "/repos/{owner}/{repo}/pulls"
	read, write := "pull_requests:read", "pull_requests:write"
	with := func(do func(*call, *pull) (answer, error)) handler {
		return func(c *call) (answer, error) {
			p, f := c.pull()
			if f != nil {
				return answer{}, f
			}
			return do(c, p)
		}
	}
	return []*route{
		{method: "GET", template: base, operation: "pulls/list", needs: read, do: (*call).listPulls},
		{method: "POST", template: base, operation: "pulls/create", needs: write, do: (*call).createPull},
		{method: "GET", template: base + "/{pull_number}", operation: "pulls/get", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			return ok(c.s.showPull(p))
		})},
		{method: "PATCH", template: base + "/{pull_number}", operation: "pulls/update", needs: write, do: (*call).updatePull},
		{method: "GET", template: base + "/{pull_number}/files", operation: "pulls/list-files", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			cs := p.changes()
			cs = cs[:min(len(cs), pullFiles)]
			return ok(list(page(c, cs), func(ch change) fields { return c.s.showFile(p.repo, ch, p.headOID) }))
		})},
		{method: "GET", template: base + "/{pull_number}/commits", operation: "pulls/list-commits", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			cs := p.commitsOf()
			cs = cs[:min(len(cs), pullCommits)]
			return ok(list(page(c, cs), func(x *commit) fields { return c.s.showListedCommit(p.repo, x) }))
		})},
		{method: "PUT", template: base + "/{pull_number}/merge", operation: "pulls/merge", needs: "contents:write", do: with((*call).mergePull)},
		{method: "GET", template: base + "/{pull_number}/merge", operation: "pulls/check-if-merged", needs: "contents:read", do: with(func(_ *call, p *pull) (answer, error) {
			if p.merged {
				return empty()
			}
			return answer{}, errNotFound
		})},
		{method: "PUT", template: base + "/{pull_number}/update-branch", operation: "pulls/update-branch", needs: write, do: with(func(c *call, p *pull) (answer, error) {
			var q struct {
				Expected string `json:"expected_head_sha"`
			}
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			if q.Expected != "" && q.Expected != p.headOID {
				return answer{}, unprocessable("expected head sha didn’t match current head ref.")
			}
			if f := c.s.updateBranch(p, c.actor.user); f != nil {
				return answer{}, f
			}
			return answer{status: http.StatusAccepted, body: fields{"message": "Updating pull request branch.", "url": c.s.html(fmt.Sprintf("%s/pull/%d", p.repo.full(), p.number))}}, nil
		})},
		{method: "GET", template: base + "/{pull_number}/reviews", operation: "pulls/list-reviews", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			return ok(list(page(c, visibleReviews(p, c.actor.user)), c.s.showReview))
		})},
		{method: "POST", template: base + "/{pull_number}/reviews", operation: "pulls/create-review", needs: write, do: with((*call).createReview)},
		{method: "GET", template: base + "/{pull_number}/reviews/{review_id}", operation: "pulls/get-review", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			rv := p.review(c.number("review_id"))
			if rv == nil {
				return answer{}, errNotFound
			}
			return ok(c.s.showReview(rv))
		})},
		{method: "PUT", template: base + "/{pull_number}/reviews/{review_id}/dismissals", operation: "pulls/dismiss-review", needs: write, do: with((*call).dismissReview)},
		{method: "GET", template: base + "/{pull_number}/comments", operation: "pulls/list-review-comments", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			return ok(list(page(c, p.notes), func(n *reviewComment) fields { return c.s.showNote(p, n) }))
		})},
		{method: "GET", template: base + "/{pull_number}/requested_reviewers", operation: "pulls/list-requested-reviewers", needs: read, do: with(func(c *call, p *pull) (answer, error) {
			return ok(fields{"users": list(p.users, c.s.showUser), "teams": list(p.teams, c.s.showTeam)})
		})},
		{method: "POST", template: base + "/{pull_number}/requested_reviewers", operation: "pulls/request-reviewers", needs: write, do: with((*call).requestReviewers)},
		{method: "DELETE", template: base + "/{pull_number}/requested_reviewers", operation: "pulls/remove-requested-reviewers", needs: write, do: with((*call).removeReviewers)},
	}
}

func (c *call) requestReviewers(p *pull) (answer, error) {
	var q asked
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	var users []*account
	var teams []*team
	for _, login := range q.Reviewers {
		u := c.s.accounts[strings.ToLower(login)]
		switch {
		case u == p.author:
			return answer{}, unprocessable("Review cannot be requested from pull request author.")
		case u == nil || c.s.accessExplicit(p.repo, u) == "":
			return answer{}, unprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the " + p.repo.full() + " repository.")
		}
		users = append(users, u)
	}
	for _, slug := range q.Teams {
		t := c.s.team(p.repo.owner.login, slug)
		if t == nil || !c.s.teamReaches(t, p.repo) {
			return answer{}, unprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the " + p.repo.full() + " repository.")
		}
		teams = append(teams, t)
	}
	for _, u := range users {
		c.s.askUser(p, c.actor.user, c.actor.app, u)
	}
	for _, t := range teams {
		c.s.askTeam(p, c.actor.user, c.actor.app, t)
	}
	return created(c.s.showListedPull(p))
}

func (c *call) removeReviewers(p *pull) (answer, error) {
	var q asked
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	for _, login := range q.Reviewers {
		p.users = slices.DeleteFunc(p.users, func(a *account) bool { return strings.EqualFold(a.login, login) })
	}
	for _, slug := range q.Teams {
		p.teams = slices.DeleteFunc(p.teams, func(t *team) bool { return strings.EqualFold(t.slug, slug) })
	}
	return ok(c.s.showListedPull(p))
}
