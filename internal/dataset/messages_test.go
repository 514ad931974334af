package dataset

import (
	"os"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// argsOf are the args that each case always has, as its sentence may use them.
var argsOf = map[caseID][]string{
	schemaMissing: {"want", "pointer"}, schemaType: {"want", "pointer"}, schemaValue: {"want", "pointer"},
	lengthSource: {"chars"}, lengthSummary: {"chars"}, lengthRatio: {"chars", "source_chars"},
	judgeScore: {"want"}, nearPartial: {"compared"},
	idRepeated: {"first_line"}, sourceRepeated: {"first_line"}, sourceNear: {"first_line"},
	evalID: {"evaluation_line"}, evalSource: {"evaluation_line"}, evalSummary: {"evaluation_line"},
	evalNear: {"evaluation_line"}, evalWindow: {"evaluation_line"},
}

func TestEachCaseHasItsSentences(t *testing.T) {
	for _, language := range []string{"en", "ru"} {
		src, err := os.ReadFile("../../templates/messages/dataset." + language + ".yaml")
		require.NoError(t, err)
		var catalogue map[string]struct {
			Title, Harm, Fails, Passes string
			Cases                      map[string]struct{ What, Mend string }
		}
		require.NoError(t, yaml.Unmarshal(src, &catalogue))
		for c := range caseID(allCases) {
			row := c.row()
			rule := catalogue[row.rule]
			sentence := rule.Cases[row.name]
			assert.NotEmpty(t, rule.Title, "%s %s", language, row.rule)
			assert.NotEmpty(t, sentence.What, "%s %s %s", language, row.rule, row.name)
			assert.NotEmpty(t, sentence.Mend, "%s %s %s", language, row.rule, row.name)
			given := append([]string{"pointer"}, argsOf[c]...)
			for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(sentence.What+sentence.Mend, -1) {
				assert.Contains(t, given, m[1], "%s %s %s", language, row.rule, row.name)
			}
		}
	}
}
