package fakegithub

import "time"

// Event is one entry of what happened, for those who judge afterwards. It is
// written where the state changes and never changed.
type Event struct {
	At         time.Time      `json:"at"`
	Kind       string         `json:"kind"` // push, review, review_dismissed, merge, check_run, comment, ...
	Repository int64          `json:"repository,omitempty"`
	Actor      string         `json:"actor"` // login
	Data       map[string]any `json:"data,omitempty"`
}

// History is the log of all that happened, oldest first.
func (s *Server) History() []Event {
	defer s.lock()()
	return append([]Event(nil), s.history...)
}

func (s *Server) tell(r *repo, kind, actor string, data fields) {
	e := Event{At: s.now(), Kind: kind, Actor: actor, Data: data}
	if r != nil {
		e.Repository = r.id
	}
	s.history = append(s.history, e)
}
