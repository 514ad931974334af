package pii

import (
	"bytes"
	"slices"
)

// keyForm is how an issuer writes its keys: a prefix, then at least this many
// of letters, digits and the listed signs.
type keyForm struct {
	prefix string
	tail   int
	signs  string
}

// keyForms are the documented forms of access keys, by their first byte.
var keyForms = func() (t [256][]keyForm) {
	for _, f := range []keyForm{
		{"ghp_", 36, ""},
		{"gho_", 36, ""},
		{"ghu_", 36, ""},
		{"ghs_", 36, ""},
		{"ghr_", 36, ""},
		{"github_pat_", 22, "_"},
		{"glpat-", 20, "-_."},
		{"glptt-", 20, "-_"},
		{"AKIA", 16, ""},
		{"ASIA", 16, ""},
		{"AIza", 35, "-_"},
		{"GOCSPX-", 20, "-_"},
		{"ya29.", 20, "-_."},
		{"sk-ant-", 20, "-_"},
		{"sk-proj-", 20, "-_"},
		{"sk-", 20, "-_"},
		{"sk_live_", 16, ""},
		{"sk_test_", 16, ""},
		{"rk_live_", 16, ""},
		{"pk_live_", 16, ""},
		{"whsec_", 16, ""},
		{"xoxb-", 20, "-"},
		{"xoxp-", 20, "-"},
		{"xoxa-", 20, "-"},
		{"xoxr-", 20, "-"},
		{"xoxs-", 20, "-"},
		{"xapp-", 20, "-"},
		{"SG.", 40, "-_."},
		{"npm_", 36, ""},
		{"pypi-", 40, "-_"},
		{"hf_", 30, ""},
		{"dop_v1_", 40, ""},
		{"shpat_", 32, ""},
		{"dapi", 32, ""},
		{"glsa_", 32, "_"},
		{"EAAC", 40, ""},
		{"y0_", 30, "-_"},
		{"y1_", 30, "-_"},
		{"AQVN", 30, "-_"},
		{"AQAAAA", 30, "-_"},
		{"t1.", 60, "-_.="},
		{"YCAJ", 20, "-_"},
		{"YCO", 36, "-_"},
		{"YCP", 36, "-_"},
		{"YCM", 36, "-_"},
		{"vk1.a.", 40, "-_"},
		{"live_", 36, "-_"},
		{"test_", 38, "-_"},
	} {
		t[f.prefix[0]] = append(t[f.prefix[0]], f)
	}
	return t
}()

// letters judges a run that begins with an ASCII letter or underscore.
func (s *Scanner) letters(start, end int) int {
	if end-start < 16 && s.amongRussian(start, end) {
		return end
	}
	return s.anyLetters(start, end)
}

// anyLetters is letters where no short way is.
func (s *Scanner) anyLetters(start, end int) int {
	b := s.text
	for _, f := range keyForms[b[start]] {
		if len(b)-start >= len(f.prefix)+f.tail && string(b[start:start+len(f.prefix)]) == f.prefix {
			if to := s.key(start, f); to > 0 {
				return to
			}
		}
	}
	switch c := s.at(end); {
	case c == ':' && end-start > 10 && bytes.HasPrefix(b[start:], []byte("bot")):
		if s.botToken(start+3, end) {
			return s.upTo
		}
	case c == ':' && bytes.HasPrefix(b[start:], []byte("tg://resolve?domain=")):
		if s.profile(start, start+len("tg://resolve?domain"), "t.me") {
			return s.upTo
		}
	case c == ' ' && end+1 < len(b) && b[end+1]-'0' <= 9 && s.birthEnglish(start, end):
		return s.upTo
	case c == ':' && end+2 < len(b) && b[end+1] == '/' && b[end+2] == '/':
		if to := s.credentials(start, end); to > 0 {
			return to
		}
	case c == ':' && end-start <= 4 && isHex(b[start]) && s.ip6(start):
		return s.upTo
	case c == '.' && b[start] == 'e' && bytes.HasPrefix(b[start:], []byte("eyJ")):
		if to := s.jwt(start); to > 0 {
			return to
		}
	case c == '.':
		if s.host(start, end) {
			return s.upTo
		}
	}
	if end+1 < len(b) && (b[end] == ' ' && (b[end+1] == 'a' || b[end+1] == 0xD1) || b[end] == '<' || b[end] == 0xEF) && s.spoken(end) {
		return s.upTo
	}
	if end-start >= 4 && b[start+2]-'0' <= 9 && b[start+3]-'0' <= 9 && s.iban(start) {
		return s.upTo
	}
	if n := end - start; (n == 8 || n == 9) && b[start+1]-'0' <= 9 && s.plate(start+1, start+4) {
		return max(end, s.upTo)
	}
	if n := end - start; n == 4 && b[start+1]-'0' <= 9 && b[start+3]-'0' <= 9 && s.plate(start+1, start+4) {
		return s.upTo
	}
	if s.password(start, end) {
		return s.upTo
	}
	return end
}

// amongRussian says of a word of letters that it stands among Russian words, of
// which none is a password's: it is no identifier then.
func (s *Scanner) amongRussian(start, end int) bool {
	b := s.text
	if start < 4 || end+2 >= len(b) || b[start-1] != ' ' || mayMark(b[:start-1]) {
		return false
	}
	switch b[end] {
	case ' ':
		if b[end+1]&0xFE != 0xD0 || b[end+1] == 0xD1 && b[end+2] == 0x81 && bytes.HasPrefix(b[end:], []byte(atWord)) {
			return false
		}
	case ',', '.', ';', '!', '?':
		if b[end+1] > ' ' {
			return false
		}
	default:
		return false
	}
	for _, c := range b[start:end] {
		if c-'0' <= 9 {
			return false
		}
	}
	return true
}

// mixed judges a run that begins with digits and goes on with letters.
func (s *Scanner) mixed(start, digits, end int) {
	switch {
	case s.at(end) == ':' && end-start <= 4 && s.ip6(start):
	case s.password(start, end):
	case digits-start == 3:
		s.plate(start, digits)
	}
}

func (s *Scanner) key(start int, f keyForm) int {
	if start < s.noKey || s.letterBefore(start) {
		return 0
	}
	i := start + len(f.prefix)
	digitOrCapital := 0
	for i < len(s.text) && i-start < maxSecretBytes {
		c := s.text[i]
		if c-'0' > 9 && (c|0x20)-'a' > 25 && bytes.IndexByte([]byte(f.signs), c) < 0 {
			break
		}
		if c-'0' <= 9 || c-'A' <= 25 {
			digitOrCapital++
		}
		i++
	}
	for s.text[i-1] == '.' {
		i--
	}
	if i-start-len(f.prefix) < f.tail {
		return 0
	}
	if digitOrCapital < 3 {
		s.noKey = i - 64 // nor does any of its tails have three
		return 0
	}
	if (f.prefix == "AKIA" || f.prefix == "ASIA") && i-start != 20 {
		return 0
	}
	s.emit(Secret, start, i, s.text[start:i])
	return i
}

// jwt judges three base64url parts of which the first two begin an object.
func (s *Scanner) jwt(start int) int {
	if s.letterBefore(start) {
		return 0
	}
	i, part, from := start, 0, start
	for ; i < len(s.text) && i-start < 4*maxSecretBytes; i++ {
		c := s.text[i]
		if c == '.' {
			if i-from < 8 {
				break
			}
			if part++; part > 2 {
				break
			}
			from = i + 1
			continue
		}
		if !wordByte[c] && c != '-' && c != '=' {
			break
		}
	}
	if part < 2 {
		return 0
	}
	for s.text[i-1] == '.' {
		i--
	}
	s.emit(Secret, start, i, s.text[start:i])
	return i
}

// credentials judges scheme://user:password@host.
func (s *Scanner) credentials(start, end int) int {
	if start < s.noLogin {
		return 0
	}
	least := start - maxNameBytes
	for start > max(1, least) && bytes.IndexByte([]byte("+-."), s.text[start-1]) >= 0 && wordByte[s.text[start-2]] {
		start--
		for start > max(0, least) && wordByte[s.text[start-1]] {
			start--
		}
	}
	i := end + 3
	colon, at := -1, -1
	for ; i < len(s.text) && i-end < maxSecretBytes; i++ {
		c := s.text[i]
		if c <= ' ' || bytes.IndexByte([]byte("\"'<>`,;)"), c) >= 0 || c >= 0x80 && at >= 0 {
			break
		}
		switch {
		case c == ':' && colon < 0 && at < 0:
			colon = i
		case c == '@' && colon >= 0:
			at = i
		case (c == '/' || c == '?') && at < 0 && colon < 0:
			return 0
		}
	}
	if colon < 0 || at < colon+2 || at+2 > i {
		if at < 0 {
			s.noLogin = i - maxSecretBytes/2 // an "@" further off ends no login
		}
		return 0
	}
	for i > at && bytes.IndexByte([]byte(".,:!?"), s.text[i-1]) >= 0 {
		i--
	}
	secret := s.text[colon+1 : at]
	if len(bytes.Trim(secret, "*xX.<>{}$")) == 0 {
		return 0
	}
	s.drop(start)
	s.emit(Secret, start, i, s.text[start:i])
	return i
}

// botToken is Telegram's: the bot's number, a colon, 35 characters.
func (s *Scanner) botToken(start, end int) bool {
	if end-start < 8 || end-start > 10 || s.at(end) != ':' || !isDigits(s.text[start:end]) {
		return false
	}
	i := end + 1
	letters := 0
	for i < len(s.text) && (wordByte[s.text[i]] || s.text[i] == '-') {
		if s.text[i]-'0' > 9 {
			letters++
		}
		i++
	}
	if n := i - end - 1; n < 34 || n > 36 || letters < 8 {
		return false
	}
	s.emit(Secret, start, i, s.text[start:i])
	return true
}

// pem judges a private key in armour; without an end line it reaches the text's
// end.
func (s *Scanner) pem(start int) {
	rest := s.text[start:min(len(s.text), start+maxPEMBytes)]
	line := rest[:min(len(rest), 64)]
	if !bytes.Contains(line, []byte("PRIVATE KEY")) {
		return
	}
	end := len(rest)
	if i := bytes.Index(rest, []byte("-----END ")); i >= 0 {
		if j := bytes.Index(rest[i+9:], []byte("-----")); j >= 0 && j < 64 {
			end = i + 9 + j + 5
		}
	}
	s.emit(Secret, start, start+end, rest[:end])
}

var (
	wordsPassword = phrasesOf(" пароль ", " пароля ", " паролю ", " паролем ", " пароле ", " пароли ", " паролей ", " password", " passwd", " pwd ", " passphrase", " пассворд")
	wordsPass     = phrasesOf(" pass ")
	wordsDigest   = phrasesOf(" хеш", " хэш", " hash", " sha", " md5", " bcrypt")
	wordsKey      = phrasesOf(
		" token", " токен", " secret", " секрет", " api key", " apikey", " access key", " ключ api", " ключ доступа", " api ключ", " ключ к api", " ключ апи", " апи ключ", " auth key", " private key", " account key", " client secret",
		" accesskey", " secretkey", " authtoken", " bearer", " authorization",
	)
)

// password judges a value behind a word for a password or key: after a colon,
// an equals sign or a dash, or right behind the word.
func (s *Scanner) password(start, end int) bool {
	if start < 4 || s.text[start-1] == ' ' && !mayMark(s.text[:start-1]) && !looksMade(s.text[start:end]) {
		return false
	}
	from := start
	for from > 0 && start-from < 64 && !isValueEdge(s.text[from-1]) {
		from--
	}
	if from < s.upTo {
		return false
	}
	i := from
	for i > 0 && bytes.IndexByte([]byte(" \t\"'`"), s.text[i-1]) >= 0 {
		i--
	}
	marked := false
	switch {
	case i > 0 && (s.text[i-1] == ':' || s.text[i-1] == '='):
		marked = true
	case i > 1 && s.text[i-1] == '-' && s.text[i-2] == ' ':
		marked = true
	case bytes.HasSuffix(s.text[:i], []byte("—")), bytes.HasSuffix(s.text[:i], []byte("–")), bytes.HasSuffix(s.text[:i], []byte("«")):
		marked = true
	case i < from && behindPassword(s.text[:i]):
		marked = true
	}
	if !marked && !looksMade(s.text[start:end]) {
		return false
	}
	w := s.before(i, 40)
	pass, key := last(w, wordsPassword), last(w, wordsKey)
	if at := last(w, wordsPass); at > pass && s.passLeads(i) {
		pass = at
	}
	if pass < 0 && key < 0 || has(w, wordsDigest) {
		return false
	}
	if !marked {
		// "пароль от почты Qwerty123", "ключ API 9f8e...": only what looks like one.
		if fields := bytes.Fields(w[max(pass, key):]); len(fields) > 4 || s.at(i-1) == ',' || s.at(i-1) == '.' {
			return false
		}
	}
	to := end
	for to < len(s.text) && to-from < 200 && s.text[to] > ' ' && bytes.IndexByte([]byte("\"'`,;)<>"), s.text[to]) < 0 && s.text[to] < 0x80 {
		to++
	}
	for to > end && bytes.IndexByte([]byte(".?:"), s.text[to-1]) >= 0 {
		to--
	}
	value := s.text[from:to]
	digits, letters, capitals, signs, strong := 0, 0, 0, 0, 0
	for _, c := range value {
		switch {
		case c-'0' <= 9:
			digits++
		case c-'A' <= 25:
			capitals++
			letters++
		case c-'a' <= 25:
			letters++
		default:
			signs++
			if bytes.IndexByte([]byte("!@#$^&*+?"), c) >= 0 {
				strong++
			}
		}
	}
	switch {
	case len(value) < 6 || bytes.IndexByte([]byte("$<{%[(*"), value[0]) >= 0 && value[len(value)-1] != value[0] && digits == 0 || bytes.Contains(value, []byte("://")) || bytes.HasPrefix(value, []byte("${")):
		return false
	case pass > key && marked:
		if digits == 0 && (strong == 0 || letters < 5) || letters == 0 && (signs > 0 || digits < 6) {
			return false
		}
	case pass > key:
		if len(value) < 8 || digits == 0 || capitals == 0 || letters == capitals {
			return false
		}
	case len(value) < 16 || digits == 0 || letters == 0 || !marked && (len(value) < 20 || digits < 4):
		return false
	}
	s.emit(Secret, from, to, value)
	return true
}

// passLeads says whether the last "pass" before a value announces it: a test's
// verdict at the end of a row, a line or a sentence announces nothing.
func (s *Scanner) passLeads(value int) bool {
	from := max(0, value-80)
	head := bytes.ToLower(s.text[from:value])
	at := bytes.LastIndex(head, []byte("pass"))
	if at < 0 {
		return false
	}
	between := head[at+len("pass"):]
	if bytes.IndexByte(between, '\n') >= 0 { // a line of its own, and the value on the next
		return len(bytes.Trim(between, " \t\r\n:=")) == 0 && (from+at == 0 || at > 0 && head[at-1] == '\n')
	}
	return !bytes.ContainsAny(between, ".,;|")
}

// looksMade says whether a word has letters and digits, as made-up passwords
// have.
func looksMade(word []byte) bool {
	if len(word) < 8 {
		return false
	}
	digits := 0
	for _, c := range word {
		if c-'0' <= 9 {
			digits++
		}
	}
	return digits > 0 && digits < len(word)
}

// mayMark says whether a value may follow these bytes, of which there are three at
// least, and a space: a sign, or the end of a word for a password.
func mayMark(before []byte) bool {
	b := before[len(before)-3:]
	switch c := b[2]; {
	case c < 0x80:
		return c != ',' && c != '.' && c-'0' > 9 && ((c|0x20)-'a' > 25 || c == 'd' || c == 'D' || c == 'e' || c == 'r')
	case b[0] == 0xE2 || b[0] == 0xC2 || b[1] == 0xC2:
		return true // a dash or a quotation mark
	case b[0] == 0xB5: // паролем
		return c == 0xBC && behindPassword(before)
	case b[0] == 0xBB || b[0] == 0x9B: // пароль, ПАРОЛЬ, пароля
		return (c == 0x8C || c == 0xAC || c == 0x8F) && behindPassword(before)
	}
	return false
}

func isValueEdge(c byte) bool {
	return c <= ' ' || c >= 0x80 || bytes.IndexByte([]byte(":=\"'`(,;<>"), c) >= 0
}

func behindPassword(text []byte) bool {
	return slices.ContainsFunc(passwordEnds, func(e string) bool { return bytes.HasSuffix(text, []byte(e)) })
}

var passwordEnds = []string{"ароль", "ароля", "аролем", "assword", "assphrase", "asswd", " pwd", "АРОЛЬ", "ASSWORD", "Bearer", "bearer", "Basic"}

// profileHosts are the hosts whose first path part is a person's or a channel's
// name.
var profileHosts = []string{
	"t.me", "telegram.me", "tlgg.ru", "vk.com", "vk.ru", "vkontakte.ru", "instagram.com", "ok.ru", "facebook.com", "fb.com",
	"twitter.com", "x.com", "tiktok.com", "linkedin.com/in", "github.com",
}

// host judges the address of a profile page whose host begins at start.
func (s *Scanner) host(start, _ int) bool {
	if s.letterBefore(start) {
		return false
	}
	for _, h := range profileHosts {
		if len(s.text)-start > len(h)+1 && s.text[start+len(h)] == '/' && bytes.EqualFold(s.text[start:start+len(h)], []byte(h)) {
			if h == "github.com" || s.at(start-1) == '.' && !bytes.HasSuffix(s.text[:start], []byte("www.")) && !bytes.HasSuffix(s.text[:start], []byte("m.")) {
				return false
			}
			from := start
			for _, lead := range [...]string{"www.", "m.", "https://", "http://"} {
				if bytes.HasSuffix(s.text[:from], []byte(lead)) {
					from -= len(lead)
				}
			}
			return s.profile(from, start+len(h), h)
		}
	}
	return false
}

// ibanLengths by country (SWIFT registry).
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
	"CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
	"GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
	"IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27,
	"MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
	"QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28,
	"TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "MN": 20, "NI": 28, "SD": 18, "SO": 23, "BI": 27, "DJ": 27, "FK": 18, "OM": 23,
}

func (s *Scanner) iban(start int) bool {
	if s.letterBefore(start) {
		return false
	}
	want := ibanLengths[string(bytes.ToUpper(s.text[start:start+2]))]
	if want == 0 {
		return false
	}
	s.word = s.word[:0]
	i := start
	for i < len(s.text) && len(s.word) < want {
		c := s.text[i]
		switch {
		case c-'0' <= 9 || c-'A' <= 25:
			s.word = append(s.word, c)
		case c-'a' <= 25:
			s.word = append(s.word, c-0x20)
		case (c == ' ' || c == '-') && len(s.word) >= 4 && s.asciiAfter(i+1):
		case c == 0xC2 && s.at(i+1) == 0xA0:
			i++
		default:
			return false
		}
		i++
	}
	if len(s.word) != want || s.asciiAfter(i) || !validIBAN(s.word) {
		return false
	}
	s.emit(IBAN, start, i, s.word)
	return true
}
