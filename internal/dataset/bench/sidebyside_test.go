package bench

import (
	"bufio"
	"bytes"
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
	rounds  = flag.Int("rounds", 3, "runs of each; the fastest counts")
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

type measured struct {
	name   string
	speed  float64 // bytes a second
	peakKB int
	n      int           // records
	cpu    time.Duration // processor time of the fastest run
}

// run is one measurement.
type run struct {
	took, cpu time.Duration
	peakKB    int
	records   int
}

func TestSideBySide(t *testing.T) {
	if !*compare {
		t.Skip("measures for minutes: -compare")
	}
	rg, err := exec.LookPath("rg")
	require.NoError(t, err, "ripgrep is what this is measured against")
	path, halves := prepare(t)

	scans := map[string]*measured{}
	best := func(name string, measure func() run) {
		for range *rounds {
			r := measure()
			m := scans[name]
			if m == nil {
				m = &measured{name: name}
				scans[name] = m
			}
			m.speed = max(m.speed, float64(*size)/r.took.Seconds())
			if m.cpu == 0 || r.cpu < m.cpu {
				m.cpu = r.cpu
			}
			m.peakKB, m.n = max(m.peakKB, r.peakKB), r.records
		}
	}
	args := []string{"-n", "-o", "-b", "--no-filename"}
	for _, p := range patterns {
		args = append(args, "-e", p)
	}
	search := func(threads ...string) (r run) {
		start := time.Now()
		var cmds []*exec.Cmd
		for _, file := range threads {
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
	// In turn, so that a busy machine is busy for all.
	for _, step := range []struct {
		name string
		run  func() run
	}{
		{"ripgrep, both cores", func() run { return search(halves...) }},
		{"full", func() run { return scan(t, "full", path) }},
		{"near", func() run { return scan(t, "near", path) }},
		{"ripgrep, one core", func() run { return search(path) }},
		{"personal data", func() run { return scan(t, "personal data", path) }},
		{"schema library", func() run { return library(t, path) }},
	} {
		best(step.name, step.run)
	}
	fmt.Printf("%-28s %10s %14s %10s\n", "", "MB/s", "MB/core-second", "peak MiB")
	for _, name := range []string{"ripgrep, both cores", "full", "near", "ripgrep, one core", "personal data", "schema library"} {
		m := scans[name]
		fmt.Printf("%-28s %10.0f %14.0f %10.1f\n", name, m.speed/1e6, float64(*size)/1e6/m.cpu.Seconds(), float64(m.peakKB)/1024)
	}
	records := scans["full"].n
	missed := 0
	ratio := func(name, against string, least, aim float64) {
		r := scans[name].speed / scans[against].speed
		byCPU := scans[against].cpu.Seconds() / scans[name].cpu.Seconds()
		verdict := "met"
		if r < least {
			verdict, missed = "missed", missed+1
		} else if r >= aim {
			verdict = "aim met"
		}
		fmt.Printf("%-16s against %-22s %6.2fx (at least %.2fx, aim %.1fx) %s; by processor time %.2fx\n", name, against, r, least, aim, verdict, byCPU)
	}
	ratio("full", "ripgrep, both cores", 0.85, 1.3)
	ratio("near", "ripgrep, both cores", 0.55, 0.9)
	ratio("personal data", "ripgrep, one core", 2, 4)
	ratio("full", "schema library", 6, 15)
	index := float64(16*records) / (1 << 20)
	fmt.Printf("peak memory less 16 bytes a record (%d records, %.1f MiB): %.1f MiB (at most 64)\n", records, index, float64(scans["full"].peakKB)/1024-index)
	if *strict {
		require.Zero(t, missed, "bars missed")
	}
}

// TestLinear scans growing datasets and prints the rate of each.
func TestLinear(t *testing.T) {
	if !*compare {
		t.Skip("measures for minutes: -compare")
	}
	for n := int64(10 << 20); n <= *size*10; n *= 10 {
		path := filepath.Join(t.TempDir(), "d.jsonl")
		write(t, path, n)
		r := scan(t, "full", path)
		fmt.Printf("%6d MiB: %6.0f MB/s, %6.0f MB a core-second, peak %6.1f MiB, %d records\n",
			n>>20, float64(n)/r.took.Seconds()/1e6, float64(n)/r.cpu.Seconds()/1e6, float64(r.peakKB)/1024, r.records)
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
