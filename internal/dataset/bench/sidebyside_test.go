package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

var (
	compare = flag.Bool("compare", false, "measure against ripgrep and a generic schema library")
	size    = flag.Int64("size", 1<<30, "bytes of the dataset")
	rounds  = flag.Int("rounds", 5, "runs of each, in turn; the median counts")
	strict  = flag.Bool("strict", false, "fail where a bar is missed")
	folder  = flag.String("folder", "", "where the dataset is kept between runs")
)

// patterns are what a search for the same identifiers would ask of ripgrep:
// ASCII forms only, no check digits, no context.
var patterns = []string{
	`(?-u)[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`,
	`(?-u)(?:\+7|8)[ (-]*[0-9]{3}[ )-]*[0-9]{3}[ -]*[0-9]{2}[ -]*[0-9]{2}`,
	`(?-u)\b[0-9]{3}-[0-9]{3}-[0-9]{3}[ -][0-9]{2}\b`,
	`(?-u)\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b`,
	`(?-u)\b[0-9]{10}(?:[0-9]{2})?\b`,
	`(?-u)\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b`,
	`(?-u)\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b`,
	`(?-u)gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`,
	`(?-u)t\.me/[A-Za-z0-9_]+|vk\.com/[A-Za-z0-9_.]+|@[A-Za-z0-9_]{4,32}`,
	`(?-u)[0-9]{8,10}:[A-Za-z0-9_-]{35}`,
}

const modeVariable = "PILOTGATE_BENCH_SCAN"

// TestMain makes the test's binary its own child: a scan in a fresh process,
// whose peak memory is the scan's.
func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		if err := child(mode, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var modes = map[string]dataset.Options{
	"full":          {},
	"near":          {NearDuplicates: true},
	"personal data": {Workers: 1, Without: dataset.Exclusions{Hash: true, Records: true}},
}

func child(mode, path string) error {
	o := modes[mode]
	if o.Workers == 1 {
		runtime.GOMAXPROCS(1)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	start := time.Now()
	facts, err := dataset.Scan(f, o)
	if err != nil {
		return err
	}
	took := time.Since(start)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	peak := 0
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			peak, _ = strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	fmt.Println(took.Nanoseconds(), peak, facts.Records, len(facts.Findings))
	return nil
}

// run is one measurement.
type run struct {
	took, cpu time.Duration
	peakKB    int
	records   int
}

// measured are the runs of one step.
type measured []run

// median of a figure of the runs.
func median[T cmp.Ordered](m measured, of func(run) T) T {
	var list []T
	for _, r := range m {
		list = append(list, of(r))
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func (m measured) took() time.Duration { return median(m, func(r run) time.Duration { return r.took }) }

func (m measured) cpu() time.Duration { return median(m, func(r run) time.Duration { return r.cpu }) }

// peakKB is the most that any run took.
func (m measured) peakKB() int {
	return slices.MaxFunc(m, func(a, b run) int { return cmp.Compare(a.peakKB, b.peakKB) }).peakKB
}

const (
	searchBoth = "ripgrep, both cores"
	searchOne  = "ripgrep, one core"
	libraryOne = "schema library"
)

// bars are the least and the aimed-for speeds against others.
var bars = []struct {
	mode, against string
	least, aim    float64
}{
	{"full", searchBoth, 0.85, 1.3},
	{"near", searchBoth, 0.55, 0.9},
	{"personal data", searchOne, 2, 4},
	{"full", libraryOne, 6, 15},
}

const maxResidentMiB = 64 // beside the table of repeats: 16 bytes a record

// TestSideBySide measures the scan, ripgrep and a generic schema library on the
// same bytes, in turn, and prints how each bar was met.
func TestSideBySide(t *testing.T) {
	if !*compare {
		t.Skip("measures for minutes: -compare")
	}
	rg, err := exec.LookPath("rg")
	require.NoError(t, err, "ripgrep is what this is measured against")
	path, halves := prepare(t)

	args := []string{"-n", "-o", "-b", "--no-filename"}
	for _, p := range patterns {
		args = append(args, "-e", p)
	}
	search := func(files ...string) (r run) {
		start := time.Now()
		var cmds []*exec.Cmd
		for _, file := range files {
			cmd := exec.Command(rg, append(slices.Clone(args), "-j1", file)...)
			require.NoError(t, cmd.Start())
			cmds = append(cmds, cmd)
		}
		for _, cmd := range cmds {
			require.NoError(t, cmd.Wait())
			r.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
		r.took = time.Since(start)
		return r
	}
	steps := []struct {
		name string
		run  func() run
	}{
		{searchBoth, func() run { return search(halves...) }},
		{"full", func() run { return scan(t, "full", path) }},
		{"near", func() run { return scan(t, "near", path) }},
		{searchOne, func() run { return search(path) }},
		{"personal data", func() run { return scan(t, "personal data", path) }},
		{libraryOne, func() run { return library(t, path) }},
	}
	results := make(map[string]measured)
	for range *rounds {
		for _, step := range steps { // in turn, so that a busy machine is busy for all
			results[step.name] = append(results[step.name], step.run())
		}
	}
	mb := float64(*size) / 1e6
	fmt.Printf("%d bytes of records, 1 %% with personal data; medians of %d runs in turn\n\n", *size, *rounds)
	fmt.Printf("%-22s %8s %16s %10s\n", "", "MB/s", "MB/core-second", "peak MiB")
	for _, step := range steps {
		m := results[step.name]
		peak := "" // of others it is not measured
		if kb := m.peakKB(); kb > 0 {
			peak = fmt.Sprintf("%.1f", float64(kb)/1024)
		}
		fmt.Printf("%-22s %8.0f %16.0f %10s\n", step.name, mb/m.took().Seconds(), mb/m.cpu().Seconds(), peak)
	}
	fmt.Printf("\n%-14s %-22s %8s %9s %6s   %s\n", "", "against", "ratio", "at least", "aim", "by processor time")
	missed := 0
	for _, b := range bars {
		ours, theirs := results[b.mode], results[b.against]
		ratio := theirs.took().Seconds() / ours.took().Seconds()
		word := verdict(ratio >= b.least, ratio >= b.aim)
		if ratio < b.least {
			missed++
		}
		fmt.Printf("%-14s %-22s %7.2fx %8.2fx %5.1fx   %.2fx   %s\n", b.mode, b.against, ratio, b.least, b.aim, theirs.cpu().Seconds()/ours.cpu().Seconds(), word)
	}
	full := results["full"]
	records := full[0].records
	resident := float64(full.peakKB())/1024 - float64(16*records)/(1<<20)
	if resident > maxResidentMiB {
		missed++
	}
	fmt.Printf("peak memory less 16 bytes for each of %d records: %.1f MiB, at most %d: %s\n", records, resident, maxResidentMiB, verdict(resident <= maxResidentMiB, false))
	if *strict {
		require.Zero(t, missed, "bars missed")
	}
}

func verdict(met, aim bool) string {
	switch {
	case aim:
		return "met, and the aim"
	case met:
		return "met"
	}
	return "MISSED"
}

// TestLinear scans datasets that grow tenfold, up to ten times the size, and
// prints rate and memory of each: neither may depend on the size.
func TestLinear(t *testing.T) {
	if !*compare {
		t.Skip("measures for minutes: -compare")
	}
	dir := *folder
	if dir == "" {
		dir = t.TempDir()
	}
	fmt.Printf("\n%10s %8s %16s %10s %24s\n", "MiB", "MB/s", "MB/core-second", "peak MiB", "less 16 bytes a record")
	for n := *size / 100; n <= *size*10; n *= 10 {
		path := filepath.Join(dir, "linear.jsonl")
		write(t, path, n)
		r := scan(t, "full", path)
		peak := float64(r.peakKB) / 1024
		fmt.Printf("%10d %8.0f %16.0f %10.1f %24.1f\n", n>>20, float64(n)/r.took.Seconds()/1e6, float64(n)/r.cpu.Seconds()/1e6, peak, peak-float64(16*r.records)/(1<<20))
		require.NoError(t, os.Remove(path))
	}
}

func scan(t *testing.T, mode, path string) run {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var nanos int64
	var peak, records, findings int
	_, err = fmt.Sscan(string(out), &nanos, &peak, &records, &findings)
	require.NoError(t, err)
	return run{time.Duration(nanos), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak, records}
}

// library validates a record at a time the generic way. A fiftieth of the file
// tells its speed; the time is scaled.
func library(t *testing.T, path string) run {
	t.Helper()
	schema, err := os.ReadFile("../schema/stage_05_02_v1.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("record.json", doc))
	compiled, err := c.Compile("record.json")
	require.NoError(t, err)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	in := bufio.NewScanner(io.LimitReader(f, *size/50))
	in.Buffer(nil, 1<<20)
	read := 0
	start, before := time.Now(), processorTime()
	for in.Scan() {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(in.Bytes()))
		if err != nil {
			break // the last line is cut
		}
		require.NoError(t, compiled.Validate(v))
		read += len(in.Bytes()) + 1
	}
	scale := float64(*size) / float64(read)
	return run{took: time.Duration(float64(time.Since(start)) * scale), cpu: time.Duration(float64(processorTime()-before) * scale)}
}

func write(t *testing.T, path string, n int64) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, Write(f, 1, n))
	require.NoError(t, f.Close())
}

// prepare makes the dataset, the same cut in two at a newline, and warms the
// page cache.
func prepare(t *testing.T) (path string, halves []string) {
	t.Helper()
	dir := *folder
	if dir == "" {
		dir = t.TempDir()
	}
	path = filepath.Join(dir, fmt.Sprintf("bench-%d.jsonl", *size))
	halves = []string{path + ".1", path + ".2"}
	if _, err := os.Stat(halves[1]); err != nil {
		write(t, path, *size)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		cut := bytes.IndexByte(data[len(data)/2:], '\n') + len(data)/2 + 1
		require.NoError(t, os.WriteFile(halves[0], data[:cut], 0o600))
		require.NoError(t, os.WriteFile(halves[1], data[cut:], 0o600))
	}
	for _, p := range append(halves, path) {
		f, err := os.Open(p)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	return path, halves
}
