//go:build !race || real

// Packing an artifact of the largest size takes the race detector ten times as
// long as all of the package else; `make test-real` has it watch.

package gh_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/facts"
)

func TestAnArtifactIsReadWithinItsCaps(t *testing.T) {
	many := map[string][]byte{}
	for i := range facts.MaxArtifactFiles + 1 {
		many[fmt.Sprint(i)] = []byte("x")
	}
	full := map[string][]byte{}
	for i := range facts.MaxArtifactUnpacked / facts.MaxArtifactFile {
		full[fmt.Sprint(i)] = make([]byte, facts.MaxArtifactFile)
	}
	over := map[string][]byte{"more": []byte("x")}
	for k, v := range full {
		over[k] = v
	}
	w := trained(t)
	for name, x := range map[string]struct {
		files         map[string][]byte
		large, broken bool
	}{
		"a few files":          {files: map[string][]byte{"manifest.json": []byte("{}"), "logs/a.txt": []byte("a")}},
		"at all caps":          {files: full},
		"one byte over all":    {files: over, large: true},
		"one byte over a file": {files: map[string][]byte{"a": make([]byte, facts.MaxArtifactFile+1)}, large: true},
		"too many files":       {files: many, large: true},
		"a path upwards":       {files: map[string][]byte{"../a": []byte("x")}, broken: true},
		"an absolute path":     {files: map[string][]byte{"/etc/a": []byte("x")}, broken: true},
		"a path in disguise":   {files: map[string][]byte{"a/../../b": []byte("x")}, broken: true},
		"a path of Windows":    {files: map[string][]byte{`..\a`: []byte("x")}, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			info := w.result(x.files)
			got := w.content(info.ID)
			assert.Equal(t, info.Digest, "sha256:"+got.SHA256)
			assert.Equal(t, []bool{x.large, x.broken}, []bool{got.TooLarge, got.Broken})
			if !x.large && !x.broken {
				assert.Equal(t, x.files, got.Files)
			} else {
				assert.Empty(t, got.Files)
			}
		})
	}
}
