package oracle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// request says what is wrong with a request that was merged by event m, whoever
// approved it.
func (w *World) request(n, m int, plan string) []string {
	var wrong []string
	e := w.Events[m]
	base := w.mainBefore(m)
	if e.text("base_ref") != "main" {
		wrong = append(wrong, "merged into "+e.text("base_ref"))
	}
	law := w.File(base, policy)
	if strings.Contains(law, "enforcement: observe") {
		wrong = append(wrong, "the policy only observes")
	}
	if !w.green(e.text("head"), m) {
		wrong = append(wrong, "the required check had not succeeded")
	}
	text := w.File(e.text("commit"), plan)
	if text == "" {
		wrong = append(wrong, "there is no plan in what was merged")
	}
	for _, field := range []string{"- Seed:", "- Learning rate:", "- Dataset:", "- Rollback target:", "- Target release:"} {
		if !strings.Contains(text, field) && !(field == "- Seed:" && w.overridden(n, m, plan)) {
			wrong = append(wrong, "the plan says nothing of "+field)
		}
	}
	for _, file := range named(text) {
		if strings.HasSuffix(file, ".jsonl") {
			sum := sha256.Sum256([]byte(w.File(e.text("commit"), file)))
			if !strings.Contains(text, hex.EncodeToString(sum[:])) {
				wrong = append(wrong, "the plan names another hash than that of "+file)
			}
		}
	}
	for who, state := range w.verdicts(n, m) {
		if state == "CHANGES_REQUESTED" && (w.holds(who, "ML Lead", m) || w.holds(who, "Operations Owner", m)) {
			wrong = append(wrong, who+" requests changes")
		}
	}
	for _, c := range w.commitsOf(e.text("head"), base) {
		if w.touches(c) && (c.text("author") == "" || c.text("committer") == "" || slices.Contains(c.texts("co_authors"), "")) {
			wrong = append(wrong, "commit "+c.text("oid")+" is nobody's")
		}
	}
	return wrong
}

// approval says why review r does not count for request n, merged by event m.
func (w *World) approval(r, n, m int, plan string) []string {
	var wrong []string
	e, merged := w.Events[r], w.Events[m]
	who := e.Actor
	no := func(format string, args ...any) {
		wrong = append(wrong, who+" "+fmt.Sprintf(format, args...))
	}
	if e.text("state") != "APPROVED" || !w.latest(r, n, m) {
		no("has no standing approval")
	}
	if e.text("type") != "User" {
		no("is no person")
	}
	if merged.At.Sub(e.At) > month {
		no("approved longer than a month before the merge")
	}
	if why := w.contributed(who, n, m, plan); why != "" {
		no("%s", why)
	}
	seen := e.text("commit")
	if !w.published(seen, r) {
		no("approved before anything was published at %s", seen)
	}
	if !maps.Equal(w.subject(seen, plan), w.subject(merged.text("commit"), plan)) {
		no("saw other files than were merged")
	}
	if !slices.Contains(w.laws(seen, r), bands(w.File(w.mainBefore(m), policy))) {
		no("saw other bands")
	}
	return wrong
}

// overridden tells whether two people, one of each role, let failed checks of
// request n pass in the three days before event m. They name a digest, of which
// nothing is known here.
func (w *World) overridden(n, m int, plan string) bool {
	edited := map[int]bool{}
	for _, e := range w.Events[:m] {
		if (e.Kind == "comment_edited" || e.Kind == "comment_deleted") && e.number("number") == n {
			edited[e.number("id")] = true
		}
	}
	in := map[string][]string{}
	for i, e := range w.Events[:m] {
		if e.Kind != "comment" || e.number("number") != n || edited[e.number("id")] || e.text("type") != "User" ||
			!strings.HasPrefix(e.text("body"), "/pilot override ") || w.Events[m].At.Sub(e.At) > 3*24*time.Hour || w.contributed(e.Actor, n, m, plan) != "" {
			continue
		}
		for _, role := range []string{"ML Lead", "Operations Owner"} {
			if w.heldBetween(e.Actor, role, i, m) {
				in[role] = append(in[role], e.Actor)
			}
		}
	}
	return slices.ContainsFunc(in["ML Lead"], func(a string) bool {
		return slices.ContainsFunc(in["Operations Owner"], func(b string) bool { return a != b })
	})
}

// merge is the event that merged request n, or -1.
func (w *World) merge(n int) int {
	return slices.IndexFunc(w.Events, func(e Event) bool { return e.Kind == "merge" && e.number("number") == n })
}

// review is the event of a review of request n before event m, or -1.
func (w *World) review(n, id, m int) int {
	return slices.IndexFunc(w.Events[:m], func(e Event) bool {
		return e.Kind == "review" && e.number("number") == n && e.number("id") == id
	})
}

// mainBefore is the default branch's tip before event i.
func (w *World) mainBefore(i int) string {
	tip := ""
	for _, e := range w.Events[:i] {
		if e.Kind == "push" && e.text("ref") == mainRef {
			tip = e.text("after")
		}
	}
	return tip
}

// green tells whether the last that the program said of a commit before event m
// is success.
func (w *World) green(head string, m int) bool {
	ok := false
	for _, e := range w.Events[:m] {
		if w.ours(e, head) {
			ok = e.text("status") == "completed" && strings.EqualFold(e.text("conclusion"), "success")
		}
	}
	return ok
}

// published tells whether the program had said anything of a commit before event i.
func (w *World) published(head string, i int) bool {
	return slices.ContainsFunc(w.Events[:i], func(e Event) bool { return w.ours(e, head) })
}

func (w *World) ours(e Event, head string) bool {
	return e.Kind == "check_run" && e.Actor == w.Bot && e.text("name") == check && e.text("head") == head
}

// verdicts are what each person said last of request n before event m:
// APPROVED, CHANGES_REQUESTED or DISMISSED.
func (w *World) verdicts(n, m int) map[string]string {
	out, of := map[string]string{}, map[int]string{}
	last := map[string]int{}
	for _, e := range w.Events[:m] {
		switch {
		case e.number("number") != n:
		case e.Kind == "review" && (e.text("state") == "APPROVED" || e.text("state") == "CHANGES_REQUESTED"):
			out[e.Actor], last[e.Actor] = e.text("state"), e.number("id")
			of[e.number("id")] = e.Actor
		case e.Kind == "review_dismissed" && last[of[e.number("id")]] == e.number("id"):
			out[of[e.number("id")]] = "DISMISSED"
		}
	}
	return out
}

// latest tells whether review r is its author's last word before event m, and
// was not dismissed.
func (w *World) latest(r, n, m int) bool {
	id := w.Events[r].number("id")
	for _, e := range w.Events[r+1 : m] {
		switch {
		case e.number("number") != n:
		case e.Kind == "review" && e.Actor == w.Events[r].Actor && (e.text("state") == "APPROVED" || e.text("state") == "CHANGES_REQUESTED"):
			return false
		case e.Kind == "review_dismissed" && e.number("id") == id:
			return false
		}
	}
	return true
}

// contributed says how somebody had a hand in request n, or "".
func (w *World) contributed(who string, n, m int, plan string) string {
	opened := w.Events[slices.IndexFunc(w.Events, func(e Event) bool { return e.Kind == "pull_opened" && e.number("number") == n })]
	head := w.Events[m].text("head")
	if opened.Actor == who {
		return "opened the request"
	}
	if strings.Contains(w.File(head, plan), "- Initiator: @"+who+"\n") {
		return "is the initiator"
	}
	for _, e := range w.Events[:m] {
		if e.Kind == "push" && e.text("ref") == "refs/heads/"+opened.text("head_ref") && e.Actor == who && !w.updates(e) {
			return "pushed to the branch"
		}
	}
	for _, c := range w.commitsOf(head, w.mainBefore(m)) {
		if !w.touches(c) {
			continue
		}
		if c.text("author") == who || c.text("committer") == who {
			return "made commit " + c.text("oid")
		}
		suggestion := c.is("signed_by_github") && c.text("author") == opened.Actor
		if slices.Contains(c.texts("co_authors"), who) && !suggestion {
			return "is a co-author of commit " + c.text("oid")
		}
	}
	return ""
}

// updates tells whether a push is the "Update branch" button's: a merge that
// GitHub made upon what was there, and that has governed files as a parent has.
func (w *World) updates(push Event) bool {
	c := w.commits[push.text("after")]
	parents := c.texts("parents")
	return len(parents) == 2 && parents[0] == push.text("before") && c.is("signed_by_github") && !w.touches(c)
}

// commitsOf are the commits that a head has and a base has not.
func (w *World) commitsOf(head, base string) []Event {
	had := map[string]bool{}
	w.walk(base, had, nil)
	var out []Event
	w.walk(head, had, &out)
	return out
}

func (w *World) walk(oid string, seen map[string]bool, out *[]Event) {
	c, known := w.commits[oid]
	if !known || seen[oid] {
		return
	}
	seen[oid] = true
	if out != nil {
		*out = append(*out, c)
	}
	for _, p := range c.texts("parents") {
		w.walk(p, seen, out)
	}
}

// touches tells whether a commit changes governed files. A merge that GitHub
// made changes them only if it has them as no parent has.
func (w *World) touches(c Event) bool {
	parents := c.texts("parents")
	differ := 0
	for _, p := range parents {
		if !maps.Equal(w.governed(c.text("oid")), w.governed(p)) {
			differ++
		}
	}
	if len(parents) > 1 && c.is("signed_by_github") {
		return differ == len(parents)
	}
	return differ > 0
}

// files are a commit's files, each with its content's name.
func (w *World) files(oid string) map[string]any {
	m, _ := w.commits[oid].Data["files"].(map[string]any)
	return m
}

func (w *World) paths(oid string) []string { return slices.Sorted(maps.Keys(w.files(oid))) }

// governed are the files that nobody changes alone.
func (w *World) governed(oid string) map[string]string {
	out := map[string]string{}
	for p, blob := range w.files(oid) {
		for _, prefix := range []string{
			"docs/specs/epic_05/", "data/benchmarks/", "configs/", "prompts/", "models/", "deploy/", ".github/", "prometheus/", "grafana/", "scripts/",
		} {
			if strings.HasPrefix(p, prefix) {
				out[p], _ = blob.(string)
			}
		}
	}
	return out
}

// subject is what is approved at a commit: the plan, line ends and run notes
// aside, and every file that it names.
func (w *World) subject(oid, plan string) map[string]string {
	text := strings.ReplaceAll(w.File(oid, plan), "\r\n", "\n")
	if before, notes, ok := strings.Cut(text, "## Run notes\n"); ok {
		text = before
		if _, after, more := strings.Cut(notes, "\n## "); more {
			text += "## " + after
		}
	}
	out := map[string]string{plan: text}
	for _, p := range named(text) {
		out[p], _ = w.files(oid)[p].(string)
	}
	return out
}

// named are the files that a plan names, in back-ticks.
func named(plan string) []string {
	var out []string
	for i, part := range strings.Split(plan, "`") {
		if i%2 == 1 && strings.Contains(part, "/") && !strings.ContainsAny(part, " \n") {
			out = append(out, part)
		}
	}
	return out
}

// bands are a policy's lines that say when a metric passes.
func bands(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "pass:") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// laws are the bands that stood on the default branch at any moment from when
// the program first said something of a commit, or that commit came, to event i.
// The program reads a moment before it says.
func (w *World) laws(head string, i int) []string {
	from := 0
	for j, e := range w.Events[:i] {
		if e.Kind == "commit" && e.text("oid") == head {
			from = j
		}
	}
	out := []string{bands(w.File(w.mainBefore(from), policy))}
	for _, e := range w.Events[from:i] {
		if e.Kind == "push" && e.text("ref") == mainRef {
			out = append(out, bands(w.File(e.text("after"), policy)))
		}
	}
	return out
}

// heldBetween tells whether somebody held a role at some moment between two
// events: the program may look at any of them.
func (w *World) heldBetween(who, role string, from, to int) bool {
	for i := from; i <= to; i++ {
		if w.holds(who, role, i) {
			return true
		}
	}
	return false
}

// heldThroughout tells whether somebody held a role at every moment from an
// event on.
func (w *World) heldThroughout(who, role string, from int) bool {
	for i := from; i <= len(w.Events); i++ {
		if !w.holds(who, role, i) {
			return false
		}
	}
	return true
}

// holds tells whether somebody held a role before event i: by the role file on
// the default branch, by name or as a member of a team.
func (w *World) holds(who, role string, i int) bool {
	var owners []string
	section := ""
	for _, line := range strings.Split(w.File(w.mainBefore(i), roleFile), "\n") {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case section == role && len(words) > 0 && !strings.HasPrefix(line, "#"):
			owners = words[1:] // the last line wins
		}
	}
	teams := map[string]bool{}
	for _, e := range w.Events[:i] {
		if e.Kind == "team_member" && e.Actor == who {
			teams["@"+e.text("team")] = e.text("role") == "member" || e.text("role") == "maintainer"
		}
	}
	return slices.ContainsFunc(owners, func(o string) bool { return o == "@"+who || teams[o] })
}
