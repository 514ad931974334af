// Package alert takes what Alertmanager sends: it proves who sends it, reduces
// each alert to the pilot that it names, makes both durable, and answers.
//
// An alert is not in GitHub and cannot be asked for again, so its content is
// kept with the key. It is evidence and no verdict: whether it is about what is
// deployed, and what follows, is judged by those who look. The package must not
// decide, must not touch a body before its token is proven, and must not repeat
// a label's value to anybody.
package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/form"
)

// Alert is one alert as it travels with its key (queue.Payloads).
type Alert struct {
	Fingerprint string    `json:"fingerprint"`
	Name        string    `json:"name"`
	Severity    string    `json:"severity,omitempty"`
	Scenario    string    `json:"scenario"`
	Model       string    `json:"model"`
	Version     string    `json:"version,omitempty"`
	Pilot       string    `json:"pilot"`
	Metric      string    `json:"metric,omitempty"`
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at,omitzero"`
	Status      string    `json:"status"` // firing or resolved
	// Received is to the minute: what is sent again within it is one payload.
	Received time.Time `json:"received"`
}

const (
	firing   = "firing"
	resolved = "resolved"
)

// payload tells an alert from a pressed button, whose payload has no such key.
type payload struct {
	Alert *Alert `json:"alert"`
}

// maxAlert is the most bytes that an Alert becomes: 8 values of 100 bytes, of
// which JSON makes at most six times as many, and the rest.
const maxAlert = 8 << 10

// Payload is the alert as the queue keeps it.
func (a Alert) Payload() []byte {
	b, err := json.Marshal(payload{&a})
	if err != nil {
		panic(err) // strings and times of four-digit years always have a JSON
	}
	return b
}

// Parse reads a payload of the queue.
func Parse(raw []byte) (Alert, error) {
	if len(raw) > maxAlert {
		return Alert{}, errors.New("parse alert: too large")
	}
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return Alert{}, fmt.Errorf("parse alert: %w", err)
	}
	if p.Alert == nil {
		return Alert{}, errors.New("parse alert: not an alert")
	}
	return *p.Alert, nil
}

// notification is Alertmanager's webhook, version 4:
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type notification struct {
	Version   string `json:"version"`
	Truncated uint64 `json:"truncatedAlerts"`
	Alerts    []sent `json:"alerts"`
}

type sent struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// The shapes of label values. A model is named as in the registry, a pilot as
// in its plan; nothing that is none of these becomes a fact.
var (
	nameShape  = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} _.:/+-]*$`) // and at most maxName characters: counted here, the expression would be megabytes
	modelShape = form.Of("A-Za-z0-9", "A-Za-z0-9_./+:-", 100)
)

// maxName is how many characters a name of an alert, severity or metric has.
const maxName = 50

// reduce makes one alert of a scenario out of what was sent. Where that cannot
// be, why says so in a word, which is also a label of a metric.
func (s sent) reduce(scenario string, now time.Time) (a Alert, why string) {
	l := s.Labels
	switch {
	case l["scenario"] != scenario:
		return a, "other_scenario"
	case l["pilot"] == "" || l["model"] == "":
		return a, "no_pilot"
	}
	a = Alert{
		Fingerprint: s.Fingerprint, Name: l["alertname"], Severity: l["severity"], Scenario: scenario,
		Model: l["model"], Version: l["version"], Pilot: l["pilot"], Metric: l["metric"],
		StartsAt: s.StartsAt.UTC(), Status: s.Status, Received: now.UTC().Truncate(time.Minute),
	}
	fits := func(shape func(string) bool, value string) bool { return value == "" || shape(value) }
	named := func(value string) bool {
		return utf8.RuneCountInString(value) <= maxName && fits(nameShape.MatchString, value)
	}
	switch {
	case a.Status != firing && a.Status != resolved,
		s.StartsAt.IsZero(), far(s.StartsAt), far(s.EndsAt),
		a.Name == "", !form.Hex(a.Fingerprint, 16),
		!named(a.Name), !named(a.Severity), !named(a.Metric),
		!fits(modelShape, a.Model), !fits(modelShape, a.Version), !fits(form.Pilot, a.Pilot):
		return Alert{}, "malformed"
	}
	if a.Status == resolved {
		a.EndsAt = s.EndsAt.UTC()
	}
	return a, ""
}

// far is a time that has no JSON.
func far(t time.Time) bool { return t.UTC().Year() > 9999 || t.UTC().Year() < 0 }

var errVersion = errors.New("not a webhook of version 4")

// parse reads a notification.
func parse(body []byte) (notification, error) {
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return n, fmt.Errorf("parse notification: %w", err)
	}
	if n.Version != "4" {
		return n, errVersion
	}
	return n, nil
}
