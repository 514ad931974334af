package fakegithub

import (
	"maps"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// App is a registered App.
type App struct {
	s *Server
	a *app
}

// ID is the App's id.
func (a *App) ID() int64 { return a.a.id }

// Login is its bot's login, "slug[bot]".
func (a *App) Login() string { return a.a.bot.login }

// BotID is its bot's account id.
func (a *App) BotID() int64 { return a.a.bot.id }

// Secret is what signs the App's webhooks.
func (a *App) Secret() string { return a.a.spec.Secret }

// CreateApp registers an App.
func (s *Server) CreateApp(spec AppSpec) *App {
	defer s.lock()()
	if spec.Name == "" {
		spec.Name = spec.Slug
	}
	a := &app{id: s.next("app"), slug: spec.Slug, name: spec.Name, spec: spec, created: s.stamp()}
	a.bot = s.addAccount(spec.Slug+"[bot]", "Bot")
	s.apps[a.id] = a
	return &App{s, a}
}

// Install puts the App on an account: on these repositories, or on all when none is named.
func (a *App) Install(account string, repos ...*Repo) int64 {
	s := a.s
	defer s.lock()()
	in := &installation{
		id: s.next("installation"), app: a.a, target: s.account(account), permissions: maps.Clone(a.a.spec.Permissions),
		events: slices.Clone(a.a.spec.Events), all: len(repos) == 0, repos: map[int64]bool{}, created: s.stamp(), rate: &rate{},
	}
	var shown []fields
	for _, r := range repos {
		in.repos[r.r.id] = true
		shown = append(shown, s.showRepoName(r.r))
	}
	s.installations[in.id] = in
	s.tell(nil, "installed", account, fields{"installation": in.id})
	s.emitTo(in, nil, "installation", s.installer(in), fields{"action": "created", "installation": s.showInstallation(in), "repositories": shown})
	return in.id
}

func (s *Server) installer(in *installation) *account {
	if in.target.kind == "Organization" {
		return s.anOwner(in.target)
	}
	return in.target
}

// Suspend stops or resumes an installation.
func (a *App) Suspend(id int64, on bool) {
	s := a.s
	defer s.lock()()
	in := s.installations[id]
	act := "unsuspend"
	in.suspended = time.Time{}
	if on {
		act = "suspend"
		in.suspended = s.stamp()
	}
	s.emitTo(in, nil, "installation", s.installer(in), fields{"action": act, "installation": s.showInstallation(in)})
}

// Uninstall ends an installation; its tokens die with it.
func (a *App) Uninstall(id int64) {
	s := a.s
	defer s.lock()()
	in := s.installations[id]
	in.gone = true
	s.emitTo(in, nil, "installation", s.installer(in), fields{"action": "deleted", "installation": s.showInstallation(in)})
}

// SetRepository adds a repository to an installation on selected ones, or takes it away.
func (a *App) SetRepository(id int64, r *Repo, in bool) {
	s := a.s
	defer s.lock()()
	inst := s.installations[id]
	act, key := "added", "repositories_added"
	other := "repositories_removed"
	inst.repos[r.r.id] = in
	if !in {
		act, key, other = "removed", other, key
		delete(inst.repos, r.r.id)
	}
	s.emitTo(inst, nil, "installation_repositories", s.installer(inst), fields{
		"action": act, "installation": s.showInstallation(inst), "repository_selection": "selected", key: []fields{s.showRepoName(r.r)}, other: []fields{},
	})
}

// SetPermission changes what an installation may do; "" takes it away. Tokens
// handed out before keep what they had, as at GitHub.
func (a *App) SetPermission(id int64, name, level string) {
	s := a.s
	defer s.lock()()
	in := s.installations[id]
	if level == "" {
		delete(in.permissions, name)
	} else {
		in.permissions[name] = level
	}
	s.emitTo(in, nil, "installation", s.installer(in), fields{"action": "new_permissions_accepted", "installation": s.showInstallation(in)})
}

// Token is an installation token, as the App would get it; for stories of other Apps.
func (a *App) Token(id int64) string {
	s := a.s
	defer s.lock()()
	in := s.installations[id]
	t := s.newToken("ghs_")
	t.installation, t.permissions, t.expires = in, maps.Clone(in.permissions), s.tokenNow().Add(tokenLife)
	return t.value
}

func (s *Server) showApp(a *app) fields {
	perms := fields{}
	for k, v := range a.spec.Permissions {
		perms[k] = v
	}
	owner := s.ghost
	n := 0
	for _, in := range s.sortedInstallations() {
		if in.app == a && !in.gone {
			owner, n = in.target, n+1
		}
	}
	return fields{
		"id": a.id, "slug": a.slug, "client_id": a.clientID(), "node_id": nodeID("A", a.id), "name": a.name, "owner": s.showUser(owner), "description": "",
		"external_url": "https://example.com", "html_url": s.html("apps/" + a.slug), "created_at": stampOf(a.created),
		"updated_at": stampOf(a.created), "permissions": perms, "events": nonNil(a.spec.Events), "installations_count": n,
	}
}

func nonNil[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}

func (s *Server) showInstallation(in *installation) fields {
	selection := "selected"
	if in.all {
		selection = "all"
	}
	f := fields{
		"id": in.id, "account": s.showUser(in.target), "repository_selection": selection,
		"access_tokens_url": s.api("app/installations/" + strconv.FormatInt(in.id, 10) + "/access_tokens"),
		"repositories_url":  s.api("installation/repositories"),
		"html_url":          s.html("settings/installations/" + strconv.FormatInt(in.id, 10)),
		"app_id":            in.app.id, "client_id": in.app.clientID(), "app_slug": in.app.slug, "target_id": in.target.id,
		"target_type": in.target.kind, "permissions": in.permissions, "events": nonNil(in.events),
		"created_at": stampOf(in.created), "updated_at": stampOf(in.created), "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []string{}, "suspended_by": nil, "suspended_at": stampOf(in.suspended),
	}
	if !in.suspended.IsZero() {
		f["suspended_by"] = s.showUser(s.installer(in))
	}
	return f
}

func (s *Server) appRoutes() []*route {
	return []*route{
		{method: "GET", template: "/app", operation: "apps/get-authenticated", needs: "jwt", do: func(c *call) (answer, error) {
			return ok(c.s.showApp(c.actor.app))
		}},
		{method: "GET", template: "/apps/{app_slug}", operation: "apps/get-by-slug", do: func(c *call) (answer, error) {
			for _, a := range c.s.apps {
				if a.slug == c.params["app_slug"] {
					return ok(c.s.showApp(a))
				}
			}
			return answer{}, errNotFound
		}},
		{method: "GET", template: "/app/installations", operation: "apps/list-installations", needs: "jwt", do: func(c *call) (answer, error) {
			mine := slices.DeleteFunc(c.s.sortedInstallations(), func(in *installation) bool { return in.app != c.actor.app || in.gone })
			return ok(list(page(c, mine), c.s.showInstallation))
		}},
		{method: "GET", template: "/app/installations/{installation_id}", operation: "apps/get-installation", needs: "jwt", do: func(c *call) (answer, error) {
			in := c.s.installations[c.number("installation_id")]
			if in == nil || in.gone || in.app != c.actor.app {
				return answer{}, errNotFound
			}
			return ok(c.s.showInstallation(in))
		}},
		{method: "POST", template: "/app/installations/{installation_id}/access_tokens", operation: "apps/create-installation-access-token", needs: "jwt", do: (*call).createToken},
		{method: "GET", template: "/repos/{owner}/{repo}/installation", operation: "apps/get-repo-installation", needs: "", do: func(c *call) (answer, error) {
			for _, in := range c.s.sortedInstallations() {
				if c.actor.jwt && in.app == c.actor.app && in.covers(c.repo) {
					return ok(c.s.showInstallation(in))
				}
			}
			return answer{}, errNotFound
		}},
		{method: "GET", template: "/installation/repositories", operation: "apps/list-repos-accessible-to-installation", do: func(c *call) (answer, error) {
			if c.actor.installation == nil {
				return answer{}, errNotIntegration
			}
			var rs []*repo
			for _, r := range c.s.sortedRepos() {
				if c.actor.sees(r) {
					rs = append(rs, r)
				}
			}
			selection := "selected"
			if c.actor.installation.all {
				selection = "all"
			}
			return ok(fields{"total_count": len(rs), "repository_selection": selection, "repositories": list(page(c, rs), c.s.showRepo)})
		}},
		{method: "DELETE", template: "/installation/token", operation: "apps/revoke-installation-access-token", do: func(c *call) (answer, error) {
			c.actor.token.revoked = true
			return empty()
		}},
		{method: "GET", template: "/rate_limit", operation: "rate-limit/get", do: func(c *call) (answer, error) {
			limit := c.s.opt.RateLimit
			show := func(used int) fields {
				reset := c.s.now().Add(time.Hour)
				if c.actor.installation != nil {
					reset = c.actor.installation.rate.reset
				}
				return fields{"limit": limit, "used": used, "remaining": max(0, limit-used), "reset": reset.Unix()}
			}
			core, graph := show(0), show(0)
			if c.actor.installation != nil {
				core, graph = show(c.actor.installation.rate.used), show(c.actor.installation.rate.points)
			}
			return ok(fields{"resources": fields{"core": core, "search": show(0), "graphql": graph}, "rate": core})
		}},
	}
}

func (s *Server) sortedRepos() []*repo {
	var out []*repo
	for _, r := range s.repos {
		if !r.gone {
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

func (c *call) createToken() (answer, error) {
	in := c.s.installations[c.number("installation_id")]
	if in == nil || in.gone || in.app != c.actor.app {
		return answer{}, errNotFound
	}
	if !in.suspended.IsZero() {
		return answer{}, &failure{status: http.StatusForbidden, message: "This installation has been suspended"}
	}
	var q struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	t := c.s.newToken("ghs_")
	t.installation, t.expires, t.permissions = in, c.s.tokenNow().Add(tokenLife), maps.Clone(in.permissions)
	if q.Permissions != nil {
		for k, v := range q.Permissions {
			if have := in.permissions[k]; have == "" || (have == "read" && v != "read") {
				return answer{}, unprocessable("The permissions requested are not granted to this installation.")
			}
		}
		t.permissions = q.Permissions
	}
	for _, name := range q.Repositories {
		r := c.s.find(in.target.login, name)
		if r == nil || !in.covers(r) {
			return answer{}, unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
		q.RepositoryIDs = append(q.RepositoryIDs, r.id)
	}
	for _, id := range q.RepositoryIDs {
		r := c.s.repos[id]
		if r == nil || !in.covers(r) {
			return answer{}, unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
		if t.repos == nil {
			t.repos = map[int64]bool{}
		}
		t.repos[id] = true
	}
	selection := "selected"
	if in.all && t.repos == nil {
		selection = "all"
	}
	return created(fields{
		"token": t.value, "expires_at": t.expires.Format(time.RFC3339), "permissions": t.permissions, "repository_selection": selection,
	})
}

// splitFull cuts "owner/name".
func splitFull(full string) (owner, name string) {
	owner, name, _ = strings.Cut(full, "/")
	return owner, name
}
