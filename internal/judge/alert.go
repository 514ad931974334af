package judge

import (
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Deployed is what a scenario's pointer names, and since when.
type Deployed struct {
	Scenario string
	Model    string
	Version  string
	Pilot    string // whose pilot made the model, as the registry says
	// Since is when the change of the pointer was on the default branch; zero:
	// not known, and no alert counts.
	Since time.Time
}

// AlertStanding says whether an alert is about what is deployed. The words are
// keys of sentences.
type AlertStanding string

// The standings. Only AlertCounts is a regression.
const (
	AlertCounts        AlertStanding = "counts"
	AlertResolved      AlertStanding = "resolved" // about what is deployed, and over
	AlertOtherScenario AlertStanding = "other_scenario"
	AlertOtherModel    AlertStanding = "other_model"    // the pointer names another model or version, or another pilot's
	AlertBeforeRelease AlertStanding = "before_release" // it began before this model was deployed, or nobody knows when that was
	AlertInFuture      AlertStanding = "in_future"      // its beginning is still to come: no clock of ours
)

// clocksDiffer is how far Prometheus' clock may be ahead of ours.
const clocksDiffer = 5 * time.Minute

// AboutDeployed holds an alert against the pointer. An alert that waited, was
// replayed, or fires for the model that ran before is not about this one: it
// must have begun after the pointer changed. A version that the alert does not
// name is not compared; the model and the pilot always are.
func AboutDeployed(a facts.Alert, d Deployed, now time.Time) AlertStanding {
	switch {
	case a.Scenario == "" || a.Scenario != d.Scenario:
		return AlertOtherScenario
	case a.Model == "" || a.Model != d.Model || a.Pilot != d.Pilot || a.Version != "" && a.Version != d.Version:
		return AlertOtherModel
	case d.Since.IsZero() || !a.StartsAt.After(d.Since):
		return AlertBeforeRelease
	case a.StartsAt.After(now.Add(clocksDiffer)):
		return AlertInFuture
	case a.Status != facts.Firing:
		return AlertResolved
	}
	return AlertCounts
}
