package reconcile

import (
	"context"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// alerts are what Alertmanager sent about a pilot, as it came with the key. One
// that cannot be read says nothing.
func alerts(ctx context.Context, pilot string) []facts.Alert {
	var out []facts.Alert
	for _, raw := range queue.Payloads(ctx) {
		a, err := alert.Parse(raw)
		if err != nil || a.Pilot != pilot {
			continue
		}
		out = append(out, facts.Alert(a))
	}
	return out
}
