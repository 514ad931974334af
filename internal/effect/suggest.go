package effect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/render"
)

// Suggest writes one review that holds suggested changes and nothing else. It
// approves nothing and asks for no changes: its only event is COMMENT.
type Suggest struct {
	Number int
	Head   string
	Body   string // holds the marker
	Lines  []SuggestedLines
	Marker string
}

// SuggestedLines is a comment on whole lines of a file at the head.
type SuggestedLines struct {
	Path        string
	Start, Line int // from 1; equal for one line
	Body        string
}

// Key implements Effect.
func (s Suggest) Key() string {
	return "suggestions " + s.Marker + " on " + strconv.Itoa(s.Number)
}

// suggested is the review that a fork's pull request should have, nil for none.
func suggested(p *facts.PullRequest, v judge.Verdict, words *render.Words) *Suggest {
	all := v.Suggestions()
	if len(all) == 0 {
		return nil
	}
	out := &Suggest{Number: p.Number, Head: p.Head.OID, Marker: judge.SuggestionKey(all)}
	out.Body = words.SuggestionReview(len(all)) + "\n" + suggestionMarker(out.Marker)
	for _, s := range all {
		out.Lines = append(out.Lines, SuggestedLines{Path: s.Path, Start: s.Start, Line: s.Line, Body: words.Suggestion(s)})
	}
	return out
}

func suggestionMarker(key string) string { return "<!-- pilotgate:suggestions " + key + " -->" }

// made tells whether our App has written this review already.
func (s *Suggest) made(p *facts.PullRequest) bool {
	return slices.ContainsFunc(p.Reviews, func(r facts.Review) bool {
		ours := r.Author.Type == "Bot" && strings.EqualFold(strings.TrimSuffix(r.Author.Login, "[bot]"), strings.TrimSuffix(p.App.Login, "[bot]"))
		return ours && strings.Contains(r.Body, suggestionMarker(s.Marker))
	})
}
