package accuracy

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ReadForms reads labelled texts that were written by hand, one a line: a text
// with its identifiers as ⟦PII101 +7 912 …⟧, and ⟦?PII114 …⟧ where a finding is
// neither wanted nor wrong. What is not marked is no identifier. A number with
// check digits is written ‹inn12 mask›: each "d" of the mask is made up from the
// seed, the check digits are computed, other characters stay. An escape of the form \u200b
// is that character. Every second text is written into JSON with escapes, the
// others with the next seed. Lines that begin
// with "#" and empty ones are comments.
func ReadForms(r io.Reader, seed uint64) ([]Record, error) {
	g := newMaker(seed)
	in := bufio.NewScanner(r)
	var records []Record
	for n := 1; in.Scan(); n++ {
		text := strings.TrimSpace(in.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		rec, err := g.form(unescape(text), uint64(n)%2 == seed%2)
		if err != nil {
			return nil, fmt.Errorf("read forms: line %d: %w", n, err)
		}
		records = append(records, rec)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read forms: %w", err)
	}
	return records, nil
}

func (g *maker) form(text string, escapes bool) (Record, error) {
	var rec Record
	l := &line{rec: &rec, escapes: escapes}
	l.raw.WriteString(`{"source_text":"`)
	g.bik = ""
	for text != "" {
		before, rest, marked := strings.Cut(text, "⟦")
		before, err := g.fill(before)
		if err != nil {
			return rec, err
		}
		l.text(before)
		if !marked {
			break
		}
		label, after, closed := strings.Cut(rest, "⟧")
		rule, value, spaced := strings.Cut(label, " ")
		if !closed || !spaced {
			return rec, fmt.Errorf("a label without its end: %q", rest)
		}
		if value, err = g.fill(value); err != nil {
			return rec, err
		}
		rule, optional := strings.CutPrefix(rule, "?")
		start, end := l.text(value)
		rec.Spans = append(rec.Spans, Span{Rule: rule, Start: start, End: end, Optional: optional})
		text = after
	}
	l.raw.WriteString(`"}`)
	rec.Line = []byte(l.raw.String())
	return rec, nil
}

// escaped matches the escapes of characters that are not seen.
var escaped = regexp.MustCompile(`\\u[0-9a-f]{4}`)

func unescape(text string) string {
	return escaped.ReplaceAllStringFunc(text, func(e string) string {
		r, err := strconv.ParseUint(e[2:], 16, 16)
		if err != nil {
			return e
		}
		return string(rune(r))
	})
}

// fill writes the numbers of a text.
func (g *maker) fill(text string) (string, error) {
	var out strings.Builder
	for text != "" {
		if !strings.HasPrefix(text, "‹") {
			_, n := utf8.DecodeRuneInString(text)
			out.WriteString(text[:n])
			text = text[n:]
			continue
		}
		call, rest, closed := strings.Cut(text[len("‹"):], "›")
		kind, mask, _ := strings.Cut(call, " ")
		if !closed {
			return "", fmt.Errorf("a number without its end: %q", text)
		}
		kind, wrong := strings.CutPrefix(kind, "!")
		value, err := g.masked(kind, mask, wrong)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = rest
	}
	return out.String(), nil
}

// lengths of the kinds: at least so many digits in a mask.
var lengths = map[string]int{"n": 1, "bik": 0, "inn10": 10, "inn12": 12, "snils": 11, "ogrn": 13, "ogrnip": 15, "luhn": 12, "acc": 20}

// masked makes a number of the kind in the form of the mask; a wrong one has
// its last digit spoilt.
func (g *maker) masked(kind, mask string, wrong bool) (string, error) {
	isDigit := func(r rune) bool { return r == 'd' || r >= '0' && r <= '9' }
	template := strings.Map(func(r rune) rune {
		if isDigit(r) {
			return r
		}
		return -1
	}, mask)
	n := len(template)
	if least, ok := lengths[kind]; !ok || n < least {
		return "", fmt.Errorf("no number of this kind and length: %s %s", kind, mask)
	}
	var digits string
	for again := true; again; {
		var b strings.Builder
		for i, c := range template {
			switch {
			case c != 'd':
				b.WriteRune(c)
			case i == 0:
				b.WriteString(g.nonzero(1))
			default:
				b.WriteString(g.digits(1))
			}
		}
		digits = b.String()
		again = strings.HasPrefix(digits, "00")
	}
	switch kind {
	case "n": // any digits
	case "bik":
		if g.bik == "" {
			g.bik = "04" + g.digits(4) + fmt.Sprint(100+g.IntN(800))
		}
		digits = g.bik
		n = len(digits)
	case "inn10":
		digits = digits[:9] + checkINN(digits, 2, 4, 10, 3, 5, 9, 4, 6, 8)
	case "inn12":
		digits = digits[:10] + checkINN(digits, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
		digits += checkINN(digits, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
	case "snils":
		digits = digits[:9] + checkSNILS(digits)
	case "ogrn":
		digits = digits[:12] + fmt.Sprint(remainder(digits[:12], 11)%10)
	case "ogrnip":
		digits = digits[:14] + fmt.Sprint(remainder(digits[:14], 13)%10)
	case "luhn":
		digits = luhn(digits[:n-1])
	case "acc":
		if g.bik == "" {
			g.bik = "04" + g.digits(4) + fmt.Sprint(100+g.IntN(800))
		}
		digits = accountKey(digits, g.bik)
	}
	if wrong {
		digits = spoil(digits)
	}
	if mask == "" {
		return digits, nil
	}
	if len(digits) != n {
		return "", fmt.Errorf("%s has %d digits, the mask %d", kind, len(digits), n)
	}
	i := 0
	return strings.Map(func(r rune) rune {
		if !isDigit(r) {
			return r
		}
		i++
		return rune(digits[i-1])
	}, mask), nil
}
