package monitoring_test

import (
	"testing"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/monitoring"
)

// What is written is what Prometheus' own reader reads.
func TestPrometheusReadsWhatIsWritten(t *testing.T) {
	file := monitoring.RuleFile{Groups: []monitoring.RuleGroup{{Name: "g", Interval: "30s", Rules: []monitoring.Rule{
		{Record: "scenario:x:max", Expr: "max by (scenario) (\n  x\n)", Labels: map[string]string{"b": "2", "a": "1"}},
		{Alert: "High", Expr: "scenario:x:max > 1", For: "5m", Annotations: map[string]string{"summary": `{{ $value }}: "quoted"`}},
	}}}}
	src, err := file.YAML("Two\nlines.\n")
	require.NoError(t, err)
	assert.Contains(t, string(src), "# Two\n# lines.\n")

	read, errs := rulefmt.Parse(src, false)
	require.Empty(t, errs)
	require.Len(t, read.Groups, 1)
	require.Len(t, read.Groups[0].Rules, 2)
	recorded, alert := read.Groups[0].Rules[0], read.Groups[0].Rules[1]
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, recorded.Labels)
	assert.Equal(t, `{{ $value }}: "quoted"`, alert.Annotations["summary"])
	expr, err := parser.ParseExpr(recorded.Expr)
	require.NoError(t, err)
	assert.Equal(t, "max by (scenario) (x)", expr.String())
}
