package judge

import (
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// RepositoryVerdict is what a repository as a whole is: whether its ledger
// verifies, and which pilots its default branch tells of.
type RepositoryVerdict struct {
	Policy policy.Policy
	Faults []finding.Finding // of the policy
	Broken []finding.Finding // of the ledger
	Pilots []string

	Ledger ledger.Ledger
	Keys   []ledger.Key
	Head   string // of the ledger: the digest that the next record names
	// Record is the Policy record that is due, with the reason; nil: none is.
	Record *ledger.Record
	Why    Reason

	Export Export

	// Answers are to the runs that wait for the environment and are no pilot's
	// that the default branch tells of.
	Answers []Answer
}

// MissingRepository lists the facts that a verdict on the repository needs.
func MissingRepository(s *facts.RepositoryState) []facts.Need {
	_, needs := openRepository(s)
	return needs
}

// Repository judges the default branch.
func Repository(s *facts.RepositoryState) RepositoryVerdict {
	v, _ := openRepository(s)
	return v
}

func openRepository(s *facts.RepositoryState) (RepositoryVerdict, []facts.Need) {
	f := dossier.NewFiles(&s.Common, s.Repository.DefaultOID)
	var v RepositoryVerdict
	v.Policy, v.Faults = f.Policy()
	if len(f.Needs()) > 0 {
		return v, f.Needs()
	}
	l, report, broken := f.Verified(v.Policy)
	plans := plansOf(f, v.Policy)
	pointer, models := f.Document(v.Policy.Paths.Pointer), f.Document(v.Policy.Paths.Registry)
	if len(f.Needs()) > 0 {
		return v, f.Needs()
	}
	v.Ledger, v.Keys = l, dossier.Keys(v.Policy)
	v.Broken, v.Head = broken, report.Head
	v.Export = exported(v.Policy, pointer, models, report, len(broken) == 0 && finding.Count(v.Faults, finding.Error) == 0)
	for _, p := range plans {
		v.Pilots = append(v.Pilots, p.Pilot.Text)
	}
	for path := range f.Tree().Entries {
		if v.Policy.Kind(path) == policy.Evidence {
			v.Pilots = append(v.Pilots, v.Policy.PilotID(path))
		}
	}
	v.Pilots = slices.DeleteFunc(v.Pilots, func(id string) bool { return !form.Pilot(id) })
	slices.Sort(v.Pilots)
	v.Pilots = slices.Compact(v.Pilots)
	needs := v.answerStrays(s, f.Tree())
	if len(v.Broken) > 0 || finding.Count(v.Faults, finding.Error) > 0 {
		return v, needs
	}
	var more []facts.Need
	v.Record, v.Why, more = rolesRecord(s, &v, report)
	return v, append(needs, more...)
}

// plansOf parses every plan of a commit, as far as they are there.
func plansOf(f *dossier.Files, p policy.Policy) []plan.Plan {
	var out []plan.Plan
	for path, e := range f.Tree().Entries {
		if p.Kind(path) == policy.Plan && e.Regular() {
			if doc := f.Document(path); doc.Readable() {
				out = append(out, facts.Read(doc.Blob, path, plan.Parse))
			}
		}
	}
	slices.SortFunc(out, func(a, b plan.Plan) int { return compare(a.Path, b.Path) })
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// PlanPaths are where the plan of a pilot stands on the default branch, or
// where it stood when it was signed off, if it is gone.
func PlanPaths(c *facts.Common, id string) ([]string, []facts.Need) {
	f := dossier.NewFiles(c, c.Repository.DefaultOID)
	p, _ := f.Policy()
	if len(f.Needs()) > 0 {
		return nil, f.Needs()
	}
	var out []string
	for _, x := range plansOf(f, p) {
		if x.Pilot.Text == id {
			out = append(out, x.Path)
		}
	}
	if len(out) > 0 || len(f.Needs()) > 0 || !form.Pilot(id) || !recorded(f, p, id) {
		return out, f.Needs()
	}
	_, report, _ := f.Verified(p)
	if len(f.Needs()) > 0 {
		return nil, f.Needs()
	}
	if last := lastSignoff(report, id); last != nil {
		out = append(out, last.Record.PlanPath)
	}
	return out, nil
}

// recorded tells whether a pilot has an evidence folder.
func recorded(f *dossier.Files, p policy.Policy, id string) bool {
	for path := range f.Tree().Entries {
		if strings.HasPrefix(path, p.EvidencePath(id)) {
			return true
		}
	}
	return false
}
