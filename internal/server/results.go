package server

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/monitoring"
)

// results shows on /metrics what is deployed and the accepted results. It holds
// what the last look at each repository saw: the sweep fills it after a start,
// and what is not seen again is forgotten, so that a replica which another one
// has overtaken does not speak of yesterday's model for long.
type results struct {
	now   func() time.Time
	holds time.Duration

	mu   sync.Mutex
	seen map[int64]sighting // by repository id
}

type sighting struct {
	name   string // owner/name
	at     time.Time
	export judge.Export
}

// Caps of all repositories together.
const (
	maxSightings = 5_000  // repositories
	maxSeries    = 50_000 // what one scrape answers
	// leastHold outlives an outage of GitHub that delays a few sweeps.
	leastHold = 6 * time.Hour
)

func newResults(sweep time.Duration, now func() time.Time) *results {
	if now == nil {
		now = time.Now
	}
	return &results{now: now, holds: max(leastHold, 2*sweep), seen: map[int64]sighting{}}
}

// saw takes the place of what was seen of the repository before.
func (r *results) saw(repo facts.Repository, e judge.Export) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.seen[repo.ID]; !known && len(r.seen) >= maxSightings {
		return
	}
	if len(e.Deployed) == 0 && len(e.Results) == 0 {
		delete(r.seen, repo.ID)
		return
	}
	r.seen[repo.ID] = sighting{repo.FullName(), r.now(), e}
}

// forget is for a repository that is no more.
func (r *results) forget(repository int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, repository)
}

var (
	ofRun      = []string{"repository", "scenario", "dataset", "pilot"}
	ofMetric   = []string{"repository", "scenario", "dataset", "pilot", "metric"}
	ofQuantity = []string{"repository", "scenario", "dataset", "pilot", "quantity"}

	pointerInfo = prometheus.NewDesc(monitoring.PointerInfo, "1 for the model that a scenario's deployment pointer names.",
		[]string{"repository", "scenario", "model", "version", "pilot"}, nil)
	metricValue   = prometheus.NewDesc(monitoring.MetricValue, "A metric of the last accepted result, by the statistic of its band.", ofMetric, nil)
	metricOutcome = prometheus.NewDesc(monitoring.MetricOutcome, "What its band says of it: 0 pass, 1 warn, 2 fail.", ofMetric, nil)
	runOutcome    = prometheus.NewDesc(monitoring.RunOutcome, "The worst outcome of the last accepted result: 0 pass, 1 warn, 2 fail.", ofRun, nil)
	runDuration   = prometheus.NewDesc(monitoring.RunDuration, "How long the run of the last accepted result took.", ofRun, nil)
	measured      = prometheus.NewDesc(monitoring.Measured, "When the last accepted result was recorded, in Unix seconds.", ofRun, nil)
	driftPSI      = prometheus.NewDesc(monitoring.DriftPSI, "Population stability index of a quantity against the baseline's run.", ofQuantity, nil)
	driftNoise    = prometheus.NewDesc(monitoring.DriftNoise, "The index that chance alone reaches with so many values.", ofQuantity, nil)
	driftKSP      = prometheus.NewDesc(monitoring.DriftKSP, "Kolmogorov-Smirnov p-value of a quantity against the baseline's run.", ofQuantity, nil)
)

// Describe implements prometheus.Collector.
func (r *results) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pointerInfo, metricValue, metricOutcome, runOutcome, runDuration, measured, driftPSI, driftNoise, driftKSP} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (r *results) Collect(to chan<- prometheus.Metric) {
	left := maxSeries
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		if left--; left >= 0 {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
		}
	}
	for _, s := range r.sightings() {
		for _, p := range s.export.Deployed {
			gauge(pointerInfo, 1, s.name, p.Scenario, p.Model, p.Version, p.Pilot)
		}
		for _, m := range s.export.Results {
			run := []string{s.name, m.Scenario, m.Dataset, m.Pilot}
			of := func(last string) []string { return append(run[:4:4], last) }
			gauge(runOutcome, code(m.Outcome), run...)
			gauge(measured, float64(m.At.Unix()), run...)
			if m.Seconds != nil {
				gauge(runDuration, *m.Seconds, run...)
			}
			for _, x := range m.Metrics {
				gauge(metricValue, x.Value, of(x.Name)...)
				gauge(metricOutcome, code(x.Outcome), of(x.Name)...)
			}
			for _, d := range m.Drift {
				gauge(driftPSI, d.PSI, of(d.Quantity)...)
				gauge(driftNoise, d.Noise, of(d.Quantity)...)
				gauge(driftKSP, d.KSP, of(d.Quantity)...)
			}
		}
	}
}

// sightings are those that still hold.
func (r *results) sightings() []sighting {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []sighting
	for id, s := range r.seen {
		if r.now().Sub(s.at) > r.holds {
			delete(r.seen, id)
			continue
		}
		out = append(out, s)
	}
	return out
}

// code is an outcome as the runner's exporters write it.
func code(o benchmark.Outcome) float64 {
	switch o {
	case benchmark.Pass:
		return 0
	case benchmark.Warn:
		return 1
	}
	return 2
}
