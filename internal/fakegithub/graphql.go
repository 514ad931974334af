package fakegithub

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// maxNodes is how many nodes one query may ask for at most.
const maxNodes = 500_000

//go:embed schema.graphql.gz
var schemaText []byte

// Schema is GitHub's published GraphQL schema, its prose left out. It is parsed
// once a process.
var Schema = sync.OnceValue(func() *ast.Schema {
	z, err := gzip.NewReader(bytes.NewReader(schemaText))
	if err != nil {
		panic("fakegithub: schema: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("fakegithub: schema: " + err.Error())
	}
	return gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: string(text)})
})

// documents are the sound documents that were met, by their text: an app sends
// few different ones.
var documents sync.Map

// Document holds the text of a GraphQL document against GitHub's schema.
func Document(text string) (*ast.QueryDocument, gqlerror.List) {
	if known, ok := documents.Load(text); ok {
		return known.(*ast.QueryDocument), nil
	}
	doc, list := gqlparser.LoadQueryWithRules(Schema(), text, rules.NewDefaultRules())
	if len(list) == 0 {
		documents.Store(text, doc)
	}
	return doc, list
}

// graphError is an error in an answer, with GitHub's type.
type graphError struct {
	kind, message string
}

func (e *graphError) Error() string { return e.message }

func forbidden() error { return &graphError{"FORBIDDEN", "Resource not accessible by integration"} }

func notResolved(what string) error {
	return &graphError{"NOT_FOUND", "Could not resolve to a " + what + "."}
}

func unprocessed(f *failure) error {
	msg := f.message
	for _, e := range f.errors {
		if m, is := e["message"].(string); is {
			msg += ": " + m
		} else if fld, is := e["field"].(string); is {
			msg += ": " + fld
		}
	}
	return &graphError{"UNPROCESSABLE", msg}
}

// graph is one GraphQL request under way.
type graph struct {
	s      *Server
	c      *call
	vars   map[string]any
	doc    *ast.QueryDocument
	errors []fields
	cost   int
	nodes  int
}

type resolver func(g *graph, on any, args map[string]any) (any, error)

// graphQL answers one document. The second result tells whether it wrote.
func (s *Server) graphQL(c *call) (answer, bool, error) {
	act, f := s.authenticate(c.r)
	if f != nil {
		return answer{}, false, f
	}
	c.actor = act
	if act.jwt {
		return answer{}, false, errNotIntegration
	}
	if act.installation != nil {
		if f := act.installation.rate.take(s.now(), c.header, s.opt.RateLimit, true); f != nil {
			return answer{}, false, f
		}
	}
	if c.r.Method != http.MethodPost {
		return answer{}, false, &failure{status: http.StatusMethodNotAllowed, message: "Method Not Allowed"}
	}
	var q struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
		Name      string         `json:"operationName"`
	}
	if f := c.decode(&q); f != nil {
		return answer{}, false, f
	}
	schema := Schema()
	doc, list := Document(q.Query)
	if len(list) > 0 {
		return refused(list)
	}
	op := doc.Operations.ForName(q.Name)
	if op == nil {
		return answer{}, false, unprocessable("An operation name is required")
	}
	vars, err := validator.VariableValues(schema, op, q.Variables)
	if err != nil {
		return refused(gqlerror.List{gqlerror.Wrap(err)})
	}
	g := &graph{s: s, c: c, vars: vars, doc: doc}
	nodes, asks := g.count(op.SelectionSet, 1)
	if nodes > maxNodes {
		return ok2(fields{"errors": []fields{{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": fmt.Sprintf("This query requests up to %d possible nodes which exceeds the maximum limit of %d.", nodes, maxNodes)}}})
	}
	g.cost, g.nodes = max(1, asks/100), nodes
	root := schema.Query
	write := op.Operation == ast.Mutation
	if write {
		if s.now().Before(s.secondary) {
			return answer{}, true, s.secondaryLimit()
		}
		root = schema.Mutation
	}
	for _, fld := range g.collect(op.SelectionSet, root.Name) {
		s.graphs[string(op.Operation)+" "+fld.Name]++
	}
	data, good := g.object(root.Name, g, op.SelectionSet, nil)
	body := fields{"data": data}
	if !good {
		body["data"] = nil
	}
	if len(g.errors) > 0 {
		body["errors"] = g.errors
	}
	return answer{status: http.StatusOK, body: body}, write, nil
}

func ok2(body fields) (answer, bool, error) {
	return answer{status: http.StatusOK, body: body}, false, nil
}

func refused(list gqlerror.List) (answer, bool, error) {
	var errs []fields
	for _, e := range list {
		f := fields{"message": e.Message}
		if len(e.Locations) > 0 {
			f["locations"] = []fields{{"line": e.Locations[0].Line, "column": e.Locations[0].Column}}
		}
		errs = append(errs, f)
	}
	return ok2(fields{"errors": errs})
}

// count multiplies out how many nodes and how many listings are asked for.
func (g *graph) count(set ast.SelectionSet, times int) (nodes, asks int) {
	for _, sel := range set {
		n, a, t := 0, 0, times
		var inner ast.SelectionSet
		switch x := sel.(type) {
		case *ast.Field:
			inner = x.SelectionSet
			if x.Definition != nil && strings.HasSuffix(x.Definition.Type.Name(), "Connection") {
				args := x.ArgumentMap(g.vars)
				size := intArg(args, "first", intArg(args, "last", 1))
				n, a, t = times*size, times, times*size
			}
		case *ast.InlineFragment:
			inner = x.SelectionSet
		case *ast.FragmentSpread:
			inner = x.Definition.SelectionSet
		}
		in, ia := g.count(inner, min(t, maxNodes+1))
		nodes, asks = min(nodes+n+in, 1<<40), min(asks+a+ia, 1<<40)
	}
	return nodes, asks
}

// collect flattens fragments that apply to a type and drops what is skipped.
func (g *graph) collect(set ast.SelectionSet, typeName string) []*ast.Field {
	var out []*ast.Field
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch x := sel.(type) {
			case *ast.Field:
				if g.wanted(x.Directives) {
					out = append(out, x)
				}
			case *ast.InlineFragment:
				if g.wanted(x.Directives) && applies(x.TypeCondition, typeName) {
					walk(x.SelectionSet)
				}
			case *ast.FragmentSpread:
				if g.wanted(x.Directives) && applies(x.Definition.TypeCondition, typeName) {
					walk(x.Definition.SelectionSet)
				}
			}
		}
	}
	walk(set)
	return out
}

func (g *graph) wanted(ds ast.DirectiveList) bool {
	if d := ds.ForName("skip"); d != nil {
		if on, _ := d.ArgumentMap(g.vars)["if"].(bool); on {
			return false
		}
	}
	if d := ds.ForName("include"); d != nil {
		if on, _ := d.ArgumentMap(g.vars)["if"].(bool); !on {
			return false
		}
	}
	return true
}

func applies(condition, typeName string) bool {
	if condition == "" || condition == typeName {
		return true
	}
	for _, d := range Schema().PossibleTypes[condition] {
		if d.Name == typeName {
			return true
		}
	}
	return false
}

// object resolves the selected fields of one object, one after the other.
func (g *graph) object(typeName string, on any, set ast.SelectionSet, path []any) (fields, bool) {
	out := fields{}
	for _, fld := range g.collect(set, typeName) {
		if fld.Name == "__typename" {
			out[fld.Alias] = typeName
			continue
		}
		at := append(append([]any(nil), path...), fld.Alias)
		v, good := g.field(typeName, on, fld, at)
		if !good {
			return nil, false
		}
		if have, twice := out[fld.Alias].(fields); twice { // one field selected in two fragments
			if more, is := v.(fields); is {
				merge(have, more)
				continue
			}
		}
		if have, twice := out[fld.Alias].([]any); twice {
			if more, is := v.([]any); is && len(more) == len(have) {
				for i := range have {
					a, okA := have[i].(fields)
					b, okB := more[i].(fields)
					if okA && okB {
						merge(a, b)
					}
				}
				continue
			}
		}
		out[fld.Alias] = v
	}
	return out, true
}

func merge(into, from fields) {
	for k, v := range from {
		a, okA := into[k].(fields)
		b, okB := v.(fields)
		if okA && okB {
			merge(a, b)
			continue
		}
		into[k] = v
	}
}

func (g *graph) field(typeName string, on any, fld *ast.Field, path []any) (any, bool) {
	nullable := !fld.Definition.Type.NonNull
	v, err := g.resolve(typeName, on, fld)
	if err != nil {
		g.fail(err, fld, path)
		return nil, nullable
	}
	out, good := g.complete(fld.Definition.Type, v, fld, path)
	if !good {
		return nil, nullable
	}
	return out, true
}

func (g *graph) fail(err error, fld *ast.Field, path []any) {
	f := fields{"message": err.Error(), "path": path}
	if e := (*graphError)(nil); errors.As(err, &e) && e.kind != "" {
		f["type"] = e.kind
	}
	if fld.Position != nil {
		f["locations"] = []fields{{"line": fld.Position.Line, "column": fld.Position.Column}}
	}
	g.errors = append(g.errors, f)
}

func (g *graph) resolve(typeName string, on any, fld *ast.Field) (any, error) {
	args := fld.ArgumentMap(g.vars)
	switch x := on.(type) {
	case *conn:
		return x.field(fld.Name)
	case edge:
		c, is := x.node.(collaboratorOf)
		switch {
		case fld.Name == "cursor":
			return x.cursor, nil
		case fld.Name == "permission" && is:
			return strings.ToUpper(g.s.accessExplicit(c.r, c.who)), nil
		}
		return x.node, nil
	case collaboratorOf:
		on = x.who
	}
	do := resolvers[typeName+"."+fld.Name]
	if do == nil {
		return nil, fmt.Errorf("fakegithub has no resolver for %s.%s", typeName, fld.Name)
	}
	v, err := do(g, on, args)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(fld.Definition.Type.Name(), "Connection") {
		items, is := v.([]any)
		if !is {
			return v, nil
		}
		return paginate(items, args, fld.Name)
	}
	return v, nil
}

func (g *graph) complete(t *ast.Type, v any, fld *ast.Field, path []any) (any, bool) {
	if v == nil {
		if t.NonNull {
			g.fail(fmt.Errorf("fakegithub: null for %s", fld.Name), fld, path)
		}
		return nil, !t.NonNull
	}
	if t.Elem != nil {
		items, is := v.([]any)
		if !is {
			g.fail(fmt.Errorf("fakegithub: %s is no list but %T", fld.Name, v), fld, path)
			return nil, false
		}
		out := make([]any, len(items))
		for i, x := range items {
			y, good := g.complete(t.Elem, x, fld, append(append([]any(nil), path...), i))
			if !good {
				return nil, !t.NonNull
			}
			out[i] = y
		}
		return out, true
	}
	def := Schema().Types[t.NamedType]
	switch def.Kind {
	case ast.Scalar, ast.Enum:
		if at, is := v.(time.Time); is {
			if at.IsZero() {
				return nil, !t.NonNull
			}
			return at.UTC().Format(time.RFC3339), true
		}
		return v, true
	case ast.Interface, ast.Union:
		name := typeOf(v)
		if name == "" {
			g.fail(fmt.Errorf("fakegithub: %T has no GraphQL type", v), fld, path)
			return nil, !t.NonNull
		}
		return g.nested(name, v, fld, path, t.NonNull)
	default:
		return g.nested(def.Name, v, fld, path, t.NonNull)
	}
}

func (g *graph) nested(name string, v any, fld *ast.Field, path []any, nonNull bool) (any, bool) {
	out, good := g.object(name, v, fld.SelectionSet, path)
	if !good {
		return nil, !nonNull
	}
	return out, true
}

// conn is a page of a connection.
type conn struct {
	items      []any
	from       int
	total      int
	prev, next bool
}

type edge struct {
	cursor string
	node   any
}

func cursorOf(n int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:v2:" + strconv.Itoa(n)))
}

func cursorAt(c string) (int, error) {
	raw, err := base64.StdEncoding.DecodeString(c)
	if err == nil {
		var n int
		if n, err = strconv.Atoi(strings.TrimPrefix(string(raw), "cursor:v2:")); err == nil {
			return n, nil
		}
	}
	return 0, &graphError{"INVALID_CURSOR_ARGUMENTS", fmt.Sprintf("`%s` does not appear to be a valid cursor.", c)}
}

func (x *conn) field(name string) (any, error) {
	switch name {
	case "nodes":
		return x.items, nil
	case "totalCount":
		return x.total, nil
	case "edges":
		var out []any
		for i, n := range x.items {
			out = append(out, edge{cursorOf(x.from + i), n})
		}
		return nonNil(out), nil
	case "pageInfo":
		return x, nil
	case "hasNextPage":
		return x.next, nil
	case "hasPreviousPage":
		return x.prev, nil
	case "startCursor", "endCursor":
		if len(x.items) == 0 {
			return nil, nil
		}
		if name == "startCursor" {
			return cursorOf(x.from), nil
		}
		return cursorOf(x.from + len(x.items) - 1), nil
	}
	return nil, fmt.Errorf("fakegithub has no resolver for %s of a connection", name)
}

func intArg(args map[string]any, name string, otherwise int) int {
	switch n := args[name].(type) {
	case int64:
		return int(n)
	case int:
		return n
	case float64:
		return int(n)
	}
	return otherwise
}

// paginate cuts a connection; first or last is needed, 1 to 100.
func paginate(items []any, args map[string]any, name string) (any, error) {
	first, last := intArg(args, "first", -1), intArg(args, "last", -1)
	if first < 0 && last < 0 {
		return nil, &graphError{"MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly paginate the `" + name + "` connection."}
	}
	for _, n := range []int{first, last} {
		if n > 100 {
			return nil, &graphError{"EXCESSIVE_PAGINATION", fmt.Sprintf("Requesting %d records on the `%s` connection exceeds the `first` limit of 100 records.", n, name)}
		}
	}
	from, to := 0, len(items)
	if after, is := args["after"].(string); is && after != "" {
		n, err := cursorAt(after)
		if err != nil {
			return nil, err
		}
		from = min(n+1, len(items))
	}
	if before, is := args["before"].(string); is && before != "" {
		n, err := cursorAt(before)
		if err != nil {
			return nil, err
		}
		to = max(from, min(n, len(items)))
	}
	if first >= 0 {
		to = min(to, from+first)
	} else {
		from = max(from, to-last)
	}
	return &conn{items: items[from:to], from: from, total: len(items), prev: from > 0, next: to < len(items)}, nil
}

func anys[T any](xs []T) []any {
	out := make([]any, len(xs))
	for i, x := range xs {
		out[i] = x
	}
	return out
}

// opt makes a nil pointer an untyped nil.
func opt[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}
