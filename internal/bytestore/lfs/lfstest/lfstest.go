// Package lfstest is a Git LFS server for tests: the batch API of one repository
// and a storage host of its own, both on loopback. git-lfs itself can push to it.
//
// It must not be imported by anything but tests.
package lfstest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Token is what the store wants to see.
const Token = "made-up-token"

// grant is what storage wants to see; the batch answer hands it out.
const grant = "RemoteAuth made-up-grant"

// Server is a store and its storage. Set the fields before it is used.
type Server struct {
	// Answer changes the batch answer for one object [as it is].
	Answer func(object map[string]any)
	// Storage answers a download before the object does; true: it has.
	Storage func(w http.ResponseWriter, r *http.Request) bool
	// Cut breaks each download after so many bytes [never].
	Cut int64
	// NoRanges answers every download from its start.
	NoRanges bool

	store, storage *httptest.Server

	mu      sync.Mutex
	objects map[string][]byte
	asked   int
	seen    []http.Header // of downloads
}

// New starts a server; Close ends it.
func New() *Server {
	s := &Server{objects: map[string][]byte{}}
	store := http.NewServeMux()
	store.HandleFunc("POST /acme/pilots.git/info/lfs/objects/batch", s.batch)
	store.HandleFunc("/acme/pilots.git/info/lfs/locks/verify", http.NotFound)
	storage := http.NewServeMux()
	storage.HandleFunc("GET /objects/{oid}", s.download)
	storage.HandleFunc("PUT /objects/{oid}", s.upload)
	s.store, s.storage = httptest.NewTLSServer(store), httptest.NewTLSServer(storage)
	return s
}

// Close ends both hosts.
func (s *Server) Close() {
	s.store.Close()
	s.storage.Close()
}

// URL is the store's address, as a repository's LFS endpoint.
func (s *Server) URL() string { return s.store.URL + "/acme/pilots.git/info/lfs" }

// StorageURL is the other host.
func (s *Server) StorageURL() string { return s.storage.URL }

// Transport trusts the store's certificate.
func (s *Server) Transport() http.RoundTripper { return s.store.Client().Transport }

// Roots trust both hosts' certificates.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.store.Certificate())
	pool.AddCert(s.storage.Certificate())
	return pool
}

// Put keeps an object and answers its id.
func (s *Server) Put(object []byte) string {
	sum := sha256.Sum256(object)
	oid := hex.EncodeToString(sum[:])
	s.Replace(oid, object)
	return oid
}

// Replace keeps other bytes under an id, as a broken or hostile store would.
func (s *Server) Replace(oid string, object []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[oid] = object
}

// Object is what is kept under an id.
func (s *Server) Object(oid string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[oid]
	return b, ok
}

// Asked is how many batch requests came.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Downloads are the headers of the downloads, in order.
func (s *Server) Downloads() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]http.Header(nil), s.seen...)
}

func (s *Server) batch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	if user, token, _ := r.BasicAuth(); user != "x-access-token" || token != Token {
		w.Header().Set("LFS-Authenticate", `Basic realm="made up"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	const media = "application/vnd.git-lfs+json"
	var ask struct {
		Operation string
		Transfers []string
		Objects   []struct {
			OID  string
			Size int64
		}
	}
	if json.NewDecoder(r.Body).Decode(&ask) != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), media) || r.Header.Get("Accept") == "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	var objects []map[string]any
	for _, o := range ask.Objects {
		kept, ok := s.Object(o.OID)
		out := map[string]any{"oid": o.OID, "size": o.Size, "authenticated": true}
		act := map[string]any{
			"href": s.storage.URL + "/objects/" + o.OID, "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
			"header": map[string]string{"Authorization": grant},
		}
		switch {
		case ask.Operation == "upload" && !ok:
			out["actions"] = map[string]any{"upload": act}
		case ask.Operation == "upload":
		case !ok:
			out["error"] = map[string]any{"code": 404, "message": "Object does not exist"}
		default:
			out["size"] = len(kept)
			out["actions"] = map[string]any{"download": act}
		}
		if s.Answer != nil {
			s.Answer(out)
		}
		objects = append(objects, out)
	}
	w.Header().Set("Content-Type", media)
	_ = json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": objects})
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	sum := sha256.Sum256(body)
	if err != nil || r.Header.Get("Authorization") != grant || hex.EncodeToString(sum[:]) != r.PathValue("oid") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.Replace(r.PathValue("oid"), body)
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Header.Clone())
	s.mu.Unlock()
	if s.Storage != nil && s.Storage(w, r) {
		return
	}
	object, ok := s.Object(r.PathValue("oid"))
	switch {
	case r.Header.Get("Authorization") != grant:
		w.WriteHeader(http.StatusForbidden)
		return
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.NoRanges {
		r.Header.Del("Range")
		w.Header().Set("Content-Length", strconv.Itoa(len(object)))
	}
	if s.Cut > 0 {
		w = &cut{w, s.Cut}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(object))
}

// cut hangs up after so many bytes.
type cut struct {
	http.ResponseWriter
	left int64
}

func (c *cut) Write(b []byte) (int, error) {
	if int64(len(b)) <= c.left {
		c.left -= int64(len(b))
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
