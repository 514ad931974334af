package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A tree with one package, whose tests leave two of its mutants alone: the larger
// of two equal numbers is either, and what Unasked does nobody asks. One mutant
// never ends.
var tree = map[string]string{
	"go.mod": "module example.org/made-up\n\ngo 1.26\n",
	"p/p.go": `package p

// Larger is the larger of two numbers.
func Larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// Ones counts them.
func Ones(s string) int {
	n := 0
	for s != "" {
		if s[0] == '1' {
			n++
		}
		s = s[1:]
	}
	return n
}

// Unasked tells.
func Unasked(a int) bool {
	return a < 7
}
`,
	"p/p_test.go": `package p

import "testing"

func TestLarger(t *testing.T) {
	if Larger(1, 2) != 2 || Larger(2, 1) != 2 {
		t.Fatal("not the larger")
	}
}

func TestOnes(t *testing.T) {
	if Ones("1021") != 2 {
		t.Fatal("not two")
	}
}
`,
}

// What survives in it.
const (
	either = `
p/p.go Larger
  - if a > b {
  + if a >= b {
  : of two equal numbers either is the larger
`
	unasked = `
p/p.go Unasked
  - return a < 7
  + return a <= 7
`
)

func TestWhatSurvivesIsWritten(t *testing.T) {
	root := t.TempDir()
	for name, text := range tree {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	const elsewhere = "\nq/q.go F\n  - a\n  + b\n  : not looked at\n"
	list := filepath.Join(root, "survivors.txt")
	of := trial{root: root, targets: []target{{dir: "p"}}, list: list, match: "^p/", part: "1/1", least: 2 * time.Second}
	write := func(text string) {
		if err := os.WriteFile(list, []byte(head+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(either + elsewhere)
	of.write = true
	if err := of.run(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(list)
	if want := head + either + unasked + "  : \n" + elsewhere; err != nil || string(got) != want {
		t.Fatalf("wrote\n%s%v\nwant\n%s", got, err, want)
	}
	of.write = false
	if err := of.run(); err == nil || !strings.HasPrefix(err.Error(), "listed without a reason: p/p.go Unasked\n") {
		t.Fatalf("got %v", err)
	}
	write(either + unasked + "  : nobody asks\n" + elsewhere)
	if err := of.run(); err != nil {
		t.Fatal(err)
	}
}

func TestTheListIsHeldAgainstWhatSurvived(t *testing.T) {
	const reason = "  : nobody asks\n"
	larger := mutant{File: "p/p.go", Func: "Larger", Old: "if a > b {", New: "if a >= b {"}
	asked := mutant{File: "p/p.go", Func: "Unasked", Old: "return a < 7", New: "return a <= 7"}
	for _, c := range []struct {
		name, list, match string
		survived, tried   []mutant
		want              string
	}{
		{"all of it", either + unasked + reason, "", []mutant{larger, asked}, []mutant{larger, asked}, ""},
		{"nothing", "", "", []mutant{larger}, []mutant{larger, asked}, "not noticed by any test, and not listed: p/p.go Larger"},
		{"one without a reason", either + unasked, "", []mutant{larger, asked}, []mutant{larger, asked}, "listed without a reason: p/p.go Unasked"},
		{"one that is noticed", either + unasked + reason, "", []mutant{larger}, []mutant{larger, asked}, "listed, and noticed: p/p.go Unasked"},
		{"one of another part", either + unasked + reason, "", []mutant{larger}, []mutant{larger}, ""},
		{"one whose code is gone", either + unasked + reason + "\np/p.go Gone\n  - a\n  + b\n" + reason, "", []mutant{larger, asked}, []mutant{larger, asked}, "listed, and no change of the program any more: p/p.go Gone"},
		{"one of a file that was not looked at", either + unasked + reason + "\np/q.go Gone\n  - a\n  + b\n" + reason, "p/p.go", []mutant{larger, asked}, []mutant{larger, asked}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "survivors.txt")
			if err := os.WriteFile(list, []byte(head+c.list), 0o600); err != nil {
				t.Fatal(err)
			}
			known, err := readSurvivors(list)
			if err != nil {
				t.Fatal(err)
			}
			err = compare(c.survived, known, regexp.MustCompile(c.match), []mutant{larger, asked}, c.tried)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want+"\n") || strings.Contains(err.Error(), "\nlisted") || strings.Contains(err.Error(), "\nnot")):
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}
