package fakegithub

import (
	"net/http"
	"slices"
	"strconv"
)

// Protection is classic branch protection. Required checks bind everybody who
// pushes directly; admins only with EnforceAdmins.
type Protection struct {
	RequiredChecks  []string
	RequiredReviews int
	EnforceAdmins   bool
	DismissStale    bool
	AllowForce      bool
	// Pushers restricts who may push (logins, or App slugs); empty: anybody with write access.
	Pushers []string
}

// Ruleset is a repository ruleset on branches; BypassApps may push around it.
type Ruleset struct {
	ID              int64
	Name            string
	Branches        []string // "~DEFAULT_BRANCH" or a name
	RequiredChecks  []string
	RequiredReviews int
	PullRequest     bool // changes come by pull request only
	BypassApps      []int64
	BypassAdmins    bool
}

// Protect sets classic protection; nil removes it.
func (r *Repo) Protect(branch string, p *Protection) {
	defer r.s.lock()()
	if p == nil {
		delete(r.r.protection, branch)
		return
	}
	r.r.protection[branch] = p
}

// AddRuleset adds a ruleset and returns its id.
func (r *Repo) AddRuleset(rs Ruleset) int64 {
	defer r.s.lock()()
	rs.ID = r.s.next("ruleset")
	r.r.rulesets = append(r.r.rulesets, &rs)
	return rs.ID
}

// RemoveRuleset removes it.
func (r *Repo) RemoveRuleset(id int64) {
	defer r.s.lock()()
	r.r.rulesets = slices.DeleteFunc(r.r.rulesets, func(rs *Ruleset) bool { return rs.ID == id })
}

// guard is what a branch asks of a change, all its protections together.
type guard struct {
	checks       []string
	reviews      int
	pullRequest  bool
	dismissStale bool
}

func (rs *Ruleset) covers(r *repo, branch string) bool {
	for _, b := range rs.Branches {
		if b == branch || b == "~ALL" || (b == "~DEFAULT_BRANCH" && branch == r.defaultBranch) {
			return true
		}
	}
	return false
}

// guards is what protects a branch; nil for nothing.
func (s *Server) guards(r *repo, branch string) *guard {
	return s.guardsFor(r, branch, nil, false)
}

// guardsFor leaves out what this actor may bypass.
func (s *Server) guardsFor(r *repo, branch string, a *app, asAdmin bool) *guard {
	g, found := &guard{}, false
	if p := r.protection[branch]; p != nil && (!asAdmin || p.EnforceAdmins) {
		found = true
		g.checks = append(g.checks, p.RequiredChecks...)
		g.reviews = max(g.reviews, p.RequiredReviews)
		g.dismissStale = p.DismissStale
		g.pullRequest = g.pullRequest || p.RequiredReviews > 0
	}
	for _, rs := range r.rulesets {
		if !rs.covers(r, branch) || (a != nil && slices.Contains(rs.BypassApps, a.id)) || (asAdmin && rs.BypassAdmins) {
			continue
		}
		found = true
		g.checks = append(g.checks, rs.RequiredChecks...)
		g.reviews = max(g.reviews, rs.RequiredReviews)
		g.pullRequest = g.pullRequest || rs.PullRequest || rs.RequiredReviews > 0
	}
	if !found {
		return nil
	}
	return g
}

func (s *Server) appOf(bot *account) *app {
	for _, a := range s.apps {
		if a.bot == bot {
			return a
		}
	}
	return nil
}

// refusePush says why a direct push to a branch is not allowed. Apps are never
// admins.
func (s *Server) refusePush(r *repo, branch, oid string, by *account, kind string) *failure {
	a := s.appOf(by)
	admin := a == nil && s.access(r, by) == "admin"
	if p := r.protection[branch]; p != nil {
		name := by.login
		if a != nil {
			name = a.slug
		}
		if len(p.Pushers) > 0 && !slices.Contains(p.Pushers, name) && !admin {
			return &failure{status: http.StatusForbidden, message: "You're not authorized to push to this branch. Visit https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches for more information."}
		}
		if kind == "force_push" && !p.AllowForce {
			return unprocessable("Cannot force-push to this branch")
		}
	}
	g := s.guardsFor(r, branch, a, admin)
	if g == nil || kind == "branch_creation" {
		return nil
	}
	if g.pullRequest {
		return ruleViolation("Changes must be made through a pull request.")
	}
	for _, name := range g.checks {
		if !s.checkPassed(r, oid, name) {
			return ruleViolation("Required status check \"" + name + "\" is expected.")
		}
	}
	return nil
}

func ruleViolation(why string) *failure {
	return &failure{status: http.StatusUnprocessableEntity, message: "Repository rule violations found\n\n" + why + "\n\n"}
}

// checkPassed: the latest run of that name succeeded; neutral and skipped count.
func (s *Server) checkPassed(r *repo, oid, name string) bool {
	passed, found := false, false
	for _, run := range r.runs {
		if run.head == oid && run.name == name {
			found = true
			passed = run.status == "completed" && slices.Contains([]string{"success", "neutral", "skipped"}, run.conclusion)
		}
	}
	for _, st := range r.statuses {
		if st.head == oid && st.context == name && !found {
			passed = st.state == "success"
		}
	}
	return passed
}

func (c *call) getProtection() (answer, error) {
	b := c.params["branch"]
	if c.repo.tip(b) == "" {
		return answer{}, &failure{status: http.StatusNotFound, message: "Branch not found"}
	}
	p := c.repo.protection[b]
	if p == nil {
		return answer{}, &failure{status: http.StatusNotFound, message: "Branch not protected"}
	}
	u := c.s.api("repos/" + c.repo.full() + "/branches/" + b + "/protection")
	on := func(x bool) fields { return fields{"enabled": x} }
	f := fields{
		"url": u, "enforce_admins": fields{"url": u + "/enforce_admins", "enabled": p.EnforceAdmins}, "required_linear_history": on(false),
		"allow_force_pushes": on(p.AllowForce), "allow_deletions": on(false), "block_creations": on(false), "lock_branch": on(false),
		"allow_fork_syncing": on(false), "required_conversation_resolution": on(false),
		"required_signatures": fields{"url": u + "/required_signatures", "enabled": false},
	}
	if len(p.RequiredChecks) > 0 {
		checks := []fields{}
		for _, n := range p.RequiredChecks {
			checks = append(checks, fields{"context": n, "app_id": nil})
		}
		f["required_status_checks"] = fields{"url": u + "/required_status_checks", "strict": false, "contexts": p.RequiredChecks, "contexts_url": u + "/required_status_checks/contexts", "checks": checks}
	}
	if p.RequiredReviews > 0 {
		f["required_pull_request_reviews"] = fields{
			"url": u + "/required_pull_request_reviews", "dismiss_stale_reviews": p.DismissStale, "require_code_owner_reviews": false,
			"required_approving_review_count": p.RequiredReviews, "require_last_push_approval": false,
		}
	}
	return ok(f)
}

// branchRules lists what active rulesets ask; classic protection is not among them.
func (c *call) branchRules() (answer, error) {
	out := []fields{}
	for _, rs := range c.repo.rulesets {
		if rs.covers(c.repo, c.params["branch"]) {
			for _, rule := range rs.rules() {
				rule["ruleset_source_type"], rule["ruleset_source"], rule["ruleset_id"] = "Repository", c.repo.full(), rs.ID
				out = append(out, rule)
			}
		}
	}
	return ok(page(c, out))
}

func (rs *Ruleset) rules() []fields {
	out := []fields{}
	if len(rs.RequiredChecks) > 0 {
		checks := []fields{}
		for _, n := range rs.RequiredChecks {
			checks = append(checks, fields{"context": n})
		}
		out = append(out, fields{"type": "required_status_checks", "parameters": fields{"strict_required_status_checks_policy": false, "required_status_checks": checks}})
	}
	if rs.PullRequest || rs.RequiredReviews > 0 {
		out = append(out, fields{"type": "pull_request", "parameters": fields{
			"required_approving_review_count": rs.RequiredReviews, "dismiss_stale_reviews_on_push": false, "require_code_owner_review": false,
			"require_last_push_approval": false, "required_review_thread_resolution": false,
		}})
	}
	return out
}

// showRuleset shows bypass actors to those only who may edit the ruleset;
// everybody learns whether they themselves may bypass it.
func (s *Server) showRuleset(r *repo, rs *Ruleset, who actor) fields {
	bypass := "never"
	if who.app != nil && slices.Contains(rs.BypassApps, who.app.id) {
		bypass = "always"
	}
	f := fields{
		"id": rs.ID, "name": rs.Name, "target": "branch", "source_type": "Repository", "source": r.full(), "enforcement": "active",
		"node_id": nodeID("RRS", rs.ID), "current_user_can_bypass": bypass, "rules": rs.rules(),
		"conditions": fields{"ref_name": fields{"include": rs.Branches, "exclude": []string{}}},
		"created_at": stampOf(r.created), "updated_at": stampOf(r.created),
		"_links": fields{"self": fields{"href": s.api("repos/" + r.full() + "/rulesets/" + strconv.FormatInt(rs.ID, 10))}, "html": fields{"href": s.html(r.full() + "/rules")}},
	}
	if who.may("administration:write") {
		actors := []fields{}
		for _, id := range rs.BypassApps {
			actors = append(actors, fields{"actor_id": id, "actor_type": "Integration", "bypass_mode": "always"})
		}
		f["bypass_actors"] = actors
	}
	return f
}
