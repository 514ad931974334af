package pii

import (
	"bytes"
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
