package fakegithub

import (
	"crypto/rsa"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options configure a server. The zero value is a mildly unfriendly GitHub.
type Options struct {
	// Now is the clock; nil is time.Now. Times are kept in whole seconds, as
	// GitHub shows them.
	Now func() time.Time
	// TokenNow is the clock by which tokens live; nil is Now. A client of the
	// App's makes and keeps them by the real one, whatever time a story plays in.
	TokenNow func() time.Time
	// Tick is how much later than the one before every write is at least, so
	// that a story told in milliseconds has an order. 0: writes may share a second.
	Tick time.Duration
	// Seed makes the faults repeatable.
	Seed uint64
	// Faults are the unfriendly habits; nil is Mild().
	Faults *Faults
	// BaseURL is what links in answers and payloads begin with.
	BaseURL string
	// Deliver takes the webhooks; nil records them only. It answers with the
	// status that the receiver gave.
	Deliver Deliver
	// RateLimit is an installation's requests an hour; 0 is 5000.
	RateLimit int
	// TreeLimit cuts a recursive tree listing; 0 is GitHub's 100,000 entries.
	TreeLimit int
}

// Faults are what makes GitHub harder to live with than a database.
type Faults struct {
	// PageLimit caps per_page; GitHub's own cap is 100. 0 is 100.
	PageLimit int
	// ListingDelay: how many listings leave a newly made item out. REST only.
	ListingDelay int
	// DropAnswerEvery: about one in so many writes is carried out and its
	// answer lost. 0 never.
	DropAnswerEvery int
	// Latency is waited before each answer.
	Latency time.Duration
}

// Mild is the default: listings lag by one read, one write's answer in forty is lost.
func Mild() *Faults { return &Faults{ListingDelay: 1, DropAnswerEvery: 40} }

// NoFaults is a GitHub in its best mood.
func NoFaults() *Faults { return &Faults{} }

// Server is the stand-in. All its state is in memory, behind one mutex.
type Server struct {
	opt    Options
	routes []*route

	mu            sync.Mutex
	rand          *rand.Rand
	last          time.Time
	ids           map[string]int64
	accounts      map[string]*account // by lower-case login
	byID          map[int64]*account
	emails        map[string]*account
	teams         map[int64]*team
	repos         map[int64]*repo
	apps          map[int64]*app
	installations map[int64]*installation
	tokens        map[string]*token
	nodes         map[string]any
	lag           map[string]int
	operations    map[string]int
	graphs        map[string]int
	history       []Event
	outbox        outbox
	fault         func(*http.Request) *Failure
	secondary     time.Time // writes are refused until then
	writes        int
	requests      []Request
	ghost         *account
	webflow       *account
}

// AppSpec registers a GitHub App.
type AppSpec struct {
	Slug, Name  string
	Key         *rsa.PublicKey    // verifies the App's JWTs
	Permissions map[string]string // "checks": "write"
	Events      []string
	Secret      string // signs its webhooks
	// NoHook: the App takes no webhooks (another CI's App, say).
	NoHook bool
}

// New starts an empty GitHub.
func New(opt Options) *Server {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Faults == nil {
		opt.Faults = Mild()
	}
	if opt.BaseURL == "" {
		opt.BaseURL = "https://github.test"
	}
	if opt.RateLimit == 0 {
		opt.RateLimit = 5000
	}
	if opt.TreeLimit == 0 {
		opt.TreeLimit = 100_000
	}
	s := &Server{
		opt: opt, rand: rand.New(rand.NewPCG(opt.Seed, 0x9e3779b97f4a7c15)), // repeatable on purpose
		ids: map[string]int64{}, accounts: map[string]*account{}, byID: map[int64]*account{},
		emails: map[string]*account{}, teams: map[int64]*team{}, repos: map[int64]*repo{},
		apps: map[int64]*app{}, installations: map[int64]*installation{}, tokens: map[string]*token{},
		nodes: map[string]any{}, lag: map[string]int{}, operations: map[string]int{}, graphs: map[string]int{},
	}
	s.routes = s.table()
	s.outbox.init(s)
	s.ghost = s.addAccount("ghost", "User")
	s.webflow = s.addAccount("web-flow", "User")
	s.emails["noreply@github.com"] = s.webflow
	return s
}

// SetBaseURL changes what links begin with, once the address is known.
func (s *Server) SetBaseURL(u string) {
	defer s.lock()()
	s.opt.BaseURL = strings.TrimSuffix(u, "/")
}

// BaseURL is what links begin with; the REST API is at BaseURL/api/v3.
func (s *Server) BaseURL() string {
	defer s.lock()()
	return s.opt.BaseURL
}

// SetFaults changes the habits from now on.
func (s *Server) SetFaults(f *Faults) {
	defer s.lock()()
	s.opt.Faults = f
	if f.ListingDelay == 0 {
		clear(s.lag)
	}
}

// lock takes the state and returns how to give it back; deliveries made
// meanwhile leave afterwards.
func (s *Server) lock() func() {
	s.mu.Lock()
	return func() {
		s.mu.Unlock()
		s.outbox.kick()
	}
}

// now is the server's clock in whole seconds, never running backwards.
func (s *Server) now() time.Time {
	t := s.opt.Now().UTC().Truncate(time.Second)
	if t.Before(s.last) {
		t = s.last
	}
	return t
}

// tokenNow is the clock of tokens.
func (s *Server) tokenNow() time.Time {
	if s.opt.TokenNow == nil {
		return s.now()
	}
	return s.opt.TokenNow().UTC().Truncate(time.Second)
}

// stamp is the time of a write.
func (s *Server) stamp() time.Time {
	t := s.now()
	if s.opt.Tick > 0 && !s.last.IsZero() && t.Before(s.last.Add(s.opt.Tick)) {
		t = s.last.Add(s.opt.Tick).Truncate(time.Second)
	}
	s.last = t
	return t
}

// next hands out ids; each kind counts for itself, so that runs repeat.
func (s *Server) next(kind string) int64 {
	if s.ids[kind] == 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(kind))
		s.ids[kind] = 1000 + int64(h.Sum32()%9)*1000
	}
	s.ids[kind]++
	return s.ids[kind]
}

func nodeID(prefix string, id int64) string {
	if prefix == "" {
		prefix = "U"
	}
	return prefix + "_kwDO" + strconv.FormatInt(id, 36)
}

func (s *Server) addAccount(login, kind string) *account {
	key := strings.ToLower(login)
	if _, taken := s.accounts[key]; taken {
		panic("fakegithub: account " + login + " exists")
	}
	a := &account{id: s.next("account"), login: login, kind: kind, name: login, members: map[int64]string{}}
	mail := fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, login)
	a.emails = []string{mail}
	s.emails[strings.ToLower(mail)] = a
	s.accounts[key] = a
	s.byID[a.id] = a
	s.nodes[a.nodeID()] = a
	return a
}

func (s *Server) account(login string) *account {
	if a := s.accounts[strings.ToLower(login)]; a != nil && !a.gone {
		return a
	}
	panic("fakegithub: no account " + login)
}

// find looks a repository up by its present or former name.
func (s *Server) find(owner, name string) *repo {
	full := strings.ToLower(owner + "/" + name)
	for _, r := range s.repos {
		if !r.gone && strings.ToLower(r.full()) == full {
			return r
		}
	}
	for _, r := range s.repos {
		for _, f := range r.former {
			if !r.gone && strings.ToLower(f) == full {
				return r
			}
		}
	}
	return nil
}
