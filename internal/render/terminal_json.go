package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// schema is the version of the JSON objects that the command line prints.
const schema = 1

type jsonVerdict struct {
	Schema     int         `json:"schema"`
	Pilot      string      `json:"pilot"`
	Plan       string      `json:"plan"`
	Head       string      `json:"head"`
	Digest     string      `json:"digest"`
	Conclusion string      `json:"conclusion"`
	Checks     []jsonCheck `json:"checks"`
	// Roles and Reviews are the people: both are there where roles are to be filled.
	Roles   []jsonRole   `json:"roles,omitempty"`
	Reviews []jsonReview `json:"reviews,omitempty"`
}

// jsonRole is a role, who fills it, and who still can: logins and "org/team".
type jsonRole struct {
	Role string   `json:"role"`
	By   string   `json:"by,omitempty"`
	Can  []string `json:"can,omitempty"`
}

// jsonReview is a review and why it does not count: the number of the condition
// (1 to 8, docs/approvals.md), its name and its sentence.
type jsonReview struct {
	ID          int64    `json:"id"`
	Login       string   `json:"login"`
	State       string   `json:"state"`
	SubmittedAt string   `json:"submitted_at"`
	Roles       []string `json:"roles,omitempty"`
	Counts      bool     `json:"counts"`
	Fills       string   `json:"fills,omitempty"`
	Digest      string   `json:"digest,omitempty"`
	CarriedFrom string   `json:"carried_from,omitempty"`
	Condition   int      `json:"condition,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Message     string   `json:"message,omitempty"`
}

func (w *Words) jsonPeople(people approval.Result) (roles []jsonRole, reviews []jsonReview) {
	for _, r := range people.Roles {
		x := jsonRole{Role: r.Name, Can: r.Can}
		if r.By != nil {
			x.By = r.By.Author.Login
		}
		roles = append(roles, x)
	}
	for _, r := range people.Reviews {
		x := jsonReview{
			ID: r.ID, Login: r.Author.Login, State: r.State, SubmittedAt: r.SubmittedAt.UTC().Format(time.RFC3339), Roles: r.Roles,
			Counts: r.Counts, Fills: r.Role, Digest: r.Digest, Condition: r.Reason.Condition, Reason: r.Reason.Key,
		}
		if r.Carried {
			x.CarriedFrom = r.SeenAt
		}
		if !r.Counts {
			x.Message = strings.ReplaceAll(w.reviewLine(r), "`", "")
		}
		reviews = append(reviews, x)
	}
	return roles, reviews
}

type jsonCheck struct {
	Name       string         `json:"name"`
	Conclusion string         `json:"conclusion"`
	Findings   []jsonFinding  `json:"findings"`
	Hidden     map[string]int `json:"hidden,omitempty"` // findings beyond those listed, by rule
}

type jsonFinding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Fix      string `json:"fix"`
}

// JSON is the verdict as one object. conclusion is "failure" with anything at
// error level, else "success": people are asked on GitHub and not waited for.
func (w *Words) JSON(v judge.Verdict) ([]byte, error) {
	out := jsonVerdict{
		Schema: schema, Pilot: v.Pilot, Plan: v.Plan, Head: v.Dossier.Pull.Head.OID, Digest: v.Digest,
		Conclusion: string(judge.Success), Checks: []jsonCheck{},
	}
	if Fails(v) {
		out.Conclusion = string(judge.Failure)
	}
	for _, c := range v.Checks {
		out.Checks = append(out.Checks, jsonCheck{c.Name, string(c.Conclusion), w.jsonFindings(c.Findings), c.Hidden})
	}
	if v.State != judge.NotGoverned {
		law := append(append([]finding.Finding{}, v.Dossier.PolicyFindings...), v.Dossier.RolesFindings...)
		out.Roles, out.Reviews = w.jsonPeople(v.People)
		out.Checks = append(out.Checks, jsonCheck{Name: judge.Approvals, Conclusion: string(v.Approvals), Findings: w.jsonFindings(law)})
	}
	return encodeJSON(out)
}

func (w *Words) jsonFindings(fs []finding.Finding) []jsonFinding {
	out := make([]jsonFinding, 0, len(fs))
	for _, f := range fs {
		out = append(out, jsonFinding{
			f.Rule, string(f.Severity), f.At.Path, f.At.Line, f.At.Column, w.Message(f), w.mend(f, plain),
		})
	}
	return out
}

// encodeJSON writes for people and programs alike: indented, no HTML escapes.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// Markdown is the verdict as a document: the comment's head, then each check
// as its run shows it.
func (w *Words) Markdown(v judge.Verdict) string {
	if v.State == judge.NotGoverned {
		return w.say(markdown, "terminal", "not_governed", "base", v.Dossier.Pull.Base.Ref) + "\n"
	}
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(w.Comment(v), CommentMarker+"\n"))
	for _, c := range v.Checks {
		o := w.Check(v, c)
		b.WriteString("\n## " + w.texts["check"][c.Name] + ": " + escape(o.Title, markdown, false) + "\n\n" + o.Summary)
	}
	return b.String()
}
