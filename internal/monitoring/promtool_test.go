//go:build real

package monitoring_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/monitoring"
)

func promtool(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// laid are the files of a watch in a folder of their own.
func laid(t *testing.T, w monitoring.Watch) string {
	t.Helper()
	dir := t.TempDir()
	for path, data := range files(t, w) {
		at := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
		require.NoError(t, os.WriteFile(at, data, 0o600))
	}
	return dir
}

func TestPromtoolPassesRulesAndTests(t *testing.T) {
	for name, w := range watches() {
		dir := laid(t, w)
		out, err := promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", "prometheus/"+w.Pilot+".rules.yml")
		require.NoError(t, err, "%s: %s", name, out)
		out, err = promtool(t, dir, "test", "rules", "prometheus/tests/"+w.Pilot+".rules.test.yml")
		require.NoError(t, err, "%s: %s", name, out)
	}
}

// mutant is the rules with one threshold moved.
type mutant struct {
	what   string
	metric string // of the rule; "" for drift and age
	rules  []byte
}

// moved is every rule file that differs from the written one in one number by
// one step either way: a digit finer than it is written with, or its last digit.
// Waiting times move by a minute.
func moved(t *testing.T, w monitoring.Watch) []mutant {
	t.Helper()
	src := files(t, w)["prometheus/"+w.Pilot+".rules.yml"]
	original, errs := rulefmt.Parse(src, false)
	require.Empty(t, errs)
	var out []mutant
	add := func(rule int, what string, change func(*monitoring.Rule)) {
		var f monitoring.RuleFile
		require.NoError(t, yaml.Unmarshal(src, &f))
		r := &f.Groups[0].Rules[rule]
		change(r)
		raw, err := f.YAML("moved\n")
		require.NoError(t, err)
		_, errs := rulefmt.Parse(raw, false)
		require.Empty(t, errs, what)
		out = append(out, mutant{fmt.Sprintf("rule %d, %s%s %s: %s", rule, r.Alert, r.Record, r.Labels["metric"], what), r.Labels["metric"], raw})
	}
	for i, r := range original.Groups[0].Rules {
		expr, err := parser.ParseExpr(r.Expr)
		require.NoError(t, err)
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			number, ok := n.(*parser.NumberLiteral)
			if !ok {
				return nil
			}
			from, to := int(number.PosRange.Start), int(number.PosRange.End)
			was := decimal.RequireFromString(r.Expr[from:to])
			for _, exponent := range []int32{min(was.Exponent(), 0) - 1, min(was.Exponent(), 0)} {
				for _, sign := range []int64{-1, 1} {
					is := was.Add(decimal.New(sign, exponent))
					text := r.Expr[:from] + is.String() + r.Expr[to:]
					add(i, was.String()+" is "+is.String(), func(r *monitoring.Rule) { r.Expr = text })
				}
			}
			return nil
		})
		for _, d := range []time.Duration{-time.Minute, time.Minute} {
			if wait := time.Duration(r.For); wait > 0 {
				text := fmt.Sprintf("%dm", int((wait + d).Minutes()))
				add(i, "waits "+text, func(r *monitoring.Rule) { r.For = text })
			}
		}
	}
	return out
}

// about are the generated tests of a metric, or those of none.
func about(t *testing.T, w monitoring.Watch, metric string) []byte {
	t.Helper()
	var f monitoring.TestFile
	require.NoError(t, yaml.Unmarshal(files(t, w)["prometheus/tests/"+w.Pilot+".rules.test.yml"], &f))
	f.Tests = slices.DeleteFunc(f.Tests, func(c monitoring.Test) bool {
		of := slices.IndexFunc(benchmark.Metrics(), func(m string) bool { return strings.HasPrefix(c.Name, m+" ") })
		return metric == "" && of >= 0 || metric != "" && (of < 0 || benchmark.Metrics()[of] != metric)
	})
	require.NotEmpty(t, f.Tests)
	raw, err := f.YAML("of " + metric + "\n")
	require.NoError(t, err)
	return raw
}

// Moving any threshold by one step makes a generated test fail.
func TestEveryThresholdIsHeld(t *testing.T) {
	w := digest()
	dir := laid(t, w)
	all := moved(t, w)
	require.GreaterOrEqual(t, len(all), 4*(10+2+1)+4*9)
	tests := map[string][]byte{"": about(t, w, "")}
	for m := range w.Bands {
		tests[m] = about(t, w, m)
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, m := range all {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			at := filepath.Join(dir, fmt.Sprint(i), "prometheus")
			file := filepath.Join(at, "tests", w.Pilot+".rules.test.yml")
			if !assert.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700)) {
				return
			}
			assert.NoError(t, os.WriteFile(filepath.Join(at, w.Pilot+".rules.yml"), m.rules, 0o600))
			assert.NoError(t, os.WriteFile(file, tests[m.metric], 0o600))
			out, err := promtool(t, at, "test", "rules", file)
			assert.Error(t, err, "no test notices: %s", m.what)
			assert.True(t, err == nil || strings.Contains(out, "FAILED"), "%s: %s", m.what, out)
		})
	}
	group.Wait()
	t.Logf("%d moved thresholds, each noticed", len(all))
}
