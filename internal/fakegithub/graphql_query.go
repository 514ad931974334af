package fakegithub

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// resolvers answer one field each. A selected field that is not here is an
// error, so that a query cannot pass on something that nobody looked at.
var resolvers = func() map[string]resolver {
	all := map[string]resolver{}
	for _, table := range []map[string]resolver{
		rootFields, repositoryFields, pullFields, commitFields, talkFields, checkFields, peopleFields, eventFields, mutationFields, payloadFields,
	} {
		for name, do := range table {
			if all[name] != nil {
				panic("fakegithub: two resolvers for " + name)
			}
			all[name] = do
		}
	}
	return all
}()

// of makes a resolver of a function on one Go type.
func of[T any](do func(g *graph, x T) any) resolver {
	return func(g *graph, on any, _ map[string]any) (any, error) { return do(g, on.(T)), nil }
}

// with is of, with arguments and errors.
func with[T any](do func(g *graph, x T, args map[string]any) (any, error)) resolver {
	return func(g *graph, on any, args map[string]any) (any, error) { return do(g, on.(T), args) }
}

func (g *graph) who(a *account) any { return opt(g.s.shown(a)) }

func (g *graph) repository(owner, name string) (any, error) {
	r := g.s.find(owner, name)
	if r == nil || !g.c.actor.sees(r) {
		return nil, notResolved("Repository with the name '" + owner + "/" + name + "'")
	}
	return r, nil
}

var rootFields = map[string]resolver{
	"Query.repository": func(g *graph, _ any, a map[string]any) (any, error) {
		return g.repository(a["owner"].(string), a["name"].(string))
	},
	"Query.viewer": func(g *graph, _ any, _ map[string]any) (any, error) { return g.c.actor.user, nil },
	"Query.node": func(g *graph, _ any, a map[string]any) (any, error) {
		return g.node(a["id"].(string))
	},
	"Query.nodes": func(g *graph, _ any, a map[string]any) (any, error) {
		out := []any{}
		for _, id := range a["ids"].([]any) {
			n, _ := g.node(id.(string))
			out = append(out, n)
		}
		return out, nil
	},
	"Query.organization": func(g *graph, _ any, a map[string]any) (any, error) {
		o := g.s.accounts[strings.ToLower(a["login"].(string))]
		if o == nil || o.kind != "Organization" || (g.c.actor.installation != nil && g.c.actor.installation.target != o) {
			return nil, notResolved("Organization with the login of '" + a["login"].(string) + "'")
		}
		return o, nil
	},
	"Query.user": func(g *graph, _ any, a map[string]any) (any, error) {
		u := g.s.accounts[strings.ToLower(a["login"].(string))]
		if u == nil || u.kind != "User" || u.gone {
			return nil, notResolved("User with the login of '" + a["login"].(string) + "'")
		}
		return u, nil
	},
	"Query.rateLimit":     func(g *graph, _ any, _ map[string]any) (any, error) { return g, nil },
	"RateLimit.cost":      of(func(g *graph, _ *graph) any { return g.cost }),
	"RateLimit.limit":     of(func(g *graph, _ *graph) any { return g.s.opt.RateLimit }),
	"RateLimit.nodeCount": of(func(g *graph, _ *graph) any { return g.nodes }),
	"RateLimit.remaining": of(func(g *graph, _ *graph) any {
		if in := g.c.actor.installation; in != nil {
			return g.s.opt.RateLimit - in.rate.points
		}
		return g.s.opt.RateLimit
	}),
	"RateLimit.used": of(func(g *graph, _ *graph) any {
		if in := g.c.actor.installation; in != nil {
			return in.rate.points
		}
		return 0
	}),
	"RateLimit.resetAt": of(func(g *graph, _ *graph) any {
		if in := g.c.actor.installation; in != nil {
			return in.rate.reset
		}
		return g.s.now()
	}),
}

// node finds an object by its id, if the actor may see its repository.
func (g *graph) node(id string) (any, error) {
	missing := notResolved("node with the global id of '" + id + "'")
	if strings.HasPrefix(id, "C_") {
		repoID, oid := id[:strings.LastIndexByte(id, '_')], id[strings.LastIndexByte(id, '_')+1:]
		for _, r := range g.s.repos {
			if nodeID("C", r.id) == repoID && g.c.actor.sees(r) {
				if c, is := r.git.commit(oid); is {
					return commitIn{r, c}, nil
				}
			}
		}
		return nil, missing
	}
	v := g.s.nodes[id]
	var r *repo
	switch x := v.(type) {
	case nil:
		return nil, missing
	case *repo:
		r = x
	case *pull:
		r = x.repo
	case *issue:
		r = x.repo
	case *comment:
		r = x.issue.repo
	case *review:
		r = x.pull.repo
	case *checkRun:
		r = x.repo
	case *suite:
		r = x.repo
	}
	if r != nil && (r.gone || !g.c.actor.sees(r)) {
		return nil, missing
	}
	return v, nil
}

func permitted(permission string, do resolver) resolver {
	return func(g *graph, on any, args map[string]any) (any, error) {
		if !g.c.actor.mayAny(permission) {
			return nil, forbidden()
		}
		return do(g, on, args)
	}
}

var repositoryFields = map[string]resolver{
	"Repository.databaseId":    of(func(_ *graph, r *repo) any { return r.id }),
	"Repository.id":            of(func(_ *graph, r *repo) any { return r.nodeID() }),
	"Repository.name":          of(func(_ *graph, r *repo) any { return r.name }),
	"Repository.nameWithOwner": of(func(_ *graph, r *repo) any { return r.full() }),
	"Repository.owner":         of(func(_ *graph, r *repo) any { return r.owner }),
	"Repository.isPrivate":     of(func(_ *graph, r *repo) any { return r.private }),
	"Repository.isFork":        of(func(_ *graph, r *repo) any { return r.parent != nil }),
	"Repository.isInOrganization": of(func(_ *graph, r *repo) any {
		return r.owner.kind == "Organization"
	}),
	"Repository.url":                of(func(g *graph, r *repo) any { return g.s.html(r.full()) }),
	"Repository.pushedAt":           of(func(_ *graph, r *repo) any { return r.pushed }),
	"Repository.mergeCommitAllowed": of(func(_ *graph, _ *repo) any { return true }),
	"Repository.squashMergeAllowed": of(func(_ *graph, _ *repo) any { return true }),
	"Repository.rebaseMergeAllowed": of(func(_ *graph, _ *repo) any { return true }),
	"Repository.autoMergeAllowed":   of(func(_ *graph, r *repo) any { return r.autoMerge }),
	"Repository.viewerPermission": of(func(g *graph, r *repo) any {
		if g.c.actor.installation != nil {
			return map[bool]any{true: "WRITE", false: "READ"}[g.c.actor.may("contents:write")]
		}
		return strings.ToUpper(g.s.access(r, g.c.actor.user))
	}),
	"Repository.defaultBranchRef": of(func(_ *graph, r *repo) any {
		if r.tip(r.defaultBranch) == "" {
			return nil
		}
		return refIn{r, "refs/heads/" + r.defaultBranch}
	}),
	"Repository.ref": permitted("contents:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		name := a["qualifiedName"].(string)
		for _, try := range []string{name, "refs/heads/" + name, "refs/tags/" + name} {
			if r.refs[try] != "" {
				return refIn{r, try}, nil
			}
		}
		return nil, nil
	})),
	"Repository.refs": permitted("contents:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		var out []any
		prefix := a["refPrefix"].(string)
		part, _ := a["query"].(string)
		for _, ref := range r.sortedRefs(prefix) {
			if strings.Contains(strings.TrimPrefix(ref, prefix), part) {
				out = append(out, refIn{r, ref})
			}
		}
		return nonNil(out), nil
	})),
	"Repository.object": permitted("contents:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		if oid, is := a["oid"].(string); is {
			return objectIn(r, oid), nil
		}
		ex, _ := a["expression"].(string)
		ref, at, deeper := strings.Cut(ex, ":")
		oid := r.resolve(ref)
		if !deeper {
			if oid == "" {
				return objectIn(r, ref), nil
			}
			return objectIn(r, oid), nil
		}
		c, is := r.git.commit(oid)
		if !is {
			return nil, nil
		}
		tree := c.tree
		if at == "" {
			return treeIn{r, tree}, nil
		}
		for i, seg := range strings.Split(at, "/") {
			es, _ := r.git.entriesOf(tree)
			j := slices.IndexFunc(es, func(e entry) bool { return e.name == seg })
			if j < 0 {
				return nil, nil
			}
			if i == strings.Count(at, "/") {
				return objectIn(r, es[j].oid), nil
			}
			tree = es[j].oid
		}
		return nil, nil
	})),
	// Who has no access of his own is no collaborator, although everybody may read
	// a public repository.
	"Repository.collaborators": permitted("metadata:read", with(func(g *graph, r *repo, a map[string]any) (any, error) {
		out := []any{}
		login, one := a["login"].(string)
		for _, who := range g.s.collaboratorsOf(r) {
			if !one || strings.EqualFold(who.login, login) {
				out = append(out, collaboratorOf{r, who})
			}
		}
		return out, nil
	})),
	"Repository.pullRequest": permitted("pull_requests:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		n := intArg(a, "number", 0)
		if i := r.issues[n]; i != nil && i.pull != nil {
			return i.pull, nil
		}
		return nil, notResolved(fmt.Sprintf("PullRequest with the number of %d", n))
	})),
	"Repository.pullRequests": permitted("pull_requests:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		var out []any
		for _, i := range r.sortedIssues() {
			p := i.pull
			if p == nil || !oneOf(a["states"], pullState(p)) || !sameOrEmpty(a["headRefName"], p.headRef) || !sameOrEmpty(a["baseRefName"], p.baseRef) || !labelled(a["labels"], i) {
				continue
			}
			out = append(out, p)
		}
		if descending(a) {
			slices.Reverse(out)
		}
		return nonNil(out), nil
	})),
	"Repository.issue": permitted("issues:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		n := intArg(a, "number", 0)
		if i := r.issues[n]; i != nil && i.pull == nil {
			return i, nil
		}
		return nil, notResolved(fmt.Sprintf("Issue with the number of %d", n))
	})),
	"Repository.issues": permitted("issues:read", with(func(_ *graph, r *repo, a map[string]any) (any, error) {
		by := ""
		if f, is := a["filterBy"].(map[string]any); is {
			by, _ = f["createdBy"].(string)
		}
		var out []any
		for _, i := range r.sortedIssues() {
			if i.pull == nil && oneOf(a["states"], strings.ToUpper(i.state)) && labelled(a["labels"], i) && (by == "" || strings.EqualFold(by, i.author.login)) {
				out = append(out, i)
			}
		}
		if descending(a) {
			slices.Reverse(out)
		}
		return nonNil(out), nil
	})),
	"Ref.name": of(func(_ *graph, x refIn) any {
		return strings.TrimPrefix(strings.TrimPrefix(x.name, "refs/heads/"), "refs/tags/")
	}),
	"Ref.id":         of(func(_ *graph, x refIn) any { return nodeID("REF", x.r.id) + "_" + x.name }),
	"Ref.prefix":     of(func(_ *graph, x refIn) any { return path.Dir(x.name) + "/" }),
	"Ref.target":     of(func(_ *graph, x refIn) any { return objectIn(x.r, x.r.peel(x.r.refs[x.name])) }),
	"Ref.repository": of(func(_ *graph, x refIn) any { return x.r }),
	"Ref.associatedPullRequests": with(func(_ *graph, x refIn, a map[string]any) (any, error) {
		var out []any
		for _, i := range x.r.sortedIssues() {
			if i.pull != nil && i.pull.headRepo == x.r && "refs/heads/"+i.pull.headRef == x.name && oneOf(a["states"], pullState(i.pull)) {
				out = append(out, i.pull)
			}
		}
		return nonNil(out), nil
	}),
	"Tree.oid": of(func(_ *graph, x treeIn) any { return x.oid }),
	"Tree.id":  of(func(_ *graph, x treeIn) any { return nodeID("T", x.r.id) + "_" + x.oid }),
	"Tree.entries": of(func(_ *graph, x treeIn) any {
		var out []any
		es, _ := x.r.git.entriesOf(x.oid)
		for _, e := range es {
			out = append(out, treeEntry{x.r, e, e.name})
		}
		return nonNil(out)
	}),
	"TreeEntry.name": of(func(_ *graph, x treeEntry) any { return x.e.name }),
	"TreeEntry.path": of(func(_ *graph, x treeEntry) any { return x.p }),
	"TreeEntry.oid":  of(func(_ *graph, x treeEntry) any { return x.e.oid }),
	"TreeEntry.type": of(func(_ *graph, x treeEntry) any {
		return map[string]any{modeTree: "tree", ModeSubmodule: "commit"}[x.e.mode]
	}),
	"TreeEntry.mode": of(func(_ *graph, x treeEntry) any {
		var n int
		_, _ = fmt.Sscanf(x.e.mode, "%o", &n)
		return n
	}),
	"TreeEntry.object": of(func(_ *graph, x treeEntry) any { return objectIn(x.r, x.e.oid) }),
	"Blob.oid":         of(func(_ *graph, x blobIn) any { return x.oid }),
	"Blob.id":          of(func(_ *graph, x blobIn) any { return nodeID("B", x.r.id) + "_" + x.oid }),
	"Blob.byteSize": of(func(_ *graph, x blobIn) any {
		b, _ := x.r.git.blob(x.oid)
		return len(b)
	}),
	"Blob.isBinary": of(func(_ *graph, x blobIn) any {
		b, _ := x.r.git.blob(x.oid)
		return slices.Contains(b, 0)
	}),
	"Blob.isTruncated": of(func(_ *graph, x blobIn) any {
		b, _ := x.r.git.blob(x.oid)
		return len(b) > maxBlobText
	}),
	"Blob.text": of(func(_ *graph, x blobIn) any {
		b, _ := x.r.git.blob(x.oid)
		if slices.Contains(b, 0) {
			return nil
		}
		return string(b[:min(len(b), maxBlobText)])
	}),
}

// maxBlobText is how much text of a blob GraphQL gives: 512,000 bytes.
const maxBlobText = 512_000

func objectIn(r *repo, oid string) any {
	if c, is := r.git.commit(oid); is {
		return commitIn{r, c}
	}
	if _, is := r.git.entriesOf(oid); is {
		return treeIn{r, oid}
	}
	if _, is := r.git.blob(oid); is {
		return blobIn{r, oid}
	}
	return nil
}

func oneOf(arg any, have string) bool {
	xs, is := arg.([]any)
	return !is || len(xs) == 0 || slices.Contains(xs, any(have))
}

func sameOrEmpty(arg any, have string) bool {
	x, is := arg.(string)
	return !is || x == "" || x == have
}

func labelled(arg any, i *issue) bool {
	xs, is := arg.([]any)
	if !is || len(xs) == 0 {
		return true
	}
	return slices.ContainsFunc(i.labels, func(l *label) bool {
		return slices.ContainsFunc(xs, func(x any) bool { return strings.EqualFold(fmt.Sprint(x), l.name) })
	})
}

func descending(a map[string]any) bool {
	o, is := a["orderBy"].(map[string]any)
	return is && o["direction"] == "DESC"
}

func pullState(p *pull) string {
	if p.merged {
		return "MERGED"
	}
	return strings.ToUpper(p.state)
}

var peopleFields = map[string]resolver{
	"Organization.login":      of(func(_ *graph, a *account) any { return a.login }),
	"Organization.id":         of(func(_ *graph, a *account) any { return a.nodeID() }),
	"Organization.databaseId": of(func(_ *graph, a *account) any { return a.id }),
	"Organization.team": permitted("members:read", with(func(g *graph, o *account, a map[string]any) (any, error) {
		return opt(g.s.team(o.login, a["slug"].(string))), nil
	})),
	"User.login":      of(func(_ *graph, a *account) any { return a.login }),
	"User.id":         of(func(_ *graph, a *account) any { return a.nodeID() }),
	"User.databaseId": of(func(_ *graph, a *account) any { return a.id }),
	"User.name":       of(func(_ *graph, a *account) any { return a.name }),
	"User.url":        of(func(g *graph, a *account) any { return g.s.html(a.login) }),
	// GraphQL shows a bot without the "[bot]" of REST.
	"Bot.login":       of(func(_ *graph, a *account) any { return strings.TrimSuffix(a.login, "[bot]") }),
	"Bot.id":          of(func(_ *graph, a *account) any { return a.nodeID() }),
	"Bot.databaseId":  of(func(_ *graph, a *account) any { return a.id }),
	"Team.id":         of(func(_ *graph, t *team) any { return t.nodeID() }),
	"Team.databaseId": of(func(_ *graph, t *team) any { return t.id }),
	"Team.slug":       of(func(_ *graph, t *team) any { return t.slug }),
	"Team.name":       of(func(_ *graph, t *team) any { return t.name }),
	"Team.combinedSlug": of(func(_ *graph, t *team) any {
		return t.org.login + "/" + t.slug
	}),
	"Team.organization": of(func(_ *graph, t *team) any { return t.org }),
	"Team.privacy": of(func(_ *graph, t *team) any {
		return map[bool]string{true: "SECRET", false: "VISIBLE"}[t.secret]
	}),
	"Team.parentTeam": of(func(_ *graph, t *team) any { return opt(t.parent) }),
	"Team.members": with(func(g *graph, t *team, a map[string]any) (any, error) {
		children := a["membership"] == nil || a["membership"] == "ALL"
		members := g.s.membersOf(t, children)
		if a["membership"] == "CHILD_TEAM" {
			members = g.s.membersOf(t, true)
			own := g.s.membersOf(t, false)
			members = slices.DeleteFunc(members, func(x *account) bool { return slices.Contains(own, x) })
		}
		return anys(members), nil
	}),
	"Team.repositories": with(func(g *graph, t *team, a map[string]any) (any, error) {
		out := []any{}
		part, _ := a["query"].(string)
		for _, r := range g.s.repos {
			if g.s.teamReaches(t, r) && !r.gone && g.c.actor.sees(r) && strings.Contains(strings.ToLower(r.name), strings.ToLower(part)) {
				out = append(out, r)
			}
		}
		return out, nil
	}),
	"App.databaseId": of(func(_ *graph, a *app) any { return a.id }),
	"App.id":         of(func(_ *graph, a *app) any { return nodeID("A", a.id) }),
	"App.slug":       of(func(_ *graph, a *app) any { return a.slug }),
	"App.name":       of(func(_ *graph, a *app) any { return a.name }),
}
