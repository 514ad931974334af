// Package durable is the queue that survives: NATS JetStream, embedded in the
// process by default, or a cluster by URL. Both are the same code; only the
// URL and the number of replicas differ.
//
// The shape: streams WORK (one message a key and lane, so that equal keys
// coalesce in the store), INBOX (payloads) and DLQ; key-value buckets LEASE,
// FAILS, BUDGET and CURSOR. A lease in LEASE, not the message, makes a key run
// in one place: a key added during its run is another message, which any
// process may get. A key that waits for a moment has a lane of its own, which
// it leaves before it runs. FAILS is written before the work starts, so that
// work which kills its process is counted too.
//
// The package must not listen on a port, and must not acknowledge an Add that
// a power failure could undo.
package durable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Options configure a Queue.
type Options struct {
	queue.Options
	// Store is the folder of the embedded engine. Only one process may use it.
	Store string
	// URL names an external cluster instead ("nats://user:password@a:4222,...").
	// Without credentials it must be on loopback: whoever may publish to the
	// queue may have anything looked at.
	URL string
	// Credentials is a NATS credentials file for URL; "" is none.
	Credentials string
	// Replicas of each stream in a cluster; 0 is 1 embedded and 3 by URL.
	Replicas int
	// Floor is the free space, in bytes, below which the embedded queue takes
	// nothing more; 0 is 256 MiB. An engine that meets a full disk stops and
	// does not come back by itself.
	Floor uint64
	// Lease is for how long a silent process keeps its keys; 0 is 15 s. It is
	// renewed each third of it.
	Lease time.Duration
	// Report hears of what only an operator can mend; nil hears nothing.
	Report func(error)
}

const (
	defaultLease = 15 * time.Second
	defaultFloor = 256 << 20
	// An Add tries each second for 8 s: a cluster needs about that long to
	// choose a new leader, and GitHub waits 10 s.
	addEach   = time.Second
	addWithin = 8 * time.Second
	// askWithin bounds each other request to the engine.
	askWithin = 5 * time.Second
)

// Queue implements queue.Queue and queue.DeadLetters.
type Queue struct {
	o       Options
	owner   string // who holds a lease: one random name a process
	engine  *engine
	nc      *nats.Conn
	js      jetstream.JetStream
	shape   shape
	shapeMu sync.RWMutex // guards shape
	hand    *hand

	done      context.Context
	stop      context.CancelFunc
	keepers   sync.WaitGroup
	closing   sync.Once
	closed    error // what Close returned
	health    health
	dead      atomic.Int64 // at the last Stats; decides nothing but whether to look for a letter
	coalesced atomic.Uint64
	stats     statsCache
	retries   retries
}

var _ interface {
	queue.Queue
	queue.DeadLetters
} = (*Queue)(nil)

// Open starts the embedded engine or connects to the cluster, and waits until
// the streams are there or ctx is done.
func Open(ctx context.Context, o Options) (*Queue, error) {
	o.Options = o.WithDefaults()
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Floor == 0 {
		o.Floor = defaultFloor
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	q := &Queue{o: o, owner: nuid.Next()}
	q.done, q.stop = context.WithCancel(context.Background())
	q.hand = newHand(o.Workers)
	if err := q.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open queue: %w", err), q.Close())
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) error {
	connect := []nats.Option{
		nats.Name("pilotgate " + q.owner),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectHandler(func(*nats.Conn) { q.keepers.Go(q.reshape) }),
		// Kept bytes of a lost connection would be sent after the answer was given.
		nats.ReconnectBufSize(-1),
	}
	where := q.o.URL
	if where == "" {
		if q.o.Replicas == 0 {
			q.o.Replicas = 1
		}
		e, err := startEngine(q.o.Store)
		if err != nil {
			return err
		}
		q.engine = e
		where = "nats://embedded"
		connect = append(connect, nats.InProcessServer(e))
	} else {
		if q.o.Replicas == 0 {
			q.o.Replicas = 3
		}
		if err := guarded(q.o.URL, q.o.Credentials); err != nil {
			return err
		}
		if q.o.Credentials != "" {
			connect = append(connect, nats.UserCredentials(q.o.Credentials))
		}
	}
	var err error
	if q.nc, err = nats.Connect(where, connect...); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if q.js, err = jetstream.New(q.nc, jetstream.WithDefaultTimeout(askWithin)); err != nil {
		return err
	}
	for {
		// A cluster that is still choosing its leader does not answer at all.
		attempt, cancel := context.WithTimeout(ctx, askWithin)
		err = q.makeShape(attempt)
		cancel()
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
	q.keepers.Go(q.watch)
	return nil
}

// guarded refuses an engine that is open to everybody on a network.
func guarded(urls, credentials string) error {
	if credentials != "" {
		_, err := os.Stat(credentials)
		return err
	}
	for raw := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(raw))
		if err != nil {
			return errors.New("queue url cannot be parsed") // its text may hold a password
		}
		host := u.Hostname()
		ip := net.ParseIP(host)
		if u.User == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("queue at %s has no credentials: give user and password in the url, or a credentials file", u.Host)
		}
	}
	return nil
}

// Close implements queue.Queue.
func (q *Queue) Close() error {
	q.closing.Do(func() {
		q.stop()
		if q.nc != nil {
			q.nc.Close()
		}
		q.keepers.Wait()
		if q.engine != nil {
			q.closed = q.engine.close()
		}
	})
	return q.closed
}

// background is for requests that must not end with a caller's context.
func (q *Queue) background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(q.done, askWithin)
}
