package threats

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func (s *stage) protect() {
	s.Repo.Protect("main", &fakegithub.Protection{RequiredChecks: []string{approvals}, EnforceAdmins: false})
}

func TestAfterTheMerge(t *testing.T) {
	t.Parallel()
	for _, method := range []string{fakegithub.MergeCommit, fakegithub.Squash, fakegithub.Rebase} {
		on(t, "signed off after a "+method, func(t *testing.T, s *stage) {
			pr := s.approved()
			s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Other\n")})
			require.NoError(t, pr.Merge(dana, method, false))
			s.settle()
			assert.Equal(t, []string{irina + " Approved", oleg + " Approved"}, s.rows())
			assert.Len(t, s.ours("report/"), 1)
			s.writesNothingMore()
		})
	}
	on(t, "signed off after a rebase of two commits", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Data", Files: map[string]fakegithub.File{sample.Dataset: in[sample.Dataset]}, Author: dana})
		pr := s.request(in)
		s.approve(pr, irina, oleg)
		require.NoError(t, pr.Merge(dana, fakegithub.Rebase, false))
		s.settle()
		assert.Len(t, s.rows(), 2)
		s.writesNothingMore()
	})
	on(t, "with other governed files in the same request", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		in["prometheus/benchmark_rules.yml"] = fakegithub.Text(s.file("main", "prometheus/benchmark_rules.yml") + "# reviewed\n")
		pr := s.request(in)
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		s.merge(pr)
		assert.Empty(t, s.openIssues())
		assert.Len(t, s.rows(), 2)
	})
	on(t, "through a pull request where the branch is protected", func(t *testing.T, s *stage) {
		s.protect()
		pr := s.approved()
		s.merge(pr)
		require.Len(t, s.ours("signoff/"), 1)
		bot := s.ours("signoff/")[0]
		assert.Equal(t, "success", s.check(bot, "pilot/signoff"))
		s.shows(bot, "success")
		s.says(bot, "an append to the ledger by Pilotgate itself")
		assert.True(t, bot.View().Merged, "auto-merge did the rest")
		assert.Len(t, s.rows(), 2)
		assert.Len(t, s.ours("report/"), 1)
		s.writesNothingMore()
		assert.Len(t, s.ours("signoff/"), 1)
	})
	on(t, "nobody rides on the server's own pull request", func(t *testing.T, s *stage) {
		s.Repo.Protect("main", &fakegithub.Protection{RequiredChecks: []string{approvals, "ci"}})
		pr := s.approved()
		s.Repo.SetStatus(nina, pr.View().Head, "ci", "success")
		s.merge(pr)
		require.Len(t, s.ours("signoff/"), 1)
		bot := s.ours("signoff/")[0]
		s.shows(bot, "success")
		stage := "docs/specs/epic_05/stage_05_03.md"
		s.push(max, bot.View().HeadRef, map[string]fakegithub.File{stage: fakegithub.Text(s.file(bot.View().Head, stage) + "\nAll pilots are approved for ever.\n")})
		assert.NotEqual(t, "success", s.check(bot, approvals))
	})
	on(t, "two pilots at once, one after the other in the chain", func(t *testing.T, s *stage) {
		first, second := s.pilot(), s.second()
		s.approve(first, irina, oleg)
		s.approve(second, irina, vera)
		s.GitHub.Hold()
		require.NoError(t, first.Merge(dana, fakegithub.Squash, false))
		require.NoError(t, second.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		assert.Len(t, s.records(), 2)
		assert.Len(t, s.rows(), 4)
		assert.Empty(t, s.openIssues())
		s.writesNothingMore()
	})
	on(t, "rows that people wrote stay as they wrote them", func(t *testing.T, s *stage) {
		before := s.file("main", sample.Signoff)
		s.signedOff()
		assert.True(t, strings.HasPrefix(s.file("main", sample.Signoff), before))
	})
	on(t, "merged around a red check: told once, not recorded", func(t *testing.T, s *stage) {
		pr := s.pilot()
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.bypassed("merged without approval")
		s.writesNothingMore()
		number := s.openIssues()[0].Number
		s.Repo.CloseIssue(nina, number)
		s.writesNothingMore()
		assert.Empty(t, s.openIssues(), "closed stays closed")
	})
	on(t, "approved by both roles after the merge: not recorded", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		require.NoError(s.t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.approve(pr, irina, oleg)
		s.bypassed("merged without approval")
		s.sweep()
		s.bypassed("merged without approval")
	})
	on(t, "approved by both roles, merged before our green: not recorded", func(_ *testing.T, s *stage) {
		pr := s.pilot()
		s.GitHub.Hold()
		s.approve(pr, irina, oleg)
		require.NoError(s.t, pr.Merge(nina, fakegithub.Squash, true))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
		s.sweep()
		s.bypassed("merged without approval")
	})
}

// A crash between any two writes leaves something that the next server ends.
func TestCrashes(t *testing.T) {
	t.Parallel()
	end := func(t *testing.T, s *stage) {
		t.Helper()
		// A crash between our request and its auto-merge leaves a green request;
		// GitHub takes auto-merge only before, so a person merges it.
		if left := s.ours("signoff/"); len(left) == 1 && left[0].View().State == "open" {
			s.shows(left[0], "success")
			require.NoError(t, left[0].Merge(dana, fakegithub.Squash, false))
			s.settle()
		}
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved"}, s.rows())
		assert.Len(t, s.records(), 1)
		assert.Len(t, s.ours("report/"), 1)
		_, n := s.Comment(s.pr)
		assert.Equal(t, 1, n, "comments")
		s.writesNothingMore()
	}
	for n := range 6 {
		for _, protected := range []bool{false, true} {
			on(t, fmt.Sprintf("after write %d of a merge, protected %t", n, protected), func(t *testing.T, s *stage) {
				if protected {
					s.protect()
				}
				pr := s.approved()
				s.wire.cutAfter(n)
				require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
				s.GitHub.Flush()
				s.eventually(func() bool { return s.wire.isCut() || s.Idle() })
				require.NoError(t, s.Stop())
				s.wire.cutAfter(-1)
				require.NoError(t, s.Start(t.Context()))
				s.settle()
				end(t, s)
			}, setting{faults: fakegithub.NoFaults()})
		}
	}
}

// TestALateWordOfTheMergeDoesNotStay: where the request's own comment, that the
// sign-off is being written, comes to GitHub after the pilot's, that it stands, the
// last word is the pilot's.
func TestALateWordOfTheMergeDoesNotStay(t *testing.T) {
	t.Parallel()
	late := make(chan struct{}) // closed when that comment is on its way
	var once sync.Once
	var signed func() bool
	on(t, "in the end", func(t *testing.T, s *stage) {
		pr := s.approved()
		signed = func() bool {
			comment, _ := s.Comment(pr)
			return strings.Contains(comment, "is signed off")
		}
		s.merge(pr)
		select {
		case <-late:
		default:
			t.Fatal("no such comment was written")
		}
		s.says(pr, "is signed off")
		s.writesNothingMore()
	}, setting{beside: func(r *http.Request) *http.Response {
		const patience = 2 * time.Second
		switch body := sent(r); {
		case strings.Contains(body, "is being written"):
			once.Do(func() { close(late) })
			for end := time.Now().Add(patience); time.Now().Before(end) && !signed(); {
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(patience / 4) // and what follows from it
		case strings.Contains(body, "createCommitOnBranch"): // the sign-off
			select {
			case <-late:
			case <-time.After(time.Minute):
			}
		}
		return nil
	}})
}

func (w *wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left == 0
}

var (
	commitID = regexp.MustCompile(`\b[0-9a-f]{40}\b|[@` + "`" + `][0-9a-f]{7}\b`)
	evidence = regexp.MustCompile(`evidence=\d+`)
)

// timeless is GitHub's state without commit ids and times, which differ between
// two tellings of one story.
func (s *stage) timeless() string {
	raw := evidence.ReplaceAll(commitID.ReplaceAll(s.Repo.State(), []byte("<commit>")), []byte("evidence=<time>"))
	var state map[string]any
	require.NoError(s.t, json.Unmarshal(raw, &state))
	runs := state["check_runs"].([]any)
	slices.SortFunc(runs, func(a, b any) int { return strings.Compare(asString(a), asString(b)) })
	out, err := json.MarshalIndent(state, "", " ")
	require.NoError(s.t, err)
	return string(out)
}

// Events lost, doubled and in any order end in the same GitHub.
func TestDeliveriesInAnyOrder(t *testing.T) {
	t.Parallel()
	end := func(t *testing.T, choose func([]fakegithub.Delivery) []int) string {
		s := open(t, setting{faults: fakegithub.NoFaults()})
		s.GitHub.Hold()
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot(sample.MissingSeed)), Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		pr.Review(max, fakegithub.Commented, "Nice.")
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Mend it", Files: files(s.Story.Pilot()), Author: dana})
		id := pr.Review(irina, fakegithub.Approved, "Too early.")
		pr.DismissReview(nina, id, "Not yet.")
		pr.Comment(dana, "/pilot recheck")
		s.GitHub.Release(choose)
		s.settle()
		s.shows(pr, "waiting")
		return s.timeless()
	}
	var want string
	t.Run("as they came", func(t *testing.T) { want = end(t, nil) })
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("lost, doubled and shuffled %d", seed), func(t *testing.T) {
			t.Parallel()
			got := end(t, func(held []fakegithub.Delivery) []int {
				r := rand.New(rand.NewPCG(seed, 0))
				var out []int
				for i, d := range held {
					// One that names the pull request arrives at least; any may come twice.
					last := i == len(held)-1
					if d.Event != "pull_request" && !last && r.IntN(3) == 0 {
						continue
					}
					out = append(out, i)
					if r.IntN(3) == 0 {
						out = append(out, i)
					}
				}
				r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
				return out
			})
			assert.Equal(t, want, got)
		})
	}
}
