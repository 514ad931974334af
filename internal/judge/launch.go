package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// The states of a pilot from its launch to the end of its training.
const (
	Launched State = "LAUNCHED" // the gate let one run through
	Trained  State = "TRAINED"  // that run has ended well
)

// Launch is what became of a sign-off: the run that it let through, or why none
// was let through yet.
type Launch struct {
	// Number counts the launches of the sign-off from 1; each but the first
	// follows a recorded failure of the machines.
	Number   int
	Digest   string // of this launch, hex: the key of claim and record
	ClaimRef string
	Claimed  Claimed
	Record   *ledger.Entry   // that the launch is on record
	Failures []*ledger.Entry // of the launches before
	Due      *ledger.Record  // launch, failure or evaluation, to be appended now

	// Evaluation is the record of accepted results; nil: there are none yet.
	Evaluation *ledger.Entry
	Results    map[string][]byte // sample files that go with an evaluation that is due, by path

	Run     facts.Run // the launched one; ID 0: there is none
	Answers []Answer  // to the runs that wait
	// Outside: no workflow trains; a trainer outside GitHub Actions is asked by a
	// deployment, which is then the run.
	Outside bool
	// Unguarded: the environment does not wait for us, and we start the run.
	Unguarded bool
	Dispatch  bool // now
	// Say is what people should know beside the answers, in order: sentences of
	// the section "launch".
	Say []Saying

	// Orders are the `/pilot renew` commands since the merge, and why those that do
	// not count do not.
	Orders []approval.Order
	// Renewal is a new revision of the plan that somebody asked for; nil: nobody.
	Renewal *Renewal

	Ended     ledger.Kind // decision after which nothing is launched; "": none
	Withdrawn bool        // signed off once, and the plan is gone

	reports []facts.Report // on the deployment that asks a trainer
	loose   int64          // a run of ours in all but the claim that is past the gate
	again   time.Time
}

// Claimed is what the claim of a launch says.
type Claimed struct {
	Run        int64     `json:"run,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Dispatched bool      `json:"dispatched,omitempty"` // by us; the run's id was not known yet
	Found      bool      `json:"-"`
	Foreign    bool      `json:"-"` // there is such a ref, and it is none of ours
	At         time.Time `json:"-"`
}

const (
	dispatchTime = dossier.SeenAfter
	// maxWaiting caps the runs of one pilot that are answered in one look.
	maxWaiting = 20
)

// openLaunch judges the runs of a pilot's training workflow, as far as the
// facts go, and says which are missing for more.
func (v *PilotVerdict) openLaunch(s *facts.Pilot) []facts.Need {
	l := &v.Launch
	l.history(v)
	if v.trainedOutside() {
		return v.openOutside(s)
	}
	if v.State == Merged && !ThroughPull(&s.Common, v.Policy) {
		// The sign-off is pushed now, which brings the next look: runs that wait are
		// answered there, not told "not yet" first.
		return nil
	}
	if needs := v.launchNeeds(s); !v.Gated() || len(needs) > 0 {
		return needs
	}
	w := s.Workflows[v.Policy.Workflows.Training]
	if w.Absent {
		return nil
	}
	mine := slices.DeleteFunc(slices.Clone(w.Runs), func(r facts.Run) bool { return PilotOf(r.Title) != v.ID })
	slices.SortFunc(mine, func(a, b facts.Run) int { return int(a.ID - b.ID) })
	waiting, needs := waitingFor(&s.Common, mine, v.Policy.Environment)
	if len(needs) > 0 {
		return needs
	}
	if len(waiting) > 0 || v.State == SignedOff && l.Record == nil {
		ours, needs := guarded(&s.Common, v.Policy.Environment)
		if len(needs) > 0 {
			return needs
		}
		if l.Unguarded = !ours; l.Unguarded {
			waiting = nil // for somebody else's answer
		}
	}
	if l.Record != nil {
		if needs := l.follow(s, mine); len(needs) > 0 {
			return needs
		}
	} else if v.State == SignedOff {
		if needs := v.claim(s, mine, waiting); len(needs) > 0 {
			return needs
		}
	}
	return v.answer(s, waiting)
}

// launchNeeds is the listing of the training workflow's runs, where there is
// such a workflow: all that a pilot costs beyond its sign-off.
func (v *PilotVerdict) launchNeeds(s *facts.Pilot) []facts.Need {
	runs := facts.Need{Kind: facts.NeedRuns, Path: v.Policy.Workflows.Training}
	if !v.Gated() || s.Answered(runs) {
		return nil
	}
	return []facts.Need{runs}
}

// StartedByUs tells whether nothing holds the pilot's runs back, so that the App
// starts the one that counts, or did.
func (l *Launch) StartedByUs(s *facts.Pilot) bool {
	if r := l.Record; r != nil {
		return !r.Record.Run.Deployment && strings.EqualFold(r.Record.Ingredients["started_by"], s.App.Login)
	}
	return l.Unguarded
}

// Gated: there is a workflow whose runs wait for our answer.
func (v *PilotVerdict) Gated() bool {
	_, is := v.Tree.Entries[v.Policy.Workflows.Training]
	return is && form.Pilot(v.ID) && v.Policy.Enforcement != policy.Observe
}

// PilotOf is the pilot that a run names: the last word of its title.
func PilotOf(title string) string {
	words := strings.Fields(title)
	if len(words) == 0 || !form.Pilot(words[len(words)-1]) {
		return ""
	}
	return words[len(words)-1]
}

// waitingFor are the runs that wait for the environment, the lowest ids first.
func waitingFor(c *facts.Common, runs []facts.Run, environment string) ([]facts.Run, []facts.Need) {
	var out []facts.Run
	var needs []facts.Need
	for _, r := range runs {
		if !r.Waits() || len(out)+len(needs) == maxWaiting {
			continue
		}
		n := facts.Need{Kind: facts.NeedPending, ID: r.ID}
		switch {
		case !c.Answered(n):
			needs = append(needs, n)
		case slices.Contains(c.Pending[n.Key()].Environments, environment):
			out = append(out, r)
		}
	}
	return out, needs
}

// guarded tells whether runs wait for our answer.
func guarded(c *facts.Common, environment string) (bool, []facts.Need) {
	n := facts.Need{Kind: facts.NeedGuard, Environment: environment}
	if !c.Answered(n) {
		return false, []facts.Need{n}
	}
	return c.Guards[n.Key()].Ours, nil
}

// history reads the ledger: what was launched on this sign-off, what failed,
// and whether the pilot has ended.
func (l *Launch) history(v *PilotVerdict) {
	launches := map[string]*ledger.Entry{}
	for i := range v.Entries {
		e := &v.Entries[i]
		r := e.Record
		if r.Pilot != v.ID {
			continue
		}
		switch r.Kind {
		case ledger.KindNoGo, ledger.KindRollback, ledger.KindRejected:
			l.Ended = r.Kind
		case ledger.KindWithdrawn:
			l.Withdrawn = true
		case ledger.KindLaunch:
			launches[r.Digest] = e
		case ledger.KindFailure:
			if v.State == SignedOff && r.Run.Signoff == v.Entry.Digest {
				l.Failures = append(l.Failures, e)
			}
		}
	}
	if v.State != SignedOff {
		l.Withdrawn = l.Withdrawn || v.State == Reverted
		return
	}
	for i, e := range v.Entries {
		if evaluates(e.Record, *v.Entry) {
			l.Evaluation = &v.Entries[i]
		}
	}
	l.Number = 1 + len(l.Failures)
	l.Digest = launchDigest(v.Entry.Digest, l.Number)
	l.ClaimRef = facts.ClaimPrefix + v.ID + "/launch-" + l.Digest
	l.Record = launches["sha256:"+l.Digest]
}

// launchDigest names the n-th launch of a sign-off: no two launches share it,
// so that claim and record can each be made once.
func launchDigest(signoff string, n int) string {
	sum := sha256.Sum256([]byte("pilotgate/launch/v1\n" + signoff + "\n" + strconv.Itoa(n) + "\n"))
	return hex.EncodeToString(sum[:])
}

// mayTryAgain: a later attempt of the run whose failure is on record.
func (l *Launch) mayTryAgain(r facts.Run) bool {
	if len(l.Failures) == 0 {
		return false
	}
	last := l.Failures[len(l.Failures)-1].Record.Run
	return last.ID == r.ID && r.Attempt > last.Attempt
}

// follow finds the launched run again, in the attempt that was launched, and
// what became of it.
func (l *Launch) follow(s *facts.Pilot, mine []facts.Run) []facts.Need {
	launched := l.Record.Record.Run
	for _, r := range mine {
		if r.ID == launched.ID && r.Attempt == launched.Attempt {
			l.Run = r
			return nil
		}
	}
	n := facts.Need{Kind: facts.NeedRun, ID: launched.ID, Attempt: launched.Attempt}
	if !s.Answered(n) {
		return []facts.Need{n}
	}
	l.Run = s.Runs[n.Key()]
	return nil
}

// claim reads what is claimed for the launch that is due, if anything may have
// been, and finds the run that it is about.
func (v *PilotVerdict) claim(s *facts.Pilot, mine, waiting []facts.Run) []facts.Need {
	l := &v.Launch
	for _, r := range mine {
		if r.HeadBranch == s.Repository.DefaultBranch && r.Event == "workflow_dispatch" && !r.Waits() && pastTheGate(r) && !l.failed(r) {
			l.loose = r.ID
			break
		}
	}
	if len(waiting) == 0 && l.loose == 0 && !l.Unguarded {
		return nil
	}
	n := facts.Need{Kind: facts.NeedClaim, Ref: l.ClaimRef}
	if !s.Answered(n) {
		return []facts.Need{n}
	}
	l.Claimed = readClaim(s.Claims[n.Key()])
	return l.find(s, mine)
}

// pastTheGate tells a run that does something, or did, from one that is queued
// or may have ended before it began: a rejected run is one that failed.
func pastTheGate(r facts.Run) bool {
	return r.Status == "in_progress" || r.Completed() && r.Conclusion == "success"
}

func (l *Launch) failed(r facts.Run) bool {
	return slices.ContainsFunc(l.Failures, func(e *ledger.Entry) bool {
		return e.Record.Run.ID == r.ID && e.Record.Run.Attempt == r.Attempt
	})
}

func readClaim(c facts.Claim) Claimed {
	if c.Absent {
		return Claimed{}
	}
	var out Claimed
	d := json.NewDecoder(strings.NewReader(c.Message))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil || out.Run < 0 || (out.Run == 0) == !out.Dispatched {
		return Claimed{Found: true, Foreign: true}
	}
	out.Found, out.At = true, c.At
	return out
}

// Message is the claim as its commit has it.
func (c Claimed) Message() string {
	raw, err := json.Marshal(c)
	if err != nil { // numbers: cannot happen
		panic(err)
	}
	return string(raw)
}

// find finds the claimed run: by its id, or, where we started it, the first of
// our App's after the claim.
func (l *Launch) find(s *facts.Pilot, mine []facts.Run) []facts.Need {
	c := l.Claimed
	switch {
	case c.Run != 0:
		for _, r := range mine {
			if r.ID == c.Run {
				l.Run = r
			}
		}
		if l.Run.ID == 0 {
			n := facts.Need{Kind: facts.NeedRun, ID: c.Run, Attempt: c.Attempt}
			if !s.Answered(n) {
				return []facts.Need{n}
			}
			l.Run = s.Runs[n.Key()]
		}
	case c.Dispatched:
		for _, r := range mine {
			if r.ByApp(s.App) && r.Event == "workflow_dispatch" && !r.CreatedAt.Before(c.At) && !l.failed(r) {
				l.Run = r
				break
			}
		}
	}
	return nil
}

// answer decides on each waiting run, on the record that is due, and on a
// start of our own.
func (v *PilotVerdict) answer(s *facts.Pilot, waiting []facts.Run) []facts.Need {
	l := &v.Launch
	base := gate{s: s, v: v, l: l}
	subjects := slices.Clone(waiting)
	claimedRun := l.Record == nil && l.Claimed.Found && l.Run.ID != 0
	if claimedRun && !slices.ContainsFunc(subjects, func(r facts.Run) bool { return r.ID == l.Run.ID }) {
		subjects = append(subjects, l.Run)
	}
	starts := v.State == SignedOff && l.Record == nil && l.Unguarded && !l.Claimed.Found && l.Evaluation == nil
	if len(subjects) == 0 && !starts {
		v.lostDispatch(s)
		return nil
	}
	if needs := base.open(subjects, starts); len(needs) > 0 {
		return needs
	}
	if base.pending() {
		return nil
	}
	var won *facts.Run
	for _, r := range subjects {
		if l.Record != nil && r.ID == l.Record.Record.Run.ID && r.Attempt == l.Record.Record.Run.Attempt {
			continue // answered when it was launched; it waits for others
		}
		g := base
		g.run, g.tree, g.passed = r, s.Git.Trees[r.HeadOID], claimedRun && r.ID == l.Run.ID && !r.Waits()
		why, ends, barred := g.judge()
		a := Answer{Run: r, Why: why}
		switch {
		case barred && g.passed:
			v.say("barred", g.args([]string{"launched", strconv.FormatInt(r.ID, 10)}), &why)
			continue
		case barred && ends:
			a.State = "rejected"
		case barred:
		case won != nil:
			continue // the next look sees that another was launched
		default:
			a.State, won = "approved", &subjects[slices.IndexFunc(subjects, func(x facts.Run) bool { return x.ID == r.ID })]
			if claimedRun && l.Run.ID == r.ID {
				record := v.launchRecord(s, r, g.tree)
				l.Due = &record
			}
			if !r.Waits() {
				continue
			}
		}
		a.Told = told(v.ID, r, why.Key, why.Args)
		if n := (facts.Need{Kind: facts.NeedClaim, Ref: a.Told}); a.State == "" && !s.Answered(n) {
			return []facts.Need{n}
		}
		l.Answers = append(l.Answers, a)
	}
	if starts {
		g := base
		if why, _, barred := g.judgeStart(); barred {
			v.say("start_barred", g.args(nil), &why)
		} else {
			l.Dispatch = true
		}
	}
	v.lostDispatch(s)
	if l.Due != nil {
		if n := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(n) {
			return []facts.Need{n}
		}
	}
	return nil
}

// lostDispatch: a run that we started is not seen. It is never started twice.
func (v *PilotVerdict) lostDispatch(s *facts.Pilot) {
	l := &v.Launch
	if l.Record != nil || !l.Claimed.Dispatched || l.Run.ID != 0 {
		return
	}
	if until := l.Claimed.At.Add(dispatchTime); s.Now.Before(until) {
		l.again = until
		return
	}
	v.say("dispatch_lost", (&gate{s: s, v: v, l: l}).args(nil), nil)
}

func (v *PilotVerdict) say(key string, args map[string]string, because *Reason) {
	v.Launch.Say = append(v.Launch.Say, Saying{Reason: Reason{Key: key, Args: args}, Because: because})
}

func (v *PilotVerdict) sayFinding(key string, args map[string]string, f finding.Finding) {
	v.Launch.Say = append(v.Launch.Say, Saying{Reason: Reason{Key: key, Args: args}, Finding: &f})
}

// Saying is a sentence of the section "launch", and one of the section "gate"
// or a rule's that gives the reason.
type Saying struct {
	Reason
	Because *Reason
	Finding *finding.Finding
}

// told names the claim that a run was given a reason. What the sentence names is
// part of it, so that another reason is told too.
func told(pilot string, r facts.Run, key string, args map[string]string) string {
	var b strings.Builder
	b.WriteString(key)
	for _, k := range slices.Sorted(maps.Keys(args)) {
		fmt.Fprintf(&b, "\n%s=%s", k, args[k])
	}
	sum := sha256.Sum256([]byte(b.String()))
	return facts.ClaimPrefix + pilot + "/told-" + strconv.FormatInt(r.ID, 10) + "-" + hex.EncodeToString(sum[:8])
}

// judgeStart holds a start of our own against the bars that are about the
// sign-off; a run that is started now is of the tip.
func (g *gate) judgeStart() (Reason, bool, bool) {
	g.run = facts.Run{
		Event: "workflow_dispatch", HeadRepo: g.s.Repository.ID, Path: g.v.Policy.Workflows.Training, HeadBranch: g.s.Repository.DefaultBranch,
		HeadOID: g.s.Repository.DefaultOID, Attempt: 1,
	}
	g.tree = g.v.Tree
	return g.judge()
}

// open reads the trees of the runs' heads and judges the plan by the default
// branch as it is now.
func (g *gate) open(runs []facts.Run, starts bool) []facts.Need {
	var needs []facts.Need
	for _, r := range runs {
		if n := (facts.Need{Kind: facts.NeedTree, Commit: r.HeadOID}); !g.s.Answered(n) && !slices.ContainsFunc(needs, func(o facts.Need) bool { return o.Commit == n.Commit }) {
			needs = append(needs, n)
		}
	}
	if g.v.State != SignedOff || g.l.Record != nil && !starts {
		return needs
	}
	now := nowView(g.s)
	d, more := dossier.OpenPlan(now, g.s.PlanPath)
	needs = append(needs, more...)
	if len(needs) > 0 {
		return needs
	}
	g.now, g.checks = &d, rules.RunRequest(&d)
	return nil
}

// pending: a dataset is still being read; nothing is decided before.
func (g *gate) pending() bool {
	return slices.ContainsFunc(g.checks, func(c rules.Check) bool { return c.Pending != nil && finding.Count(c.Findings, finding.Error) == 0 })
}

// nowView is the plan as if it were asked for on the default branch as it is.
func nowView(s *facts.Pilot) *facts.PullRequest {
	var p facts.PullRequest
	if s.Plan != nil {
		p = *s.Plan
	}
	p.Common = s.Common
	p.Head = facts.Head{OID: s.Repository.DefaultOID, Ref: s.Repository.DefaultBranch} // nobody's pushes are looked at
	p.Base = facts.Base{Ref: s.Repository.DefaultBranch, OID: s.Repository.DefaultOID}
	return &p
}

// launchRecord is the record of the launch that is under way.
func (v *PilotVerdict) launchRecord(s *facts.Pilot, r facts.Run, tree facts.Tree) ledger.Record {
	signed := v.Entry.Record
	path := v.Policy.Workflows.Training
	run := ledger.Run{ID: r.ID, Attempt: r.Attempt, WorkflowPath: path, WorkflowBlob: tree.Entries[path].OID, HeadCommit: r.HeadOID, Signoff: v.Entry.Digest}
	if v.Launch.Outside {
		run.Deployment, run.WorkflowPath, run.WorkflowBlob = true, "", ""
	}
	return ledger.Record{
		Kind: ledger.KindLaunch, Subjects: signed.Subjects,
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			Pilot:      v.ID, PullRequest: signed.PullRequest, PlanPath: signed.PlanPath,
			Digest: "sha256:" + v.Launch.Digest, BaseRef: signed.BaseRef, HeadCommit: r.HeadOID, MergeCommit: signed.MergeCommit,
			PolicyDigest: signed.PolicyDigest, Launch: signed.Launch,
			Ingredients: map[string]string{"number": strconv.Itoa(v.Launch.Number), "started_by": r.Actor.Login, "signoff": signed.Digest},
			Run:         &run,
			CreatedAt:   v.Launch.Claimed.At.UTC().Truncate(time.Second),
		},
	}
}
