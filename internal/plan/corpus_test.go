package plan_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

var update = flag.Bool("update", false, "write the goldens of testdata/plans anew")

const corpus = "../../testdata/plans"

// golden is what a plan of the corpus must read as: its facts, where each value
// stands, and what is told of it.
type golden struct {
	Facts    plan.Facts `json:"facts"`
	Places   []string   `json:"places"` // field line:column text
	Problems []string   `json:"problems,omitempty"`
}

func read(name string, src []byte) golden {
	p := plan.Parse("docs/specs/epic_05/pilots/"+name, src)
	g := golden{Facts: p.Facts()}
	place := func(what string, v plan.Value) {
		if v.At.Line > 0 {
			g.Places = append(g.Places, fmt.Sprintf("%s %d:%d %s", what, v.At.Line, v.At.Column, v.Text))
		}
	}
	var fields []string
	for f := range p.Fields {
		fields = append(fields, string(f))
	}
	slices.Sort(fields)
	for _, f := range fields {
		for _, v := range p.Fields[plan.Field(f)] {
			place(f, v)
		}
	}
	for i, rows := range [][]plan.MetricRow{p.Metrics, p.Acceptance} {
		for _, m := range rows {
			list := []string{"baseline", "acceptance"}[i]
			place(list+" "+m.Metric+" value", m.Value)
			place(list+" "+m.Metric+" threshold", m.Threshold)
			place(list+" "+m.Metric+" status", m.Status)
		}
	}
	for _, f := range p.Problems {
		g.Problems = append(g.Problems, fmt.Sprintf("%s %s %s %d:%d", f.Rule, f.Case, f.Severity, f.At.Line, f.At.Column))
	}
	return g
}

func TestCorpusReadsToItsGoldenFacts(t *testing.T) {
	files, err := filepath.Glob(corpus + "/*.md")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 30)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".md"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			got, err := json.MarshalIndent(read(name, src), "", "  ")
			require.NoError(t, err)
			goldenFile := strings.TrimSuffix(file, ".md") + ".json"
			if *update {
				require.Empty(t, os.Getenv("CI"), "goldens are written by people, not by CI")
				require.NoError(t, os.WriteFile(goldenFile, append(got, '\n'), 0o644))
			}
			want, err := os.ReadFile(goldenFile)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got)+"\n")
		})
	}
}
