package rules

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset/pii"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// What a plan and its data card say is held against the commit that brings
// them. Where a rule of its own judges a field, nothing is told twice.

// told are the fields whose files other rules look for.
var told = []plan.Field{
	plan.Config, plan.Script, plan.PromptFile, plan.Dataset, plan.EvaluationDataset, plan.DataCard, plan.Pointer,
}

// judgedElsewhere are the plan's values that rules of their own look for.
func judgedElsewhere(q *dossier.Request) map[string]bool {
	seen := map[string]bool{"": true}
	for _, f := range told {
		v, _ := q.Plan.Get(f)
		seen[v.Text] = true
	}
	return seen
}

// namedInText: a file that the text names is in head's tree. What a run is to
// write need not be there, and a pattern names no one file.
func namedInText(b *Bench) {
	q := b.Request
	if q == nil || b.Truncated {
		return
	}
	seen := judgedElsewhere(q)
	absent := 0
	for _, m := range q.Plan.Mentions {
		switch m.Kind {
		case plan.MentionPath, plan.MentionScript, plan.MentionConfig, plan.MentionWorkflow, plan.MentionPrompt, plan.MentionDashboard:
		default:
			continue
		}
		path := strings.TrimPrefix(strings.TrimSuffix(m.Text, "/"), "./")
		if m.Output || m.Pattern || m.Bare || seen[m.Text] || seen[path] || strings.HasPrefix(path, "/") {
			continue
		}
		seen[path] = true
		if !b.holds(path) && !generated(b, path) {
			absent++
			b.Find("absent", m.At, "path", path)
		}
	}
	if absent == 0 && len(q.Plan.Mentions) > 0 {
		b.Verified("named")
	}
}

// generated are the files that we write after the plan is merged.
func generated(b *Bench, path string) bool {
	p := b.Policy.Paths
	return path == p.Signoff || path == p.Runbook || path == p.Summary || path == b.Policy.ReportPath(b.Request.PilotID) ||
		strings.HasPrefix(path+"/", b.Policy.EvidencePath(b.Request.PilotID))
}

// holds tells whether head has a file, or a folder, of this path.
func (b *Bench) holds(path string) bool {
	entries := b.Pull.Git.Trees[b.Pull.Head.OID].Entries
	if _, ok := entries[path]; ok {
		return true
	}
	for p := range entries {
		if strings.HasPrefix(p, path+"/") {
			return true
		}
	}
	return false
}

// changed tells whether the pull request brings or changes the file.
func (b *Bench) changed(path string) bool {
	return slices.ContainsFunc(b.Governed, func(c dossier.Change) bool { return c.Path == path }) || path == b.Request.Path
}

// deadLinks: a link inside the repository leads to something. In a file that
// this pull request does not change it is not this author's to mend.
func deadLinks(b *Bench) {
	q := b.Request
	if q == nil || b.Truncated {
		return
	}
	seen := judgedElsewhere(q)
	for _, doc := range []struct {
		path     string
		mentions []plan.Mention
	}{{q.Path, q.Plan.Mentions}, {q.CardPath, q.Card.Mentions}} {
		for _, m := range doc.mentions {
			target := strings.TrimSuffix(m.Text, "/")
			if seen[m.Text] && doc.path == q.Path {
				continue // a field's own rule tells it
			}
			if m.Kind != plan.MentionLink || m.Pattern || target == "" || b.holds(target) || generated(b, target) {
				continue
			}
			f := b.Find("dead", m.At, "path", target)
			if !b.changed(doc.path) {
				f.Severity = finding.Warning
			}
		}
	}
}

// maxCredentials bounds what is told of one document.
const maxCredentials = 20

// credentials: no governed document holds a key, a token or a password. What
// was found is not repeated.
func credentials(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, doc := range []dossier.Document{q.Source, q.CardFile} {
		if !doc.Readable() {
			continue
		}
		var scanner pii.Scanner
		n := 0
		for _, m := range scanner.Scan(doc.Blob.Bytes, pii.Context{}) {
			if m.ID != pii.Secret {
				continue
			}
			if n++; n > maxCredentials {
				break
			}
			b.Find("found", finding.Position{Path: doc.Path, Line: 1 + bytes.Count(doc.Blob.Bytes[:m.Start], []byte("\n"))})
		}
	}
}

// cardDates: a data card cannot tell of a day after the commit that brings it;
// in a working tree that commit is still to come.
func cardDates(b *Bench) {
	q := b.Request
	if q == nil || !q.CardFile.Readable() {
		return
	}
	brought := b.Pull.Now
	for _, c := range b.Pull.Commits {
		if !b.Pull.Local && c.OID == b.Pull.Head.OID && !c.At.IsZero() && c.At.Before(brought) {
			brought = c.At
		}
	}
	for _, x := range []struct {
		kase string
		v    plan.Value
	}{{"created", q.Card.Created}, {"window", q.Card.WindowTo}} {
		day, ok := dayOf(x.v.Text)
		// A day more is left for time zones.
		if ok && day.After(brought.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)) {
			b.Find(x.kase, x.v.At, "date", x.v.Text, "time", brought.UTC().Format(time.DateOnly))
		}
	}
}

// dayOf reads a date as ISO 8601 writes it, alone or before a time.
func dayOf(s string) (time.Time, bool) {
	if len(s) < len(time.DateOnly) {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	return day, err == nil
}

var firstNumber = regexp.MustCompile(`^\D{0,40}?(\d[\d ,\x{a0}\x{202f}]{0,12})`)

// manualQA: people cannot read more samples than there are.
func manualQA(b *Bench) {
	q := b.Request
	if q == nil || q.Dataset.Scan.Facts == nil {
		return
	}
	v, ok := q.Plan.Get(plan.ManualQA)
	m := firstNumber.FindStringSubmatch(v.Text)
	if !ok || m == nil {
		return
	}
	n, err := strconv.Atoi(strings.NewReplacer(" ", "", ",", "", "\u00a0", "", "\u202f", "").Replace(m[1]))
	if err != nil {
		return
	}
	most := q.Dataset.Scan.Facts.Records
	if e := q.Evaluation.Scan.Facts; e != nil {
		most = max(most, e.Records)
	}
	if n > most {
		b.Find("too_many", v.At, "n", count(n), "records", count(most))
	}
}

// recoveryGate: after a rollback the benchmark runs on the baseline, and what
// it demands the baseline must be able to give. The runner judges by the worst
// sample, so that is what is looked at here.
func recoveryGate(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.RecoveryGate)
	run, recomputed := b.dryRun()
	if !ok || !recomputed || !strings.Contains(v.Text, "run_benchmark") {
		return
	}
	strict := strings.Contains(v.Text, "--fail-on-warn")
	for _, m := range run.Metrics {
		if m.N == 0 {
			continue
		}
		if m.WorstOutcome == benchmark.Fail || strict && m.WorstOutcome == benchmark.Warn {
			b.Find("cannot_pass", v.At, "metric", m.Metric, "worst", round(m.Worst, 4), "worst_outcome", string(m.WorstOutcome), "threshold", m.Band.String())
		}
	}
}

// exported are the series that the benchmark runner itself writes.
var exported = []string{"benchmark_run_duration_seconds", "benchmark_run_outcome", "benchmark_metric_value", "benchmark_metric_outcome"}

// metricsExist: a time series that the plan counts on stands in a rule file or
// on a dashboard of the repository, or is one of the runner's own.
func metricsExist(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	seen := map[string]bool{}
	for _, m := range q.Plan.Mentions {
		name, _, _ := strings.Cut(m.Text, "{")
		if m.Kind != plan.MentionMetric || seen[name] || m.Pattern && !strings.Contains(m.Text, "{") || slices.Contains(exported, name) {
			continue
		}
		seen[name] = true
		if !slices.ContainsFunc(q.Monitoring, func(d dossier.Document) bool { return bytes.Contains(d.Blob.Bytes, []byte(name)) }) {
			b.Find("nowhere", m.At, "name", name)
		}
	}
}
