package plan

import (
	"errors"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// errNotNumber says that a text is no number in any of the accepted forms.
var errNotNumber = errors.New("not a number")

// unit is a word behind a number: the number times factor, 10^shift.
type unit struct {
	names  string
	factor int64
	shift  int32
}

// Seconds are the unit of time, a share of one is the unit of per cent. Hours
// stand for themselves: they are a budget, never compared with seconds.
var unitTable = []unit{
	{"%|percent|процентов|процента|процент", 1, -2},
	{"ms|msec|millisecond|milliseconds|мс|миллисекунд", 1, -3},
	{"s|sec|secs|second|seconds|с|сек|секунд|секунды|секунда", 1, 0},
	{"min|mins|minute|minutes|m|мин|минут|минуты", 60, 0},
	{"h|hr|hrs|hour|hours|ч|час|часа|часов|gpu h|gpu hr|gpu hours|gpu hour|gpu ч|gpu часов", 1, 0},
	{"k|тыс|тысяч", 1, 3},
	{"records|samples|rows|epochs|epoch|tokens|token|gpu|gpus|x|pcs|steps|записей|примеров|строк|эпох|эпохи|эпоха|токенов|шт|карты|карт|pp|пп|п п", 1, 0},
}

var unitOf = indexUnits()

func indexUnits() map[string]unit {
	index := make(map[string]unit)
	for _, u := range unitTable {
		for name := range strings.SplitSeq(u.names, "|") {
			index[name] = u
		}
	}
	return index
}

// Decimal reads the value as a number: decimal point or comma, 2e-5 and
// 2×10⁻⁵, blanks between thousands, units. Times are in seconds, shares of a
// hundred are shares of one.
func (v Value) Decimal() (decimal.Decimal, error) { return parseNumber(v.Text) }

// Integer reads the value as a whole number. Unlike in Decimal, "2,400" has a
// comma between thousands: a whole number has no other use for one.
func (v Value) Integer() (int64, error) {
	text := v.Text
	if digits, _ := cutUnit(text); len(digits) > 4 && digits[0] != '0' {
		if whole, thousands, ok := strings.Cut(strings.TrimSpace(digits), ","); ok && allDigits(whole) && len(whole) <= 3 && len(thousands) == 3 && allDigits(thousands) {
			text = strings.Replace(text, ",", "", 1)
		}
	}
	d, err := parseNumber(text)
	if err != nil {
		return 0, err
	}
	if !d.IsInteger() || !d.BigInt().IsInt64() {
		return 0, errors.New("not a whole number")
	}
	return d.IntPart(), nil
}

// Hours reads a duration in hours: "6 h", "90 min", "6".
func (v Value) Hours() (decimal.Decimal, error) {
	d, err := v.Decimal()
	if err != nil {
		return d, err
	}
	_, u := cutUnit(v.Text)
	switch {
	case strings.Contains("|"+unitTable[3].names+"|", "|"+u+"|") && u != "":
		return d.DivRound(decimal.NewFromInt(3600), 6), nil
	case strings.Contains("|"+unitTable[2].names+"|", "|"+u+"|") && u != "":
		return d.DivRound(decimal.NewFromInt(3600), 6), nil
	}
	return d, nil
}

// maxNumberText bounds the text of a number with its unit, in bytes.
const maxNumberText = 64

func parseNumber(text string) (decimal.Decimal, error) {
	if len(text) > maxNumberText {
		return decimal.Decimal{}, errNotNumber
	}
	digits, name := cutUnit(text)
	u, known := unitOf[name]
	if name != "" && !known {
		return decimal.Decimal{}, errNotNumber
	}
	if name == "" {
		u = unit{factor: 1}
	}
	d, ok := benchmark.ParseNumber(plainDigits(digits))
	if !ok {
		return decimal.Decimal{}, errNotNumber
	}
	if u.factor != 1 {
		// 3.5 min is 210 s, not 210.0 s: the digits of another unit say nothing.
		if d, err := decimal.NewFromString(d.Mul(decimal.NewFromInt(u.factor)).String()); err == nil {
			return d, nil
		}
	}
	return d.Shift(u.shift), nil
}

// cutUnit parts "210 s" into "210" and "s".
func cutUnit(text string) (digits, name string) {
	text = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(text), "~≈±∼"))
	end := 0
	for i, c := range text {
		exponent := (c == 'e' || c == 'E') && i > 0 && isDigit(text[i-1]) && i+1 < len(text) &&
			(isDigit(text[i+1]) || i+2 < len(text) && strings.ContainsRune("+-", rune(text[i+1])) && isDigit(text[i+2]))
		if unicode.IsDigit(c) || exponent || strings.ContainsRune("+-−.,_×·⁻^", c) || c == '⁰' || c == '¹' || c == '²' || c == '³' || c >= '⁴' && c <= '⁹' {
			end = i + len(string(c))
		} else if c != ' ' && c != '\u00a0' && c != '\u202f' && c != '\u2009' {
			break
		}
	}
	name = strings.Trim(strings.ToLower(text[end:]), " \u00a0\u202f\u2009.")
	return text[:end], strings.ReplaceAll(name, "-", " ")
}

// digitForms are the characters of printed numbers that plain ones do not have.
var digitForms = strings.NewReplacer("−", "-", "⁻", "-", "⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5",
	"⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9", "·10", "e", "×10", "e", "× 10", "e", "· 10", "e", "^", "", "\u00a0", " ", "\u202f", " ", "\u2009", " ", "_", " ")

// plainDigits removes blanks between thousands and writes powers of ten as an
// exponent.
func plainDigits(s string) string {
	s = digitForms.Replace(s)
	s = strings.TrimSpace(s)
	s = strings.ReplaceAll(s, " e", "e")
	parts := strings.Split(s, " ")
	for i, p := range parts {
		// Each group behind a blank has three digits, the last perhaps a fraction.
		whole, _, _ := strings.Cut(strings.Replace(p, ",", ".", 1), ".")
		if i > 0 && (len(whole) != 3 || !allDigits(whole)) {
			return ""
		}
	}
	s = strings.Join(parts, "")
	if strings.Count(s, ",") > 1 || strings.Count(s, ",") == 1 && strings.Contains(s, ".") && strings.IndexByte(s, ',') < strings.IndexByte(s, '.') {
		s = strings.ReplaceAll(s, ",", "") // 1,000,000 and 1,000.5
	}
	return s
}

// numberIn finds the number of a numeric field; a text without one is kept
// whole, so that it can be told.
func numberIn(f Field, p phrase) phrase {
	if _, err := parseNumber(p.value().Text); err == nil {
		return p
	}
	words := p.words()
	for i, w := range words {
		t := strings.TrimLeft(w.text(), "~≈x×=")
		lo := len(w.text()) - len(t)
		if !startsWithDigit(t) && !(len(t) > 1 && strings.ContainsRune("+-", rune(t[0])) && isDigit(t[1])) {
			continue
		}
		hi := i
		for hi+1 < len(words) && groupedDigits(trimNumber(words[hi].text()), words[hi+1].text()) {
			hi++
		}
		n := phrase{p.run, w.lo + lo, words[hi].hi}
		if _, err := parseNumber(n.text()); err == nil {
			return n
		}
		if f == LearningRate || f == Seed {
			continue
		}
		// "8×4", "40/40": the number in front.
		end := 0
		for end < len(t) && isDigit(t[end]) {
			end++
		}
		if end > 0 && (end == len(t) || !isLetterByte(t[end])) {
			return w.slice(lo, lo+end)
		}
	}
	return p
}

func trimNumber(s string) string { return strings.TrimLeft(s, "~≈x×=") }

func isLetterByte(c byte) bool { return wordByte(c) && !isDigit(c) || c >= 0x80 }

// hoursIn finds a duration: "~6 h", "about 6 hours on 2 GPUs".
func hoursIn(p phrase) phrase {
	p = p.trimSpace()
	if _, err := parseNumber(p.text()); err == nil {
		return p
	}
	words := p.words()
	for i, w := range words {
		t := trimNumber(w.text())
		if !startsWithDigit(t) {
			continue
		}
		lo := w.lo + len(w.text()) - len(t)
		if i+1 < len(words) && isDuration(words[i+1].text()) {
			return phrase{p.run, lo, words[i+1].hi}
		}
		if _, err := parseNumber(t); err == nil {
			return phrase{p.run, lo, w.hi}
		}
	}
	return p
}

// isHours tells "6h", "~6 ч": a number of hours and nothing else.
func isHours(s string) bool {
	_, name := cutUnit(s)
	if _, err := parseNumber(s); err != nil || name == "" {
		return false
	}
	return strings.Contains("|"+unitTable[4].names+"|", "|"+name+"|")
}

// isDuration tells words for hours, minutes and seconds.
func isDuration(s string) bool {
	s = strings.ReplaceAll(strings.ToLower(strings.Trim(s, ".")), "-", " ")
	for _, row := range unitTable[2:5] {
		if strings.Contains("|"+row.names+"|", "|"+s+"|") {
			return s != ""
		}
	}
	return false
}
