package dataset_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

func latency(t *testing.T, values ...string) dataset.Metric {
	t.Helper()
	var records []string
	for i, v := range values {
		records = append(records, good(strconv.Itoa(i), set("latency_seconds", json.Number(v))))
	}
	f := scan(t, lines(records...), dataset.Options{})
	require.Equal(t, dataset.MetricNames[4], f.Metrics[4].Name)
	return f.Metrics[4]
}

func TestMetricsAreExact(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		want   dataset.Metric
	}{
		"binary floats would say 0.30000000000000004": {
			[]string{"0.1", "0.2"},
			dataset.Metric{N: 2, Sum: "0.3", Mean: "0.15", Min: "0.1", P95: "0.2", Max: "0.2"},
		},
		"a third has 12 digits": {
			[]string{"1", "1", "2"},
			dataset.Metric{N: 3, Sum: "4", Mean: "1.333333333333", Min: "1", P95: "2", Max: "2"},
		},
		"exponents and many digits": {
			[]string{"1e2", "3.2840149402618408", "0.1000000000000000000000001"},
			dataset.Metric{N: 3, Sum: "103.3840149402618408000000001", Mean: "34.461338313421", Min: "0.1000000000000000000000001", P95: "100", Max: "100"},
		},
		"zero is refused and counts as missing": {
			[]string{"0", "5"},
			dataset.Metric{N: 1, Missing: 1, Sum: "5", Mean: "5", Min: "5", P95: "5", Max: "5"},
		},
		"an exponent beyond measure is refused": {
			[]string{"1e999999999", "1e-999999999", "5"},
			dataset.Metric{N: 1, Missing: 2, Sum: "5", Mean: "5", Min: "5", P95: "5", Max: "5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Name = "latency_seconds"
			assert.Equal(t, c.want, latency(t, c.values...))
		})
	}
}

// TestP95IsNearestRank holds against sorting, with values of every kind of
// storage: few digits, many digits, more than a float64 holds.
func TestP95IsNearestRank(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for _, n := range []int{1, 2, 19, 20, 21, 100, 333} {
		var values []string
		var rats []*big.Rat
		for range n {
			v := strconv.Itoa(1+r.IntN(300)) + "." + strings.Repeat(strconv.Itoa(1+r.IntN(9)), []int{1, 3, 5, 14, 25}[r.IntN(5)])
			values = append(values, v)
			rat, _ := new(big.Rat).SetString(v)
			rats = append(rats, rat)
		}
		m := latency(t, values...)
		got, ok := new(big.Rat).SetString(m.P95)
		require.True(t, ok)
		below, notAbove := 0, 0
		sum := new(big.Rat)
		for _, v := range rats {
			sum.Add(sum, v)
			if v.Cmp(got) < 0 {
				below++
			}
			if v.Cmp(got) <= 0 {
				notAbove++
			}
		}
		rank := (95*n + 99) / 100
		assert.Less(t, below, rank)
		assert.GreaterOrEqual(t, notAbove, rank)
		total, _ := new(big.Rat).SetString(m.Sum)
		assert.Zero(t, sum.Cmp(total), "sum of %d", n)
	}
}
