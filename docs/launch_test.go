package docs_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/policy"
	results "github.com/pilotgate/pilotgate/internal/rules"
	"github.com/pilotgate/pilotgate/templates"
)

// The manifest that trainers read about is the one that the server reads: the
// same fields, and no others.
func TestLaunchShowsTheManifest(t *testing.T) {
	text := read(t, "launch.md")
	_, after, ok := strings.Cut(text, "```json\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(after, "```")
	m, ok := results.ParseManifest([]byte(example))
	require.True(t, ok)
	var shown, known any
	require.NoError(t, json.Unmarshal([]byte(example), &shown))
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &known))
	assert.Equal(t, known, shown, "every field is shown")
	for field := range known.(map[string]any) {
		assert.Regexp(t, "(?m)^\\| [^|]*`"+field+"[`.]", text, "a row of the table")
	}
	for _, name := range []string{judge.ManifestType, judge.AnswerFolder + judge.SignedManifest, judge.AnswerFolder + results.BaselineFile, "`" + judge.ResultArtifact + "`"} {
		assert.Contains(t, text, name)
	}
	p := policy.Default()
	assert.Contains(t, text, "`"+strings.ReplaceAll(p.ReportedPath("{}", policy.ReportedManifest), "{}", "<pilot>")+"`")
	_, after, _ = strings.Cut(text, "```yaml\n")
	line, _, _ := strings.Cut(after, "```")
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	_, broken := policy.Parse(policy.Path, []byte("version: 1\n"+strings.Replace(line, "base64 of the 32 bytes", base64.StdEncoding.EncodeToString(key), 1)))
	assert.Empty(t, broken, "a line of the policy")
}

// What the document quotes is what people read.
func TestLaunchQuotesTheSentences(t *testing.T) {
	raw, err := templates.Files.ReadFile("texts.en.yaml")
	require.NoError(t, err)
	var texts map[string]map[string]string
	require.NoError(t, yaml.Unmarshal(raw, &texts))
	value := regexp.MustCompile(`\\\{[^}]*\}`)
	var sentences []string
	for _, section := range []string{"gate", "launch", "comment"} {
		require.NotEmpty(t, texts[section])
		for _, s := range texts[section] {
			sentences = append(sentences, value.ReplaceAllString(regexp.QuoteMeta(s), ".+"))
		}
	}
	said := regexp.MustCompile("^(?:" + strings.Join(sentences, "|") + ")$")
	quotes := 0
	for line := range strings.Lines(read(t, "launch.md")) {
		if quote, ok := strings.CutPrefix(line, "> "); ok {
			quotes++
			assert.Regexp(t, said, strings.TrimSpace(quote))
		}
	}
	assert.Positive(t, quotes)
}
