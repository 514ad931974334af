package accuracy

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	show    = flag.Bool("show", false, "print the table")
	seed    = flag.Uint64("seed", 1, "of the records")
	records = flag.Int("records", 5000, "how many")
)

func TestBars(t *testing.T) {
	results, traps, err := Score(Generate(*seed, *records))
	require.NoError(t, err)
	if *show || testing.Verbose() {
		Print(os.Stdout, results, traps, *show)
	}
	bars := map[string]float64{"PII106": 0.90, "PII107": 0.90, "PII112": 0.90, "PII113": 0.90}
	for _, r := range results {
		bar, ok := bars[r.Rule]
		if !ok {
			bar = 0.97
		}
		assert.GreaterOrEqual(t, r.Recall(), bar, "recall of %s", r.Rule)
		assert.GreaterOrEqual(t, r.Precision(), 0.98, "precision of %s", r.Rule)
	}
	for kind, rules := range traps {
		for _, rule := range []string{"PII103", "PII104", "PII108", "PII115"} {
			assert.Zero(t, rules[rule], "%s on %q", rule, kind)
		}
	}
}
