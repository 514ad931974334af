// Package strictyaml reads the small YAML files that govern a repository
// (policy, registry, pointer) into a tree in which every value keeps its line,
// column and its text as written, so that 0.80 stays 0.80.
//
// It reads a part of YAML on purpose: one document of maps, lists and scalars.
// Anchors, aliases, merge keys and tags are refused, so nothing can expand, and
// two readers cannot see two different files. It decides nothing about what
// keys mean, and it never fails otherwise than with a Problem.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// The caps. The parser beneath takes time in the square of a map's entries, so
// the number of tokens is held as well as the bytes.
const (
	MaxBytes  = 256 << 10
	MaxTokens = 20_000
	MaxDepth  = 12
)

// Kind is what a node is.
type Kind string

// The kinds. Number covers integers and decimals; its text is as written.
const (
	Null   Kind = "null"
	Bool   Kind = "bool"
	Number Kind = "number"
	Text   Kind = "text"
	List   Kind = "list"
	Map    Kind = "map"
)

// Node is a value with its place.
type Node struct {
	Kind    Kind
	Text    string // a scalar as written, unquoted; "" for List and Map
	At      finding.Position
	Items   []*Node // of a List
	Entries []Entry // of a Map, in order
}

// Entry is one key of a map. Keys are unique.
type Entry struct {
	Key   string
	At    finding.Position // of the key
	Value *Node
}

// Get returns the value under a key, nil where there is none.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, e := range n.Entries {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

// Problem is why a file could not be read, as a case of the caller's rule for
// unreadable files, with the sentence's values.
type Problem struct {
	Case string
	At   finding.Position
	Args map[string]string
}

// The cases of a Problem.
const (
	TooLarge     = "too_large"     // {limit} bytes
	NotUTF8      = "not_utf8"      // byte order mark and NUL included
	TooMany      = "too_many"      // {limit} tokens
	Nesting      = "nesting"       // {limit} levels
	Syntax       = "syntax"        // {detail}: the parser's words
	Alias        = "alias"         // anchor, alias or merge key
	Tag          = "tag"           // an explicit tag
	Directive    = "directive"     // %YAML, %TAG
	Documents    = "documents"     // a second document
	DuplicateKey = "duplicate_key" // {key}
	KeyShape     = "key_shape"     // a key that is no plain text
	Control      = "control"       // an invisible control or direction character
)

type reader struct {
	path    string
	problem *Problem
}

// Parse reads one document. An empty one is an empty Map. With a problem the
// node is nil.
func Parse(path string, src []byte) (root *Node, problem *Problem) {
	r := &reader{path: path}
	// The parser meets hostile text; should it panic, the file is unreadable,
	// and the pull request is red instead of the server down.
	defer func() {
		if p := recover(); p != nil {
			root, problem = nil, r.fail(Syntax, nil, "detail", "the YAML reader gave up")
		}
	}()
	if len(src) > MaxBytes {
		return nil, r.fail(TooLarge, nil, "limit", strconv.Itoa(MaxBytes))
	}
	if at, kase := unclean(src); kase != "" {
		at.Path = path
		return nil, &Problem{Case: kase, At: at}
	}
	// The lexer counts a CRLF after a comment as two lines.
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	tokens := lexer.Tokenize(string(src))
	if p := r.vet(tokens); p != nil {
		return nil, p
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, r.syntax(err)
	}
	root = &Node{Kind: Map, At: finding.Position{Path: path, Line: 1, Column: 1}}
	seen := false
	for _, doc := range file.Docs {
		if doc == nil || doc.Body == nil {
			continue
		}
		if seen {
			return nil, r.fail(Documents, start(doc.Body))
		}
		seen = true
		root = r.node(doc.Body, 1)
	}
	if r.problem != nil {
		return nil, r.problem
	}
	if root.Kind == Null {
		root = &Node{Kind: Map, At: root.At}
	}
	return root, nil
}

// unclean finds the first byte that text must not have. Direction overrides
// make a line read otherwise than it is (CVE-2021-42574).
func unclean(src []byte) (finding.Position, string) {
	at := finding.Position{Line: 1, Column: 1}
	for i := 0; i < len(src); {
		c, size := utf8.DecodeRune(src[i:])
		switch {
		case c == utf8.RuneError && size == 1, c == 0, c == '\uFEFF':
			return at, NotUTF8
		case c < ' ' && c != '\n' && c != '\t' && c != '\r', c == 0x7f,
			c >= 0x80 && c < 0xA0, c >= '\u202A' && c <= '\u202E', c >= '\u2066' && c <= '\u2069',
			c == '\u2028', c == '\u2029',
			c == '\r' && (i+1 >= len(src) || src[i+1] != '\n'):
			return at, Control
		case c == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		at.Column++
		i += size
	}
	return at, ""
}

// vet refuses what must not reach the parser.
func (r *reader) vet(tokens token.Tokens) *Problem {
	if len(tokens) > MaxTokens {
		return r.fail(TooMany, tokens[MaxTokens], "limit", strconv.Itoa(MaxTokens))
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return r.fail(Alias, t)
		case token.TagType:
			return r.fail(Tag, t)
		case token.DirectiveType:
			return r.fail(Directive, t)
		case token.MappingKeyType: // "? key"
			return r.fail(KeyShape, t)
		case token.MappingStartType, token.SequenceStartType:
			if depth++; depth > MaxDepth {
				return r.fail(Nesting, t, "limit", strconv.Itoa(MaxDepth))
			}
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		// Block nesting shows as indentation, two columns a level at least, but
		// "- - -" nests within one line; the walk below counts that.
		if t.Type == token.StringType && t.Value == "<<" {
			return r.fail(Alias, t)
		}
	}
	return r.dashes(tokens)
}

// dashes bounds "- - - -" on one line, which nests without brackets.
func (r *reader) dashes(tokens token.Tokens) *Problem {
	run, line := 0, 0
	for _, t := range tokens {
		if t.Type != token.SequenceEntryType {
			continue
		}
		if t.Position.Line != line {
			run, line = 0, t.Position.Line
		}
		if run++; run > MaxDepth {
			return r.fail(Nesting, t, "limit", strconv.Itoa(MaxDepth))
		}
	}
	return nil
}

func (r *reader) syntax(err error) *Problem {
	var at *token.Token
	detail := ""
	var e yaml.Error
	if errors.As(err, &e) {
		at, detail = e.GetToken(), e.GetMessage()
	}
	return r.fail(Syntax, at, "detail", clip(detail))
}

func (r *reader) fail(kase string, at *token.Token, args ...string) *Problem {
	p := &Problem{Case: kase, At: r.at(at)}
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[args[i]] = args[i+1]
	}
	if r.problem == nil {
		r.problem = p
	}
	return p
}

func (r *reader) at(t *token.Token) finding.Position {
	p := finding.Position{Path: r.path}
	if t == nil || t.Position == nil {
		p.Line, p.Column = 1, 1
		return p
	}
	p.Line, p.Column = t.Position.Line, t.Position.Column
	// Only a value on one line has an end that the token tells.
	if n := utf8.RuneCountInString(strings.TrimSpace(t.Origin)); n > 0 && !strings.Contains(strings.TrimSpace(t.Origin), "\n") {
		p.EndLine, p.EndColumn = p.Line, p.Column+n-1
	}
	return p
}

func (r *reader) node(n ast.Node, depth int) *Node {
	if r.problem != nil {
		return &Node{Kind: Null}
	}
	if depth > MaxDepth {
		r.fail(Nesting, start(n), "limit", strconv.Itoa(MaxDepth))
		return &Node{Kind: Null}
	}
	out := &Node{At: r.at(start(n))}
	switch n := n.(type) {
	case *ast.NullNode:
		out.Kind = Null
	case *ast.BoolNode:
		out.Kind, out.Text = Bool, n.GetToken().Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = Number, n.GetToken().Value
	case *ast.StringNode:
		out.Kind, out.Text = Text, n.Value
	case *ast.LiteralNode:
		out.Kind, out.Text = Text, n.Value.Value
	case *ast.MappingNode:
		out.Kind = Map
		r.entries(out, n.Values, depth)
	case *ast.MappingValueNode:
		out.Kind = Map
		r.entries(out, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for _, v := range n.Values {
			out.Items = append(out.Items, r.value(v, depth+1, out.At))
		}
	default:
		r.fail(Syntax, n.GetToken(), "detail", fmt.Sprintf("unexpected %s", strings.ToLower(n.Type().String())))
	}
	return out
}

// start is the first token of a node. A block map's own token is a colon.
func start(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

// value is a node that may be missing altogether ("key:" at the end).
func (r *reader) value(n ast.Node, depth int, at finding.Position) *Node {
	if n == nil {
		return &Node{Kind: Null, At: at}
	}
	return r.node(n, depth)
}

func (r *reader) entries(out *Node, values []*ast.MappingValueNode, depth int) {
	seen := map[string]bool{}
	for _, v := range values {
		key, ok := v.Key.(ast.ScalarNode)
		if !ok || v.Key.IsMergeKey() {
			r.fail(KeyShape, v.Key.GetToken())
			return
		}
		name := key.GetToken().Value
		at := r.at(v.Key.GetToken())
		if seen[name] {
			r.fail(DuplicateKey, v.Key.GetToken(), "key", clip(name))
			return
		}
		seen[name] = true
		out.Entries = append(out.Entries, Entry{Key: name, At: at, Value: r.value(v.Value, depth+1, at)})
	}
}

// clip shortens what an author wrote to what a sentence can hold.
func clip(s string) string {
	const most = 80
	if c := []rune(s); len(c) > most {
		return string(c[:most-1]) + "…"
	}
	return s
}
