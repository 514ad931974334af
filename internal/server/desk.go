package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/queue/durable"
)

// The desk is where an operator looks into the queue while the server runs. The
// embedded queue has one owner, so the server itself answers, on a socket in
// the store's folder: who may open that folder may read the queue anyway, and
// there is no port and no password to guard. A queue by URL is asked directly.
const (
	deskSocket  = "desk.sock"
	maxDesk     = 8 << 20 // bytes of an answer: 1000 letters with their reasons
	deskAnswers = 10 * time.Second
	maxWaiting  = 1000
)

// ErrNoQueue says that no server runs here and that there is no store either.
var ErrNoQueue = errors.New("no queue here")

// Desk is a queue as an operator sees it.
type Desk interface {
	queue.DeadLetters
	io.Closer
}

// OpenDesk reaches the queue of a configuration: by its URL, through the server
// that runs on this machine, or, when none does, in its store.
func OpenDesk(ctx context.Context, c Config) (Desk, error) {
	open := durable.Options{Store: c.Queue.Store, URL: c.Queue.URL, Credentials: c.Queue.Credentials, Replicas: c.Queue.Replicas}
	if c.Queue.URL != "" {
		return durable.Open(ctx, open)
	}
	if _, err := os.Stat(c.Queue.Store); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoQueue, err)
	}
	at := &remoteDesk{socket: filepath.Join(c.Queue.Store, deskSocket)}
	if conn, err := at.dial(ctx, "", ""); err == nil {
		at.client = &http.Client{Transport: &http.Transport{DialContext: at.dial}, Timeout: deskAnswers}
		return at, conn.Close()
	}
	return durable.Open(ctx, open)
}

// listenDesk opens the socket; nil where the queue is not embedded, or the
// path is longer than sockets allow.
func (s *Server) listenDesk(ctx context.Context) net.Listener {
	if _, ok := s.queue.(*durable.Queue); !ok || s.config.Queue.URL != "" {
		return nil
	}
	path := filepath.Join(s.config.Queue.Store, deskSocket)
	_ = os.Remove(path) // of a process that was killed: the store's lock is ours now
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		s.options.Log.Warn().Err(err).Msg("the queue command cannot reach this server")
		return nil
	}
	return listener
}

// serveDesk answers on the socket until ctx ends.
func (s *Server) serveDesk(ctx context.Context, listener net.Listener) error {
	q, ok := s.queue.(*durable.Queue)
	if !ok || listener == nil {
		return nil
	}
	web := &http.Server{Handler: deskHandler(q), ReadHeaderTimeout: time.Second, ReadTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = web.Close() })
	defer stop()
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the queue command: %w", err)
	}
	return nil
}

func deskHandler(q queue.DeadLetters) http.Handler {
	answer := func(w http.ResponseWriter, v any, err error) {
		switch {
		case errors.Is(err, queue.ErrNotDead):
			http.Error(w, err.Error(), http.StatusNotFound)
		case errors.Is(err, queue.ErrInvalid):
			http.Error(w, err.Error(), http.StatusBadRequest)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v) // the reader hung up
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dead", func(w http.ResponseWriter, r *http.Request) {
		letters, err := q.Dead(r.Context())
		answer(w, letters, err)
	})
	mux.HandleFunc("GET /waiting", func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.FormValue("limit"))
		if err != nil || limit < 1 || limit > maxWaiting {
			http.Error(w, "limit is 1 to 1000", http.StatusBadRequest)
			return
		}
		keys, err := q.Waiting(r.Context(), limit)
		answer(w, keys, err)
	})
	mux.HandleFunc("POST /requeue", func(w http.ResponseWriter, r *http.Request) {
		k, err := queue.ParseKey(r.FormValue("key"))
		if err == nil {
			err = q.Requeue(r.Context(), k)
		}
		answer(w, struct{}{}, err)
	})
	return mux
}

// remoteDesk asks the server that runs on this machine.
type remoteDesk struct {
	socket string
	client *http.Client
}

func (d *remoteDesk) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", d.socket)
}

func (d *remoteDesk) ask(ctx context.Context, method, path string, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://desk"+path, nil)
	if err != nil {
		return err
	}
	res, err := d.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close() // read to its end
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDesk))
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	switch res.StatusCode {
	case http.StatusOK:
		return json.Unmarshal(body, out)
	case http.StatusNotFound:
		return queue.ErrNotDead
	}
	return fmt.Errorf("the server answers: %s", strings.TrimSpace(string(body)))
}

// Dead implements queue.DeadLetters.
func (d *remoteDesk) Dead(ctx context.Context) (letters []queue.Letter, err error) {
	return letters, d.ask(ctx, http.MethodGet, "/dead", &letters)
}

// Waiting implements queue.DeadLetters.
func (d *remoteDesk) Waiting(ctx context.Context, limit int) (keys []queue.Key, err error) {
	return keys, d.ask(ctx, http.MethodGet, "/waiting?limit="+strconv.Itoa(limit), &keys)
}

// Requeue implements queue.DeadLetters.
func (d *remoteDesk) Requeue(ctx context.Context, k queue.Key) error {
	var nothing struct{}
	return d.ask(ctx, http.MethodPost, "/requeue?key="+url.QueryEscape(k.String()), &nothing)
}

// Close implements io.Closer.
func (d *remoteDesk) Close() error {
	d.client.CloseIdleConnections()
	return nil
}
