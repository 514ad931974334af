package pii

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// plain says of digits that stand alone, among words, that they are no part of
// anything: which is so of nearly every number of a text. It only spares the rules
// that would find nothing; when in doubt it says no.
func (s *Scanner) plain(start, end int) bool {
	b := s.text
	if end+8 > len(b) || b[start] == '0' {
		return false
	}
	// An address may end here, unless the word behind goes on with something else.
	behind, next := binary.LittleEndian.Uint64(b[end:])>>8, end+1
	ends := b[end] != ' '
	if ends { // a sign and a space
		behind >>= 8
		next++
	}
	switch {
	case behind&0xFE != 0xD0:
		return false
	case behind&0xFF == 0xD0 && byte(behind>>8) < 0xB0:
		if byte(behind>>8) == 0x9D || s.mayBeLicence(next) { // Номер
			return false
		}
		ends = true
	case behindNumber[behind>>8&63]>>(behind>>24&63)&1 != 0 && beginsSo(b[next:]):
		return false // a month, "номер" or "серия"; "по" and "на" may lead to a street
	}
	// The word before: small letters, and not of a street or a house.
	if start == 0 || b[start-1] == '\n' {
		return true
	}
	if start == 1 || b[start-1] != ' ' {
		return false
	}
	q := start - 2
	switch b[q] {
	case '-', '!', '?':
		return true // of a list, or begins a sentence
	case '.':
		q--
	case ',':
		if (ends || s.mayGoOnAddress(next)) && s.capitalWithin(q) && s.mayBeStreet(q, true) {
			return false // ул. Малая садовая, 12 в городе
		}
		q--
	}
	w := lettersBefore(b, q+1)
	if w > q || w > 0 && (b[w-1] >= 0x80 || wordByte[b[w-1]] || b[w-1] == '-') || q-w > 40 || q-w < 3 && end-start == 3 {
		return false
	}
	if b[w] == 0xD0 && b[w+1] < 0xB0 { // a capital may be a street's
		if !isCapital(b[w+1]) || q-w < 3 || (ends || s.mayGoOnAddress(next)) && (s.mayBeBuilding(next) || s.mayBeStreet(q+1, false)) {
			return false
		}
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

// mayBeLicence says whether the two letters of a licence may stand there, its
// number behind them.
func (s *Scanner) mayBeLicence(i int) bool {
	n, ok := plateLetter(s.text[i:])
	if !ok {
		return false
	}
	m, ok := plateLetter(s.text[i+n:])
	i += n + m
	return ok && (s.at(i)&0xFE != 0xD0 || s.at(i+1) == 0xBD) // "н" begins "номер"
}

// mayBeBuilding says whether the word for a building or a flat may stand there.
func (s *Scanner) mayBeBuilding(i int) bool {
	end := lettersFrom(s.text, i)
	return end > i && buildingPart.may(s.text[i:end])
}

// mayBeStreet says whether the words that end there may name a street: one of the
// last six is its kind. Behind a comma a capital may be one without.
func (s *Scanner) mayBeStreet(end int, comma bool) bool {
	b := s.text
	for n := range 6 {
		w := lettersBefore(b, end)
		if w == end || streetOrPlace.may(b[w:end]) || comma && n == 0 && s.capitalAt(w) {
			return true
		}
		if w == 0 || b[w-1] == ',' {
			return false
		}
		if b[w-1] != ' ' || w < 3 {
			return true
		}
		if end = w - 1; b[end-1] == '.' {
			end--
		}
		switch b[end-1] {
		case ',', '!', '?', '\n':
			return false
		}
	}
	return false
}

// lettersBefore gives where the Cyrillic letters begin that end there.
func lettersBefore(text []byte, end int) int {
	for ; end >= 8; end -= 8 { // four letters at a time
		if other := notLetters(binary.LittleEndian.Uint64(text[end-8:])); other != 0 {
			return end - bits.LeadingZeros64(other)/16*2
		}
	}
	for end >= 2 && text[end-1]&0xC0 == 0x80 && text[end-2]&0xFE == 0xD0 {
		end -= 2
	}
	return end
}

// lettersFrom gives where the Cyrillic letters end that begin there.
func lettersFrom(text []byte, start int) int {
	for ; start+8 <= len(text); start += 8 {
		if other := notLetters(binary.LittleEndian.Uint64(text[start:])); other != 0 {
			return start + bits.TrailingZeros64(other)/16*2
		}
	}
	for start+1 < len(text) && text[start]&0xFE == 0xD0 && text[start+1]&0xC0 == 0x80 {
		start += 2
	}
	return start
}

// notLetters has bits for those of four pairs of bytes that are no D0 or D1 with a
// second byte behind it.
func notLetters(four uint64) uint64 { return four&0xC0FEC0FEC0FEC0FE ^ 0x80D080D080D080D0 }

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

var (
	// leads make the number behind them a house.
	leads = shapesOf(streetWords, houseWords)
	// streetOrPlace are the words that say what kind of street or village it is.
	streetOrPlace = shapesOf(streetWords, placeWords, words("д"))
	buildingPart  = shapesOf(partWords)
	// addressGoes are the words behind a house.
	addressGoes = shapesOf(partWords, tailWords, tailsAfterComma)
)

// mayLead says whether a Cyrillic word may be one of those.
func mayLead(word []byte) bool { return leads.may(word) }

// wordShapes tells by the first and last letter, as far as five bits of each do,
// which lengths the words of a list have: most words need no look-up.
type wordShapes [1 << 10]uint32

func shapesOf(lists ...map[string]bool) *wordShapes {
	var t wordShapes
	for _, list := range lists {
		for w := range list {
			if w[0] < 0xD0 {
				continue
			}
			for _, first := range writtenSo(w[1]) {
				for _, last := range writtenSo(w[len(w)-1]) {
					t[pairOf(first, last)] |= 1 << min(len(w)/2, 31)
				}
			}
		}
	}
	return &t
}

// writtenSo gives the second bytes of the letters that fold to a small one, where
// their last five bits differ: "е" is "Ё" and "ё" too.
func writtenSo(second byte) []byte {
	if second == 0xB5 {
		return []byte{second, 0x81, 0x91}
	}
	return []byte{second}
}

// may takes a word that begins and ends with a Cyrillic letter.
func (t *wordShapes) may(word []byte) bool {
	n := len(word)
	return t[pairOf(word[1], word[n-1])]>>min(uint(n)/2, 31)&1 != 0
}

// mayGoOnAddress says whether the small Cyrillic word there may go on with an
// address behind a house: what houseEnd and addressTail look for.
func (s *Scanner) mayGoOnAddress(start int) bool {
	end := lettersFrom(s.text, start)
	if end >= len(s.text) || s.text[end] != ' ' && s.text[end] != ',' && s.text[end] != '.' {
		return true
	}
	word := s.text[start:end]
	return addressGoes.may(word) || len(word) >= 8 && (verbEnds.has(word) || bytes.Contains(word, []byte("ё")))
}
