package accuracy

import (
	"flag"
	"fmt"
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
	if *show {
		fmt.Printf("%d made-up records, %d kinds of hard negatives\n", *records, Traps())
		Print(os.Stdout, results, traps)
		PrintExamples(os.Stdout, results)
	}
	for _, r := range results {
		assert.GreaterOrEqual(t, r.Recall(), LeastRecall(r.Rule), "recall of %s", r.Rule)
		assert.GreaterOrEqual(t, r.Precision(), LeastPrecision, "precision of %s", r.Rule)
	}
	for kind, rules := range traps {
		for _, rule := range Clean {
			assert.Zero(t, rules[rule], "%s on %q", rule, kind)
		}
	}
}
