package fakegithub

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
)

// mutation wraps what all of them have in common: one input, a permission, and
// the client's own id given back.
func mutation(permission string, do func(g *graph, in input) (payload, error)) resolver {
	return func(g *graph, _ any, args map[string]any) (any, error) {
		if !g.c.actor.mayAny(permission) {
			return nil, forbidden()
		}
		in, _ := args["input"].(map[string]any)
		p, err := do(g, in)
		if err != nil {
			return nil, err
		}
		p["clientMutationId"] = in["clientMutationId"]
		return p, nil
	}
}

func str(in input, key string) string {
	s, _ := in[key].(string)
	return s
}

// the finds an object by node id and Go type.
func the[T any](g *graph, in input, key string) (T, error) {
	v, err := g.node(str(in, key))
	if err != nil {
		var none T
		return none, err
	}
	x, is := v.(T)
	if !is {
		return x, notResolved("node with the global id of '" + str(in, key) + "'")
	}
	return x, nil
}

func (g *graph) conversation(in input, key string) (*issue, error) {
	v, err := g.node(str(in, key))
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case *issue:
		return x, nil
	case *pull:
		return x.issue, nil
	}
	return nil, notResolved("node with the global id of '" + str(in, key) + "'")
}

func subject(i *issue) any {
	if i.pull != nil {
		return i.pull
	}
	return i
}

// runOf turns GraphQL's input into REST's, whose checks are the same.
func runOf(in input) (*runInput, error) {
	rest := fields{}
	for graph, name := range map[string]string{
		"name": "name", "headSha": "head_sha", "detailsUrl": "details_url", "externalId": "external_id", "startedAt": "started_at", "completedAt": "completed_at",
		"actions": "actions",
	} {
		if v, has := in[graph]; has && v != nil {
			rest[name] = v
		}
	}
	for _, name := range []string{"status", "conclusion"} {
		if v, has := in[name].(string); has {
			rest[name] = strings.ToLower(v)
		}
	}
	if o, has := in["output"].(map[string]any); has {
		out := fields{}
		for _, name := range []string{"title", "summary", "text"} {
			if v := o[name]; v != nil {
				out[name] = v
			}
		}
		as := []fields{}
		list, _ := o["annotations"].([]any)
		for _, x := range list {
			a := x.(map[string]any)
			loc, _ := a["location"].(map[string]any)
			f := fields{
				"path": a["path"], "message": a["message"], "annotation_level": strings.ToLower(str(a, "annotationLevel")),
				"start_line": loc["startLine"], "end_line": loc["endLine"], "start_column": loc["startColumn"], "end_column": loc["endColumn"],
			}
			if t := str(a, "title"); t != "" {
				f["title"] = t
			}
			if t := str(a, "rawDetails"); t != "" {
				f["raw_details"] = t
			}
			as = append(as, f)
		}
		out["annotations"] = as
		rest["output"] = out
	}
	raw, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	var q runInput
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, &graphError{"UNPROCESSABLE", err.Error()}
	}
	return &q, nil
}

var mutationFields = map[string]resolver{
	"Mutation.createCheckRun": mutation("checks:write", func(g *graph, in input) (payload, error) {
		r, err := the[*repo](g, in, "repositoryId")
		if err != nil {
			return nil, err
		}
		q, err := runOf(in)
		if err != nil {
			return nil, err
		}
		run, f := g.s.createRun(r, g.c.actor.app, q)
		if f != nil {
			return nil, unprocessed(f)
		}
		g.c.late(run.nodeID())
		return payload{"checkRun": run}, nil
	}),
	"Mutation.updateCheckRun": mutation("checks:write", func(g *graph, in input) (payload, error) {
		run, err := the[*checkRun](g, in, "checkRunId")
		if err != nil {
			return nil, err
		}
		if run.app != g.c.actor.app {
			return nil, forbidden()
		}
		q, err := runOf(in)
		if err != nil {
			return nil, err
		}
		if f := g.s.updateRun(run, q); f != nil {
			return nil, unprocessed(f)
		}
		return payload{"checkRun": run}, nil
	}),
	"Mutation.addComment": mutation("issues:write|pull_requests:write", func(g *graph, in input) (payload, error) {
		i, err := g.conversation(in, "subjectId")
		if err != nil {
			return nil, err
		}
		if f := checkText("IssueComment", str(in, "body")); f != nil {
			return nil, unprocessed(f)
		}
		c := g.s.addComment(i, g.c.actor.user, g.c.actor.app, str(in, "body"))
		g.c.late(c.nodeID())
		return payload{"commentEdge": edge{cursorOf(len(i.comments) - 1), c}, "subject": subject(i)}, nil
	}),
	"Mutation.updateIssueComment": mutation("issues:write|pull_requests:write", func(g *graph, in input) (payload, error) {
		c, err := the[*comment](g, in, "id")
		if err != nil {
			return nil, err
		}
		if f := checkText("IssueComment", str(in, "body")); f != nil {
			return nil, unprocessed(f)
		}
		g.s.editComment(c, g.c.actor.user, str(in, "body"))
		return payload{"issueComment": c}, nil
	}),
	"Mutation.deleteIssueComment": mutation("issues:write|pull_requests:write", func(g *graph, in input) (payload, error) {
		c, err := the[*comment](g, in, "id")
		if err != nil {
			return nil, err
		}
		g.s.deleteComment(c, g.c.actor.user)
		return payload{}, nil
	}),
	"Mutation.minimizeComment": mutation("issues:write|pull_requests:write", func(g *graph, in input) (payload, error) {
		c, err := the[*comment](g, in, "subjectId")
		if err != nil {
			return nil, err
		}
		c.minimized = strings.ToLower(str(in, "classifier"))
		return payload{"minimizedComment": c}, nil
	}),
	"Mutation.addReaction": mutation("issues:write|pull_requests:write", func(g *graph, in input) (payload, error) {
		v, err := g.node(str(in, "subjectId"))
		if err != nil {
			return nil, err
		}
		var on *[]*reaction
		switch x := v.(type) {
		case *comment:
			on = &x.reactions
		case *issue:
			on = &x.reactions
		case *pull:
			on = &x.reactions
		default:
			return nil, notResolved("reactable node")
		}
		re, _, f := g.s.addReaction(on, g.c.actor.user, restReaction(str(in, "content")))
		if f != nil {
			return nil, unprocessed(f)
		}
		return payload{"reaction": re, "subject": v}, nil
	}),
	"Mutation.requestReviews": mutation("pull_requests:write", requestReviews),
	"Mutation.dismissPullRequestReview": mutation("pull_requests:write", func(g *graph, in input) (payload, error) {
		rv, err := the[*review](g, in, "pullRequestReviewId")
		if err != nil {
			return nil, err
		}
		if rv.state != Approved && rv.state != ChangesRequested {
			return nil, &graphError{"UNPROCESSABLE", "Can not dismiss a " + lower(rv.state) + " pull request review"}
		}
		g.s.dismiss(rv, g.c.actor.user, str(in, "message"))
		return payload{"pullRequestReview": rv}, nil
	}),
	"Mutation.createRef": mutation("contents:write", func(g *graph, in input) (payload, error) {
		r, err := the[*repo](g, in, "repositoryId")
		if err != nil {
			return nil, err
		}
		if f := g.s.makeRef(r, str(in, "name"), str(in, "oid"), g.c.actor.user); f != nil {
			return nil, unprocessed(f)
		}
		return payload{"ref": refIn{r, str(in, "name")}}, nil
	}),
	"Mutation.createCommitOnBranch": mutation("contents:write", commitOnBranch),
	"Mutation.createPullRequest": mutation("pull_requests:write", func(g *graph, in input) (payload, error) {
		r, err := the[*repo](g, in, "repositoryId")
		if err != nil {
			return nil, err
		}
		draft, _ := in["draft"].(bool)
		p, f := g.s.openPull(r, g.c.actor.user, g.c.actor.app, r, PRSpec{
			Title: str(in, "title"), Body: str(in, "body"), Draft: draft,
			Base: strings.TrimPrefix(str(in, "baseRefName"), "refs/heads/"), Head: strings.TrimPrefix(str(in, "headRefName"), "refs/heads/"),
		})
		if f != nil {
			return nil, unprocessed(f)
		}
		g.c.late(p.nodeID())
		return payload{"pullRequest": p}, nil
	}),
	"Mutation.updatePullRequest": mutation("pull_requests:write", func(g *graph, in input) (payload, error) {
		p, err := the[*pull](g, in, "pullRequestId")
		if err != nil {
			return nil, err
		}
		g.s.editPull(p, g.c.actor.user, textArg(in, "title"), textArg(in, "body"), textArg(in, "baseRefName"))
		return payload{"pullRequest": p}, nil
	}),
	"Mutation.enablePullRequestAutoMerge": mutation("pull_requests:write", func(g *graph, in input) (payload, error) {
		p, err := the[*pull](g, in, "pullRequestId")
		if err != nil {
			return nil, err
		}
		switch {
		case !p.repo.autoMerge:
			return nil, &graphError{"UNPROCESSABLE", "Pull request Auto merge is not allowed for this repository"}
		case p.state != "open" || p.draft:
			return nil, &graphError{"UNPROCESSABLE", "Pull request is in draft or closed state"}
		case g.s.refuseMerge(p, false) == nil:
			return nil, &graphError{"UNPROCESSABLE", "Pull request is in clean status"}
		}
		method := strings.ToLower(str(in, "mergeMethod"))
		if method == "" {
			method = MergeCommit
		}
		p.auto, p.autoBy = method, g.c.actor.user
		g.s.emitPull(p, "auto_merge_enabled", g.c.actor.user, nil)
		return payload{"pullRequest": p}, nil
	}),
	"Mutation.createIssue": mutation("issues:write", func(g *graph, in input) (payload, error) {
		r, err := the[*repo](g, in, "repositoryId")
		if err != nil {
			return nil, err
		}
		i := g.s.openIssue(r, g.c.actor.user, g.c.actor.app, str(in, "title"), str(in, "body"), nil)
		g.c.late(i.nodeID())
		return payload{"issue": i}, nil
	}),
	"Mutation.updateIssue": mutation("issues:write", func(g *graph, in input) (payload, error) {
		i, err := the[*issue](g, in, "id")
		if err != nil {
			return nil, err
		}
		g.s.editIssue(i, g.c.actor.user, textArg(in, "title"), textArg(in, "body"))
		if st := str(in, "state"); st != "" {
			g.s.setIssueState(i, g.c.actor.user, lower(st), "")
		}
		return payload{"issue": i}, nil
	}),
	"Mutation.closeIssue": mutation("issues:write", func(g *graph, in input) (payload, error) {
		i, err := the[*issue](g, in, "issueId")
		if err != nil {
			return nil, err
		}
		reason := lower(str(in, "stateReason"))
		if reason == "" {
			reason = "completed"
		}
		g.s.setIssueState(i, g.c.actor.user, "closed", reason)
		return payload{"issue": i}, nil
	}),
	"Mutation.reopenIssue": mutation("issues:write", func(g *graph, in input) (payload, error) {
		i, err := the[*issue](g, in, "issueId")
		if err != nil {
			return nil, err
		}
		g.s.setIssueState(i, g.c.actor.user, "open", "reopened")
		return payload{"issue": i}, nil
	}),
}

func textArg(in input, key string) *string {
	if s, is := in[key].(string); is {
		return &s
	}
	return nil
}

func requestReviews(g *graph, in input) (payload, error) {
	p, err := the[*pull](g, in, "pullRequestId")
	if err != nil {
		return nil, err
	}
	if union, _ := in["union"].(bool); !union {
		p.users, p.teams = nil, nil
	}
	userIDs, _ := in["userIds"].([]any)
	for _, id := range userIDs {
		u, is := g.s.nodes[id.(string)].(*account)
		if !is || u == p.author || g.s.accessExplicit(p.repo, u) == "" {
			return nil, &graphError{"UNPROCESSABLE", "Could not resolve to a User that can review this pull request."}
		}
		g.s.askUser(p, g.c.actor.user, g.c.actor.app, u)
	}
	teamIDs, _ := in["teamIds"].([]any)
	for _, id := range teamIDs {
		t, is := g.s.nodes[id.(string)].(*team)
		if !is || !g.s.teamReaches(t, p.repo) {
			return nil, &graphError{"UNPROCESSABLE", "Could not resolve to a Team that can review this pull request."}
		}
		g.s.askTeam(p, g.c.actor.user, g.c.actor.app, t)
	}
	return payload{"pullRequest": p, "actor": g.c.actor.user}, nil
}

// commitOnBranch is GitHub's one-step commit: refused unless the branch is
// where the caller believes it to be, signed by GitHub.
func commitOnBranch(g *graph, in input) (payload, error) {
	b, _ := in["branch"].(map[string]any)
	var r *repo
	name := str(b, "branchName")
	if id := str(b, "id"); id != "" {
		for _, x := range g.s.sortedRepos() {
			for ref := range x.refs {
				if nodeID("REF", x.id)+"_"+ref == id {
					r, name = x, ref
				}
			}
		}
	} else if r = g.s.find(splitFull(str(b, "repositoryNameWithOwner"))); r == nil {
		return nil, notResolved("Repository with the name '" + str(b, "repositoryNameWithOwner") + "'")
	}
	if r == nil || !g.c.actor.sees(r) {
		return nil, notResolved("Repository")
	}
	name = strings.TrimPrefix(name, "refs/heads/")
	tip := r.tip(name)
	if tip == "" {
		return nil, &graphError{"NOT_FOUND", "No such branch: " + name}
	}
	if want := str(in, "expectedHeadOid"); want != tip {
		return nil, &graphError{"STALE_DATA", "Expected branch to point to \"" + want + "\" but it did not. Pull and try again."}
	}
	parent, _ := r.git.commit(tip)
	files := maps.Clone(r.git.flatten(parent.tree))
	changes, _ := in["fileChanges"].(map[string]any)
	dels, _ := changes["deletions"].([]any)
	for _, d := range dels {
		p := str(d.(map[string]any), "path")
		if _, has := files[p]; !has {
			return nil, &graphError{"UNPROCESSABLE", "A path was requested for deletion which does not exist as of commit oid `" + tip + "`"}
		}
		delete(files, p)
	}
	adds, _ := changes["additions"].([]any)
	for _, a := range adds {
		p := str(a.(map[string]any), "path")
		data, err := base64.StdEncoding.DecodeString(str(a.(map[string]any), "contents"))
		if err != nil || !validPath(p) {
			return nil, &graphError{"UNPROCESSABLE", "A file addition is malformed"}
		}
		mode := ModeFile
		if have, has := files[p]; has && have.mode == ModeExec {
			mode = ModeExec
		}
		files[p] = leaf{mode, r.git.put("blob", data)}
	}
	m, _ := in["message"].(map[string]any)
	now := g.s.stamp()
	oid := g.s.webCommit(r, commit{
		tree: r.git.build(files), parents: []string{tip}, author: g.s.identOf(g.c.actor.user, now), committer: g.s.identOf(g.s.webflow, now),
		message: join(str(m, "headline"), str(m, "body")),
	})
	if err := g.s.push(r, "refs/heads/"+name, oid, g.c.actor.user, false); err != nil {
		return nil, unprocessed(refusalOf(err))
	}
	c, _ := r.git.commit(oid)
	return payload{"commit": commitIn{r, c}, "ref": refIn{r, "refs/heads/" + name}}, nil
}

// payloadFields read what a mutation answers with.
var payloadFields = func() map[string]resolver {
	out := map[string]resolver{}
	for name, keys := range map[string][]string{
		"CreateCheckRun": {"checkRun"}, "UpdateCheckRun": {"checkRun"}, "AddComment": {"commentEdge", "subject"}, "UpdateIssueComment": {"issueComment"},
		"DeleteIssueComment": {}, "MinimizeComment": {"minimizedComment"}, "AddReaction": {"reaction", "subject"}, "RequestReviews": {"pullRequest", "actor"},
		"DismissPullRequestReview": {"pullRequestReview"}, "CreateRef": {"ref"}, "CreateCommitOnBranch": {"commit", "ref"},
		"CreatePullRequest": {"pullRequest"}, "UpdatePullRequest": {"pullRequest"}, "EnablePullRequestAutoMerge": {"pullRequest"},
		"CreateIssue": {"issue"}, "UpdateIssue": {"issue"}, "CloseIssue": {"issue"}, "ReopenIssue": {"issue"},
	} {
		for _, key := range append(keys, "clientMutationId") {
			out[name+"Payload."+key] = func(_ *graph, on any, _ map[string]any) (any, error) { return on.(payload)[key], nil }
		}
	}
	return out
}()
