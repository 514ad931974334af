package pii

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// TestPlainSparesOnlyWhatNoRuleFinds: where a number is called plain, the rules for
// short numbers find nothing. Texts are random, of the words that the rules know.
func TestPlainSparesOnlyWhatNoRuleFinds(t *testing.T) {
	pieces := []string{
		"и", "в", "город", "цены", "проект", "рассказал", "ещё", "Завод", "Новые", "Ёлки", "На", "МВД", "Я", "АВ", "ОМ", "аве", "Аве", "Ко", "Кон", "К", "О", "До", "мая", "Мая", "марта", "Марта", "Петрова", "Лесная", "8",
		"паспорт", "серия", "Серия", "номер", "Номер", "пароль", "Пароль", "код", "родился", "Родился", "дата рождения", "рожд", "госномер", "Госномер", "машина", "полис", "удостоверение", "права",
		"адрес", "Адрес", "живёт", "№", "по", "на", "от", "x", "IT", "Lesnaya",
	}
	for _, list := range []map[string]bool{streetWords, placeWords, houseWords, partWords, cityWords} {
		for _, w := range slices.Sorted(maps.Keys(list)) {
			pieces = append(pieces, w, capitalised(w))
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	joints := []string{" ", " ", " ", " ", " ", ", ", ". ", ".", "! ", "? ", ": ", "\n", " - ", "; ", " («"}
	plain := 0
	for range 1_000_000 {
		var text []byte
		for range 4 + r.IntN(10) {
			if r.IntN(3) == 0 {
				text = strconv.AppendInt(text, int64(r.IntN([]int{10, 32, 100, 1000, 10_000, 2030}[r.IntN(6)])), 10)
			} else {
				text = append(text, pieces[r.IntN(len(pieces))]...)
			}
			text = append(text, joints[r.IntN(len(joints))]...)
		}
		s := &Scanner{text: text, glued: -1}
		s.stops = bytescan.Classify(nil, text)
		for start := 0; start < len(text); start++ {
			if text[start]-'0' > 9 || start > 0 && wordByte[text[start-1]] {
				continue
			}
			end := start
			for end < len(text) && text[end]-'0' <= 9 {
				end++
			}
			if end-start > 4 || !s.alone(end) || !s.plain(start, end) {
				continue
			}
			plain++
			s.groups, s.matches, s.upTo = append(s.groups[:0], group{start: start, end: end}), s.matches[:0], 0
			s.short(0)
			require.Empty(t, s.matches, "%q at %d", text, start)
		}
	}
	require.Greater(t, plain, 10_000)
}

// TestLettersAmongRussianAreNothing: where a word of Latin letters is passed over
// for the words that it stands among, the rules for such words find nothing.
func TestLettersAmongRussianAreNothing(t *testing.T) {
	pieces := []string{
		"IT", "BMW", "password", "Password", "pass", "secret", "bearer", "Bearer", "Basic", "qwerty", "Qwerty12", "ivan", "mail", "ru", "com", "t", "me", "vk", "DE89", "March", "born", "AKIA", "eyJ", "at", "dot", "e164kx77",
		"пароль", "Пароль", "ПАРОЛЬ", "пароля", "паролем", "ключ", "доступа", "токен", "слово", "видел", "земля", "время", "соль", "собака", "собачка", "студенты", "точка", "почта", "логин", "в", "с", "мая", "1985", "12", "77", "@", "—", "«", "»", "-",
	}
	joints := []string{" ", " ", " ", " ", " ", " ", ", ", ". ", ".", ": ", ":", "\n", "! ", "; ", "=", " \"", "/", "_"}
	r := rand.New(rand.NewPCG(5, 6))
	passed := 0
	for range 500_000 {
		var text []byte
		for range 4 + r.IntN(8) {
			text = append(text, pieces[r.IntN(len(pieces))]...)
			text = append(text, joints[r.IntN(len(joints))]...)
		}
		s := &Scanner{text: text, glued: -1}
		s.stops = bytescan.Classify(nil, text)
		for start := 0; start < len(text); start++ {
			if !wordByte[text[start]] || text[start]-'0' <= 9 || start > 0 && wordByte[text[start-1]] {
				continue
			}
			end := start
			for end < len(text) && wordByte[text[end]] {
				end++
			}
			if end-start >= 16 || !s.amongRussian(start, end) {
				continue
			}
			passed++
			s.matches, s.upTo = s.matches[:0], 0
			s.anyLetters(start, end)
			require.Empty(t, s.matches, "%q at %d", text, start)
		}
	}
	require.Greater(t, passed, 10_000)
}

func capitalised(word string) string {
	if word[0] == 0xD0 && word[1] >= 0xB0 && word[1] < 0xC0 {
		return "\xD0" + string([]byte{word[1] - 0x20}) + word[2:]
	}
	return word
}
