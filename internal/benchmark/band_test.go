package benchmark_test

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/benchmark"
)

func number(t *testing.T, text string) decimal.Decimal {
	t.Helper()
	d, ok := ParseNumber(text)
	require.True(t, ok, "%q is a number", text)
	return d
}

func TestBandJudgesAtTheEdges(t *testing.T) {
	coverage := NewBand(Higher, "0.88", "0.80", Mean)
	latency := NewBand(Lower, "210", "240", P95)
	onlyPass := NewBand(Higher, "0.88", "0.80", "")
	onlyPass.Warn = nil
	onlyWarn := NewBand(Higher, "0.88", "0.80", "")
	onlyWarn.Pass = nil
	noDirection := NewBand("", "0.88", "0.80", "")

	for _, c := range []struct {
		name  string
		band  Band
		value string
		want  Outcome
	}{
		{"higher, on the pass bound", coverage, "0.88", Pass},
		{"higher, a hair below pass", coverage, "0.8799999999999999999", Warn},
		{"higher, on the warn bound", coverage, "0.80", Warn},
		{"higher, in the gap that people print as 0.80–0.87", coverage, "0.875", Warn},
		{"higher, below warn", coverage, "0.79999", Fail},
		{"lower, on the pass bound", latency, "210", Pass},
		{"lower, a hair above pass", latency, "210.0000001", Warn},
		{"lower, on the warn bound", latency, "240", Warn},
		{"lower, above warn", latency, "240.1", Fail},
		{"pass bound alone never warns", onlyPass, "0.85", Fail},
		{"warn bound alone never passes", onlyWarn, "0.99", Warn},
		{"no bound fails", Band{Better: Higher}, "1", Fail},
		{"no direction fails", noDirection, "0.95", Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, c.band.Judge(number(t, c.value)))
		})
	}
}

// Division would round 2.64 - 1e-30 over 3 to 0.88 and pass it.
func TestBandJudgesTheMeanWithoutRounding(t *testing.T) {
	coverage := NewBand(Higher, "0.88", "0.80", Mean)
	justBelow := decimal.RequireFromString("2.64").Sub(decimal.New(1, -30))
	assert.Equal(t, Warn, coverage.JudgeMean(justBelow, 3))
	assert.Equal(t, Pass, coverage.JudgeMean(decimal.RequireFromString("2.64"), 3))
	assert.Equal(t, Fail, coverage.JudgeMean(decimal.Zero, 0), "nothing measured is no pass")
}

func TestBandEqualLooksAtWhatIsJudged(t *testing.T) {
	a := NewBand(Higher, "0.88", "0.80", Mean)
	assert.True(t, a.Equal(NewBand(Higher, "0.880", "0.8", Avg)), "trailing zeros and avg for mean")
	assert.False(t, a.Equal(NewBand(Higher, "0.87", "0.80", Mean)), "pass bound")
	assert.False(t, a.Equal(NewBand(Higher, "0.88", "0.81", Mean)), "warn bound")
	assert.False(t, a.Equal(NewBand(Lower, "0.88", "0.80", Mean)), "direction")
	assert.False(t, a.Equal(NewBand(Higher, "0.88", "0.80", P95)), "statistic")
	assert.False(t, a.Equal(Band{Pass: a.Pass, Better: Higher, Statistic: Mean}), "no warn bound")
}

func TestBandIsOrderedWhenWarnIsTheWorseSide(t *testing.T) {
	assert.True(t, NewBand(Higher, "0.88", "0.80", "").Ordered())
	assert.False(t, NewBand(Higher, "0.80", "0.88", "").Ordered())
	assert.True(t, NewBand(Lower, "210", "240", "").Ordered())
	assert.False(t, NewBand(Lower, "240", "210", "").Ordered())
	assert.True(t, NewBand(Lower, "240", "240", "").Ordered(), "equal bounds: no warn zone")
}

func TestBandPrintsAsPlansDo(t *testing.T) {
	assert.Equal(t, "≥0.88 pass / ≥0.80 warn", NewBand(Higher, "0.88", "0.80", Mean).String())
	assert.Equal(t, "≤210 pass / ≤240 warn", NewBand(Lower, "210", "240", P95).String())
	assert.Equal(t, "—", Band{}.String())
}

func TestEqualBandsHaveEqualJSON(t *testing.T) {
	one, err := json.Marshal(NewBand(Higher, "0.880", "0.80", Mean))
	require.NoError(t, err)
	assert.JSONEq(t, `{"pass":"0.88","warn":"0.8","better":"higher","statistic":"mean"}`, string(one))
	var back Band
	require.NoError(t, json.Unmarshal(one, &back))
	assert.True(t, back.Equal(NewBand(Higher, "0.88", "0.8", Mean)))
}

func TestParseNumberTakesNumbersOnly(t *testing.T) {
	for text, want := range map[string]string{
		"0.88": "0.88", "0,88": "0.88", "-3": "-3", "+3": "3", "2e-5": "0.00002", "1E2": "100", ".5": "0.5", "210": "210",
	} {
		d, ok := ParseNumber(text)
		require.True(t, ok, text)
		assert.Equal(t, want, d.String(), text)
	}
	for _, text := range []string{
		"", "TBD", "—", "0.8.8", "1,2.3", "-+5", "1e", "1e999999999", "1e13", "NaN", "Infinity", "0x1p4", "1_000", " 1", "٣",
		"0.00000000000000000000000000000000000000001",
	} {
		_, ok := ParseNumber(text)
		assert.False(t, ok, "%q", text)
	}
}

func TestAgreesAsPrinted(t *testing.T) {
	for _, c := range []struct {
		printed, value string
		want           bool
		why            string
	}{
		{"0.89", "0.8881", true, "rounded up"},
		{"0.88", "0.8881", false, "cut off, not rounded"},
		{"0.89", "0.885", true, "a tie, half up"},
		{"0.88", "0.885", true, "a tie, half to even"},
		{"0.90", "0.8949", false, "more digits printed, more must agree"},
		{"0.9", "0.8949", true, "one digit printed"},
		{"0,89", "0.8881", true, "decimal comma"},
		{"89%", "0.8881", true, "percent"},
		{"88.8 %", "0.8881", true, "percent with a digit"},
		{"87 %", "0.8881", false, "percent, another value"},
		{"210 s", "209.6", true, "seconds"},
		{"3.4s", "3.36", true, "seconds without a space"},
		{"209 s", "209.6", false, "another second"},
		{"3400 ms", "3.4", true, "milliseconds"},
		{"TBD", "0.8", false, "no figure"},
		{"", "0", false, "nothing printed"},
		{"2e2", "200.4", true, "an exponent counts as whole units"},
	} {
		t.Run(c.why, func(t *testing.T) {
			assert.Equal(t, c.want, AgreesAsPrinted(c.printed, number(t, c.value)))
		})
	}
}

func TestParseMetricName(t *testing.T) {
	for text, want := range map[string][2]string{
		"coverage": {Coverage, ""}, "Coverage": {Coverage, ""}, "**Accuracy**": {Accuracy, ""},
		"Coherence score": {Coherence, ""}, "informativeness (mean)": {Informativeness, Mean},
		"Latency (P95)": {Latency, P95}, "Latency P95": {Latency, P95}, "latency, p-95": {Latency, P95},
		"P95 latency": {Latency, P95}, "Latency (avg)": {Latency, Avg}, "latency_seconds": {Latency, ""},
		"Latency 95th percentile": {Latency, P95}, "Задержка (P95)": {Latency, P95}, "Задержка, 95-й перцентиль": {Latency, P95},
		"Время ответа, среднее": {Latency, Avg}, "Полнота": {Coverage, ""}, "Точность": {Accuracy, ""},
		"Связность": {Coherence, ""}, "Информативность": {Informativeness, ""},
	} {
		name, statistic, ok := ParseMetricName(text)
		require.True(t, ok, text)
		assert.Equal(t, want, [2]string{name, statistic}, text)
	}
	for _, text := range []string{
		"", "Metric", "score", "coverage and accuracy", "coverage threshold", "test coverage", "Latency (P99)", "Latency P95 avg", "95",
	} {
		name, _, ok := ParseMetricName(text)
		assert.False(t, ok, "%q is %q", text, name)
	}
}

func TestMetricsHaveDirections(t *testing.T) {
	for _, m := range Metrics() {
		assert.True(t, Known(m))
		assert.NotEmpty(t, DirectionOf(m), m)
	}
	assert.False(t, Known("bleu"))
	assert.Empty(t, DirectionOf("bleu"))
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"0.88", "0,88", "2e-5", "1e999999999", "-+5", "—"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := ParseNumber(s); ok && len(d.String()) > 80 {
			t.Fatalf("%q prints %d characters", s, len(d.String()))
		}
		AgreesAsPrinted(s, decimal.Zero)
		if name, _, ok := ParseMetricName(s); ok && !Known(name) {
			t.Fatalf("%q is no canonical name", name)
		}
	})
}
