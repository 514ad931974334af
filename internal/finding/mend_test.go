package finding_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/finding"
)

func TestMended(t *testing.T) {
	at := func(start, end int, text string) finding.Mend {
		return finding.Mend{Path: "a", Start: start, End: end, Text: text}
	}
	for name, c := range map[string]struct {
		mends []finding.Mend
		want  string
		n     int
	}{
		"none":                  {nil, "0123456789", 0},
		"one":                   {[]finding.Mend{at(2, 4, "xyz")}, "01xyz456789", 1},
		"two, in any order":     {[]finding.Mend{at(2, 3, "x"), at(8, 9, "y")}, "01x34567y9", 2},
		"an insertion":          {[]finding.Mend{at(10, 10, "!")}, "0123456789!", 1},
		"the same twice":        {[]finding.Mend{at(2, 3, "x"), at(2, 3, "x")}, "01x3456789", 1},
		"overlapping":           {[]finding.Mend{at(2, 5, "x"), at(4, 6, "y")}, "0123y6789", 1},
		"beyond the end":        {[]finding.Mend{at(9, 11, "x")}, "0123456789", 0},
		"of another file":       {[]finding.Mend{{Path: "b", Start: 0, End: 1}}, "0123456789", 0},
		"side by side":          {[]finding.Mend{at(2, 4, "x"), at(4, 5, "y")}, "01xy56789", 2},
		"before the beginning":  {[]finding.Mend{at(-1, 1, "x")}, "0123456789", 0},
		"from end to beginning": {[]finding.Mend{at(4, 2, "x")}, "0123456789", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, n := finding.Mended([]byte("0123456789"), "a", c.mends)
			assert.Equal(t, c.want, string(got))
			assert.Equal(t, c.n, n)
		})
	}
}
