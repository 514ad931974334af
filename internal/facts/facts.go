// Package facts is what was seen at GitHub or in a checkout, as plain data.
//
// A snapshot is everything that a verdict may depend on, and nothing else: no
// interface, no function, no lazy call, so that it can be saved as JSON and
// judged again. What a first look cannot know it must fetch (which blobs, which
// teams) is asked for as a Need; the shell fills the answer in, "not there" and
// "too large" included, and an answered need is never asked twice.
//
// The package must not judge: it looks answers up, it does not weigh them.
package facts

import "time"

// App is who we are at GitHub.
type App struct {
	ID    int64  `json:"id"`
	Login string `json:"login"` // "pilotgate[bot]"
}

// SigningKey is a public Ed25519 key and the id the policy lists it under.
type SigningKey struct {
	ID     string `json:"id"`
	Public string `json:"ed25519"` // base64
}

// Repository is the repository as GitHub names it today; ID never changes.
type Repository struct {
	ID            int64  `json:"id"`
	NodeID        string `json:"node_id,omitempty"`
	Owner         string `json:"owner"`
	Name          string `json:"name"`
	URL           string `json:"url,omitempty"` // https://github.com/acme/pilots
	OwnedByOrg    bool   `json:"owned_by_org,omitempty"`
	Private       bool   `json:"private,omitempty"`
	DefaultBranch string `json:"default_branch"`
	DefaultOID    string `json:"default_oid,omitempty"`
}

// FullName is "owner/name".
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// Common is what every snapshot has: when and where, and what git holds.
type Common struct {
	Now        time.Time  `json:"now"`
	App        App        `json:"app"`
	Repository Repository `json:"repository"`
	Git        Git        `json:"git"`
	// Signing is the public half of the key that this server signs records with;
	// nil offline. The policy of the base branch must list it.
	Signing *SigningKey `json:"signing,omitempty"`

	Reach    map[string]Reach    `json:"reach,omitempty"`    // by Need.Key
	Made     map[string]Made     `json:"made,omitempty"`     // by commit
	Bases    map[string]string   `json:"bases,omitempty"`    // merge base, by Need.Key; "" is "none"
	Teams    map[string]Team     `json:"teams,omitempty"`    // by "org/slug"
	Scans    map[string]Scan     `json:"scans,omitempty"`    // by ScanRequest.Key
	Pushers  map[string]Pushers  `json:"pushers,omitempty"`  // by Need.Key
	Branches map[string]Branch   `json:"branches,omitempty"` // by branch name
	Tags     map[string]TagFacts `json:"tags,omitempty"`     // by tag name
	Access   map[string]Access   `json:"access,omitempty"`   // by lower-case login

	Workflows   map[string]Workflow     `json:"workflows,omitempty"` // by the workflow file's path
	Runs        map[string]Run          `json:"runs,omitempty"`      // by Need.Key; ID 0 is "there is none"
	Waiting     map[string]Waiting      `json:"waiting,omitempty"`   // by "", the repository
	Pending     map[string]Pending      `json:"pending,omitempty"`   // by run id
	Artifacts   map[string]Artifacts    `json:"artifacts,omitempty"` // by run id
	Contents    map[string]Artifact     `json:"contents,omitempty"`  // by artifact id
	Claims      map[string]Claim        `json:"claims,omitempty"`    // by ref
	Issues      []Issue                 `json:"issues,omitempty"`    // our App's, open or closed, where IssuesRead
	IssuesRead  bool                    `json:"issues_read,omitempty"`
	Own         map[string]string       `json:"own,omitempty"`       // where our branches stand, by name; nil where they were not listed whole
	Brought     map[string]int          `json:"brought,omitempty"`   // the merged request that brought a path of the default branch as it is; 0 is none
	Opened      map[string]Opened       `json:"opened,omitempty"`    // our App's newest request by branch; a zero one is "there is none"
	Pulls       map[string]PullRequest  `json:"pulls,omitempty"`     // by number; Number 0 is "there is none"
	TagNames    []string                `json:"tag_names,omitempty"` // the repository's newest, where TagsRead
	TagsRead    bool                    `json:"tags_read,omitempty"`
	Releases    map[string]Release      `json:"releases,omitempty"`    // by tag
	Reports     map[string][]Report     `json:"reports,omitempty"`     // statuses by deployment id, newest first
	Deployments map[string][]Deployment `json:"deployments,omitempty"` // our App's by environment, newest first
	Guards      map[string]Guard        `json:"guards,omitempty"`      // by environment
}

// OwnBranch is where a branch of ours stands; ok is false while that is not known.
func (c *Common) OwnBranch(name string) (at Branch, ok bool) {
	if c.Own != nil {
		oid := c.Own[name]
		return Branch{OID: oid, Absent: oid == ""}, true
	}
	at, ok = c.Branches[name]
	return at, ok
}

// Account is a GitHub account. A deleted one is "ghost" with ID 0.
type Account struct {
	ID    int64  `json:"id,omitempty"`
	Login string `json:"login"`
	Type  string `json:"type,omitempty"` // "User", "Bot", "Organization", "Mannequin"
}

// Team is a team's people, child teams included, pending invitations not.
type Team struct {
	NodeID  string    `json:"node_id,omitempty"`
	Members []Account `json:"members,omitempty"`
	Absent  bool      `json:"absent,omitempty"` // no such team, or we may not see it
	// Outside: without access to the repository, so that GitHub asks it for nothing.
	Outside bool `json:"outside,omitempty"`
}

// Made is when a commit was made, as its committer wrote it.
type Made struct {
	At     time.Time `json:"at,omitzero"`
	Absent bool      `json:"absent,omitempty"` // not in this repository, or not in this clone
}

// Reach answers whether a commit can be reached from another.
type Reach struct {
	Reachable bool `json:"reachable"`
	Absent    bool `json:"absent,omitempty"` // GitHub knows no such commit here
}

// Pushers are who pushed to a branch, by GitHub's own activity log.
type Pushers struct {
	Pushes []Push `json:"pushes,omitempty"` // newest first
	// Unknown: GitHub does not tell us (a private fork), or there are more than we read.
	Unknown bool `json:"unknown,omitempty"`
}

// Push moved a branch from one commit to another.
type Push struct {
	By     Account `json:"by"`
	Before string  `json:"before,omitempty"`
	After  string  `json:"after,omitempty"`
}

// Branch is what we may do on a branch.
type Branch struct {
	OID string `json:"oid,omitempty"`
	// Guarded: a direct push by the App would be refused, because of classic
	// protection or of a ruleset that does not list the App as bypass actor.
	Guarded bool `json:"guarded,omitempty"`
	// ReviewRequired: a pull request into it needs a person's review.
	ReviewRequired bool `json:"review_required,omitempty"`
	Absent         bool `json:"absent,omitempty"`
}

// TagFacts tells whether a tag exists and where it points.
type TagFacts struct {
	OID    string `json:"oid,omitempty"`
	Absent bool   `json:"absent,omitempty"`
}
