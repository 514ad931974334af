package fakegithub

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// workflow is a file under .github/workflows on the default branch.
type workflow struct {
	id   int64
	path string
	name string
	// runName is the file's run-name, inputs not yet put in.
	runName  string
	dispatch bool
	read     string // blob id of the file that this was read from
}

type workflowRun struct {
	id         int64
	repo       *repo
	workflow   *workflow
	number     int
	attempt    int
	event      string
	title      string
	head       string
	branch     string
	path       string
	status     string // queued, in_progress, waiting, completed
	conclusion string
	actor      *account
	trigger    *account
	created    time.Time
	updated    time.Time
	inputs     map[string]string
	headRepo   *repo
	referenced []fields
	waiting    []*waiting
	artifacts  []*artifact
	before     []workflowRun // earlier attempts, as they ended
}

func (w *workflowRun) nodeID() string { return nodeID("WFR", w.id) }

// waiting is an environment that a run waits for.
type waiting struct {
	environment *environment
	state       string // waiting, approved, rejected
	comments    []string
	since       time.Time
	pending     map[int64]bool // App ids that have not decided
}

type artifact struct {
	id      int64
	run     *workflowRun
	name    string
	zip     []byte
	noHash  bool
	created time.Time
	expired bool
}

// scanWorkflows reads the workflow files of the default branch; ids stay with their path.
func (s *Server) scanWorkflows(r *repo) []*workflow {
	var out []*workflow
	c, is := r.git.commit(r.tip(r.defaultBranch))
	if !is {
		return nil
	}
	files := r.git.flatten(c.tree)
	for _, path := range sortedKeys(files) {
		if !strings.HasPrefix(path, ".github/workflows/") || (!strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml")) {
			continue
		}
		var w *workflow
		for _, have := range r.workflows {
			if have.path == path {
				w = have
			}
		}
		if w == nil {
			w = &workflow{id: s.next("workflow"), path: path}
			r.workflows = append(r.workflows, w)
		}
		if oid := files[path].oid; w.read != oid {
			data, _ := r.git.blob(oid)
			w.parse(data)
			w.read = oid
		}
		out = append(out, w)
	}
	return out
}

func (w *workflow) parse(data []byte) {
	var doc struct {
		Name    string `yaml:"name"`
		RunName string `yaml:"run-name"`
		On      any    `yaml:"on"`
	}
	w.name, w.runName, w.dispatch = w.path, "", false
	if yaml.Unmarshal(data, &doc) != nil {
		return
	}
	if doc.Name != "" {
		w.name = doc.Name
	}
	w.runName = doc.RunName
	switch on := doc.On.(type) {
	case string:
		w.dispatch = on == "workflow_dispatch"
	case []any:
		w.dispatch = slices.Contains(on, any("workflow_dispatch"))
	case map[string]any:
		_, w.dispatch = on["workflow_dispatch"]
	}
}

// RunSpec describes a workflow run.
type RunSpec struct {
	Workflow string // path
	Event    string // "" is workflow_dispatch
	Branch   string // "" is the default branch
	Head     string // "" is the branch's tip
	Actor    string
	Trigger  string // who started this attempt; "" is Actor
	Inputs   map[string]string
	From     *Repo // a fork's run
	Attempt  int   // 0 is 1
	// Referenced are the reusable workflows that the run uses.
	Referenced []Reference
}

// Reference is a reusable workflow by owner/name/path@ref, and the commit that ran.
type Reference struct{ Path, SHA string }

// StartRun starts a workflow run, as a push, a person or a schedule would.
func (r *Repo) StartRun(spec RunSpec) int64 {
	defer r.s.lock()()
	s := r.s
	var w *workflow
	for _, x := range s.scanWorkflows(r.r) {
		if x.path == spec.Workflow {
			w = x
		}
	}
	if w == nil { // a file that only another branch has
		w = &workflow{id: s.next("workflow"), path: spec.Workflow, name: spec.Workflow}
	}
	run := s.startRun(r.r, w, s.account(spec.Actor), spec)
	return run.id
}

func (s *Server) startRun(r *repo, w *workflow, by *account, spec RunSpec) *workflowRun {
	if spec.Event == "" {
		spec.Event = "workflow_dispatch"
	}
	if spec.Branch == "" {
		spec.Branch = r.defaultBranch
	}
	from := r
	if spec.From != nil {
		from = spec.From.r
	}
	if spec.Head == "" {
		spec.Head = from.tip(spec.Branch)
	}
	now := s.stamp()
	run := &workflowRun{
		id: s.next("run"), repo: r, workflow: w, number: len(r.workflowRuns) + 1, attempt: max(1, spec.Attempt), event: spec.Event, head: spec.Head,
		branch: spec.Branch, path: w.path, status: "queued", actor: by, trigger: by, created: now, updated: now, inputs: spec.Inputs, headRepo: from,
	}
	for _, x := range spec.Referenced {
		run.referenced = append(run.referenced, fields{"path": x.Path, "sha": x.SHA})
	}
	if spec.Trigger != "" {
		run.trigger = s.account(spec.Trigger)
	}
	run.title = w.runName
	for k, v := range spec.Inputs {
		for _, form := range []string{"${{ inputs.%s }}", "${{inputs.%s}}", "${{ github.event.inputs.%s }}"} {
			run.title = strings.ReplaceAll(run.title, fmt.Sprintf(form, k), v)
		}
	}
	if run.title == "" {
		run.title = w.name
	}
	r.workflowRuns = append(r.workflowRuns, run)
	s.tell(r, "workflow_run", by.login, fields{"id": run.id, "path": w.path, "event": run.event, "inputs": spec.Inputs})
	s.emitRun(run, "requested")
	return run
}

func (s *Server) emitRun(run *workflowRun, act string) {
	s.emit(run.repo, "workflow_run", run.actor, fields{"action": act, "workflow_run": s.showWorkflowRun(run), "workflow": s.showWorkflow(run.repo, run.workflow)})
}

func (r *repo) workflowRun(id int64) *workflowRun {
	for _, x := range r.workflowRuns {
		if x.id == id {
			return x
		}
	}
	return nil
}

// Wait makes a run wait for an environment: each App that guards it is asked.
func (r *Repo) Wait(run int64, environment string) {
	defer r.s.lock()()
	s := r.s
	x := r.r.workflowRun(run)
	env := s.environment(r.r, environment)
	w := &waiting{environment: env, state: "waiting", since: s.stamp(), pending: map[int64]bool{}}
	x.waiting = append(x.waiting, w)
	x.status, x.updated = "waiting", s.now()
	d := s.newDeployment(r.r, x.actor, nil, x.head, environment, fields{})
	d.run = x.id
	for _, in := range s.sortedInstallations() {
		if !in.covers(r.r) || !env.guardedBy(in.app) {
			continue
		}
		w.pending[in.app.id] = true
		s.emitTo(in, r.r, "deployment_protection_rule", x.actor, fields{
			"action": "requested", "environment": environment, "event": x.event,
			"deployment_callback_url": s.api(fmt.Sprintf("repos/%s/actions/runs/%d/deployment_protection_rule", r.r.full(), x.id)),
			"deployment":              s.showDeployment(r.r, d), "pull_requests": []fields{}, "sha": x.head, "ref": x.branch,
		})
	}
	s.settle(x)
}

// settle lets a run go on once nothing holds it, or fails it when rejected.
func (s *Server) settle(x *workflowRun) {
	for _, w := range x.waiting {
		if w.state == "rejected" {
			x.status, x.conclusion, x.updated = "completed", "failure", s.stamp()
			s.emitRun(x, "completed")
			return
		}
		if w.state == "waiting" && len(w.pending) == 0 {
			w.state = "approved"
		}
		if w.state == "waiting" {
			return
		}
	}
	if x.status == "waiting" {
		x.status, x.updated = "in_progress", s.stamp()
		s.emitRun(x, "in_progress")
	}
}

// CompleteRun ends a run. artifacts maps a name to its files.
func (r *Repo) CompleteRun(run int64, conclusion string, artifacts map[string]map[string][]byte) {
	defer r.s.lock()()
	x := r.r.workflowRun(run)
	for _, name := range sortedKeys(artifacts) {
		r.s.addArtifact(x, name, artifacts[name], false)
	}
	x.status, x.conclusion, x.updated = "completed", conclusion, r.s.stamp()
	r.s.tell(r.r, "workflow_run_completed", x.actor.login, fields{"id": x.id, "conclusion": conclusion})
	r.s.emitRun(x, "completed")
}

// SetArtifactDigest hides or shows the digests that GitHub gives of a run's artifacts.
func (r *Repo) SetArtifactDigest(run int64, shown bool) {
	defer r.s.lock()()
	for _, a := range r.r.workflowRun(run).artifacts {
		a.noHash = !shown
	}
}

// ExpireArtifacts makes a run's artifacts gone, as GitHub does after their retention.
func (r *Repo) ExpireArtifacts(run int64) {
	defer r.s.lock()()
	for _, a := range r.r.workflowRun(run).artifacts {
		a.expired = true
	}
}

func (s *Server) addArtifact(x *workflowRun, name string, files map[string][]byte, noHash bool) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, n := range sortedKeys(files) {
		// The time is fixed, so that equal files make equal bytes.
		w, err := z.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Deflate, Modified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = w.Write(files[n])
		}
		if err != nil {
			panic("fakegithub: artifact: " + err.Error())
		}
	}
	if err := z.Close(); err != nil {
		panic("fakegithub: artifact: " + err.Error())
	}
	a := &artifact{id: s.next("artifact"), run: x, name: name, zip: buf.Bytes(), noHash: noHash, created: s.stamp()}
	x.artifacts = append(x.artifacts, a)
	x.repo.artifacts = append(x.repo.artifacts, a)
}

// RerunRun starts another attempt of a finished run as a person.
func (r *Repo) RerunRun(by string, run int64) {
	defer r.s.lock()()
	x := r.r.workflowRun(run)
	x.before = append(x.before, *x)
	x.attempt++
	x.status, x.conclusion, x.trigger, x.updated, x.waiting = "queued", "", r.s.account(by), r.s.stamp(), nil
	r.s.emitRun(x, "requested")
}

// RunView is a workflow run as it is now.
type RunView struct {
	ID                                      int64
	Path, Event, Title, Head, Branch, Actor string
	Status, Conclusion                      string
	Attempt                                 int
	Inputs                                  map[string]string
	Waiting                                 map[string]string   // environment -> waiting, approved, rejected
	Notes                                   map[string][]string // environment -> comments
}

// Runs lists workflow runs, oldest first.
func (r *Repo) Runs() []RunView {
	defer r.s.lock()()
	var out []RunView
	for _, x := range r.r.workflowRuns {
		v := RunView{x.id, x.path, x.event, x.title, x.head, x.branch, x.actor.login, x.status, x.conclusion, x.attempt, x.inputs, map[string]string{}, map[string][]string{}}
		for _, w := range x.waiting {
			v.Waiting[w.environment.name], v.Notes[w.environment.name] = w.state, w.comments
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) showWorkflow(r *repo, w *workflow) fields {
	u := s.api(fmt.Sprintf("repos/%s/actions/workflows/%d", r.full(), w.id))
	return fields{
		"id": w.id, "node_id": nodeID("W", w.id), "name": w.name, "path": w.path, "state": "active", "created_at": stampOf(r.created),
		"updated_at": stampOf(r.created), "url": u, "html_url": s.html(r.full() + "/blob/" + r.defaultBranch + "/" + w.path),
		"badge_url": s.html(r.full() + "/workflows/" + w.name + "/badge.svg"),
	}
}

func (s *Server) showWorkflowRun(x *workflowRun) fields { return s.showRunIn(x, s.showRepo) }

// showRunIn is a run with its repositories as showRepo shows them.
func (s *Server) showRunIn(x *workflowRun, showRepo func(*repo) fields) fields {
	r := x.repo
	u := s.api(fmt.Sprintf("repos/%s/actions/runs/%d", r.full(), x.id))
	su := s.api("repos/" + r.full() + "/check-suites/0")
	refs := x.referenced
	f := fields{
		"id": x.id, "node_id": x.nodeID(), "name": x.workflow.name, "head_branch": x.branch, "head_sha": x.head, "path": x.path,
		"run_number": x.number, "run_attempt": x.attempt, "event": x.event, "display_title": x.title, "status": x.status, "conclusion": orNull(x.conclusion),
		"workflow_id": x.workflow.id, "url": u, "html_url": s.html(fmt.Sprintf("%s/actions/runs/%d", r.full(), x.id)), "pull_requests": []fields{},
		"created_at": stampOf(x.created), "updated_at": stampOf(x.updated), "run_started_at": stampOf(x.created), "actor": s.showUser(x.actor),
		"triggering_actor": s.showUser(x.trigger), "jobs_url": u + "/jobs", "logs_url": u + "/logs", "check_suite_url": su, "artifacts_url": u + "/artifacts",
		"cancel_url": u + "/cancel", "rerun_url": u + "/rerun", "previous_attempt_url": nil, "referenced_workflows": nonNil(refs),
		"workflow_url": s.api(fmt.Sprintf("repos/%s/actions/workflows/%d", r.full(), x.workflow.id)), "repository": showRepo(r),
		"head_repository": showRepo(x.headRepo), "check_suite_id": x.id, "check_suite_node_id": nodeID("CS", x.id), "head_commit": nil,
	}
	if c, is := r.git.commit(x.head); is {
		f["head_commit"] = fields{
			"id": c.oid, "tree_id": c.tree, "message": c.message, "timestamp": c.committer.when.UTC().Format(time.RFC3339),
			"author":    fields{"name": c.author.name, "email": c.author.email},
			"committer": fields{"name": c.committer.name, "email": c.committer.email},
		}
	}
	return f
}

func (s *Server) showArtifact(a *artifact) fields {
	u := s.api(fmt.Sprintf("repos/%s/actions/artifacts/%d", a.run.repo.full(), a.id))
	f := fields{
		"id": a.id, "node_id": nodeID("ART", a.id), "name": a.name, "size_in_bytes": len(a.zip), "url": u, "archive_download_url": u + "/zip",
		"expired": a.expired, "created_at": stampOf(a.created), "updated_at": stampOf(a.created), "expires_at": stampOf(a.created.Add(90 * 24 * time.Hour)),
		"workflow_run": fields{"id": a.run.id, "repository_id": a.run.repo.id, "head_repository_id": a.run.headRepo.id, "head_branch": a.run.branch, "head_sha": a.run.head},
	}
	if !a.noHash {
		sum := sha256.Sum256(a.zip)
		f["digest"] = "sha256:" + hex.EncodeToString(sum[:])
	}
	return f
}

// storagePath stands for the other host that downloads are redirected to.
const storagePath = "/_storage/"
