package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/templates"
)

type initialise struct {
	Repo string `default:"." placeholder:"DIR" help:"The checkout to write into."`
}

// starters says where each file of templates/init goes.
var starters = []struct{ template, path string }{
	{"pilotgate.yml", policy.Path},
	{"PILOT_APPROVERS", policy.RolesPath},
	{"stage05_benchmark_smoke.yml", ".github/workflows/stage05_benchmark_smoke.yml"},
	{"pilot_finetune.yml", ".github/workflows/pilot_finetune.yml"},
	{"pilot_plan.md", "docs/specs/epic_05/templates/pilot_plan.md"},
	{"data_card.md", "docs/specs/epic_05/templates/data_card.md"},
	{"registry.yaml", "models/registry.yaml"},
	{"model_pointer.yaml", "deploy/model_pointer.yaml"},
}

// Run shows the difference, then writes the files that are not there. A file
// that people have changed is theirs: it is shown and kept.
func (i *initialise) Run(c *call) error {
	tree, err := root(i.Repo)
	if err != nil {
		return err
	}
	defer tree.Close() // only a handle
	owner, _, ok := clonedFrom(c, tree.Name())
	if !ok {
		owner = "your-org"
	}
	var text strings.Builder
	var write []string
	files := map[string][]byte{}
	for _, s := range starters {
		raw, err := templates.Files.ReadFile("init/" + s.template)
		if err != nil { // part of the program
			return fmt.Errorf("read template %s: %w", s.template, err)
		}
		files[s.path] = bytes.ReplaceAll(raw, []byte("{owner}"), []byte(owner))
		was, err := readPlain(tree, s.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			write = append(write, s.path)
			text.Write(diff.Diff("/dev/null", nil, s.path, files[s.path]))
		case err != nil:
			fmt.Fprintf(&text, "%s: kept, %s\n", s.path, err)
		case bytes.Equal(was, files[s.path]):
			fmt.Fprintf(&text, "%s: as it should be\n", s.path)
		default:
			fmt.Fprintf(&text, "%s: kept, yours differs from the starter\n", s.path)
			text.Write(diff.Diff(s.path, was, "starter", files[s.path]))
		}
	}
	if err := c.print(text.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, p := range write {
		if err := create(tree, p, files[p]); err != nil {
			return fmt.Errorf("write %s: %w", p, err)
		}
		if err := c.print("wrote " + p + "\n"); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	if len(write) == 0 {
		return nil
	}
	return c.print("\nNext: put your people into " + policy.RolesPath + ", commit, and set `enforcement: enforce` when you trust what the checks say.\n")
}

// create never replaces a file that came meanwhile.
func create(tree *os.Root, name string, b []byte) error {
	if err := tree.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := tree.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(b); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

var remote = regexp.MustCompile(`[:/]([A-Za-z0-9][A-Za-z0-9-]{0,38})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?/?$`)

// clonedFrom is a repository's name, from the address that it was cloned from.
func clonedFrom(c *call, dir string) (owner, name string, ok bool) {
	//nolint:gosec // a folder that the user named; no shell reads it
	out, err := exec.CommandContext(c, "git", "-C", dir, "config", "remote.origin.url").Output()
	if err != nil {
		return "", "", false
	}
	m := remote.FindStringSubmatch(strings.TrimSpace(string(out)))
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
