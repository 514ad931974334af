package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// SendAlert posts what Alertmanager would when an alert about a model is
// "firing" or "resolved", and answers the server's status code. A token is of
// the repository and scenario; labels name scenario, model, version and pilot.
func (w *World) SendAlert(ctx context.Context, token, status string, starts time.Time, labels map[string]string) (int, error) {
	all := maps.Clone(labels)
	all["alertname"], all["severity"], all["metric"] = "PilotMetricBelowBand", "critical", "coverage"
	body, err := json.Marshal(map[string]any{
		"version": "4", "status": status,
		"alerts": []map[string]any{{
			"status": status, "fingerprint": "a5331b0da5a9d842", "labels": all,
			"startsAt": starts.UTC().Format(time.RFC3339), "endsAt": starts.Add(time.Minute).UTC().Format(time.RFC3339),
		}},
	})
	if err != nil {
		return 0, fmt.Errorf("write the alert: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Alerts(), bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("post the alert: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, fmt.Errorf("post the alert: %w", err)
	}
	return resp.StatusCode, resp.Body.Close()
}
