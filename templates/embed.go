// Package templates holds everything that people read: the message catalogues
// (messages/<group>.<language>.yaml: rules with their sentences) and the texts
// around them (texts.<language>.yaml), and the files that a repository starts
// with (init/). It holds no logic.
package templates

import "embed"

// Files are the catalogues, read by package render, and init's files.
//
//go:embed messages/*.yaml texts.*.yaml init
var Files embed.FS
