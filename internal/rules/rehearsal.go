package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/registry"
)

// rehearsal does the rollback in memory: the commit that would point the
// scenario at the rollback target, read back and judged by the rules that the
// real one will meet. What the target and the pointer lack by themselves,
// OP004 and OP005 tell.
func rehearsal(b *Bench) {
	q := b.Request
	if q == nil || q.Scenario == "" || !q.PointerFile.Readable() || !q.RegistryFile.Readable() {
		return
	}
	v, ok := q.Plan.Get(plan.RollbackTarget)
	if !ok {
		return
	}
	entry, ok := q.Registry.Find(v.Text)
	if !ok || !entry.Usable() {
		return
	}
	path := q.PointerFile.Path
	now, running := q.Pointer.Targets[q.Scenario]
	if finding.Count(q.Pointer.Problems, finding.Error) > 0 {
		b.Find("pointer_broken", v.At, "pointer", path)
		return
	}
	fine := true
	tell := func(kase string, args ...string) {
		fine = false
		b.Find(kase, v.At, args...)
	}
	if running && now.Previous != "" && previousRefused(q.Pointer, q.Registry, q.Scenario) {
		tell("previous", "pointer", path, "scenario", q.Scenario, "previous", now.Previous)
	}
	back := registry.Target{Model: entry.Name, Version: entry.Version, Digest: entry.Digest}
	// What PutTarget writes it reads again and compares with what it was asked for.
	if _, err := registry.PutTarget(path, q.PointerFile.Blob.Bytes, q.Scenario, back); err != nil {
		tell("form", "pointer", path, "scenario", q.Scenario)
	}
	if _, there := b.HeadTree.Entries[entry.Config]; entry.Config != "" && !there && !b.Truncated {
		tell("no_config", "target", entry.ID(), "path", entry.Config)
	}
	if fine {
		b.Verified("rehearsed", "target", entry.ID(), "pointer", path)
	}
}

// previousRefused tells whether the registry's rules refuse what a scenario
// falls back to today.
func previousRefused(p registry.Pointer, models registry.Registry, scenario string) bool {
	at := p.Targets[scenario].Places["previous"]
	return slices.ContainsFunc(registry.CheckPointer(p, models), func(f finding.Finding) bool {
		return f.Args["scenario"] == scenario && f.At == at
	})
}

// recoveryGate: after a rollback the benchmark runs on the baseline, and what
// the gate demands the baseline must be able to give, on the numbers recorded
// here. The runner judges by the worst sample, so that is what is looked at
// where its own exit code is the gate.
func recoveryGate(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.RecoveryGate)
	run, recomputed := b.dryRun()
	if !ok || !recomputed {
		return
	}
	strict := strings.Contains(v.Text, "--fail-on-warn")
	var beyond []string // each with its worst sample
	for _, m := range run.Metrics {
		if m.N == 0 {
			continue
		}
		if strings.Contains(v.Text, "run_benchmark") && (m.WorstOutcome == benchmark.Fail || strict && m.WorstOutcome == benchmark.Warn) {
			beyond = append(beyond, m.Metric+" "+round(m.Worst, 4)+" ("+string(m.WorstOutcome)+")")
		}
		for _, asked := range plan.BandsIn(v.Text) {
			value, has := m.Statistics[normalStatistic(cmp.Or(asked.Statistic, m.Statistic))]
			if asked.Metric == m.Metric && has && !asked.Band.Empty() && asked.Band.Judge(value) != benchmark.Pass {
				b.Find("too_high", v.At, "metric", m.Metric, "value", round(value, 4), "threshold", asked.Band.String())
			}
		}
	}
	if len(beyond) > 0 {
		b.Find("cannot_pass", v.At, "metrics", strings.Join(beyond, ", "))
	}
}
