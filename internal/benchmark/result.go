package benchmark

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
)

// Caps of a result file.
const (
	MaxResultBytes   = 32 << 20
	maxResultDepth   = 8
	maxSamples       = 100_000
	maxSampleMetrics = 20
	maxName          = 200 // characters of an id, a model or a verdict
	maxToldSamples   = 10  // findings a case; the last one tells how many more
)

// RunnerResult is what the Stage 05 runner prints, read strictly. Its metrics'
// outcomes are the worst sample's, whatever the values beside them; what counts
// is Aggregates judged by Recompute.
type RunnerResult struct {
	Scenario string
	Dataset  string
	Overall  Outcome
	Metrics  []RunnerMetric
	Samples  []Sample
	Model    string // metadata.model_name
	Digest   string // metadata.model_digest
	Prompt   string // metadata.prompt_version
	Duration decimal.Decimal
	// Who scored, metadata.judge_model and metadata.judge_prompt_version. Scores
	// of two judges, or of one judge asked in two ways, cannot be compared.
	JudgeModel, JudgePrompt string
}

// RunnerMetric is a metric as the runner printed it: the mean, with the worst
// sample's outcome.
type RunnerMetric struct {
	Name    string
	Value   decimal.Decimal
	Outcome Outcome
}

// Sample is one record's scores by canonical metric name.
type Sample struct {
	ID      string
	Scores  map[string]decimal.Decimal
	Verdict string
	// Summary is the sha256 (hex) of the summary and Length its characters, where
	// the result has the summary (summary_markdown or summary_text) or states
	// both (summary_sha256, summary_length). The text itself is not kept.
	Summary string
	Length  int
}

// ParseResult reads a runner's result. Findings have no position: the file is
// made by a machine. A result with findings is no evidence. Sample ids stay out
// of the findings; samples are counted from 1 in the order of the file.
func ParseResult(src []byte) (RunnerResult, []finding.Finding) {
	r := &resultReader{told: map[string]int{}}
	var out RunnerResult
	if root, ok := r.json(src); ok {
		out = r.result(root)
	}
	r.summarise()
	return out, r.findings
}

type resultReader struct {
	findings []finding.Finding
	told     map[string]int // by rule and case
}

func (r *resultReader) find(rule, kase string, args ...string) {
	r.told[rule+" "+kase]++
	if r.told[rule+" "+kase] > maxToldSamples {
		return
	}
	m := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	r.findings = append(r.findings, finding.Finding{Rule: rule, Case: kase, Severity: finding.Error, Args: m})
}

// summarise tells how many findings were left out.
func (r *resultReader) summarise() {
	more := 0
	for _, n := range r.told {
		more += max(0, n-maxToldSamples)
	}
	if more > 0 {
		r.findings = append(r.findings, finding.Finding{
			Rule: "RS003", Case: "more", Severity: finding.Error, Args: map[string]string{"n": strconv.Itoa(more)},
		})
	}
}

// Errors of the strict JSON reader.
var (
	errDuplicate = errors.New("a key stands twice in one object")
	errDepth     = errors.New("nested too deep")
)

func (r *resultReader) json(src []byte) (map[string]any, bool) {
	switch {
	case len(src) > MaxResultBytes:
		r.find("RS001", "too_large", "limit", strconv.Itoa(MaxResultBytes))
		return nil, false
	case !utf8.Valid(src):
		r.find("RS001", "not_utf8")
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	v, err := strict(d, 1)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("something follows the value")
		}
	}
	switch {
	case errors.Is(err, errDuplicate):
		r.find("RS001", "duplicate_key")
	case errors.Is(err, errDepth):
		r.find("RS001", "nesting", "limit", strconv.Itoa(maxResultDepth))
	case err != nil:
		r.find("RS001", "not_json")
	}
	if err != nil {
		return nil, false
	}
	m, ok := v.(map[string]any)
	if !ok {
		r.find("RS001", "not_an_object")
	}
	return m, ok
}

// strict decodes a value and refuses duplicate keys, which encoding/json and
// Python read differently from other readers.
func strict(d *json.Decoder, depth int) (any, error) {
	if depth > maxResultDepth {
		return nil, errDepth
	}
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("read a JSON token: %w", err)
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := strict(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	m := map[string]any{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a JSON key: %w", err)
		}
		key, ok := k.(string)
		if !ok {
			return nil, errors.New("a key is no text")
		}
		if _, twice := m[key]; twice {
			return nil, errDuplicate
		}
		if m[key], err = strict(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return m, err
}

func (r *resultReader) result(root map[string]any) RunnerResult {
	out := RunnerResult{
		Scenario: r.text(root, "scenario_id"),
		Dataset:  r.text(root, "dataset_id"),
		Overall:  r.outcome(root["overall"], "overall"),
	}
	if meta, ok := root["metadata"].(map[string]any); ok {
		out.Model, _ = short(meta["model_name"])
		out.Digest, _ = short(meta["model_digest"])
		out.Prompt, _ = short(meta["prompt_version"])
		out.JudgeModel, _ = short(meta["judge_model"])
		out.JudgePrompt, _ = short(meta["judge_prompt_version"])
		if n, ok := meta["duration_seconds"].(json.Number); ok {
			out.Duration, _ = ParseNumber(n.String())
		}
	}
	out.Metrics = r.metrics(root["metrics"])
	out.Samples = r.samples(root["samples"])
	if len(r.findings) == 0 {
		r.compare(out)
	}
	return out
}

// short returns a text within the cap.
func short(v any) (string, bool) {
	s, ok := v.(string)
	if !ok || utf8.RuneCountInString(s) > maxName {
		return "", false
	}
	return s, strings.TrimSpace(s) != ""
}

func (r *resultReader) text(m map[string]any, key string) string {
	s, ok := short(m[key])
	if !ok {
		r.find("RS002", "missing", "key", key)
	}
	return s
}

func (r *resultReader) outcome(v any, key string) Outcome {
	s, _ := v.(string)
	switch o := Outcome(s); o {
	case Pass, Warn, Fail:
		return o
	}
	r.find("RS002", "outcome", "key", key)
	return Fail
}

func (r *resultReader) metrics(v any) []RunnerMetric {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.find("RS002", "missing", "key", "metrics")
		return nil
	}
	if len(list) > maxSampleMetrics {
		r.find("RS002", "too_many", "key", "metrics", "limit", strconv.Itoa(maxSampleMetrics))
		return nil
	}
	var out []RunnerMetric
	for _, x := range list {
		m, _ := x.(map[string]any)
		name, ok := short(m["name"])
		if !ok {
			r.find("RS002", "missing", "key", "metrics.name")
			continue
		}
		canonical, _, known := ParseMetricName(name)
		if !known {
			continue // the runner may measure more than the bands ask for
		}
		if slices.ContainsFunc(out, func(o RunnerMetric) bool { return o.Name == canonical }) {
			r.find("RS002", "metric_twice", "metric", canonical)
			continue
		}
		n, _ := m["value"].(json.Number)
		d, ok := ParseNumber(n.String())
		if !ok {
			r.find("RS004", "metric_no_number", "metric", canonical)
			continue
		}
		out = append(out, RunnerMetric{Name: canonical, Value: d, Outcome: r.outcome(m["outcome"], "metrics.outcome")})
	}
	return out
}

func (r *resultReader) samples(v any) []Sample {
	list, _ := v.([]any)
	switch {
	case len(list) == 0:
		r.find("RS003", "none")
		return nil
	case len(list) > maxSamples:
		r.find("RS003", "too_many", "limit", strconv.Itoa(maxSamples))
		return nil
	}
	first := make(map[string]int, len(list))
	out := make([]Sample, 0, len(list))
	for i, x := range list {
		n := strconv.Itoa(i + 1)
		m, _ := x.(map[string]any)
		id, ok := short(m["sample_id"])
		if !ok {
			r.find("RS003", "no_id", "sample", n)
			continue
		}
		if at, twice := first[id]; twice {
			r.find("RS003", "duplicate", "sample", n, "first", strconv.Itoa(at))
			continue
		}
		first[id] = i + 1
		s := Sample{ID: id, Scores: r.scores(m["metrics"], n)}
		s.Verdict, _ = short(m["verdict"])
		s.Summary, s.Length = r.summary(m, n)
		out = append(out, s)
	}
	return out
}

// scores reads a sample's metrics: a list of name and value, or a map. null is
// "not measured".
func (r *resultReader) scores(v any, sample string) map[string]decimal.Decimal {
	out := map[string]decimal.Decimal{}
	one := func(name string, value any) {
		metric, _, ok := ParseMetricName(name)
		if !ok || value == nil {
			return
		}
		if _, twice := out[metric]; twice {
			r.find("RS003", "metric_twice", "sample", sample, "metric", metric)
			return
		}
		n, _ := value.(json.Number)
		d, ok := ParseNumber(n.String())
		switch {
		case !ok:
			r.find("RS004", "no_number", "sample", sample, "metric", metric)
		case !inRange(metric, d):
			r.find("RS004", "out_of_range", "sample", sample, "metric", metric)
		default:
			out[metric] = d
		}
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > maxSampleMetrics {
			r.find("RS003", "metrics_too_many", "sample", sample, "limit", strconv.Itoa(maxSampleMetrics))
			return out
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			one(name, v[name])
		}
	case []any:
		if len(v) > maxSampleMetrics {
			r.find("RS003", "metrics_too_many", "sample", sample, "limit", strconv.Itoa(maxSampleMetrics))
			return out
		}
		for _, x := range v {
			m, _ := x.(map[string]any)
			name, _ := short(m["name"])
			one(name, m["value"])
		}
	}
	if len(out) == 0 {
		r.find("RS003", "no_scores", "sample", sample)
	}
	return out
}

// summary reads what a sample says of its summary: the text, or hash and length.
func (r *resultReader) summary(m map[string]any, sample string) (hash string, length int) {
	for _, key := range []string{"summary_markdown", "summary_text"} {
		if text, ok := m[key].(string); ok && text != "" {
			sum := sha256.Sum256([]byte(text))
			return hex.EncodeToString(sum[:]), utf8.RuneCountInString(text)
		}
	}
	if v, has := m["summary_sha256"]; has && v != nil {
		if hash, _ = v.(string); !form.SHA256(hash) {
			r.find("RS003", "summary_hash", "sample", sample)
			hash = ""
		}
	}
	if v, has := m["summary_length"]; has && v != nil {
		n, _ := v.(json.Number)
		i, err := strconv.Atoi(n.String())
		if err != nil || i < 0 || i > MaxResultBytes {
			r.find("RS003", "summary_length", "sample", sample)
			return hash, 0
		}
		length = i
	}
	return hash, length
}

// Aggregates are the samples' metrics, as a scan of a dataset gives them.
func (r RunnerResult) Aggregates() []Aggregate {
	var out []Aggregate
	for _, metric := range Metrics() {
		var values []decimal.Decimal
		for _, s := range r.Samples {
			if v, ok := s.Scores[metric]; ok {
				values = append(values, v)
			}
		}
		a := Aggregate{Metric: metric, N: len(values), Missing: len(r.Samples) - len(values)}
		if len(values) > 0 {
			slices.SortFunc(values, decimal.Decimal.Cmp)
			a.Min, a.Max = values[0], values[len(values)-1]
			a.P95 = values[nearestRank(len(values))]
			for _, v := range values {
				a.Sum = a.Sum.Add(v)
			}
		}
		out = append(out, a)
	}
	return out
}

// nearestRank is the index of the 95th percentile of n sorted values: the
// smallest value that at least 95 % are not above.
func nearestRank(n int) int { return (95*n+99)/100 - 1 }

// floatError is by how much a mean summed in binary floats may miss the exact
// one.
var floatError = decimal.New(1, -9)

// compare holds the runner's figures against its own samples: each value is
// the mean, to the last digit of a float or as rounded to two digits or more.
func (r *resultReader) compare(res RunnerResult) {
	for _, a := range res.Aggregates() {
		i := slices.IndexFunc(res.Metrics, func(m RunnerMetric) bool { return m.Name == a.Metric })
		switch {
		case i < 0 && a.N > 0:
			r.find("RS005", "not_printed", "metric", a.Metric)
		case i >= 0 && a.N == 0:
			r.find("RS005", "no_evidence", "metric", a.Metric)
		case i >= 0:
			const digits = 15
			mean := a.Sum.DivRound(decimal.NewFromInt(int64(a.N)), digits)
			printed := res.Metrics[i].Value
			near := printed.Sub(mean).Abs().LessThanOrEqual(floatError)
			if !near && (printed.Exponent() > -2 || !AgreesAsPrinted(printed.StringFixed(-printed.Exponent()), mean)) {
				r.find("RS005", "differs", "metric", a.Metric, "printed", printed.String(), "mean", mean.Round(6).String(), "n", strconv.Itoa(a.N))
			}
			if a.Missing > 0 {
				r.find("RS005", "partial", "metric", a.Metric, "missing", strconv.Itoa(a.Missing), "n", strconv.Itoa(len(res.Samples)))
			}
		}
	}
}
