package render

import (
	"bytes"
	"encoding/json"
	"strings"

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
