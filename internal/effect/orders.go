package effect

import (
	"maps"
	"slices"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/render"
)

// ordersAnswered answers the commands about a pull request that is open.
func ordersAnswered(p *facts.PullRequest, v judge.Verdict, words *render.Words) (thumbs []Acknowledge, replies []Reply) {
	return answeredOrders(p.Number, v.People.Orders, func(o approval.Order) string { return words.Refusal(v, o) })
}

// ordersOfPilot answers the commands after the merge, wherever they stand.
func ordersOfPilot(s *facts.Pilot, v judge.PilotVerdict, words *render.Words) []Effect {
	if s.Plan == nil {
		return nil
	}
	orders := map[int][]approval.Order{s.Plan.Number: slices.Clone(v.Launch.Orders)}
	holders := map[int64][]string{} // by comment
	for _, r := range v.Rollbacks {
		orders[r.Number] = append(orders[r.Number], r.Order)
		holders[r.From.ID] = r.Holders
	}
	pulls := s.Requests()
	var out []Effect
	for _, number := range slices.Sorted(maps.Keys(orders)) {
		thumbs, replies := answeredOrders(number, orders[number], func(o approval.Order) string {
			return words.RefusedAfterMerge(v, o, holders[o.From.ID])
		})
		out = append(out, diffReplies(pulls[number], replies)...)
		for _, a := range thumbs {
			out = append(out, a)
		}
	}
	return out
}

// answeredOrders puts a thumb under each comment with commands, up where they count,
// and says to whoever gave one that does not why. What was answered once is
// answered: a command is weighed when it is given.
func answeredOrders(number int, orders []approval.Order, refusal func(approval.Order) string) (thumbs []Acknowledge, replies []Reply) {
	for _, o := range orders {
		if o.From.Acknowledged {
			continue
		}
		content := "+1"
		if o.Refused.Key != "" {
			content = "confused"
			replies = append(replies, Reply{Number: number, CommentID: o.From.ID, Body: refusal(o)})
		}
		i := slices.IndexFunc(thumbs, func(a Acknowledge) bool { return a.CommentID == o.From.ID })
		switch {
		case i < 0:
			thumbs = append(thumbs, Acknowledge{CommentID: o.From.ID, NodeID: o.From.NodeID, Content: content})
		case content == "confused":
			thumbs[i].Content = content
		}
	}
	return thumbs, replies
}
