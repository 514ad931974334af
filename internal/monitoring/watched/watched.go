// Package watched reads what a repository watches: the rule files that
// Prometheus loads and the dashboards that Grafana shows, and tells whether a
// quantity of a pilot's model is among it.
//
// Expressions are read by Prometheus' own parser, never by their looks. The
// package is given bytes, opens nothing, evaluates nothing, and asks no
// server; what it cannot read it tells as a problem of the file.
package watched

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Caps: a file beyond them is told, not read.
const (
	MaxBytes   = 1 << 20  // of a file
	maxExpr    = 16 << 10 // bytes of an expression
	maxExprs   = 1 << 20  // bytes of all expressions of a file, aliases counted each time
	maxQueries = 4096     // of a file
	maxDepth   = 100      // brackets and signs one inside the other
)

// budget is what a file's expressions may cost.
type budget struct{ queries, bytes int }

// spend takes an expression off the budget; the text says what is too much.
func (b *budget) spend(expr string) string {
	b.queries++
	b.bytes += len(expr)
	switch {
	case b.queries > maxQueries:
		return fmt.Sprintf("more than %d queries; no further ones are read", maxQueries)
	case len(expr) > maxExpr:
		return fmt.Sprintf("an expression of more than %d bytes is not read", maxExpr)
	case b.bytes > maxExprs:
		return fmt.Sprintf("the expressions have more than %d bytes together; no further ones are read", maxExprs)
	case depth(expr) > maxDepth:
		return fmt.Sprintf("an expression nested deeper than %d is not read", maxDepth)
	}
	return ""
}

// depth is how deep an expression nests at most: its open brackets, or a run of
// signs before an operand.
func depth(expr string) int {
	deepest, open, signs := 0, 0, 0
	for i := range len(expr) {
		switch expr[i] {
		case '(':
			open++
		case ')':
			open = max(0, open-1)
		case '+', '-':
			signs++
			deepest = max(deepest, signs)
		case ' ', '\n', '\t':
		default:
			signs = 0
		}
		deepest = max(deepest, open)
	}
	return deepest
}

// File is a rule file or dashboard as read.
type File struct {
	Path     string
	Queries  []Query
	Problems []Problem
}

// Query is one expression: of an alert, a recording rule or a panel. Exactly
// one of the three names is set.
type Query struct {
	Alert, Record, Panel string
	Line                 int // from 1
	Selectors            []Selector
}

// Selector is a series that an expression looks at.
type Selector struct {
	Name     string // "" where a regular expression chooses the name
	Matchers []*labels.Matcher
}

// Problem is what cannot be read, in the parser's words.
type Problem struct {
	Line int // from 1; 0 is the file as a whole
	Text string
}

// Model is what a pilot trains, by the labels that series have.
type Model struct {
	Scenario, Dataset, Name string
}

// The four that a release needs watched.
const (
	Latency  = "latency"
	Accuracy = "accuracy"
	Coverage = "coverage"
	Drift    = "drift"
)

// Quantities lists them in the order that people know.
func Quantities() []string { return []string{Latency, Accuracy, Coverage, Drift} }

// words are the parts of a series' name that tell what it measures.
var words = map[string][]string{
	Latency:  {"latency", "benchmark_run_duration_seconds"},
	Accuracy: {"accuracy"},
	Coverage: {"coverage"},
	Drift:    {"drift", "psi"},
}

// scores are the series with a label that says which metric they are.
var scores = []string{"benchmark_metric_value", "benchmark_metric_outcome"}

// metricLabels name the quantity beside a series' name.
var metricLabels = []string{"metric", "quantity"}

// metricValues are what those labels say of each.
var metricValues = map[string][]string{
	Latency:  {"latency", "latency_seconds", "latency_p95"},
	Accuracy: {"accuracy"},
	Coverage: {"coverage"},
	Drift:    {"drift", "psi", "drift_psi", "ks", "ks_p", "drift_ks", "drift_ks_p"},
}

// Watch tells by which kind of query a quantity of the model is watched.
type Watch struct {
	Alert bool // somebody is told
	Panel bool // somebody can see it
}

// Find looks through files for a quantity. A recorded series stands for what
// it is recorded from.
func Find(files []File, m Model, quantity string) Watch {
	recorded := map[string][]Query{}
	for _, f := range files {
		for _, q := range f.Queries {
			if q.Record != "" {
				recorded[q.Record] = append(recorded[q.Record], q)
			}
		}
	}
	var w Watch
	for _, f := range files {
		for _, q := range f.Queries {
			if q.Record != "" || q.Alert != "" && w.Alert || q.Panel != "" && w.Panel {
				continue
			}
			const deepest = 4 // series recorded from recorded series
			if q.looksAt(recorded, m, quantity, deepest) {
				w.Alert = w.Alert || q.Alert != ""
				w.Panel = w.Panel || q.Panel != ""
			}
		}
	}
	return w
}

func (q Query) looksAt(recorded map[string][]Query, m Model, quantity string, depth int) bool {
	return slices.ContainsFunc(q.Selectors, func(s Selector) bool {
		if !s.of(m) {
			return false
		}
		if s.measures(quantity) {
			return true
		}
		return depth > 0 && slices.ContainsFunc(recorded[s.Name], func(r Query) bool {
			return s.allows(quantity) && r.looksAt(recorded, m, quantity, depth-1)
		})
	})
}

// of tells whether the selector lets the model's series through. A label that
// it does not name is no hindrance.
func (s Selector) of(m Model) bool {
	for label, value := range map[string]string{"scenario": m.Scenario, "dataset": m.Dataset, "model": m.Name} {
		for _, matcher := range s.Matchers {
			// What somebody chooses on a dashboard may be this.
			if matcher.Name == label && value != "" && !strings.ContainsAny(matcher.Value, "$[") && !matcher.Matches(value) {
				return false
			}
		}
	}
	return true
}

// measures tells whether the series is the quantity: by its label, by its name.
func (s Selector) measures(quantity string) bool {
	if !s.allows(quantity) {
		return false
	}
	for _, matcher := range s.Matchers {
		if slices.Contains(metricLabels, matcher.Name) && matcher.Type != labels.MatchNotEqual && matcher.Type != labels.MatchNotRegexp {
			return true // and it allows it
		}
	}
	if slices.Contains(scores, s.Name) {
		return quantity == Accuracy || quantity == Coverage // all metrics at once
	}
	name := strings.ToLower(s.Name)
	return slices.ContainsFunc(words[quantity], func(word string) bool { return hasWord(name, word) })
}

// allows tells whether a label that names the metric lets the quantity through.
func (s Selector) allows(quantity string) bool {
	for _, matcher := range s.Matchers {
		if slices.Contains(metricLabels, matcher.Name) && !strings.ContainsRune(matcher.Value, '$') && !slices.ContainsFunc(metricValues[quantity], matcher.Matches) {
			return false
		}
	}
	return true
}

// hasWord finds a word between underscores or colons: "psi" is no part of "epsilon".
func hasWord(name, word string) bool {
	for from := 0; ; {
		i := strings.Index(name[from:], word)
		if i < 0 {
			return false
		}
		lo, hi := from+i, from+i+len(word)
		if (lo == 0 || strings.IndexByte("_:", name[lo-1]) >= 0) && (hi == len(name) || strings.IndexByte("_:", name[hi]) >= 0) {
			return true
		}
		from = lo + 1
	}
}

// selectors reads an expression.
func selectors(expr string) ([]Selector, error) {
	tree, err := parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	var found []Selector
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			s := Selector{Name: v.Name}
			for _, m := range v.LabelMatchers {
				switch {
				case m.Name != labels.MetricName:
					s.Matchers = append(s.Matchers, m)
				case m.Type == labels.MatchEqual:
					s.Name = m.Value
				}
			}
			found = append(found, s)
		}
		return nil
	})
	return found, nil
}
