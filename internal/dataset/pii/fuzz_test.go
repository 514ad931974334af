package pii_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset/pii"
)

// FuzzScan: matches lie inside the text, in order, on character boundaries, each
// with a value; and a scanner that was used before finds what a fresh one does.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"Сидоров Иван Петрович, тел. +7 (912) 345-67-89, ул. Лесная, д. 5, кв. 12", "ИНН 500100732259 карта 4276 3801 2345 6787",
		"а@б.рф (собака) [at] {dot}", "пароль: Qwerty12 ghp_abcdefghijklmnopqrstuvwxyz0123456789", "А123ВС77 45 09 № 123456 паспорт",
		"-----BEGIN PRIVATE KEY-----", "https://u:p@h t.me/x 1.2.3.4 ::1 2a02:6b8::2:242", "И. И. И. И. Иван Ивановы", "р/с 40702810400000000225 БИК 044525225",
		"\u200b8\u200b9\u200b1\u200b2 +7+7+7 ((((( 8-8-8-8-8-8-8-8-8-8-8-8-8",
	} {
		f.Add(text)
	}
	var used pii.Scanner
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // the dataset's scan replaces such bytes first
		}
		var fresh pii.Scanner
		got := fresh.Scan([]byte(text), pii.Context{})
		again := used.Scan([]byte(text), pii.Context{})
		require.Len(t, again, len(got))
		for i := range got {
			require.Equal(t, got[i], again[i])
		}
		last := 0
		for _, m := range got {
			require.LessOrEqual(t, last, m.Start)
			require.Less(t, m.Start, m.End)
			require.LessOrEqual(t, m.End, len(text))
			require.True(t, utf8.ValidString(text[m.Start:m.End]), "cuts a character: %s", pii.Rows[m.ID].Rule)
			require.NotEmpty(t, m.Value)
			last = m.Start
		}
	})
}
