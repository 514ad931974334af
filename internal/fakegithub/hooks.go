package fakegithub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"
)

// Deliver hands a webhook to its receiver and answers with the receiver's
// status; an error is a connection that failed.
type Deliver func(context.Context, Delivery) (status int, err error)

// Delivery is one attempt to deliver one event.
type Delivery struct {
	ID           int64  // of the attempt
	GUID         string // of the event; a redelivery keeps it
	Event        string
	Action       string
	Installation int64
	Repository   int64
	At           time.Time
	Redelivery   bool
	Payload      []byte
	Signature    string // "sha256=..."
	Status       int    // 0: never answered
	Error        string

	app *app
}

// Request makes the HTTP request that GitHub would send.
func (d Delivery) Request(ctx context.Context, url string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Payload))
	if err != nil {
		return nil, fmt.Errorf("make delivery: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "GitHub-Hookshot/fake")
	r.Header.Set("X-GitHub-Delivery", d.GUID)
	r.Header.Set("X-GitHub-Event", d.Event)
	r.Header.Set("X-GitHub-Hook-ID", strconv.FormatInt(d.app.id, 10))
	r.Header.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(d.app.id, 10))
	r.Header.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if d.Signature != "" {
		r.Header.Set("X-Hub-Signature-256", d.Signature)
	}
	return r, nil
}

// PostTo delivers over HTTP, giving up after GitHub's ten seconds.
func PostTo(client *http.Client, url string) Deliver {
	return func(ctx context.Context, d Delivery) (int, error) {
		ctx, stop := context.WithTimeout(ctx, 10*time.Second)
		defer stop()
		r, err := d.Request(ctx, url)
		if err != nil {
			return 0, err
		}
		res, err := client.Do(r)
		if err != nil {
			return 0, fmt.Errorf("deliver %s: %w", d.Event, err)
		}
		return res.StatusCode, res.Body.Close()
	}
}

// outbox keeps deliveries in order and sends them one after the other. Its one
// goroutine lives only while there is something to send; Close waits for it.
type outbox struct {
	s       *Server
	mu      sync.Mutex
	idle    *sync.Cond
	deliver Deliver
	queue   []int // indexes into log
	log     []*Delivery
	held    bool
	running bool
	closed  bool
	ctx     context.Context
	stop    context.CancelFunc
}

func (o *outbox) init(s *Server) {
	o.s, o.deliver = s, s.opt.Deliver
	o.idle = sync.NewCond(&o.mu)
	o.ctx, o.stop = context.WithCancel(context.Background())
}

// add is called under the server's lock; kick sends later, outside it.
func (o *outbox) add(d *Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = append(o.log, d)
	o.queue = append(o.queue, len(o.log)-1)
}

func (o *outbox) kick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running || o.held || o.closed || o.deliver == nil || len(o.queue) == 0 {
		return
	}
	o.running = true
	go o.run()
}

func (o *outbox) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 && !o.held && !o.closed && o.deliver != nil {
		d := o.log[o.queue[0]]
		o.queue = o.queue[1:]
		send, copied := o.deliver, *d
		o.mu.Unlock()
		status, err := send(o.ctx, copied)
		o.mu.Lock()
		d.Status = status
		if err != nil {
			d.Error = err.Error()
		}
	}
	o.running = false
	o.idle.Broadcast()
}

// DeliverTo changes the receiver; what waits goes there.
func (s *Server) DeliverTo(d Deliver) {
	s.outbox.mu.Lock()
	s.outbox.deliver = d
	s.outbox.mu.Unlock()
	s.outbox.kick()
}

// Flush waits until everything that may be sent has been.
func (s *Server) Flush() {
	o := &s.outbox
	o.kick()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.running {
		o.idle.Wait()
	}
}

// Close ends deliveries and waits for the one under way.
func (s *Server) Close() {
	o := &s.outbox
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.stop()
	s.Flush()
}

// Hold keeps deliveries back until Release.
func (s *Server) Hold() {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.held = true
}

// Held lists what waits.
func (s *Server) Held() []Delivery {
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []Delivery
	for _, i := range o.queue {
		out = append(out, *o.log[i])
	}
	return out
}

// Release sends what was held, rearranged: choose gets the deliveries and
// returns which to send in what order (indexes; left out is dropped, twice is
// doubled). nil sends all as they came.
func (s *Server) Release(choose func([]Delivery) []int) {
	held := s.Held()
	o := &s.outbox
	o.mu.Lock()
	if choose != nil {
		var queue []int
		for _, i := range choose(held) {
			queue = append(queue, o.queue[i])
		}
		o.queue = append(queue, o.queue[len(held):]...)
	}
	o.held = false
	o.mu.Unlock()
	o.kick()
}

// Replay sends an earlier delivery again, byte for byte.
func (s *Server) Replay(id int64) {
	o := &s.outbox
	o.mu.Lock()
	for i, d := range o.log {
		if d.ID == id {
			o.queue = append(o.queue, i)
		}
	}
	o.mu.Unlock()
	o.kick()
}

// Deliveries lists every delivery so far, oldest first.
func (s *Server) Deliveries() []Delivery {
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]Delivery, len(o.log))
	for i, d := range o.log {
		out[i] = *d
	}
	return out
}

// always are the events that every App gets.
var always = []string{"installation", "installation_repositories", "github_app_authorization"}

// unasked are what an App that writes checks gets without asking for it.
var unasked = []string{"check_suite.requested", "check_suite.rerequested", "check_run.rerequested", "check_run.requested_action"}

// emit tells every App that is installed on the repository and asked for the event.
func (s *Server) emit(r *repo, name string, sender *account, payload fields) {
	for _, in := range s.sortedInstallations() {
		if in.covers(r) {
			p := fields{"repository": s.showRepo(r)}
			if name == "push" {
				p["repository"] = s.showPushRepo(r)
			}
			s.send(in, name, sender, r, p, payload)
		}
	}
}

func (s *Server) emitOrg(org *account, name string, sender *account, payload fields) {
	for _, in := range s.sortedInstallations() {
		if in.target == org && !in.gone {
			s.send(in, name, sender, nil, fields{}, payload)
		}
	}
}

// emitTo tells one App, whatever it asked for.
func (s *Server) emitTo(in *installation, r *repo, name string, sender *account, payload fields) {
	p := fields{}
	if r != nil {
		p["repository"] = s.showRepo(r)
	}
	s.send(in, name, sender, r, p, payload)
}

func (s *Server) send(in *installation, name string, sender *account, r *repo, p, payload fields) {
	act, _ := payload["action"].(string)
	wanted := slices.Contains(always, name) || slices.Contains(in.events, name) ||
		(in.permissions["checks"] == "write" && slices.Contains(unasked, name+"."+act))
	if !wanted || in.app.spec.NoHook || (!in.suspended.IsZero() && name != "installation") {
		return
	}
	for k, v := range payload {
		p[k] = v
	}
	if in.target.kind == "Organization" {
		p["organization"] = s.showOrg(in.target)
	}
	if _, own := p["installation"]; !own {
		p["installation"] = fields{"id": in.id, "node_id": nodeID("MDIz", in.id)}
	}
	if sender == nil {
		sender = s.ghost
	}
	p["sender"] = s.showUser(sender)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	if err := enc.Encode(p); err != nil {
		panic("fakegithub: payload of " + name + ": " + err.Error())
	}
	body := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	d := &Delivery{
		ID: s.next("delivery"), GUID: s.guid(), Event: name, Installation: in.id, At: s.now(), Payload: body,
		Signature: Sign(in.app.spec.Secret, body), app: in.app,
	}
	d.Action, _ = payload["action"].(string)
	if r != nil {
		d.Repository = r.id
	}
	s.outbox.add(d)
}

// Sign is the X-Hub-Signature-256 of a body; "" where there is no secret.
func Sign(secret string, body []byte) string {
	if secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) guid() string {
	a, b := s.rand.Uint64(), s.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a)&0x0fff|0x4000, uint16(b>>48)&0x3fff|0x8000, b&0xffffffffffff)
}

func (s *Server) sortedInstallations() []*installation {
	var out []*installation
	for _, in := range s.installations {
		out = append(out, in)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

func (s *Server) hookRoutes() []*route {
	return []*route{
		{method: "GET", template: "/app/hook/deliveries", operation: "apps/list-webhook-deliveries", needs: "jwt", do: (*call).hookDeliveries},
		{method: "GET", template: "/app/hook/deliveries/{delivery_id}", operation: "apps/get-webhook-delivery", needs: "jwt", do: func(c *call) (answer, error) {
			for _, d := range c.s.Deliveries() {
				if d.ID == c.number("delivery_id") && d.app == c.actor.app {
					f := showDelivery(d)
					var payload fields
					_ = json.Unmarshal(d.Payload, &payload)
					f["url"] = "https://hooks.test/"
					f["request"] = fields{"headers": fields{"X-GitHub-Event": d.Event, "X-GitHub-Delivery": d.GUID}, "payload": payload}
					f["response"] = fields{"headers": fields{}, "payload": ""}
					return ok(f)
				}
			}
			return answer{}, errNotFound
		}},
		{method: "POST", template: "/app/hook/deliveries/{delivery_id}/attempts", operation: "apps/redeliver-webhook-delivery", needs: "jwt", do: func(c *call) (answer, error) {
			for _, d := range c.s.Deliveries() {
				if d.ID == c.number("delivery_id") && d.app == c.actor.app {
					again := d
					again.ID, again.Redelivery, again.Status, again.Error, again.At = c.s.next("delivery"), true, 0, "", c.s.now()
					c.s.outbox.add(&again)
					return answer{status: http.StatusAccepted, body: fields{}}, nil
				}
			}
			return answer{}, errNotFound
		}},
	}
}

// hookDeliveries pages by cursor, newest first; GitHub keeps three days.
func (c *call) hookDeliveries() (answer, error) {
	var all []Delivery
	oldest := c.s.now().Add(-72 * time.Hour)
	for _, d := range c.s.Deliveries() {
		if d.app == c.actor.app && d.At.After(oldest) {
			all = append(all, d)
		}
	}
	slices.Reverse(all)
	if cur := c.query("cursor"); cur != "" {
		n, err := strconv.ParseInt(cur, 10, 64)
		if err != nil {
			return answer{}, unprocessable("Invalid cursor")
		}
		for len(all) > 0 && all[0].ID > n {
			all = all[1:]
		}
	}
	if c.query("status") != "" {
		all = slices.DeleteFunc(all, func(d Delivery) bool {
			good := d.Status >= 200 && d.Status < 400
			return good != (c.query("status") == "success") || d.Status == 0
		})
	}
	per := 30
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	if len(all) > per {
		q := c.r.URL.Query()
		q.Set("cursor", strconv.FormatInt(all[per].ID, 10))
		c.header.Set("Link", fmt.Sprintf("<http://%s%s?%s>; rel=\"next\"", c.r.Host, c.r.URL.Path, q.Encode()))
		all = all[:per]
	}
	return ok(list(all, showDelivery))
}

func showDelivery(d Delivery) fields {
	status := "OK"
	switch {
	case d.Status == 0:
		status = "failed to connect to host"
	case d.Status >= 400:
		status = "Invalid HTTP Response: " + strconv.Itoa(d.Status)
	}
	f := fields{
		"id": d.ID, "guid": d.GUID, "delivered_at": d.At.Format(time.RFC3339), "redelivery": d.Redelivery, "duration": 0.03,
		"status": status, "status_code": d.Status, "event": d.Event, "action": nil, "installation_id": nil, "repository_id": nil,
		"throttled_at": nil,
	}
	if d.Action != "" {
		f["action"] = d.Action
	}
	if d.Installation != 0 {
		f["installation_id"] = d.Installation
	}
	if d.Repository != 0 {
		f["repository_id"] = d.Repository
	}
	return f
}
