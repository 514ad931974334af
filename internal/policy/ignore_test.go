package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/policy"
)

func TestIgnored(t *testing.T) {
	const file = "# what runs write\nruns/\n*.ckpt\n/build\ndata/**/raw\n!keep.ckpt\nmodels/*\n!models/registry.yaml\n\r\n\\#odd\n"
	for name, want := range map[string]bool{
		"runs/a.json":          true,
		"deep/runs/a.json":     true,
		"runs":                 false, // a file of that name is none of the folders
		"models/a.ckpt":        true,
		"keep.ckpt":            false,
		"runs/keep.ckpt":       true, // nothing below a folder is taken in again
		"build":                true,
		"tools/build":          false,
		"data/a/b/raw":         true,
		"data/raw":             true,
		"models/registry.yaml": false,
		"#odd":                 true,
		"scripts/train.py":     false,
		"":                     false,
	} {
		assert.Equal(t, want, policy.Ignored([]byte(file), name), name)
	}
}
