// Package oracle says once more, as plainly as it can, which pilots may be
// signed off, and so judges the program from outside.
//
// It reads what happened at GitHub: an audit log, with git beside it. It must
// not import anything of the program, nor any library: what two restatements of
// the rules have in common would be wrong in both. It knows no digests, no
// snapshots and no caches; it compares files with files and counts events. Where
// the rules leave room it refuses nothing, so what it refuses is wrong.
//
// It judges stories of the sample repository and takes the words of its files as
// they stand there; it is no reader of policies and plans in general.
package oracle

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Event is one entry of GitHub's history.
type Event struct {
	At    time.Time      `json:"at"`
	Kind  string         `json:"kind"`
	Actor string         `json:"actor"`
	Data  map[string]any `json:"data"`
}

func (e Event) text(key string) string { s, _ := e.Data[key].(string); return s }
func (e Event) number(key string) int  { f, _ := e.Data[key].(float64); return int(f) }
func (e Event) is(key string) bool     { b, _ := e.Data[key].(bool); return b }

func (e Event) texts(key string) []string {
	var out []string
	list, _ := e.Data[key].([]any)
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// World is one repository's history.
type World struct {
	Events []Event
	// Bot is the login under which the program acts.
	Bot string
	// File reads a file of a commit; "" where there is none.
	File func(commit, path string) string

	commits map[string]Event
}

// Read takes a history as JSON: a list of events, oldest first.
func Read(history []byte, bot string, file func(commit, path string) string) (*World, error) {
	w := &World{Bot: bot, File: file, commits: map[string]Event{}}
	if err := json.Unmarshal(history, &w.Events); err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	for _, e := range w.Events {
		if e.Kind == "commit" {
			w.commits[e.text("oid")] = e
		}
	}
	return w, nil
}

const (
	mainRef  = "refs/heads/main"
	check    = "pilot/approvals"
	policy   = ".github/pilotgate.yml"
	roleFile = ".github/PILOT_APPROVERS"
	month    = 30 * 24 * time.Hour
)

// Signoff is one that the program recorded on the default branch.
type Signoff struct {
	Path string // of the evidence
	when int    // the event that brought it
	claim
}

// claim is what the evidence says; the signature around it is others' to check.
type claim struct {
	Pilot       string `json:"pilot"`
	PullRequest int    `json:"pull_request"`
	PlanPath    string `json:"plan_path"`
	Approvals   []struct {
		Login    string `json:"login"`
		Role     string `json:"role"`
		ReviewID int    `json:"review_id"`
	} `json:"approvals"`
}

// Signoffs are all that reached the default branch, in order.
func (w *World) Signoffs() ([]Signoff, error) {
	var out []Signoff
	seen := map[string]bool{}
	for i, e := range w.Events {
		if e.Kind != "push" || e.text("ref") != mainRef {
			continue
		}
		for _, p := range w.paths(e.text("after")) {
			if seen[p] || !strings.Contains(p, "/evidence/") || !strings.HasPrefix(path.Base(p), "signoff-") {
				continue
			}
			seen[p] = true
			s := Signoff{Path: p, when: i}
			var envelope struct {
				Payload []byte `json:"payload"`
			}
			var statement struct {
				Predicate *claim `json:"predicate"`
			}
			statement.Predicate = &s.claim
			if err := json.Unmarshal([]byte(w.File(e.text("after"), p)), &envelope); err != nil {
				return nil, fmt.Errorf("read %s: %w", p, err)
			}
			if err := json.Unmarshal(envelope.Payload, &statement); err != nil {
				return nil, fmt.Errorf("read %s: %w", p, err)
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// Refuse says what is wrong with a sign-off; nothing, if it may stand.
func (w *World) Refuse(s Signoff) []string {
	m := w.merge(s.PullRequest)
	if m < 0 || m > s.when {
		return []string{fmt.Sprintf("#%d was not merged before", s.PullRequest)}
	}
	wrong := w.request(s.PullRequest, m, s.PlanPath)
	filled := map[string]string{}
	for _, a := range s.Approvals {
		r := w.review(s.PullRequest, a.ReviewID, m)
		if r < 0 {
			wrong = append(wrong, fmt.Sprintf("the approval of %s is no review that came before the merge", a.Login))
			continue
		}
		if !strings.EqualFold(w.Events[r].Actor, a.Login) {
			wrong = append(wrong, fmt.Sprintf("review %d is not %s's", a.ReviewID, a.Login))
		}
		if !w.heldBetween(w.Events[r].Actor, a.Role, m, s.when) {
			wrong = append(wrong, fmt.Sprintf("%s is not in the role %s", a.Login, a.Role))
		}
		wrong = append(wrong, w.approval(r, s.PullRequest, m, s.PlanPath)...)
		filled[a.Role] = a.Login
	}
	lead, ops := filled["ML Lead"], filled["Operations Owner"]
	if lead == "" || ops == "" {
		wrong = append(wrong, "not both roles approved")
	}
	if lead != "" && lead == ops && !strings.Contains(w.File(w.mainBefore(m), policy), "distinct_people: false") {
		wrong = append(wrong, lead+" fills both roles")
	}
	for _, other := range w.earlier(s) {
		wrong = append(wrong, "the same was signed off before, by "+other)
	}
	wrong = append(wrong, w.forgotten(s.when)...)
	if w.File(w.mainBefore(s.when), s.PlanPath) == "" {
		wrong = append(wrong, "the plan was taken away before it was signed off")
	}
	return wrong
}

// earlier are sign-offs of the same request before this one.
func (w *World) earlier(s Signoff) []string {
	var out []string
	all, err := w.Signoffs()
	if err != nil {
		return []string{err.Error()}
	}
	for _, o := range all {
		if o.Path != s.Path && o.when <= s.when && o.PullRequest == s.PullRequest {
			out = append(out, o.Path)
		}
	}
	return out
}

// forgotten are rows that the program wrote before event i and that the log
// lacked then: it must not go on upon a log that somebody changed.
func (w *World) forgotten(i int) []string {
	const log = "docs/specs/epic_05/stage_05_03_signoff.md"
	var out []string
	before := strings.Split(w.File(w.mainBefore(i), log), "\n")
	for _, e := range w.Events[:i] {
		if e.Kind != "push" || e.text("ref") != mainRef || e.Actor != w.Bot {
			continue
		}
		had := strings.Split(w.File(e.text("before"), log), "\n")
		for _, row := range strings.Split(w.File(e.text("after"), log), "\n") {
			if !slices.Contains(had, row) && !slices.Contains(before, row) {
				out = append(out, "the log lacks a row that was written before: "+row)
			}
		}
	}
	return out
}

// Plain are the merged requests that must have been signed off: both roles
// filled, nothing against it, and merged while the check said so. plans names
// each request's plan.
func (w *World) Plain(plans map[int]string) []int {
	var out []int
	if len(w.forgotten(len(w.Events))) > 0 {
		return nil // nothing is signed off until somebody has mended the log
	}
	for n, plan := range plans {
		m := w.merge(n)
		if m < 0 || len(w.request(n, m, plan)) > 0 || w.File(w.mainBefore(len(w.Events)), plan) == "" {
			continue
		}
		var leads, ops []string
		for r, e := range w.Events[:m] {
			if e.Kind != "review" || e.number("number") != n || len(w.approval(r, n, m, plan)) > 0 {
				continue
			}
			// The program may look at any time after the merge.
			if w.heldThroughout(e.Actor, "ML Lead", m) {
				leads = append(leads, e.Actor)
			}
			if w.heldThroughout(e.Actor, "Operations Owner", m) {
				ops = append(ops, e.Actor)
			}
		}
		if slices.ContainsFunc(leads, func(a string) bool { return slices.ContainsFunc(ops, func(b string) bool { return a != b }) }) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
