package render

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

func externalID(number int, base string) string {
	return approval.ExternalID{Number: number, Base: base, Digest: strings.Repeat("9f2c41aa", 8)}.String()
}

// mendable is a verdict on a plan of one line with n replacements in it.
func mendable(n int) judge.Verdict {
	src := []byte(strings.Repeat("a|`b ", n))
	var fs []finding.Finding
	for i := range n {
		f := seedMissing
		f.Mend = &finding.Mend{Path: "docs/plan.md", Start: 5 * i, End: 5*i + 4, Text: "x"}
		fs = append(fs, f)
	}
	v := verdictOf(fs...)
	p := v.Dossier.Pull
	p.Local, p.Open, p.Repository.ID, p.Head.Repo, p.Head.Ref = false, true, 7, 7, "pilot"
	p.Git.Trees = map[string]facts.Tree{"cc": {Entries: map[string]facts.Entry{"docs/plan.md": {OID: "dd", Mode: "100644"}}}}
	p.Git.Blobs = map[string]facts.Blob{"dd": {Bytes: src}}
	return v
}

func TestAButtonKeepsGitHubsLimits(t *testing.T) {
	for _, lang := range Languages() {
		for _, n := range []int{1, 3, 9999} {
			out := Speak(lang).Check(mendable(n), mendable(n).Checks[0])
			require.Len(t, out.Actions, 1)
			a := out.Actions[0]
			assert.LessOrEqual(t, utf8.RuneCountInString(a.Label), 20, a.Label)
			assert.LessOrEqual(t, utf8.RuneCountInString(a.Description), 40, a.Description)
			assert.LessOrEqual(t, utf8.RuneCountInString(a.Identifier), 20, a.Identifier)
		}
	}
}

func TestNoButtonWhereItCouldNotWrite(t *testing.T) {
	w := Speak("en")
	for name, change := range map[string]func(*facts.PullRequest){
		"a fork":             func(p *facts.PullRequest) { p.Head.Fork = true },
		"another repository": func(p *facts.PullRequest) { p.Head.Repo = 8 },
		"a deleted fork":     func(p *facts.PullRequest) { p.Head.Repo = 0 },
		"a closed request":   func(p *facts.PullRequest) { p.Open = false },
		"the base itself":    func(p *facts.PullRequest) { p.Head.Ref = p.Base.Ref },
		"the default branch": func(p *facts.PullRequest) { p.Head.Ref, p.Repository.DefaultBranch = "trunk", "trunk" },
	} {
		t.Run(name, func(t *testing.T) {
			v := mendable(1)
			require.Len(t, w.Check(v, v.Checks[0]).Actions, 1)
			change(v.Dossier.Pull)
			assert.Empty(t, w.Check(v, v.Checks[0]).Actions)
		})
	}
}

func TestAClickCountsOnlyFromAPersonWhoMayWriteHere(t *testing.T) {
	dana := facts.Account{ID: 1, Login: "dana", Type: "User"}
	good := func() judge.Verdict {
		v := mendable(2)
		p := v.Dossier.Pull
		p.Number = 42
		p.Runs = []facts.CheckRun{{ID: 5, Name: v.Checks[0].Name, Head: "cc", ExternalID: externalID(42, "main")}}
		p.Clicks = []facts.Click{{Run: 5, Head: "cc", Identifier: judge.MendAction, By: dana}}
		p.Access = map[string]facts.Access{"dana": {Account: dana, Write: true}}
		return v
	}
	v := good()
	m, ok := v.Mending()
	require.True(t, ok)
	assert.Equal(t, 2, m.N)
	assert.Equal(t, "x x ", string(m.Files["docs/plan.md"]))
	for name, change := range map[string]func(*facts.PullRequest){
		"may only read": func(p *facts.PullRequest) { p.Access["dana"] = facts.Access{Account: dana} },
		"nobody knows":  func(p *facts.PullRequest) { p.Access = nil },
		"the name is another's now": func(p *facts.PullRequest) {
			a := dana
			a.ID = 2
			p.Access["dana"] = facts.Access{Account: a, Write: true}
		},
		"a bot":                    func(p *facts.PullRequest) { p.Clicks[0].By.Type = "Bot" },
		"a ghost":                  func(p *facts.PullRequest) { p.Clicks[0].By.ID = 0 },
		"another button":           func(p *facts.PullRequest) { p.Clicks[0].Identifier = "merge" },
		"another head":             func(p *facts.PullRequest) { p.Clicks[0].Head = "dd" },
		"a run that is not ours":   func(p *facts.PullRequest) { p.Clicks[0].Run = 6 },
		"a run of another request": func(p *facts.PullRequest) { p.Runs[0].ExternalID = externalID(41, "main") },
		"a run of another base":    func(p *facts.PullRequest) { p.Runs[0].ExternalID = externalID(42, "side") },
		"a run of another head":    func(p *facts.PullRequest) { p.Runs[0].Head = "dd" },
		"a check without mends":    func(p *facts.PullRequest) { p.Runs[0].Name = judge.Approvals },
	} {
		t.Run(name, func(t *testing.T) {
			v := good()
			change(v.Dossier.Pull)
			_, ok := v.Mending()
			assert.False(t, ok)
		})
	}
}

// A file under .github is never written, whatever a finding says.
func TestNothingUnderGitHubsFolderIsMended(t *testing.T) {
	v := mendable(1)
	m := *v.Checks[0].Findings[0].Mend
	m.Path = ".github/workflows/x.yml"
	v.Checks[0].Findings[0].Mend = &m
	p := v.Dossier.Pull
	p.Git.Trees["cc"].Entries[m.Path] = facts.Entry{OID: "dd", Mode: "100644"}
	assert.Empty(t, v.Mends(v.Checks[0]))
}
