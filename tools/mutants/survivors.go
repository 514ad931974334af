package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
)

// mutant is one change: where, what stood there, and what stands there instead.
// Lines are not numbered, so that the list outlives changes elsewhere.
type mutant struct {
	File, Func string
	Old, New   string // without the space around and between words
	path       string // of the whole changed file
	line       int    // where it begins in the original
	number     int    // within its package, from 1
}

func (m mutant) key() string { return m.File + "\x00" + m.Func + "\x00" + m.Old + "\x00" + m.New }

func (m mutant) String() string {
	return fmt.Sprintf("%s %s\n  - %s\n  + %s", m.File, m.Func, m.Old, m.New)
}

// difference finds the lines that differ, and the function they stand in.
func difference(file, original, changed string) (mutant, error) {
	a, b := strings.Split(original, "\n"), strings.Split(changed, "\n")
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	ea, eb := len(a), len(b)
	for ea > from && eb > from && a[ea-1] == b[eb-1] {
		ea, eb = ea-1, eb-1
	}
	in, err := function(file, original, from+1)
	if err != nil {
		return mutant{}, err
	}
	return mutant{File: file, Func: in, Old: words(a[from:ea]), New: words(b[from:eb]), line: from + 1}, nil
}

// words are lines without their comments and indents.
func words(lines []string) string {
	var out []string
	for _, l := range lines {
		if code, _, _ := strings.Cut(l, "// "); strings.TrimSpace(code) != "" {
			out = append(out, strings.Join(strings.Fields(code), " "))
		}
	}
	return strings.Join(out, " ⏎ ")
}

func function(file, source string, line int) (string, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		return "", err
	}
	for _, d := range f.Decls {
		if fn, is := d.(*ast.FuncDecl); is && set.Position(fn.Pos()).Line <= line && line <= set.Position(fn.End()).Line {
			return fn.Name.Name, nil
		}
	}
	return "-", nil
}

// readSurvivors reads the list: the reason of each mutant by its key. A block is
// the file and function, "- " what stood, "+ " what stands, ": " why no test
// need notice.
func readSurvivors(path string) (map[string]known, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]known{}, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]known{}
	for block := range strings.SplitSeq(strings.TrimSpace(string(raw)), "\n\n") {
		var k known
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			switch {
			case strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "  - "):
				k.Old = line[4:]
			case strings.HasPrefix(line, "  + "):
				k.New = line[4:]
			case strings.HasPrefix(line, "  : "):
				k.reason = line[4:]
			default:
				k.File, k.Func, _ = strings.Cut(line, " ")
			}
		}
		if k.File != "" {
			out[k.key()] = k
		}
	}
	return out, nil
}

type known struct {
	mutant
	reason string
}

const head = "# Changes of the program that no test notices, and why none need. `make mutants` compares.\n"

// writeSurvivors writes the list anew, with the reasons that it has already; what
// it says of files that were not looked at stays.
func writeSurvivors(path string, survived []mutant, already map[string]known, only *regexp.Regexp) error {
	for _, k := range already {
		if !only.MatchString(k.File) {
			survived = append(survived, k.mutant)
		}
	}
	slices.SortFunc(survived, func(a, b mutant) int { return strings.Compare(a.key(), b.key()) })
	var b strings.Builder
	b.WriteString(head)
	for _, m := range survived {
		fmt.Fprintf(&b, "\n%s %s\n  - %s\n  + %s\n  : %s\n", m.File, m.Func, m.Old, m.New, already[m.key()].reason)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// compare fails for a survivor that is not listed with a reason, and for a line
// of the list that did not survive or that is no mutant any more.
func compare(survived []mutant, listed map[string]known, only *regexp.Regexp, all, tried []mutant) error {
	var wrong []string
	for _, m := range survived {
		k, is := listed[m.key()]
		switch {
		case !is:
			wrong = append(wrong, "not noticed by any test, and not listed: "+m.String())
		case k.reason == "":
			wrong = append(wrong, "listed without a reason: "+m.String())
		}
		delete(listed, m.key())
	}
	exists, was := keys(all), keys(tried)
	for key, k := range listed {
		switch {
		case !only.MatchString(k.File):
		case !exists[key]:
			wrong = append(wrong, "listed, and no change of the program any more: "+k.String())
		case was[key]:
			wrong = append(wrong, "listed, and noticed: "+k.String())
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return errors.New(strings.Join(wrong, "\n"))
}

func keys(ms []mutant) map[string]bool {
	out := map[string]bool{}
	for _, m := range ms {
		out[m.key()] = true
	}
	return out
}
