package durable

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// engine is the server in the process. It has no port; connections are pipes.
type engine struct {
	store  string
	unlock func() error

	mu  sync.Mutex
	srv *server.Server
}

// ErrInUse says that another process has the store open. Two engines on one
// store destroy it.
var ErrInUse = errors.New("queue store is in use by another process")

func startEngine(store string) (*engine, error) {
	if store == "" {
		return nil, errors.New("queue store is not configured")
	}
	if err := os.MkdirAll(store, 0o700); err != nil {
		return nil, fmt.Errorf("make queue store: %w", err)
	}
	unlock, err := lock(filepath.Join(store, "lock"))
	if err != nil {
		return nil, err
	}
	e := &engine{store: store, unlock: unlock}
	if err := e.start(); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return e, nil
}

// start makes a server. The caller holds mu or has the engine alone.
func (e *engine) start() error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "pilotgate",
		DontListen: true,
		NoSigs:     true, // signals belong to the process
		NoLog:      true,
		JetStream:  true,
		StoreDir:   e.store,
		// Without it a power failure takes back what was acknowledged.
		SyncAlways: true,
		// Limits of the engine's own making would stop it while there is space:
		// the floor on free space stands in front of it.
		JetStreamMaxStore:      1 << 50,
		JetStreamMaxMemory:     64 << 20,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("make queue engine: %w", err)
	}
	go srv.Start()
	if !srv.ReadyForConnections(2 * askWithin) {
		srv.Shutdown()
		return errors.New("start queue engine: not ready")
	}
	if !srv.JetStreamEnabled() {
		srv.Shutdown()
		srv.WaitForShutdown()
		return errors.New("start queue engine: its store cannot be used")
	}
	e.srv = srv
	return nil
}

// InProcessConn implements nats.InProcessConnProvider for whichever server runs
// now, so that the client finds its way back after a restart by itself.
func (e *engine) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	srv := e.srv
	e.mu.Unlock()
	if srv == nil {
		return nil, errors.New("queue engine is down")
	}
	return srv.InProcessConn()
}

// restart is the only way back for an engine that met a full disk.
func (e *engine) restart() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down()
	return e.start()
}

func (e *engine) down() {
	if e.srv != nil {
		e.srv.Shutdown()
		e.srv.WaitForShutdown()
		e.srv = nil
	}
}

func (e *engine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down()
	return e.unlock()
}

// restartEach is the shortest time between two restarts.
const restartEach = 15 * time.Second
