package fakegithub

import "time"

// Event is one entry of what happened, for those who judge afterwards. It is
// written where the state changes and never changed: what an audit log, the
// timelines and git together would tell. See the calls of tell for the kinds and
// their data.
type Event struct {
	At         time.Time      `json:"at"`
	Kind       string         `json:"kind"` // commit, push, review, review_dismissed, merge, check_run, comment, ...
	Repository int64          `json:"repository,omitempty"`
	Actor      string         `json:"actor"` // login
	Data       map[string]any `json:"data,omitempty"`
}

// History is the log of all that happened, oldest first.
func (s *Server) History() []Event {
	defer s.lock()()
	return append([]Event(nil), s.history...)
}

// tellCommit tells of a commit when it is first pushed: whose it is, as GitHub
// attributes it ("" for nobody), and its files, "mode id" by path.
func (s *Server) tellCommit(r *repo, c *commit) {
	login := func(i ident) string {
		if a := s.attributed(i); a != nil {
			return a.login
		}
		return ""
	}
	with := []string{}
	for _, i := range coAuthors(c.message) {
		with = append(with, login(i))
	}
	files := map[string]string{}
	for path, l := range r.git.flatten(c.tree) {
		files[path] = l.mode + " " + l.oid
	}
	s.tell(r, "commit", login(c.author), fields{
		"oid": c.oid, "parents": c.parents, "author": login(c.author), "committer": login(c.committer), "co_authors": with,
		"signed_by_github": s.signedByGitHub(r, c), "files": files,
	})
}

func (s *Server) tell(r *repo, kind, actor string, data fields) {
	e := Event{At: s.now(), Kind: kind, Actor: actor, Data: data}
	if r != nil {
		e.Repository = r.id
	}
	s.history = append(s.history, e)
}
