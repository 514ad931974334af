package policy_test

import (
	"testing"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/policy/messagetest"
)

func TestEveryFindingHasItsSentence(t *testing.T) {
	var all []finding.Finding
	for _, c := range policyCases {
		_, fs := policy.Parse(policy.Path, []byte(c.src))
		all = append(all, fs...)
	}
	for _, c := range roleCases {
		_, fs := policy.ParseRoles(policy.RolesPath, []byte(c.src))
		all = append(all, fs...)
	}
	all = append(append(all, reachFindings("docs/a.md")...), reachFindings("docs/a.md", "models/a.yaml")...)
	// What is no file cannot be parsed: whoever reads the tree tells it.
	messagetest.Covers(t, "../../templates/messages", "PO", all, "PO001 not_a_file", "PO020 not_a_file")
}
