package effect

import (
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/render"
)

// Diff is what has to be done so that the pull request looks as wanted. It is
// empty when everything is as it should be.
func Diff(p *facts.PullRequest, w Wanted) []Effect {
	var out []Effect
	runs := amongTwins(p, w.Runs, DiffRuns(p.Runs, p.Number, w.Runs))
	for _, r := range runs {
		out = append(out, r)
	}
	if len(runs) > 0 && len(p.Twins) > 0 {
		w.Looks = append(w.Looks, twins(p)...) // what they show is no longer the newest
	}
	out = append(out, diffComment(p, w.Comment)...)
	for _, d := range w.Dismiss {
		if slices.ContainsFunc(p.Reviews, func(r facts.Review) bool { return r.ID == d.ReviewID && r.State != "DISMISSED" }) {
			out = append(out, d)
		}
	}
	if w.Suggest != nil && !w.Suggest.made(p) {
		out = append(out, *w.Suggest)
	}
	if len(w.Ask.Logins)+len(w.Ask.Teams) > 0 {
		out = append(out, w.Ask)
	}
	out = append(out, diffReplies(p, w.Replies)...)
	for _, i := range w.Issues {
		if len(bearing(p.Issues, i.Marker)) == 0 {
			out = append(out, i)
		}
	}
	for _, a := range w.Acknowledge {
		out = append(out, a)
	}
	if w.Start != nil {
		out = append(out, w.Start.Claim, w.Start.Dispatch)
	}
	for _, s := range w.Looks {
		out = append(out, Look{Subject: s})
	}
	if w.Pilot != nil {
		out = append(out, *w.Pilot)
	}
	return out
}

// DiffRuns compares our check runs with the wanted ones. A run that was
// completed for a digest stays what it says: another digest, or going back to
// waiting, gets a new run. GitHub appends annotations and never removes them,
// so a run whose annotations changed is made anew too.
func DiffRuns(have []facts.CheckRun, number int, want []Run) []Run {
	var out []Run
	for _, r := range want {
		last, ok := latestRun(have, number, r.Name, r.Head)
		switch {
		case !ok, !sameKey(last.ExternalID, r.ExternalID):
			out = append(out, r)
		case last.Status == "completed" && r.Status != "completed":
			out = append(out, r)
		case last.Annotations > 0 && (last.Annotations != len(r.Annotations) || last.Summary != r.Summary):
			out = append(out, r)
		case last.Status != r.Status || last.Conclusion != r.Conclusion || last.Title != r.Title || last.Summary != r.Summary || last.ExternalID != r.ExternalID:
			r.ID, r.NodeID = last.ID, last.NodeID
			out = append(out, r)
		}
	}
	return out
}

// sameKey compares pull request, base and digest; the evidence time may be
// written into the same run later.
func sameKey(a, b string) bool {
	x, ok1 := approval.ParseExternalID(a)
	y, ok2 := approval.ParseExternalID(b)
	return ok1 && ok2 && x.Number == y.Number && x.Base == y.Base && x.Digest == y.Digest
}

func latestRun(runs []facts.CheckRun, number int, name, head string) (facts.CheckRun, bool) {
	var last facts.CheckRun
	for _, r := range runs {
		id, ok := approval.ParseExternalID(r.ExternalID)
		if r.Name == name && r.Head == head && ok && id.Number == number && r.ID > last.ID {
			last = r
		}
	}
	return last, last.ID != 0
}

// diffComment keeps one comment of ours: the first one made, edited where its
// text differs; duplicates that a crash left behind are deleted.
func diffComment(p *facts.PullRequest, body string) []Effect {
	var ours []facts.Comment
	for _, c := range p.Comments {
		if c.Ours && strings.HasPrefix(c.Body, render.CommentMarker) {
			ours = append(ours, c)
		}
	}
	slices.SortFunc(ours, func(a, b facts.Comment) int { return int(a.ID - b.ID) })
	var out []Effect
	switch {
	case body == "" && p.Open:
	case body == "":
		return nil
	case len(ours) == 0:
		return []Effect{Comment{Number: p.Number, On: p.NodeID, Body: body}}
	default:
		if normal(ours[0].Body) != normal(body) {
			out = append(out, Comment{ID: ours[0].ID, NodeID: ours[0].NodeID, Number: p.Number, On: p.NodeID, Body: body})
		}
		ours = ours[1:]
	}
	for _, c := range ours {
		out = append(out, DeleteComment{ID: c.ID, NodeID: c.NodeID})
	}
	return out
}

// normal is a text as GitHub stores it: line ends and outer blanks do not count.
func normal(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// diffReplies writes the answers that are not there yet: one for each comment
// with a refused command, which may hold several.
func diffReplies(p *facts.PullRequest, replies []Reply) []Effect {
	texts := map[int64]string{}
	var order []int64
	for _, r := range replies {
		if _, seen := texts[r.CommentID]; !seen {
			order = append(order, r.CommentID)
			texts[r.CommentID] = render.ReplyMarker(r.CommentID) + "\n" + r.Body
			continue
		}
		texts[r.CommentID] += "\n\n" + r.Body
	}
	var out []Effect
	for _, id := range order {
		there := slices.ContainsFunc(p.Comments, func(c facts.Comment) bool {
			return c.Ours && strings.HasPrefix(c.Body, render.ReplyMarker(id))
		})
		if !there {
			out = append(out, Comment{Number: p.Number, On: p.NodeID, Body: texts[id]})
		}
	}
	seen := map[string]bool{} // a lost answer may have made a second one
	for _, c := range p.Comments {
		if marker, _, _ := strings.Cut(c.Body, "\n"); c.Ours && render.IsReply(marker) {
			if seen[marker] {
				out = append(out, DeleteComment{ID: c.ID, NodeID: c.NodeID})
			}
			seen[marker] = true
		}
	}
	return out
}
