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
	// Training is what the deployment asks a trainer outside Actions for; nil: nothing.
	Training *TrainingOrder `json:"training,omitempty"`
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

// TrainingOrder is the payload of a deployment of ours that asks a trainer
// outside GitHub Actions to train a pilot. Every parameter is in the record.
type TrainingOrder struct {
	Pilot   string `json:"pilot"`
	Signoff string `json:"signoff"` // subject digest, "sha256:…"
	Record  string `json:"record"`  // path of the signed record at the deployment's commit
	Launch  string `json:"launch"`  // digest of this launch, hex
}

// Report is one status of a deployment, whoever made it: it proves nothing.
type Report struct {
	State       string    `json:"state"`
	Description string    `json:"description,omitempty"`
	At          time.Time `json:"at"`
}
