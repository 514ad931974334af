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

	"github.com/pilotgate/pilotgate/deploy/workflows"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/templates"
)

type initialise struct {
	Repo string `default:"." placeholder:"DIR" help:"The checkout to write into."`
}

// starters says where each file of templates/init goes; the workflows of
// deploy/workflows follow them.
var starters = []struct{ template, path string }{
	{"pilotgate.yml", policy.Path},
	{"PILOT_APPROVERS", policy.RolesPath},
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
	var order []string
	for _, s := range starters {
		raw, err := templates.Files.ReadFile("init/" + s.template)
		if err != nil { // part of the program
			return fmt.Errorf("read template %s: %w", s.template, err)
		}
		files[s.path] = bytes.ReplaceAll(raw, []byte("{owner}"), []byte(owner))
		order = append(order, s.path)
	}
	for _, name := range workflows.Names {
		raw, err := workflows.Files.ReadFile(name)
		if err != nil { // part of the program
			return fmt.Errorf("read workflow %s: %w", name, err)
		}
		files[workflows.Folder+name] = raw
		order = append(order, workflows.Folder+name)
	}
	for _, p := range order {
		was, err := readPlain(tree, p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			write = append(write, p)
			text.Write(diff.Diff("/dev/null", nil, p, files[p]))
		case err != nil:
			fmt.Fprintf(&text, "%s: kept, %s\n", p, err)
		case bytes.Equal(was, files[p]):
			fmt.Fprintf(&text, "%s: as it should be\n", p)
		default:
			fmt.Fprintf(&text, "%s: kept, yours differs from the starter\n", p)
			text.Write(diff.Diff(p, was, "starter", files[p]))
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
