package workflows_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/deploy/workflows"
)

type workflow struct {
	RunName     string            `yaml:"run-name"`
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`
}

type job struct {
	Needs       string            `yaml:"needs"`
	Uses        string            `yaml:"uses"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Secrets     any               `yaml:"secrets"`
	Env         map[string]string `yaml:"env"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	ID    string            `yaml:"id"`
	Name  string            `yaml:"name"`
	Uses  string            `yaml:"uses"`
	If    string            `yaml:"if"`
	Shell string            `yaml:"shell"`
	Dir   string            `yaml:"working-directory"`
	Env   map[string]string `yaml:"env"`
	With  map[string]any    `yaml:"with"`
	Run   string            `yaml:"run"`
}

func read(t *testing.T, name string) (string, workflow) {
	t.Helper()
	raw, err := workflows.Files.ReadFile(name)
	require.NoError(t, err)
	var w workflow
	require.NoError(t, yaml.Unmarshal(raw, &w))
	return string(raw), w
}

// machine does what GitHub's runner does with the steps of these workflows: the
// commands are run as they stand, the actions of GitHub are played with git and
// copies. An expression or a condition that it does not know fails the test.
type machine struct {
	t         *testing.T
	origin    string            // the repository, on its default branch
	inputs    map[string]string // of the dispatch
	ref       string
	path      string // folders with commands before the system's
	artifacts map[string]map[string]string
	log       string
}

func newMachine(t *testing.T, origin, pilot string) *machine {
	return &machine{t: t, origin: origin, inputs: map[string]string{"pilot": pilot}, ref: "refs/heads/main", artifacts: map[string]map[string]string{}}
}

// launch runs the training workflow, its evaluation behind it, and says whether it ended well.
func (m *machine) launch() bool {
	m.t.Helper()
	_, finetune := read(m.t, "pilot_finetune.yml")
	if !m.job(finetune.Jobs["train"]) {
		return false
	}
	after := finetune.Jobs["evaluate"]
	require.Equal(m.t, "train", after.Needs)
	name, ours := strings.CutPrefix(after.Uses, "./"+workflows.Folder)
	require.True(m.t, ours, after.Uses)
	_, evaluate := read(m.t, name)
	return m.job(evaluate.Jobs["evaluate"])
}

func (m *machine) job(j job) bool {
	m.t.Helper()
	require.NotEmpty(m.t, j.Steps)
	workspace, temp := m.t.TempDir(), m.t.TempDir()
	values := map[string]string{
		"github.ref": m.ref, "github.event.repository.default_branch": "main", "runner.temp": temp,
	}
	for name, v := range m.inputs {
		values["inputs."+name] = v
	}
	failed, ok := "", true
	for _, s := range j.Steps {
		switch s.If {
		case "":
			if !ok {
				continue
			}
		case "always()":
		case "failure() && steps.train.outcome == 'failure'":
			if ok || failed != "train" {
				continue
			}
		default:
			m.t.Fatalf("no such condition: %s", s.If)
		}
		if !m.step(s, workspace, temp, values) {
			if ok {
				failed = s.ID
			}
			ok = false
		}
	}
	return ok
}

func (m *machine) step(s step, workspace, temp string, values map[string]string) bool {
	m.t.Helper()
	fill := func(text string) string {
		for name, v := range values {
			text = strings.ReplaceAll(text, "${{ "+name+" }}", v)
		}
		require.NotContains(m.t, text, "${{", "an expression that is not known")
		return text
	}
	with := func(name string) string {
		if s.With[name] == nil {
			return ""
		}
		return fill(fmt.Sprint(s.With[name]))
	}
	action, _, _ := strings.Cut(s.Uses, "@")
	switch action {
	case "":
		return m.command(s, workspace, temp, fill, values)
	case "actions/checkout":
		require.Equal(m.t, false, s.With["persist-credentials"], "a checkout leaves no token behind")
		ref := with("ref")
		if ref == "" {
			ref = "main"
		}
		into := filepath.Join(workspace, with("path"))
		command(m.t, workspace, "git", "clone", "-q", "--no-checkout", m.origin, into)
		if only := with("sparse-checkout"); only != "" {
			require.Equal(m.t, false, s.With["sparse-checkout-cone-mode"], "a file, not a folder with all that lies beside it")
			command(m.t, into, "git", "sparse-checkout", "set", "--no-cone", only)
		}
		command(m.t, into, "git", "checkout", "-q", "--detach", ref)
	case "actions/upload-artifact":
		files := map[string]string{}
		for _, p := range strings.Fields(with("path")) {
			if !filepath.IsAbs(p) {
				p = filepath.Join(workspace, p)
			}
			b, err := os.ReadFile(p)
			if err != nil {
				m.log += "no file " + p + "\n"
				return with("if-no-files-found") != "error"
			}
			files[filepath.Base(p)] = string(b)
		}
		require.NotContains(m.t, m.artifacts, with("name"), "a name is taken once in a run")
		m.artifacts[with("name")] = files
	case "actions/download-artifact":
		require.NoError(m.t, os.MkdirAll(with("path"), 0o755))
		require.Contains(m.t, m.artifacts, with("name"))
		for name, text := range m.artifacts[with("name")] {
			require.NoError(m.t, os.WriteFile(filepath.Join(with("path"), name), []byte(text), 0o600))
		}
	default:
		m.t.Fatalf("no such action: %s", s.Uses)
	}
	return true
}

func (m *machine) command(s step, workspace, temp string, fill func(string) string, values map[string]string) bool {
	m.t.Helper()
	require.NotContains(m.t, s.Run, "${{", "nothing is put into the text of a script")
	file := filepath.Join(m.t.TempDir(), "step")
	require.NoError(m.t, os.WriteFile(file, []byte(s.Run), 0o600))
	output := filepath.Join(m.t.TempDir(), "output")
	args := []string{"bash", "-e", file}
	if s.Shell != "" {
		require.Equal(m.t, "python3 {0}", s.Shell)
		args = []string{python(), file}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = filepath.Join(workspace, s.Dir)
	cmd.Env = []string{"PATH=" + m.path + os.Getenv("PATH"), "HOME=" + temp, "RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + output}
	for name, v := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+fill(v))
	}
	out, err := cmd.CombinedOutput()
	m.log += string(out)
	said, _ := os.ReadFile(output) // absent: it said nothing
	for line := range strings.Lines(string(said)) {
		name, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		values["steps."+s.ID+".outputs."+name] = v
	}
	return err == nil
}

// python is the interpreter itself: what a version manager puts in its place
// changes the PATH.
var python = sync.OnceValue(func() string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "python3"
	}
	return strings.TrimSpace(string(out))
})

func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}
