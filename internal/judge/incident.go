package judge

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// Incident is a regression of a released model: what told of it, and how far
// the way back is. One release has one incident; what comes later adds to it.
type Incident struct {
	Marker string
	Issue  facts.Issue // Number 0: to be opened
	Seen   []Sighting  // what told of it, oldest first

	Rollback facts.Opened   // our request that moves the pointer back
	Entry    IncidentEntry  // as it stands in the runbook
	Change   MergedChange   // the merged rollback, where its record is due
	Record   *ledger.Record // the rollback's, due now
	Written  bool           // the rollback's record stands
	Recovery Recovery       //
	Stuck    string         // why there is no way back: a sentence of "incident"; "": there is one
}

// IncidentEntry is the runbook's entry about it.
type IncidentEntry struct {
	ledger.IncidentEntry
	Found bool
}

// Sighting is one thing that told of a regression. Sightings are the only part
// of an incident that GitHub does not tell anyway; our issue keeps them.
type Sighting struct {
	At       time.Time `json:"at"`
	Cause    string    `json:"cause"` // alert, resolved, benchmark, command
	Name     string    `json:"name"`  // of the alert; the login; the metrics that failed
	Severity string    `json:"severity,omitempty"`
	Detail   string    `json:"detail,omitempty"` // metric; the command's reason; the run's address
	Key      string    `json:"key"`              // by which it is the same one
}

// The causes of sightings.
const (
	CauseAlert     = "alert"
	CauseResolved  = "resolved"
	CauseBenchmark = "benchmark"
	CauseCommand   = "command"
)

const (
	maxSightings = 50
	maxDetail    = 300
)

var sightings = regexp.MustCompile(`<!-- pilotgate-sightings ([A-Za-z0-9_=-]+) -->`)

// EncodeSightings writes sightings into a text of ours, where nobody reads them.
func EncodeSightings(seen []Sighting) string {
	raw, err := json.Marshal(seen)
	if err != nil { // texts and times: cannot happen
		panic(err)
	}
	return "<!-- pilotgate-sightings " + base64.URLEncoding.EncodeToString(raw) + " -->"
}

func decodeSightings(body string) []Sighting {
	m := sightings.FindStringSubmatch(body)
	if m == nil {
		return nil
	}
	raw, err := base64.URLEncoding.DecodeString(m[1])
	var out []Sighting
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return nil // somebody edited it; what is known otherwise stays
	}
	return out[:min(len(out), maxSightings)]
}

// Detected is when the first of it was seen.
func (i *Incident) Detected() time.Time {
	if len(i.Seen) == 0 {
		return time.Time{}
	}
	return i.Seen[0].At
}

// IncidentMarker names the one incident that a released model can have.
func IncidentMarker(pilot, digest string) string {
	return "pilotgate:incident " + pilot + " " + shortDigest(digest)
}

// incident finds what tells of a regression of the model that is live, and what
// our issue tells already.
func (v *PilotVerdict) incident(s *facts.Pilot) []facts.Need {
	r := &v.Release
	i := v.knownIncident(s)
	needs := v.sight(s, i)
	if len(needs) > 0 || len(i.Seen) == 0 && i.Issue.Number == 0 {
		return needs
	}
	r.Incident = i
	v.wayBack()
	if i.Stuck == "" && i.Rollback.Number == 0 && !i.Issue.OpenedAt.IsZero() {
		if until := i.Issue.OpenedAt.Add(writesTake); s.Now.Before(until) {
			v.LookAgainAt = until
		} else {
			i.Stuck = "not_opened" // it is tried again at every look all the same
		}
	}
	return nil
}

// writesTake is how long it may take from an incident's issue to the request
// that moves the pointer back, before people are told that they have to.
const writesTake = 10 * time.Minute

func (v *PilotVerdict) knownIncident(s *facts.Pilot) *Incident {
	r := &v.Release
	i := &Incident{Marker: IncidentMarker(s.ID, r.Model.Digest)}
	for _, x := range s.Issues {
		if x.Marker == i.Marker && (i.Issue.Number == 0 || x.Number < i.Issue.Number) {
			i.Issue = x
		}
	}
	i.Seen = decodeSightings(i.Issue.Body)
	i.Rollback = s.Opened[RollbackBranch(s.ID, r.Model.Digest)]
	if i.Issue.Number != 0 {
		entries, _ := ledger.ParseIncidents(v.Policy.Paths.Runbook, r.Runbook.Blob.Bytes)
		for _, e := range entries {
			if e.Values["Issue"] == "#"+strconv.Itoa(i.Issue.Number) {
				i.Entry = IncidentEntry{IncidentEntry: e, Found: true}
			}
		}
	}
	return i
}

// see adds what was not seen yet, in the order of time.
func (i *Incident) see(x Sighting) {
	x.Detail = x.Detail[:min(len(x.Detail), maxDetail)]
	if len(i.Seen) >= maxSightings || slices.ContainsFunc(i.Seen, func(o Sighting) bool { return o.Key == x.Key }) {
		return
	}
	i.Seen = append(i.Seen, x)
	slices.SortStableFunc(i.Seen, func(a, b Sighting) int { return a.At.Compare(b.At) })
}

// sight looks at everything that may tell of a regression: alerts, commands,
// and the trusted benchmark's newest run.
func (v *PilotVerdict) sight(s *facts.Pilot, i *Incident) []facts.Need {
	r := &v.Release
	deployed := Deployed{Scenario: r.Scenario, Model: r.Running.Model, Version: r.Running.Version, Pilot: s.ID, Since: r.Since}
	for _, a := range s.Alerts {
		at := a.StartsAt.UTC()
		x := Sighting{At: at, Cause: CauseAlert, Name: a.Name, Severity: a.Severity, Detail: a.Metric, Key: a.Fingerprint + "@" + strconv.FormatInt(at.Unix(), 10)}
		switch AboutDeployed(a, deployed, s.Now) {
		case AlertCounts:
			i.see(x)
		case AlertResolved:
			if len(i.Seen) > 0 {
				x.At, x.Cause, x.Key = a.EndsAt.UTC(), CauseResolved, "end of "+x.Key
				i.see(x)
			}
		}
	}
	needs := v.weighRollbacks(s)
	for _, o := range v.Rollbacks {
		if o.Refused.Key == "" {
			i.see(Sighting{At: o.At.UTC(), Cause: CauseCommand, Name: o.By.Login, Detail: ledger.Clean(o.Reason), Key: "comment " + strconv.FormatInt(o.From.ID, 10)})
		}
	}
	return append(needs, v.postRelease(s, i)...)
}

// postRelease looks at the newest completed run of the trusted benchmark on the
// default branch since the release. Only its JSON counts.
func (v *PilotVerdict) postRelease(s *facts.Pilot, i *Incident) []facts.Need {
	r := &v.Release
	workflow := v.Policy.Workflows.Benchmark
	if _, there := v.Tree.Entries[workflow]; !there || r.Since.IsZero() {
		return nil
	}
	runs := facts.Need{Kind: facts.NeedRuns, Path: workflow}
	if !s.Answered(runs) {
		return []facts.Need{runs}
	}
	for _, run := range s.Workflows[workflow].Runs {
		trusted := run.HeadBranch == s.Repository.DefaultBranch && run.HeadRepo == s.Repository.ID && (run.Event == "schedule" || run.Event == "workflow_dispatch")
		if !trusted || !run.Completed() || !run.CreatedAt.After(r.Since) || dossier.IsConfirming(&s.Common, run) {
			continue // what a request's dataset holds is nothing that was measured of a release
		}
		result, needs := benchmarkResult(&s.Common, run)
		if len(needs) > 0 {
			return needs
		}
		if result == nil || result.Model != r.Running.Model || result.Scenario != r.Scenario {
			continue
		}
		var failed []string
		for _, m := range benchmark.Recompute(result.Aggregates(), v.Policy.Scenarios[r.Scenario].Metrics).Metrics {
			if m.Outcome == benchmark.Fail {
				failed = append(failed, m.Metric)
			}
		}
		if len(failed) > 0 {
			i.see(Sighting{
				At: run.UpdatedAt.UTC(), Cause: CauseBenchmark, Name: strings.Join(failed, ", "), Severity: "critical", Detail: run.URL,
				Key: "run " + strconv.FormatInt(run.ID, 10) + "/" + strconv.Itoa(run.Attempt),
			})
		}
		return nil // an older run says nothing new
	}
	return nil
}

// benchmarkResult is the newest result that a run left; nil where it left none
// that can be read.
func benchmarkResult(c *facts.Common, run facts.Run) (*benchmark.RunnerResult, []facts.Need) {
	m, needs := dossier.ReadMeasured(c, run)
	return m.Result, needs
}

// wayBack finds what the pointer returns to: its own `previous`, which must be
// in the registry, be usable, and have been decided Go or be a baseline.
func (v *PilotVerdict) wayBack() {
	r, i := &v.Release, v.Release.Incident
	back, ok := r.Models.Find(r.Running.Previous)
	switch {
	case r.Running.Previous == "":
		i.Stuck = "no_previous"
	case !ok:
		i.Stuck = "previous_unknown"
	case !back.Usable():
		i.Stuck = "previous_not_usable"
	case back.Status != registry.Baseline && !decidedGo(v.Entries, back.Digest):
		i.Stuck = "previous_no_go"
	default:
		// What the previous model fell back to is not in the pointer; the rollback
		// target that both roles approved is, if it may run.
		to := registry.Target{Model: back.Name, Version: back.Version, Digest: back.Digest}
		if t, ok := r.Models.Find(r.Decision.Record.Launch.RollbackTarget); ok && t.Usable() && t.ID() != back.ID() && t.ID() != r.Model.ID() {
			to.Previous = t.ID()
		}
		if !r.move(to, registry.Rejected) {
			i.Stuck = "cannot_write"
			return
		}
		r.Back = back
	}
}

// Severity is that of the worst sighting, one step higher where the model that
// the pointer went back to is not what it was.
func (i *Incident) Severity() string {
	steps := []string{"warning", "critical", "emergency"}
	worst := 0
	for _, x := range i.Seen {
		if x.Severity == "critical" || x.Cause == CauseCommand {
			worst = 1
		}
	}
	if i.Recovery.State == Differs {
		worst++
	}
	return steps[worst]
}

func decidedGo(entries []ledger.Entry, digest string) bool {
	last := false
	for _, e := range entries {
		if modelOf(e.Record) != digest {
			continue
		}
		switch e.Record.Kind {
		case ledger.KindGo:
			last = true
		case ledger.KindNoGo, ledger.KindRejected, ledger.KindRollback:
			last = false
		}
	}
	return last
}

// left: the pointer named the model once and names another now. Either it went
// back, and the recovery is to be proven, or a newer release took over.
func (v *PilotVerdict) left(s *facts.Pilot) []facts.Need {
	r := &v.Release
	i := v.knownIncident(s)
	for _, e := range v.Entries {
		i.Written = i.Written || e.Record.Kind == ledger.KindRollback && e.Record.Pilot == s.ID && modelOf(e.Record) == r.Model.Digest
	}
	r.Incident = i
	// What is needed is read at once: none of it depends on the rest.
	needs := append(v.rollbackRecord(s), v.recovery(s)...)
	for _, n := range []facts.Need{{Kind: facts.NeedIssues}, {Kind: facts.NeedDeployed, Environment: r.Environment}} {
		if !s.Answered(n) {
			needs = append(needs, n)
		}
	}
	if len(needs) > 0 {
		return needs
	}
	if i.Issue.Number == 0 || newerRelease(v.Entries, r) {
		r.Incident = nil
		return r.as(Closed, "superseded", "running", r.Running.ID())
	}
	r.deployed(s)
	r.Back, _ = r.Models.Find(r.Running.ID())
	v.LookAgainAt = i.Recovery.Again
	switch proven := i.Recovery.State == Proven || i.Recovery.State == NoBenchmark; {
	case proven && i.Entry.Found && !i.Entry.OpenCause:
		return r.as(Closed, "closed")
	case i.Recovery.State == Proven:
		return r.as(Recovered, "recovered")
	}
	return r.as(RolledBack, "rolled_back", "running", r.Running.ID())
}

// newerRelease: what runs now was decided Go after this release.
func newerRelease(entries []ledger.Entry, r *Release) bool {
	after := false
	for _, e := range entries {
		after = after || e.Path == r.Decision.Path
		if after && e.Record.Kind == ledger.KindGo && modelOf(e.Record) == r.Running.Digest && r.Running.Digest != r.Model.Digest {
			return true
		}
	}
	return false
}

// rollbackRecord is due once our request that moved the pointer back is merged.
// Its rows name who approved it, or who merged it without both approvals.
func (v *PilotVerdict) rollbackRecord(s *facts.Pilot) []facts.Need {
	r, i := &v.Release, v.Release.Incident
	if i.Written || !i.Rollback.Merged {
		return nil
	}
	change, needs := mergedChange(&s.Common, i.Rollback.Number)
	if branch := (facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}); !s.Answered(branch) {
		needs = append(needs, branch)
	}
	if len(needs) > 0 || change.Pull == nil {
		return needs
	}
	i.Change = change
	p := change.Pull
	record := ledger.Record{
		Kind:     ledger.KindRollback,
		Subjects: []ledger.Subject{{Name: "model", URI: r.Model.ID(), SHA256: strings.TrimPrefix(r.Model.Digest, "sha256:")}},
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: s.Repository.ID, Name: s.Repository.FullName()},
			Pilot:      s.ID, PullRequest: p.Number, PlanPath: s.PlanPath, Digest: "sha256:" + change.Digest,
			BaseRef: p.Base.Ref, BaseCommit: p.Merge.FirstParent, HeadCommit: p.Head.OID, MergeCommit: p.Merge.Commit,
			Pointer:   &ledger.Pointer{Scenario: r.Scenario, From: r.Model.ID(), To: r.Running.ID(), Release: r.Tag},
			CreatedAt: p.Merge.At.UTC().Truncate(time.Second),
		},
	}
	if len(i.Seen) > 0 && i.Seen[0].Cause == CauseCommand {
		record.Reason = ledger.Clean(i.Seen[0].Detail)
	}
	if change.Approved {
		for _, role := range change.People.Roles {
			record.Approvals = append(record.Approvals, ledger.Approval{
				Login: role.By.Author.Login, UserID: role.By.Author.ID, Role: role.Name, ReviewID: role.By.ID,
				SubmittedAt: role.By.SubmittedAt.UTC(), CommitID: role.By.Commit,
			})
			record.Rows = append(record.Rows, ledger.Row{
				Date: day(role.By.SubmittedAt), Stakeholder: role.By.Author.Login, Role: role.Name, Decision: ledger.RolledBack,
				Notes: ledger.Notes{Review: role.By.ID},
			})
		}
	} else {
		record.Rows = []ledger.Row{{Date: day(p.Merge.At), Stakeholder: p.Merge.By.Login, Role: committer, Decision: ledger.RolledBack}}
	}
	i.Record = &record
	return nil
}

// Recovery is what the benchmark says of the model that the pointer went back to.
type Recovery struct {
	State    string
	Ref      string            // of the claim that lets the benchmark be started once
	Nonce    string            // in the run's title
	Inputs   map[string]string // of the dispatch, while it is due
	Claim    facts.Claim
	Run      facts.Run
	Compared []Compared
	Again    time.Time // when to look again; zero: an event tells
}

// The states of a recovery. Their sentences are in the section "recovery".
const (
	NoBenchmark   = "no_benchmark"   // the repository has no such workflow
	BenchmarkDue  = "benchmark_due"  // to be started now
	BenchmarkRun  = "benchmark_run"  // started
	BenchmarkGone = "benchmark_gone" // started, and no run is seen
	NoResult      = "no_result"      // it ended without a JSON: the machines', not the model's
	Differs       = "differs"        // at least one figure is not the recorded one
	Proven        = "proven"
)

// Compared is one metric of the recovery against the recorded baseline.
type Compared struct {
	Metric             string
	Recorded, Measured decimal.Decimal
	Within             bool
}

// recovery starts the benchmark once and compares its figures with the recorded
// baseline: a score by its difference, a latency by its share.
func (v *PilotVerdict) recovery(s *facts.Pilot) []facts.Need {
	r, rec := &v.Release, &v.Release.Incident.Recovery
	workflow := v.Policy.Workflows.Benchmark
	if _, there := v.Tree.Entries[workflow]; !there {
		rec.State = NoBenchmark
		return nil
	}
	rec.Ref = facts.ClaimPrefix + s.ID + "/recovery-" + strings.TrimPrefix(r.Model.Digest, "sha256:")
	rec.Nonce = "recovery-" + s.ID + "-" + shortDigest(r.Model.Digest)
	var needs []facts.Need
	runs := facts.Need{Kind: facts.NeedRuns, Path: workflow, Title: rec.Nonce}
	for _, n := range []facts.Need{{Kind: facts.NeedClaim, Ref: rec.Ref}, runs} {
		if !s.Answered(n) {
			needs = append(needs, n)
		}
	}
	if len(needs) > 0 {
		return needs
	}
	rec.Claim = s.Claims[rec.Ref]
	if rec.Claim.Absent {
		return v.recoveryDue(s)
	}
	for _, run := range s.Workflows[runs.Key()].Runs {
		ours := run.Event == "workflow_dispatch" && run.HeadBranch == s.Repository.DefaultBranch && run.HeadRepo == s.Repository.ID && run.ByApp(s.App)
		if ours && run.Named(rec.Nonce) {
			rec.Run = run
			break
		}
	}
	switch {
	case rec.Run.ID == 0:
		rec.State = BenchmarkRun
		if rec.Again = rec.Claim.At.Add(dispatchTime); !s.Now.Before(rec.Again) {
			rec.State, rec.Again = BenchmarkGone, time.Time{}
		}
		return nil
	case !rec.Run.Completed():
		rec.State = BenchmarkRun
		return nil
	}
	result, needs := benchmarkResult(&s.Common, rec.Run)
	if len(needs) > 0 {
		return needs
	}
	if result == nil {
		rec.State = NoResult
		return nil
	}
	recorded := BaselineOf(v.Request)
	bands := map[string]benchmark.Band{}
	for _, m := range recorded {
		bands[m.Metric] = m.Band
	}
	rec.compare(recorded, benchmark.Recompute(result.Aggregates(), bands).Metrics, v.Policy.Rollback.Tolerance)
	return nil
}

// recoveryDue says with which inputs the benchmark is started: those that the
// workflow file declares. The dataset is the one that was signed off, which by
// now may be another on the default branch.
func (v *PilotVerdict) recoveryDue(s *facts.Pilot) []facts.Need {
	r, rec := &v.Release, &v.Release.Incident.Recovery
	f := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	doc := f.Document(v.Policy.Workflows.Benchmark)
	if needs := f.Needs(); len(needs) > 0 {
		return needs
	}
	recorded := r.Decision.Record.Launch.Dataset
	rec.State, rec.Inputs = BenchmarkDue, dossier.Accepted(doc, map[string]string{
		dossier.InputScenario: r.Scenario, dossier.InputDataset: recorded.Location, dossier.InputSHA256: recorded.SHA256,
		dossier.InputHead: v.Entry.Record.MergeCommit, dossier.InputNonce: rec.Nonce,
	})
	return nil
}

func (rec *Recovery) compare(recorded, measured []benchmark.Result, tolerance decimal.Decimal) {
	rec.State = Proven
	if len(recorded) == 0 {
		rec.State = NoResult
	}
	for _, want := range recorded {
		c := Compared{Metric: want.Metric, Recorded: want.Value}
		if i := slices.IndexFunc(measured, func(m benchmark.Result) bool { return m.Metric == want.Metric && m.N > 0 }); i >= 0 {
			c.Measured = measured[i].Value
			limit := tolerance
			if want.Band.Better == benchmark.Lower {
				limit = tolerance.Mul(want.Value.Abs())
			}
			c.Within = c.Measured.Sub(want.Value).Abs().LessThanOrEqual(limit)
		}
		if !c.Within {
			rec.State = Differs
		}
		rec.Compared = append(rec.Compared, c)
	}
}
