package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// ScanReport is a dataset's scan, weighed.
type ScanReport struct {
	Path     string
	Facts    dataset.Facts
	Findings []finding.Finding
	Hidden   map[string]int // findings beyond those listed, by rule
	Scenario string         // whose bands the dry run is judged by
	Run      benchmark.Run
}

type jsonScan struct {
	Schema   int                   `json:"schema"`
	Path     string                `json:"path"`
	Bytes    int64                 `json:"bytes"`
	Records  int                   `json:"records"`
	SHA256   string                `json:"sha256"`
	Counts   map[string]int        `json:"counts"`
	Baseline map[string]jsonMetric `json:"baseline"`
	Findings []jsonRecord          `json:"findings"`
}

// jsonMetric is one metric of the dry run; value is null without a record that
// has it.
type jsonMetric struct {
	Value   *number           `json:"value"`
	Outcome benchmark.Outcome `json:"outcome"`
	N       int               `json:"n"`
}

// number is a decimal as JSON writes it, with its own digits.
type number string

// MarshalJSON writes the digits.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

type jsonRecord struct {
	Rule        string `json:"rule"`
	Severity    string `json:"severity"`
	Line        int    `json:"line"`
	ByteStart   int    `json:"byte_start"`
	ByteEnd     int    `json:"byte_end"`
	Pointer     string `json:"pointer"`
	Length      int    `json:"length"`
	Fingerprint string `json:"fingerprint"`
	Message     string `json:"message"`
}

// ScanJSON is the scan as one object.
func (w *Words) ScanJSON(r ScanReport) ([]byte, error) {
	out := jsonScan{
		Schema: schema, Path: r.Path, Bytes: r.Facts.Bytes, Records: r.Facts.Records, SHA256: r.Facts.SHA256,
		Counts: map[string]int{}, Baseline: map[string]jsonMetric{}, Findings: []jsonRecord{},
	}
	for _, c := range r.Facts.Counts {
		out.Counts[c.Rule] += c.N
	}
	for _, m := range r.Run.Metrics {
		x := jsonMetric{Outcome: m.Outcome, N: m.N}
		if m.N > 0 {
			v := number(m.Value.String())
			x.Value = &v
		}
		out.Baseline[m.Metric] = x
	}
	for _, f := range r.Findings {
		x := jsonRecord{Rule: f.Rule, Severity: string(f.Severity), Line: f.At.Line, Message: w.what(f, plain)}
		if f.Record != nil {
			x.ByteStart, x.ByteEnd, x.Pointer = f.Record.ByteStart, f.Record.ByteEnd, f.Record.Pointer
			x.Length, x.Fingerprint = f.Record.Length, f.Record.Fingerprint
		}
		out.Findings = append(out.Findings, x)
	}
	return encodeJSON(out)
}

// ScanText is the scan for a terminal.
func (w *Words) ScanText(r ScanReport, p Paint) string {
	var b strings.Builder
	records := strconv.Itoa(r.Facts.Records)
	b.WriteString(p.in(bold, w.Say("scan_heading", "path", r.Path, "records", records, "bytes", strconv.FormatInt(r.Facts.Bytes, 10))) + "\n")
	b.WriteString(p.in(dim, w.Say("sha256", "sha256", r.Facts.SHA256)) + "\n\n")
	if len(r.Findings) == 0 {
		b.WriteString(p.in(green, "✓") + " " + w.Say("scan_clean", "records", records, "bytes", strconv.FormatInt(r.Facts.Bytes, 10)) + "\n")
	}
	shown, left := listed(r.Findings, r.Hidden, perRuleTerminal, maxListed)
	for _, f := range shown {
		line := w.FindingLine(f, p)
		if f.Record != nil && f.Record.Fingerprint != "" {
			line += "\n    " + p.in(dim, w.Say("fingerprint", "fingerprint", f.Record.Fingerprint))
		}
		b.WriteString(line + "\n")
	}
	for _, rule := range slices.Sorted(maps.Keys(left)) {
		b.WriteString(p.in(dim, w.Say("more", "n", strconv.Itoa(left[rule]), "rule", rule)) + "\n")
	}
	if r.Facts.Records > 0 {
		b.WriteString("\n" + w.BenchmarkText(r.Run, r.Scenario, r.Facts.Records, p))
	}
	return b.String()
}

// BenchmarkText is a recomputed dry run: the statistic that the band judges
// with its outcome, and the worst record's beside it, each by its name.
func (w *Words) BenchmarkText(run benchmark.Run, scenario string, records int, p Paint) string {
	var b strings.Builder
	b.WriteString(p.in(bold, w.Say("metrics", "records", strconv.Itoa(records), "scenario", scenario)) + "\n")
	for _, m := range run.Metrics {
		b.WriteString("  " + outcomeSign(m.Outcome, p) + " ")
		if m.N == 0 {
			b.WriteString(w.Say("no_metric", "metric", m.Metric) + "\n")
			continue
		}
		b.WriteString(w.Say("metric", "metric", m.Metric, "statistic", m.Statistic, "value", m.Value.Round(4).String(), "outcome", string(m.Outcome),
			"threshold", m.Band.String(), "n", strconv.Itoa(m.N), "worst", m.Worst.Round(4).String(), "worst_outcome", string(m.WorstOutcome)) + "\n")
	}
	return b.String()
}

func outcomeSign(o benchmark.Outcome, p Paint) string {
	switch o {
	case benchmark.Pass:
		return p.in(green, "✓")
	case benchmark.Warn:
		return p.in(yellow, "!")
	}
	return p.in(red, "✗")
}

// BaselineTable is the table for the plan, ready to be pasted.
func (w *Words) BaselineTable(run benchmark.Run) string {
	var b strings.Builder
	b.WriteString(w.texts["terminal"]["paste_head"] + "\n|---|---|---|---|\n")
	for _, m := range run.Metrics {
		name, value := title(m.Metric), "—"
		if m.Metric == benchmark.Latency {
			name = "Latency (P95)"
			if m.Statistic != benchmark.P95 {
				name = "Latency (avg)"
			}
		}
		if m.N > 0 {
			value = m.Value.Round(3).String()
			if m.Metric == benchmark.Latency {
				value = m.Value.Round(1).String() + " s"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, value, m.Band.String(), title(string(m.Outcome)))
	}
	return b.String()
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

type jsonBenchmark struct {
	Schema   int                  `json:"schema"`
	Path     string               `json:"path"`
	SHA256   string               `json:"sha256"`
	Records  int                  `json:"records"`
	Scenario string               `json:"scenario"`
	Overall  benchmark.Outcome    `json:"overall"`
	Metrics  []jsonBenchmarkValue `json:"metrics"`
	Problems []jsonProblem        `json:"problems"`
	Script   *jsonScript          `json:"script,omitempty"`
}

type jsonBenchmarkValue struct {
	Name         string            `json:"name"`
	Statistic    string            `json:"statistic"`
	Value        *number           `json:"value"`
	Outcome      benchmark.Outcome `json:"outcome"`
	N            int               `json:"n"`
	Missing      int               `json:"missing"`
	Worst        *number           `json:"worst"`
	WorstOutcome benchmark.Outcome `json:"worst_outcome"`
	Threshold    string            `json:"threshold"`
}

type jsonProblem struct {
	Case   string `json:"case"`
	Metric string `json:"metric,omitempty"`
}

type jsonScript struct {
	Agrees      bool              `json:"agrees"`
	Differences map[string]string `json:"differences"` // metric to the script's value
}

// BenchmarkJSON is a recomputed dry run as one object. differences are the
// script's values that are not the recomputed ones; nil: it was not run.
func (w *Words) BenchmarkJSON(r ScanReport, differences map[string]string) ([]byte, error) {
	out := jsonBenchmark{
		Schema: schema, Path: r.Path, SHA256: r.Facts.SHA256, Records: r.Facts.Records, Scenario: r.Scenario, Overall: r.Run.Overall,
		Metrics: []jsonBenchmarkValue{}, Problems: []jsonProblem{},
	}
	for _, m := range r.Run.Metrics {
		x := jsonBenchmarkValue{
			Name: m.Metric, Statistic: m.Statistic, Outcome: m.Outcome, N: m.N, Missing: m.Missing,
			WorstOutcome: m.WorstOutcome, Threshold: m.Band.String(),
		}
		if m.N > 0 {
			value, worst := number(m.Value.String()), number(m.Worst.String())
			x.Value, x.Worst = &value, &worst
		}
		out.Metrics = append(out.Metrics, x)
	}
	for _, p := range r.Run.Problems {
		out.Problems = append(out.Problems, jsonProblem{p.Case, p.Metric})
	}
	if differences != nil {
		out.Script = &jsonScript{len(differences) == 0, differences}
	}
	return encodeJSON(out)
}
