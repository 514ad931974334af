package gh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/queue"
)

var claimName = form.Of("a-z0-9", "a-z0-9-", 200)

// isClaim tells whether a ref is of the only kind that a claim may have.
func isClaim(ref string) bool {
	rest, ok := strings.CutPrefix(ref, "refs/pilotgate/")
	pilot, claim, both := strings.Cut(rest, "/")
	return ok && both && form.Pilot(pilot) && claimName(claim)
}

// maxClaim caps a claim's message, in bytes.
const maxClaim = 4 << 10

func (f *filling) claim(ctx context.Context, ref string) (facts.Claim, error) {
	if !isClaim(ref) {
		return facts.Claim{}, fmt.Errorf("no name of a claim: %.80q", ref)
	}
	var at github.Reference
	_, err := f.call("GET /repos/{owner}/{repo}/git/ref/{ref}").get(ctx, f.path("git/ref/%s", escapePath(strings.TrimPrefix(ref, "refs/"))), &at)
	switch {
	case isAbsent(err), isEmptyRepository(err):
		return facts.Claim{Absent: true}, nil
	case err != nil:
		return facts.Claim{}, err
	}
	out := facts.Claim{OID: at.GetObject().GetSHA()}
	if at.GetObject().GetType() != "commit" || !isOID(out.OID) {
		return out, nil // somebody else's: it claims nothing that can be read
	}
	var commit struct {
		Message   string `json:"message"`
		Committer struct {
			Date time.Time `json:"date"`
		} `json:"committer"`
	}
	_, err = f.call("GET /repos/{owner}/{repo}/git/commits/{commit_sha}").get(ctx, f.path("git/commits/%s", out.OID), &commit)
	switch {
	case isAbsent(err):
		return out, nil
	case err != nil:
		return facts.Claim{}, err
	}
	if len(commit.Message) <= maxClaim {
		out.Message = commit.Message
	}
	out.At = commit.Committer.Date
	return out, nil
}

// claim makes a commit with the tip's own files, which says what is claimed,
// and points the ref at it. The ref can be made once: whoever comes second
// looks again.
func (w *writing) claim(ctx context.Context, e effect.Claim) error {
	if !isClaim(e.Ref) || len(e.Message) > maxClaim {
		return fmt.Errorf("no claim: %.80q", e.Ref)
	}
	tree, err := w.treeOf(ctx, e.Parent)
	if err != nil {
		return overtaken(err)
	}
	var made *github.Commit
	err = w.send(ctx, "POST /repos/{owner}/{repo}/git/commits", func(ctx context.Context, rest *github.Client) (err error) {
		made, _, err = rest.Git.CreateCommit(ctx, w.repo.Owner, w.repo.Name, &github.Commit{
			Message: &e.Message, Tree: &github.Tree{SHA: &tree}, Parents: []*github.Commit{{SHA: &e.Parent}},
		}, nil)
		return err
	})
	if err != nil {
		return overtaken(err)
	}
	err = w.send(ctx, "POST /repos/{owner}/{repo}/git/refs", func(ctx context.Context, rest *github.Client) error {
		_, _, err := rest.Git.CreateRef(ctx, w.repo.Owner, w.repo.Name, &github.Reference{Ref: &e.Ref, Object: &github.GitObject{SHA: made.SHA}})
		return err
	})
	var refused *Refused
	var unclear *Unclear
	switch {
	case errors.As(err, &refused) && strings.Contains(refused.Why, "already exists"):
		return queue.Transient(&Conflict{refused.Error()}, 0)
	case errors.As(err, &unclear): // what it let happen would be lost: was it made by us?
		var at github.Reference
		_, lost := w.client.call(w.inst, "GET /repos/{owner}/{repo}/git/ref/{ref}").get(ctx,
			fmt.Sprintf("repos/%s/%s/git/ref/%s", w.repo.Owner, w.repo.Name, escapePath(strings.TrimPrefix(e.Ref, "refs/"))), &at)
		if lost == nil && at.GetObject().GetSHA() == made.GetSHA() {
			return nil
		}
	}
	return overtaken(err)
}

// treeOf is the id of a commit's tree.
func (w *writing) treeOf(ctx context.Context, commit string) (string, error) {
	if id, ok := w.client.roots.get(object{w.repo.ID, commit}); ok {
		return id, nil
	}
	var c github.Commit
	_, err := w.client.call(w.inst, "GET /repos/{owner}/{repo}/git/commits/{commit_sha}").get(ctx,
		fmt.Sprintf("repos/%s/%s/git/commits/%s", w.repo.Owner, w.repo.Name, commit), &c)
	return c.GetTree().GetSHA(), err
}

// dispatch starts a workflow. What it starts has no id in GitHub's answer; the
// claim that precedes it, and run-name, tell it.
func (w *writing) dispatch(ctx context.Context, e effect.Dispatch) error {
	inputs := make(map[string]any, len(e.Inputs))
	for k, v := range e.Inputs {
		inputs[k] = v
	}
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", func(ctx context.Context, rest *github.Client) error {
		_, err := rest.Actions.CreateWorkflowDispatchEventByFileName(ctx, w.repo.Owner, w.repo.Name, path.Base(e.Workflow),
			github.CreateWorkflowDispatchEventRequest{Ref: e.Ref, Inputs: inputs})
		return err
	}))
}

// decide answers a run that waits for an environment. The address is built
// here: the one that GitHub's event names is never called.
func (w *writing) decide(ctx context.Context, e effect.DecideDeployment) error {
	body := map[string]string{"environment_name": e.Environment, "comment": e.Comment}
	if e.State != "" {
		body["state"] = e.State
	}
	return overtaken(w.send(ctx, "POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule", func(ctx context.Context, rest *github.Client) error {
		req, err := rest.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/actions/runs/%d/deployment_protection_rule", w.repo.Owner, w.repo.Name, e.Run), body)
		if err != nil {
			return err
		}
		_, err = rest.Do(ctx, req, nil)
		return err
	}))
}
