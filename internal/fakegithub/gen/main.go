// Command gen trims GitHub's published descriptions to what is needed here.
//
// It reads the unpacked npm packages @octokit/openapi (23.0.2) and
// @octokit/graphql-schema (15.26.1), drops all prose and examples, keeps the
// REST operations that the stand-in serves, and writes the results with their
// licence notices. It never runs in a test and fetches nothing itself:
//
//	npm pack @octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1
//	(unpack both)
//	go run ./gen -openapi DIR -graphql DIR
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func main() {
	log.SetFlags(0)
	openapi := flag.String("openapi", "", "unpacked @octokit/openapi")
	graphql := flag.String("graphql", "", "unpacked @octokit/graphql-schema")
	out := flag.String("out", filepath.Join("..", "..", "testdata", "github"), "where the REST description goes")
	flag.Parse()
	if *graphql != "" {
		must(schema(*graphql))
	}
	if *openapi != "" {
		must(description(*openapi, *out))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// schema drops the prose of the GraphQL schema and keeps the rest whole: what a
// query may ask for is then GitHub's to say, not ours.
func schema(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "schema.graphql"))
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: string(raw)})
	if err != nil {
		return fmt.Errorf("parse schema: %w", err)
	}
	once(doc)
	var text bytes.Buffer
	formatter.NewFormatter(&text, formatter.WithoutDescription(), formatter.WithIndent(" ")).FormatSchemaDocument(doc)
	if err := pack("schema.graphql.gz", text.Bytes()); err != nil {
		return err
	}
	return notice(filepath.Join(dir, "LICENSE.md"), "schema.graphql.LICENSE")
}

// once drops a field that the published schema defines twice in one type
// (EnterpriseOwnerInfo has two such): gqlparser refuses the schema as a whole.
func once(doc *ast.SchemaDocument) {
	for _, def := range doc.Definitions {
		seen := map[string]bool{}
		def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool {
			twice := seen[f.Name]
			seen[f.Name] = true
			return twice
		})
	}
}

// description keeps the operations that the stand-in serves and the schemas
// that they reach.
func description(dir, out string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "generated", "api.github.com.json"))
	if err != nil {
		return fmt.Errorf("read description: %w", err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("parse description: %w", err)
	}
	served := map[string]map[string]bool{}
	for _, op := range fakegithub.Served() {
		method, template, _ := strings.Cut(op, " ")
		if served[template] == nil {
			served[template] = map[string]bool{}
		}
		served[template][strings.ToLower(method)] = true
	}
	paths := map[string]any{}
	for template, item := range doc["paths"].(map[string]any) {
		kept := map[string]any{}
		for method, op := range item.(map[string]any) {
			if served[template][method] {
				kept[method] = op
				delete(served[template], method)
			}
		}
		if len(kept) > 0 {
			paths[template] = kept
		}
	}
	for template, rest := range served {
		for method := range rest {
			log.Printf("not described by GitHub: %s %s", strings.ToUpper(method), template)
		}
	}
	correct(paths)
	strip(paths)
	components := doc["components"].(map[string]any)
	kept := map[string]any{}
	reach(paths, components, kept)
	trimmed := map[string]any{
		"openapi": doc["openapi"], "info": map[string]any{"title": "GitHub REST API, trimmed", "version": "23.0.2"}, "paths": paths, "components": kept,
	}
	text, err := json.MarshalIndent(trimmed, "", " ")
	if err != nil {
		return fmt.Errorf("write description: %w", err)
	}
	if err := pack(filepath.Join(out, "openapi.json.gz"), text); err != nil {
		return err
	}
	return notice(filepath.Join(dir, "LICENSE"), filepath.Join(out, "openapi.LICENSE"))
}

// correct mends the one place where the description cannot be meant: an
// installation's account would have to be a user and an enterprise at once
// ("allOf"), while the schema "installation" itself says either ("anyOf").
func correct(paths map[string]any) {
	at := any(paths)
	for _, key := range []string{"/app/installations", "get", "responses", "200", "content", "application/json", "schema", "items", "properties", "account"} {
		m, is := at.(map[string]any)
		if !is {
			return
		}
		at = m[key]
	}
	if account, is := at.(map[string]any); is && account["allOf"] != nil {
		account["anyOf"] = account["allOf"]
		delete(account, "allOf")
	}
}

// prose are the keys that carry text for people. A property may bear such a
// name, so they are dropped only where a schema or an operation stands.
var prose = []string{"description", "summary", "examples", "example", "externalDocs", "x-github", "tags", "x-webhooks", "x-octokit", "deprecated"}

func strip(node any) {
	switch n := node.(type) {
	case map[string]any:
		for _, key := range prose {
			if key == "description" && n["content"] != nil || isResponse(n) && key == "description" {
				n[key] = ""
				continue
			}
			delete(n, key)
		}
		for key, child := range n {
			if key == "properties" {
				for _, p := range child.(map[string]any) {
					strip(p)
				}
				continue
			}
			strip(child)
		}
	case []any:
		for _, child := range n {
			strip(child)
		}
	}
}

// isResponse tells a response, whose description OpenAPI requires.
func isResponse(n map[string]any) bool {
	_, described := n["description"]
	_, typed := n["type"]
	_, ref := n["schema"]
	return described && !typed && !ref && n["$ref"] == nil && n["parameters"] == nil && n["name"] == nil && n["properties"] == nil && n["operationId"] == nil
}

// reach copies what a node refers to, and what that refers to.
func reach(node any, from, kept map[string]any) {
	switch n := node.(type) {
	case map[string]any:
		if ref, is := n["$ref"].(string); is {
			parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
			group, have := kept[parts[0]].(map[string]any)
			if !have {
				group = map[string]any{}
				kept[parts[0]] = group
			}
			if _, done := group[parts[1]]; !done {
				target := from[parts[0]].(map[string]any)[parts[1]]
				strip(target)
				group[parts[1]] = target
				reach(target, from, kept)
			}
		}
		for _, child := range n {
			reach(child, from, kept)
		}
	case []any:
		for _, child := range n {
			reach(child, from, kept)
		}
	}
}

func pack(path string, data []byte) error {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	if _, err := z.Write(data); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	return os.WriteFile(path, buf.Bytes(), 0o644) //nolint:gosec // generated, to be committed
}

func notice(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read licence: %w", err)
	}
	return os.WriteFile(to, raw, 0o644) //nolint:gosec // generated, to be committed
}
