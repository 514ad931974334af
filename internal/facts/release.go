package facts

import "time"

// Release is what GitHub shows of the release that belongs to a tag. A tag
// alone, without a release, is Absent here and still a tag.
type Release struct {
	Draft      bool   `json:"draft,omitempty"`
	Prerelease bool   `json:"prerelease,omitempty"`
	URL        string `json:"url,omitempty"`
	Absent     bool   `json:"absent,omitempty"`
}

// Deployment is a deployment that our App made in an environment. What it
// deploys is its payload's, which is ours.
type Deployment struct {
	ID        int64     `json:"id"`
	Commit    string    `json:"commit"`
	CreatedAt time.Time `json:"created_at"`
	Deployed
	// State is the newest status: "success", "inactive", ...; "" is none yet.
	// Only the newest deployment's is read.
	State string `json:"state,omitempty"`
}

// Deployed is the payload of a deployment of ours: which model went live where,
// by which pilot and release.
type Deployed struct {
	Scenario string `json:"scenario"`
	Model    string `json:"model"`  // name@version
	Digest   string `json:"digest"` // "sha256:…"
	Pilot    string `json:"pilot"`
	Tag      string `json:"tag,omitempty"`
	Back     bool   `json:"back,omitempty"` // a rollback, not a release
}
