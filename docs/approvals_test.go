package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/templates"
)

// What the document quotes is what the catalogue says.
func TestApprovalsQuotesTheSentencesOfTheCheck(t *testing.T) {
	raw, err := templates.Files.ReadFile("texts.en.yaml")
	require.NoError(t, err)
	var texts struct {
		Condition map[string]string `yaml:"condition"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &texts))
	require.NotEmpty(t, texts.Condition)
	value := regexp.MustCompile(`\\\{[^}]*\}`)
	var sentences []string
	for _, s := range texts.Condition {
		sentences = append(sentences, value.ReplaceAllString(regexp.QuoteMeta(strings.ReplaceAll(s, "`", "")), ".+"))
	}
	said := regexp.MustCompile("^@[a-z-]+ (?:" + strings.Join(sentences, "|") + ")$")
	quotes := 0
	for line := range strings.Lines(read(t, "approvals.md")) {
		if quote, ok := strings.CutPrefix(line, "> "); ok {
			quotes++
			assert.Regexp(t, said, strings.TrimSpace(quote))
		}
	}
	assert.Equal(t, 8, quotes, "one for each condition")
}
