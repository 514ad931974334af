package dataset

import "time"

// instant is a point in time as seconds and nanoseconds since 1970; set is
// false for "none".
type instant struct {
	sec  int64
	nano int32
	set  bool
}

func (a instant) before(b instant) bool {
	return a.sec < b.sec || a.sec == b.sec && a.nano < b.nano
}

func (a instant) time() time.Time {
	if !a.set {
		return time.Time{}
	}
	return time.Unix(a.sec, int64(a.nano)).UTC()
}

// parseInstant reads RFC 3339 (with "T", "t" or a space) and the same without a
// zone, which exporters write and which is read as UTC.
func parseInstant(b []byte) (at instant, naive, ok bool) {
	if len(b) < 19 || len(b) > 64 {
		return at, false, false
	}
	ok = true
	num := func(i, j int) int {
		n := 0
		for _, c := range b[i:j] {
			if c-'0' > 9 {
				ok = false
				return 0
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := num(0, 4), num(5, 7), num(8, 10)
	hour, minute, second := num(11, 13), num(14, 16), num(17, 19)
	if !ok || b[4] != '-' || b[7] != '-' || b[10]|0x20 != 't' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return at, false, false
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return at, false, false
	}
	i := 19
	nano, unit := 0, 100_000_000
	if i < len(b) && b[i] == '.' {
		from := i + 1
		for i = from; i < len(b) && b[i]-'0' <= 9; i++ {
			nano += int(b[i]-'0') * unit
			unit /= 10
		}
		if i == from {
			return at, false, false
		}
	}
	offset := 0
	switch rest := b[i:]; {
	case len(rest) == 0:
		naive = true
	case len(rest) == 1 && rest[0]|0x20 == 'z':
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, m := num(i+1, i+3), num(i+4, i+6)
		if !ok || h > 23 || m > 59 {
			return at, false, false
		}
		offset = (h*60 + m) * 60
		if rest[0] == '-' {
			offset = -offset
		}
	default:
		return at, false, false
	}
	sec := int64(daysSince1970(year, month, day))*86400 + int64(hour*3600+minute*60+second-offset)
	return instant{sec: sec, nano: int32(nano), set: true}, naive, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in 400-year cycles that begin in March, so that the leap
// day is a year's last.
func daysSince1970(y, m, d int) int {
	if m <= 2 {
		y--
	}
	cycle := (y + 400) / 400 // y is at least -1
	cycle--
	inCycle := y - cycle*400
	monthFromMarch := (m + 9) % 12
	dayOfYear := (153*monthFromMarch+2)/5 + d - 1
	dayInCycle := inCycle*365 + inCycle/4 - inCycle/100 + dayOfYear
	return cycle*146097 + dayInCycle - 719468
}
