package gh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
)

// Delivery is one attempt of GitHub's to bring us an event. Attempts of one
// event share their GUID.
type Delivery struct {
	ID     int64
	GUID   string
	At     time.Time
	Status int // HTTP; 0: no answer
}

// Succeeded tells whether we answered that the event is durable.
func (d Delivery) Succeeded() bool { return d.Status >= 200 && d.Status < 300 }

// maxDeliveryPages caps a listing: 100 attempts each.
const maxDeliveryPages = 1000

// ErrManyDeliveries says that a listing is not whole: what is in it is true,
// and older attempts are missing.
var ErrManyDeliveries = fmt.Errorf("more than %d webhook deliveries", 100*maxDeliveryPages)

// Deliveries lists the attempts since a moment, the newest first. The listing
// is not filtered by status: GitHub's filter leaves out connections that failed.
func (c *Client) Deliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	rest, err := c.creator.NewAppClient()
	if err != nil {
		return nil, &redacted{"list webhook deliveries", err}
	}
	var out []Delivery
	cursor := ""
	for range maxDeliveryPages {
		page, resp, err := listDeliveries(ctx, rest, cursor)
		if err != nil {
			return out, &redacted{"GET /app/hook/deliveries", err}
		}
		for _, d := range page {
			if d.GetDeliveredAt().Before(since) {
				return out, nil
			}
			out = append(out, Delivery{ID: d.GetID(), GUID: d.GetGUID(), At: d.GetDeliveredAt().Time, Status: d.GetStatusCode()})
		}
		if resp.Cursor == "" || resp.Cursor == cursor {
			return out, nil
		}
		cursor = resp.Cursor
	}
	return out, ErrManyDeliveries
}

func listDeliveries(ctx context.Context, rest *github.Client, cursor string) ([]*github.HookDelivery, *github.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return rest.Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{PerPage: 100, Cursor: cursor})
}

// Redeliver asks GitHub to deliver an attempt's event again.
func (c *Client) Redeliver(ctx context.Context, id int64) error {
	rest, err := c.creator.NewAppClient()
	if err != nil {
		return &redacted{"redeliver", err}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, _, err = rest.Apps.RedeliverHookDelivery(ctx, id)
	var accepted *github.AcceptedError // 202: as asked
	if err != nil && !errors.As(err, &accepted) {
		return &redacted{"POST /app/hook/deliveries/{delivery_id}/attempts", err}
	}
	return nil
}

// DeliveriesKept is for how long GitHub keeps deliveries: 3 days on github.com
// and ghe.com, 7 on Enterprise Server.
// https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries
func (c *Client) DeliveriesKept() time.Duration {
	const day = 24 * time.Hour
	for host := range c.hosts {
		if host != "api.github.com" && !strings.HasSuffix(host, ".ghe.com") {
			return 7 * day
		}
	}
	return 3 * day
}
