package ledger_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryCaseHasItsSentence holds the message catalogues against the source:
// the same rules and cases, and no place for a value that is never given.
func TestEveryCaseHasItsSentence(t *testing.T) {
	call := regexp.MustCompile(`(?s)(?:broken|fail)\("(SG\d{3})", "(\w+)"(.*?)\)\)?(?:\}|\n)`)
	given := map[string]map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range call.FindAllStringSubmatch(string(source), -1) {
			args := given[m[1]+" "+m[2]]
			if args == nil {
				args = map[string]bool{"record": strings.Contains(m[0], "fail(")}
				given[m[1]+" "+m[2]] = args
			}
			for _, name := range regexp.MustCompile(`"([a-z]+)", `).FindAllStringSubmatch(m[3]+", ", -1) {
				args[name[1]] = true
			}
		}
	}
	require.Greater(t, len(given), 40)

	for _, language := range []string{"en", "ru"} {
		t.Run(language, func(t *testing.T) {
			raw, err := os.ReadFile("../../templates/messages/ledger." + language + ".yaml")
			require.NoError(t, err)
			var catalogue map[string]struct {
				Title, Harm, Fails, Passes string
				Cases                      map[string]struct{ What, Mend string }
			}
			require.NoError(t, yaml.UnmarshalWithOptions(raw, &catalogue, yaml.Strict()))
			told := map[string]bool{}
			for id, rule := range catalogue {
				assert.NotEmpty(t, rule.Title+rule.Harm+rule.Fails+rule.Passes, id)
				for name, c := range rule.Cases {
					told[id+" "+name] = true
					assert.NotEmpty(t, c.What, "%s %s", id, name)
					assert.NotEmpty(t, c.Mend, "%s %s", id, name)
					for _, place := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(c.What+c.Mend, -1) {
						assert.True(t, given[id+" "+name][place[1]], "%s %s: {%s} is never given", id, name, place[1])
					}
				}
			}
			for c := range given {
				assert.True(t, told[c], "%s has no sentence", c)
			}
			assert.Len(t, told, len(given))
		})
	}
}
