package dataset

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the built-in schema
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxSchemaBytes caps a repository's own schema.
const maxSchemaBytes = 1 << 20

//go:embed schema/stage_05_02_v1.json
var builtinSource []byte

// Schema is a record schema, ready to judge records. Schemas that use only
// what Compiled knows are turned into a validator that works on bytes; others
// run through a generic library, which gives the same verdict more slowly.
type Schema struct {
	ID       string // $id, as the schema says
	SHA256   string // of the schema's bytes, lower-case hex
	Compiled bool

	root    *node
	generic *jsonschema.Schema // nil when compiled
}

// BuiltinSchema is the Stage 05_02 record schema, version 1.
var BuiltinSchema = sync.OnceValue(func() *Schema {
	s, err := ReadSchema(builtinSource)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return s
})

// ReadSchema reads a JSON Schema (draft 2020-12) of at most 1 MiB. References
// stay inside the document: nothing is fetched and no file is opened.
func ReadSchema(src []byte) (*Schema, error) {
	if len(src) > maxSchemaBytes {
		return nil, fmt.Errorf("read schema: larger than %d bytes", maxSchemaBytes)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	const name = "record.json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	generic, err := c.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	sum := sha256.Sum256(src)
	s := &Schema{SHA256: hex.EncodeToString(sum[:])}
	if obj, ok := doc.(map[string]any); ok {
		s.ID, _ = obj["$id"].(string)
	}
	if s.root, s.Compiled = compileNode(doc); !s.Compiled {
		s.root, s.generic = &node{}, generic
	}
	s.root.giveRoles()
	return s, nil
}

// noLoader refuses references to other documents: a schema comes from a
// repository and must not make the server read files or addresses.
type noLoader struct{}

var errReference = errors.New("references to other documents are not followed")

func (noLoader) Load(string) (any, error) { return nil, errReference }

// validGeneric judges a record by the library.
func (s *Schema) validGeneric(record []byte) bool {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(record))
	return err == nil && s.generic.Validate(v) == nil
}

// node is one schema of the tree, for the byte-level validator.
type node struct {
	types kind // 0: any
	want  string

	props           []property
	byLength        [][]int8 // props by the length of their name
	required        uint64   // bits of props
	requiredAny     [][]uint64
	refusesUnlisted bool
	warnsUnlisted   bool
	minProps        int

	items              *node
	minItems, maxItems int // maxItems -1: any

	minLength, maxLength int // characters; maxLength -1: any
	enum                 []string
	enumNull             bool
	hasEnum              bool

	min, max       *decimal
	exMin, exMax   *decimal
	quick          quickCheck
	role           role
	judge          bool // below ground_truth/llm_judge: problems are DS006
	constrainsText bool
}

// quickCheck names the limits that most numbers of records have, so that most
// need no exact comparison.
type quickCheck uint8

const (
	quickNone     quickCheck = iota
	quickShare               // a number of 0 to 1
	quickPositive            // a number above 0, without an upper limit
)

func (n *node) chooseQuick() {
	is := func(limit *decimal, m uint64) bool { return limit != nil && limit.compare(decimal{m: m}) == 0 }
	if n.hasEnum || n.types&kindNumber == 0 {
		return
	}
	switch {
	case is(n.min, 0) && is(n.max, 1) && n.exMin == nil && n.exMax == nil:
		n.quick = quickShare
	case (is(n.exMin, 0) && n.min == nil || is(n.min, 0) && n.exMin == nil) && n.max == nil && n.exMax == nil:
		n.quick = quickPositive
	}
}

type property struct {
	name     string
	node     *node
	unlisted bool // known for its role only, the schema does not list it
}

func (n *node) property(key []byte) int {
	if n == nil || len(key) >= len(n.byLength) {
		return -1
	}
	for _, i := range n.byLength[len(key)] {
		if n.props[i].name == string(key) {
			return int(i)
		}
	}
	return -1
}

// cases turns a schema case into the judge object's own rule.
func (n *node) cases(c caseID) caseID {
	if !n.judge {
		return c
	}
	switch c {
	case schemaType, schemaEmpty:
		return judgeType
	case schemaRange:
		return judgeRange
	case schemaValue:
		return judgeVerdict
	}
	return c
}

func (n *node) break_(w *walker, c caseID, at span, want string) {
	w.v.problem(w, n.cases(c), at, want)
}

func (n *node) checkType(w *walker, k kind, at span) bool {
	if n.types == 0 || n.types&k != 0 {
		return true
	}
	n.break_(w, schemaType, at, n.want)
	return false
}

func (n *node) checkString(w *walker, text []byte, at span) {
	if !n.checkType(w, kindString, at) {
		return
	}
	if n.hasEnum && !slices.ContainsFunc(n.enum, func(e string) bool { return e == string(text) }) {
		n.break_(w, schemaValue, at, strings.Join(n.enum, ", "))
		return
	}
	if !n.constrainsText {
		return
	}
	if n.minLength == 1 && len(text) == 0 {
		n.break_(w, schemaEmpty, at, "")
		return
	}
	if n.minLength > 1 && utf8.RuneCount(text) < n.minLength || n.maxLength >= 0 && utf8.RuneCount(text) > n.maxLength {
		n.break_(w, schemaRange, at, "")
	}
}

func (n *node) checkLiteral(w *walker, k kind, at span) {
	if !n.checkType(w, k, at) {
		return
	}
	if n.hasEnum && !(k == kindNull && n.enumNull) {
		n.break_(w, schemaValue, at, strings.Join(n.enum, ", "))
	}
}

func (n *node) checkNumber(w *walker, d *decimal, at span) {
	if n.quick != quickNone && !d.wide && (n.quick == quickShare && d.isShare() || n.quick == quickPositive && !d.neg && d.m > 0) {
		return
	}
	if n.types != 0 && n.types&kindNumber == 0 && (n.types&kindInteger == 0 || !d.isInteger()) {
		n.break_(w, schemaType, at, n.want)
		return
	}
	if n.hasEnum {
		n.break_(w, schemaValue, at, strings.Join(n.enum, ", "))
		return
	}
	if n.min != nil && d.compare(*n.min) < 0 || n.max != nil && d.compare(*n.max) > 0 ||
		n.exMin != nil && d.compare(*n.exMin) <= 0 || n.exMax != nil && d.compare(*n.exMax) >= 0 {
		n.break_(w, schemaRange, at, "")
	}
}

func (n *node) checkArray(w *walker, count int, at span) {
	if !n.checkType(w, kindArray, at) {
		return
	}
	if n.hasEnum {
		n.break_(w, schemaValue, at, strings.Join(n.enum, ", "))
	} else if count < n.minItems || n.maxItems >= 0 && count > n.maxItems {
		n.break_(w, schemaRange, at, "")
	}
}

func (n *node) checkObject(w *walker, seen uint64, count int, at span) {
	if !n.checkType(w, kindObject, at) {
		return
	}
	if n.hasEnum {
		n.break_(w, schemaValue, at, strings.Join(n.enum, ", "))
		return
	}
	for i, p := range n.props {
		if n.required&^seen&(1<<i) != 0 {
			n.break_(w, schemaMissing, at, p.name)
		}
	}
	for _, group := range n.requiredAny {
		if !slices.ContainsFunc(group, func(need uint64) bool { return need&^seen == 0 }) {
			n.break_(w, schemaMissing, at, n.groupNames(group))
		}
	}
	if count < n.minProps {
		n.break_(w, schemaRange, at, "")
	}
}

func (n *node) groupNames(group []uint64) string {
	var names []string
	for _, bitset := range group {
		for i, p := range n.props {
			if bitset&(1<<i) != 0 {
				names = append(names, p.name)
			}
		}
	}
	return strings.Join(names, ", ")
}

var kindNames = map[string]kind{
	"string": kindString, "number": kindNumber, "integer": kindInteger, "object": kindObject,
	"array": kindArray, "boolean": kindBool, "null": kindNull,
}

// compileNode turns a schema into a node; false if it says anything that the
// byte-level validator does not know.
func compileNode(doc any) (*node, bool) {
	n := &node{maxLength: -1, maxItems: -1}
	switch v := doc.(type) {
	case bool:
		return n, v
	case map[string]any:
		return n, n.compile(v)
	}
	return nil, false
}

func (n *node) compile(doc map[string]any) bool {
	names := func(v any) ([]string, bool) {
		list, ok := v.([]any)
		out := make([]string, 0, len(list))
		for _, e := range list {
			s, isText := e.(string)
			ok = ok && isText
			out = append(out, s)
		}
		return out, ok
	}
	count := func(v any, into *int) bool {
		num, ok := v.(json.Number)
		if !ok {
			return false
		}
		d := parseDecimal([]byte(num))
		*into = int(d.m)
		return !d.wide && !d.neg && d.isInteger() && d.m < 1<<31
	}
	limit := func(v any, into **decimal) bool {
		num, ok := v.(json.Number)
		if !ok {
			return false
		}
		d := parseDecimal([]byte(num))
		*into = &d
		return !d.wide
	}
	if props, ok := doc["properties"].(map[string]any); ok {
		keys := make([]string, 0, len(props))
		for k := range props {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			child, ok := compileNode(props[k])
			if !ok {
				return false
			}
			n.addProperty(k, child, false)
		}
	}
	n.warnsUnlisted = len(n.props) > 0
	bitsOf := func(v any) (set uint64, ok bool) {
		list, ok := names(v)
		for _, name := range list {
			i := n.property([]byte(name))
			if i < 0 {
				n.addProperty(name, &node{maxLength: -1, maxItems: -1}, true)
				i = len(n.props) - 1
			}
			if i >= 64 {
				return 0, false
			}
			set |= 1 << i
		}
		return set, ok
	}
	for key, v := range doc {
		ok := true
		switch key {
		case "$schema", "$id", "$comment", "title", "description", "examples", "default", "properties":
			if key == "$schema" {
				ok = v == "https://json-schema.org/draft/2020-12/schema"
			}
		case "type":
			list, isList := names(v)
			if one, isText := v.(string); isText {
				list, isList = []string{one}, true
			}
			ok = isList
			for _, name := range list {
				n.types |= kindNames[name]
			}
			n.want = strings.Join(list, ", ")
		case "required":
			n.required, ok = bitsOf(v)
		case "anyOf":
			list, isList := v.([]any)
			ok = isList
			var group []uint64
			for _, e := range list {
				sub, isObject := e.(map[string]any)
				if !isObject || len(sub) != 1 || sub["required"] == nil {
					return false
				}
				set, fits := bitsOf(sub["required"])
				ok = ok && fits
				group = append(group, set)
			}
			n.requiredAny = append(n.requiredAny, group)
		case "additionalProperties":
			listed, isBool := v.(bool)
			ok = isBool
			n.warnsUnlisted, n.refusesUnlisted = false, !listed
		case "items":
			n.items, ok = compileNode(v)
		case "minItems":
			ok = count(v, &n.minItems)
		case "maxItems":
			ok = count(v, &n.maxItems)
		case "minProperties":
			ok = count(v, &n.minProps)
		case "minLength":
			ok = count(v, &n.minLength)
			n.constrainsText = true
		case "maxLength":
			ok = count(v, &n.maxLength)
			n.constrainsText = true
		case "minimum":
			ok = limit(v, &n.min)
		case "maximum":
			ok = limit(v, &n.max)
		case "exclusiveMinimum":
			ok = limit(v, &n.exMin)
		case "exclusiveMaximum":
			ok = limit(v, &n.exMax)
		case "enum":
			list, isList := v.([]any)
			ok = isList
			n.hasEnum = true
			for _, e := range list {
				switch e := e.(type) {
				case nil:
					n.enumNull = true
				case string:
					n.enum = append(n.enum, e)
				default:
					return false
				}
			}
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	n.chooseQuick()
	return len(n.props) <= 64-int(roles)
}

func (n *node) addProperty(name string, child *node, unlisted bool) {
	for len(n.byLength) <= len(name) {
		n.byLength = append(n.byLength, nil)
	}
	n.byLength[len(name)] = append(n.byLength[len(name)], int8(len(n.props)))
	n.props = append(n.props, property{name: name, node: child, unlisted: unlisted})
}

// role is what a field means to the checks beyond the schema.
type role uint8

const (
	roleNone role = iota
	roleID
	roleSource
	roleSummaryMarkdown
	roleSummaryText
	roleLanguage
	roleChannel
	roleTimestamp
	roleModel
	roleJudge
	roleJudgeModel
	rolePromptVersion
	roleCoverage
	roleAccuracy
	roleCoherence
	roleInformativeness
	roleVerdict
	roleLatency
	roles
)

var rolePaths = [roles]string{
	roleID:              "sample_id",
	roleSource:          "source_text",
	roleSummaryMarkdown: "summary_markdown",
	roleSummaryText:     "summary_text",
	roleLanguage:        "language",
	roleChannel:         "channel",
	roleTimestamp:       "timestamp",
	roleModel:           "metadata/llm_model",
	roleJudge:           "ground_truth/llm_judge",
	roleJudgeModel:      "ground_truth/llm_judge/judge_model",
	rolePromptVersion:   "ground_truth/llm_judge/prompt_version",
	roleCoverage:        "ground_truth/llm_judge/scores/coverage",
	roleAccuracy:        "ground_truth/llm_judge/scores/accuracy",
	roleCoherence:       "ground_truth/llm_judge/scores/coherence",
	roleInformativeness: "ground_truth/llm_judge/scores/informativeness",
	roleVerdict:         "ground_truth/llm_judge/verdict",
	roleLatency:         "latency_seconds",
}

// giveRoles marks the fields that the checks read, adding those that the
// schema leaves out.
func (n *node) giveRoles() {
	for r := roleID; r < roles; r++ {
		at := n
		judge := false
		for name := range strings.SplitSeq(rolePaths[r], "/") {
			i := at.property([]byte(name))
			if i < 0 {
				at.addProperty(name, &node{maxLength: -1, maxItems: -1}, true)
				i = len(at.props) - 1
			}
			at = at.props[i].node
			if judge = judge || name == "llm_judge"; judge {
				at.judge = true
			}
		}
		at.role = r
	}
}
