package policy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

const reachFile = `[ML Lead]
docs/ @irina-ml @gone @acme/ml-leads
models/ @vera-sre
[Operations Owner]
docs/ @acme/afar @acme/none @acme/empty
models/ @oleg-ops
`

// reaching is what GitHub says of the owners of reachFile.
func reaching(o policy.Owner) policy.Reach {
	return map[string]policy.Reach{
		"@irina-ml": policy.Reaching, "@gone": policy.Outside, "@acme/ml-leads": policy.Reaching, "@oleg-ops": policy.Reaching,
		"@acme/afar": policy.Outside, "@acme/none": policy.NoTeam, "@acme/empty": policy.NoMember,
	}[o.String()]
}

func reachFindings(paths ...string) []finding.Finding {
	r, _ := policy.ParseRoles(policy.RolesPath, []byte(reachFile))
	return r.Unreachable(paths, reaching)
}

func TestOwnersWhoCannotBeReached(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		want  []string
	}{
		{"no document", nil, nil},
		{"somebody is left of the leads, nobody of operations", []string{"docs/a.md"}, []string{
			"error nobody 4", "warning outside 2", "warning no_member 5", "warning no_team 5", "warning team_outside 5",
		}},
		{"who was not asked about holds the role", []string{"models/a.yaml"}, nil},
		{"nobody owns all of it", []string{"docs/a.md", "models/a.yaml"}, []string{"error nobody_for_all 1", "error nobody_for_all 4"}},
		{"nobody owns any of it", []string{"README.md"}, []string{"error nobody 1", "error nobody 4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range reachFindings(c.paths...) {
				assert.Equal(t, policy.RolesPath, f.At.Path)
				got = append(got, fmt.Sprintf("%s %s %d", f.Severity, f.Case, f.At.Line))
			}
			assert.Equal(t, c.want, got)
		})
	}
}
