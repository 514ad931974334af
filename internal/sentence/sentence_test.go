package sentence_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/sentence"
)

func TestAValueIsEscapedForItsPlace(t *testing.T) {
	value := map[string]string{"who": "@max | `x` <b>"}
	for name, c := range map[string]struct {
		text  string
		place sentence.Place
		want  string
	}{
		"terminal":       {"by {who}", sentence.Plain, "by @max | `x` <b>"},
		"paragraph":      {"by {who}", sentence.Markdown, "by @\u2060max \\| \\`x\\` &lt;b&gt;"},
		"code":           {"by `{who}`", sentence.Markdown, "by `@max | 'x' <b>`"},
		"code in a cell": {"by `{who}`", sentence.Cell, "by `@max \\| 'x' <b>`"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, sentence.Fill(c.text, value, c.place)) })
	}
	assert.Equal(t, "by @max | `x` <b>", sentence.FillRaw("by {who}", value))
}

func TestRelativeLinks(t *testing.T) {
	for _, c := range [][3]string{
		{"docs/a.md", "docs/b.md", "b.md"},
		{"docs/specs/a.md", "docs/evidence/b c.json", "../evidence/b%20c.json"},
		{"a.md", "x/y(1).md", "x/y%281%29.md"},
	} {
		assert.Equal(t, c[2], sentence.Relative(c[0], c[1]))
	}
}

func TestSpeakFallsBackToEnglish(t *testing.T) {
	assert.Equal(t, sentence.Speak("en"), sentence.Speak("fr"))
	assert.NotEqual(t, sentence.Speak("en").Text("report", "awaited"), sentence.Speak("ru").Text("report", "awaited"))
	assert.Equal(t, "report.nothing", sentence.Speak("en").Say(sentence.Plain, "report", "nothing"), "a missing sentence names itself")
}
