package plan

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// frontMatter finds the YAML between two lines of three dashes at the start of
// the document. Without a closing line there is none: the first line is then a
// thematic break, unless the second looks like a key.
func (s *source) frontMatter() (yaml span, body int, problem string) {
	first := s.lineText(0)
	if bytes.HasPrefix(s.src, byteOrderMark) {
		first = first[len(byteOrderMark):]
	}
	if strings.TrimRight(string(first), " \t") != "---" || len(s.line) < 2 {
		return span{}, 0, ""
	}
	start := s.line[1]
	for l := 1; l < len(s.line); l++ {
		if t := strings.TrimRight(string(s.lineText(l)), " \t"); t == "---" || t == "..." {
			body := len(s.work)
			if l+1 < len(s.line) {
				body = s.line[l+1]
			}
			return span{start, s.line[l]}, body, ""
		}
		if s.line[l]-start > maxFrontMatter {
			return span{start, s.line[l]}, 0, "front_matter_too_large"
		}
	}
	if k, _, ok := strings.Cut(string(s.lineText(1)), ":"); ok && len(k) < maxKey && !strings.ContainsAny(k, "*[`|") {
		return span{start, start}, 0, "front_matter_unclosed"
	}
	return span{}, 0, ""
}

// parseYAML reads YAML of the document's bytes. Aliases are refused, not
// expanded: a bomb is built of them and a plan has no use for them. Depth is
// counted before the parser sees a byte, because the parser is recursive.
func (r *reader) parseYAML(at span) (root ast.Node, ok bool) {
	text := r.doc.work[at.start:at.end]
	broken := func(name string, line int, args map[string]string) (ast.Node, bool) {
		l := r.doc.lineOf(at.start) + max(line, 1)
		if args == nil {
			args = map[string]string{}
		}
		args["line"] = strconv.Itoa(l)
		r.problem("PL001", name, finding.Error, finding.Position{Path: r.doc.path, Line: l}, args)
		return nil, false
	}
	if len(text) > maxFrontMatter {
		return broken("front_matter_too_large", 1, map[string]string{"limit": strconv.Itoa(maxFrontMatter)})
	}
	if line := deepYAML(text); line > 0 {
		return broken("front_matter_nesting", line, map[string]string{"limit": strconv.Itoa(maxYAMLDepth)})
	}
	file, line, err := safeParse(withoutTrailingBlanks(text))
	if err {
		return broken("front_matter_broken", line, nil)
	}
	switch len(file.Docs) {
	case 0:
		return nil, false
	case 1:
	default:
		return broken("front_matter_broken", 1, nil)
	}
	if file.Docs[0].Body == nil {
		return nil, false
	}
	var found *token.Token
	ast.Walk(visitor(func(n ast.Node) {
		switch n.Type() {
		case ast.AliasType, ast.AnchorType, ast.MergeKeyType:
			if found == nil {
				found = n.GetToken()
			}
		}
	}), file.Docs[0].Body)
	if found != nil {
		return broken("front_matter_alias", found.Position.Line, nil)
	}
	return file.Docs[0].Body, true
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// withoutTrailingBlanks helps the parser, which counts columns wrongly behind
// a line that ends in blanks; with CRLF every line does.
func withoutTrailingBlanks(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i, l := range lines {
		lines[i] = bytes.TrimRight(l, " ")
	}
	return bytes.Join(lines, []byte("\n"))
}

// safeParse turns a panic of the YAML parser into "broken": a document must
// not be able to stop the check that reads it.
func safeParse(text []byte) (file *ast.File, line int, broken bool) {
	defer func() {
		if recover() != nil {
			file, line, broken = nil, 1, true
		}
	}()
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, errorLine(err), true
	}
	return file, 0, false
}

func errorLine(err error) int {
	// The parser's messages begin "[line:column]".
	s := err.Error()
	if i := strings.IndexByte(s, '['); i >= 0 {
		if n, _, ok := strings.Cut(s[i+1:], ":"); ok {
			if l, e := strconv.Atoi(n); e == nil {
				return l
			}
		}
	}
	return 1
}

// deepYAML gives the first line, from 1, that nests deeper than the cap.
func deepYAML(text []byte) int {
	depth := 0
	for l, line := range bytes.Split(text, []byte("\n")) {
		dashes := 0
		lead := true
		indent := 0
		for i, c := range line {
			switch {
			case c == ' ' && lead:
				indent++
			case (c == '-' || c == '?') && lead && (i+1 == len(line) || line[i+1] == ' '):
				dashes++
			case c == '[' || c == '{':
				depth++
				lead = false
			case c == ']' || c == '}':
				depth = max(0, depth-1)
				lead = false
			default:
				lead = false
			}
			if depth > maxYAMLDepth || dashes > maxYAMLDepth || indent > maxIndent {
				return l + 1
			}
		}
	}
	return 0
}

// readFrontMatter reads the keys of the front matter with the words of the
// body. Nested keys are read in the group of the outer one.
func (r *reader) readFrontMatter(at span) {
	root, ok := r.parseYAML(at)
	if !ok {
		return
	}
	r.front = true
	defer func() { r.front = false }()
	base := r.doc.lineOf(at.start)
	if _, isMap := root.(*ast.MappingNode); !isMap {
		if _, isPair := root.(*ast.MappingValueNode); !isPair {
			r.problem("PL001", "front_matter_broken", finding.Error, finding.Position{Path: r.doc.path, Line: base + 1},
				map[string]string{"line": strconv.Itoa(base + 1)})
			return
		}
	}
	r.yamlNode(context{group: r.outermost()}, root, base, r.kind == planDocument)
}

// yamlNode reads a mapping. strict tells unknown keys; a YAML block in the
// body is an illustration and may hold anything.
func (r *reader) yamlNode(ctx context, n ast.Node, base int, strict bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			r.yamlPair(ctx, pair, base, strict)
		}
	case *ast.MappingValueNode:
		r.yamlPair(ctx, n, base, strict)
	}
}

func (r *reader) yamlPair(ctx context, pair *ast.MappingValueNode, base int, strict bool) {
	keyToken := pair.Key.GetToken()
	key := r.yamlPhrase(keyToken, base)
	name := keyToken.Value
	t, known := lookUp(ctx.group, name)
	if _, _, isMetric := benchmark.ParseMetricName(name); isMetric && !known && (ctx.group == inMetrics || ctx.group == inAcceptance) {
		r.yamlMetric(ctx, key, pair.Value, base)
		return
	}
	if !known {
		if strict {
			r.unknownKey(key, name)
		}
		return
	}
	switch v := pair.Value.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		inner := ctx.under(t)
		r.yamlNode(inner, v, base, strict)
	case *ast.SequenceNode:
		inner := ctx.under(t)
		for _, item := range v.Values {
			switch item.(type) {
			case *ast.MappingNode, *ast.MappingValueNode:
				if t.opens == inWaivers {
					r.yamlWaiver(item, base)
					continue
				}
				r.yamlNode(inner, item, base, strict)
			case *ast.SequenceNode:
			default:
				r.statement(inner, r.yamlPhrase(scalarToken(item), base))
			}
		}
	default:
		r.keyed(ctx, t, key, r.yamlPhrase(scalarToken(pair.Value), base))
	}
}

// unknownKey tells a key that means nothing, with the one that was meant where
// that is plain.
func (r *reader) unknownKey(key phrase, name string) {
	at := key.value()
	f := finding.Finding{Rule: "PL007", Case: "unknown_key", Severity: finding.Warning, At: at.At, Args: map[string]string{"key": cutText(name)}}
	if meant := closestKey(name); meant != "" {
		f.Case, f.Args["suggestion"] = "misspelt_key", meant
		f.Mend = &finding.Mend{Path: r.doc.path, Start: at.Start, End: at.End, Text: meant}
	}
	r.tell(f)
}

func scalarToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Value.GetToken()
	case *ast.TagNode:
		if n.Value != nil {
			return n.Value.GetToken()
		}
	}
	return n.GetToken()
}

// yamlPhrase finds a scalar's bytes. The parser counts lines and characters of
// the front matter alone; the text is searched from there, since quotes and
// folding change it.
func (r *reader) yamlPhrase(t *token.Token, base int) phrase {
	doc := r.doc
	l := min(base+max(t.Position.Line, 1)-1, len(doc.line)-1)
	start := doc.line[l]
	line := doc.lineText(l)
	col := 0
	for i := 1; i < t.Position.Column && col < len(line); i++ {
		_, n := utf8.DecodeRune(line[col:])
		col += n
	}
	start += col
	rest := doc.work[start:]
	if end := bytes.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	text := t.Value
	if t.Type == token.NullType || strings.TrimSpace(text) == "" {
		if t.Type != token.NullType || !bytes.HasPrefix(rest, []byte(text)) {
			return phrase{&run{doc: doc, anchor: start}, 0, 0}
		}
	}
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		if bytes.HasPrefix(rest[1:], []byte(text)) {
			return r.plainRun(start+1, start+1+len(text), text)
		}
	} else if bytes.HasPrefix(rest, []byte(text)) {
		return r.plainRun(start, start+len(text), text)
	}
	// Folded, escaped or literal: the whole scalar maps to every byte of it.
	end := r.scalarEnd(start)
	return r.plainRun(start, end, collapse(text))
}

// scalarEnd is where a scalar of several lines ends: before the first line that
// is indented no further than the line it starts on.
func (r *reader) scalarEnd(start int) int {
	doc := r.doc
	l := doc.lineOf(start)
	indent := indentOf(doc.lineText(l))
	end := doc.line[l] + len(bytes.TrimRight(doc.lineText(l), " \t"))
	for l++; l < len(doc.line); l++ {
		t := doc.lineText(l)
		if len(bytes.TrimSpace(t)) == 0 {
			continue
		}
		if indentOf(t) < indent || indentOf(t) == indent && indent == 0 {
			break
		}
		if indentOf(t) == indent && bytes.Contains(t, []byte(": ")) {
			break
		}
		end = doc.line[l] + len(bytes.TrimRight(t, " \t"))
	}
	return max(start, end)
}

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// plainRun makes a run of document bytes. Where the text differs from the bytes
// every text byte maps to all of them.
func (r *reader) plainRun(start, end int, text string) phrase {
	b := &runBuilder{run: &run{doc: r.doc, anchor: start}}
	if string(r.doc.work[start:end]) == text {
		b.verbatim(start, end, false)
	} else {
		b.add(text, start, end, false)
	}
	b.run.text = b.text.String()
	return phrase{b.run, 0, len(b.run.text)}
}
