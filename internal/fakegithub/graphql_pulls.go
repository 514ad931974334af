package fakegithub

import (
	"fmt"
	"slices"
	"strings"
)

var pullFields = map[string]resolver{
	"PullRequest.databaseId":      of(func(_ *graph, p *pull) any { return p.id }),
	"PullRequest.id":              of(func(_ *graph, p *pull) any { return p.nodeID() }),
	"PullRequest.viewerDidAuthor": of(func(g *graph, p *pull) any { return p.author == g.c.actor.user }),
	"PullRequest.number":          of(func(_ *graph, p *pull) any { return p.number }),
	"PullRequest.title":           of(func(_ *graph, p *pull) any { return p.title }),
	"PullRequest.body":            of(func(_ *graph, p *pull) any { return p.body }),
	"PullRequest.state":           of(func(_ *graph, p *pull) any { return pullState(p) }),
	"PullRequest.isDraft":         of(func(_ *graph, p *pull) any { return p.draft }),
	"PullRequest.merged":          of(func(_ *graph, p *pull) any { return p.merged }),
	"PullRequest.mergedAt":        of(func(_ *graph, p *pull) any { return p.mergedAt }),
	"PullRequest.closed":          of(func(_ *graph, p *pull) any { return p.state == "closed" }),
	"PullRequest.closedAt":        of(func(_ *graph, p *pull) any { return p.closed }),
	"PullRequest.createdAt":       of(func(_ *graph, p *pull) any { return p.created }),
	"PullRequest.updatedAt":       of(func(_ *graph, p *pull) any { return p.updated }),
	"PullRequest.url":             of(func(g *graph, p *pull) any { return g.s.issueURL(p.issue) }),
	"PullRequest.author":          of(func(g *graph, p *pull) any { return g.who(p.author) }),
	"PullRequest.mergedBy":        of(func(g *graph, p *pull) any { return g.who(p.mergedBy) }),
	"PullRequest.mergeCommit": of(func(_ *graph, p *pull) any {
		if c, is := p.repo.git.commit(p.mergeCommit); is {
			return commitIn{p.repo, c}
		}
		return nil
	}),
	"PullRequest.headRefName": of(func(_ *graph, p *pull) any { return p.headRef }),
	"PullRequest.headRefOid":  of(func(_ *graph, p *pull) any { return p.headOID }),
	"PullRequest.headRef": of(func(_ *graph, p *pull) any {
		if p.headRepo == nil || p.headRepo.tip(p.headRef) == "" {
			return nil
		}
		return refIn{p.headRepo, "refs/heads/" + p.headRef}
	}),
	"PullRequest.baseRef": of(func(_ *graph, p *pull) any {
		if p.repo.tip(p.baseRef) == "" {
			return nil
		}
		return refIn{p.repo, "refs/heads/" + p.baseRef}
	}),
	"PullRequest.headRepository":      of(func(_ *graph, p *pull) any { return opt(p.headRepo) }),
	"PullRequest.baseRepository":      of(func(_ *graph, p *pull) any { return p.repo }),
	"PullRequest.repository":          of(func(_ *graph, p *pull) any { return p.repo }),
	"PullRequest.baseRefName":         of(func(_ *graph, p *pull) any { return p.baseRef }),
	"PullRequest.baseRefOid":          of(func(_ *graph, p *pull) any { return p.baseOID }),
	"PullRequest.changedFiles":        of(func(_ *graph, p *pull) any { return len(p.changes()) }),
	"PullRequest.lastEditedAt":        of(func(_ *graph, p *pull) any { return p.edited }),
	"PullRequest.maintainerCanModify": of(func(_ *graph, _ *pull) any { return false }),
	"PullRequest.isCrossRepository": of(func(_ *graph, p *pull) any {
		return p.headRepo != p.repo
	}),
	"PullRequest.isInMergeQueue": of(func(_ *graph, p *pull) any { return p.queued && !p.merged }),
	"PullRequest.mergeable": of(func(_ *graph, p *pull) any {
		return map[bool]string{true: "MERGEABLE", false: "CONFLICTING"}[p.mergeable()]
	}),
	"PullRequest.mergeStateStatus": of(func(g *graph, p *pull) any {
		if g.s.refuseMerge(p, false) != nil {
			return "BLOCKED"
		}
		return "CLEAN"
	}),
	"PullRequest.autoMergeRequest": of(func(_ *graph, p *pull) any {
		if p.auto == "" {
			return nil
		}
		return p
	}),
	"AutoMergeRequest.mergeMethod": of(func(_ *graph, p *pull) any { return strings.ToUpper(p.auto) }),
	"AutoMergeRequest.enabledBy":   of(func(g *graph, p *pull) any { return g.who(p.autoBy) }),
	"PullRequest.reviewDecision": of(func(g *graph, p *pull) any {
		gd := g.s.guards(p.repo, p.baseRef)
		if gd == nil || gd.reviews == 0 {
			return nil
		}
		approved, blocked := g.s.opinions(p)
		switch {
		case blocked:
			return "CHANGES_REQUESTED"
		case approved >= gd.reviews:
			return "APPROVED"
		}
		return "REVIEW_REQUIRED"
	}),
	"PullRequest.labels": of(func(_ *graph, p *pull) any { return anys(p.labels) }),
	"PullRequest.files": of(func(_ *graph, p *pull) any {
		var out []any
		for _, c := range p.changes() {
			out = append(out, fileOf{p, c})
		}
		return nonNil(out)
	}),
	"PullRequestChangedFile.path": of(func(_ *graph, f fileOf) any { return f.c.path }),
	"PullRequestChangedFile.changeType": of(func(_ *graph, f fileOf) any {
		return map[string]string{"added": "ADDED", "removed": "DELETED", "renamed": "RENAMED", "modified": "MODIFIED"}[f.c.status()]
	}),
	"PullRequestChangedFile.additions": of(func(_ *graph, f fileOf) any {
		_, n, _ := f.p.repo.git.patchOfChange(f.c)
		return n
	}),
	"PullRequestChangedFile.deletions": of(func(_ *graph, f fileOf) any {
		_, _, n := f.p.repo.git.patchOfChange(f.c)
		return n
	}),
	"PullRequest.commits": of(func(_ *graph, p *pull) any {
		var out []any
		for _, c := range p.commitsOf() {
			out = append(out, pullCommit{p, c})
		}
		return nonNil(out)
	}),
	"PullRequestCommit.commit":      of(func(_ *graph, x pullCommit) any { return commitIn{x.p.repo, x.c} }),
	"PullRequestCommit.id":          of(func(_ *graph, x pullCommit) any { return nodeID("PURC", x.p.id) + x.c.oid }),
	"PullRequestCommit.pullRequest": of(func(_ *graph, x pullCommit) any { return x.p }),
	"PullRequest.reviews": with(func(g *graph, p *pull, a map[string]any) (any, error) {
		var out []any
		for _, rv := range visibleReviews(p, g.c.actor.user) {
			if oneOf(a["states"], rv.state) && sameOrEmpty(a["author"], rv.author.login) {
				out = append(out, rv)
			}
		}
		return nonNil(out), nil
	}),
	"PullRequest.latestReviews": of(func(g *graph, p *pull) any {
		last := map[*account]*review{}
		rvs := visibleReviews(p, g.c.actor.user)
		for _, rv := range rvs {
			last[rv.author] = rv
		}
		return anys(slices.DeleteFunc(rvs, func(rv *review) bool { return last[rv.author] != rv }))
	}),
	"PullRequest.comments": of(func(_ *graph, p *pull) any { return anys(p.comments) }),
	"PullRequest.reviewRequests": of(func(_ *graph, p *pull) any {
		var out []any
		for _, u := range p.users {
			out = append(out, askedOf{p: p, user: u})
		}
		for _, t := range p.teams {
			out = append(out, askedOf{p: p, team: t})
		}
		return nonNil(out)
	}),
	"ReviewRequest.requestedReviewer": of(func(g *graph, x askedOf) any {
		if x.team != nil {
			return x.team
		}
		return g.who(x.user)
	}),
	"ReviewRequest.asCodeOwner": of(func(_ *graph, _ askedOf) any { return false }),
	"PullRequest.timelineItems": with(func(g *graph, p *pull, a map[string]any) (any, error) {
		types, _ := a["itemTypes"].([]any)
		return g.s.timelineOf(p, types), nil
	}),
}

var eventFields = func() map[string]resolver {
	out := map[string]resolver{
		"HeadRefForcePushedEvent.beforeCommit": of(func(_ *graph, x eventIn) any { return objectIn(x.i.repo, x.e.before) }),
		"HeadRefForcePushedEvent.afterCommit":  of(func(_ *graph, x eventIn) any { return objectIn(x.i.repo, x.e.commit) }),
		"HeadRefForcePushedEvent.ref": of(func(_ *graph, x eventIn) any {
			p := x.i.pull
			if p.headRepo == nil || p.headRepo.tip(p.headRef) == "" {
				return nil
			}
			return refIn{p.headRepo, "refs/heads/" + p.headRef}
		}),
		"ReviewRequestedEvent.requestedReviewer": of(func(g *graph, x eventIn) any {
			if x.e.team != nil {
				return x.e.team
			}
			return g.who(x.e.user)
		}),
		"ReviewDismissedEvent.review":              of(func(_ *graph, x eventIn) any { return x.e.review }),
		"ReviewDismissedEvent.dismissalMessage":    of(func(_ *graph, x eventIn) any { return orNull(x.e.text) }),
		"ReviewDismissedEvent.previousReviewState": of(func(_ *graph, x eventIn) any { return x.e.review.was }),
		"MergedEvent.commit":                       of(func(_ *graph, x eventIn) any { return objectIn(x.i.repo, x.e.commit) }),
		"MergedEvent.mergeRefName":                 of(func(_ *graph, x eventIn) any { return x.i.pull.baseRef }),
		"BaseRefChangedEvent.previousRefName":      of(func(_ *graph, x eventIn) any { return x.e.from }),
		"BaseRefChangedEvent.currentRefName":       of(func(_ *graph, x eventIn) any { return x.e.to }),
		"RenamedTitleEvent.previousTitle":          of(func(_ *graph, x eventIn) any { return x.e.from }),
		"RenamedTitleEvent.currentTitle":           of(func(_ *graph, x eventIn) any { return x.e.to }),
		"LabeledEvent.label": of(func(g *graph, x eventIn) any {
			return g.s.label(x.i.repo, x.e.label)
		}),
	}
	for _, name := range graphEvents {
		out[name+".id"] = of(func(_ *graph, x eventIn) any { return nodeID("EV", x.e.id) })
		out[name+".databaseId"] = of(func(_ *graph, x eventIn) any { return x.e.id })
		out[name+".createdAt"] = of(func(_ *graph, x eventIn) any { return x.e.at })
		out[name+".actor"] = of(func(g *graph, x eventIn) any { return g.who(x.e.actor) })
		out[name+".pullRequest"] = of(func(_ *graph, x eventIn) any { return x.i.pull })
	}
	return out
}()

// talkFields are reviews, comments, reactions, labels and issues.
var talkFields = map[string]resolver{
	"PullRequestReview.databaseId":        of(func(_ *graph, r *review) any { return r.id }),
	"PullRequestReview.fullDatabaseId":    of(func(_ *graph, r *review) any { return fmt.Sprint(r.id) }),
	"PullRequestReview.id":                of(func(_ *graph, r *review) any { return r.nodeID() }),
	"PullRequestReview.author":            of(func(g *graph, r *review) any { return g.who(r.author) }),
	"PullRequestReview.authorAssociation": of(func(_ *graph, r *review) any { return r.association }),
	"PullRequestReview.state":             of(func(_ *graph, r *review) any { return r.state }),
	"PullRequestReview.body":              of(func(_ *graph, r *review) any { return r.body }),
	"PullRequestReview.submittedAt":       of(func(_ *graph, r *review) any { return r.submitted }),
	"PullRequestReview.createdAt":         of(func(_ *graph, r *review) any { return r.submitted }),
	"PullRequestReview.updatedAt":         of(func(_ *graph, r *review) any { return r.updated }),
	"PullRequestReview.lastEditedAt":      of(func(_ *graph, r *review) any { return r.edited }),
	"PullRequestReview.includesCreatedEdit": of(func(_ *graph, r *review) any {
		return !r.edited.IsZero()
	}),
	"PullRequestReview.url":         of(func(g *graph, r *review) any { return g.s.reviewURL(r) }),
	"PullRequestReview.pullRequest": of(func(_ *graph, r *review) any { return r.pull }),
	"PullRequestReview.commit": of(func(_ *graph, r *review) any {
		if c, is := r.pull.repo.git.commit(r.commit); is {
			return commitIn{r.pull.repo, c}
		}
		return nil
	}),
	"IssueComment.databaseId":     of(func(_ *graph, c *comment) any { return c.id }),
	"IssueComment.fullDatabaseId": of(func(_ *graph, c *comment) any { return fmt.Sprint(c.id) }),
	"IssueComment.id":             of(func(_ *graph, c *comment) any { return c.nodeID() }),
	"IssueComment.author":         of(func(g *graph, c *comment) any { return g.who(c.author) }),
	"IssueComment.authorAssociation": of(func(g *graph, c *comment) any {
		return g.s.association(c.issue.repo, c.author)
	}),
	"IssueComment.body":         of(func(_ *graph, c *comment) any { return c.body }),
	"IssueComment.createdAt":    of(func(_ *graph, c *comment) any { return c.created }),
	"IssueComment.updatedAt":    of(func(_ *graph, c *comment) any { return c.updated }),
	"IssueComment.lastEditedAt": of(func(_ *graph, c *comment) any { return c.edited }),
	"IssueComment.includesCreatedEdit": of(func(_ *graph, c *comment) any {
		return !c.edited.IsZero()
	}),
	"IssueComment.editor":          of(func(g *graph, c *comment) any { return g.who(c.editor) }),
	"IssueComment.viewerDidAuthor": of(func(g *graph, c *comment) any { return c.author == g.c.actor.user }),
	"IssueComment.isMinimized":     of(func(_ *graph, c *comment) any { return c.minimized != "" }),
	"IssueComment.minimizedReason": of(func(_ *graph, c *comment) any { return orNull(c.minimized) }),
	"IssueComment.url":             of(func(g *graph, c *comment) any { return g.s.commentURL(c) }),
	"IssueComment.issue":           of(func(_ *graph, c *comment) any { return c.issue }),
	"IssueComment.pullRequest": of(func(_ *graph, c *comment) any {
		return opt(c.issue.pull)
	}),
	"IssueComment.reactions": with(func(_ *graph, c *comment, a map[string]any) (any, error) {
		var out []any
		for _, x := range c.reactions {
			if a["content"] == nil || a["content"] == graphReaction(x.content) {
				out = append(out, x)
			}
		}
		return nonNil(out), nil
	}),
	"IssueComment.reactionGroups": of(func(_ *graph, c *comment) any {
		var out []any
		for _, content := range reactionNames {
			gr := group{content: content[0]}
			for _, x := range c.reactions {
				if x.content == content[0] {
					gr.rs = append(gr.rs, x)
				}
			}
			out = append(out, gr)
		}
		return out
	}),
	"ReactionGroup.content": of(func(_ *graph, x group) any { return graphReaction(x.content) }),
	"ReactionGroup.viewerHasReacted": of(func(g *graph, x group) any {
		return slices.ContainsFunc(x.rs, func(r *reaction) bool { return r.user == g.c.actor.user })
	}),
	"ReactionGroup.reactors": of(func(_ *graph, x group) any {
		var out []any
		for _, r := range x.rs {
			out = append(out, r.user)
		}
		return nonNil(out)
	}),
	"Reaction.databaseId": of(func(_ *graph, x *reaction) any { return x.id }),
	"Reaction.id":         of(func(_ *graph, x *reaction) any { return nodeID("REA", x.id) }),
	"Reaction.content":    of(func(_ *graph, x *reaction) any { return graphReaction(x.content) }),
	"Reaction.createdAt":  of(func(_ *graph, x *reaction) any { return x.created }),
	"Reaction.user":       of(func(_ *graph, x *reaction) any { return x.user }),
	"Label.name":          of(func(_ *graph, l *label) any { return l.name }),
	"Label.id":            of(func(_ *graph, l *label) any { return nodeID("LA", l.id) }),
	"Issue.databaseId":    of(func(_ *graph, i *issue) any { return i.id }),
	"Issue.id":            of(func(_ *graph, i *issue) any { return i.nodeID() }),
	"Issue.number":        of(func(_ *graph, i *issue) any { return i.number }),
	"Issue.title":         of(func(_ *graph, i *issue) any { return i.title }),
	"Issue.body":          of(func(_ *graph, i *issue) any { return i.body }),
	"Issue.state":         of(func(_ *graph, i *issue) any { return strings.ToUpper(i.state) }),
	"Issue.closed":        of(func(_ *graph, i *issue) any { return i.state == "closed" }),
	"Issue.closedAt":      of(func(_ *graph, i *issue) any { return i.closed }),
	"Issue.createdAt":     of(func(_ *graph, i *issue) any { return i.created }),
	"Issue.updatedAt":     of(func(_ *graph, i *issue) any { return i.updated }),
	"Issue.lastEditedAt":  of(func(_ *graph, i *issue) any { return i.edited }),
	"Issue.author":        of(func(g *graph, i *issue) any { return g.who(i.author) }),
	"Issue.url":           of(func(g *graph, i *issue) any { return g.s.issueURL(i) }),
	"Issue.labels":        of(func(_ *graph, i *issue) any { return anys(i.labels) }),
	"Issue.comments":      of(func(_ *graph, i *issue) any { return anys(i.comments) }),
	"Issue.viewerDidAuthor": of(func(g *graph, i *issue) any {
		return i.author == g.c.actor.user
	}),
	"Issue.repository": of(func(_ *graph, i *issue) any { return i.repo }),
}

var reactionNames = [][2]string{
	{"+1", "THUMBS_UP"},
	{"-1", "THUMBS_DOWN"},
	{"laugh", "LAUGH"},
	{"hooray", "HOORAY"},
	{"confused", "CONFUSED"},
	{"heart", "HEART"},
	{"rocket", "ROCKET"},
	{"eyes", "EYES"},
}

func graphReaction(rest string) string {
	for _, n := range reactionNames {
		if n[0] == rest {
			return n[1]
		}
	}
	return ""
}

func restReaction(graph string) string {
	for _, n := range reactionNames {
		if n[1] == graph {
			return n[0]
		}
	}
	return ""
}
