package webhook

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// Us is who we are at GitHub, by numeric id.
type Us struct {
	App int64 // our App, on check runs and suites
	// Bot is our App's account, the sender of what we did ourselves. 0 masks
	// nothing, which costs looks and changes no result.
	Bot int64
}

// Add is a key to be looked at and, where GitHub cannot be asked again, what
// was said: the JSON of an Asked.
type Add struct {
	Key     queue.Key
	Payload []byte
	// Settles: more events about the same are on their way, and one look a moment
	// later serves them all.
	Settles bool
}

// ErrMalformed is a payload that is proven to be GitHub's and yet has not what
// its event must have.
var ErrMalformed = errors.New("malformed payload")

// row reduces the actions of one event to keys.
type row struct {
	event   string
	actions string // by spaces; "" is an event without actions
	keys    func(*delivery) []queue.Key
	// ours is what becomes of an event that our own bot caused.
	ours echo
	// asks keeps what was asked for with the key: it is nowhere at GitHub.
	asks bool
}

type echo bool

const (
	// masked: the look that wrote it knew what it wrote.
	masked echo = false
	// looked: a new head or a merge of ours is judged as anybody's.
	looked echo = true
)

// table is every event that causes a look. What is not in it is answered 202
// and forgotten.
var table = []row{
	{"pull_request", "opened reopened synchronize closed", pullRequest, looked, false},
	{"pull_request", "ready_for_review converted_to_draft", pullRequest, masked, false},
	{"pull_request", "edited", retargeted, masked, false},
	{"pull_request_review", "submitted edited dismissed", pullRequest, masked, false},
	{"issue_comment", "created edited deleted", comment, masked, false},
	{"issues", "closed reopened edited deleted transferred", ownIssue, masked, false},
	{"check_run", "rerequested requested_action", ownCheckRun, masked, true},
	{"check_suite", "rerequested", ownCheckSuite, masked, true},
	{"merge_group", "checks_requested", mergeGroup, looked, false},

	{"push", "", branchOrTag, looked, false},
	{"create", "", tag, looked, false},
	{"delete", "", tag, looked, false},
	{"release", "published unpublished edited released prereleased deleted", repository, masked, false},
	{"workflow_run", "requested completed", dispatchedRun, looked, false},
	{"deployment_protection_rule", "requested", repository, looked, false},
	{"deployment_status", "created", pilotDeployment, masked, false},
	{"repository", "renamed transferred deleted archived unarchived edited", repository, looked, false},

	{"installation", "created deleted suspend unsuspend new_permissions_accepted", installation, looked, false},
	{"installation_repositories", "added removed", installation, looked, false},
	{"membership", "added removed", installation, looked, false},
	{"team", "created deleted edited added_to_repository removed_from_repository", installation, looked, false},
}

// Events names the events of the table, sorted: what the App subscribes to.
func Events() []string {
	var events []string
	for _, r := range table {
		events = append(events, r.event)
	}
	slices.Sort(events)
	return slices.Compact(events)
}

// label is an event's name where it is one of ours, so that nobody can make
// metric labels up.
func label(event string) string {
	if event == "ping" || slices.ContainsFunc(table, func(r row) bool { return r.event == event }) {
		return event
	}
	return "other"
}

// maxKeys caps the keys of one delivery; with more, the repository is looked
// at as a whole.
const maxKeys = 100

// Keys reduces a proven delivery to what is to be looked at. Where that is
// nothing, why says so in a word: "ignored" or "echo". The error is an
// ErrMalformed.
func Keys(event string, payload []byte, us Us) (adds []Add, why string, err error) {
	if !slices.Contains(Events(), event) {
		return nil, "ignored", nil
	}
	d := &delivery{us: us}
	if err := json.Unmarshal(payload, d); err != nil {
		return nil, "", fmt.Errorf("%w: %s is no JSON object as documented", ErrMalformed, event)
	}
	i := slices.IndexFunc(table, func(r row) bool {
		return r.event == event && (r.actions == "" || slices.Contains(strings.Fields(r.actions), d.Action))
	})
	if i < 0 {
		return nil, "ignored", nil
	}
	r := table[i]
	if r.ours == masked && us.Bot != 0 && d.Sender.ID == us.Bot {
		return nil, "echo", nil
	}
	found := r.keys(d)
	if len(found) > maxKeys {
		found = repository(d)
	}
	var asked []byte
	if r.asks {
		asked = d.asked(event)
	}
	for _, k := range found {
		if err := valid(k); err != nil {
			return nil, "", fmt.Errorf("%w: %s: %w", ErrMalformed, event, err)
		}
		adds = append(adds, Add{Key: k, Payload: asked, Settles: event == "push" && !d.governs()})
	}
	if len(adds) == 0 {
		return nil, "ignored", nil
	}
	return adds, "", nil
}

// valid holds a key to what its kind needs beyond what a queue asks.
func valid(k queue.Key) error {
	if err := k.Validate(); err != nil {
		return err
	}
	if k.Kind != queue.KindInstallation && k.Repository == 0 {
		return errors.New("no repository id")
	}
	switch k.Kind {
	case queue.KindPullRequest:
		if n, err := strconv.ParseInt(k.ID, 10, 64); err != nil || n <= 0 {
			return errors.New("no pull request number")
		}
	case queue.KindGroup:
		head, base, _ := strings.Cut(k.ID, "/")
		if sha, err := hex.DecodeString(head); err != nil || len(sha) < 20 || base == "" {
			return errors.New("no merge group's head and base")
		}
	}
	return nil
}

// delivery is what the table reads of payloads. Fields are named as GitHub
// documents them; the rest of a payload is not kept.
type delivery struct {
	us Us

	Action       string `json:"action"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	Repository struct {
		ID            int64  `json:"id"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	Sender account `json:"sender"`

	PullRequest struct {
		Number int64 `json:"number"`
	} `json:"pull_request"`
	Issue struct {
		Number      int64     `json:"number"`
		User        account   `json:"user"`
		PullRequest *struct{} `json:"pull_request"`
	} `json:"issue"`
	Comment struct {
		Body string  `json:"body"`
		User account `json:"user"`
	} `json:"comment"`
	Changes struct {
		Body struct {
			From *string `json:"from"`
		} `json:"body"`
		Title *struct{} `json:"title"`
		Base  *struct{} `json:"base"`
	} `json:"changes"`
	Commits []struct {
		Added    []string `json:"added"`
		Modified []string `json:"modified"`
		Removed  []string `json:"removed"`
	} `json:"commits"`
	CheckRun        check `json:"check_run"`
	CheckSuite      check `json:"check_suite"`
	RequestedAction struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`
	MergeGroup struct {
		HeadSHA string `json:"head_sha"`
		BaseRef string `json:"base_ref"`
	} `json:"merge_group"`
	Ref         string `json:"ref"`
	RefType     string `json:"ref_type"`
	WorkflowRun struct {
		Event   string `json:"event"`
		Title   string `json:"display_title"`
		Attempt int    `json:"run_attempt"`
	} `json:"workflow_run"`
	Deployment struct {
		Environment string `json:"environment"`
	} `json:"deployment"`
}

type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// check is a check run or a check suite.
type check struct {
	ID      int64  `json:"id"`
	HeadSHA string `json:"head_sha"`
	App     struct {
		ID int64 `json:"id"`
	} `json:"app"`
	PullRequests []struct {
		Number int64 `json:"number"`
		Base   struct {
			Repo struct {
				ID int64 `json:"id"`
			} `json:"repo"`
		} `json:"base"`
	} `json:"pull_requests"`
}

func (d *delivery) key(kind, id string) queue.Key {
	return queue.Key{Installation: d.Installation.ID, Repository: d.Repository.ID, Kind: kind, ID: id}
}

func (d *delivery) pull(number int64) queue.Key {
	return d.key(queue.KindPullRequest, strconv.FormatInt(number, 10))
}

func repository(d *delivery) []queue.Key {
	return []queue.Key{d.key(queue.KindRepository, "")}
}

func installation(d *delivery) []queue.Key {
	return []queue.Key{{Installation: d.Installation.ID, Kind: queue.KindInstallation}}
}

// pullRequest is enough after a merge, too: the request hands over to its pilot,
// and what else the base branch got, the push tells.
func pullRequest(d *delivery) []queue.Key { return []queue.Key{d.pull(d.PullRequest.Number)} }

// retargeted passes over a new title or description: no verdict depends on them.
func retargeted(d *delivery) []queue.Key {
	if c := d.Changes; c.Base == nil && (c.Title != nil || c.Body.From != nil) {
		return nil
	}
	return pullRequest(d)
}

// comment looks at commands, also those that an edit or a deletion took away,
// and at our own comment in other people's hands. Chat is nobody's business.
func comment(d *delivery) []queue.Key {
	ours := d.us.Bot != 0 && d.Comment.User.ID == d.us.Bot
	if !ours && !mayCommand(d.Comment.Body) && !mayCommand(text(d.Changes.Body.From)) {
		return nil
	}
	if d.Issue.PullRequest == nil { // an incident's issue
		return repository(d)
	}
	return []queue.Key{d.pull(d.Issue.Number)}
}

// ownIssue looks where somebody closes or edits an issue of ours: an incident's
// stays open until it is over. Other people's issues are nobody's business.
func ownIssue(d *delivery) []queue.Key {
	if d.us.Bot == 0 || d.Issue.User.ID != d.us.Bot {
		return nil
	}
	return repository(d)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// mayCommand errs on the side of a look: whether it is a command, the look says.
func mayCommand(body string) bool { return strings.Contains(body, "/pilot") }

func ownCheckRun(d *delivery) []queue.Key   { return d.ofCheck(d.CheckRun) }
func ownCheckSuite(d *delivery) []queue.Key { return d.ofCheck(d.CheckSuite) }

// ofCheck is nothing for the checks of other Apps. A pull request from a fork
// is not listed with its checks, and one into another repository is; the
// repository's look finds the subject of the check by its id.
func (d *delivery) ofCheck(c check) []queue.Key {
	if d.us.App == 0 || c.App.ID != d.us.App {
		return nil
	}
	var keys []queue.Key
	for _, p := range c.PullRequests {
		if p.Base.Repo.ID == d.Repository.ID {
			keys = append(keys, d.pull(p.Number))
		}
	}
	if len(keys) == 0 {
		return repository(d)
	}
	return keys
}

// mergeGroup's key is the group's commit and the branch that it is for: both
// stay true when the queue has moved on.
func mergeGroup(d *delivery) []queue.Key {
	return []queue.Key{d.key(queue.KindGroup, d.MergeGroup.HeadSHA+"/"+strings.TrimPrefix(d.MergeGroup.BaseRef, "refs/heads/"))}
}

// branchOrTag passes over pushes to other branches than the default one: a
// pull request's own come as "synchronize". A tag that moves is a release that does.
func branchOrTag(d *delivery) []queue.Key {
	if d.Ref != "refs/heads/"+d.Repository.DefaultBranch && !strings.HasPrefix(d.Ref, "refs/tags/") {
		return nil
	}
	return repository(d)
}

// governs tells whether a push may change policy or roles, which people wait for.
func (d *delivery) governs() bool {
	for _, c := range d.Commits {
		for _, path := range slices.Concat(c.Added, c.Modified, c.Removed) {
			if strings.HasPrefix(path, ".github/") {
				return true
			}
		}
	}
	return false
}

func tag(d *delivery) []queue.Key {
	if d.RefType != "tag" {
		return nil
	}
	return repository(d)
}

// dispatchedRun passes over runs that a push or a pull request started: pilots
// are trained by dispatched runs, and measured by those and by scheduled ones.
// That a run is there which confirms a dry run is no news to us, who have just
// started it; how it ends is.
func dispatchedRun(d *delivery) []queue.Key {
	confirms := d.us.Bot != 0 && d.Sender.ID == d.us.Bot && d.WorkflowRun.Attempt == 1 && strings.Contains(d.WorkflowRun.Title, " confirm-")
	switch {
	case confirms && d.Action == "requested":
		return nil
	case d.WorkflowRun.Event == "workflow_dispatch", d.WorkflowRun.Event == "schedule" && d.Action == "completed":
		return repository(d)
	}
	return nil
}

// pilotDeployment passes over the environments that have nothing to do with pilots.
func pilotDeployment(d *delivery) []queue.Key {
	if !strings.HasPrefix(d.Deployment.Environment, "pilot") {
		return nil
	}
	return repository(d)
}
