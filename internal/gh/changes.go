package gh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/queue"
)

const (
	// annotationsAtOnce is GitHub's limit of a request; further ones are appended.
	annotationsAtOnce = 50
	// changesAtOnce bounds one mutation: a request's several checks, its comment
	// and what else changes, and no more text than GitHub takes in a body.
	changesAtOnce = 20
)

// change is an effect on its way, as one field of a mutation.
type change struct {
	effect effect.Effect
	name   string // of the mutation's field: "createCheckRun"
	input  map[string]any
	answer string              // what is asked of the answer
	rest   []effect.Annotation // that do not fit into this request
}

// reactions are GraphQL's names of REST's.
var reactions = map[string]string{"+1": "THUMBS_UP", "-1": "THUMBS_DOWN", "eyes": "EYES", "confused": "CONFUSED"}

// change turns an effect into a field; the others have requests of their own.
func (w *writing) change(e effect.Effect) (change, bool) {
	c := change{effect: e, answer: "clientMutationId"}
	switch e := e.(type) {
	case effect.Run:
		return w.runChange(e, e.Annotations), true
	case effect.Comment:
		c.name, c.input = "addComment", map[string]any{"subjectId": e.On, "body": e.Body}
		if e.ID != 0 {
			c.name, c.input = "updateIssueComment", map[string]any{"id": e.NodeID, "body": e.Body}
		}
	case effect.DeleteComment:
		c.name, c.input = "deleteIssueComment", map[string]any{"id": e.NodeID}
	case effect.Acknowledge:
		c.name, c.input = "addReaction", map[string]any{"subjectId": e.NodeID, "content": reactions[e.Content]}
	case effect.Ask:
		if len(e.Logins) > 0 || len(e.TeamIDs) == 0 { // of people no node id is known
			return c, false
		}
		c.name, c.input = "requestReviews", map[string]any{"pullRequestId": e.On, "teamIds": e.TeamIDs, "union": true}
	case effect.Dismiss:
		c.name, c.input = "dismissPullRequestReview", map[string]any{"pullRequestReviewId": e.NodeID, "message": e.Message}
	default:
		return c, false
	}
	return c, true
}

func (w *writing) runChange(r effect.Run, annotations []effect.Annotation) change {
	now := annotations[:min(len(annotations), annotationsAtOnce)]
	c := change{effect: r, name: "createCheckRun", input: w.runInput(r, now), answer: "checkRun { id }", rest: annotations[len(now):]}
	if r.NodeID != "" {
		c.name, c.input["checkRunId"] = "updateCheckRun", r.NodeID
	} else {
		c.input["headSha"] = r.Head
	}
	return c
}

// together makes changes, all of them in one mutation; runs with more than 50
// annotations take part in further ones. GitHub carries out a mutation's fields
// one after the other, and one may fail alone. What GitHub refuses does not
// keep the others back.
func (w *writing) together(ctx context.Context, changes []change) error {
	var refused []error
	for len(changes) > 0 {
		now := changes[:min(len(changes), changesAtOnce)]
		changes = changes[len(now):]
		more, errs := w.mutation(ctx, now)
		if slices.ContainsFunc(errs, ends) {
			return errors.Join(append(errs, refused...)...)
		}
		refused = append(refused, errs...)
		changes = append(changes, more...)
	}
	return errors.Join(refused...)
}

// ends tells whether an error ends the work: all but a refusal do.
func ends(err error) bool {
	class, _ := queue.Classify(err)
	return class != queue.ClassOurs || !isRefused(err)
}

// mutation sends changes and answers what is left to be sent of them, and what
// became of those that failed.
func (w *writing) mutation(ctx context.Context, changes []change) (more []change, failed []error) {
	d := newDocument("Changes")
	d.addChanges(changes)
	var out map[string]*changed
	errs, err := w.mutate(ctx, d.name, d.text(), d.vars, &out)
	if err != nil {
		return nil, []error{wrap(changes[0].effect, err)}
	}
	left, failures := w.outcome(changes, out, byAlias(errs))
	return left, w.wrapped(ctx, failures)
}

// changed is the answer to one change; of most nothing is asked.
type changed struct{ CheckRun *struct{ ID string } }

// failure is what became of a change.
type failure struct {
	effect effect.Effect
	error
}

func (w *writing) wrapped(ctx context.Context, failed []failure) []error {
	var out []error
	for _, x := range failed {
		err := x.error
		if ask, ok := x.effect.(effect.Ask); ok && isRefused(err) { // one of them refuses them all
			err = w.ask(ctx, ask)
		}
		if err != nil {
			out = append(out, wrap(x.effect, err))
		}
	}
	return out
}

func byAlias(errs []queryError) map[string]queryError {
	out := map[string]queryError{}
	for _, e := range errs {
		out[e.alias()] = e
	}
	return out
}

// outcome reads the answers to changes: what is left to be sent of them, and
// what failed.
func (w *writing) outcome(changes []change, out map[string]*changed, why map[string]queryError) (more []change, failed []failure) {
	for i, c := range changes {
		alias := fmt.Sprintf("c%d", i)
		var err error
		if e, bad := why[alias]; bad {
			err = c.failed(e)
		} else if out[alias] == nil || c.answer != "clientMutationId" && out[alias].CheckRun == nil {
			err = queue.Transient(&Unclear{errors.New("answer without it")}, 0)
		}
		if err != nil {
			failed = append(failed, failure{c.effect, err})
			continue
		}
		if run, ok := c.effect.(effect.Run); ok && len(c.rest) > 0 {
			run.NodeID = out[alias].CheckRun.ID
			more = append(more, w.runChange(run, c.rest))
		}
	}
	return more, failed
}

// mutationDocument is a mutation of several fields, each with an input of its own.
type mutationDocument struct {
	name     string
	declared []string
	fields   strings.Builder
	vars     map[string]any
}

func newDocument(name string) *mutationDocument {
	return &mutationDocument{name: name, vars: map[string]any{}}
}

// add puts a field in: createCheckRun takes a CreateCheckRunInput.
func (d *mutationDocument) add(alias, field, answer string, input map[string]any) {
	d.vars[alias] = input
	d.declared = append(d.declared, fmt.Sprintf("$%s: %s%sInput!", alias, strings.ToUpper(field[:1]), field[1:]))
	fmt.Fprintf(&d.fields, "  %s: %s(input: $%s) { %s }\n", alias, field, alias, answer)
}

func (d *mutationDocument) addChanges(changes []change) {
	for i, c := range changes {
		d.add(fmt.Sprintf("c%d", i), c.name, c.answer, c.input)
	}
}

func (d *mutationDocument) text() string {
	return "mutation " + d.name + "(" + strings.Join(d.declared, ", ") + ") {\n" + d.fields.String() + "}"
}

// failed sorts the error of one field.
func (c change) failed(e queryError) error {
	if _, gone := c.effect.(effect.DeleteComment); gone && e.Type == "NOT_FOUND" {
		return nil // as wanted
	}
	what := c.effect.Key()
	switch {
	case e.Type == "NOT_FOUND": // it was there a moment ago
		return queue.Transient(&Conflict{redact(what + ": " + e.Message)}, 0)
	case e.Type == "RATE_LIMITED":
		return queue.Transient(errors.New(redact(what+": "+e.Message)), secondaryWait)
	case strings.Contains(e.Message, "Something went wrong"): // GitHub's own time-out
		return queue.Transient(&Unclear{errors.New(redact(what + ": " + e.Message))}, 0)
	}
	return &Refused{What: what, Why: redact(e.Message)}
}
