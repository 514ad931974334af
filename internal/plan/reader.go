package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// documentKind is which of the two languages is read.
type documentKind int

const (
	planDocument documentKind = iota
	cardDocument
)

// reader gathers what one document states, in one walk over its tree.
type reader struct {
	doc        *source
	kind       documentKind
	front      bool  // reading the front matter
	weak       bool  // reading the value of a weak key
	about      group // what the last key was about, until the next heading
	fields     map[Field][]Value
	metrics    []MetricRow
	acceptance []MetricRow
	drift      []Value
	waivers    []Waiver
	mentions   []Mention
	headings   []Heading
	problems   []finding.Finding
	unreadable string
	full       map[string]bool // lists that reached their cap, told once each
}

// context is what the lines above a statement say it is about.
type context struct {
	section Section
	group   group
	await   Field // a key without a value: the text below is the value
	loose   bool  // the key is a section's heading: other text may stand below, too
}

func (c context) under(t term) context {
	if t.opens != anywhere {
		c.group = t.opens
	}
	c.await, c.loose = t.field, false
	return c
}

// markdown is the dialect of GitHub as far as it makes structure.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList))

func read(file string, src []byte, kind documentKind) *reader {
	r := &reader{kind: kind, fields: map[Field][]Value{}, full: map[string]bool{}}
	if len(src) > MaxBytes {
		r.doc = newSource(file, nil)
		r.problem("PL001", "too_large", finding.Error, finding.Position{Path: file},
			map[string]string{"bytes": strconv.Itoa(len(src)), "limit": strconv.Itoa(MaxBytes)})
		r.unreadable = digest(src)
		return r
	}
	r.doc = newSource(file, src)
	if refused := r.doc.guard(); len(refused) > 0 {
		r.problems = refused
		r.unreadable = digest(lineEnds(src))
		return r
	}
	yaml, body, problem := r.doc.frontMatter()
	if problem != "" {
		r.problem("PL001", problem, finding.Error, finding.Position{Path: file, Line: 1},
			map[string]string{"line": "1", "limit": strconv.Itoa(maxFrontMatter)})
		r.unreadable = digest(lineEnds(src))
		return r
	}
	root := r.doc.parse(body)
	if kind == planDocument {
		if notes := r.doc.runNotes(root); len(notes) > 0 {
			// The section is outside the digest, so nothing in it may reach what is read:
			// not even a link definition that gives a label elsewhere its target.
			for _, n := range notes {
				blank(r.doc.work[n.start:n.end])
			}
			root = r.doc.parse(body)
		}
	}
	if len(bytes.TrimSpace(r.doc.work)) == 0 {
		r.problem("PL001", "empty", finding.Error, finding.Position{Path: file}, nil)
		r.unreadable = digest(nil)
		return r
	}
	if yaml.end > yaml.start {
		r.readFrontMatter(yaml)
		r.mentionsInYAML(yaml)
	}
	ctx := context{group: r.outermost()}
	r.blocks(&ctx, root)
	return r
}

// outermost is the group in which keys are read before any heading.
func (r *reader) outermost() group {
	if r.kind == cardDocument {
		return inCardDocument
	}
	return anywhere
}

// parse builds the tree of the body. Front matter is passed over as blanks, so
// that offsets stay those of the file.
func (s *source) parse(body int) ast.Node {
	text := s.work
	if body > 0 {
		text = append([]byte(nil), s.work...)
		blank(text[:body])
	}
	return markdown.Parser().Parse(newText(text))
}

func blank(b []byte) {
	for i, c := range b {
		if c != '\n' {
			b[i] = ' '
		}
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *reader) problem(rule, name string, s finding.Severity, at finding.Position, args map[string]string) {
	r.tell(finding.Finding{Rule: rule, Case: name, Severity: s, At: at, Args: args})
}

// tell notes a problem. Behind the last that is kept stands an error, so that
// a heap of notes cannot hide one.
func (r *reader) tell(f finding.Finding) {
	switch n := len(r.problems); {
	case n < maxProblems:
		r.problems = append(r.problems, f)
	case n == maxProblems:
		r.problems = append(r.problems, finding.Finding{
			Rule: "PL001", Case: "too_many", Severity: finding.Error, At: f.At,
			Args: map[string]string{"what": "problems", "limit": strconv.Itoa(maxProblems)},
		})
	}
}

// room tells whether a list may grow. A list that is full is an error: what
// is not read must not pass as read.
func (r *reader) room(list string, have, limit int, at finding.Position) bool {
	if have < limit {
		return true
	}
	if !r.full[list] {
		r.full[list] = true
		r.problem("PL001", "too_many", finding.Error, at, map[string]string{"what": list, "limit": strconv.Itoa(limit)})
	}
	return false
}

// add notes a value of a field.
func (r *reader) add(f Field, v Value) {
	if !r.room(string(f), len(r.fields[f]), maxValues, v.At) {
		return
	}
	v.FromFrontMatter = r.front
	v.Derived = v.Derived || r.weak
	r.fields[f] = append(r.fields[f], v)
}

// blocks reads sibling blocks in order. A heading, or a line that is a key
// alone, changes what the blocks after it are about.
func (r *reader) blocks(ctx *context, parent ast.Node) {
	outer := *ctx
	stack := []opened{}
	var pending *context // what a key alone on its line has opened
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			pending = nil
			*ctx = r.heading(&stack, outer, h)
			continue
		}
		here := *ctx
		if pending != nil {
			here = *pending
		}
		next := r.block(here, n)
		switch n.Kind() {
		case ast.KindParagraph, ast.KindTextBlock:
			pending = next
			if next == nil {
				ctx.await = "" // the text below a heading answers it once
			}
		default:
			pending = nil
		}
	}
}

type opened struct {
	level int
	ctx   context
}

// heading gives the context of what follows. A heading that is a known section
// or key sets it; any other keeps that of the heading above it.
func (r *reader) heading(stack *[]opened, outer context, h *ast.Heading) context {
	run := flatten(r.doc, h, max(h.Pos(), 0))
	p := phrase{run, 0, len(run.text)}
	r.about = anywhere
	for len(*stack) > 0 && (*stack)[len(*stack)-1].level >= h.Level {
		*stack = (*stack)[:len(*stack)-1]
	}
	ctx := outer
	ctx.await = ""
	if len(*stack) > 0 {
		ctx = (*stack)[len(*stack)-1].ctx
		ctx.await = ""
	}
	t, isSection := lookUpSection(p.text())
	own, isOwn := termOf[groupedKey{ctx.group, normalKey(p.text())}]
	if ctx.section == SectionInputs && h.Level > 2 && !isOwn {
		own, isOwn = termOf[groupedKey{anywhere, normalKey(p.text())}] // "Baseline" under "Models" is one
	}
	isOwn = isOwn && (ctx.group != anywhere || ctx.section == SectionInputs) && own.opens != inNothing
	isSection = isSection && r.kind == planDocument && !isOwn
	key, value, kt, isKeyed := r.splitKey(ctx, p)
	switch {
	case ctx.group == inNothing && h.Level > 1 && len(*stack) > 0 && !(isSection && (*stack)[len(*stack)-1].level == 1):
	case isOwn:
		ctx = ctx.under(own)
	case isKeyed && !value.trimSpace().empty() && !isSection:
		ctx = r.keyed(ctx, kt, key, value)
	case isSection && (t.section != SectionOther || len(*stack) == 0 || h.Level <= 2):
		ctx = context{section: t.section, group: t.opens}
		if kt, ok := lookUp(anywhere, p.text()); ok && kt.opens == t.opens {
			switch kt.field {
			case Dataset, EvaluationDataset, TargetRelease, RollbackTarget:
				ctx.await, ctx.loose = kt.field, true // its value may stand alone below
			}
		}
	default:
		if kt, ok := lookUp(ctx.group, strings.TrimLeft(p.text(), "0123456789. ")); ok {
			ctx = ctx.under(kt)
		} else if isSection {
			ctx.group = t.opens
		}
	}
	if r.room("headings", len(r.headings), maxHeadings, p.value().At) {
		v := p.value()
		if v.Text == "" {
			v.Text = collapse(p.text())
		}
		section := SectionOther
		if isSection {
			section = t.section
		}
		insert := len(r.doc.src)
		if l := r.doc.lineOf(v.End) + 1; l < len(r.doc.line) {
			insert = r.doc.line[l]
		}
		r.headings = append(r.headings, Heading{Level: h.Level, Text: v.Text, Section: section, At: v.At, Insert: insert})
	}
	r.mentionsIn(ctx, p)
	*stack = append(*stack, opened{h.Level, ctx})
	return ctx
}

// block reads one block and gives what a key alone on its last line has opened.
func (r *reader) block(ctx context, n ast.Node) *context {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		return r.paragraph(ctx, n)
	case *ast.List:
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			inner := ctx
			r.item(inner, item)
		}
	case *extast.Table:
		r.table(ctx, n)
	case *ast.Blockquote:
		// A quotation is not the plan's own statement; what it names must exist all the same.
		quoted := ctx
		quoted.group, quoted.section, quoted.await = inNothing, SectionOther, ""
		r.blocks(&quoted, n)
	case *ast.FencedCodeBlock:
		r.code(ctx, n)
	case *ast.CodeBlock:
		r.mentionsInCode(n.Lines())
	}
	return nil
}

// item reads one bullet: its first text is the statement, the rest is about it.
func (r *reader) item(ctx context, item ast.Node) {
	first := item.FirstChild()
	if first == nil {
		return
	}
	inner := ctx
	inner.await = ""
	switch first.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		if next := r.paragraph(ctx, first); next != nil {
			inner = *next
		}
		first = first.NextSibling()
	}
	for n := first; n != nil; n = n.NextSibling() {
		if next := r.block(inner, n); next != nil {
			inner = *next
		} else if n.Kind() == ast.KindParagraph {
			inner.await = ""
		}
	}
}

// paragraph reads the statements of one text block. A new line that begins
// with a known key begins a new statement; any other line continues the last.
func (r *reader) paragraph(ctx context, n ast.Node) *context {
	run := flatten(r.doc, n, max(n.Pos(), 0))
	whole := phrase{run, 0, len(run.text)}
	about := ctx
	if _, _, t, ok := r.splitKey(ctx, whole); ok && ctx.group != inNothing {
		about = ctx.under(t)
	}
	r.mentionsIn(about, whole)
	from := 0
	inner := ctx
	statement := func(lo, hi int) {
		if p := (phrase{run, lo, hi}); !p.trimSpace().empty() {
			inner = r.statement(ctx, p)
			ctx.await = ""
		}
	}
	for i, at := range run.breaks {
		end := len(run.text)
		if i+1 < len(run.breaks) {
			end = run.breaks[i+1]
		}
		line := phrase{run, min(at+1, end), end}
		if r.beginsStatement(ctx, phrase{run, from, at}, line) {
			statement(from, at)
			from = at + 1
		}
	}
	statement(from, len(run.text))
	if inner.group == ctx.group && inner.await == "" && inner.section == ctx.section {
		return nil
	}
	return &inner
}

// beginsStatement tells whether a line of a paragraph is a statement of its
// own. A lone word that happens to be a key is a word of the wrapped sentence.
func (r *reader) beginsStatement(ctx context, before, line phrase) bool {
	if _, value, _, ok := r.splitKey(ctx, line); ok && (!value.empty() || strings.HasSuffix(strings.TrimSpace(line.text()), ":")) {
		return true
	}
	if r.kind == planDocument && looksKeyed(line.text()) {
		return true
	}
	if ctx.group == inHyper || ctx.group == inCompute {
		// "3 epochs, batch 8" over "2x A100 80GB, 6 h".
		if _, _, _, keyed := r.splitKey(ctx, before); !keyed && len(r.inOneLine(ctx, line.split(",;·|.")[0])) > 0 {
			return true
		}
	}
	return r.isMetricLine(ctx, line)
}

// looksKeyed tells whether a line is "Some key: value" with a key that we do
// not know. It is not the end of the value above it.
func looksKeyed(line string) bool {
	const longest = 40
	line = strings.TrimSpace(line)
	key, _, ok := strings.Cut(line[:min(len(line), longest)], ": ")
	first, _ := utf8.DecodeRuneInString(key)
	return ok && unicode.IsUpper(first) && strings.Count(key, " ") < 4 && !strings.ContainsFunc(key, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" -_/()", c)
	})
}

// code reads a fenced block: YAML under a heading of the configuration states
// hyperparameters, anything else only names files.
func (r *reader) code(ctx context, n *ast.FencedCodeBlock) {
	lines := n.Lines()
	r.mentionsInCode(lines)
	if lines.Len() == 0 || ctx.group == inNothing {
		return
	}
	at := span{lines.At(0).Start, lines.At(lines.Len() - 1).Stop}
	switch strings.ToLower(string(n.Language(r.doc.work))) {
	case "yaml", "yml":
		// A block in a list is indented by it; its lines are then not one range of YAML.
		if at.start != r.doc.line[r.doc.lineOf(at.start)] || at.end-at.start > maxFrontMatter || deepYAML(r.doc.work[at.start:at.end]) > 0 {
			r.assignments(ctx, at)
			return
		}
		file, _, broken := safeParse(withoutTrailingBlanks(r.doc.work[at.start:at.end]))
		if broken || len(file.Docs) != 1 || file.Docs[0].Body == nil {
			return
		}
		r.yamlNode(ctx, file.Docs[0].Body, r.doc.lineOf(at.start), false)
	case "", "toml", "ini", "properties", "text", "txt", "conf", "cfg":
		r.assignments(ctx, at)
	}
}

// assignments reads "key = value" and "key: value" lines of a code block.
func (r *reader) assignments(ctx context, at span) {
	for l := r.doc.lineOf(at.start); l < len(r.doc.line) && r.doc.line[l] < at.end; l++ {
		p := r.verbatimRun(max(r.doc.line[l], at.start), r.doc.line[l]+len(r.doc.lineText(l)))
		if key, value, t, ok := r.splitKey(ctx, p); ok {
			r.keyed(ctx, t, key, value)
		}
	}
}

// verbatimRun makes a run of document bytes as they are.
func (r *reader) verbatimRun(start, end int) phrase {
	b := &runBuilder{run: &run{doc: r.doc, anchor: start}}
	b.verbatim(start, max(start, end), false)
	b.run.text = b.text.String()
	return phrase{b.run, 0, len(b.run.text)}
}
