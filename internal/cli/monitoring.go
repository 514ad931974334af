package cli

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/monitoring"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

type monitors struct {
	Plan string `arg:"" help:"The pilot's plan."`
	Out  string `placeholder:"DIR" help:"Write the files below this folder instead of printing them."`
	Repo string `placeholder:"DIR" help:"The checkout, for its policy (the plan's own)."`
}

func (w *monitors) Help() string {
	return `The bands are the plan's acceptance over those that the policy's scenario gives; the stricter one holds. Every alert is about the
model that the deployment pointer names, and about no other: before the release nothing fires. The series are those of Pilotgate's
/metrics, or of a benchmark runner that exports them by the same names.

  pilotgate monitoring docs/specs/epic_05/stage_05_03_pilot.md --out .
  promtool check rules prometheus/*.rules.yml
  promtool test rules prometheus/tests/*.rules.test.yml`
}

// maxPlan is how large a plan may be, in bytes.
const maxPlan = 1 << 20

// Run writes what watches the pilot's model.
func (w *monitors) Run(c *call) error {
	if w.Repo == "" {
		w.Repo = filepath.Dir(w.Plan)
	}
	pol, err := policyAt(w.Repo)
	if err != nil {
		return err
	}
	p, err := w.read()
	if err != nil {
		return err
	}
	if wrong := c.words().Wrong(p.Problems, c.paint()); wrong != "" {
		if err := c.print(wrong); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		return errFindings // a rule that is laxer than its author meant is worse than none
	}
	spec, err := w.spec(p, pol)
	if err != nil {
		return err
	}
	if owner, name, ok := clonedFrom(c, w.Repo); ok {
		spec.Repository = owner + "/" + name
	}
	files, err := monitoring.Files(spec)
	if err != nil {
		return err
	}
	return w.put(c, files)
}

func (w *monitors) read() (plan.Plan, error) {
	f, err := os.Open(w.Plan)
	if err != nil {
		return plan.Plan{}, advise("name the plan's file", "read plan: %w", err)
	}
	defer f.Close() // read only
	raw, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	if err != nil {
		return plan.Plan{}, fmt.Errorf("read plan: %w", err)
	}
	if len(raw) > maxPlan {
		return plan.Plan{}, advise("name the plan's file", "read plan %s: larger than 1 MiB", w.Plan)
	}
	return plan.Parse(side{Repo: w.Repo}.inCheckout(w.Plan), raw), nil
}

// spec is what the plan and the policy ask for.
func (w *monitors) spec(p plan.Plan, pol policy.Policy) (monitoring.Watch, error) {
	var none monitoring.Watch
	if !form.Pilot(p.Pilot.Text) {
		return none, advise("set `pilot:` in its front matter", "name the files of %s: its pilot id is none", w.Plan)
	}
	scenario := ""
	if v, ok := p.Get(plan.Scenario); ok {
		scenario = v.Text
	} else if v, ok := p.Get(plan.Dataset); ok {
		scenario = pol.ScenarioOf(v.Text)
	}
	bands, ok := pol.Scenario(scenario)
	if !ok {
		return none, advise("the policy knows "+strings.Join(pol.ScenarioNames(), ", "), "watch scenario %q: the policy has no bands for it", scenario)
	}
	out := monitoring.Watch{
		Pilot: p.Pilot.Text, Plan: p.Path, Scenario: scenario, Dataset: bands.DatasetID,
		Bands: map[string]benchmark.Band{}, Drift: monitoring.Drift{PSI: &pol.Drift.PSI, KSP: &pol.Drift.KSP},
		Say: render.Speak(pol.Language).Monitoring,
	}
	for metric, band := range bands.Metrics {
		for _, row := range slices.Concat(p.Acceptance, p.Metrics) {
			if row.Metric == metric {
				band = monitoring.Effective(row.Band, band)
			}
		}
		out.Bands[metric] = band
	}
	return out, nil
}

// put prints the files, or writes them: they are generated, so one that is
// there is replaced.
func (w *monitors) put(c *call, files []monitoring.File) error {
	if w.Out == "" {
		for _, f := range files {
			if err := c.print("-- " + f.Path + " --\n" + string(f.Data)); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
		return nil
	}
	if err := os.MkdirAll(w.Out, 0o750); err != nil {
		return fmt.Errorf("write %s: %w", w.Out, err)
	}
	tree, err := os.OpenRoot(w.Out)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.Out, err)
	}
	defer tree.Close() // only a handle
	for _, f := range files {
		if err := tree.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		if err := tree.WriteFile(f.Path, f.Data, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		if err := c.print(c.words().Monitoring("wrote", "path", f.Path) + "\n"); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
