package gh_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/fakegithub/openapi"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/queue"
)

const training = ".github/workflows/pilot_finetune.yml"

// trained is a world whose repository has a training workflow. Every exchange
// is held against GitHub's description.
func trained(t *testing.T, change ...func(*gh.Config)) *world {
	w := newWorld(t, append([]func(*gh.Config){func(c *gh.Config) { c.Transport = openapi.Validate(t, c.Transport) }}, change...)...)
	w.app.SetPermission(w.install, "deployments", "write")
	w.repo.MustCommit("main", "boris", fakegithub.CommitSpec{Message: "Train", Author: "boris", Files: map[string]fakegithub.File{
		training: fakegithub.Text("name: Fine-tune\nrun-name: Fine-tune ${{ inputs.pilot }}\non: {workflow_dispatch: {inputs: {pilot: {required: true}}}}\n"),
	}})
	return w
}

// ask fills needs into an empty snapshot.
func (w *world) ask(needs ...facts.Need) *facts.Common {
	w.t.Helper()
	c := w.common()
	w.fill(c, needs...)
	return c
}

// write carries out effects on a pilot.
func (w *world) write(effects ...effect.Effect) error {
	return w.client.Apply(w.t.Context(), w.subject(facts.KindPilot, "p"), w.common().Repository, effects, noGuard)
}

func TestRunsAreReadAsTheyAre(t *testing.T) {
	w := trained(t)
	w.repo.MustCommit("other", "anna", fakegithub.CommitSpec{Message: "Other", Author: "anna", Parent: w.repo.Head("main"), Files: map[string]fakegithub.File{"x": fakegithub.Text("x")}})
	first := w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna", Inputs: map[string]string{"pilot": "ru-1"}})
	second := w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna", Trigger: "boris", Branch: "other", Event: "push", Attempt: 2})
	c := w.ask(facts.Need{Kind: facts.NeedRuns, Path: training}, facts.Need{Kind: facts.NeedRun, ID: first}, facts.Need{Kind: facts.NeedRun, ID: 404})
	runs := c.Workflows[training].Runs
	require.Len(t, runs, 2)
	assert.Equal(t, second, runs[0].ID, "newest first")
	assert.Equal(t, []any{"push", "other", 2, "boris", "anna"}, []any{runs[0].Event, runs[0].HeadBranch, runs[0].Attempt, runs[0].Trigger.Login, runs[0].Actor.Login})
	assert.Equal(t, "Fine-tune ru-1", runs[1].Title)
	assert.Equal(t, []any{training, w.repo.Head("main"), w.repo.ID(), "User"}, []any{runs[1].Path, runs[1].HeadOID, runs[1].HeadRepo, runs[1].Actor.Type})
	assert.Equal(t, runs[1], c.Runs[fmt.Sprint(first)])
	assert.Equal(t, facts.Run{}, c.Runs["404"])

	for _, path := range []string{".github/workflows/none.yml", "scripts/train.yml", ".github/workflows/../x.yml", ""} {
		assert.True(t, w.ask(facts.Need{Kind: facts.NeedRuns, Path: path}).Workflows[path].Absent, path)
	}
}

func TestReadingRunsAgainCostsNothing(t *testing.T) {
	w := trained(t)
	w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna"})
	need := facts.Need{Kind: facts.NeedRuns, Path: training}
	w.ask(need)
	w.routes()
	w.ask(need)
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.sent[len(w.sent)-1]
	assert.True(t, last.Cached, last.Route)
}

func TestARunOfOursIsFoundByAWordOfItsTitleAndThenByItsID(t *testing.T) {
	w := trained(t)
	us, err := w.client.App(t.Context())
	require.NoError(t, err)
	need := facts.Need{Kind: facts.NeedRuns, Path: training, Title: "ru-7"}
	found := func() []int64 {
		var ids []int64
		for _, r := range w.ask(need).Workflows[need.Key()].Runs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna", Inputs: map[string]string{"pilot": "ru-7"}})
	assert.Empty(t, found(), "a person's run only bears the name")
	w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: us.Login, Inputs: map[string]string{"pilot": "ru-70"}})
	assert.Empty(t, found(), "a word is a whole one")
	ours := w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: us.Login, Inputs: map[string]string{"pilot": "ru-7"}})
	assert.Equal(t, []int64{ours}, found())
	for range 101 { // the newest hundred are others'
		w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna"})
	}
	w.routes()
	assert.Equal(t, []int64{ours}, found())
	assert.Equal(t, []string{"GET /repos/{owner}/{repo}/actions/runs/{run_id}"}, w.routes())
}

func TestARunThatWaitsIsDecidedOn(t *testing.T) {
	w := trained(t)
	w.repo.Guard("pilot-finetune", w.app)
	run := w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna"})
	w.repo.Wait(run, "pilot-finetune")
	c := w.ask(facts.Need{Kind: facts.NeedWaiting}, facts.Need{Kind: facts.NeedPending, ID: run})
	require.Len(t, c.Waiting[""].Runs, 1)
	assert.True(t, c.Waiting[""].Runs[0].Waits())
	assert.Equal(t, []string{"pilot-finetune"}, c.Pending[fmt.Sprint(run)].Environments)

	require.NoError(t, w.write(effect.DecideDeployment{Run: run, Environment: "pilot-finetune", Comment: "Waits for the sign-off."}))
	view := w.repo.Runs()[0]
	assert.Equal(t, "waiting", view.Waiting["pilot-finetune"], "a comment decides nothing")
	assert.Equal(t, []string{"Waits for the sign-off."}, view.Notes["pilot-finetune"])

	require.NoError(t, w.write(effect.DecideDeployment{Run: run, Environment: "pilot-finetune", State: "approved", Comment: "Go."}))
	assert.Equal(t, "in_progress", w.repo.Runs()[0].Status)
	assert.Empty(t, w.ask(facts.Need{Kind: facts.NeedPending, ID: run}).Pending[fmt.Sprint(run)].Environments)
	err := w.write(effect.DecideDeployment{Run: run, Environment: "pilot-finetune", State: "rejected", Comment: "No."})
	assert.True(t, gh.OnlyRefused(err), "%v", err)
}

func TestAClaimIsMadeOnce(t *testing.T) {
	w := trained(t)
	ref := facts.ClaimPrefix + "ru-1/launch-0123abcd"
	need := facts.Need{Kind: facts.NeedClaim, Ref: ref}
	assert.True(t, w.ask(need).Claims[ref].Absent)
	tip := w.repo.Head("main")

	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs { // as many replicas
		wg.Go(func() { errs[i] = w.write(effect.Claim{Ref: ref, Parent: tip, Message: fmt.Sprintf(`{"run":%d}`, i)}) })
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		if err == nil {
			require.Equal(t, -1, won, "two won")
			won = i
			continue
		}
		assert.True(t, gh.Overtaken(err), "%v", err)
	}
	require.NotEqual(t, -1, won)
	claim := w.ask(need).Claims[ref]
	assert.Equal(t, fmt.Sprintf(`{"run":%d}`, won), claim.Message)
	assert.WithinDuration(t, w.clock(), claim.At, time.Minute)
	assert.Equal(t, tip, w.repo.Head("main"), "the default branch is as it was")
	assert.Equal(t, w.repo.Files("main"), w.repo.Files(claim.OID), "and so are the claim's files")
}

func TestOnlyClaimsHaveNamesOfClaims(t *testing.T) {
	w := trained(t)
	for _, ref := range []string{"refs/heads/main", "refs/pilotgate/x", "refs/pilotgate/../heads/main", "refs/pilotgate/a/b/c", "refs/pilotgate/A/b", "refs/tags/v1.0.0"} {
		require.Error(t, w.write(effect.Claim{Ref: ref, Parent: w.repo.Head("main"), Message: "{}"}), ref)
		_, is := w.repo.Refs()[ref+"-x"]
		assert.False(t, is)
	}
}

func TestADispatchStartsTheDefaultBranchsWorkflow(t *testing.T) {
	w := trained(t)
	require.NoError(t, w.write(effect.Dispatch{Workflow: training, Ref: "main", Inputs: map[string]string{"pilot": "ru-1"}}))
	runs := w.repo.Runs()
	require.Len(t, runs, 1)
	assert.Equal(t, []string{"workflow_dispatch", "Fine-tune ru-1", "main", w.app.Login()}, []string{runs[0].Event, runs[0].Title, runs[0].Branch, runs[0].Actor})
	assert.True(t, gh.Overtaken(w.write(effect.Dispatch{Workflow: ".github/workflows/none.yml", Ref: "main"})))
}

// result is a run's artifact with these files.
func (w *world) result(files map[string][]byte) facts.ArtifactInfo {
	w.t.Helper()
	run := w.repo.StartRun(fakegithub.RunSpec{Workflow: training, Actor: "anna"})
	w.repo.CompleteRun(run, "success", map[string]map[string][]byte{"pilot-result": files})
	list := w.ask(facts.Need{Kind: facts.NeedArtifacts, ID: run}).Artifacts[fmt.Sprint(run)].List
	require.Len(w.t, list, 1)
	return list[0]
}

func (w *world) content(id int64) facts.Artifact {
	return w.ask(facts.Need{Kind: facts.NeedArtifact, ID: id}).Contents[fmt.Sprint(id)]
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rewrite answers every download with these bytes.
func rewrite(next http.RoundTripper, body []byte) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil && strings.HasPrefix(r.URL.Path, "/_storage/") {
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), -1
		}
		return resp, err
	}
}

func TestAnArtifactThatIsNoPlainZipIsBroken(t *testing.T) {
	zipped := func(make func(*zip.Writer)) []byte {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		make(z)
		require.NoError(t, z.Close())
		return buf.Bytes()
	}
	entry := func(z *zip.Writer, h zip.FileHeader, data string) {
		f, err := z.CreateHeader(&h)
		require.NoError(t, err)
		_, err = f.Write([]byte(data))
		require.NoError(t, err)
	}
	link := zip.FileHeader{Name: "link"}
	link.SetMode(0o777 | fs.ModeSymlink)
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	twice := zipped(func(z *zip.Writer) {
		entry(z, zip.FileHeader{Name: "a"}, "1")
		entry(z, zip.FileHeader{Name: "a"}, "2")
	})
	whole := zipped(func(z *zip.Writer) { entry(z, zip.FileHeader{Name: "a"}, strings.Repeat("text ", 100)) })
	for name, body := range map[string][]byte{
		"no zip": []byte("<html>"), "nothing": {}, "a symlink": zipped(func(z *zip.Writer) { entry(z, link, "/etc/passwd") }),
		"a name twice": twice, "cut short": whole[:len(whole)-5],
	} {
		t.Run(name, func(t *testing.T) {
			w := trained(t, func(c *gh.Config) { c.Transport = rewrite(c.Transport, body) })
			got := w.content(w.result(map[string][]byte{"a": []byte("x")}).ID)
			assert.Equal(t, facts.Artifact{SHA256: sum(body), Broken: true}, got)
		})
	}
	t.Run("larger than is read", func(t *testing.T) {
		w := trained(t, func(c *gh.Config) { c.Transport = rewrite(c.Transport, make([]byte, facts.MaxArtifact+1)) })
		assert.Equal(t, facts.Artifact{TooLarge: true}, w.content(w.result(map[string][]byte{"a": []byte("x")}).ID))
	})
}

func TestAnExpiredArtifactIsAbsent(t *testing.T) {
	w := trained(t)
	info := w.result(map[string][]byte{"a": []byte("x")})
	w.repo.ExpireArtifacts(w.repo.Runs()[0].ID)
	assert.Equal(t, facts.Artifact{Absent: true}, w.content(info.ID))
	assert.Equal(t, facts.Artifact{Absent: true}, w.content(404))
}

func TestADownloadCarriesNoTokenAndGoesNowhereElse(t *testing.T) {
	var mu sync.Mutex
	var tokens []string
	w := trained(t, func(c *gh.Config) {
		next := c.Transport
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/_storage/") {
				mu.Lock()
				tokens = append(tokens, r.Header.Get("Authorization"))
				mu.Unlock()
			}
			return next.RoundTrip(r)
		})
	})
	info := w.result(map[string][]byte{"a": []byte("x")})
	require.Equal(t, []byte("x"), w.content(info.ID).Files["a"])
	require.Equal(t, []string{""}, tokens, "one download, without a token")
	assert.Equal(t, []byte("x"), w.content(info.ID).Files["a"])
	assert.Len(t, tokens, 1, "read once: an artifact never changes")

	for _, host := range []string{"https://169.254.169.254", "https://127.0.0.1:1", "http://storage.example", "https://user@github.test"} {
		t.Run(host, func(t *testing.T) {
			w.hub.SetBaseURL("https://github.test")
			info := w.result(map[string][]byte{"a": []byte(host)})
			w.hub.SetBaseURL(host)
			defer w.hub.SetBaseURL("https://github.test")
			_, err := w.client.Fill(t.Context(), w.subject(facts.KindRepository, ""), w.common(), []facts.Need{{Kind: facts.NeedArtifact, ID: info.ID}})
			require.ErrorContains(t, err, "address")
			class, _ := queue.Classify(err)
			assert.NotEqual(t, queue.ClassGone, class)
		})
	}
}

func TestAnEnvironmentIsOursWhereItWaitsForUs(t *testing.T) {
	w := trained(t)
	guard := func(environment string) bool {
		return w.ask(facts.Need{Kind: facts.NeedGuard, Environment: environment}).Guards[environment].Ours
	}
	assert.False(t, guard("pilot-finetune"), "there is none yet")
	other := w.hub.CreateApp(fakegithub.AppSpec{Slug: "other", NoHook: true})
	w.repo.Guard("pilot-finetune", other)
	assert.False(t, guard("pilot-finetune"), "another App's rule is not ours")
	w.repo.Guard("pilot-finetune", w.app)
	assert.True(t, guard("pilot-finetune"))
}
