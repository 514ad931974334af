package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

type environment struct {
	id      int64
	name    string
	guards  []*app
	created time.Time
}

func (e *environment) guardedBy(a *app) bool { return slices.Contains(e.guards, a) }

type deployment struct {
	id          int64
	head        string
	ref         string
	task        string
	environment string
	description string
	payload     any
	creator     *account
	via         *app
	created     time.Time
	run         int64
	statuses    []*deploymentStatus
}

type deploymentStatus struct {
	id          int64
	state       string
	description string
	environment string
	logURL      string
	by          *account
	via         *app
	at          time.Time
}

func (s *Server) environment(r *repo, name string) *environment {
	e := r.environments[name]
	if e == nil {
		e = &environment{id: s.next("environment"), name: name, created: s.now()}
		r.environments[name] = e
	}
	return e
}

// Guard makes an App decide on deployments to an environment.
func (r *Repo) Guard(environment string, a *App) {
	defer r.s.lock()()
	e := r.s.environment(r.r, environment)
	e.guards = append(e.guards, a.a)
}

// DeploymentView is a deployment as it is now.
type DeploymentView struct {
	ID                             int64
	Environment, Head, Description string
	States                         []string // oldest first
	Payload                        any      // as it was given
}

// Deployments lists the deployments, oldest first.
func (r *Repo) Deployments() []DeploymentView {
	defer r.s.lock()()
	var out []DeploymentView
	for _, d := range r.r.deployments {
		v := DeploymentView{ID: d.id, Environment: d.environment, Head: d.head, Description: d.description, Payload: d.payload}
		for _, st := range d.statuses {
			v.States = append(v.States, st.state)
		}
		out = append(out, v)
	}
	return out
}

// SetDeploymentStatus reports on a deployment as a person or a trainer's account.
func (r *Repo) SetDeploymentStatus(by string, id int64, state, description, logURL string) {
	defer r.s.lock()()
	for _, d := range r.r.deployments {
		if d.id == id {
			r.s.addStatus(r.r, d, r.s.account(by), nil, &deploymentStatus{state: state, description: description, logURL: logURL})
		}
	}
}

func (s *Server) newDeployment(r *repo, by *account, via *app, head, env string, payload any) *deployment {
	d := &deployment{id: s.next("deployment"), head: head, ref: head, task: "deploy", environment: env, payload: payload, creator: by, via: via, created: s.stamp()}
	s.environment(r, env)
	r.deployments = append(r.deployments, d)
	return d
}

func (s *Server) addStatus(r *repo, d *deployment, by *account, via *app, st *deploymentStatus) {
	st.id, st.by, st.via, st.at = s.next("deployment status"), by, via, s.stamp()
	st.environment = d.environment
	d.statuses = append(d.statuses, st)
	s.tell(r, "deployment_status", by.login, fields{"deployment": d.id, "state": st.state})
	s.emit(r, "deployment_status", by, fields{"action": "created", "deployment": s.showDeployment(r, d), "deployment_status": s.showDeploymentStatus(r, d, st)})
}

func (s *Server) showDeployment(r *repo, d *deployment) fields {
	u := s.api(fmt.Sprintf("repos/%s/deployments/%d", r.full(), d.id))
	return fields{
		"id": d.id, "node_id": nodeID("DE", d.id), "url": u, "sha": d.head, "ref": d.ref, "task": d.task, "payload": d.payload,
		"original_environment": d.environment, "environment": d.environment, "description": orNull(d.description), "creator": s.showUser(d.creator),
		"created_at": stampOf(d.created), "updated_at": stampOf(d.created), "statuses_url": u + "/statuses", "repository_url": s.api("repos/" + r.full()),
		"transient_environment": false, "production_environment": false, "performed_via_github_app": s.viaApp(d.via),
	}
}

func (s *Server) showDeploymentStatus(r *repo, d *deployment, st *deploymentStatus) fields {
	u := s.api(fmt.Sprintf("repos/%s/deployments/%d", r.full(), d.id))
	return fields{
		"id": st.id, "node_id": nodeID("DES", st.id), "url": u + "/statuses/" + strconv.FormatInt(st.id, 10), "state": st.state, "creator": s.showUser(st.by),
		"description": st.description, "environment": st.environment, "target_url": st.logURL, "log_url": st.logURL, "environment_url": "",
		"created_at": stampOf(st.at), "updated_at": stampOf(st.at), "deployment_url": u, "repository_url": s.api("repos/" + r.full()),
		"performed_via_github_app": s.viaApp(st.via),
	}
}

func (s *Server) showEnvironment(r *repo, e *environment) fields {
	u := s.api("repos/" + r.full() + "/environments/" + e.name)
	return fields{
		"id": e.id, "node_id": nodeID("EN", e.id), "name": e.name, "url": u, "html_url": s.html(r.full() + "/deployments/activity_log?environments_filter=" + e.name),
		"created_at": stampOf(e.created), "updated_at": stampOf(e.created), "protection_rules": []fields{}, "deployment_branch_policy": nil,
	}
}

func (s *Server) environmentRoutes() []*route {
	const base = "/repos/{owner}/{repo}/environments"
	withEnv := func(do func(*call, *environment) (answer, error)) handler {
		return func(c *call) (answer, error) {
			e := c.repo.environments[c.params["environment_name"]]
			if e == nil {
				return answer{}, errNotFound
			}
			return do(c, e)
		}
	}
	return []*route{
		{method: "GET", template: base, operation: "repos/get-all-environments", needs: "actions:read", do: func(c *call) (answer, error) {
			names := sortedKeys(c.repo.environments)
			return ok(fields{"total_count": len(names), "environments": list(page(c, names), func(n string) fields { return c.s.showEnvironment(c.repo, c.repo.environments[n]) })})
		}},
		{method: "GET", template: base + "/{environment_name}", operation: "repos/get-environment", needs: "actions:read", do: withEnv(func(c *call, e *environment) (answer, error) {
			return ok(c.s.showEnvironment(c.repo, e))
		})},
		{method: "GET", template: base + "/{environment_name}/deployment_protection_rules", operation: "repos/get-all-deployment-protection-rules", needs: "actions:read", do: withEnv(func(c *call, e *environment) (answer, error) {
			rules := list(e.guards, func(a *app) fields {
				return fields{
					"id": a.id, "node_id": nodeID("GA", a.id), "enabled": true,
					"app": fields{"id": a.id, "slug": a.slug, "integration_url": c.s.api("apps/" + a.slug), "node_id": nodeID("A", a.id)},
				}
			})
			return ok(fields{"total_count": len(rules), "custom_deployment_protection_rules": rules})
		})},
	}
}

var deploymentStates = []string{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}

func (s *Server) deploymentRoutes() []*route {
	const base = "/repos/{owner}/{repo}/deployments"
	with := func(do func(*call, *deployment) (answer, error)) handler {
		return func(c *call) (answer, error) {
			for _, d := range c.repo.deployments {
				if d.id == c.number("deployment_id") {
					return do(c, d)
				}
			}
			return answer{}, errNotFound
		}
	}
	return []*route{
		{method: "GET", template: base, operation: "repos/list-deployments", needs: "deployments:read", do: func(c *call) (answer, error) {
			var out []*deployment
			for _, d := range c.repo.deployments {
				if (c.query("environment") == "" || c.query("environment") == d.environment) && (c.query("sha") == "" || c.query("sha") == d.head) &&
					(c.query("ref") == "" || c.query("ref") == d.ref) && (c.query("task") == "" || c.query("task") == d.task) {
					out = append(out, d)
				}
			}
			slices.Reverse(out)
			return ok(list(page(c, out), func(d *deployment) fields { return c.s.showDeployment(c.repo, d) }))
		}},
		{method: "POST", template: base, operation: "repos/create-deployment", needs: "deployments:write", do: func(c *call) (answer, error) {
			var q struct {
				Ref, Task, Environment, Description string
				Payload                             any
				RequiredContexts                    *[]string `json:"required_contexts"`
			}
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			head := c.resolve(q.Ref)
			if head == "" {
				return answer{}, unprocessable("No ref found for: " + q.Ref)
			}
			if q.Environment == "" {
				q.Environment = "production"
			}
			if q.RequiredContexts == nil {
				for _, run := range latestRuns(c.repo.runs) {
					if run.head == head && !c.s.checkPassed(c.repo, head, run.name) {
						return answer{}, &failure{status: http.StatusConflict, message: "Conflict: Commit status checks failed for " + q.Ref + "."}
					}
				}
			}
			d := c.s.newDeployment(c.repo, c.actor.user, c.actor.app, head, q.Environment, q.Payload)
			d.ref, d.description = q.Ref, q.Description
			if q.Task != "" {
				d.task = q.Task
			}
			if d.payload == nil {
				d.payload = fields{}
			}
			c.s.tell(c.repo, "deployment", c.actor.user.login, fields{"id": d.id, "environment": d.environment})
			c.s.emit(c.repo, "deployment", c.actor.user, fields{"action": "created", "deployment": c.s.showDeployment(c.repo, d)})
			return created(c.s.showDeployment(c.repo, d))
		}},
		{method: "GET", template: base + "/{deployment_id}", operation: "repos/get-deployment", needs: "deployments:read", do: with(func(c *call, d *deployment) (answer, error) {
			return ok(c.s.showDeployment(c.repo, d))
		})},
		{method: "GET", template: base + "/{deployment_id}/statuses", operation: "repos/list-deployment-statuses", needs: "deployments:read", do: with(func(c *call, d *deployment) (answer, error) {
			out := slices.Clone(d.statuses)
			slices.Reverse(out)
			return ok(list(page(c, out), func(st *deploymentStatus) fields { return c.s.showDeploymentStatus(c.repo, d, st) }))
		})},
		{method: "POST", template: base + "/{deployment_id}/statuses", operation: "repos/create-deployment-status", needs: "deployments:write", do: with((*call).createDeploymentStatus)},
	}
}

// createDeploymentStatus: a success makes the environment's earlier
// deployments inactive, unless told not to.
func (c *call) createDeploymentStatus(d *deployment) (answer, error) {
	var q struct {
		State, Description string
		LogURL             string `json:"log_url"`
		TargetURL          string `json:"target_url"`
		AutoInactive       *bool  `json:"auto_inactive"`
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if !slices.Contains(deploymentStates, q.State) {
		return answer{}, invalid("DeploymentStatus", "state", "invalid", "")
	}
	if q.LogURL == "" {
		q.LogURL = q.TargetURL
	}
	st := &deploymentStatus{state: q.State, description: q.Description, logURL: q.LogURL}
	c.s.addStatus(c.repo, d, c.actor.user, c.actor.app, st)
	if q.State == "success" && (q.AutoInactive == nil || *q.AutoInactive) {
		for _, other := range c.repo.deployments {
			n := len(other.statuses)
			if other != d && other.environment == d.environment && n > 0 && other.statuses[n-1].state == "success" {
				c.s.addStatus(c.repo, other, c.actor.user, c.actor.app, &deploymentStatus{state: "inactive"})
			}
		}
	}
	return created(c.s.showDeploymentStatus(c.repo, d, st))
}
