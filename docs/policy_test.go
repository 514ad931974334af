package docs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestThePolicyDocumentShowsTheDefaultPolicy(t *testing.T) {
	assert.Contains(t, read(t, "policy.md"), "```yaml\n"+read(t, "../config/pilotgate.default.yml")+"```\n",
		"config/pilotgate.default.yml changed: copy it into docs/policy.md")
}
