package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dataset/accuracy"
)

type outcome struct {
	code           int
	stdout, stderr string
}

// run is one command line on streams of one's own; change sets what differs.
func run(t *testing.T, change func(*cli.Streams), args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	s := cli.Streams{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: func() time.Time {
		return time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)
	}}
	if change != nil {
		change(&s)
	}
	code := cli.Run(context.Background(), args, s)
	return outcome{code, out.String(), errs.String()}
}

func dataset(t *testing.T, defects ...sample.Defect) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.jsonl")
	files := sample.Story{Records: 30, Evaluation: 3}.Pilot(defects...)
	require.NoError(t, os.WriteFile(path, files[sample.Dataset], 0o600))
	return path
}

func TestColourIsForTerminals(t *testing.T) {
	path := dataset(t, sample.PhoneNumber)
	for name, c := range map[string]struct {
		change func(*cli.Streams)
		colour bool
	}{
		"pipe":                 {nil, false},
		"terminal":             {func(s *cli.Streams) { s.StdoutTerminal = true }, true},
		"terminal, NO_COLOR":   {func(s *cli.Streams) { s.StdoutTerminal, s.Plain = true, true }, false},
		"only stderr is a tty": {func(s *cli.Streams) { s.StderrTerminal = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, c.change, "dataset", "scan", path)
			assert.Equal(t, 1, got.code)
			assert.Equal(t, c.colour, strings.Contains(got.stdout, "\x1b["))
		})
	}
}

func TestNoValueIsShown(t *testing.T) {
	path := dataset(t, sample.PhoneNumber)
	for _, format := range []string{"text", "json"} {
		got := run(t, nil, "dataset", "scan", path, "--format", format)
		for _, part := range []string{"900 000", "000-00", "9000000000"} {
			assert.NotContains(t, got.stdout+got.stderr, part, format)
		}
	}
}

// TestNoPlantedValueIsShown plants values of every kind, each in a record of
// its own, and looks for them, whole or in part, in all that the command says.
func TestNoPlantedValueIsShown(t *testing.T) {
	var text bytes.Buffer
	var values []string
	kinds := map[string]bool{}
	for _, r := range accuracy.Generate(11, 400) {
		text.Write(r.Line)
		text.WriteByte('\n')
		for _, span := range r.Spans {
			values = append(values, string(r.Line[span.Start:span.End]))
			kinds[span.Rule] = true
		}
	}
	text.WriteString(`{"sample_id":"+7 912 345-67-89","language":"ivan.petrov@mail.ru","channel":"4276 3801 2345 6787","ivan@zavod.ru":1,` + "\n")
	values = append(values, "+7 912 345-67-89", "ivan.petrov@mail.ru", "4276 3801 2345 6787", "ivan@zavod.ru")
	require.Len(t, kinds, 18, "all kinds")
	path := filepath.Join(t.TempDir(), "data.jsonl")
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	for _, args := range [][]string{
		{"dataset", "scan", path},
		{"dataset", "scan", path, "--format", "json"},
		{"dataset", "scan", path, "--format", "sarif"},
		{"dataset", "scan", path, "--eval", path},
		{"benchmark", path},
		{"dataset", "scan", path, "--max-findings", "0"},
	} {
		got := run(t, func(s *cli.Streams) { s.StdoutTerminal = true }, args...)
		require.NotEmpty(t, got.stdout+got.stderr)
		// What is random may look like a part of a value: the run's fingerprints, the folder's name.
		said := fingerprints.ReplaceAllString(strings.ReplaceAll(got.stdout+got.stderr, path, "FILE"), "")
		for _, v := range values {
			r := []rune(v)
			for _, part := range []string{v, string(r[:min(len(r), 7)]), string(r[max(0, len(r)-7):])} {
				assert.NotContains(t, said, part, "%v", args)
			}
		}
	}
}

var fingerprints = regexp.MustCompile(`fingerprint"?:? "?[0-9a-f]{8}\b`)

func TestFingerprintsAreOfOneRun(t *testing.T) {
	path := dataset(t, sample.PhoneNumber)
	first, second := run(t, nil, "dataset", "scan", path, "--format", "json"), run(t, nil, "dataset", "scan", path, "--format", "json")
	assert.Equal(t, 1, first.code)
	assert.NotEqual(t, first.stdout, second.stdout, "the key is made for the run")
}

func TestListedFindingsAreCapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.jsonl")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("{}\n"), 500), 0o600))
	got := run(t, nil, "dataset", "scan", path, "--format", "json", "--max-findings", "3")
	assert.Equal(t, 1, got.code)
	assert.Equal(t, 3, strings.Count(got.stdout, `"severity"`))
	assert.Contains(t, got.stdout, `"DS003": 500`, "the counts are whole")
}

func TestFailuresAreOneLine(t *testing.T) {
	for _, args := range [][]string{
		{"check", "--repo", filepath.Join(t.TempDir(), "none")},
		{"check", "--no-such-flag"},
		{"dataset", "scan"},
		{"dataset", "scan", "none.jsonl"},
		{"benchmark", "none.jsonl"},
		{"explain", "NONE"},
		{"replay", "none.json"},
		{"verify", "--repo", t.TempDir()},
		{"init", "--repo", t.TempDir()},
		{"nonsense"},
	} {
		t.Run(strings.Join(args[:1], " "), func(t *testing.T) {
			got := run(t, nil, args...)
			assert.Equal(t, 2, got.code)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			assert.True(t, strings.HasPrefix(got.stderr, "pilotgate: "), got.stderr)
			assert.Contains(t, got.stderr, "; ", "what to do")
			assert.Empty(t, got.stdout)
		})
	}
}

func TestAnInterruptEndsAScan(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var errs bytes.Buffer
	code := cli.Run(ctx, []string{"dataset", "scan", dataset(t)}, cli.Streams{Stdout: &bytes.Buffer{}, Stderr: &errs, Now: time.Now})
	assert.Equal(t, 2, code)
	assert.Contains(t, errs.String(), "canceled")
}

// Names come out of other people's pull requests; on a terminal they are text.
func TestAnErrorMovesNoTerminal(t *testing.T) {
	for _, args := range [][]string{
		{"dataset", "scan", "\x1b[2J\x1b]0;all is well\x07.jsonl"},
		{"dataset", "scan", "a\u202egpj.lnosj"},
		{"check", "--repo", "\u009b31mred"},
		{"\x1b[2Jcheck"},
	} {
		got := run(t, nil, args...)
		assert.Equal(t, 2, got.code)
		assert.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line")
		for _, c := range strings.TrimSuffix(got.stderr, "\n") {
			assert.True(t, unicode.IsPrint(c), "%U in %q", c, got.stderr)
		}
	}
}
