package pii

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// group is a run of digits of a number that is written in parts.
type group struct {
	start, end int
	sep        separator // before it
}

func (g group) len() int { return g.end - g.start }

// separator tells what stands between two groups.
type separator uint8

const (
	sepSpace separator = 1 << iota
	sepHyphen
	sepDot
	sepParen
	sepSlash
	sepInvisible // nothing that is seen: zero width characters, soft hyphen
)

const maxGroups = 16

// isUnseen says whether a character has no width.
func isUnseen(r rune) bool {
	return r == 0xAD || r >= 0x200B && r <= 0x200F || r == 0x2060 || r == 0xFEFF || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// cluster gathers the groups from the digits at start on: up to four
// separating characters on one line between two.
func (s *Scanner) cluster(start, end int) {
	s.groups = append(s.groups[:0], group{start: start, end: end})
	for len(s.groups) < maxGroups {
		i, sep := end, separator(0)
		for n := 0; n < 5 && i < len(s.text); n++ {
			size, class := separatorAt(s.text[i:])
			if size == 0 {
				break
			}
			i += size
			sep |= class
		}
		from := i
		for i < len(s.text) && s.text[i]-'0' <= 9 {
			i++
		}
		if i == from || sep == 0 {
			return
		}
		s.groups = append(s.groups, group{from, i, sep})
		end = i
	}
}

// separatorAt reads one separating character: those of the keyboard and those
// that typography and messengers put in their place.
func separatorAt(b []byte) (size int, class separator) {
	switch c := b[0]; c {
	case ' ', '\t':
		return 1, sepSpace
	case '-':
		return 1, sepHyphen
	case '.':
		return 1, sepDot
	case '(', ')':
		return 1, sepParen
	case '/':
		return 1, sepSlash
	case 0xC2:
		if len(b) > 1 && b[1] == 0xA0 {
			return 2, sepSpace
		}
		if len(b) > 1 && b[1] == 0xAD {
			return 2, sepInvisible
		}
	case 0xE2, 0xEF:
		if len(b) < 3 {
			return 0, 0
		}
		switch r, _ := utf8.DecodeRune(b); {
		case r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F:
			return 3, sepSpace
		case isUnseen(r):
			return 3, sepInvisible
		case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0x2043, r == 0xFE63, r == 0xFF0D:
			return 3, sepHyphen
		case r == 0x2219, r == 0x2022:
			return 3, sepDot
		}
	}
	return 0, 0
}

// number judges the digits that begin at start, and what follows them as parts
// of the same number.
func (s *Scanner) number(start, end int) int {
	if start > 0 && s.text[start-1] != ' ' && s.letterBefore(start) {
		if !s.glue(start) {
			if n := end - start; n == 3 || n == 5 || n == 6 {
				s.plate(start, start+3)
			}
			return end
		}
		s.glued = start
	}
	if start > 1 && s.text[start-1] == '-' && wordByte[s.text[start-2]] {
		return end // the tail of an identifier: digest-00017
	}
	if end-start <= 4 && s.alone(end) {
		if s.plain(start, end) {
			return end
		}
		s.groups = append(s.groups[:0], group{start: start, end: end})
		s.short(0)
		return max(end, s.upTo)
	}
	s.cluster(start, end)
	total := 0
	for _, g := range s.groups {
		total += g.len()
	}
	for g := 0; g < len(s.groups); {
		if s.groups[g].start < s.upTo {
			g++
			continue
		}
		used := 0
		if total >= 5 {
			used = s.long(g)
		}
		if used == 0 {
			used = s.short(g)
		}
		g += max(used, 1)
	}
	return s.groups[len(s.groups)-1].end
}

// alone says whether a space and a Cyrillic letter follow, or a sign and a
// space: such digits are no part of a longer number.
func (s *Scanner) alone(end int) bool {
	if end+2 >= len(s.text) {
		return false
	}
	switch s.text[end] {
	case ' ':
		return s.text[end+1]&0xFE == 0xD0
	case ',', ';', '!', '?':
		return s.text[end+1] == ' '
	}
	return false
}

// plain says of digits that stand alone, in a sentence of small letters, that
// they are no part of anything: which is so of nearly every number of a text.
// It only spares the rules that would find nothing; when in doubt it says no.
func (s *Scanner) plain(start, end int) bool {
	b := s.text
	if start < 8 || b[start-1] != ' ' || b[end] != ' ' || end+5 > len(b) || b[start] == '0' {
		return false
	}
	// The word behind: no capital, no month, no "номер" or "серия"; "по" and "на"
	// may lead to a street.
	if b[end+1] == 0xD0 && b[end+2] < 0xB0 {
		return false
	}
	if behindNumber[b[end+2]&63]>>(b[end+4]&63)&1 != 0 && beginsSo(b[end+1:]) {
		return false
	}
	// The word before: small letters, and not of a street or a house.
	q := start - 2
	if b[q] == ',' {
		q--
	}
	if b[q]&0xC0 != 0x80 {
		return false
	}
	w := q - 1
	for w > 1 && b[w-1]&0xC0 == 0x80 && q-w < 40 {
		w -= 2
	}
	if b[w]&0xFE != 0xD0 || w > 0 && b[w-1] != ' ' || b[w] == 0xD0 && b[w+1] < 0xB0 || q-w < 3 && end-start == 3 {
		return false
	}
	if q < start-2 && w > 1 && b[w-2]-'0' <= 9 {
		return false // ул. 8 марта, 12
	}
	if !mayLead(b[w : q+1]) {
		return true
	}
	word := s.foldWord(w, q+1)
	return !streetWords[string(word)] && !houseWords[string(word)]
}

// beginning is how a word begins that makes the number before it a date, a
// document or a house: the first eight bytes, masked.
type beginning struct{ bytes, mask uint64 }

// beginnings are kept by the second byte of their first letter.
var beginnings = func() (t [64][]beginning) {
	put := func(w string) {
		var first [8]byte
		copy(first[:], w)
		k := w[1] & 63
		t[k] = append(t[k], beginning{binary.LittleEndian.Uint64(first[:]), 1<<(8*len(w)) - 1})
	}
	for _, month := range monthsGenitive {
		put(month[:6])
	}
	for _, w := range [...]string{"ном", "сери", "на ", "по "} {
		put(w)
	}
	return t
}()

// behindNumber are the first two letters of beginnings, by their second bytes.
var behindNumber = func() (t [64]uint64) {
	for k := range beginnings {
		for _, w := range beginnings[k] {
			t[k] |= 1 << (w.bytes >> 24 & 63)
		}
	}
	return t
}()

// beginsSo says whether the text, which begins with a Cyrillic letter, has one
// of the beginnings.
func beginsSo(text []byte) bool {
	var first [8]byte
	copy(first[:], text)
	v := binary.LittleEndian.Uint64(first[:])
	for _, w := range beginnings[first[1]&63] {
		if v&w.mask == w.bytes {
			return true
		}
	}
	return false
}

// leads tells by the first and last letter which lengths the words have that
// make the number behind them a house.
var leads = func() (t [64][64]uint32) {
	for _, list := range []map[string]bool{streetWords, houseWords} {
		for w := range list {
			if w[0] >= 0xD0 {
				t[w[1]&63][w[len(w)-1]&63] |= 1 << min(len(w)/2, 31)
			}
		}
	}
	return t
}()

// mayLead says whether a Cyrillic word may be one of those.
func mayLead(word []byte) bool {
	return leads[word[1]&63][word[len(word)-1]&63]>>min(uint(len(word))/2, 31)&1 != 0
}

// take gathers the digits of n groups from g on into s.digits.
func (s *Scanner) take(g, n int) []byte {
	s.digits = s.digits[:0]
	for _, k := range s.groups[g : g+n] {
		s.digits = append(s.digits, s.text[k.start:k.end]...)
	}
	return s.digits
}

// span of n groups.
func (s *Scanner) span(g, n int) (start, end int) { return s.groups[g].start, s.groups[g+n-1].end }

// lengths gives how many groups from g on hold exactly total digits, or 0.
func (s *Scanner) exactly(g, total int) int {
	for n := g; n < len(s.groups) && total > 0; n++ {
		if total -= s.groups[n].len(); total == 0 {
			return n - g + 1
		}
	}
	return 0
}

// shape says whether the groups from g on have these lengths.
func (s *Scanner) shape(g int, lengths ...int) bool {
	if g+len(lengths) > len(s.groups) {
		return false
	}
	for i, n := range lengths {
		if s.groups[g+i].len() != n {
			return false
		}
	}
	return true
}

// seps gives all separators inside n groups.
func (s *Scanner) seps(g, n int) (all separator) {
	for _, k := range s.groups[g+1 : g+n] {
		all |= k.sep
	}
	return all
}

// whole says whether n groups stand alone: what touches them is no part of a
// longer number, word, version, hash or URL.
func (s *Scanner) whole(g, n int) bool {
	start, end := s.span(g, n)
	if g > 0 && s.groups[g].sep&^sepSpace != 0 && s.groups[g].sep&(sepSpace|sepParen) == 0 {
		return false
	}
	if g+n < len(s.groups) && s.groups[g+n].sep&(sepSpace|sepParen) == 0 {
		if s.groups[g+n].sep != sepSlash || !has(s.before(start, 16), wordsINNKPP) {
			return false
		}
		return true
	}
	return s.wholeBytes(start, end)
}

// glue: "ИНН500100732259" is written without a space often enough.
func (s *Scanner) glue(start int) bool {
	from, end, ok := s.previous(start)
	return ok && end == start && end-from <= 16 && gluedWords[string(s.foldWord(from, end))]
}

var gluedWords = words("инн снилс огрн огрнип тел т моб телефон карта паспорт полис омс бик сч р-с n inn snils ogrn ogrnip tel phone mobile card pan cc passport iban account oms polis")

func (s *Scanner) wholeBytes(start, end int) bool {
	if s.letterBefore(start) || s.letterAfter(end) {
		return false
	}
	switch s.at(start - 1) {
	case '-', '/', '#', '$', '=', '\\', '&', '%':
		if s.at(start-1) == '-' && !s.letterBefore(start-1) {
			break // a dash before a number
		}
		if s.at(start-1) == '/' && bytes.HasSuffix(s.text[:start], []byte("wa.me/")) {
			break
		}
		if s.at(start-1) == '=' && s.glue(start-1) {
			break // inn=500100732259
		}
		return false
	case '.', ',':
		if c := s.at(start - 2); c-'0' <= 9 || (c|0x20)-'a' <= 25 {
			if !bytes.HasSuffix(bytes.ToLower(s.text[max(0, start-4):start]), []byte("tel.")) {
				return false
			}
		}
	}
	switch s.at(end) {
	case '.', ',', ':':
		if s.at(end+1)-'0' <= 9 {
			return false
		}
	case '-', '/', '=', '&', '\\':
		if s.letterAfter(end + 1) {
			return false
		}
	case '%', '$':
		return false
	}
	return !s.inAddress(start, end)
}

// other says whether the words before a number call it an order, an article, a
// parcel or the like.
func (s *Scanner) other(start int) bool {
	return has(s.before(start, 24), wordsOther)
}

// otherThing is the same for a number in the form of a phone's: behind the word
// for an order it is one only with "№" or "номер" between.
func (s *Scanner) otherThing(start int) bool {
	w := s.before(start, 24)
	return has(w, wordsThing) || has(w, wordsOrder) && (bytes.HasSuffix(w, []byte(" номер ")) || s.numberSign(start))
}

// numberSign says whether a "№" or "#" stands right before.
func (s *Scanner) numberSign(start int) bool {
	for start > 0 && (s.text[start-1] == ' ' || s.text[start-1] == '(') {
		start--
	}
	return s.at(start-1) == '#' || bytes.HasSuffix(s.text[:start], []byte("№"))
}

// called says whether the nearer words before a number are the wanted ones and
// not those of something else.
func (s *Scanner) called(start, n int, words *phrases) bool {
	w := s.before(start, n)
	at := last(w, words)
	return at >= 0 && at > last(w, wordsOther)
}

// long judges numbers of at least six digits from group g on and gives how
// many groups it took. The order is from the surest to the most doubtful.
func (s *Scanner) long(g int) int {
	if k := s.groups[g]; s.botToken(k.start, k.end) {
		return len(s.groups) - g
	}
	for _, judge := range [...]func(*Scanner, int) int{
		(*Scanner).account, (*Scanner).card, (*Scanner).snils, (*Scanner).inn, (*Scanner).ogrn,
		(*Scanner).document, (*Scanner).phone,
	} {
		if n := judge(s, g); n > 0 {
			return n
		}
	}
	return 0
}

// short judges what needs few digits. Nearly every number of a text comes here
// and is none of it, so each look begins with the byte that decides.
func (s *Scanner) short(g int) int {
	k := s.groups[g]
	n, more := k.len(), len(s.groups)-g-1
	if (n == 2 || n == 4 || n == 6) && more <= 1 && (more == 1 || mayGoOn(s.text[k.end:])) {
		if n := s.split(g); n > 0 {
			return n
		}
	}
	if more >= 3 {
		if n := s.ip(g); n > 0 {
			return n
		}
	}
	if n == 3 && s.plate(k.start, k.end) || n == 4 && s.longPlate(k.start, k.end) || s.at(k.end) == ':' && s.ip6(k.start) || n >= 4 && s.password(k.start, k.end) {
		return 1
	}
	if more >= 2 || n <= 2 {
		if n := s.birth(g); n > 0 {
			return n
		}
	}
	return s.house(g)
}

func (s *Scanner) snils(g int) int {
	n := 1
	switch {
	case s.shape(g, 3, 3, 3, 2):
		n = 4
	case s.shape(g, 9, 2), s.shape(g, 3, 3, 5):
		n = s.exactly(g, 11)
	case s.shape(g, 11):
	default:
		if n = s.exactly(g, 11); n == 0 || s.seps(g, n)&^sepInvisible != 0 {
			return 0
		}
	}
	if s.seps(g, n-min(n-1, 1))&sepSlash != 0 || s.seps(g, n)&sepParen != 0 || !validSNILS(s.take(g, n)) || !s.whole(g, n) {
		return 0
	}
	start, end := s.span(g, n)
	if s.at(start-1) == '+' {
		return 0
	}
	if n == 1 || !s.shape(g, 3, 3, 3, 2) {
		if !s.called(start, 60, wordsSNILS) && !has(s.after(end, 20), wordsSNILS) {
			if c := s.digits[0]; n == 1 && c != '7' && c != '8' && c != '9' && !s.other(start) && !s.nearKind(start) {
				s.emit(NumberAlone, start, end, s.digits)
				return n
			}
			return 0
		}
	} else if s.other(start) {
		return 0
	}
	s.emit(SNILS, start, end, s.digits)
	return n
}

// nearKind says whether a word right before names another kind of number.
func (s *Scanner) nearKind(start int) bool {
	w := s.before(start, 16)
	return has(w, wordsINN) || has(w, wordsOGRN) || has(w, wordsAccount) || has(w, wordsBIK) || has(w, wordsPhone)
}

func (s *Scanner) inn(g int) int {
	for _, total := range [...]int{12, 10} {
		n := s.exactly(g, total)
		if n == 0 || n > 4 || s.seps(g, n)&(sepParen|sepSlash|sepDot) != 0 || !s.whole(g, n) {
			continue
		}
		d := s.take(g, n)
		start, end := s.span(g, n)
		if s.at(start-1) == '+' || sameDigits(d) {
			continue
		}
		plain := n == 1 || s.seps(g, n) == sepInvisible
		switch {
		case total == 12 && validINNPerson(d):
			called := s.called(start, 40, wordsINN)
			if !called && (!plain || s.other(start) || looksLikeMoment(d)) {
				continue
			}
			s.emit(INNPerson, start, end, d)
			return n
		case total == 10 && validINNOrganisation(d) && s.called(start, 40, wordsINN):
			if !plain && has(s.before(start, 16), wordsPassport) {
				continue
			}
			s.emit(INNOrganisation, start, end, d)
			return n
		}
	}
	return 0
}

// looksLikeMoment: 202601140912 is 14 January 2026, 09:12.
func looksLikeMoment(d []byte) bool {
	two := func(i int) int { return digit(d[i])*10 + digit(d[i+1]) }
	return (two(0) == 19 || two(0) == 20) && two(4) >= 1 && two(4) <= 12 && two(6) >= 1 && two(6) <= 31 && two(8) < 24 && two(10) < 60
}

func (s *Scanner) ogrn(g int) int {
	for _, total := range [...]int{13, 15} {
		n := s.exactly(g, total)
		if n == 0 || n > 6 || s.seps(g, n)&^(sepSpace|sepInvisible|sepHyphen) != 0 || !s.whole(g, n) {
			continue
		}
		d := s.take(g, n)
		start, end := s.span(g, n)
		id := OGRN
		if total == 15 {
			id = OGRNIP
		}
		if id == OGRN && !validOGRN(d) || id == OGRNIP && !validOGRNIP(d) {
			continue
		}
		if !s.called(start, 40, wordsOGRN) && (n > 1 || s.other(start)) {
			continue
		}
		s.emit(id, start, end, d)
		return n
	}
	return 0
}

func (s *Scanner) card(g int) int {
	for total := 19; total >= 16; total-- {
		n := s.exactly(g, total)
		if n == 0 || s.seps(g, n)&(sepParen|sepSlash) != 0 {
			continue
		}
		d := s.take(g, n)
		if sameDigits(d) || !validLuhn(d) || !s.whole(g, n) {
			continue
		}
		start, end := s.span(g, n)
		if total == 16 && s.called(start, 60, wordsOMS) && last(s.window, wordsOMS) > last(s.window, wordsPayment) {
			s.emit(MedicalPolicy, start, end, d)
			return n
		}
		plain := n == 1 || s.seps(g, n) == sepInvisible
		byFour := true
		for i, k := range s.groups[g : g+n] {
			byFour = byFour && (k.len() == 4 || i == n-1 && k.len() <= 4)
		}
		if !cardIssuer(d) {
			continue
		}
		called := s.called(start, 40, wordsCard)
		if !called && (s.other(start) || !plain && !byFour || has(s.before(start, 20), wordsAccount) || looksLikeMoment(d)) {
			continue
		}
		s.emit(Card, start, end, d)
		return n
	}
	return 0
}

func (s *Scanner) account(g int) int {
	n := s.exactly(g, 20)
	if n == 0 || n > 8 || s.seps(g, n)&(sepParen|sepSlash) != 0 || !s.whole(g, n) {
		return 0
	}
	d := append([]byte(nil), s.take(g, n)...)
	if sameDigits(d) || d[0] == '0' {
		return 0
	}
	start, end := s.span(g, n)
	s.findBIKs()
	if len(s.biks) == 0 {
		// Without the bank the key cannot be checked; the form of a Bank of Russia
		// account with a currency code and the word for it must do.
		if !accountForm(d) || !s.called(start, 60, wordsAccount) {
			return 0
		}
		s.emit(Account, start, end, d)
		return n
	}
	for _, bik := range s.biks {
		if validAccountKey(d, bik) && !s.other(start) {
			s.emit(Account, start, end, d)
			return n
		}
	}
	return 0
}

// accountForm: balance account 3 or 4, then a currency: rouble, dollar, euro,
// yuan, tenge.
func accountForm(d []byte) bool {
	if d[0] != '3' && d[0] != '4' {
		return false
	}
	switch string(d[5:8]) {
	case "810", "643", "840", "978", "156", "398":
		return true
	}
	return false
}

// findBIKs gathers the nine-digit bank codes of the text, once a text. Those of
// Russia begin with 04, of the treasury with 00 to 02.
func (s *Scanner) findBIKs() {
	if s.biksFor == 1 {
		return
	}
	s.biksFor = 1
	s.biks = s.biks[:0]
	for i := 0; i < len(s.text) && len(s.biks) < 8; {
		if s.text[i] != '0' || s.letterBefore(i) {
			i++
			continue
		}
		j := i
		for j < len(s.text) && s.text[j]-'0' <= 9 {
			j++
		}
		if j-i == 9 && s.text[i+1] <= '4' {
			s.biks = append(s.biks, s.text[i:j])
		}
		i = j
	}
}
