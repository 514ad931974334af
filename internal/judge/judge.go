// Package judge turns a snapshot into a verdict. It is pure: the same snapshot
// gives the same verdict, and nothing is remembered between two of them.
//
// Missing says which facts are still needed, as data; judging before they are
// all there is an error of the caller. When in doubt, nothing passes.
package judge

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Approvals is the one check that a repository requires.
const Approvals = approval.CheckName

// Conclusion is what a check ends with, or that it has not ended.
type Conclusion string

// The conclusions that are ever published: neutral and skipped satisfy a
// required check at GitHub, so a governed pull request never gets them.
const (
	Success    Conclusion = "success"
	Failure    Conclusion = "failure"
	InProgress Conclusion = "in_progress"
)

// State of a pilot, derived and never stored.
type State string

// The states a pull request can be in.
const (
	NotGoverned      State = "NOT_GOVERNED"
	Draft            State = "DRAFT"
	Checking         State = "CHECKING"
	Blocked          State = "BLOCKED"
	AwaitingApproval State = "AWAITING_APPROVAL"
	Approved         State = "APPROVED"
	Observing        State = "OBSERVING"
	Closed           State = "CLOSED"
)

// Check is one check's verdict.
type Check struct {
	rules.Check
	Conclusion Conclusion
	// Lifted: it failed, and an override lets all that it found pass.
	Lifted bool
}

// Reason is a sentence of the catalogue that stands for the approvals check.
type Reason struct {
	Key  string
	Args map[string]string
}

// Verdict on a pull request.
type Verdict struct {
	State   State
	Pilot   string
	Plan    string
	Digest  string
	Subject dossier.Subject
	Checks  []Check

	Approvals Conclusion
	// Why says in one sentence why the approvals check is as it is.
	Why    Reason
	People approval.Result
	// Evidence is when the other checks were complete for this digest.
	Evidence time.Time
	// LookAgainAt is when time alone changes this verdict; zero: never.
	LookAgainAt time.Time

	Dossier dossier.Dossier
}

// Missing lists the facts that a verdict on the pull request still needs.
func Missing(p *facts.PullRequest) []facts.Need {
	d, needs := dossier.Open(p)
	if closed(p) {
		return handOver(&d, needs)
	}
	if len(needs) > 0 {
		return needs
	}
	if len(d.Governed) == 0 || p.Local {
		return nil
	}
	needs = append(approval.Needs(approvalInput(&d, "", nil)), clickNeeds(p)...)
	if q := d.Request; len(needs) == 0 && q != nil && len(q.Confirmation.Needs) > 0 && verdict(d).mayConfirm() {
		return q.Confirmation.Needs
	}
	return needs
}

// PullRequest judges.
func PullRequest(p *facts.PullRequest) Verdict {
	d, _ := dossier.Open(p)
	if closed(p) {
		v := Verdict{State: Closed, Dossier: d}
		if q := d.Request; q != nil {
			v.Pilot, v.Plan = q.PilotID, q.Path
		}
		return v
	}
	return verdict(d)
}

// closed: nothing is judged any more. A merge is handed over to the pilot that
// it brought.
func closed(p *facts.PullRequest) bool { return !p.Open && !p.Local }

// handOver are the needs for knowing which pilot a request is about.
func handOver(d *dossier.Dossier, needs []facts.Need) []facts.Need {
	if d.Request != nil || d.Pull.Merge == nil {
		return nil
	}
	return slices.DeleteFunc(needs, func(n facts.Need) bool {
		return n.Kind != facts.NeedTree && n.Kind != facts.NeedBlob && n.Kind != facts.NeedMergeBase
	})
}

func verdict(d dossier.Dossier) Verdict {
	p := d.Pull
	v := Verdict{Dossier: d}
	if len(d.Governed) == 0 && d.Request == nil && !d.Truncated && len(p.Cut) == 0 {
		v.State, v.Approvals, v.Why = NotGoverned, Success, Reason{Key: "nothing_governed"}
		if t := d.GovernedTwin; t != nil {
			v.State, v.Approvals, v.Why = Blocked, Failure, twinned(*t)
		}
		return v
	}
	v.Digest, v.Subject = d.Digest(rules.Version)
	if q := d.Request; q != nil {
		v.Pilot, v.Plan = q.PilotID, q.Path
	}
	failed, pending := false, false
	override := d.Request != nil && approval.OverrideOf(approvalInput(&d, v.Digest, nil)) != nil
	for _, c := range rules.Run(&d) {
		check := Check{Check: c, Conclusion: Success}
		switch {
		case c.Failed():
			check.Conclusion, check.Lifted = Failure, override && liftable(c)
			failed = failed || !check.Lifted
		case c.Pending != nil, c.Waits != nil:
			check.Conclusion, pending = InProgress, true
		}
		v.Checks = append(v.Checks, check)
	}
	v.Evidence = evidenceAt(p, v)
	in := approvalInput(&d, v.Digest, &v)
	v.People = approval.Judge(in)
	d.RolesFindings = append(slices.Clone(d.RolesFindings), approval.Unreachable(in)...)
	v.Dossier.RolesFindings = d.RolesFindings
	v.Approvals, v.State, v.Why = conclude(&d, v, failed, pending)
	v.LookAgainAt = sooner(v.People.LookAgainAt, v.confirmAgain())
	return v
}

// conclude walks the reasons from the hardest to the kindest; the first that
// applies is told.
func conclude(d *dossier.Dossier, v Verdict, failed, pending bool) (Conclusion, State, Reason) {
	p := d.Pull
	twin, hasTwin := foreignTwin(p)
	firstRoles := !d.RolesFound && d.RolesAfter != nil && !d.RolesAfter.Deleted && d.Request == nil
	switch {
	case len(d.Plans) > 0 && p.Base.Ref != p.Repository.DefaultBranch && !p.Local:
		return Failure, Blocked, Reason{Key: "side_branch", Args: map[string]string{"base": p.Base.Ref, "default": p.Repository.DefaultBranch}}
	case finding.Count(d.PolicyFindings, finding.Error) > 0:
		return Failure, Blocked, Reason{Key: "policy_broken"}
	case d.Truncated || len(p.Cut) > 0:
		return Failure, Blocked, Reason{Key: "listing_cut"}
	case !signs(d):
		return Failure, Blocked, Reason{Key: "no_signing_key", Args: map[string]string{"id": p.Signing.ID, "key": p.Signing.Public}}
	case d.Policy.Enforcement == policy.Observe:
		return Success, Observing, Reason{Key: "observing"}
	case ownAppend(d, v):
		return Success, Approved, Reason{Key: "own_append"}
	case firstRoles && !failed:
		return InProgress, AwaitingApproval, Reason{Key: "first_roles"}
	case !d.RolesFound:
		return Failure, Blocked, Reason{Key: "no_role_file"}
	case finding.Count(d.RolesFindings, finding.Error) > 0:
		return Failure, Blocked, Reason{Key: "roles_broken"}
	case hasTwin:
		return Failure, Blocked, twinned(twin)
	case len(v.People.Blocking) > 0:
		return Failure, Blocked, Reason{Key: "changes_requested", Args: map[string]string{"login": v.People.Blocking[0].Author.Login}}
	case len(v.People.Unattributed) > 0:
		return Failure, Blocked, Reason{Key: "unattributed", Args: map[string]string{"commit": v.People.Unattributed[0].OID}}
	case v.People.PushersUnknown:
		return Failure, Blocked, Reason{Key: "pushers_unknown", Args: map[string]string{"branch": p.Head.Ref}}
	case failed:
		return InProgress, Blocked, Reason{Key: "checks_failed"}
	case pending && d.Request == nil:
		return InProgress, Checking, Reason{Key: "results_awaited"}
	case pending && !scanning(v.Checks):
		return InProgress, Checking, Reason{Key: awaited(v.Checks)}
	case pending:
		return InProgress, Checking, Reason{Key: "checks_pending"}
	case p.Draft:
		return InProgress, Draft, Reason{Key: "draft"}
	case !v.People.Complete():
		return InProgress, AwaitingApproval, Reason{Key: "waiting"}
	}
	if slices.ContainsFunc(v.Checks, func(c Check) bool { return c.Lifted }) {
		return Success, Approved, Reason{Key: "approved_override"}
	}
	return Success, Approved, Reason{Key: "approved"}
}

// liftable tells whether an override may let a failed check pass: personal
// data, hashes, identity and evidence are nobody's to lift, nor is a dataset
// that cannot be read, in which nobody could look for personal data.
func liftable(c rules.Check) bool {
	if len(c.Hidden) > 0 {
		for rule := range c.Hidden {
			if !rules.Liftable(rule) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(c.Findings, func(f finding.Finding) bool {
		return f.Severity == finding.Error && !rules.Liftable(f.Rule)
	})
}

// signs tells whether the policy lists the key that this server would sign the
// sign-off with. Without it the record could not be verified, and people would
// learn so only after the merge. Elsewhere than on a plan it does not matter.
func signs(d *dossier.Dossier) bool {
	if d.Pull.Signing == nil || d.Request == nil || d.Policy.Enforcement == policy.Observe {
		return true
	}
	_, listed := signingKey(d.Policy, d.Pull.Signing, d.Pull.Now)
	return listed
}

func twinned(t facts.Twin) Reason {
	return Reason{Key: "twin", Args: map[string]string{"number": strconv.Itoa(t.Number), "base": t.Base}}
}

// foreignTwin is another open pull request that shares the head commit but not
// the base: check runs belong to a commit, so each would wear the other's.
func foreignTwin(p *facts.PullRequest) (facts.Twin, bool) {
	for _, t := range p.Twins {
		if t.Number != p.Number && t.Base != p.Base.Ref {
			return t, true
		}
	}
	return facts.Twin{}, false
}

// ownAppend: our own App's pull request that only appends to the ledger, which
// pilot/signoff has re-derived. Nobody approves what people approved before.
func ownAppend(d *dossier.Dossier, v Verdict) bool {
	if d.Pull.Local || !strings.EqualFold(d.Pull.Author.Login, d.Pull.App.Login) || d.Pull.Author.Type != "Bot" || d.Pull.Head.Fork {
		return false
	}
	if !strings.HasPrefix(d.Pull.Head.Ref, BranchPrefix+"signoff/") {
		return false
	}
	seen := false
	for _, c := range d.Governed {
		switch c.Kind {
		case policy.Signoff, policy.Evidence:
		case policy.Summary:
			if !ownLinks(d) {
				return false
			}
		case policy.Registry:
			if !ownEntries(d) {
				return false
			}
		default:
			return false
		}
	}
	for _, c := range v.Checks {
		if c.Name == rules.Signoff {
			seen = true
		}
		if c.Conclusion != Success {
			return false
		}
	}
	return seen
}

// BranchPrefix is where our own branches live; nothing else is written to.
const BranchPrefix = "pilotgate/"

// evidenceAt is when the other checks were first complete with this digest:
// what our approvals run says already, else this look, if they all are; zero
// while one is not.
func evidenceAt(p *facts.PullRequest, v Verdict) time.Time {
	var first time.Time
	for _, run := range p.Runs {
		id, ok := approval.ParseExternalID(run.ExternalID)
		if !ok || run.Name != Approvals || id.Digest != v.Digest || id.Number != p.Number || id.Evidence.IsZero() {
			continue
		}
		if first.IsZero() || id.Evidence.Before(first) {
			first = id.Evidence
		}
	}
	if !first.IsZero() {
		return first
	}
	for _, c := range v.Checks {
		if c.Conclusion != Success && !c.Lifted {
			return time.Time{}
		}
	}
	return p.Now.UTC().Truncate(time.Second)
}

func approvalInput(d *dossier.Dossier, digest string, v *Verdict) approval.Input {
	in := approval.Input{
		Pull: d.Pull, Roles: d.Roles, Required: d.Roles.Required(),
		Paths: d.ApprovalPaths(), Governed: d.GovernedPath, Digest: digest,
		AfterEvidence: d.Policy.Approvals.AfterEvidence,
		MaxAge:        d.Policy.Approvals.MaxAge(),
		Distinct:      d.Policy.Approvals.DistinctPeople,
	}
	if d.Request != nil {
		in.Initiator = d.Request.Initiator
	}
	if v != nil {
		in.EvidenceAt, in.Warned = v.Evidence, Warned(v.Checks)
	}
	return in
}

// Warned are the operations items that have a warning and want confirmation.
func Warned(checks []Check) []string {
	items := map[string]string{"OP001": "observability", "OP002": "release", "OP003": "release", "OP004": "rollback", "OP005": "rollback", "OP006": "observability", "OP007": "rollback"}
	seen := map[string]bool{}
	for _, c := range checks {
		if c.Name != rules.Operations {
			continue
		}
		for _, f := range c.Findings {
			if f.Severity == finding.Warning {
				seen[items[f.Rule]] = true
			}
		}
	}
	var out []string
	for _, item := range []string{"observability", "release", "rollback"} {
		if seen[item] {
			out = append(out, item)
		}
	}
	return out
}
