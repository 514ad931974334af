package cli_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/templates"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pilotgate": cli.Main})
}

var update = flag.Bool("update", false, "rewrite the files that the scripts compare with")

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update && os.Getenv("CI") == "",
		Setup: func(env *testscript.Env) error {
			// A git without the machine's settings, and with fixed ids.
			for _, kv := range []string{
				"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + env.WorkDir, "TERM=dumb",
				"GIT_AUTHOR_NAME=Dana", "GIT_AUTHOR_EMAIL=dana@example.org", "GIT_AUTHOR_DATE=2025-11-20T10:00:00Z",
				"GIT_COMMITTER_NAME=Dana", "GIT_COMMITTER_EMAIL=dana@example.org", "GIT_COMMITTER_DATE=2025-11-20T10:00:00Z",
			} {
				key, value, _ := strings.Cut(kv, "=")
				env.Setenv(key, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"story": story, "pilot": pilot, "fill": fill},
	})
}

// tell reads the flags that story and pilot share.
func tell(ts *testscript.TestScript, args []string) (s sample.Story, dir string, rest []string) {
	flags := flag.NewFlagSet("story", flag.ContinueOnError)
	flags.StringVar(&s.Profile, "profile", "", "")
	flags.BoolVar(&s.LoginsOnly, "logins", false, "")
	flags.BoolFunc("signed", "", func(string) error {
		_, s.SigningKey = sample.ServerKey()
		return nil
	})
	flags.IntVar(&s.Records, "records", 0, "")
	flags.IntVar(&s.Evaluation, "evaluation", 0, "")
	ts.Check(flags.Parse(args))
	if flags.NArg() == 0 {
		ts.Fatalf("name a folder")
	}
	return s, ts.MkAbs(flags.Arg(0)), flags.Args()[1:]
}

// story makes a repository with the sample's default branch: story [flags] DIR.
// With -signed the pilot was merged and signed off already.
func story(ts *testscript.TestScript, _ bool, args []string) {
	s, dir, _ := tell(ts, args)
	files := s.Repository()
	if s.SigningKey.ID != "" {
		files = files.With(s.Pilot())
		added, err := s.Signoff(files, sample.Pilot)
		ts.Check(err)
		files = files.With(added)
	}
	write(ts, dir, files)
	for _, c := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-q", "-m", "the stage as it is"}, {"checkout", "-q", "-b", "pilot"},
	} {
		ts.Check(git(ts, dir, c...))
	}
}

// pilot writes the files of a pilot into the working tree, with the training
// code at the default branch's commit: pilot [flags] DIR [DEFECT...].
func pilot(ts *testscript.TestScript, _ bool, args []string) {
	s, dir, rest := tell(ts, args)
	cmd := exec.Command("git", "rev-parse", "main")
	cmd.Dir = dir
	out, err := cmd.Output()
	ts.Check(err)
	s.Commit = strings.TrimSpace(string(out))
	var defects []sample.Defect
	for _, d := range rest {
		defects = append(defects, sample.Defect(d))
	}
	write(ts, dir, s.Pilot(defects...))
}

func git(ts *testscript.TestScript, dir string, args ...string) error {
	return ts.Exec("git", append([]string{"-C", dir}, args...)...)
}

func write(ts *testscript.TestScript, dir string, files sample.Files) {
	for path, b := range files {
		full := filepath.Join(dir, filepath.FromSlash(path))
		ts.Check(os.MkdirAll(filepath.Dir(full), 0o755))
		ts.Check(os.WriteFile(full, b, 0o644))
	}
}

// fill writes init's plan template, every field filled with the sample's own:
// fill DIR PLAN.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("fill DIR PLAN")
	}
	raw, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(sample.Plan)))
	ts.Check(err)
	p := plan.Parse(sample.Plan, raw)
	template, err := templates.Files.ReadFile("init/pilot_plan.md")
	ts.Check(err)
	text := string(template)
	set := func(key, value string) {
		line := "- " + key + ": TBD\n"
		if strings.Count(text, line) != 1 {
			ts.Fatalf("the template has no line %q", line)
		}
		text = strings.Replace(text, line, "- "+key+": "+value+"\n", 1)
	}
	for key, field := range map[string]plan.Field{
		"Initiator": plan.Initiator, "Scenario": plan.Scenario, "Locale": plan.Locale, "Dataset": plan.Dataset,
		"Dataset sha256": plan.DatasetSHA256, "Records": plan.Records, "Data card": plan.DataCard, "Evaluation dataset": plan.EvaluationDataset,
		"Prompt version": plan.PromptVersion, "Model baseline": plan.BaselineModel, "Training target": plan.TargetModel,
		"Epochs": plan.Epochs, "Batch size": plan.BatchSize, "Learning rate": plan.LearningRate, "Optimiser": plan.Optimiser,
		"Max input tokens": plan.MaxInputTokens, "Hardware": plan.Hardware, "Hardware count": plan.HardwareCount, "Estimated hours": plan.Hours,
		"Seed": plan.Seed, "Git commit": plan.Commit, "Config": plan.Config, "Script": plan.Script, "Rollback target": plan.RollbackTarget,
		"Pointer": plan.Pointer, "Target release": plan.TargetRelease,
	} {
		v, ok := p.Get(field)
		if !ok {
			ts.Fatalf("the sample's plan does not state %s", field)
		}
		set(key, v.Text)
	}
	for key, value := range map[string]string{
		"Latency tolerance": "+5 %", "Drift metrics": "PSI", "Manual QA": "20 samples", "Latency P95": "≤ 210 s",
		"Coverage": "≥ 0.90", "Accuracy": "≥ 0.91", "Coherence": "≥ 0.90", "Informativeness": "≥ 0.88",
	} {
		set(key, value)
	}
	// The table is what `pilotgate benchmark` prints, pasted.
	table, err := os.ReadFile(ts.MkAbs("table"))
	ts.Check(err)
	_, rows, ok := strings.Cut(string(table), "| Metric |")
	from, to := strings.Index(text, "| Metric |"), strings.Index(text, "\n\n## Fine-Tuning")
	if !ok || from < 0 || to < from {
		ts.Fatalf("no table to paste, or no place for it")
	}
	text = text[:from] + "| Metric |" + rows + text[to+1:]
	ts.Check(os.Remove(filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(sample.Plan))))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(args[1])), []byte(text), 0o644))
}
