// Package arch holds the plan of the house as a test: which room may import
// which, and what the core never does. docs/architecture.md shows the same
// table to people.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/pilotgate/pilotgate/"

// rooms is what each room may import of ours, in the order of the way through.
// A room's sub-packages belong to it.
var rooms = []struct {
	name string
	may  string // by spaces
	core bool
}{
	{"form", "", true},
	{"finding", "", true},
	{"benchmark", "finding form", true},
	{"policy", "finding benchmark form", true},
	{"plan", "finding benchmark form", true},
	{"registry", "finding benchmark policy/strictyaml form", true},
	{"dataset", "finding", true},
	{"evaluation", "finding benchmark form", true},
	{"sentence", "", true},
	{"ledger", "finding evaluation form", true},
	{"monitoring", "benchmark", true},
	{"report", "sentence ledger evaluation benchmark finding", true},
	{"facts", "finding dataset", true},
	{"dossier", "facts finding policy plan registry ledger benchmark dataset form", true},
	{"approval", "facts policy finding", true},
	{"rules", "report evaluation dossier facts finding policy plan registry ledger benchmark dataset dataset/pii monitoring/watched form", true},
	{"judge", "report rules approval dossier facts finding policy plan registry ledger evaluation benchmark dataset form", true},
	{"render", "sentence report judge rules approval dossier facts finding policy plan ledger benchmark dataset registry", true},
	{"effect", "render judge approval dossier facts finding policy ledger form", true},
	{"bytestore", "facts", false},
	{"scan", "bytestore facts dataset finding", false},
	{"queue", "", false},
	{"webhook", "queue form", false},
	{"gh", "effect facts bytestore queue dataset form", false},
	{"localgit", "facts bytestore", false},
	{"reconcile", "gh queue webhook judge effect facts ledger", false},
	{"server", "reconcile gh queue webhook scan judge facts ledger benchmark monitoring bytestore", false},
	{"fakegithub", "", false},
	{"githubcontract", "fakegithub", false},
	{"oracle", "", false},
	{"demo", "server fakegithub cli/sample judge rules ledger policy dossier finding gh queue webhook registry", false},
	{"cli", "*", false},
}

// outside are packages that the core never imports: it has no clock, no
// network, no processes and no logger.
var outside = []string{
	"net/http", "os/exec", "github.com/google/go-github", "github.com/palantir/go-githubapp",
	"github.com/bradleyfalzon/ghinstallation", "github.com/rs/zerolog", "github.com/nats-io",
}

// unnamed are names that say nothing about what is inside.
var unnamed = []string{"util", "utils", "common", "types", "helpers", "misc", "shared"}

type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
	GoFiles    []string
	Dir        string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Doc,Imports,GoFiles,Dir"}, args...)...)
	cmd.Dir = root(t)
	out, err := cmd.Output()
	require.NoError(t, err)
	var ps []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else {
			require.NoError(t, err)
		}
		ps = append(ps, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	return dir
}

// room is the longest entry of the table that a package of ours belongs to.
func room(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module+"internal/")
	if !ok {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "/")
	return name, true
}

func TestRoomsImportOnlyWhatThePlanAllows(t *testing.T) {
	for _, p := range list(t, "./internal/...") {
		name, _ := room(p.ImportPath)
		i := slices.IndexFunc(rooms, func(r struct {
			name string
			may  string
			core bool
		},
		) bool {
			return r.name == name
		})
		if name == "arch" || name == "threats" {
			continue // tests only
		}
		if !assert.GreaterOrEqual(t, i, 0, "%s is in no room of the plan", p.ImportPath) {
			continue
		}
		for _, imported := range p.Imports {
			other, ours := room(imported)
			switch {
			case ours && other != name && rooms[i].may != "*":
				sub := strings.TrimPrefix(imported, module+"internal/")
				ok := slices.Contains(strings.Fields(rooms[i].may), other) || slices.Contains(strings.Fields(rooms[i].may), sub)
				assert.True(t, ok, "%s imports %s, which the plan does not allow", p.ImportPath, imported)
			case rooms[i].core:
				for _, o := range outside {
					assert.False(t, imported == o || strings.HasPrefix(imported, o+"/"), "%s is core and imports %s", p.ImportPath, imported)
				}
			}
		}
	}
}

// What judges the program shares nothing with it, not even a library.
func TestTheOracleImportsOnlyTheStandardLibrary(t *testing.T) {
	for _, p := range list(t, "./internal/oracle") {
		require.NotEmpty(t, p.GoFiles)
		for _, imported := range p.Imports {
			first, _, _ := strings.Cut(imported, "/")
			assert.NotContains(t, first, ".", "%s imports %s", p.ImportPath, imported)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t, "./...") {
		if p.Name == "main" || len(p.GoFiles) == 0 {
			continue // a command is told by its help; tests alone stand beside what they test
		}
		assert.NotEmpty(t, p.Doc, "%s has no package comment", p.ImportPath)
		for part := range strings.SplitSeq(p.ImportPath, "/") {
			assert.NotContains(t, unnamed, part, p.ImportPath)
		}
	}
}

func TestOneMajorOfGoGithubIsBuilt(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./cmd/pilotgate")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	require.NoError(t, err)
	majors := map[string]bool{}
	for _, m := range regexp.MustCompile(`github\.com/google/go-github/(v\d+)/`).FindAllStringSubmatch(string(out), -1) {
		majors[m[1]] = true
	}
	assert.Equal(t, map[string]bool{"v62": true}, majors)
}

func TestArchitectureShowsEveryRoom(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root(t), "docs", "architecture.md"))
	require.NoError(t, err)
	for _, r := range rooms {
		assert.Contains(t, string(doc), "| `"+r.name+"` |", "docs/architecture.md has no row for the room")
	}
}
