package report_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/report"
)

var update = flag.Bool("update", false, "write the examples")

// The examples under testdata/ are what people read at GitHub.
func TestExamples(t *testing.T) {
	for name := range stories {
		for _, language := range []string{"en", "ru"} {
			if language == "ru" && name != "go" && name != "n-too-small" {
				continue
			}
			t.Run(name+" "+language, func(t *testing.T) {
				in := evaluated(name)
				in.Language = language
				golden(t, name+"."+language+".md", report.Regenerate(nil, in))
				chart, err := report.Chart(in.Evaluated(), language)
				require.NoError(t, err)
				golden(t, name+"."+language+".svg", chart)
			})
		}
	}
	golden(t, "awaited.en.md", report.Regenerate(nil, awaited()))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.Empty(t, os.Getenv("CI"), "examples are written by people, not by CI")
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s; -update writes it", name)
}
