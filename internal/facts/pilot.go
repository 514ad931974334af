package facts

import "time"

// Pilot is one pilot after its plan was merged: what it asks, what was decided,
// and what of it already stands on the default branch.
type Pilot struct {
	Common
	ID string `json:"id"`
	// Plan is the merged request that brought the plan as it is on the default
	// branch now; nil if no merged pull request did (a direct push).
	Plan *PullRequest `json:"plan,omitempty"`
	// PlanPath is where the plan is on the default branch, or, if it was signed off
	// and is gone, where it was; Plan is then what took it away. "" if there never
	// was one.
	PlanPath string `json:"plan_path,omitempty"`
	// Changed is the newest commit of the default branch that touched the plan.
	Changed *Commit `json:"changed,omitempty"`
	// Alerts came since the last look that ended well, in the order of arrival.
	Alerts []Alert `json:"alerts,omitempty"`
}

// Opened is a pull request that our App opened.
type Opened struct {
	Number int  `json:"number"`
	Open   bool `json:"open"`
	Merged bool `json:"merged"`
	// MergedAt is zero until it is merged.
	MergedAt time.Time `json:"merged_at,omitzero"`
	Head     string    `json:"head"`
	Base     string    `json:"base"`
	Title    string    `json:"title,omitempty"`
	Body     string    `json:"body,omitempty"`
	URL      string    `json:"url,omitempty"`
}

// RoleChange is a merged request that changed the role file.
type RoleChange struct {
	Number int        `json:"number"`
	Head   string     `json:"head"`
	Merge  Merge      `json:"merge"`
	Before string     `json:"before,omitempty"` // the role file's blob before the request; "": there was none
	After  string     `json:"after,omitempty"`  // and as merged
	Runs   []CheckRun `json:"runs,omitempty"`   // our App's at the head
}

// Issue is an issue that our App opened; Marker is the hidden marker in its body.
type Issue struct {
	Number int    `json:"number"`
	NodeID string `json:"node_id,omitempty"`
	Open   bool   `json:"open"`
	Marker string `json:"marker"`
	// OpenedAt is when it was opened; zero where GitHub's answer was lost.
	OpenedAt time.Time `json:"opened_at,omitzero"`
	Title    string    `json:"title,omitempty"`
	Body     string    `json:"body,omitempty"`
	URL      string    `json:"url,omitempty"`
}

// RepositoryState is a repository as a whole: the policy and the ledger on its
// default branch, and what there is to look at again.
type RepositoryState struct {
	Common
	OpenPulls []int `json:"open_pulls,omitempty"` // into the default branch
	// Roles is the merged request that changed the role file last; nil if no
	// request of the default branch did.
	Roles *RoleChange `json:"roles,omitempty"`
	// Pushed is when the default branch last moved.
	Pushed time.Time `json:"pushed,omitzero"`
}

// MergeGroup is a merge queue's group: its tree is judged against BaseOID.
type MergeGroup struct {
	Common
	HeadOID string        `json:"head_oid"`
	BaseOID string        `json:"base_oid"`
	BaseRef string        `json:"base_ref"`
	Pulls   []PullRequest `json:"pulls,omitempty"`
	Runs    []CheckRun    `json:"runs,omitempty"`
	// Unresolved: a commit of the group belongs to no pull request that we can see.
	Unresolved []string `json:"unresolved,omitempty"`
}

// Requests are the pilot's pull requests by number, the plan's among them.
func (s *Pilot) Requests() map[int]*PullRequest {
	out := map[int]*PullRequest{}
	if s.Plan != nil {
		out[s.Plan.Number] = s.Plan
	}
	for _, p := range s.Pulls {
		out[p.Number] = &p
	}
	return out
}
