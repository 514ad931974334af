package dataset

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// decimal is a JSON number read exactly: m * 10^-scale. A number with more
// digits or a wilder exponent than fits is wide and keeps its text.
type decimal struct {
	m     uint64
	scale int32
	neg   bool
	wide  bool
	text  []byte // the literal, only of a wide number; aliases the line
}

const (
	maxDigits    = 18 // of an m that fits; 10^18 < 2^63
	maxScale     = 18 // of a decimal that is not wide
	maxWideScale = 64 // digits after the point, and digits at all, that a metric is still summed with
)

var pow10 = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// plainNumber reads a number of digits and at most a point, as records are made
// of, into d unless that is nil, and gives its end; 0 where it is another, or none.
func plainNumber(b []byte, start int, d *decimal) (end int) {
	const each = 0x0101010101010101
	if len(b)-start < 9 {
		return anyPlainNumber(b, start, d)
	}
	v := binary.LittleEndian.Uint64(b[start:]) ^ '0'*each
	others := (v&(0x7F*each) + (0x80-10)*each | v) & (0x80 * each)
	n := bits.TrailingZeros64(others) / 8 // digits
	if n == 0 || n == 8 {
		return anyPlainNumber(b, start, d)
	}
	digits, scale := v&(1<<(n*8&63)-1), 0
	if end = start + n; b[end] == '.' {
		scale = bits.TrailingZeros64(others&(others-1))/8 - n - 1
		if end += 1 + scale; scale == 0 || end == start+8 {
			return anyPlainNumber(b, start, d)
		}
		// The digits behind the point move over it.
		digits |= v >> (n * 8 & 63) >> 8 << (n * 8 & 63) & (1<<((n+scale)*8&63) - 1)
	}
	if b[start] == '0' && n > 1 || b[end]|0x20 == 'e' {
		return 0
	}
	if d == nil {
		return end
	}
	digits <<= (64 - (n+scale)*8) & 63
	zeros := min(bits.LeadingZeros64(digits)/8, scale) // behind the point, at the end
	d.m, d.scale, d.neg, d.wide = value8(digits<<(zeros*8&63)), int32(scale-zeros), false, false
	return end
}

// value8 gives the value of eight digits: neighbours are added up to pairs, fours
// and eights.
func value8(digits uint64) uint64 {
	digits = digits * (10<<8 + 1) >> 8 & 0x00FF00FF00FF00FF
	digits = digits * (100<<16 + 1) >> 16 & 0x0000FFFF0000FFFF
	return digits * (10_000<<32 + 1) >> 32
}

// anyPlainNumber is plainNumber digit by digit.
func anyPlainNumber(b []byte, start int, d *decimal) (end int) {
	i := start
	m := uint64(0)
	for i < len(b) && b[i]-'0' <= 9 {
		m = m*10 + uint64(b[i]-'0') // too many digits are found out below
		i++
	}
	if i == start || b[start] == '0' && i > start+1 {
		return 0
	}
	scale := 0
	if i < len(b) && b[i] == '.' {
		i++
		for scale = i; i < len(b) && b[i]-'0' <= 9; i++ {
			m = m*10 + uint64(b[i]-'0')
		}
		if scale = i - scale; scale == 0 {
			return 0
		}
	}
	if i-start > maxDigits || i < len(b) && b[i]|0x20 == 'e' {
		return 0
	}
	if d == nil {
		return i
	}
	for scale > 0 && m%10 == 0 {
		m /= 10
		scale--
	}
	d.m, d.scale, d.neg, d.wide = m, int32(scale), false, false
	return i
}

// isShare says quickly of most shares that they are in [0,1].
func (d *decimal) isShare() bool { return !d.wide && !d.neg && d.m <= pow10[d.scale] }

// parseDecimal reads a literal that is already known to be a JSON number.
func parseDecimal(lit []byte) decimal {
	var d decimal
	i := 0
	if lit[0] == '-' {
		d.neg = true
		i = 1
	}
	for i < len(lit) && lit[i] == '0' {
		i++
	}
	from, point := i, len(lit)
	for ; i < len(lit); i++ {
		c := lit[i]
		if c-'0' > 9 {
			if c != '.' {
				break
			}
			point = i
			continue
		}
		d.m = d.m*10 + uint64(c-'0') // too many digits are found out below
	}
	digits, frac := i-from, 0
	if point < i {
		digits--
		frac = i - point - 1
	}
	if digits > maxDigits {
		return decimal{neg: d.neg, wide: true, text: lit}
	}
	exp := 0
	if i < len(lit) { // e or E
		n, err := strconv.ParseInt(string(bytes.TrimPrefix(lit[i+1:], []byte("+"))), 10, 32)
		if err != nil || n > 1000 || n < -1000 {
			return decimal{neg: d.neg, wide: true, text: lit}
		}
		exp = int(n)
	}
	if d.m == 0 {
		return decimal{}
	}
	d.scale = int32(frac - exp)
	if exp != 0 || frac > 0 && lit[i-1] == '0' {
		for d.scale > 0 && d.m%10 == 0 {
			d.m /= 10
			d.scale--
		}
	}
	for d.scale < 0 {
		hi, lo := bits.Mul64(d.m, 10)
		if hi != 0 || lo >= 1e18 {
			return decimal{neg: d.neg, wide: true, text: lit}
		}
		d.m = lo
		d.scale++
	}
	if d.scale > maxScale {
		return decimal{neg: d.neg, wide: true, text: lit}
	}
	return d
}

// form is a number as sign, digits without zeros at either end, and the power
// of ten of the first digit: 0.d1d2d3... * 10^lead. Its cost is linear in the
// literal, whatever the exponent says.
type form struct {
	neg    bool
	digits string
	lead   *big.Int
}

func (d decimal) form() form {
	text := string(d.text)
	if !d.wide {
		text = strconv.FormatUint(d.m, 10) + "e-" + strconv.Itoa(int(d.scale))
	}
	text = strings.TrimPrefix(text, "-")
	mant, expText := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mant, expText = text[:i], strings.TrimPrefix(text[i+1:], "+")
	}
	whole, frac, _ := strings.Cut(mant, ".")
	digits := whole + frac
	lead := big.NewInt(int64(len(whole)))
	trimmed := strings.TrimLeft(digits, "0")
	lead.Sub(lead, big.NewInt(int64(len(digits)-len(trimmed))))
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return form{lead: new(big.Int)}
	}
	if expText != "" {
		// An exponent of more digits than this is beyond any limit, and big
		// parsing of it would not be linear.
		neg := strings.HasPrefix(expText, "-")
		expText = strings.TrimLeft(strings.TrimPrefix(expText, "-"), "0")
		if len(expText) > 30 {
			expText = strings.Repeat("9", 30)
		}
		e := new(big.Int)
		if expText != "" {
			e.SetString(expText, 10)
		}
		if neg {
			e.Neg(e)
		}
		lead.Add(lead, e)
	}
	return form{neg: d.neg, digits: trimmed, lead: lead}
}

// compare orders two decimals exactly.
func (d decimal) compare(e decimal) int {
	if !d.wide && !e.wide {
		if d.neg != e.neg && (d.m != 0 || e.m != 0) {
			if d.neg {
				return -1
			}
			return 1
		}
		// m_d / 10^s_d against m_e / 10^s_e: cross-multiply in 128 bits.
		dh, dl := bits.Mul64(d.m, pow10[e.scale])
		eh, el := bits.Mul64(e.m, pow10[d.scale])
		c := cmp128(dh, dl, eh, el)
		if d.neg {
			return -c
		}
		return c
	}
	a, b := d.form(), e.form()
	sign := func(f form) int {
		switch {
		case f.digits == "":
			return 0
		case f.neg:
			return -1
		}
		return 1
	}
	if sa, sb := sign(a), sign(b); sa != sb || sa == 0 {
		return sa - sb
	}
	c := a.lead.Cmp(b.lead)
	if c == 0 {
		c = strings.Compare(a.digits, b.digits)
	}
	if a.neg {
		return -c
	}
	return c
}

func cmp128(ah, al, bh, bl uint64) int {
	switch {
	case ah < bh || ah == bh && al < bl:
		return -1
	case ah == bh && al == bl:
		return 0
	}
	return 1
}

// isInteger says whether the value is a whole number; JSON Schema counts 1.0
// and 1e2 as integers.
func (d decimal) isInteger() bool {
	if !d.wide {
		return d.scale == 0 // trailing zeros are gone
	}
	f := d.form()
	return f.digits == "" || f.lead.Cmp(big.NewInt(int64(len(f.digits)))) >= 0
}

// scaled gives value * 10^maxWideScale, or false where that is no whole number
// or too large to sum.
func (d decimal) scaled() (*big.Int, bool) {
	f := d.form()
	if f.digits == "" {
		return new(big.Int), true
	}
	if len(f.digits) > maxWideScale || !f.lead.IsInt64() || f.lead.Int64() > maxWideScale {
		return nil, false
	}
	shift := f.lead.Int64() - int64(len(f.digits)) + maxWideScale
	if shift < 0 {
		return nil, false
	}
	v, _ := new(big.Int).SetString(f.digits, 10)
	v.Mul(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(shift), nil))
	if f.neg {
		v.Neg(v)
	}
	return v, true
}

// text of a scaled value, without zeros at the end.
func scaledText(v *big.Int) string {
	neg := v.Sign() < 0
	s := new(big.Int).Abs(v).String()
	if len(s) <= maxWideScale {
		s = strings.Repeat("0", maxWideScale-len(s)+1) + s
	}
	s = s[:len(s)-maxWideScale] + "." + s[len(s)-maxWideScale:]
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if neg {
		s = "-" + s
	}
	return s
}
