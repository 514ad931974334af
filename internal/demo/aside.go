package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// asides are results that end otherwise; each is told in a world of its own,
// with small datasets.
var asides = []step{
	{
		"Aside: another candidate scores worse; the report recommends No-go",
		func(t *tale) error {
			files, err := t.trained(-2 * better)
			if err != nil {
				return err
			}
			t.end(files)
			return nil
		},
		func(t *tale) error { return t.recommends("Recommendation: No-go.", "- Decision: No-go\n") },
	},
	{
		"Aside: the figures of another are the baseline's own; nothing is recommended",
		func(t *tale) error {
			files, err := t.trained(0)
			if err != nil {
				return err
			}
			files["candidate.json"] = files["baseline.json"]
			t.end(files)
			return nil
		},
		func(t *tale) error {
			return t.recommends("No recommendation: the candidate was not measured.", "- Decision:\n")
		},
	},
}

// PlayAsides tells the asides as steps after those of Play. They change nothing
// in the world of the story.
func PlayAsides(ctx context.Context, o Options, show func(n int, title string, t Scene)) error {
	o.Story.Records, o.Story.Evaluation = 60, 20
	for i, s := range asides {
		if err := aside(ctx, o, s, len(steps)+1+i, show); err != nil {
			return err
		}
	}
	return nil
}

func aside(ctx context.Context, o Options, s step, n int, show func(n int, title string, t Scene)) (err error) {
	w, err := New(ctx, o)
	if err != nil {
		return fmt.Errorf("start the aside: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	t := &tale{World: w, ctx: ctx, branch: branch}
	if err := t.launch(); err != nil {
		return fmt.Errorf("step %d, before %s: %w", n, s.title, err)
	}
	return t.play([]step{s}, n, show)
}

// launch goes the short way to a launched training.
func (t *tale) launch() error {
	if err := t.push(sample.Initiator, "Add the plan of pilot "+sample.Pilot, t.Story.Pilot()); err != nil {
		return err
	}
	t.pr = t.Repo.OpenPR(fakegithub.PRSpec{Author: sample.Initiator, Title: "Pilot " + sample.Pilot, Head: t.branch})
	if err := errors.Join(t.Settle(t.ctx), t.bothAndMerge(), t.Settle(t.ctx)); err != nil {
		return err
	}
	var err error
	if t.report, err = t.opened("report/"); err != nil {
		return err
	}
	t.run = t.start(sample.Initiator)
	return errors.Join(t.Settle(t.ctx), t.gated(t.run, "approved"))
}

// recommends holds the report's recommendation, and the decision that it
// proposes, against what is told.
func (t *tale) recommends(words, decision string) error {
	raw, _ := t.Repo.File(t.report.View().Head, reportPath)
	text := string(raw)
	t.quote(text, "| coverage (mean) |", words, "- ❌", "- ⚠️")
	if !strings.Contains(text, words) || !strings.Contains(text, decision) {
		return fmt.Errorf("the report does not say %q and %q", words, strings.TrimSpace(decision))
	}
	return nil
}
