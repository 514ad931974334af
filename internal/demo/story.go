package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// step is one scene: what somebody does, and what GitHub must show then.
type step struct {
	title string
	do    func(*tale) error
	then  func(*tale) error
}

// tale is a story under way.
type tale struct {
	*World
	ctx        context.Context
	pr, report *fakegithub.PR // the one in view, and the report's
	branch     string
	run        int64    // the training
	told       []string // what a step has to say beside what GitHub shows
}

func (t *tale) tell(format string, args ...any) {
	t.told = append(t.told, fmt.Sprintf(format, args...))
}

const branch = "pilot/ru-digest"

// steps are the whole story, from a pull request with defects to an incident
// that is over.
var steps = slices.Concat(approved, launched, released, rolledBack, proven)

// approved goes from a pull request with defects to the sign-off.
var approved = []step{
	{
		"Dana opens a pull request with a pilot plan; five things are wrong with it",
		func(t *tale) error {
			t.branch = branch
			files := t.Story.Pilot(sample.MissingSeed, sample.StatusContradicts, sample.PhoneNumber, sample.WrongHash, sample.PatchRelease)
			if err := t.push(sample.Initiator, "Add the plan of pilot "+sample.Pilot, files); err != nil {
				return err
			}
			t.pr = t.Repo.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot " + sample.Pilot, Head: t.branch})
			return nil
		},
		func(t *tale) error {
			return t.shows(map[string]string{
				"pilot/plan": "success", "pilot/dataset": "failure", "pilot/config": "failure",
				"pilot/baseline": "failure", "pilot/operations": "failure", judge.Approvals: "in_progress",
			}, "is blocked")
		},
	},
	{
		"Dana mends the findings and pushes",
		func(t *tale) error { return t.push(sample.Initiator, "Mend the plan", t.Story.Pilot()) },
		func(t *tale) error {
			return errors.Join(t.shows(passing(judge.InProgress), "waits for 2 approvals"),
				t.asked("acme/ml-leads", "acme/ml-ops"))
		},
	},
	{
		"Dana tries to approve her own pilot, and Max approves without a role",
		func(t *tale) error {
			if _, err := t.pr.TryReview(sample.Initiator, fakegithub.Approved, "Looks good to me."); err == nil {
				return errors.New("GitHub let the author approve")
			}
			t.pr.Review(guest, fakegithub.Approved, "Nice.")
			return nil
		},
		func(t *tale) error { return t.shows(passing(judge.InProgress), "waits for 2 approvals") },
	},
	{
		"The repository's own benchmark, which Pilotgate started, confirms the figures",
		func(t *tale) error {
			run, err := t.startedFor("confirm-")
			if err != nil {
				return err
			}
			data, _ := t.Repo.File(t.pr.View().Head, sample.Dataset)
			raw, err := sample.Measured(data, sample.Baseline, 0)
			if err != nil {
				return err
			}
			t.Repo.CompleteRun(run, "success", map[string]map[string][]byte{dossier.BenchmarkArtifact: {dossier.BenchmarkFile: raw}})
			return nil
		},
		func(t *tale) error {
			c, _ := t.Repo.Check(t.pr.View().Head, "pilot/baseline")
			const confirmed = "gives the same figures"
			t.quote(c.Summary, confirmed)
			if !strings.Contains(c.Summary, confirmed) {
				return errors.New("no run confirms the dry run")
			}
			return t.shows(passing(judge.InProgress), "waits for 2 approvals")
		},
	},
	{
		"Irina (ML Lead) and Oleg (Operations Owner) approve",
		func(t *tale) error {
			t.pr.Review(sample.MLLead, fakegithub.Approved, "The numbers are what I expect.")
			t.pr.Review(sample.Operations, fakegithub.Approved, "Monitoring and rollback are in place.")
			return nil
		},
		func(t *tale) error { return t.shows(passing(judge.Success), "is approved") },
	},
	{
		"Dana pushes another learning rate after the approvals",
		func(t *tale) error {
			files := t.Story.Pilot()
			files[sample.Plan] = bytes.Replace(files[sample.Plan], []byte("2e-5"), []byte("3e-5"), 1)
			return t.push(sample.Initiator, "Raise the learning rate", files)
		},
		func(t *tale) error {
			for _, r := range t.pr.View().Reviews {
				if r.State == fakegithub.Approved && r.Author != guest {
					return fmt.Errorf("the approval of %s still stands", r.Author)
				}
			}
			return t.shows(passing(judge.InProgress), "waits for 2 approvals")
		},
	},
	{
		"Both look again and approve what is there now",
		func(t *tale) error {
			t.pr.Review(sample.MLLead, fakegithub.Approved, "Seen, fine.")
			t.pr.Review(sample.Operations2, fakegithub.Approved, "Fine.")
			return nil
		},
		func(t *tale) error { return t.shows(passing(judge.Success), "is approved") },
	},
	{
		"Dana merges; Pilotgate writes the sign-off and drafts the report",
		func(t *tale) error { return t.pr.Merge(sample.Initiator, fakegithub.Squash, false) },
		func(t *tale) error {
			if err := t.rows(sample.MLLead+" Approved", sample.Operations2+" Approved"); err != nil {
				return err
			}
			if body, _ := t.Comment(t.pr); !strings.Contains(body, "is signed off") {
				return errors.New("the comment does not say that the pilot is signed off")
			}
			var err error
			t.report, err = t.opened("report/")
			return err
		},
	},
}

// proven looks back on all of it.
var proven = []step{
	{
		"Anybody verifies the record offline",
		func(*tale) error { return nil },
		func(t *tale) error {
			v, err := t.verify("main")
			if err != nil {
				return err
			}
			for _, e := range v.Entries {
				t.tell("%-11s %s, signed with key %q", e.Record.Kind, path.Base(e.Path), e.KeyID)
			}
			t.tell("%d hand-written rows are not ours to vouch for", len(v.Unverified))
			return t.recorded(ledger.KindSignoff, ledger.KindLaunch, ledger.KindEvaluation, ledger.KindGo, ledger.KindRollback)
		},
	},
	{
		"Every delivery comes once more; nothing is written twice",
		func(t *tale) error {
			t.GitHub.ForgetRequests()
			for _, d := range t.GitHub.Deliveries() {
				t.GitHub.Replay(d.ID)
			}
			return nil
		},
		func(t *tale) error {
			t.tell("%d deliveries again, %d requests, no write", len(t.GitHub.Deliveries())/2, len(t.GitHub.Requests()))
			for _, r := range t.GitHub.Requests() {
				if r.Write && !strings.Contains(r.Operation, "access_tokens") {
					return fmt.Errorf("written again: %s", r.Operation)
				}
			}
			return nil
		},
	},
}

// passing are all checks green and the approvals as given.
func passing(approvals judge.Conclusion) map[string]string {
	return map[string]string{
		"pilot/plan": "success", "pilot/dataset": "success", "pilot/config": "success",
		"pilot/baseline": "success", "pilot/operations": "success", judge.Approvals: string(approvals),
	}
}

func (t *tale) push(by, message string, files sample.Files) error { //nolint:unparam // whoever the next step tells of
	_, err := t.Repo.Commit(t.branch, by, fakegithub.CommitSpec{Message: message, Files: asFiles(files), Author: by})
	return err
}

// shows compares the checks at head and the one comment with what is told.
func (t *tale) shows(checks map[string]string, heading string) error {
	head := t.pr.View().Head
	var wrong []error
	for name, want := range checks {
		c, ok := t.Repo.Check(head, name)
		got := c.Conclusion
		if c.Status != "completed" {
			got = c.Status
		}
		if !ok || got != want {
			wrong = append(wrong, fmt.Errorf("%s is %q (%s), not %s", name, got, c.Title, want))
		}
	}
	body, n := t.Comment(t.pr)
	if n != 1 {
		wrong = append(wrong, fmt.Errorf("%d comments instead of one", n))
	}
	if !strings.Contains(body, heading) {
		wrong = append(wrong, fmt.Errorf("the comment does not say %q:\n%s", heading, body))
	}
	return errors.Join(wrong...)
}

func (t *tale) asked(teams ...string) error {
	got := t.pr.View().RequestedTeams
	for _, team := range teams {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(team, s) }) {
			return fmt.Errorf("%s was not asked, only %v", team, got)
		}
	}
	return nil
}

// Play tells the story and shows each step; the first that does not end as told
// ends it.
func Play(ctx context.Context, w *World, show func(n int, title string, t Scene)) error {
	return (&tale{World: w, ctx: ctx}).play(steps, 1, show)
}

// play tells steps, the first of which has this number.
func (t *tale) play(steps []step, first int, show func(n int, title string, t Scene)) error {
	for i, s := range steps {
		n := first + i
		if err := s.do(t); err != nil {
			return fmt.Errorf("step %d, %s: %w", n, s.title, err)
		}
		if err := t.Settle(t.ctx); err != nil {
			return fmt.Errorf("step %d, %s: %w", n, s.title, err)
		}
		t.told = nil
		err := s.then(t)
		show(n, s.title, t.scene())
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", n, s.title, err)
		}
	}
	return nil
}
