package oracle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/oracle"
)

const (
	dana  = sample.Initiator
	irina = sample.MLLead
	oleg  = sample.Operations
	vera  = sample.Operations2
	max   = "max"
	nina  = "nina-admin"

	policyFile = ".github/pilotgate.yml"
	roleFile   = ".github/PILOT_APPROVERS"
	signoffLog = sample.Signoff
)

// people are whom a step's Who chooses from.
var people = []string{irina, oleg, vera, max, dana, nina}

// step is one thing that happens at GitHub. PR, Who and N are reduced to what
// there is to choose from, so that every step can be done in every story.
type step struct {
	Do         string
	PR, Who, N int
	// Quiet: the program hears of it and comes to rest. Else its deliveries are
	// held until the next quiet step, and then sent as Post says.
	Quiet bool
	Post  uint64 // 0: as they came; else shuffled, doubled and, unless it is even, lost
}

func (s step) String() string {
	return fmt.Sprintf("{Do: %q, PR: %d, Who: %d, N: %d, Quiet: %t, Post: %d}", s.Do, s.PR, s.Who, s.N, s.Quiet, s.Post)
}

// story is a repository in which steps happen.
type story struct {
	*demo.World
	late    atomic.Int64
	pulls   []*fakegithub.PR
	plans   map[int]string
	heads   [][]string // of each pull request, all there were
	reviews [][]int64
}

// slots are the two pilots that may be asked for.
var slots = []struct{ branch, plan, release string }{
	{"pilot/ru-digest", sample.Plan, sample.Release},
	{"pilot/second", "docs/specs/epic_05/pilots/second-2025-12.md", "v1.5.0"},
}

func newStory(ctx context.Context) (*story, error) {
	s := &story{plans: map[int]string{}}
	w, err := demo.New(ctx, demo.Options{
		Log: zerolog.Nop(), Story: sample.Story{Records: 60, Evaluation: 20},
		Now: func() time.Time { return time.Now().Add(time.Duration(s.late.Load())) },
	})
	s.World = w
	return s, err
}

// pilot is a slot's pull request as files.
func (s *story) pilot(slot int, edit func(string) string) map[string]fakegithub.File {
	out := map[string]fakegithub.File{}
	for path, b := range s.Story.Pilot() {
		if path != sample.Plan {
			out[path] = fakegithub.File{Data: b}
			continue
		}
		text := strings.Replace(string(b), sample.Release, slots[slot].release, 1)
		if edit != nil {
			text = edit(text)
		}
		out[slots[slot].plan] = fakegithub.Text(text)
	}
	return out
}

// tell does the steps, lets the program come to rest, and is judged by the oracle.
func (s *story) tell(ctx context.Context, steps []step) error {
	for _, x := range steps {
		s.GitHub.Hold()
		if err := s.do(x); err != nil {
			return fmt.Errorf("%s: %w", x, err)
		}
		for i, p := range s.pulls {
			if head := p.View().Head; len(s.heads[i]) == 0 || s.heads[i][len(s.heads[i])-1] != head {
				s.heads[i] = append(s.heads[i], head)
			}
		}
		if x.Quiet {
			s.GitHub.Release(s.post(x.Post))
			if err := s.Settle(ctx); err != nil {
				return fmt.Errorf("%s: %w", x, err)
			}
		}
	}
	s.GitHub.Release(nil)
	if err := s.Settle(ctx); err != nil {
		return err
	}
	// What was lost comes again, as the sweep asks GitHub for it.
	for _, d := range s.GitHub.Deliveries() {
		if d.Event == "pull_request" || d.Event == "push" {
			s.GitHub.Replay(d.ID)
		}
	}
	return s.Settle(ctx)
}

// post rearranges deliveries.
func (s *story) post(seed uint64) func([]fakegithub.Delivery) []int {
	if seed == 0 {
		return nil
	}
	return func(held []fakegithub.Delivery) []int {
		r := rand.New(rand.NewPCG(seed, 1))
		var out []int
		for i := range held {
			if seed%2 == 1 && r.IntN(3) == 0 {
				continue
			}
			out = append(out, i)
			if r.IntN(4) == 0 {
				out = append(out, i)
			}
		}
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	}
}

// do does one step. What GitHub refuses does not happen.
func (s *story) do(x step) error {
	who := people[x.Who%len(people)]
	switch x.Do {
	case "open":
		return s.open(x.PR%len(slots), []string{dana, max}[x.N%2])
	case "main":
		s.onMain(x.N)
		return nil
	case "role":
		s.role(x.N)
		return nil
	case "time":
		s.late.Add(int64([]time.Duration{time.Hour, 16 * 24 * time.Hour, 31 * 24 * time.Hour}[x.N%3]))
		return nil
	}
	if len(s.pulls) == 0 {
		return nil
	}
	i := x.PR % len(s.pulls)
	return s.onPull(i, s.pulls[i], who, x)
}

func (s *story) open(slot int, by string) error {
	for _, p := range s.pulls {
		if v := p.View(); v.HeadRef == slots[slot].branch {
			return nil
		}
	}
	if _, err := s.Repo.Commit(slots[slot].branch, by, fakegithub.CommitSpec{Message: "Add a pilot", Files: s.pilot(slot, nil), Author: by}); err != nil {
		return err
	}
	p := s.Repo.OpenPR(fakegithub.PRSpec{Author: by, Title: "Pilot", Head: slots[slot].branch})
	s.pulls, s.heads, s.reviews = append(s.pulls, p), append(s.heads, nil), append(s.reviews, nil)
	s.plans[p.Number()] = slots[slot].plan
	return nil
}

// onMain is somebody with rights over the default branch at work.
func (s *story) onMain(n int) {
	law, _ := s.Repo.File("main", policyFile)
	toggle := func(from, to string) map[string]fakegithub.File {
		text := string(law)
		if strings.Contains(text, to) {
			from, to = to, from
		}
		return map[string]fakegithub.File{policyFile: fakegithub.Text(strings.Replace(text, from, to, 1))}
	}
	var files map[string]fakegithub.File
	switch n % 8 {
	case 0:
		files = map[string]fakegithub.File{"README.md": fakegithub.Text(fmt.Sprintf("# Pilots\n\nReworded %d.\n", n))}
	case 1:
		files = toggle("0.88, warn: 0.80", "0.88, warn: 0.70")
	case 2:
		files = toggle("profile: starter\n", "profile: starter\nenforcement: observe\n")
	case 3:
		files = toggle("profile: starter\n", "profile: starter\napprovals: {distinct_people: false}\n")
	case 4:
		files = toggle("version: 1\n", "version: 1\n# A remark.\n")
	case 5:
		log, _ := s.Repo.File("main", signoffLog)
		if i := strings.LastIndex(string(log), "Approved"); i >= 0 {
			log = []byte(string(log[:i]) + "Rejected" + string(log[i+len("Approved"):]))
		}
		files = map[string]fakegithub.File{signoffLog: fakegithub.Text(string(log))}
	case 6: // another lead, and the usual ones again
		roles, _ := s.Repo.File("main", roleFile)
		text := strings.Replace(string(roles), "@acme/ml-leads", "@max", 1)
		if strings.Contains(string(roles), "@max") {
			text = strings.Replace(string(roles), "@max", "@acme/ml-leads", 1)
		}
		files = map[string]fakegithub.File{roleFile: fakegithub.Text(text)}
	case 7: // the first pilot's plan is taken away
		_, _ = s.Repo.Commit("main", nina, fakegithub.CommitSpec{Message: "Revert", Delete: []string{slots[0].plan}, Author: nina})
		return
	}
	_, _ = s.Repo.Commit("main", nina, fakegithub.CommitSpec{Message: "On main", Files: files, Author: nina}) // refused: did not happen
}

// role moves somebody into or out of a team.
func (s *story) role(n int) {
	row := []struct{ team, who, role string }{
		{"ml-ops", oleg, ""},
		{"ml-ops", oleg, "member"},
		{"ml-ops", irina, "member"},
		{"ml-leads", vera, "member"},
		{"ml-leads", max, "pending"},
		{"ml-leads", irina, ""},
		{"ml-leads", irina, "member"},
		{"ml-leads", max, "member"},
		{"ml-ops", dana, "member"},
	}[n%9]
	s.GitHub.SetTeamMember("acme", row.team, row.who, row.role)
}

func (s *story) onPull(i int, p *fakegithub.PR, who string, x step) error {
	v := p.View()
	slot := 0
	if v.HeadRef == slots[1].branch {
		slot = 1
	}
	open := v.State == "open"
	switch x.Do {
	case "approve", "changes", "remark":
		if who == v.Author || !open && x.Do != "remark" {
			return nil
		}
		state := map[string]string{"approve": fakegithub.Approved, "changes": fakegithub.ChangesRequested, "remark": fakegithub.Commented}[x.Do]
		at := v.Head
		if x.N%5 == 4 { // an older head, as a page that was open for long
			at = s.heads[i][x.N%len(s.heads[i])]
		}
		s.reviews[i] = append(s.reviews[i], p.ReviewAt(who, state, "Seen.", at))
	case "dismiss":
		if len(s.reviews[i]) > 0 {
			id := s.reviews[i][x.N%len(s.reviews[i])]
			for _, r := range v.Reviews {
				if r.ID == id && (r.State == fakegithub.Approved || r.State == fakegithub.ChangesRequested) {
					p.DismissReview(nina, id, "Not so.")
				}
			}
		}
	case "push":
		if open {
			s.push(slot, who, x.N)
		}
	case "back": // to a head that was
		if open {
			_ = s.Repo.PushAs(v.Author, "refs/heads/"+v.HeadRef, s.heads[i][x.N%len(s.heads[i])], true) // refused: did not happen
		}
	case "rebase":
		if open {
			plan, _ := s.Repo.File(v.Head, slots[slot].plan)
			_, _ = s.Repo.Commit(v.HeadRef, v.Author, fakegithub.CommitSpec{
				Message: "Add a pilot", Author: v.Author, Parent: s.Repo.Head("main"), Force: true,
				Files: s.pilot(slot, func(string) string { return string(plan) }),
			})
		}
	case "update":
		if open {
			_ = p.UpdateBranch(who) // nothing to update: did not happen
		}
	case "suggestion":
		if open {
			p.Suggestion(v.Author, []string{who}, s.pilot(slot, rate(x.N)))
		}
	case "base":
		if open {
			s.Repo.MustCommit("side", nina, fakegithub.CommitSpec{Message: "Side", Author: nina, Files: map[string]fakegithub.File{"SIDE.md": fakegithub.Text(fmt.Sprint(x.N))}})
			base := "side"
			if v.BaseRef == "side" {
				base = "main"
			}
			p.Edit(v.Author, nil, nil, &base)
		}
	case "draft":
		if open {
			p.SetDraft(v.Author, !v.Draft)
		}
	case "close":
		if open {
			p.Close(v.Author)
		} else {
			p.Reopen(v.Author)
		}
	case "comment":
		digest := s.digest(p)
		p.Comment(who, []string{"/pilot override " + digest + " it is known", "/pilot override 000000000000 it is known", "/pilot recheck", "> /pilot recheck", "/pilot confirm release 000000000000", "Approved!"}[x.N%6])
	case "override": // by two people; whether they may is not theirs to say
		digest := s.digest(p)
		p.Comment(who, "/pilot override "+digest+" it is known")
		p.Comment(people[(x.Who+1+x.N)%len(people)], "/pilot override "+digest+" it is known")
	case "merge", "bypass":
		if open {
			s.merge(p, x)
		}
	default:
		return fmt.Errorf("nobody can %q", x.Do)
	}
	return nil
}

// digest is what the check published at the head, as far as a command names it.
func (s *story) digest(p *fakegithub.PR) string {
	c, _ := s.Repo.Check(p.View().Head, "pilot/approvals")
	_, after, _ := strings.Cut(c.ExternalID, "digest=")
	return after[:min(len(after), 12)]
}

// merge merges if GitHub lets it: as a ruleset would, a person only where the
// check is green, an administrator anyway.
func (s *story) merge(p *fakegithub.PR, x step) {
	method := []string{fakegithub.Squash, fakegithub.MergeCommit, fakegithub.Rebase}[x.N%3]
	if x.Do == "bypass" {
		_ = p.Merge(nina, method, true) // a conflict: did not happen
		return
	}
	if c, ok := s.Repo.Check(p.View().Head, "pilot/approvals"); ok && c.Conclusion == "success" {
		_ = p.Merge(max, method, false)
	}
}

func rate(n int) func(string) string {
	return func(plan string) string {
		return strings.Replace(plan, "2e-5", fmt.Sprintf("%de-5", 1+n%3), 1)
	}
}

// push is a commit to a pilot's branch.
func (s *story) push(slot int, who string, n int) {
	spec := fakegithub.CommitSpec{Message: "Work on it", Author: who}
	switch n % 9 {
	case 0, 1, 2:
		spec.Files = s.pilot(slot, rate(n))
	case 3:
		spec.Files = map[string]fakegithub.File{"NOTES.md": fakegithub.Text(fmt.Sprint(n))}
	case 4:
		spec.Files = s.pilot(slot, func(p string) string { return strings.Replace(p, "Nothing yet.", fmt.Sprint("Epoch ", n), 1) })
	case 5:
		spec.Files = s.pilot(slot, func(p string) string { return strings.ReplaceAll(p, "\n", "\r\n") })
	case 6:
		spec.Files = s.pilot(slot, func(p string) string { return strings.Replace(p, "- Seed: 42\n", "", 1) })
	case 7:
		spec.Files, spec.CoAuthors = s.pilot(slot, rate(n)), []string{irina}
	case 8:
		spec.Files, spec.AuthorName, spec.AuthorEmail = s.pilot(slot, rate(n)), "Somebody", "somebody@nowhere.example"
	}
	_, _ = s.Repo.Commit(slots[slot].branch, who, spec) // refused: did not happen
}

// judged is what the oracle says of a story that was told.
type judged struct {
	Signoffs []oracle.Signoff
	Refused  []string
	Missing  []int // plainly approved, and not signed off
}

func (s *story) judge() (judged, error) {
	var j judged
	raw, err := json.Marshal(s.GitHub.History())
	if err != nil {
		return j, err
	}
	w, err := oracle.Read(raw, s.App.Login(), func(commit, path string) string {
		b, _ := s.Repo.File(commit, path)
		return string(b)
	})
	if err != nil {
		return j, err
	}
	if j.Signoffs, err = w.Signoffs(); err != nil {
		return j, err
	}
	done := map[int]bool{}
	for _, x := range j.Signoffs {
		done[x.PullRequest] = true
		for _, why := range w.Refuse(x) {
			j.Refused = append(j.Refused, fmt.Sprintf("%s (#%d): %s", x.Path, x.PullRequest, why))
		}
	}
	for _, n := range w.Plain(s.plans) {
		if !done[n] {
			j.Missing = append(j.Missing, n)
		}
	}
	return j, nil
}
