// Package webhook takes GitHub's deliveries: it proves that one is GitHub's,
// makes durable which subject is to be looked at, and answers. Nothing else
// happens in the request.
//
// What a delivery says is not believed: it names keys (see the table in
// events.go) and the look reads GitHub. The package must not decide, must not
// read or write GitHub, and must not touch a payload before its signature is
// proven.
//
// go-githubapp's dispatcher routes events to their handler as usual. What
// stands in front of it here is what it does not do: a cap before anything
// reads the body, SHA-256 signatures only, and two secrets during a rotation.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/palantir/go-githubapp/githubapp"
	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Path is where GitHub delivers.
const Path = githubapp.DefaultWebhookRoute

// GitHub gives up after 10 s. The body gets most of that, and the store the
// rest: it retries by itself within 8 s.
const (
	readWithin = 8 * time.Second
	addWithin  = 9 * time.Second
)

// Adder is the part of a queue that intake needs.
type Adder interface {
	Add(ctx context.Context, k queue.Key, o queue.AddOptions) error
}

// Options configure an Intake.
type Options struct {
	// Secrets are one webhook secret, or during a rotation the new and the old.
	Secrets []string
	// Us is who we are at GitHub.
	Us Us
	// Queue takes the keys.
	Queue Adder
	// Settle is how long a push waits for what comes with it: the merge, our own
	// commit after it. 0 is not at all.
	Settle time.Duration
	// Metrics counts; nil counts nothing.
	Metrics *Metrics
}

// Intake is the http.Handler of Path.
type Intake struct {
	secrets    [][]byte
	dispatcher []http.Handler // by secret
	bodies     *bodies
	metrics    *Metrics
}

// New makes an Intake. No secret, an empty one or a third one is an error:
// unsigned deliveries are never taken.
func New(o Options) (*Intake, error) {
	if o.Queue == nil {
		return nil, errors.New("make webhook intake: no queue")
	}
	if n := len(o.Secrets); n < 1 || n > 2 {
		return nil, fmt.Errorf("make webhook intake: %d secrets given, want one, or two during a rotation", n)
	}
	in := &Intake{bodies: newBodies(bodyBudget), metrics: o.Metrics}
	handler := &keys{us: o.Us, queue: o.Queue, settle: o.Settle, metrics: o.Metrics}
	for i, s := range o.Secrets {
		if s == "" {
			return nil, fmt.Errorf("make webhook intake: secret %d is empty", i+1)
		}
		in.secrets = append(in.secrets, []byte(s))
		in.dispatcher = append(in.dispatcher, githubapp.NewEventDispatcher(
			[]githubapp.EventHandler{handler}, s,
			githubapp.WithErrorCallback(in.failed),
			githubapp.WithResponseCallback(in.taken),
		))
	}
	return in, nil
}

// ServeHTTP answers 202 when the keys of the delivery are durable, 503 when
// they cannot be (GitHub then lists the delivery as failed, and the sweep asks
// for it again), and 4xx to whatever is no delivery of GitHub's.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signature, no := examine(r)
	if no != nil {
		in.refuse(w, r, no)
		return
	}
	// Servers without deadlines (tests' recorders) say "not supported"; a real
	// one cuts a body that trickles.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	body, release, no := in.bodies.read(w, r)
	defer release()
	if no != nil {
		in.refuse(w, r, no)
		return
	}
	i, ok := match(signature, body, in.secrets)
	if !ok {
		in.refuse(w, r, errForged)
		return
	}
	// gofail: var afterProof struct{}
	// crash()
	r.Body = io.NopCloser(bytes.NewReader(body))
	in.dispatcher[i].ServeHTTP(w, r)
}

// refusal is an answer to a request that is no delivery we take. Its texts are
// constants: nothing of an unproven request is repeated.
type refusal struct {
	status int
	text   string
	result string // label of pilotgate_deliveries_total
}

var (
	errMethod    = &refusal{http.StatusMethodNotAllowed, "only POST", "method"}
	errType      = &refusal{http.StatusUnsupportedMediaType, "only application/json", "content_type"}
	errEncoding  = &refusal{http.StatusUnsupportedMediaType, "no content encoding is accepted", "encoding"}
	errTooLarge  = &refusal{http.StatusRequestEntityTooLarge, "body is larger than 25 MB", "too_large"}
	errNoEvent   = &refusal{http.StatusBadRequest, "X-GitHub-Event is missing", "no_event"}
	errSignature = &refusal{http.StatusUnauthorized, "X-Hub-Signature-256 is missing or malformed", "signature"}
	errForged    = &refusal{http.StatusUnauthorized, "signature does not match", "forged"}
	errBody      = &refusal{http.StatusBadRequest, "body could not be read", "body"}
	errBusy      = &refusal{http.StatusServiceUnavailable, "too many bodies at once", "busy"}
)

// examine looks at what costs nothing: everything but the body.
func examine(r *http.Request) (signature []byte, no *refusal) {
	if r.Method != http.MethodPost {
		return nil, errMethod
	}
	if r.ContentLength > MaxBody {
		return nil, errTooLarge
	}
	// GitHub does not compress. What unpacks is larger than it says.
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, errEncoding
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, errType
	}
	if r.Header.Get("X-GitHub-Event") == "" {
		return nil, errNoEvent
	}
	signature, ok := parseSignature(r.Header.Values("X-Hub-Signature-256"))
	if !ok {
		return nil, errSignature
	}
	return signature, nil
}

func (in *Intake) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	in.metrics.delivered("unverified", no.result)
	zerolog.Ctx(r.Context()).Warn().Str("result", no.result).Msg("webhook refused")
	switch no.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10")
	}
	http.Error(w, no.text, no.status)
}

// taken is the dispatcher's answer to what was handled, and to events that
// have no row in the table.
func (in *Intake) taken(w http.ResponseWriter, _ *http.Request, event string, handled bool) {
	if !handled {
		in.metrics.delivered(label(event), "ignored")
	}
	w.WriteHeader(http.StatusAccepted)
}

// failed is the dispatcher's answer to an error.
func (in *Intake) failed(w http.ResponseWriter, r *http.Request, err error) {
	event := label(r.Header.Get("X-GitHub-Event"))
	log := zerolog.Ctx(r.Context())
	var invalid githubapp.ValidationError
	switch {
	case errors.As(err, &invalid), errors.Is(err, ErrMalformed):
		in.metrics.delivered(event, "malformed")
		log.Warn().Err(err).Str("event", event).Msg("webhook is malformed")
		http.Error(w, "payload is malformed", http.StatusBadRequest)
	default:
		in.metrics.delivered(event, "failed")
		log.Error().Err(err).Str("event", event).Msg("webhook could not be made durable")
		w.Header().Set("Retry-After", "10")
		http.Error(w, "could not be made durable, deliver again", http.StatusServiceUnavailable)
	}
}

// keys is the one githubapp.EventHandler: it makes a delivery's keys durable.
type keys struct {
	us      Us
	queue   Adder
	settle  time.Duration
	burst   burst
	metrics *Metrics
}

var _ githubapp.EventHandler = (*keys)(nil)

// Handles implements githubapp.EventHandler.
func (h *keys) Handles() []string { return Events() }

// Handle implements githubapp.EventHandler. The dispatcher's own scheduler
// calls it in the request: the answer must not come before the keys are durable.
func (h *keys) Handle(ctx context.Context, event, _ string, payload []byte) error {
	adds, why, err := Keys(event, payload, h.us)
	if err != nil {
		return err
	}
	if len(adds) == 0 {
		h.metrics.delivered(event, why)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, addWithin)
	defer cancel()
	start := time.Now()
	// gofail: var beforeAdd struct{}
	// crash()
	for _, a := range adds {
		o := h.options(a, start)
		if err := h.queue.Add(ctx, a.Key, o); err != nil {
			return fmt.Errorf("add key %s: %w", a.Key, err)
		}
	}
	// gofail: var afterAdd struct{}
	// crash()
	h.metrics.enqueued(time.Since(start))
	h.metrics.delivered(event, "accepted")
	return nil
}

// options say how a key waits.
func (h *keys) options(a Add, now time.Time) queue.AddOptions {
	if a.Payload != nil { // somebody clicked
		return queue.AddOptions{Urgent: true, Payload: a.Payload}
	}
	settled := now
	if a.Settles {
		settled = now.Add(h.settle)
	}
	if h.burst.comesAgain(a.Key, now) {
		settled = turnOf(a.Key, settled)
	}
	if settled.After(now) {
		return queue.AddOptions{NotBefore: settled}
	}
	return queue.AddOptions{Urgent: true} // people wait for what an event brings
}
