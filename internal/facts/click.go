package facts

// Click is somebody pressing a button of a check. GitHub keeps no trace of it,
// so it comes with the key; that the run is ours and of this head, and that the
// person may write, is looked up.
type Click struct {
	Run        int64   `json:"run"`        // the check run's id
	Head       string  `json:"head"`       // the commit that the check is of
	Identifier string  `json:"identifier"` // the button's
	By         Account `json:"by"`
}

// Access is what an account may do in the repository.
type Access struct {
	Account Account `json:"account"` // as GitHub names it now
	// Collaborator: let in by name, by a team or by the organization. Anybody may
	// read a public repository; only a collaborator is asked for a review.
	Collaborator bool `json:"collaborator,omitempty"`
	Write        bool `json:"write,omitempty"`
	Admin        bool `json:"admin,omitempty"`
}
