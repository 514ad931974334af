package fakegithub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// GitHub's limits on a check run, in characters and counts.
const (
	maxAnnotations = 50
	maxActions     = 3
	maxSummary     = 65535
)

// CheckView is a check run as it is now.
type CheckView struct {
	ID                     int64
	App                    string // slug
	Name, Head, ExternalID string
	Status, Conclusion     string
	Title, Summary, Text   string
	DetailsURL             string
	Annotations            []AnnotationView
	Actions                []string // identifiers
	StartedAt, CompletedAt time.Time
}

// AnnotationView is one annotation.
type AnnotationView struct {
	Path                  string
	StartLine, EndLine    int
	Level, Title, Message string
}

// CheckRuns lists every run at a commit, oldest first.
func (r *Repo) CheckRuns(head string) []CheckView {
	defer r.s.lock()()
	var out []CheckView
	for _, c := range r.r.runs {
		if head != "" && c.head != head {
			continue
		}
		v := CheckView{
			ID: c.id, App: c.app.slug, Name: c.name, Head: c.head, ExternalID: c.externalID, Status: c.status, Conclusion: c.conclusion, Title: c.title,
			Summary: c.summary, Text: c.text, DetailsURL: c.detailsURL, StartedAt: c.started, CompletedAt: c.completed,
		}
		for _, a := range c.annotations {
			v.Annotations = append(v.Annotations, AnnotationView{a.Path, a.StartLine, a.EndLine, a.Level, a.Title, a.Message})
		}
		for _, a := range c.actions {
			v.Actions = append(v.Actions, a.Identifier)
		}
		out = append(out, v)
	}
	return out
}

// Check is the latest run of that name at a commit; ok is false without one.
func (r *Repo) Check(head, name string) (CheckView, bool) {
	for _, c := range slices.Backward(r.CheckRuns(head)) {
		if c.Name == name {
			return c, true
		}
	}
	return CheckView{}, false
}

// Rerequest is the "Re-run" of a check run.
func (r *Repo) Rerequest(by string, id int64) {
	defer r.s.lock()()
	if run := r.r.run(id); run != nil {
		r.s.rerequest(run, r.s.account(by))
	}
}

func (s *Server) rerequest(run *checkRun, by *account) {
	for _, in := range s.sortedInstallations() {
		if in.app == run.app && in.covers(run.repo) {
			s.emitTo(in, run.repo, "check_run", by, fields{"action": "rerequested", "check_run": s.showRun(run)})
		}
	}
}

// RerequestSuite is "Re-run all checks" of an App at a commit.
func (r *Repo) RerequestSuite(by string, a *App, head string) {
	defer r.s.lock()()
	su := r.s.suite(r.r, a.a, head, "")
	for _, in := range r.s.sortedInstallations() {
		if in.app == a.a && in.covers(r.r) {
			r.s.emitTo(in, r.r, "check_suite", r.s.account(by), fields{"action": "rerequested", "check_suite": r.s.showSuite(su)})
		}
	}
}

// ClickAction presses a button of a check run.
func (r *Repo) ClickAction(by string, id int64, identifier string) {
	defer r.s.lock()()
	run := r.r.run(id)
	if run == nil || !slices.ContainsFunc(run.actions, func(a action) bool { return a.Identifier == identifier }) {
		panic("fakegithub: the check run has no button " + identifier)
	}
	for _, in := range r.s.sortedInstallations() {
		if in.app == run.app && in.covers(run.repo) {
			r.s.emitTo(in, run.repo, "check_run", r.s.account(by), fields{
				"action": "requested_action", "check_run": r.s.showRun(run), "requested_action": fields{"identifier": identifier},
			})
		}
	}
}

func (r *repo) run(id int64) *checkRun {
	for _, c := range r.runs {
		if c.id == id {
			return c
		}
	}
	return nil
}

// suite finds or makes the suite of an App at a commit.
func (s *Server) suite(r *repo, a *app, head, branch string) *suite {
	key := fmt.Sprintf("%d@%s", a.id, head)
	su := r.suites[key]
	if su == nil {
		now := s.now()
		su = &suite{id: s.next("suite"), app: a, repo: r, head: head, branch: branch, created: now, updated: now}
		r.suites[key] = su
		s.nodes[su.nodeID()] = su
	}
	if su.branch == "" {
		for _, ref := range r.sortedRefs("refs/heads/") {
			if r.refs[ref] == head {
				su.branch = strings.TrimPrefix(ref, "refs/heads/")
			}
		}
	}
	return su
}

// requestSuites opens a suite for each App that writes checks.
func (s *Server) requestSuites(r *repo, branch, head string, by *account) {
	for _, in := range s.sortedInstallations() {
		if in.covers(r) && in.permissions["checks"] == "write" {
			su := s.suite(r, in.app, head, branch)
			s.emitTo(in, r, "check_suite", by, fields{"action": "requested", "check_suite": s.showSuite(su)})
		}
	}
}

func (s *Server) runsOf(su *suite) []*checkRun {
	var out []*checkRun
	for _, c := range su.repo.runs {
		if c.suite == su {
			out = append(out, c)
		}
	}
	return out
}

func (s *Server) suiteState(su *suite) (status, conclusion string) {
	status, conclusion = "queued", ""
	for _, c := range latestRuns(s.runsOf(su)) {
		if c.status != "completed" {
			return "in_progress", ""
		}
		status = "completed"
		if conclusion == "" || c.conclusion == "failure" {
			conclusion = c.conclusion
		}
	}
	return status, conclusion
}

// latestRuns keeps the newest run of each name.
func latestRuns(runs []*checkRun) []*checkRun {
	last := map[string]*checkRun{}
	for _, c := range runs {
		last[fmt.Sprint(c.app.id, c.name)] = c
	}
	return slices.DeleteFunc(slices.Clone(runs), func(c *checkRun) bool { return last[fmt.Sprint(c.app.id, c.name)] != c })
}

// pullsAt are the open pull requests of the repository itself whose head is at a commit.
func (s *Server) pullsAt(r *repo, head string) []fields {
	out := []fields{}
	for _, p := range s.openPulls() {
		if p.repo != r || p.headOID != head || p.headRepo != r {
			continue
		}
		side := func(ref, oid string) fields {
			return fields{"ref": ref, "sha": oid, "repo": fields{"id": r.id, "url": s.api("repos/" + r.full()), "name": r.name}}
		}
		out = append(out, fields{
			"id": p.id, "number": p.number, "url": s.api(fmt.Sprintf("repos/%s/pulls/%d", r.full(), p.number)),
			"head": side(p.headRef, p.headOID), "base": side(p.baseRef, p.baseOID),
		})
	}
	return out
}

func (s *Server) showSuite(su *suite) fields {
	u := s.api(fmt.Sprintf("repos/%s/check-suites/%d", su.repo.full(), su.id))
	status, conclusion := s.suiteState(su)
	f := fields{
		"id": su.id, "node_id": su.nodeID(), "head_branch": nil, "head_sha": su.head, "status": status, "conclusion": nil, "url": u,
		"before": zero, "after": su.head, "pull_requests": s.pullsAt(su.repo, su.head), "app": s.showApp(su.app), "repository": s.showRepo(su.repo),
		"created_at": stampOf(su.created), "updated_at": stampOf(su.updated), "latest_check_runs_count": len(latestRuns(s.runsOf(su))),
		"check_runs_url": u + "/check-runs", "rerequestable": true, "runs_rerequestable": true,
	}
	if conclusion != "" {
		f["conclusion"] = conclusion
	}
	if su.branch != "" {
		f["head_branch"] = su.branch
	}
	if c, ok := su.repo.git.commit(su.head); ok {
		f["head_commit"] = fields{
			"id": c.oid, "tree_id": c.tree, "message": c.message, "timestamp": c.committer.when.Format(time.RFC3339),
			"author":    fields{"name": c.author.name, "email": c.author.email},
			"committer": fields{"name": c.committer.name, "email": c.committer.email},
		}
	}
	return f
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (s *Server) showRun(c *checkRun) fields {
	u := s.api(fmt.Sprintf("repos/%s/check-runs/%d", c.repo.full(), c.id))
	return fields{
		"id": c.id, "node_id": c.nodeID(), "name": c.name, "head_sha": c.head, "external_id": c.externalID, "url": u, "html_url": s.runURL(c),
		"details_url": orNull(c.detailsURL), "status": c.status, "conclusion": orNull(c.conclusion), "started_at": stampOf(c.started),
		"completed_at": stampOf(c.completed), "check_suite": fields{"id": c.suite.id}, "app": s.showApp(c.app), "pull_requests": s.pullsAt(c.repo, c.head),
		"output": fields{
			"title": orNull(c.title), "summary": orNull(c.summary), "text": orNull(c.text), "annotations_count": len(c.annotations), "annotations_url": u + "/annotations",
		},
	}
}

func (s *Server) runURL(c *checkRun) string {
	return s.html(fmt.Sprintf("%s/runs/%d", c.repo.full(), c.id))
}

// runInput is what creates or updates a check run, by REST and by GraphQL.
type runInput struct {
	Name        *string    `json:"name"`
	HeadSHA     string     `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      *string    `json:"status"`
	StartedAt   *time.Time `json:"started_at"`
	Conclusion  *string    `json:"conclusion"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *runOutput `json:"output"`
	Actions     *[]action  `json:"actions"`
}

type runOutput struct {
	Title       *string      `json:"title"`
	Summary     *string      `json:"summary"`
	Text        *string      `json:"text"`
	Annotations []annotation `json:"annotations"`
}

var conclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}

func tooLong(what string, n int) *failure {
	return invalid("CheckRun", what, "custom", fmt.Sprintf("%s is too long (maximum is %d characters)", what, n))
}

func runes(s *string) int {
	if s == nil {
		return 0
	}
	return len([]rune(*s))
}

func (q *runInput) check(creating bool) *failure {
	switch {
	case creating && (q.Name == nil || *q.Name == ""):
		return invalid("CheckRun", "name", "missing_field", "")
	case q.Status != nil && !slices.Contains([]string{"queued", "in_progress", "completed"}, *q.Status):
		return invalid("CheckRun", "status", "invalid", "")
	case q.Conclusion != nil && !slices.Contains(conclusions, *q.Conclusion):
		return invalid("CheckRun", "conclusion", "invalid", "")
	case q.Status != nil && *q.Status == "completed" && q.Conclusion == nil:
		return invalid("CheckRun", "conclusion", "missing_field", "")
	case runes(q.ExternalID) > 1024:
		return tooLong("external_id", 1024)
	}
	if q.Actions != nil {
		if len(*q.Actions) > maxActions {
			return invalid("CheckRun", "actions", "custom", "actions exceeds a maximum of 3")
		}
		for _, a := range *q.Actions {
			if n := runes(&a.Label); n == 0 || n > 20 {
				return tooLong("label", 20)
			}
			if n := runes(&a.Description); n == 0 || n > 40 {
				return tooLong("description", 40)
			}
			if n := runes(&a.Identifier); n == 0 || n > 20 {
				return tooLong("identifier", 20)
			}
		}
	}
	if o := q.Output; o != nil {
		switch {
		case o.Summary == nil || (creating && o.Title == nil):
			return invalid("CheckRun", "output", "missing_field", "title and summary are required")
		case runes(o.Summary) > maxSummary:
			return tooLong("summary", maxSummary)
		case runes(o.Text) > maxSummary:
			return tooLong("text", maxSummary)
		case len(o.Annotations) > maxAnnotations:
			return invalid("CheckRun", "annotations", "custom", "annotations exceeds a maximum of 50")
		}
		for _, a := range o.Annotations {
			switch {
			case a.Path == "" || a.Message == "" || a.StartLine < 1 || a.EndLine < a.StartLine:
				return invalid("CheckRun", "annotations", "invalid", "path, lines and message are required")
			case !slices.Contains([]string{"notice", "warning", "failure"}, a.Level):
				return invalid("CheckRun", "annotations", "invalid", "annotation_level")
			case (a.StartColumn != nil || a.EndColumn != nil) && a.StartLine != a.EndLine:
				return invalid("CheckRun", "annotations", "custom", "columns are allowed on a single line only")
			case len(a.Message) > 64<<10:
				return tooLong("message", 64<<10)
			case runes(&a.Title) > 255:
				return tooLong("title", 255)
			}
		}
	}
	return nil
}

func (s *Server) createRun(r *repo, a *app, q *runInput) (*checkRun, *failure) {
	if f := q.check(true); f != nil {
		return nil, f
	}
	if _, ok := r.git.commit(q.HeadSHA); !ok {
		return nil, unprocessable("No commit found for SHA: " + q.HeadSHA)
	}
	su := s.suite(r, a, q.HeadSHA, "")
	now := s.stamp()
	c := &checkRun{id: s.next("check"), suite: su, repo: r, app: a, head: q.HeadSHA, status: "queued", created: now, started: now}
	q.fill(c, now)
	r.runs = append(r.runs, c)
	s.nodes[c.nodeID()] = c
	su.updated = now
	s.told(c, "created")
	return c, nil
}

func (s *Server) updateRun(c *checkRun, q *runInput) *failure {
	if f := q.check(false); f != nil {
		return f
	}
	was := c.status
	q.fill(c, s.stamp())
	c.suite.updated = s.now()
	act := "updated"
	if was != "completed" && c.status == "completed" {
		act = "completed"
	}
	s.told(c, act)
	return nil
}

// told writes history and webhooks of a run that was written.
func (s *Server) told(c *checkRun, act string) {
	s.tell(c.repo, "check_run", c.app.bot.login, fields{
		"id": c.id, "action": act, "name": c.name, "head": c.head, "external_id": c.externalID, "status": c.status, "conclusion": c.conclusion,
		"app": c.app.id, "completed_at": c.completed,
	})
	hook := act
	if act == "updated" {
		hook = "" // GitHub tells of created and completed runs only
	} else if c.status == "completed" {
		hook = "completed"
	}
	if act == "created" {
		s.emit(c.repo, "check_run", c.app.bot, fields{"action": "created", "check_run": s.showRun(c)})
	}
	if hook == "completed" {
		s.emit(c.repo, "check_run", c.app.bot, fields{"action": "completed", "check_run": s.showRun(c)})
		if status, _ := s.suiteState(c.suite); status == "completed" {
			s.emit(c.repo, "check_suite", c.app.bot, fields{"action": "completed", "check_suite": s.showSuite(c.suite)})
		}
	}
	if c.status == "completed" {
		s.tryAutoMerge()
	}
}

func (q *runInput) fill(c *checkRun, now time.Time) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&c.name, q.Name)
	set(&c.detailsURL, q.DetailsURL)
	set(&c.externalID, q.ExternalID)
	set(&c.status, q.Status)
	if q.StartedAt != nil {
		c.started = q.StartedAt.UTC().Truncate(time.Second)
	}
	switch {
	case q.Conclusion != nil:
		c.status, c.conclusion, c.completed = "completed", *q.Conclusion, now
	case q.Status != nil && *q.Status != "completed":
		c.conclusion, c.completed = "", time.Time{}
	}
	if q.CompletedAt != nil && c.status == "completed" {
		c.completed = q.CompletedAt.UTC().Truncate(time.Second)
	}
	if q.Output != nil {
		set(&c.title, q.Output.Title)
		set(&c.summary, q.Output.Summary)
		set(&c.text, q.Output.Text)
		c.annotations = append(c.annotations, q.Output.Annotations...) // an update appends
	}
	if q.Actions != nil {
		c.actions = *q.Actions
	}
}

// SetStatus writes a commit status as a person, the older kind of check.
func (r *Repo) SetStatus(by, head, context, state string) {
	defer r.s.lock()()
	r.r.statuses = append(r.r.statuses, &commitStatus{id: r.s.next("status"), head: head, context: context, state: state, by: r.s.account(by), at: r.s.stamp()})
}
