package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
	"github.com/pilotgate/pilotgate/internal/rules"
)

type benchmarks struct {
	Dataset  string `arg:"" help:"A JSON Lines file, or - for stdin."`
	Scenario string `placeholder:"NAME" help:"Whose bands to judge by (from the dataset's id)."`
	Format   string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	Run_     bool   `name:"run" help:"Also run scripts/benchmark/run_benchmark.py --dry-run of the checkout, and compare."`
	Repo     string `default:"." placeholder:"DIR" help:"The checkout, for its policy and its script."`
}

// Run recomputes; with --run it compares.
func (b *benchmarks) Run(c *call) error {
	if b.Run_ && b.Dataset == "-" {
		return advise("name a file", "run the script on stdin: it reads files")
	}
	p, err := policyAt(b.Repo)
	if err != nil {
		return err
	}
	scenario := b.Scenario
	if scenario == "" {
		if scenario = p.ScenarioOf(b.Dataset); scenario == "" {
			scenario = defaultScenario
		}
	}
	bands, ok := p.Scenario(scenario)
	if !ok {
		return advise("the policy knows "+strings.Join(p.ScenarioNames(), ", "), "judge by scenario %q: the policy has no bands for it", scenario)
	}
	f, err := scanFile(c, b.Dataset, dataset.Options{Path: b.Dataset})
	if err != nil {
		return err
	}
	if noRecords(&f) {
		return advise("name a JSON Lines file, one record a line", "read dataset %s: none of its %d lines is a JSON object", b.Dataset, f.Records)
	}
	report := render.ScanReport{Path: b.Dataset, Facts: f, Scenario: scenario, Run: benchmark.Recompute(rules.Aggregates(&f), bands.Metrics)}
	var differences map[string]string
	if b.Run_ {
		if differences, err = b.compare(c, report); err != nil {
			return err
		}
	}
	if err := b.print(c, report, differences); err != nil {
		return err
	}
	if report.Run.Overall == benchmark.Fail || len(differences) > 0 {
		return errFindings
	}
	return nil
}

// noRecords tells a file that is no dataset from a dataset without scores.
func noRecords(f *dataset.Facts) bool {
	for _, c := range f.Counts {
		if c.Rule == "DS002" && c.N >= f.Records && f.Records > 0 {
			return true
		}
	}
	return false
}

// policyAt is the checkout's, as it lies there; without a file the defaults hold.
func policyAt(dir string) (policy.Policy, error) {
	top, err := topOf(dir)
	if err != nil {
		return policy.Default(), nil //nolint:nilerr // a dataset or a plan needs no checkout around it
	}
	raw, err := os.ReadFile(filepath.Join(top, policy.Path))
	if errors.Is(err, os.ErrNotExist) {
		return policy.Default(), nil
	}
	if err != nil {
		return policy.Default(), fmt.Errorf("read policy: %w", err)
	}
	p, found := policy.Parse(policy.Path, raw)
	for _, f := range found {
		if f.Severity == finding.Error {
			return p, advise("mend it, then run this again", "read policy %s: %s", render.Place(f.At), render.Speak("en").What(f))
		}
	}
	return p, nil
}

func (b *benchmarks) print(c *call, r render.ScanReport, differences map[string]string) error {
	w := c.words()
	if b.Format == "json" {
		out, err := w.BenchmarkJSON(r, differences)
		if err != nil {
			return fmt.Errorf("print benchmark: %w", err)
		}
		return c.print(string(out))
	}
	var text strings.Builder
	text.WriteString(w.BenchmarkText(r.Run, r.Scenario, r.Facts.Records, c.paint()))
	for _, metric := range slices.Sorted(maps.Keys(differences)) {
		text.WriteString("  " + w.Say("script_differs", "metric", metric, "script", differences[metric], "value", recomputed(r.Run, metric)) + "\n")
	}
	if differences != nil && len(differences) == 0 {
		text.WriteString("  " + w.Say("script_agrees") + "\n")
	}
	text.WriteString("\n" + w.Say("paste") + "\n\n" + w.BaselineTable(r.Run))
	return c.print(text.String())
}

// script is where the Stage 05 runner is in a checkout.
const script = "scripts/benchmark/run_benchmark.py"

// compare runs the checkout's script. Only the JSON on its stdout counts: its
// exit code 2 is a failed benchmark as well as a file that Python cannot open.
func (b *benchmarks) compare(c *call, r render.ScanReport) (map[string]string, error) {
	top, err := topOf(b.Repo)
	if err != nil {
		return nil, err
	}
	file, err := filepath.Abs(b.Dataset)
	if err != nil {
		return nil, fmt.Errorf("find dataset: %w", err)
	}
	if _, err := os.Stat(filepath.Join(top, script)); err != nil {
		return nil, advise("name the checkout with --repo, or leave --run away", "run %s: it is not in %s", script, top)
	}
	//nolint:gosec // the checkout's own script, which --run asks for by name; no shell reads the arguments
	cmd := exec.CommandContext(c, "python3", script, "--dry-run", "--scenario", r.Scenario, "--dataset", file)
	cmd.Dir = top
	var out, errs capped
	cmd.Stdout, cmd.Stderr = &out, &errs
	ended := cmd.Run()
	if errors.Is(ended, exec.ErrNotFound) {
		return nil, advise("install it, or leave --run away", "run %s: python3 is not on PATH", script)
	}
	result, found := benchmark.ParseResult(out.Bytes())
	if len(found) > 0 {
		why := trimmed(errs.Bytes())
		if why == "" {
			why = render.Speak("en").What(found[0])
		}
		return nil, advise("mend the script, then run this again", "run %s: it printed no result (%s)", script, why)
	}
	return differences(r.Run, result), nil
}

// capped keeps what a child may print, one result file's worth.
type capped struct{ bytes.Buffer }

func (c *capped) Write(b []byte) (int, error) {
	if c.Len()+len(b) > benchmark.MaxResultBytes {
		return 0, errors.New("too much output")
	}
	return c.Buffer.Write(b)
}

// differences are the script's means that are not the recomputed ones. Its
// outcomes are the worst sample's and are not compared.
func differences(run benchmark.Run, result benchmark.RunnerResult) map[string]string {
	out := map[string]string{}
	for _, m := range run.Metrics {
		i := slices.IndexFunc(result.Metrics, func(x benchmark.RunnerMetric) bool { return x.Name == m.Metric })
		switch {
		case i < 0:
			out[m.Metric] = "–"
		case m.N == 0:
			out[m.Metric] = result.Metrics[i].Value.String()
		case !result.Metrics[i].Value.Sub(m.Statistics[benchmark.Mean]).Abs().LessThan(tolerance):
			out[m.Metric] = result.Metrics[i].Value.String()
		}
	}
	return out
}

// tolerance is what rounding to six digits and binary sums may differ by.
var tolerance = decimal.New(1, -5)

func recomputed(run benchmark.Run, metric string) string {
	for _, m := range run.Metrics {
		if m.Metric == metric && m.N > 0 {
			return m.Statistics[benchmark.Mean].Round(6).String()
		}
	}
	return "–"
}
