package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/report"
)

// Gate is what the launch gate says to a run. What changed since the sign-off is
// named in words of ours, each value in it escaped.
func (w *Words) Gate(r judge.Reason) string {
	const mark = "{changed}"
	text := w.texts["gate"][r.Key]
	before, after, is := strings.Cut(text, mark)
	if !is {
		return fill(text, r.Args, markdown)
	}
	return fill(before, r.Args, markdown) + w.ChangedNames(r.Args["changed"]) + fill(after, r.Args, markdown)
}

// ChangedNames puts the ingredients of a sign-off that changed into words.
func (w *Words) ChangedNames(changed string) string {
	var names []string
	for name := range strings.SplitSeq(changed, "\n") {
		kind, path, _ := strings.Cut(name, " ")
		names = append(names, w.say(markdown, "ingredient", kind, "path", path))
	}
	return strings.Join(names, ", ")
}

// LaunchRecord is the message of the commit that puts a launch, or its failure,
// on record, and title and body of the pull request that brings it where it
// cannot be pushed.
func (w *Words) LaunchRecord(r ledger.Record) (message, title, body string) {
	values := map[string]string{
		"pilot": r.Pilot, "number": strconv.Itoa(r.PullRequest), "reason": r.Reason,
	}
	kind := string(r.Kind)
	if r.Run == nil {
		kind = "reported"
	} else {
		run := "run"
		if r.Run.Deployment {
			run = "deployment"
		}
		values["launched"] = w.say(plain, "launch", run, "id", strconv.FormatInt(r.Run.ID, 10))
	}
	return w.sayMap(plain, "launch", kind+"_message", values), w.sayMap(plain, "launch", kind+"_title", values),
		w.sayMap(markdown, "launch", kind+"_body", values)
}

// RenewalPull is title and body of the pull request that raises a plan's
// revision, with what stands against the old sign-off in words.
func (w *Words) RenewalPull(v judge.PilotVerdict) (title, body string) {
	r := v.Launch.Renewal
	values := map[string]string{"pilot": v.ID, "revision": strconv.Itoa(r.Revision), "login": r.By}
	var b strings.Builder
	b.WriteString(w.sayMap(markdown, "renewal", "body", values) + "\n\n")
	for _, x := range r.Reasons {
		if x.Key == "renewal" {
			for name := range strings.SplitSeq(x.Args["changed"], "\n") {
				b.WriteString("- " + w.texts["renewal"]["changed"] + " " + w.ChangedNames(name) + "\n")
			}
			continue
		}
		b.WriteString("- " + w.sayMap(markdown, "renewal", x.Key, x.Args) + "\n")
	}
	if len(r.Reasons) == 0 {
		b.WriteString("- " + w.texts["renewal"]["nothing"] + "\n")
	}
	return w.sayMap(plain, "renewal", "title", values), b.String() + "\n" + w.texts["renewal"]["next"]
}

// RunMarker begins the comment that tells what became of a pilot's run.
const RunMarker = "<!-- pilotgate:run -->"

// RunComment is what people should know of the pilot's run.
func (w *Words) RunComment(v judge.PilotVerdict) string {
	var b strings.Builder
	b.WriteString(RunMarker + "\n### " + w.say(markdown, "launch", "heading", "pilot", v.ID) + "\n")
	for _, x := range v.Launch.Say {
		b.WriteString("\n" + w.sayMap(markdown, "launch", x.Key, x.Args))
		if x.Because != nil {
			b.WriteString(" " + w.Gate(*x.Because))
		}
		if x.Finding != nil {
			b.WriteString(" " + w.what(*x.Finding, markdown) + " **" + w.texts["comment"]["next_label"] + "** " + w.mend(*x.Finding, markdown))
		}
		b.WriteString("\n")
	}
	if why := v.Release.Why; why.Key != "" {
		b.WriteString("\n" + w.sayMap(markdown, "release", why.Key, why.Args) + "\n")
	}
	return b.String()
}

// WithResults is the report with the results in it, and its chart; ok is false
// where there are none.
func (w *Words) WithResults(v judge.PilotVerdict, existing []byte) (text, chart []byte, ok bool, err error) {
	evidence, found := report.EvidenceOf(v.Entries, v.ID)
	if !found || evidence.Evaluated() == nil {
		return nil, nil, false, nil
	}
	text = report.Regenerate(existing, report.Input{
		Language: w.Language, Path: v.Policy.ReportPath(v.ID), Log: v.Policy.Paths.Signoff, Evidence: evidence, Baseline: judge.BaselineOf(v.Request),
	})
	chart, err = report.Chart(evidence.Evaluated(), w.Language)
	return text, chart, true, err
}

// TrainingOrder is the description of the deployment that asks a trainer; GitHub
// takes 140 characters.
func (w *Words) TrainingOrder(pilot string) string {
	return w.say(plain, "launch", "order", "pilot", pilot)
}
