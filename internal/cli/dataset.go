package cli

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
	"github.com/pilotgate/pilotgate/internal/rules"
)

type datasets struct {
	Scan datasetScan `cmd:"" help:"Check a dataset's records: structure, schema, locale, personal data, repeats."`
}

type datasetScan struct {
	File        string `arg:"" help:"A JSON Lines file, or - for stdin."`
	Eval        string `placeholder:"FILE" help:"An evaluation dataset that must share nothing with it."`
	Format      string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	MaxFindings int    `default:"1000" placeholder:"N" help:"List at most so many findings (counts are always whole)."`
}

func (d *datasetScan) Help() string {
	return `Reads the file once, in the same small memory at any size, with the rules of the check pilot/dataset. A file that changes meanwhile
is exit code 2: wait until the export is complete. With Git LFS run "git lfs pull" before: a pointer is not the data.`
}

// Run scans the file in one pass.
func (d *datasetScan) Run(c *call) error {
	if d.MaxFindings < 1 || d.MaxFindings > maxFindings {
		return advise(fmt.Sprintf("give a number from 1 to %d", maxFindings), "list findings: --max-findings %d is not possible", d.MaxFindings)
	}
	if d.File == "-" && d.Eval == "-" {
		return advise("name a file for one of them", "read datasets: both are -")
	}
	o := dataset.Options{Path: d.File, MaxFindings: d.MaxFindings, NearDuplicates: true, Key: make([]byte, 32)}
	if _, err := rand.Read(o.Key); err != nil {
		return fmt.Errorf("make a key for fingerprints: %w", err)
	}
	if d.Eval != "" {
		pair, err := scanFile(c, d.Eval, dataset.Options{Path: d.Eval, KeepIndex: true, NearDuplicates: true})
		if err != nil {
			return err
		}
		o.Evaluation = pair.Index
	}
	f, err := scanFile(c, d.File, o)
	if err != nil {
		return err
	}
	report := weigh(f, d.File)
	if err := c.printScan(report, d.Format); err != nil {
		return err
	}
	if finding.Count(report.Findings, finding.Error) > 0 {
		return errFindings
	}
	return nil
}

// maxFindings bounds memory: about 500 bytes each.
const maxFindings = 1_000_000

// weigh gives a scan the catalogue's severities and the default bands.
func weigh(f dataset.Facts, path string) render.ScanReport {
	found, hidden := rules.Weighed(&f, path)
	scenario := policy.Default().ScenarioOf(path)
	if scenario == "" {
		scenario = defaultScenario
	}
	bands, _ := policy.Default().Scenario(scenario)
	finding.Sort(found)
	return render.ScanReport{
		Path: path, Facts: f, Findings: found, Hidden: hidden, Scenario: scenario,
		Run: benchmark.Recompute(rules.Aggregates(&f), bands.Metrics),
	}
}

// defaultScenario is whose bands hold where a path names no dataset id.
const defaultScenario = "channel_digest_ru"

func (c *call) printScan(r render.ScanReport, format string) error {
	if format == "json" {
		out, err := c.words().ScanJSON(r)
		if err != nil {
			return fmt.Errorf("print scan: %w", err)
		}
		return c.print(string(out))
	}
	return c.print(c.words().ScanText(r, c.paint()))
}

// trimmed is a program's output for an error: its last line, bounded.
func trimmed(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	last := string(lines[len(lines)-1])
	const most = 200
	if r := []rune(last); len(r) > most {
		last = string(r[:most]) + "…"
	}
	return last
}
