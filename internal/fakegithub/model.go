package fakegithub

import "time"

// account is a user, a bot or an organisation.
type account struct {
	id     int64
	login  string
	kind   string // User, Bot, Organization
	name   string
	emails []string
	gone   bool // deleted: shown as ghost
	// members of an organisation: login -> admin, member or pending.
	members map[int64]string
}

func (a *account) nodeID() string {
	return nodeID(map[string]string{"Bot": "BOT", "Organization": "O"}[a.kind], a.id)
}

// team of an organisation. members: user id -> member, maintainer or pending.
type team struct {
	id           int64
	org          *account
	slug, name   string
	secret       bool
	parent       *team
	members      map[int64]string
	repositories map[int64]string // repository id -> permission
}

func (t *team) nodeID() string { return nodeID("T", t.id) }

// app is a GitHub App's registration.
type app struct {
	id         int64
	slug, name string
	bot        *account
	spec       AppSpec
	created    time.Time
}

// installation is an App on an account.
type installation struct {
	id          int64
	app         *app
	target      *account
	permissions map[string]string
	events      []string
	all         bool
	repos       map[int64]bool
	suspended   time.Time
	gone        bool
	created     time.Time
	rate        *rate
}

// repo is a repository. Forks share the store of their network.
type repo struct {
	id            int64
	owner         *account
	name          string
	private       bool
	gone          bool
	defaultBranch string
	parent        *repo
	git           *store
	refs          map[string]string // "refs/heads/main" -> commit id
	collaborators map[int64]string  // read, write, admin; "pending-write" is an invitation
	former        []string          // "owner/name" it had before
	created       time.Time
	pushed        time.Time

	number       int // last issue or pull request number
	issues       map[int]*issue
	comments     map[int64]*comment
	suites       map[string]*suite // by head and app
	runs         []*checkRun
	statuses     []*commitStatus
	protection   map[string]*Protection
	rulesets     []*Ruleset
	activity     []*activity
	environments map[string]*environment
	deployments  []*deployment
	releases     []*release
	workflows    []*workflow
	workflowRuns []*workflowRun
	artifacts    []*artifact
	labels       []*label
	autoMerge    bool
	treeLimit    int
}

func (r *repo) full() string   { return r.owner.login + "/" + r.name }
func (r *repo) nodeID() string { return nodeID("R", r.id) }
func (r *repo) tip(branch string) string {
	return r.refs["refs/heads/"+branch]
}

type label struct {
	id   int64
	name string
}

// issue is an issue; with pull set it is a pull request.
type issue struct {
	repo      *repo
	id        int64
	number    int
	title     string
	body      string
	author    *account
	via       *app // the App that made it
	state     string
	reason    string
	created   time.Time
	updated   time.Time
	closed    time.Time
	closedBy  *account
	labels    []*label
	assignees []*account
	comments  []*comment
	reactions []*reaction
	events    []*event
	edited    time.Time
	pull      *pull
}

func (i *issue) nodeID() string {
	if i.pull != nil {
		return nodeID("PR", i.pull.id)
	}
	return nodeID("I", i.id)
}

// pull is the part of a pull request that an issue has not.
type pull struct {
	*issue
	id          int64
	draft       bool
	baseRef     string
	baseOID     string // base's tip when head or base last changed
	headRepo    *repo  // nil: the fork is gone
	headRef     string
	headOID     string
	mergeBase   string // frozen at the merge
	merged      bool
	mergedAt    time.Time
	mergedBy    *account
	mergeCommit string
	rebased     []string // what a rebase made of its commits
	reviews     []*review
	notes       []*reviewComment
	users       []*account // requested
	teams       []*team
	auto        string // merge method once allowed
	autoBy      *account
	queued      bool
}

// comment is a comment on an issue or pull request.
type comment struct {
	issue     *issue
	id        int64
	author    *account
	via       *app
	body      string
	created   time.Time
	updated   time.Time
	edited    time.Time
	editor    *account
	minimized string
	reactions []*reaction
}

func (c *comment) nodeID() string { return nodeID("IC", c.id) }

type reaction struct {
	id      int64
	user    *account
	content string // as REST spells it: +1, eyes, ...
	created time.Time
}

type review struct {
	pull        *pull
	id          int64
	author      *account
	via         *app
	state       string // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING
	was         string // before a dismissal
	body        string
	commit      string // re-bound by GitHub after a patch-identical force-push
	given       string // the head the person looked at; never changes
	submitted   time.Time
	updated     time.Time
	edited      time.Time
	association string
}

func (r *review) nodeID() string { return nodeID("PRR", r.id) }

// reviewComment is a comment on a line.
type reviewComment struct {
	id          int64
	review      *review
	path, body  string
	line, start int
	side        string
	commit      string
	created     time.Time
	author      *account
}

// event is an entry of a timeline.
type event struct {
	id     int64
	kind   string // REST's name: head_ref_force_pushed, review_requested, ...
	actor  *account
	via    *app
	at     time.Time
	user   *account
	team   *team
	review *review
	commit string
	before string
	label  string
	text   string
	from   string
	to     string
}

// suite groups an App's runs at one commit.
type suite struct {
	id      int64
	app     *app
	repo    *repo
	head    string
	branch  string
	created time.Time
	updated time.Time
}

func (s *suite) nodeID() string { return nodeID("CS", s.id) }

type checkRun struct {
	id          int64
	suite       *suite
	repo        *repo
	app         *app
	name        string
	head        string
	externalID  string
	detailsURL  string
	status      string // queued, in_progress, completed
	conclusion  string
	started     time.Time
	completed   time.Time
	created     time.Time
	title       string
	summary     string
	text        string
	annotations []annotation
	actions     []action
}

func (c *checkRun) nodeID() string { return nodeID("CR", c.id) }

type annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn *int   `json:"start_column"`
	EndColumn   *int   `json:"end_column"`
	Level       string `json:"annotation_level"`
	Message     string `json:"message"`
	Title       string `json:"title"`
	RawDetails  string `json:"raw_details"`
}

type action struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

type commitStatus struct {
	id             int64
	head           string
	context, state string
	description    string
	url            string
	by             *account
	at             time.Time
}

// activity is an entry of the repository's push log.
type activity struct {
	id            int64
	ref           string
	before, after string
	kind          string // push, force_push, branch_creation, branch_deletion, pr_merge
	actor         *account
	at            time.Time
}
