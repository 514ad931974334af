package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

// Confirmation is the run of the repository's own benchmark workflow that
// confirms the recomputed dry run: started by us on the default branch, once for
// what it depends on, and read back.
//
// It is known by a nonce in the run's title, and counts only as our App's run of
// that workflow file, on the default branch, at a commit that has the file as it
// was judged. Names alone prove nothing.
type Confirmation struct {
	Workflow string // path
	State    ConfirmationState
	// Why is the case of BL011 where the state is ConfirmNone or ConfirmEnded, with
	// the sentence's values.
	Why  string
	Args map[string]string

	Ref    string            // of the claim that lets it be started once
	Nonce  string            // in the run's title
	Inputs map[string]string // of the dispatch
	Blob   string            // the workflow file's

	Run      facts.Run
	Measured Measured
	Again    time.Time    // when time alone changes the state; zero: never
	Needs    []facts.Need // what is missing to know the state
}

// ConfirmationState is how far a confirming run is.
type ConfirmationState string

// The states. Without one, nobody asks: the request is closed, or its dataset is
// not read.
const (
	ConfirmNone     ConfirmationState = "none"     // it cannot be started: Why
	ConfirmUnread   ConfirmationState = "unread"   // facts are missing
	ConfirmDue      ConfirmationState = "due"      // to be started
	ConfirmRunning  ConfirmationState = "running"  //
	ConfirmEnded    ConfirmationState = "ended"    // without a result that can be read: Why
	ConfirmMeasured ConfirmationState = "measured" // Measured has the result
)

const (
	// noncePrefix begins the nonce of every confirming run.
	noncePrefix = "confirm-"
	// SeenAfter is how long a run that we started may take to be seen.
	SeenAfter = 10 * time.Minute
	// lag is how long GitHub's listings stay behind what has just happened.
	lag = time.Minute
	// confirmedAfter is how long a dry run may wait for a machine and take.
	confirmedAfter = 24 * time.Hour
)

// The inputs of the benchmark workflow, all of them texts.
const (
	InputScenario = "scenario"
	InputDataset  = "dataset"
	InputSHA256   = "dataset_sha256"
	InputHead     = "head_sha"
	InputNonce    = "nonce"
)

// IsConfirming tells a confirming run by its title and by who started it.
func IsConfirming(c *facts.Common, r facts.Run) bool {
	return r.ByApp(c.App) && slices.ContainsFunc(strings.Fields(r.Title), func(w string) bool { return strings.HasPrefix(w, noncePrefix) })
}

// ConfirmationOf is what became of the confirming run of a request whose dataset
// was read. What it depends on names it: the same dataset, scenario and workflow
// are confirmed once, whatever else changes in the request.
func ConfirmationOf(d *Dossier) Confirmation {
	q, p := d.Request, d.Pull
	c := Confirmation{Workflow: d.Policy.Workflows.Benchmark}
	if c.Workflow == "" {
		return c.none("not_named")
	}
	i := slices.IndexFunc(q.Workflows, func(w Workflow) bool { return w.Path == c.Workflow })
	if i < 0 {
		return c
	}
	w := q.Workflows[i]
	if kase, args := undispatchable(w.Document); kase != "" {
		return c.none(kase, args...)
	}
	scan := q.Dataset.Scan.Facts
	if p.Local || scan == nil || !q.ScenarioKnown || !form.Pilot(q.PilotID) {
		return c
	}
	c.Blob = w.Entry.OID
	key := confirmationKey(q.Scenario, scan.SHA256, w)
	c.Ref = facts.ClaimPrefix + q.PilotID + "/confirm-" + key
	c.Nonce = noncePrefix + key[:32]
	c.Inputs = map[string]string{
		InputScenario: q.Scenario, InputDataset: q.Dataset.Path, InputSHA256: scan.SHA256, InputHead: p.Head.OID, InputNonce: c.Nonce,
	}
	if p.Head.Fork {
		author := facts.Need{Kind: facts.NeedAccess, Login: p.Author.Login}
		if !p.Answered(author) {
			return c.unread(author)
		}
		if !p.Access[author.Key()].Write {
			return c.none("fork", "login", p.Author.Login)
		}
	}
	return c.follow(&p.Common, p.Repository, w)
}

// confirmationKey names what a dry run depends on: the records, the bands' name,
// and the code that runs.
func confirmationKey(scenario, dataset string, w Workflow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pilotgate/confirm/v1\n%s\n%s\n%s %s\n", scenario, dataset, w.Path, w.Entry.OID)
	for _, u := range w.Uses {
		fmt.Fprintf(&b, "%s %s\n", u.Path, u.After.OID)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// follow finds the run and what it left.
func (c Confirmation) follow(s *facts.Common, repo facts.Repository, w Workflow) Confirmation {
	runs := facts.Need{Kind: facts.NeedRuns, Path: c.Workflow, Title: c.Nonce}
	if !s.Answered(runs) {
		return c.unread(runs)
	}
	for _, r := range s.Workflows[runs.Key()].Runs {
		ours := r.ByApp(s.App) && r.Event == "workflow_dispatch" && r.Path == c.Workflow && r.HeadBranch == repo.DefaultBranch && r.HeadRepo == repo.ID
		if ours && r.Named(c.Nonce) && (c.Run.ID == 0 || r.ID < c.Run.ID) {
			c.Run = r
		}
	}
	if c.Run.ID == 0 {
		return c.claimed(s)
	}
	tree := facts.Need{Kind: facts.NeedTree, Commit: c.Run.HeadOID}
	if !s.Answered(tree) {
		return c.unread(tree)
	}
	if !w.sameAt(s.Git.Trees[c.Run.HeadOID]) {
		return c.ended("other_code", "ref", c.Ref)
	}
	if !c.Run.Completed() {
		if c.Again = c.Run.CreatedAt.Add(confirmedAfter); s.Now.Before(c.Again) {
			c.State = ConfirmRunning
			return c
		}
		c.Again = time.Time{}
		return c.ended("unfinished")
	}
	switch c.Run.Conclusion {
	case "success", "failure": // its exit code says nothing, its JSON does
	case "cancelled", "timed_out":
		return c.ended(c.Run.Conclusion)
	default:
		return c.ended("ended_otherwise", "conclusion", c.Run.Conclusion)
	}
	m, needs := ReadMeasured(s, c.Run)
	switch c.Measured = m; {
	case len(needs) > 0:
		return c.unread(needs...)
	case m.Expired:
		return c.ended("expired", "ref", c.Ref)
	case m.Foreign:
		return c.ended("artifact_differs")
	case m.Result == nil && !m.speaks():
		return c.ended("no_result")
	}
	c.State = ConfirmMeasured
	return c
}

// claimed tells a run that is to be started from one that was, and is not seen.
func (c Confirmation) claimed(s *facts.Common) Confirmation {
	n := facts.Need{Kind: facts.NeedClaim, Ref: c.Ref}
	if !s.Answered(n) {
		return c.unread(n)
	}
	claim := s.Claims[n.Key()]
	if claim.Absent {
		c.State = ConfirmDue
		return c
	}
	if until := claim.At.Add(SeenAfter); s.Now.Before(until) {
		c.State, c.Again = ConfirmRunning, s.Now.Add(lag) // its end may have been told before it is listed
		if until.Before(c.Again) {
			c.Again = until
		}
		return c
	}
	return c.ended("lost", "ref", c.Ref)
}

func (c Confirmation) none(kase string, args ...string) Confirmation {
	c.State = ConfirmNone
	return c.because(kase, args)
}

func (c Confirmation) ended(kase string, args ...string) Confirmation {
	c.State = ConfirmEnded
	return c.because(kase, append(args, "run", fmt.Sprint(c.Run.ID)))
}

func (c Confirmation) because(kase string, args []string) Confirmation {
	c.Why, c.Args = kase, map[string]string{"workflow": c.Workflow}
	for i := 0; i+1 < len(args); i += 2 {
		c.Args[args[i]] = args[i+1]
	}
	return c
}

func (c Confirmation) unread(needs ...facts.Need) Confirmation {
	c.State, c.Needs = ConfirmUnread, needs
	return c
}

// sameAt tells whether a commit has the workflow and what it uses as judged.
func (w Workflow) sameAt(t facts.Tree) bool {
	if t.Absent || t.Truncated || t.Entries[w.Path].OID != w.Entry.OID {
		return false
	}
	return !slices.ContainsFunc(w.Uses, func(u facts.Change) bool { return t.Entries[u.Path].OID != u.After.OID })
}

// undispatchable says why a workflow file cannot be started for a confirming
// run, as a case of BL011; "": it can.
func undispatchable(doc Document) (kase string, args []string) {
	if !doc.Found {
		return "no_workflow", nil
	}
	on := dispatch(doc)
	if !on.can {
		return "not_dispatchable", nil
	}
	var missing, unknown []string
	for _, name := range []string{InputScenario, InputDataset, InputSHA256, InputHead, InputNonce} {
		if _, declared := on.inputs[name]; !declared {
			missing = append(missing, name)
		}
	}
	for name, asked := range on.inputs {
		if asked && !slices.Contains([]string{InputScenario, InputDataset, InputSHA256, InputHead, InputNonce}, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	switch {
	case len(missing) > 0:
		return "inputs_missing", []string{"inputs", strings.Join(missing, ", ")}
	case len(unknown) > 0:
		return "inputs_unknown", []string{"inputs", strings.Join(unknown, ", ")}
	case !strings.Contains(on.runName, "inputs."+InputNonce):
		return "no_nonce", nil
	}
	return "", nil
}

// dispatched is what a workflow says of its being started by hand.
type dispatched struct {
	can     bool            // false: it cannot be, or cannot be read
	inputs  map[string]bool // whether each must be given
	runName string
}

func dispatch(doc Document) dispatched {
	if !doc.Readable() {
		return dispatched{}
	}
	return facts.Read(doc.Blob, doc.Path, readDispatch)
}

func readDispatch(path string, src []byte) dispatched {
	root, problem := strictyaml.Parse(path, src)
	if problem != nil {
		return dispatched{}
	}
	out := dispatched{inputs: map[string]bool{}}
	if n := root.Get("run-name"); n != nil {
		out.runName = n.Text
	}
	on := root.Get("on")
	if on == nil {
		return out
	}
	if on.Kind != strictyaml.Map {
		named := slices.ContainsFunc(on.Items, func(n *strictyaml.Node) bool { return n.Text == "workflow_dispatch" })
		out.can = named || on.Text == "workflow_dispatch"
		return out
	}
	i := slices.IndexFunc(on.Entries, func(e strictyaml.Entry) bool { return e.Key == "workflow_dispatch" })
	if i < 0 {
		return out
	}
	out.can = true
	if declared := on.Entries[i].Value.Get("inputs"); declared != nil {
		for _, e := range declared.Entries {
			required, preset := e.Value.Get("required"), e.Value.Get("default")
			out.inputs[e.Key] = required != nil && required.Text == "true" && preset == nil
		}
	}
	return out
}

// Accepted are those of the inputs that a workflow declares: GitHub refuses a
// dispatch with any other. Of one that cannot be read they are all.
func Accepted(doc Document, inputs map[string]string) map[string]string {
	on := dispatch(doc)
	out := map[string]string{}
	for name, value := range inputs {
		if _, is := on.inputs[name]; is || !on.can {
			out[name] = value
		}
	}
	return out
}
