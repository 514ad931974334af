package render_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/render"
)

func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/sarif-schema-2.1.0.json.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(z)
	require.NoError(t, err)
	const id = "sarif-schema-2.1.0.json"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return s
}

func TestSARIFIsAcceptedByItsSchema(t *testing.T) {
	schema := sarifSchema(t)
	accepts := func(raw []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		require.NoError(t, err)
		return schema.Validate(v)
	}
	require.Error(t, accepts([]byte(`{"version": "2.1.0", "runs": [{"results": []}]}`)), "a run without a tool is none")
	for _, s := range states() {
		_, v := s.verdict(t)
		raw, err := render.Speak("en").SARIF(v, "1.2.3")
		require.NoError(t, err)
		assert.NoError(t, accepts(raw), s.name)
	}
	// What findings can be beside those: no line, no file, a place in a record, a
	// mend that takes everything away, a path that is no plain URI.
	_, v := states()[0].verdict(t)
	at := finding.Position{Path: "docs/a plan (1).md", Line: 3, Column: 5, EndLine: 3, EndColumn: 9}
	v.Checks[0].Findings = []finding.Finding{
		{Rule: "CF004", Case: "missing", Severity: finding.Error, At: finding.Position{Path: "план.md"}},
		{Rule: "CF004", Case: "missing", Severity: finding.Warning},
		{Rule: "DS003", Case: "missing", Severity: finding.Note, At: at, Record: &finding.Record{Pointer: "/source_text", ByteStart: 4, ByteEnd: 12}},
		{Rule: "CF004", Case: "missing", Severity: finding.Error, At: at, Mend: &finding.Mend{Path: at.Path, Start: 0, End: 7}},
	}
	raw, err := render.Speak("ru").SARIF(v, "1.2.3")
	require.NoError(t, err)
	assert.NoError(t, accepts(raw))
}
