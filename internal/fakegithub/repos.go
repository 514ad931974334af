package fakegithub

import (
	"maps"
	"sort"
	"strconv"
	"strings"
)

// Repo is a repository, as stories handle it.
type Repo struct {
	s *Server
	r *repo
}

// RepoSpec describes a new repository.
type RepoSpec struct {
	Owner, Name   string
	Private       bool
	DefaultBranch string // "" is main
	AutoMerge     bool   // whether auto-merge may be used
	Files         map[string]File
	Creator       string // pushes the first commit; "" is the owner, or an owner of the organisation
}

// CreateRepo adds a repository; with Files it has a first commit.
func (s *Server) CreateRepo(spec RepoSpec) *Repo {
	defer s.lock()()
	owner := s.account(spec.Owner)
	r := s.addRepo(owner, spec.Name, spec.Private, newStore())
	if spec.DefaultBranch != "" {
		r.defaultBranch = spec.DefaultBranch
	}
	r.autoMerge = spec.AutoMerge
	creator := owner
	if spec.Creator != "" {
		creator = s.account(spec.Creator)
	} else if owner.kind == "Organization" {
		creator = s.anOwner(owner)
	}
	if spec.Files != nil {
		oid := s.commitFiles(r, nil, CommitSpec{Files: spec.Files, Message: "Initial commit"}, creator)
		s.setRef(r, "refs/heads/"+r.defaultBranch, oid, creator, "push")
	}
	return &Repo{s, r}
}

func (s *Server) addRepo(owner *account, name string, private bool, st *store) *repo {
	// A former name may be taken anew, and redirects no more.
	if r := s.find(owner.login, name); r != nil && strings.EqualFold(r.full(), owner.login+"/"+name) {
		panic("fakegithub: repository " + owner.login + "/" + name + " exists")
	}
	now := s.stamp()
	r := &repo{
		id: s.next("repository"), owner: owner, name: name, private: private, defaultBranch: "main", git: st, refs: map[string]string{},
		collaborators: map[int64]string{}, created: now, pushed: now, issues: map[int]*issue{}, comments: map[int64]*comment{},
		suites: map[string]*suite{}, protection: map[string]*Protection{}, environments: map[string]*environment{}, treeLimit: s.opt.TreeLimit,
	}
	s.repos[r.id] = r
	s.nodes[r.nodeID()] = r
	return r
}

// Repo finds a repository by "owner/name"; nil if there is none.
func (s *Server) Repo(full string) *Repo {
	defer s.lock()()
	if r := s.find(splitFull(full)); r != nil {
		return &Repo{s, r}
	}
	return nil
}

// ID is the repository's numeric id, which no rename changes.
func (r *Repo) ID() int64 { return r.r.id }

// FullName is "owner/name" as of now.
func (r *Repo) FullName() string {
	defer r.s.lock()()
	return r.r.full()
}

// DefaultBranch is the branch that pull requests go to.
func (r *Repo) DefaultBranch() string { return r.r.defaultBranch }

// Fork copies the repository to another owner; objects are shared.
func (r *Repo) Fork(owner string) *Repo {
	defer r.s.lock()()
	f := r.s.addRepo(r.s.account(owner), r.r.name, r.r.private, r.r.git)
	f.parent, f.defaultBranch = r.r, r.r.defaultBranch
	for ref, oid := range r.r.refs {
		if strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/") {
			f.refs[ref] = oid
		}
	}
	return &Repo{r.s, f}
}

// SetCollaborator gives a person read, write or admin; "pending-write" is an
// invitation not yet taken; "" ends it.
func (r *Repo) SetCollaborator(login, permission string) {
	defer r.s.lock()()
	u := r.s.account(login)
	if permission == "" {
		delete(r.r.collaborators, u.id)
	} else {
		r.r.collaborators[u.id] = permission
	}
	r.s.tell(r.r, "collaborator", login, fields{"permission": permission})
}

// Rename gives the repository another name; the old one redirects.
func (r *Repo) Rename(by, name string) {
	defer r.s.lock()()
	old := r.r.name
	r.r.former = append(r.r.former, r.r.full())
	r.r.name = name
	r.s.emit(r.r, "repository", r.s.account(by), fields{"action": "renamed", "changes": fields{"repository": fields{"name": fields{"from": old}}}})
}

// Transfer moves the repository to another owner. Installations of the old
// owner lose it.
func (r *Repo) Transfer(by, to string) {
	defer r.s.lock()()
	old := r.r.owner
	r.r.former = append(r.r.former, r.r.full())
	r.r.owner = r.s.account(to)
	r.s.emit(r.r, "repository", r.s.account(by), fields{"action": "transferred", "changes": fields{"owner": fields{"from": fields{"user": r.s.showUser(old)}}}})
}

// Delete removes the repository for good.
func (r *Repo) Delete(by string) {
	defer r.s.lock()()
	r.s.emit(r.r, "repository", r.s.account(by), fields{"action": "deleted"})
	r.r.gone = true
	for _, other := range r.s.repos {
		for _, i := range other.issues {
			if i.pull != nil && i.pull.headRepo == r.r {
				i.pull.headRepo = nil
			}
		}
	}
}

func (s *Server) showRepoName(r *repo) fields {
	return fields{"id": r.id, "node_id": r.nodeID(), "name": r.name, "full_name": r.full(), "private": r.private}
}

func (s *Server) showRepo(r *repo) fields {
	u := s.api("repos/" + r.full())
	f := s.showRepoName(r)
	open := 0
	for _, i := range r.issues {
		if i.state == "open" {
			open++
		}
	}
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	maps.Copy(f, fields{
		"owner": s.showUser(r.owner), "html_url": s.html(r.full()), "description": nil, "fork": r.parent != nil, "url": u,
		"default_branch": r.defaultBranch, "visibility": visibility, "open_issues_count": open, "open_issues": open,
		"created_at": stampOf(r.created), "updated_at": stampOf(r.pushed), "pushed_at": stampOf(r.pushed),
		"git_url": "git://" + strings.TrimPrefix(strings.TrimPrefix(s.html(r.full()), "https://"), "http://") + ".git",
		"ssh_url": "git@github.test:" + r.full() + ".git", "clone_url": s.html(r.full()) + ".git", "svn_url": s.html(r.full()),
		"homepage": nil, "size": 1, "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "language": nil, "has_issues": true,
		"has_projects": false, "has_downloads": true, "has_wiki": false, "has_pages": false, "has_discussions": false, "forks_count": 0,
		"forks": 0, "mirror_url": nil, "archived": false, "disabled": false, "license": nil, "allow_forking": true, "is_template": false,
		"web_commit_signoff_required": false, "topics": []string{}, "allow_squash_merge": true, "allow_merge_commit": true,
		"allow_rebase_merge": true, "allow_auto_merge": r.autoMerge, "delete_branch_on_merge": false, "allow_update_branch": true,
		"permissions": permissionsOf("write"), "subscribers_count": 0, "network_count": 0,
	})
	for name, tail := range map[string]string{
		"archive": "/{archive_format}{/ref}", "assignees": "{/user}", "blobs": "{/sha}", "branches": "{/branch}",
		"collaborators": "{/collaborator}", "comments": "{/number}", "commits": "{/sha}", "compare": "/{base}...{head}",
		"contents": "/{+path}", "contributors": "", "deployments": "", "downloads": "", "events": "", "forks": "", "git_commits": "{/sha}",
		"git_refs": "{/sha}", "git_tags": "{/sha}", "issue_comment": "{/number}", "issue_events": "{/number}", "issues": "{/number}",
		"keys": "{/key_id}", "labels": "{/name}", "languages": "", "merges": "", "milestones": "{/number}",
		"notifications": "{?since,all,participating}", "pulls": "{/number}", "releases": "{/id}", "stargazers": "", "statuses": "/{sha}",
		"subscribers": "", "subscription": "", "tags": "", "teams": "", "trees": "{/sha}", "hooks": "",
	} {
		f[name+"_url"] = u + "/" + name + tail
	}
	return f
}

// showPushRepo is the older shape that push events carry: numbers for times.
func (s *Server) showPushRepo(r *repo) fields {
	f := s.showRepo(r)
	f["created_at"], f["pushed_at"] = r.created.Unix(), r.pushed.Unix()
	f["stargazers"], f["master_branch"] = 0, r.defaultBranch
	owner := f["owner"].(fields)
	owner["name"], owner["email"] = r.owner.login, nil
	if r.owner.kind == "Organization" {
		f["organization"] = r.owner.login
	}
	return f
}

func (s *Server) repoRoutes() []*route {
	return []*route{
		{method: "GET", template: "/repos/{owner}/{repo}", operation: "repos/get", needs: "metadata:read", do: (*call).getRepo},
		{method: "GET", template: "/repositories/{repository_id}", operation: "repos/get-by-id", needs: "metadata:read", do: (*call).getRepo},
		{method: "GET", template: "/repos/{owner}/{repo}/branches", operation: "repos/list-branches", needs: "contents:read", do: func(c *call) (answer, error) {
			var names []string
			for ref := range c.repo.refs {
				if b, is := strings.CutPrefix(ref, "refs/heads/"); is {
					names = append(names, b)
				}
			}
			sort.Strings(names)
			return ok(list(page(c, names), func(b string) fields {
				return fields{
					"name": b, "commit": fields{"sha": c.repo.tip(b), "url": c.s.api("repos/" + c.repo.full() + "/commits/" + c.repo.tip(b))},
					"protected": c.s.guards(c.repo, b) != nil,
				}
			}))
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/branches/{branch}/protection", operation: "repos/get-branch-protection", needs: "administration:read", do: (*call).getProtection},
		{method: "GET", template: "/repos/{owner}/{repo}/branches/{branch}", operation: "repos/get-branch", needs: "contents:read", do: (*call).getBranch},
		{method: "GET", template: "/repos/{owner}/{repo}/rules/branches/{branch}", operation: "repos/get-branch-rules", needs: "metadata:read", do: (*call).branchRules},
		{method: "GET", template: "/repos/{owner}/{repo}/rulesets", operation: "repos/get-repo-rulesets", needs: "metadata:read", do: func(c *call) (answer, error) {
			return ok(list(page(c, c.repo.rulesets), func(rs *Ruleset) fields { return c.s.showRuleset(c.repo, rs, c.actor) }))
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/rulesets/{ruleset_id}", operation: "repos/get-repo-ruleset", needs: "metadata:read", do: func(c *call) (answer, error) {
			for _, rs := range c.repo.rulesets {
				if rs.ID == c.number("ruleset_id") {
					return ok(c.s.showRuleset(c.repo, rs, c.actor))
				}
			}
			return answer{}, errNotFound
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/activity", operation: "repos/list-activities", needs: "contents:read", do: (*call).activities},
	}
}

func (c *call) getRepo() (answer, error) {
	f := c.s.showRepo(c.repo)
	if c.repo.parent != nil {
		p := c.s.showRepo(c.repo.parent)
		f["parent"], f["source"] = p, p
	}
	if c.repo.owner.kind == "Organization" {
		f["organization"] = c.s.showUser(c.repo.owner)
	}
	return ok(f)
}

func (c *call) getBranch() (answer, error) {
	b := c.params["branch"]
	oid := c.repo.tip(b)
	if oid == "" {
		return answer{}, &failure{status: 404, message: "Branch not found"}
	}
	u := c.s.api("repos/" + c.repo.full() + "/branches/" + b)
	protection := fields{"enabled": false, "required_status_checks": fields{"enforcement_level": "off", "contexts": []string{}, "checks": []fields{}}}
	p := c.repo.protection[b]
	if p != nil {
		checks := []fields{}
		for _, n := range p.RequiredChecks {
			checks = append(checks, fields{"context": n, "app_id": nil})
		}
		protection = fields{"enabled": true, "required_status_checks": fields{"enforcement_level": "non_admins", "contexts": nonNil(p.RequiredChecks), "checks": checks}}
	}
	return ok(fields{
		"name": b, "commit": c.s.showCommit(c.repo, oid), "protected": c.s.guards(c.repo, b) != nil, "protection": protection,
		"protection_url": u + "/protection", "_links": fields{"self": u, "html": c.s.html(c.repo.full() + "/tree/" + b)},
	})
}

// activities lists pushes, newest first.
func (c *call) activities() (answer, error) {
	ref := c.query("ref")
	if ref != "" && !strings.HasPrefix(ref, "refs/") {
		ref = "refs/heads/" + ref
	}
	var out []*activity
	for i := len(c.repo.activity) - 1; i >= 0; i-- {
		a := c.repo.activity[i]
		if (ref == "" || a.ref == ref) && (c.query("actor") == "" || strings.EqualFold(c.query("actor"), a.actor.login)) &&
			(c.query("activity_type") == "" || c.query("activity_type") == a.kind) {
			out = append(out, a)
		}
	}
	// This listing pages by cursor; the cursor is the id to go on after.
	if after := c.query("after"); after != "" {
		n, _ := strconv.ParseInt(after, 10, 64)
		for len(out) > 0 && out[0].id >= n {
			out = out[1:]
		}
	}
	per := 30
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	if len(out) > per {
		q := c.r.URL.Query()
		q.Set("after", strconv.FormatInt(out[per-1].id, 10))
		c.header.Set("Link", "<http://"+c.r.Host+c.r.URL.Path+"?"+q.Encode()+`>; rel="next"`)
		out = out[:per]
	}
	return ok(list(out, func(a *activity) fields {
		return fields{
			"id": a.id, "node_id": nodeID("PSH", a.id), "before": a.before, "after": a.after, "ref": a.ref, "timestamp": stampOf(a.at),
			"activity_type": a.kind, "actor": c.s.userOrNull(a.actor),
		}
	}))
}

// sortedRefs lists refs by name under a prefix.
func (r *repo) sortedRefs(prefix string) []string {
	var out []string
	for ref := range r.refs {
		if strings.HasPrefix(ref, prefix) {
			out = append(out, ref)
		}
	}
	sort.Strings(out)
	return out
}

// zero is the id that webhooks use for "no commit".
const zero = "0000000000000000000000000000000000000000"

func orZero(oid string) string {
	if oid == "" {
		return zero
	}
	return oid
}
