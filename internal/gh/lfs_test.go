package gh_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/scan"
)

// lfsStore stands beside a GitHub and serves one object of its LFS store.
type lfsStore struct {
	hub    http.RoundTripper
	object []byte
	status int      // of the batch answer, if not 200
	tokens []string // bodies of requests for tokens
	basic  []string // tokens that the store saw
	seen   []http.Header
}

func (s *lfsStore) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	switch {
	case strings.HasSuffix(r.URL.Path, "/access_tokens"):
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.tokens = append(s.tokens, string(raw))
		r.Body = io.NopCloser(bytes.NewReader(raw))
		return s.hub.RoundTrip(r)
	case r.URL.String() == "https://github.test/acme/pilots.git/info/lfs/objects/batch":
		_, token, _ := r.BasicAuth()
		s.basic = append(s.basic, token)
		var ask struct{ Objects []map[string]any }
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			return nil, err
		}
		if s.status != 0 {
			w.WriteHeader(s.status)
			break
		}
		ask.Objects[0]["actions"] = map[string]any{"download": map[string]any{"href": "https://github.test/storage/1"}}
		_ = json.NewEncoder(w).Encode(ask)
	case r.URL.Path == "/storage/1":
		s.seen = append(s.seen, r.Header)
		_, _ = w.Write(s.object)
	default:
		return s.hub.RoundTrip(r)
	}
	out := w.Result()
	out.Request = r
	return out, nil
}

// lfsWorld is a world whose dataset is a pointer to the object.
func lfsWorld(t *testing.T) (*world, *lfsStore, facts.Need) {
	t.Helper()
	s := &lfsStore{object: []byte("{\"sample_id\": \"1\"}\n{\"sample_id\": \"2\"}\n")}
	pool := scan.New(scan.Options{})
	t.Cleanup(pool.Close)
	w := newWorld(t, func(c *gh.Config) { s.hub, c.Transport, c.Scanner = c.Transport, s, pool })
	sum := sha256.Sum256(s.object)
	pointer := fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", hex.EncodeToString(sum[:]), len(s.object))
	commit := w.repo.MustCommit("main", "boris", fakegithub.CommitSpec{Message: "LFS", Files: map[string]fakegithub.File{"data/b.jsonl": fakegithub.Text(pointer)}})
	c := w.common()
	w.fill(c, facts.Need{Kind: facts.NeedTree, Commit: commit})
	entry := c.Git.Trees[commit].Entries["data/b.jsonl"]
	return w, s, facts.Need{Kind: facts.NeedScan, Scan: &facts.ScanRequest{Path: "data/b.jsonl", OID: entry.OID, Size: entry.Size, Locale: "ru"}}
}

func TestAPointerIsFollowedIntoTheRepositorysOwnStore(t *testing.T) {
	w, s, need := lfsWorld(t)
	s.tokens = nil
	c := w.common()
	w.fill(c, need)
	got := c.Scans[need.Key()]
	require.NotNil(t, got.Facts)
	assert.Equal(t, 2, got.Facts.Records)
	require.Len(t, s.basic, 1)
	require.Len(t, s.tokens, 1)
	assert.JSONEq(t, fmt.Sprintf(`{"repository_ids": [%d], "permissions": {"contents": "read"}}`, w.repo.ID()), s.tokens[0], "a token for nothing else")
	require.Len(t, s.seen, 1)
	assert.Empty(t, s.seen[0].Get("Authorization"), "the store's answer gave none")
}

func TestAnObjectThatIsNotThePointersIsAFact(t *testing.T) {
	w, s, need := lfsWorld(t)
	s.object = append([]byte(nil), s.object...)
	s.object[16] = '3'
	c := w.common()
	w.fill(c, need)
	assert.Equal(t, facts.Scan{Refused: facts.RefusedDiffers}, c.Scans[need.Key()])
}

func TestAPointerWithoutAnObjectIsAFact(t *testing.T) {
	w, s, need := lfsWorld(t)
	s.status = http.StatusNotFound
	c := w.common()
	w.fill(c, need)
	assert.Len(t, c.Scans[need.Key()].Pointer, 64)
}

func TestAStoresTroubleIsMendedByTime(t *testing.T) {
	w, s, need := lfsWorld(t)
	s.status = http.StatusServiceUnavailable
	_, err := w.client.Fill(ctx, w.subject(facts.KindRepository, ""), w.common(), []facts.Need{need})
	require.Error(t, err)
	class, _ := queue.Classify(err)
	assert.Equal(t, queue.ClassTransient, class)
	assert.NotContains(t, err.Error(), s.basic[0])
}
