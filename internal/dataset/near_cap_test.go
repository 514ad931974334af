//go:build !race

package dataset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// TestNearTableTellsWhatItCouldNotCompare fills the table of near duplicates to its cap with records
// of few words: the rest is told as not compared.
func TestNearTableTellsWhatItCouldNotCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("half a million records")
	}
	const most = 1 << 19
	var text strings.Builder
	for i := range most + 1 {
		fmt.Fprintf(&text, "{\"source_text\":\"%d\"}\n", i)
	}
	o := dataset.Options{NearDuplicates: true, Without: dataset.Exclusions{Hash: true, PersonalData: true, Locale: true}}
	whole := scan(t, text.String(), o)
	assert.Equal(t, 1, count(whole, "DS032", "partial"))
	at := strings.LastIndex(text.String()[:text.Len()-1], "\n") + 1
	assert.Zero(t, count(scan(t, text.String()[:at], o), "DS032", "partial"), "at the cap")
}
