package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

const maxTokenFile = 4 << 10 // bytes

// newAlerts reads the tokens of the configuration and makes the intake.
func (s *Server) newAlerts(sources []Alert, now func() time.Time) (*alert.Intake, error) {
	d := &directory{find: s.findRepository, now: now, known: map[string]place{}}
	if d.now == nil {
		d.now = time.Now
	}
	o := alert.Options{Repository: d.repository, Queue: s.queue, Metrics: alert.NewMetrics(s.metrics), Now: now}
	for _, a := range sources {
		text, err := readToken(a.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("alerts of %s: %w", a.Repository, err)
		}
		o.Sources = append(o.Sources, alert.Source{Repository: a.Repository, Scenario: a.Scenario, Tokens: lines(text)})
	}
	return alert.New(o)
}

// readToken reads a token file. Errors never hold its bytes.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	defer f.Close() // read only
	raw, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return "", fmt.Errorf("read token %s: %w", path, err)
	}
	if len(raw) > maxTokenFile {
		return "", fmt.Errorf("read token %s: larger than 4 KiB", path)
	}
	return string(raw), nil
}

func (s *Server) findRepository(ctx context.Context, fullName string) (installation, id int64, err error) {
	owner, name, _ := strings.Cut(fullName, "/")
	installation, r, err := s.github.RepositoryNamed(ctx, owner, name)
	return installation, r.ID, err
}

// directory keeps where the repositories of alerts are, so that an alert can be
// made durable while GitHub is down, too. It holds one place a configured
// repository.
type directory struct {
	find func(ctx context.Context, fullName string) (installation, id int64, err error)
	now  func() time.Time

	mu    sync.Mutex
	known map[string]place
}

type place struct {
	installation, id int64
	at               time.Time
}

const (
	// placeHolds is how long a place is believed: an installation that was
	// removed and made again has another id.
	placeHolds = 10 * time.Minute
	// placeWithin leaves time to make the alert durable in the same request.
	placeWithin = 5 * time.Second
)

func (d *directory) repository(ctx context.Context, fullName string) (installation, id int64, err error) {
	d.mu.Lock()
	p, ok := d.known[fullName]
	d.mu.Unlock()
	if ok && d.now().Sub(p.at) < placeHolds {
		return p.installation, p.id, nil
	}
	asking, cancel := context.WithTimeout(ctx, placeWithin)
	defer cancel()
	installation, id, err = d.find(asking, fullName)
	switch class, _ := queue.Classify(err); {
	case err == nil:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.known[fullName] = place{installation, id, d.now()}
		return installation, id, nil
	case ok && class == queue.ClassTransient:
		return p.installation, p.id, nil // GitHub does not answer; the old place is the best there is
	}
	return 0, 0, err
}
