// Command mutants changes the program in many small ways, one at a time, and
// sees whether the tests of the changed package notice. What they do not notice
// is listed, with a reason, in survivors.txt; anything that is not listed there
// fails, and so does a line of the list that is no longer true.
//
// The changes are go-mutesting's. They are compiled through an overlay, so that
// nothing in the tree is ever touched. Each is first tried by the tests that
// noticed other changes of the same function, and by all where those do not
// notice. Time and memory are bounded: what never ends is noticed.
//
//	go -C tools/mutants run . [-write] [-match regexp] [-part 1/4]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// target is a package that is changed and tested by its own tests.
type target struct {
	dir  string
	args []string // of its tests
}

// targets are tested alike each time: a property is tried from one seed, and few
// times, since it is tried again for every mutant.
var targets = []target{
	{dir: "internal/approval"},
	{dir: "internal/ledger", args: []string{"-rapid.checks=5", "-rapid.seed=1", "-rapid.nofailfile"}},
}

// trial is one run of the command.
type trial struct {
	root    string // of the tree
	targets []target
	list    string        // where what survives is written down
	write   bool          // write the list rather than compare with it
	match   string        // only files whose path matches
	part    string        // this one of so many parts: "1/4"
	least   time.Duration // what the tests of one mutant may take; ten times what they take without
}

func main() {
	t := trial{root: "../..", targets: targets, list: "survivors.txt", least: 15 * time.Second}
	flag.BoolVar(&t.write, "write", false, "write "+t.list+"; new survivors get no reason yet")
	flag.StringVar(&t.match, "match", "", "only files whose path matches")
	flag.StringVar(&t.part, "part", "1/1", "this one of so many parts")
	flag.Parse()
	if err := t.run(); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func (of trial) run() error {
	only, err := regexp.Compile(of.match)
	if err != nil {
		return fmt.Errorf("match: %w", err)
	}
	var n, parts int
	if _, err := fmt.Sscanf(of.part, "%d/%d", &n, &parts); err != nil || n < 1 || n > parts {
		return fmt.Errorf("part %q: want one like 1/4", of.part)
	}
	if of.write && parts > 1 {
		return errors.New("the list is written by a run of all parts")
	}
	root, err := filepath.Abs(of.root)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	began := time.Now()
	var all, tried, survived []mutant
	counts := map[outcome]int{}
	for _, t := range of.targets {
		ms, err := mutantsOf(root, tmp, t, only)
		if err != nil {
			return err
		}
		all = append(all, ms...)
		var some []mutant
		for i := n - 1; i < len(ms); i += parts {
			some = append(some, ms[i])
		}
		tried = append(tried, some...)
		found, err := tryAll(root, tmp, t, some, of.least, counts)
		if err != nil {
			return err
		}
		survived = append(survived, found...)
	}
	slices.SortFunc(survived, func(a, b mutant) int { return strings.Compare(a.key(), b.key()) })
	survived = slices.CompactFunc(survived, func(a, b mutant) bool { return a.key() == b.key() })
	fmt.Printf("%d of %d mutants in %s: %d noticed, %d never end, %d do not compile, %d survive\n",
		len(tried), len(all), time.Since(began).Round(time.Second), counts[noticed], counts[endless], counts[broken], counts[unnoticed])
	known, err := readSurvivors(of.list)
	if err != nil {
		return err
	}
	if of.write {
		return writeSurvivors(of.list, survived, known, only)
	}
	return compare(survived, known, only, all, tried)
}

// mutantsOf has go-mutesting write every mutant of a package's files.
func mutantsOf(root, tmp string, t target, only *regexp.Regexp) ([]mutant, error) {
	tool := filepath.Join(tmp, "go-mutesting")
	if out, err := exec.Command("go", "build", "-o", tool, "github.com/zimmski/go-mutesting/cmd/go-mutesting").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build go-mutesting: %w\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(root, t.dir, "*.go"))
	if err != nil {
		return nil, err
	}
	args := []string{"--no-exec", "--do-not-remove-tmp-folder"}
	var rel []string
	for _, f := range files {
		r, err := filepath.Rel(root, f)
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(f, "_test.go") && only.MatchString(r) {
			rel = append(rel, r)
		}
	}
	if len(rel) == 0 {
		return nil, nil
	}
	into := filepath.Join(tmp, strings.ReplaceAll(t.dir, "/", "_"))
	if err := os.Mkdir(into, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.Command(tool, append(args, rel...)...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "TMPDIR="+into)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go-mutesting %s: %w\n%s", t.dir, err, out)
	}
	var out []mutant
	for _, r := range rel {
		original, err := os.ReadFile(filepath.Join(root, r))
		if err != nil {
			return nil, err
		}
		changed, err := filepath.Glob(filepath.Join(into, "go-mutesting-*", r+".*"))
		if err != nil {
			return nil, err
		}
		for _, c := range changed {
			if strings.HasSuffix(c, ".original") {
				continue
			}
			text, err := os.ReadFile(c)
			if err != nil {
				return nil, err
			}
			m, err := difference(r, string(original), string(text))
			if err != nil {
				return nil, err
			}
			if m.Old != m.New { // go-mutesting may change nothing but comments
				m.path = c
				out = append(out, m)
			}
		}
	}
	return out, nil
}

type outcome int

const (
	noticed outcome = iota
	endless         // noticed by never ending
	broken          // it does not compile
	unnoticed
)

// tryAll tests every mutant of a package, as many at once as there are
// processors.
func tryAll(root, tmp string, t target, all []mutant, least time.Duration, counts map[outcome]int) ([]mutant, error) {
	if len(all) == 0 {
		return nil, nil
	}
	b, in, bad, alone, err := together(root, tmp, t, all)
	if err != nil {
		return nil, err
	}
	counts[broken] += len(bad)
	if b != nil {
		began := time.Now()
		if o, out := b.run(t, 0, 10*time.Minute); o != unnoticed {
			return nil, fmt.Errorf("the tests of %s fail without any change\n%s", t.dir, out)
		}
		b.limit = max(least, 10*time.Since(began))
	}
	var survived []mutant
	var mu sync.Mutex
	var group sync.WaitGroup
	var seen witnesses
	work := make(chan func() (mutant, outcome))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for do := range work {
				m, o := do()
				mu.Lock()
				counts[o]++
				if o == unnoticed {
					survived = append(survived, m)
					fmt.Println(m)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range in {
		work <- func() (mutant, outcome) { return m, b.try(t, m, &seen) }
	}
	for _, m := range alone {
		work <- func() (mutant, outcome) { return m, try(root, tmp, t, m) }
	}
	close(work)
	group.Wait()
	return survived, nil
}

// memory is what the tests of one mutant may have, in KiB; they need a tenth.
const memory = 3 << 20

// try tests one of the mutants in the binary: first by the tests that noticed
// other mutants of its function, which mostly answers, then by all.
func (b *binary) try(t target, m mutant, w *witnesses) outcome {
	if likely := w.of(m); likely != "" {
		if o, _ := b.run(t, m.number, b.limit, "-test.run="+likely); o != unnoticed {
			return o
		}
	}
	o, out := b.run(t, m.number, b.limit)
	w.heard(m, out)
	return o
}

// run runs the binary's tests with one of its mutants, and answers what they
// wrote. Tests that do not end, or eat up the memory, have noticed, too.
func (b *binary) run(t target, number int, limit time.Duration, args ...string) (outcome, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	script := fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, memory)
	args = append(append([]string{"-c", script, b.path, "-test.failfast"}, t.args...), args...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), variable+"="+strconv.Itoa(number))
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return unnoticed, out
	case ctx.Err() != nil:
		return endless, out
	}
	return noticed, out
}

// witnesses are, of each function, the tests that noticed a mutant of it that
// those before had not.
type witnesses struct {
	sync.Mutex
	tests map[string][]string
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

func (w *witnesses) heard(m mutant, out []byte) {
	if f := failed.FindSubmatch(out); f != nil {
		w.Lock()
		defer w.Unlock()
		if w.tests == nil {
			w.tests = map[string][]string{}
		}
		in, name := m.File+" "+m.Func, string(f[1])
		if !slices.Contains(w.tests[in], name) {
			w.tests[in] = append(w.tests[in], name)
		}
	}
}

// of is the pattern of a function's witnesses, or "".
func (w *witnesses) of(m mutant) string {
	w.Lock()
	defer w.Unlock()
	tests := w.tests[m.File+" "+m.Func]
	if len(tests) == 0 {
		return ""
	}
	return "^(" + strings.Join(tests, "|") + ")$"
}

// try runs the package's tests on one mutant through an overlay.
func try(root, tmp string, t target, m mutant) outcome {
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): m.path}})
	if err != nil {
		panic(err) // maps of strings have a JSON form
	}
	f, err := os.CreateTemp(tmp, "overlay-*.json")
	if err != nil {
		panic(err) // the folder was made a moment ago
	}
	defer os.Remove(f.Name())
	_, err = f.Write(overlay)
	if err := errors.Join(err, f.Close()); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := []string{"test", "-vet=off", "-ldflags=-s -w", "-count=1", "-failfast", "-timeout=2m", "-overlay=" + f.Name(), "./" + t.dir}
	cmd := exec.CommandContext(ctx, "go", append(args, t.args...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return unnoticed
	case strings.Contains(string(out), "[build failed]"):
		return broken
	}
	return noticed
}
