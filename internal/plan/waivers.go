package plan

import (
	"strconv"
	"strings"
	"time"

	yaml "github.com/goccy/go-yaml/ast"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// waiverKeys name the parts of a waiver, in tables and lines alike.
var waiverKeys = indexWaiverKeys()

func indexWaiverKeys() map[string]int {
	index := map[string]int{}
	for i, names := range []string{
		"rule|rule id|check|id|правило|проверка|код",
		"file sha256|sha256|file|file hash|dataset sha256|hash|dataset|хеш|файл|sha256 файла|хеш файла",
		"line|lines|row|record|строка|запись",
		"pointer|json pointer|field|path|указатель|поле",
		"owner|who|responsible|by|requested by|владелец|ответственный|кто",
		"reason|why|justification|because|причина|обоснование|почему",
		"expires|expiry|until|valid until|expires on|expiration|до|истекает|срок|действует до|годен до",
	} {
		for name := range strings.SplitSeq(names, "|") {
			index[normalKey(name)] = i
		}
	}
	return index
}

func (w *Waiver) part(i int) *Value {
	return []*Value{&w.Rule, &w.FileSHA256, &w.Line, &w.Pointer, &w.Owner, &w.Reason, &w.Expires}[i]
}

// set notes one part of a waiver.
func (w *Waiver) set(part int, p phrase) {
	if h, ok := hexDigest(p); ok && w.part(part) == &w.FileSHA256 {
		p = h
	}
	*w.part(part) = p.value()
}

func (r *reader) addWaiver(w Waiver, at phrase) {
	place := at.value().At
	if w.Rule.Text == "" {
		r.problem("PL011", "no_rule", finding.Error, place, map[string]string{"text": cutText(collapse(at.text()))})
		return
	}
	for i, name := range []string{"rule", "file_sha256", "line", "pointer", "owner", "reason", "expires"} {
		v := w.part(i)
		if v.At.Line == 0 {
			v.At = place
			v.Start, v.End = at.end(), at.end()
		}
		lacking := v.Text == "" && (name == "owner" || name == "reason" || name == "expires")
		if lacking || name == "line" && !lineNumber(v.Text) {
			r.problem("PL011", "incomplete", finding.Error, place, map[string]string{"rule": w.Rule.Text, "part": name})
		}
	}
	if _, err := time.Parse(time.DateOnly, w.Expires.Text); w.Expires.Text != "" && err != nil {
		r.problem("PL011", "bad_date", finding.Error, w.Expires.At, map[string]string{"rule": w.Rule.Text, "expires": cutText(w.Expires.Text)})
	}
	if r.room("waivers", len(r.waivers), maxRows, place) {
		r.waivers = append(r.waivers, w)
	}
}

// lineNumber tells a line from 1: a waiver is of one record.
func lineNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0
}

// isDate tells YYYY-MM-DD with a month and a day that can be.
func isDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]+s[5:7]+s[8:]) {
		return false
	}
	month, day := s[5:7], s[8:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// waiverTable reads one waiver a row.
func (r *reader) waiverTable(header []phrase, rows [][]phrase) {
	columns := make([]int, len(header))
	for i, h := range header {
		columns[i] = -1
		if c, ok := waiverKeys[normalKey(h.text())]; ok {
			columns[i] = c
		}
	}
	for _, row := range rows {
		var w Waiver
		filled := false
		for i, cell := range row {
			if i < len(columns) && columns[i] >= 0 {
				w.set(columns[i], cell)
				filled = filled || cell.value().Text != ""
			}
		}
		if filled && len(row) > 0 {
			r.addWaiver(w, row[0])
		}
	}
}

// waiverLine reads "PII101, line 12, /source_text, owner @dana, reason: public
// hotline, expires 2026-12-31".
func (r *reader) waiverLine(p phrase) {
	p = p.trimSpace()
	if absent(p.text()) {
		return
	}
	var w Waiver
	for i, part := range p.split(",;·|") {
		part = part.trimSpace()
		text := part.text()
		if text == "" {
			continue
		}
		if key, rest, ok := cutWaiverKey(part); ok {
			w.set(key, rest)
			continue
		}
		switch {
		case i == 0 && isRuleID(firstWord(text)):
			word := part.slice(0, len(firstWord(text))).unwrap()
			w.Rule = word.value()
			rest := part.slice(len(firstWord(text)), len(text)).trim(func(c rune) bool { return strings.ContainsRune(" :—–-", c) })
			if key, value, ok := cutWaiverKey(rest); ok {
				w.set(key, value)
			} else if !rest.empty() {
				w.Reason = rest.value()
			}
		case strings.HasPrefix(text, "@") && w.Owner.Text == "":
			w.Owner = part.value()
		case strings.HasPrefix(text, "/") && w.Pointer.Text == "":
			w.Pointer = part.value()
		case isDate(text):
			w.Expires = part.value()
		case len(text) == 64 && isHex(text):
			w.FileSHA256 = part.value()
		case w.Reason.Text == "" && i > 0:
			w.Reason = part.value()
		}
	}
	if w == (Waiver{}) || w.Rule.Text == "" && !strings.ContainsAny(p.text(), ",;") {
		return // a sentence, not a waiver
	}
	r.addWaiver(w, p)
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " :"); i >= 0 {
		return s[:i]
	}
	return s
}

// cutWaiverKey reads "expires 2026-12-31" and "Reason: …".
func cutWaiverKey(p phrase) (int, phrase, bool) {
	text := p.text()
	for _, at := range []int{strings.IndexAny(text, ":="), strings.IndexByte(text, ' ')} {
		if at <= 0 || at > 40 {
			continue
		}
		if k, ok := waiverKeys[normalKey(text[:at])]; ok {
			return k, p.slice(at+1, len(text)).trimSpace(), true
		}
	}
	return 0, phrase{}, false
}

// isRuleID tells two or three letters and three digits: PII101.
func isRuleID(s string) bool {
	s = strings.Trim(s, "`*:")
	letters := 0
	for letters < len(s) && s[letters] >= 'A' && s[letters] <= 'Z' {
		letters++
	}
	return letters >= 2 && letters <= 3 && len(s)-letters == 3 && allDigits(s[letters:])
}

// yamlWaiver reads a waiver of the front matter.
func (r *reader) yamlWaiver(n yaml.Node, base int) {
	var pairs []*yaml.MappingValueNode
	switch n := n.(type) {
	case *yaml.MappingNode:
		pairs = n.Values
	case *yaml.MappingValueNode:
		pairs = []*yaml.MappingValueNode{n}
	}
	var w Waiver
	var at phrase
	for _, pair := range pairs {
		value := r.yamlPhrase(scalarToken(pair.Value), base)
		if at.run == nil {
			at = value
		}
		if k, ok := waiverKeys[normalKey(pair.Key.GetToken().Value)]; ok {
			w.set(k, value)
		}
	}
	if at.run != nil {
		r.addWaiver(w, at)
	}
}
