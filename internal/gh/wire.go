package gh

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// The shapes of GraphQL answers, as the documents in queries/ ask for them.

type page struct {
	HasNextPage bool
	EndCursor   string
}

type connection[T any] struct {
	PageInfo page
	Nodes    []T
}

// bigID is a BigInt, which GitHub writes as a string; a number is read as well.
type bigID int64

// UnmarshalJSON implements json.Unmarshaler.
func (b *bigID) UnmarshalJSON(raw []byte) error {
	raw = bytes.Trim(raw, `"`)
	if string(raw) == "null" || len(raw) == 0 {
		*b = 0
		return nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fmt.Errorf("id is no number")
	}
	*b = bigID(n)
	return nil
}

type treeOf struct{ OID string }

// oid is a git object and, where it is a commit and that was asked, its tree.
type oid struct {
	OID  string
	Tree treeOf
}

type wireRepository struct {
	ID               string
	DatabaseID       int64
	Name             string
	URL              string
	IsPrivate        bool
	IsInOrganization bool
	Owner            struct{ Login string }
	DefaultBranchRef *struct {
		Name   string
		Target *oid
	}
}

func (r wireRepository) facts() facts.Repository {
	out := facts.Repository{
		ID: r.DatabaseID, NodeID: r.ID, Owner: r.Owner.Login, Name: r.Name, URL: r.URL,
		OwnedByOrg: r.IsInOrganization, Private: r.IsPrivate,
	}
	if b := r.DefaultBranchRef; b != nil { // nil: an empty repository
		out.DefaultBranch = b.Name
		if b.Target != nil {
			out.DefaultOID = b.Target.OID
		}
	}
	return out
}

type wireActor struct {
	Typename   string `json:"__typename"`
	Login      string
	DatabaseID int64
}

// facts names an account as REST does: a bot's login ends in "[bot]", and an
// account that was deleted is "ghost".
func (a *wireActor) facts() facts.Account {
	if a == nil || a.Login == "" {
		return facts.Account{Login: "ghost"}
	}
	out := facts.Account{ID: a.DatabaseID, Login: a.Login, Type: a.Typename}
	if a.Typename == "Bot" && !strings.HasSuffix(a.Login, "[bot]") {
		out.Login += "[bot]"
	}
	return out
}

type wirePerson struct {
	Name  string
	Email string
	User  *struct {
		DatabaseID int64
		Login      string
	}
}

// botEmail is the address of a bot's commits: its user id and login. GitHub's
// GraphQL attributes them to nobody, since a bot is no User.
var botEmail = regexp.MustCompile(`^(\d{1,18})\+([A-Za-z0-9-]{1,100}\[bot\])@users\.noreply\.`)

// facts attributes a commit as GitHub does. Anybody can write a bot's address
// into a commit, so it names the bot only where GitHub itself signed.
func (p *wirePerson) facts(signed bool) facts.Person {
	if p == nil {
		return facts.Person{}
	}
	out := facts.Person{Name: p.Name, Email: p.Email}
	switch {
	case p.User != nil && p.User.Login != "":
		out.Account = &facts.Account{ID: p.User.DatabaseID, Login: p.User.Login, Type: "User"}
	case signed && strings.HasPrefix(p.Email, "noreply@"):
		out.Account = &facts.Account{Login: "web-flow", Type: "Bot"} // GitHub committed
	case signed:
		if m := botEmail.FindStringSubmatch(p.Email); m != nil {
			id, _ := strconv.ParseInt(m[1], 10, 64) // 18 digits fit
			out.Account = &facts.Account{ID: id, Login: m[2], Type: "Bot"}
		}
	}
	return out
}

type wireReviewer struct {
	Typename     string `json:"__typename"`
	Login        string
	Slug         string
	Organization *struct{ Login string }
}

func (r *wireReviewer) facts() facts.Asked {
	switch {
	case r == nil:
		return facts.Asked{}
	case r.Typename == "Team" && r.Organization != nil:
		return facts.Asked{Team: r.Organization.Login + "/" + r.Slug}
	}
	return facts.Asked{Login: r.Login}
}

type wireSuite struct {
	ID        string
	CheckRuns connection[wireRun]
}

type wireRun struct {
	ID          string
	DatabaseID  bigID
	Name        string
	ExternalID  string
	Status      string
	Conclusion  string
	StartedAt   time.Time
	CompletedAt *time.Time
	Title       string
	Summary     string
	Text        string
	Annotations *struct{ TotalCount int }
}

func (r wireRun) facts(head string) facts.CheckRun {
	out := facts.CheckRun{
		ID: int64(r.DatabaseID), NodeID: r.ID, Name: r.Name, Head: head, ExternalID: r.ExternalID,
		Status: strings.ToLower(r.Status), Conclusion: strings.ToLower(r.Conclusion), StartedAt: r.StartedAt,
		Title: r.Title, Summary: r.Summary, Text: r.Text,
	}
	if r.CompletedAt != nil {
		out.CompletedAt = *r.CompletedAt
	}
	if r.Annotations != nil {
		out.Annotations = r.Annotations.TotalCount
	}
	return out
}

// runsAt are our App's runs at one commit.
type runsAt struct {
	OID         string
	CheckSuites connection[wireSuite]
}

type wireCommit struct {
	runsAt
	Parents         connection[oid]
	MessageHeadline string
	CommittedDate   time.Time
	Authors         connection[*wirePerson]
	Committer       *wirePerson
	Signature       *struct{ IsValid, WasSignedByGitHub bool }
}

func (c wireCommit) facts() facts.Commit {
	signed := c.Signature != nil && c.Signature.IsValid && c.Signature.WasSignedByGitHub
	out := facts.Commit{
		OID: c.OID, Headline: c.MessageHeadline, At: c.CommittedDate,
		Committer: c.Committer.facts(signed), SignedByGitHub: signed,
	}
	for _, p := range c.Parents.Nodes {
		out.Parents = append(out.Parents, p.OID)
	}
	for i, a := range c.Authors.Nodes { // GitHub lists the author first
		if i == 0 {
			out.Author = a.facts(signed)
		} else {
			out.CoAuthors = append(out.CoAuthors, a.facts(signed))
		}
	}
	return out
}

type wireReview struct {
	ID             string
	FullDatabaseID bigID
	Author         *wireActor
	State          string
	Body           string
	SubmittedAt    *time.Time
	LastEditedAt   *time.Time
	URL            string
	Commit         *runsAt
}

func (r wireReview) facts() facts.Review {
	out := facts.Review{
		ID: int64(r.FullDatabaseID), NodeID: r.ID, Author: r.Author.facts(), State: r.State, Body: r.Body,
		Edited: r.LastEditedAt != nil, URL: r.URL,
	}
	if r.SubmittedAt != nil { // nil: pending
		out.SubmittedAt = *r.SubmittedAt
	}
	if r.Commit != nil {
		out.Commit = r.Commit.OID
	}
	return out
}

type wireComment struct {
	ID              string
	FullDatabaseID  bigID
	Author          *wireActor
	Body            string
	CreatedAt       time.Time
	LastEditedAt    *time.Time
	URL             string
	ViewerDidAuthor bool
	ReactionGroups  []struct{ ViewerHasReacted bool }
}

func (c wireComment) facts() facts.Comment {
	out := facts.Comment{
		ID: int64(c.FullDatabaseID), NodeID: c.ID, Author: c.Author.facts(), Body: c.Body, CreatedAt: c.CreatedAt,
		Edited: c.LastEditedAt != nil, URL: c.URL, Ours: c.ViewerDidAuthor,
	}
	for _, g := range c.ReactionGroups {
		out.Acknowledged = out.Acknowledged || g.ViewerHasReacted
	}
	return out
}

type wireEvent struct {
	Typename          string `json:"__typename"`
	CreatedAt         time.Time
	Actor             *wireActor
	BeforeCommit      *runsAt
	AfterCommit       *runsAt
	RequestedReviewer *wireReviewer
}

// eventKinds are the timeline's items in the words of facts.Event.
var eventKinds = map[string]string{
	"HeadRefForcePushedEvent": "force_pushed",
	"ReopenedEvent":           "reopened",
	"ReviewRequestedEvent":    "review_requested",
	"BaseRefChangedEvent":     "base_changed",
	"ReadyForReviewEvent":     "ready",
	"ConvertToDraftEvent":     "draft",
}

func (e wireEvent) facts() facts.Event {
	out := facts.Event{Kind: eventKinds[e.Typename], At: e.CreatedAt, Actor: e.Actor.facts(), Asked: e.RequestedReviewer.facts()}
	if e.BeforeCommit != nil { // nil: GitHub has collected it
		out.Before = e.BeforeCommit.OID
	}
	if e.AfterCommit != nil {
		out.After = e.AfterCommit.OID
	}
	return out
}

// wireTip is the head commit.
type wireTip struct {
	runsAt
	Tree                   treeOf
	AssociatedPullRequests connection[struct {
		Number      int
		State       string
		HeadRefOID  string
		BaseRefName string
		Repository  struct{ DatabaseID int64 }
	}]
}

func (t wireTip) twins(repository int64, number int) []facts.Twin {
	var out []facts.Twin
	for _, p := range t.AssociatedPullRequests.Nodes {
		if p.State == "OPEN" && p.HeadRefOID == t.OID && p.Number != number && p.Repository.DatabaseID == repository {
			out = append(out, facts.Twin{Number: p.Number, Base: p.BaseRefName})
		}
	}
	slices.SortFunc(out, func(a, b facts.Twin) int { return a.Number - b.Number })
	return out
}

type wirePull struct {
	ID             string
	Number         int
	Title          string
	URL            string
	State          string
	IsDraft        bool
	CreatedAt      time.Time
	Author         *wireActor
	MergedAt       *time.Time
	MergedBy       *wireActor
	MergeCommit    *wireMerge
	HeadRefName    string
	HeadRefOID     string
	HeadRepository *struct {
		DatabaseID    int64
		NameWithOwner string
	}
	IsCrossRepository bool
	BaseRefName       string
	BaseRefOID        string
	BaseRef           *struct{ Target *oid }
	Tip               struct{ Nodes []struct{ Commit wireTip } }
	Commits           connection[struct{ Commit wireCommit }]
	Reviews           connection[wireReview]
	Comments          connection[wireComment]
	ReviewRequests    connection[struct{ RequestedReviewer *wireReviewer }]
	TimelineItems     connection[wireEvent]
}

type wireMerge struct {
	oid
	Parents struct{ Nodes []oid }
	History struct {
		Nodes []struct {
			Parents                struct{ Nodes []oid }
			AssociatedPullRequests struct{ Nodes []struct{ Number int } }
		}
	}
}

// base is what the merge was made on: the first parent. A rebase brings several
// commits, each of which GitHub counts to the request; what was there before is
// then the oldest one's parent. Of more commits than were read it is a later one,
// whose changes are fewer than what was approved: that signs nothing off.
func (m wireMerge) base(number int) string {
	if len(m.Parents.Nodes) == 0 {
		return ""
	}
	base := m.Parents.Nodes[0].OID
	for _, c := range m.History.Nodes {
		of := slices.ContainsFunc(c.AssociatedPullRequests.Nodes, func(p struct{ Number int }) bool { return p.Number == number })
		if !of || len(c.Parents.Nodes) != 1 {
			break
		}
		base = c.Parents.Nodes[0].OID
	}
	return base
}

func (p wirePull) facts() facts.PullRequest {
	out := facts.PullRequest{
		Number: p.Number, NodeID: p.ID, Title: p.Title, URL: p.URL, Open: p.State == "OPEN", Draft: p.IsDraft,
		CreatedAt: p.CreatedAt, Author: p.Author.facts(),
		Head: facts.Head{OID: p.HeadRefOID, Ref: p.HeadRefName, Fork: p.IsCrossRepository},
		Base: facts.Base{Ref: p.BaseRefName, OID: baseTip(p.BaseRefOID, p.BaseRef)},
	}
	if r := p.HeadRepository; r != nil {
		out.Head.Repo, out.Head.Name = r.DatabaseID, r.NameWithOwner
	}
	if p.MergedAt != nil {
		out.Merge = &facts.Merge{At: *p.MergedAt, By: p.MergedBy.facts(), Head: p.HeadRefOID}
		if c := p.MergeCommit; c != nil {
			out.Merge.Commit, out.Merge.FirstParent = c.OID, c.base(p.Number)
		}
	}
	return out
}

// baseTip is where the base branch stands now; baseRefOid is where it stood
// when the request was last pushed to, and all there is once it is deleted.
func baseTip(then string, now *struct{ Target *oid }) string {
	if now != nil && now.Target != nil {
		return now.Target.OID
	}
	return then
}
