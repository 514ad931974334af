package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset/bytescan"
)

// ownSchema uses everything that the byte-level validator compiles.
const ownSchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["sample_id", "n"],
	"additionalProperties": false, "minProperties": 2,
	"properties": {
		"sample_id": {"type": "string", "minLength": 2, "maxLength": 4},
		"n": {"type": ["integer", "null"], "minimum": -2, "exclusiveMaximum": 10.5},
		"tags": {"type": "array", "items": {"enum": ["a", "б", null]}, "minItems": 1, "maxItems": 2},
		"any": true,
		"flag": {"type": "boolean"}
	}
}`

// told gathers what the validator says of a line.
type told struct{ broken, warned []caseID }

func (t *told) value(*walker, *node, *token) {}

func (t *told) problem(w *walker, c caseID, _ span, _ string) {
	w.told++
	if c == schemaUnknown {
		t.warned = append(t.warned, c)
		return
	}
	t.broken = append(t.broken, c)
}

func newWalker(v visitor) *walker {
	return &walker{v: v}
}

// oracle compiles the schema with the generic library alone.
func oracle(t testing.TB, src string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(src))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("record.json", doc))
	s, err := c.Compile("record.json")
	require.NoError(t, err)
	return s
}

type pair struct {
	own    *Schema
	oracle *jsonschema.Schema
}

func pairs(t testing.TB) []pair {
	t.Helper()
	var out []pair
	for _, src := range []string{string(builtinSource), ownSchema} {
		own, err := ReadSchema([]byte(src))
		require.NoError(t, err)
		require.True(t, own.Compiled)
		out = append(out, pair{own, oracle(t, src)})
	}
	return out
}

// wildExponent: the library would compute numbers of a million digits.
var wildExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4,}`)

func agree(t *testing.T, p pair, w *walker, line []byte) {
	t.Helper()
	got := w.v.(*told)
	*got = told{}
	w.marks, _ = bytescan.Index(w.marks, line)
	if !w.walk(line, p.own.root) {
		return // no record: DS002, whatever the schema
	}
	require.True(t, json.Valid(line), "%q", line)
	if wildExponent.Match(line) {
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	require.NoError(t, err)
	assert.Equal(t, p.oracle.Validate(v) == nil, len(got.broken) == 0, "%s: %v", line, got.broken)
}

// mutate changes a record in one place, so that it stays nearly valid.
func mutate(r *rand.Rand, line string) string {
	values := []string{"null", "0", "1", "1.0", "-1", "7.5", "1e1", "1.0000000000000000001", "0.99999999999999999999", "true", `""`, `"x"`, `"аб"`, "{}", "[]", `["a"]`, `["a","б",null]`, `[{}]`, `{"a":1}`, `"MEETS_EXPECTATIONS"`, "10.5", "10.49999999999999999999"}
	at := regexp.MustCompile(`:("[^"]*"|-?[0-9.]+|null|\{\}|\[[^\]]*\])`).FindAllStringIndex(line, -1)
	if len(at) == 0 || r.IntN(8) == 0 {
		return strings.Replace(line, "{", fmt.Sprintf(`{"k%d":%s,`, r.IntN(3), values[r.IntN(len(values))]), 1)
	}
	place := at[r.IntN(len(at))]
	if r.IntN(6) == 0 { // drop a field by renaming it
		return line[:place[0]-2] + "_" + line[place[0]-1:]
	}
	return line[:place[0]+1] + values[r.IntN(len(values))] + line[place[1]:]
}

var schemaSeeds = []string{
	`{"sample_id":"a","source_text":"б","summary_text":"в","language":"ru","channel":null,"timestamp":null,"metadata":{"posts_count":1,"time_range_hours":0.5,"llm_model":"m","feature_flags":{}},"ground_truth":{"llm_judge":{"judge_model":"j","prompt_version":"p","scores":{"coverage":0.5,"accuracy":1,"coherence":0,"informativeness":1},"verdict":"MEETS_EXPECTATIONS","notes":null}},"latency_seconds":1.5}`,
	`{"sample_id":"абвг","n":10,"tags":["a",null],"any":{"x":[1]},"flag":false}`,
	`{"sample_id":"ab","n":null}`,
}

func FuzzValidatorAgreesWithTheLibrary(f *testing.F) {
	for _, s := range schemaSeeds {
		f.Add([]byte(s))
	}
	both := pairs(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		if invalidUTF8(line) >= 0 {
			return // DS001
		}
		for _, p := range both {
			agree(t, p, newWalker(&told{}), line)
		}
	})
}

// TestWalkerReadsWhatJSONIs holds the parser against encoding/json.
func FuzzWalkerReadsWhatJSONIs(f *testing.F) {
	for _, s := range append(schemaSeeds, `{"a":"\ud83d\ude00\n"}`, `{"a":1e5,"b":-0.0,"c":[[],{}]}`, `{"a":01}`, `{"a":"\x"}`) {
		f.Add([]byte(s))
	}
	schema := BuiltinSchema()
	f.Fuzz(func(t *testing.T, line []byte) {
		if invalidUTF8(line) >= 0 {
			return
		}
		got := &told{}
		w := newWalker(got)
		w.marks, _ = bytescan.Index(nil, line)
		ok := w.walk(line, schema.root)
		if ok {
			assert.True(t, json.Valid(line))
			return
		}
		why := got.broken[len(got.broken)-1]
		var object map[string]any
		if json.Unmarshal(line, &object) == nil && object != nil {
			// Stricter than encoding/json in these alone.
			assert.Contains(t, []caseID{jsonDuplicateKey, jsonDepth, jsonSurrogate}, why)
		}
	})
}

func TestSchemaThatIsNotCompiledRunsThroughTheLibrary(t *testing.T) {
	s, err := ReadSchema([]byte(`{"type":"object","properties":{"sample_id":{"type":"string","pattern":"^[a-z]+$"}},"required":["sample_id"]}`))
	require.NoError(t, err)
	assert.False(t, s.Compiled)
	for line, want := range map[string]int{`{"sample_id":"abc"}`: 0, `{"sample_id":"ABC"}`: 1, `{}`: 1} {
		f, err := Scan(strings.NewReader(line+"\n"), Options{Schema: s})
		require.NoError(t, err)
		n := 0
		for _, c := range f.Counts {
			if c.Rule == "DS003" {
				n += c.N
			}
		}
		assert.Equal(t, want, n, line)
	}
}

func TestSchemaRefuses(t *testing.T) {
	for name, src := range map[string]string{
		"other documents": `{"$ref":"file:///etc/hostname"}`,
		"addresses":       `{"$ref":"https://example.org/schema.json"}`,
		"no JSON":         `{`,
		"no schema":       `{"type":"strin"}`,
		"too large":       `{"title":"` + strings.Repeat("x", maxSchemaBytes) + `"}`,
	} {
		_, err := ReadSchema([]byte(src))
		assert.Error(t, err, name)
	}
	fits := `{"title":"` + strings.Repeat("x", maxSchemaBytes-12) + `"}`
	require.Len(t, fits, maxSchemaBytes)
	_, err := ReadSchema([]byte(fits))
	assert.NoError(t, err, "at the cap")
}

func TestShippedSchemaIsTheBuiltIn(t *testing.T) {
	shipped, err := os.ReadFile("../../config/record_schema.json")
	require.NoError(t, err)
	assert.Equal(t, string(builtinSource), string(shipped))
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0", 0},
		{"0", "-0", 0},
		{"1e2", "100", 0},
		{"0.1", "0.10000000000000000001", -1},
		{"-1", "1", -1},
		{"-2", "-1", -1},
		{"1e400", "1", 1},
		{"1e-400", "0", 1},
		{"1e99999999999999999999999", "1e99999999999999999999998", 1},
		{"123456789012345678901234567890", "123456789012345678901234567891", -1},
		{"0e99999999999", "0", 0},
		{"1000000000000000000", "999999999999999999", 1},
	} {
		a, b := parseDecimal([]byte(c.a)), parseDecimal([]byte(c.b))
		assert.Equal(t, c.want, a.compare(b), "%s ? %s", c.a, c.b)
		assert.Equal(t, -c.want, b.compare(a), "%s ? %s", c.b, c.a)
	}
	for text, want := range map[string]bool{"1": true, "1.0": true, "1e3": true, "1.5e1": true, "1.5": false, "1e-1": false, "10e-1": true, "1e400": true, "123456789012345678901234567890.5": false} {
		assert.Equal(t, want, parseDecimal([]byte(text)).isInteger(), text)
	}
}

func TestInstants(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-14T09:12:00Z":             "2026-01-14T09:12:00Z",
		"2026-01-14T09:12:00+03:00":        "2026-01-14T06:12:00Z",
		"2026-01-14 09:12:00":              "2026-01-14T09:12:00Z",
		"2024-02-29t23:59:59.5z":           "2024-02-29T23:59:59.5Z",
		"1969-12-31T23:59:59Z":             "1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z":             "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.123456789012": "9999-12-31T23:59:59.123456789Z",
	} {
		at, _, ok := parseInstant([]byte(text))
		require.True(t, ok, text)
		assert.Equal(t, want, at.time().Format("2006-01-02T15:04:05.999999999Z07:00"), text)
	}
	for _, text := range []string{"", "2026-01-14", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-14T24:00:00Z", "2026-01-14T09:12:00.Z", "2026-01-14T09:12:00+0300", "вчера", "2026-01-14T09:12:00Z "} {
		_, _, ok := parseInstant([]byte(text))
		assert.False(t, ok, text)
	}
}
