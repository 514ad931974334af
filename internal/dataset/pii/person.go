package pii

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// part is one word of what may be a name.
type part struct {
	start, end int
	initial    bool
	first      nameSure
	patronymic bool
	surname    bool // by its ending
}

// capital judges what begins with the Cyrillic capital at i as a name, and
// gives where to go on. Most capitals begin a sentence: they are left after one
// look at what follows the word.
func (s *Scanner) capital(i int) int {
	end := s.cyrillicWord(i)
	if i < s.upTo || s.letterBefore(i) {
		return end
	}
	if !s.nameGoesOn(i, end) {
		return end
	}
	var parts [4]part
	n, known := 0, false
	for pos := i; n < len(parts); {
		p, ok := s.part(pos)
		if !ok {
			break
		}
		parts[n] = p
		n++
		known = known || p.initial || p.first > 0 || p.patronymic || p.surname
		next := p.end
		switch {
		case s.at(next) == ' ':
			next++
		case s.at(next) == 0xC2 && s.at(next+1) == 0xA0:
			next += 2
		case p.initial:
		default:
			next = -1
		}
		if next < 0 || !(s.at(next) == 0xD0 && isCapital(s.at(next+1))) {
			break
		}
		pos = next
	}
	if !known {
		return end
	}
	used, full, from := s.name(parts[:n])
	if used <= from {
		return end
	}
	start, stop := parts[from].start, parts[used-1].end
	if to := s.turkicPatronymic(stop); to > stop {
		stop, full = to, true
	}
	if s.ofStreet(start, stop) || s.isPublic(parts[from:used]) {
		return stop
	}
	id := NameAlone
	if full {
		id = NameFull
	}
	s.word = fold(s.word[:0], s.text[start:stop])
	s.emit(id, start, stop, s.word)
	return stop
}

// turkicPatronymic goes on over "Ахмед оглы" and "Ахмед кызы" behind a name.
func (s *Scanner) turkicPatronymic(stop int) int {
	if s.at(stop) != ' ' || !s.capitalAt(stop+1) {
		return stop
	}
	_, father := s.wordAt(stop + 1)
	for _, word := range [...]string{" оглы", " кызы", " Оглы", " Кызы"} {
		if end := father + len(word); bytes.HasPrefix(s.text[father:], []byte(word)) && !s.letterAfter(end) {
			return end
		}
	}
	return stop
}

// capitalBefore gives where the word that ends there begins, if it begins with a
// capital, and -1 if it does not; a hyphen before a capital is part of it.
func (s *Scanner) capitalBefore(end int) int {
	b, i, first := s.text, end, -1
	for {
		part := i
		i = lettersBefore(b, i)
		if i == part || b[i] != 0xD0 || !isCapital(b[i+1]) {
			return first
		}
		first = i
		if i < 3 || b[i-1] != '-' || b[i-2]&0xC0 != 0x80 || b[i-3]&0xFE != 0xD0 {
			return first
		}
		i--
	}
}

// cyrillicWord gives the end of the word at i; a hyphen between letters is part
// of it.
func (s *Scanner) cyrillicWord(i int) int {
	for {
		i = lettersFrom(s.text, i)
		if s.at(i) != '-' || s.at(i+1) != 0xD0 || !isCapital(s.at(i+2)) {
			return i
		}
		i++
	}
}

// nameGoesOn says whether a capital or an initial's full stop follows.
func (s *Scanner) nameGoesOn(start, end int) bool {
	next := end
	switch s.at(end) {
	case ' ':
		next++
	case 0xC2:
		next += 2
	case '.':
		return end-start == 2
	default:
		return false
	}
	return s.at(next) == 0xD0 && isCapital(s.at(next+1))
}

func (s *Scanner) part(i int) (part, bool) {
	end := s.cyrillicWord(i)
	p := part{start: i, end: end}
	if end-i == 2 {
		if s.at(end) != '.' {
			return p, false
		}
		p.end++
		p.initial = true
		return p, true
	}
	if end-i < 4 || !s.mayBePart(i, end) {
		return p, end-i >= 4
	}
	w := s.foldWord(i, end)
	p.first = firstName(w)
	if p.first == 0 {
		if k := bytes.IndexByte(w, '-'); k >= 4 {
			p.first = firstName(w[:k])
		}
	}
	p.patronymic = len(w) >= 10 && patronymicEnds.has(w)
	p.surname = len(w) >= 8 && surnameEnds.has(w)
	return p, true
}

// mayBePart says whether a word may be a first name, a patronymic or a surname;
// most words need no look-up. It looks at the letters as they are, so it says yes
// to what folding would change.
func (s *Scanner) mayBePart(start, end int) bool {
	w := s.text[start:end]
	n := len(w)
	if n < 10 {
		four := [8]byte([]byte("аааа"))
		copy(four[:], w[2:])
		if notSmall(binary.LittleEndian.Uint64(four[:])) {
			return true
		}
	} else {
		for i := 2; i < n; i += 8 {
			if notSmall(binary.LittleEndian.Uint64(w[min(i, n-8):])) {
				return true
			}
		}
	}
	patronymic, surname := n >= 10 && patronymicEnds.may(w), n >= 8 && surnameEnds.may(w)
	if !patronymic && !surname && firstNameEnds[pairOf(w[n-1], w[n-3])]>>(w[1]&31)&1 == 0 {
		return false
	}
	if firstNameLengths[sixBits(w)<<6|int(w[3]&63)]>>min(n/2, 31)&1 != 0 {
		return true
	}
	return patronymic && patronymicEnds.has(w) || surname && surnameEnds.has(w)
}

// notSmall says whether four pairs of bytes are not all small letters of Russian,
// "ё" left out: a capital, a hyphen.
func notSmall(four uint64) bool {
	const each = 0x0001_0001_0001_0001
	small := four>>12&(four>>13) | four // of a lead D0 the second byte has both bits
	yo := four ^ 0x91D1*each
	return notLetters(four) != 0 || small&each != each || (yo-each)&^yo&(0x8000*each) != 0
}

// sixBits are those of the second byte of the small letter that a capital folds to.
func sixBits(letter []byte) int { return int(folded6[letter[0]&1][letter[1]&63]) }

var folded6 = func() (t [2][64]uint8) {
	for lead := range t {
		for k := range t[lead] {
			w := fold(nil, []byte{0xD0 + byte(lead), 0x80 + byte(k)})
			t[lead][k] = w[1] & 63
		}
	}
	return t
}()

// name finds a name at the beginning of the parts: those from "from" to used
// are it; full says that a patronymic is among them.
func (s *Scanner) name(p []part) (used int, full bool, from int) {
	n := len(p)
	is := func(i int, f func(part) bool) bool { return i < n && f(p[i]) }
	first := func(q part) bool { return q.first > 0 && !q.initial }
	patronymic := func(q part) bool { return q.patronymic }
	initial := func(q part) bool { return q.initial }
	capital := func(q part) bool { return !q.initial && q.first == 0 }
	surname := func(q part) bool { return q.surname && !q.initial }
	switch {
	case is(0, first) && is(1, patronymic):
		// Иван Петрович [Сидоров]; "Роман Абрамович" is name and surname.
		if is(2, capital) && (is(2, surname) || !s.followedByLower(p[2].end) || s.looksSurname(p[2])) {
			return 3, true, 0
		}
		return 2, true, 0
	case is(1, first) && is(2, patronymic) && !is(0, initial):
		// Сидоров Иван Петрович; a word before that only begins the sentence stays out.
		if is(0, surname) || !s.beginsSentence(p[0].start) && !is(3, surname) {
			return 3, true, 0
		}
		if is(3, surname) {
			return 4, true, 1
		}
		return 3, true, 1
	case is(0, capital) && !is(0, surname) && is(1, patronymic) && p[1].end-p[1].start >= 14 && !s.beginsSentence(p[0].start):
		// A first name that is not in the list.
		if is(2, surname) || is(2, capital) && s.looksSurname(p[2]) {
			return 3, true, 0
		}
		return 2, true, 0
	case is(0, surname) && is(1, capital) && is(2, patronymic):
		return 3, true, 0
	case is(0, initial) && is(1, initial) && is(2, func(q part) bool { return capital(q) || surname(q) }):
		return 3, false, 0
	case is(0, initial) && is(1, surname) && !s.afterCapital(p[0].start):
		return 2, false, 0
	case is(0, func(q part) bool { return capital(q) || surname(q) }) && is(1, initial) && is(2, initial):
		if !is(0, surname) && is(3, capital) {
			return 4, false, 1
		}
		return 3, false, 0
	case is(0, surname) && is(1, initial) && !s.initialOpensSentence(p[1].end):
		return 2, false, 0
	case is(0, first) && is(1, func(q part) bool { return !q.initial }):
		if notSurnames[string(s.foldWord(p[1].start, p[1].end))] {
			return 0, false, 0
		}
		if is(1, surname) || p[0].first == nameOnly && is(1, capital) && p[1].end-p[1].start >= 8 && !is(2, capital) {
			return 2, false, 0
		}
	case is(0, surname) && is(1, first) && p[1].first == nameOnly:
		return 2, false, 0
	}
	return 0, false, 0
}

// looksSurname says of a capital behind name and patronymic, in the middle of a
// sentence, that it is the surname and not a town's or a company's name that the
// sentence goes on with.
func (s *Scanner) looksSurname(q part) bool {
	const least = 8 // bytes
	return q.end-q.start >= least && !cityWords[string(s.foldWord(q.start, q.end))] && !notSurnames[string(s.word)]
}

// afterCapital: in "Анна К. Комиссия" the initial belongs to what is before it.
func (s *Scanner) afterCapital(start int) bool {
	from, _, ok := s.previous(start)
	return ok && s.at(start-1) == ' ' && s.at(start-2) != '.' && s.capitalAt(from)
}

// followedByLower: the word goes on as part of a sentence.
func (s *Scanner) followedByLower(end int) bool {
	return s.at(end) == ' ' && (s.at(end+1) == 0xD0 && !isCapital(s.at(end+2)) || s.at(end+1) == 0xD1)
}

func (s *Scanner) initialOpensSentence(end int) bool { return s.at(end) == ' ' && s.capitalAt(end+1) }

// beginsSentence says whether nothing but a sentence's end stands before.
func (s *Scanner) beginsSentence(start int) bool {
	for start > 0 && (s.text[start-1] == ' ' || s.text[start-1] == '"') {
		start--
	}
	if start == 0 {
		return true
	}
	switch s.text[start-1] {
	case '.', '!', '?', '\n', '\r', '\t':
		return true
	}
	return false
}

// namesakes: things that bear people's names.
var namesakes = words("им имени ул улица улице улицы улицу пр проспект проспекте проспекта пр-т пл площадь площади пер переулок переулке бул бульвар бульваре наб набережная набережной парк парке театр театра театре театру театром музей музее музея памятник памятника памятнику институт университет школа премия премии премию орден ордена теплоход крейсер стадион кубок фонд фонда роман рассказ повесть опера")

func (s *Scanner) ofStreet(start, end int) bool {
	from, to, ok := s.previous(start)
	if ok && to-from <= 24 && namesakes[string(s.foldWord(from, to))] {
		return true
	}
	if s.at(end) == ' ' {
		w0, w1 := s.wordAt(end + 1)
		if w1 > w0 && streetWords[string(s.foldWord(w0, w1))] && w1-w0 > 4 {
			return true
		}
	}
	return false
}

// isPublic says whether the parts name somebody of the list: by first name or
// initial, and surname.
func (s *Scanner) isPublic(parts []part) bool {
	var folded [4]string
	for i, p := range parts {
		folded[i] = string(s.foldWord(p.start, p.end))
	}
	for _, f := range publicFigures {
		last := -1
		for i, p := range parts {
			if !p.initial && strings.HasPrefix(folded[i], f.last) && len(folded[i]) <= len(f.last)+8 {
				last = i
			}
		}
		if last < 0 {
			continue
		}
		for i, p := range parts {
			if i != last && (p.initial && strings.HasPrefix(f.first, strings.TrimSuffix(folded[i], " ")) || strings.HasPrefix(folded[i], f.first)) {
				return true
			}
		}
	}
	return false
}
