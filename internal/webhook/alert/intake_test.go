package alert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

const (
	token    = "digests: made up, 32 characters."
	newToken = "digests: the one that replaces it"
	other    = "reviews: another, of 32 characters"
)

var now = time.Date(2026, 3, 1, 12, 0, 42, 0, time.UTC)

// sent is an alert as Alertmanager sends it.
func sent(change func(labels map[string]string)) map[string]any {
	labels := map[string]string{
		"alertname": "PilotMetricBelowBand", "severity": "critical", "scenario": "channel_digest_ru", "metric": "coverage",
		"model": "qwen-7b-digest", "version": "1.4.0", "pilot": "ru-digest-2026-01",
	}
	if change != nil {
		change(labels)
	}
	return map[string]any{
		"status": "firing", "labels": labels, "annotations": map[string]string{"summary": "not read"},
		"startsAt": "2026-03-01T14:58:30.123+03:00", "endsAt": "0001-01-01T00:00:00Z",
		"generatorURL": "http://prometheus.example/graph", "fingerprint": "a5331b0da5a9d842",
	}
}

func notification(alerts ...map[string]any) []byte {
	b, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="PilotMetricBelowBand"}`, "truncatedAlerts": 0, "status": "firing", "receiver": "pilotgate",
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager.example", "alerts": alerts,
	})
	if err != nil {
		panic(err)
	}
	return b
}

func post(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, alert.Path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// desk is an intake with its queue, its log and its counters.
type desk struct {
	*alert.Intake
	t     *testing.T
	queue *queue.Memory
	log   bytes.Buffer
	found error // what looking for a repository answers
	told  *prometheus.Registry
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, queue: queue.NewMemory(queue.Options{}), told: prometheus.NewRegistry()}
	t.Cleanup(func() { assert.NoError(t, d.queue.Close()) })
	var err error
	d.Intake, err = alert.New(alert.Options{
		Sources: []alert.Source{
			{Repository: "acme/digests", Scenario: "channel_digest_ru", Tokens: []string{token, newToken}},
			{Repository: "acme/reviews", Scenario: "review_summary_ru", Tokens: []string{other}},
		},
		Repository: func(_ context.Context, name string) (int64, int64, error) {
			return 7, map[string]int64{"acme/digests": 22, "acme/reviews": 23}[name], d.found
		},
		Queue: d.queue, Metrics: alert.NewMetrics(d.told), Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	return d
}

func (d *desk) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	log := zerolog.New(&d.log)
	d.ServeHTTP(w, r.WithContext(log.WithContext(r.Context())))
	return w
}

// taken are the keys that wait, and the alerts that came with them.
func (d *desk) taken() (keys []string, alerts []alert.Alert) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	defer cancel()
	waiting, err := d.queue.Waiting(ctx, 100)
	require.NoError(d.t, err)
	if len(waiting) == 0 {
		return nil, nil
	}
	left := len(waiting)
	require.NoError(d.t, d.queue.Run(ctx, func(ctx context.Context, k queue.Key) error {
		keys = append(keys, k.String())
		for _, p := range queue.Payloads(ctx) {
			a, err := alert.Parse(p)
			require.NoError(d.t, err)
			alerts = append(alerts, a)
		}
		if left--; left == 0 {
			cancel()
		}
		return nil
	}))
	return keys, alerts
}

func (d *desk) counted() map[string]float64 {
	d.t.Helper()
	families, err := d.told.Gather()
	require.NoError(d.t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			out[m.Label[0].GetValue()] = m.Counter.GetValue()
		}
	}
	return out
}

func TestAnAlertIsDurableWithItsPilot(t *testing.T) {
	d := newDesk(t)
	w := d.send(post(notification(sent(nil))))
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	keys, alerts := d.taken()
	assert.Equal(t, []string{queue.Key{Installation: 7, Repository: 22, Kind: queue.KindPilot, ID: "ru-digest-2026-01"}.String()}, keys)
	assert.Equal(t, []alert.Alert{{
		Fingerprint: "a5331b0da5a9d842", Name: "PilotMetricBelowBand", Severity: "critical", Scenario: "channel_digest_ru",
		Model: "qwen-7b-digest", Version: "1.4.0", Pilot: "ru-digest-2026-01", Metric: "coverage",
		StartsAt: time.Date(2026, 3, 1, 11, 58, 30, 123e6, time.UTC), Status: "firing", Received: now.Truncate(time.Minute),
	}}, alerts)
	assert.Equal(t, map[string]float64{"accepted": 1}, d.counted())
}

func TestWhatIsSentAgainIsOneAlert(t *testing.T) {
	d := newDesk(t)
	gone := sent(nil)
	gone["status"], gone["endsAt"] = "resolved", "2026-03-01T12:00:00Z"
	for range 3 {
		require.Equal(t, http.StatusAccepted, d.send(post(notification(gone, sent(nil)))).Code)
	}
	keys, alerts := d.taken()
	assert.Len(t, keys, 1)
	require.Len(t, alerts, 2)
	assert.Equal(t, "firing", alerts[0].Status, "what fires comes first")
	assert.Equal(t, "resolved", alerts[1].Status)
	assert.Equal(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), alerts[1].EndsAt)
}

func TestBothTokensOfARotationAreTaken(t *testing.T) {
	d := newDesk(t)
	r := post(notification(sent(nil)))
	r.Header.Set("Authorization", "bearer "+newToken)
	assert.Equal(t, http.StatusAccepted, d.send(r).Code)
}

func TestRefusedRequests(t *testing.T) {
	one := notification(sent(nil))
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		body   []byte
		status int
		result string
	}{
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, one, 401, "unauthorized"},
		{"an empty token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, one, 401, "unauthorized"},
		{"another token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, one, 401, "unauthorized"},
		{"the start of a token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[:20]) }, one, 401, "unauthorized"},
		{"two tokens", func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+token) }, one, 401, "unauthorized"},
		{"a token as a password", func(r *http.Request) { r.Header.Del("Authorization"); r.SetBasicAuth("", token) }, one, 401, "unauthorized"},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, one, 415, "content_type"},
		{"something packed", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, one, 415, "content_type"},
		{"more than it says it is", func(r *http.Request) { r.ContentLength = -1 }, bytes.Repeat([]byte(" "), alert.MaxBody+1), 413, "too_large"},
		{"more than is read", nil, bytes.Repeat([]byte(" "), alert.MaxBody+1), 413, "too_large"},
		{"no JSON", nil, []byte("alerts"), 400, "malformed"},
		{"no object", nil, []byte("[]"), 400, "malformed"},
		{"another version", nil, bytes.Replace(one, []byte(`"version":"4"`), []byte(`"version":"5"`), 1), 400, "malformed"},
		{"a time that is none", nil, bytes.Replace(one, []byte("2026-03-01T14:58"), []byte("yesterday"), 1), 400, "malformed"},
		{"no alerts", nil, notification(), 422, "nothing"},
		{"another repository's token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+other) }, one, 422, "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			r := post(c.body)
			if c.change != nil {
				c.change(r)
			}
			w := d.send(r)
			assert.Equal(t, c.status, w.Code)
			assert.InDelta(t, 1, d.counted()[c.result], 0)
			keys, _ := d.taken()
			assert.Empty(t, keys)
		})
	}
}

func TestTheLargestBodyIsRead(t *testing.T) {
	d := newDesk(t)
	one := notification(sent(nil))
	w := d.send(post(append(one, bytes.Repeat([]byte(" "), alert.MaxBody-len(one))...)))
	assert.Equal(t, http.StatusAccepted, w.Code)
}

func TestRefusedAlerts(t *testing.T) {
	set := func(key, value string) func(map[string]string) {
		return func(l map[string]string) { l[key] = value }
	}
	field := func(key string, value any) map[string]any {
		s := sent(nil)
		s[key] = value
		return s
	}
	const mention = "@everyone <script>\n| x |"
	for _, c := range []struct {
		name  string
		alert map[string]any
		why   string
	}{
		{"another scenario", sent(set("scenario", "review_summary_ru")), "other_scenario"},
		{"no scenario", sent(set("scenario", "")), "other_scenario"},
		{"no pilot", sent(set("pilot", "")), "no_pilot"},
		{"no model", sent(set("model", "")), "no_pilot"},
		{"a pilot with a path", sent(set("pilot", "../x")), "malformed"},
		{"a pilot that is too long", sent(set("pilot", strings.Repeat("p", 64))), "malformed"},
		{"a mention for a model", sent(set("model", mention)), "malformed"},
		{"a mention for a version", sent(set("version", mention)), "malformed"},
		{"a mention for a name", sent(set("alertname", mention)), "malformed"},
		{"a mention for a metric", sent(set("metric", mention)), "malformed"},
		{"a mention for a severity", sent(set("severity", mention)), "malformed"},
		{"no name", sent(set("alertname", "")), "malformed"},
		{"a name that is too long", sent(set("alertname", strings.Repeat("n", 51))), "malformed"},
		{"another status", field("status", "suppressed"), "malformed"},
		{"no start", field("startsAt", "0001-01-01T00:00:00Z"), "malformed"},
		{"no fingerprint", field("fingerprint", ""), "malformed"},
		{"a fingerprint in capitals", field("fingerprint", "A5331B0DA5A9D842"), "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			good := sent(func(l map[string]string) { l["pilot"], l["alertname"] = "a-good-one", strings.Repeat("ж", 50) })
			w := d.send(post(notification(c.alert, good)))
			assert.Equal(t, http.StatusAccepted, w.Code, "one that does not belong here costs the others nothing")
			_, alerts := d.taken()
			require.Len(t, alerts, 1)
			assert.Equal(t, "a-good-one", alerts[0].Pilot)
			assert.Equal(t, map[string]float64{c.why: 1, "accepted": 1}, d.counted())

			w = d.send(post(notification(c.alert)))
			assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
			for _, text := range []string{d.log.String(), w.Body.String()} {
				assert.NotContains(t, text, "everyone", "nothing that came is repeated")
				assert.NotContains(t, text, token)
			}
		})
	}
}

func TestAsManyAlertsAsAKeyKeeps(t *testing.T) {
	d := newDesk(t)
	var many []map[string]any
	for i := range alert.MaxAlerts + 3 {
		s := sent(nil)
		s["fingerprint"] = fmt.Sprintf("%016x", i)
		if i < 10 {
			s["status"], s["endsAt"] = "resolved", "2026-03-01T12:00:00Z"
		}
		many = append(many, s)
	}
	require.Equal(t, http.StatusAccepted, d.send(post(notification(many...))).Code)
	assert.Equal(t, map[string]float64{"accepted": alert.MaxAlerts, "too_many": 3}, d.counted())
	_, alerts := d.taken()
	require.Len(t, alerts, alert.MaxAlerts)
	fires := 0
	for _, a := range alerts {
		if a.Status == "firing" {
			fires++
		}
	}
	assert.Equal(t, alert.MaxAlerts+3-10, fires, "what was left out does not fire any more")
}

func TestWhatAlertmanagerCutIsCounted(t *testing.T) {
	d := newDesk(t)
	body := bytes.Replace(notification(sent(nil)), []byte(`"truncatedAlerts":0`), []byte(`"truncatedAlerts":4`), 1)
	require.Equal(t, http.StatusAccepted, d.send(post(body)).Code)
	assert.Equal(t, map[string]float64{"accepted": 1, "truncated": 4}, d.counted())
}

func TestAlertmanagerComesAgainWhenNothingIsDurable(t *testing.T) {
	t.Run("GitHub does not say where the repository is", func(t *testing.T) {
		d := newDesk(t)
		d.found = errors.New("no answer")
		w := d.send(post(notification(sent(nil))))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.NotEmpty(t, w.Header().Get("Retry-After"))
		d.found = nil
		assert.Equal(t, http.StatusAccepted, d.send(post(notification(sent(nil)))).Code)
	})
	t.Run("the store takes nothing", func(t *testing.T) {
		d := newDesk(t)
		require.NoError(t, d.queue.Close())
		assert.Equal(t, http.StatusServiceUnavailable, d.send(post(notification(sent(nil)))).Code)
		assert.InDelta(t, 1, d.counted()["failed"], 0)
	})
}

func TestRefusedConfigurations(t *testing.T) {
	source := func(change func(*alert.Source)) []alert.Source {
		s := alert.Source{Repository: "acme/digests", Scenario: "channel_digest_ru", Tokens: []string{token}}
		change(&s)
		return []alert.Source{s}
	}
	for _, c := range []struct {
		name    string
		sources []alert.Source
		says    string
	}{
		{"a short token", source(func(s *alert.Source) { s.Tokens = []string{token[:19]} }), "fewer than 20"},
		{"no token", source(func(s *alert.Source) { s.Tokens = nil }), "0 tokens"},
		{"three tokens", source(func(s *alert.Source) { s.Tokens = []string{token, newToken, other} }), "3 tokens"},
		{"a repository without an owner", source(func(s *alert.Source) { s.Repository = "digests" }), "owner/name"},
		{"a repository that climbs", source(func(s *alert.Source) { s.Repository = "acme/../x" }), "owner/name"},
		{"no scenario", source(func(s *alert.Source) { s.Scenario = "" }), "scenario"},
		{"one token for two", slices.Concat(source(func(*alert.Source) {}), source(func(s *alert.Source) { s.Scenario = "review_summary_ru" })), "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := alert.New(alert.Options{
				Sources: c.sources, Queue: queue.NewMemory(queue.Options{}),
				Repository: func(context.Context, string) (int64, int64, error) { return 0, 0, nil },
			})
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), token[:19])
		})
	}
}

// Without a token in the configuration nobody may post.
func TestNobodyMayPostWithoutTokens(t *testing.T) {
	in, err := alert.New(alert.Options{Queue: queue.NewMemory(queue.Options{}), Repository: func(context.Context, string) (int64, int64, error) { return 7, 22, nil }})
	require.NoError(t, err)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x"} {
		r := post(notification(sent(nil)))
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		assert.Equal(t, http.StatusUnauthorized, w.Code, header)
		assert.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
	}
}

func TestParseRefusesWhatIsNoAlert(t *testing.T) {
	for _, raw := range []string{"", "{}", `{"alert":null}`, `{"event":"check_run","check_id":1}`, `{"alert":{"starts_at":"x"}}`, strings.Repeat(" ", 9<<10)} {
		_, err := alert.Parse([]byte(raw))
		assert.Error(t, err, "%.40q", raw)
	}
}

func FuzzIntake(f *testing.F) {
	f.Add(notification(sent(nil)))
	f.Add(notification())
	f.Add([]byte(`{"version":"4","alerts":[{"startsAt":"9999-12-31T23:59:59-23:59"}]}`))
	f.Add([]byte(`{"version":"4","alerts":[{"labels":{"scenario":"channel_digest_ru","pilot":"p","model":"m","alertname":"\ud800"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := newDesk(t)
		w := d.send(post(body))
		keys, alerts := d.taken()
		if (w.Code == http.StatusAccepted) != (len(keys) > 0) {
			t.Fatalf("%d with keys %v", w.Code, keys)
		}
		for _, a := range alerts {
			if a.Scenario != "channel_digest_ru" || a.Pilot == "" || a.Model == "" || a.StartsAt.IsZero() {
				t.Fatalf("%+v", a)
			}
		}
	})
}
