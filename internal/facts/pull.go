package facts

import "time"

// PullRequest is one pull request with all that a verdict on it may depend on.
type PullRequest struct {
	Common
	Number    int       `json:"number"` // 0: a local checkout, no pull request yet
	NodeID    string    `json:"node_id,omitempty"`
	Title     string    `json:"title,omitempty"`
	URL       string    `json:"url,omitempty"`
	Open      bool      `json:"open"`
	Draft     bool      `json:"draft,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	Author    Account   `json:"author"`
	Head      Head      `json:"head"`
	Base      Base      `json:"base"`
	Merge     *Merge    `json:"merge,omitempty"`

	Commits   []Commit   `json:"commits,omitempty"`
	Reviews   []Review   `json:"reviews,omitempty"` // oldest first
	Comments  []Comment  `json:"comments,omitempty"`
	Runs      []CheckRun `json:"runs,omitempty"` // our App's, at every head that was looked at, oldest first
	Requested []Asked    `json:"requested,omitempty"`
	Timeline  []Event    `json:"timeline,omitempty"`
	Twins     []Twin     `json:"twins,omitempty"` // other open pull requests with this head commit
	// Clicks are buttons that were pressed since the last look, oldest first.
	Clicks []Click `json:"clicks,omitempty"`
	// Cut names a listing that GitHub did not give whole ("commits", "reviews", ...).
	// With one of them cut nothing can pass.
	Cut []string `json:"cut,omitempty"`
	// Local: read from a checkout; there are no people and no runs to look at.
	Local bool `json:"local,omitempty"`
	// Plan is the path of a plan that is the request whether or not it changed:
	// somebody asks about it in a checkout. Obeyed only where Local is set.
	Plan string `json:"plan,omitempty"`
}

// PushersNeed asks who pushed the branch to where it stands, or stood when it was
// merged; ok is false where nobody can be asked: in a checkout, and where the
// fork is gone.
func (p *PullRequest) PushersNeed() (n Need, ok bool) {
	if p.Local || p.Head.Repo == 0 {
		return Need{}, false
	}
	n = Need{Kind: NeedPushers, Repo: p.Head.Name, Branch: p.Head.Ref, Commit: p.Head.OID}
	if p.Merge != nil && p.Merge.Head != "" { // what is judged as the head may be the merge
		n.Commit = p.Merge.Head
	}
	for _, e := range p.Timeline {
		if e.Kind == "force_pushed" || e.Kind == "reopened" {
			n.Moves++
		}
	}
	return n, true
}

// Head is the proposed side.
type Head struct {
	OID  string `json:"oid"`
	Ref  string `json:"ref"`
	Repo int64  `json:"repo,omitempty"` // numeric id; 0: the fork was deleted
	Name string `json:"name,omitempty"` // "owner/name" of that repository
	Fork bool   `json:"fork,omitempty"`
}

// Base is the side merged into; OID is its tip at the time of the look.
type Base struct {
	Ref string `json:"ref"`
	OID string `json:"oid"`
}

// Merge is how the request was merged. FirstParent is the base as it was.
type Merge struct {
	At          time.Time `json:"at"`
	By          Account   `json:"by"`
	Commit      string    `json:"commit"`
	FirstParent string    `json:"first_parent"`
	Head        string    `json:"head,omitempty"` // the request's head as it was merged
}

// Commit is a commit that is reachable from head and not from base.
type Commit struct {
	OID       string    `json:"oid"`
	Parents   []string  `json:"parents"`
	Headline  string    `json:"headline,omitempty"`
	At        time.Time `json:"at"`                   // committer date, as the committer wrote it
	Author    Person    `json:"author"`               //
	Committer Person    `json:"committer"`            //
	CoAuthors []Person  `json:"co_authors,omitempty"` // authors but the first
	// SignedByGitHub: GitHub's own key signed it (web editor, suggestion, Update branch).
	SignedByGitHub bool `json:"signed_by_github,omitempty"`
}

// Person is how a commit names somebody; Account is nil where GitHub
// attributes the commit to nobody.
type Person struct {
	Name    string   `json:"name,omitempty"`
	Email   string   `json:"email,omitempty"`
	Account *Account `json:"account,omitempty"`
}

// Review is one submitted review.
type Review struct {
	ID          int64     `json:"id"`
	NodeID      string    `json:"node_id,omitempty"`
	Author      Account   `json:"author"`
	State       string    `json:"state"` // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING
	Body        string    `json:"body,omitempty"`
	SubmittedAt time.Time `json:"submitted_at"`
	Edited      bool      `json:"edited,omitempty"`
	Commit      string    `json:"commit,omitempty"` // "" where GitHub lost it
	URL         string    `json:"url,omitempty"`
}

// Comment is a comment on the conversation; ID is the REST id.
type Comment struct {
	ID        int64     `json:"id"`
	NodeID    string    `json:"node_id,omitempty"`
	Author    Account   `json:"author"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	Edited    bool      `json:"edited,omitempty"` // by anybody after it was written
	URL       string    `json:"url,omitempty"`
	// Ours: written by our App; display names and markers prove nothing.
	Ours bool `json:"ours,omitempty"`
	// Acknowledged: our reaction is on it.
	Acknowledged bool `json:"acknowledged,omitempty"`
}

// CheckRun is a run of our own App.
type CheckRun struct {
	ID          int64     `json:"id"`
	NodeID      string    `json:"node_id,omitempty"`
	Name        string    `json:"name"`
	Head        string    `json:"head"`
	ExternalID  string    `json:"external_id"`
	Status      string    `json:"status"`               // queued, in_progress, completed
	Conclusion  string    `json:"conclusion,omitempty"` // success, failure, ...
	StartedAt   time.Time `json:"started_at"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Title       string    `json:"title,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Text        string    `json:"text,omitempty"`
	Annotations int       `json:"annotations,omitempty"`
}

// Asked is somebody whose review is requested: a user's login or "org/slug".
type Asked struct {
	Login string `json:"login,omitempty"`
	Team  string `json:"team,omitempty"`
}

// Event is one timeline event.
type Event struct {
	Kind   string    `json:"kind"` // force_pushed, reopened, review_requested, base_changed, ready, draft
	At     time.Time `json:"at"`
	Actor  Account   `json:"actor"`
	Before string    `json:"before,omitempty"` // commit ids of a force-push
	After  string    `json:"after,omitempty"`
	Asked  Asked     `json:"asked,omitzero"`
}

// Twin is another open pull request with the same head commit.
type Twin struct {
	Number int    `json:"number"`
	Base   string `json:"base"`
}
