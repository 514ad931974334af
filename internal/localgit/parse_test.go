package localgit

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var treeLine = "100644 blob " + strings.Repeat("a1", 20) + "      12\tdocs/a b.md\x00"

func TestParseTreeRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, text := range map[string]string{
		"cut":           treeLine[:len(treeLine)-1],
		"no path":       "100644 blob " + strings.Repeat("a1", 20) + " 12\t\x00",
		"no tab":        "100644 blob " + strings.Repeat("a1", 20) + " 12 x\x00",
		"short id":      "100644 blob a1 12\tx\x00",
		"negative size": "100644 blob " + strings.Repeat("a1", 20) + " -12\tx\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTree([]byte(text))
			assert.Error(t, err)
		})
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte(treeLine + treeLine))
	f.Add([]byte("160000 commit " + strings.Repeat("a1", 20) + "       -\tsub\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := parseTree(b)
		if err == nil && len(tree.Entries) > bytes.Count(b, []byte{0}) {
			t.Fatalf("%d entries of %q", len(tree.Entries), b)
		}
	})
}

func FuzzParseCommits(f *testing.F) {
	id := strings.Repeat("a1", 20)
	f.Add([]byte(id + "\x00" + id + "\x001700000000\x00A\x00a@example.org\x00B\x00b@example.org\x00line\x00C <c@example.org>\x02D <d@example.org>\x00\x01\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseCommits(b)
		for _, c := range list {
			if err == nil && !isOID(c.OID) {
				t.Fatalf("commit %q of %q", c.OID, b)
			}
		}
	})
}
