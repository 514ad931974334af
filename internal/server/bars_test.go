package server_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// figures are what a benchmark measured, each beside its bar where it has one.
// They are printed rather than asserted: a machine that does other things
// besides says so in its first line.
type figures struct {
	t     testing.TB
	title string
	rows  [][3]string // name, figure, bar
	begun time.Time
	busy  time.Duration // of all processors, before
	ours  time.Duration // of this process and those that it has waited for, before
}

func measure(t testing.TB, title string) *figures {
	return &figures{t: t, title: title, begun: time.Now(), busy: busy(t), ours: usage(t, syscall.RUSAGE_SELF) + usage(t, syscall.RUSAGE_CHILDREN)}
}

func (f *figures) say(name, format string, value ...any) {
	f.rows = append(f.rows, [3]string{name, fmt.Sprintf(format, value...)})
}

func (f *figures) atLeast(name, unit string, value, bar float64) {
	f.bar(name, unit, value, value >= bar, strings.TrimSpace(fmt.Sprintf("at least %g %s", bar, unit)))
}

func (f *figures) below(name, unit string, value, bar float64) {
	f.bar(name, unit, value, value < bar, strings.TrimSpace(fmt.Sprintf("under %g %s", bar, unit)))
}

func (f *figures) bar(name, unit string, value float64, met bool, wanted string) {
	verdict := "met"
	if !met {
		verdict = "NOT met"
	}
	f.rows = append(f.rows, [3]string{name, strings.TrimSpace(strconv.FormatFloat(value, 'f', decimals(value), 64) + " " + unit), wanted + ": " + verdict})
}

func decimals(value float64) int {
	if value < 100 && value != math.Trunc(value) {
		return 1
	}
	return 0
}

// print is called when every process that was measured has ended.
func (f *figures) print() {
	took := time.Since(f.begun)
	others := busy(f.t) - f.busy - (usage(f.t, syscall.RUSAGE_SELF) + usage(f.t, syscall.RUSAGE_CHILDREN) - f.ours)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s\n  (%d processors, of which others used %.0f %% meanwhile)\n", f.title, runtime.NumCPU(),
		max(0, 100*others.Seconds()/took.Seconds()/float64(runtime.NumCPU())))
	for _, r := range f.rows {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", r[0], r[1], r[2])
	}
	require.NoError(f.t, w.Flush())
}

// tick is the unit of /proc/stat.
const tick = 10 * time.Millisecond

// busy is the time that all processors together have worked since the system's
// start, for whomever.
func busy(t testing.TB) time.Duration {
	t.Helper()
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0 // not Linux: nothing is known of others
	}
	var user, nice, system, idle, wait, interrupts, soft int64
	_, err = fmt.Sscanf(strings.SplitN(string(raw), "\n", 2)[0], "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &interrupts, &soft)
	require.NoError(t, err)
	return time.Duration(user+nice+system+interrupts+soft) * tick
}

func usage(t testing.TB, who int) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(who, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that a running process has had, in MB. What it is
// said to have had when it has ended counts its parent's before it was itself.
func (p *process) peak(t testing.TB) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return math.NaN() // not Linux: nothing is known
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			require.NoError(t, err)
			return float64(kb) * 1024 / 1e6
		}
	}
	require.Fail(t, "no VmHWM")
	return 0
}

// worked is the processor time of an ended process.
func (p *process) worked() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}
