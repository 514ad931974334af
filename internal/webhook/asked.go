package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Asked is what somebody asked for by a button at GitHub, which keeps no trace
// of it. It travels with the key (queue.Payloads), says who and what, and is no
// verdict: whether that person may, and whether the check run is ours and of
// this head, is looked up.
type Asked struct {
	Event      string `json:"event"`                // check_run or check_suite
	Action     string `json:"action"`               // rerequested or requested_action
	CheckID    int64  `json:"check_id"`             // of the run or the suite
	Head       string `json:"head,omitempty"`       // SHA that the check is of
	Identifier string `json:"identifier,omitempty"` // of the button
	UserID     int64  `json:"user_id"`              // who clicked
	Login      string `json:"user_login,omitempty"` // as it was then
	UserType   string `json:"user_type,omitempty"`  // User, Bot, ...
}

// Caps in bytes: GitHub's for the identifier and logins, a SHA-256 for the head.
const (
	maxIdentifier = 20
	maxLogin      = 100
	maxHead       = 64
	maxAsked      = 1 << 10
)

func (d *delivery) asked(event string) []byte {
	c := d.CheckRun
	if event == "check_suite" {
		c = d.CheckSuite
	}
	b, err := json.Marshal(Asked{
		Event: event, Action: d.Action, CheckID: c.ID,
		Head:       cut(c.HeadSHA, maxHead),
		Identifier: cut(d.RequestedAction.Identifier, maxIdentifier),
		UserID:     d.Sender.ID, Login: cut(d.Sender.Login, maxLogin), UserType: cut(d.Sender.Type, maxIdentifier),
	})
	if err != nil {
		panic(err) // strings and integers always have a JSON
	}
	return b
}

// cut leaves nothing of what is longer than GitHub makes it: half a name is
// another name.
func cut(s string, limit int) string {
	if len(s) > limit {
		return ""
	}
	return s
}

// ParseAsked reads a payload of the queue.
func ParseAsked(payload []byte) (Asked, error) {
	if len(payload) > maxAsked {
		return Asked{}, errors.New("parse asked: too large")
	}
	var a Asked
	if err := json.Unmarshal(payload, &a); err != nil {
		return Asked{}, fmt.Errorf("parse asked: %w", err)
	}
	return a, nil
}
