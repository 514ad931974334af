package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// Facts are what a plan states, without places and formatting. Two plans have
// equal JSON exactly when no parsed fact differs; `## Run notes` is not read.
// Values are canonical: numbers by worth, hashes and logins in lower case.
type Facts struct {
	Pilot string `json:"pilot"`
	// Fields holds each distinct value, the one that counts first.
	Fields     map[Field][]string `json:"fields"`
	Metrics    []MetricFact       `json:"metrics,omitempty"`
	Acceptance []MetricFact       `json:"acceptance,omitempty"`
	Drift      []string           `json:"drift,omitempty"`
	Waivers    [][]string         `json:"waivers,omitempty"`
	// Mentions are "kind text", sorted: a new script in the prose is a new fact.
	Mentions []string `json:"mentions,omitempty"`
	// Unreadable is the sha256 of a document that could not be read, so that
	// no two of them count as equal.
	Unreadable string `json:"unreadable,omitempty"`
}

// MetricFact is a metric row without its place.
type MetricFact struct {
	Metric string         `json:"metric"`
	Value  string         `json:"value,omitempty"`
	Band   benchmark.Band `json:"band"`
	Status string         `json:"status,omitempty"`
	// Threshold is kept where no band could be read from it.
	Threshold string `json:"threshold,omitempty"`
}

// Facts gives the plan's facts in their canonical form.
func (p Plan) Facts() Facts {
	f := Facts{Pilot: p.Pilot.Text, Fields: map[Field][]string{}, Unreadable: p.Unreadable}
	for field, values := range p.Fields {
		var distinct []string
		if v, ok := p.Get(field); ok && field != Pilot {
			distinct = append(distinct, canonical(field, v))
		}
		for _, v := range values {
			if v.Text == "" {
				continue
			}
			if c := canonical(field, v); !slices.Contains(distinct, c) {
				distinct = append(distinct, c)
			}
		}
		if len(distinct) > 0 {
			f.Fields[field] = distinct
		}
	}
	f.Metrics, f.Acceptance = metricFacts(p.Metrics), metricFacts(p.Acceptance)
	for _, d := range p.Drift {
		f.Drift = append(f.Drift, fold(d.Text))
	}
	slices.Sort(f.Drift)
	f.Drift = slices.Compact(f.Drift)
	for _, w := range p.Waivers {
		var parts []string
		for i := range 7 {
			parts = append(parts, w.part(i).Text)
		}
		f.Waivers = append(f.Waivers, parts)
	}
	slices.SortFunc(f.Waivers, slices.Compare)
	for _, m := range p.Mentions {
		t := string(m.Kind) + " " + m.Text
		if m.Anchor != "" {
			t += "#" + m.Anchor
		}
		if m.Output {
			t += " (output)"
		}
		f.Mentions = append(f.Mentions, t)
	}
	slices.Sort(f.Mentions)
	f.Mentions = slices.Compact(f.Mentions)
	return f
}

func metricFacts(rows []MetricRow) []MetricFact {
	var facts []MetricFact
	for _, m := range rows {
		fact := MetricFact{Metric: m.Metric, Band: m.Band, Value: m.Value.Text, Status: fold(m.Status.Text)}
		if m.Metric == "" {
			fact.Metric = fold(m.Name.Text)
		}
		fact.Band.Statistic = m.Statistic
		if o, ok := m.Outcome(); ok {
			fact.Status = string(o)
		}
		if d, err := m.Value.Decimal(); err == nil {
			fact.Value = d.String()
		}
		if m.Band.Empty() {
			fact.Threshold = m.Threshold.Text
		}
		facts = append(facts, fact)
	}
	slices.SortStableFunc(facts, func(a, b MetricFact) int { return strings.Compare(a.Metric, b.Metric) })
	return facts
}

// canonical is the form in which two values of a field are compared.
func canonical(f Field, v Value) string {
	switch {
	case isNumeric(f):
		if f == Hours {
			if d, err := v.Hours(); err == nil {
				return d.String()
			}
			break
		}
		if f != LearningRate {
			if n, err := v.Integer(); err == nil {
				return strconv.FormatInt(n, 10)
			}
		}
		if d, err := v.Decimal(); err == nil {
			return d.String()
		}
	case f == DatasetSHA256 || f == EvaluationSHA256 || f == BaselineDigest || f == Commit:
		return strings.TrimPrefix(strings.ToLower(v.Text), "sha256:")
	case f == Initiator:
		return strings.ToLower(strings.TrimPrefix(v.Text, "@"))
	case f == Optimiser || f == Locale || f == Hardware:
		return fold(v.Text)
	case f == TargetRelease:
		return strings.TrimPrefix(strings.ToLower(v.Text), "v")
	case f == Dataset || f == DataCard || f == EvaluationDataset || f == PromptFile || f == Config || f == Script || f == Pointer || f == Workflow:
		return strings.TrimPrefix(v.Text, "./")
	}
	return v.Text
}

// same tells whether two values of a field say one thing.
func same(f Field, a, b Value) bool {
	x, y := canonical(f, a), canonical(f, b)
	if x == y {
		return true
	}
	short, long := x, y
	if len(short) > len(long) {
		short, long = long, short
	}
	switch f {
	case Commit:
		return len(short) >= 7 && strings.HasPrefix(long, short)
	case DatasetSHA256, EvaluationSHA256, BaselineDigest:
		return len(short) >= 12 && strings.HasPrefix(long, strings.TrimRight(short, "….")) && isHex(strings.TrimRight(short, "…."))
	case BaselineModel, TargetModel, RollbackTarget:
		return strings.HasPrefix(long, short) && strings.ContainsRune("@: (", rune(long[len(short)]))
	case Hardware:
		return strings.Contains(long, short)
	case PromptVersion, Scenario:
		return strings.EqualFold(x, y)
	}
	return false
}

// extends tells whether b says what a says, and more: a full hash after a
// short one.
func extends(f Field, a, b Value) bool {
	switch f {
	case Commit, DatasetSHA256, EvaluationSHA256, BaselineDigest, BaselineModel, TargetModel, RollbackTarget:
		return len(canonical(f, b)) > len(canonical(f, a)) && same(f, a, b)
	}
	return false
}
