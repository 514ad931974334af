// Package server puts the parts together: webhook intake in front, the queue
// in the middle, the loop behind it, and what operators look at beside it. It
// holds no logic of its own about pilots.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/pilotgate/pilotgate/internal/bytestore/bucket"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
	"github.com/pilotgate/pilotgate/internal/reconcile"
	"github.com/pilotgate/pilotgate/internal/scan"
	"github.com/pilotgate/pilotgate/internal/webhook"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// Options are what the program around a server may set: the demo and tests
// bring their own GitHub, clock and key. The zero value is production.
type Options struct {
	Log       zerolog.Logger
	Transport http.RoundTripper
	Now       func() time.Time
	Pacing    time.Duration // least time between two writes; GitHub asks for 1 s
	Key       *Key          // instead of the configured file
	Bot       int64         // our bot account's id, whose echoes are masked; 0: looked up by nobody
	OnRequest func(gh.Request)
	Queue     queue.Queue // instead of the configured one
	// Settle is how long a push waits for what comes with it; 0 is 2 s, less than
	// 0 is not at all.
	Settle time.Duration
	// ScanWait is how long a look waits for a dataset's scan before it goes on
	// and says how far the scan is; 0 is 2 s.
	ScanWait time.Duration
}

// Server is a running Pilotgate.
type Server struct {
	config  Config
	options Options
	queue   queue.Queue
	github  *gh.Client
	loop    *reconcile.Loop
	scans   *scan.Pool
	stores  *bucket.Stores
	metrics *prometheus.Registry

	counts   *metrics
	received *webhook.Metrics
	alerts   *alert.Intake
	results  *results
}

// scanWait is short enough for a person who looks at the check, and long enough
// for most datasets.
const scanWait = 2 * time.Second

// settle is enough for a merge, its push and our commit after them.
const settle = 2 * time.Second

// GitHubPacing is the time between two writes that GitHub asks for.
const GitHubPacing = time.Second

// pacing is none at an Enterprise Server, which asks for none.
func pacing(c Config, o Options) time.Duration {
	api, err := url.Parse(c.GitHub.V3APIURL)
	if err != nil || api.Host == "" || api.Host == "api.github.com" || strings.HasSuffix(api.Host, ".ghe.com") {
		return o.Pacing
	}
	return 0
}

// New wires a server and opens its queue; nothing is looked at and nothing is
// sent before Run.
func New(ctx context.Context, c Config, o Options) (*Server, error) {
	s := &Server{config: c, options: o, metrics: prometheus.NewRegistry()}
	key := o.Key
	if key == nil {
		var err error
		if key, err = loadKey(c.Signing.ID, c.Signing.PrivateKeyFile); err != nil {
			return nil, err
		}
	}
	var signer *ledger.Signer
	var public *facts.SigningKey
	if key != nil {
		signer, public = &key.Signer, &key.Public
	}
	if s.queue = o.Queue; s.queue == nil {
		var err error
		s.queue, err = durable.Open(ctx, durable.Options{
			Options: queue.Options{Workers: c.Workers, Metrics: queue.NewMetrics(s.metrics)},
			Store:   c.Queue.Store, URL: c.Queue.URL, Credentials: c.Queue.Credentials, Replicas: c.Queue.Replicas,
			Report: func(err error) { o.Log.Error().Err(err).Msg("queue") },
		})
		if err != nil {
			return nil, fmt.Errorf("open the queue: %w", err)
		}
	}
	queue.Collect(s.metrics, s.queue)
	var err error
	if s.stores, err = openStores(ctx, c.Stores); err != nil {
		return nil, err
	}
	m := newMetrics(s.metrics)
	s.counts = m
	s.scans = scan.New(scan.Options{Wait: cmp.Or(o.ScanWait, scanWait), NearDuplicates: true, OnBytes: m.scanned, Done: s.scanned})
	s.github, err = gh.New(gh.Config{
		GitHub: c.GitHub, Transport: o.Transport, Now: o.Now, Pacing: pacing(c, o), Signing: public, Scanner: s.scans, Objects: s.stores.For,
		OnRequest: func(r gh.Request) {
			m.request(r)
			if o.OnRequest != nil {
				o.OnRequest(r)
			}
		},
		OnRate: m.rate,
	})
	if err != nil {
		return nil, err
	}
	if len(c.secrets()) == 0 {
		return nil, errors.New("no webhook secret")
	}
	s.received = webhook.NewMetrics(s.metrics)
	if s.alerts, err = s.newAlerts(c.Alerts, o.Now); err != nil {
		return nil, err
	}
	s.results = newResults(c.Sweep, o.Now)
	s.metrics.MustRegister(s.results)
	s.loop = &reconcile.Loop{GitHub: s.github, Queue: s.queue, Signer: signer, Log: o.Log, Exported: s.results.saw}
	return s, nil
}

// scanned looks again at a subject whose dataset was still being read.
func (s *Server) scanned(subject facts.Subject) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.queue.Add(ctx, queue.Key(subject), queue.AddOptions{}); err != nil {
		s.options.Log.Error().Err(err).Str("subject", subject.Kind+" "+subject.ID).Msg("look again after a scan")
	}
}

// handler serves every path of the server.
func (s *Server) handler(ctx context.Context) (http.Handler, error) {
	intake, err := webhook.New(webhook.Options{
		Secrets: s.config.secrets(), Us: webhook.Us{App: s.config.GitHub.App.IntegrationID, Bot: s.bot(ctx)},
		Queue: s.queue, Settle: cmp.Or(s.options.Settle, settle), Metrics: s.received,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST "+webhook.Path, intake)
	mux.Handle("POST "+alert.Path, s.alerts)
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /api/ready", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	return s.options.withLog(mux), nil
}

// bot is our account's id, by which our own echoes are masked. Not to know it
// costs looks and changes no result, so the server starts all the same.
func (s *Server) bot(ctx context.Context) int64 {
	if s.options.Bot != 0 {
		return s.options.Bot
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	id, err := s.github.Bot(ctx)
	if err != nil {
		s.options.Log.Warn().Err(err).Msg("our own account is not known; its events cause looks")
	}
	return id
}

func (o Options) withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(o.Log.WithContext(r.Context())))
	})
}

// ready answers whether deliveries can be made durable.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.queue.(interface{ Ready(context.Context) error }); ok {
		if err := c.Ready(r.Context()); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}

// Run serves until the context ends, then drains: accepted deliveries are
// looked at or left in the durable queue for the next process.
func (s *Server) Run(ctx context.Context) error {
	address := net.JoinHostPort(s.config.Server.Address, strconv.Itoa(s.config.Server.Port))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return s.Serve(ctx, listener)
}

// Serve is Run on a listener of the caller's; it closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	handler, err := s.handler(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
	desk := s.listenDesk(ctx)
	s.options.Log.Info().Str("address", listener.Addr().String()).Msg("listening")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		return web.Shutdown(end)
	})
	group.Go(func() error { return s.queue.Run(ctx, s.work) })
	group.Go(func() error { return s.sweep(ctx) })
	group.Go(func() error { return s.serveDesk(ctx, desk) })
	err = group.Wait()
	s.scans.Close()
	err = errors.Join(err, s.stores.Close())
	return errors.Join(err, s.queue.Close())
}

// work is one key's turn.
func (s *Server) work(ctx context.Context, k queue.Key) error {
	err := s.loop.Reconcile(ctx, k)
	if err != nil {
		class, _ := queue.Classify(err)
		if class == queue.ClassGone && k.Kind == queue.KindRepository {
			s.results.forget(k.Repository)
		}
		s.options.Log.Warn().Err(err).Str("subject", k.Kind+" "+k.ID).Int64("repository", k.Repository).Str("class", string(class)).Msg("not reconciled")
	}
	return err
}
