package cli

import (
	"bytes"
	"context"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// shared is a stream that is written and read at once.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func TestProgressTellsBytesRateAndRemainingTime(t *testing.T) {
	reading := []facts.Need{{Kind: facts.NeedScan, Scan: &facts.ScanRequest{Size: 64 << 20}}}
	for name, c := range map[string]struct {
		terminal bool
		want     *regexp.Regexp
	}{
		"terminal": {true, regexp.MustCompile(`reading 16 MiB / 64 MiB.* 25 % +\d+ [KMG]?i?[bB]/s, \S+ left`)},
		"pipe":     {false, regexp.MustCompile(`^$`)},
	} {
		t.Run(name, func(t *testing.T) {
			var errs shared
			p := newProgress(&call{Context: context.Background(), Streams: Streams{Stderr: &errs, StderrTerminal: c.terminal}})
			p.expect(reading)
			p.add(16 << 20)
			assert.Eventually(t, func() bool { return c.want.MatchString(errs.String()) }, time.Minute, 10*time.Millisecond, "%s", c.want)
			p.done()
			if !c.terminal {
				assert.Empty(t, errs.String())
			}
		})
	}
}
