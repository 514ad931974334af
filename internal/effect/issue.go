package effect

import (
	"cmp"
	"slices"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// bearing are our issues with a marker, the lowest number first. Listings lag
// behind writes and answers get lost, so there may be two: the lowest stays.
func bearing(issues []facts.Issue, marker string) []facts.Issue {
	out := slices.DeleteFunc(slices.Clone(issues), func(i facts.Issue) bool { return i.Marker != marker })
	slices.SortFunc(out, func(a, b facts.Issue) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// closed closes what of them is open and leaves their words.
func closed(issues []facts.Issue) []Effect {
	var out []Effect
	for _, i := range issues {
		if i.Open {
			out = append(out, Issue{Number: i.Number, Marker: i.Marker, Title: i.Title, Body: i.Body, Close: true})
		}
	}
	return out
}
