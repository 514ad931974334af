package fakegithub

import (
	"maps"
	"sort"
	"strconv"
	"strings"
	"time"
)

// CreateUser adds a person and returns the numeric id.
func (s *Server) CreateUser(login string, emails ...string) int64 {
	defer s.lock()()
	a := s.addAccount(login, "User")
	for _, e := range emails {
		a.emails = append([]string{e}, a.emails...)
		s.emails[strings.ToLower(e)] = a
	}
	return a.id
}

// CreateOrg adds an organisation; its members are added one by one.
func (s *Server) CreateOrg(login string, owners ...string) int64 {
	defer s.lock()()
	a := s.addAccount(login, "Organization")
	for _, o := range owners {
		a.members[s.account(o).id] = "admin"
	}
	return a.id
}

// DeleteUser turns a person into ghost.
func (s *Server) DeleteUser(login string) {
	defer s.lock()()
	a := s.account(login)
	a.gone = true
	for _, o := range s.accounts {
		delete(o.members, a.id)
	}
	for _, t := range s.teams {
		delete(t.members, a.id)
	}
	s.tell(nil, "user_deleted", a.login, nil)
}

// SetMember makes a person a "member", "admin" or "pending" of an organisation; "" ends it.
func (s *Server) SetMember(org, login, role string) {
	defer s.lock()()
	o, u := s.account(org), s.account(login)
	if role == "" {
		delete(o.members, u.id)
	} else {
		o.members[u.id] = role
	}
	s.tell(nil, "organization_member", login, fields{"organization": org, "role": role})
}

// TeamSpec describes a team.
type TeamSpec struct {
	Org, Slug, Parent string
	Secret            bool
	Members           []string
}

// CreateTeam adds a team. GitHub nests visible teams only.
func (s *Server) CreateTeam(spec TeamSpec) {
	defer s.lock()()
	t := &team{
		id: s.next("team"), org: s.account(spec.Org), slug: spec.Slug, name: spec.Slug, secret: spec.Secret,
		members: map[int64]string{}, repositories: map[int64]string{},
	}
	if spec.Parent != "" {
		if t.parent = s.team(spec.Org, spec.Parent); t.parent == nil || t.parent.secret || spec.Secret {
			panic("fakegithub: a secret team cannot be nested")
		}
	}
	s.teams[t.id] = t
	s.nodes[t.nodeID()] = t
	for _, m := range spec.Members {
		s.join(t, m, "member")
		s.tell(nil, "team_member", m, fields{"team": spec.Org + "/" + spec.Slug, "role": "member"})
	}
	s.emitOrg(t.org, "team", s.anOwner(t.org), fields{"action": "created", "team": s.showTeam(t)})
}

func (s *Server) join(t *team, login, role string) {
	u := s.account(login)
	if t.org.members[u.id] == "" {
		t.org.members[u.id] = "member"
	}
	t.members[u.id] = role
}

// SetTeamMember makes a person a "member", "maintainer" or "pending" of a team; "" ends it.
func (s *Server) SetTeamMember(org, slug, login, role string) {
	defer s.lock()()
	t, u := s.team(org, slug), s.account(login)
	if t == nil {
		panic("fakegithub: no team " + org + "/" + slug)
	}
	act := "added"
	if role == "" {
		act = "removed"
		delete(t.members, u.id)
	} else {
		s.join(t, login, role)
	}
	s.tell(nil, "team_member", login, fields{"team": org + "/" + slug, "role": role})
	if role == "pending" {
		return
	}
	s.emitOrg(t.org, "membership", s.anOwner(t.org), fields{
		"action": act, "scope": "team", "member": s.showUser(u), "team": s.showTeam(t),
	})
}

// RenameTeam gives a team another slug; the old one is gone.
func (s *Server) RenameTeam(org, slug, to string) {
	defer s.lock()()
	t := s.team(org, slug)
	t.slug, t.name = to, to
	s.tell(nil, "team_renamed", s.anOwner(t.org).login, fields{"team": org + "/" + slug, "to": org + "/" + to})
	s.emitOrg(t.org, "team", s.anOwner(t.org), fields{"action": "edited", "team": s.showTeam(t), "changes": fields{"name": fields{"from": slug}}})
}

// DeleteTeam removes a team.
func (s *Server) DeleteTeam(org, slug string) {
	defer s.lock()()
	t := s.team(org, slug)
	delete(s.teams, t.id)
	delete(s.nodes, t.nodeID())
	s.tell(nil, "team_deleted", s.anOwner(t.org).login, fields{"team": org + "/" + slug})
	s.emitOrg(t.org, "team", s.anOwner(t.org), fields{"action": "deleted", "team": s.showTeam(t)})
}

// GrantTeam gives a team access to a repository: read, write or admin.
func (s *Server) GrantTeam(org, slug string, on *Repo, permission string) {
	defer s.lock()()
	s.team(org, slug).repositories[on.r.id] = permission
}

func (s *Server) team(org, slug string) *team {
	for _, t := range s.teams {
		if strings.EqualFold(t.org.login, org) && strings.EqualFold(t.slug, slug) {
			return t
		}
	}
	return nil
}

func (s *Server) anOwner(org *account) *account {
	var best *account
	for id, role := range org.members {
		if a := s.byID[id]; role == "admin" && (best == nil || a.id < best.id) {
			best = a
		}
	}
	if best == nil {
		return s.ghost
	}
	return best
}

// membersOf lists a team's people, child teams included, invitations not.
func (s *Server) membersOf(t *team, children bool) []*account {
	in := map[int64]bool{}
	var add func(*team)
	add = func(t *team) {
		for id, role := range t.members {
			if role != "pending" && t.org.members[id] != "pending" {
				in[id] = true
			}
		}
		if !children {
			return
		}
		for _, c := range s.teams {
			if c.parent == t {
				add(c)
			}
		}
	}
	add(t)
	return s.sortedAccounts(in)
}

// collaboratorsOf are whom the repository lets in: who may only read because
// everybody may is none.
func (s *Server) collaboratorsOf(r *repo) []*account {
	in := map[int64]bool{}
	for _, a := range s.byID {
		if a.kind == "User" && !a.gone && s.accessExplicit(r, a) != "" {
			in[a.id] = true
		}
	}
	return s.sortedAccounts(in)
}

func (s *Server) sortedAccounts(in map[int64]bool) []*account {
	var out []*account
	for id := range in {
		out = append(out, s.byID[id])
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

// access is what a person may do with a repository: "", read, write, admin.
func access(r *repo, a *account) string { return accessIn(r, a, nil) }

func accessIn(r *repo, a *account, teams map[int64]*team) string {
	if a == nil || a.kind == "Bot" {
		return ""
	}
	best := 0
	raise := func(p string) { best = max(best, map[string]int{"read": 1, "write": 2, "admin": 3}[p]) }
	if r.owner == a || r.owner.members[a.id] == "admin" {
		raise("admin")
	}
	if r.owner.members[a.id] == "member" {
		raise("read")
	}
	raise(r.collaborators[a.id])
	for _, t := range teams {
		p := t.repositories[r.id]
		for up := t; p == "" && up.parent != nil; up = up.parent {
			p = up.parent.repositories[r.id]
		}
		if role := t.members[a.id]; role != "" && role != "pending" {
			raise(p)
		}
	}
	return []string{"", "read", "write", "admin"}[best]
}

func (s *Server) access(r *repo, a *account) string {
	if p := accessIn(r, a, s.teams); p != "" || r.private {
		return p
	}
	return "read"
}

// association is what GitHub calls author_association.
func (s *Server) association(r *repo, a *account) string {
	switch {
	case a == r.owner:
		return "OWNER"
	case r.owner.members[a.id] == "admin" || r.owner.members[a.id] == "member":
		return "MEMBER"
	case r.collaborators[a.id] != "" && !strings.HasPrefix(r.collaborators[a.id], "pending"):
		return "COLLABORATOR"
	}
	return "NONE"
}

// shown is the account as others see it: ghost once it is deleted.
func (s *Server) shown(a *account) *account {
	if a == nil {
		return nil
	}
	if a.gone {
		return s.ghost
	}
	return a
}

func (s *Server) html(path string) string { return s.opt.BaseURL + "/" + path }
func (s *Server) api(path string) string  { return s.opt.BaseURL + "/api/v3/" + path }

func stampOf(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func (s *Server) showUser(a *account) fields {
	if a = s.shown(a); a == nil {
		return nil
	}
	u := s.api("users/" + a.login)
	return fields{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "avatar_url": s.html("avatars/" + strconv.FormatInt(a.id, 10)),
		"gravatar_id": "", "url": u, "html_url": s.html(strings.TrimSuffix(a.login, "[bot]")), "followers_url": u + "/followers",
		"following_url": u + "/following{/other_user}", "gists_url": u + "/gists{/gist_id}", "starred_url": u + "/starred{/owner}{/repo}",
		"subscriptions_url": u + "/subscriptions", "organizations_url": u + "/orgs", "repos_url": u + "/repos",
		"events_url": u + "/events{/privacy}", "received_events_url": u + "/received_events", "type": a.kind, "site_admin": false,
		"user_view_type": "public",
	}
}

// orNil keeps a nil account a JSON null.
func (s *Server) userOrNull(a *account) any {
	if a == nil {
		return nil
	}
	return s.showUser(a)
}

func (s *Server) showOrg(a *account) fields {
	u := s.api("orgs/" + a.login)
	return fields{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "url": u, "repos_url": u + "/repos", "events_url": u + "/events",
		"hooks_url": u + "/hooks", "issues_url": u + "/issues", "members_url": u + "/members{/member}",
		"public_members_url": u + "/public_members{/member}", "avatar_url": s.html("avatars/" + strconv.FormatInt(a.id, 10)), "description": nil,
	}
}

func (s *Server) showTeam(t *team) fields {
	u := s.api("organizations/" + strconv.FormatInt(t.org.id, 10) + "/team/" + strconv.FormatInt(t.id, 10))
	privacy := "closed"
	if t.secret {
		privacy = "secret"
	}
	f := fields{
		"id": t.id, "node_id": t.nodeID(), "name": t.name, "slug": t.slug, "description": nil, "privacy": privacy, "permission": "pull",
		"notification_setting": "notifications_enabled", "url": u, "html_url": s.html("orgs/" + t.org.login + "/teams/" + t.slug),
		"members_url": u + "/members{/member}", "repositories_url": u + "/repos", "parent": nil, "type": "organization",
		"organization_id": t.org.id,
	}
	if t.parent != nil {
		p := s.showTeam(t.parent)
		delete(p, "parent")
		f["parent"] = p
	}
	return f
}

func (s *Server) showFullTeam(t *team) fields {
	f := s.showTeam(t)
	f["members_count"], f["repos_count"] = len(s.membersOf(t, true)), len(t.repositories)
	f["created_at"], f["updated_at"] = "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
	org := s.showOrg(t.org)
	maps.Copy(org, fields{
		"has_organization_projects": false, "has_repository_projects": false, "public_repos": 0, "public_gists": 0, "followers": 0,
		"following": 0, "html_url": s.html(t.org.login), "created_at": "2020-01-01T00:00:00Z", "type": "Organization",
		"updated_at": "2020-01-01T00:00:00Z", "archived_at": nil,
	})
	f["organization"] = org
	return f
}

func (s *Server) accessExplicit(r *repo, a *account) string { return accessIn(r, a, s.teams) }

func permissionsOf(p string) fields {
	n := map[string]int{"read": 1, "write": 2, "admin": 3}[p]
	return fields{"pull": n >= 1, "triage": n >= 2, "push": n >= 2, "maintain": n >= 3, "admin": n >= 3}
}
