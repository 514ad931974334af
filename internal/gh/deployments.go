package gh

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// tagName tells whether git allows a tag to be called so; nothing else gets
// into a URL.
func tagName(tag string) bool {
	return tag != "" && !strings.ContainsAny(tag, " ~^:?*[\\") && !strings.Contains(tag, "..")
}

// tagNames are the repository's tags, the first page of them: they explain why
// a release is still awaited, and decide nothing.
func (f *filling) tagNames(ctx context.Context) ([]string, error) {
	var got []struct{ Name string }
	_, err := f.call("GET /repos/{owner}/{repo}/tags").get(ctx, f.path("tags?per_page=100"), &got)
	if isAbsent(err) || isEmptyRepository(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(got))
	for _, t := range got {
		out = append(out, t.Name)
	}
	return out, nil
}

func (f *filling) release(ctx context.Context, tag string) (facts.Release, error) {
	if !tagName(tag) {
		return facts.Release{Absent: true}, nil
	}
	var got github.RepositoryRelease
	_, err := f.call("GET /repos/{owner}/{repo}/releases/tags/{tag}").get(ctx, f.path("releases/tags/%s", url.PathEscape(tag)), &got)
	switch {
	case isAbsent(err):
		return facts.Release{Absent: true}, nil
	case err != nil:
		return facts.Release{}, err
	}
	return facts.Release{Draft: got.GetDraft(), Prerelease: got.GetPrerelease(), URL: got.GetHTMLURL()}, nil
}

// payload is ours under a key of its own, beside what others may put there.
type payload struct {
	Pilotgate facts.Deployed       `json:"pilotgate,omitzero"`
	Training  *facts.TrainingOrder `json:"pilotgate_training,omitempty"`
}

// deployments are those that our App made in an environment, the newest first,
// with the newest's state. Others' deployments with our payload are theirs.
func (f *filling) deployments(ctx context.Context, environment string) ([]facts.Deployment, error) {
	var got []struct {
		ID        int64
		SHA       string
		CreatedAt time.Time `json:"created_at"`
		Payload   json.RawMessage
		By        *struct{ ID int64 } `json:"performed_via_github_app"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/deployments").get(ctx, f.path("deployments?environment=%s&per_page=100", url.QueryEscape(environment)), &got)
	if isAbsent(err) {
		return []facts.Deployment{}, nil
	}
	if err != nil {
		return nil, err
	}
	out := []facts.Deployment{}
	for _, d := range got {
		if d.By == nil || d.By.ID != f.to.App.ID {
			continue
		}
		p := deployed(d.Payload)
		out = append(out, facts.Deployment{ID: d.ID, Commit: d.SHA, CreatedAt: d.CreatedAt, Deployed: p.Pilotgate, Training: p.Training})
	}
	if len(out) == 0 {
		return out, nil
	}
	var statuses []struct{ State string }
	if _, err := f.call("GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses").get(ctx,
		f.path("deployments/%d/statuses?per_page=1", out[0].ID), &statuses); err != nil && !isAbsent(err) {
		return nil, err
	}
	if len(statuses) > 0 {
		out[0].State = statuses[0].State
	}
	return out, nil
}

// deployed reads a payload; GitHub hands it back as it was given, or as a string of it.
func deployed(raw json.RawMessage) payload {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var p payload
	if json.Unmarshal(raw, &p) != nil {
		return payload{}
	}
	return p
}

// reports are a deployment's newest statuses, at most a page of 100.
func (f *filling) reports(ctx context.Context, id int64) ([]facts.Report, error) {
	var got []struct {
		State       string
		Description string
		CreatedAt   time.Time `json:"created_at"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses").get(ctx, f.path("deployments/%d/statuses?per_page=100", id), &got)
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	out := []facts.Report{}
	for _, s := range got {
		out = append(out, facts.Report{State: s.State, Description: s.Description, At: s.CreatedAt})
	}
	return out, nil
}

// order asks a trainer: a deployment that nobody but the trainer reports on.
func (w *writing) order(ctx context.Context, e effect.Order) error {
	no, contexts := false, []string{}
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/deployments", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Repositories.CreateDeployment(ctx, w.repo.Owner, w.repo.Name, &github.DeploymentRequest{
			Ref: &e.Commit, Task: github.String("train"), AutoMerge: &no, RequiredContexts: &contexts, Environment: &e.Environment,
			Description: &e.Description, Payload: payload{Training: &e.Order}, ProductionEnvironment: &no,
		})
		return err
	}))
}

func (w *writing) deployment(ctx context.Context, e effect.Deployment) error {
	id := e.ID
	if id == 0 {
		auto, contexts := false, []string{}
		err := w.send(ctx, "POST /repos/{owner}/{repo}/deployments", func(ctx context.Context, rest *github.Client) error {
			made, _, err := rest.Repositories.CreateDeployment(ctx, w.repo.Owner, w.repo.Name, &github.DeploymentRequest{
				Ref: &e.Commit, Task: github.String("deploy"), AutoMerge: &auto, RequiredContexts: &contexts, Environment: &e.Environment,
				Description: &e.Description, Payload: payload{Pilotgate: e.Deployed}, ProductionEnvironment: &auto,
			})
			id = made.GetID()
			return err
		})
		if err != nil {
			return overtaken(err)
		}
		if id == 0 {
			return fmt.Errorf("create deployment: an answer without an id")
		}
	}
	inactive := true
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Repositories.CreateDeploymentStatus(ctx, w.repo.Owner, w.repo.Name, id, &github.DeploymentStatusRequest{
			State: github.String("success"), Description: &e.Description, AutoInactive: &inactive,
		})
		return err
	}))
}
