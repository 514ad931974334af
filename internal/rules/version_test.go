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

// catalogues are the versions and what each refuses. A catalogue that was
// released is not changed here: a rule that starts or stops to refuse something
// is another version, under which people approve again.
var catalogues = map[string]string{
	"1": "0e0208e2518c6ffd",
}

func TestTheCatalogueIsOfItsVersion(t *testing.T) {
	var b strings.Builder
	for _, r := range rules.Catalogue() {
		fmt.Fprintln(&b, r.ID, r.Check, r.Starter, r.Full, r.Limit, r.Firm)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))[:16]
	assert.Equal(t, catalogues[rules.Version], sum, "the catalogue has changed: while nothing is released, write the new sum; after that, raise rules.Version and add a line")
}

// While the changelog has nothing but what is unreleased, there is one catalogue.
func TestTheFirstCatalogueIsTheOnlyOneBeforeARelease(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	require.NoError(t, err)
	if released := strings.Count(string(changelog), "\n## [") > 1; !released {
		assert.Len(t, catalogues, 1)
		assert.Equal(t, "1", rules.Version)
	}
}
