package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

const team = `# .github/PILOT_APPROVERS
[ML Lead]
docs/specs/epic_05/            @acme/ml-leads @irina-ml
docs/specs/epic_05/pilots/*.md @irina-ml	# the lead herself

[Operations Owner]   # on call
docs/specs/epic_05/            @acme/ml-ops
/models/                       @Oleg-Ops @acme/ml-ops
*.yaml                         @vera-sre
docs/specs/epic_05/drafts/
`

func parseRoles(t *testing.T, src string) policy.Roles {
	t.Helper()
	r, findings := policy.ParseRoles(policy.RolesPath, []byte(src))
	for _, f := range findings {
		require.Equal(t, finding.Warning, f.Severity, "%s %s at %d", f.Rule, f.Case, f.At.Line)
	}
	return r
}

func names(owners []policy.Owner) string {
	out := make([]string, len(owners))
	for i, o := range owners {
		out[i] = fmt.Sprintf("%s:%d", o, o.Line)
	}
	return strings.Join(out, " ")
}

func TestOwnersOfAPath(t *testing.T) {
	r := parseRoles(t, team)
	for _, c := range []struct{ role, path, want string }{
		{policy.MLLead, "docs/specs/epic_05/stage_05_03_pilot.md", "@acme/ml-leads:3 @irina-ml:3"},
		{policy.MLLead, "docs/specs/epic_05/pilots/ru.md", "@irina-ml:4"},
		{policy.OperationsOwner, "docs/specs/epic_05/pilots/ru.md", "@acme/ml-ops:7"},
		{policy.OperationsOwner, "models/registry.yaml", "@vera-sre:9"},
		{policy.OperationsOwner, "models/card.md", "@Oleg-Ops:8 @acme/ml-ops:8"},
		{policy.OperationsOwner, "old/models/card.md", ""},
		{policy.OperationsOwner, "docs/specs/epic_05/drafts/x.md", ""},
		{policy.MLLead, "README.md", ""},
		{"Legal", "docs/specs/epic_05/pilots/ru.md", ""},
	} {
		assert.Equal(t, c.want, names(r.Owners(c.role, c.path)), "%s of %s", c.role, c.path)
	}
	assert.Equal(t, "@acme/ml-leads:3 @acme/ml-ops:7", names(r.Teams()), "each once")
	assert.Equal(t, []string{"ML Lead", "Operations Owner"}, r.Required())
	assert.Equal(t, r.Required(), policy.Roles{}.Required(), "whatever the file says")
	assert.Empty(t, policy.Roles{}.Owners(policy.MLLead, "x"), "no file, nobody")
}

func TestOwnersCannotBeChangedThroughTheAnswer(t *testing.T) {
	r := parseRoles(t, roleFile)
	r.Owners(policy.MLLead, "x")[0].Login = "mallory"
	assert.Equal(t, "@irina-ml:2", names(r.Owners(policy.MLLead, "x")))
}

func TestLoginsAsGitHubHasThem(t *testing.T) {
	for owner, want := range map[string]bool{
		"@a": true, "@a-b": true, "@" + strings.Repeat("a", 39): true, "@dana_acme": true, "@acme/ml_ops.eu": true,
		"@": false, "@-a": false, "@a-": false, "@a--b": false, "@" + strings.Repeat("a", 40): false, "@a/": false, "@/b": false, "@a.b": false,
	} {
		_, findings := policy.ParseRoles(policy.RolesPath, []byte(roleFile+"docs/ "+owner+"\n"))
		assert.Equal(t, want, len(findings) == 0, owner)
	}
}

// Line ends, tabs and comments are the writer's affair.
func TestRoleFileLayoutDoesNotMatter(t *testing.T) {
	loose := strings.ReplaceAll("  [ML Lead]\t# lead\n*\t@irina-ml  # she\n\n# ops: Олег\n[Operations Owner]\n*   @oleg-ops\t@acme/ml-ops\n", "\n", "\r\n")
	assert.Empty(t, parseRoles(t, roleFile).Difference(parseRoles(t, loose)))
}

func TestRolesDifference(t *testing.T) {
	before := parseRoles(t, roleFile)
	after := parseRoles(t, "[ML Lead]\n* @mallory\n[Operations Owner]\ndocs/ @oleg-ops\n* @oleg-ops @acme/ml-ops\ndocs/\n")
	assert.Equal(t, []policy.Change{
		{Key: "ML Lead · *", From: "@irina-ml", To: "@mallory"},
		{Key: "Operations Owner · docs/", From: "", To: "@oleg-ops"},
		{Key: "Operations Owner · docs/ (2)", From: "", To: "nobody"},
		{Key: "Operations Owner · order", From: "", To: "docs/, *, docs/"},
	}, before.Difference(after))
	swapped := parseRoles(t, "[ML Lead]\na @x\nb @y\n[Operations Owner]\n* @z\n").Difference(parseRoles(t, "[ML Lead]\nb @y\na @x\n[Operations Owner]\n* @z\n"))
	assert.Equal(t, []policy.Change{{Key: "ML Lead · order", From: "a, b", To: "b, a"}}, swapped, "the last matching line decides")
}

func TestRoleFileCapsAreTakenAtTheirEdge(t *testing.T) {
	for name, src := range map[string]string{
		"bytes":   roleFile + "#" + strings.Repeat("x", 64<<10-len(roleFile)-1),
		"lines":   roleFile + strings.Repeat("\n", 1_000-5),
		"owners":  roleFile + "* " + strings.ReplaceAll(list(50, "@u%d"), ",", ""),
		"pattern": roleFile + strings.Repeat("a", 300) + " @max",
	} {
		_, findings := policy.ParseRoles(policy.RolesPath, []byte(src))
		assert.Empty(t, findings, name)
	}
}

func TestAMailAddressIsNotRepeated(t *testing.T) {
	_, findings := policy.ParseRoles(policy.RolesPath, []byte(roleFile+"docs/ max@example.org\n"))
	require.Len(t, findings, 1)
	assert.Empty(t, findings[0].Args)
}

func FuzzParseRoles(f *testing.F) {
	f.Add([]byte(team))
	for _, c := range roleCases {
		if len(c.src) < 1_000 {
			f.Add([]byte(c.src))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		r, findings := policy.ParseRoles(policy.RolesPath, src)
		lines := strings.Count(string(src), "\n") + 1
		for _, x := range findings {
			if x.At.Line < 1 || x.At.Line > lines {
				t.Fatalf("%s %s at line %d of %d", x.Rule, x.Case, x.At.Line, lines)
			}
		}
		for _, role := range r.Required() {
			for _, o := range r.Owners(role, "docs/specs/epic_05/pilots/x.md") {
				if strings.ContainsFunc(o.String(), func(c rune) bool { return c > '~' }) || o.Line < 1 || (o.Login == "") == (o.Team == "") {
					t.Fatalf("owner %+v", o)
				}
			}
		}
		if len(r.Difference(r)) > 0 {
			t.Fatal("roles differ from themselves")
		}
	})
}
