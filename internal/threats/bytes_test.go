package threats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func pathTricks(t *testing.T) {
	const folder = "docs/specs/epic_05/pilots/"
	text := func(s *stage) string { return string(s.Story.Pilot()[sample.Plan]) }
	for name, row := range map[string]struct {
		files func(s *stage) map[string]fakegithub.File
		check string
		rule  string
	}{
		"a symlink for a plan": {func(*stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: {Mode: fakegithub.ModeSymlink, Data: []byte("../../../../README.md")}}
		}, "pilot/plan", "PL034"},
		"a submodule for a plan": {func(*stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: {Mode: fakegithub.ModeSubmodule, Data: []byte(strings.Repeat("1", 40))}}
		}, "pilot/plan", "PL034"},
		"a plan over 1 MiB": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: fakegithub.Text(text(s) + strings.Repeat("More words.\n", 100_000))}
		}, "pilot/plan", "PL001"},
		"a plan in capitals": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{"docs/specs/EPIC_05/pilots/ru.md": fakegithub.Text(text(s))}
		}, "pilot/plan", ""},
		"a plan behind a look-alike letter": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{"docs/speсs/epic_05/pilots/ru.md": fakegithub.Text(text(s))} // the c is Cyrillic
		}, "pilot/plan", ""},
		"a dataset outside the repository": {func(s *stage) map[string]fakegithub.File {
			return s.plan("`"+sample.Dataset+"`", "`../../etc/passwd`")
		}, "pilot/dataset", ""},
		"a dataset behind a symlink": {func(s *stage) map[string]fakegithub.File {
			in := files(s.Story.Pilot())
			in[sample.Dataset] = fakegithub.File{Mode: fakegithub.ModeSymlink, Data: []byte("/etc/passwd")}
			return in
		}, "pilot/dataset", ""},
	} {
		on(t, name, func(t *testing.T, s *stage) {
			pr := s.request(row.files(s))
			assert.Equal(t, "failure", s.check(pr, row.check), s.title(pr))
			if row.rule != "" {
				s.finds(pr, row.check, row.rule)
			}
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
			s.writesNothingMore()
		})
	}
	on(t, "over 300 files hide no plan", func(_ *testing.T, s *stage) {
		pr := s.request(crowd(s, 400))
		s.shows(pr, "waiting")
	})
	on(t, "over 3,000 files hide no plan", func(_ *testing.T, s *stage) {
		pr := s.request(crowd(s, 3_100))
		s.shows(pr, "waiting")
	})
	on(t, "a truncated listing is red", func(_ *testing.T, s *stage) {
		s.Repo.TruncateTrees(10)
		pr := s.request(files(s.Story.Pilot()))
		s.shows(pr, "failure")
		s.says(pr, "incomplete")
	})
	on(t, "and is red where it shows nothing governed", func(_ *testing.T, s *stage) {
		s.Repo.TruncateTrees(1)
		pr := s.request(map[string]fakegithub.File{"aaa.txt": fakegithub.Text("a")})
		s.shows(pr, "failure")
	})
	on(t, "a plan added and removed again is no request", func(_ *testing.T, s *stage) {
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add", Files: files(s.Story.Pilot()), Author: dana})
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Remove", Delete: []string{sample.Plan, sample.DataCard, sample.Dataset, sample.EvaluationData}, Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Nothing", Head: branch})
		s.settle()
		s.shows(pr, "success")
		s.says(pr, "nothing governed")
	})
	on(t, "a plan moved out of sight is seen by both roles", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("hide", dana, fakegithub.CommitSpec{
			Message: "Move", Author: dana, Delete: []string{sample.Plan},
			Files: map[string]fakegithub.File{"notes/old.md": fakegithub.Text(s.file("main", sample.Plan))},
		})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Tidy", Head: "hide"})
		s.settle()
		s.shows(pr, "waiting")
	})
	on(t, "a plan moved into sight is a request", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		plan := in[sample.Plan]
		delete(in, sample.Plan)
		in["notes/idea.md"] = plan
		s.push(nina, "main", in)
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Move", Author: dana, Delete: []string{"notes/idea.md"}, Files: map[string]fakegithub.File{sample.Plan: plan}})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Move", Head: branch})
		s.settle()
		s.shows(pr, "waiting")
		assert.Equal(t, "success", s.check(pr, "pilot/plan"))
	})
	for _, path := range []string{policy, roleFile, "models/registry.yaml", ".github/workflows/pilot_finetune.yml"} {
		on(t, "a symlink for "+path, func(t *testing.T, s *stage) {
			pr := s.request(map[string]fakegithub.File{path: {Mode: fakegithub.ModeSymlink, Data: []byte("../README.md")}})
			s.approve(pr, max)
			assert.NotEqual(t, "success", s.check(pr, approvals))
		})
	}
	on(t, "two plans are one too many", func(_ *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		in[folder+"another.md"] = in[sample.Plan]
		pr := s.request(in)
		assert.Equal(s.t, "failure", s.check(pr, "pilot/plan"))
		s.approve(pr, irina, oleg)
		s.shows(pr, "in_progress")
	})
}

// crowd is the usual pilot among many files.
func crowd(s *stage, n int) map[string]fakegithub.File {
	in := files(s.Story.Pilot())
	for i := range n {
		in[fmt.Sprintf("aaa/%05d.txt", i)] = fakegithub.Text("x")
	}
	return in
}

func bombs(t *testing.T) {
	for name, row := range map[string]struct {
		files func(s *stage) map[string]fakegithub.File
		check string
	}{
		"aliases in front matter": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: fakegithub.Text("---\n" + aliases("") + "---\n# Plan\n")}
		}, "pilot/plan"},
		"a record a thousand levels deep": {func(s *stage) map[string]fakegithub.File {
			in := files(s.Story.Pilot())
			in[sample.Dataset] = fakegithub.Text(strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + "\n")
			return in
		}, "pilot/dataset"},
		"a record of 9 MiB": {func(s *stage) map[string]fakegithub.File {
			in := files(s.Story.Pilot())
			in[sample.Dataset] = fakegithub.Text(`{"sample_id":"` + strings.Repeat("a", 9<<20) + "\"}\n")
			return in
		}, "pilot/dataset"},
		"quotes in quotes in quotes": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: fakegithub.Text("# Plan\n" + strings.Repeat(strings.Repeat("> ", 2_000)+"- x\n", 20))}
		}, "pilot/plan"},
		"lists in lists in lists": {func(s *stage) map[string]fakegithub.File {
			var b strings.Builder
			for i := range 700 {
				b.WriteString(strings.Repeat(" ", 2*i) + "- x\n")
			}
			return map[string]fakegithub.File{sample.Plan: fakegithub.Text("# Plan\n" + b.String())}
		}, "pilot/plan"},
		"aliases in the policy": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{policy: fakegithub.Text(s.file("main", policy) + "x-bomb:\n" + aliases("  "))}
		}, "pilot/policy"},
		"aliases in the registry": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{"models/registry.yaml": fakegithub.Text("models:\n" + aliases("  "))}
		}, "pilot/release"},
		"what a backtracking matcher hates": {func(s *stage) map[string]fakegithub.File {
			return map[string]fakegithub.File{sample.Plan: fakegithub.Text("# Plan\n- Seed: " + strings.Repeat("a", 200_000) + "!\n| " + strings.Repeat("|", 200_000) + "\n")}
		}, "pilot/plan"},
	} {
		on(t, name, func(t *testing.T, s *stage) {
			pr := s.request(row.files(s))
			assert.Equal(t, "failure", s.check(pr, row.check))
			c, _ := s.Repo.Check(pr.View().Head, row.check)
			assert.Regexp(t, `\*\*[A-Z]+[0-9]{3}\*\*`, c.Summary, "a finding says so")
			assert.NotContains(t, c.Summary, "could not evaluate")
			s.approve(pr, irina, oleg)
			assert.NotEqual(t, "success", s.check(pr, approvals))
		})
	}
}

// aliases are YAML that would unfold to some ten thousand million values.
func aliases(indent string) string {
	bomb := indent + "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%s%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", indent, c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	return bomb
}
