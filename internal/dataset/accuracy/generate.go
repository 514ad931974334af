// Package accuracy measures how well the scan finds personal data: it makes up
// labelled records, from the definitions of the identifiers and from the ways
// people write them, scans them and counts.
//
// Every value is made up from a seed; check digits are computed here a second
// time, apart from the scanner's own, so that an error in one does not hide in
// the other. It must not import the scanner's rules.
package accuracy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// Span is a labelled place in a raw line: bytes, the end exclusive.
type Span struct {
	Rule       string // "PII101"
	Start, End int
	Optional   bool // a finding here is neither wanted nor wrong
}

// Trap is a labelled place that looks like an identifier and is none.
type Trap struct {
	Kind       string
	Start, End int
}

// Record is one labelled line.
type Record struct {
	Line  []byte
	Spans []Span
	Traps []Trap
}

// Generate makes n records. The same seed gives the same records.
func Generate(seed uint64, n int) []Record {
	g := newMaker(seed)
	records := make([]Record, n)
	for i := range records {
		records[i] = g.record(i)
	}
	return records
}

type maker struct {
	*rand.Rand
	bik string // of the bank that an account of the same text is at
}

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 0x5107))} }

func (g *maker) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *maker) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.IntN(10))
	}
	return string(b)
}

func (g *maker) nonzero(n int) string { return string(rune('1'+g.IntN(9))) + g.digits(n-1) }

func (g *maker) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	hexa  = "0123456789abcdef"
)

// line is a record in the making: JSON text with the labels' raw places.
type line struct {
	raw     strings.Builder
	escapes bool // write letters beyond ASCII as \uXXXX
	rec     *Record
}

func (l *line) text(s string) (start, end int) {
	start = l.raw.Len()
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			l.raw.WriteByte('\\')
			l.raw.WriteRune(r)
		case r == '\n':
			l.raw.WriteString(`\n`)
		case r >= utf8.RuneSelf && l.escapes && r < 0x10000:
			fmt.Fprintf(&l.raw, `\u%04x`, r)
		default:
			l.raw.WriteRune(r)
		}
	}
	return start, l.raw.Len()
}

// record holds plain news sentences with up to two identifiers and one trap
// between, far enough from each other not to be each other's context.
func (g *maker) record(i int) Record {
	var rec Record
	l := &line{rec: &rec, escapes: g.IntN(20) == 0}
	fmt.Fprintf(&l.raw, `{"sample_id":"s-%05d","source_text":"`, i)
	for range 1 + g.IntN(2) {
		l.text(g.filler() + g.pick(" ", "\n", " "))
	}
	for range g.IntN(3) {
		k := identifiers[g.IntN(len(identifiers))]
		before, value, after := k.make(g)
		l.text(before)
		start, end := l.text(value)
		rec.Spans = append(rec.Spans, Span{Rule: k.rule, Start: start, End: end})
		l.text(after + " " + g.filler() + " " + g.filler() + g.pick(" ", "\n"))
	}
	if g.IntN(2) == 0 {
		k := traps[g.IntN(len(traps))]
		before, value, after := k.make(g)
		l.text(before)
		start, end := l.text(value)
		rec.Traps = append(rec.Traps, Trap{k.rule, start, end})
		l.text(after + " " + g.filler())
	}
	l.raw.WriteString(`","summary_markdown":"`)
	l.text("Кратко: " + g.filler())
	l.raw.WriteString(`","language":"ru","channel":"city_news","timestamp":"2026-01-14T09:12:00Z","metadata":{"llm_model":"m-1"}}`)
	rec.Line = []byte(l.raw.String())
	return rec
}

// filler is a sentence without anybody in it.
func (g *maker) filler() string {
	who := g.pick("Администрация района", "Городской совет", "Министерство", "Завод", "Университет", "Библиотека", "Компания", "Комиссия", "Служба спасения", "Музей")
	did := g.pick("сообщила о новых сроках", "подвела итоги месяца", "открыла площадку для жителей", "обсудила планы развития", "начала ремонт здания", "объявила набор участников", "провела встречу с читателями")
	how := g.pick("в присутствии журналистов", "после долгих переговоров", "по просьбе горожан", "без лишнего шума", "на прошлой неделе", "как и обещала весной")
	why := g.pick("чтобы снизить расходы", "и ответила на вопросы", "хотя погода мешала работам", "и это заметили многие", "о чём рассказали очевидцы")
	return who + " " + did + " " + how + ", " + why + "."
}

type kindOf struct {
	rule string
	make func(*maker) (before, value, after string)
}

func checkINN(d string, w ...int) string {
	sum := 0
	for i, k := range w {
		sum += int(d[i]-'0') * k
	}
	return string(rune('0' + sum%11%10))
}

func (g *maker) innPerson() string {
	d := fmt.Sprintf("%02d", 1+g.IntN(92)) + g.digits(8)
	d += checkINN(d, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
	return d + checkINN(d, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
}

func (g *maker) innOrganisation() string {
	d := fmt.Sprintf("%02d", 1+g.IntN(92)) + g.digits(7)
	return d + checkINN(d, 2, 4, 10, 3, 5, 9, 4, 6, 8)
}

func (g *maker) snils() string {
	d := fmt.Sprintf("%03d", 2+g.IntN(900)) + g.digits(6)
	return d + checkSNILS(d)
}

func checkSNILS(d string) string {
	sum := 0
	for i := range 9 {
		sum += int(d[i]-'0') * (9 - i)
	}
	c := sum % 101
	if c == 100 {
		c = 0
	}
	return fmt.Sprintf("%02d", c)
}

// accountKey sets the ninth digit of an account so that it fits the bank.
func accountKey(account, bik string) string {
	d := []byte(account)
	for c := byte('0'); c <= '9'; c++ {
		d[8] = c
		sum := 0
		for i, x := range []byte(bik[6:] + string(d)) {
			sum += int(x-'0') * [...]int{7, 1, 3}[i%3]
		}
		if sum%10 == 0 {
			break
		}
	}
	return string(d)
}

func remainder(d string, m int) int {
	r := 0
	for _, c := range d {
		r = (r*10 + int(c-'0')) % m
	}
	return r
}

func luhn(d string) string {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 0 {
			n *= 2
			if n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return d + string(rune('0'+(10-sum%10)%10))
}

func spoil(d string) string {
	b := []byte(d)
	b[len(b)-1] = '0' + (b[len(b)-1]-'0'+5)%10
	return string(b)
}

func by(d, sep string, sizes ...int) string {
	var parts []string
	for _, n := range sizes {
		parts = append(parts, d[:n])
		d = d[n:]
	}
	return strings.Join(append(parts, d), sep)
}

func (g *maker) surname() string {
	return g.pick("Сидоров", "Котов", "Лебедев", "Горшков", "Панин", "Зимин", "Осинский", "Шевченко", "Ткачук", "Петросян", "Крылатов", "Мельников", "Березин", "Ольховский", "Рябинин")
}

func (g *maker) male() (first, patronymic string) {
	return g.pick("Иван", "Сергей", "Дмитрий", "Алексей", "Николай", "Андрей", "Павел", "Игорь", "Олег", "Виктор", "Максим", "Артём", "Тимур"),
		g.pick("Иванович", "Петрович", "Сергеевич", "Андреевич", "Николаевич", "Олегович", "Ильич", "Юрьевич", "Дмитриевич")
}

func (g *maker) female() (first, patronymic, surname string) {
	return g.pick("Анна", "Мария", "Ольга", "Елена", "Наталья", "Ирина", "Татьяна", "Светлана", "Юлия", "Дарья", "Гульнара"),
		g.pick("Ивановна", "Петровна", "Сергеевна", "Андреевна", "Ильинична", "Олеговна", "Юрьевна"),
		g.pick("Сидорова", "Котова", "Лебедева", "Панина", "Осинская", "Шевченко", "Ткачук", "Рябинина", "Мельникова")
}

func (g *maker) phone() string {
	code := g.pick("9"+g.digits(2), "495", "812", "343", "383", "846")
	a, b, c := g.nonzero(3), g.digits(2), g.digits(2)
	sp := g.pick("-", " ", "\u00a0", "\u2011", "\u2013", "\u202f")
	return g.pick(
		"+7 ("+code+") "+a+sp+b+sp+c, "+7"+code+a+b+c, "8"+sp+code+sp+a+sp+b+sp+c, "8("+code+")"+a+"-"+b+"-"+c, "8 ("+code+") "+a+b+c,
		"+7 "+code+" "+a+" "+b+" "+c, "+7-"+code+"-"+a+"-"+b+"-"+c, "8-"+code+"-"+a+"-"+b+c, "+7."+code+"."+a+"."+b+"."+c, "+7\u200b"+code+a+"\u200b"+b+c, "("+code+") "+a+"-"+b+"-"+c, "8 "+code+" "+a+"-"+b+"-"+c,
	)
}

// identifiers are made as their issuers define them and as people write them.
var identifiers = []kindOf{
	{"PII101", func(g *maker) (string, string, string) {
		return g.pick("Звоните: ", "Телефон для связи ", "тел. ", "Его номер — ", "Набирайте ", "моб. ", "WhatsApp "), g.phone(), g.pick(".", ", спросить Олю.", " круглосуточно.", "!")
	}},
	{"PII101", func(g *maker) (string, string, string) {
		return "Мобильный ", g.pick("89", "79") + g.digits(9), g.pick(".", ", звонить вечером.")
	}},
	{"PII101", func(g *maker) (string, string, string) {
		v := g.pick("+375 29 "+g.nonzero(3)+"-"+g.digits(2)+"-"+g.digits(2), "+380 (67) "+g.nonzero(3)+" "+g.digits(2)+" "+g.digits(2), "+998 90 "+g.nonzero(3)+" "+g.digits(4), "+1 212 55"+g.digits(1)+"-"+g.digits(4), "+49 30 "+g.nonzero(8), "+44 20 7"+g.digits(3)+" "+g.digits(4))
		return "Позвонить за границу можно по номеру ", v, "."
	}},
	{"PII102", func(g *maker) (string, string, string) {
		name := g.from(lower, 5) + g.pick(".", "_", "-", "") + g.from(lower, 4)
		host := g.from(lower, 6)
		v := g.pick(name+"@"+host+".ru", name+"@mail.ru", strings.ToUpper(name)+"@"+host+".com", name+"(at)"+host+".ru", name+" [собака] "+host+".ru", name+"@"+host+".co.uk", "почта@"+g.pick("завод", "школа")+".рф", name+"+news@gmail.com", name+"@"+host+"(dot)ru")
		return g.pick("Пишите на ", "Почта: ", "e-mail ", "Адрес: "), v, g.pick(".", ", ответим быстро.", " до пятницы.")
	}},
	{"PII103", func(g *maker) (string, string, string) {
		return g.pick("ИНН ", "ИНН: ", "Предприниматель с ИНН ", "ИНН физлица – ", "В анкете указано "), g.innPerson(), g.pick(".", ", адрес уточняется.")
	}},
	{"PII103", func(g *maker) (string, string, string) {
		return g.pick("ИНН ", "ИНН организации: ", "ИНН/КПП "), g.innOrganisation(), g.pick(".", " в реестре.")
	}},
	{"PII104", func(g *maker) (string, string, string) {
		d := g.snils()
		return g.pick("СНИЛС ", "СНИЛС: ", "Страховой номер "), g.pick(by(d, "-", 3, 3, 3), d[:3]+"-"+d[3:6]+"-"+d[6:9]+" "+d[9:], by(d, " ", 3, 3, 3), d), g.pick(".", " проверен.")
	}},
	{"PII105", func(g *maker) (string, string, string) {
		d := g.pick("1", "5") + fmt.Sprintf("%02d", 2+g.IntN(23)) + fmt.Sprintf("%02d", 1+g.IntN(90)) + g.digits(7)
		return "ОГРН ", d + fmt.Sprint(remainder(d, 11)%10), "."
	}},
	{"PII105", func(g *maker) (string, string, string) {
		d := "3" + fmt.Sprintf("%02d", 4+g.IntN(21)) + fmt.Sprintf("%02d", 1+g.IntN(90)) + g.digits(9)
		return "ОГРНИП ", d + fmt.Sprint(remainder(d, 13)%10), "."
	}},
	{"PII106", func(g *maker) (string, string, string) {
		a, b := g.nonzero(2)+g.digits(2), g.digits(6)
		v := g.pick(a+" "+b, a[:2]+" "+a[2:]+" "+b, a+" № "+b, a[:2]+" "+a[2:]+" № "+b, a+b, a+"-"+b, a+" номер "+b)
		return g.pick("Паспорт ", "паспорт: ", "Паспорт серия ", "Паспорт гражданина РФ ", "Документ: паспорт РФ, "), v, g.pick(" выдан отделом полиции.", ".", ", прописка московская.")
	}},
	{"PII107", func(g *maker) (string, string, string) {
		a, b := g.nonzero(2)+g.digits(2), g.digits(6)
		return g.pick("Водительское удостоверение ", "В/у ", "Права ", "водительские права "), g.pick(a+" "+b, a[:2]+" "+a[2:]+" "+b, a+b, a[:2]+" УХ "+b), g.pick(".", " изъято.")
	}},
	{"PII108", func(g *maker) (string, string, string) {
		d := luhn(g.pick("4276", "5469", "2202", "2200", "5536", "4377", "6234", "2221") + g.digits(11))
		sep := g.pick(" ", "-", "\u00a0")
		return g.pick("Перевод на карту ", "карта ", "Номер карты: ", "Реквизиты для помощи: ", "Скинуть можно сюда "), g.pick(d, by(d, sep, 4, 4, 4)), g.pick(".", ", получатель Анна К.")
	}},
	{"PII109", func(g *maker) (string, string, string) {
		bik := "04" + g.digits(4) + fmt.Sprintf("%03d", 50+g.IntN(900))
		d := accountKey(g.pick("40817", "40702", "42301", "40802")+"810"+g.digits(12), bik)
		return g.pick("Счёт ", "р/с ", "Расчётный счёт: "), g.pick(d, by(d, " ", 5, 3, 1, 4), by(d, ".", 5, 3, 1, 4)), g.pick(", БИК ", " в банке, БИК: ") + bik + "."
	}},
	{"PII110", func(g *maker) (string, string, string) {
		country, n := "DE", 18
		if g.IntN(2) == 0 {
			country, n = "LT", 16
		}
		d := g.digits(n)
		check := 98 - remainder(d+fmt.Sprintf("%d%d00", country[0]-'A'+10, country[1]-'A'+10), 97)
		v := country + fmt.Sprintf("%02d", check) + d
		spaced := ""
		for i, c := range v {
			if i > 0 && i%4 == 0 {
				spaced += " "
			}
			spaced += string(c)
		}
		return g.pick("IBAN ", "Счёт за рубежом "), g.pick(v, spaced), "."
	}},
	{"PII111", func(g *maker) (string, string, string) {
		v := fmt.Sprintf("%d.%d.%d.%d", 20+g.IntN(70), g.IntN(256), g.IntN(256), 1+g.IntN(254))
		return g.pick("Атака шла с адреса ", "IP ", "сервер ", "Вход с "), v, g.pick(".", ":8080.", " зафиксирован.")
	}},
	{"PII112", func(g *maker) (string, string, string) {
		name := g.from(lower, 5) + g.pick("_", "") + g.from(lower, 4)
		return g.pick("Пишите в телеграм ", "Автор — ", "Мой ник в инстаграме ", "Telegram: ", "Связь: "), "@" + name, g.pick(".", " в любое время.")
	}},
	{"PII112", func(g *maker) (string, string, string) {
		name := g.from(lower, 9)
		return "Страница: ", g.pick("t.me/"+name, "https://t.me/"+name, "vk.com/id"+g.nonzero(7), "https://vk.com/"+name), g.pick(".", " открыта.")
	}},
	{"PII113", func(g *maker) (string, string, string) {
		street := g.pick("ул. Лесная", "улица Большая Садовая", "пр-т Мира", "проспект Космонавтов", "пер. Кленовый", "ул. 8 Марта", "наб. Тихая", "бульвар Победы", "ул. Академика Павлова", "Садовая улица", "Лесной пр.", "шоссе Энтузиастов", "ул. Парковая")
		h := g.nonzero(1 + g.IntN(2))
		house := g.pick("д. "+h, "дом "+h, "д."+h, h, "д. "+h+", кв. "+g.nonzero(2), "д. "+h+" корп. 2, кв. "+g.nonzero(2), h+"к1, кв. 7", "д. "+h+"А", h+"/2, кв. "+g.nonzero(2))
		city := g.pick("", "", "г. Тверь, ", "г. Казань, ", g.nonzero(6)+", г. Омск, ", "Московская область, г. Клин, ")
		return g.pick("Проживает по адресу: ", "Адрес: ", "Встреча состоится: ", "Приехали по адресу "), city + street + ", " + house, g.pick(".", ".", "; вход со двора.")
	}},
	{"PII114", func(g *maker) (string, string, string) {
		first, patronymic := g.male()
		s := g.surname()
		return g.pick("Жалобу подал ", "Дежурил ", "С места рассказал "), g.pick(s+" "+first+" "+patronymic, first+" "+patronymic+" "+s, first+" "+patronymic, first+" "+s, s+" "+string([]rune(first)[:1])+". "+string([]rune(patronymic)[:1])+".", string([]rune(first)[:1])+"."+string([]rune(patronymic)[:1])+". "+s), g.pick(", отметили в полиции.", " и ещё двое рабочих.", ".")
	}},
	{"PII114", func(g *maker) (string, string, string) {
		first, patronymic, s := g.female()
		return g.pick("Заявку подала ", "Победила ", "Ответила врач "), g.pick(s+" "+first+" "+patronymic, first+" "+patronymic+" "+s, first+" "+patronymic, first+" "+s), g.pick(", сообщил редактор.", " и её коллеги.", ".")
	}},
	{"PII115", func(g *maker) (string, string, string) {
		v := g.pick("ghp_"+g.from(alnum, 36), "AKIA"+strings.ToUpper(g.from(lower, 10))+g.digits(6), "AIza"+g.from(alnum, 35), "glpat-"+g.from(alnum, 20), "xoxb-"+g.digits(11)+"-"+g.digits(12)+"-"+g.from(alnum, 24), "sk-"+g.from(alnum, 48), g.nonzero(10)+":AA"+g.from(alnum, 33), "y0_"+g.from(alnum, 55), "eyJ"+g.from(alnum, 20)+".eyJ"+g.from(alnum, 40)+"."+g.from(alnum, 43), "postgres://app:"+g.from(alnum, 10)+"@db.internal:5432/main", "-----BEGIN PRIVATE KEY-----\n"+g.from(alnum, 64)+"\n-----END PRIVATE KEY-----")
		return g.pick("В логах нашли ", "Ключ: ", "Случайно выложили "), v, g.pick(" и отозвали.", ", что опасно.")
	}},
	{"PII115", func(g *maker) (string, string, string) {
		return g.pick("Пароль: ", "пароль от почты: ", "password=", "логин admin, пароль "), g.from(lower, 5) + g.digits(3) + g.pick("", "!", "#x"), g.pick(" уже сменили.", ", больше не работает.")
	}},
	{"PII116", func(g *maker) (string, string, string) {
		day, month, year := 1+g.IntN(28), 1+g.IntN(12), 1940+g.IntN(65)
		months := []string{"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"}
		v := g.pick(fmt.Sprintf("%02d.%02d.%d", day, month, year), fmt.Sprintf("%d-%02d-%02d", year, month, day), fmt.Sprintf("%d %s %d", day, months[month-1], year), fmt.Sprintf("%02d/%02d/%d", day, month, year))
		return g.pick("Дата рождения: ", "Родился ", "родилась ", "Д.р. ", "Год и день рождения — "), v, g.pick(" в Перми.", ".")
	}},
	{"PII117", func(g *maker) (string, string, string) {
		letters := []string{"А", "В", "Е", "К", "М", "Н", "О", "Р", "С", "Т", "У", "Х"}
		l := func() string { return letters[g.IntN(12)] }
		a, n, b, region := l(), fmt.Sprintf("%03d", 1+g.IntN(999)), l()+l(), g.pick("77", "99", "116", "178", "777", "197", "23")
		return g.pick("Госномер ", "Автомобиль ", "Свидетели запомнили номер "), g.pick(a+n+b+region, a+" "+n+" "+b+" "+region, strings.ToLower(a+n+b)+region, a+n+b+" "+region), g.pick(".", " скрылся.")
	}},
	{"PII118", func(g *maker) (string, string, string) {
		d := luhn(g.nonzero(1) + g.digits(14))
		return g.pick("Полис ОМС ", "полис: ", "Номер полиса ОМС — ", "ЕНП "), g.pick(d, by(d, " ", 4, 4, 4)), "."
	}},
}

// Traps says how many kinds of hard negatives there are.
func Traps() int { return len(traps) }

// traps look like identifiers and are none.
var traps = []kindOf{
	{"order number", func(g *maker) (string, string, string) {
		return g.pick("Заказ № ", "Номер заказа ", "заказ #"), g.nonzero(8 + g.IntN(9)), "."
	}},
	{"ISBN-13", func(g *maker) (string, string, string) {
		return "ISBN ", "978-5-" + g.digits(3) + "-" + g.digits(5) + "-" + g.digits(1), "."
	}},
	{"ISBN-10", func(g *maker) (string, string, string) {
		return "ISBN ", "5-" + g.digits(3) + "-" + g.digits(5) + "-X", "."
	}},
	{"price", func(g *maker) (string, string, string) {
		return "Бюджет составил ", g.nonzero(2) + " " + g.digits(3) + " " + g.digits(3) + " " + g.digits(3), " рублей."
	}},
	{"price with kopecks", func(g *maker) (string, string, string) {
		return "Сумма ", g.nonzero(3) + " " + g.digits(3) + "," + g.digits(2), " руб."
	}},
	{"date", func(g *maker) (string, string, string) {
		return "Матч пройдёт ", fmt.Sprintf("%02d.%02d.20%02d", 1+g.IntN(28), 1+g.IntN(12), 10+g.IntN(16)), "."
	}},
	{"date and time", func(g *maker) (string, string, string) {
		return "Запись ", fmt.Sprintf("20%02d%02d%02d%02d%02d", 10+g.IntN(16), 1+g.IntN(12), 1+g.IntN(28), g.IntN(24), g.IntN(60)), " сохранена."
	}},
	{"version", func(g *maker) (string, string, string) {
		return g.pick("Версия ", "version ", "обновление до версии "), fmt.Sprintf("%d.%d.%d.%d", g.IntN(120), g.IntN(50), g.IntN(250), g.IntN(200)), "."
	}},
	{"sha256", func(g *maker) (string, string, string) { return "sha256 ", g.from(hexa, 64), "." }},
	{"commit", func(g *maker) (string, string, string) { return "commit ", g.from(hexa, 40), "." }},
	{"UUID", func(g *maker) (string, string, string) {
		return "Сессия ", g.from(hexa, 8) + "-" + g.from(hexa, 4) + "-4" + g.digits(3) + "-a" + g.digits(3) + "-" + g.digits(12), "."
	}},
	{"INN fails", func(g *maker) (string, string, string) { return g.pick("ИНН ", ""), spoil(g.innPerson()), "." }},
	{"SNILS fails", func(g *maker) (string, string, string) {
		return "СНИЛС ", by(spoil(g.snils()), "-", 3, 3, 3), "."
	}},
	{"card fails", func(g *maker) (string, string, string) {
		return "карта ", by(spoil(luhn("4276"+g.digits(11))), " ", 4, 4, 4), "."
	}},
	{"score", func(g *maker) (string, string, string) { return "Точность ", "0." + g.digits(12), "." }},
	{"coordinates", func(g *maker) (string, string, string) {
		return "Координаты ", "55." + g.digits(6) + ", 37." + g.digits(6), "."
	}},
	{"article like a phone", func(g *maker) (string, string, string) {
		return g.pick("Артикул ", "арт. "), "8-9" + g.digits(2) + "-" + g.digits(3) + "-" + g.digits(2) + "-" + g.digits(2), "."
	}},
	{"unix time", func(g *maker) (string, string, string) { return "timestamp ", "17" + g.digits(8), "." }},
	{"milliseconds", func(g *maker) (string, string, string) { return "Событие ", "17" + g.digits(11), "." }},
	{"parcel", func(g *maker) (string, string, string) { return "Трек-номер ", "8" + g.digits(13), "." }},
	{"cadastral number", func(g *maker) (string, string, string) {
		return "Участок ", "77:0" + g.digits(1) + ":" + g.digits(7) + ":" + g.nonzero(4), "."
	}},
	{"court case", func(g *maker) (string, string, string) {
		return "дело ", "А40-" + g.nonzero(6) + "/2024", "."
	}},
	{"law", func(*maker) (string, string, string) {
		return "Закон ", "№ 152-ФЗ", " вступил в силу."
	}},
	{"standard", func(*maker) (string, string, string) { return "ГОСТ ", "Р 7.0.100-2018", "." }},
	{"IBAN fails", func(g *maker) (string, string, string) { return "IBAN ", "DE00" + g.digits(18), "." }},
	{"street alone", func(g *maker) (string, string, string) {
		return "На ", "улице Лесной", g.pick(" перекрыто движение.", " 15 мая откроют сквер.", " 3 машины столкнулись.")
	}},
	{"street and date", func(*maker) (string, string, string) {
		return "На ", "проспекте Мира, 12 июня", " прошёл парад."
	}},
	{"decorator", func(*maker) (string, string, string) {
		return "В коде стоит ", "@Override", " над функцией."
	}},
	{"sport score", func(*maker) (string, string, string) {
		return "Счёт матча ", "3:2 (25:23, 22:25, 25:19)", "."
	}},
	{"screen", func(*maker) (string, string, string) { return "Экран ", "1920x1080", " ярче." }},
	{"masked card", func(*maker) (string, string, string) { return "карта ", "**** **** **** 1234", "." }},
	{"masked phone", func(*maker) (string, string, string) { return "телефон ", "+7 9** ***-**-12", "." }},
	{"MAC", func(*maker) (string, string, string) {
		return "устройство ", "00:1b:44:11:3a:b7", " в сети."
	}},
	{"CVE", func(g *maker) (string, string, string) {
		return "уязвимость ", "CVE-2024-" + g.digits(5), "."
	}},
	{"IMEI", func(g *maker) (string, string, string) { return "IMEI ", luhn("35" + g.digits(12)), "." }},
	{"statistics", func(*maker) (string, string, string) {
		return "За год ", "1 234 567 человек и 89 115 222 333 рубля", " потрачено."
	}},
	{"link with a number", func(g *maker) (string, string, string) {
		return "Подробнее: ", "https://news.site/a/" + luhn("4276"+g.digits(11)), " ."
	}},
	{"password policy", func(*maker) (string, string, string) {
		return "Пароль должен содержать ", "не менее 12 символов и 1 цифру", "."
	}},
	{"public figure", func(g *maker) (string, string, string) {
		return "О поэме писал ", g.pick("Александр Пушкин", "Лев Толстой", "Антон Чехов", "Юрий Гагарин"), "."
	}},
	{"named street", func(g *maker) (string, string, string) {
		return "Ремонт на ", g.pick("улице Юрия Гагарина", "площади Ивана Зимина", "проспекте Андрея Котова"), " закончен."
	}},
}
