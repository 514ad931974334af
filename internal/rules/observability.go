package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/monitoring/watched"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// watchedFiles are the repository's rule files and dashboards, read.
func (b *Bench) watchedFiles() []watched.File {
	var files []watched.File
	for _, d := range b.Request.Monitoring {
		switch {
		case !d.Readable():
			files = append(files, watched.File{Path: d.Path, Problems: []watched.Problem{{Text: "the file is too large to be read"}}})
		case b.Policy.Kind(d.Path) == policy.Grafana:
			files = append(files, facts.Read(d.Blob, d.Path, watched.Dashboard))
		default:
			files = append(files, facts.Read(d.Blob, d.Path, watched.Rules))
		}
	}
	return files
}

// observability: latency, accuracy, coverage and drift of this scenario and
// model are watched by an alert or stand on a dashboard. A file that Prometheus
// or Grafana would refuse watches nothing, however good it looks.
func observability(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	files := b.watchedFiles()
	for _, f := range files {
		for _, p := range f.Problems {
			found := b.Find("broken", finding.Position{Path: f.Path, Line: max(p.Line, 1)}, "path", f.Path, "problem", p.Text)
			found.Severity = finding.Warning
			if b.changed(f.Path) {
				found.Severity = finding.Error
			}
		}
	}
	target, _ := q.Plan.Get(plan.TargetModel)
	model := watched.Model{Scenario: q.Scenario, Dataset: q.Bands.DatasetID, Name: target.Text}
	var missing, silent []string
	for _, quantity := range watched.Quantities() {
		switch w := watched.Find(files, model, quantity); {
		case w.Alert:
		case w.Panel:
			silent = append(silent, quantity)
		default:
			missing = append(missing, quantity)
		}
	}
	n := len(watched.Quantities())
	at := b.section(plan.SectionRelease)
	if len(missing) > 0 {
		b.Find("missing", at, "metrics", strings.Join(missing, ", "), "n", count(n-len(missing)), "of", count(n))
	}
	if len(silent) > 0 {
		b.Find("silent", at, "metrics", strings.Join(silent, ", ")).Severity = finding.Note
	}
	if len(missing) == 0 {
		b.Verified("watched", "n", count(n), "files", count(len(files)))
	}
}

// exported are the series that the benchmark runner itself writes.
var exported = []string{"benchmark_run_duration_seconds", "benchmark_run_outcome", "benchmark_metric_value", "benchmark_metric_outcome"}

// metricsExist: a time series that a document counts on is recorded by a rule,
// looked at by a rule or panel, or one of the runner's own. A rule that looks at
// a runner's series under another name is told where it stands.
func metricsExist(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	known := slices.Clone(exported)
	for _, f := range b.watchedFiles() {
		for _, query := range f.Queries {
			known = append(known, query.Record)
			for _, s := range query.Selectors {
				known = append(known, s.Name)
			}
		}
	}
	seen := map[string]bool{}
	for _, doc := range b.namers() {
		for _, m := range doc.mentions {
			name, _, _ := strings.Cut(m.Text, "{")
			if m.Kind != plan.MentionMetric || seen[name] || m.Pattern && !strings.Contains(m.Text, "{") {
				continue
			}
			seen[name] = true
			if !slices.Contains(known, name) {
				doc.soften(b.Find("nowhere", m.At, "name", name), b.row, b.Policy.Profile)
			}
		}
	}
	b.nearExported()
}

// nearExported: a name that is almost one of the runner's is a slip, and an
// alert on it never fires.
func (b *Bench) nearExported() {
	for _, f := range b.watchedFiles() {
		recorded := map[string]bool{}
		for _, query := range f.Queries {
			recorded[query.Record] = true
		}
		for _, query := range f.Queries {
			for _, s := range query.Selectors {
				if meant := misspelt(s.Name); meant != "" && !recorded[s.Name] {
					b.Find("misspelt", finding.Position{Path: f.Path, Line: max(query.Line, 1)}, "name", s.Name, "meant", meant, "file", path.Base(f.Path))
				}
			}
		}
	}
}

// misspelt gives the series of the runner that differs from the name by one or
// two letters.
func misspelt(name string) string {
	for _, e := range exported {
		if name != e && distance(name, e) <= 2 {
			return e
		}
	}
	return ""
}

// distance is Levenshtein's, for names: bytes put in, taken out or changed. More
// than 3 is 3.
func distance(a, b string) int {
	const far = 3
	if len(a)-len(b) >= far || len(b)-len(a) >= far || len(a) > 200 {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], far)
}
