package judge

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Answer is what the gate says to one run that waits for the environment.
type Answer struct {
	Run   facts.Run
	State string // "approved", "rejected", or "": it waits, and is told why
	Why   Reason // a sentence of the section "gate"
	// Told is the ref of the claim that this was said already.
	Told string
}

// bar is one condition of the launch gate: a run that it holds back is told the
// sentence gate.<key>. Ends: such a run can never pass, and is rejected; any
// other waits, because a sign-off may still come.
// Fixed: it depends on the run and the sign-off alone, and holds also for a run
// that has passed.
type bar struct {
	key   string
	ends  bool
	fixed bool
	bars  func(g *gate) (args []string, barred bool)
}

// bars are the conditions in the order in which they are told; the first that
// holds a run back is its answer. Each is a row of lifecycle §5, "Launch gate".
var bars = []bar{
	{"other_event", true, true, func(g *gate) ([]string, bool) {
		return []string{"event", g.run.Event}, g.run.Event != "workflow_dispatch"
	}},
	{"other_repository", true, true, func(g *gate) ([]string, bool) {
		return nil, g.run.HeadRepo != g.s.Repository.ID
	}},
	{"other_path", true, true, func(g *gate) ([]string, bool) {
		return []string{"path", g.run.Path}, g.run.Path != g.v.Policy.Workflows.Training
	}},
	{"other_branch", true, true, func(g *gate) ([]string, bool) {
		return []string{"branch", g.run.HeadBranch}, g.run.HeadBranch != g.s.Repository.DefaultBranch
	}},
	{"ended", true, false, func(g *gate) ([]string, bool) {
		return []string{"decision", string(g.l.Ended)}, g.l.Ended != ""
	}},
	{"withdrawn", true, false, func(g *gate) ([]string, bool) { return nil, g.l.Withdrawn }},
	{"other_attempt", true, false, func(g *gate) ([]string, bool) {
		return []string{"attempt", strconv.Itoa(g.run.Attempt)}, g.run.Attempt != 1 && !g.l.mayTryAgain(g.run)
	}},
	{"launched", true, false, func(g *gate) ([]string, bool) { return []string{"launched", runNumber(g.l.Record)}, g.l.Record != nil }},
	{"reported", true, false, func(g *gate) ([]string, bool) { return nil, g.l.Evaluation != nil }},
	{"claimed", true, false, func(g *gate) ([]string, bool) {
		c := g.l.Claimed
		return []string{"launched", strconv.FormatInt(c.Run, 10)}, c.Run != 0 && c.Run != g.run.ID
	}},
	{"ledger_shut", false, false, func(g *gate) ([]string, bool) { return nil, g.v.State == LedgerShut }},
	{"not_signed", false, false, func(g *gate) ([]string, bool) { return nil, g.v.State != SignedOff && g.v.State != Merged }},
	{"signoff_due", false, false, func(g *gate) ([]string, bool) { return nil, g.v.State != SignedOff }},
	{"before_signoff", true, true, func(g *gate) ([]string, bool) {
		record := g.v.Entry.Path
		return nil, g.tree.Entries[record].OID == "" || g.tree.Entries[record] != g.v.Tree.Entries[record]
	}},
	{"changed_workflow", true, true, func(g *gate) ([]string, bool) {
		changed := g.changedFile(g.tree)
		return []string{"path", changed}, changed != "" && (g.passed || g.changedFile(g.v.Tree) == "")
	}},
	{"other_reference", true, true, func(g *gate) ([]string, bool) {
		ref := g.foreignReference()
		return []string{"path", ref}, ref != ""
	}},
	{"not_allowed", false, false, func(g *gate) ([]string, bool) {
		who := g.stranger()
		return []string{"login", who}, who != ""
	}},
	{"claim_foreign", false, false, func(g *gate) ([]string, bool) { return []string{"ref", g.l.ClaimRef}, g.l.Claimed.Foreign }},
	{"dispatched", true, true, func(g *gate) ([]string, bool) {
		return nil, (g.l.Claimed.Dispatched || g.passed && g.l.Unguarded) && !g.byUs()
	}},
	{"under_way", false, false, func(g *gate) ([]string, bool) {
		return []string{"launched", strconv.FormatInt(g.l.loose, 10)}, !g.l.Claimed.Found && !g.l.Unguarded && g.l.loose != 0 && g.l.loose != g.run.ID
	}},
	{"renewal", false, false, func(g *gate) ([]string, bool) {
		changed := g.changed()
		return []string{"changed", strings.Join(changed, "\n")}, len(changed) > 0
	}},
	{"role_lost", false, false, func(g *gate) ([]string, bool) {
		a := g.lost()
		return []string{"login", a.Login, "role", a.Role}, a.Login != ""
	}},
	{"approval_expired", false, false, func(g *gate) ([]string, bool) {
		a := g.expired()
		return []string{"login", a.Login, "days", strconv.Itoa(g.now.Policy.Approvals.MaxAgeDays)}, a.Login != ""
	}},
	{"checks_fail", false, false, func(g *gate) ([]string, bool) {
		ids := g.failing()
		return []string{"rules", strings.Join(ids, ", ")}, len(ids) > 0
	}},
}

// gate is one run, or the bot's own start (ID 0), before the bars.
type gate struct {
	s    *facts.Pilot
	v    *PilotVerdict
	l    *Launch
	run  facts.Run
	tree facts.Tree // at the run's head
	// passed: the run is past the gate; only what is fixed is asked of it.
	passed bool
	// now is the plan judged by the default branch as it is; nil where there is
	// no sign-off, and the bars that ask for it are not reached.
	now    *dossier.Dossier
	checks []rules.Check
}

// judge finds the first bar that holds the run back.
func (g *gate) judge() (Reason, bool, bool) {
	for _, b := range bars {
		if g.passed && !b.fixed {
			continue
		}
		if args, barred := b.bars(g); barred {
			return Reason{Key: b.key, Args: g.args(args)}, b.ends, true
		}
	}
	return Reason{Key: "approved", Args: g.args(nil)}, false, false
}

// args are the values of a sentence: what every one of them may name, and its own.
func (g *gate) args(pairs []string) map[string]string {
	out := map[string]string{
		"pilot": g.v.ID, "workflow": g.v.Policy.Workflows.Training, "default": g.s.Repository.DefaultBranch,
		"environment": g.v.Policy.Environment, "digest": g.v.Digest[:min(12, len(g.v.Digest))],
		"commit": g.run.HeadOID[:min(7, len(g.run.HeadOID))], "number": planNumber(g.s),
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

func planNumber(s *facts.Pilot) string {
	if s.Plan == nil {
		return ""
	}
	return strconv.Itoa(s.Plan.Number)
}

func runNumber(e *ledger.Entry) string {
	if e == nil {
		return ""
	}
	return strconv.FormatInt(e.Record.Run.ID, 10)
}

const workflowIngredient = "workflow "

// changedFile is the first of the signed workflow files that a tree has
// otherwise; "" if none.
func (g *gate) changedFile(t facts.Tree) string {
	if t.Truncated || t.Absent {
		return g.v.Policy.Workflows.Training
	}
	signed := g.v.Entry.Record.Ingredients
	if _, is := signed[workflowIngredient+g.v.Policy.Workflows.Training]; !is {
		return g.v.Policy.Workflows.Training // the policy names another one now
	}
	for _, name := range slices.Sorted(maps.Keys(signed)) {
		if path, is := strings.CutPrefix(name, workflowIngredient); is && "git:"+t.Entries[path].OID != signed[name] {
			return path
		}
	}
	return ""
}

// foreignReference is a reusable workflow of the run that was not signed off:
// one of ours must be a signed file of the run's own commit, one from elsewhere
// must be pinned by the commit that was run.
func (g *gate) foreignReference() string {
	own := strings.ToLower(g.s.Repository.FullName()) + "/"
	for _, r := range g.run.Referenced {
		path, ref, _ := strings.Cut(r.Path, "@")
		if local, is := strings.CutPrefix(strings.ToLower(path), own); is {
			_, signed := g.v.Entry.Record.Ingredients[workflowIngredient+path[len(path)-len(local):]]
			if signed && r.OID == g.run.HeadOID {
				continue
			}
			return r.Path
		}
		if len(ref) < 40 || ref != r.OID {
			return r.Path
		}
	}
	return ""
}

func (g *gate) byUs() bool {
	return g.run.ByApp(g.s.App)
}

// stranger is who had a hand in starting the run and may not: neither the
// initiator, nor in a role, nor our App; "" if all may.
func (g *gate) stranger() string {
	if g.run.ID == 0 {
		return ""
	}
	for _, a := range []facts.Account{g.run.Actor, g.run.Trigger} {
		ours := strings.EqualFold(a.Login, g.s.App.Login) && a.Type == "Bot"
		if !ours && (a.Type != "User" || a.ID == 0 || !g.initiator(a) && len(approval.RolesOf(g.input(), a)) == 0) {
			return a.Login
		}
	}
	return ""
}

// initiator: the plan's. Where that is the request's author, ids are compared.
func (g *gate) initiator(a facts.Account) bool {
	who := g.now.Request.Initiator
	if who == "" || !strings.EqualFold(a.Login, who) {
		return false
	}
	author := g.now.Pull.Author
	return !strings.EqualFold(author.Login, who) || author.ID == a.ID
}

func (g *gate) input() approval.Input { return approvalInput(g.now, g.v.Digest, nil) }

// changed are the ingredients of the sign-off that are others now. The plan is
// left out, whose facts are the same or the sign-off would not stand, and so is
// what the plan pins by commit. A newer rule catalogue judges again instead.
func (g *gate) changed() []string {
	_, subject := g.now.Digest(rules.Version)
	signed, is := g.v.Entry.Record.Ingredients, subject.Ingredients()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(signed)) {
		switch {
		case name == "format" || name == "rules" || name == "plan" || strings.HasPrefix(name, "training_") || name == "prompt" || strings.HasPrefix(name, "file "):
		case is[name] != signed[name]:
			out = append(out, name)
		}
	}
	for name := range is {
		if _, was := signed[name]; !was && strings.HasPrefix(name, workflowIngredient) {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// lost is an approver of the sign-off who is not in that role any more.
func (g *gate) lost() ledger.Approval {
	for _, a := range g.v.Entry.Record.Approvals {
		if !slices.Contains(approval.RolesOf(g.input(), facts.Account{ID: a.UserID, Login: a.Login, Type: "User"}), a.Role) {
			return a
		}
	}
	return ledger.Approval{}
}

// expired is an approval of the sign-off that is older than the policy allows.
func (g *gate) expired() ledger.Approval {
	most := g.now.Policy.Approvals.MaxAge()
	for _, a := range g.v.Entry.Record.Approvals {
		if most > 0 && g.s.Now.Sub(a.SubmittedAt) > most {
			return a
		}
	}
	return ledger.Approval{}
}

// failing are the rules that fail now and did not when it was signed off: a
// waiver that has expired, a dataset that was replaced, a release that is taken.
func (g *gate) failing() []string {
	var out []string
	for _, c := range g.checks {
		for _, f := range c.Findings {
			if f.Severity == finding.Error && !slices.Contains(out, f.Rule) {
				out = append(out, f.Rule)
			}
		}
	}
	sort.Strings(out)
	return out
}

// answerStrays answers the runs that no pilot's look answers: those of other
// workflows, and those that name no pilot, or none that there is yet.
func (v *RepositoryVerdict) answerStrays(s *facts.RepositoryState, t facts.Tree) []facts.Need {
	training := v.Policy.Workflows.Training
	if _, is := t.Entries[training]; !is || v.Policy.Enforcement == policy.Observe {
		return nil
	}
	all := facts.Need{Kind: facts.NeedWaiting}
	if !s.Answered(all) {
		return []facts.Need{all}
	}
	stray := slices.DeleteFunc(slices.Clone(s.Waiting[all.Key()].Runs), func(r facts.Run) bool {
		return r.Path == training && slices.Contains(v.Pilots, PilotOf(r.Title))
	})
	waiting, needs := waitingFor(&s.Common, stray, v.Policy.Environment)
	if len(waiting) > 0 {
		ours, more := guarded(&s.Common, v.Policy.Environment)
		if needs = append(needs, more...); !ours {
			return needs
		}
	}
	for _, r := range waiting {
		a := Answer{Run: r, State: "rejected", Why: Reason{Key: "other_path", Args: map[string]string{
			"path": r.Path, "workflow": training, "environment": v.Policy.Environment, "default": s.Repository.DefaultBranch, "pilot": PilotOf(r.Title),
		}}}
		switch {
		case r.Path != training:
		case PilotOf(r.Title) == "":
			a.Why.Key = "unnamed"
		default:
			a.State, a.Why.Key, a.Told = "", "not_signed", told(PilotOf(r.Title), r, "not_signed", nil)
			if n := (facts.Need{Kind: facts.NeedClaim, Ref: a.Told}); !s.Answered(n) {
				needs = append(needs, n)
			}
		}
		v.Answers = append(v.Answers, a)
	}
	return needs
}
