package demo

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// better is by how much the story's candidate scores above its baseline.
const better = 0.02

var paths = policy.Default().Paths

// launched goes from the sign-off to the decision.
var launched = []step{
	{
		"Dana starts the training; it waits for its environment, and the gate lets it through",
		func(t *tale) error {
			t.run = t.start(sample.Initiator)
			return nil
		},
		func(t *tale) error {
			return errors.Join(t.gated(t.run, "approved"), t.recorded(ledger.KindSignoff, ledger.KindLaunch))
		},
	},
	{
		"Irina starts it once more; a sign-off is launched once",
		func(t *tale) error {
			t.start(sample.MLLead)
			return nil
		},
		func(t *tale) error {
			runs := t.Repo.Runs()
			return errors.Join(t.gated(runs[len(runs)-1].ID, "rejected"), t.recorded(ledger.KindSignoff, ledger.KindLaunch))
		},
	},
	{
		"The training ends; its results are evaluated, put on record and into the report",
		func(t *tale) error {
			files, err := t.trained(better)
			if err != nil {
				return err
			}
			t.end(files)
			return nil
		},
		func(t *tale) error {
			head := t.report.View().Head
			text, _ := t.Repo.File(head, reportPath)
			t.quote(string(text), "| coverage (mean) |", "**Recommendation", "- Decision:")
			if !strings.Contains(string(text), "- Decision: Go\n") {
				return errors.New("the report does not recommend a Go")
			}
			if chart, _ := t.Repo.File(head, strings.TrimSuffix(reportPath, ".md")+".svg"); !strings.Contains(string(chart), "<svg") {
				return errors.New("the report has no chart")
			}
			return errors.Join(t.approvals("in_progress"), t.recorded(ledger.KindSignoff, ledger.KindLaunch, ledger.KindEvaluation))
		},
	},
	{
		"Irina and Oleg approve the report, whose decision is Go",
		func(t *tale) error { return t.both() },
		func(t *tale) error { return t.approvals("success") },
	},
	{
		"Dana merges the report; the decision is on record, the model in the registry",
		func(t *tale) error { return t.report.Merge(sample.Initiator, fakegithub.Squash, false) },
		func(t *tale) error {
			return errors.Join(t.rows(
				sample.MLLead+" Approved", sample.Operations2+" Approved", sample.MLLead+" Go", sample.Operations+" Go",
			), t.candidate(registry.Candidate))
		},
	},
}

// released goes from the decision to the deployment.
var released = []step{
	{
		"Oleg pushes the tag " + sample.Release + "; Pilotgate proposes to move the pointer",
		func(t *tale) error {
			t.Repo.Tag(sample.Operations, sample.Release, t.Repo.Head("main"), "")
			return nil
		},
		func(t *tale) error {
			var err error
			if t.pr, err = t.opened("pointer/"); err != nil {
				return err
			}
			return errors.Join(t.approvals("in_progress"), t.runs(sample.Baseline+"@1.0"))
		},
	},
	{
		"Both approve, Oleg merges; the model is released",
		func(t *tale) error { return t.bothAndMerge() },
		func(t *tale) error {
			all := t.Repo.Deployments()
			d := all[len(all)-1]
			t.tell("deployed to %s: %s", d.Environment, d.Description)
			if !slices.Equal(d.States, []string{"success"}) || !strings.Contains(d.Description, sample.Release) {
				return fmt.Errorf("the deployment is %v of %q", d.States, d.Description)
			}
			return errors.Join(t.runs(tuned), t.candidate(registry.Released))
		},
	},
}

// rolledBack goes from an alert to the end of the incident.
var rolledBack = []step{
	{
		"An hour later the coverage falls; the alert opens an incident and the way back",
		func(t *tale) error {
			t.Pass(time.Hour)
			status, err := t.SendAlert(t.ctx, t.AlertToken, "firing", t.Now().Add(-10*time.Minute), map[string]string{
				"scenario": sample.Scenario, "model": sample.Candidate, "version": sample.CandidateVersion, "pilot": sample.Pilot,
			})
			if err == nil && status != http.StatusAccepted {
				err = fmt.Errorf("the alert was answered with %d", status)
			}
			return err
		},
		func(t *tale) error {
			var err error
			if t.pr, err = t.opened("rollback/"); err != nil {
				return err
			}
			return errors.Join(t.approvals("in_progress"), t.incident("open", "PilotMetricBelowBand"), t.runs(tuned))
		},
	},
	{
		"Both approve the way back, Oleg merges; the benchmark is started to prove it",
		func(t *tale) error { return t.bothAndMerge() },
		func(t *tale) error {
			_, err := t.startedFor("recovery-")
			return errors.Join(err, t.runs(sample.Baseline+"@1.0"), t.incident("open", ""), t.rows(
				sample.MLLead+" Approved", sample.Operations2+" Approved", sample.MLLead+" Go", sample.Operations+" Go",
				sample.MLLead+" Rolled back", sample.Operations+" Rolled back",
			))
		},
	},
	{
		"The benchmark ends with the baseline's figures: recovered; the root cause is missing",
		func(t *tale) error {
			run, err := t.startedFor("recovery-")
			if err != nil {
				return err
			}
			data, _ := t.Repo.File("main", sample.Dataset)
			raw, err := sample.Measured(data, sample.Baseline, 0)
			if err != nil {
				return err
			}
			t.Repo.CompleteRun(run, "success", map[string]map[string][]byte{"benchmark-result": {"benchmark-result.json": raw}})
			return nil
		},
		func(t *tale) error {
			text, _ := t.Repo.File("main", paths.Runbook)
			t.quote(string(text), "### INC-", "matches the recorded baseline")
			if !strings.Contains(string(text), "matches the recorded baseline") || !strings.Contains(string(text), todo) {
				return errors.New("the runbook does not tell of the recovery")
			}
			return t.incident("open", "the root cause")
		},
	},
	{
		"Dana writes the root cause into the runbook; the incident is over",
		func(t *tale) error {
			text, _ := t.Repo.File("main", paths.Runbook)
			t.branch = "main"
			return t.push(sample.Initiator, "Tell the root cause", sample.Files{
				paths.Runbook: []byte(strings.Replace(string(text), todo, "Channels with more than 200 posts were cut at 4,096 tokens.", 1)),
			})
		},
		func(t *tale) error { return t.incident("closed", "") },
	},
}

const (
	tuned = sample.Candidate + "@" + sample.CandidateVersion
	todo  = "TODO(@" + sample.Initiator + ")"
)

var reportPath = policy.Default().ReportPath(sample.Pilot)

// start starts the training, which waits for its environment.
func (t *tale) start(by string) int64 {
	p := policy.Default()
	run := t.Repo.StartRun(fakegithub.RunSpec{Workflow: p.Workflows.Training, Actor: by, Inputs: map[string]string{"pilot": sample.Pilot}})
	t.Repo.Wait(run, p.Environment)
	return run
}

// trained is what the launched run leaves when its candidate scores better by
// so much.
func (t *tale) trained(better float64) (sample.Files, error) {
	signed, err := t.signed()
	if err != nil {
		return nil, err
	}
	evaluation, _ := t.Repo.File("main", sample.EvaluationData)
	return sample.Trained(signed, evaluation, better)
}

// end ends the training with its results; the report comes into view.
func (t *tale) end(files sample.Files) {
	t.Repo.CompleteRun(t.run, "success", map[string]map[string][]byte{judge.ResultArtifact: files})
	t.pr = t.report
}

// gated holds what the gate answered a run against what is told.
func (t *tale) gated(run int64, want string) error {
	environment := policy.Default().Environment
	for _, r := range t.Repo.Runs() {
		if r.ID != run {
			continue
		}
		for _, note := range r.Notes[environment] {
			t.told = append(t.told, excerpt(note)...)
		}
		if got := r.Waiting[environment]; got != want {
			return fmt.Errorf("the run is %s, not %s", got, want)
		}
		return nil
	}
	return fmt.Errorf("there is no run %d", run)
}

// recorded holds the kinds of the ledger's records against what is told.
func (t *tale) recorded(want ...ledger.Kind) error {
	v, err := t.verify("main")
	if err != nil {
		return err
	}
	var got []ledger.Kind
	for _, e := range v.Entries {
		got = append(got, e.Record.Kind)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the ledger has the records %v, not %v", got, want)
	}
	return nil
}

func (t *tale) signed() (ledger.Record, error) {
	v, err := t.verify("main")
	if err != nil {
		return ledger.Record{}, err
	}
	for _, e := range v.Entries {
		if e.Record.Kind == ledger.KindSignoff {
			return e.Record, nil
		}
	}
	return ledger.Record{}, errors.New("there is no sign-off")
}

// rows holds our rows of the log against what is told, "who decision".
func (t *tale) rows(want ...string) error {
	log, _ := t.Repo.File("main", sample.Signoff)
	var got []string
	for _, r := range ledger.ParseLog(log).Rows {
		if r.Ours {
			got = append(got, r.Row.Stakeholder+" "+string(r.Row.Decision))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the log has the rows %v, not %v", got, want)
	}
	if n := len(got); n > 2 {
		t.tell("rows of the log: %s", strings.Join(got[n-2:], ", "))
	}
	return nil
}

// opened is the server's pull request from a branch that begins so.
func (t *tale) opened(prefix string) (*fakegithub.PR, error) {
	for _, p := range t.Repo.PRs() {
		if v := p.View(); strings.HasPrefix(v.HeadRef, judge.BranchPrefix+prefix) {
			if prefix != "report/" {
				t.tell("opened: #%d %s", v.Number, v.Title)
			}
			return p, nil
		}
	}
	return nil, fmt.Errorf("no pull request was opened from %s%s", judge.BranchPrefix, prefix)
}

func (t *tale) both() error {
	t.pr.Review(sample.MLLead, fakegithub.Approved, "Seen.")
	t.pr.Review(sample.Operations, fakegithub.Approved, "Seen.")
	return nil
}

// bothAndMerge approves, lets the check become green, and merges.
func (t *tale) bothAndMerge() error {
	if err := errors.Join(t.both(), t.Settle(t.ctx), t.approvals("success")); err != nil {
		return err
	}
	return t.pr.Merge(sample.Operations, fakegithub.Squash, false)
}

// approvals holds the required check of the request in view against what is told.
func (t *tale) approvals(want string) error {
	c, ok := t.Repo.Check(t.pr.View().Head, judge.Approvals)
	got := c.Conclusion
	if c.Status != "completed" {
		got = c.Status
	}
	if !ok || got != want {
		return fmt.Errorf("%s is %q (%s), not %s", judge.Approvals, got, c.Title, want)
	}
	return nil
}

// candidate holds the candidate's entry in the registry against what is told.
func (t *tale) candidate(want registry.Status) error {
	text, _ := t.Repo.File("main", paths.Registry)
	e, ok := registry.Parse(paths.Registry, text).Find(tuned)
	if !ok || e.Status != want {
		return fmt.Errorf("%s is %q in the registry, not %s", tuned, e.Status, want)
	}
	t.tell("%s: %s %s is %s", path.Base(paths.Registry), tuned, e.Digest[:14], e.Status)
	return nil
}

// runs holds the model that the pointer names against what is told.
func (t *tale) runs(want string) error {
	text, _ := t.Repo.File("main", paths.Pointer)
	target := registry.ParsePointer(paths.Pointer, text).Targets[sample.Scenario]
	if got := target.Model + "@" + target.Version; got != want {
		return fmt.Errorf("%s is deployed, not %s", got, want)
	}
	t.tell("%s: %s runs %s", path.Base(paths.Pointer), sample.Scenario, want)
	return nil
}

// incident holds the one incident against what is told.
func (t *tale) incident(state, words string) error {
	issues := t.Repo.Issues()
	if len(issues) != 1 || issues[0].State != state || !strings.Contains(issues[0].Body, words) {
		return fmt.Errorf("the issues are %+v, not one that is %s and says %q", issues, state, words)
	}
	return nil
}

// startedFor is the run of the benchmark that the server started with such a nonce.
func (t *tale) startedFor(nonce string) (int64, error) {
	for _, r := range t.Repo.Runs() {
		if strings.Contains(r.Title, " "+nonce) {
			return r.ID, nil
		}
	}
	return 0, errors.New("no benchmark was started")
}

// quote tells the first line of a text that has each of these words.
func (t *tale) quote(text string, words ...string) {
	for _, w := range words {
		for line := range strings.Lines(text) {
			if strings.Contains(line, w) {
				t.told = append(t.told, excerpt(line)...)
				break
			}
		}
	}
}
