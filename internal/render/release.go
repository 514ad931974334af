package render

import (
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// Deployed is the description of a deployment.
func (w *Words) Deployed(r judge.Release, back bool) string {
	key := "deployed"
	if back {
		key = "deployed_back"
	}
	return w.say(plain, "release", key, "model", r.Running.ID(), "tag", r.Tag)
}

// PointerPull is title and body of the request that moves the pointer to a
// model that was decided Go and released.
func (w *Words) PointerPull(v judge.PilotVerdict) (title, body string) {
	r := v.Release
	values := map[string]string{
		"pilot": v.ID, "tag": r.Tag, "model": r.Model.ID(), "digest": r.Model.Digest, "scenario": r.Scenario, "from": dash(r.Running.ID()),
		"number": strconv.Itoa(r.Decision.Record.PullRequest), "pointer": r.Pointer.Path, "registry": r.Registry.Path,
	}
	return w.sayMap(plain, "release", "pointer_title", values), w.sayMap(markdown, "release", "pointer_body", values)
}

// dash stands for a model where there is none.
func dash(id string) string {
	if id == "@" {
		return "–"
	}
	return id
}

// incidentValues are what the sentences about an incident are made of.
func incidentValues(v judge.PilotVerdict) map[string]string {
	r, i := v.Release, v.Release.Incident
	to := r.Back.ID()
	if r.State != judge.Regressed {
		to = r.Running.ID()
	}
	return map[string]string{
		"pilot": v.ID, "scenario": r.Scenario, "model": r.Model.ID(), "tag": r.Tag, "back": dash(to), "previous": r.Running.Previous,
		"severity": i.Severity(), "issue": strconv.Itoa(i.Issue.Number), "number": strconv.Itoa(i.Rollback.Number),
		"entry": i.Entry.ID, "runbook": v.Policy.Paths.Runbook, "pointer": v.Policy.Paths.Pointer, "registry": v.Policy.Paths.Registry,
		"workflow": v.Policy.Workflows.Benchmark, "tolerance": v.Policy.Rollback.Tolerance.String(),
	}
}

// RollbackPull is title and body of the request that moves the pointer back.
func (w *Words) RollbackPull(v judge.PilotVerdict) (title, body string) {
	values := incidentValues(v)
	return w.sayMap(plain, "incident", "rollback_title", values), w.sayMap(markdown, "incident", "rollback_body", values)
}

// RollbackRecord is the message of the commit that puts a rollback on record,
// and title and body of the request that brings it where it cannot be pushed.
func (w *Words) RollbackRecord(v judge.PilotVerdict) (message, title, body string) {
	values := incidentValues(v)
	return w.sayMap(plain, "incident", "record_message", values), w.sayMap(plain, "incident", "record_title", values),
		w.sayMap(markdown, "incident", "record_body", values)
}

// RunbookPull is title and body of the request that writes what an incident
// came to into the runbook; the title is a commit's message too.
func (w *Words) RunbookPull(v judge.PilotVerdict) (title, body string) {
	values := incidentValues(v)
	return w.sayMap(plain, "incident", "runbook_title", values), w.sayMap(markdown, "incident", "runbook_body", values)
}

// sighting is one line of what told of the regression.
func (w *Words) sighting(x judge.Sighting, p place) string {
	key := x.Cause
	if x.Detail == "" && (x.Cause == judge.CauseAlert || x.Cause == judge.CauseCommand) {
		key += "_bare"
	}
	return w.say(p, "sighting", key, "name", x.Name, "detail", x.Detail, "severity", x.Severity)
}

// IncidentIssue is title and body of an incident's issue: what to do next and
// who does it, what was seen, how far the way back is.
func (w *Words) IncidentIssue(v judge.PilotVerdict) (title, body string) {
	r, i := v.Release, v.Release.Incident
	values := incidentValues(v)
	var b strings.Builder
	b.WriteString("**" + w.texts["comment"]["next_label"] + "** " + w.nextOfIncident(v, values) + "\n\n")
	b.WriteString(w.sayMap(markdown, "incident", "what", values) + "\n\n")
	b.WriteString("#### " + w.texts["incident"]["timeline"] + "\n")
	for _, x := range i.Seen {
		b.WriteString("- " + stamp(x.At) + " " + w.sighting(x, markdown) + "\n")
	}
	if i.Rollback.Number != 0 {
		key := "rollback_open"
		if i.Rollback.Merged {
			key = "rollback_merged"
		}
		b.WriteString("- " + w.sayMap(markdown, "incident", key, values) + "\n")
	}
	if r.State != judge.Regressed && r.Deployed.Digest == r.Running.Digest && r.Deployed.State != "" {
		b.WriteString("- " + stamp(r.Deployed.CreatedAt) + " " + w.sayMap(markdown, "incident", "deployed_back", values) + "\n")
	}
	if rec := i.Recovery; len(rec.Compared) > 0 {
		b.WriteString("\n" + w.texts["recovery"]["table"] + "\n|---|---|---|---|\n")
		for _, c := range rec.Compared {
			sign := "✅"
			if !c.Within {
				sign = "❌"
			}
			b.WriteString("| " + sign + " | " + escape(c.Metric, cell, false) + " | " + c.Recorded.StringFixed(4) + " | " + c.Measured.StringFixed(4) + " |\n")
		}
	}
	b.WriteString("\n" + judge.EncodeSightings(i.Seen) + "\n")
	return w.sayMap(plain, "incident", "title", values), b.String()
}

// nextOfIncident is the sentence of what comes next and who does it.
func (w *Words) nextOfIncident(v judge.PilotVerdict, values map[string]string) string {
	r, i := v.Release, v.Release.Incident
	switch {
	case r.State == judge.Closed:
		return w.sayMap(markdown, "incident", "next_closed", values)
	case r.State == judge.Regressed && i.Stuck != "":
		return w.sayMap(markdown, "incident", "stuck_"+i.Stuck, values)
	case r.State == judge.Regressed && i.Rollback.Number == 0:
		return w.sayMap(markdown, "incident", "next_opening", values)
	case r.State == judge.Regressed && !i.Rollback.Open:
		return w.sayMap(markdown, "incident", "next_reopen", values)
	case r.State == judge.Regressed:
		return w.sayMap(markdown, "incident", "next_approve", values)
	case i.Recovery.State != judge.Proven:
		return w.sayMap(markdown, "recovery", i.Recovery.State, values)
	}
	return w.sayMap(markdown, "incident", "next_cause", values)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// RunbookEntry is an incident as the runbook has it.
func (w *Words) RunbookEntry(v judge.PilotVerdict) ledger.Incident {
	r, i := v.Release, v.Release.Incident
	values := incidentValues(v)
	in := ledger.Incident{
		Pilot: v.ID, DetectedAt: i.Detected().UTC().Truncate(time.Second), Severity: i.Severity(),
		From: r.Model.ID(), To: values["back"], Release: r.Tag, PR: i.Rollback.Number, Issue: i.Issue.Number,
		Impact: w.sayMap(plain, "incident", "impact", values), Owner: strings.TrimPrefix(v.Request.Initiator, "@"),
		Actions: w.sayMap(plain, "incident", "actions", values),
	}
	if in.Owner == "" {
		in.Owner = "ghost"
	}
	for _, x := range i.Seen {
		in.Timeline = append(in.Timeline, ledger.Moment{At: x.At.UTC().Truncate(time.Second), What: w.sighting(x, plain)})
		if in.Alert == "" {
			in.Alert = w.sighting(x, plain)
		}
	}
	if r.State == judge.Regressed {
		return in
	}
	in.Deployment = r.Deployed.ID
	if i.Rollback.Merged && !i.Rollback.MergedAt.IsZero() {
		in.Timeline = append(in.Timeline, ledger.Moment{At: i.Rollback.MergedAt.UTC(), What: w.sayMap(plain, "incident", "rollback_merged", values)})
	}
	if rec := i.Recovery; rec.State != "" {
		in.Recovery = w.sayMap(plain, "recovery", "entry_"+rec.State, values)
	}
	return in
}
