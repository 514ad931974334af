// Package threats proves from outside that nobody gets a pilot through that two
// people did not see: signed webhooks go in, and what counts is what GitHub
// shows afterwards.
//
// The package holds tests only. It must not reach into a room of the core, and
// a test must not ask what the server called: it asks what GitHub looks like.
package threats

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/server"
)

// The people and the branch of the stories.
const (
	dana  = sample.Initiator   // writes the plan
	irina = sample.MLLead      // ML Lead, by her team
	oleg  = sample.Operations  // Operations Owner, by his team
	vera  = sample.Operations2 // the other one
	max   = "max"              // may write, holds no role
	nina  = "nina-admin"       // administers the repository

	branch    = "pilot/ru-digest"
	approvals = "pilot/approvals"
	roleFile  = ".github/PILOT_APPROVERS"
	policy    = ".github/pilotgate.yml"
)

// stage is a GitHub with a repository, a running server, and all that the
// server said.
type stage struct {
	*demo.World
	t    *testing.T
	ctx  context.Context
	wire *wire
	log  *record
	late atomic.Int64   // how far the clock was put forward, in nanoseconds
	pr   *fakegithub.PR // the story's first pull request

	commits int // of trainers
}

// setting is what a story may want otherwise; the zero value is the usual.
type setting struct {
	profile   string
	config    func(*server.Config)
	policy    func(string) string
	files     map[string]fakegithub.File
	faults    *fakegithub.Faults
	beside    func(*http.Request) *http.Response // a host beside GitHub
	personal  bool                               // the repository is a person's, and its people are named one by one
	unguarded bool                               // the training environment has no protection rule
	unjudged  bool                               // exchanges are not held against GitHub's description: the story breaks them
}

// small is a sample whose datasets are read in a moment.
var small = sample.Story{Records: 60, Evaluation: 20}

func open(t *testing.T, o ...setting) *stage {
	t.Helper()
	var set setting
	if len(o) > 0 {
		set = o[0]
	}
	s := &stage{t: t, ctx: t.Context(), wire: &wire{left: -1, hosts: map[string]bool{}, beside: set.beside}, log: &record{}}
	now := func() time.Time { return time.Now().Add(time.Duration(s.late.Load())) }
	story := small
	story.Profile = set.profile
	w, err := demo.New(context.WithoutCancel(s.ctx), demo.Options{
		Log: zerolog.New(s.log), Policy: set.policy, Now: now, Story: story, Base: set.files, Config: set.config, Faults: set.faults, Unguarded: set.unguarded, Personal: set.personal,
		Transport: func(next http.RoundTripper) http.RoundTripper {
			if !set.unjudged {
				next = openapi.Validate(t, next)
			}
			s.wire.next = next
			return s.wire
		},
	})
	require.NoError(t, err)
	s.World = w
	t.Cleanup(func() {
		assert.NoError(t, w.Close())
		s.keepsSecrets()
		asked.add(w.GitHub.Operations())
		if t.Failed() && testing.Verbose() {
			t.Log(s.log)
		}
	})
	return s
}

// record keeps what the server logs.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// wire is the server's way to GitHub; it can be cut after so many writes, as a
// crash cuts it, and something can happen between two requests.
type wire struct {
	next   http.RoundTripper
	beside func(*http.Request) *http.Response // answers in GitHub's stead; nil, or a nil answer: GitHub does

	mu     sync.Mutex
	left   int // writes until the cut; -1: no cut
	trap   func(*http.Request) bool
	act    func()
	hosts  map[string]bool
	passed int
}

var errCut = errors.New("the wire is cut")

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	cut := w.left == 0
	if w.left > 0 && writes(r) {
		w.left--
	}
	var act func()
	if w.trap != nil && w.trap(r) {
		act, w.act, w.trap = w.act, nil, nil
	}
	w.hosts[r.URL.Host] = true
	w.passed++
	w.mu.Unlock()
	if cut {
		return nil, errCut
	}
	if act != nil {
		act()
	}
	if w.beside != nil {
		if resp := w.beside(r); resp != nil {
			resp.Request = r
			return resp, nil
		}
	}
	return w.next.RoundTrip(r)
}

// before lets something happen at GitHub once, just before the first request
// that matches gets there.
func (w *wire) before(match func(*http.Request) bool, act func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trap, w.act = match, act
}

// sprung tells whether what before was told has happened.
func (w *wire) sprung() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trap == nil
}

// count is how many requests have passed.
func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.passed
}

// reached are the hosts that were spoken to, or would have been.
func (w *wire) reached() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.hosts))
}

// sent is a request's body.
func sent(r *http.Request) string {
	if r.GetBody == nil {
		return ""
	}
	body, err := r.GetBody()
	if err != nil {
		return ""
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return ""
	}
	return string(raw)
}

// writes tells a write that changes what people see from a read or a token.
func writes(r *http.Request) bool {
	if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/access_tokens") {
		return false
	}
	if !strings.HasSuffix(r.URL.Path, "/graphql") {
		return true
	}
	return strings.Contains(sent(r), `"query":"mutation`)
}

func (w *wire) cutAfter(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = n
}

// asked are the operations that the server used in all stories.
var asked operations

type operations struct {
	mu  sync.Mutex
	all map[string]bool
}

func (o *operations) add(names []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[string]bool{}
	}
	for _, n := range names {
		o.all[n] = true
	}
}

var update = flag.Bool("update", false, "write golden files")

// TestMain compares the operations that the product uses, all stories together,
// with the list that people read.
func TestMain(m *testing.M) {
	flag.Parse()
	if given := flag.Lookup("test.parallel"); given.Value.String() == given.DefValue {
		// A story waits as often as it computes: for retries, and for rest.
		if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if run := flag.Lookup("test.run"); code == 0 && (run == nil || run.Value.String() == "") {
		if err := compareOperations(); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// rare is asked only after an answer or a delivery was lost, of a run that the listing
// does not show, or where one query for several people was refused, which not every run
// meets.
var rare = []string{
	"GET /repos/{owner}/{repo}/git/ref/{ref}",
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission",
	"POST /app/hook/deliveries/{delivery_id}/attempts",
}

func compareOperations() error {
	for _, o := range rare {
		asked.all[o] = true
	}
	got := strings.Join(slices.Sorted(maps.Keys(asked.all)), "\n") + "\n"
	path := filepath.Join("testdata", "operations.golden")
	if *update {
		if os.Getenv("CI") != "" {
			return errors.New("golden files are not written in CI")
		}
		return os.WriteFile(path, []byte(got), 0o644)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(want) != got {
		return fmt.Errorf("the operations used at GitHub are not those of %s; read the difference and run with -update:\n%s", path, got)
	}
	return nil
}

// pass lets time go by, everybody's.
func (s *stage) pass(d time.Duration) { s.late.Add(int64(d)) }

// settle waits until nothing is left to do.
func (s *stage) settle() {
	s.t.Helper()
	require.NoError(s.t, s.Settle(s.ctx))
}

// eventually waits for something that GitHub shows while the server still works.
func (s *stage) eventually(shown func() bool) {
	s.t.Helper()
	require.Eventually(s.t, shown, 2*time.Minute, 5*time.Millisecond)
}

// files turns texts into a commit's files.
func files(in sample.Files) map[string]fakegithub.File {
	out := map[string]fakegithub.File{}
	for path, b := range in {
		out[path] = fakegithub.File{Data: b}
	}
	return out
}

// push commits files to a branch as one person and waits.
func (s *stage) push(by, branch string, in map[string]fakegithub.File) string {
	s.t.Helper()
	oid := s.Repo.MustCommit(branch, by, fakegithub.CommitSpec{Message: "Work on the pilot", Files: in, Author: by})
	s.settle()
	return oid
}

// request opens a pull request of dana's with these files.
func (s *stage) request(in map[string]fakegithub.File) *fakegithub.PR {
	s.t.Helper()
	return s.requestFrom(branch, dana, in)
}

func (s *stage) requestFrom(branch, by string, in map[string]fakegithub.File) *fakegithub.PR {
	s.t.Helper()
	s.Repo.MustCommit(branch, by, fakegithub.CommitSpec{Message: "Add a pilot", Files: in, Author: by})
	pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: by, Title: "Pilot " + sample.Pilot, Head: branch})
	if s.pr == nil {
		s.pr = pr
	}
	s.settle()
	return pr
}

// pilot opens the usual pilot's pull request; every check passes.
func (s *stage) pilot() *fakegithub.PR {
	s.t.Helper()
	pr := s.request(files(s.Story.Pilot()))
	s.shows(pr, "waiting")
	return pr
}

// approved is the usual pilot with both approvals.
func (s *stage) approved() *fakegithub.PR {
	s.t.Helper()
	pr := s.pilot()
	s.approve(pr, irina, oleg)
	s.shows(pr, "success")
	return pr
}

func (s *stage) approve(pr *fakegithub.PR, who ...string) {
	s.t.Helper()
	for _, login := range who {
		pr.Review(login, fakegithub.Approved, "Seen.")
	}
	s.settle()
}

func (s *stage) merge(pr *fakegithub.PR) {
	s.t.Helper()
	require.NoError(s.t, pr.Merge(dana, fakegithub.Squash, false))
	s.settle()
}

// signedOff is the usual pilot, merged and signed off.
func (s *stage) signedOff() *fakegithub.PR {
	s.t.Helper()
	pr := s.approved()
	s.merge(pr)
	require.Len(s.t, s.rows(), 2, "rows of the sign-off")
	return pr
}

// check is the state of a check at a pull request's head: a conclusion, or a
// status while there is none, or "" where there is no run.
func (s *stage) check(pr *fakegithub.PR, name string) string {
	c, ok := s.Repo.Check(pr.View().Head, name)
	switch {
	case !ok:
		return ""
	case c.Status != "completed":
		return c.Status
	}
	return c.Conclusion
}

// title is the approvals check's at head.
func (s *stage) title(pr *fakegithub.PR) string {
	c, _ := s.Repo.Check(pr.View().Head, approvals)
	return c.Title
}

// shows holds the required check against a state: "success", "failure",
// "in_progress", or "waiting" for in_progress only because people are awaited.
func (s *stage) shows(pr *fakegithub.PR, want string) {
	s.t.Helper()
	got := s.check(pr, approvals)
	if want == "waiting" {
		assert.Equal(s.t, "in_progress", got)
		assert.Contains(s.t, s.title(pr), "waits for ")
		assert.NotContains(s.t, s.title(pr), "checks above")
		return
	}
	assert.Equal(s.t, want, got, "%s: %s", approvals, s.title(pr))
}

// says asserts that the required check or the comment says something.
func (s *stage) says(pr *fakegithub.PR, what string) {
	s.t.Helper()
	c, _ := s.Repo.Check(pr.View().Head, approvals)
	comment, _ := s.Comment(pr)
	assert.Contains(s.t, c.Title+"\n"+c.Summary+"\n"+comment, what)
}

// finds asserts that a check at head failed by a rule.
func (s *stage) finds(pr *fakegithub.PR, check, rule string) {
	s.t.Helper()
	assert.Equal(s.t, "failure", s.check(pr, check), check)
	c, _ := s.Repo.Check(pr.View().Head, check)
	assert.Contains(s.t, c.Summary, "**"+rule+"**")
}

// rows are the rows of the log on the default branch that we wrote, "who decision".
func (s *stage) rows() []string {
	log, _ := s.Repo.File("main", sample.Signoff)
	var out []string
	for _, r := range ledger.ParseLog(log).Rows {
		if r.Ours {
			out = append(out, r.Row.Stakeholder+" "+string(r.Row.Decision))
		}
	}
	return out
}

// records are the paths of the signed records on the default branch.
func (s *stage) records() []string {
	var out []string
	for _, p := range s.Repo.Files("main") {
		if strings.Contains(p, "/evidence/") && strings.HasSuffix(p, ".json") {
			out = append(out, p)
		}
	}
	return out
}

// notSignedOff asserts that nothing was recorded for anybody.
func (s *stage) notSignedOff() {
	s.t.Helper()
	assert.Empty(s.t, s.rows(), "rows of the log")
	assert.Empty(s.t, s.records(), "signed records")
}

// bypassed asserts that the merge is told by one open issue and by no record.
func (s *stage) bypassed(word string) {
	s.t.Helper()
	s.notSignedOff()
	open := s.openIssues()
	if assert.Len(s.t, open, 1, "open issues") {
		assert.Contains(s.t, open[0].Title, word)
	}
}

func (s *stage) openIssues() []fakegithub.IssueView {
	var out []fakegithub.IssueView
	for _, i := range s.Repo.Issues() {
		if i.State == "open" {
			out = append(out, i)
		}
	}
	return out
}

// ours are the open pull requests of the server under a branch prefix.
func (s *stage) ours(prefix string) []*fakegithub.PR {
	var out []*fakegithub.PR
	for _, p := range s.Repo.PRs() {
		if v := p.View(); strings.HasPrefix(v.HeadRef, "pilotgate/"+prefix) {
			out = append(out, p)
		}
	}
	return out
}

// written are the writes of the server since ForgetRequests.
func (s *stage) written() []string {
	var out []string
	for _, r := range s.GitHub.Requests() {
		if r.Write && !strings.Contains(r.Operation, "access-token") && !strings.Contains(r.Path, "access_tokens") {
			out = append(out, r.Operation)
		}
	}
	return out
}

// sweep looks at everything, as the server does at its start.
func (s *stage) sweep() {
	s.t.Helper()
	require.NoError(s.t, s.Stop())
	require.NoError(s.t, s.Start(context.WithoutCancel(s.ctx)))
	s.settle()
}

// writesNothingMore delivers everything once more and asserts that the second
// look at what has not changed writes nothing.
func (s *stage) writesNothingMore() {
	s.t.Helper()
	s.settle()
	before := string(s.Repo.State())
	s.GitHub.ForgetRequests()
	all := s.GitHub.Deliveries()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, d := range all {
		s.GitHub.Replay(d.ID)
	}
	s.settle()
	assert.Empty(s.t, s.written(), "writes at a second look, whatever the order")
	assert.Equal(s.t, before, string(s.Repo.State()))
}

// plan is the sample's plan with one text replaced.
func (s *stage) plan(old, with string) map[string]fakegithub.File {
	s.t.Helper()
	out := files(s.Story.Pilot())
	text := string(out[sample.Plan].Data)
	require.Contains(s.t, text, old)
	out[sample.Plan] = fakegithub.Text(strings.Replace(text, old, with, 1))
	return out
}

func (s *stage) file(ref, path string) string {
	b, _ := s.Repo.File(ref, path)
	return string(b)
}
