package accuracy

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestForms: each form that is written down is found whole or, where an
// identifier may be read wider or narrower, in part; nothing else is found.
func TestForms(t *testing.T) {
	for i, seed := range []uint64{*seed, *seed + 1, *seed + 2} {
		results, traps := forms(t, seed)
		for _, r := range results {
			assert.Zero(t, r.Missed, "missed of %s: %s", r.Rule, strings.Join(r.Examples, "\n"))
			assert.Zero(t, r.Wrong, "wrong of %s: %s", r.Rule, strings.Join(r.Examples, "\n"))
		}
		if *show && i == 0 {
			fmt.Println("forms written by hand")
			Print(os.Stdout, results, traps)
			PrintExamples(os.Stdout, results)
		}
	}
}

func forms(t *testing.T, seed uint64) ([]Result, map[string]map[string]int) {
	t.Helper()
	f, err := os.Open("testdata/forms.txt")
	require.NoError(t, err)
	defer f.Close()
	records, err := ReadForms(f, seed)
	require.NoError(t, err)
	results, traps, err := Score(records)
	require.NoError(t, err)
	return results, traps
}

func TestReadFormsRefuses(t *testing.T) {
	for _, text := range []string{"⟦PII101 +7", "⟦PII101⟧", "‹inn12 dddddddddddd", "‹inn12 ddd›", "‹what ddd›"} {
		_, err := ReadForms(strings.NewReader(text), 1)
		assert.Error(t, err, text)
	}
}
