package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

func TestNumbersAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"0.89": "0.89", "0,89": "0.89", "2e-5": "0.00002", "2E-5": "0.00002", "2·10⁻⁵": "0.00002", "2×10^-5": "0.00002", "-0.5": "-0.5", "−0.5": "-0.5", "+5": "5",
		"210 s": "210", "210s": "210", "3.4 s": "3.4", "850 ms": "0.85", "210 с": "210", "850 мс": "0.85", "3.5 min": "210", "3,5 мин": "210",
		"5 %": "0.05", "5%": "0.05", "1 250": "1250", "1\u00a0250\u00a0000": "1250000", "1,250,000": "1250000", "1,250.5": "1250.5", "4_096": "4096", "4096 tokens": "4096", "~6 h": "6", "6 часов": "6", "40 записей": "40", "16k": "16000",
	} {
		t.Run(text, func(t *testing.T) {
			d, err := plan.Value{Text: text}.Decimal()
			require.NoError(t, err)
			assert.Equal(t, want, d.String())
		})
	}
	for _, text := range []string{"", "eight", "1 25", "1 2500", "2e", "1e99", "0.8.8", "0.88 apples", "TBD", "1.2.3", "--1", "99999999999999999999999999999999999999999999999999999999999999999"} {
		t.Run("not a number: "+text, func(t *testing.T) {
			_, err := plan.Value{Text: text}.Decimal()
			assert.Error(t, err)
		})
	}
}

func TestWholeNumbers(t *testing.T) {
	for text, want := range map[string]int64{"42": 42, "2,400": 2400, "2 400 records": 2400, "1e3": 1000, "12,345,678": 12345678} {
		t.Run(text, func(t *testing.T) {
			n, err := plan.Value{Text: text}.Integer()
			require.NoError(t, err)
			assert.Equal(t, want, n)
		})
	}
	for _, text := range []string{"4.5", "0,400", "forty", "99999999999999999999"} {
		t.Run("not whole: "+text, func(t *testing.T) {
			_, err := plan.Value{Text: text}.Integer()
			assert.Error(t, err)
		})
	}
}

func TestHours(t *testing.T) {
	for text, want := range map[string]string{"6": "6", "6 h": "6", "6.5 GPU-hours": "6.5", "90 min": "1.5", "7200 s": "2", "12 часов": "12"} {
		t.Run(text, func(t *testing.T) {
			d, err := plan.Value{Text: text}.Hours()
			require.NoError(t, err)
			assert.Equal(t, want, d.String())
		})
	}
}

func TestExactSizes(t *testing.T) {
	n, ok := plan.Value{Text: "31 204 bytes"}.Bytes()
	require.True(t, ok)
	assert.Equal(t, int64(31204), n)
	_, ok = plan.Value{Text: "31 kB"}.Bytes()
	assert.False(t, ok, "a rounded size is not a size")
}
