// Package config holds the files that ship with Pilotgate as they are: the
// policy's JSON Schema, so that editors complete it, the default policy with
// its comments, and an example of the server's settings. It only embeds; the
// packages that read these files hold them to their own types by tests.
package config

import _ "embed"

// PolicySchema is the JSON Schema (draft 2020-12) of .github/pilotgate.yml.
//
//go:embed policy.schema.json
var PolicySchema []byte

// DefaultPolicy is a .github/pilotgate.yml that writes every default out.
//
//go:embed pilotgate.default.yml
var DefaultPolicy []byte

// ExampleServer shows every setting of the server.
//
//go:embed server.example.yml
var ExampleServer []byte
