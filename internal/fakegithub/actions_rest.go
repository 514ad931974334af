package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

func (s *Server) actionRoutes() []*route {
	const base = "/repos/{owner}/{repo}/actions"
	read, write := "actions:read", "actions:write"
	withRun := func(do func(*call, *workflowRun) (answer, error)) handler {
		return func(c *call) (answer, error) {
			x := c.repo.workflowRun(c.number("run_id"))
			if x == nil {
				return answer{}, errNotFound
			}
			return do(c, x)
		}
	}
	return []*route{
		{method: "GET", template: base + "/workflows", operation: "actions/list-repo-workflows", needs: read, do: func(c *call) (answer, error) {
			ws := c.s.scanWorkflows(c.repo)
			return ok(fields{"total_count": len(ws), "workflows": list(page(c, ws), func(w *workflow) fields { return c.s.showWorkflow(c.repo, w) })})
		}},
		{method: "GET", template: base + "/workflows/{workflow_id}", operation: "actions/get-workflow", needs: read, do: func(c *call) (answer, error) {
			w := c.workflow()
			if w == nil {
				return answer{}, errNotFound
			}
			return ok(c.s.showWorkflow(c.repo, w))
		}},
		{method: "POST", template: base + "/workflows/{workflow_id}/dispatches", operation: "actions/create-workflow-dispatch", needs: write, do: (*call).dispatch},
		{method: "GET", template: base + "/workflows/{workflow_id}/runs", operation: "actions/list-workflow-runs", needs: read, do: func(c *call) (answer, error) {
			w := c.workflow()
			if w == nil {
				return answer{}, errNotFound
			}
			return c.listWorkflowRuns(w)
		}},
		{method: "GET", template: base + "/runs", operation: "actions/list-workflow-runs-for-repo", needs: read, do: func(c *call) (answer, error) {
			return c.listWorkflowRuns(nil)
		}},
		{method: "GET", template: base + "/runs/{run_id}", operation: "actions/get-workflow-run", needs: read, do: withRun(func(c *call, x *workflowRun) (answer, error) {
			return ok(c.s.showWorkflowRun(x))
		})},
		{method: "GET", template: base + "/runs/{run_id}/attempts/{attempt_number}", operation: "actions/get-workflow-run-attempt", needs: read, do: withRun(func(c *call, x *workflowRun) (answer, error) {
			n := int(c.number("attempt_number"))
			if n < 1 || n > x.attempt {
				return answer{}, errNotFound
			}
			for i := range x.before {
				if x.before[i].attempt == n {
					return ok(c.s.showWorkflowRun(&x.before[i]))
				}
			}
			f := c.s.showWorkflowRun(x)
			f["run_attempt"] = n
			return ok(f)
		})},
		{method: "GET", template: base + "/runs/{run_id}/artifacts", operation: "actions/list-workflow-run-artifacts", needs: read, do: withRun(func(c *call, x *workflowRun) (answer, error) {
			as := slices.Clone(x.artifacts)
			if name := c.query("name"); name != "" {
				as = slices.DeleteFunc(as, func(a *artifact) bool { return a.name != name })
			}
			return ok(fields{"total_count": len(as), "artifacts": list(page(c, as), c.s.showArtifact)})
		})},
		{method: "GET", template: base + "/artifacts/{artifact_id}", operation: "actions/get-artifact", needs: read, do: func(c *call) (answer, error) {
			for _, a := range c.repo.artifacts {
				if a.id == c.number("artifact_id") {
					return ok(c.s.showArtifact(a))
				}
			}
			return answer{}, errNotFound
		}},
		{method: "GET", template: base + "/artifacts/{artifact_id}/{archive_format}", operation: "actions/download-artifact", needs: read, do: (*call).downloadArtifact},
		{method: "GET", template: base + "/runs/{run_id}/pending_deployments", operation: "actions/get-pending-deployments-for-run", needs: read, do: withRun(func(c *call, x *workflowRun) (answer, error) {
			out := []fields{}
			for _, w := range x.waiting {
				if w.state == "waiting" {
					e := w.environment
					out = append(out, fields{
						"environment": fields{"id": e.id, "node_id": nodeID("EN", e.id), "name": e.name, "url": c.s.api("repos/" + c.repo.full() + "/environments/" + e.name), "html_url": c.s.html(c.repo.full() + "/deployments")},
						"wait_timer":  0, "wait_timer_started_at": stampOf(w.since), "current_user_can_approve": false, "reviewers": []fields{},
					})
				}
			}
			return ok(out)
		})},
		{method: "POST", template: base + "/runs/{run_id}/deployment_protection_rule", operation: "actions/review-custom-gates-for-run", needs: "deployments:write", do: withRun((*call).decide)},
		{method: "POST", template: base + "/runs/{run_id}/cancel", operation: "actions/cancel-workflow-run", needs: write, do: withRun(func(c *call, x *workflowRun) (answer, error) {
			if x.status == "completed" {
				return answer{}, &failure{status: http.StatusConflict, message: "Cannot cancel a workflow run that is completed"}
			}
			x.status, x.conclusion, x.updated = "completed", "cancelled", c.s.stamp()
			c.s.emitRun(x, "completed")
			return answer{status: http.StatusAccepted, body: fields{}}, nil
		})},
	}
}

func (c *call) workflow() *workflow {
	want := c.params["workflow_id"]
	for _, w := range c.s.scanWorkflows(c.repo) {
		if strconv.FormatInt(w.id, 10) == want || strings.TrimPrefix(w.path, ".github/workflows/") == want {
			return w
		}
	}
	return nil
}

func (c *call) dispatch() (answer, error) {
	w := c.workflow()
	if w == nil {
		return answer{}, errNotFound
	}
	var q struct {
		Ref              string
		Inputs           map[string]any
		ReturnRunDetails bool `json:"return_run_details"`
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	head := c.repo.resolve(q.Ref)
	switch {
	case head == "":
		return answer{}, unprocessable("No ref found for: " + q.Ref)
	case !w.dispatch:
		return answer{}, unprocessable("Workflow does not have 'workflow_dispatch' trigger")
	case len(q.Inputs) > 25:
		return answer{}, unprocessable("Too many inputs: at most 25")
	}
	inputs := map[string]string{}
	for k, v := range q.Inputs {
		inputs[k] = fmt.Sprint(v)
	}
	run := c.s.startRun(c.repo, w, c.actor.user, RunSpec{Branch: strings.TrimPrefix(strings.TrimPrefix(q.Ref, "refs/"), "heads/"), Head: head, Inputs: inputs})
	c.late(run.nodeID())
	if q.ReturnRunDetails {
		return ok(fields{
			"workflow_run_id": run.id, "run_url": c.s.api(fmt.Sprintf("repos/%s/actions/runs/%d", c.repo.full(), run.id)),
			"html_url": c.s.html(fmt.Sprintf("%s/actions/runs/%d", c.repo.full(), run.id)),
		})
	}
	return empty()
}

func (c *call) listWorkflowRuns(w *workflow) (answer, error) {
	var out []*workflowRun
	for _, x := range c.repo.workflowRuns {
		st := c.query("status")
		if (w == nil || x.workflow.path == w.path) && (st == "" || st == x.status || st == x.conclusion) &&
			(c.query("event") == "" || c.query("event") == x.event) && (c.query("branch") == "" || c.query("branch") == x.branch) &&
			(c.query("actor") == "" || strings.EqualFold(c.query("actor"), x.actor.login)) && (c.query("head_sha") == "" || c.query("head_sha") == x.head) {
			out = append(out, x)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id > out[j].id })
	out = seen(c, out, (*workflowRun).nodeID)
	shown := map[*repo]fields{} // the same hundred times
	once := func(r *repo) fields {
		if shown[r] == nil {
			shown[r] = c.s.showRepo(r)
		}
		return shown[r]
	}
	return ok(fields{"total_count": len(out), "workflow_runs": list(page(c, out), func(x *workflowRun) fields { return c.s.showRunIn(x, once) })})
}

// downloadArtifact redirects to a link that needs no token and lives a minute.
func (c *call) downloadArtifact() (answer, error) {
	for _, a := range c.repo.artifacts {
		if a.id != c.number("artifact_id") || c.params["archive_format"] != "zip" {
			continue
		}
		if a.expired {
			return answer{}, gone("Artifact has expired")
		}
		t := c.s.newToken("dl_")
		t.revoked = true // no API token
		t.expires = c.s.tokenNow().Add(time.Minute)
		c.s.nodes[t.value] = a
		c.header.Set("Location", c.s.opt.BaseURL+storagePath+t.value)
		return answer{status: http.StatusFound}, nil
	}
	return answer{}, errNotFound
}

// storage serves what a redirect pointed to.
func (s *Server) storage(c *call) (answer, error) {
	key := strings.TrimPrefix(c.r.URL.Path, storagePath)
	a, is := s.nodes[key].(*artifact)
	if t := s.tokens[key]; !is || t == nil || !s.tokenNow().Before(t.expires) {
		return answer{}, errNotFound
	}
	return answer{status: http.StatusOK, bytes: a.zip, kind: "application/zip"}, nil
}

// decide is an App's answer to a deployment that waits for it. Without a state
// it is a comment.
func (c *call) decide(x *workflowRun) (answer, error) {
	var q struct {
		Environment string `json:"environment_name"`
		State       string
		Comment     string
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	for _, w := range x.waiting {
		if w.environment.name != q.Environment || w.state != "waiting" || c.actor.app == nil || !w.pending[c.actor.app.id] {
			continue
		}
		if q.Comment != "" {
			w.comments = append(w.comments, q.Comment)
		}
		switch q.State {
		case "approved":
			delete(w.pending, c.actor.app.id)
		case "rejected":
			w.state = "rejected"
		case "":
			if q.Comment == "" {
				return answer{}, unprocessable("comment is required")
			}
		default:
			return answer{}, unprocessable("state is not one of approved, rejected")
		}
		c.s.tell(c.repo, "deployment_decision", c.actor.user.login, fields{"run": x.id, "environment": q.Environment, "state": q.State})
		c.s.settle(x)
		return empty()
	}
	return answer{}, unprocessable("No pending deployment of this run waits for this App")
}
