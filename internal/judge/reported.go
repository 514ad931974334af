package judge

import (
	"slices"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Results that a pull request brings are "self-reported": nobody here saw the
// training. They are judged like a run's, are labelled, and are never a reason
// for Go. They count only where no run of the sign-off may still bring its own,
// and after them nothing is launched on it.

// brought is what people brought of a pilot's results, and the merged requests
// that brought it.
type brought struct {
	dossier.Reported
	changes []MergedChange // the candidate's first; one with no Pull: none brought it
}

// broughtBy reads what stands on the default branch, beside the sign-off.
func (v *PilotVerdict) broughtBy(s *facts.Pilot) (*brought, []facts.Need) {
	f := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	r := f.Reported(v.Policy, v.ID)
	if !r.Any() {
		return nil, nil
	}
	needs := f.Needs()
	out := &brought{Reported: r}
	var numbers []int
	for _, file := range []dossier.Document{r.Candidate, r.Baseline, r.Manifest} {
		n := facts.Need{Kind: facts.NeedBrought, Path: file.Path}
		switch number := s.Brought[n.Key()]; {
		case !s.Answered(n):
			needs = append(needs, n)
		case !slices.Contains(numbers, number):
			numbers = append(numbers, number)
		}
	}
	for _, number := range numbers {
		if number == 0 {
			out.changes = append(out.changes, MergedChange{})
			continue
		}
		change, more := mergedChange(&s.Common, number)
		out.changes, needs = append(out.changes, change), append(needs, more...)
	}
	return out, needs
}

// openReported tells what is on record, and judges what a pull request brought.
func (v *PilotVerdict) openReported(s *facts.Pilot) []facts.Need {
	l := &v.Launch
	if v.State != SignedOff || v.Request == nil || l.Ended != "" {
		return nil
	}
	if l.Evaluation != nil {
		v.tellEvaluated(s)
		return nil
	}
	got, needs := v.broughtBy(s)
	if got == nil || len(needs) > 0 || l.Due != nil {
		return needs
	}
	args := map[string]string{"pilot": v.ID, "launched": runNumber(l.Record), "number": planNumber(s), "brought": got.number()}
	read, refused := rules.JudgeReported(got.Reported, v.Entry.Record)
	switch {
	case v.earlier(read.Manifest.Signoff):
		return nil // of a sign-off before this one, and told then
	case l.Record == nil && l.Claimed.Found, l.Record != nil && l.Run.ID != 0 && !l.Run.Completed():
		v.say("reported_waits", args, nil)
		return nil
	case slices.ContainsFunc(got.changes, func(c MergedChange) bool { return c.Pull == nil }):
		v.say("reported_pushed", args, nil)
		return nil
	case slices.ContainsFunc(got.changes, func(c MergedChange) bool { return !c.Approved }):
		v.say("reported_unapproved", args, nil)
		return nil
	}
	if refused == nil {
		if pairs, kase := v.evaluate(v.selfReported(got, read)); kase != "" {
			refused = &finding.Finding{Rule: "RP006", Case: kase, At: finding.Position{Path: got.Candidate.Path}, Args: with(map[string]string{"pilot": v.ID}, pairs)}
		}
	}
	if refused != nil {
		v.sayFinding("reported_refused", args, *refused)
		return nil
	}
	return v.branchNeed(s)
}

// selfReported is what was brought, as the source of an evaluation. Who approved
// the bringing is on record with it.
func (v *PilotVerdict) selfReported(got *brought, read rules.Results) source {
	change := got.changes[0]
	p := change.Pull
	of := ledger.Record{Subjects: v.Entry.Record.Subjects, Predicate: v.Entry.Record.Predicate}
	of.PullRequest, of.BaseRef, of.BaseCommit = p.Number, p.Base.Ref, p.Merge.FirstParent
	of.HeadCommit, of.MergeCommit = p.Head.OID, p.Merge.Commit
	of.Approvals, of.Checks, of.Rows, of.Reason = nil, nil, nil, ""
	for _, role := range change.People.Roles {
		of.Approvals = append(of.Approvals, approvalOf(role, change.People.SamePerson))
	}
	from := source{
		results: read, selfReported: true, name: "pr-" + strconv.Itoa(p.Number), of: of, at: p.Merge.At,
		ingredients: map[string]string{signoffIngredient: v.Entry.Digest}, unique: v.Entry.Digest,
	}
	for _, file := range got.Files() {
		sum := dossier.Hash(file.Blob.Bytes)
		from.subjects = append(from.subjects, ledger.Subject{Name: "reported", URI: file.Path, SHA256: sum})
		from.unique += "\n" + sum
	}
	return from
}

// number is the request that brought the candidate's result; "" if none did.
func (b *brought) number() string {
	if len(b.changes) == 0 || b.changes[0].Pull == nil {
		return ""
	}
	return strconv.Itoa(b.changes[0].Pull.Number)
}

// earlier tells whether a digest is of a sign-off of this pilot that another one
// has followed.
func (v *PilotVerdict) earlier(digest string) bool {
	return digest != v.Entry.Record.Digest && slices.ContainsFunc(v.Entries, func(e ledger.Entry) bool {
		return e.Record.Kind == ledger.KindSignoff && e.Record.Pilot == v.ID && e.Record.Digest == digest
	})
}

// tellEvaluated says whose results the evaluation on record is of.
func (v *PilotVerdict) tellEvaluated(s *facts.Pilot) {
	r := v.Launch.Evaluation.Record
	args := map[string]string{"pilot": v.ID, "number": planNumber(s)}
	if r.Run == nil {
		args["brought"] = strconv.Itoa(r.PullRequest)
		v.say("reported_evaluated", args, nil)
		return
	}
	args["launched"] = strconv.FormatInt(r.Run.ID, 10)
	if r.Run.Deployment {
		v.say("outside_evaluated", args, nil)
		return
	}
	v.say("evaluated", args, nil)
}
