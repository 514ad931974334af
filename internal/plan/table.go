package plan

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"github.com/pilotgate/pilotgate/internal/benchmark"
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
		colBaseline:   "before|was|today|было|сейчас|baseline|baseline value|base|baseline score|baseline result|бейзлайн|базовое|базовое значение|база|базлайн|базовая модель",
		colThreshold:  "threshold|thresholds|band|bands|limit|limits|gate|порог|пороги|граница|границы|лимит",
		colTarget:     "target|goal|target value|expected|цель|целевое|целевое значение|ожидание",
		colAcceptance: "need|needs|needed|we need|нужно|надо|требуется|acceptance|acceptance criterion|acceptance criteria|acceptance threshold|criterion|criteria|required|requirement|must|go criterion|приемка|критерий|критерий приемки|критерии|требование|условие",
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
	header, rows := upright(r.tableCells(t))
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

// upright turns a table with a column a metric so that it has a row a metric:
// "| | Coverage | Accuracy |" over "| Value | 0.89 | 0.91 |".
func upright(header []phrase, rows [][]phrase) ([]phrase, [][]phrase) {
	metrics := 0
	for _, h := range header[min(1, len(header)):] {
		if _, _, ok := benchmark.ParseMetricName(h.text()); ok {
			metrics++
		}
	}
	if metrics < 2 || len(rows) == 0 || len(rows) > len(columnWords) {
		return header, rows
	}
	turned := make([][]phrase, len(header))
	for i, h := range header {
		turned[i] = append(turned[i], h)
		for _, row := range rows {
			cell := phrase{h.run, h.hi, h.hi}
			if i < len(row) {
				cell = row[i]
			}
			turned[i] = append(turned[i], cell)
		}
	}
	return turned[0], turned[1:]
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
		if t, ok := r.lookUp(ctx, row[0].text()); ok {
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
	figure, remark := value.figure()
	measured.Value = figure.value()
	measured.Status = cellOf(row, colStatus).value()
	if _, ok := statusWord(remark.text()); ok && measured.Status.At.Line == 0 {
		measured.Status = remark.value()
	}

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
