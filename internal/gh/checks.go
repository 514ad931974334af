package gh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/queue"
)

const (
	// annotationsAtOnce is GitHub's limit of a request; further ones are appended.
	annotationsAtOnce = 50
	// runsAtOnce bounds one mutation: a request's several checks, and no more
	// text than GitHub takes in a body.
	runsAtOnce = 16
)

// pendingRun is a run on its way: what is still to be sent of it.
type pendingRun struct {
	effect.Run
	rest []effect.Annotation
}

// runs creates and updates check runs, all of them in one mutation; those with
// more than 50 annotations take part in further ones. GitHub carries out a
// mutation's fields one after the other, and one may fail alone.
func (w *writing) runs(ctx context.Context, runs []effect.Run) error {
	var failed []error
	var todo []pendingRun
	for _, r := range runs {
		todo = append(todo, pendingRun{r, r.Annotations})
	}
	for len(todo) > 0 {
		batch := todo[:min(len(todo), runsAtOnce)]
		todo = todo[len(batch):]
		more, err := w.batch(ctx, batch)
		if err != nil {
			if class, _ := queue.Classify(err); class != queue.ClassOurs || !isRefused(err) {
				return err
			}
			failed = append(failed, err)
		}
		todo = append(todo, more...)
	}
	return errors.Join(failed...)
}

func (w *writing) batch(ctx context.Context, batch []pendingRun) ([]pendingRun, error) {
	var declared, fields strings.Builder
	vars := map[string]any{}
	for i := range batch {
		r := &batch[i]
		now := r.rest[:min(len(r.rest), annotationsAtOnce)]
		r.rest = r.rest[len(now):]
		input := w.runInput(r.Run, now)
		name, kind := "createCheckRun", "CreateCheckRunInput"
		if r.NodeID != "" {
			name, kind = "updateCheckRun", "UpdateCheckRunInput"
			input["checkRunId"] = r.NodeID
		} else {
			input["headSha"] = r.Head
		}
		vars[fmt.Sprintf("i%d", i)] = input
		fmt.Fprintf(&declared, "$i%d: %s!, ", i, kind)
		fmt.Fprintf(&fields, "  r%d: %s(input: $i%d) { checkRun { id } }\n", i, name, i)
	}
	text := "mutation CheckRuns(" + strings.TrimSuffix(declared.String(), ", ") + ") {\n" + fields.String() + "}"
	var out map[string]*struct{ CheckRun *struct{ ID string } }
	errs, err := w.mutate(ctx, "CheckRuns", text, vars, &out)
	if err != nil {
		return nil, err
	}
	why := map[string]queryError{}
	for _, e := range errs {
		if len(e.Path) > 0 {
			if alias, ok := e.Path[0].(string); ok {
				why[alias] = e
			}
		}
	}
	var more []pendingRun
	var failed []error
	for i, r := range batch {
		alias := fmt.Sprintf("r%d", i)
		if e, ok := why[alias]; ok {
			failed = append(failed, w.runError(r.Run, e))
			continue
		}
		if out[alias] == nil || out[alias].CheckRun == nil {
			failed = append(failed, queue.Transient(&Unclear{fmt.Errorf("%s: answer without the run", r.Name)}, 0))
			continue
		}
		if len(r.rest) > 0 {
			r.NodeID = out[alias].CheckRun.ID
			more = append(more, r)
		}
	}
	return more, errors.Join(failed...)
}

func (w *writing) runError(r effect.Run, e queryError) error {
	switch e.Type {
	case "NOT_FOUND": // the run or the commit was there a moment ago
		return queue.Transient(&Conflict{fmt.Sprintf("%s: %s", r.Name, redact(e.Message))}, 0)
	case "RATE_LIMITED":
		return queue.Transient(fmt.Errorf("%s: %s", r.Name, redact(e.Message)), secondaryWait)
	case "FORBIDDEN", "UNPROCESSABLE":
		return &Refused{What: "check run " + r.Name, Why: redact(e.Message)}
	}
	if strings.Contains(e.Message, "Something went wrong") { // GitHub's own time-out
		return queue.Transient(&Unclear{fmt.Errorf("%s: %s", r.Name, redact(e.Message))}, 0)
	}
	return &Refused{What: "check run " + r.Name, Why: redact(e.Message)}
}

// runInput is the part that creating and updating have in common.
func (w *writing) runInput(r effect.Run, annotations []effect.Annotation) map[string]any {
	output := map[string]any{"title": r.Title, "summary": r.Summary}
	if r.Text != "" {
		output["text"] = r.Text
	}
	if len(annotations) > 0 {
		list := make([]map[string]any, len(annotations))
		for i, a := range annotations {
			list[i] = annotation(a)
		}
		output["annotations"] = list
	}
	in := map[string]any{
		"repositoryId": w.repo.NodeID, "name": r.Name, "externalId": r.ExternalID,
		"status": strings.ToUpper(r.Status), "output": output,
	}
	if r.Conclusion != "" {
		in["conclusion"] = strings.ToUpper(r.Conclusion)
	}
	if !r.CompletedAt.IsZero() {
		in["completedAt"] = r.CompletedAt.UTC().Format(time.RFC3339)
	}
	if r.DetailsURL != "" {
		in["detailsUrl"] = r.DetailsURL
	}
	if len(r.Actions) > 0 {
		actions := make([]map[string]any, len(r.Actions))
		for i, a := range r.Actions {
			actions[i] = map[string]any{"label": a.Label, "description": a.Description, "identifier": a.Identifier}
		}
		in["actions"] = actions
	}
	return in
}

func annotation(a effect.Annotation) map[string]any {
	line, end := max(1, a.Line), max(1, a.Line, a.EndLine)
	at := map[string]any{"startLine": line, "endLine": end}
	if line == end && a.Column > 0 { // GitHub takes columns on a single line only
		at["startColumn"], at["endColumn"] = a.Column, max(a.Column, a.EndColumn)
	}
	out := map[string]any{
		"path": a.Path, "location": at, "annotationLevel": strings.ToUpper(a.Level), "message": a.Message,
	}
	if a.Title != "" {
		out["title"] = a.Title
	}
	return out
}
