package gh

import (
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/effect"
)

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
