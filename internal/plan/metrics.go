package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml/ast"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
)

func (r *reader) addMetric(list *[]MetricRow, name string, row MetricRow) {
	if r.room(name, len(*list), maxRows, row.Name.At) {
		*list = append(*list, row)
	}
}

// setBand reads the threshold of a row from one cell, or from the three cells
// pass, warn and fail.
func (r *reader) setBand(row *MetricRow, cells []phrase) {
	if len(cells) == 0 || cells[0].run == nil {
		row.Band = benchmark.Band{Better: benchmark.DirectionOf(row.Metric), Statistic: row.Statistic}
		return
	}
	row.Threshold = cells[0].value()
	band, notes := readBand(row.Metric, cells)
	if band.Statistic == "" {
		band.Statistic = row.Statistic
	}
	row.Band, row.BandNotes = band, notes
	for _, n := range notes {
		at := row.Threshold.At
		severity := finding.Warning
		switch n {
		case BandUnreadable, BandContradiction, BandDisordered:
			severity = finding.Error
		case BandGap, BandStrict:
			severity = finding.Note
		}
		var text []string
		for _, c := range cells {
			if c.run != nil && !c.trimSpace().empty() {
				text = append(text, collapse(c.text()))
			}
		}
		r.problem("PL009", string(n), severity, at, map[string]string{
			"metric": row.Name.Text, "threshold": cutText(strings.Join(text, " | ")), "band": row.Band.String(),
		})
	}
}

// cutText keeps a quotation of the document short.
func cutText(s string) string {
	const longest = 80
	if len(s) <= longest {
		return s
	}
	cut := 0
	for i := range s {
		if i > longest-3 {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}

// isMetricLine tells whether a line begins a new statement about a metric.
func (r *reader) isMetricLine(ctx context, p phrase) bool {
	if ctx.group != inMetrics && ctx.group != inAcceptance {
		return false
	}
	_, rest, _, _, ok := cutMetric(p.trimSpace())
	return ok && !rest.empty()
}

// cutMetric takes a metric's name off the front of a line: the longest run of
// words that is one.
func cutMetric(p phrase) (name, rest phrase, metric, statistic string, ok bool) {
	text := p.text()
	for i := 0; i <= len(text) && i < 60; i++ {
		if i < len(text) && !strings.ContainsRune(" :=<>≥≤—–-(),~", firstOf(text[i:])) {
			continue
		}
		if i > 0 && i < len(text) && text[i] == '(' && i > 1 {
			// The bracket may hold the statistic: taken with its end below.
			if end := strings.IndexByte(text[i:], ')'); end > 0 && end < 20 {
				if m, s, is := benchmark.ParseMetricName(text[:i+end+1]); is {
					name, rest, metric, statistic, ok = p.slice(0, i+end+1), p.slice(i+end+1, len(text)), m, s, true
					continue
				}
			}
		}
		if last, _ := utf8.DecodeLastRuneInString(text[:i]); i > 0 && !unicode.IsLetter(last) && !unicode.IsDigit(last) {
			continue // a sign is not part of the name
		}
		if m, s, is := benchmark.ParseMetricName(text[:i]); is && (!ok || len(name.text()) < i) {
			name, rest, metric, statistic, ok = p.slice(0, i).trimSpace(), p.slice(i, len(text)), m, s, true
		}
	}
	return name, rest.trim(func(c rune) bool { return strings.ContainsRune(" \t:=—–→", c) }), metric, statistic, ok
}

func firstOf(s string) rune {
	for _, c := range s {
		return c
	}
	return 0
}

// metricLine reads "Coverage ≥ 0.90", "coverage: 0.89 (threshold ≥ 0.88, pass)"
// or "Coverage" over nested bullets.
func (r *reader) metricLine(ctx context, p phrase) (below context, ok bool) {
	below = ctx
	below.await = ""
	if ctx.group != inMetrics && ctx.group != inAcceptance {
		return below, false
	}
	name, rest, metric, statistic, is := cutMetric(p)
	if !is {
		return below, false
	}
	row := MetricRow{Metric: metric, Statistic: statistic, Name: name.value()}
	if ctx.group == inMetrics {
		row = r.measuredLine(row, rest)
		r.addMetric(&r.metrics, "baseline metrics", row)
		return below, true
	}
	if parts := rest.split(",;·|"); len(parts) > 1 && r.isMetricLine(ctx, parts[1]) {
		r.metricList(ctx, p)
		return below, true
	}
	if rest.empty() {
		row.Threshold = rest.value()
		row.Band = benchmark.Band{Better: benchmark.DirectionOf(metric), Statistic: statistic}
	} else {
		r.setBand(&row, []phrase{rest})
	}
	r.addMetric(&r.acceptance, "acceptance", row)
	return below, true
}

// metricList reads several metrics of one line: "coverage ≥ 0.90, accuracy ≥ 0.92".
func (r *reader) metricList(ctx context, p phrase) {
	var start phrase
	flush := func() {
		if !start.empty() {
			r.metricLine(ctx, start.trim(isSeparator))
		}
	}
	for _, part := range p.split(",;·|") {
		if _, _, _, _, ok := cutMetric(part); ok || start.empty() {
			if start.run != nil {
				flush()
			}
			start = part
			continue
		}
		start = phrase{start.run, start.lo, part.hi}
	}
	if _, _, _, _, ok := cutMetric(start); ok {
		flush()
	}
}

// metricsInSentence reads "We accept when coverage ≥ 0.90 and accuracy ≥ 0.92":
// a metric with a sign right behind its name, anywhere in a sentence.
func (r *reader) metricsInSentence(ctx context, p phrase) bool {
	const (
		reach   = 60   // bytes of a name with its sign
		longest = 4096 // bytes of a sentence
	)
	text := p.text()
	if len(text) > longest || !strings.ContainsAny(text, "≥≤<>⩾⩽≧≦") {
		return false
	}
	var starts []int
	for i := 0; i < len(text); i++ {
		if i > 0 && text[i-1] != ' ' && text[i-1] != '(' {
			continue
		}
		_, rest, _, _, ok := cutMetric(p.slice(i, min(len(text), i+reach)).wholeRunes())
		if s, _ := cutSign(rest.text()); ok && s != noSign {
			starts = append(starts, i)
			i = rest.lo - p.lo
		}
	}
	for n, i := range starts {
		end := len(text)
		if n+1 < len(starts) {
			end = starts[n+1]
		}
		part := p.slice(i, end).trim(isSeparator)
		for _, and := range []string{" and", " и", ", and"} {
			if cut, ok := strings.CutSuffix(part.text(), and); ok {
				part = part.slice(0, len(cut)).trim(isSeparator)
			}
		}
		r.metricLine(ctx, part)
	}
	return len(starts) > 0
}

// wholeRunes cuts half a character off the end.
func (p phrase) wholeRunes() phrase {
	for !p.empty() && !utf8.ValidString(p.text()) {
		p.hi--
	}
	return p
}

// figure cuts what was measured from what stands behind it: "0.89 ± 0.02",
// "0.91 (pass)". The remark is given back.
func (p phrase) figure() (value, remark phrase) {
	p = p.trimSpace()
	text := p.text()
	for _, cut := range []string{"±", "+/-", "("} {
		if i := strings.Index(text, cut); i > 0 {
			return p.slice(0, i).trimSpace(), p.slice(i+len(cut), len(text)).trim(func(c rune) bool { return c == ' ' || c == ')' })
		}
	}
	return p, phrase{}
}

// measuredLine reads what was measured, with threshold and status if they stand
// on the same line.
func (r *reader) measuredLine(row MetricRow, p phrase) MetricRow {
	row.Band = benchmark.Band{Better: benchmark.DirectionOf(row.Metric), Statistic: row.Statistic}
	text := p.text()
	cut := strings.IndexAny(text, "(,;|")
	for cut >= 0 && text[cut] == ',' && decimalComma(text, cut) {
		next := strings.IndexAny(text[cut+1:], "(,;|")
		if next < 0 {
			cut = -1
			break
		}
		cut += 1 + next
	}
	if cut < 0 {
		row.Value = p.value()
		return row
	}
	row.Value = p.slice(0, cut).value()
	if end := strings.IndexByte(text, ')'); text[cut] == '(' && end > cut {
		// "0.89 (≥0.88 pass, ≥0.80 warn): pass": one band, and what stands behind it.
		if inside := p.slice(cut+1, end).trimSpace(); len(signsIn(inside.text())) > 1 {
			r.setBand(&row, []phrase{inside})
			if status := p.slice(end+1, len(text)).trim(func(c rune) bool { return strings.ContainsRune(" :—–-,;", c) }); !status.empty() {
				if _, isWord := statusWord(status.text()); isWord {
					row.Status = status.value()
				}
			}
			return row
		}
	}
	rest := p.slice(cut, len(text)).trim(func(c rune) bool { return strings.ContainsRune(" (),;|", c) })
	for _, part := range rest.split(",;|") {
		part = part.trimSpace()
		if key, value, ok := cutColumn(part); ok {
			switch key {
			case colThreshold, colTarget, colAcceptance:
				r.setBand(&row, []phrase{value})
			case colStatus:
				row.Status = value.value()
			}
			continue
		}
		if _, isWord := statusWord(part.text()); isWord {
			row.Status = part.value()
		} else if strings.ContainsAny(part.text(), "≥≤<>") && row.Threshold.At.Line == 0 {
			r.setBand(&row, []phrase{part})
		}
	}
	return row
}

// signsIn gives the bounds of a text that have a sign.
func signsIn(text string) (signed []clause) {
	if len(text) > maxThreshold {
		return nil
	}
	clauses, _, _ := readClauses(text)
	for _, c := range clauses {
		if c.sign != noSign {
			signed = append(signed, c)
		}
	}
	return signed
}

// cutColumn reads "threshold ≥0.88" and "Status: pass".
func cutColumn(p phrase) (column, phrase, bool) {
	text := p.text()
	end := strings.IndexAny(text, " :=≥≤<>")
	if end <= 0 {
		return colOther, phrase{}, false
	}
	c, ok := columnWords[normalKey(text[:end])]
	if !ok || c == colPass || c == colWarn || c == colFail {
		return colOther, phrase{}, false
	}
	return c, p.slice(end, len(text)).trim(func(c rune) bool { return strings.ContainsRune(" :=—–→\t", c) }), true
}

// partOfMetric reads a bullet below a metric's own: "Value: 0.89".
func (r *reader) partOfMetric(ctx context, p phrase) bool {
	list := &r.metrics
	if ctx.group == inAcceptance {
		list = &r.acceptance
	}
	if len(*list) == 0 {
		return false
	}
	row := &(*list)[len(*list)-1]
	c, value, ok := cutColumn(p)
	if !ok {
		return r.bareOfMetric(ctx, row, p)
	}
	switch c {
	case colThreshold, colTarget, colAcceptance:
		r.setBand(row, []phrase{value})
	case colValue, colBaseline:
		row.Value = value.value()
	case colStatus:
		row.Status = value.value()
	default:
		return false
	}
	return true
}

// bareOfMetric reads what stands below a metric's name without a key: "≥ 0.90",
// "at least 0.90", and in the baseline "0.89".
func (r *reader) bareOfMetric(ctx context, row *MetricRow, p phrase) bool {
	const longest = 80
	text := p.text()
	if len(text) > longest || row.Threshold.Text != "" || row.Value.Text != "" {
		return false
	}
	if _, _, _, _, named := cutMetric(p); named {
		return false
	}
	if ctx.group == inMetrics {
		if _, err := parseNumber(text); err != nil {
			return false
		}
		row.Value = p.value()
		return true
	}
	if clauses, _, relative := readClauses(text); len(clauses) == 0 || relative || clauses[0].sign == noSign && !startsWithDigit(text) {
		return false
	}
	r.setBand(row, []phrase{p})
	return true
}

// yamlMetric reads "coverage: '>= 0.90'" of the front matter, or a mapping of
// value, threshold and status.
func (r *reader) yamlMetric(ctx context, key phrase, value yaml.Node, base int) {
	metric, statistic, _ := benchmark.ParseMetricName(key.text())
	row := MetricRow{Metric: metric, Statistic: statistic, Name: key.value()}
	row.Band = benchmark.Band{Better: benchmark.DirectionOf(metric), Statistic: statistic}
	list, name := &r.acceptance, "acceptance"
	if ctx.group == inMetrics {
		list, name = &r.metrics, "baseline metrics"
	}
	var pairs []*yaml.MappingValueNode
	switch v := value.(type) {
	case *yaml.MappingNode:
		pairs = v.Values
	case *yaml.MappingValueNode:
		pairs = []*yaml.MappingValueNode{v}
	default:
		p := r.yamlPhrase(scalarToken(value), base)
		if ctx.group == inMetrics {
			row = r.measuredLine(row, p)
		} else {
			r.setBand(&row, []phrase{p})
		}
	}
	var bands [3]phrase
	for _, pair := range pairs {
		p := r.yamlPhrase(scalarToken(pair.Value), base)
		switch columnWords[normalKey(pair.Key.GetToken().Value)] {
		case colPass:
			bands[0] = p
		case colWarn:
			bands[1] = p
		case colFail:
			bands[2] = p
		case colThreshold, colTarget, colAcceptance:
			r.setBand(&row, []phrase{p})
		case colValue, colBaseline:
			row.Value = p.value()
		case colStatus:
			row.Status = p.value()
		case colStatistic:
			if _, s, ok := benchmark.ParseMetricName("latency " + p.text()); ok {
				row.Statistic = s
			}
		}
	}
	if bands[0].run != nil {
		r.setBand(&row, bands[:])
	}
	r.addMetric(list, name, row)
}

// driftMetrics reads "PSI, KL divergence and length ratio".
func (r *reader) driftMetrics(p phrase) {
	for _, part := range p.split(",;") {
		part = part.unquote()
		if rest, ok := strings.CutPrefix(part.text(), "and "); ok {
			part = part.slice(len(part.text())-len(rest), len(part.text()))
		}
		v := part.value()
		if v.Text == "" && len(r.drift) > 0 {
			continue
		}
		if v.Text != "" && r.room("drift metrics", len(r.drift), maxRows, v.At) {
			v.FromFrontMatter = r.front
			r.drift = append(r.drift, v)
		}
	}
}
