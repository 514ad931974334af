package render_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/render"
)

var update = flag.Bool("update", false, "write the goldens again")

const (
	headID = "cccccccccccccccccccccccccccccccccccccccc"
	baseID = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var (
	noon    = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)
	dana    = facts.Account{ID: 1, Login: sample.Initiator, Type: "User"}
	irina   = facts.Account{ID: 2, Login: sample.MLLead, Type: "User"}
	oleg    = facts.Account{ID: 3, Login: sample.Operations, Type: "User"}
	visitor = facts.Account{ID: 9, Login: "max", Type: "User"}
)

// state is a pull request at a moment of its life.
type state struct {
	claimed time.Time // when a confirming run was started that nobody sees; zero: it was not
	name    string
	base    func(sample.Files) // what the base branch has beside the sample
	head    func(sample.Files)
	pull    func(*facts.PullRequest)
	people  func(p *facts.PullRequest, v judge.Verdict) // once a digest is published
}

func replace(path string, pairs ...string) func(sample.Files) {
	return func(f sample.Files) {
		f[path] = []byte(strings.NewReplacer(pairs...).Replace(string(f[path])))
	}
}

func confirmed(f sample.Files) {
	f[".github/pilotgate.yml"] = append(f[".github/pilotgate.yml"], "baseline: {confirm: required}\n"...)
}

func observe(f sample.Files) {
	f[".github/pilotgate.yml"] = append(f[".github/pilotgate.yml"], "enforcement: observe\n"...)
}

func approve(who ...facts.Account) func(*facts.PullRequest, judge.Verdict) {
	return func(p *facts.PullRequest, v judge.Verdict) {
		p.Runs = []facts.CheckRun{{
			ID: 1, Name: judge.Approvals, Head: headID, Status: "in_progress", StartedAt: noon.Add(-4 * time.Hour),
			ExternalID: approval.ExternalID{Number: p.Number, Base: p.Base.Ref, Digest: v.Digest, Evidence: noon.Add(-4 * time.Hour)}.String(),
		}}
		for i, a := range who {
			p.Reviews = append(p.Reviews, facts.Review{ID: int64(100 + i), Author: a, State: "APPROVED", Commit: headID, SubmittedAt: noon.Add(-3 * time.Hour)})
		}
	}
}

func states() []state {
	return []state{
		{name: "blocked", head: replace(sample.Plan, "- Seed: 42\n", "", "- Target release: v1.4.0", "- Target release: v1.4.2")},
		{name: "waiting", people: approve(irina, visitor, dana)},
		{name: "approved", people: approve(irina, oleg)},
		{name: "draft", pull: func(p *facts.PullRequest) { p.Draft = true }},
		{name: "observing", base: observe, head: replace(sample.Plan, "- Seed: 42\n", "")},
		{name: "no_role_file", base: func(f sample.Files) { delete(f, ".github/PILOT_APPROVERS") }},
		{name: "changes_requested", people: func(p *facts.PullRequest, v judge.Verdict) {
			approve(irina)(p, v)
			p.Reviews[0].State = "CHANGES_REQUESTED"
		}},
		{name: "owner_gone", base: replace(".github/PILOT_APPROVERS", "@"+sample.Operations2, "@gone-ops"), people: approve(irina)},
		{name: "role_gone", base: replace(".github/PILOT_APPROVERS", "@"+sample.Operations+" @"+sample.Operations2, "@gone-ops"), people: approve(irina)},
		{name: "confirming", base: confirmed},
		{name: "unconfirmed", base: confirmed, claimed: noon.Add(-time.Hour)},
		{
			name: "fork", head: replace(sample.Plan, "- Target release: v1.4.0", "- Target release: v1.4.2"),
			pull: func(p *facts.PullRequest) { p.Head.Fork, p.Head.Repo, p.Head.Name = true, 8, "visitor/digest-pilots" },
		},
	}
}

// verdict builds the snapshot, answers what the judge asks for, and judges.
func (s state) verdict(t *testing.T) (facts.PullRequest, judge.Verdict) {
	t.Helper()
	story := sample.Story{Records: 12, Evaluation: 6, Commit: baseID, LoginsOnly: true}
	_, story.SigningKey = sample.ServerKey()
	base := story.Repository()
	if s.base != nil {
		s.base(base)
	}
	head := base.With(story.Pilot())
	if s.head != nil {
		s.head(head)
	}
	blobs := map[string][]byte{}
	tree := func(files sample.Files) facts.Tree {
		out := facts.Tree{Entries: map[string]facts.Entry{}}
		for path, b := range files {
			sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
			id := hex.EncodeToString(sum[:])
			blobs[id] = b
			out.Entries[path] = facts.Entry{OID: id, Mode: "100644", Size: int64(len(b))}
		}
		return out
	}
	p := facts.PullRequest{
		Common: facts.Common{
			Now:        noon,
			Repository: facts.Repository{ID: 7, Owner: "acme", Name: "digest-pilots", URL: "https://github.com/acme/digest-pilots", DefaultBranch: "main", DefaultOID: baseID},
			Git:        facts.Git{Trees: map[string]facts.Tree{baseID: tree(base), headID: tree(head)}, Blobs: map[string]facts.Blob{}},
			Bases:      map[string]string{}, Reach: map[string]facts.Reach{}, Tags: map[string]facts.TagFacts{},
			Teams: map[string]facts.Team{}, Access: map[string]facts.Access{}, Scans: map[string]facts.Scan{}, Pushers: map[string]facts.Pushers{}, Branches: map[string]facts.Branch{},
			Workflows: map[string]facts.Workflow{}, Claims: map[string]facts.Claim{},
		},
		Number: 42, Open: true, Author: dana,
		Head: facts.Head{OID: headID, Ref: "pilot", Repo: 7, Name: "acme/digest-pilots"},
		Base: facts.Base{Ref: "main", OID: baseID},
	}
	if s.pull != nil {
		s.pull(&p)
	}
	for range 8 {
		needs := judge.Missing(&p)
		for _, n := range needs {
			switch n.Kind {
			case facts.NeedBlob:
				b, ok := blobs[n.OID]
				p.Git.Blobs[n.Key()] = facts.Blob{Bytes: b, Absent: !ok}.Keeping(nil)
			case facts.NeedMergeBase:
				p.Bases[n.Key()] = baseID
			case facts.NeedReach:
				p.Reach[n.Key()] = facts.Reach{Reachable: true}
			case facts.NeedTag:
				p.Tags[n.Key()] = facts.TagFacts{Absent: true}
			case facts.NeedAccess:
				who := map[string]facts.Account{sample.MLLead: irina, sample.Operations: oleg, sample.Operations2: {ID: 6, Login: sample.Operations2, Type: "User"}}[n.Login]
				p.Access[n.Key()] = facts.Access{Account: who, Collaborator: who.ID != 0}
			case facts.NeedPushers:
				p.Pushers[n.Key()] = facts.Pushers{Pushes: []facts.Push{{By: dana}}}
			case facts.NeedScan:
				o := dataset.Options{Path: n.Scan.Path, Locale: n.Scan.Locale, Workers: 1}
				f, err := dataset.Scan(bytes.NewReader(blobs[n.Scan.OID]), o)
				require.NoError(t, err)
				f.Index = nil
				p.Scans[n.Key()] = facts.Scan{Facts: &f}
			case facts.NeedRuns:
				p.Workflows[n.Key()] = facts.Workflow{}
			case facts.NeedClaim:
				p.Claims[n.Key()] = facts.Claim{Absent: s.claimed.IsZero(), At: s.claimed}
			default:
				require.Fail(t, "an unexpected need", n.String())
			}
		}
	}
	require.Empty(t, judge.Missing(&p))
	v := judge.PullRequest(&p)
	if s.people != nil {
		s.people(&p, v)
		v = judge.PullRequest(&p)
	}
	return p, v
}

// page is everything that people would read, one below the other.
func page(w *render.Words, v judge.Verdict) string {
	var b strings.Builder
	b.WriteString(w.Comment(v))
	section := func(name string, o render.Output) {
		fmt.Fprintf(&b, "\n---\n\n## %s: %s\n\n%s\n", name, o.Title, o.Summary)
		for _, a := range o.Annotations {
			fmt.Fprintf(&b, "> %s:%d %s · %s · %s\n", filepath.Base(a.At.Path), a.At.Line, a.Level, a.Title, a.Message)
		}
	}
	for _, c := range v.Checks {
		section(c.Name, w.Check(v, c))
	}
	section(judge.Approvals, w.Approvals(v))
	return b.String()
}

func TestWhatPeopleRead(t *testing.T) {
	for _, s := range states() {
		t.Run(s.name, func(t *testing.T) {
			_, v := s.verdict(t)
			for _, lang := range render.Languages() {
				golden(t, s.name+"."+lang+".md", page(render.Speak(lang), v))
			}
		})
	}
}

func TestWhatPeopleReadAfterTheMerge(t *testing.T) {
	s := state{people: approve(irina, oleg), pull: func(p *facts.PullRequest) { p.Open, p.Merge = false, &facts.Merge{} }}
	_, v := s.verdict(t)
	pilot := &facts.Pilot{Common: v.Dossier.Pull.Common, ID: v.Pilot, Plan: v.Dossier.Pull}
	signed := judge.PilotVerdict{State: judge.SignedOff, ID: v.Pilot, Policy: v.Dossier.Policy, Request: v.Dossier.Request}
	workflow := facts.Tree{Entries: map[string]facts.Entry{signed.Policy.Workflows.Training: {OID: "1", Mode: "100644"}}}
	ways := []struct {
		tree   facts.Tree
		launch judge.Launch
	}{{tree: workflow}, {workflow, judge.Launch{Unguarded: true}}, {launch: judge.Launch{Outside: true}}, {}}
	for _, lang := range render.Languages() {
		w := render.Speak(lang)
		after := w.Merged(v)
		for _, trains := range ways { // who trains, and what holds back whom
			signed.Tree, signed.Launch = trains.tree, trains.launch
			after += "\n---\n\n" + w.Signed(signed, pilot)
		}
		golden(t, "merged."+lang+".md", after)
		o := w.CouldNotEvaluate("rate limit")
		golden(t, "could_not_evaluate."+lang+".md", "## "+o.Title+"\n\n"+o.Summary+"\n")
	}
}

// TestAScanThatTakesLongTellsHowFarItIs: the check is in progress and says so in
// percent until the scan has ended.
func TestAScanThatTakesLongTellsHowFarItIs(t *testing.T) {
	p, _ := state{}.verdict(t)
	for key := range p.Scans {
		p.Scans[key] = facts.Scan{Pending: true, Done: 3 << 20, Total: 4 << 20}
	}
	v := judge.PullRequest(&p)
	at := slices.IndexFunc(v.Checks, func(c judge.Check) bool { return c.Conclusion == judge.InProgress && c.Pending != nil })
	require.GreaterOrEqual(t, at, 0)
	assert.Equal(t, "pilot/dataset", v.Checks[at].Name)
	for _, lang := range render.Languages() {
		assert.Contains(t, render.Speak(lang).Check(v, v.Checks[at]).Title, "75")
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.Empty(t, os.Getenv("CI"), "goldens are written by people")
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s: read it, then write it again with -update", name)
}
