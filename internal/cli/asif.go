package cli

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// supposition is a fact of --as-if.
type supposition struct {
	state, login, role string
	confirmed          []string
}

const asIfShape = `write "approve:@login,role=ML Lead" or "reject:@login,role=ML Lead"`

// parseSupposition reads "approve:@login,role=ROLE,confirm=release+rollback".
func parseSupposition(fact string) (supposition, error) {
	verb, rest, _ := strings.Cut(fact, ":")
	s := supposition{state: map[string]string{"approve": "APPROVED", "reject": "CHANGES_REQUESTED"}[strings.TrimSpace(verb)]}
	parts := strings.Split(rest, ",")
	s.login = strings.TrimPrefix(strings.TrimSpace(parts[0]), "@")
	if s.state == "" || s.login == "" {
		return s, advise(asIfShape, "suppose %q: not a fact", fact)
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "role":
			s.role = value
		case "confirm":
			s.confirmed = strings.Split(value, "+")
		default:
			return s, advise(asIfShape, "suppose %q: %q is not known", fact, key)
		}
	}
	return s, nil
}

// suppose adds the review of a person to the snapshot, of the digest that v
// has, with the runs that would have published it. Whether it then counts is
// the judge's business.
func suppose(p *facts.PullRequest, v judge.Verdict, fact string) error {
	s, err := parseSupposition(fact)
	if err != nil {
		return err
	}
	person := facts.Account{ID: number(s.login), Login: s.login, Type: "User"}
	if s.role != "" {
		if err := s.enrol(p, v, person); err != nil {
			return err
		}
	}
	shown := p.Now.Add(-time.Minute)
	id := approval.ExternalID{Number: p.Number, Base: p.Base.Ref, Digest: v.Digest, Evidence: shown}
	for i, name := range append([]string{judge.Approvals}, names(v)...) {
		p.Runs = append(p.Runs, facts.CheckRun{
			ID: int64(len(p.Runs) + i + 1), Name: name, Head: p.Head.OID, ExternalID: id.String(),
			Status: "completed", Conclusion: "success", StartedAt: shown, CompletedAt: shown,
		})
	}
	body := ""
	for _, item := range s.confirmed {
		body += "- [x] " + strings.TrimSpace(item) + "\n"
	}
	p.Reviews = append(p.Reviews, facts.Review{
		ID: int64(len(p.Reviews) + 1), Author: person, State: s.state, Body: body,
		SubmittedAt: p.Now.Add(-time.Second), Commit: p.Head.OID,
	})
	return nil
}

// enrol puts the person into a team of the role where the role names teams: a
// checkout cannot know who is in them. Somebody who is named needs nothing.
func (s supposition) enrol(p *facts.PullRequest, v judge.Verdict, person facts.Account) error {
	required := v.Dossier.Roles.Required()
	role := ""
	for _, r := range required {
		if strings.EqualFold(r, s.role) {
			role = r
		}
	}
	if role == "" {
		return advise("the roles are "+strings.Join(required, " and "), "suppose @%s: there is no role %q", s.login, s.role)
	}
	for _, path := range v.Dossier.ApprovalPaths() {
		for _, o := range v.Dossier.Roles.Owners(role, path) {
			if o.Team == "" {
				if strings.EqualFold(o.Login, s.login) {
					return nil
				}
				continue
			}
			if p.Teams == nil {
				p.Teams = map[string]facts.Team{}
			}
			key := approval.TeamKey(o)
			p.Teams[key] = facts.Team{Members: append(p.Teams[key].Members, person)}
			return nil
		}
	}
	return nil // nobody's role: the judge says that it does not count
}

func names(v judge.Verdict) []string {
	var out []string
	for _, c := range v.Checks {
		out = append(out, c.Name)
	}
	return out
}

// number gives a login an id of its own; a checkout knows no numeric ids.
func number(login string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(login))) // a hash's Write does not fail
	return int64(h.Sum32()) + 1
}
