package pii

// The functions here take decimal digits as bytes '0' to '9'.

// validINNPerson checks both check digits of a 12-digit taxpayer number (order
// of the Federal Tax Service ED-7-14/559). Region 00 does not exist.
func validINNPerson(d []byte) bool {
	if len(d) != 12 || d[0] == '0' && d[1] == '0' {
		return false
	}
	w11 := [...]int{7, 2, 4, 10, 3, 5, 9, 4, 6, 8}
	w12 := [...]int{3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}
	return weighted(d, w11[:])%11%10 == digit(d[10]) && weighted(d, w12[:])%11%10 == digit(d[11])
}

// validINNOrganisation checks the check digit of a 10-digit taxpayer number.
func validINNOrganisation(d []byte) bool {
	if len(d) != 10 || d[0] == '0' && d[1] == '0' {
		return false
	}
	w := [...]int{2, 4, 10, 3, 5, 9, 4, 6, 8}
	return weighted(d, w[:])%11%10 == digit(d[9])
}

// validSNILS checks an 11-digit insurance number: the sum of the nine digits
// weighted 9 to 1, modulo 101, 100 counting as 0. Numbers up to 001-001-998
// were given out without a check number.
func validSNILS(d []byte) bool {
	if len(d) != 11 || string(d[:9]) <= "001001998" {
		return false
	}
	sum := 0
	for i, c := range d[:9] {
		sum += digit(c) * (9 - i)
	}
	return sum%101%100 == digit(d[9])*10+digit(d[10])
}

// validOGRN checks a registration number of an organisation: 13 digits, of
// which the first is 1 or 5, then the year, then the region; the last is the
// others modulo 11, modulo 10.
func validOGRN(d []byte) bool {
	return len(d) == 13 && (d[0] == '1' || d[0] == '5') && ogrnYear(d) && modulo(d[:12], 11)%10 == digit(d[12])
}

// validOGRNIP is the same for an entrepreneur: 15 digits, the first is 3,
// modulo 13.
func validOGRNIP(d []byte) bool {
	return len(d) == 15 && d[0] == '3' && ogrnYear(d) && modulo(d[:14], 13)%10 == digit(d[14])
}

// ogrnYear: the register began in 2002; the region is not 00.
func ogrnYear(d []byte) bool {
	year := digit(d[1])*10 + digit(d[2])
	return year >= 2 && year <= 40 && (d[3] != '0' || d[4] != '0')
}

// validLuhn is ISO/IEC 7812-1, annex B.
func validLuhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := digit(d[len(d)-1-i])
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// cardIssuer says whether the first digits are of a payment system and the
// length is one that it issues (16 to 19 digits).
func cardIssuer(d []byte) bool {
	n := len(d)
	if n < 16 || n > 19 {
		return false
	}
	first4 := modulo(d[:4], 1<<31)
	first2 := first4 / 100
	switch {
	case first4 >= 2200 && first4 <= 2204: // Mir
		return true
	case d[0] == '4': // Visa
		return n == 16 || n == 19
	case first2 >= 51 && first2 <= 55, first4 >= 2221 && first4 <= 2720: // Mastercard
		return n == 16
	case first4 >= 3528 && first4 <= 3589: // JCB
		return true
	case first2 == 62, first2 == 81: // UnionPay
		return true
	case first4 == 6011, first4 >= 6440 && first4 <= 6599: // Discover
		return true
	case first2 == 50, first2 >= 56 && first2 <= 69: // Maestro, Uzcard, Belkart and others
		return true
	case first4 == 8600, first4 == 9860, first4 == 9112: // Uzcard, Humo, Belkart
		return n == 16
	}
	return false
}

// validAccountKey checks a 20-digit account against its bank's BIK (Bank of
// Russia, 515): weights 7, 1, 3 over the last three digits of the BIK, or zero
// and the fifth and sixth of it for accounts at the Bank of Russia itself, then
// the account; the sum ends in 0.
func validAccountKey(account, bik []byte) bool {
	if len(account) != 20 || len(bik) != 9 {
		return false
	}
	key := func(prefix [3]byte) bool {
		w := [...]int{7, 1, 3}
		sum := 0
		for i, c := range prefix {
			sum += digit(c) * w[i]
		}
		for i, c := range account {
			sum += digit(c) * w[i%3] % 10
		}
		return sum%10 == 0
	}
	// Units of the Bank of Russia itself end in 000 to 002; those of the treasury
	// do not begin with 04.
	if string(bik[:2]) != "04" || string(bik[6:]) <= "002" {
		if key([3]byte{'0', bik[4], bik[5]}) {
			return true
		}
	}
	return key([3]byte{bik[6], bik[7], bik[8]})
}

// validIBAN is ISO 13616: letters count from 10, the first four characters go
// last, the remainder modulo 97 is 1. s holds upper-case letters and digits.
func validIBAN(s []byte) bool {
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	if check := string(s[2:4]); check < "02" || check > "98" {
		return false
	}
	rest := 0
	put := func(c byte) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + digit(c)) % 97
		}
	}
	for _, c := range s[4:] {
		put(c)
	}
	for _, c := range s[:4] {
		put(c)
	}
	return rest == 1
}

func digit(c byte) int { return int(c - '0') }

func weighted(d []byte, w []int) int {
	sum := 0
	for i, k := range w {
		sum += digit(d[i]) * k
	}
	return sum
}

func modulo(d []byte, m int64) int {
	var rest int64
	for _, c := range d {
		rest = (rest*10 + int64(c-'0')) % m
	}
	return int(rest)
}

// sameDigits: 0000..., 1111... are placeholders, although some pass a check.
func sameDigits(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}
