package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/judge"
)

// SuggestionReview opens the review with the suggested changes.
func (w *Words) SuggestionReview(n int) string {
	return w.say(markdown, "mend", "suggested", "n", strconv.Itoa(n))
}

// Suggestion is the comment on the lines: what each finding says, and the lines
// as they should be. The fence is longer than any in the text.
func (w *Words) Suggestion(s judge.Suggestion) string {
	var b strings.Builder
	for _, f := range s.Found {
		b.WriteString("**" + f.Rule + "** " + w.what(f, markdown) + "\n")
	}
	fence := "```"
	for strings.Contains(s.Text, fence) {
		fence += "`"
	}
	b.WriteString("\n" + fence + "suggestion\n" + s.Text + "\n" + fence + "\n")
	return b.String()
}
