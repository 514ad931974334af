//go:build !race || real

// One goroutine compares a lot; `make test-real` has the race detector watch it.

package dataset

import (
	"math/rand/v2"
	"testing"
)

func TestValidatorAgreesWithTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for _, p := range pairs(t) {
		w := newWalker(&told{})
		for _, seed := range schemaSeeds {
			for range 1500 {
				line := seed
				for range 1 + r.IntN(3) {
					line = mutate(r, line)
				}
				agree(t, p, w, []byte(line))
			}
		}
	}
}
