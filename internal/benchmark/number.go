package benchmark

import (
	"strings"

	"github.com/shopspring/decimal"
)

// maxNumber is how many characters a number may have: ample for any score, and
// too few for a coefficient that makes arithmetic slow.
const maxNumber = 40

// maxExponent bounds the written exponent. A decimal of exponent 1e9 is a few
// bytes to write and gigabytes to print.
const maxExponent = 12

// ParseNumber reads a number as people and JSON write it: optional sign,
// digits, a decimal point or comma, an exponent of at most two digits. It
// refuses everything else, spaces and digit groups included.
func ParseNumber(text string) (decimal.Decimal, bool) {
	if len(text) == 0 || len(text) > maxNumber {
		return decimal.Decimal{}, false
	}
	text = strings.Replace(text, ",", ".", 1)
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	if !isMantissa(mantissa) {
		return decimal.Decimal{}, false
	}
	shift := 0
	if scientific {
		var ok bool
		if shift, ok = smallInteger(exponent); !ok {
			return decimal.Decimal{}, false
		}
	}
	d, err := decimal.NewFromString(mantissa)
	if err != nil {
		return decimal.Decimal{}, false
	}
	return d.Shift(int32(shift)), true
}

func isMantissa(s string) bool {
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	digits, points := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// smallInteger reads a signed integer within ±maxExponent.
func smallInteger(s string) (int, bool) {
	sign := 1
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return sign * n, n <= maxExponent
}

// units that a printed figure may end in, with the power of ten they stand for.
var units = []struct {
	text  string
	shift int32
}{
	{"%", -2}, {"ms", -3}, {"мс", -3}, {"seconds", 0}, {"sec", 0}, {"сек", 0}, {"s", 0}, {"с", 0},
}

// AgreesAsPrinted tells whether a printed figure ("0.89", "0,89", "210 s",
// "89 %") is the value v rounded to the digits that it prints. At an exact tie
// both neighbours agree: people round half up, Python half to even. Cutting
// digits off is not rounding.
func AgreesAsPrinted(printed string, v decimal.Decimal) bool {
	text := strings.TrimSpace(printed)
	var shift int32
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.text); ok {
			text, shift = strings.TrimRight(rest, " \u00a0\u202f"), u.shift
			break
		}
	}
	p, ok := ParseNumber(text)
	if !ok {
		return false
	}
	// A unit in the last place; "2e2" and "200" both count as whole units.
	half := decimal.New(5, min(p.Exponent(), 0)+shift-1)
	return p.Shift(shift).Sub(v).Abs().Cmp(half) <= 0
}
