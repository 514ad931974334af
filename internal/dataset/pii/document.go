package pii

import "bytes"

// paper tells which document the words near a number name: the nearest word
// wins, before the number first.
func (s *Scanner) paper(start, end int) (Identifier, bool) {
	const reach = 60
	w := s.before(start, reach)
	passport, licence, policy := last(w, wordsPassport), last(w, wordsLicence), last(w, wordsOMS)
	rival := max(last(w, wordsINN), last(w, wordsPhone), last(w, wordsOther), last(w, wordsAccount), last(w, wordsSNILS), last(w, wordsBIK), policy)
	switch {
	case licence >= 0 && licence > rival && (licence > passport || has(w, wordsLicence[:2])):
		return DrivingLicence, true
	case passport > rival:
		return Passport, true
	case rival >= 0:
		return 0, false
	}
	w = s.after(end, reach)
	passport, licence = firstOf(w, wordsPassport), firstOf(w, wordsLicence)
	switch {
	case licence < passport:
		return DrivingLicence, true
	case passport < len(w):
		return Passport, true
	}
	return 0, false
}

// firstOf gives where the first of the words begins, or the window's length.
func firstOf(window []byte, words []string) int {
	at := len(window)
	for _, w := range words {
		if i := bytes.Index(window, []byte(w)); i >= 0 {
			at = min(at, i)
		}
	}
	return at
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
	if n == 0 || s.seps(g, n)&(sepParen|sepDot|sepSlash) != 0 || !s.whole(g, n) {
		return 0
	}
	start, end := s.span(g, n)
	id, ok := s.paper(start, end)
	if !ok {
		return 0
	}
	d := s.take(g, n)
	if len(d) == 9 && !has(s.before(start, 60), []string{" загран", " паспорт", " passport"}) {
		return 0
	}
	if sameDigits(d) || s.at(start-1) == '+' {
		return 0
	}
	s.emit(id, start, end, d)
	return n
}

// split judges a series and a number with a sign or word between: 45 09 №
// 123456, серия 4509 номер 123456, 77 АВ 123456.
func (s *Scanner) split(g int) int {
	var n int
	switch {
	case s.shape(g, 2, 2) && g+2 == len(s.groups):
		n = 2
	case (s.shape(g, 4) || s.shape(g, 2)) && g+1 == len(s.groups):
		n = 1
	default:
		return 0
	}
	start, end := s.span(g, n)
	rest := s.text[end:]
	if !mayGoOn(rest) || !s.wholeStart(start) {
		return 0
	}
	i := 0
	skip := func(chars string) {
		for i < len(rest) {
			switch {
			case bytes.IndexByte([]byte(chars), rest[i]) >= 0:
				i++
			case bytes.HasPrefix(rest[i:], []byte("\u00a0")):
				i += 2
			default:
				return
			}
		}
	}
	skip(" ,")
	series := n == 2 || s.groups[g].len() == 4
	marked := false
	for _, mark := range [...]string{"№", "номер", "Номер", "ном.", "N", "No", "no.", "number"} {
		if bytes.HasPrefix(rest[i:], []byte(mark)) {
			i += len(mark)
			marked = true
			break
		}
	}
	if !marked && !series {
		// The letters of a licence of the old form.
		for k := 0; k < 2; k++ {
			size, ok := plateLetter(rest[i:])
			if !ok {
				return 0
			}
			i += size
		}
	} else if !marked || !series {
		return 0
	}
	skip(" .:°")
	from := i
	for i < len(rest) && rest[i]-'0' <= 9 {
		i++
	}
	if i-from != 6 || s.letterAfter(end+i) {
		return 0
	}
	id, ok := s.paper(start, end+i)
	if !ok {
		return 0
	}
	s.digits = append(s.take(g, n), rest[from:i]...)
	s.emit(id, start, end+i, s.digits)
	return n
}

// mayGoOn says whether a mark of a number or a licence's letter follows, by
// their first bytes: "№", "н", "N", or a capital.
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
	default:
		return c-'A' <= 25
	}
}

var monthsGenitive = [...]string{
	"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
}

// birth judges a date next to a word for birth: 15.03.1985, 1985-03-15, 15
// марта 1985.
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
	case s.shape(g, 4, 2, 2):
		year, month, day, n = value(g), value(g+1), value(g+2), 3
	case l <= 2 && g+1 == len(s.groups):
		rest := s.text[s.groups[g].end:]
		i := 0
		for i < len(rest) && (rest[i] == ' ' || rest[i] == 0xC2 || rest[i] == 0xA0) {
			i++
		}
		if i == 0 || i+4 > len(rest) || !beginsMonth(rest[i], rest[i+1]) {
			return 0
		}
		for m, name := range monthsGenitive {
			if bytes.HasPrefix(rest[i:], []byte(name)) {
				month = m + 1
				i += len(name)
				break
			}
		}
		if month == 0 {
			return 0
		}
		for i < len(rest) && (rest[i] == ' ' || rest[i] == 0xC2 || rest[i] == 0xA0) {
			i++
		}
		from := i
		for i < len(rest) && rest[i]-'0' <= 9 {
			i++
		}
		if i-from != 4 {
			return 0
		}
		day, year, n, end = value(g), modulo(rest[from:i], 1<<31), 1, s.groups[g].end+i
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
	s.emit(BirthDate, start, end, []byte{byte(day), byte(month), byte(year >> 8), byte(year)})
	return n
}

// beginsMonth: я ф м а и с о н д.
func beginsMonth(a, b byte) bool {
	switch b {
	case 0xBC, 0xB0, 0xB8, 0xBE, 0xBD, 0xB4:
		return a == 0xD0
	case 0x8F, 0x84, 0x81:
		return a == 0xD1
	}
	return false
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

// plate judges a car plate around three digits: А123ВС77, А 123 ВС 777.
func (s *Scanner) plate(start, end int) bool {
	if end-start != 3 || string(s.text[start:end]) == "000" {
		return false
	}
	i := start
	if s.at(i-1) == ' ' {
		i--
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
	if !ok || s.letterBefore(i) {
		return false
	}
	upper := isUpperPlate(s.text[i : i+size])
	j := end
	if s.at(j) == ' ' {
		j++
	}
	spaced := j > end
	for range 2 {
		size, ok := plateLetter(s.text[min(j, len(s.text)):])
		if !ok || isUpperPlate(s.text[j:j+size]) != upper {
			return false
		}
		j += size
	}
	if s.at(j) == ' ' || s.at(j) == '/' || s.at(j) == '|' {
		j++
	}
	from := j
	for j < len(s.text) && s.text[j]-'0' <= 9 {
		j++
	}
	n := j - from
	if n != 2 && n != 3 || n == 3 && bytes.IndexByte([]byte("12579"), s.text[from]) < 0 || string(s.text[from:j]) == "00" || s.letterAfter(j) {
		return false
	}
	if spaced && !upper && !has(s.before(i, 24), wordsPlate) {
		return false // "в 200 км от 77": words, not a plate
	}
	s.word = fold(s.word[:0], s.text[i:j])
	s.emit(CarPlate, i, j, s.word)
	return true
}

func isUpperPlate(letter []byte) bool {
	if len(letter) == 1 {
		return letter[0] < 'a'
	}
	return letter[0] == 0xD0 && letter[1] < 0xB0
}
