package judge

import (
	"reflect"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// The states of a pilot after its plan was merged.
const (
	NoPlan     State = "NO_PLAN"     // no such plan on the default branch
	Bypassed   State = "BYPASSED"    // merged without the approval that counts
	Stale      State = "STALE"       // approved, but the base moved under it before the merge
	Merged     State = "MERGED"      // approved and merged; the sign-off is due
	SignedOff  State = "SIGNED_OFF"  // the record is on the default branch
	Reverted   State = "REVERTED"    // the plan of a sign-off is gone; its withdrawal is due
	Withdrawn  State = "WITHDRAWN"   // and on record
	LedgerShut State = "LEDGER_SHUT" // the ledger does not verify: nothing is added
)

// PilotVerdict is what a pilot is and what its record would say.
type PilotVerdict struct {
	State   State
	Why     Reason
	ID      string
	Digest  string // hex, recomputed on the merge commit
	Subject dossier.Subject

	Policy policy.Policy
	Tree   facts.Tree // of the default branch
	Ledger ledger.Ledger
	Broken []finding.Finding // why the ledger does not verify
	Keys   []ledger.Key
	// Record is the sign-off: due in state MERGED, found in SIGNED_OFF.
	Record *ledger.Record
	Entry  *ledger.Entry
	// Signoff is what was withdrawn, in state REVERTED and WITHDRAWN; Entry is then
	// the withdrawal.
	Signoff *ledger.Entry

	// Entries are the ledger's verified records, of all pilots.
	Entries []ledger.Entry
	Launch  Launch
	// Decision is what the merge of the report decided.
	Decision Decision
	// Release is what followed a Go decision.
	Release Release
	// Rollbacks are the `/pilot rollback` commands, and why those that do not count
	// do not.
	Rollbacks []Rollback
	// LookAgainAt is when time alone changes this verdict; zero: never.
	LookAgainAt time.Time

	Request *dossier.Request // the plan as merged
	Checks  []Check
	Summary dossier.Document
	Report  dossier.Document
}

// pilotFiles are the documents of the default branch that a pilot's verdict
// reads, with what is missing of them.
type pilotFiles struct {
	tree     facts.Tree
	policy   policy.Policy
	faults   []finding.Finding
	ledger   ledger.Ledger
	verified ledger.Report
	broken   []finding.Finding // why it does not verify
	summary  dossier.Document
	report   dossier.Document
}

// MissingPilot lists the facts that a verdict on the pilot still needs.
func MissingPilot(s *facts.Pilot) []facts.Need {
	_, needs := openPilot(s)
	return needs
}

// Pilot judges what a merged plan is worth.
func Pilot(s *facts.Pilot) PilotVerdict {
	v, _ := openPilot(s)
	return v
}

// views are the request as merged (the merge commit against its first parent)
// and as it stood at its head, with the facts of the pilot's look.
func views(s *facts.Pilot) (merged, head *facts.PullRequest) {
	m, h := *s.Plan, *s.Plan
	m.Common, h.Common = s.Common, s.Common
	m.Head.OID = s.Plan.Merge.Commit
	m.Base.OID, h.Base.OID = s.Plan.Merge.FirstParent, s.Plan.Merge.FirstParent
	m.Now, h.Now = s.Plan.Merge.At, s.Plan.Merge.At
	return &m, &h
}

func readPilotFiles(c *facts.Common, pilot string) (pilotFiles, []facts.Need) {
	var f pilotFiles
	r := dossier.NewFiles(c, c.Repository.DefaultOID)
	f.tree = r.Tree()
	f.policy, f.faults = r.Policy()
	if len(r.Needs()) > 0 {
		return f, r.Needs()
	}
	f.ledger, f.verified, f.broken = r.Verified(f.policy)
	f.summary = r.Document(f.policy.Paths.Summary)
	if form.Pilot(pilot) {
		f.report = r.Document(f.policy.ReportPath(pilot))
	}
	return f, r.Needs()
}

// openPilot judges as far as the facts go and says which are missing for more:
// the sign-off first, then each stage that it opens.
func openPilot(s *facts.Pilot) (PilotVerdict, []facts.Need) {
	v, needs := openSignoff(s)
	if len(needs) > 0 {
		if v.Ledger.LogPath != "" { // the policy is read: the stages after are read beside the sign-off
			ahead := v
			_, brought := v.broughtBy(s)
			if lastSignoff(ledger.Report{Entries: v.Entries}, s.ID) != nil {
				needs = append(needs, v.launchNeeds(s)...)
			}
			needs = append(append(needs, ahead.openRelease(s)...), brought...)
		}
		return v, needs
	}
	needs = v.openLaunch(s)
	if len(needs) == 0 {
		needs = append(v.openRenewal(s), v.openResults(s)...)
	}
	if len(needs) == 0 {
		needs = v.openReported(s)
	}
	if v.State == SignedOff {
		needs = append(append(needs, v.openDecision(s)...), v.openRelease(s)...)
	}
	if len(needs) == 0 {
		v.refuseRollbacks(s)
	}
	if at := v.Launch.again; !at.IsZero() && (v.LookAgainAt.IsZero() || at.Before(v.LookAgainAt)) {
		v.LookAgainAt = at
	}
	return v, needs
}

func openSignoff(s *facts.Pilot) (PilotVerdict, []facts.Need) {
	f, needs := readPilotFiles(&s.Common, s.ID)
	v := PilotVerdict{ID: s.ID, Policy: f.policy, Tree: f.tree, Ledger: f.ledger, Summary: f.summary, Report: f.report, Keys: dossier.Keys(f.policy)}
	var d, dh dossier.Dossier // as merged, and at the request's head
	var merged, head *facts.PullRequest
	_, there := f.tree.Entries[s.PlanPath]
	there = there || s.PlanPath != "" && f.tree.Entries == nil // not read yet: all rounds in one
	if s.Plan != nil && s.Plan.Merge != nil && there {
		merged, head = views(s)
		var more []facts.Need
		d, more = dossier.OpenPlan(merged, s.PlanPath)
		needs = append(needs, more...)
		dh, more = dossier.Open(head)
		needs = append(needs, more...)
	}
	if finding.Count(f.faults, finding.Error) > 0 {
		return v.as(LedgerShut, "policy_broken"), nil
	}
	report := f.verified
	v.Broken, v.Entries = f.broken, report.Entries
	if len(needs) > 0 {
		return v, needs
	}
	if len(v.Broken) > 0 {
		return v.as(LedgerShut, "ledger_broken"), nil
	}
	if !there {
		return withdrawal(s, v, report)
	}
	if merged != nil {
		v.Request = d.Request
		v.Subject = mergedSubject(&d, &dh)
		v.Digest = v.Subject.Digest()
	}
	entry, needs := standing(s, report, v.Digest)
	if len(needs) > 0 {
		return v, needs
	}
	if entry != nil {
		v.Entry, v.Record, v.Digest = entry, &entry.Record, strings.TrimPrefix(entry.Record.Digest, "sha256:")
		return v.as(SignedOff, ""), nil
	}
	switch {
	case merged == nil && f.policy.Enforcement == policy.Observe, merged != nil && d.Policy.Enforcement == policy.Observe:
		return v.as(NoPlan, "observing"), nil
	case !adopted(s, &f, &d):
		return v.as(NoPlan, "before_adoption"), nil
	case merged == nil:
		return v.as(Bypassed, "no_pull_request"), nil
	}
	if !succeededBefore(s.Plan, v.Digest) {
		if same, _ := dh.Digest(rules.Version); same == v.Digest && anySuccessBefore(s.Plan) {
			return v.as(Stale, "base_moved"), nil
		}
		return v.as(Bypassed, "no_success"), nil
	}
	people := beforeMerge(head)
	in := approvalInput(&d, v.Digest, nil)
	in.Pull = people
	if needs := approval.Needs(in); len(needs) > 0 {
		return v, needs
	}
	pv := verdictOf(d, people, v.Digest, rules.RunRequest(&d))
	v.Checks = pv.Checks
	if !pv.People.Complete() || lapsed(pv) {
		return v.as(Bypassed, "not_approved"), nil
	}
	record := signoff(s, d, pv, v)
	if record.Confirmation, needs = confirmedBefore(&d, s.Plan.Merge.At); len(needs) > 0 {
		return v, needs
	}
	v.Record = &record
	if o := pv.People.Override; o != nil && !overridden(report, record) {
		record = overrideRecord(record, o) // first the override, then what it let through
	}
	if n := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); v.Policy.Commit.Mode == policy.CommitAuto && !s.Answered(n) {
		return v, []facts.Need{n}
	}
	return v.as(Merged, "due"), nil
}

func (v PilotVerdict) as(state State, why string) PilotVerdict {
	v.State, v.Why = state, Reason{Key: why}
	return v
}

// mergedSubject is what the merge brought, as it would have been approved: the
// plan's part derived on the merge commit, the request's other governed files as
// at its head, if the merge has them just so.
func mergedSubject(d, head *dossier.Dossier) dossier.Subject {
	_, subject := d.Digest(rules.Version)
	_, asked := head.Digest(rules.Version)
	for _, f := range asked.Files {
		if e := d.HeadTree.Entries[f.Path]; e.OID != f.Blob || e.Mode != f.Mode {
			return subject
		}
	}
	subject.Files = asked.Files
	return subject
}

// adopted tells whether anybody could have approved this plan: there was a role
// file when it came, or we had our say. Plans from before are nobody's fault.
func adopted(s *facts.Pilot, f *pilotFiles, d *dossier.Dossier) bool {
	if s.Plan == nil || s.Plan.Merge == nil {
		_, roles := f.tree.Entries[policy.RolesPath]
		return roles
	}
	return d.RolesFound || len(s.Plan.Runs) > 0
}

// standing is the sign-off that the plan on the default branch has: by the
// digest of its merge, or by content where a later request changed only its
// format or run notes. Without one it is nil.
func standing(s *facts.Pilot, report ledger.Report, digest string) (*ledger.Entry, []facts.Need) {
	var last *ledger.Entry
	for i, e := range report.Entries {
		if e.Record.Kind != ledger.KindSignoff || e.Record.Pilot != s.ID || withdrawn(report, e) != nil {
			continue
		}
		if e.Record.Digest == "sha256:"+digest {
			return &report.Entries[i], nil
		}
		last = &report.Entries[i]
	}
	if last == nil || last.Record.PlanPath != s.PlanPath {
		return nil, nil
	}
	now := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	then := dossier.NewFiles(&s.Common, last.Record.MergeCommit)
	is, was := now.Document(s.PlanPath), then.Document(s.PlanPath)
	needs := append(now.Needs(), then.Needs()...)
	if s.Plan != nil && s.Plan.Merge != nil {
		before := dossier.NewFiles(&s.Common, s.Plan.Merge.FirstParent)
		if _, stood := before.Tree().Entries[s.PlanPath]; !stood && len(before.Needs()) == 0 {
			return nil, needs // gone in between, which withdrew it
		}
		needs = append(needs, before.Needs()...)
	}
	if len(needs) > 0 {
		return nil, needs
	}
	if !is.Readable() || !was.Readable() {
		return nil, nil
	}
	same := reflect.DeepEqual(facts.Read(is.Blob, s.PlanPath, plan.Parse).Facts(), facts.Read(was.Blob, s.PlanPath, plan.Parse).Facts())
	if !same {
		return nil, nil
	}
	return last, nil
}

// verdictOf judges checks on the documents as merged and people on the request
// as it was before the merge.
func verdictOf(d dossier.Dossier, people *facts.PullRequest, digest string, checks []rules.Check) Verdict {
	v := Verdict{Digest: digest, Dossier: d}
	given := approvalInput(&d, digest, nil)
	given.Pull = people
	override := approval.OverrideOf(given) != nil
	for _, c := range checks {
		check := Check{Check: c, Conclusion: Success}
		if c.Failed() {
			check.Conclusion, check.Lifted = Failure, override && liftable(c)
		}
		v.Checks = append(v.Checks, check)
	}
	v.Evidence = evidenceAt(people, v)
	in := approvalInput(&d, digest, &v)
	in.Pull = people
	v.People = approval.Judge(in)
	return v
}

// beforeMerge leaves out what came after the merge: it cannot have carried it.
func beforeMerge(p *facts.PullRequest) *facts.PullRequest {
	out := *p
	out.Reviews = slices.DeleteFunc(slices.Clone(p.Reviews), func(r facts.Review) bool { return r.SubmittedAt.After(p.Merge.At) })
	out.Comments = slices.DeleteFunc(slices.Clone(p.Comments), func(c facts.Comment) bool { return c.CreatedAt.After(p.Merge.At) })
	return &out
}

// succeededBefore: our successful approvals run for this digest was complete
// before the merge. GitHub's times have whole seconds, so the same second will
// do: the run is required for the merge.
func succeededBefore(p *facts.PullRequest, digest string) bool {
	return slices.ContainsFunc(p.Runs, func(r facts.CheckRun) bool {
		id, ok := approval.ParseExternalID(r.ExternalID)
		return ok && id.Digest == digest && id.Number == p.Number && successBefore(r, p.Merge.At)
	})
}

func anySuccessBefore(p *facts.PullRequest) bool {
	return slices.ContainsFunc(p.Runs, func(r facts.CheckRun) bool {
		id, ok := approval.ParseExternalID(r.ExternalID)
		return ok && id.Digest != "" && id.Number == p.Number && r.Head == p.Head.OID && successBefore(r, p.Merge.At)
	})
}

func successBefore(r facts.CheckRun, at time.Time) bool {
	return r.Name == Approvals && r.Status == "completed" && r.Conclusion == string(Success) && !r.CompletedAt.After(at)
}

// signoff is the record of the approval: what was approved, by whom, on what
// evidence, and every parameter that the launch will read from it.
func signoff(s *facts.Pilot, d dossier.Dossier, pv Verdict, v PilotVerdict) ledger.Record {
	p, q := s.Plan, d.Request
	subject := v.Subject
	r := ledger.Record{
		Kind:     ledger.KindSignoff,
		Subjects: subjects(q),
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			Pilot:      s.ID, PullRequest: p.Number, PlanPath: s.PlanPath,
			Digest: "sha256:" + v.Digest, Ingredients: subject.Ingredients(),
			BaseRef: p.Base.Ref, BaseCommit: p.Merge.FirstParent, HeadCommit: p.Head.OID, MergeCommit: p.Merge.Commit,
			PolicyDigest: "sha256:" + dossier.Hash(subject.Effective),
			Launch:       launch(q, p.Merge.Commit),
			CreatedAt:    p.Merge.At.UTC().Truncate(time.Second),
		},
	}
	for _, role := range pv.People.Roles {
		by := role.By
		r.Approvals = append(r.Approvals, approvalOf(role, pv.People.SamePerson))
		r.Rows = append(r.Rows, ledger.Row{
			Date: day(by.SubmittedAt), Stakeholder: by.Author.Login, Role: role.Name, Decision: ledger.Approved,
			Notes: ledger.Notes{Review: by.ID},
		})
	}
	for _, c := range pv.Checks {
		check := ledger.Check{Name: c.Name, Conclusion: string(c.Conclusion)}
		for _, f := range c.Findings {
			if check.Rules == nil {
				check.Rules = map[string]int{}
			}
			check.Rules[f.Rule]++
		}
		r.Checks = append(r.Checks, check)
	}
	return r
}

// approvalOf is a review that fills a role, as records have it.
func approvalOf(role approval.Role, samePerson bool) ledger.Approval {
	by := role.By
	because := map[string]string{"approved_digest": by.Digest}
	if by.Carried {
		because["carried_over_from"] = by.SeenAt
	}
	if samePerson {
		because["distinct_people"] = "false"
	}
	return ledger.Approval{
		Login: by.Author.Login, UserID: by.Author.ID, Role: role.Name, ReviewID: by.ID,
		SubmittedAt: second(by.SubmittedAt), CommitID: by.Commit, Because: because,
	}
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func subjects(q *dossier.Request) []ledger.Subject {
	out := []ledger.Subject{{Name: "plan", URI: q.Path, SHA256: dossier.Hash(plan.Normalised(q.Source.Blob.Bytes))}}
	if q.CardFile.Readable() {
		out = append(out, ledger.Subject{Name: "data card", URI: q.CardPath, SHA256: dossier.Hash(q.CardFile.Blob.Bytes)})
	}
	for name, d := range map[string]dossier.Dataset{"dataset": q.Dataset, "evaluation dataset": q.Evaluation} {
		if d.Scan.Facts != nil {
			out = append(out, ledger.Subject{Name: name, URI: d.Path, SHA256: d.Scan.Facts.SHA256})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func launch(q *dossier.Request, mergeCommit string) *ledger.Launch {
	text := func(f plan.Field) string { v, _ := q.Plan.Get(f); return v.Text }
	l := &ledger.Launch{
		Scenario: q.Scenario, BaselineModel: text(plan.BaselineModel), TargetModel: text(plan.TargetModel),
		PromptVersion: text(plan.PromptVersion), GitCommit: q.Commit, ConfigPath: text(plan.Config),
		Hyperparameters: map[string]string{},
		Compute:         ledger.Compute{Hardware: text(plan.Hardware), Hours: text(plan.Hours)},
		RollbackTarget:  text(plan.RollbackTarget), Release: text(plan.TargetRelease),
	}
	if q.CommitThis {
		l.GitCommit = mergeCommit
	}
	for name, f := range map[string]plan.Field{
		"epochs": plan.Epochs, "batch_size": plan.BatchSize, "learning_rate": plan.LearningRate,
		"optimiser": plan.Optimiser, "max_input_tokens": plan.MaxInputTokens,
	} {
		if t := text(f); t != "" {
			l.Hyperparameters[name] = t
		}
	}
	if v, ok := q.Plan.Get(plan.Seed); ok {
		l.Seed, _ = v.Integer()
	}
	if v, ok := q.Plan.Get(plan.HardwareCount); ok {
		n, _ := v.Integer()
		l.Compute.Count = int(n)
	}
	if f := q.Dataset.Scan.Facts; f != nil {
		l.Dataset = ledger.Dataset{Location: q.Dataset.Path, SHA256: f.SHA256, Bytes: f.Bytes, Records: f.Records}
	}
	if f := q.Evaluation.Scan.Facts; f != nil {
		l.Evaluation = &ledger.Dataset{Location: q.Evaluation.Path, SHA256: f.SHA256, Bytes: f.Bytes, Records: f.Records}
	}
	return l
}

// BaselineOf is the recomputed baseline of a request, in the metrics' order.
func BaselineOf(q *dossier.Request) []benchmark.Result {
	if q == nil || q.Dataset.Scan.Facts == nil {
		return nil
	}
	return benchmark.Recompute(rules.Aggregates(q.Dataset.Scan.Facts), q.Bands.Metrics).Metrics
}
