//go:build faults && linux

package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/server"
)

// TestWhatMustHold has a row for each promise of docs/operations.md, in its
// words. Rows whose tests need neither root nor minutes are `make test`'s, too.
func TestWhatMustHold(t *testing.T) {
	promised, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	for _, row := range []struct {
		words string
		tests []func(*testing.T)
	}{
		{"burst of 10,000 deliveries over 500 pull requests", []func(*testing.T){burstHolds}},
		{"1,000 events on one pull request, slow worker", []func(*testing.T){thousandEvents}},
		{"kill -9 at every step", []func(*testing.T){killedAtEveryStep}},
		{"SIGTERM with 100 accepted", []func(*testing.T){TestAcceptedDeliveriesOutliveTheProcess}},
		{"two replicas on one cluster, one killed, one frozen", []func(*testing.T){replicasOnACluster, badNetworkToTheQueue}},
		{"GitHub down 10 min, 5xx, 429, secondary limit, slow answers, truncated JSON", []func(*testing.T){
			TestGitHubIsAwayForTenMinutes, TestNothingIsAskedBeforeRetryAfter, badNetworkToGitHub,
		}},
		{"deliveries lost, doubled, reordered, three days old", []func(*testing.T){TestALifeEndsTheSameWhateverArrives, TestDeliveriesOfADownServerComeAgain}},
		{"disk full, read-only store, power failure", []func(*testing.T){diskFaults}},
		{"slowloris x 1,000; 26 MB; endless chunks; gzip; forged, missing, SHA-1, wrong-length signatures", []func(*testing.T){badSenders}},
		{
			"clock off by an hour; expired and revoked tokens; suspended installation; renamed, transferred, deleted repository; deleted branch or fork",
			[]func(*testing.T){TestWhatIsBehindARepositoryChanges},
		},
		{"one noisy repository beside 50 quiet ones", []func(*testing.T){noisyNeighbour}},
	} {
		t.Run(row.words, func(t *testing.T) {
			require.Contains(t, string(promised), "\n| "+row.words+" | ", "what is tested is promised in the same words")
			for i, test := range row.tests {
				t.Run(strconv.Itoa(i+1), test)
			}
		})
	}
}

// That none is refused and every request is looked at is held; how fast, how
// often and in how much memory is printed beside its bar, since it says as much of
// the machine.
func burstHolds(t *testing.T) {
	burst{deliveries: 10_000, pulls: 500}.run(t).print()
}

// A worker that takes seconds sees a burst twice or three times, and its end.
func thousandEvents(t *testing.T) {
	g, story := pilotRig(t, time.Second, 1)
	pr := g.propose(story.Pilot(), 0)
	p := g.start()
	g.calm()
	before := g.looks()
	again := slices.Repeat([]*fakegithub.PR{pr}, 500)
	g.tell(p, again)
	changed := story.Pilot()
	g.pilots.MustCommit(pr.View().HeadRef, sample.Initiator, fakegithub.CommitSpec{
		Message: "One more", Author: sample.Initiator, Files: map[string]fakegithub.File{"notes.md": fakegithub.Text(fmt.Sprint(len(changed)))},
	})
	g.tell(p, again)
	g.until([]*fakegithub.PR{pr}, waitingFor("waits for"))
	time.Sleep(3 * time.Second)
	assert.LessOrEqual(t, g.looks()-before, 3)
	require.NoError(t, p.end(t, syscall.SIGTERM))
	g.once([]*fakegithub.PR{pr})
}

// Whoever sends what is no delivery is refused, gets no memory for it, and keeps
// nobody out.
func badSenders(t *testing.T) {
	g := newRig(t, 0, 4)
	p := g.start()
	g.calm()
	at := strings.TrimPrefix(p.url, "http://")
	quiet := p.peak(t)
	var held sync.WaitGroup
	var mu sync.Mutex
	var slow []net.Conn
	for i := range 1000 {
		held.Go(func() {
			c, err := net.Dial("tcp", at)
			if err != nil {
				return
			}
			text := "POST /api/github/hook HTTP/1.1\r\nHost: x\r\nX-A: "
			if i%2 == 1 {
				text = "POST /api/github/hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n" +
					"X-Hub-Signature-256: sha256=" + strings.Repeat("00", 32) + "\r\nContent-Length: 26000000\r\n\r\n{"
			}
			_, _ = io.WriteString(c, text)
			mu.Lock()
			defer mu.Unlock()
			slow = append(slow, c)
		})
	}
	held.Wait()
	defer func() {
		for _, c := range slow {
			_ = c.Close()
		}
	}()

	body := []byte(`{"action": "opened"}`)
	right := fakegithub.Sign("made up", body)
	for name, c := range map[string]struct {
		body   io.Reader
		header map[string]string
		want   int
	}{
		"26 MB":              {bytes.NewReader(make([]byte, 26<<20)), nil, http.StatusRequestEntityTooLarge},
		"endless chunks":     {io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), &endless{left: 64 << 20}), nil, http.StatusRequestEntityTooLarge},
		"gzip":               {bytes.NewReader(body), map[string]string{"Content-Encoding": "gzip"}, http.StatusUnsupportedMediaType},
		"forged":             {bytes.NewReader(body), map[string]string{"X-Hub-Signature-256": fakegithub.Sign("another", body)}, http.StatusUnauthorized},
		"missing":            {bytes.NewReader(body), map[string]string{"X-Hub-Signature-256": ""}, http.StatusUnauthorized},
		"SHA-1":              {bytes.NewReader(body), map[string]string{"X-Hub-Signature-256": "", "X-Hub-Signature": "sha1=" + strings.Repeat("0", 40)}, http.StatusUnauthorized},
		"a digit too few":    {bytes.NewReader(body), map[string]string{"X-Hub-Signature-256": right[:len(right)-1]}, http.StatusUnauthorized},
		"two digits too few": {bytes.NewReader(body), map[string]string{"X-Hub-Signature-256": right[:len(right)-2]}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/github/hook", c.body)
			require.NoError(t, err)
			for k, v := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "x", "X-Hub-Signature-256": right} {
				r.Header.Set(k, v)
			}
			for k, v := range c.header {
				if r.Header.Set(k, v); v == "" {
					r.Header.Del(k)
				}
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil { // it may close before a body that it does not want has been sent
				require.Equal(t, http.StatusRequestEntityTooLarge, c.want, err)
				return
			}
			require.NoError(t, res.Body.Close())
			assert.Equal(t, c.want, res.StatusCode)
		})
	}
	accepted, statuses := g.deliveries(p, 1, 20)
	assert.Len(t, accepted, 20, statuses)
	assert.Less(t, p.peak(t)-quiet, 100.0, "memory is bounded")
	require.NoError(t, p.end(t, syscall.SIGTERM))
}

type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left -= int64(len(p)); e.left < 0 {
		return 0, io.EOF
	}
	clear(p)
	return len(p), nil
}

// lookedAtOne counts the looks at one of them.
func (g *rig) lookedAtOne(number int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.looked[number]
}

// 2,000 requests of one repository keep nobody of 50 others waiting.
func noisyNeighbour(t *testing.T) {
	const loud, quiet = 2000, 50
	g := newRig(t, 50*time.Millisecond, server.Defaults().Workers)
	var others []int64
	for n := range quiet {
		repo := g.hub.CreateRepo(fakegithub.RepoSpec{Owner: "acme", Name: fmt.Sprint("quiet-", n), Files: map[string]fakegithub.File{"README.md": fakegithub.Text("# Quiet\n")}})
		g.app.SetRepository(g.install, repo, true)
		others = append(others, repo.ID())
	}
	p := g.start()
	g.calm()
	var group sync.WaitGroup
	var next atomic.Int64
	for range 16 {
		group.Go(func() {
			for n := next.Add(1); n <= loud; n = next.Add(1) {
				status, err := g.deliver(t.Context(), p, int(n))
				assert.NoError(t, err)
				assert.Equal(t, http.StatusAccepted, status)
			}
		})
	}
	group.Wait()
	var took []time.Duration
	var mu sync.Mutex
	for n, id := range others {
		group.Go(func() {
			number := loud + 1 + n // no other has it
			start := time.Now()
			status, err := g.deliverTo(t.Context(), p, id, number)
			assert.NoError(t, err)
			assert.Equal(t, http.StatusAccepted, status)
			for g.lookedAtOne(number) == 0 && time.Since(start) < time.Minute {
				time.Sleep(5 * time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(start))
		})
	}
	group.Wait()
	slices.Sort(took)
	t.Logf("quiet ones waited %s in the median, %s at most, of %d looks", took[quiet/2], took[quiet-1], g.looks())
	assert.Less(t, took[quiet*99/100], 30*time.Second)
	require.NoError(t, p.end(t, syscall.SIGTERM))
}
