package fakegithub

import (
	"fmt"
	"slices"
	"strings"
)

var commitFields = map[string]resolver{
	"Commit.oid":             of(func(_ *graph, x commitIn) any { return x.c.oid }),
	"Commit.abbreviatedOid":  of(func(_ *graph, x commitIn) any { return x.c.oid[:7] }),
	"Commit.id":              of(func(_ *graph, x commitIn) any { return commitNode(x.r, x.c.oid) }),
	"Commit.message":         of(func(_ *graph, x commitIn) any { return x.c.message }),
	"Commit.messageHeadline": of(func(_ *graph, x commitIn) any { head, _, _ := strings.Cut(x.c.message, "\n"); return head }),
	"Commit.committedDate":   of(func(_ *graph, x commitIn) any { return x.c.committer.when }),
	"Commit.authoredDate":    of(func(_ *graph, x commitIn) any { return x.c.author.when }),
	"Commit.committedViaWeb": of(func(_ *graph, x commitIn) any { return x.r.git.web[x.c.oid] }),
	"Commit.authoredByCommitter": of(func(_ *graph, x commitIn) any {
		return x.c.author.email == x.c.committer.email
	}),
	"Commit.url":        of(func(g *graph, x commitIn) any { return g.s.html(x.r.full() + "/commit/" + x.c.oid) }),
	"Commit.tree":       of(func(_ *graph, x commitIn) any { return treeIn{x.r, x.c.tree} }),
	"Commit.repository": of(func(_ *graph, x commitIn) any { return x.r }),
	"Commit.author":     of(func(_ *graph, x commitIn) any { return gitActor{x.c.author} }),
	"Commit.committer":  of(func(_ *graph, x commitIn) any { return gitActor{x.c.committer} }),
	"Commit.authors": of(func(g *graph, x commitIn) any {
		var out []any
		for _, i := range g.s.authors(x.c) {
			out = append(out, gitActor{i})
		}
		return out
	}),
	"Commit.parents": of(func(_ *graph, x commitIn) any {
		var out []any
		for _, p := range x.c.parents {
			if c, is := x.r.git.commit(p); is {
				out = append(out, commitIn{x.r, c})
			}
		}
		return nonNil(out)
	}),
	"Commit.signature": of(func(_ *graph, x commitIn) any {
		if x.c.signature == "" {
			return nil
		}
		return signed{x}
	}),
	"Commit.associatedPullRequests": of(func(g *graph, x commitIn) any { return anys(g.s.pullsOf(x.r, x.c.oid)) }),
	"Commit.file": with(func(_ *graph, x commitIn, a map[string]any) (any, error) {
		p := a["path"].(string)
		tree, parts := x.c.tree, strings.Split(p, "/")
		for i, part := range parts {
			es, _ := x.r.git.entriesOf(tree)
			j := slices.IndexFunc(es, func(e entry) bool { return e.name == part })
			if j < 0 {
				return nil, nil
			}
			if i == len(parts)-1 {
				return treeEntry{x.r, es[j], p}, nil
			}
			tree = es[j].oid
		}
		return nil, nil
	}),
	"Commit.history": with(func(_ *graph, x commitIn, a map[string]any) (any, error) {
		at, _ := a["path"].(string)
		var out []any
		for _, c := range x.r.history(x.c.oid, strings.Trim(at, "/")) {
			out = append(out, commitIn{x.r, c})
		}
		return nonNil(out), nil
	}),
	"Commit.checkSuites": permitted("checks:read", with(func(_ *graph, x commitIn, a map[string]any) (any, error) {
		f, _ := a["filterBy"].(map[string]any)
		id, name := intArg(f, "appId", 0), ""
		name, _ = f["checkName"].(string)
		var out []*suite
		for _, su := range x.r.suites {
			if su.head != x.c.oid || (id != 0 && int64(id) != su.app.id) {
				continue
			}
			if name != "" && !slices.ContainsFunc(x.r.runs, func(c *checkRun) bool { return c.suite == su && c.name == name }) {
				continue
			}
			out = append(out, su)
		}
		slices.SortFunc(out, func(a, b *suite) int { return int(a.id - b.id) })
		return anys(out), nil
	})),
	"GitActor.name":  of(func(_ *graph, x gitActor) any { return x.i.name }),
	"GitActor.email": of(func(_ *graph, x gitActor) any { return x.i.email }),
	"GitActor.date": of(func(_ *graph, x gitActor) any {
		if x.i.when.IsZero() {
			return nil
		}
		return x.i.when.Format("2006-01-02T15:04:05-07:00")
	}),
	"GitActor.user": of(func(g *graph, x gitActor) any {
		if a := g.s.attributed(x.i); a != nil && a.kind == "User" {
			return a
		}
		return nil // bots are no users here, as at GitHub
	}),
}

// checkFields are signatures, check suites and check runs.
var checkFields = func() map[string]resolver {
	out := map[string]resolver{
		"CheckSuite.databaseId": of(func(_ *graph, x *suite) any { return x.id }),
		"CheckSuite.id":         of(func(_ *graph, x *suite) any { return x.nodeID() }),
		"CheckSuite.app":        of(func(_ *graph, x *suite) any { return x.app }),
		"CheckSuite.createdAt":  of(func(_ *graph, x *suite) any { return x.created }),
		"CheckSuite.commit": of(func(_ *graph, x *suite) any {
			c, _ := x.repo.git.commit(x.head)
			return commitIn{x.repo, c}
		}),
		"CheckSuite.status": of(func(g *graph, x *suite) any { st, _ := g.s.suiteState(x); return strings.ToUpper(st) }),
		"CheckSuite.conclusion": of(func(g *graph, x *suite) any {
			_, c := g.s.suiteState(x)
			return orNull(strings.ToUpper(c))
		}),
		"CheckSuite.checkRuns": with(func(g *graph, x *suite, a map[string]any) (any, error) {
			runs := g.s.runsOf(x)
			f, _ := a["filterBy"].(map[string]any)
			if f["checkType"] != "ALL" {
				runs = latestRuns(runs)
			}
			name, _ := f["checkName"].(string)
			status, _ := f["status"].(string)
			runs = slices.DeleteFunc(slices.Clone(runs), func(c *checkRun) bool {
				statuses, _ := f["statuses"].([]any)
				cs, _ := f["conclusions"].([]any)
				return (name != "" && c.name != name) || (status != "" && strings.ToUpper(c.status) != status) ||
					!oneOf(statuses, strings.ToUpper(c.status)) || !oneOf(cs, strings.ToUpper(c.conclusion))
			})
			return anys(runs), nil
		}),
		"CheckRun.databaseId":  of(func(_ *graph, c *checkRun) any { return c.id }),
		"CheckRun.id":          of(func(_ *graph, c *checkRun) any { return c.nodeID() }),
		"CheckRun.name":        of(func(_ *graph, c *checkRun) any { return c.name }),
		"CheckRun.externalId":  of(func(_ *graph, c *checkRun) any { return orNull(c.externalID) }),
		"CheckRun.status":      of(func(_ *graph, c *checkRun) any { return strings.ToUpper(c.status) }),
		"CheckRun.conclusion":  of(func(_ *graph, c *checkRun) any { return orNull(strings.ToUpper(c.conclusion)) }),
		"CheckRun.startedAt":   of(func(_ *graph, c *checkRun) any { return c.started }),
		"CheckRun.completedAt": of(func(_ *graph, c *checkRun) any { return c.completed }),
		"CheckRun.title":       of(func(_ *graph, c *checkRun) any { return orNull(c.title) }),
		"CheckRun.summary":     of(func(_ *graph, c *checkRun) any { return orNull(c.summary) }),
		"CheckRun.text":        of(func(_ *graph, c *checkRun) any { return orNull(c.text) }),
		"CheckRun.detailsUrl":  of(func(_ *graph, c *checkRun) any { return orNull(c.detailsURL) }),
		"CheckRun.url":         of(func(g *graph, c *checkRun) any { return g.s.runURL(c) }),
		"CheckRun.permalink":   of(func(g *graph, c *checkRun) any { return g.s.runURL(c) }),
		"CheckRun.checkSuite":  of(func(_ *graph, c *checkRun) any { return c.suite }),
		"CheckRun.repository":  of(func(_ *graph, c *checkRun) any { return c.repo }),
		"CheckRun.annotations": of(func(_ *graph, c *checkRun) any { return anys(c.annotations) }),

		"CheckAnnotation.path":            of(func(_ *graph, a annotation) any { return a.Path }),
		"CheckAnnotation.message":         of(func(_ *graph, a annotation) any { return a.Message }),
		"CheckAnnotation.title":           of(func(_ *graph, a annotation) any { return orNull(a.Title) }),
		"CheckAnnotation.rawDetails":      of(func(_ *graph, a annotation) any { return orNull(a.RawDetails) }),
		"CheckAnnotation.annotationLevel": of(func(_ *graph, a annotation) any { return strings.ToUpper(a.Level) }),
		"CheckAnnotation.location":        of(func(_ *graph, a annotation) any { return lineSpan{a} }),
		"CheckAnnotationSpan.start":       of(func(_ *graph, x lineSpan) any { return [2]int{x.a.StartLine, column(x.a.StartColumn)} }),
		"CheckAnnotationSpan.end":         of(func(_ *graph, x lineSpan) any { return [2]int{x.a.EndLine, column(x.a.EndColumn)} }),
		"CheckAnnotationPosition.line":    of(func(_ *graph, x [2]int) any { return x[0] }),
		"CheckAnnotationPosition.column": of(func(_ *graph, x [2]int) any {
			if x[1] == 0 {
				return nil
			}
			return x[1]
		}),
	}
	for _, t := range []string{"GpgSignature", "GitSignature"} {
		out[t+".isValid"] = of(func(_ *graph, x signed) any { return x.r.git.verified[x.c.oid] })
		out[t+".wasSignedByGitHub"] = of(func(g *graph, x signed) any { return g.s.signedByGitHub(x.r, x.c) })
		out[t+".signer"] = of(func(g *graph, x signed) any {
			if x.r.git.verified[x.c.oid] {
				return opt(g.s.attributed(x.c.committer))
			}
			return nil
		})
		out[t+".email"] = of(func(_ *graph, x signed) any { return x.c.committer.email })
		out[t+".signature"] = of(func(_ *graph, x signed) any { return x.c.signature })
		out[t+".payload"] = of(func(_ *graph, x signed) any { return fmt.Sprintf("tree %s\n", x.c.tree) })
		out[t+".state"] = of(func(_ *graph, x signed) any {
			return map[bool]string{true: "VALID", false: "UNKNOWN_KEY"}[x.r.git.verified[x.c.oid]]
		})
	}
	return out
}()

func column(c *int) int {
	if c == nil {
		return 0
	}
	return *c
}
