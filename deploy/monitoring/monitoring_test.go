// Package monitoring holds what operators watch Pilotgate itself with: alert
// rules and a dashboard. They are files for Prometheus and Grafana; the tests
// hold them against the metrics that there are.
package monitoring

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// metrics are the names that the source registers.
func metrics(t *testing.T) []string {
	t.Helper()
	name := regexp.MustCompile(`(?:Name:|gauge\()\s*"(pilotgate_[a-z_]+)"`)
	var out []string
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(raw), -1) {
			out = append(out, m[1])
		}
		return err
	}))
	slices.Sort(out)
	require.GreaterOrEqual(t, len(out), 12)
	return slices.Compact(out)
}

var (
	inExpr = regexp.MustCompile(`\bpilotgate_[a-z_]+\b`)
	part   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// named are our metrics in a PromQL expression, a histogram's parts as itself.
// Whether it is PromQL at all, promtool says (promtool_test.go).
func named(expr string) []string {
	var out []string
	for _, m := range inExpr.FindAllString(expr, -1) {
		out = append(out, part.ReplaceAllString(m, ""))
	}
	return out
}

// rule is an alert as Prometheus documents it; another key is an error.
type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	raw, err := os.ReadFile("pilotgate.rules.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	require.NoError(t, yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&file))
	var out []rule
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	require.NotEmpty(t, out)
	return out
}

func TestAlertsAskForMetricsThatAreThere(t *testing.T) {
	known := metrics(t)
	for _, r := range rules(t) {
		for _, m := range named(r.Expr) {
			assert.Contains(t, known, m, r.Alert)
		}
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.Contains(t, []string{"page", "warn"}, r.Labels["severity"], r.Alert)
	}
}

func TestTheDashboardShowsEveryMetric(t *testing.T) {
	raw, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &board))
	var shown []string
	for _, p := range board.Panels {
		for _, x := range p.Targets {
			shown = append(shown, named(x.Expr)...)
		}
	}
	assert.Subset(t, metrics(t), shown, "nothing that is not there")
	assert.Subset(t, shown, metrics(t), "nothing left out")
}

func TestOperationsSaysWhatToDo(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "docs/operations.md"))
	require.NoError(t, err)
	text := string(raw)
	for _, m := range metrics(t) {
		assert.Contains(t, text, "`"+m, m)
	}
	for _, r := range rules(t) {
		assert.Contains(t, text, "`"+r.Alert+"`", r.Alert)
	}
}
