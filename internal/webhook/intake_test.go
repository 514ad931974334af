package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

const (
	secret    = "correct horse"
	oldSecret = "battery staple"
	opened    = `{"action":"opened","installation":{"id":7},"repository":{"id":22},"pull_request":{"number":17},"sender":{"id":5}}`
)

func sign(newHash func() hash.Hash, name, secret string, body []byte) string {
	mac := hmac.New(newHash, []byte(secret))
	mac.Write(body)
	return name + "=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery is a request as GitHub makes it.
func delivery(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, webhook.Path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "pull_request")
	r.Header.Set("X-GitHub-Delivery", "00000000-0000-0000-0000-000000000001")
	r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", secret, body))
	return r
}

func intake(t *testing.T, q webhook.Adder, secrets ...string) *webhook.Intake {
	t.Helper()
	in, err := webhook.New(webhook.Options{Secrets: secrets, Queue: q, Us: webhook.Us{App: 99, Bot: 100}})
	require.NoError(t, err)
	return in
}

func memory(t *testing.T) *queue.Memory {
	t.Helper()
	q := queue.NewMemory(queue.Options{})
	t.Cleanup(func() { assert.NoError(t, q.Close()) })
	return q
}

func waiting(t *testing.T, q *queue.Memory) []string {
	t.Helper()
	keys, err := q.Waiting(t.Context(), 100)
	require.NoError(t, err)
	var s []string
	for _, k := range keys {
		s = append(s, k.Kind+" "+k.ID)
	}
	return s
}

func TestIntakeTakesWhatGitHubSends(t *testing.T) {
	q := memory(t)
	w := httptest.NewRecorder()
	intake(t, q, secret).ServeHTTP(w, delivery([]byte(opened)))
	assert.Equal(t, http.StatusAccepted, w.Code)
	assert.Equal(t, []string{"pr 17"}, waiting(t, q))
}

func TestIntakeRefuses(t *testing.T) {
	big := bytes.Repeat([]byte(" "), webhook.MaxBody+1)
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		body   []byte
		status int
	}{
		{"a forged signature", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", "guess", []byte(opened)))
		}, []byte(opened), 401},
		{"a signature of another body", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", secret, []byte(opened+" ")))
		}, []byte(opened), 401},
		{"a signature under the empty secret", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", "", []byte(opened)))
		}, []byte(opened), 401},
		{"no signature", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, []byte(opened), 401},
		{"an empty signature", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "") }, []byte(opened), 401},
		{"a right SHA-1 signature alone", func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", sign(sha1.New, "sha1", secret, []byte(opened)))
		}, []byte(opened), 401},
		{"a right SHA-1 signature in the other header", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(sha1.New, "sha1", secret, []byte(opened)))
		}, []byte(opened), 401},
		{"a signature cut short", func(r *http.Request) {
			s := r.Header.Get("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature-256", s[:len(s)-2])
		}, []byte(opened), 401},
		{"a signature with more behind it", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256")+"00")
		}, []byte(opened), 401},
		{"a signature that is no hex", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("zz", 32))
		}, []byte(opened), 401},
		{"two signatures, one of them right", func(r *http.Request) {
			r.Header.Add("X-Hub-Signature-256", "sha256="+strings.Repeat("00", 32))
		}, []byte(opened), 401},
		{"GET", func(r *http.Request) { r.Method = http.MethodGet }, []byte(opened), 405},
		{"gzip", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, []byte(opened), 415},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, []byte(opened), 415},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, []byte(opened), 415},
		{"no event", func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, []byte(opened), 400},
		{"one byte over 25 MB, announced", func(*http.Request) {}, big, 413},
		{"one byte over 25 MB, not announced", func(r *http.Request) { r.ContentLength = -1 }, big, 413},
		{"signed junk", func(*http.Request) {}, []byte(`{"action":`), 400},
		{"signed JSON of another shape", func(*http.Request) {}, []byte(`["opened"]`), 400},
		{"a signed event without installation", func(*http.Request) {}, []byte(`{"action":"opened","repository":{"id":22},"pull_request":{"number":17}}`), 400},
		{"nothing at all, signed", func(*http.Request) {}, nil, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := memory(t)
			r := delivery(c.body)
			c.change(r)
			w := httptest.NewRecorder()
			intake(t, q, secret).ServeHTTP(w, r)
			assert.Equal(t, c.status, w.Code)
			assert.Empty(t, waiting(t, q))
			assert.NotContains(t, w.Body.String(), "opened", "nothing of the request is repeated")
		})
	}
}

func TestIntakeReadsNoBodyThatItRefusesAnyway(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*http.Request)
	}{
		{"too large", func(r *http.Request) { r.ContentLength = webhook.MaxBody + 1 }},
		{"not signed", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }},
		{"gzip", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := delivery([]byte(opened))
			c.change(r)
			r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
				t.Error("the body was read")
				return 0, io.EOF
			}))
			intake(t, memory(t), secret).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestIntakeTakesTheLargestBody(t *testing.T) {
	q := memory(t)
	body := append([]byte(opened), bytes.Repeat([]byte(" "), webhook.MaxBody-len(opened))...)
	require.Len(t, body, webhook.MaxBody)
	w := httptest.NewRecorder()
	intake(t, q, secret).ServeHTTP(w, delivery(body))
	assert.Equal(t, http.StatusAccepted, w.Code)
	assert.Len(t, waiting(t, q), 1)
}

func TestIntakeSecrets(t *testing.T) {
	t.Run("both are good during a rotation", func(t *testing.T) {
		q := memory(t)
		in := intake(t, q, secret, oldSecret)
		for i, s := range []string{secret, oldSecret} {
			body := []byte(strings.Replace(opened, "17", fmt.Sprint(40+i), 1))
			r := delivery(body)
			r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", s, body))
			w := httptest.NewRecorder()
			in.ServeHTTP(w, r)
			assert.Equal(t, http.StatusAccepted, w.Code)
		}
		assert.ElementsMatch(t, []string{"pr 40", "pr 41"}, waiting(t, q))
	})
	t.Run("after it the old one is not", func(t *testing.T) {
		r := delivery([]byte(opened))
		r.Header.Set("X-Hub-Signature-256", sign(sha256.New, "sha256", oldSecret, []byte(opened)))
		w := httptest.NewRecorder()
		intake(t, memory(t), secret).ServeHTTP(w, r)
		assert.Equal(t, http.StatusUnauthorized, w.Code)
	})
	for name, secrets := range map[string][]string{
		"none": {}, "an empty one": {""}, "an empty second": {secret, ""}, "three": {"a", "b", "c"},
	} {
		t.Run(name+" is refused at the start", func(t *testing.T) {
			_, err := webhook.New(webhook.Options{Secrets: secrets, Queue: memory(t)})
			assert.Error(t, err)
		})
	}
	_, err := webhook.New(webhook.Options{Secrets: []string{secret}})
	assert.Error(t, err, "no queue")
}

type fullQueue struct{}

func (fullQueue) Add(context.Context, queue.Key, queue.AddOptions) error { return queue.ErrFull }

func TestIntakeNeverAcceptsWhatIsNotDurable(t *testing.T) {
	w := httptest.NewRecorder()
	intake(t, fullQueue{}, secret).ServeHTTP(w, delivery([]byte(opened)))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.NotEmpty(t, w.Header().Get("Retry-After"))
}

func TestIntakeKeepsWhatWasAskedFor(t *testing.T) {
	q := memory(t)
	body := []byte(`{"action":"requested_action","installation":{"id":7},"repository":{"id":22},"sender":{"id":5,"login":"dana","type":"User"},
		"requested_action":{"identifier":"mend"},"check_run":{"id":31,"head_sha":"1a2b","app":{"id":99},"pull_requests":[{"number":17,"base":{"repo":{"id":22}}}]}}`)
	r := delivery(body)
	r.Header.Set("X-GitHub-Event", "check_run")
	w := httptest.NewRecorder()
	intake(t, q, secret).ServeHTTP(w, r)
	require.Equal(t, http.StatusAccepted, w.Code)

	ctx, stop := context.WithCancel(t.Context())
	var got []webhook.Asked
	require.NoError(t, q.Run(ctx, func(ctx context.Context, k queue.Key) error {
		defer stop()
		assert.Equal(t, queue.Key{Installation: 7, Repository: 22, Kind: "pr", ID: "17"}, k)
		for _, p := range queue.Payloads(ctx) {
			a, err := webhook.ParseAsked(p)
			if err != nil {
				return err
			}
			got = append(got, a)
		}
		return nil
	}))
	assert.Equal(t, []webhook.Asked{{
		Event: "check_run", Action: "requested_action", CheckID: 31, Head: "1a2b", Identifier: "mend", UserID: 5, Login: "dana", UserType: "User",
	}}, got)
}

func TestIntakeCounts(t *testing.T) {
	reg := prometheus.NewRegistry()
	in, err := webhook.New(webhook.Options{Secrets: []string{secret}, Queue: memory(t), Metrics: webhook.NewMetrics(reg)})
	require.NoError(t, err)
	for _, c := range []struct{ event, body string }{
		{"pull_request", opened},
		{"pull_request", strings.Replace(opened, "opened", "labeled", 1)},
		{"made_up", opened},
		{"ping", "{}"},
	} {
		r := delivery([]byte(c.body))
		r.Header.Set("X-GitHub-Event", c.event)
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		assert.Equal(t, http.StatusAccepted, w.Code)
	}
	r := delivery([]byte(opened))
	r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("00", 32))
	r.Header.Set("X-GitHub-Event", "label made up by a stranger")
	in.ServeHTTP(httptest.NewRecorder(), r)

	families, err := reg.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	assert.Equal(t, map[string]float64{
		"pilotgate_deliveries_total other ignored":         1,
		"pilotgate_deliveries_total ping ignored":          1,
		"pilotgate_deliveries_total pull_request accepted": 1,
		"pilotgate_deliveries_total pull_request ignored":  1,
		"pilotgate_deliveries_total unverified forged":     1,
		"pilotgate_enqueue_seconds":                        1,
	}, got)
}

// server is the intake behind a real listener with the deadline for headers
// that the server sets.
func server(t *testing.T, q webhook.Adder, headers time.Duration) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(intake(t, q, secret))
	s.Config.ReadHeaderTimeout = headers
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func TestIntakeCutsEndlessChunks(t *testing.T) {
	s := server(t, memory(t), 5*time.Second)
	var sent int64
	endless := readerFunc(func(p []byte) (int, error) {
		sent += int64(len(p))
		return len(p), nil
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+webhook.Path, io.NopCloser(endless))
	require.NoError(t, err)
	r.Header = delivery(nil).Header
	res, err := s.Client().Do(r)
	if err == nil { // the server may close before the client reads its answer
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	}
	assert.Less(t, sent, int64(2*webhook.MaxBody))
}

func TestIntakeOutlivesSlowloris(t *testing.T) {
	q := memory(t)
	s := server(t, q, time.Second)
	before := heap()
	var conns sync.WaitGroup
	address := s.Listener.Addr().String()
	headless, err := net.Dial("tcp", address)
	require.NoError(t, err)
	_, err = io.WriteString(headless, "POST "+webhook.Path+" HTTP/1.1\r\nHost: x\r\nX-A: ")
	require.NoError(t, err)
	held := make(chan net.Conn, 1000)
	for i := range 1000 {
		conns.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			switch i % 2 {
			case 0: // headers that never end
				_, _ = io.WriteString(c, "POST "+webhook.Path+" HTTP/1.1\r\nHost: x\r\nX-A: ")
			case 1: // a body that is promised, with a signature of the right form
				_, _ = io.WriteString(c, "POST "+webhook.Path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"+
					"X-Hub-Signature-256: sha256="+strings.Repeat("00", 32)+"\r\nContent-Length: 26000000\r\n\r\n{")
			}
			held <- c
		})
	}
	conns.Wait()
	close(held)
	assert.Less(t, heap()-before, int64(100<<20), "1,000 promises of 26 MB hold what they sent")

	// GitHub's delivery gets through beside them.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+webhook.Path, strings.NewReader(opened))
	require.NoError(t, err)
	r.Header = delivery([]byte(opened)).Header
	res, err := s.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusAccepted, res.StatusCode)
	assert.Len(t, waiting(t, q), 1)

	// The one without headers is shown out by the server.
	require.NoError(t, headless.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, err = io.Copy(io.Discard, headless)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection was left open")
	for c := range held {
		_ = c.Close()
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestIntakeBoundsBodiesAltogether(t *testing.T) {
	in := intake(t, memory(t), secret)
	// Two bodies of 25 MB are being read and do not end; what the third wants is refused.
	var blocked sync.WaitGroup
	end := make(chan struct{})
	for range 3 {
		r := delivery(nil)
		r.ContentLength = -1
		left := 24 << 20
		arrived := make(chan struct{})
		r.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
			if left == 0 {
				select {
				case <-arrived:
				default:
					close(arrived)
				}
				<-end
				return 0, io.EOF
			}
			n := min(len(p), left)
			left -= n
			return n, nil
		}))
		done := make(chan int, 1)
		blocked.Go(func() {
			w := httptest.NewRecorder()
			in.ServeHTTP(w, r)
			done <- w.Code
		})
		select {
		case <-arrived:
			continue
		case code := <-done:
			assert.Equal(t, http.StatusServiceUnavailable, code)
		}
	}
	close(end)
	blocked.Wait()
	w := httptest.NewRecorder()
	in.ServeHTTP(w, delivery([]byte(opened)))
	assert.Equal(t, http.StatusAccepted, w.Code, "the memory was given back")
}

func FuzzSignatureHeader(f *testing.F) {
	right := sign(sha256.New, "sha256", secret, []byte(opened))
	for _, s := range []string{right, strings.ToUpper(right), "sha256=", "sha1=00", right + "0", right[:70], "sha256=" + strings.Repeat("0", 64), ""} {
		f.Add(s)
	}
	q := queue.NewMemory(queue.Options{})
	in, err := webhook.New(webhook.Options{Secrets: []string{secret, oldSecret}, Queue: q})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, header string) {
		r := delivery([]byte(opened))
		r.Header["X-Hub-Signature-256"] = []string{header}
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		digits, ok := strings.CutPrefix(header, "sha256=")
		if ok && strings.EqualFold(digits, strings.TrimPrefix(right, "sha256=")) {
			require.Equal(t, http.StatusAccepted, w.Code)
			return
		}
		require.Equal(t, http.StatusUnauthorized, w.Code)
	})
}

// A merge, its push and our commit after it are one look at the repository; a
// push that may change policy or roles waits for nothing.
func TestPushWaitsForWhatComesWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		files string
		waits bool
	}{
		"a plan":             {`"added":["docs/plan.md"],"modified":["README.md"],"removed":[]`, true},
		"the policy":         {`"added":[],"modified":[".github/pilotgate.yml"],"removed":[]`, false},
		"the role file away": {`"added":[],"modified":[],"removed":[".github/PILOT_APPROVERS"]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			q := memory(t)
			in, err := webhook.New(webhook.Options{Secrets: []string{secret}, Queue: q, Settle: time.Hour})
			require.NoError(t, err)
			for range 2 {
				r := delivery([]byte(`{"ref":"refs/heads/main","installation":{"id":7},"repository":{"id":22,"default_branch":"main"},"commits":[{` + c.files + `}]}`))
				r.Header.Set("X-GitHub-Event", "push")
				w := httptest.NewRecorder()
				in.ServeHTTP(w, r)
				require.Equal(t, http.StatusAccepted, w.Code)
			}
			stats := q.Stats()
			assert.Equal(t, c.waits, stats.Delayed == 1)
			assert.Equal(t, !c.waits, stats.Waiting == 1)
			assert.Equal(t, c.waits, q.Due(2*time.Hour) == 1)
			assert.Zero(t, q.Due(time.Minute))
		})
	}
}
