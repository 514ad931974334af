package dossier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dossier"
)

const vectorsPath = "../../testdata/digest/vectors.json"

var update = flag.Bool("update", false, "rewrite the canonical forms and digests of the vectors from their subjects")

// vector is one subject with its canonical form and digest, for whoever
// computes digests in another language.
type vector struct {
	Name      string          `json:"name"`
	Subject   json.RawMessage `json:"subject"`
	Canonical string          `json:"canonical"`
	Digest    string          `json:"digest"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	raw, err := os.ReadFile(vectorsPath)
	require.NoError(t, err)
	var out []vector
	require.NoError(t, json.Unmarshal(raw, &out))
	require.NotEmpty(t, out)
	return out
}

func subject(t *testing.T, raw []byte) dossier.Subject {
	t.Helper()
	var s dossier.Subject
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&s))
	return s
}

func TestDigestVectors(t *testing.T) {
	all := vectors(t)
	if *update {
		require.Empty(t, os.Getenv("CI"), "vectors are not written in CI")
		for i, v := range all {
			canonical, err := jcs.Transform(v.Subject)
			require.NoError(t, err)
			all[i].Canonical, all[i].Digest = string(canonical), subject(t, v.Subject).Digest()
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		require.NoError(t, e.Encode(all))
		require.NoError(t, os.WriteFile(vectorsPath, b.Bytes(), 0o644))
	}
	seen := map[string]string{}
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			canonical, err := jcs.Transform(v.Subject)
			require.NoError(t, err)
			assert.Equal(t, v.Canonical, string(canonical))
			sum := sha256.Sum256([]byte(v.Canonical))
			assert.Equal(t, v.Digest, hex.EncodeToString(sum[:]), "the digest is the sha256 of the canonical form")
			assert.Equal(t, v.Digest, subject(t, v.Subject).Digest(), "and what Pilotgate computes from the subject")
			assert.Empty(t, seen[v.Digest], "no two vectors have one digest")
			seen[v.Digest] = v.Name
		})
	}
}

// Together the vectors hold every field, and docs/digest.md names each.
func TestVectorsAndDocumentNameEveryField(t *testing.T) {
	doc, err := os.ReadFile("../../docs/digest.md")
	require.NoError(t, err)
	var held []string
	for _, v := range vectors(t) {
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(v.Subject, &fields))
		for name := range fields {
			held = append(held, name)
		}
	}
	for _, of := range []reflect.Type{reflect.TypeFor[dossier.Subject](), reflect.TypeFor[dossier.FileRef](), reflect.TypeFor[dossier.DataRef]()} {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			assert.Contains(t, string(doc), "`"+name+"`", "%s is explained", of.Field(i).Name)
			if of == reflect.TypeFor[dossier.Subject]() {
				assert.Contains(t, held, name, "a vector has it")
			}
		}
	}
}

// Each field of a subject is part of its digest.
func TestEveryFieldMovesTheDigest(t *testing.T) {
	for _, v := range vectors(t) {
		before := subject(t, v.Subject).Digest()
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(v.Subject, &fields))
		for name, value := range fields {
			t.Run(v.Name+"/"+name, func(t *testing.T) {
				changed := map[string]json.RawMessage{}
				for k, x := range fields {
					changed[k] = x
				}
				changed[name] = other(t, value)
				raw, err := json.Marshal(changed)
				require.NoError(t, err)
				assert.NotEqual(t, before, subject(t, raw).Digest())
			})
		}
	}
}

// other is a value of the same kind that is not the same.
func other(t *testing.T, value json.RawMessage) json.RawMessage {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(value, &v))
	switch x := v.(type) {
	case string:
		v = x + "x"
	case float64:
		v = x + 1
	case []any:
		v = slices.Concat(x, []any{map[string]any{"path": "another"}})
	case map[string]any:
		x["path"] = "another"
	}
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}
