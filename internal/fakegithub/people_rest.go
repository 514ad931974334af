package fakegithub

import (
	"maps"
	"sort"
	"strings"
)

func (s *Server) peopleRoutes() []*route {
	return []*route{
		{method: "GET", template: "/users/{username}", operation: "users/get-by-username", do: func(c *call) (answer, error) {
			return c.oneUser(c.s.accounts[strings.ToLower(c.params["username"])])
		}},
		{method: "GET", template: "/user/{account_id}", operation: "users/get-by-id", do: func(c *call) (answer, error) {
			return c.oneUser(c.s.byID[c.number("account_id")])
		}},
		{method: "GET", template: "/orgs/{org}/members", operation: "orgs/list-members", needs: "members:read", do: (*call).orgMembers},
		{method: "GET", template: "/orgs/{org}/members/{username}", operation: "orgs/check-membership-for-user", needs: "members:read", do: func(c *call) (answer, error) {
			o, f := c.org()
			u := c.s.accounts[strings.ToLower(c.params["username"])]
			if f != nil || u == nil || o.members[u.id] == "" || o.members[u.id] == "pending" {
				return answer{}, errNotFound
			}
			return empty()
		}},
		{method: "GET", template: "/orgs/{org}/memberships/{username}", operation: "orgs/get-membership-for-user", needs: "members:read", do: func(c *call) (answer, error) {
			o, f := c.org()
			u := c.s.accounts[strings.ToLower(c.params["username"])]
			if f != nil || u == nil || o.members[u.id] == "" {
				return answer{}, errNotFound
			}
			role, state := o.members[u.id], "active"
			if role == "pending" {
				role, state = "member", "pending"
			}
			return ok(fields{
				"url": c.s.api("orgs/" + o.login + "/memberships/" + u.login), "state": state, "role": role,
				"organization_url": c.s.api("orgs/" + o.login), "organization": c.s.showOrg(o), "user": c.s.showUser(u),
			})
		}},
		{method: "GET", template: "/orgs/{org}/teams", operation: "teams/list", needs: "members:read", do: func(c *call) (answer, error) {
			o, f := c.org()
			if f != nil {
				return answer{}, f
			}
			var ts []*team
			for _, t := range c.s.teams {
				if t.org == o {
					ts = append(ts, t)
				}
			}
			sort.Slice(ts, func(i, j int) bool { return ts[i].slug < ts[j].slug })
			return ok(list(page(c, ts), c.s.showTeam))
		}},
		{method: "GET", template: "/orgs/{org}/teams/{team_slug}", operation: "teams/get-by-name", needs: "members:read", do: func(c *call) (answer, error) {
			t, f := c.team()
			if f != nil {
				return answer{}, f
			}
			return ok(c.s.showFullTeam(t))
		}},
		{method: "GET", template: "/orgs/{org}/teams/{team_slug}/members", operation: "teams/list-members-in-org", needs: "members:read", do: func(c *call) (answer, error) {
			t, f := c.team()
			if f != nil {
				return answer{}, f
			}
			return ok(list(page(c, c.s.membersOf(t, true)), c.s.showUser))
		}},
		{method: "GET", template: "/orgs/{org}/teams/{team_slug}/memberships/{username}", operation: "teams/get-membership-for-user-in-org", needs: "members:read", do: (*call).teamMembership},
		{method: "GET", template: "/repos/{owner}/{repo}/collaborators", operation: "repos/list-collaborators", needs: "metadata:read", do: (*call).collaborators},
		{method: "GET", template: "/repos/{owner}/{repo}/collaborators/{username}", operation: "repos/check-collaborator", needs: "metadata:read", do: func(c *call) (answer, error) {
			if c.s.accessExplicit(c.repo, c.s.accounts[strings.ToLower(c.params["username"])]) == "" {
				return answer{}, errNotFound
			}
			return empty()
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/collaborators/{username}/permission", operation: "repos/get-collaborator-permission-level", needs: "metadata:read", do: func(c *call) (answer, error) {
			u := c.s.accounts[strings.ToLower(c.params["username"])]
			if u == nil || u.gone {
				return answer{}, errNotFound
			}
			p := c.s.access(c.repo, u)
			if p == "" {
				p = "none"
			}
			f := c.s.showUser(u)
			f["permissions"], f["role_name"] = permissionsOf(p), p
			return ok(fields{"permission": p, "role_name": p, "user": f})
		}},
	}
}

func (c *call) oneUser(a *account) (answer, error) {
	if a == nil || a.gone {
		return answer{}, errNotFound
	}
	f := c.s.showUser(a)
	maps.Copy(f, fields{
		"name": a.name, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil, "public_repos": 0,
		"public_gists": 0, "followers": 0, "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
	})
	return ok(f)
}

func (c *call) org() (*account, *failure) {
	o := c.s.accounts[strings.ToLower(c.params["org"])]
	if o == nil || o.kind != "Organization" || (c.actor.installation != nil && c.actor.installation.target != o) {
		return nil, errNotFound
	}
	return o, nil
}

func (c *call) team() (*team, *failure) {
	o, f := c.org()
	if f != nil {
		return nil, f
	}
	if t := c.s.team(o.login, c.params["team_slug"]); t != nil {
		return t, nil
	}
	return nil, errNotFound
}

func (c *call) orgMembers() (answer, error) {
	o, f := c.org()
	if f != nil {
		return answer{}, f
	}
	in := map[int64]bool{}
	for id, role := range o.members {
		if role != "pending" && (c.query("role") == "" || c.query("role") == "all" || c.query("role") == role) {
			in[id] = true
		}
	}
	return ok(list(page(c, c.s.sortedAccounts(in)), c.s.showUser))
}

func (c *call) teamMembership() (answer, error) {
	t, f := c.team()
	if f != nil {
		return answer{}, f
	}
	u := c.s.accounts[strings.ToLower(c.params["username"])]
	if u == nil || t.members[u.id] == "" {
		inherited := false
		for _, m := range c.s.membersOf(t, true) {
			inherited = inherited || m == u
		}
		if !inherited {
			return answer{}, errNotFound
		}
		return ok(fields{"url": c.s.api("teams/" + t.slug + "/memberships/" + u.login), "role": "member", "state": "active"})
	}
	role, state := t.members[u.id], "active"
	if role == "pending" {
		role, state = "member", "pending"
	}
	return ok(fields{"url": c.s.api("teams/" + t.slug + "/memberships/" + u.login), "role": role, "state": state})
}

func (c *call) collaborators() (answer, error) {
	return ok(list(page(c, c.s.collaboratorsOf(c.repo)), func(a *account) fields {
		f := c.s.showUser(a)
		p := c.s.access(c.repo, a)
		f["permissions"], f["role_name"] = permissionsOf(p), p
		return f
	}))
}
