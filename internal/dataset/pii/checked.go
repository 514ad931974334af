package pii

func (s *Scanner) snils(g int) int {
	n := 1
	switch {
	case s.shape(g, 3, 3, 3, 2):
		n = 4
	case s.shape(g, 9, 2), s.shape(g, 3, 3, 5):
		n = s.exactly(g, 11)
	case s.shape(g, 11):
	default:
		if n = s.exactly(g, 11); n == 0 || s.seps(g, n)&^sepInvisible != 0 {
			return 0
		}
	}
	if s.seps(g, n-min(n-1, 1))&sepSlash != 0 || s.seps(g, n)&sepParen != 0 || !validSNILS(s.take(g, n)) || !s.whole(g, n) {
		return 0
	}
	start, end := s.span(g, n)
	if s.at(start-1) == '+' {
		return 0
	}
	if n == 1 || !s.shape(g, 3, 3, 3, 2) {
		if !s.called(start, 60, wordsSNILS) && !has(s.after(end, 20), wordsSNILS) {
			if c := s.digits[0]; n == 1 && c != '7' && c != '8' && c != '9' && !s.other(start) && !s.nearKind(start) {
				s.emit(NumberAlone, start, end, s.digits)
				return n
			}
			return 0
		}
	} else if s.other(start) {
		return 0
	}
	s.emit(SNILS, start, end, s.digits)
	return n
}

// nearKind says whether a word right before names another kind of number.
func (s *Scanner) nearKind(start int) bool {
	w := s.before(start, 16)
	return has(w, wordsINN) || has(w, wordsOGRN) || has(w, wordsAccount) || has(w, wordsBIK) || has(w, wordsPhone)
}

func (s *Scanner) inn(g int) int {
	for _, total := range [...]int{12, 10} {
		n := s.exactly(g, total)
		if n == 0 || n > 4 || s.seps(g, n)&(sepParen|sepSlash|sepDot) != 0 || !s.whole(g, n) {
			continue
		}
		d := s.take(g, n)
		start, end := s.span(g, n)
		if s.at(start-1) == '+' || sameDigits(d) {
			continue
		}
		plain := n == 1 || s.seps(g, n) == sepInvisible
		switch {
		case total == 12 && validINNPerson(d):
			called := s.called(start, 40, wordsINN)
			if !called && (!plain || s.other(start) || looksLikeMoment(d)) {
				continue
			}
			s.emit(INNPerson, start, end, d)
			return n
		case total == 10 && validINNOrganisation(d) && s.called(start, 40, wordsINN):
			if !plain && has(s.before(start, 16), wordsPassport) {
				continue
			}
			s.emit(INNOrganisation, start, end, d)
			return n
		}
	}
	return 0
}

// looksLikeMoment: 202601140912 is 14 January 2026, 09:12.
func looksLikeMoment(d []byte) bool {
	two := func(i int) int { return digit(d[i])*10 + digit(d[i+1]) }
	return (two(0) == 19 || two(0) == 20) && two(4) >= 1 && two(4) <= 12 && two(6) >= 1 && two(6) <= 31 && two(8) < 24 && two(10) < 60
}

func (s *Scanner) ogrn(g int) int {
	for _, total := range [...]int{13, 15} {
		n := s.exactly(g, total)
		if n == 0 || n > 6 || s.seps(g, n)&^(sepSpace|sepInvisible|sepHyphen) != 0 || !s.whole(g, n) {
			continue
		}
		d := s.take(g, n)
		start, end := s.span(g, n)
		id := OGRN
		if total == 15 {
			id = OGRNIP
		}
		if id == OGRN && !validOGRN(d) || id == OGRNIP && !validOGRNIP(d) {
			continue
		}
		if !s.called(start, 40, wordsOGRN) && (n > 1 || s.other(start)) {
			continue
		}
		s.emit(id, start, end, d)
		return n
	}
	return 0
}

func (s *Scanner) card(g int) int {
	for total := 19; total >= 16; total-- {
		n := s.exactly(g, total)
		if n == 0 || s.seps(g, n)&(sepParen|sepSlash) != 0 {
			continue
		}
		d := s.take(g, n)
		if sameDigits(d) || !validLuhn(d) || !s.whole(g, n) {
			continue
		}
		start, end := s.span(g, n)
		if total == 16 && s.called(start, 60, wordsOMS) && last(s.window, wordsOMS) > last(s.window, wordsPayment) {
			s.emit(MedicalPolicy, start, end, d)
			return n
		}
		plain := n == 1 || s.seps(g, n) == sepInvisible
		byFour := true
		for i, k := range s.groups[g : g+n] {
			byFour = byFour && (k.len() == 4 || i == n-1 && k.len() <= 4)
		}
		if !cardIssuer(d) {
			continue
		}
		called := s.called(start, 40, wordsCard)
		if !called && (s.other(start) || !plain && !byFour || has(s.before(start, 20), wordsAccount) || looksLikeMoment(d)) {
			continue
		}
		s.emit(Card, start, end, d)
		return n
	}
	return 0
}

func (s *Scanner) account(g int) int {
	n := s.exactly(g, 20)
	if n == 0 || n > 8 || s.seps(g, n)&(sepParen|sepSlash) != 0 || !s.whole(g, n) {
		return 0
	}
	d := append([]byte(nil), s.take(g, n)...)
	if sameDigits(d) || d[0] == '0' {
		return 0
	}
	start, end := s.span(g, n)
	s.findBIKs()
	if len(s.biks) == 0 {
		// Without the bank the key cannot be checked; the form of a Bank of Russia
		// account with a currency code and the word for it must do.
		if !accountForm(d) || !s.called(start, 60, wordsAccount) {
			return 0
		}
		s.emit(Account, start, end, d)
		return n
	}
	for _, bik := range s.biks {
		if validAccountKey(d, bik) && !s.other(start) {
			s.emit(Account, start, end, d)
			return n
		}
	}
	return 0
}

// accountForm: balance account 3 or 4, then a currency: rouble, dollar, euro,
// yuan, tenge.
func accountForm(d []byte) bool {
	if d[0] != '3' && d[0] != '4' {
		return false
	}
	switch string(d[5:8]) {
	case "810", "643", "840", "978", "156", "398":
		return true
	}
	return false
}

// findBIKs gathers the nine-digit bank codes of the text, once a text. Those of
// Russia begin with 04, of the treasury with 00 to 02.
func (s *Scanner) findBIKs() {
	if s.biksFor == 1 {
		return
	}
	s.biksFor = 1
	s.biks = s.biks[:0]
	for i := 0; i < len(s.text) && len(s.biks) < 8; {
		if s.text[i] != '0' || s.letterBefore(i) {
			i++
			continue
		}
		j := i
		for j < len(s.text) && s.text[j]-'0' <= 9 {
			j++
		}
		if j-i == 9 && s.text[i+1] <= '4' {
			s.biks = append(s.biks, s.text[i:j])
		}
		i = j
	}
}
