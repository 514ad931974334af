package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml/ast"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// column is what a column of a table holds.
type column int

const (
	colOther column = iota
	colMetric
	colStatistic
	colValue
	colBaseline
	colThreshold
	colTarget
	colAcceptance
	colStatus
	colPass
	colWarn
	colFail
)

var columnWords = indexColumns()

func indexColumns() map[string]column {
	index := make(map[string]column)
	for c, names := range map[column]string{
		colMetric:     "metric|metrics|metric name|name|measure|indicator|метрика|метрики|показатель|показатели|название|имя",
		colStatistic:  "statistic|stat|aggregation|aggregate|статистика|агрегация",
		colValue:      "value|score|result|current|current value|measured|measurement|mean|actual|observed|значение|результат|текущее|текущее значение|факт|измерено|среднее",
		colBaseline:   "baseline|baseline value|base|baseline score|baseline result|бейзлайн|базовое|базовое значение|база|базлайн|базовая модель",
		colThreshold:  "threshold|thresholds|band|bands|limit|limits|gate|порог|пороги|граница|границы|лимит",
		colTarget:     "target|goal|target value|expected|цель|целевое|целевое значение|ожидание",
		colAcceptance: "acceptance|acceptance criterion|acceptance criteria|acceptance threshold|criterion|criteria|required|requirement|must|go criterion|приемка|критерий|критерий приемки|критерии|требование|условие",
		colStatus:     "status|outcome|verdict|state|статус|вердикт|итог|состояние",
		colPass:       "pass|green|ok|go|pass threshold|pass band|зеленый|зеленая|проход|норма|зачет|успех",
		colWarn:       "warn|warning|yellow|amber|warn threshold|warn band|желтый|желтая|предупреждение|внимание",
		colFail:       "fail|failure|red|no go|fail threshold|fail band|красный|красная|провал|отказ|незачет|неуспех",
	} {
		for name := range strings.SplitSeq(names, "|") {
			index[normalKey(name)] = c
		}
	}
	return index
}

// tableCells gives the header and the rows as phrases.
func (r *reader) tableCells(t *extast.Table) (header []phrase, rows [][]phrase) {
	for n := t.FirstChild(); n != nil; n = n.NextSibling() {
		var cells []phrase
		at := max(n.Pos(), 0)
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, r.cell(c, at))
			at = max(at, cells[len(cells)-1].end())
		}
		if n.Kind() == extast.KindTableHeader {
			header = cells
		} else {
			rows = append(rows, cells)
		}
	}
	return header, rows
}

// cell flattens a table cell. An empty one stands where its text would.
func (r *reader) cell(c ast.Node, at int) phrase {
	if lines := c.Lines(); lines != nil && lines.Len() > 0 {
		at = lines.At(0).Start
	}
	run := flatten(r.doc, c, at)
	return phrase{run, 0, len(run.text)}
}

// table reads a metric table, or a table of keys and values in either
// direction.
func (r *reader) table(ctx context, t *extast.Table) {
	header, rows := r.tableCells(t)
	for _, row := range append([][]phrase{header}, rows...) {
		for _, cell := range row {
			r.mentionsIn(ctx, cell)
		}
	}
	switch {
	case len(header) == 0:
	case ctx.group == inWaivers:
		r.waiverTable(header, rows)
	case ctx.group == inNothing:
	case r.kind == planDocument && r.metricTable(ctx, header, rows):
	case ctx.group == inDrift:
		for _, row := range rows {
			if len(row) > 0 {
				r.driftMetrics(row[0])
			}
		}
	case r.fieldColumns(ctx, header, rows):
	default:
		r.fieldRows(ctx, append([][]phrase{header}, rows...))
	}
}

// fieldColumns reads a table whose header cells are keys: one row of values,
// or one a dataset.
func (r *reader) fieldColumns(ctx context, header []phrase, rows [][]phrase) bool {
	known := 0
	terms := make([]term, len(header))
	around := ctx.group
	for i, h := range header {
		t, ok := lookUp(ctx.group, h.text())
		if !ok && around != ctx.group {
			// "Hardware | Count": the first column says what the others are about.
			t, ok = lookUp(around, h.text())
		}
		if !ok {
			continue
		}
		terms[i] = t
		if t.field != "" {
			known++
		}
		if t.opens != anywhere && t.opens != inNothing && around == ctx.group {
			around = t.opens
		}
	}
	for i, h := range header {
		// "Dataset | Path | sha256": the first column only names, the path is the second.
		if t, ok := termOf[groupedKey{inDataset, normalKey(h.text())}]; ok && i > 0 && t.field == Dataset && r.kind == planDocument {
			known = 0
		}
	}
	keyRows := 0
	for _, row := range rows {
		if len(row) > 0 {
			if _, ok := lookUp(ctx.group, row[0].text()); ok {
				keyRows++
			}
		}
	}
	if known == 1 && keyRows == 0 && len(rows) > 0 {
		known = 2 // one key above a column, and no key beside a row
	}
	if known < 2 {
		// "Dataset | Path | sha256 | Records": the first column says which dataset.
		terms = make([]term, len(header))
		known = 0
		for i, h := range header {
			if t, ok := lookUp(inDataset, h.text()); ok && i > 0 && t.field != "" {
				terms[i] = t
				known++
			}
		}
		if known < 2 {
			return false
		}
	}
	for _, row := range rows {
		inner := ctx
		if len(row) > 0 {
			if t, ok := lookUp(inDataset, row[0].text()); ok && (t.opens == inDataset || t.opens == inEvaluation) {
				inner.group = t.opens
			} else if t, ok := lookUp(ctx.group, row[0].text()); ok && (t.opens == inDataset || t.opens == inEvaluation || t.opens == inBaseline || t.opens == inTarget) {
				inner.group = t.opens
			}
		}
		for i, cell := range row {
			if i >= len(header) {
				break
			}
			t := terms[i]
			if inner.group != ctx.group {
				if i == 0 {
					continue
				}
				if it, ok := lookUp(inner.group, header[i].text()); ok {
					t = it
				}
			}
			if t.field != "" {
				r.keyed(inner, t, header[i], cell)
			}
		}
	}
	return true
}

// fieldRows reads a table with a key in the first column.
func (r *reader) fieldRows(ctx context, rows [][]phrase) {
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		if t, ok := lookUp(ctx.group, row[0].text()); ok {
			r.keyed(ctx, t, row[0], row[1])
		} else if inner, ok := r.metricLine(ctx, row[0]); ok && inner.group != "" {
			continue
		}
	}
}

// metricTable reads a table with a column of metrics. It answers false for any
// other table.
func (r *reader) metricTable(ctx context, header []phrase, rows [][]phrase) bool {
	columns := make([]column, len(header))
	at := map[column]int{}
	for i, h := range header {
		c, known := columnWords[normalKey(h.text())]
		if !known {
			c = columnByWords(h.text())
		}
		if _, taken := at[c]; c == colOther || taken {
			continue
		}
		columns[i], at[c] = c, i
	}
	name, named := at[colMetric]
	if !named {
		name = 0
	}
	metrics := 0
	for _, row := range rows {
		if name < len(row) {
			if _, _, ok := benchmark.ParseMetricName(row[name].text()); ok {
				metrics++
			}
		}
	}
	if metrics == 0 || len(at) == 0 || len(header) < 2 || ctx.group == inDrift {
		return false
	}
	cellOf := func(row []phrase, c column) phrase {
		if i, ok := at[c]; ok && i < len(row) {
			return row[i]
		}
		return phrase{}
	}
	for _, row := range rows {
		if name >= len(row) || row[name].trimSpace().empty() {
			continue
		}
		metric, statistic, _ := benchmark.ParseMetricName(row[name].text())
		if t, ok := lookUp(ctx.group, row[name].text()); ok && metric == "" && t.field != "" && len(row) > 1 {
			// "Latency tolerance | +5 %" among the metrics.
			for i, cell := range row {
				if i != name && !absent(cell.text()) {
					r.keyed(ctx, t, row[name], cell)
					break
				}
			}
			continue
		}
		if s := cellOf(row, colStatistic); !s.empty() {
			if _, st, ok := benchmark.ParseMetricName("latency " + s.text()); ok {
				statistic = st
			}
		}
		base := MetricRow{Metric: metric, Statistic: statistic, Name: row[name].value()}
		r.metricTableRow(ctx, base, row, at, cellOf)
	}
	return true
}

// columnByWords finds a column whose header has more to it: "Baseline (mean)",
// "Threshold, pass / warn".
func columnByWords(header string) column {
	if i := strings.IndexAny(header, "(,/["); i > 0 {
		if c, ok := columnWords[normalKey(header[:i])]; ok {
			return c
		}
	}
	found := colOther
	for word := range strings.FieldsSeq(normalKey(header)) {
		if c, ok := columnWords[word]; ok && c != colMetric {
			if found != colOther && found != c {
				found = min(max(found, c), colAcceptance)
				continue
			}
			found = c
		}
	}
	return found
}

func (r *reader) metricTableRow(ctx context, base MetricRow, row []phrase, at map[column]int, cellOf func([]phrase, column) phrase) {
	_, hasBaseline := at[colBaseline]
	_, hasValue := at[colValue]
	_, hasThreshold := at[colThreshold]
	_, hasTarget := at[colTarget]
	_, hasAcceptance := at[colAcceptance]
	_, hasPass := at[colPass]
	evaluation := ctx.group == inAcceptance || !hasBaseline && !hasValue && ctx.group != inMetrics

	measured := base
	value := cellOf(row, colValue)
	if !hasValue || evaluation && hasBaseline {
		value = cellOf(row, colBaseline)
	}
	measured.Value = value.value()
	measured.Status = cellOf(row, colStatus).value()

	wanted := base
	var bands []phrase
	switch {
	case hasPass:
		bands = []phrase{cellOf(row, colPass), cellOf(row, colWarn), cellOf(row, colFail)}
	case hasThreshold:
		bands = []phrase{cellOf(row, colThreshold)}
	case hasTarget && !evaluation:
		bands = []phrase{cellOf(row, colTarget)}
	}
	if !evaluation {
		r.setBand(&measured, bands)
		r.addMetric(&r.metrics, "baseline metrics", measured)
		switch {
		case hasAcceptance:
			r.setBand(&wanted, []phrase{cellOf(row, colAcceptance)})
			r.addMetric(&r.acceptance, "acceptance", wanted)
		case hasTarget:
			r.setBand(&wanted, []phrase{cellOf(row, colTarget)})
			r.addMetric(&r.acceptance, "acceptance", wanted)
		}
		return
	}
	switch {
	case hasAcceptance:
		bands = []phrase{cellOf(row, colAcceptance)}
	case hasTarget && !hasThreshold:
		bands = []phrase{cellOf(row, colTarget)}
	case len(bands) == 0 && hasValue:
		bands = []phrase{cellOf(row, colValue)}
	}
	r.setBand(&wanted, bands)
	r.addMetric(&r.acceptance, "acceptance", wanted)
	if hasBaseline {
		r.addMetric(&r.metrics, "baseline metrics", measured)
	}
}

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
	if parts := rest.split(",;"); len(parts) > 1 && r.isMetricLine(ctx, parts[1]) {
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
	for _, part := range p.split(",;") {
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
	return c, p.slice(end, len(text)).trim(func(c rune) bool { return strings.ContainsRune(" :=\t", c) }), true
}

// partOfMetric reads a bullet below a metric's own: "Value: 0.89".
func (r *reader) partOfMetric(ctx context, p phrase) bool {
	c, value, ok := cutColumn(p)
	if !ok {
		return false
	}
	list := &r.metrics
	if ctx.group == inAcceptance {
		list = &r.acceptance
	}
	if len(*list) == 0 {
		return false
	}
	row := &(*list)[len(*list)-1]
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
