package pii_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/dataset/pii"
)

// found gives the matches of a text as "RULE/case: text".
func found(text string) []string {
	out := []string{}
	var s pii.Scanner
	for _, m := range s.Scan([]byte(text), pii.Context{}) {
		r := pii.Rows[m.ID]
		out = append(out, fmt.Sprintf("%s/%s: %s", r.Rule, r.Case, text[m.Start:m.End]))
	}
	return out
}

func TestFound(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Звоните +7 (912) 345-67-89 сегодня", "PII101/found: +7 (912) 345-67-89"},
		{"тел. 8-912-345-67-89.", "PII101/found: 8-912-345-67-89"},
		{"номер 89123456789, звонить вечером", "PII101/found: 89123456789"},
		{"+7\u00a0912\u2011345\u201167\u201189", "PII101/found: +7\u00a0912\u2011345\u201167\u201189"},
		{"+7912\u200b345\u200b67\u200b89", "PII101/found: +7912\u200b345\u200b67\u200b89"},
		{"офис (495) 123-45-67", "PII101/found: (495) 123-45-67"},
		{"8 (4952) 12-34-56", "PII101/found: 8 (4952) 12-34-56"},
		{"горячая линия 8-800-555-35-35", "PII101/toll_free: 8-800-555-35-35"},
		{"пишите в Минск: +375 29 123-45-67", "PII101/found: +375 29 123-45-67"},
		{"call +1 (202) 555-0143 now", "PII101/found: +1 (202) 555-0143"},
		{"https://wa.me/79123456789", "PII101/found: 79123456789"},
		{"почта ivan.petrov@mail.ru.", "PII102/found: ivan.petrov@mail.ru"},
		{"адрес 79123456789@mail.ru", "PII102/found: 79123456789@mail.ru"},
		{"иван@почта.рф", "PII102/found: иван@почта.рф"},
		{"ivan(at)mail.ru", "PII102/found: ivan(at)mail.ru"},
		{"ivan [собака] mail.ru", "PII102/found: ivan [собака] mail.ru"},
		{"demo@example.com", "PII102/example: demo@example.com"},
		{"ИНН 500100732259", "PII103/person: 500100732259"},
		{"ИНН 7707083893", "PII103/organisation: 7707083893"},
		{"СНИЛС 112-233-445 95", "PII104/found: 112-233-445 95"},
		{"СНИЛС: 11223344595", "PII104/found: 11223344595"},
		{"ОГРН 1027700132195", "PII105/organisation: 1027700132195"},
		{"паспорт 45 09 123456", "PII106/found: 45 09 123456"},
		{"паспорт серия 4509 № 123456 выдан", "PII106/found: 4509 № 123456"},
		{"водительское удостоверение 77 12 345678", "PII107/found: 77 12 345678"},
		{"карта 4276 3801 2345 6787", "PII108/found: 4276 3801 2345 6787"},
		{"р/с 40702810400000000225 БИК 044525225", "PII109/found: 40702810400000000225"},
		{"IBAN DE89 3704 0044 0532 0130 00.", "PII110/found: DE89 3704 0044 0532 0130 00"},
		{"сервер 95.173.136.70 недоступен", "PII111/public: 95.173.136.70"},
		{"сервер 192.168.1.10 недоступен", "PII111/private: 192.168.1.10"},
		{"Пишите в телеграм @ivan_petrov", "PII112/found: @ivan_petrov"},
		{"https://t.me/ivan_petrov", "PII112/found: https://t.me/ivan_petrov"},
		{"vk.com/id123456", "PII112/found: vk.com/id123456"},
		{"живёт: ул. Ленина, д. 5, кв. 12.", "PII113/found: ул. Ленина, д. 5, кв. 12"},
		{"приходите: ул. Малая садовая, 12 в пятницу", "PII113/found: ул. Малая садовая, 12"},
		{"г. Казань, ул. Баумана, д. 12к2", "PII113/found: г. Казань, ул. Баумана, д. 12к2"},
		{"Невский проспект, 28", "PII113/found: Невский проспект, 28"},
		{"вчера Иван Сидоров приехал", "PII114/name: Иван Сидоров"},
		{"вчера Сидоров И. П. приехал", "PII114/name: Сидоров И. П."},
		{"вчера И.П. Сидоров приехал", "PII114/name: И.П. Сидоров"},
		{"вчера Сидоров Иван Петрович приехал", "PII114/full: Сидоров Иван Петрович"},
		{"с Анной Сергеевной Котовой", "PII114/full: Анной Сергеевной Котовой"},
		{"token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "PII115/found: ghp_abcdefghijklmnopqrstuvwxyz0123456789"},
		{"пароль: Qwerty123", "PII115/found: Qwerty123"},
		{"Пароль:\nQwerty123", "PII115/found: Qwerty123"},
		{"login: ivan\npass: Qwerty12", "PII115/found: Qwerty12"},
		{"login\nivan\npass\nQwerty12", "PII115/found: Qwerty12"},
		{"pass for the mail: Qwerty12", "PII115/found: Qwerty12"},
		{"postgres://user:pa55@db.local/app", "PII115/found: postgres://user:pa55@db.local/app"},
		{"ул. Мира, дом № 15", "PII113/found: ул. Мира, дом № 15"},
		{"На улице Ленина, 5 произошёл пожар", "PII113/found: улице Ленина, 5"},
		{"1-й Тверской-Ямской пер., 18", "PII113/found: 1-й Тверской-Ямской пер., 18"},
		{"101000, Москва, ул. Мясницкая, д. 26", "PII113/found: 101000, Москва, ул. Мясницкая, д. 26"},
		{"живёт в Самаре на улице Победы, 93, угловая", "PII113/found: Самаре на улице Победы, 93"},
		{"Офис: БЦ «Луч», ул. Победы, д. 93", "PII113/found: БЦ «Луч», ул. Победы, д. 93"},
		{"Открыли «Луч», ул. Победы, д. 93", "PII113/found: ул. Победы, д. 93"},
		{"по адресу 7-я линия В. О., д. 34", "PII113/found: 7-я линия В. О., д. 34"},
		{"по адресу В.О., 7-я линия, д. 34", "PII113/found: В.О., 7-я линия, д. 34"},
		{"Заявитель — Мамедов Рашид Ахмед оглы", "PII114/full: Мамедов Рашид Ахмед оглы"},
		{"рассказал Ян Станиславович Вуйцик", "PII114/full: Ян Станиславович Вуйцик"},
		{"вчера Иван Петрович Вуйцик приехал", "PII114/full: Иван Петрович Вуйцик"},
		{"вчера Иван Петрович Москву покинул", "PII114/full: Иван Петрович"},
		{"тел. 12-34-56", "PII101/found: 12-34-56"},
		{"ИНН500100732259", "PII103/person: 500100732259"},
		{"ИНН/КПП 7707083893/773601001", "PII103/organisation: 7707083893"},
		{"загранпаспорт 75 1234567", "PII106/found: 75 1234567"},
		{"права 77 ТК 123456", "PII107/found: 77 ТК 123456"},
		{"IPv6 2a02:6b8::2:242", "PII111/public: 2a02:6b8::2:242"},
		{"номер 11223344595", "PII199/found: 11223344595"},
		{"ИВАНОВ ИВАН ИВАНОВИЧ", "PII114/full: ИВАНОВ ИВАН ИВАНОВИЧ"},
		{"дата рождения 15.03.1985", "PII116/found: 15.03.1985"},
		{"родился 15 марта 1985 года", "PII116/found: 15 марта 1985"},
		{"машина А123ВС77 у дома", "PII117/found: А123ВС77"},
		{"машина А 123 ВС 777 у дома", "PII117/found: А 123 ВС 777"},
		{"полис ОМС 1234567890123452", "PII118/found: 1234567890123452"},
	} {
		t.Run(c.text, func(t *testing.T) {
			want := []string{}
			if c.want != "" {
				want = append(want, c.want)
			}
			assert.Equal(t, want, found(c.text))
		})
	}
}

// TestNameNear: 200 characters are near, 201 are not; a handle or an address of
// a machine makes no name nearer.
func TestNameNear(t *testing.T) {
	gap := func(n int) string { return " " + strings.Repeat("я", n-2) + " " }
	for text, want := range map[string]string{
		"Иван Сидоров" + gap(200) + "+7 912 345-67-89": "PII114/near",
		"Иван Сидоров" + gap(201) + "+7 912 345-67-89": "PII114/name",
		"+7 912 345-67-89" + gap(200) + "Иван Сидоров": "PII114/near",
		"+7 912 345-67-89" + gap(201) + "Иван Сидоров": "PII114/name",
		"Иван Сидоров, телеграм @ivan_sidorov":         "PII114/name",
		"Иван Сидоров, сервер 95.173.136.70":           "PII114/name",
	} {
		var names []string
		for _, m := range found(text) {
			if strings.HasPrefix(m, "PII114") {
				names = append(names, m[:len(want)])
			}
		}
		assert.Equal(t, []string{want}, names, text)
	}
}

func TestNothing(t *testing.T) {
	for _, text := range []string{
		"Заказ № 500100732258 готов", "ISBN 978-5-699-12014-7", "цена 89 123 456 789 руб.", "версия 10.12.1.5", "счёт 3:2 и 15.03.2025",
		"commit 9f2c41aa77ab01cc9f2c41aa77ab01cc9f2c41aa", "На улице Ленина 15 января прошёл митинг", "координаты 55.751244, 37.618423",
		"550e8400-e29b-41d4-a716-446655440000", "https://site.ru/news/4276380123456787", "артикул 8-912-345-67-89",
		"Улица Юрия Гагарина закрыта", "Владимир Путин выступил", "@media screen", "пароль должен содержать 8 символов", "в 2026 году 1 234 567 человек",
		"| login | Pass |\n| b | id: ab12cd34 |", "test_login: Pass\ntest_logout2: build77x", "Smoke: Pass\nRelease: 2024a1", "Результат - Pass\n- Сборка: rc12-77a",
		"Тест 5 | Pass\nQwerty1234 | Fail", "Result: PASS\nTicket: PG-123456", "All tests pass. Build: 4f2a91x", "| Вход | Pass | Сборка: 4f2a91x |", "точность 0.912345678901", "СНИЛС 112-233-445 96", "карта 4276 3801 2345 6784",
	} {
		t.Run(text, func(t *testing.T) { assert.Empty(t, found(text)) })
	}
}
