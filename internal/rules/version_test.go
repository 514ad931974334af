package rules_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/rules"
)

// released are the catalogues that went out with a release, by version: the
// first half of a sum over what each rule refuses. A line here is not changed. A
// rule that starts or stops to refuse something afterwards is another version,
// under which people approve again.
var released = map[string]string{}

// Before the first release nobody has approved anything, and the catalogue is
// version 1 whatever it holds. From then on it is held to its version.
func TestTheCatalogueIsOfItsVersion(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	require.NoError(t, err)
	var b strings.Builder
	for _, r := range rules.Catalogue() {
		fmt.Fprintln(&b, r.ID, r.Check, r.Starter, r.Full, r.Limit, r.Firm)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))[:32]
	if strings.Count(string(changelog), "\n## [") > 1 {
		assert.Equal(t, released[rules.Version], sum, "add what is released, or raise rules.Version")
	} else {
		assert.Empty(t, released)
		assert.Equal(t, "1", rules.Version)
	}
}
