package demo

import (
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Scene is what GitHub shows after a step.
type Scene struct {
	Pull    fakegithub.View
	Checks  []fakegithub.CheckView
	Comment string
	Log     string // the sign-off log on the default branch
	Report  *fakegithub.View
	Runs    []fakegithub.RunView   // oldest first
	Issues  []fakegithub.IssueView // by number
	Told    []string               // what the step itself has to say
}

// scene looks at the repository.
func (t *tale) scene() Scene {
	s := Scene{Told: t.told, Runs: t.Repo.Runs(), Issues: t.Repo.Issues()}
	if t.pr != nil {
		s.Pull = t.pr.View()
		s.Checks = t.latestChecks(s.Pull.Head)
		s.Comment, _ = t.Comment(t.pr)
	}
	log, _ := t.Repo.File(t.Repo.DefaultBranch(), sample.Signoff)
	s.Log = string(log)
	if t.report != nil {
		v := t.report.View()
		s.Report = &v
	}
	return s
}

// latestChecks are our checks at a commit, in the order people read them.
func (w *World) latestChecks(head string) []fakegithub.CheckView {
	var out []fakegithub.CheckView
	for _, name := range append(rules.Checks(), judge.Approvals) {
		if c, ok := w.Repo.Check(head, name); ok {
			out = append(out, c)
		}
	}
	return out
}

// verify derives the ledger of a branch again, as `pilotgate verify` does.
func (w *World) verify(ref string) (ledger.Report, error) {
	raw, _ := w.Repo.File(ref, policy.Path)
	p, faults := policy.Parse(policy.Path, raw)
	if finding.Count(faults, finding.Error) > 0 {
		return ledger.Report{}, fmt.Errorf("the policy on %s cannot be read", ref)
	}
	l := ledger.Ledger{RepositoryID: w.Repo.ID(), LogPath: p.Paths.Signoff, Evidence: p.Paths.Evidence, Records: map[string][]byte{}, Results: map[string][]byte{}}
	l.Log, _ = w.Repo.File(ref, p.Paths.Signoff)
	for _, path := range w.Repo.Files(ref) {
		if _, is := ledger.IsResult(p.Paths.Evidence, path); is {
			l.Results[path], _ = w.Repo.File(ref, path)
		} else if p.Kind(path) == policy.Evidence && strings.HasSuffix(path, ".json") {
			l.Records[path], _ = w.Repo.File(ref, path)
		}
	}
	report, broken := ledger.Verify(l, dossier.Keys(p))
	if len(broken) > 0 {
		return report, fmt.Errorf("the ledger does not verify: %s %s", broken[0].Rule, broken[0].Case)
	}
	return report, nil
}
