package judge

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/registry"
	"github.com/pilotgate/pilotgate/internal/report"
)

// Decision is what the merge of a report decided: a record that is due, or why
// the merge decided nothing.
type Decision struct {
	Record *ledger.Record // Go or No-go, to be appended now
	// Registry is the registry with the candidate's entry, written in the same
	// commit; nil where its form leaves no place, or it says so already.
	Registry []byte
	// Void says why a merged report decides nothing: a sentence of "decision".
	Void   string
	Change MergedChange
}

// ReportBranch is where the report of a sign-off is drafted.
func ReportBranch(pilot, digest string) string {
	return BranchPrefix + "report/" + pilot + "-" + shortDigest(digest)
}

// openDecision judges the merge of the report, as far as the facts go, and says
// which are missing for more. Merging it, approved by both roles, is the
// decision; what it says stands in the report's own words.
func (v *PilotVerdict) openDecision(s *facts.Pilot) []facts.Need {
	opened := s.Opened[ReportBranch(v.ID, v.Digest)]
	evaluated := v.evaluated()
	if !opened.Merged || evaluated == nil || v.decided() {
		return nil
	}
	change, needs := mergedChange(&s.Common, opened.Number)
	if branch := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(branch) {
		needs = append(needs, branch)
	}
	if len(needs) > 0 || change.Pull == nil {
		return needs
	}
	files := dossier.NewFiles(&s.Common, change.Pull.Merge.Commit)
	doc := files.Document(v.Policy.ReportPath(v.ID))
	models := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	before := models.Document(v.Policy.Paths.Registry)
	if needs := append(files.Needs(), models.Needs()...); len(needs) > 0 {
		return needs
	}
	v.Decision.Change = change
	said := report.ParseDecision(doc.Blob.Bytes)
	switch {
	case !change.Approved:
		v.Decision.Void = "not_approved"
		return nil
	case said.Value == "":
		v.Decision.Void = "says_nothing"
		return nil
	case said.Against(evaluated.Record.Evaluation.Recommendation) && said.Reason == "":
		v.Decision.Void = "no_reason"
		return nil
	}
	record := v.decisionRecord(s, change, *evaluated, said, doc)
	v.Decision.Record = &record
	v.Decision.Registry = withCandidate(v.Policy.Paths.Registry, before.Blob.Bytes, record)
	return nil
}

// evaluated is the evaluation of the sign-off that stands.
func (v *PilotVerdict) evaluated() *ledger.Entry {
	for i, e := range slices.Backward(v.Entries) {
		if v.Entry != nil && evaluates(e.Record, *v.Entry) {
			return &v.Entries[i]
		}
	}
	return nil
}

// decided tells whether a decision follows the sign-off that stands.
func (v *PilotVerdict) decided() bool {
	after := false
	for _, e := range v.Entries {
		after = after || e.Path == v.Entry.Path
		if after && e.Record.Pilot == v.ID && (e.Record.Kind == ledger.KindGo || e.Record.Kind == ledger.KindNoGo) {
			return true
		}
	}
	return false
}

// decisionRecord is the decision with the report and the model that it is about.
func (v *PilotVerdict) decisionRecord(s *facts.Pilot, change MergedChange, evaluated ledger.Entry, said report.Decision, doc dossier.Document) ledger.Record {
	p, e := change.Pull, evaluated.Record.Evaluation
	kind, decision := ledger.KindNoGo, ledger.NoGo
	if said.Value == evaluation.Go {
		kind, decision = ledger.KindGo, ledger.Go
	}
	r := ledger.Record{
		Kind: kind,
		Subjects: []ledger.Subject{
			{Name: "model", URI: candidateID(e.Candidate.Model, v.Entry.Record.Launch), SHA256: strings.TrimPrefix(e.Candidate.Digest, "sha256:")},
			{Name: "report", URI: doc.Path, SHA256: dossier.Hash(doc.Blob.Bytes)},
		},
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			Pilot:      v.ID, PullRequest: p.Number, PlanPath: s.PlanPath, Digest: "sha256:" + change.Digest,
			Ingredients: map[string]string{"evaluation": evaluated.Digest, "signoff": v.Entry.Record.Digest, "recommendation": string(e.Recommendation)},
			BaseRef:     p.Base.Ref, BaseCommit: p.Merge.FirstParent, HeadCommit: p.Head.OID, MergeCommit: p.Merge.Commit,
			PolicyDigest: v.Entry.Record.PolicyDigest, Launch: v.Entry.Record.Launch,
			CreatedAt: p.Merge.At.UTC().Truncate(time.Second),
		},
	}
	remark := ""
	if said.Against(e.Recommendation) {
		r.Reason = said.Reason
		remark = "against the recommendation: " + said.Reason
	}
	for _, role := range change.People.Roles {
		by := role.By
		r.Approvals = append(r.Approvals, ledger.Approval{
			Login: by.Author.Login, UserID: by.Author.ID, Role: role.Name, ReviewID: by.ID,
			SubmittedAt: by.SubmittedAt.UTC(), CommitID: by.Commit, Because: map[string]string{"approved_digest": by.Digest},
		})
		r.Rows = append(r.Rows, ledger.Row{
			Date: day(by.SubmittedAt), Stakeholder: by.Author.Login, Role: role.Name, Decision: decision,
			Notes: ledger.Notes{Review: by.ID, Remark: ledger.Clean(remark)},
		})
	}
	return r
}

// candidateID names the model as the registry will: by its own version, or by
// the release that it was approved for.
func candidateID(m evaluation.Model, l *ledger.Launch) string {
	return m.Name + "@" + cmp.Or(m.Version, strings.TrimPrefix(l.Release, "v"), shortDigest(m.Digest))
}

// candidateEntry is the registry's entry that a decision brings, by its record
// alone, so that anybody can derive it again.
func candidateEntry(r ledger.Record) (registry.Entry, bool) {
	for _, s := range r.Subjects {
		name, version, ok := strings.Cut(s.URI, "@")
		if s.Name != "model" || !ok || r.Launch == nil {
			continue
		}
		e := registry.Entry{Name: name, Version: version, Digest: "sha256:" + s.SHA256, Config: r.Launch.ConfigPath, Pilot: r.Pilot, Status: registry.Rejected}
		if r.Kind == ledger.KindGo {
			e.Status = registry.Candidate
		}
		return e, r.Kind == ledger.KindGo || r.Kind == ledger.KindNoGo
	}
	return registry.Entry{}, false
}

// withCandidate is the registry's text with a decision's entry; nil where that
// changes nothing or cannot be written.
func withCandidate(path string, before []byte, r ledger.Record) []byte {
	e, ok := candidateEntry(r)
	if !ok {
		return nil
	}
	after, err := registry.PutEntry(path, before, e)
	if err != nil || bytes.Equal(before, after) {
		return nil
	}
	return after
}
