// Package github holds GitHub's published REST description, trimmed to the
// operations that the stand-in serves, for tests. It is MIT licensed by its
// authors (openapi.LICENSE); internal/fakegithub/gen makes it.
package github

import _ "embed"

// OpenAPI is the description, gzip'd JSON.
//
//go:embed openapi.json.gz
var OpenAPI []byte
