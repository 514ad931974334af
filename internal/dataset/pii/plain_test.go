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
		"и", "в", "город", "цены", "проект", "рассказал", "ещё", "Завод", "Новые", "Ёлки", "На", "МВД", "Я", "АВ", "ОМ", "аве", "Аве", "мая", "Мая", "марта", "Марта", "Петрова", "Лесная", "8",
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

func capitalised(word string) string {
	if word[0] == 0xD0 && word[1] >= 0xB0 && word[1] < 0xC0 {
		return "\xD0" + string([]byte{word[1] - 0x20}) + word[2:]
	}
	return word
}
