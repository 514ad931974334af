package pii

import "bytes"

// fold lower-cases Cyrillic and ASCII letters, takes "ё" for "е" and turns
// everything that is neither a letter nor a digit into a space, so that words
// can be looked for as " word " or " beginning". Bytes keep their number.
func fold(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z' || c-'0' <= 9:
			dst = append(dst, c)
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c|0x20)
		case c < 0x80:
			dst = append(dst, ' ')
		case (c == 0xD0 || c == 0xD1) && i+1 < len(text):
			i++
			d := text[i]
			switch {
			case c == 0xD0 && d >= 0x90 && d < 0xA0:
				d += 0x20
			case c == 0xD0 && d >= 0xA0 && d < 0xB0:
				c, d = 0xD1, d-0x20
			case c == 0xD0 && d == 0x81, c == 0xD1 && d == 0x91:
				c, d = 0xD0, 0xB5
			}
			dst = append(dst, c, d)
		case c == 0xC2 || c == 0xE2: // NBSP, dashes, quotes
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// before gives the folded text of up to n characters before pos, with a space
// at both ends.
func (s *Scanner) before(pos, n int) []byte {
	from := pos
	for from > 0 && n > 0 {
		from--
		if s.text[from]&0xC0 != 0x80 {
			n--
		}
	}
	s.window = append(fold(append(s.window[:0], ' '), s.text[from:pos]), ' ')
	return s.window
}

// after gives the folded text of up to n characters after pos.
func (s *Scanner) after(pos, n int) []byte {
	to := pos
	for to < len(s.text) && n > 0 {
		to++
		for to < len(s.text) && s.text[to]&0xC0 == 0x80 {
			to++
		}
		n--
	}
	s.window = append(fold(append(s.window[:0], ' '), s.text[pos:to]), ' ')
	return s.window
}

func has(window []byte, words []string) bool {
	for _, w := range words {
		if bytes.Contains(window, []byte(w)) {
			return true
		}
	}
	return false
}

// last gives where the last of the words begins, or -1.
func last(window []byte, words []string) int {
	at := -1
	for _, w := range words {
		at = max(at, bytes.LastIndex(window, []byte(w)))
	}
	return at
}

// near looks for a word within n characters before start or after end.
func (s *Scanner) near(start, end, n int, words []string) bool {
	return has(s.before(start, n), words) || has(s.after(end, n), words)
}

// Words are written folded: a leading space is a word's beginning, a trailing
// one its end.
var (
	wordsPhone = []string{
		" тел ", " телефон", " моб ", " мобильн", " сотов", " звон", " позвон", " перезвон", " звякн", " набер", " факс",
		" ватсап", " вацап", " вотсап", " whatsapp", " viber", " вайбер", " phone", " tel ", " call ", " mobile", " cell ", " fax ", " sms ", " смс ",
	}
	// wordsOther say that a number is something's else: an order, an article, a parcel.
	wordsOther = []string{
		" заказ", " артикул", " арт ", " isbn", " issn", " ean", " штрихкод", " штрих код", " трек", " накладн", " посылк", " отправлени",
		" лот ", " лота ", " лоту ", " тендер", " закупк", " извещени", " кадастр", " doi ", " imei", " серийн", " s n ", " sku ", " upc ", " order", " tracking",
		" invoice", " article ", " item ", " part number", " part no", " ticket", " тикет", " обращени", " заявк", " модел", " код товара", " товар", " инвентарн", " билет", " брони", " бронь",
		" сессии", " транзакци", " transaction", " уин ", " тн вэд", " окпо", " квитанци", " деталь", " детали ", " запчаст", " commit", " id ", " uid ", " uuid", " хеш", " хэш", " hash", " sha", " md5", " crc", " timestamp", " таймстамп", " unix",
		" счетчик", " лицензи", " рег номер", " протокол", " дело n", " дела n", " делу n",
	}
	wordsINN     = []string{" инн", " inn ", " налогоплательщик", " taxpayer"}
	wordsSNILS   = []string{" снилс", " snils", " страховой номер", " страхового номера", " страховое свидетельств", " пенсионн", " пфр ", " сфр "}
	wordsOGRN    = []string{" огрн", " ogrn", " егрюл", " егрип", " регистрационн"}
	wordsCard    = []string{" карт", " card", " visa", " виза ", " mastercard", " мир ", " pan ", " сбер", " тинькоф", " перевед", " перевод", " перечисл", " оплат"}
	wordsAccount = []string{" счет", " р с ", " р сч ", " сч ", " к с ", " л с ", " рс ", " account", " acc ", " расчетн", " корр", " лицев", " реквизит"}
	wordsBIK     = []string{" бик ", " bik ", " bic "}
	wordsOMS     = []string{" полис", " омс ", " енп ", " медицинск", " страховк", " medical", " policy", " insurance"}

	wordsPassport = []string{" паспорт", " passport", " серия", " серии", " удостоверение личности", " документ удостовер", " загран", " выдан", " уфмс", " овд ", " гу мвд", " паспорта"}
	wordsLicence  = []string{" водительск", " в у ", " ву ", " вод удост", " вод уд", " удостоверение водит", " удостоверения водит", " права ", " прав ", " правами ", " driving", " driver", " licence", " license", " водит "}

	wordsBirth = []string{
		" родил", " рожд", " д р ", " др ", " г р ", " гр ", " год рожд", " born", " birth", " dob ", " именин", " день рожд", " родившийся", " родившаяся", " уроженец", " уроженка",
	}
	wordsVersion = []string{
		" верси", " version", " ver ", " v ", " сборк", " build", " релиз", " release", " прошивк", " firmware", " обновлени", " update", " патч", " patch", " драйвер", " driver ",
		" chrome", " firefox", " п ", " пункт", " пп ", " раздел", " глав", " ст ", " стать", " гост", " section", " oid ", " снип", " сп ", " приложени", " редакци", " мкб ", " оквэд",
	}
	wordsIP = []string{" ip", " айпи", " сервер", " server", " host", " хост", " адрес", " address", " подключ", " connect", " ping", " пинг", " dns", " сеть", " сети", " прокси", " proxy", " vpn"}

	wordsPlate = []string{" гос", " номер", " машин", " авто", " такси", " mashin", " plate"}

	// wordsCode: an "@" of a programming language.
	wordsCode = []string{" в коде", " аннотац", " декоратор", " класс ", " метод ", " css", " java", " python", " директив", " npm ", " пакет ", " атрибут"}

	wordsHandle = []string{
		" telegram", " телеграм", " телег", " тг ", " tg ", " инст", " inst", " вконтакт", " вк ", " vk ", " ник ", " никнейм", " аккаунт", " акаунт", " account", " личк", " лс ", " личные сообщ",
		" пиш", " напиш", " написа", " писать", " подпис", " канал", " контакт", " связ", " автор", " директ", " бот", " чат", " профил", " юзер", " пользовател", " username", " user", " handle", " contact",
		" write", " message", " dm ", " pm ", " follow", " twitter", " твиттер", " tiktok", " тикток", " youtube", " ютуб", " max ", " снял", " отмет", " фото", " источник", " обращ", " отвеча", " админ ", " админу ", " админа ", " менеджер", " спрос", " стуч", " маякн", " tme",
	}
)
