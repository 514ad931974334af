package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what intake counts. A nil *Metrics counts nothing.
type Metrics struct {
	deliveries *prometheus.CounterVec
	enqueue    prometheus.Histogram
}

// NewMetrics makes the counters and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pilotgate_deliveries_total", Help: "Webhook deliveries, by event and by what came of them.",
		}, []string{"event", "result"}),
		enqueue: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "pilotgate_enqueue_seconds", Help: "How long it took to make a delivery's keys durable.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10},
		}),
	}
	r.MustRegister(m.deliveries, m.enqueue)
	return m
}

func (m *Metrics) delivered(event, result string) {
	if m != nil {
		m.deliveries.WithLabelValues(event, result).Inc()
	}
}

func (m *Metrics) enqueued(took time.Duration) {
	if m != nil {
		m.enqueue.Observe(took.Seconds())
	}
}
