package dossier

import (
	"reflect"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// request finds the plan that is requested: a governed plan whose parsed facts
// changed. A deletion, a pure rename and a change of format or run notes are
// no request. Two plans are one too many; the rules say so.
func (r *reader) request() {
	if p := r.pull.Plan; p != "" && r.pull.Local {
		r.d.Plans = []string{p}
		r.read(p)
		return
	}
	gone := map[string]bool{} // normalised content of plans that a rename left behind
	for _, c := range r.d.Governed {
		if c.Kind == policy.Plan && c.Deleted() && c.Before.Regular() {
			gone[c.Before.OID] = true
		}
	}
	complete := true
	unseen := map[string]bool{} // plans of which only what nobody approves changed
	for _, c := range r.d.Governed {
		if c.Kind != policy.Plan || c.Deleted() || gone[c.After.OID] {
			continue
		}
		if !c.After.Regular() || !c.Before.Regular() && !c.Added() {
			r.d.Plans = append(r.d.Plans, c.Path) // a symlink or submodule: the rules refuse it
			continue
		}
		changed, ok := r.factsChanged(c.Change)
		complete = complete && ok
		unseen[c.Path] = ok && c.Before.Mode == c.After.Mode && r.sameText(c.Change)
		if changed {
			r.d.Plans = append(r.d.Plans, c.Path)
		}
	}
	r.d.Governed = slices.DeleteFunc(r.d.Governed, func(c Change) bool { return unseen[c.Path] })
	if complete && len(r.d.Plans) > 0 {
		r.read(r.d.Plans[0])
	}
}

// sameText: only run notes or line ends differ, which are no part of what
// people approve and so need no approval.
func (r *reader) sameText(c facts.Change) bool {
	before, after := r.pull.Git.Blobs[c.Before.OID], r.pull.Git.Blobs[c.After.OID]
	if !c.Modified() || before.TooLarge || after.TooLarge || before.Absent || after.Absent {
		return false
	}
	return normalised(before) == normalised(after)
}

func (r *reader) factsChanged(c facts.Change) (changed, ok bool) {
	after, ok1 := r.blob(c.After)
	if c.Added() {
		return true, ok1
	}
	before, ok2 := r.blob(c.Before)
	if !ok1 || !ok2 {
		return false, false
	}
	if before.TooLarge || after.TooLarge || before.Absent || after.Absent {
		return true, true
	}
	if normalised(before) == normalised(after) {
		return false, true
	}
	was, is := facts.Read(before, c.Path, plan.Parse), facts.Read(after, c.Path, plan.Parse)
	return !reflect.DeepEqual(was.Facts(), is.Facts()), true
}

func (r *reader) blob(e facts.Entry) (facts.Blob, bool) {
	if !r.has(facts.Need{Kind: facts.NeedBlob, OID: e.OID}) {
		return facts.Blob{}, false
	}
	return r.pull.Git.Blobs[e.OID], true
}

// read opens the plan and all that it names.
func (r *reader) read(planPath string) {
	doc, ok := r.document(r.d.HeadTree, planPath)
	if !ok {
		return
	}
	q := &Request{Path: planPath, Source: doc}
	r.d.Request = q
	if doc.Readable() {
		q.Plan = facts.Read(doc.Blob, planPath, plan.Parse)
	} else {
		q.Plan = plan.Plan{Path: planPath}
	}
	q.PilotID = r.d.Policy.PilotID(planPath)
	if v, ok := q.Plan.Get(plan.Pilot); ok && v.Text != "" {
		q.PilotID = v.Text
	}
	q.Initiator = r.pull.Author.Login
	if v, ok := q.Plan.Get(plan.Initiator); ok && v.Text != "" {
		q.Initiator = strings.TrimPrefix(v.Text, "@")
	}
	r.people()
	r.evidence(q)
	r.scenario(q)
	r.card(q)
	r.code(q)
	r.models(q)
	r.datasets(q)
	r.beside(q)
	r.monitoring(q)
	r.workflows(q)
	r.release(q)
}

// people asks for the teams and the people that the role file names, and for who
// pushed.
func (r *reader) people() {
	p := r.pull
	for _, role := range r.d.Roles.Required() {
		for _, o := range r.d.Roles.Common(role, r.d.ApprovalPaths()) {
			if o.Team == "" && !p.Local {
				r.has(facts.Need{Kind: facts.NeedAccess, Login: o.Login})
			}
		}
	}
	for _, t := range r.d.Roles.Teams() {
		r.has(facts.Need{Kind: facts.NeedTeam, Team: strings.ToLower(t.Org + "/" + t.Team)})
	}
	if n, ok := p.PushersNeed(); ok {
		r.has(n)
	}
}

// evidence looks whether the id was used before: ids are unique for ever. A plan
// whose sign-off was withdrawn comes back under its id as a new revision, higher
// than the number of its sign-offs.
func (r *reader) evidence(q *Request) {
	if _, planAtBase := r.d.BaseTree.Entries[q.Path]; planAtBase {
		return
	}
	signoffs, used, withdrawn := standing(r.d.BaseTree, r.d.Policy.EvidencePath(q.PilotID))
	revision := int64(1)
	if v, ok := q.Plan.Get(plan.Revision); ok {
		revision, _ = v.Integer()
	}
	q.Taken = used && (signoffs == 0 || !withdrawn || revision <= int64(signoffs))
	if q.Taken && signoffs > 0 && withdrawn {
		q.NextRevision = signoffs + 1
	}
}

func (r *reader) scenario(q *Request) {
	if v, ok := q.Plan.Get(plan.Scenario); ok && v.Text != "" {
		q.Scenario = v.Text
	} else if v, ok := q.Plan.Get(plan.Dataset); ok {
		q.Scenario = r.d.Policy.ScenarioOf(v.Text)
	}
	q.Bands, q.ScenarioKnown = r.d.Policy.Scenario(q.Scenario)
}

// card reads the data card: where the plan says, else beside the dataset.
func (r *reader) card(q *Request) {
	if v, ok := q.Plan.Get(plan.DataCard); ok {
		q.CardPath = clean(v.Text)
	}
	if q.CardPath == "" {
		return
	}
	doc, ok := r.document(r.d.HeadTree, q.CardPath)
	if !ok {
		return
	}
	q.CardFile = doc
	if doc.Readable() {
		q.Card = facts.Read(doc.Blob, q.CardPath, plan.ParseCard)
		r.exporter(q)
	}
}

// exporter asks for the commit that the card says the exporter was at, where the
// card tells when the dataset was made, or the exporter has another name by now:
// when that commit was made, and its files.
func (r *reader) exporter(q *Request) {
	commit := strings.ToLower(q.Card.ExporterCommit.Text)
	path := clean(q.Card.Exporter.Text)
	_, there := r.d.HeadTree.Entries[path]
	moved := path != "" && !there
	if !form.Hex(commit, 40) || q.Card.Created.Text == "" && !moved {
		return
	}
	n := facts.Need{Kind: facts.NeedMade, Commit: commit}
	if !r.has(n) {
		return
	}
	q.Exporter.Made = r.pull.Made[n.Key()]
	if path != "" && !q.Exporter.Made.Absent {
		q.Exporter.Tree, _ = r.tree(commit)
	}
}

// code finds the commit that the training runs at, whether the base branch has
// it, and what is in it.
func (r *reader) code(q *Request) {
	v, ok := q.Plan.Get(plan.Commit)
	if !ok {
		return
	}
	said := strings.ToLower(v.Text)
	if strings.Contains(said, "this pr") || strings.Contains(said, "этот pr") || strings.Contains(said, "this pull request") {
		q.Commit, q.CommitThis, q.CommitTree, q.CommitKnown = r.pull.Head.OID, true, r.d.HeadTree, true
		q.Reach = facts.Reach{Reachable: true}
		return
	}
	if !form.Hex(said, 40) {
		return
	}
	q.Commit = said
	reach := facts.Need{Kind: facts.NeedReach, Commit: said, Base: r.pull.Base.OID}
	if !r.has(reach) {
		return
	}
	q.Reach = r.pull.Reach[reach.Key()]
	if q.Reach.Absent {
		q.CommitKnown = true
		return
	}
	q.CommitTree, q.CommitKnown = r.tree(said)
}

// models reads registry and pointer as they are at head, so that a plan may
// bring its own candidate entry; what they may change is pilot/release's. What
// the base branch says of baseline and rollback target is part of the digest.
func (r *reader) models(q *Request) {
	if doc, ok := r.document(r.d.BaseTree, r.d.Policy.Paths.Registry); ok && doc.Readable() {
		q.BaseRegistry = facts.Read(doc.Blob, doc.Path, registry.Parse)
	}
	if doc, ok := r.document(r.d.HeadTree, r.d.Policy.Paths.Registry); ok {
		q.RegistryFile = doc
		if doc.Readable() {
			q.Registry = facts.Read(doc.Blob, doc.Path, registry.Parse)
		}
	}
	if doc, ok := r.document(r.d.HeadTree, r.d.Policy.Paths.Pointer); ok {
		q.PointerFile = doc
		if doc.Readable() {
			q.Pointer = facts.Read(doc.Blob, doc.Path, registry.ParsePointer)
		}
	}
}

// datasets asks for the scans: the evaluation data first, as the other's pair.
func (r *reader) datasets(q *Request) {
	q.Dataset = r.dataset(q, plan.Dataset)
	q.Evaluation = r.dataset(q, plan.EvaluationDataset)
	schema := ""
	if s := r.d.Policy.Datasets.Schema; s != "" && !strings.HasPrefix(s, "builtin:") {
		if e, ok := r.d.BaseTree.Entries[clean(s)]; ok && e.Regular() {
			schema = e.OID
		}
	}
	request := func(d Dataset) facts.ScanRequest {
		s := facts.ScanRequest{Path: d.Path, Locale: r.d.Policy.Locale, SchemaOID: schema, Channels: r.d.Policy.Datasets.Channels}
		if d.URI {
			s.URI = d.Path
		} else {
			s.OID, s.Size = d.Entry.OID, d.Entry.Size
			if r.pull.Head.Fork {
				s.Repository = r.pull.Head.Name
			}
		}
		return s
	}
	usable := func(d Dataset) bool { return d.Named && (d.URI || d.Found && d.Entry.Regular()) }
	scan := func(d *Dataset, s facts.ScanRequest) {
		if d.URI && !r.d.Policy.BucketAllowed(s.URI) { // not even asked for: the base branch decides where we look
			d.Known, d.Scan = true, facts.Scan{Refused: facts.RefusedBucket}
			return
		}
		n := facts.Need{Kind: facts.NeedScan, Scan: &s}
		if d.Known = r.has(n); d.Known {
			d.Scan = r.pull.Scans[n.Key()]
		}
	}
	var evaluation *facts.ScanRequest
	if usable(q.Evaluation) && q.Evaluation.Path != q.Dataset.Path {
		s := request(q.Evaluation)
		scan(&q.Evaluation, s)
		if q.Evaluation.Scan.Refused != facts.RefusedBucket { // or the other's scan would read it
			evaluation = &s
		}
	}
	if usable(q.Dataset) {
		s := request(q.Dataset)
		s.Evaluation = evaluation
		scan(&q.Dataset, s)
	}
}

func (r *reader) dataset(q *Request, f plan.Field) Dataset {
	v, ok := q.Plan.Get(f)
	if !ok || v.Text == "" {
		return Dataset{}
	}
	if strings.Contains(v.Text, "://") {
		return Dataset{Path: v.Text, Named: true, URI: true}
	}
	d := Dataset{Path: clean(v.Text), Named: true}
	d.Entry, d.Found = r.d.HeadTree.Entries[d.Path]
	return d
}

// beside reads runbook and stage summary, and what git leaves out.
func (r *reader) beside(q *Request) {
	q.Ignore, _ = r.document(r.d.HeadTree, ".gitignore")
	for _, p := range []string{r.d.Policy.Paths.Runbook, r.d.Policy.Paths.Summary} {
		doc, ok := r.document(r.d.HeadTree, p)
		if !ok || !doc.Readable() {
			continue
		}
		q.Beside = append(q.Beside, Beside{doc, facts.Read(doc.Blob, p, plan.ParseProse)})
	}
}

// monitoring reads the rule files and dashboards that the policy names.
func (r *reader) monitoring(q *Request) {
	const most = 64 // documents; more are not read, and not needed to find four metrics
	var paths []string
	for p, e := range r.d.HeadTree.Entries {
		if k := r.d.Policy.Kind(p); (k == policy.Prometheus || k == policy.Grafana) && e.Regular() {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	for _, p := range paths[:min(len(paths), most)] {
		if doc, ok := r.document(r.d.HeadTree, p); ok {
			q.Monitoring = append(q.Monitoring, doc)
		}
	}
}

func (r *reader) release(q *Request) {
	v, ok := q.Plan.Get(plan.TargetRelease)
	if ok && tagName(v.Text) {
		n := facts.Need{Kind: facts.NeedTag, Tag: v.Text}
		if r.has(n) {
			q.ReleaseTag = r.pull.Tags[n.Key()]
		}
	}
	for _, tag := range q.NamedReleases() {
		r.has(facts.Need{Kind: facts.NeedTag, Tag: tag.Text})
	}
}

func tagName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsAny(s, " ~^:?*[\\")
}

// NamedReleases are the releases that plan, runbook and summary speak of where
// they speak of releases and rollbacks, the target release aside. Elsewhere a
// version is a library's as likely.
func (q *Request) NamedReleases() []plan.Mention {
	const most = 8 // each is asked for; a plan names one or two
	target, _ := q.Plan.Get(plan.TargetRelease)
	seen := map[string]bool{target.Text: true}
	var out []plan.Mention
	add := func(mentions []plan.Mention) {
		for _, m := range mentions {
			if m.Kind == plan.MentionRelease && m.OfRelease() && tagName(m.Text) && !seen[m.Text] && len(out) < most {
				seen[m.Text] = true
				out = append(out, m)
			}
		}
	}
	add(q.Plan.Mentions)
	for _, d := range q.Beside {
		add(d.Prose.Mentions)
	}
	return out
}

// proposals reads policy and roles as the pull request would make them.
func (r *reader) proposals() {
	for _, c := range r.d.Governed {
		switch c.Path {
		case policy.Path:
			if doc, ok := r.document(r.d.HeadTree, c.Path); ok {
				v, f := readPolicy(doc)
				r.d.PolicyAfter = &Proposed[policy.Policy]{v, f, c.Deleted()}
			}
		case policy.RolesPath:
			if doc, ok := r.document(r.d.HeadTree, c.Path); ok {
				v, f := readRoles(doc, r.d.Policy)
				r.d.RolesAfter = &Proposed[policy.Roles]{v, f, c.Deleted()}
			}
		}
	}
	if len(r.d.Governed) > 0 && r.d.Request == nil {
		r.people()
	}
}
