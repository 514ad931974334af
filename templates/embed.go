// Package templates holds everything that people read: the message catalogues
// (messages/<group>.<language>.yaml: rules with their sentences) and the texts
// around them (texts.<language>.yaml). It holds no logic.
package templates

import "embed"

// Files are the catalogues, read by package render.
//
//go:embed messages/*.yaml texts.*.yaml
var Files embed.FS
