package dataset

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// sameLanguage compares a record's language with the locale by the primary
// subtag: "ru-RU" is "ru".
func sameLanguage(value []byte, locale string) bool {
	if i := bytes.IndexAny(value, "-_"); i >= 0 {
		value = value[:i]
	}
	return bytes.EqualFold(value, []byte(locale))
}

func looksRussian(text []byte) bool { return true }

func mixedWords(text []byte) []span { return nil }

// normalHash hashes a text with runs of white space as one space and none at
// its ends.
func (in *inspector) normalHash(text []byte) uint64 {
	return hashBytes(bytes.Join(bytes.Fields(text), []byte{' '}))
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

var _ = unicode.Cyrillic
