package pii

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
)

// ip judges four numbers with dots between.
func (s *Scanner) ip(g int) int {
	if g+4 > len(s.groups) {
		return 0
	}
	for _, k := range s.groups[g+1 : g+4] {
		if k.sep != sepDot || k.start != s.groups[g].start && s.text[k.start-1] != '.' {
			return 0
		}
	}
	start, end := s.span(g, 4)
	if g > 0 && s.groups[g].sep&^sepSpace != 0 && s.groups[g].sep&sepSpace == 0 || g+4 < len(s.groups) && s.groups[g+4].sep&(sepDot|sepHyphen) != 0 && s.groups[g+4].sep&sepSpace == 0 {
		return 0
	}
	if s.letterBefore(start) || s.asciiAfter(end) {
		return 0
	}
	addr, err := netip.ParseAddr(string(s.text[start:end]))
	if err != nil {
		return 0
	}
	w := s.before(start, 24)
	if at := last(w, wordsVersion); at >= 0 && at > last(w, wordsIP) {
		return 0
	}
	o := addr.As4()
	if max(o[0], o[1], o[2], o[3]) < 20 && !has(w, wordsIP) {
		return 0 // 1.2.10.3 is a section or a version unless it is called an address
	}
	s.emitAddr(addr, start, end)
	return 4
}

func (s *Scanner) emitAddr(addr netip.Addr, start, end int) {
	switch {
	case addr.IsUnspecified(), addr.Is4() && (addr.As4()[0] == 0 || addr.As4() == [4]byte{255, 255, 255, 255} || addr.As4()[0] == 255):
		return // no address of anybody
	case addr.IsPrivate(), addr.IsLoopback(), addr.IsLinkLocalUnicast(), addr.IsMulticast(), reserved(addr):
		s.emit(IPPrivate, start, end, s.text[start:end])
	default:
		s.emit(IPPublic, start, end, s.text[start:end])
	}
}

// reserved: ranges for documentation (RFC 5737, 3849), shared addresses (RFC
// 6598) and experiments.
func reserved(addr netip.Addr) bool {
	for _, p := range reservedRanges {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

var reservedRanges = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001:db8::/32"),
}

// ip6 judges a run of hexadecimal digits and colons; false if it is none.
func (s *Scanner) ip6(start int) bool {
	end, colons := start, 0
	for end < len(s.text) && end-start < 46 {
		c := s.text[end]
		if c == ':' {
			colons++
		} else if !isHex(c) && c != '.' {
			break
		}
		end++
	}
	for end > start && s.text[end-1] == '.' {
		end--
	}
	if colons < 2 || s.letterBefore(start) || s.letterAfter(end) || s.at(start-1) == ':' {
		return false
	}
	addr, err := netip.ParseAddr(string(s.text[start:end]))
	if err != nil || !addr.Is6() {
		return false
	}
	s.emitAddr(addr, start, end)
	return true
}

func isHex(c byte) bool { return c-'0' <= 9 || (c|0x20)-'a' <= 5 }

// localByte: what an address may hold before the "@".
func localByte(c byte) bool {
	return c < 0x80 && (wordByte[c] || bytes.IndexByte([]byte(".+-%!#$&'*/=?^`{|}~"), c) >= 0)
}

// atSign judges a mail address or a handle around the "@" at i.
func (s *Scanner) atSign(i int) {
	if i < s.upTo {
		return
	}
	left, right := s.unseenBefore(i), s.unseenAfter(i+1)
	if s.at(i-1) == ' ' && s.at(i+1) == ' ' && s.longWordBefore(i-1) {
		left, right = i-1, i+2 // ivan @ mail.ru
	}
	if !s.mail(left, right) {
		s.handle(i)
	}
}

// unseenBefore and unseenAfter skip characters without width, which are put
// into an address so that nobody finds it.
func (s *Scanner) unseenBefore(i int) int {
	for i >= 2 && s.text[i-1] >= 0x80 {
		r, n := utf8.DecodeLastRune(s.text[:i])
		if !isUnseen(r) {
			break
		}
		i -= n
	}
	return i
}

func (s *Scanner) unseenAfter(i int) int {
	for i < len(s.text) && s.text[i] >= 0x80 {
		size, class := separatorAt(s.text[i:])
		if size == 0 || class != sepInvisible {
			break
		}
		i += size
	}
	return i
}

// longWordBefore says whether an ASCII word of at least three characters ends
// there.
func (s *Scanner) longWordBefore(i int) bool {
	return s.asciiAfter(i-1) && i >= 3 && s.asciiAfter(i-2) && s.asciiAfter(i-3)
}

// bracket judges "(at)", "[собака]" and a PEM block.
func (s *Scanner) bracket(i int) {
	if i < s.upTo {
		return
	}
	if s.text[i] == '-' {
		if bytes.HasPrefix(s.text[i:], []byte("-----BEGIN ")) {
			s.pem(i)
		}
		return
	}
	closing := byte(')')
	switch s.text[i] {
	case '[':
		closing = ']'
	case '{':
		closing = '}'
	}
	end := bytes.IndexByte(s.text[i:min(len(s.text), i+20)], closing)
	if end < 0 || !isAtWord(s.text[i+1:i+end]) {
		return
	}
	left, right := i, i+end+1
	for left > 0 && s.text[left-1] == ' ' {
		left--
	}
	for right < len(s.text) && s.text[right] == ' ' {
		right++
	}
	s.mail(left, right)
}

// spoken judges "ivan собака mail точка ru", "ivan at mail dot ru", "ivan<at>"
// and the wide "@" behind the ASCII word that ends there.
func (s *Scanner) spoken(end int) bool {
	for _, at := range [...]string{atWord, " at ", "<at>", "＠"} {
		if !bytes.HasPrefix(s.text[end:], []byte(at)) {
			continue
		}
		right := end + len(at)
		if at == " at " { // a word of English: only with a spoken dot
			i := right
			for i < len(s.text) && (wordByte[s.text[i]] || s.text[i] == '-') {
				i++
			}
			if !bytes.HasPrefix(s.text[i:], []byte(" dot ")) {
				return false
			}
		}
		return s.mail(end, right)
	}
	return false
}

// atWord is what an "@" is called in Russian, between a name and a host.
const atWord = " собака "

func isAtWord(b []byte) bool {
	var buf [24]byte
	switch string(bytes.TrimSpace(fold(buf[:0], b))) {
	case "at", "эт", "собака", "собачка", "dog":
		return true
	}
	return len(b) == 1 && b[0] == '@'
}

// mail judges an address whose local part ends at left and whose domain begins
// at right.
func (s *Scanner) mail(left, right int) bool {
	start := left
	for start > 0 && left-start < maxNameBytes {
		c := s.text[start-1]
		if c < 0x80 {
			if !localByte(c) {
				break
			}
			start--
			continue
		}
		r, size := utf8.DecodeLastRune(s.text[:start])
		if (r < 0x400 || r > 0x4FF) && !isUnseen(r) {
			break
		}
		start -= size
	}
	for start < left && (!isMailEdge(s.text[start]) || s.unseenAfter(start) > start) {
		start = max(start+1, s.unseenAfter(start))
	}
	if start >= left || s.text[left-1] == '.' {
		return false
	}
	end, dots, lastLabel := s.domain(right)
	if dots == 0 || lastLabel < 2 {
		return false
	}
	if string(s.text[start:left]) == "git" || isFileName(s.text[right:end]) {
		return false // git@github.com:org/repo, icon@2x.png
	}
	s.word = s.seen(s.word[:0], s.text[start:left])
	at := len(s.word)
	s.word = s.seen(append(s.word, '@'), s.text[right:end])
	id := Email
	if isExampleDomain(s.word[at+1:]) {
		id = EmailExample
	}
	s.drop(start)
	s.emit(id, start, end, s.word)
	return true
}

// seen appends a text in lower case without the characters that have no width.
func (s *Scanner) seen(dst, text []byte) []byte {
	for len(text) > 0 {
		if size, class := separatorAt(text); class == sepInvisible {
			text = text[size:]
			continue
		}
		dst = lowerASCII(dst, text[:1])
		text = text[1:]
	}
	return dst
}

// drop takes back matches that a longer one covers.
func (s *Scanner) drop(from int) {
	for len(s.matches) > 0 && s.matches[len(s.matches)-1].End > from {
		s.matches = s.matches[:len(s.matches)-1]
	}
}

func isMailEdge(c byte) bool { return c >= 0x80 || wordByte[c] }

func lowerASCII(dst, b []byte) []byte {
	for _, c := range b {
		if c-'A' <= 25 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// domain reads labels with dots between from i on; "(dot)" and "[точка]" are
// dots too.
func (s *Scanner) domain(i int) (end, dots, lastLabel int) {
	end = i
	for {
		from := i
		letters := 0
		for i < len(s.text) && i-from <= 128 {
			c := s.text[i]
			if c < 0x80 {
				if !wordByte[c] && c != '-' || c == '_' {
					break
				}
				i++
				if c-'0' > 9 {
					letters++
				}
				continue
			}
			r, size := utf8.DecodeRune(s.text[i:])
			if isUnseen(r) {
				i += size
				continue
			}
			if r < 0x400 || r > 0x4FF {
				break
			}
			i += size
			letters++
		}
		if i == from || s.text[from] == '-' {
			return end, max(0, dots-1), lastLabel
		}
		end = i
		for s.text[end-1] == '-' {
			end--
		}
		lastLabel = letters
		size := dotAt(s.text[i:])
		if size == 0 {
			return end, dots, lastLabel
		}
		i += size
		i = s.unseenAfter(i)
		// A dot that ends the sentence is no dot of the name.
		if i >= len(s.text) || !isMailEdge(s.text[i]) || s.text[i] >= 0x80 && !s.cyrillicAt(i) {
			return end, dots, lastLabel
		}
		dots++
	}
}

func (s *Scanner) cyrillicAt(i int) bool {
	r, _ := utf8.DecodeRune(s.text[i:])
	return r >= 0x400 && r <= 0x4FF
}

func dotAt(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	if b[0] == '.' {
		return 1
	}
	if b[0] != '(' && b[0] != '[' && b[0] != ' ' {
		return 0
	}
	for _, dot := range [...]string{"(dot)", "[dot]", "(точка)", "[точка]", " (dot) ", " [dot] ", " (точка) ", " [точка] ", " dot ", " точка "} {
		if bytes.HasPrefix(b, []byte(dot)) {
			return len(dot)
		}
	}
	return 0
}

// isFileName says whether a name ends as pictures and sources of pages do.
func isFileName(name []byte) bool {
	switch string(name[bytes.LastIndexByte(name, '.')+1:]) {
	case "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "html":
		return true
	}
	return false
}

// isExampleDomain: names that belong to nobody (RFC 2606, RFC 6761).
func isExampleDomain(domain []byte) bool {
	labels := bytes.Split(domain, []byte("."))
	n := len(labels)
	switch string(labels[n-1]) {
	case "invalid", "example", "test", "localhost", "local":
		return true
	}
	return n >= 2 && string(labels[n-2]) == "example"
}

// handle judges "@name" with a word for it nearby.
func (s *Scanner) handle(i int) {
	if s.letterBefore(i) || s.at(i-1) == '/' && !bytes.HasSuffix(s.text[:i], []byte("://")) && !bytes.HasSuffix(s.text[:i], []byte(".com/")) {
		return
	}
	end := i + 1
	for end < len(s.text) && end-i <= maxNameBytes && (wordByte[s.text[end]] || s.text[end] == '.' && s.asciiAfter(end+1)) {
		end++
	}
	name := s.text[i+1 : end]
	if len(name) < 4 || len(name) > 32 || name[0]-'0' <= 9 || s.ctx.Channel || s.declared(name) || s.letterAfter(end) ||
		codeNames[string(name)] || isMailHost(name) {
		return
	}
	if s.at(i-1) != '(' || s.at(end) != ')' {
		if w := s.before(i, 60); has(w, wordsCode) || !has(w, wordsHandle) && !has(s.after(end, 30), wordsHandle) {
			return
		}
	}
	s.word = lowerASCII(s.word[:0], name)
	s.emit(Handle, i, end, s.word)
}

// codeNames follow an "@" in programs and style sheets.
var codeNames = words("media import charset keyframes supports font-face page namespace layer container apply include mixin extend " +
	"Override Autowired Deprecated SuppressWarnings Transactional Component Service Controller RestController Entity Table Column NotNull Nullable Test Before After Bean Inject Injectable Input Output Data Builder Getter Setter " +
	"param params return returns throws author since version deprecated property dataclass staticmethod classmethod abstractmethod lru_cache cached_property app.route app.get app.post router.get pytest.fixture pytest.mark functools.wraps override types angular vue babel nestjs interface implementation selector synthesize objc main available escaping State Binding Published MainActor")

// isMailHost: "@mail.ru" is where somebody's mail is.
func isMailHost(name []byte) bool {
	switch string(name[bytes.LastIndexByte(name, '.')+1:]) {
	case "ru", "com", "net", "org", "su":
		return bytes.IndexByte(name, '.') > 0
	}
	return false
}

func (s *Scanner) declared(name []byte) bool {
	for _, d := range s.ctx.Declared {
		if len(d) > 0 && d[0] == '@' {
			d = d[1:]
		}
		if bytes.EqualFold([]byte(d), name) {
			return true
		}
	}
	return false
}

// profile judges an address of a person's page: the host ends at the slash at i.
func (s *Scanner) profile(start, slash int, host string) bool {
	i := slash + 1
	for _, prefix := range [...]string{"@", "s/", "u/", "profile/", "joinchat/", "+"} {
		if bytes.HasPrefix(s.text[i:], []byte(prefix)) {
			i += len(prefix)
			break
		}
	}
	end := i
	for end < len(s.text) && end-i <= maxNameBytes && (wordByte[s.text[end]] || s.text[end] == '.' && s.asciiAfter(end+1) || s.text[end] == '-' && s.asciiAfter(end+1)) {
		end++
	}
	name := s.text[i:end]
	if len(name) < 3 || len(name) >= maxNameBytes || s.ctx.Channel || s.declared(name) {
		return false
	}
	switch string(name) {
	case "share", "feed", "video", "wall", "joinchat", "login", "search", "explore", "reel", "hashtag", "groups", "watch":
		return false
	}
	if host == "vk.com" && (bytes.HasPrefix(name, []byte("wall")) || bytes.HasPrefix(name, []byte("video")) ||
		bytes.HasPrefix(name, []byte("photo")) || bytes.HasPrefix(name, []byte("club")) || bytes.HasPrefix(name, []byte("public"))) {
		return false
	}
	s.word = lowerASCII(s.word[:0], name)
	s.emit(Handle, start, end, s.word)
	return true
}
