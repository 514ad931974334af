package pii

import (
	"bytes"
	"unicode/utf8"
)

// Words of postal addresses, folded.
var (
	streetWords = words("ул улица улице улицы улицу улицей пр-т пр-кт просп проспект проспекте проспекта проспекту пр пер переулок переулке переулка бул бульвар бульваре бульвара б-р ш шоссе наб набережная набережной пл площадь площади проезд проезде пр-д мкр мкр-н микрорайон микрорайоне мкрн туп тупик аллея аллее линия линии квартал квартале кв-л тракт тракте " +
		"street avenue st ave road lane boulevard ul ulitsa prospekt pereulok per shosse bulvar nab")
	placeWords = words("с село селе дер деревня деревне пос поселок поселке п пгт станица станице ст-ца хутор х аул снт днт тсн сдт гск жк кп тер аал рп")
	houseWords = words("д дом дома доме домом домовладение вл влд владение зд здание стр строение уч участок house bldg building d dom")
	partWords  = words("к корп корпус стр строение лит литер литера кв квартира квартире квартиры оф офис пом помещение комн комната под подъезд эт этаж секция бокс каб apt apartment flat suite kv korp str office of")
	cityWords  = words("г гор город городе города обл область области край края респ республика республики район района районе р-н россия рф пос поселок поселке пгт рп с село селе дер деревня деревне д станица хутор снт мкр микрорайон москва москве москвы мск петербург петербурге санкт-петербург санкт-петербурге спб новосибирск новосибирске екатеринбург екатеринбурге казань казани нижний самара самаре омск омске челябинск ростов-на-дону уфа уфе красноярск пермь перми воронеж волгоград краснодар саратов тюмень тюмени тольятти ижевск барнаул иркутск ульяновск хабаровск ярославль владивосток томск оренбург кемерово новокузнецк рязань пенза липецк киров тула туле сочи калуга калуге тверь твери " +
		"ст ст-ца самаре омске челябинске новгороде ростове-на-дону воронеже волгограде краснодаре саратове ижевске барнауле иркутске ульяновске хабаровске ярославле владивостоке томске оренбурге новокузнецке рязани пензе липецке кирове москву самару уфу пензу тулу калугу")
	// buildingWords stand before a building's own name: БЦ «Луч».
	buildingWords = words("бц тц трц трк жк бизнес-центр центр комплекс")
	// addressWords make a name and a number an address: "адрес: Ленина, 5".
	addressWords = phrasesOf(" адрес", " прожива", " прожив", " прописан", " зарегистрирован", " живет ", " живу ", " живем ", " жила ", " жил ", " доставить ", " доставка ", " доставк", " забрать ", " самовывоз", " приезжайте ", " address", " находимся", " находится ")
)

func words(list string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range bytes.Fields([]byte(list)) {
		m[string(w)] = true
	}
	return m
}

// previous gives the word that ends before pos, skipping spaces and dots, folded
// with its inner hyphens; ok is false at the text's edge or where something
// else stands.
func (s *Scanner) previous(pos int) (start, end int, ok bool) {
	end = pos
	for end > 0 && (s.text[end-1] == ' ' || s.text[end-1] == '.' || s.text[end-1] == 0xA0 && s.at(end-2) == 0xC2) {
		if s.text[end-1] == 0xA0 {
			end--
		}
		end--
	}
	word := s.text[max(0, end-maxWordBytes):end]
	i := lettersBefore(word, len(word))
	for i > 0 && (wordByte[word[i-1]] || word[i-1] == '-') {
		i = lettersBefore(word, i-1)
	}
	start = end - len(word) + i
	return start, end, start < end
}

// foldWord folds a word; its hyphens are kept.
func (s *Scanner) foldWord(start, end int) []byte {
	s.word = foldBy(&foldedInWords, s.word[:0], s.text[start:end])
	return s.word
}

func (s *Scanner) capitalAt(i int) bool {
	c := s.at(i)
	return c == 0xD0 && isCapital(s.at(i+1)) || c-'A' <= 25
}

// house judges a number of one to four digits as the house of an address: a
// street before it, with the number after "д.", "дом" or a comma, or at the
// end; or behind it: "в доме 12 по улице Лесной".
func (s *Scanner) house(g int) int {
	k := s.groups[g]
	if k.len() > 4 {
		return 0
	}
	// Nearly every number of a text leaves here.
	p := k.start
	for p > 0 && s.text[p-1] == ' ' {
		p--
	}
	if p > 2 && s.text[p-1] == 0x96 && string(s.text[p-3:p]) == "№" {
		for p -= 3; p > 0 && s.text[p-1] == ' '; p-- {
		}
	}
	if p == 0 {
		return s.houseFirst(g)
	}
	marked, kindLast := false, false
	limit := p
	switch c := s.text[p-1]; {
	case c == ',':
		limit = p - 1
	case c == '.' || c >= 0x80 || wordByte[c]:
		start, end, ok := s.previous(p)
		if !ok {
			return 0
		}
		if s.isHouseWord(start, end) {
			marked, limit = true, start
			for limit > 0 && (s.text[limit-1] == ' ' || s.text[limit-1] == ',') {
				limit--
			}
		} else if kindLast = s.isStreetKind(start, end); !kindLast && !s.capitalAt(start) {
			return 0
		}
	case c == ':':
		return s.houseFirst(g)
	default:
		return 0
	}
	if !marked && !kindLast && !s.capitalWithin(limit) {
		return 0
	}
	to, parts := s.houseEnd(k.end)
	from, ok := 0, false
	if marked || parts || s.mayEndAddress(to, limit < p, k) {
		if from, ok = s.street(limit, marked); !ok {
			from, ok = s.bareStreet(limit, marked, parts, limit < p)
		}
	}
	if !ok {
		if marked {
			return s.houseFirst(g)
		}
		return 0
	}
	from = s.widen(from)
	s.emitAddress(s.withoutNames(from), to)
	return s.groupsUpTo(g, to)
}

// withoutNames takes back a name that is part of the address which begins at
// from ("Б. Морская ул., 24") and gives where it may begin.
func (s *Scanner) withoutNames(from int) int {
	for n := len(s.matches); n > 0 && isName(s.matches[n-1].ID) && s.matches[n-1].Start >= from; n-- {
		s.matches = s.matches[:n-1]
		s.upTo = from
		if n > 1 {
			s.upTo = max(from, s.matches[n-2].End)
		}
	}
	return max(from, s.upTo)
}

func (s *Scanner) emitAddress(from, to int) {
	s.word = fold(s.word[:0], s.text[from:to])
	s.emit(Address, from, to, bytes.Join(bytes.Fields(s.word), nil))
}

// groupsUpTo counts the groups from g on that begin before a place.
func (s *Scanner) groupsUpTo(g, to int) int {
	n := 1
	for g+n < len(s.groups) && s.groups[g+n].start < to {
		n++
	}
	return n
}

// houseFirst judges "дом 12 по улице Лесной" and "12 Lesnaya street": the
// street behind the number.
func (s *Scanner) houseFirst(g int) int {
	k := s.groups[g]
	i := k.end + s.letterSuffix(k.end)
	if s.at(i) != ' ' {
		return 0
	}
	i++
	spoken := false
	for _, word := range [...]string{"по ", "на "} {
		if bytes.HasPrefix(s.text[i:], []byte(word)) {
			i += len(word)
			spoken = true
			break
		}
	}
	end, kind, name := i, false, false
	for range 4 {
		start, stop := s.anyWord(end)
		if stop == start || stop-start > 40 {
			break
		}
		street := streetWords[string(s.foldWord(start, stop))]
		if !street && !s.capitalAt(start) && (!kind || s.text[start]-'0' > 9) {
			break
		}
		if street {
			kind = true
			if s.at(stop) == '.' {
				stop++
			}
		} else {
			name = true
		}
		end = stop
		if kind && name && (!spoken || s.at(end) != ' ' || !s.capitalAt(end+1)) {
			break
		}
		if s.at(end) != ' ' {
			break
		}
		end++
	}
	if !kind || !name || !spoken && s.text[i] >= 0x80 {
		return 0
	}
	for s.at(end-1) == ' ' || s.at(end-1) == '.' && s.at(end) != ',' {
		end--
	}
	if to, parts := s.houseEnd(end); parts {
		end = to
	}
	s.emitAddress(max(k.start, s.upTo), end)
	return s.groupsUpTo(g, end)
}

// anyWord gives the Cyrillic or ASCII word that begins at i, a hyphen between
// its letters included.
func (s *Scanner) anyWord(i int) (start, end int) {
	end = i
	for {
		end = lettersFrom(s.text, end)
		c := s.at(end)
		if !wordByte[c] && (c != '-' || end == i || s.at(end+1)&0xFE != 0xD0 && !s.asciiAfter(end+1)) {
			return i, end
		}
		end++
	}
}

// isStreetKind says whether the word is the kind of a street, so that a number
// may follow it without a comma: "Тихий пер. 4".
func (s *Scanner) isStreetKind(start, end int) bool {
	if end-start > 20 || s.text[start] >= 0xD0 && s.text[start+1] >= 0xB0 && !mayLead(s.text[start:end]) {
		return false
	}
	return streetWords[string(s.foldWord(start, end))]
}

// bareStreet: a street without its kind. A house with a flat makes it one
// ("Ленина 5, кв. 12"), and so does a word for an address before it ("адрес:
// Ленина, 5").
func (s *Scanner) bareStreet(limit int, marked, parts, comma bool) (from int, ok bool) {
	if !marked && !parts && !comma {
		return 0, false
	}
	pos := limit
	for range 3 {
		start, end, found := s.previous(pos)
		if !found || !s.capitalAt(start) || s.text[start] < 0x80 || end < pos-2 || pos < limit && s.text[end] == '.' && end-start > 4 {
			break
		}
		from, pos, ok = start, start, true
	}
	if !ok || monthsBegin(s.text[from:limit]) {
		return 0, false
	}
	w := s.before(from, 24)
	switch {
	case has(w, addressWords):
		return from, marked || parts || comma
	case marked && parts:
		return from, true
	}
	return 0, false
}

// monthsBegin: "Январь, 5".
func monthsBegin(name []byte) bool {
	var buf [64]byte
	w := fold(buf[:0], name[:min(len(name), 32)])
	for _, m := range monthsGenitive {
		if bytes.HasPrefix(w, []byte(m)[:6]) {
			return true
		}
	}
	return false
}

// capitalWithin says whether a capital stands in the 64 to 128 bytes before pos:
// a street has a name.
func (s *Scanner) capitalWithin(pos int) bool {
	k, bit := pos/64, pos%64
	if k >= len(s.stops) {
		k, bit = len(s.stops)-1, 63
	}
	if s.stops[k].Capital<<(63-bit) != 0 {
		return true
	}
	return k > 0 && s.stops[k-1].Capital != 0
}

// isHouseWord looks a word up only if it begins like one: nearly every number
// has a word before it.
func (s *Scanner) isHouseWord(start, end int) bool {
	if end-start > 26 {
		return false
	}
	switch s.text[start] {
	case 0xD0:
		switch s.text[start+1] {
		case 0xB4, 0x94: // д
		case 0xB2, 0x92, 0xB7, 0x97, 0xA1, 0xA3: // в з С У: longer words only
			if end-start < 4 {
				return false
			}
		default:
			return false
		}
	case 0xD1:
		if c := s.text[start+1]; c != 0x81 && c != 0x83 || end-start < 4 { // с у
			return false
		}
	case 'h', 'b', 'H', 'B', 'd':
	default:
		return false
	}
	return houseWords[string(s.foldWord(start, end))]
}

// mayEndAddress judges what follows a number that only a comma or a name marks
// as a house: "на улице Ленина, 15 января" and "на улице Ленина 5 машин" are
// none, nor is "проспект Мира 2024".
func (s *Scanner) mayEndAddress(to int, comma bool, k group) bool {
	if k.len() == 4 && to == k.end && (s.text[k.start] == '1' && s.text[k.start+1] == '9' || s.text[k.start] == '2' && s.text[k.start+1] == '0') {
		return false
	}
	switch s.at(to) {
	case '-', '%', ':':
		return false
	case ' ':
	default:
		return true
	}
	r, _ := utf8.DecodeRune(s.text[to+1:])
	if r >= 'а' && r <= 'я' || r == 'ё' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '%' {
		return s.addressTail(to+1, comma)
	}
	return true
}

// addressTail: words that go on with a sentence about an address.
func (s *Scanner) addressTail(i int, comma bool) bool {
	start, end := s.anyWord(i)
	if word := s.text[start:end]; len(word) >= 2 && word[0] >= 0x80 && word[len(word)-1] >= 0x80 && !addressGoes.may(word) && len(word) < 8 {
		return false
	}
	next := bytes.Trim(s.foldWord(start, end), " ")
	if len(next) == 0 {
		return false
	}
	return tailWords[string(next)] || len(next) >= 8 && verbEnds.has(next) || comma && tailsAfterComma[string(next)]
}

var (
	tailWords = words("и в во на с со у от до за под где а или по к из был была было были будет будут есть нет не")
	// tailsAfterComma are adverbs and the like, which count nothing.
	tailsAfterComma = words("около возле рядом напротив вблизи перед после ночью утром вечером днем сегодня вчера завтра между через при над без для об о она он они оно мы там тут здесь тоже также ранее раньше сейчас временно почти все всё уже еще снова опять весь вся что чтобы когда пока если теперь накануне недавно скоро вновь вход въезд тел телефон")
	verbEnds        = byLastLetter([]string{"ил", "ел", "ал", "ял", "ыл", "ила", "ела", "ала", "яла", "ыла", "ило", "ело", "ало", "или", "ели", "али", "яли", "ыли", "шел", "шла", "шли", "лся", "лась", "лось", "лись", "ется", "ится", "ает", "яет", "ует", "ют", "ят", "ут", "жен", "рыт", "рыта", "ито", "ыто", "ено", "ана", "ано"})
)

// street looks back from limit for a street: its kind before or after its name.
func (s *Scanner) street(limit int, marked bool) (from int, ok bool) {
	pos := limit
	capital := false
	for range 6 {
		pos = s.beforeQuote(pos)
		start, end, found := s.previous(pos)
		if !found || limit-start > 120 {
			return 0, false
		}
		word := ""
		if end-start <= 28 && (s.text[start] < 0x80 || s.text[end-1] < 0x80 || streetOrPlace.may(s.text[start:end])) {
			word = string(s.foldWord(start, end))
		}
		if streetWords[word] || marked && placeWords[word] && s.text[start] >= 0x80 || marked && word == "д" && capital && s.at(end) == '.' {
			if end == limit || limit-end <= 2 && pos == limit {
				// The kind comes last: "Невский проспект"; take the capitals before.
				return s.nameBefore(start)
			}
			// "пр." and "ш." are kinds only before a name or after one.
			return s.ordinalBefore(start), capital || marked || s.at(end) == '.'
		}
		if s.capitalAt(start) || s.text[start]-'0' <= 9 {
			capital = true
		}
		pos = start
		if pos > 0 && s.text[pos-1] == ',' {
			return 0, false
		}
	}
	return 0, false
}

// ordinalBefore takes the ordinal of a street into its name: 7-я линия.
func (s *Scanner) ordinalBefore(start int) int {
	from, end, ok := s.previous(start)
	if ok && end == start-1 && s.text[from]-'0' <= 9 && end-from <= 8 && bytes.IndexByte(s.text[from:end], '-') > 0 && s.text[end-1] >= 0x80 {
		return from
	}
	return start
}

// beforeQuote skips a quotation mark: ул. «Новая», д. 12.
func (s *Scanner) beforeQuote(pos int) int {
	switch c := s.at(pos - 1); {
	case c == '"':
		return pos - 1
	case (c == 0xBB || c == 0xAB) && s.at(pos-2) == 0xC2: // « »
		return pos - 2
	}
	return pos
}

// nameBefore takes one to three words of which the first is a capital.
func (s *Scanner) nameBefore(pos int) (from int, ok bool) {
	for range 3 {
		start, end, found := s.previous(pos)
		if !found || end < pos-2 || !s.capitalAt(start) && s.text[start]-'0' > 9 {
			break
		}
		if s.text[end] == '.' && end+1 < pos && end-start > 4 {
			break // the end of a sentence
		}
		from, pos, ok = start, start, true
	}
	return from, ok
}

// houseEnd reads on after the house's number: letter, fraction, building, flat.
func (s *Scanner) houseEnd(i int) (end int, parts bool) {
	b := s.text
	// 5/7, 5-7, 12а, 12 Б
	if i < len(b) && b[i] == '/' && s.at(i+1)-'0' <= 9 {
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
		}
	}
	if i < len(b) && b[i] == '-' && s.at(i+1)-'0' <= 9 { // 5-12 is house and flat
		j := i + 1
		for j < len(b) && b[j]-'0' <= 9 {
			j++
		}
		if j-i <= 5 && !s.letterAfter(j) && s.at(j) != '-' {
			i, parts = j, true
		}
	}
	if size := s.letterSuffix(i); size > 0 {
		i += size
		for i < len(b) && b[i]-'0' <= 9 { // 5к2
			i++
		}
	}
	for {
		j := i
		for j < len(b) && j-i < 4 && (b[j] == ' ' || b[j] == ',' || b[j] == 0xC2 || b[j] == 0xA0) {
			j++
		}
		from := j
		for j < len(b) && (b[j] == 0xD0 || b[j] == 0xD1) && j+1 < len(b) {
			j += 2
		}
		for j < len(b) && j-from < 6 && (b[j]|0x20)-'a' <= 25 {
			j++
		}
		if j == from || j-from > 20 || b[from] >= 0x80 && b[j-1] >= 0x80 && !buildingPart.may(b[from:j]) || !partWords[string(s.foldWord(from, j))] {
			return i, parts
		}
		for j < len(b) && (b[j] == '.' || b[j] == ' ' || b[j] == 0xC2 || b[j] == 0xA0) || bytes.HasPrefix(b[min(j, len(b)):], []byte("№")) {
			if b[j] == 0xE2 {
				j += 2
			}
			j++
		}
		digits := j
		for j < len(b) && b[j]-'0' <= 9 {
			j++
		}
		if j == digits {
			size := s.letterSuffix(j)
			if size == 0 {
				return i, parts
			}
			j += size
		} else {
			j += s.letterSuffix(j)
		}
		i, parts = j, true
	}
}

// letterSuffix: one Cyrillic letter that ends there.
func (s *Scanner) letterSuffix(i int) int {
	if c := s.at(i); c != 0xD0 && c != 0xD1 || i+1 >= len(s.text) {
		return 0
	}
	if next := s.at(i + 2); next == 0xD0 || next == 0xD1 || next < 0x80 && (next|0x20)-'a' <= 25 {
		return 0
	}
	return 2
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}
