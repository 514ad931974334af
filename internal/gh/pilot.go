package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

const (
	// branchPrefix begins the name of every branch of ours.
	branchPrefix = "pilotgate/"
	// maxOpenedPages caps the requests among which ours are looked for, the
	// newest first: 100 a page. What is older than the plan cannot be its.
	maxOpenedPages = 20
	maxPullPages   = 50
	maxPlanPaths   = 20
)

// LookPilot reads what became of a pilot after its plan was merged. locate says
// where its plan may stand on the default branch, the likeliest first, and fills
// in what it needs to know that; the first path with a history is the plan's.
//
// What the last look found, or HintPilot told, is asked for at once, and held
// against what locate says.
func (c *Client) LookPilot(ctx context.Context, s facts.Subject, locate func(*facts.Common) ([]string, error)) (facts.Pilot, error) {
	app, err := c.App(ctx)
	if err != nil {
		return facts.Pilot{}, err
	}
	l := pilotLook{client: c, inst: c.installation(s.Installation), app: app, subject: s, locate: locate}
	err = c.named(ctx, l.inst, s.Repository, func(n ownerName) (int64, error) {
		l.name = n
		hint, _ := c.pilots.get(s)
		err := l.read(ctx, hint)
		if isAbsent(err) && hint.number != 0 { // the request, perhaps, and not the repository
			c.pilots.remove(s)
			err = l.read(ctx, planAt{})
		}
		return l.out.Repository.ID, err
	})
	if err != nil {
		return facts.Pilot{}, fmt.Errorf("look at pilot: %w", err)
	}
	c.Hint(l.out.Repository.ID, l.out.Repository.Owner, l.out.Repository.Name)
	return l.out, nil
}

// planAt is where a pilot's plan stands and which request brought it.
type planAt struct {
	path   string
	number int
}

// HintPilot tells where a pilot's plan probably stands, and which request
// probably brought it.
func (c *Client) HintPilot(s facts.Subject, path string, number int) {
	if path != "" && number > 0 {
		c.pilots.put(s, planAt{path, number}, 4)
		if last, ok := c.wanted.get(facts.Subject{Installation: s.Installation, Repository: s.Repository, Kind: facts.KindPullRequest, ID: strconv.Itoa(number)}); ok {
			c.wanted.put(s, last, int64(4*len(last)))
		}
	}
}

// pilotLook gathers the answers about one pilot.
type pilotLook struct {
	client  *Client
	inst    *installation
	name    ownerName
	app     facts.App
	subject facts.Subject
	locate  func(*facts.Common) ([]string, error)
	out     facts.Pilot
}

type wirePilot struct {
	wireRepository
	Plan *struct {
		Target *struct {
			OID     string
			History wireHistory
		}
	}
	Own *connection[struct {
		Name   string
		Target *oid
	}]
	Tag          *wireTag
	PullRequests connection[wireOpened]
	PullRequest  *wirePull
}

// ask sends one query: the history of a path, a page of the requests that we
// opened, and request number whole, if that is not 0.
func (l *pilotLook) ask(ctx context.Context, path, after string, number int) (*wirePilot, error) {
	vars := l.plan(number).firstVars()
	tag := ""
	if l.out.Repository.ID == 0 { // the first query
		tag = l.client.wantedTag(l.subject)
	}
	tagVars(vars, tag)
	vars["path"], vars["plan"], vars["pull"] = path, path != "", number > 0
	if after != "" {
		vars["after"] = after
	}
	var answer struct{ Repository *wirePilot }
	if err := l.client.query(ctx, l.inst, "pilot", vars, &answer); err != nil {
		return nil, err
	}
	r := answer.Repository
	if r == nil {
		return nil, &absent{what: "repository", status: http.StatusNotFound}
	}
	l.client.rootsOf(r.wireRepository)
	if tag != "" {
		l.out.Tags = map[string]facts.TagFacts{tag: r.Tag.facts()}
	}
	if was, is := l.out.Repository, r.facts(); was.ID != 0 && was.DefaultOID != is.DefaultOID {
		return nil, queue.Transient(&Moved{was.DefaultOID, is.DefaultOID}, time.Second)
	}
	return r, nil
}

// plan is the look at the request that brought the plan.
func (l *pilotLook) plan(number int) *look {
	return &look{client: l.client, inst: l.inst, name: l.name, number: number, app: l.app, seen: map[string]bool{}}
}

func (l *pilotLook) read(ctx context.Context, hint planAt) error {
	l.out = facts.Pilot{ID: l.subject.ID}
	l.out.Opened = map[string]facts.Opened{}
	first, err := l.ask(ctx, hint.path, "", hint.number)
	if err != nil {
		return err
	}
	l.out.Now, l.out.App, l.out.Signing, l.out.Repository = l.client.now().UTC(), l.app, l.client.signing, first.facts()
	if l.out.Repository.ID != l.subject.Repository {
		return nil // which named sees
	}
	l.own(first)
	paths, err := l.locate(&l.out.Common)
	if err != nil {
		return err
	}
	found := planAt{}
	for _, path := range paths[:min(len(paths), maxPlanPaths)] {
		answer := first
		if path != hint.path {
			if answer, err = l.ask(ctx, path, "", 0); err != nil {
				return err
			}
		}
		if number, ok := answer.brought(); ok {
			l.out.PlanPath, found = path, planAt{path, number}
			newest := answer.Plan.Target.History.Nodes[0]
			l.out.Changed = &facts.Commit{OID: newest.OID, At: newest.CommittedDate, Author: newest.Author.facts(false)}
			break
		}
	}
	if err := l.opened(ctx, first, found.number); err != nil || found.number == 0 {
		return err
	}
	plan := l.plan(found.number)
	var come *pullAnswer
	if found.number == hint.number && first.PullRequest != nil {
		come = &pullAnswer{first.wireRepository, first.Tag, first.PullRequest}
	}
	if err := plan.read(ctx, come); err != nil {
		return err
	}
	plan.out.Now, plan.out.App, plan.out.Signing = l.out.Now, l.out.App, l.out.Signing
	l.out.Plan = &plan.out
	l.client.HintPilot(l.subject, found.path, found.number)
	return nil
}

// own takes where our branches stand, if all of them are listed.
func (l *pilotLook) own(r *wirePilot) {
	if r.Own == nil || r.Own.PageInfo.HasNextPage {
		return
	}
	l.out.Own = map[string]string{}
	for _, b := range r.Own.Nodes {
		if b.Target != nil && strings.HasPrefix(b.Name, branchPrefix) {
			l.out.Own[b.Name] = b.Target.OID
			l.client.isRoot(r.DatabaseID, *b.Target)
		}
	}
}

// brought is the request that brought the plan to where it stands on the default
// branch, 0 if none did; ok is false where the path has no history.
func (r *wirePilot) brought() (number int, ok bool) {
	if r.Plan == nil || r.Plan.Target == nil || r.DefaultBranchRef == nil || len(r.Plan.Target.History.Nodes) == 0 {
		return 0, false
	}
	for _, p := range r.Plan.Target.History.Nodes[0].AssociatedPullRequests.Nodes {
		if p.MergedAt != nil && p.BaseRefName == r.DefaultBranchRef.Name && p.Repository.DatabaseID == r.DatabaseID {
			number = p.Number
		}
	}
	return number, true
}

// opened gathers the requests that our App opened, the newest of each branch.
func (l *pilotLook) opened(ctx context.Context, r *wirePilot, brought int) error {
	for page := 1; ; page++ {
		for _, p := range r.PullRequests.Nodes {
			if !p.ViewerDidAuthor || p.IsCrossRepository || !strings.HasPrefix(p.HeadRefName, branchPrefix) {
				continue
			}
			if _, newer := l.out.Opened[p.HeadRefName]; newer {
				continue
			}
			l.out.Opened[p.HeadRefName] = p.facts()
		}
		info, listed := r.PullRequests.PageInfo, r.PullRequests.Nodes
		older := len(listed) > 0 && brought > 0 && listed[len(listed)-1].Number < brought
		if !info.HasNextPage || older || page == maxOpenedPages {
			return nil
		}
		next, err := l.ask(ctx, "", info.EndCursor, 0)
		if err != nil {
			return err
		}
		if next.PullRequests.PageInfo.EndCursor == info.EndCursor {
			return queue.Transient(errors.New("a listing of GitHub does not advance"), 0)
		}
		r = next
	}
}

type wireHistory struct {
	Nodes []struct {
		OID                    string
		CommittedDate          time.Time
		Author                 *wirePerson
		AssociatedPullRequests connection[struct {
			Number      int
			MergedAt    *time.Time
			BaseRefName string
			Repository  struct{ DatabaseID int64 }
		}]
	}
}

type wireOpened struct {
	Number            int
	State             string
	Title, Body, URL  string
	CreatedAt         time.Time
	MergedAt          *time.Time
	HeadRefName       string
	HeadRefOID        string
	BaseRefName       string
	IsCrossRepository bool
	ViewerDidAuthor   bool
}

func (p wireOpened) facts() facts.Opened {
	out := facts.Opened{
		Number: p.Number, Open: p.State == "OPEN", Merged: p.State == "MERGED", Head: p.HeadRefOID, Base: p.BaseRefName,
		Title: p.Title, Body: p.Body, URL: p.URL,
	}
	if p.MergedAt != nil {
		out.MergedAt = *p.MergedAt
	}
	return out
}

// LookRepository reads a repository as a whole; roleFile is where its role file
// stands, whose latest change is read with it.
func (c *Client) LookRepository(ctx context.Context, s facts.Subject, roleFile string) (facts.RepositoryState, error) {
	app, err := c.App(ctx)
	if err != nil {
		return facts.RepositoryState{}, err
	}
	i := c.installation(s.Installation)
	var out facts.RepositoryState
	mayHaveIssues := false
	err = c.named(ctx, i, s.Repository, func(n ownerName) (int64, error) {
		out = facts.RepositoryState{}
		after := ""
		for page := 0; ; page++ {
			vars := map[string]any{"owner": n.owner, "name": n.name, "roles": roleFile, "app": app.ID, "first": page == 0}
			if after != "" {
				vars["after"] = after
			}
			var answer struct {
				Repository *struct {
					wireRepository
					PushedAt     *time.Time
					Law          *struct{ Target *wireLaw }
					Issues       connection[struct{ ViewerDidAuthor bool }]
					PullRequests connection[struct {
						Number      int
						BaseRefName string
					}]
				}
			}
			if err := c.query(ctx, i, "repository", vars, &answer); err != nil {
				return 0, err
			}
			r := answer.Repository
			if r == nil {
				return 0, &absent{what: "repository", status: http.StatusNotFound}
			}
			if page == 0 {
				out.Repository = r.facts()
				c.rootsOf(r.wireRepository)
				mayHaveIssues = r.Issues.PageInfo.HasNextPage || slices.ContainsFunc(r.Issues.Nodes, func(i struct{ ViewerDidAuthor bool }) bool { return i.ViewerDidAuthor })
				if r.PushedAt != nil { // of any branch: never earlier than the default one's
					out.Pushed = *r.PushedAt
				}
				if r.Law != nil && r.Law.Target != nil {
					out.Roles = r.Law.Target.roles(out.Repository)
				}
			}
			for _, p := range r.PullRequests.Nodes {
				if p.BaseRefName == out.Repository.DefaultBranch {
					out.OpenPulls = append(out.OpenPulls, p.Number)
				}
			}
			info := r.PullRequests.PageInfo
			if !info.HasNextPage {
				return out.Repository.ID, nil
			}
			if info.EndCursor == after || page == maxPullPages {
				return 0, fmt.Errorf("more than %d open pull requests", maxPullPages*100)
			}
			after = info.EndCursor
		}
	})
	if err != nil {
		return facts.RepositoryState{}, fmt.Errorf("look at repository: %w", err)
	}
	out.Now, out.App, out.Signing = c.now().UTC(), app, c.signing
	if _, lately := c.opened.get(out.Repository.ID); mayHaveIssues || lately {
		if out.Issues, err = c.issues(ctx, i, app, out.Repository); err != nil {
			return facts.RepositoryState{}, fmt.Errorf("look at repository: %w", err)
		}
		out.IssuesRead = true
	}
	return out, nil
}
