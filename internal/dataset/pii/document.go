package pii

import (
	"bytes"
	"strings"
)

// paper tells which document the words near a number name: the nearest word
// wins, before the number first. "Выдан" and "серия" name a passport where no
// document is named.
func (s *Scanner) paper(start, end int) (Identifier, bool) {
	const reach = 60
	w := s.before(start, reach)
	passport, licence, policy := last(w, wordsPassport), last(w, wordsLicence), last(w, wordsOMS)
	rival := max(last(w, wordsINN), last(w, wordsPhone), last(w, wordsOther), last(w, wordsAccount), last(w, wordsSNILS), last(w, wordsBIK), policy, last(w, wordsVehicle))
	switch {
	case licence > rival && licence > passport:
		return DrivingLicence, true
	case passport > rival:
		return Passport, true
	case licence < 0 && last(w, wordsCertify) > rival && has(w, wordsDriver):
		return DrivingLicence, true
	case licence < 0 && last(w, wordsPaper) > rival:
		// The document was named further off, or not at all.
		w = s.before(start, 3*reach)
		if last(w, wordsLicence) > last(w, wordsPassport) {
			return DrivingLicence, true
		}
		return Passport, !has(s.after(end, 30), wordsOther)
	case rival >= 0:
		return 0, false
	}
	w = s.after(end, reach)
	passport, licence = firstOf(w, wordsPassport), firstOf(w, wordsLicence)
	switch {
	case licence < passport:
		return DrivingLicence, true
	case passport < len(w), has(w, wordsPaper):
		return Passport, !s.afterIn(start)
	}
	return 0, false
}

// afterIn: "в 2024 123456 человек получили паспорта" counts people in a year.
func (s *Scanner) afterIn(start int) bool {
	return s.text[start]-'1' <= 1 && has(s.before(start, 4), wordsIn)
}

// document judges the ten digits of a passport or licence, or the nine of a
// passport for travel abroad, written together.
func (s *Scanner) document(g int) int {
	var n int
	switch {
	case s.shape(g, 2, 2, 6):
		n = 3
	case s.shape(g, 4, 6):
		n = 2
	case s.shape(g, 2, 8), s.shape(g, 2, 7), s.shape(g, 4, 3, 3):
		n = s.exactly(g, 10)
		if n == 0 {
			n = s.exactly(g, 9)
		}
	case s.shape(g, 10), s.shape(g, 9):
		n = 1
	case s.shape(g, 2, 2, 3, 3):
		n = 4
	default:
		return 0
	}
	if n == 0 || s.seps(g, n)&(sepParen|sepDot) != 0 || !s.whole(g, n) {
		return 0
	}
	start, end := s.span(g, n)
	if s.seps(g, n)&sepSlash != 0 && (n != 2 || !has(s.before(start, 24), wordsPassport)) {
		return 0
	}
	id, ok := s.paper(start, end)
	if !ok {
		return 0
	}
	d := s.take(g, n)
	if len(d) == 9 && !has(s.before(start, 60), wordsPassport) {
		return 0
	}
	if sameDigits(d) || s.at(start-1) == '+' {
		return 0
	}
	s.emit(id, start, end, d)
	return n
}

// split judges a series and a number with a sign or word between: 45 09 №
// 123456, серия 4509 номер 123456, 77 АВ 123456; and the number before the
// series: № 123456, серия 4509.
func (s *Scanner) split(g int) int {
	var n int
	switch {
	case s.shape(g, 2, 2) && g+2 == len(s.groups):
		n = 2
	case (s.shape(g, 4) || s.shape(g, 2) || s.shape(g, 6)) && g+1 == len(s.groups):
		n = 1
	default:
		return 0
	}
	start, end := s.span(g, n)
	rest := s.text[end:]
	if !mayGoOn(rest) || !s.wholeStart(start) {
		return 0
	}
	i := skipSigns(rest, 0, " ,")
	comma := bytes.IndexByte(rest[:i], ',') >= 0
	if n == 1 && s.groups[g].len() == 6 {
		return s.seriesLast(g, end+i)
	}
	series := n == 2 || s.groups[g].len() == 4
	i, marked := skipMark(rest, i)
	letters := false
	if !marked && !series {
		// The letters of a licence of the old form.
		for range 2 {
			size, ok := plateLetter(rest[i:])
			if !ok {
				return 0
			}
			i += size
		}
		letters = true
		i, _ = skipMark(rest, skipSigns(rest, i, " "))
	}
	i = skipSigns(rest, i, " .:")
	from := i
	for i < len(rest) && rest[i]-'0' <= 9 {
		i++
	}
	switch digits := i - from; {
	case digits == 7 && marked && !series: // for travel abroad
	case digits == 6 && (letters || series && (marked || comma)):
	default:
		return 0
	}
	if s.letterAfter(end + i) {
		return 0
	}
	id, ok := s.paper(start, end+i)
	if !ok || letters && id != DrivingLicence || !letters && !marked && !has(s.before(start, 24), wordsPassport) {
		return 0
	}
	if !series && !letters && (id != Passport || !has(s.before(start, 60), wordsPassport)) {
		return 0
	}
	s.digits = append(s.take(g, n), rest[from:i]...)
	s.emit(id, start, end+i, s.digits)
	return n
}

// seriesLast: the six digits of group g, then at i the word for a series and
// its four digits.
func (s *Scanner) seriesLast(g, i int) int {
	start, _ := s.span(g, 1)
	if !bytes.HasPrefix(s.text[i:], []byte("серия")) && !bytes.HasPrefix(s.text[i:], []byte("серии")) {
		return 0
	}
	i = skipSigns(s.text, i+len("серия"), " :")
	s.digits = s.digits[:0]
	for len(s.digits) < 4 && (s.at(i)-'0' <= 9 || len(s.digits) == 2 && s.at(i) == ' ') {
		if s.text[i] != ' ' {
			s.digits = append(s.digits, s.text[i])
		}
		i++
	}
	if len(s.digits) < 4 || s.letterAfter(i) {
		return 0
	}
	id, ok := s.paper(start, i)
	if !ok {
		return 0
	}
	k := s.groups[g]
	s.digits = append(s.digits, s.text[k.start:k.end]...)
	s.emit(id, start, i, s.digits)
	return 1
}

// skipSigns skips the given ASCII signs, no-break spaces and "°".
func skipSigns(b []byte, i int, signs string) int {
	for i < len(b) {
		switch {
		case strings.IndexByte(signs, b[i]) >= 0:
			i++
		case b[i] == 0xC2 && i+1 < len(b) && (b[i+1] == 0xA0 || b[i+1] == 0xB0):
			i += 2
		default:
			return i
		}
	}
	return i
}

// skipMark skips what stands between a series and a number.
func skipMark(b []byte, i int) (int, bool) {
	if i+1 >= len(b) || b[i] != 'N' && b[i] != 'n' && b[i] != 0xE2 && b[i+1]|0x20 != 0xBD {
		return i, false
	}
	for _, mark := range [...]string{"№", "номер", "Номер", "ном", "No", "no", "N", "н.", "number"} {
		if bytes.HasPrefix(b[min(i, len(b)):], []byte(mark)) {
			return i + len(mark), true
		}
	}
	return i, false
}

// mayGoOn says whether a mark of a number or a licence's letter follows, by
// their first bytes: "№", "н", "с", "N", a capital, or digits behind a comma.
func mayGoOn(rest []byte) bool {
	if len(rest) < 7 {
		return false
	}
	i := 0
	for i < 3 && (rest[i] == ' ' || rest[i] == ',') {
		i++
	}
	switch c := rest[i]; c {
	case 0xE2, 0xC2, 'N', 'n':
		return true
	case 0xD0:
		return rest[i+1] < 0xB0 || rest[i+1] == 0xBD
	case 0xD1:
		return rest[i+1] == 0x81
	default:
		return c-'A' <= 25 || c-'0' <= 9 && rest[0] == ','
	}
}

var monthsGenitive = [...]string{
	"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
}

var monthsEnglish = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// birth judges a date next to a word for birth: 15.03.1985, 1985-03-15, 15
// марта 1985, March 15, 1985.
func (s *Scanner) birth(g int) int {
	start := s.groups[g].start
	value := func(k int) int { return modulo(s.text[s.groups[k].start:s.groups[k].end], 1<<31) }
	var day, month, year, n, end int
	l := s.groups[g].len()
	switch {
	case l > 4:
		return 0
	case g+2 < len(s.groups) && l <= 2 && s.groups[g+1].len() <= 2 && s.groups[g+2].len() == 4:
		day, month, year, n = value(g), value(g+1), value(g+2), 3
		if month > 12 && s.seps(g, 3) == sepSlash {
			day, month = month, day
		}
	case s.shape(g, 2, 2, 2) && s.seps(g, 3) == sepDot:
		day, month, year, n = value(g), value(g+1), 1900+value(g+2), 3
		if year < 1920 {
			year += 100
		}
	case s.shape(g, 4, 2, 2):
		year, month, day, n = value(g), value(g+1), value(g+2), 3
	case l <= 2 && g+1 == len(s.groups):
		month, year, end = s.monthAndYear(s.groups[g].end)
		day, n = value(g), 1
	default:
		return 0
	}
	if n == 3 {
		_, end = s.span(g, n)
		if sep := s.seps(g, n); sep&sepParen != 0 || sep == sepSpace && s.groups[g+1].sep != s.groups[g+2].sep {
			return 0
		}
	}
	if day < 1 || day > 31 || month < 1 || month > 12 || year < 1920 || year > 2025 || s.letterAfter(end) {
		return 0
	}
	if !has(s.before(start, 40), wordsBirth) && !has(s.after(end, 24), wordsBirth) {
		return 0
	}
	if s.at(start-1) == 0xAB && bytes.HasSuffix(s.text[:start], []byte("«")) {
		start -= 2
	}
	s.emit(BirthDate, start, end, []byte{byte(day), byte(month), byte(year >> 8), byte(year)})
	return n
}

// monthAndYear reads " марта 1985" or " March 1985" from i on; "15" may have
// been in quotation marks.
func (s *Scanner) monthAndYear(i int) (month, year, end int) {
	b := s.text
	from := i
	if bytes.HasPrefix(b[i:], []byte("»")) {
		i += 2
	}
	i = skipSigns(b, i, " ")
	if i == from || i+4 > len(b) {
		return 0, 0, 0
	}
	if (b[i]|0x20)-'a' <= 25 {
		word := i
		for i < len(b) && (b[i]|0x20)-'a' <= 25 {
			i++
		}
		if i-word < 3 {
			return 0, 0, 0
		}
		month = englishMonth(b[word:i])
	} else if beginsSo(b[i:]) {
		for m, name := range monthsGenitive {
			if bytes.HasPrefix(b[i:], []byte(name)) {
				month = m + 1
				i += len(name)
				break
			}
		}
	}
	if month == 0 {
		return 0, 0, 0
	}
	i = skipSigns(b, i, " ,")
	from = i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i-from != 4 {
		return 0, 0, 0
	}
	return month, modulo(b[from:i], 1<<31), i
}

// englishMonth gives the number of a month's name or its first three letters.
func englishMonth(word []byte) int {
	if len(word) < 3 || len(word) > 9 {
		return 0
	}
	for m, name := range monthsEnglish {
		if (word[0]|0x20) == name[0] && (word[1]|0x20) == name[1] && (word[2]|0x20) == name[2] {
			return m + 1
		}
	}
	return 0
}

// birthEnglish judges "March 15, 1985" whose month is the word at start.
func (s *Scanner) birthEnglish(start, end int) bool {
	month := englishMonth(s.text[start:end])
	if month == 0 || s.at(end) != ' ' {
		return false
	}
	i, day, year := end+1, 0, 0
	for ; s.at(i)-'0' <= 9 && i-end < 4; i++ {
		day = day*10 + digit(s.text[i])
	}
	i = skipSigns(s.text, i, " ,")
	from := i
	for ; s.at(i)-'0' <= 9 && i-from < 5; i++ {
		year = year*10 + digit(s.text[i])
	}
	if day < 1 || day > 31 || i-from != 4 || year < 1920 || year > 2025 || s.letterAfter(i) || !has(s.before(start, 40), wordsBirth) {
		return false
	}
	s.emit(BirthDate, start, i, []byte{byte(day), byte(month), byte(year >> 8), byte(year)})
	return true
}

// plateLetter reads one of the twelve letters of car plates, Cyrillic or the
// Latin one of the same look.
func plateLetter(b []byte) (size int, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	switch b[0] {
	case 'A', 'B', 'E', 'K', 'M', 'H', 'O', 'P', 'C', 'T', 'Y', 'X', 'a', 'e', 'k', 'm', 'o', 'p', 'c', 't', 'y', 'x':
		return 1, true
	}
	if len(b) < 2 {
		return 0, false
	}
	switch string(b[:2]) {
	case "А", "В", "Е", "К", "М", "Н", "О", "Р", "С", "Т", "У", "Х", "а", "в", "е", "к", "м", "н", "о", "р", "с", "т", "у", "х":
		return 2, true
	}
	return 0, false
}

// plateSign skips one sign that may stand between the parts of a plate: a
// space, a no-break space, a hyphen.
func (s *Scanner) plateSign(i int) int {
	switch s.at(i) {
	case ' ', '-':
		return i + 1
	case 0xC2:
		if s.at(i+1) == 0xA0 {
			return i + 2
		}
	}
	return i
}

// plateLetters reads two plate letters of one case from i on.
func (s *Scanner) plateLetters(i int) (end int, upper, ok bool) {
	for k := range 2 {
		size, is := plateLetter(s.text[min(i, len(s.text)):])
		if !is {
			return i, false, false
		}
		up := isUpperPlate(s.text[i : i+size])
		if k > 0 && up != upper {
			return i, false, false
		}
		upper = up
		i += size
	}
	return i, upper, true
}

// plateRegion reads the region behind a plate's letters or digits.
func (s *Scanner) plateRegion(i int) (end int, ok bool) {
	if j := s.plateSign(i); j > i {
		i = j
	} else if s.at(i) == '/' || s.at(i) == '|' {
		i++
	}
	from := i
	for i < len(s.text) && s.text[i]-'0' <= 9 {
		i++
	}
	n := i - from
	if n != 2 && n != 3 || n == 3 && bytes.IndexByte([]byte("12579"), s.text[from]) < 0 || string(s.text[from:i]) == "00" || s.letterAfter(i) {
		return i, false
	}
	return i, true
}

// plate judges a car plate around three digits: А123ВС77, А 123 ВС 777.
func (s *Scanner) plate(start, end int) bool {
	if end-start != 3 || string(s.text[start:end]) == "000" {
		return false
	}
	i := start
	switch {
	case s.at(i-1) == ' ' || s.at(i-1) == '-':
		i--
	case s.at(i-1) == 0xA0 && s.at(i-2) == 0xC2:
		i -= 2
	}
	switch {
	case i >= 2 && s.text[i-1] >= 0x80:
		i -= 2
	case i >= 1:
		i--
	default:
		return false
	}
	size, ok := plateLetter(s.text[i:])
	if !ok || i+size > start {
		return false
	}
	upper := isUpperPlate(s.text[i : i+size])
	if s.letterBefore(i) {
		return s.taxi(i, start, end)
	}
	j, same, ok := s.plateLetters(s.plateSign(end))
	if !ok || same != upper {
		return false
	}
	spaced := s.plateSign(end) > end
	to, ok := s.plateRegion(j)
	if !ok {
		return false
	}
	if spaced && !upper && !has(s.before(i, 24), wordsPlate) {
		return false // "в 200 км от 77": words, not a plate
	}
	s.emitPlate(i, to)
	return true
}

// taxi judges two letters, three digits and the region, which only a word for
// it tells from other codes: АВ 123 77. The second letter begins at i.
func (s *Scanner) taxi(i, start, end int) bool {
	before := i - 2
	if i > 0 && s.text[i-1] < 0x80 {
		before = i - 1
	}
	if before < 0 {
		return false
	}
	j, upper, ok := s.plateLetters(before)
	if !ok || !upper || j > start || s.letterBefore(before) || !has(s.before(before, 24), wordsPlate) {
		return false
	}
	to, ok := s.plateRegion(end)
	if !ok {
		return false
	}
	s.emitPlate(before, to)
	return true
}

// longPlate judges the plates of motorcycles (1234 АВ 77) and trailers (АВ 1234
// 77), next to a word for them.
func (s *Scanner) longPlate(start, end int) bool {
	if s.letterBefore(start) {
		return false
	}
	if j, upper, ok := s.plateLetters(s.plateSign(end)); ok && upper && has(s.before(start, 30), wordsPlate) {
		if to, ok := s.plateRegion(j); ok {
			s.emitPlate(start, to)
			return true
		}
	}
	i := start
	if s.at(i-1) == ' ' {
		i--
	}
	for _, from := range [...]int{i - 4, i - 2} {
		if from < 0 || from > 0 && s.letterBefore(from) {
			continue
		}
		if j, upper, ok := s.plateLetters(from); ok && upper && j == i && has(s.before(from, 30), wordsPlate) {
			if to, ok := s.plateRegion(end); ok {
				s.emitPlate(from, to)
				return true
			}
		}
	}
	return false
}

func (s *Scanner) emitPlate(start, end int) {
	s.word = s.word[:0]
	for _, c := range s.text[start:end] {
		if c != ' ' && c != '-' && c != '/' && c != '|' && c != 0xC2 && c != 0xA0 {
			s.word = append(s.word, c)
		}
	}
	s.emit(CarPlate, start, end, fold(nil, s.word))
}

func isUpperPlate(letter []byte) bool {
	if len(letter) == 1 {
		return letter[0] < 'a'
	}
	return letter[0] == 0xD0 && letter[1] < 0xB0
}
