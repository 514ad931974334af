package report

import (
	"regexp"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
)

// Fault is a generated part that is not what the records say.
type Fault struct {
	Case string // Missing, Differs, Twice, Unpaired
	Part string // key of the part
	Line int    // from 1; the first line that differs
}

// The faults.
const (
	Missing  = "missing"
	Differs  = "differs"
	Twice    = "twice"
	Unpaired = "unpaired"
)

// Faults holds every generated part of a report against the records. A part
// that stands as in before, the report on the base branch, was approved there:
// another version of Pilotgate may have written it. While the results are
// awaited, the parts that follow from them are not held against anything.
func Faults(text []byte, in Input, before []byte) []Fault {
	doc, old := parse(string(text)), parse(string(before))
	var out []Fault
	for _, s := range doc.strays {
		kase := Unpaired
		if s.second {
			kase = Twice
		}
		out = append(out, Fault{Case: kase, Part: s.key, Line: s.line})
	}
	results := map[string]bool{}
	for _, s := range sections() {
		results[s.key] = s.results
	}
	for _, b := range Blocks(in) {
		if results[b.Key] && in.Evaluation == nil {
			continue
		}
		got, line, ok := doc.block(b.Key)
		was, _, had := old.block(b.Key)
		switch {
		case !ok:
			out = append(out, Fault{Case: Missing, Part: b.Key, Line: 1})
		case got != b.Text && (!had || got != was):
			out = append(out, Fault{Case: Differs, Part: b.Key, Line: line + firstDifference(got, b.Text)})
		}
	}
	return out
}

// firstDifference counts the equal lines at the beginning of two texts.
func firstDifference(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	return strings.Count(a[:i], "\n")
}

// Contradiction is a figure in people's text that no figure of its metric
// rounds to.
type Contradiction struct {
	Line      int
	Metric    string
	Figure    string // as written
	Candidate string // what the candidate has
}

const maxContradictions = 20

var (
	word   = regexp.MustCompile(`\pL+`)
	number = regexp.MustCompile(`(?:^|[^\pL\d.,])(\d{1,4}[.,]\d{1,6})(?:[^\d.,]|[.,](?:\D|$)|$)`)
)

// Contradictions finds figures in people's text that the evaluation does not
// bear: on a line that speaks of one metric, a number with a decimal point that
// no figure of that metric rounds to.
func Contradictions(text []byte, e *evaluation.Evaluation) []Contradiction {
	var out []Contradiction
	for _, p := range parse(string(text)).pieces {
		if p.key != "" {
			continue
		}
		at := p.line - 1
		for line := range strings.Lines(p.text) {
			at++
			m, ok := e.Metric(oneMetric(line))
			if !ok {
				continue
			}
			for _, found := range number.FindAllStringSubmatch(line, -1) {
				if len(out) < maxContradictions && !bears(m, found[1]) {
					out = append(out, Contradiction{Line: at, Metric: m.Name, Figure: found[1], Candidate: value(m.Name, m.Candidate.Value)})
				}
			}
		}
	}
	return out
}

// oneMetric is the one metric that a line names; "" for none or several.
func oneMetric(line string) string {
	found := ""
	for _, w := range word.FindAllString(line, -1) {
		m, _, ok := benchmark.ParseMetricName(w)
		switch {
		case !ok:
		case found != "" && found != m:
			return ""
		default:
			found = m
		}
	}
	return found
}

// bears tells whether a printed figure is one of the metric's, rounded to the
// digits that it prints, whatever its sign.
func bears(m evaluation.Metric, printed string) bool {
	b, c, a := m.Baseline, m.Candidate, m.Acceptance
	for _, figure := range []string{
		b.Value, b.Mean, b.P95, b.Worst, c.Value, c.Mean, c.P95, c.Worst, m.Delta, m.Low, m.High, m.Pass, m.Warn,
		m.Test.P, m.Test.SmallestP, a.Bound, a.Value, a.Limit, "0.05",
	} {
		if d, err := decimal.NewFromString(figure); err == nil && benchmark.AgreesAsPrinted(printed, d.Abs()) {
			return true
		}
	}
	return false
}
