package alert

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// Path is where Alertmanager posts.
const Path = "/api/alertmanager"

// Caps. Alertmanager groups alerts, and one scenario of one model has a few
// dozen; a key keeps no more of them at a time than queue.MaxPayloads.
const (
	MaxBody    = 1 << 20 // bytes
	MaxAlerts  = queue.MaxPayloads
	MinToken   = 20 // bytes
	maxSources = 1000

	readWithin = 8 * time.Second
	addWithin  = 9 * time.Second
)

// Source is who may post: the Alertmanager of one repository and scenario.
type Source struct {
	Repository string // "owner/name"
	Scenario   string
	Tokens     []string // one, or two while one replaces the other
}

// Options configure an Intake. All but Metrics and Now are needed.
type Options struct {
	Sources []Source // none: nobody may post
	// Repository finds a repository's ids under its name of today. An error is
	// answered 503, and Alertmanager comes again.
	Repository func(ctx context.Context, fullName string) (installation, id int64, err error)
	Queue      Adder
	Metrics    *Metrics         // nil counts nothing
	Now        func() time.Time // nil is time.Now
}

// Adder is the part of a queue that intake needs.
type Adder interface {
	Add(ctx context.Context, k queue.Key, o queue.AddOptions) error
}

// Intake is the http.Handler of Path.
type Intake struct {
	o      Options
	tokens []token
}

type token struct {
	sum    [sha256.Size]byte
	source int
}

// New makes an Intake. A short token, and one that stands twice, are errors:
// the first can be guessed, the second says two things.
func New(o Options) (*Intake, error) {
	if o.Queue == nil || o.Repository == nil {
		return nil, errors.New("make alert intake: no queue, or nobody knows repositories")
	}
	if len(o.Sources) > maxSources {
		return nil, fmt.Errorf("make alert intake: more than %d sources", maxSources)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in := &Intake{o: o}
	for i, s := range o.Sources {
		if !form.Repository(s.Repository) || !modelShape(s.Scenario) {
			return nil, fmt.Errorf("make alert intake: source %d needs a repository as owner/name and a scenario", i+1)
		}
		if n := len(s.Tokens); n < 1 || n > 2 {
			return nil, fmt.Errorf("make alert intake: %d tokens for %s, want one, or two during a rotation", n, s.Repository)
		}
		for _, t := range s.Tokens {
			sum := sha256.Sum256([]byte(t))
			if len(t) < MinToken {
				return nil, fmt.Errorf("make alert intake: a token for %s has fewer than %d bytes", s.Repository, MinToken)
			}
			if slices.ContainsFunc(in.tokens, func(o token) bool { return o.sum == sum }) {
				return nil, fmt.Errorf("make alert intake: a token for %s is there twice", s.Repository)
			}
			in.tokens = append(in.tokens, token{sum, i})
		}
	}
	return in, nil
}

// refusal is an answer to what is not taken. Its texts are constants. What has
// a status below 500 does not come again: Alertmanager repeats on 5xx only.
type refusal struct {
	status int
	text   string
	result string // label of pilotgate_alerts_total
}

var (
	errToken     = &refusal{http.StatusUnauthorized, "no such bearer token", "unauthorized"}
	errType      = &refusal{http.StatusUnsupportedMediaType, "only application/json without content encoding", "content_type"}
	errTooLarge  = &refusal{http.StatusRequestEntityTooLarge, "body is larger than 1 MiB", "too_large"}
	errBody      = &refusal{http.StatusBadRequest, "body could not be read", "body"}
	errMalformed = &refusal{http.StatusBadRequest, "not a webhook of Alertmanager, version 4", "malformed"}
	errNone      = &refusal{http.StatusUnprocessableEntity, "no alert here has this token's scenario and the labels scenario, model and pilot", "nothing"}
	errFailed    = &refusal{http.StatusServiceUnavailable, "could not be made durable, send again", "failed"}
)

// ServeHTTP answers 202 when every alert that can be taken is durable, 503 when
// one cannot be (Alertmanager then sends all of them again, which changes
// nothing for the others), and 4xx to what will never be taken.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source, no := in.examine(r)
	if no != nil {
		in.refuse(w, r, no)
		return
	}
	// Servers without deadlines (tests' recorders) say "not supported".
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		in.refuse(w, r, errTooLarge)
		return
	case err != nil:
		in.refuse(w, r, errBody)
		return
	}
	n, err := parse(body)
	if err != nil {
		in.refuse(w, r, errMalformed)
		return
	}
	alerts := in.choose(r.Context(), n, source)
	if len(alerts) == 0 {
		in.refuse(w, r, errNone)
		return
	}
	if err := in.add(r.Context(), source, alerts); err != nil {
		zerolog.Ctx(r.Context()).Error().Err(err).Str("repo", source.Repository).Msg("alert could not be made durable")
		in.refuse(w, r, errFailed)
		return
	}
	zerolog.Ctx(r.Context()).Info().Str("repo", source.Repository).Str("scenario", source.Scenario).Int("alerts", len(alerts)).Msg("alerts taken")
	w.WriteHeader(http.StatusAccepted)
}

// examine looks at what costs nothing: everything but the body.
func (in *Intake) examine(r *http.Request) (Source, *refusal) {
	i, ok := in.sender(r.Header.Values("Authorization"))
	if !ok {
		return Source{}, errToken
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return Source{}, errType
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return Source{}, errType
	}
	if r.ContentLength > MaxBody {
		return Source{}, errTooLarge
	}
	return in.o.Sources[i], nil
}

// sender finds the source of a bearer token. Every token is compared, by
// digests of one length: the time it takes tells nothing of them.
func (in *Intake) sender(headers []string) (source int, ok bool) {
	if len(headers) != 1 {
		return 0, false
	}
	scheme, given, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return 0, false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(given)))
	for _, t := range in.tokens {
		if subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1 {
			source, ok = t.source, true
		}
	}
	return source, ok
}

// choose reduces what was sent to what is taken, what fires first, and counts
// the rest. One alert that does not belong here does not cost the others.
func (in *Intake) choose(ctx context.Context, n notification, source Source) []Alert {
	now := in.o.Now()
	refused := map[string]int{}
	var out []Alert
	for _, s := range n.Alerts {
		a, why := s.reduce(source.Scenario, now)
		if why != "" {
			refused[why]++
			continue
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Alert) int { return strings.Compare(a.Status, b.Status) }) // "firing" < "resolved"
	if over := len(out) - MaxAlerts; over > 0 {
		refused["too_many"] += over
		out = out[:MaxAlerts]
	}
	if n.Truncated > 0 {
		refused["truncated"] = int(min(n.Truncated, 1<<20)) // by Alertmanager's own max_alerts
	}
	for why, count := range refused {
		in.o.Metrics.count(why, count)
		zerolog.Ctx(ctx).Warn().Str("repo", source.Repository).Str("result", why).Int("alerts", count).Msg("alert refused")
	}
	return out
}

// add makes alerts durable, each with the key of its pilot.
func (in *Intake) add(ctx context.Context, source Source, alerts []Alert) error {
	ctx, cancel := context.WithTimeout(ctx, addWithin)
	defer cancel()
	installation, id, err := in.o.Repository(ctx, source.Repository)
	if err != nil {
		return fmt.Errorf("find repository: %w", err)
	}
	for _, a := range alerts {
		k := queue.Key{Installation: installation, Repository: id, Kind: queue.KindPilot, ID: a.Pilot}
		if err := in.o.Queue.Add(ctx, k, queue.AddOptions{Urgent: true, Payload: a.Payload()}); err != nil {
			return fmt.Errorf("add key %s: %w", k, err)
		}
		in.o.Metrics.count("accepted", 1)
	}
	return nil
}

func (in *Intake) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	in.o.Metrics.count(no.result, 1)
	if no != errFailed { // that one is logged with its reason
		zerolog.Ctx(r.Context()).Warn().Str("result", no.result).Msg("alerts refused")
	}
	switch no.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10")
	}
	http.Error(w, no.text, no.status)
}

// Metrics are what intake counts. A nil *Metrics counts nothing.
type Metrics struct{ alerts *prometheus.CounterVec }

// NewMetrics makes the counter and registers it.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "pilotgate_alerts_total", Help: "Alerts from Alertmanager, by what came of them; a request that is refused as a whole counts once.",
	}, []string{"result"})}
	r.MustRegister(m.alerts)
	return m
}

func (m *Metrics) count(result string, n int) {
	if m != nil {
		m.alerts.WithLabelValues(result).Add(float64(n))
	}
}
