package gh

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// wireWorkflowRun is what is read of a workflow run.
type wireWorkflowRun struct {
	ID              int64        `json:"id"`
	Attempt         int          `json:"run_attempt"`
	Event           string       `json:"event"`
	Path            string       `json:"path"`
	HeadSHA         string       `json:"head_sha"`
	HeadBranch      string       `json:"head_branch"`
	Status          string       `json:"status"`
	Conclusion      string       `json:"conclusion"`
	Title           string       `json:"display_title"`
	CreatedAt       time.Time    `json:"created_at"`
	UpdatedAt       time.Time    `json:"updated_at"`
	URL             string       `json:"html_url"`
	Actor           *wireAccount `json:"actor"`
	TriggeringActor *wireAccount `json:"triggering_actor"`
	HeadRepository  *struct {
		ID int64 `json:"id"`
	} `json:"head_repository"`
	Referenced []struct {
		Path string `json:"path"`
		SHA  string `json:"sha"`
	} `json:"referenced_workflows"`
}

// wireAccount is an account in a REST answer.
type wireAccount struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

func (a *wireAccount) facts() facts.Account {
	if a == nil || a.Login == "" {
		return facts.Account{Login: "ghost"}
	}
	return facts.Account{ID: a.ID, Login: a.Login, Type: a.Type}
}

func (w wireWorkflowRun) facts() facts.Run {
	file, _, _ := strings.Cut(w.Path, "@") // GitHub adds the ref where it is another
	out := facts.Run{
		ID: w.ID, Attempt: w.Attempt, Event: w.Event, Path: file, HeadOID: w.HeadSHA, HeadBranch: w.HeadBranch,
		Status: w.Status, Conclusion: w.Conclusion, Actor: w.Actor.facts(), Trigger: w.TriggeringActor.facts(),
		Title: w.Title, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, URL: w.URL,
	}
	if w.HeadRepository != nil {
		out.HeadRepo = w.HeadRepository.ID
	}
	for _, r := range w.Referenced {
		out.Referenced = append(out.Referenced, facts.Referenced{Path: r.Path, OID: r.SHA})
	}
	return out
}

type wireRuns struct {
	Runs []wireWorkflowRun `json:"workflow_runs"`
}

func (w wireRuns) facts() []facts.Run {
	var out []facts.Run
	for _, r := range w.Runs {
		out = append(out, r.facts())
	}
	return out
}

// workflowFolder holds all of a repository's workflows.
const workflowFolder = ".github/workflows/"

// runs are the newest hundred runs of a workflow file.
func (f *filling) runs(ctx context.Context, file string) (facts.Workflow, error) {
	name, ok := strings.CutPrefix(file, workflowFolder)
	if !ok || name == "" || strings.Contains(name, "/") || path.Clean(file) != file {
		return facts.Workflow{Absent: true}, nil // GitHub runs no such file
	}
	var got wireRuns
	_, err := f.call("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs").get(ctx,
		f.path("actions/workflows/%s/runs?per_page=100", url.PathEscape(name)), &got)
	switch {
	case isAbsent(err):
		return facts.Workflow{Absent: true}, nil
	case err != nil:
		return facts.Workflow{}, err
	}
	return facts.Workflow{Runs: got.facts()}, nil
}

// runsNamed are those of our App's runs of a workflow that have a word in their
// title. One that was found is asked for by its id from then on: a hundred runs
// are a megabyte, and it may have left the newest hundred. Of several it is the
// earliest; ids grow, so that no earlier one is found later.
func (f *filling) runsNamed(ctx context.Context, file, word string) (facts.Workflow, error) {
	app, err := f.client.App(ctx)
	if err != nil {
		return facts.Workflow{}, err
	}
	key := object{f.to.Repository.ID, file + " " + word}
	if id, ok := f.client.runsFound.get(key); ok {
		run, err := f.run(ctx, id, 0)
		if err != nil {
			return facts.Workflow{}, err
		}
		if run.ID == id {
			return facts.Workflow{Runs: []facts.Run{run}}, nil
		}
		f.client.runsFound.remove(key) // deleted
	}
	all, err := f.runs(ctx, file)
	if err != nil || all.Absent {
		return all, err
	}
	all.Runs = slices.DeleteFunc(all.Runs, func(r facts.Run) bool { return !r.ByApp(app) || !r.Named(word) })
	if n := len(all.Runs); n > 0 {
		f.client.runsFound.put(key, all.Runs[n-1].ID, 4)
	}
	return all, nil
}

func (f *filling) run(ctx context.Context, id int64, attempt int) (facts.Run, error) {
	var got wireWorkflowRun
	var err error
	if attempt == 0 {
		_, err = f.call("GET /repos/{owner}/{repo}/actions/runs/{run_id}").get(ctx, f.path("actions/runs/%d", id), &got)
	} else {
		_, err = f.call("GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}").get(ctx, f.path("actions/runs/%d/attempts/%d", id, attempt), &got)
	}
	switch {
	case isAbsent(err):
		return facts.Run{}, nil
	case err != nil:
		return facts.Run{}, err
	}
	return got.facts(), nil
}

// waiting are the newest hundred runs, of any workflow, that wait.
func (f *filling) waiting(ctx context.Context) (facts.Waiting, error) {
	var got wireRuns
	_, err := f.call("GET /repos/{owner}/{repo}/actions/runs").get(ctx, f.path("actions/runs?status=waiting&per_page=100"), &got)
	switch {
	case isAbsent(err): // Actions are switched off
		return facts.Waiting{}, nil
	case err != nil:
		return facts.Waiting{}, err
	}
	return facts.Waiting{Runs: got.facts()}, nil
}

// pending are the environments that a run waits for; a run that waits for
// nothing, or is gone, has none.
func (f *filling) pending(ctx context.Context, id int64) (facts.Pending, error) {
	var got []struct {
		Environment struct {
			Name string `json:"name"`
		} `json:"environment"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments").get(ctx, f.path("actions/runs/%d/pending_deployments", id), &got)
	switch {
	case isAbsent(err):
		return facts.Pending{}, nil
	case err != nil:
		return facts.Pending{}, err
	}
	var out facts.Pending
	for _, p := range got {
		out.Environments = append(out.Environments, p.Environment.Name)
	}
	return out, nil
}

// guard tells whether our App is among the environment's protection rules.
func (f *filling) guard(ctx context.Context, environment string) (facts.Guard, error) {
	us, err := f.client.App(ctx)
	if err != nil {
		return facts.Guard{}, err
	}
	key := object{f.to.Repository.ID, environment}
	if until, ok := f.client.guards.get(key); ok && f.client.now().Before(until) {
		return facts.Guard{Ours: true}, nil
	}
	var got struct {
		Rules []struct {
			Enabled bool `json:"enabled"`
			App     struct {
				ID   int64  `json:"id"`
				Slug string `json:"slug"`
			} `json:"app"`
		} `json:"custom_deployment_protection_rules"`
	}
	_, err = f.call("GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules").get(ctx,
		f.path("environments/%s/deployment_protection_rules", url.PathEscape(environment)), &got)
	switch {
	case isAbsent(err): // no such environment, or a plan without protection rules
		return facts.Guard{}, nil
	case isRefused(err):
		return facts.Guard{Ours: true}, nil
	case err != nil:
		return facts.Guard{}, err
	}
	for _, r := range got.Rules {
		if r.Enabled && (r.App.ID == us.ID || r.App.Slug+"[bot]" == us.Login) {
			f.client.guards.put(key, f.client.now().Add(guardLifetime), 1)
			return facts.Guard{Ours: true}, nil
		}
	}
	return facts.Guard{}, nil
}

// guardLifetime is how long an environment is taken for guarded without asking.
// That it is not guarded is asked each time: then we may start a run.
const guardLifetime = 60 * time.Second

// answerRuns answers what is asked of workflow runs.
func (f *filling) answerRuns(ctx context.Context, n facts.Need) error {
	switch n.Kind {
	case facts.NeedRuns:
		if n.Title != "" {
			v, err := f.runsNamed(ctx, n.Path, n.Title)
			return kept(f, f.to.Workflows, n, v, err)
		}
		v, err := f.runs(ctx, n.Path)
		return kept(f, f.to.Workflows, n, v, err)
	case facts.NeedRun:
		v, err := f.run(ctx, n.ID, n.Attempt)
		return kept(f, f.to.Runs, n, v, err)
	case facts.NeedWaiting:
		v, err := f.waiting(ctx)
		return kept(f, f.to.Waiting, n, v, err)
	case facts.NeedPending:
		v, err := f.pending(ctx, n.ID)
		return kept(f, f.to.Pending, n, v, err)
	case facts.NeedArtifacts:
		v, err := f.artifacts(ctx, n.ID)
		return kept(f, f.to.Artifacts, n, v, err)
	case facts.NeedArtifact:
		v, err := f.artifact(ctx, n.ID)
		return kept(f, f.to.Contents, n, v, err)
	case facts.NeedClaim:
		v, err := f.claim(ctx, n.Ref)
		return kept(f, f.to.Claims, n, v, err)
	case facts.NeedGuard:
		v, err := f.guard(ctx, n.Environment)
		return kept(f, f.to.Guards, n, v, err)
	}
	return errors.New("no such kind of need")
}

// kept writes one answer, if there is one.
func kept[V any](f *filling, m map[string]V, n facts.Need, v V, err error) error {
	if err == nil {
		set(f, m, n, v)
	}
	return err
}
