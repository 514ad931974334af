package queue

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what queues count. A nil *Metrics counts nothing.
type Metrics struct {
	runs       *prometheus.CounterVec
	runSeconds *prometheus.HistogramVec
	coalesced  prometheus.Counter
	dead       *prometheus.CounterVec
}

// NewMetrics makes the counters and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pilotgate_runs_total", Help: "Runs of keys, by kind and by what came of them.",
		}, []string{"kind", "result"}),
		runSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pilotgate_run_seconds", Help: "How long a run of a key took.",
			Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30, 100},
		}, []string{"kind"}),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pilotgate_coalesced_total", Help: "Added keys that were waiting already.",
		}),
		dead: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pilotgate_dead_lettered_total", Help: "Keys given up after too many failures of ours.",
		}, []string{"kind"}),
	}
	r.MustRegister(m.runs, m.runSeconds, m.coalesced, m.dead)
	return m
}

// Ran counts one run.
func (m *Metrics) Ran(k Key, c Class, took time.Duration) {
	if m == nil {
		return
	}
	m.runs.WithLabelValues(k.Kind, string(c)).Inc()
	m.runSeconds.WithLabelValues(k.Kind).Observe(took.Seconds())
}

// Coalesced counts one Add that found its key waiting.
func (m *Metrics) Coalesced() {
	if m != nil {
		m.coalesced.Inc()
	}
}

// Died counts one dead letter.
func (m *Metrics) Died(k Key) {
	if m != nil {
		m.dead.WithLabelValues(k.Kind).Inc()
	}
}

// Collect makes the queue's Stats readable at a scrape.
func Collect(r prometheus.Registerer, q Queue) {
	gauge := func(name, help string, read func(Stats) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return read(q.Stats()) }))
	}
	gauge("pilotgate_queue_keys", "Keys that wait.", func(s Stats) float64 { return float64(s.Waiting) })
	gauge("pilotgate_queue_delayed_keys", "Keys that wait for a moment.", func(s Stats) float64 { return float64(s.Delayed) })
	gauge("pilotgate_queue_running_keys", "Keys at work in this process.", func(s Stats) float64 { return float64(s.Running) })
	gauge("pilotgate_dlq_keys", "Dead letters.", func(s Stats) float64 { return float64(s.Dead) })
	gauge("pilotgate_oldest_key_age_seconds", "How long the first of the waiting keys has waited.",
		func(s Stats) float64 { return s.Oldest.Seconds() })
}
