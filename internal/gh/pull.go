package gh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// Caps of one pull request's listings; what is beyond them is named in Cut.
const (
	maxCommits  = 2000
	maxReviews  = 1000
	maxComments = 2000
	maxRequests = 200
	maxEvents   = 1000
	// firstPage keeps the price of a query low: GitHub charges for what is asked
	// for, not for what is there. Further pages are whole ones.
	firstPage = 50
	wholePage = 100
	maxSuites = 40 // suites with more than a page of our runs that are followed up
)

// LookPullRequest reads one pull request: one query where no listing is longer
// than a page.
func (c *Client) LookPullRequest(ctx context.Context, s facts.Subject) (facts.PullRequest, error) {
	number, err := strconv.Atoi(s.ID)
	if err != nil || number <= 0 {
		return facts.PullRequest{}, queue.Gone(fmt.Errorf("no pull request number: %.40q", s.ID))
	}
	app, err := c.App(ctx)
	if err != nil {
		return facts.PullRequest{}, err
	}
	i := c.installation(s.Installation)
	var out facts.PullRequest
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		l := look{client: c, inst: i, name: n, number: number, app: app, tag: c.wantedTag(s), seen: map[string]bool{}}
		if err := l.read(ctx, nil); err != nil {
			return s.Repository, err
		}
		out = l.out
		return out.Repository.ID, nil
	})
	if err != nil {
		return facts.PullRequest{}, fmt.Errorf("look at pull request %d: %w", number, err)
	}
	out.Now, out.App, out.Signing = c.now().UTC(), app, c.signing
	c.Hint(out.Repository.ID, out.Repository.Owner, out.Repository.Name)
	return out, nil
}

// look gathers the pages of one pull request.
type look struct {
	client *Client
	inst   *installation
	name   ownerName
	number int
	app    facts.App
	tag    string // which the last look asked for; "" is none
	out    facts.PullRequest
	seen   map[string]bool // runs, by node id
	suites []unread        // suites with more runs than one page
}

type unread struct{ suite, head, after string }

func (l *look) vars() map[string]any {
	return map[string]any{"owner": l.name.owner, "name": l.name.name, "number": l.number, "app": l.app.ID}
}

// listing is one of the paged parts: its variables' name, its length and cap.
type listing struct {
	name string
	page *page
	n    func() int
	cap  int
}

type pullAnswer struct {
	wireRepository
	Tag         *wireTag
	PullRequest *wirePull
}

type wireTag struct{ Target *oid }

// facts: no tag is an answer, too.
func (t *wireTag) facts() facts.TagFacts {
	if t == nil || t.Target == nil {
		return facts.TagFacts{Absent: true}
	}
	return facts.TagFacts{OID: t.Target.OID}
}

// wantedTag is a tag that the last look at a subject asked for.
func (c *Client) wantedTag(s facts.Subject) string {
	last, _ := c.wanted.get(s)
	for _, n := range last {
		if n.Kind == facts.NeedTag && tagName(n.Tag) {
			return n.Tag
		}
	}
	return ""
}

func tagVars(vars map[string]any, tag string) {
	vars["tag"], vars["tagged"] = "refs/tags/"+tag, tag != ""
}

// firstVars are the variables of the first page, as read asks for it.
func (l *look) firstVars() map[string]any {
	vars := l.vars()
	vars["first"], vars["n"] = true, firstPage
	tagVars(vars, l.tag)
	for _, listing := range []string{"commits", "reviews", "comments", "requests", "timeline"} {
		vars[listing] = true
	}
	return vars
}

// read reads all pages; the first one may have come with another query.
func (l *look) read(ctx context.Context, come *pullAnswer) error {
	var (
		commits, reviews, comments, requests, timeline = page{HasNextPage: true}, page{HasNextPage: true}, page{HasNextPage: true}, page{HasNextPage: true}, page{HasNextPage: true}
		listings                                       = []listing{
			{"commits", &commits, func() int { return len(l.out.Commits) }, maxCommits},
			{"reviews", &reviews, func() int { return len(l.out.Reviews) }, maxReviews},
			{"comments", &comments, func() int { return len(l.out.Comments) }, maxComments},
			{"requests", &requests, func() int { return len(l.out.Requested) }, maxRequests},
			{"timeline", &timeline, func() int { return len(l.out.Timeline) }, maxEvents},
		}
	)
	for first := true; ; first = false {
		vars := l.vars()
		vars["first"], vars["n"] = first, wholePage
		tagVars(vars, "")
		if first {
			vars["n"] = firstPage
			tagVars(vars, l.tag)
		}
		more := false
		for _, x := range listings {
			if x.page.HasNextPage && x.n() >= x.cap {
				l.cut(x.name)
				x.page.HasNextPage = false
			}
			vars[x.name] = x.page.HasNextPage
			if x.page.EndCursor != "" {
				vars[x.name+"After"] = x.page.EndCursor
			}
			more = more || x.page.HasNextPage
		}
		if !more {
			break
		}
		answer := struct{ Repository *pullAnswer }{come}
		if come = nil; answer.Repository == nil {
			if err := l.client.query(ctx, l.inst, "pull", vars, &answer); err != nil {
				return err
			}
		}
		if answer.Repository == nil || answer.Repository.PullRequest == nil {
			return &absent{what: "pull request " + strconv.Itoa(l.number), status: 404}
		}
		repository, pull := answer.Repository.facts(), answer.Repository.PullRequest
		l.client.rootsOf(answer.Repository.wireRepository)
		l.roots(repository.ID, pull)
		if first {
			l.out = pull.facts()
			l.out.Repository = repository
			if l.tag != "" {
				l.out.Tags = map[string]facts.TagFacts{l.tag: answer.Repository.Tag.facts()}
			}
			if err := l.tip(ctx, pull); err != nil {
				return err
			}
		} else if pull.HeadRefOID != l.out.Head.OID {
			return queue.Transient(&Moved{l.out.Head.OID, pull.HeadRefOID}, time.Second)
		}
		l.add(pull)
		for _, x := range []struct{ to, from *page }{
			{&commits, &pull.Commits.PageInfo},
			{&reviews, &pull.Reviews.PageInfo},
			{&comments, &pull.Comments.PageInfo},
			{&requests, &pull.ReviewRequests.PageInfo},
			{&timeline, &pull.TimelineItems.PageInfo},
		} {
			if x.to.HasNextPage {
				if x.from.HasNextPage && (x.from.EndCursor == "" || x.from.EndCursor == x.to.EndCursor) {
					return queue.Transient(errors.New("a listing of GitHub does not advance"), 0)
				}
				*x.to = *x.from
			}
		}
	}
	if err := l.restOfRuns(ctx); err != nil {
		return err
	}
	slices.SortStableFunc(l.out.Runs, func(a, b facts.CheckRun) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(l.out.Reviews, func(a, b facts.Review) int { return a.SubmittedAt.Compare(b.SubmittedAt) })
	return nil
}

// roots keeps the trees of the commits that a verdict may read.
func (l *look) roots(repository int64, pull *wirePull) {
	c := l.client
	if b := pull.BaseRef; b != nil && b.Target != nil {
		c.isRoot(repository, *b.Target)
	}
	if m := pull.MergeCommit; m != nil {
		c.isRoot(repository, m.oid)
		for _, p := range m.Parents.Nodes {
			c.isRoot(repository, p)
		}
	}
	for _, t := range pull.Tip.Nodes {
		c.isRoot(repository, oid{t.Commit.OID, t.Commit.Tree})
	}
	for _, n := range pull.Commits.Nodes {
		for _, p := range n.Commit.Parents.Nodes {
			c.isRoot(repository, p)
		}
	}
}

// tip takes the head commit's runs, which are listed whole, and the twins.
func (l *look) tip(ctx context.Context, pull *wirePull) error {
	var tip wireTip
	if n := pull.Tip.Nodes; len(n) > 0 {
		tip = n[len(n)-1].Commit
	}
	if tip.OID != pull.HeadRefOID { // no commits, or the listing does not end in the head
		vars := l.vars()
		delete(vars, "number")
		vars["oid"] = pull.HeadRefOID
		var answer struct{ Repository *struct{ Object *wireTip } }
		if err := l.client.query(ctx, l.inst, "tip", vars, &answer); err != nil {
			return err
		}
		if answer.Repository == nil || answer.Repository.Object == nil {
			l.cut("runs")
			return nil
		}
		tip = *answer.Repository.Object
	}
	l.runs(&tip.runsAt)
	l.out.Twins = tip.twins(l.out.Repository.ID, l.number)
	if tip.AssociatedPullRequests.PageInfo.HasNextPage {
		l.cut("twins")
	}
	return nil
}

func (l *look) add(pull *wirePull) {
	for _, n := range pull.Commits.Nodes {
		l.out.Commits = append(l.out.Commits, n.Commit.facts())
		if n.Commit.Parents.PageInfo.HasNextPage || n.Commit.Authors.PageInfo.HasNextPage {
			l.cut("commits")
		}
		l.runs(&n.Commit.runsAt)
	}
	for _, r := range pull.Reviews.Nodes {
		l.out.Reviews = append(l.out.Reviews, r.facts())
		l.runs(r.Commit)
	}
	for _, n := range pull.Comments.Nodes {
		l.out.Comments = append(l.out.Comments, n.facts())
	}
	for _, n := range pull.ReviewRequests.Nodes {
		if asked := n.RequestedReviewer.facts(); asked != (facts.Asked{}) {
			l.out.Requested = append(l.out.Requested, asked)
		}
	}
	for _, e := range pull.TimelineItems.Nodes {
		l.out.Timeline = append(l.out.Timeline, e.facts())
		l.runs(e.BeforeCommit)
		l.runs(e.AfterCommit)
	}
}

// runs takes our runs at one commit, each once: the head's come first, with
// their texts, and are met again without.
func (l *look) runs(at *runsAt) {
	if at == nil {
		return
	}
	if at.CheckSuites.PageInfo.HasNextPage {
		l.cut("runs")
	}
	for _, s := range at.CheckSuites.Nodes {
		if s.CheckRuns.PageInfo.HasNextPage && !l.seen[s.ID] {
			l.seen[s.ID] = true
			l.suites = append(l.suites, unread{s.ID, at.OID, s.CheckRuns.PageInfo.EndCursor})
		}
		l.take(at.OID, s.CheckRuns.Nodes)
	}
}

func (l *look) take(head string, runs []wireRun) {
	for _, r := range runs {
		if !l.seen[r.ID] {
			l.seen[r.ID] = true
			l.out.Runs = append(l.out.Runs, r.facts(head))
		}
	}
}

// maxRunPages caps the runs of one suite: 100 a page.
const maxRunPages = 20

func (l *look) restOfRuns(ctx context.Context) error {
	if len(l.suites) > maxSuites {
		l.cut("runs")
		l.suites = l.suites[:maxSuites]
	}
	for _, s := range l.suites {
		after := s.after
		for n := 0; after != ""; n++ {
			if n == maxRunPages {
				l.cut("runs")
				break
			}
			var answer struct{ Node *wireSuite }
			if err := l.client.query(ctx, l.inst, "runs", map[string]any{"suite": s.suite, "after": after}, &answer); err != nil {
				return err
			}
			if answer.Node == nil {
				l.cut("runs")
				break
			}
			l.take(s.head, answer.Node.CheckRuns.Nodes)
			if after = ""; answer.Node.CheckRuns.PageInfo.HasNextPage {
				after = answer.Node.CheckRuns.PageInfo.EndCursor
			}
		}
	}
	return nil
}

func (l *look) cut(what string) {
	if !slices.Contains(l.out.Cut, what) {
		l.out.Cut = append(l.out.Cut, what)
	}
}
