package judge

import (
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// RolesPath is where the role file stands.
const RolesPath = policy.RolesPath

// Who merged a change of the role file that nobody could approve.
const (
	administrator = "Administrator"
	committer     = "Committer" // may write, and the check was not required
)

// rolesRecord is the Policy record of the latest change of the role file, if
// one is due: the change brought the first role file, or a role had nobody who
// could have approved it. It names who merged it, once for each request. A
// change that both roles approved is on record by their reviews.
func rolesRecord(s *facts.RepositoryState, v *RepositoryVerdict, report ledger.Report) (*ledger.Record, Reason, []facts.Need) {
	c := s.Roles
	if c == nil || c.After == "" || c.Merge.By.Type != "User" || v.Policy.Enforcement == policy.Observe {
		return nil, Reason{}, nil
	}
	key, ok := signingKey(v.Policy, s.Signing, s.Now)
	if !ok {
		return nil, Reason{}, nil
	}
	for _, e := range report.Entries {
		if e.Record.Kind == ledger.KindPolicy && e.Record.PullRequest == c.Number {
			return nil, Reason{}, nil
		}
	}
	f := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	if f.Tree().Entries[RolesPath].OID != c.After {
		return nil, Reason{}, nil // changed since, and not by a request
	}
	why := Reason{Key: "first_role_file"}
	if c.Before != "" {
		why.Key = "nobody_left"
		if approvedBefore(c) {
			return nil, Reason{}, nil
		}
		if nobody, needs := nobodyLeft(s, v.Policy.Paths.Signoff, c.Before); len(needs) > 0 || !nobody {
			return nil, Reason{}, needs
		}
	}
	doc := f.Document(RolesPath)
	people, needs := merger(&s.Common, c.Merge)
	if branch := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(branch) {
		needs = append(needs, branch)
	}
	if needs = append(needs, f.Needs()...); len(needs) > 0 || !doc.Readable() {
		return nil, Reason{}, needs
	}
	return policyRecord(s, key, doc, people[0], why), why, nil
}

// policyRecord is signed no earlier than its key holds: a role file may be
// older than the key.
func policyRecord(s *facts.RepositoryState, key policy.Key, doc dossier.Document, by ledger.Approval, why Reason) *ledger.Record {
	c := s.Roles
	by.Because = map[string]string{"merged": why.Key}
	made := by.SubmittedAt
	if made.Before(key.From) {
		made = key.From.UTC()
	}
	subject := dossier.Subject{
		Version: dossier.DigestVersion, Repository: s.Repository.ID, Base: s.Repository.DefaultBranch, Number: c.Number,
		Files: []dossier.FileRef{{Path: RolesPath, Mode: doc.Entry.Mode, Blob: doc.Entry.OID}},
	}
	return &ledger.Record{
		Kind:     ledger.KindPolicy,
		Subjects: []ledger.Subject{{Name: "roles", URI: RolesPath, SHA256: dossier.Hash(doc.Blob.Bytes)}},
		Predicate: ledger.Predicate{
			Repository:  ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			PullRequest: c.Number,
			Digest:      "sha256:" + subject.Digest(),
			BaseRef:     s.Repository.DefaultBranch, BaseCommit: c.Merge.FirstParent, HeadCommit: c.Head, MergeCommit: c.Merge.Commit,
			Approvals: []ledger.Approval{by},
			Rows:      []ledger.Row{{Date: day(by.SubmittedAt), Stakeholder: by.Login, Role: by.Role, Decision: ledger.Policy}},
			CreatedAt: made,
		},
	}
}

func approvedBefore(c *facts.RoleChange) bool {
	for _, r := range c.Runs {
		id, ours := approval.ParseExternalID(r.ExternalID)
		if ours && id.Number == c.Number && successBefore(r, c.Merge.At) {
			return true
		}
	}
	return false
}

// nobodyLeft tells whether some role had nobody by this role file: it cannot be
// read, or of the owners no team has members and no login access.
func nobodyLeft(s *facts.RepositoryState, home, blob string) (bool, []facts.Need) {
	n := facts.Need{Kind: facts.NeedBlob, OID: blob}
	if !s.Answered(n) {
		return false, []facts.Need{n}
	}
	b := s.Git.Blobs[n.Key()]
	roles, faults := policy.ParseRoles(RolesPath, b.Bytes)
	roles.Home = home
	if b.Absent || b.TooLarge || finding.Count(faults, finding.Error) > 0 {
		return true, nil
	}
	var needs []facts.Need
	nobody := false
	for _, role := range roles.Required() {
		somebody, open := false, []facts.Need(nil)
		for _, o := range roles.Owners(role, RolesPath) {
			n := facts.Need{Kind: facts.NeedAccess, Login: o.Login}
			if o.Team != "" {
				n = facts.Need{Kind: facts.NeedTeam, Team: strings.ToLower(o.Org + "/" + o.Team)}
			}
			switch {
			case !s.Answered(n):
				open = append(open, n)
			case o.Team != "":
				t := s.Teams[n.Key()]
				somebody = somebody || len(t.Members) > 0 && !t.Absent && !t.Outside
			default:
				somebody = somebody || s.Access[n.Key()].Collaborator
			}
		}
		if !somebody {
			needs = append(needs, open...)
		}
		nobody = nobody || !somebody && len(open) == 0
	}
	if nobody {
		return true, nil
	}
	return false, needs
}

// signingKey is the policy's entry for the key that this server signs with.
func signingKey(p policy.Policy, key *facts.SigningKey, at time.Time) (policy.Key, bool) {
	if key == nil {
		return policy.Key{}, false
	}
	listed, ok := p.SigningKey(key.ID, at)
	return listed, ok && listed.Is(key.Public)
}
