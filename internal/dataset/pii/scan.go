package pii

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// Context is what the caller knows of a text.
type Context struct {
	Channel  bool     // the text is a channel's name: a handle in it is none
	Declared []string // channels whose handles are public
}

// Scanner finds identifiers; it keeps its buffers from text to text. The zero
// value is ready. It is not for concurrent use.
//
// Every identifier but a name begins at, or holds, an ASCII letter or digit or
// an "@"; a name begins with a Cyrillic capital. Russian text has few of these,
// so the scan stops there only, and decides by exact rules.
type Scanner struct {
	text    []byte
	ctx     Context
	matches []Match
	upTo    int // no match begins before it
	values  []byte
	window  []byte // folded text of before and after
	word    []byte // one folded word
	groups  []group
	stops   []bytescan.Chunk // of the text
	own     []bytescan.Chunk
	digits  []byte
	biks    [][]byte
	biksFor int // whether biks were looked for in this text: 1
	noKey   int // no key and no credentials begin before it: looked at already
	noLogin int
	glued   int // digits here begin a number although a letter touches them
}

// Scan gives the identifiers of a text in order of their first byte. The
// result is valid until the next call.
func (s *Scanner) Scan(text []byte, ctx Context) []Match {
	s.own = bytescan.Classify(s.own, text)
	return s.ScanChunks(text, s.own, ctx)
}

// ScanChunks is Scan for a caller that has the text classified already.
func (s *Scanner) ScanChunks(text []byte, chunks []bytescan.Chunk, ctx Context) []Match {
	s.text, s.ctx, s.stops = text, ctx, chunks
	s.matches, s.values, s.upTo, s.biksFor = s.matches[:0], s.values[:0], 0, 0
	s.glued, s.noKey, s.noLogin = -1, 0, 0
	next := 0 // where to go on
	for k := range chunks {
		m := &chunks[k]
		for stop := m.Stop; stop != 0; stop &= stop - 1 {
			bit := bits.TrailingZeros64(stop)
			i := k*64 + bit
			if i < next {
				continue
			}
			switch {
			case m.Word>>bit&1 != 0:
				next = s.run(i, s.wordEnd(k, bit))
			case m.Pair>>bit&1 != 0:
				// A name has two capitals or a full stop behind one; most capitals only
				// begin a sentence.
				end := i - 2
				if text[end] != ' ' {
					end--
				}
				if first := s.capitalBefore(end); first >= next {
					next = s.capital(first)
				}
			case m.Initial>>bit&1 != 0:
				if first := s.capitalBefore(i); first == i-2 && first >= next {
					next = s.capital(first)
				}
			case text[i] == '@':
				s.atSign(i)
			case text[i] != '-' || s.at(i+1) == '-':
				s.bracket(i)
			}
		}
	}
	s.settleNames()
	return s.matches
}

// wordEnd gives where the run of word bytes that begins at a bit of chunk k
// ends.
func (s *Scanner) wordEnd(k, bit int) int {
	n := bits.TrailingZeros64(^(s.stops[k].Word >> bit))
	end := k*64 + bit + n
	if bit+n < 64 {
		return end
	}
	for k++; k < len(s.stops); k++ {
		n = bits.TrailingZeros64(^s.stops[k].Word)
		if end += n; n < 64 {
			break
		}
	}
	return end
}

// run looks at a run of ASCII letters, digits and underscores, and gives where
// to go on.
func (s *Scanner) run(start, end int) int {
	if start < s.upTo {
		return end
	}
	if s.text[start]-'0' > 9 {
		return s.letters(start, end)
	}
	digits := start
	for digits < end && s.text[digits]-'0' <= 9 {
		digits++
	}
	if digits < end && s.text[digits] != '_' {
		s.mixed(start, digits, end)
		return end
	}
	return s.number(start, digits)
}

// emit adds a match; the value is the given bytes, copied.
func (s *Scanner) emit(id Identifier, start, end int, value []byte) {
	from := len(s.values)
	s.values = append(s.values, value...)
	s.matches = append(s.matches, Match{ID: id, Start: start, End: end, Value: s.values[from:len(s.values):len(s.values)]})
	s.upTo = max(s.upTo, end)
}

// All looks to either side of a place are bounded, so that the cost of a text
// is linear in its length, whatever somebody wrote into it.
const (
	maxWordBytes   = 128
	maxNameBytes   = 64 // of a handle or page
	maxSecretBytes = 2048
	maxPEMBytes    = 16 << 10
)

// settleNames decides how much a name matters: within 200 characters of
// another identifier of a person it is that person's.
func (s *Scanner) settleNames() {
	const reach = 200
	if len(s.matches) == 0 {
		return
	}
	names := false
	for i := range s.matches {
		names = names || isName(s.matches[i].ID)
	}
	if len(s.matches) > 1 {
		slices.SortStableFunc(s.matches, func(a, b Match) int { return cmp.Compare(a.Start, b.Start) })
	}
	if !names {
		return
	}
	// To the left the identifier that ends last counts, to the right the one that
	// begins first: one pass each way, however many there are.
	end := -1
	for i := range s.matches {
		m := &s.matches[i]
		if isName(m.ID) && end >= 0 && s.within(end, m.Start, reach) {
			m.ID = NameNear
		} else if tiesToPerson(m.ID) {
			end = max(end, m.End)
		}
	}
	start := -1
	for i := len(s.matches) - 1; i >= 0; i-- {
		m := &s.matches[i]
		if isName(m.ID) && start >= 0 && s.within(m.End, start, reach) {
			m.ID = NameNear
		} else if tiesToPerson(m.ID) {
			start = m.Start
		}
	}
}

// within says whether at most n characters stand between two places.
func (s *Scanner) within(from, to, n int) bool {
	return to <= from || to-from <= utf8.UTFMax*n && utf8.RuneCount(s.text[from:to]) <= n
}

func isName(id Identifier) bool { return id == NameAlone || id == NameFull || id == NameNear }

func tiesToPerson(id Identifier) bool {
	switch id {
	case Phone, Email, INNPerson, SNILS, Passport, DrivingLicence, MedicalPolicy, Card, Account, IBAN, Address:
		return true
	}
	return false
}

var wordByte = func() (t [256]bool) {
	for c := range t {
		b := byte(c)
		t[c] = b-'0' <= 9 || (b|0x20)-'a' <= 25 || b == '_'
	}
	return t
}()

// isCapital says whether D0 and this byte are a Cyrillic capital of Russian.
func isCapital(second byte) bool { return second >= 0x90 && second < 0xB0 || second == 0x81 }

// letterBefore and letterAfter say whether a letter or digit of any script
// stands directly there.
func (s *Scanner) letterBefore(pos int) bool {
	if pos == 0 || pos == s.glued {
		return false
	}
	c := s.text[pos-1]
	if c < 0x80 {
		return wordByte[c]
	}
	return isLetter2(s.text[:pos])
}

func isLetter2(before []byte) bool {
	r, _ := utf8.DecodeLastRune(before)
	return r >= 0x400 && r < 0x530 || r >= 0xC0 && r < 0x250
}

func (s *Scanner) letterAfter(pos int) bool {
	if pos >= len(s.text) {
		return false
	}
	c := s.text[pos]
	if c < 0x80 {
		return wordByte[c]
	}
	r, _ := utf8.DecodeRune(s.text[pos:])
	return r >= 0x400 && r < 0x530 || r >= 0xC0 && r < 0x250
}

func (s *Scanner) at(pos int) byte {
	if pos < 0 || pos >= len(s.text) {
		return 0
	}
	return s.text[pos]
}

// inAddress says whether the place is inside a URL or a mail address, where
// numbers are somebody's record numbers.
func (s *Scanner) inAddress(start, end int) bool {
	from := start
	for from > 0 && start-from < 200 && s.text[from-1] > ' ' {
		from--
	}
	head := s.text[from:start]
	if bytes.Contains(head, []byte("://")) || bytes.Contains(head, []byte("www.")) {
		return !bytes.Contains(head, []byte("wa.me/")) && !bytes.Contains(head, []byte("phone="))
	}
	to := end
	for to < len(s.text) && to-end < 64 && (wordByte[s.text[to]] || bytes.IndexByte([]byte(".+-%"), s.text[to]) >= 0) {
		to++
	}
	return s.at(to) == '@'
}
