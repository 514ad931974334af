package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilotgate/pilotgate/internal/gh"
)

// metrics are what the server counts of its dealings with GitHub; intake and
// queue count their own.
type metrics struct {
	requests  *prometheus.CounterVec
	remaining *prometheus.GaugeVec
	bytes     prometheus.Counter
	healed    prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pilotgate_github_requests_total", Help: "Requests to GitHub by status and whether the cached answer still held.",
		}, []string{"code", "cache"}),
		remaining: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "pilotgate_ratelimit_remaining", Help: "Requests that an installation has left in this window, as GitHub says.",
		}, []string{"installation"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pilotgate_dataset_bytes_total", Help: "Dataset bytes scanned.",
		}),
		healed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pilotgate_sweep_healed_total", Help: "Deliveries that had not arrived and were asked for again.",
		}),
	}
	r.MustRegister(m.requests, m.remaining, m.bytes, m.healed)
	return m
}

func (m *metrics) request(r gh.Request) {
	m.requests.WithLabelValues(strconv.Itoa(r.Status), strconv.FormatBool(r.Cached)).Inc()
}

func (m *metrics) rate(r gh.Rate) {
	m.remaining.WithLabelValues(strconv.FormatInt(r.Installation, 10)).Set(float64(r.Remaining))
}

func (m *metrics) scanned(n int64) { m.bytes.Add(float64(n)) }
