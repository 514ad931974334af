package threats

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/server"
)

// keyLine is how the policy lists the key that the server began with.
func (s *stage) keyLine() string {
	s.t.Helper()
	for line := range strings.Lines(s.file("main", policy)) {
		if strings.Contains(line, s.Key.Public.Public) {
			return line
		}
	}
	require.Fail(s.t, "the policy lists no key")
	return ""
}

// keys has the policy list these lines in the place of that one.
func (s *stage) keys(old string, lines ...string) {
	s.t.Helper()
	text := s.file("main", policy)
	require.Contains(s.t, text, old)
	s.push(nina, "main", map[string]fakegithub.File{policy: fakegithub.Text(strings.Replace(text, old, strings.Join(lines, ""), 1))})
}

// until is a key's line with its last day.
func until(line string, day time.Time) string {
	return strings.Replace(line, "}", ", until: "+day.UTC().Format(time.DateOnly)+"}", 1)
}

// changesItsKey starts the server again, with a key of that name.
func (s *stage) changesItsKey(id string) (line string) {
	s.t.Helper()
	key, err := server.NewKey(id, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)))
	require.NoError(s.t, err)
	require.NoError(s.t, s.Stop())
	s.Key = key
	require.NoError(s.t, s.Start(context.WithoutCancel(s.ctx)))
	s.settle()
	return fmt.Sprintf("    - {id: %q, ed25519: %q, from: %s}\n", id, key.Public.Public, s.Now().UTC().Format(time.DateOnly))
}

// signedBy are the keys that signed the records, in no order.
func (s *stage) signedBy() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	for _, path := range s.records() {
		var e struct {
			Signatures []struct{ KeyID string } `json:"signatures"`
		}
		require.NoError(s.t, json.Unmarshal([]byte(s.file("main", path)), &e))
		require.Len(s.t, e.Signatures, 1)
		out[e.Signatures[0].KeyID]++
	}
	return out
}

// TestTheServersKeyIsChanged: keys are valid from day to day, as the policy on the
// base branch lists them.
func TestTheServersKeyIsChanged(t *testing.T) {
	on(t, "what the old one signed stays, what follows is signed by the new one", func(t *testing.T, s *stage) {
		s.signedOff()
		older := s.keyLine()
		next := s.changesItsKey("next")
		s.keys(older, until(older, s.Now()), next)
		second := s.second()
		s.approve(second, irina, oleg)
		s.merge(second)
		assert.Len(t, s.rows(), 4)
		assert.Equal(t, map[string]int{"demo": 1, "next": 1}, s.signedBy())
		assert.Empty(t, s.openIssues())
		s.pass(48 * time.Hour)
		s.sweep()
		assert.Empty(t, s.openIssues(), "a key that is retired since has signed what it signed")
		s.writesNothingMore()
	})
	on(t, "a new one that is not listed yet: the check is red, nothing is recorded", func(t *testing.T, s *stage) {
		s.signedOff()
		older := s.keyLine()
		next := s.changesItsKey("next")
		second := s.second()
		s.approve(second, irina, oleg)
		s.shows(second, "failure")
		s.keys(older, until(older, s.Now()), next)
		s.shows(second, "success")
		s.merge(second)
		assert.Equal(t, map[string]int{"demo": 1, "next": 1}, s.signedBy())
	})
	on(t, "an old one after its last day: the check is red, nothing is recorded", func(t *testing.T, s *stage) {
		s.keys(s.keyLine(), until(s.keyLine(), s.Now()))
		pr := s.approved()
		s.pass(24 * time.Hour)
		s.sweep()
		s.shows(pr, "failure")
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.notSignedOff()
	})
	on(t, "a last day before it signed: the ledger does not verify, until that is taken back", func(t *testing.T, s *stage) {
		s.signedOff()
		line := s.keyLine()
		s.keys(line, until(line, s.Now().AddDate(0, 0, -1)))
		require.Len(t, s.openIssues(), 1)
		assert.Equal(t, "The sign-off ledger does not verify", s.openIssues()[0].Title)
		run := s.start(dana)
		s.gate(run, "waiting", "All gates are shut")
		s.keys(until(line, s.Now().AddDate(0, 0, -1)), line)
		assert.Empty(t, s.openIssues())
		s.gate(run, "approved", "is signed off")
	})
}
