package judge

import (
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// MendAction identifies the button of a check that commits its exact
// replacements.
const MendAction = "mend"

// Mends are the exact replacements of a check's errors and warnings, each once.
// Only documents that a plan consists of are mended; nothing under .github is
// ever written.
func (v Verdict) Mends(c Check) []finding.Mend {
	var out []finding.Mend
	for _, f := range c.Findings {
		m := f.Mend
		if m == nil || f.Severity.Rank() < finding.Warning.Rank() || strings.HasPrefix(m.Path, ".github/") || slices.Contains(out, *m) {
			continue
		}
		if _, n := finding.Mended(v.source(m.Path), m.Path, []finding.Mend{*m}); n == 1 {
			out = append(out, *m)
		}
	}
	return out
}

// source is a file's bytes at the judged head, nil where they were not read.
func (v Verdict) source(path string) []byte {
	p := v.Dossier.Pull
	e, ok := p.Git.Trees[p.Head.OID].Entries[path]
	if !ok || !e.Regular() {
		return nil
	}
	return p.Git.Blobs[e.OID].Bytes
}

// Replaced is what a mend takes away.
func (v Verdict) Replaced(m finding.Mend) string {
	src := v.source(m.Path)
	if m.Start < 0 || m.End < m.Start || m.End > len(src) {
		return ""
	}
	return string(src[m.Start:m.End])
}

// MayMend tells whether a button could do what it says: the branch is in this
// repository, and it is nobody's default branch. A fork's is not ours to write.
func (v Verdict) MayMend() bool {
	p := v.Dossier.Pull
	return p != nil && p.Open && !p.Local && !p.Head.Fork && p.Head.Repo == p.Repository.ID &&
		p.Head.Ref != "" && p.Head.Ref != p.Repository.DefaultBranch && p.Head.Ref != p.Base.Ref
}

// clickNeeds are the facts that a click's weight depends on.
func clickNeeds(p *facts.PullRequest) []facts.Need {
	var out []facts.Need
	for _, c := range p.Clicks {
		n := facts.Need{Kind: facts.NeedAccess, Login: c.By.Login}
		if clicked(p, c) && !p.Answered(n) {
			out = append(out, n)
		}
	}
	return out
}

// clicked tells whether the click is on a run of ours for this pull request at
// this head, by a person.
func clicked(p *facts.PullRequest, c facts.Click) bool {
	return c.Identifier == MendAction && c.Head == p.Head.OID && c.By.ID != 0 && c.By.Login != "" && c.By.Type == "User" &&
		slices.ContainsFunc(p.Runs, func(r facts.CheckRun) bool { return r.ID == c.Run && r.Head == p.Head.OID && ours(p, r) })
}

func ours(p *facts.PullRequest, r facts.CheckRun) bool {
	id, ok := approval.ParseExternalID(r.ExternalID)
	return ok && id.Number == p.Number && id.Base == p.Base.Ref
}

// Mending is what one click asks for.
type Mending struct {
	By    facts.Account
	Check string
	Files map[string][]byte // as they are to be
	N     int               // replacements
}

// Mending answers the first click that counts. Whoever cannot write to the
// repository changes nothing, and neither does a click on another head: what
// the button showed is not what it would do there.
func (v Verdict) Mending() (Mending, bool) {
	p := v.Dossier.Pull
	if !v.MayMend() {
		return Mending{}, false
	}
	for _, c := range p.Clicks {
		access := p.Access[facts.Need{Kind: facts.NeedAccess, Login: c.By.Login}.Key()]
		if !clicked(p, c) || !access.Write || access.Account.ID != c.By.ID || access.Account.Type != "User" {
			continue
		}
		run := p.Runs[slices.IndexFunc(p.Runs, func(r facts.CheckRun) bool { return r.ID == c.Run })]
		i := slices.IndexFunc(v.Checks, func(x Check) bool { return x.Name == run.Name })
		if i < 0 {
			continue
		}
		m := Mending{By: access.Account, Check: run.Name, Files: map[string][]byte{}}
		mends := v.Mends(v.Checks[i])
		for _, mend := range mends {
			if _, done := m.Files[mend.Path]; !done {
				after, n := finding.Mended(v.source(mend.Path), mend.Path, mends)
				m.Files[mend.Path] = after
				m.N += n
			}
		}
		if m.N > 0 {
			return m, true
		}
	}
	return Mending{}, false
}
