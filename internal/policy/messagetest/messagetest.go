// Package messagetest holds findings and the message catalogue together, for
// the tests of the packages that make findings. It is for tests only.
package messagetest

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
)

type rule struct {
	Title, Harm, Fails, Passes string
	Cases                      map[string]struct{ What, Mend string }
}

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// Covers tells whether the catalogues policy.en.yaml and policy.ru.yaml have a
// sentence for each finding with no place left empty, and no sentence of these
// rules (by prefix) that no finding uses. Cases made elsewhere are named in
// except, as "PO001 not_a_file".
func Covers(t *testing.T, folder, prefix string, findings []finding.Finding, except ...string) {
	t.Helper()
	made := map[string]finding.Finding{}
	for _, f := range findings {
		made[f.Rule+" "+f.Case] = f
	}
	require.NotEmpty(t, made)
	for _, language := range []string{"en", "ru"} {
		src, err := os.ReadFile(folder + "/policy." + language + ".yaml")
		require.NoError(t, err)
		var all map[string]rule
		require.NoError(t, yaml.UnmarshalWithOptions(src, &all, yaml.Strict()))
		written := map[string]bool{}
		for id, r := range all {
			if !strings.HasPrefix(id, prefix) {
				continue
			}
			for name, text := range map[string]string{"title": r.Title, "harm": r.Harm, "fails": r.Fails, "passes": r.Passes} {
				assert.NotEmpty(t, text, "%s %s: %s", language, id, name)
			}
			for kase, c := range r.Cases {
				key := id + " " + kase
				written[key] = true
				f, ok := made[key]
				if !ok {
					assert.Contains(t, except, key, "%s: no test makes this finding", language)
					continue
				}
				for _, sentence := range []string{c.What, c.Mend} {
					assert.True(t, strings.HasSuffix(sentence, "."), "%s %s: %q", language, key, sentence)
					for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
						assert.Contains(t, f.Args, m[1], "%s %s: %q", language, key, sentence)
					}
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(made)) {
			assert.True(t, written[key], "%s: no sentence for %s", language, key)
		}
	}
}
