package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stated is one field found inside a line.
type stated struct {
	field Field
	value phrase
}

// oneLine reads what engineers write in one breath:
// "lr 2e-5, batch 8, 3 epochs, AdamW, seed 42, 2× A100 80GB, 6 h". It takes
// the line only if at least that many parts of it are understood.
func (r *reader) oneLine(ctx context, p phrase, least int) bool {
	var found []stated
	for _, part := range p.split(",;·|") {
		found = append(found, r.inOneLine(ctx, part)...)
	}
	if len(found) < least {
		return false
	}
	for _, s := range found {
		r.refine(ctx, s.field, s.value)
	}
	return len(found) > 0
}

func (r *reader) inOneLine(ctx context, p phrase) []stated {
	p = p.unquote()
	if p.empty() || len(p.text()) > 2*maxKey {
		return nil
	}
	if _, value, t, ok := r.splitKey(ctx, p); ok && t.field != "" && !value.empty() {
		return []stated{{t.field, value}}
	}
	if s, ok := r.keyBesideNumber(ctx, p); ok {
		return []stated{s}
	}
	words := p.words()
	if len(words) > 0 && len(words) <= 4 && isOptimiser(words[0].text()) {
		return []stated{{Optimiser, p}}
	}
	if len(words) > 1 && len(words) <= 4 && isOptimiser(words[1].text()) {
		if t, ok := lookUp(ctx.group, words[0].text()); ok && t.field == Optimiser {
			return []stated{{Optimiser, phrase{p.run, words[1].lo, p.hi}}}
		}
	}
	if _, _, _, found := takeCompute(p); found && (namesHardware(p.text()) || ctx.group == inCompute) {
		return []stated{{Hardware, p}}
	}
	if isHours(p.text()) && (ctx.group == inHyper || ctx.group == inCompute) {
		return []stated{{Hours, p}}
	}
	if ctx.group == inCompute && len(words) > 0 && namesHardware(p.text()) {
		return []stated{{Hardware, p}}
	}
	return nil
}

// keyBesideNumber reads "lr 2e-5", "max_seq_len 4096", "3 epochs".
func (r *reader) keyBesideNumber(ctx context, p phrase) (stated, bool) {
	words := p.words()
	// The number may stand behind some words of a sentence: "We train with lr 2e-5".
	for j := 1; j < min(10, len(words)); j++ {
		if !isNumberWord(words[j].text()) {
			continue
		}
		for n := min(5, j); n > 0; n-- {
			head := phrase{p.run, words[j-n].lo, words[j-1].hi}
			if t, ok := lookUp(ctx.group, head.text()); ok && isNumeric(t.field) {
				return stated{t.field, phrase{p.run, words[j].lo, p.hi}}, true
			}
		}
		break
	}
	if len(words) < 2 || !isNumberWord(words[0].text()) {
		return stated{}, false
	}
	for n := min(5, len(words)-1); n > 0; n-- {
		tail := phrase{p.run, words[1].lo, words[n].hi}
		if t, ok := lookUp(ctx.group, tail.text()); ok && isNumeric(t.field) {
			if t.field == Hours {
				return stated{Hours, p}, true
			}
			return stated{t.field, words[0]}, true
		}
	}
	return stated{}, false
}

func isNumberWord(s string) bool {
	_, err := parseNumber(s)
	return err == nil
}

// isNumeric tells the fields that are one number.
func isNumeric(f Field) bool {
	switch f {
	case Epochs, BatchSize, LearningRate, MaxInputTokens, Seed, HardwareCount, Hours, Records, EvaluationRecords:
		return true
	}
	return false
}

func isOptimiser(s string) bool {
	k := strings.ReplaceAll(normalKey(s), " ", "")
	for _, name := range []string{"adamw", "adam", "adafactor", "sgd", "lion", "rmsprop", "adagrad", "lamb", "lars", "sophia", "muon", "shampoo", "nadam", "radam", "adamax", "adadelta", "pagedadam", "ademamix", "galore"} {
		if strings.HasPrefix(k, name) {
			return true
		}
	}
	return false
}

// hardwareNames begin the names of accelerators as people write them.
var hardwareNames = []string{
	"a100", "h100", "h200", "b200", "gh200", "v100", "p100", "k80", "t4", "l4", "l40", "a10", "a30", "a40", "a800", "h800", "rtx", "gtx", "tesla", "nvidia",
	"geforce", "tpu", "mi100", "mi200", "mi210", "mi250", "mi300", "gaudi", "trainium", "inferentia", "ascend", "gpu", "gpus", "cpu", "quadro", "m1", "m2", "m3", "m4",
	"3090", "4090", "5090", "dgx", "видеокарт", "гпу", "titan", "graviton", "epyc", "xeon",
}

func namesHardware(s string) bool {
	for word := range strings.FieldsSeq(normalKey(s)) {
		for _, name := range hardwareNames {
			if rest, ok := strings.CutPrefix(word, name); ok && (rest == "" || strings.Trim(rest, "sgabxmlpci") == "" || isDigit(rest[0])) {
				return true
			}
		}
		// "2xa100" is one word when nobody put a blank.
		if i := strings.IndexAny(word, "xх"); i > 0 && allDigits(word[:i]) && namesHardware(word[i+len(firstRune(word[i:])):]) {
			return true
		}
	}
	return false
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// compute reads "2× A100 80GB, 6 h" into hardware, count and hours.
func (r *reader) compute(p phrase) {
	if allDigits(p.text()) {
		r.add(HardwareCount, p.value())
		return
	}
	hardware, count, hours, _ := takeCompute(p)
	if !hardware.trimSpace().empty() {
		r.add(Hardware, hardware.value())
	}
	if !count.empty() {
		r.add(HardwareCount, count.value())
	}
	if !hours.empty() {
		r.add(Hours, hours.value())
	}
}

// takeCompute finds the parts of a compute line; found tells that a count or a
// duration is among them.
func takeCompute(p phrase) (hardware, count, hours phrase, found bool) {
	for _, part := range p.split(",;·|+") {
		head, duration := cutDuration(part)
		if !duration.empty() && hours.empty() {
			hours, found = duration, true
		}
		if head.trimSpace().empty() {
			continue
		}
		if allDigits(head.text()) && count.empty() {
			count, found = head, true
			continue
		}
		rest, n := cutCount(head)
		if !n.empty() && count.empty() {
			count, found = n, true
		}
		if hardware.empty() && !rest.trimSpace().empty() {
			hardware = rest.trimSpace()
		}
	}
	return hardware, count, hours, found
}

// cutDuration takes "for ~6 hours" or "6 h" off the end or out of brackets.
func cutDuration(p phrase) (head, duration phrase) {
	words := p.words()
	for i, w := range words {
		t := trimNumber(w.text())
		if !startsWithDigit(t) {
			continue
		}
		lo := w.lo + len(w.text()) - len(t)
		var hi int
		if i+1 < len(words) && isDuration(words[i+1].text()) {
			hi = words[i+1].hi
			if i+2 < len(words) && isDuration(words[i+1].text()+" "+words[i+2].text()) {
				hi = words[i+2].hi
			}
		} else if i+2 < len(words) && isDuration(words[i+1].text()+" "+words[i+2].text()) {
			hi = words[i+2].hi
		} else if _, name := cutUnit(t); name != "" && isDuration(name) {
			hi = w.hi
		} else {
			continue
		}
		head = phrase{p.run, p.lo, w.lo}
		for {
			head = head.trim(func(c rune) bool {
				return unicode.IsSpace(c) || strings.ContainsRune("(~≈×x*@–—-", c) && c != 'x'
			})
			cut := false
			for _, filler := range []string{" for", " about", " на", " около", " up to", " до", " approx", " примерно", " ≈", " estimated", "for", "about", "около", "примерно", "на"} {
				if rest, ok := strings.CutSuffix(head.text(), filler); ok && (rest == "" || filler[0] == ' ') {
					head = head.slice(0, len(rest))
					cut = true
					break
				}
			}
			if !cut {
				break
			}
		}
		return head, phrase{p.run, lo, hi}
	}
	return p, phrase{}
}

// cutCount takes "2×", "2 x", "×2" or "2 GPUs" off a hardware text.
func cutCount(p phrase) (rest, count phrase) {
	text := p.text()
	if len(text) > 2*maxKey {
		return p, phrase{} // no name of a machine
	}
	// "1 node with 8x H100": the accelerators count, not the nodes.
	for i := 1; i < len(text); i++ {
		if !isDigit(text[i]) || text[i-1] != ' ' && text[i-1] != '(' {
			continue
		}
		if r, n := leadingCount(p.slice(i, len(text))); !n.empty() && strings.ContainsAny(text[i+len(n.text()):min(len(text), i+len(n.text())+3)], "xх×*") {
			return r, n
		}
	}
	if r, n := leadingCount(p); !n.empty() {
		return r, n
	}
	for _, times := range []string{"×", " x", " х", " *"} {
		if i := strings.LastIndex(text, times); i > 0 {
			tail := strings.TrimSpace(text[i+len(times):])
			if allDigits(tail) && len(tail) < 5 {
				at := strings.LastIndex(text, tail)
				return p.slice(0, i).trimSpace(), p.slice(at, at+len(tail))
			}
		}
	}
	return p, phrase{}
}

// leadingCount takes a count off the front of a hardware text.
func leadingCount(p phrase) (rest, count phrase) {
	text := p.text()
	digits := 0
	for digits < len(text) && isDigit(text[digits]) {
		digits++
	}
	if digits > 0 && digits < 5 {
		after := strings.TrimLeft(text[digits:], " ")
		for _, pieces := range []string{"шт. ", "шт ", "pcs "} {
			if tail, ok := strings.CutPrefix(after, pieces); ok {
				return p.slice(len(text)-len(tail), len(text)).trimSpace(), p.slice(0, digits)
			}
		}
		for _, times := range []string{"×", "x", "х", "X", "Х", "*"} {
			tail, ok := strings.CutPrefix(after, times)
			// "2x A100", "2×A100"; not "4xlarge".
			if ok && (strings.HasPrefix(tail, " ") || namesHardware(tail) || times == "×") {
				return p.slice(len(text)-len(tail), len(text)).trimSpace(), p.slice(0, digits)
			}
		}
		if strings.HasPrefix(text[digits:], " ") && namesHardware(after) {
			return p.slice(len(text)-len(after), len(text)), p.slice(0, digits)
		}
	}
	return p, phrase{}
}
