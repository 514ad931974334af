package threats

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/server"
)

// TestAPointerWithoutItsObjectIsToldByEveryDoor with who does what next.
func TestAPointerWithoutItsObjectIsToldByEveryDoor(t *testing.T) {
	store := &lfsStore{none: true}
	on(t, "pushed without its object", func(t *testing.T, s *stage) {
		in := pointed(s, store)
		pr := s.request(in)
		s.finds(pr, "pilot/dataset", "DS060")
		check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
		const next = "git lfs push --all origin"
		assert.Contains(t, check.Summary, next)
		s.approve(pr, irina, oleg)
		assert.NotEqual(t, "success", s.check(pr, approvals))

		dir := s.checkout()
		assert.Equal(t, s.annotated(pr), s.checkedOut(pr, dir), "a checkout")
		out := s.commandLine("check", "--repo", dir, "--base", "main", "--head", branch)
		assert.Contains(t, out, sample.Plan+":11:13: error DS060")
		assert.Contains(t, out, "is a Git LFS pointer whose object cannot be read")
		assert.Contains(t, out, "`git lfs pull` fetches it")
		path := filepath.Join(t.TempDir(), "records.jsonl")
		require.NoError(t, os.WriteFile(path, in[sample.Dataset].Data, 0o600))
		out = s.commandLine("dataset", "scan", path)
		assert.Contains(t, out, path+":1:1: error DS001")
		assert.Contains(t, out, "Fetch it with `git lfs pull`")

		// The object comes: both doors read it, and find the same in it.
		sum := sha256.Sum256(store.object)
		oid := hex.EncodeToString(sum[:])
		kept := filepath.Join(dir, "lfs", "objects", oid[:2], oid[2:4], oid)
		require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o700))
		require.NoError(t, os.WriteFile(kept, store.object, 0o600))
		store.mu.Lock()
		store.none = false
		store.mu.Unlock()
		pr.Comment(dana, "/pilot recheck")
		s.settle()
		assert.Equal(t, "success", s.check(pr, "pilot/dataset"))
		assert.Empty(t, s.annotated(pr))
		var errs bytes.Buffer
		code := cli.Run(t.Context(), []string{"check", "--repo", dir, "--base", "main", "--head", branch}, cli.Streams{Stdout: io.Discard, Stderr: &errs, Now: time.Now})
		assert.Zero(t, code, errs.String())
	}, withLFS(store))
}

// TestAnObjectThatChangesWhileItIsReadIsNeverGreen: the bytes come in parts, and
// what was approved is one object. What the command line says of a file that
// changes is in package cli.
func TestAnObjectThatChangesWhileItIsReadIsNeverGreen(t *testing.T) {
	for name, part := range map[string]func(object, other []byte) *http.Response{
		"another object's rest": func(object, other []byte) *http.Response {
			return rest(other, len(object)/2, len(object))
		},
		"the rest of a longer one": func(object, _ []byte) *http.Response {
			return rest(append(bytes.Clone(object), "{}\n"...), len(object)/2, len(object)+3)
		},
		"another part than was asked for": func(object, _ []byte) *http.Response {
			r := rest(object, len(object)/2, len(object))
			r.Header.Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(object)-1, len(object)))
			return r
		},
		"nothing there": func(object, _ []byte) *http.Response {
			return &http.Response{StatusCode: http.StatusRequestedRangeNotSatisfiable, Header: http.Header{}, Body: http.NoBody}
		},
	} {
		store := &lfsStore{}
		on(t, "in Git LFS, "+name, func(t *testing.T, s *stage) {
			in := pointed(s, store)
			object := store.object
			other := bytes.ReplaceAll(object, []byte(`"language"`), []byte(`"Language"`))
			require.Len(t, other, len(object))
			ranges := store.breaking(object, func() *http.Response { return part(object, other) })
			pr := s.request(in)
			assert.Equal(t, []string{"", fmt.Sprintf("bytes=%d-", len(object)/2)}, *ranges)
			s.finds(pr, "pilot/dataset", "DS060")
			check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
			assert.Contains(t, check.Summary, "is not what its pointer says")
			assert.Contains(t, check.Summary, "git lfs push --all origin")
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			s.writesNothingMore()
		}, withLFS(store))
	}
	whole := &lfsStore{}
	on(t, "in Git LFS, the same bytes by another entity tag are what was named", func(t *testing.T, s *stage) {
		in := pointed(s, whole)
		object := whole.object
		whole.breaking(object, func() *http.Response { return rest(object, len(object)/2, len(object)) })
		pr := s.request(in)
		assert.Equal(t, "success", s.check(pr, "pilot/dataset"))
	}, withLFS(whole))

	for name, change := range map[string]func(b *shelf){
		"replaced":                   func(b *shelf) { b.put(bytes.Replace(b.object, []byte(`"language"`), []byte(`"Language"`), 1)) },
		"replaced by the same bytes": func(b *shelf) { b.put(b.object) },
		"longer":                     func(b *shelf) { b.put(append(bytes.Clone(b.object), b.object...)) },
		"cut off":                    func(b *shelf) { b.put(b.object[:len(b.object)/2]) },
		"emptied":                    func(b *shelf) { b.put(nil) },
		"deleted":                    func(b *shelf) { b.put(nil); b.gone = true },
	} {
		for when, request := range map[string]int{"before its first part": 1, "before its second part": 2} {
			b := newShelf(t)
			on(t, "in a bucket, "+name+" "+when, func(t *testing.T, s *stage) {
				in := s.plan("`"+sample.Dataset+"`", "`"+inBucket+"`")
				object := in[sample.Dataset].Data
				delete(in, sample.Dataset)
				b.put(object)
				b.cut = len(object) / 2
				b.before(request, change)
				pr := s.request(in)
				s.finds(pr, "pilot/dataset", "DS060")
				check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
				assert.Contains(t, check.Summary, "was replaced while it was read")
				assert.Contains(t, check.Summary, "Wait until the export is complete")
				s.approve(pr, irina, oleg)
				if bytes.Equal(b.object, object) { // the next look reads it in peace
					s.shows(pr, "success")
					return
				}
				assert.NotEqual(t, "success", s.check(pr, approvals))

				// It rests, as it was planned: now it can be judged.
				b.put(object)
				pr.Comment(dana, "/pilot recheck")
				s.settle()
				assert.Equal(t, "success", s.check(pr, "pilot/dataset"))
			}, b.setting(t))
		}
	}
}

// breaking lets the first answer end after half of the object, and the second be
// another one; it gives the ranges that were asked for.
func (l *lfsStore) breaking(object []byte, second func() *http.Response) *[]string {
	var ranges []string
	l.stream = func(r *http.Request) *http.Response {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges)%2 == 0 {
			return second()
		}
		body := io.MultiReader(bytes.NewReader(object[:len(object)/2]), iotest.ErrReader(io.ErrUnexpectedEOF))
		return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(object)), Header: http.Header{"Etag": {`"first"`}}, Body: io.NopCloser(body)}
	}
	return &ranges
}

// rest answers a range: the object from a byte on, as one of size bytes.
func rest(object []byte, from, size int) *http.Response {
	return &http.Response{
		StatusCode: http.StatusPartialContent, ContentLength: int64(len(object) - from), Body: io.NopCloser(bytes.NewReader(object[from:])),
		Header: http.Header{"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", from, size-1, size)}, "Etag": {`"second"`}},
	}
}

const inBucket = "s3://acme-data/records.jsonl"

// shelf is an object store with one object, of which each answer brings at most
// cut bytes.
type shelf struct {
	*httptest.Server
	mu     sync.Mutex
	object []byte
	tag    int
	gone   bool
	cut    int
	gets   int
	at     int
	act    func(*shelf)
}

func newShelf(t *testing.T) *shelf {
	b := &shelf{}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

// put is for one who holds the lock or is alone.
func (b *shelf) put(object []byte) { b.object, b.gone, b.tag = object, false, b.tag+1 }

// before lets something happen once, before the nth part is answered.
func (b *shelf) before(nth int, act func(*shelf)) { b.at, b.act = nth, act }

func (b *shelf) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Method == http.MethodGet {
		if b.gets++; b.gets == b.at {
			b.act(b)
		}
	}
	if b.gone {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, b.tag))
	if r.Method == http.MethodGet && len(b.object) > b.cut {
		w = &short{w, b.cut}
	}
	at := time.Date(2026, 1, 2, 3, 4, b.tag, 0, time.UTC)
	http.ServeContent(w, r, "", at, bytes.NewReader(b.object))
}

// short hangs up after so many bytes.
type short struct {
	http.ResponseWriter
	left int
}

func (s *short) Write(p []byte) (int, error) {
	if len(p) < s.left {
		s.left -= len(p)
		return s.ResponseWriter.Write(p)
	}
	_, _ = s.ResponseWriter.Write(p[:s.left])
	_ = http.NewResponseController(s.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// setting is a server that may read the store, by a policy that allows it.
func (b *shelf) setting(t *testing.T) setting {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("made-up\n"), 0o600))
	return setting{
		policy: func(p string) string { return p + "datasets: {buckets: [\"s3://acme-data\"]}\n" },
		config: func(c *server.Config) {
			c.Stores = append(c.Stores, server.Store{Bucket: "s3://acme-data", Endpoint: b.URL, AccessKeyFile: key, SecretKeyFile: key, Repositories: []string{"acme/pilots"}})
		},
	}
}
