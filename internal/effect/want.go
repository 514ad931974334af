package effect

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

// Wanted is how a pull request should look at GitHub.
type Wanted struct {
	Runs        []Run
	Comment     string // "": no comment of ours
	Ask         Ask
	Dismiss     []Dismiss
	Acknowledge []Acknowledge
	Replies     []Reply
	Issues      []Issue
	Suggest     *Suggest // on a fork: mends as suggested changes
	Start       *Start   // the run that confirms the dry run
	Looks       []facts.Subject
	Pilot       *Look // who takes over
}

// Want turns a verdict on a pull request into what GitHub should show. A
// merged request hands over to its pilot, its comment too; a closed one is left
// alone.
func Want(p *facts.PullRequest, v judge.Verdict) Wanted {
	words := render.Speak(v.Dossier.Policy.Language)
	var w Wanted
	if !p.Open {
		w.Looks = twins(p) // their check may be the newest again
		if p.Merge != nil && p.Base.Ref == p.Repository.DefaultBranch {
			wantMerged(p, v, words, &w)
		}
		return w
	}
	for _, c := range v.Checks {
		w.Runs = append(w.Runs, wantedRun(p, v, c.Name, c.Conclusion, words.Check(v, c), false))
	}
	w.Runs = append(w.Runs, wantedRun(p, v, judge.Approvals, v.Approvals, words.Approvals(v), true))
	if v.State == judge.NotGoverned || v.Why.Key == "own_append" {
		return w
	}
	w.Comment = words.Comment(v)
	w.Acknowledge, w.Replies = ordersAnswered(p, v, words)
	if v.State == judge.Observing {
		return w
	}
	w.Start = confirming(p, v)
	w.Suggest = suggested(p, v, words)
	w.Ask = asked(p, v)
	w.Issues = overridden(p, v, words)
	for _, r := range v.People.Reviews {
		if stale := r.Reason.Key == "other_digest" || r.Reason.Key == "expired"; stale && r.State == "APPROVED" && len(r.Roles) > 0 {
			w.Dismiss = append(w.Dismiss, Dismiss{Number: p.Number, ReviewID: r.ID, NodeID: r.NodeID, Message: words.Dismissal(r)})
		}
	}
	return w
}

// wantMerged hands a merged request over to the pilot that it brought or took
// away, and tells of it; once the sign-off is withdrawn there is nothing more to
// hand over.
func wantMerged(p *facts.PullRequest, v judge.Verdict, words *render.Words, w *Wanted) {
	pilot := func(id string) facts.Subject {
		return facts.Subject{Repository: p.Repository.ID, Kind: facts.KindPilot, ID: id}
	}
	if v.Pilot != "" {
		if !form.Pilot(v.Pilot) {
			return
		}
		signed, withdrawn := v.Dossier.SignedAs(v.Pilot, approval.Published(p))
		// The pilot tells that it is signed off; where we push that ourselves it
		// follows at once.
		if withdrawn || !signed && v.Dossier.Policy.Commit.Mode != policy.CommitDirect {
			w.Comment = words.Merged(v)
		}
		if !withdrawn {
			w.Pilot = &Look{Subject: pilot(v.Pilot), Plan: v.Plan, Pull: p.Number}
		}
		return
	}
	for _, id := range v.Dossier.RemovedPilots() {
		if _, withdrawn := v.Dossier.Signed(id); withdrawn {
			w.Comment = words.Removed(v, id)
		} else {
			w.Looks = append(w.Looks, pilot(id))
		}
	}
}

func wantedRun(p *facts.PullRequest, v judge.Verdict, name string, c judge.Conclusion, out render.Output, evidence bool) Run {
	id := approval.ExternalID{Number: p.Number, Base: p.Base.Ref, Digest: v.Digest}
	if evidence {
		id.Evidence = v.Evidence
	}
	r := Run{
		Name: name, Head: p.Head.OID, ExternalID: id.String(),
		Status: "completed", Conclusion: string(c), Title: out.Title, Summary: out.Summary,
	}
	if c == judge.InProgress {
		r.Status, r.Conclusion = "in_progress", ""
	}
	for _, a := range out.Annotations {
		r.Annotations = append(r.Annotations, annotation(a))
	}
	for _, a := range out.Actions {
		r.Actions = append(r.Actions, Action(a))
	}
	return r
}

func annotation(a render.Annotation) Annotation {
	level := map[string]string{"error": "failure", "warning": "warning"}[string(a.Level)]
	if level == "" {
		level = "notice"
	}
	out := Annotation{Path: a.At.Path, Line: a.At.Line, EndLine: max(a.At.EndLine, a.At.Line), Level: level, Title: a.Title, Message: a.Message}
	if out.EndLine == out.Line && a.At.Column > 0 && a.At.EndColumn >= a.At.Column {
		out.Column, out.EndColumn = a.At.Column, a.At.EndColumn
	}
	return out
}

// asked is whose review is requested: everybody who can still fill an open
// role, once, when only their approval is missing. GitHub's timeline remembers
// whom we asked before, so nobody is asked twice, also after they declined.
func asked(p *facts.PullRequest, v judge.Verdict) Ask {
	a := Ask{Number: p.Number, On: p.NodeID}
	if v.State != judge.AwaitingApproval || v.Why.Key != "waiting" {
		return a
	}
	before := map[string]bool{}
	for _, e := range p.Timeline {
		if e.Kind == "review_requested" {
			before[strings.ToLower(e.Asked.Login+e.Asked.Team)] = true
		}
	}
	for _, r := range p.Requested {
		before[strings.ToLower(r.Login+r.Team)] = true
	}
	for _, r := range v.People.Roles {
		if r.By != nil {
			continue
		}
		for _, name := range r.Can {
			if before[strings.ToLower(name)] {
				continue
			}
			before[strings.ToLower(name)] = true
			if strings.Contains(name, "/") {
				a.Teams = append(a.Teams, name)
				if id := p.Teams[strings.ToLower(name)].NodeID; id != "" {
					a.TeamIDs = append(a.TeamIDs, id)
				}
			} else {
				a.Logins = append(a.Logins, name)
			}
		}
	}
	if len(a.TeamIDs) != len(a.Teams) {
		a.TeamIDs = nil
	}
	return a
}

// overridden opens the incident issue of an override, once for each digest.
func overridden(p *facts.PullRequest, v judge.Verdict, words *render.Words) []Issue {
	if v.People.Override == nil || v.Pilot == "" {
		return nil
	}
	title, body := words.OverrideIssue(v)
	return []Issue{{Marker: "pilotgate:override " + strconv.Itoa(p.Number) + " " + v.Digest, Title: title, Body: body}}
}

// CouldNotEvaluate is what GitHub should show when we failed: the checks that
// were green are not, and people read why and when it is tried again.
func CouldNotEvaluate(p *facts.PullRequest, language, what string, final bool) []Run {
	words := render.Speak(language)
	out := words.CouldNotEvaluate(what)
	r := Run{
		Name: judge.Approvals, Head: p.Head.OID, Status: "in_progress", Title: out.Title, Summary: out.Summary,
		ExternalID: approval.ExternalID{Number: p.Number, Base: p.Base.Ref}.String(),
	}
	if final {
		r.Status, r.Conclusion = "completed", string(judge.Failure)
	}
	return DiffRuns(p.Runs, p.Number, []Run{r})
}

// The keys name an effect in logs; what makes it happen once is at GitHub.
func (r Run) Key() string           { return "check " + r.Name + " at " + r.Head }
func (c Comment) Key() string       { return "comment on " + strconv.Itoa(c.Number) }
func (d DeleteComment) Key() string { return "comment " + strconv.FormatInt(d.ID, 10) + " deleted" }
func (a Acknowledge) Key() string   { return "reaction to comment " + strconv.FormatInt(a.CommentID, 10) }
func (a Ask) Key() string           { return "review request on " + strconv.Itoa(a.Number) }
func (d Dismiss) Key() string       { return "dismissal of review " + strconv.FormatInt(d.ReviewID, 10) }
func (c Commit) Key() string        { return "commit on " + c.Branch + " after " + c.Parent }
func (p Pull) Key() string          { return "pull request from " + p.Branch }
func (i Issue) Key() string         { return "issue " + i.Marker }
func (d Deployment) Key() string {
	return "deployment of " + d.Deployed.Model + " to " + d.Environment
}
func (l Look) Key() string { return "look at " + l.Subject.Kind + " " + l.Subject.ID }
