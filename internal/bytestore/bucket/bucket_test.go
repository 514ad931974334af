package bucket_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/bucket"
	"github.com/pilotgate/pilotgate/internal/facts"
)

var ctx = context.Background()

// shelf is the part of S3 that reading needs, for one bucket "acme".
type shelf struct {
	*httptest.Server
	mu        sync.Mutex
	objects   map[string][]version // by key, the newest last
	versioned bool
	cut       int           // bytes of each answer; then it hangs up
	before    func(n int)   // called before the n-th GET is answered
	answer    func() int    // a status instead of an answer
	redirect  string        // with it
	gets      []http.Header // of each GET
	queries   []string
}

type version struct {
	body []byte
	at   time.Time
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{objects: map[string][]version{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) put(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(len(s.objects[key])) * time.Minute)
	s.objects[key] = append(s.objects[key], version{body, at})
}

func (s *shelf) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.mu.Lock()
		s.gets, s.queries = append(s.gets, r.Header.Clone()), append(s.queries, r.URL.RawQuery)
		n, before := len(s.gets), s.before
		s.mu.Unlock()
		if before != nil {
			before(n)
		}
	}
	if s.answer != nil {
		if status := s.answer(); status != 0 {
			w.Header().Set("Location", s.redirect)
			w.Header().Set("X-Amz-Request-Id", "A301B")
			w.WriteHeader(status)
			return
		}
	}
	s.mu.Lock()
	versions := s.objects[strings.TrimPrefix(r.URL.Path, "/acme/")]
	s.mu.Unlock()
	if len(versions) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	n := len(versions) - 1
	if id := r.URL.Query().Get("versionId"); id != "" {
		_, _ = fmt.Sscanf(id, "v%d", &n)
	}
	v := versions[n]
	sum := md5.Sum(v.body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	if s.versioned {
		w.Header().Set("X-Amz-Version-Id", fmt.Sprintf("v%d", n))
	}
	if s.cut > 0 && r.Method == http.MethodGet {
		w = &cut{w, s.cut}
	}
	http.ServeContent(w, r, "", v.at, bytes.NewReader(v.body))
}

type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(b []byte) (int, error) {
	if len(b) <= c.left {
		c.left -= len(b)
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func (s *shelf) open(t *testing.T, name string) *bucket.Stores {
	t.Helper()
	stores, err := bucket.Open(ctx, []bucket.Store{{Bucket: name, Endpoint: s.URL, AccessKey: "made-up-id", SecretKey: "made-up-key", Repositories: []string{"Acme/pilots", "others/*", "77"}}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stores.Close()) })
	return stores
}

var repository = facts.Repository{ID: 1, Owner: "acme", Name: "pilots"}

func read(stores *bucket.Stores, uri string) ([]byte, string, error) {
	body, size, err := stores.For(repository)(ctx, facts.ScanRequest{URI: uri})
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err == nil && int64(len(got)) != size {
		return nil, "", fmt.Errorf("%d bytes of %d", len(got), size)
	}
	return got, body.(bytestore.Versioned).Version(), err
}

var object = bytes.Repeat([]byte("0123456789"), 30_000)

const uri = "s3://acme/pilots/a.jsonl"

func TestAnObjectIsRead(t *testing.T) {
	for name, body := range map[string][]byte{"large": object, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.put("pilots/a.jsonl", body)
			got, version, err := read(s.open(t, "s3://acme"), uri)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(body, got))
			assert.Empty(t, version)
		})
	}
}

func TestABrokenReadIsResumed(t *testing.T) {
	s := newShelf(t)
	s.cut = 130_000
	s.put("pilots/a.jsonl", object)
	got, _, err := read(s.open(t, "s3://acme"), uri)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
	var ranges []string
	for _, h := range s.gets {
		ranges = append(ranges, h.Get("Range"))
		assert.NotEmpty(t, h.Get("If-Match"))
	}
	assert.Equal(t, []string{"", "bytes=130000-", "bytes=260000-"}, ranges)
}

func TestAnObjectThatIsReplacedWhileItIsRead(t *testing.T) {
	other := bytes.Repeat([]byte("9876543210"), 30_000)
	replaced := func(t *testing.T, versioned bool, at int) ([]byte, string, error) {
		s := newShelf(t)
		s.cut, s.versioned = 130_000, versioned
		s.put("pilots/a.jsonl", object)
		s.before = func(n int) {
			if n == at {
				s.put("pilots/a.jsonl", other)
			}
		}
		return read(s.open(t, "s3://acme"), uri)
	}
	for _, at := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("before request %d", at), func(t *testing.T) {
			_, _, err := replaced(t, false, at)
			require.ErrorIs(t, err, bytestore.ErrChanged)
			got, version, err := replaced(t, true, at)
			require.NoError(t, err, "a version is pinned")
			assert.True(t, bytes.Equal(object, got))
			assert.Equal(t, "v0", version)
		})
	}
	t.Run("deleted", func(t *testing.T) {
		s := newShelf(t)
		s.cut = 130_000
		s.put("pilots/a.jsonl", object)
		s.before = func(n int) {
			if n == 2 {
				s.mu.Lock()
				delete(s.objects, "pilots/a.jsonl")
				s.mu.Unlock()
			}
		}
		_, _, err := read(s.open(t, "s3://acme"), uri)
		assert.ErrorIs(t, err, bytestore.ErrChanged)
	})
}

func TestAnswersForGood(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   error
	}{
		"absent":     {404, bytestore.ErrAbsent},
		"refused":    {403, bytestore.ErrRefused},
		"redirected": {301, bytestore.ErrAddress},
		"sent away":  {307, bytestore.ErrAddress},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
			defer elsewhere.Close()
			s.redirect, s.answer = elsewhere.URL+"/other/pilots/a.jsonl", func() int { return c.status }
			_, _, err := read(s.open(t, "s3://acme"), uri)
			assert.ErrorIs(t, err, c.want)
		})
	}
	t.Run("an error that may pass is no answer", func(t *testing.T) {
		s := newShelf(t)
		s.put("pilots/a.jsonl", object)
		s.answer = func() int { return 501 }
		_, _, err := read(s.open(t, "s3://acme"), uri)
		require.Error(t, err)
		for _, answer := range []error{bytestore.ErrAbsent, bytestore.ErrRefused, bytestore.ErrAddress, bytestore.ErrChanged} {
			assert.NotErrorIs(t, err, answer)
		}
	})
}

func TestOnlyConfiguredBucketsAreRead(t *testing.T) {
	s := newShelf(t)
	s.put("pilots/a.jsonl", object)
	s.put("other/a.jsonl", object)
	stores := s.open(t, "s3://acme/pilots/")
	_, _, err := read(stores, uri)
	require.NoError(t, err)
	before := len(s.gets)
	for _, uri := range []string{
		"s3://acme/other/a.jsonl", "s3://acme/pilots-of-others/a.jsonl", "s3://acme/pilots/../other/a.jsonl", "s3://acme/pilots/%2e%2e/other/a.jsonl",
		"s3://acme2/pilots/a.jsonl", "gs://acme/pilots/a.jsonl", "s3://acme/pilots/a.jsonl?endpoint=http://169.254.169.254",
		"s3://acme/pilots/", "s3://acme/pilots//a.jsonl", "s3://acme/pilots/a.jsonl#x", "s3://acme", "", "http://169.254.169.254/latest/",
		"s3://acme/pilots/" + strings.Repeat("x", 1200),
	} {
		_, _, err := read(stores, uri)
		assert.ErrorIs(t, err, bytestore.ErrNoStore, uri)
	}
	assert.Len(t, s.gets, before)
}

// TestOnlyConfiguredRepositoriesRead: the keys are the server's, so a policy that
// allows another team's bucket opens nothing.
func TestOnlyConfiguredRepositoriesRead(t *testing.T) {
	s := newShelf(t)
	s.put("pilots/a.jsonl", object)
	stores := s.open(t, "s3://acme")
	for name, c := range map[string]struct {
		r    facts.Repository
		want error
	}{
		"by name":               {facts.Repository{ID: 1, Owner: "acme", Name: "pilots"}, nil},
		"by name, other case":   {facts.Repository{ID: 1, Owner: "ACME", Name: "Pilots"}, nil},
		"by owner":              {facts.Repository{ID: 2, Owner: "others", Name: "anything"}, nil},
		"by id, renamed":        {facts.Repository{ID: 77, Owner: "new", Name: "name"}, nil},
		"another of the owner":  {facts.Repository{ID: 3, Owner: "acme", Name: "pilots2"}, bytestore.ErrNoStore},
		"another owner":         {facts.Repository{ID: 4, Owner: "acme2", Name: "pilots"}, bytestore.ErrNoStore},
		"an owner's look-alike": {facts.Repository{ID: 5, Owner: "others-x", Name: "a"}, bytestore.ErrNoStore},
		"nobody":                {facts.Repository{}, bytestore.ErrNoStore},
	} {
		before := len(s.gets)
		body, _, err := stores.For(c.r)(ctx, facts.ScanRequest{URI: uri})
		if c.want != nil {
			assert.ErrorIs(t, err, c.want, name)
			assert.Len(t, s.gets, before, name)
			continue
		}
		require.NoError(t, err, name)
		assert.NoError(t, body.Close())
	}
}

func TestAnEndpointThatIsNone(t *testing.T) {
	for _, s := range []bucket.Store{
		{Bucket: "acme"},
		{Bucket: "ftp://acme"},
		{Bucket: "s3://"},
		{Bucket: "s3://acme?endpoint=x"},
		{Bucket: "s3://acme/../x"},
		{Bucket: "s3://acme", AccessKey: "a"},
		{Bucket: "s3://acme", SecretKey: "a"},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Endpoint: "example.org"},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Endpoint: "https://user:word@example.org"},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{"acme"}},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{"acme/a/b"}},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{"асме/pilots"}},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{"*/pilots"}},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{""}},
		{Bucket: "s3://acme", AccessKey: "a", SecretKey: "b", Repositories: []string{"-1"}},
	} {
		_, err := bucket.Open(ctx, []bucket.Store{s})
		assert.ErrorContains(t, err, "open store "+s.Bucket, s)
	}
}

func TestNoKeyIsInAnError(t *testing.T) {
	s := newShelf(t)
	s.Close()
	_, _, err := read(s.open(t, "s3://acme"), uri)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "made-up")
}
