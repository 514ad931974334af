package cli_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const (
	policyPath = ".github/pilotgate.yml"
	logPath    = "docs/specs/epic_05/stage_05_03_signoff.md"
	evidence   = "docs/specs/epic_05/evidence/{pilot}/"
)

func keyPair(t *testing.T, id string) (ledger.Signer, ed25519.PublicKey) {
	t.Helper()
	seed := sha256.Sum256([]byte("a made-up key of this test: " + id))
	private := ed25519.NewKeyFromSeed(seed[:])
	s, err := ledger.NewSigner(id, private)
	require.NoError(t, err)
	return s, private.Public().(ed25519.PublicKey)
}

// signing is a policy with two keys, the old one until its last day.
func signing(t *testing.T, until string) string {
	t.Helper()
	_, older := keyPair(t, "2025")
	_, newer := keyPair(t, "2026")
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("version: 1\nsigning:\n  keys:\n    - {id: \"2025\", ed25519: %q, from: 2025-01-01, until: %s}\n    - {id: \"2026\", ed25519: %q, from: 2025-12-15}\n",
		text(older), until, text(newer))
}

// withdrawn is a pilot's plan that was taken away at this moment.
func withdrawn(pilot string, at time.Time) ledger.Record {
	sum := sha256.Sum256([]byte(pilot))
	digest := hex.EncodeToString(sum[:])
	return ledger.Record{
		Kind:     ledger.KindWithdrawn,
		Subjects: []ledger.Subject{{Name: "plan", SHA256: digest}},
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: 7, Name: "acme/digests"}, Pilot: pilot, PullRequest: 42, Digest: "sha256:" + digest,
			BaseRef: "main", HeadCommit: digest[:40], CreatedAt: at,
			Rows: []ledger.Row{{Date: at, Stakeholder: "irina-ml", Role: "ML Lead", Decision: ledger.Withdrawn}},
		},
	}
}

// TestVerifyNamesTheFirstBrokenLinkOfACheckout: four records, the old and the new
// key by turns while both are valid; the third on the old key's last day.
func TestVerifyNamesTheFirstBrokenLinkOfACheckout(t *testing.T) {
	older, olderKey := keyPair(t, "2025")
	newer, newerKey := keyPair(t, "2026")
	day := func(month time.Month, d, hour int) time.Time {
		return time.Date(2025, month, d, hour, 0, 0, 0, time.UTC)
	}
	keys := []ledger.Key{{ID: "2025", Public: olderKey}, {ID: "2026", Public: newerKey}}
	l := ledger.Ledger{RepositoryID: 7, LogPath: logPath, Evidence: evidence}
	var records []string
	var log []string // its lines
	for i, c := range []struct {
		by ledger.Signer
		at time.Time
	}{{older, day(11, 20, 9)}, {newer, day(12, 20, 9)}, {older, day(12, 31, 23)}, {newer, day(13, 5, 9)}} {
		a, err := ledger.Append(l, withdrawn(fmt.Sprintf("ru-digest-%d", i+1), c.at), c.by, keys)
		require.NoError(t, err)
		l = l.With(a)
		records = append(records, a.RecordPath)
	}
	log = strings.SplitAfter(string(l.Log), "\n")
	files := map[string]string{policyPath: signing(t, "2025-12-31"), logPath: string(l.Log)}
	for path, b := range l.Records {
		files[path] = string(b)
	}
	row := func(n int) string { return fmt.Sprint(logPath, ":", 4+n) } // of the n-th record

	for _, c := range []struct {
		name   string
		change func(files map[string]string)
		first  string // where the first broken link is; "" if the chain is whole
		later  int    // how many findings there are after it
	}{
		{"as it was signed", func(map[string]string) {}, "", 0},
		{"another person in a row", func(f map[string]string) {
			f[logPath] = strings.Replace(f[logPath], log[5], strings.Replace(log[5], "@irina-ml", "@dana", 1), 1)
		}, row(2), 0},
		{"a record removed", func(f map[string]string) { delete(f, records[2]) }, row(3), 0},
		{"rows in another order", func(f map[string]string) {
			f[logPath] = strings.Replace(f[logPath], log[5]+log[6], log[6]+log[5], 1)
		}, row(2), 2},
		{"a row removed", func(f map[string]string) { f[logPath] = strings.Replace(f[logPath], log[5], "", 1) }, records[1], 0},
		{"the newest row removed", func(f map[string]string) { f[logPath] = strings.Replace(f[logPath], log[7], "", 1) }, records[3], 0},
		{"a record cut short", func(f map[string]string) { f[records[1]] = f[records[1]][:200] }, records[1], 0},
		{"a record put in another's place", func(f map[string]string) { f[records[1]] = f[records[0]] }, records[1], 0},
		{"the old key retired a day earlier", func(f map[string]string) { f[policyPath] = signing(t, "2025-12-30") }, records[2], 0},
		{"the new key only from the next year", func(f map[string]string) {
			f[policyPath] = strings.Replace(f[policyPath], "from: 2025-12-15", "from: 2026-01-01", 1)
		}, records[1], 0},
		{"the old key gone from the policy", func(f map[string]string) {
			f[policyPath] = strings.Replace(f[policyPath], `id: "2025"`, `id: "2024"`, 1)
		}, records[0], 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			files := maps.Clone(files)
			c.change(files)
			for path, text := range files {
				path = filepath.Join(dir, filepath.FromSlash(path))
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			}
			for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=Dana", "-c", "user.email=dana@example.org", "commit", "-q", "-m", "ledger"}} {
				out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
			got := run(t, nil, "verify", "--repo", dir)
			assert.Empty(t, got.stderr)
			if c.first == "" {
				assert.Equal(t, 0, got.code, got.stdout)
				assert.Contains(t, got.stdout, "4 records verify")
				return
			}
			assert.Equal(t, 1, got.code)
			_, rest, ok := strings.Cut(got.stdout, "The first broken link:\n")
			require.True(t, ok, got.stdout)
			link, rest, _ := strings.Cut(rest, "\n")
			assert.Contains(t, link, c.first)
			assert.Equal(t, c.later, strings.Count(rest, "SG0"), got.stdout)
		})
	}
}
