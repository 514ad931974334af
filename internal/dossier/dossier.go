// Package dossier opens a snapshot: it reads the documents that the snapshot
// holds (policy, roles, plan, data card, registry, ...) and says which facts
// are still missing to read them all.
//
// It does not judge. What the documents' languages found wrong is carried
// along; the rules weigh it. Policy and roles come from the base branch, the
// governed documents from head, and nothing comes from anywhere else.
package dossier

import (
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// Dossier is a pull request with its documents read.
type Dossier struct {
	Pull *facts.PullRequest

	Policy         policy.Policy
	PolicyFound    bool
	PolicyFindings []finding.Finding // of the base branch's policy: an error shuts everything
	Roles          policy.Roles
	RolesFound     bool
	RolesFindings  []finding.Finding

	BaseTree  facts.Tree // tip of the base branch
	HeadTree  facts.Tree
	MergeBase string
	Truncated bool // a listing was cut: nothing can be said to be absent

	Governed []Change // what differs between merge base and head and is governed
	Plans    []string // governed plans whose parsed facts changed
	Request  *Request // the pilot request; nil if there is none

	// GovernedTwin is another open pull request with this head commit and another
	// base, for which something is governed. It is looked for only where nothing
	// is governed here: this request's green would be the other's, too.
	GovernedTwin *facts.Twin

	// After are the policy and role file as the pull request proposes them, for
	// pilot/policy only; nil where it does not touch them.
	PolicyAfter *Proposed[policy.Policy]
	RolesAfter  *Proposed[policy.Roles]
	// LedgerChange and ModelChange are there where the pull request touches the
	// ledger, or the registry or pointer.
	LedgerChange *LedgerChange
	// WorkflowsAfter are the trusted workflows that the pull request changes, as it
	// would have them.
	WorkflowsAfter []Document
	ModelChange    *ModelChange
	// Reported are the results that the pull request brings, as they are at head.
	Reported []Reported
	// Records are the base branch's verified records, there where the pull request
	// touches a report or brings results; RecordsBroken: they do not verify, and prove nothing.
	Records       []ledger.Entry
	RecordsBroken bool
}

// Change is a governed path that differs.
type Change struct {
	facts.Change
	Kind policy.DocumentKind
}

// Proposed is a document as the pull request would make it.
type Proposed[T any] struct {
	Value    T
	Findings []finding.Finding
	Deleted  bool
}

// Document is a file that was read: its bytes, or why there are none.
type Document struct {
	Path  string
	Entry facts.Entry
	Blob  facts.Blob
	Found bool // in the tree
}

// Readable tells whether there are bytes to parse.
func (d Document) Readable() bool {
	return d.Found && d.Entry.Regular() && !d.Blob.Absent && !d.Blob.TooLarge
}

// Request is a pilot plan and what it names.
type Request struct {
	Path    string
	PilotID string
	Plan    plan.Plan
	Source  Document

	Initiator string // login; the author's where the plan names none
	Scenario  string
	// ScenarioKnown: the policy has bands for it.
	ScenarioKnown bool
	Bands         policy.Scenario

	CardPath string
	Card     plan.Card
	CardFile Document
	Exporter Exporter

	Dataset    Dataset
	Evaluation Dataset

	// Commit is the training code's: the plan's `Git commit`, or head where the
	// plan says "this PR". Empty where it says nothing that can be a commit.
	Commit      string
	CommitThis  bool // "this PR"
	CommitTree  facts.Tree
	CommitKnown bool // tree and reach were answered
	Reach       facts.Reach

	BaseRegistry registry.Registry // at the base branch
	Registry     registry.Registry // at head
	RegistryFile Document
	Pointer      registry.Pointer
	PointerFile  Document

	Ignore     Document   // the root's .gitignore
	Beside     []Beside   // runbook and stage summary, where they are
	Monitoring []Document // Prometheus rule files and Grafana dashboards
	Workflows  []Workflow // trusted workflows of the base branch
	// Confirmation is the run that confirms the dry run; zero after the merge.
	Confirmation Confirmation
	ReleaseTag   facts.TagFacts
	// Taken: another pilot's evidence folder has this id on the base branch.
	Taken bool
	// NextRevision is the revision under which a withdrawn plan may come back; 0
	// where it need not be another one, or may not.
	NextRevision int
}

// Exporter is the commit at which the data card says that the dataset was
// exported; zero where nothing depends on it.
type Exporter struct {
	Made facts.Made
	Tree facts.Tree
}

// Beside is a document of the stage, at head, with what it names.
type Beside struct {
	Document
	Prose plan.Prose
}

// Dataset is a dataset that the plan names and what became of reading it.
type Dataset struct {
	Path  string // repository path, or a URI
	Named bool
	Entry facts.Entry
	Found bool // in head's tree (a URI is not)
	URI   bool
	Scan  facts.Scan
	Known bool // the scan was answered (maybe "pending")
}

// reader opens a dossier and notes what is missing.
type reader struct {
	pull  *facts.PullRequest
	needs []facts.Need
	d     Dossier
}

// Open reads what can be read and lists what is missing for more. With no
// needs left the dossier is complete.
func Open(p *facts.PullRequest) (Dossier, []facts.Need) {
	r := &reader{pull: p, d: Dossier{Pull: p}}
	if r.law() && r.changes() {
		r.request()
		r.proposals()
		r.governance()
		r.twins()
	}
	if r.d.Request != nil && (p.Open || p.Local) {
		r.d.Request.Confirmation = ConfirmationOf(&r.d)
	}
	return r.d, r.needs
}

// OpenPlan is Open for a plan that is known to be the request, whatever
// changed: after a merge the commits are others, the content is not.
func OpenPlan(p *facts.PullRequest, path string) (Dossier, []facts.Need) {
	r := &reader{pull: p, d: Dossier{Pull: p}}
	if r.law() && r.headTree() {
		r.read(path)
	}
	return r.d, r.needs
}

// has asks for a fact and tells whether it is there already.
func (r *reader) has(n facts.Need) bool {
	if r.pull.Answered(n) {
		return true
	}
	if !slices.ContainsFunc(r.needs, func(o facts.Need) bool { return o.Kind == n.Kind && o.Key() == n.Key() }) {
		r.needs = append(r.needs, n)
	}
	return false
}

func (r *reader) tree(commit string) (facts.Tree, bool) {
	if !r.has(facts.Need{Kind: facts.NeedTree, Commit: commit}) {
		return facts.Tree{}, false
	}
	t := r.pull.Git.Trees[commit]
	r.d.Truncated = r.d.Truncated || t.Truncated
	return t, true
}

// document reads a path of a tree; ok is false while its blob is not there yet.
func (r *reader) document(t facts.Tree, path string) (doc Document, ok bool) {
	doc = Document{Path: path}
	doc.Entry, doc.Found = t.Entries[path]
	if !doc.Found || !doc.Entry.Regular() {
		return doc, true
	}
	if !r.has(facts.Need{Kind: facts.NeedBlob, OID: doc.Entry.OID}) {
		return doc, false
	}
	doc.Blob = r.pull.Git.Blobs[doc.Entry.OID]
	return doc, true
}

// law reads policy and roles at the base branch. Both trees are asked for at
// once: whatever the policy says, head's is needed, too.
func (r *reader) law() bool {
	base, ok := r.tree(r.pull.Base.OID)
	if _, both := r.tree(r.pull.Head.OID); !ok || !both {
		return false
	}
	r.d.BaseTree = base
	pol, ok1 := r.document(base, policy.Path)
	roles, ok2 := r.document(base, policy.RolesPath)
	if !ok1 || !ok2 {
		// What most policies name comes in the same round, and with it what that calls.
		for _, p := range []string{policy.Default().Workflows.Benchmark, policy.Default().Workflows.Training} {
			r.document(base, p)
		}
		return false
	}
	r.d.Policy, r.d.PolicyFindings = readPolicy(pol)
	r.d.PolicyFound = pol.Found
	r.d.Roles, r.d.RolesFindings = readRoles(roles, r.d.Policy)
	r.d.RolesFound = roles.Found
	return true
}

// parsed is a document that was read as policy or role file, with its findings.
type parsed[T any] struct {
	value    T
	findings []finding.Finding
}

func parsing[T any](parse func(path string, src []byte) (T, []finding.Finding)) func(string, []byte) parsed[T] {
	return func(path string, src []byte) parsed[T] {
		v, f := parse(path, src)
		return parsed[T]{v, f}
	}
}

func readPolicy(doc Document) (policy.Policy, []finding.Finding) {
	if !doc.Found {
		return policy.Default(), nil
	}
	if !doc.Readable() {
		return policy.Default(), []finding.Finding{unreadable("PO001", doc)}
	}
	p := facts.Read(doc.Blob, doc.Path, parsing(policy.Parse))
	return p.value, p.findings
}

func readRoles(doc Document, p policy.Policy) (policy.Roles, []finding.Finding) {
	if !doc.Found {
		return policy.Roles{}, nil
	}
	if !doc.Readable() {
		return policy.Roles{}, []finding.Finding{unreadable("PO020", doc)}
	}
	r := facts.Read(doc.Blob, doc.Path, parsing(policy.ParseRoles))
	r.value.Home = p.Paths.Signoff
	return r.value, r.findings
}

func unreadable(rule string, doc Document) finding.Finding {
	f := finding.Finding{Rule: rule, Case: "not_a_file", Severity: finding.Error, At: finding.Position{Path: doc.Path}}
	if doc.Blob.TooLarge {
		f.Case = "too_large"
	}
	return f
}

func (r *reader) headTree() bool {
	head, ok := r.tree(r.pull.Head.OID)
	r.d.HeadTree = head
	return ok
}

// changes compares head with the merge base, governed paths only.
func (r *reader) changes() bool {
	if !r.headTree() {
		return false
	}
	base, ok := r.mergeBase()
	if !ok {
		return false
	}
	r.d.MergeBase = base
	before, ok := r.tree(base)
	if !ok {
		return false
	}
	for _, c := range facts.Changes(before, r.d.HeadTree) {
		if kind := r.d.Kind(c.Path); kind != policy.None {
			r.d.Governed = append(r.d.Governed, Change{c, kind})
		}
	}
	return true
}

// Kind is what a path is to the policy. A path that only looks like a governed
// one (case, look-alike letters, dot segments) is governed too: it must not
// slip by, and the rules refuse it.
func (d *Dossier) Kind(path string) policy.DocumentKind {
	if k := d.Policy.Kind(path); k != policy.None {
		return k
	}
	return d.Policy.Resembles(path)
}

// mergeBase finds where the branches parted. With one parent outside the
// request's commits that is it, without asking; otherwise GitHub is asked.
func (r *reader) mergeBase() (string, bool) {
	p := r.pull
	if len(p.Commits) == 0 && p.Head.OID == p.Base.OID {
		return p.Base.OID, true
	}
	n := facts.Need{Kind: facts.NeedMergeBase, Commit: p.Head.OID, Base: p.Base.OID}
	if p.Answered(n) {
		return p.Bases[n.Key()], true
	}
	if len(p.Cut) == 0 && len(p.Commits) > 0 {
		own := map[string]bool{}
		for _, c := range p.Commits {
			own[c.OID] = true
		}
		outside := map[string]bool{}
		for _, c := range p.Commits {
			for _, parent := range c.Parents {
				if !own[parent] {
					outside[parent] = true
				}
			}
		}
		if len(outside) == 1 {
			for oid := range outside {
				return oid, true
			}
		}
	}
	r.has(n)
	return "", false
}

// Path tells whether a change touches the given document kind.
func (d *Dossier) Touches(kinds ...policy.DocumentKind) bool {
	return slices.ContainsFunc(d.Governed, func(c Change) bool { return slices.Contains(kinds, c.Kind) })
}

// GovernedPath tells whether a path is part of what people approve here: a
// governed document, or a file that the plan names.
func (d *Dossier) GovernedPath(path string) bool {
	if d.Kind(path) != policy.None {
		return true
	}
	if r := d.Request; r != nil {
		for _, p := range []string{r.Path, r.CardPath, r.Dataset.Path, r.Evaluation.Path} {
			if p != "" && p == path {
				return true
			}
		}
		if !r.CommitThis {
			return false
		}
		for _, f := range []plan.Field{plan.Config, plan.Script, plan.PromptFile} {
			if v, ok := r.Plan.Get(f); ok && clean(v.Text) == path {
				return true
			}
		}
	}
	return false
}

// ApprovalPaths are the documents whose owners approve: the plan's alone for a
// request, every governed path otherwise.
func (d *Dossier) ApprovalPaths() []string {
	if d.Request != nil {
		return []string{d.Request.Path}
	}
	var out []string
	for _, c := range d.Governed {
		out = append(out, c.Path)
	}
	return out
}

// clean turns a path as people write it into one of the tree's, or "" where it
// tries to leave the repository.
func clean(p string) string {
	p = strings.TrimPrefix(strings.TrimSpace(p), "./")
	if p == "" || strings.HasPrefix(p, "/") || strings.Contains(p, "\\") {
		return ""
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." || part == "" || part == "." {
			return ""
		}
	}
	return p
}
