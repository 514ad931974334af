package facts

import "time"

// The statuses of an alert, as Alertmanager writes them.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// Alert is one alert that Alertmanager sent. GitHub knows nothing of it, so it
// comes with the pilot's key; whether it is about what is deployed is judged.
//
// Its texts are label values: they have a safe shape and a cap, and whoever
// shows them escapes them all the same.
type Alert struct {
	// Fingerprint names the labels (16 hex digits). With StartsAt it is one
	// firing of one alert, however often it is sent.
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name"`
	Severity    string `json:"severity,omitempty"`
	Scenario    string `json:"scenario"` // the one that its token is for
	Model       string `json:"model"`
	Version     string `json:"version,omitempty"`
	Pilot       string `json:"pilot"`
	Metric      string `json:"metric,omitempty"`

	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at,omitzero"` // of a resolved one
	Status   string    `json:"status"`           // Firing or Resolved
	Received time.Time `json:"received"`         // to the minute
}
