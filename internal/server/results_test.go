package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

func TestResultsAreShownUnderTheNamesPeopleHave(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := newResults(time.Hour, func() time.Time { return now })
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(r))
	seconds := 81.5
	repo := facts.Repository{ID: 22, Owner: "acme", Name: "pilots"}
	whole := judge.Export{
		Deployed: []judge.Pointing{{Scenario: "channel_digest_ru", Model: "qwen-digest", Version: "1.4", Pilot: "ru-digest"}},
		Results: []judge.Measurement{{
			Pilot: "ru-digest", Scenario: "channel_digest_ru", Dataset: "benchmark_digest_ru_v1", At: now, Seconds: &seconds, Outcome: benchmark.Warn,
			Metrics: []judge.MetricMeasure{{Name: "coverage", Value: 0.91, Outcome: benchmark.Pass}, {Name: "latency_seconds", Value: 230, Outcome: benchmark.Warn}},
			Drift:   []judge.DriftMeasure{{Quantity: "summary_length", PSI: 0.3, Noise: 0.1, KSP: 0.2}},
		}},
	}
	r.saw(repo, whole)
	r.saw(facts.Repository{ID: 23, Owner: "acme", Name: "reviews"}, judge.Export{Results: []judge.Measurement{{
		Pilot: "ru-digest", Scenario: "channel_digest_ru", Dataset: "benchmark_digest_ru_v1", At: now, Outcome: benchmark.Fail,
	}}})
	want := `
# HELP benchmark_metric_outcome What its band says of it: 0 pass, 1 warn, 2 fail.
# TYPE benchmark_metric_outcome gauge
benchmark_metric_outcome{dataset="benchmark_digest_ru_v1",metric="coverage",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 0
benchmark_metric_outcome{dataset="benchmark_digest_ru_v1",metric="latency_seconds",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 1
# HELP benchmark_metric_value A metric of the last accepted result, by the statistic of its band.
# TYPE benchmark_metric_value gauge
benchmark_metric_value{dataset="benchmark_digest_ru_v1",metric="coverage",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 0.91
benchmark_metric_value{dataset="benchmark_digest_ru_v1",metric="latency_seconds",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 230
# HELP benchmark_run_duration_seconds How long the run of the last accepted result took.
# TYPE benchmark_run_duration_seconds gauge
benchmark_run_duration_seconds{dataset="benchmark_digest_ru_v1",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 81.5
# HELP benchmark_run_outcome The worst outcome of the last accepted result: 0 pass, 1 warn, 2 fail.
# TYPE benchmark_run_outcome gauge
benchmark_run_outcome{dataset="benchmark_digest_ru_v1",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 1
benchmark_run_outcome{dataset="benchmark_digest_ru_v1",pilot="ru-digest",repository="acme/reviews",scenario="channel_digest_ru"} 2
# HELP pilotgate_benchmark_timestamp_seconds When the last accepted result was recorded, in Unix seconds.
# TYPE pilotgate_benchmark_timestamp_seconds gauge
pilotgate_benchmark_timestamp_seconds{dataset="benchmark_digest_ru_v1",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru"} 1.7723664e+09
pilotgate_benchmark_timestamp_seconds{dataset="benchmark_digest_ru_v1",pilot="ru-digest",repository="acme/reviews",scenario="channel_digest_ru"} 1.7723664e+09
# HELP pilotgate_drift_ks_p Kolmogorov-Smirnov p-value of a quantity against the baseline's run.
# TYPE pilotgate_drift_ks_p gauge
pilotgate_drift_ks_p{dataset="benchmark_digest_ru_v1",pilot="ru-digest",quantity="summary_length",repository="acme/pilots",scenario="channel_digest_ru"} 0.2
# HELP pilotgate_drift_psi Population stability index of a quantity against the baseline's run.
# TYPE pilotgate_drift_psi gauge
pilotgate_drift_psi{dataset="benchmark_digest_ru_v1",pilot="ru-digest",quantity="summary_length",repository="acme/pilots",scenario="channel_digest_ru"} 0.3
# HELP pilotgate_drift_psi_noise The index that chance alone reaches with so many values.
# TYPE pilotgate_drift_psi_noise gauge
pilotgate_drift_psi_noise{dataset="benchmark_digest_ru_v1",pilot="ru-digest",quantity="summary_length",repository="acme/pilots",scenario="channel_digest_ru"} 0.1
# HELP pilotgate_model_pointer_info 1 for the model that a scenario's deployment pointer names.
# TYPE pilotgate_model_pointer_info gauge
pilotgate_model_pointer_info{model="qwen-digest",pilot="ru-digest",repository="acme/pilots",scenario="channel_digest_ru",version="1.4"} 1
`
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(want)))

	count := func() int {
		n, err := testutil.GatherAndCount(registry)
		require.NoError(t, err)
		return n
	}
	before := count()
	r.saw(repo, whole)
	assert.Equal(t, before, count(), "seen twice is seen once")
	moved := whole
	moved.Deployed = []judge.Pointing{{Scenario: "channel_digest_ru", Model: "qwen", Version: "1.0"}}
	r.saw(repo, moved)
	assert.Equal(t, before, count(), "the pointer's old model is gone")
	r.saw(repo, judge.Export{})
	assert.Equal(t, 2, count(), "nothing of the repository is left")
	r.forget(23)
	assert.Zero(t, count())

	r.saw(repo, whole)
	now = now.Add(leastHold)
	assert.Positive(t, count())
	now = now.Add(time.Second)
	assert.Zero(t, count(), "nobody has seen it for long: another replica may have")
	assert.Empty(t, r.seen)
}

func TestWhatIsShownIsBounded(t *testing.T) {
	r := newResults(time.Hour, nil)
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(r))
	var e judge.Export
	for i := range 100 {
		e.Deployed = append(e.Deployed, judge.Pointing{Scenario: fmt.Sprint("s", i), Model: "m", Version: "1"})
	}
	for i := range maxSightings + 10 {
		r.saw(facts.Repository{ID: int64(i + 1), Owner: "acme", Name: fmt.Sprint("r", i)}, e)
	}
	assert.Len(t, r.seen, maxSightings)
	n, err := testutil.GatherAndCount(registry)
	require.NoError(t, err)
	assert.Equal(t, maxSeries, n)
}
