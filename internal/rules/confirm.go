package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// floatError is by how much a figure that a script summed in binary floats may
// miss the exact one.
var floatError = decimal.New(1, -9)

// confirmed: the repository's own benchmark, run by itself on the same records,
// gives what was recomputed.
func confirmed(b *Bench) {
	if b.Request == nil || b.Request.Confirmation.State != dossier.ConfirmMeasured {
		return
	}
	c := b.Request.Confirmation
	kase, rows := b.disagreement(c)
	for _, args := range rows {
		at := b.datasetLine()
		for _, r := range b.Request.Plan.Metrics {
			if r.Metric == args["metric"] {
				at = r.Name.At
			}
		}
		args["run"], args["workflow"] = strconv.FormatInt(c.Run.ID, 10), c.Workflow
		b.find(finding.Finding{Rule: b.row.ID, Case: kase, At: at, Args: args})
	}
	if len(rows) == 0 {
		b.Verified("confirmed", "run", strconv.FormatInt(c.Run.ID, 10), "workflow", c.Workflow, "commit", c.Run.HeadOID[:min(7, len(c.Run.HeadOID))],
			"records", count(b.Request.Dataset.Scan.Facts.Records), "sha256", c.Measured.SHA256[:min(12, len(c.Measured.SHA256))])
	}
}

// Confirms tells whether a confirming run gave what the dry run is.
func Confirms(d *dossier.Dossier, c dossier.Confirmation) bool {
	if d.Request == nil || c.State != dossier.ConfirmMeasured {
		return false
	}
	_, rows := (&Bench{Dossier: d}).disagreement(c)
	return len(rows) == 0
}

// disagreement is in what the run's result and the recomputed dry run differ: a
// case of BL010, and the values of each sentence; none, and they agree.
func (b *Bench) disagreement(c dossier.Confirmation) (kase string, rows []map[string]string) {
	if c.Measured.Result == nil {
		var said []string
		for _, f := range c.Measured.Problems {
			if !slices.Contains(said, f.Rule) {
				said = append(said, f.Rule)
			}
		}
		return "inconsistent", []map[string]string{{"rules": strings.Join(said, ", ")}}
	}
	if c.Measured.Result.Scenario != b.Request.Scenario {
		return "other_scenario", []map[string]string{{"measured": c.Measured.Result.Scenario, "scenario": b.Request.Scenario}}
	}
	run, ok := b.dryRun()
	if !ok {
		return "no_dry_run", nil
	}
	theirs := benchmark.Recompute(c.Measured.Result.Aggregates(), b.Request.Bands.Metrics)
	for _, m := range run.Metrics {
		i := slices.IndexFunc(theirs.Metrics, func(x benchmark.Result) bool { return x.Metric == m.Metric })
		var x benchmark.Result
		if i >= 0 {
			x = theirs.Metrics[i]
		}
		if x.N == m.N && x.Value.Sub(m.Value).Abs().LessThanOrEqual(floatError) {
			continue
		}
		rows = append(rows, map[string]string{
			"metric": m.Metric, "recomputed": round(m.Value, 4), "n": count(m.N), "value": round(x.Value, 4), "of": count(x.N),
		})
	}
	return "differs", rows
}

// confirming says why there is no confirming run, and what the check waits for
// where the policy asks for one.
func confirming(b *Bench) {
	if b.Request == nil {
		return
	}
	c := b.Request.Confirmation
	if c.State == dossier.ConfirmNone || c.State == dossier.ConfirmEnded {
		b.find(finding.Finding{Rule: b.row.ID, Case: c.Why, At: b.section(plan.SectionBaseline), Args: c.Args})
	}
	if b.Policy.Enforcement == policy.Observe {
		return // nothing is started
	}
	if c.State == dossier.ConfirmDue || c.State == dossier.ConfirmRunning {
		b.Verified("confirmation_runs", "workflow", c.Workflow)
	}
	if b.Policy.Baseline.Confirm != policy.ConfirmRequired || b.Pull.Local || !b.Pull.Open {
		return
	}
	switch c.State {
	case dossier.ConfirmMeasured:
	case dossier.ConfirmNone, dossier.ConfirmEnded:
		b.check.Waits = &Statement{Key: "confirmation_missing"}
	default:
		b.check.Waits = &Statement{Key: "confirmation_runs"}
	}
}
