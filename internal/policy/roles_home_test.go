package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// A role file that names the documents' folder alone leaves the policy, the
// registry and the rest to the owners of the log, and no plan to anybody.
func TestOwnersOfWhatNoLineNames(t *testing.T) {
	const log = "docs/specs/epic_05/stage_05_03_signoff.md"
	parse := func(lines string) policy.Roles {
		r, problems := policy.ParseRoles(policy.RolesPath, []byte("[ML Lead]\n"+lines+"\n[Operations Owner]\n* @acme/ml-ops\n"))
		require.Zero(t, finding.Count(problems, finding.Error))
		r.Home = log
		return r
	}
	names := func(r policy.Roles, path string) (out []string) {
		for _, o := range r.Owners(policy.MLLead, path) {
			out = append(out, o.String())
		}
		return out
	}
	usual := parse("docs/specs/epic_05/ @irina-ml")
	for _, path := range []string{policy.Path, policy.RolesPath, "models/registry.yaml", "deploy/model_pointer.yaml", ".github/workflows/pilot_finetune.yml"} {
		assert.Equal(t, []string{"@irina-ml"}, names(usual, path), path)
	}
	byLocale := parse("docs/specs/epic_05/pilots/ru-* @irina-ml")
	assert.Empty(t, names(byLocale, "docs/specs/epic_05/pilots/en-digest.md"), "a document that no line names is nobody's")
	assert.Empty(t, names(byLocale, policy.Path), "and neither is the rest, where nobody owns the log")
	named := parse("docs/specs/epic_05/ @irina-ml\nmodels/ @nina\n.github/")
	assert.Equal(t, []string{"@nina"}, names(named, "models/registry.yaml"), "a line that names it decides")
	assert.Empty(t, names(named, policy.Path), "also one without owners")
	usual.Home = ""
	assert.Empty(t, names(usual, policy.Path))
}
