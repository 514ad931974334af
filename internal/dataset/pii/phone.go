package pii

import "bytes"

// phone judges a Russian number (ten digits after +7, 8 or 7), a foreign one
// (after "+" and a country code) or, next to a word for it, a number without a
// prefix.
func (s *Scanner) phone(g int) int {
	start := s.groups[g].start
	first := s.groups[g].start
	plus := false
	if p := start - 1; p >= 0 {
		for p > 0 && start-p < 3 && (s.text[p] == ' ' || s.text[p] == '(') {
			p--
		}
		if s.text[p] == '+' {
			plus, first = true, p
		}
	}
	if !plus && s.at(start-1) == '(' {
		first = start - 1
	}
	if plus {
		return s.plusPhone(g, first)
	}
	if n := s.national(g); n > 0 {
		return n
	}
	return s.localPhone(g, first)
}

// plusPhone: after a plus a number in any grouping is a phone number.
func (s *Scanner) plusPhone(g, first int) int {
	if s.letterBefore(first) || s.at(first-1) == '@' {
		return 0
	}
	d := s.take(g, 1)
	if d[0] == '7' {
		if n := s.exactly(g, 11); n > 0 && s.phoneEnd(g, n) && russianCode(s.take(g, n)[1:]) {
			return s.emitPhone(g, n, first)
		}
		return 0
	}
	// E.164: at most 15 digits, and no country has numbers of fewer than 7.
	best := 0
	total := 0
	for n := 1; g+n <= len(s.groups); n++ {
		total += s.groups[g+n-1].len()
		if total > 15 || n > 1 && s.groups[g+n-1].sep&sepSlash != 0 {
			break
		}
		if total >= 9 && s.phoneEnd(g, n) {
			best = n
			if s.nationalLength(g, n) {
				break
			}
		}
	}
	if best == 0 || !countryCode(s.take(g, best)) {
		return 0
	}
	return s.emitPhone(g, best, first)
}

// nationalLength stops a foreign number of a country whose length is fixed, so
// that it does not swallow what follows it.
func (s *Scanner) nationalLength(g, n int) bool {
	return fixedLength(s.take(g, n))
}

func fixedLength(d []byte) bool {
	for code := 1; code <= 3 && code < len(d); code++ {
		if length, ok := fixedLengths[string(d[:code])]; ok {
			return len(d) == length
		}
	}
	return false
}

// fixedLengths: digits of a whole number, country code included.
var fixedLengths = map[string]int{
	"1": 11, "375": 12, "380": 12, "998": 12, "996": 12, "992": 12, "993": 11, "994": 12, "995": 12, "374": 11, "373": 11,
	"33": 11, "34": 11, "48": 11, "86": 13, "90": 12, "91": 12, "44": 12, "972": 12, "371": 11, "370": 11,
}

// national: 8 or 7, then ten digits, grouped as phones are and not as
// thousands.
func (s *Scanner) national(g int) int {
	if n := s.abroad(g); n > 0 {
		return n
	}
	n := s.exactly(g, 11)
	if n == 0 || n > 6 {
		return 0
	}
	d := s.take(g, n)
	start := s.groups[g].start
	if d[0] != '8' && d[0] != '7' || !s.phoneStart(g) || !s.phoneEnd(g, n) {
		return 0
	}
	// 8 0xx is how Belarus and others dial inside.
	if !russianCode(d[1:]) && (d[0] != '8' || d[1] != '0' || sameDigits(d[1:]) || !s.near(start, s.groups[g+n-1].end, wordsPhone)) {
		return 0
	}
	plain := n == 1 || s.seps(g, n)&^sepInvisible == 0
	if (plain && s.other(start) || !plain && s.otherThing(start)) && !s.called(start, 24, wordsPhone) {
		return 0
	}
	if plain {
		// Bare digits: a mobile code, or a word that says so.
		if d[1] != '9' && string(d[:4]) != "8800" && !s.near(start, s.groups[g+n-1].end, wordsPhone) {
			return 0
		}
		if sameDigits(d[1:]) {
			return 0
		}
	} else if s.thousands(g, n) || n > 2 && s.seps(g+2, n-2)&sepSlash != 0 || !s.phoneShape(g, n) && !s.near(start, s.groups[g+n-1].end, wordsPhone) {
		return 0
	}
	return s.emitPhone(g, n, start)
}

// abroad: 8 10 or 00, then a country code: how one dials out.
func (s *Scanner) abroad(g int) int {
	var prefix int
	switch start := s.groups[g].start; {
	case s.shape(g, 1, 2) && s.text[start] == '8' && string(s.text[s.groups[g+1].start:s.groups[g+1].end]) == "10",
		s.shape(g, 3) && string(s.text[start:start+3]) == "810":
		prefix = 3
	case s.shape(g, 2) && string(s.text[start:start+2]) == "00" && s.near(start, s.groups[len(s.groups)-1].end, wordsPhone):
		prefix = 2
	default:
		return 0
	}
	if !s.phoneStart(g) {
		return 0
	}
	best := 0
	for n := 2; g+n <= len(s.groups); n++ {
		d := s.take(g, n)
		if len(d) > prefix+15 {
			break
		}
		if len(d) >= prefix+9 && countryCode(d[prefix:]) && s.phoneEnd(g, n) {
			best = n
			if fixedLength(d[prefix:]) {
				break
			}
		}
	}
	if best == 0 {
		return 0
	}
	return s.emitPhone(g, best, s.groups[g].start)
}

// phoneShape: the code in one group, or split off after the 8.
func (s *Scanner) phoneShape(g, n int) bool {
	l := s.groups[g].len()
	if n == 1 {
		return true
	}
	// The prefix stands alone or with the code: 8, 8912, 8495, 84952.
	if l != 1 && l != 4 && l != 5 && l != 6 && l != 11 {
		return false
	}
	if l == 1 {
		code := s.groups[g+1].len()
		return code >= 3 && code <= 5 || code == 10 || n == 3 && code == 6
	}
	return true
}

// thousands: 89 123 456 789 is an amount.
func (s *Scanner) thousands(g, n int) bool {
	if n < 3 || s.groups[g].len() > 3 {
		return false
	}
	for _, k := range s.groups[g+1 : g+n] {
		if k.len() != 3 {
			return false
		}
	}
	return true
}

// localPhone: no prefix. Ten digits as (912) 345-67-89 or, like seven or six
// digits, after a word for it.
func (s *Scanner) localPhone(g, first int) int {
	start := s.groups[g].start
	if n := s.exactly(g, 10); n > 0 && s.phoneStart(g) && s.phoneEnd(g, n) && s.seps(g, n)&sepSlash == 0 {
		d := s.take(g, n)
		written := n >= 3 && s.groups[g].len() >= 3 && !s.thousands(g, n) && s.seps(g, n)&sepHyphen != 0 &&
			(s.at(start-1) == '(' || d[0] == '9' && s.shape(g, 3, 3, 2, 2))
		if russianCode(d) && (written && s.seps(g, n)&sepDot == 0 && !s.otherThing(start) || s.called(start, 24, wordsPhone)) {
			return s.emitPhone(g, n, first)
		}
		if s.at(start-1) == '(' && d[0] >= '2' && d[3] >= '2' && s.shape(g, 3, 3, 4) && s.called(start, 24, wordsPhone) {
			return s.emitPhone(g, n, first) // of North America
		}
	}
	for _, total := range [...]int{7, 6, 5} {
		n := s.exactly(g, total)
		if n < 2 || !s.phoneEnd(g, n) || !s.phoneStart(g) || s.seps(g, n)&^(sepHyphen|sepSpace) != 0 {
			continue
		}
		if !s.shape(g, 3, 2, 2) && !s.shape(g, 2, 2, 2) && !s.shape(g, 1, 2, 2, 2) && !s.shape(g, 3, 4) && !s.shape(g, 1, 2, 2) {
			continue
		}
		reach := 24
		if s.seps(g, n) == sepSpace || total == 5 {
			reach = 12
		}
		if !s.called(start, reach, wordsPhone) {
			continue
		}
		return s.emitPhone(g, n, start)
	}
	return 0
}

func (s *Scanner) phoneStart(g int) bool {
	start := s.groups[g].start
	if g > 0 && s.groups[g].sep&(sepSpace|sepParen) == 0 {
		return false
	}
	if s.at(start-1) == '(' {
		start--
	}
	return s.wholeStart(start)
}

// phoneEnd: the number ends here, and is not inside an address.
func (s *Scanner) phoneEnd(g, n int) bool {
	start, end := s.span(g, n)
	if g+n < len(s.groups) && s.groups[g+n].sep&(sepSpace|sepParen) == 0 {
		// "…-89-10" is a longer number; "…-89/90" a second line of the first.
		return s.groups[g+n].sep&sepSlash != 0
	}
	switch c := s.at(end); {
	case c == '-' && s.letterAfter(end+1), c == '%', c == '_':
		return false
	case (c == ',' || c == '.') && s.at(end+1)-'0' <= 9:
		return c == ',' // a list without spaces
	}
	return !s.asciiAfter(end) && !s.inAddress(start, end)
}

func (s *Scanner) asciiAfter(end int) bool {
	c := s.at(end)
	return c < 0x80 && wordByte[c]
}

// wholeStart is the left half of wholeBytes, less strict: "тел.8912..." and
// "+7..." occur.
func (s *Scanner) wholeStart(start int) bool {
	if start == 0 {
		return true
	}
	switch c := s.text[start-1]; {
	case c < 0x80 && wordByte[c]:
		return false
	case c == '-', c == '/', c == '#', c == '=', c == '$', c == '*':
		if c == '=' {
			return s.glue(start - 1)
		}
		if c == '/' {
			return bytes.HasSuffix(s.text[:start], []byte("wa.me/"))
		}
		return !s.letterBefore(start-1) && c == '-'
	case c == '.', c == ',':
		return s.at(start-2)-'0' > 9
	}
	return true
}

func (s *Scanner) emitPhone(g, n, first int) int {
	_, end := s.span(g, n)
	d := s.take(g, n)
	id := Phone
	if len(d) == 11 && (d[0] == '8' || d[0] == '7') {
		if string(d[1:4]) == "800" {
			id = PhoneTollFree
		}
		d = d[1:] // +7 and 8 are the same number
	}
	s.emit(id, first, end, d)
	return n
}

// russianCode: ten digits that begin with a code that is given out: 3, 4 and 8
// for places and services, 9 for mobiles, 7 and 6 for Kazakhstan.
func russianCode(d []byte) bool {
	switch d[0] {
	case '3', '4', '9', '7':
		return !sameDigits(d)
	case '8':
		return !sameDigits(d)
	case '6':
		return d[1] == '0' || d[1] == '2'
	}
	return false
}

// countryCode says whether the digits begin with a code of ITU-T E.164.
func countryCode(d []byte) bool {
	if len(d) < 9 || sameDigits(d) {
		return false
	}
	switch d[0] {
	case '1':
		return len(d) == 11 && d[1] >= '2' && d[4] >= '2'
	case '7':
		return len(d) == 11
	case '0':
		return false
	}
	switch string(d[:2]) {
	case "20", "27", "28", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
		"51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86",
		"90", "91", "92", "93", "94", "95", "98":
		return true
	}
	switch string(d[:2]) {
	case "21", "22", "23", "24", "25", "26", "29", "35", "37", "38", "42", "50", "59", "67", "68", "69", "80", "85", "88", "96", "97", "99":
		return true
	}
	return false
}
