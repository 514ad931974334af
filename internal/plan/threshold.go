package plan

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// BandNote is something to know about how a threshold was read. It is the case
// of a PL009 finding.
type BandNote string

// The notes.
const (
	BandGap           BandNote = "gap"           // 0.87 then 0.88: read as half-open
	BandStrict        BandNote = "strict"        // > read as ≥
	BandDirection     BandNote = "direction"     // the sign says the other way than the metric
	BandDisordered    BandNote = "order"         // warn is better than pass
	BandContradiction BandNote = "contradiction" // warn or fail reach into another band
	BandRelative      BandNote = "relative"      // "baseline + 0.02": no number of its own
	BandUnreadable    BandNote = "unreadable"
)

type sign int

const (
	noSign sign = iota
	atLeast
	above
	atMost
	below
)

func (s sign) direction() benchmark.Direction {
	switch s {
	case atLeast, above:
		return benchmark.Higher
	case atMost, below:
		return benchmark.Lower
	}
	return ""
}

// clause is one bound: "≥0.88 pass" or "0.80–0.87".
type clause struct {
	sign   sign
	label  benchmark.Outcome
	number *decimal.Decimal
	upper  *decimal.Decimal // of a range
}

// signs, longest first where one begins another.
var signs = []struct {
	text string
	sign sign
}{
	{">=", atLeast}, {"=>", atLeast}, {"≥", atLeast}, {"⩾", atLeast}, {"≧", atLeast}, {"⩽", atMost}, {"<=", atMost}, {"=<", atMost}, {"≤", atMost}, {"≦", atMost}, {">", above}, {"<", below},
}

// signWords are looked up by two words, then by one.
var signWords = map[string]sign{
	"at least": atLeast, "no less": atLeast, "not less": atLeast, "not below": atLeast, "no lower": atLeast, "not lower": atLeast, "min": atLeast, "minimum": atLeast, "from": atLeast,
	"не менее": atLeast, "не ниже": atLeast, "не меньше": atLeast, "от": atLeast, "минимум": atLeast, "мин": atLeast, "хотя бы": atLeast, "больше или": atLeast,
	"at most": atMost, "no more": atMost, "not more": atMost, "not above": atMost, "no higher": atMost, "not higher": atMost, "max": atMost, "maximum": atMost, "up to": atMost, "within": atMost, "not exceed": atMost,
	"не более": atMost, "не выше": atMost, "не больше": atMost, "до": atMost, "максимум": atMost, "макс": atMost, "в пределах": atMost, "не превышает": atMost,
	"above": above, "over": above, "more": above, "greater": above, "higher": above, "выше": above, "больше": above, "более": above,
	"below": below, "under": below, "less": below, "lower": below, "ниже": below, "меньше": below, "менее": below,
}

var labelWords = indexLabels()

func indexLabels() map[string]benchmark.Outcome {
	index := map[string]benchmark.Outcome{}
	for outcome, names := range map[benchmark.Outcome]string{
		benchmark.Pass: "pass|passes|passed|passing|ok|green|good|go|проход|проходит|пройдено|норма|зеленый|зеленая|успех|годен|зачет|✅|🟢|✔",
		benchmark.Warn: "warn|warning|warns|yellow|amber|orange|предупреждение|пред|внимание|желтый|желтая|варн|⚠|🟡|🟠",
		benchmark.Fail: "fail|fails|failed|failing|red|bad|stop|провал|не проходит|не пройдено|ошибка|отказ|красный|красная|незачет|❌|🔴",
	} {
		for name := range strings.SplitSeq(names, "|") {
			index[name] = outcome
		}
	}
	return index
}

// changeWords speak of a change, so the number behind them is no bound.
var changeWords = map[string]bool{
	"rise by": true, "rises by": true, "increase by": true, "increases by": true, "grow by": true, "grows by": true, "drop by": true, "drops by": true, "fall by": true, "falls by": true, "improve by": true, "improves by": true, "decrease by": true, "worse by": true,
	"вырасти на": true, "вырастет на": true, "снизиться на": true, "упасть на": true, "ухудшиться на": true, "улучшиться на": true, "увеличиться на": true,
}

// statusWord reads a status cell: "Pass", "✅ pass", "Warning".
func statusWord(s string) (benchmark.Outcome, bool) {
	found := benchmark.Outcome("")
	for word := range strings.FieldsFuncSeq(fold(s), func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("*_:.,;()\ufe0f", c) }) {
		o, ok := labelWords[word]
		if !ok || found != "" && found != o {
			return "", false
		}
		found = o
	}
	return found, found != ""
}

// Outcome reads the status that the plan states for a metric.
func (m MetricRow) Outcome() (benchmark.Outcome, bool) { return statusWord(m.Status.Text) }

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "ё", "е") }

// maxThreshold bounds the text of one threshold in bytes.
const maxThreshold = 400

// readBand reads a threshold from one cell in any dialect, or from the cells
// pass, warn and fail.
func readBand(metric string, cells []phrase) (benchmark.Band, []BandNote) {
	band := benchmark.Band{Better: benchmark.DirectionOf(metric)}
	var clauses []clause
	relative, said := false, false
	for i, cell := range cells {
		text := cell.text()
		if absent(text) {
			continue
		}
		said = true
		if len(text) > maxThreshold {
			return band, []BandNote{BandUnreadable}
		}
		found, statistic, rel := readClauses(text)
		relative = relative || rel
		if band.Statistic == "" {
			band.Statistic = statistic
		}
		if len(cells) > 1 {
			for j := range found {
				found[j].label = []benchmark.Outcome{benchmark.Pass, benchmark.Warn, benchmark.Fail}[min(i, 2)]
			}
		}
		clauses = append(clauses, found...)
	}
	switch {
	case !said:
		return band, nil
	case relative:
		return band, []BandNote{BandRelative}
	case len(clauses) == 0:
		return band, []BandNote{BandUnreadable}
	}
	return assemble(band, metric, clauses)
}

// assemble puts clauses together: labelled ones where they say, the others in
// the order pass, warn, fail.
func assemble(band benchmark.Band, metric string, clauses []clause) (benchmark.Band, []BandNote) {
	var by [3]*clause
	order := []benchmark.Outcome{benchmark.Pass, benchmark.Warn, benchmark.Fail}
	var notes []BandNote
	note := func(n BandNote) {
		if !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	next := 0
	for i := range clauses {
		c := &clauses[i]
		slot := slices.Index(order, c.label)
		if slot < 0 {
			for next < 3 && by[next] != nil {
				next++
			}
			slot = next
		}
		if slot > 2 || by[slot] != nil {
			note(BandContradiction)
			continue
		}
		by[slot] = c
	}
	pass, warn, fail := by[0], by[1], by[2]
	switch {
	case pass != nil && pass.sign != noSign:
		band.Better = pass.sign.direction()
	case warn != nil && warn.sign != noSign && pass == nil:
		band.Better = warn.sign.direction()
	case fail != nil && fail.sign != noSign && pass == nil:
		band.Better = opposite(fail.sign.direction())
	case band.Better == "" && pass != nil && warn != nil:
		// A metric that we do not know: the better bound is the one that passes.
		band.Better = benchmark.Higher
		if pass.number.Cmp(*warn.number) < 0 {
			band.Better = benchmark.Lower
		}
	}
	if want := benchmark.DirectionOf(metric); want != "" && band.Better != want {
		note(BandDirection)
	}
	higher := band.Better == benchmark.Higher
	// worst is the end of a range that still belongs to the band.
	worst := func(c *clause) *decimal.Decimal {
		if c.upper != nil && !higher {
			return c.upper
		}
		return c.number
	}
	best := func(c *clause) *decimal.Decimal {
		if c.upper != nil && higher {
			return c.upper
		}
		return c.number
	}
	if pass != nil {
		band.Pass = worst(pass)
		if pass.sign == above || pass.sign == below {
			note(BandStrict)
		}
	}
	if warn != nil {
		switch {
		case warn.sign != noSign && warn.sign.direction() != band.Better:
			// "< 0.88" beside pass ≥ 0.88 is warn's better end; fail tells the other.
		default:
			band.Warn = worst(warn)
			if warn.sign == above || warn.sign == below {
				note(BandStrict)
			}
			if warn.upper != nil && band.Pass != nil {
				switch c := best(warn).Cmp(*band.Pass); {
				case c < 0 && higher, c > 0 && !higher:
					note(BandGap)
				case c != 0:
					note(BandContradiction)
				}
			}
		}
	}
	if fail != nil {
		limit := best(fail)
		next := band.Warn
		if next == nil {
			next = band.Pass
		}
		switch {
		case next == nil:
		case limit.Equal(*next):
		case limit.Cmp(*next) < 0 == higher:
			if band.Warn == nil {
				band.Warn = limit
			} else {
				note(BandGap)
			}
		default:
			note(BandContradiction)
		}
	}
	if !band.Ordered() {
		note(BandDisordered)
	}
	if band.Empty() {
		note(BandUnreadable)
	}
	return band, notes
}

func opposite(d benchmark.Direction) benchmark.Direction {
	switch d {
	case benchmark.Higher:
		return benchmark.Lower
	case benchmark.Lower:
		return benchmark.Higher
	}
	return d
}

// readClauses reads the bounds of a text, in order.
func readClauses(text string) (clauses []clause, statistic string, relative bool) {
	text = fold(text)
	var c clause
	flush := func() {
		if c.number != nil {
			clauses = append(clauses, c)
		}
		c = clause{}
	}
	var pair string // the word before
	negated := false
	turn := func(s sign) sign {
		// "must not fall below"
		switch {
		case negated && s == below:
			s = atLeast
		case negated && s == above:
			s = atMost
		}
		negated = false
		return s
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		if s, n := cutSign(rest); s != noSign {
			switch {
			case c.number != nil && c.sign == noSign && c.upper == nil && (s == atMost || s == below) && between(rest[n:]):
				// 0.80 ≤ v < 0.88
				i += n
				continue
			case c.number != nil && c.sign == noSign && c.upper == nil && c.label == "" && pair != "" && s.direction() == benchmark.Lower:
				blanks := len(rest[n:]) - len(strings.TrimLeft(rest[n:], " "))
				if d, m, ok := cutNumber(rest[n+blanks:]); ok {
					c.upper = &d
					i += n + blanks + m
					pair = ""
					continue
				}
			}
			if c.number != nil {
				flush()
			}
			c.sign = s
			i += n
			pair = ""
			continue
		}
		if d, n, ok := cutNumber(rest); ok {
			if c.number != nil {
				flush()
			}
			c.number = &d
			i += n
			if upper, m, ok := cutRange(text[i:]); ok && c.sign == noSign {
				if upper.Cmp(d) < 0 {
					d, upper = upper, d
					c.number = &d
				}
				c.upper = &upper
				i += m
			}
			pair = ""
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		if unicode.IsLetter(r) || isMark(r) {
			word := rest[:wordLength(rest)]
			i += len(word)
			both := pair + " " + word
			pair = word
			if s, ok := signWords[both]; ok {
				if c.number != nil {
					flush()
				}
				c.sign = s
				negated = false
				continue
			}
			switch {
			case signWords[word] != noSign:
				if c.number != nil {
					flush()
				}
				c.sign = turn(signWords[word])
			case word == "not" || word == "never" || word == "не":
				negated = true
			case changeWords[both]:
				relative = true
			case labelWords[word] != "":
				if c.label != "" {
					flush()
				}
				c.label = labelWords[word]
			case word == "baseline" || word == "бейзлайн" || word == "бейзлайна" || word == "базлайн" || word == "базового":
				relative = true
			case word == "p95" || word == "р95":
				statistic = benchmark.P95
			case word == "avg" || word == "average" || word == "среднее":
				statistic = benchmark.Avg
			case word == "mean":
				statistic = benchmark.Mean
			}
			continue
		}
		if strings.ContainsRune("/,;|", r) {
			flush()
		}
		i += size
	}
	flush()
	return clauses, statistic, relative
}

// between tells whether a one-word variable and another sign follow: "v < 0.88".
func between(rest string) bool {
	rest = strings.TrimLeft(rest, " ")
	n := wordLength(rest)
	if n == 0 {
		return false
	}
	s, _ := cutSign(strings.TrimLeft(rest[n:], " "))
	return s == atMost || s == below
}

func isMark(r rune) bool {
	return r == '✅' || r == '🟢' || r == '✔' || r == '⚠' || r == '🟡' || r == '🟠' || r == '❌' || r == '🔴'
}

func wordLength(s string) int {
	for i, r := range s {
		if isMark(r) {
			if i == 0 {
				return utf8.RuneLen(r)
			}
			return i
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			return i
		}
	}
	return len(s)
}

func cutSign(s string) (sign, int) {
	for _, x := range signs {
		if strings.HasPrefix(s, x.text) {
			return x.sign, len(x.text)
		}
	}
	return noSign, 0
}

// cutRange reads "–0.87" behind a number.
func cutRange(s string) (decimal.Decimal, int, bool) {
	t := strings.TrimLeft(s, " \u00a0")
	for _, dash := range []string{"–", "—", "‒", "−", "-", "...", "..", "…", "to ", "до "} {
		if rest, ok := strings.CutPrefix(t, dash); ok {
			trimmed := strings.TrimLeft(rest, " \u00a0")
			if trimmed == "" || !isDigit(trimmed[0]) {
				return decimal.Decimal{}, 0, false
			}
			d, n, ok := cutNumber(trimmed)
			return d, len(s) - len(trimmed) + n, ok
		}
	}
	return decimal.Decimal{}, 0, false
}

// cutNumber reads a number and its unit from the start.
func cutNumber(s string) (decimal.Decimal, int, bool) {
	i := 0
	digits := func() (n int) {
		for i < len(s) && isDigit(s[i]) {
			i++
			n++
		}
		return n
	}
	if n := digits(); n == 0 {
		if !(len(s) > 1 && s[0] == '.' && isDigit(s[1])) {
			return decimal.Decimal{}, 0, false
		}
	} else if n <= 3 {
		// 1 250 s
		for i+4 <= len(s) && s[i] == ' ' && allDigits(s[i+1:i+4]) && (i+4 == len(s) || !isDigit(s[i+4]) && s[i+4] != '.' && s[i+4] != ',') {
			i += 4
		}
	}
	if i+1 < len(s) && (s[i] == '.' || s[i] == ',') && isDigit(s[i+1]) {
		i++
		digits()
	}
	if i+1 < len(s) && s[i] == 'e' && (isDigit(s[i+1]) || i+2 < len(s) && (s[i+1] == '-' || s[i+1] == '+') && isDigit(s[i+2])) {
		i += 2
		digits()
	}
	number := s[:i]
	gap := 0
	for _, blank := range []string{" ", "\u00a0", "\u202f", "\u2009"} {
		if strings.HasPrefix(s[i:], blank) {
			gap = len(blank)
		}
	}
	rest := s[i+gap:]
	var name string
	if strings.HasPrefix(rest, "%") {
		name = "%"
	} else {
		name = rest[:wordLength(rest)]
	}
	if _, known := unitOf[name]; name != "" && known {
		number += " " + name
		i += gap + len(name)
	} else if gap == 0 && name != "" {
		// 95th, 3x: not a bound
		return decimal.Decimal{}, 0, false
	}
	d, err := parseNumber(number)
	return d, i, err == nil
}
