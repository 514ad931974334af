package reconcile

import (
	"context"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

// clicks are the buttons that were pressed, as they came with the key. One
// that cannot be read asks for nothing.
func clicks(ctx context.Context) []facts.Click {
	var out []facts.Click
	for _, raw := range queue.Payloads(ctx) {
		a, err := webhook.ParseAsked(raw)
		if err != nil || a.Event != "check_run" || a.Action != "requested_action" {
			continue
		}
		out = append(out, facts.Click{
			Run: a.CheckID, Head: a.Head, Identifier: a.Identifier,
			By: facts.Account{ID: a.UserID, Login: a.Login, Type: a.UserType},
		})
	}
	return out
}
