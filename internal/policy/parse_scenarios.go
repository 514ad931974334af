package policy

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

// scenarios reads the acceptance bands over the defaults. A metric that the
// file names replaces its default band whole; one that it does not name keeps
// it, so that leaving a line out never lowers the bar.
func (r *reading) scenarios(v value, to map[string]Scenario) {
	if v.Kind != strictyaml.Map {
		r.find("PO003", "not_map", v.At, "key", v.key)
		return
	}
	if len(v.Entries) > maxList {
		r.find("PO003", "too_many", v.Entries[maxList].At, "key", v.key, "limit", strconv.Itoa(maxList))
		return
	}
	for _, e := range v.Entries {
		key := v.key + "." + e.Key
		if !nameShape(e.Key) {
			r.find("PO003", "name_shape", e.At, "key", v.key, "value", clip(e.Key))
			continue
		}
		s := to[e.Key]
		if s.Metrics == nil {
			s.Metrics = map[string]benchmark.Band{}
		}
		r.each(value{e.Value, key, e.At}, []field{
			{"dataset_id", r.shaped(&s.DatasetID, nameShape, "name_shape")},
			{"metrics", func(v value) { r.metrics(v, s.Metrics) }},
		})
		if len(s.Metrics) == 0 {
			r.find("PO005", "no_metrics", e.At, "scenario", e.Key)
			continue
		}
		to[e.Key] = s
	}
	r.sameDataset(v, to)
}

// sameDataset finds two scenarios of one dataset id: a plan that names only
// its dataset could mean either.
func (r *reading) sameDataset(v value, all map[string]Scenario) {
	for _, e := range v.Entries {
		id := all[e.Key].DatasetID
		if id == "" {
			continue
		}
		for name, s := range all {
			if name < e.Key && s.DatasetID == id {
				r.find("PO005", "same_dataset", e.At, "scenario", e.Key, "other", name, "dataset", id)
			}
		}
	}
}

func (r *reading) metrics(v value, to map[string]benchmark.Band) {
	if v.Kind != strictyaml.Map {
		r.find("PO003", "not_map", v.At, "key", v.key)
		return
	}
	for _, e := range v.Entries {
		if !benchmark.Known(e.Key) {
			if s := nearest(e.Key, benchmark.Metrics()); s != "" {
				r.find("PO002", "unknown_key", e.At, "key", v.key+"."+e.Key, "suggestion", s)
			} else {
				r.find("PO005", "unknown_metric", e.At, "metric", clip(e.Key), "allowed", strings.Join(benchmark.Metrics(), ", "))
			}
			continue
		}
		if b, ok := r.band(value{e.Value, v.key + "." + e.Key, e.At}, e.Key); ok {
			to[e.Key] = b
		}
	}
}

func (r *reading) band(v value, metric string) (benchmark.Band, bool) {
	before := len(r.findings)
	low, high := "0", "1"
	b := benchmark.Band{Better: benchmark.DirectionOf(metric), Statistic: benchmark.Mean}
	if metric == benchmark.Latency {
		low, high = "0.001", strconv.Itoa(maxSecond)
		b.Statistic = benchmark.P95
	}
	better := string(b.Better)
	r.each(v, []field{
		{"pass", func(v value) {
			if d, ok := r.decimal(v, low, high); ok {
				b.Pass = &d
			}
		}},
		{"warn", func(v value) {
			if d, ok := r.decimal(v, low, high); ok {
				b.Warn = &d
			}
		}},
		{"better", r.word(&better, string(benchmark.Higher), string(benchmark.Lower))},
		{"statistic", r.word(&b.Statistic, benchmark.Mean, benchmark.Avg, benchmark.P95)},
	})
	if len(r.findings) > before {
		return b, false
	}
	switch {
	case b.Pass == nil:
		r.find("PO005", "no_pass", v.keyAt, "metric", metric)
	case better != string(b.Better):
		r.find("PO005", "direction", v.keyAt, "metric", metric, "better", better, "expected", string(b.Better))
	case b.Statistic == benchmark.P95 && metric != benchmark.Latency:
		// The 95th percentile of scores is their good end.
		r.find("PO005", "statistic", v.keyAt, "metric", metric)
	case !b.Ordered():
		r.find("PO005", "order", v.keyAt, "metric", metric, "pass", b.Pass.String(), "warn", b.Warn.String())
	}
	if b.Statistic == benchmark.Avg {
		b.Statistic = benchmark.Mean // one word for one thing, so that equal policies are equal
	}
	return b, len(r.findings) == before
}
