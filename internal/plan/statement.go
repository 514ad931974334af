package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// separators stand between a key and its value. A dash needs blanks around it.
var separators = []string{":", "：", "=", " — ", " – ", " - ", " → ", " -> "}

// splitKey finds "key: value" when the key is known where it stands.
func (r *reader) splitKey(ctx context, p phrase) (key, value phrase, t term, ok bool) {
	p = p.trimSpace().withoutNumber()
	text := p.text()
	head := text[:min(len(text), maxKey)]
	for from, tries := 0, 0; tries < 4; tries++ {
		at, width := -1, 0
		for _, s := range separators {
			if i := strings.Index(head[from:], s); i >= 0 && (at < 0 || from+i < at) {
				at, width = from+i, len(s)
			}
		}
		if at < 0 {
			break
		}
		if !strings.HasPrefix(text[at:], "://") {
			value := p.slice(at+width, len(text)).trimSpace()
			if t, known := r.lookUp(ctx, head[:at]); known {
				return p.slice(0, at).trimSpace(), value, t, true
			}
			if t, known := termOf[groupedKey{inDataset, normalKey(head[:at])}]; known && ctx.section == SectionInputs && ctx.group == anywhere &&
				(t.field == Dataset || t.field == EvaluationDataset) && (len(pathsIn(value)) > 0 || absent(firstPart(value).text())) {
				return p.slice(0, at).trimSpace(), value, t, true // "Train: data/…"
			}
		}
		from = at + width
	}
	if at := strings.Index(head, " @"); at > 0 {
		// "Initiated by @dana" needs no colon.
		if t, known := lookUp(ctx.group, head[:at]); known && t.field == Initiator {
			return p.slice(0, at), p.slice(at+1, len(text)).trimSpace(), t, true
		}
	}
	if key, value, t, ok := r.besideKey(ctx, p); ok {
		return key, value, t, true
	}
	// A key alone, in bold or before a nested list: "**Dataset**".
	if len(text) <= maxKey {
		t, known := r.lookUp(ctx, text)
		_, own := termOf[groupedKey{ctx.group, normalKey(text)}]
		if known && ctx.group != inDrift && (ctx.await == "" || own && ctx.group != anywhere && t.opens != anywhere) {
			return p, p.slice(len(text), len(text)), t, true
		}
	}
	return phrase{}, phrase{}, term{}, false
}

// withoutNumber takes "2. " or "2) " off the front: a line that was numbered
// but is no list, because the number before it is gone.
func (p phrase) withoutNumber() phrase {
	text := p.text()
	n := 0
	for n < len(text) && n < 3 && isDigit(text[n]) {
		n++
	}
	if n > 0 && n+2 < len(text) && (text[n] == '.' || text[n] == ')') && text[n+1] == ' ' {
		return p.slice(n+2, len(text)).trimSpace()
	}
	return p
}

// statement reads one line of text, or one bullet, and gives the context of
// what stands below it.
func (r *reader) statement(ctx context, p phrase) context {
	p = p.trimSpace()
	below := ctx
	below.await = ""
	if ctx.group == inWaivers {
		r.waiverLine(p)
		return below
	}
	if (ctx.group == inMetrics || ctx.group == inAcceptance) && r.partOfMetric(ctx, p) {
		return below // "Target: ≥ 0.90" below "Coverage" is no model
	}
	key, value, t, keyed := r.splitKey(ctx, p)
	if ctx.group == inNothing {
		// Inside what states nothing, a key only opens more of nothing.
		return below
	}
	if keyed {
		return r.keyed(ctx, t, key, value)
	}
	if inner, ok := r.metricLine(ctx, p); ok {
		return inner
	}
	switch {
	case ctx.group == inAcceptance && r.metricsInSentence(ctx, p):
		return below
	case ctx.await != "":
		if ctx.loose && !answers(ctx.await, p) {
			return below // a sentence about it
		}
		r.refine(ctx, ctx.await, p)
		return below
	case ctx.group == inDrift:
		r.driftMetrics(p)
		return below
	case ctx.group == inOutput:
		return below
	}
	if r.kind == planDocument {
		if _, after, colon := strings.Cut(p.text(), ":"); colon && r.oneLine(ctx, p.slice(len(p.text())-len(after), len(p.text())), 2) {
			return below
		}
		least := 2
		if ctx.group == inHyper || ctx.group == inCompute {
			least = 1
		}
		r.oneLine(ctx, p, least)
	}
	return below
}

// keyed reads the value of a known key, and the keys that follow on its line.
func (r *reader) keyed(ctx context, t term, key, value phrase) context {
	if t.opens == inNothing {
		return ctx.under(t)
	}
	if r.severalKeys(ctx, key, value) {
		below := ctx.under(t)
		below.await = ""
		return below
	}
	parts := r.cutAtKeys(ctx, value)
	below := r.single(ctx, t, key, parts[0])
	r.behind(ctx, t.field, parts[0])
	for _, part := range parts[1:] {
		if k, v, kt, ok := r.splitKey(ctx, part); ok {
			r.single(ctx, kt, k, v)
			r.behind(ctx, kt.field, v)
		}
	}
	return below
}

// behind reads the hyperparameters that follow one without a separator of
// their own: "Seed: 42, AdamW, context 4096".
func (r *reader) behind(ctx context, f Field, value phrase) {
	if r.kind != planDocument || f != Optimiser && (!isNumeric(f) || f == Records || f == EvaluationRecords) {
		return
	}
	for _, part := range value.split(",;·|")[1:] {
		for _, s := range r.inOneLine(ctx, part) {
			if s.field != f {
				r.refine(ctx, s.field, s.value)
			}
		}
	}
}

// single reads one key with its value.
func (r *reader) single(ctx context, t term, key, value phrase) context {
	below := ctx.under(t)
	if t.opens != anywhere {
		r.about = t.opens
	}
	if _, own := termOf[groupedKey{ctx.group, normalKey(key.text())}]; !own || ctx.group == anywhere {
		r.weak = r.kind == planDocument && !r.front && (weakKeys[normalKey(key.text())] || beside(key, value))
		defer func() { r.weak = false }()
	}
	value = value.trimSpace()
	if value.empty() {
		if t.field == "" || t.opens == anywhere {
			// A key with nothing behind it is a place left open, unless lines below fill it.
			below.await = t.field
		}
		if t.field != "" {
			r.open(t.field, key)
		}
		return below
	}
	below.await = ""
	switch {
	case t.field != "":
		r.refine(ctx.under(t), t.field, value)
	case t.opens == inDrift:
		r.driftMetrics(value)
	case t.opens == inHyper || t.opens == inRepro || t.opens == inCompute:
		r.oneLine(below, value, 1)
	case t.opens == inAcceptance || t.opens == inMetrics:
		r.metricList(below, value)
	case t.opens == inWaivers:
		r.waiverLine(value)
	}
	return below
}

// open notes a key that has no value on its line.
func (r *reader) open(f Field, key phrase) {
	v := r.doc.valueOf(span{key.end(), key.end()}, "")
	v.At = key.value().At
	r.add(f, v)
}

// severalKeys reads "Epochs / batch / lr: 3 / 8 / 2e-5".
func (r *reader) severalKeys(ctx context, key, value phrase) bool {
	keys, values := key.split("/"), value.split("/")
	if len(keys) < 2 || len(keys) != len(values) {
		return false
	}
	var fields []Field
	seen := map[Field]bool{}
	for _, k := range keys {
		t, ok := lookUp(ctx.group, k.text())
		if !ok || t.field == "" || seen[t.field] {
			return false
		}
		seen[t.field] = true
		fields = append(fields, t.field)
	}
	for i, f := range fields {
		r.refine(ctx, f, values[i])
	}
	return true
}

// split cuts a phrase at each separator outside brackets. A dot parts
// sentences: a blank and a capital or code stand behind it.
func (p phrase) split(separators string) []phrase {
	var parts []phrase
	depth, from := 0, 0
	text := p.text()
	for i, c := range text {
		switch {
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune(separators, c):
			if c == ',' && decimalComma(text, i) || c == '.' && !p.sentenceEnds(i) {
				continue
			}
			parts = append(parts, p.slice(from, i).trimSpace())
			from = i + utf8.RuneLen(c)
		}
	}
	return append(parts, p.slice(from, len(text)).trimSpace())
}

func (p phrase) sentenceEnds(dot int) bool {
	text := p.text()
	if dot+2 >= len(text) || text[dot+1] != ' ' {
		return false
	}
	next, _ := utf8.DecodeRuneInString(text[dot+2:])
	return unicode.IsUpper(next) || p.run.code[p.lo+dot+2]
}

// decimalComma tells whether the comma at i stands inside a number: digits on
// both sides and no blank.
func decimalComma(text string, i int) bool {
	return i > 0 && i+1 < len(text) && isDigit(text[i-1]) && isDigit(text[i+1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// cutAtKeys ends a value where the line goes on with another key, and gives
// the value and each "key: value" behind it: "Seed: 42; commit: 1a2b…".
func (r *reader) cutAtKeys(ctx context, value phrase) []phrase {
	parts := value.split(",;·|.")
	from := value.lo
	var cut []phrase
	for _, part := range parts[1:] {
		text := part.text()
		at := strings.IndexAny(text[:min(len(text), maxKey)], ":=")
		var t term
		var ok bool
		if at > 0 && !strings.HasPrefix(text[at:], "://") {
			t, ok = r.lookUp(ctx, text[:at])
		}
		if !ok {
			_, _, t, ok = r.besideKey(ctx, part)
		}
		if ok && (t.field != "" || t.opens == inDrift) {
			cut = append(cut, phrase{value.run, from, part.lo}.trim(isSeparator))
			from = part.lo
		}
	}
	return append(cut, phrase{value.run, from, value.hi}.trim(isSeparator))
}

func isSeparator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;·|", r) }
