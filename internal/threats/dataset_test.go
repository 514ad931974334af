package threats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// lfsStore is the repository's own LFS store, beside its GitHub: it says where
// an object is, and may be made to say anything.
type lfsStore struct {
	mu     sync.Mutex
	object []byte
	href   string                                            // where it says the object is
	answer func(w http.ResponseWriter, r *http.Request) bool // instead of the object
	stream func(r *http.Request) *http.Response              // instead of both
	none   bool                                              // it has no object
	seen   []*http.Request
}

const (
	lfsBatch   = "/acme/pilots.git/info/lfs/objects/batch"
	lfsStorage = "https://github.example/lfs-storage/1"
)

func (l *lfsStore) serve(r *http.Request) *http.Response {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := httptest.NewRecorder()
	switch {
	case r.URL.Host == "github.example" && r.URL.Path == lfsBatch:
		var ask struct {
			Objects []map[string]any `json:"objects"`
		}
		if err := json.NewDecoder(strings.NewReader(sent(r))).Decode(&ask); err != nil {
			http.Error(w, "no batch request", http.StatusBadRequest)
			break
		}
		if ask.Objects[0]["actions"] = map[string]any{"download": map[string]any{"href": l.href}}; l.none {
			ask.Objects[0] = map[string]any{"oid": ask.Objects[0]["oid"], "error": map[string]any{"code": 404, "message": "Object does not exist"}}
		}
		w.Header().Set("Content-Type", "application/vnd.git-lfs+json")
		_ = json.NewEncoder(w).Encode(map[string]any{"objects": ask.Objects})
	case r.URL.String() == lfsStorage:
		l.seen = append(l.seen, r)
		if l.stream != nil {
			return l.stream(r)
		}
		if l.answer == nil || !l.answer(w, r) {
			_, _ = w.Write(l.object)
		}
	default:
		return nil
	}
	return w.Result()
}

func (l *lfsStore) swap(object []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.object = object
}

// pointed is the usual pilot with its dataset in the LFS store.
func pointed(s *stage, l *lfsStore) map[string]fakegithub.File {
	in := files(s.Story.Pilot())
	object := in[sample.Dataset].Data
	sum := sha256.Sum256(object)
	l.swap(object)
	in[sample.Dataset] = lfsPointer(hex.EncodeToString(sum[:]), int64(len(object)))
	return in
}

// lfsPointer is the file in git of an object of so many bytes.
func lfsPointer(sha256 string, size int64) fakegithub.File {
	return fakegithub.Text(fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", sha256, size))
}

// withLFS is a stage beside whose GitHub there is an LFS store.
func withLFS(l *lfsStore) setting {
	if l.href == "" {
		l.href = lfsStorage
	}
	return setting{beside: l.serve, unjudged: true} // LFS is not part of GitHub's description
}

func leadsTheServerAway(t *testing.T) {
	usual := &lfsStore{}
	on(t, "the repository's own store is followed, and its token goes nowhere else", func(t *testing.T, s *stage) {
		pr := s.request(pointed(s, usual))
		assert.Equal(t, "success", s.check(pr, "pilot/dataset"))
		require.NotEmpty(t, usual.seen)
		for _, r := range usual.seen {
			assert.Empty(t, r.Header.Get("Authorization"))
		}
	}, withLFS(usual))
	for name, href := range map[string]string{
		"to the metadata of a cloud":    "https://169.254.169.254/latest/meta-data/",
		"to an address of our own":      "https://127.0.0.1/secrets",
		"to a private address":          "https://10.0.0.7/records.jsonl",
		"to IPv6 that means loopback":   "https://[::ffff:127.0.0.1]/records.jsonl",
		"to something without https":    "http://storage.example/records.jsonl",
		"to a file":                     "file:///etc/passwd",
		"to an address with a password": "https://user:password@github.example/lfs-storage/1",
	} {
		l := &lfsStore{href: href}
		on(t, "an object "+name, func(t *testing.T, s *stage) {
			pr := s.request(pointed(s, l))
			assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			assert.Empty(t, l.seen)
			assert.Equal(t, []string{"github.example"}, s.wire.reached())
		}, withLFS(l))
	}
	redirecting := &lfsStore{answer: func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", "https://169.254.169.254/latest/meta-data/")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}}
	on(t, "a redirect from the storage", func(t *testing.T, s *stage) {
		pr := s.request(pointed(s, redirecting))
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		assert.Equal(t, []string{"github.example"}, s.wire.reached())
	}, withLFS(redirecting))
	elsewhere := &lfsStore{}
	on(t, "a store that the pull request names", func(t *testing.T, s *stage) {
		in := pointed(s, elsewhere)
		in[".lfsconfig"] = fakegithub.Text("[lfs]\n\turl = https://evil.example/lfs\n")
		pr := s.request(in)
		assert.Equal(t, "success", s.check(pr, "pilot/dataset"), "it is not looked at")
		assert.Equal(t, []string{"github.example"}, s.wire.reached())
	}, withLFS(elsewhere))
	for name, uri := range map[string]string{
		"the metadata of a cloud":       "http://169.254.169.254/latest/meta-data/",
		"a web server":                  "https://evil.example/records.jsonl",
		"a bucket that nobody allowed":  "s3://evil-bucket/records.jsonl",
		"a bucket with a host in it":    "s3://evil.example:443/records.jsonl",
		"another kind of bucket":        "gs://evil-bucket/records.jsonl",
		"a file of the server":          "file:///etc/passwd",
		"a path with a scheme's colons": "ftp://169.254.169.254/records.jsonl",
	} {
		on(t, "a dataset at "+name, func(t *testing.T, s *stage) {
			pr := s.request(s.plan("`"+sample.Dataset+"`", "`"+uri+"`"))
			assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			assert.Equal(t, []string{"github.example"}, s.wire.reached())
		})
	}
}

func replacesTheDataset(t *testing.T) {
	on(t, "in the same pull request, under the same name", func(t *testing.T, s *stage) {
		pr := s.approved()
		data := s.file(branch, sample.Dataset)
		other := strings.Replace(data, `"language"`, `"language" `, 1)
		require.NotEqual(t, data, other)
		s.push(dana, branch, map[string]fakegithub.File{sample.Dataset: fakegithub.Text(other)})
		s.finds(pr, "pilot/dataset", "DS020")
		assert.NotEqual(t, "success", s.check(pr, approvals))
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "on the default branch, between approval and merge", func(t *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{sample.Dataset: files(s.Story.Pilot())[sample.Dataset], sample.EvaluationData: files(s.Story.Pilot())[sample.EvaluationData]})
		in := files(s.Story.Pilot())
		delete(in, sample.Dataset)
		delete(in, sample.EvaluationData)
		pr := s.request(in)
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.GitHub.Hold()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Other records", Author: nina, Files: map[string]fakegithub.File{
			sample.Dataset: fakegithub.Text(s.file("main", sample.Dataset) + "\n"),
		}})
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	swapped := &lfsStore{}
	on(t, "an LFS object after approval", func(t *testing.T, s *stage) {
		pr := s.request(pointed(s, swapped))
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		good := swapped.object
		bad := []byte(strings.Replace(string(good), `"language"`, `"Language"`, 1))
		require.Len(t, bad, len(good))
		swapped.swap(bad)
		// The next server has no cache: it reads the object again, by its hash.
		require.NoError(t, s.Stop())
		require.NoError(t, s.Start(t.Context()))
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		assert.NotEqual(t, "success", s.check(pr, approvals))
		swapped.swap(good)
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		s.shows(pr, "success")
	}, withLFS(swapped))
	long := &lfsStore{}
	on(t, "an LFS object that does not end", func(t *testing.T, s *stage) {
		in := pointed(s, long)
		long.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.Copy(w, io.LimitReader(endless{}, 64<<20))
			return true
		}
		pr := s.request(in)
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
	}, withLFS(long))
}

// endless is a body of one letter.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}
