package pii

import "slices"

// fold lower-cases Cyrillic and ASCII letters, takes "ё" for "е" and turns
// everything that is neither a letter nor a digit into a space, so that words
// can be looked for as " word " or " beginning". Bytes keep their number.
func fold(dst, text []byte) []byte { return foldBy(&foldedSigns, dst, text) }

// foldBy takes the table of the bytes that begin no Cyrillic letter.
func foldBy(signs *[256]byte, dst, text []byte) []byte {
	from := len(dst)
	dst = slices.Grow(dst, len(text))[:from+len(text)]
	out := dst[from:]
	for i := 0; i < len(out); i++ {
		c := text[i]
		if c&0xFE == 0xD0 && i+1 < len(out) {
			letter := foldedLetters[c&1][text[i+1]]
			out[i], out[i+1] = letter[0], letter[1]
			i++
			continue
		}
		out[i] = signs[c]
	}
	return dst
}

// foldedSigns are single bytes folded; foldedInWords keep the hyphen.
var foldedSigns, foldedInWords = func() (signs, inWords [256]byte) {
	for k := range signs {
		switch c := byte(k); {
		case c >= 'a' && c <= 'z' || c-'0' <= 9:
			signs[k] = c
		case c >= 'A' && c <= 'Z':
			signs[k] = c | 0x20
		case c < 0x80, c == 0xC2, c == 0xE2: // NBSP, dashes, quotes
			signs[k] = ' '
		default:
			signs[k] = c
		}
	}
	inWords = signs
	inWords['-'] = '-'
	return signs, inWords
}()

// foldedLetters are the letters behind D0 and D1, by their second byte.
var foldedLetters = func() (t [2][256][2]byte) {
	for lead := range t {
		for k := range t[lead] {
			c, d := 0xD0+byte(lead), byte(k)
			switch {
			case c == 0xD0 && d >= 0x90 && d < 0xA0:
				d += 0x20
			case c == 0xD0 && d >= 0xA0 && d < 0xB0:
				c, d = 0xD1, d-0x20
			case c == 0xD0 && d == 0x81, c == 0xD1 && d == 0x91:
				c, d = 0xD0, 0xB5
			}
			t[lead][k] = [2]byte{c, d}
		}
	}
	return t
}()

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
	return s.squeeze(s.text[from:pos])
}

// squeeze folds a text into the window, its spaces single: "Рег. номер" holds
// " рег номер ".
func (s *Scanner) squeeze(text []byte) []byte {
	s.window = append(fold(append(s.window[:0], ' '), text), ' ')
	n := 1
	for _, c := range s.window[1:] {
		if c != ' ' || s.window[n-1] != ' ' {
			s.window[n] = c
			n++
		}
	}
	s.window = s.window[:n]
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
	return s.squeeze(s.text[pos:to])
}

// phrases is a list of words and phrases to look for, by the byte that tells
// their first letters apart.
type phrases [64][]string

// phrasesOf makes a list. Words are written folded: the leading space is a
// word's beginning, a trailing one its end.
func phrasesOf(list ...string) *phrases {
	var p phrases
	for _, w := range list {
		k := p.slot([]byte(w[1:]))
		p[k] = append(p[k], w)
	}
	return &p
}

func joined(lists ...*phrases) *phrases {
	var all phrases
	for _, p := range lists {
		for k := range p {
			all[k] = append(all[k], p[k]...)
		}
	}
	return &all
}

func (p *phrases) slot(word []byte) int {
	if word[0] >= 0x80 && len(word) > 1 {
		return int(word[1] & 63)
	}
	return int(word[0] & 63)
}

// find gives where the first phrase at or behind a place of the window begins,
// or -1.
func (p *phrases) find(window []byte, from int) int {
	for i := from; i < len(window)-1; i++ {
		if window[i] != ' ' {
			continue
		}
		rest := window[i:]
		for _, w := range p[p.slot(rest[1:])] {
			if len(rest) >= len(w) && string(rest[:len(w)]) == w {
				return i
			}
		}
	}
	return -1
}

func has(window []byte, p *phrases) bool { return p.find(window, 0) >= 0 }

// last gives where the last of the phrases begins, or -1.
func last(window []byte, p *phrases) int {
	at := -1
	for {
		next := p.find(window, at+1)
		if next < 0 {
			return at
		}
		at = next
	}
}

// firstOf gives where the first of the phrases begins, or the window's length.
func firstOf(window []byte, p *phrases) int {
	if i := p.find(window, 0); i >= 0 {
		return i
	}
	return len(window)
}

// near looks for a word within 40 characters before start or after end.
func (s *Scanner) near(start, end int, words *phrases) bool {
	const n = 40
	return has(s.before(start, n), words) || has(s.after(end, n), words)
}

var (
	wordsPhone = phrasesOf(
		" тел ", " сот ", " телефон", " моб ", " мобильн", " сотов", " звон", " позвон", " перезвон", " звякн", " набер", " факс",
		" ватсап", " вацап", " вотсап", " whatsapp", " viber", " вайбер", " phone", " tel ", " call ", " mobile", " cell ", " fax ", " sms ", " смс ",
	)
	// wordsOrder stand before the numbers of orders, and before phones as well:
	// "заказ такси 8 (391) ...".
	wordsOrder = phrasesOf(
		" заказ ", " заказа ", " заказу ", " заказом ", " заказе ", " заказы ", " заказов ", " order ", " orders ", " обращени", " заявк", " тикет", " ticket", " билет", " брони ", " бронь ", " бронирован", " товар ", " товара ", " товары ", " посылк", " отправлени",
	)
	// wordsThing say that a number is something's else: an article, a parcel.
	wordsThing = phrasesOf(
		" артикул", " арт ", " isbn", " issn", " ean", " штрихкод", " штрих код", " трек", " накладн", " счет фактур",
		" лот ", " лота ", " лоту ", " тендер", " закупк", " извещени", " кадастр", " doi ", " imei", " серийн", " s n ", " sku ", " upc ", " tracking",
		" invoice", " article ", " item ", " part number", " part no", " модел", " код товара", " инвентарн",
		" сесси", " session", " транзакци", " transaction", " уин ", " тн вэд", " окпо", " квитанци", " деталь", " детали ", " запчаст", " commit", " id ", " uid ", " uuid", " хеш", " хэш", " hash", " sha", " md5", " crc", " timestamp", " таймстамп", " unix",
		" счетчик", " лицензи", " рег номер", " протокол", " дело n", " дела n", " делу n",
	)
	wordsOther   = joined(wordsOrder, wordsThing)
	wordsINNKPP  = phrasesOf(" инн кпп ")
	wordsIn      = phrasesOf(" в ", " за ", " к ", " с ")
	wordsINN     = phrasesOf(" инн", " inn ", " налогоплательщик", " taxpayer")
	wordsSNILS   = phrasesOf(" снилс", " snils", " страховой номер", " страхового номера", " страховое свидетельств", " пенсионн", " пфр ", " сфр ")
	wordsOGRN    = phrasesOf(" огрн", " ogrn", " егрюл", " егрип", " регистрационн")
	wordsCard    = phrasesOf(" карт", " card", " visa", " виза ", " mastercard", " мир ", " pan ", " сбер", " тинькоф", " перевед", " перевод", " перечисл", " оплат")
	wordsPayment = phrasesOf(" карта ", " карту ", " карте ", " карты ", " картой ", " card", " visa", " mastercard", " сбер")
	wordsAccount = phrasesOf(" счет", " р с ", " р сч ", " сч ", " к с ", " л с ", " рс ", " account", " acc ", " расчетн", " корр", " лицев", " реквизит")
	wordsBIK     = phrasesOf(" бик ", " bik ", " bic ")
	wordsOMS     = phrasesOf(" полис", " омс ", " енп ", " медицинск", " страховк", " medical", " policy", " insurance")

	wordsPassport = phrasesOf(" паспорт", " passport", " пасп ", " удостоверение личности", " удостоверения личности", " документ удостовер", " загран")
	// wordsPaper stand near the numbers of passports, and of other documents.
	wordsPaper = phrasesOf(" серия", " серии", " выдан", " уфмс", " оуфмс", " овд ", " ровд ", " увд ", " гу мвд", " умвд", " отделом полиции", " код подразделения")
	// wordsDriver make any certificate a driver's.
	wordsDriver  = phrasesOf(" водител", " гибдд", " гаи ", " дпс ")
	wordsCertify = phrasesOf(" удостоверени")
	wordsLicence = phrasesOf(" водительск", " в у ", " ву ", " вод удост", " вод уд", " водит удост", " водит уд", " удостоверение водит", " удостоверения водит", " права ", " прав ", " правами ", " правах ", " driving", " driver", " licence", " license", " водит ", " voditel")

	wordsBirth = phrasesOf(
		" родил", " рожд", " д р ", " др ", " г р ", " гр ", " год рожд", " born", " birth", " dob ", " именин", " дата рожд", " birthday", " родившийся", " родившаяся", " уроженец", " уроженка",
	)
	wordsVersion = phrasesOf(
		" верси", " version", " ver ", " v ", " сборк", " build", " релиз", " release", " прошивк", " firmware", " обнов", " update", " патч", " patch", " драйвер", " driver ",
		" chrome", " firefox", " п ", " пункт", " пп ", " раздел", " глав", " ст ", " стать", " гост", " section", " oid ", " снип", " сп ", " приложени", " редакци", " мкб ", " оквэд",
	)
	wordsIP = phrasesOf(" ip", " айпи", " сервер", " server", " host", " хост", " адрес", " address", " подключ", " connect", " ping", " пинг", " dns", " сеть", " сети", " прокси", " proxy", " vpn")

	wordsPlate = phrasesOf(" гос", " номер", " машин", " авто", " такси", " мотоцикл", " мопед", " скутер", " прицеп", " трактор", " mashin", " plate", " грз ", " г н ")
	// wordsVehicle: papers of a car or a thing, not of a person.
	wordsVehicle = phrasesOf(" стс ", " птс ", " транспортного средства", " свидетельств", " изделия ", " прибора ", " паспорт объекта", " паспорт сделки", " паспорт качества", " паспорт здания", " диплом", " полис ")

	// wordsCode: an "@" of a programming language.
	wordsCode = phrasesOf(" в коде", " аннотац", " декоратор", " класс ", " метод ", " css", " java", " python", " директив", " npm ", " пакет ", " атрибут")

	wordsHandle = phrasesOf(
		" telegram", " телеграм", " телег", " тг ", " tg ", " инст", " inst", " вконтакт", " вк ", " vk ", " ник ", " никнейм", " аккаунт", " акаунт", " account", " личк", " лс ", " личные сообщ",
		" пиш", " напиш", " написа", " писать", " подпис", " канал", " контакт", " связ", " автор", " директ", " бот", " чат", " профил", " юзер", " пользовател", " username", " user", " handle", " contact",
		" write", " message", " dm ", " pm ", " follow", " twitter", " твиттер", " tiktok", " тикток", " youtube", " ютуб", " max ", " снял", " отмет", " фото", " источник", " обращ", " отвеча", " админ ", " админу ", " админа ", " менеджер", " спрос", " стуч", " реклам", " сотруднич", " вопрос", " спасибо", " благодар", " via ", " присла", " предлож", " предлаг", " администратор", " модератор", " редактор", " подробност", " подробнее", " записат", " запись к", " заказать", " заказы", " оплат", " фидбек", " отзыв", " поддержк", " support", " ссылк", " аккаунты", " страниц", " мой ", " моя ", " ищите", " найти меня", " меня ", " мне ", " личн", " соцсет", " вотсап", " мессендж", " discord", " дискорд", " твич", " twitch", " github", " гитхаб", " рассказал", " сообщил", " говорит", " считает", " по словам", " комментар", " репост", " ответ", " репл", " тред", " стример", " блогер", " ведущ", " собеседник", " журналист", " корреспондент", " оператор", " маякн", " tme",
	)
)
