package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The three ways to merge.
const (
	MergeCommit = "merge"
	Squash      = "squash"
	Rebase      = "rebase"
)

// Merge merges as a person. With bypass an admin merges around the protection.
func (p *PR) Merge(by, method string, bypass bool) error {
	defer p.s.lock()()
	if f := p.s.merge(p.p, p.s.account(by), method, "", "", "", bypass); f != nil {
		return f
	}
	return nil
}

// refuseMerge says what the base branch's protection still asks for.
func (s *Server) refuseMerge(p *pull, bypass bool) *failure {
	g := s.guardsFor(p.repo, p.baseRef, nil, bypass)
	if p.draft {
		return &failure{status: http.StatusMethodNotAllowed, message: "Pull Request is still a draft"}
	}
	if g == nil || bypass {
		return nil
	}
	var missing []string
	for _, name := range g.checks {
		if !s.checkPassed(p.repo, p.headOID, name) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 1 {
		return &failure{status: http.StatusMethodNotAllowed, message: "Required status check \"" + missing[0] + "\" is expected."}
	} else if len(missing) > 1 {
		return &failure{status: http.StatusMethodNotAllowed, message: fmt.Sprintf("%d of %d required status checks are expected.", len(missing), len(g.checks))}
	}
	if approved, blocked := s.opinions(p); approved < g.reviews || (g.reviews > 0 && blocked) {
		return &failure{status: http.StatusMethodNotAllowed, message: fmt.Sprintf("At least %d approving review is required by reviewers with write access.", g.reviews)}
	}
	return nil
}

// opinions counts the latest opinion of each reviewer with write access.
func (s *Server) opinions(p *pull) (approved int, blocked bool) {
	last := map[*account]string{}
	for _, rv := range p.reviews {
		if rv.state == Approved || rv.state == ChangesRequested || rv.state == "DISMISSED" {
			last[rv.author] = rv.state
		}
	}
	for a, st := range last {
		if acc := s.access(p.repo, a); acc != "write" && acc != "admin" {
			continue
		}
		if st == Approved {
			approved++
		}
		blocked = blocked || st == ChangesRequested
	}
	return approved, blocked
}

func (s *Server) merge(p *pull, by *account, method, expected, title, message string, bypass bool) *failure {
	r := p.repo
	if p.merged || p.state != "open" {
		return &failure{status: http.StatusMethodNotAllowed, message: "Pull Request is not mergeable"}
	}
	if expected != "" && expected != p.headOID {
		return &failure{status: http.StatusConflict, message: "Head branch was modified. Review and try the merge again."}
	}
	if bypass && s.access(r, by) != "admin" {
		return &failure{status: http.StatusForbidden, message: "Must have admin rights to Repository."}
	}
	if f := s.refuseMerge(p, bypass); f != nil {
		return f
	}
	tree, good := p.mergedTree()
	if !good {
		return &failure{status: http.StatusMethodNotAllowed, message: "Pull Request is not mergeable"}
	}
	base := r.tip(p.baseRef)
	now := s.stamp()
	github := s.identOf(s.webflow, now)
	commits := p.commitsOf()
	var oid string
	switch method {
	case Squash:
		if title == "" {
			title = fmt.Sprintf("%s (#%d)", p.title, p.number)
		}
		oid = s.webCommit(r, commit{tree: tree, parents: []string{base}, author: s.identOf(p.author, now), committer: github, message: join(title, message)})
	case Rebase:
		oid = base
		for _, c := range commits {
			if len(c.parents) > 1 {
				continue
			}
			from, _ := r.git.commit(c.parents[0])
			onto, _ := r.git.commit(oid)
			t, fits := r.git.mergeTrees(from.tree, onto.tree, c.tree)
			if !fits {
				return &failure{status: http.StatusMethodNotAllowed, message: "This branch can't be rebased"}
			}
			oid = r.git.putCommit(commit{tree: t, parents: []string{oid}, author: c.author, committer: s.identOf(by, now), message: c.message})
			p.rebased = append(p.rebased, oid)
		}
	default:
		if title == "" {
			title = fmt.Sprintf("Merge pull request #%d from %s/%s", p.number, p.headOwner(), p.headRef)
			if message == "" {
				message = p.title
			}
		}
		oid = s.webCommit(r, commit{tree: tree, parents: []string{base, p.headOID}, author: s.identOf(by, now), committer: github, message: join(title, message)})
	}
	p.freeze(base)
	s.setMerged(p, by, oid)
	s.setRef(r, "refs/heads/"+p.baseRef, oid, by, "pr_merge")
	s.emitPull(p, "closed", by, nil)
	return nil
}

func join(title, message string) string {
	if message == "" {
		return title
	}
	return title + "\n\n" + message
}

func (p *pull) headOwner() string {
	if p.headRepo == nil {
		return "unknown"
	}
	return p.headRepo.owner.login
}

// freeze keeps what the diff was against.
func (p *pull) freeze(base string) {
	p.mergeBase = p.repo.git.mergeBase(base, p.headOID)
	p.baseOID = base
}

func (s *Server) setMerged(p *pull, by *account, oid string) {
	p.merged, p.mergedAt, p.mergedBy, p.mergeCommit = true, s.stamp(), by, oid
	p.state, p.closed, p.closedBy, p.updated, p.auto = "closed", p.mergedAt, by, p.mergedAt, ""
	p.addEvent(s, &event{kind: "merged", actor: by, commit: oid})
	p.addEvent(s, &event{kind: "closed", actor: by, commit: oid})
	s.tell(p.repo, "merge", by.login, fields{"number": p.number, "head": p.headOID, "commit": oid, "base": p.baseOID, "base_ref": p.baseRef, "by": by.id})
}

// finishMerge is a merge by a push to the base.
func (s *Server) finishMerge(p *pull, by *account, oid string) {
	p.freeze(p.baseOID)
	s.setMerged(p, by, oid)
	s.emitPull(p, "closed", by, nil)
}

// webCommit makes a commit that GitHub signs.
func (s *Server) webCommit(r *repo, c commit) string {
	c.signature = signatureBlock
	oid := r.git.putCommit(c)
	r.git.verified[oid], r.git.web[oid] = true, true
	return oid
}

// signedByGitHub tells GitHub's own signature from a person's.
func (s *Server) signedByGitHub(r *repo, c *commit) bool {
	return r.git.verified[c.oid] && s.attributed(c.committer) == s.webflow
}

// UpdateBranch merges the base into the head, signed by GitHub, as the button does.
func (p *PR) UpdateBranch(by string) error {
	defer p.s.lock()()
	if f := p.s.updateBranch(p.p, p.s.account(by)); f != nil {
		return f
	}
	return nil
}

func (s *Server) updateBranch(p *pull, by *account) *failure {
	r := p.repo
	base := r.tip(p.baseRef)
	if p.headRepo == nil || r.git.reaches(p.headOID, base) {
		return unprocessable("There are no new commits on the base branch.")
	}
	h, _ := r.git.commit(p.headOID)
	b, _ := r.git.commit(base)
	m, _ := r.git.commit(r.git.mergeBase(base, p.headOID))
	tree, good := r.git.mergeTrees(m.tree, h.tree, b.tree)
	if !good {
		return unprocessable("merge conflict between base and head")
	}
	now := s.stamp()
	oid := s.webCommit(r, commit{
		tree: tree, parents: []string{p.headOID, base}, author: s.identOf(by, now), committer: s.identOf(s.webflow, now),
		message: fmt.Sprintf("Merge branch '%s' into %s", p.baseRef, p.headRef),
	})
	s.setRef(p.headRepo, "refs/heads/"+p.headRef, oid, by, "push")
	return nil
}

// Suggestion commits suggested changes through GitHub's page: the one who
// applies is the author, who suggested is a co-author, GitHub signs.
func (p *PR) Suggestion(by string, suggesters []string, files map[string]File) string {
	defer p.s.lock()()
	s, r := p.s, p.p.repo
	a := s.account(by)
	oid := s.commitFiles(r, []string{p.p.headOID}, CommitSpec{Message: "Apply suggestions from code review", Files: files, CoAuthors: suggesters}, a)
	c, _ := r.git.commit(oid)
	signed := *c
	signed.committer = s.identOf(s.webflow, s.now())
	oid = s.webCommit(r, signed)
	s.setRef(p.p.headRepo, "refs/heads/"+p.p.headRef, oid, a, "push")
	return oid
}

// Revert opens a pull request that takes a merged one back.
func (p *PR) Revert(by string) *PR {
	defer p.s.lock()()
	s, r, a := p.s, p.p.repo, p.s.account(by)
	m, okM := r.git.commit(p.p.mergeCommit)
	if !okM {
		panic("fakegithub: revert of a pull request that is not merged")
	}
	parent, _ := r.git.commit(m.parents[0])
	tip, _ := r.git.commit(r.tip(p.p.baseRef))
	tree, good := r.git.mergeTrees(m.tree, tip.tree, parent.tree)
	if !good {
		panic("fakegithub: revert conflicts")
	}
	now := s.stamp()
	oid := s.webCommit(r, commit{
		tree: tree, parents: []string{tip.oid}, author: s.identOf(a, now), committer: s.identOf(s.webflow, now),
		message: fmt.Sprintf("Revert %q\n\nThis reverts commit %s.", p.p.title, m.oid),
	})
	branch := fmt.Sprintf("revert-%d-%s", p.p.number, p.p.headRef)
	s.setRef(r, "refs/heads/"+branch, oid, a, "branch_creation")
	np, f := s.openPull(r, a, nil, r, PRSpec{Title: fmt.Sprintf("Revert %q", p.p.title), Body: fmt.Sprintf("Reverts %s#%d", r.full(), p.p.number), Base: p.p.baseRef, Head: branch})
	if f != nil {
		panic("fakegithub: revert: " + f.Error())
	}
	return &PR{s, np}
}

// tryAutoMerge merges what has auto-merge on and waits for nothing any more.
func (s *Server) tryAutoMerge() {
	for _, p := range s.openPulls() {
		if p.auto != "" && !p.draft && s.refuseMerge(p, false) == nil {
			if _, good := p.mergedTree(); good {
				_ = s.merge(p, p.autoBy, p.auto, "", "", "", false)
			}
		}
	}
}

func (c *call) mergePull(p *pull) (answer, error) {
	var q struct {
		CommitTitle   string `json:"commit_title"`
		CommitMessage string `json:"commit_message"`
		SHA           string `json:"sha"`
		MergeMethod   string `json:"merge_method"`
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if f := c.s.merge(p, c.actor.user, q.MergeMethod, q.SHA, q.CommitTitle, q.CommitMessage, false); f != nil {
		return answer{}, f
	}
	return ok(fields{"sha": p.mergeCommit, "merged": true, "message": "Pull Request successfully merged"})
}

// Group is a merge queue's group.
type Group struct{ Head, Base, Ref string }

// QueueGroup puts pull requests into a merge queue's group: a temporary branch
// that merges them onto the base, and the merge_group event.
func (r *Repo) QueueGroup(by string, prs ...*PR) Group {
	defer r.s.lock()()
	s := r.s
	baseRef := prs[0].p.baseRef
	base := r.r.tip(baseRef)
	tip := base
	now := s.stamp()
	for _, p := range prs {
		m, _ := r.r.git.commit(r.r.git.mergeBase(tip, p.p.headOID))
		t, _ := r.r.git.commit(tip)
		h, _ := r.r.git.commit(p.p.headOID)
		tree, good := r.r.git.mergeTrees(m.tree, t.tree, h.tree)
		if !good {
			panic("fakegithub: the group conflicts")
		}
		tip = s.webCommit(r.r, commit{
			tree: tree, parents: []string{tip, p.p.headOID}, author: s.identOf(s.account(by), now), committer: s.identOf(s.webflow, now),
			message: fmt.Sprintf("Merge pull request #%d from %s/%s\n\n%s", p.p.number, p.p.headOwner(), p.p.headRef, p.p.title),
		})
		p.p.queued = true
	}
	last := prs[len(prs)-1].p
	ref := fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", baseRef, last.number, base)
	s.setRef(r.r, ref, tip, s.account(by), "branch_creation")
	c, _ := r.r.git.commit(tip)
	s.emit(r.r, "merge_group", s.account(by), fields{
		"action": "checks_requested",
		"merge_group": fields{
			"head_sha": tip, "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/" + baseRef,
			"head_commit": fields{"id": tip, "tree_id": c.tree, "message": c.message, "timestamp": c.committer.when.Format(time.RFC3339), "author": fields{"name": c.author.name, "email": c.author.email}, "committer": fields{"name": c.committer.name, "email": c.committer.email}},
		},
	})
	return Group{tip, base, strings.TrimPrefix(ref, "refs/heads/")}
}

// MergeGroup lands a group: the base moves to its head and its pull requests are merged.
func (r *Repo) MergeGroup(by string, g Group, prs ...*PR) {
	defer r.s.lock()()
	s, a := r.s, r.s.account(by)
	for _, p := range prs {
		p.p.freeze(g.Base)
		s.setMerged(p.p, a, g.Head)
		s.emitPull(p.p, "closed", a, nil)
	}
	s.setRef(r.r, "refs/heads/"+prs[0].p.baseRef, g.Head, a, "merge_queue_merge")
	s.deleteRef(r.r, "refs/heads/"+g.Ref, a)
}
